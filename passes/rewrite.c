/* What the rewriting passes share: constants as numbers, and moving outputs. */
#include <string.h>

#include "passes/rewrite.h"

struct node *
only_def(const struct value *v, const struct op_def *op)
{
    if (!v || !v->def || v->def->op != op || !value_only_user(v))
        return NULL;
    return v->def;
}

const float *
const_floats(const struct value *v)
{
    if (!v || !v->data || v->mutable || v->type.dt != DT_F32 || !shape_known(&v->type.shape))
        return NULL;
    return v->data;
}

const float *
const_per_axis(struct arena *a, const struct value *v, const struct shape *y, int axis)
{
    const float *f = const_floats(v);
    const struct shape *s = v ? &v->type.shape : NULL;
    int64_t n = y->dim[axis].n, count;
    float *r;

    if (!f || s->rank > y->rank)
        return NULL;
    count = shape_elems(s);
    if (count != 1) {
        int at = axis - (y->rank - s->rank);
        if (at < 0 || count != n || s->dim[at].n != n)
            return NULL;
        return f;
    }
    r = NEWN(a, float, n + 1);
    for (int64_t i = 0; i < n; i++)
        r[i] = f[0];
    return r;
}

struct value *
new_const(struct graph *g, const char *name, const struct shape *s, const float *data)
{
    struct type t = { .dt = DT_F32, .shape = *s };

    return graph_const(g, name, &t, data);
}

struct value *
new_floats(struct graph *g, const char *name, const float *data, int64_t n)
{
    struct shape s = shape_make(1, &n);

    return new_const(g, name, &s, data);
}

struct value *
new_float_value(struct graph *g, const char *name, const struct shape *s)
{
    struct type t = { .dt = DT_F32, .shape = *s };

    return graph_value(g, name, &t);
}

void
absorb(struct graph *g, struct node *into, struct node *from)
{
    struct value *last = from->out[0], *between = into->out[0];

    node_join_origin(g, into, from);
    node_remove(g, from);
    between->def = NULL;
    into->out[0] = last;
    last->def = into;
    last->def_index = 0;
    value_remove(g, between);
}

bool
may_quantize(const struct pass_ctx *c)
{
    if (c->opt->quant != QUANT_AUTO)
        return c->opt->quant == QUANT_INT8;
    for (const struct node *n = c->g->first; n; n = n->next)
        if (n->op == &op_quantize_linear || n->op == &op_dequantize_linear)
            return false;
    return true;
}
