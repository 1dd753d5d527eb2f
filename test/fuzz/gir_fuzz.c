/* Any bytes as text IR: refused with a reason, or a graph that prints and reads back
 * the same, sorts, and infers or says why not. */
#include <stdlib.h>
#include <string.h>

#include "ir/ir.h"
#include "src/base/out.h"
#include "test/fuzz/fuzz.h"

static const char *
printed(struct arena *a, const struct graph *g)
{
    struct out *o = out_memory(a);

    ir_print(g, o, true);
    return out_text(o, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena *a = arena_new();
    struct diag_config c = { 0 };
    struct diag *d = diag_new(a, &c);
    struct graph *g = ir_parse(a, d, "fuzz.gir", (const char *)p, n), *again;

    if (!g != (diag_count(d, SEV_ERROR) > 0))
        abort();
    if (g) {
        const char *text = printed(a, g);
        again = ir_parse(a, d, "again.gir", text, strlen(text));
        if (!again || strcmp(printed(a, again), text) != 0)
            abort();
        if (graph_sort(g, d) && graph_infer(g, d) && !ir_verify(g, d))
            abort();
    }
    diag_free(d);
    arena_free(a);
    return 0;
}
