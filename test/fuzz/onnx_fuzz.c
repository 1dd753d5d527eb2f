/* Any bytes as a model: refused with a reason, or a graph that can be checked. */
#include <stdlib.h>

#include "src/front/onnx.h"
#include "test/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena *a = arena_new();
    struct diag_config c = { 0 };
    struct diag *d = diag_new(a, &c);
    struct graph *g = onnx_parse(a, d, "fuzz.onnx", (struct bytes){ p, n }, NULL);

    if (!g != (diag_count(d, SEV_ERROR) > 0))
        abort();
    if (g && !graph_infer(g, d) && !diag_count(d, SEV_ERROR))
        abort();
    diag_free(d);
    arena_free(a);
    return 0;
}
