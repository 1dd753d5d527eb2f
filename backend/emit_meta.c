/* .gm.meta: the description that travels in the program, in the ini form that
 * src/base/conf.h reads.  Sections:
 *   [program]  tool, name, model and target digests, options, sizes
 *   [target]   the merged target, a "section.key = value" each
 *   [input], [output]  one per tensor, in the model's order: name, dtype (as stored),
 *              model_dtype, shape, symbol, offset, bytes, first, order, pitch, before,
 *              after, fill, scale, zero
 *   [layer]    one per layer: number, name, op, on, schedule, macs, cycles (estimate),
 *              limit, output, why
 *   [recipe], [labels]  as given */
#include <inttypes.h>
#include <string.h>

#include "backend/emit.h"
#include "src/base/conf.h"
#include "src/base/out.h"

static void
list(struct out *o, const char *key, const struct type *t, int64_t (*at)(const struct type *, int))
{
    out_printf(o, "%s =", key);
    for (int i = 0; i < t->shape.rank; i++)
        out_printf(o, " %" PRId64, at(t, i));
    out_puts(o, "\n");
}

static int64_t dim_at(const struct type *t, int i) { return t->shape.dim[i].n; }
static int64_t order_at(const struct type *t, int i) { return t->layout ? t->layout->order[i] : i; }
static int64_t before_at(const struct type *t, int i) { return t->layout ? t->layout->before[i] : 0; }
static int64_t after_at(const struct type *t, int i) { return t->layout ? t->layout->after[i] : 0; }
static int64_t
pitch_at(const struct type *t, int i)
{
    return t->layout ? t->layout->pitch[i] : shape_bytes(t, i + 1);
}

/* Any text as a value: names may hold what an ini file takes for a comment. */
static void
text(struct out *o, const char *key, const char *s)
{
    struct arena *a = arena_new();

    out_printf(o, "%s = %s\n", key, conf_quote(a, s));
    arena_free(a);
}

static void
tensor(struct out *o, const struct value *v, bool output)
{
    const struct type *t = &v->type;

    out_printf(o, "\n[%s]\n", output ? "output" : "input");
    text(o, "name", v->name);
    out_printf(o, "dtype = %s\n", dtype_name(t->dt));
    out_printf(o, "model_dtype = %s\n", dtype_name(v->model_dt ? v->model_dt : t->dt));
    list(o, "shape", t, dim_at);
    out_printf(o, "symbol = %s\noffset = %" PRId64 "\nbytes = %" PRId64 "\nfirst = %" PRId64 "\n",
               output ? "gm_out" : "gm_in", v->buf->offset, v->buf->size, t->layout ? t->layout->first : 0);
    list(o, "order", t, order_at);
    list(o, "pitch", t, pitch_at);
    list(o, "before", t, before_at);
    list(o, "after", t, after_at);
    out_printf(o, "fill = %d\n", t->layout ? (int)t->layout->fill : 0);
    if (t->quant)
        out_printf(o, "scale = %a\nzero = %d\n", (double)t->quant->scale[0], (int)t->quant->zero[0]);
}

static void
layer(struct out *o, struct arena *a, const struct kernel *k)
{
    out_printf(o, "\n[layer]\nnumber = %d\n", k->number);
    text(o, "name", node_models(a, k->n));
    text(o, "op", op_short(k->n->op));
    out_printf(o, "on = %s\n", k->prog ? "array" : "core");
    if (k->schedule.def)
        text(o, "schedule", sched_text(a, &k->schedule));
    text(o, "output", shape_text(a, &k->n->out[0]->type.shape));
    out_printf(o, "macs = %" PRId64 "\ncycles = %" PRIu64 "\nlimit = %s\n", k->macs, k->cost.cycles, limit_name(k->cost.limit));
    if (k->why)
        text(o, "why", k->why);
}

/* "[section]" and "key = value" lines as "section.key = value". */
static void
target(struct out *o, struct arena *a, const struct target *t)
{
    struct out *m = out_memory(a);
    char section[64] = "";

    target_print(t, m);
    const char *s = out_text(m, NULL);
    out_puts(o, "\n[target]\n");
    for (; *s; s += strcspn(s, "\n"), s += *s == '\n') {
        size_t n = strcspn(s, "\n");
        const char *end = memchr(s, ']', n);
        if (*s == '[' && end && (size_t)(end - s) < sizeof section) {
            memcpy(section, s + 1, (size_t)(end - s - 1));
            section[end - s - 1] = 0;
        } else if (n && *s != ';' && *s != '#') {
            out_printf(o, "%s.%.*s\n", section, (int)n, s);
        }
    }
}

static void
labels(struct out *o, struct arena *a, const char *s)
{
    out_puts(o, "\n[labels]\n");
    for (int i = 0; *s; i++) {
        size_t n = strcspn(s, "\r\n");
        text(o, arena_printf(a, "%d", i), arena_strndup(a, s, n));
        s += n;
        s += *s == '\r';
        s += *s == '\n';
    }
}

void
emit_meta(const struct program *p, const struct emit *e, struct out *o)
{
    struct arena *a = arena_new();
    const struct graph *g = p->g;

    out_printf(o, "[program]\ntool = gemmcc %s\nname = %s\nmodel = %s\ntarget = %s\narena = %" PRId64 "\nweights = %" PRId64 "\n",
               e->version, e->name, e->model_digest, p->target->digest, g->arena_bytes, p->weight_bytes);
    text(o, "options", e->options ? e->options : "");
    target(o, a, p->target);
    for (int i = 0; i < g->ninput; i++)
        tensor(o, g->inputs[i], false);
    for (int i = 0; i < g->noutput; i++)
        tensor(o, g->outputs[i], true);
    for (int i = 0; i < p->nlayer; i++)
        layer(o, a, p->layers[i]);
    if (e->recipe) {
        out_puts(o, "\n[recipe]\n");
        text(o, "recipe", e->recipe);
    }
    if (e->labels)
        labels(o, a, e->labels);
    arena_free(a);
}
