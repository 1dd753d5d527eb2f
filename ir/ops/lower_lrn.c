/* LRN as a mean over channels, which m.pool does on the image seen as one of channels
 * times pixels, and functions of elements. */
#include "ir/ops/lower.h"

static struct value *
real_temp(struct lower *l, const char *what, const struct shape *s)
{
    struct type t = { .dt = DT_F32, .shape = *s };

    return lower_temp(l, what, &t);
}

static void
map(struct lower *l, enum m_map_op op, struct value *a, struct value *b, struct value *y)
{
    struct m_map_attr m = { .op = op };
    struct value *in[2] = { a, b };

    lower_node(l, &op_m_map, &m, in, 2, y);
}

/* x op number. */
static struct value *
with_number(struct lower *l, enum m_map_op op, const char *what, struct value *x, float number)
{
    struct type t = { .dt = DT_F32, .shape = shape_make(1, (int64_t[]){ 1 }) };
    struct value *y = real_temp(l, what, &x->type.shape);

    map(l, op, x, lower_const(l, what, &t, arena_dup(l->g->arena, &number, sizeof number)), y);
    return y;
}

bool
lower_lrn(struct lower *l)
{
    const struct lrn_attr *a = lrn_attr(l->n);
    struct value *x = l->n->in[0], *y = l->n->out[0], *v, *mean;
    const struct shape *s = &x->type.shape;
    struct shape flat = shape_make(4, (int64_t[]){ s->dim[0].n, 1, s->dim[1].n,
                                                   shape_count(s, 2, s->rank) });
    struct m_pool_attr p = { .kind = M_POOL_AVG, .kernel = { a->size, 1 }, .stride = { 1, 1 },
                             .dilation = { 1, 1 }, .avg_include_pad = 1 };

    if (y->type.dt != DT_F32 && !lower_is8(y))
        return lower_refuse(l, "%s elements", dtype_name(y->type.dt));
    v = real_temp(l, "square", s);
    map(l, M_MAP_MUL, x, x, v);
    v = lower_view(l, v, &flat);
    p.pads[0] = (a->size - 1) / 2;
    p.pads[2] = a->size - 1 - p.pads[0];
    mean = real_temp(l, "mean", &flat);
    lower_node(l, &op_m_pool, &p, &v, 1, mean);
    v = with_number(l, M_MAP_MUL, "alpha", mean, a->alpha);
    v = with_number(l, M_MAP_ADD, "bias", v, a->bias);
    v = with_number(l, M_MAP_POW, "beta", v, a->beta);
    map(l, M_MAP_DIV, x, lower_view(l, v, s), y);
    return true;
}
