/* The memory map as text: a row per buffer, then the step at which most is live. */
#include "src/report/memmap.h"

#include <inttypes.h>
#include <stdlib.h>

#include "ir/ir.h"
#include "src/base/out.h"
#include "src/base/str.h"
#include "src/base/table.h"

static const char *
space_name(enum space s)
{
    static const char *const names[] = { "arena", "weights", "state", "in", "out" };

    return names[s];
}

/* Buffers that own bytes, by address. */
static int
by_place(const void *x, const void *y)
{
    const struct buffer *a = (*(const struct value *const *)x)->buf, *b = (*(const struct value *const *)y)->buf;

    if (a->space != b->space)
        return a->space < b->space ? -1 : 1;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return a->first < b->first ? -1 : a->first > b->first;
}

static int
owners(const struct graph *g, const struct value **v)
{
    int n = 0;

    for (uint32_t i = 0; i < g->nvalue; i++)
        if (g->values[i] && g->values[i]->buf && !g->values[i]->buf->alias && g->values[i]->buf->space != SPACE_WEIGHTS)
            v[n++] = g->values[i];
    qsort(v, (size_t)n, sizeof *v, by_place);
    return n;
}

static int64_t
live_at(const struct value *const *v, int n, int step)
{
    int64_t sum = 0;

    for (int i = 0; i < n; i++)
        if (v[i]->buf->space == SPACE_ARENA && v[i]->buf->first <= step && step <= v[i]->buf->last)
            sum += v[i]->buf->size;
    return sum;
}

static void
print_peak(const struct graph *g, const struct value *const *v, int n, struct arena *a, struct out *o)
{
    int64_t most = 0;
    int step = 0;

    for (int i = 0; i < n; i++)
        if (live_at(v, n, v[i]->buf->first) > most) {
            step = v[i]->buf->first;
            most = live_at(v, n, step);
        }
    out_printf(o, "arena %s bytes; most is live at step %d: %s bytes in", str_thousands(a, (uint64_t)g->arena_bytes), step,
               str_thousands(a, (uint64_t)most));
    for (int i = 0; i < n; i++)
        if (v[i]->buf->space == SPACE_ARENA && v[i]->buf->first <= step && step <= v[i]->buf->last)
            out_printf(o, " '%s'", v[i]->name);
    out_puts(o, "\n");
}

void
memmap_print(const struct graph *g, struct out *o)
{
    static const char *const heads[] = { "section", ">offset", ">bytes", ">from step", ">to step", "tensor", "type" };
    struct arena *a = arena_new();
    const struct value **v = NEWN(a, const struct value *, g->nvalue + 1);
    int n = owners(g, v);
    struct table *t = table_new(a, 7, heads);

    for (int i = 0; i < n; i++) {
        const struct buffer *b = v[i]->buf;
        table_cell(t, "%s", space_name(b->space));
        table_cell(t, "0x%" PRIx64, b->offset);
        table_cell(t, "%s", str_thousands(a, (uint64_t)b->size));
        table_cell(t, "%d", b->first);
        table_cell(t, "%d", b->last);
        table_cell(t, "%s", v[i]->name);
        table_cell(t, "%s", type_text(a, &v[i]->type));
    }
    table_print(t, o);
    print_peak(g, v, n, a, o);
    arena_free(a);
}
