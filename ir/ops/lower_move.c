/* Operators that only move numbers, and those along an axis: Transpose, Concat, Slice,
 * Split, Pad, Tile; Softmax, reductions, Gather. */
#include <string.h>

#include "ir/elem.h"
#include "ir/ops/lower.h"
#include "src/base/num.h"

bool
lower_transpose(struct lower *l)
{
    struct node *n = l->n;
    struct m_move_attr a = lower_move_all(l, n->in[0]);
    int64_t *count = NEWN(l->g->arena, int64_t, MAX_RANK);

    a.perm = transpose_attr(n)->perm;
    for (int i = 0; i < a.perm.n; i++)
        count[i] = n->out[0]->type.shape.dim[i].n;
    a.count.at = count;
    lower_node(l, &op_m_move, &a, n->in, 1, n->out[0]);
    return true;
}

/* Copies of all inputs, side by side.  alias-views drops the copies it can: the
 * producer then writes to its place in the whole. */
bool
lower_concat(struct lower *l)
{
    struct node *n = l->n;
    struct m_join_attr a = { .axis = axis_attr(n)->axis };
    struct value **in = NEWN(l->arena, struct value *, n->nin);

    for (int i = 0; i < n->nin; i++)
        in[i] = lower_permuted(l, n->in[i], NULL);
    lower_node(l, &op_m_join, &a, in, n->nin, n->out[0]);
    return true;
}

bool
lower_slice(struct lower *l)
{
    struct node *n = l->n;
    const struct slice_attr *s = n->attr;
    struct m_move_attr a = lower_move_all(l, n->in[0]);
    int64_t *count = NEWN(l->g->arena, int64_t, MAX_RANK);

    a.src_start = s->starts;
    a.src_step = s->steps;
    for (int i = 0; i < a.count.n; i++)
        count[i] = n->out[0]->type.shape.dim[i].n;
    a.count.at = count;
    lower_node(l, &op_m_move, &a, n->in, 1, n->out[0]);
    return true;
}

bool
lower_split(struct lower *l)
{
    struct node *n = l->n;
    int axis = (int)split_attr(n)->axis;
    int64_t at = 0;

    for (int i = 0; i < n->nout; i++) {
        struct m_move_attr a = lower_move_all(l, n->in[0]);
        int64_t *count, *start, size = split_attr(n)->split.at[i];
        count = arena_dup(l->g->arena, a.count.at, (size_t)a.count.n * sizeof *count);
        start = NEWN(l->g->arena, int64_t, a.count.n);
        count[axis] = size;
        start[axis] = at;
        a.count.at = count;
        a.src_start.at = start;
        at += size;
        if (n->out[i])
            lower_node(l, &op_m_move, &a, n->in, 1, n->out[i]);
    }
    return true;
}

/* The border's value as it is stored. */
static int64_t
stored(const struct type *t, float x)
{
    struct type one = { .dt = t->dt, .quant = t->quant, .shape = shape_make(0, NULL) };
    char bytes[8] = { 0 };

    quant_from_real(&one, &x, bytes);
    return elem_int(t->dt, bytes, 0);
}

bool
lower_pad(struct lower *l)
{
    struct node *n = l->n;
    const struct pad_attr *p = n->attr;
    struct m_move_attr a = lower_move_all(l, n->in[0]);
    int rank = a.count.n;
    int64_t *count = NEWN(l->g->arena, int64_t, rank), *src = NEWN(l->g->arena, int64_t, rank);
    int64_t *dst = NEWN(l->g->arena, int64_t, rank);

    if (p->mode != PAD_CONSTANT)
        return lower_refuse(l, "a border that is not constant");
    if (n->nin > 1)
        return lower_refuse(l, "a border whose value is computed");
    if (n->in[0]->type.dt == DT_F32 && p->value != 0 && p->value != (float)(int64_t)p->value)
        return lower_refuse(l, "a float border of %g", (double)p->value);
    for (int i = 0; i < rank; i++) {
        int64_t before = p->pads.at[i], after = p->pads.at[rank + i];
        dst[i] = num_max(before, 0);
        src[i] = num_max(-before, 0);
        count[i] = n->in[0]->type.shape.dim[i].n - src[i] - num_max(-after, 0);
    }
    a.count.at = count;
    a.src_start.at = src;
    a.dst_start.at = dst;
    a.fills = 1;
    a.fill = stored(&n->in[0]->type, p->value);
    lower_node(l, &op_m_move, &a, n->in, 1, n->out[0]);
    return true;
}

/* Axis by axis: the tensor beside itself. */
bool
lower_tile(struct lower *l)
{
    struct node *n = l->n;
    const struct ints *r = &tile_attr(n)->repeats;
    struct value *x = n->in[0];

    for (int d = 0; d < r->n; d++) {
        struct m_join_attr a = { .axis = d };
        struct value **in = NEWN(l->arena, struct value *, r->at[d] + 1), *y;
        struct type t = x->type;
        if (r->at[d] == 1)
            continue;
        if (r->at[d] < 1 || r->at[d] > 4096)
            return lower_refuse(l, "%lld repeats", (long long)r->at[d]);
        for (int64_t i = 0; i < r->at[d]; i++)
            in[i] = lower_permuted(l, x, NULL);
        t.layout = NULL;
        t.shape.dim[d] = dim_of(t.shape.dim[d].n * r->at[d]);
        y = lower_temp(l, "tiled", &t);
        lower_node(l, &op_m_join, &a, in, (int)r->at[d], y);
        x = y;
    }
    lower_view_to(l, x, n->out[0]);
    return true;
}

bool
lower_softmax(struct lower *l)
{
    struct node *n = l->n;
    const struct softmax_attr *s = n->attr;
    struct m_softmax_attr a = { .axis = s->axis, .log = n->op == &op_log_softmax };
    const struct shape *full = &n->in[0]->type.shape;
    struct value *x = n->in[0], *y = n->out[0];
    struct type t = y->type;

    if (!s->flat) {
        lower_node(l, &op_m_softmax, &a, &x, 1, y);
        return true;
    }
    t.shape = shape_make(2, (int64_t[]){ shape_count(full, 0, (int)s->axis),
                                         shape_count(full, (int)s->axis, full->rank) });
    t.layout = NULL;
    x = lower_view(l, x, &t.shape);
    y = lower_temp(l, "rows", &t);
    a.axis = 1;
    lower_node(l, &op_m_softmax, &a, &x, 1, y);
    lower_view_to(l, y, n->out[0]);
    return true;
}

bool
lower_reduce(struct lower *l)
{
    struct node *n = l->n;
    const struct reduce_attr *r = n->attr;
    struct m_reduce_attr a = { .axes = r->axes, .keepdims = r->keepdims };

    if (n->in[0]->type.dt != DT_F32 && !lower_is8(n->in[0]))
        return lower_refuse(l, "%s elements", dtype_name(n->in[0]->type.dt));
    a.op = n->op == &op_reduce_mean  ? M_REDUCE_MEAN
           : n->op == &op_reduce_max ? M_REDUCE_MAX
           : n->op == &op_reduce_min ? M_REDUCE_MIN
                                     : M_REDUCE_SUM;
    lower_node(l, &op_m_reduce, &a, n->in, 1, n->out[0]);
    return true;
}

bool
lower_gather(struct lower *l)
{
    struct m_gather_attr a = { .axis = axis_attr(l->n)->axis };

    lower_node(l, &op_m_gather, &a, l->n->in, 2, l->n->out[0]);
    return true;
}
