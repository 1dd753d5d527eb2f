/* LRN as a mean over channels and functions of elements.  The mean is an m.pool of
 * images of one column, the channels of a pixel: in memory an image is that already. */
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

/* Axis 1 goes last, and back. */
static void
channels_last(int rank, int64_t *perm, int64_t *back)
{
    for (int i = 1; i < rank; i++) {
        perm[i] = i < rank - 1 ? i + 1 : 1;
        back[perm[i]] = i;
    }
}

bool
lower_lrn(struct lower *l)
{
    const struct lrn_attr *a = lrn_attr(l->n);
    struct value *x = l->n->in[0], *y = l->n->out[0], *v, *mean;
    const struct shape *s = &x->type.shape;
    struct shape pixels = { .rank = s->rank }, flat;
    int64_t perm[MAX_RANK] = { 0 }, back[MAX_RANK] = { 0 };
    struct m_pool_attr p = { .kind = M_POOL_AVG, .kernel = { a->size, 1 }, .stride = { 1, 1 },
                             .dilation = { 1, 1 }, .avg_include_pad = 1 };

    if (y->type.dt != DT_F32 && !lower_is8(y))
        return lower_refuse(l, "%s elements", dtype_name(y->type.dt));
    v = real_temp(l, "square", s);
    map(l, M_MAP_MUL, x, x, v);
    channels_last(s->rank, perm, back);
    for (int i = 0; i < s->rank; i++)
        pixels.dim[i] = s->dim[perm[i]];
    flat = shape_make(4, (int64_t[]){ shape_count(&pixels, 0, s->rank - 1), 1, s->dim[1].n, 1 });
    v = lower_view(l, lower_permuted(l, v, perm), &flat);
    p.pads[0] = (a->size - 1) / 2;
    p.pads[2] = a->size - 1 - p.pads[0];
    mean = real_temp(l, "mean", &flat);
    lower_node(l, &op_m_pool, &p, &v, 1, mean);
    v = with_number(l, M_MAP_MUL, "alpha", mean, a->alpha);
    v = with_number(l, M_MAP_ADD, "bias", v, a->bias);
    v = with_number(l, M_MAP_POW, "beta", v, a->beta);
    map(l, M_MAP_DIV, x, lower_permuted(l, lower_view(l, v, &pixels), back), y);
    return true;
}
