/* m.move: a box of one tensor to a place in another, axes permuted, with steps.
 * src_* count in the axes of x, the others in those of y.  Elements of y outside
 * the box hold `fill`; without fills the box covers all of y.
 *
 * A move that changes nothing but the layout is the copy that a view or a join
 * needs where it cannot share memory. */
#include <stddef.h>
#include <string.h>

#include "ir/elem.h"
#include "ir/ops/machine_util.h"

static const struct attr_def attrs[] = {
    { "perm", ATTR_INTS, FIELD(m_move_attr, perm), "", "axis of x for each axis of y", NULL },
    { "src_start", ATTR_INTS, FIELD(m_move_attr, src_start), "", "first index in x", NULL },
    { "src_step", ATTR_INTS, FIELD(m_move_attr, src_step), "", "step in x", NULL },
    { "dst_start", ATTR_INTS, FIELD(m_move_attr, dst_start), "", "first index in y", NULL },
    { "count", ATTR_INTS, FIELD(m_move_attr, count), "", "size of the box, in axes of y", NULL },
    { "fills", ATTR_BOOL, FIELD(m_move_attr, fills), "0", "elements outside are set", NULL },
    { "fill", ATTR_INT, FIELD(m_move_attr, fill), "0", "to this stored value", NULL },
    { 0 },
};

static bool
axis_fits(const struct m_move_attr *a, const struct shape *x, const struct shape *y, int d)
{
    int64_t s = a->perm.at[d], n = a->count.at[d], first, last;

    if (s < 0 || s >= x->rank || n < 0)
        return false;
    if (a->dst_start.at[d] < 0 || a->dst_start.at[d] + n > y->dim[d].n)
        return false;
    if (!a->fills && (a->dst_start.at[d] != 0 || n != y->dim[d].n))
        return false;
    first = a->src_start.at[s];
    last = first + (n - 1) * a->src_step.at[s];
    return n == 0 || (first >= 0 && first < x->dim[s].n && last >= 0 && last < x->dim[s].n);
}

static bool
infer(struct infer *q)
{
    struct node *n = q->n;
    const struct m_move_attr *a = n->attr;
    const struct shape *x = &n->in[0]->type.shape, *y = &n->out[0]->type.shape;
    unsigned seen = 0;

    if (!machine_known(q, 1))
        return false;
    if (!shape_known(y) || y->rank != x->rank)
        return machine_error(q, "a move needs an output of the same rank");
    if (a->perm.n != x->rank || a->count.n != x->rank || a->src_start.n != x->rank
        || a->src_step.n != x->rank || a->dst_start.n != x->rank)
        return machine_error(q, "lists do not have one entry for each axis");
    for (int d = 0; d < y->rank; d++) {
        if (!axis_fits(a, x, y, d))
            return machine_error(q, "axis %d: the box does not fit", d);
        seen |= 1u << a->perm.at[d];
    }
    if (seen != (1u << x->rank) - 1)
        return machine_error(q, "an axis is missing from the permutation");
    machine_out(q, n->in[0]->type.dt, y);
    return true;
}

static void
eval(struct eval *e)
{
    const struct m_move_attr *a = e->n->attr;
    const struct type *x = &e->n->in[0]->type, *y = &e->n->out[0]->type;
    int64_t size = dtype_bits(x->dt) / 8, total = shape_elems(&y->shape), box = 1;
    int64_t step[MAX_RANK], pitch[MAX_RANK];
    const char *from = e->in[0];
    char *to = e->out[0];

    if (a->fills)
        for (int64_t i = 0; i < total; i++)
            elem_put_int(y->dt, e->out[0], i, a->fill);
    for (int d = 0; d < y->shape.rank; d++) {
        int64_t s = a->perm.at[d], px = shape_bytes(x, (int)s + 1);
        step[d] = px * a->src_step.at[s];
        pitch[d] = shape_bytes(y, d + 1);
        from += px * a->src_start.at[s];
        to += pitch[d] * a->dst_start.at[d];
        box *= a->count.at[d];
    }
    for (int64_t i = 0; i < box; i++) {
        int64_t rest = i, src = 0, dst = 0;
        for (int d = y->shape.rank - 1; d >= 0; d--) {
            int64_t k = rest % a->count.at[d];
            src += k * step[d];
            dst += k * pitch[d];
            rest /= a->count.at[d];
        }
        memcpy(to + dst, from + src, (size_t)size);
    }
}

const struct op_def op_m_move = {
    .name = "m.move",
    .doc = "copies a box of a tensor, axes permuted",
    .since = 1,
    .min_in = 1, .max_in = 1,
    .stages = STAGE_MACHINE,
    .traits = OP_MACHINE,
    .quant = Q_SAME_AS_INPUT,
    .attr_size = sizeof(struct m_move_attr),
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
};

const struct op_def op_m_view = {
    .name = "m.view",
    .doc = "a box of a tensor where it lies, axes permuted",
    .since = 1,
    .min_in = 1, .max_in = 1,
    .stages = STAGE_MACHINE,
    .traits = OP_MACHINE | OP_VIEW,
    .quant = Q_SAME_AS_INPUT,
    .attr_size = sizeof(struct m_move_attr),
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
};

static const struct attr_def join_attrs[] = {
    { "axis", ATTR_INT, FIELD(m_join_attr, axis), "0", "axis to join along", NULL },
    { 0 },
};

static bool
infer_join(struct infer *q)
{
    struct node *n = q->n;
    int axis = (int)((const struct m_join_attr *)n->attr)->axis;
    struct shape y;

    if (!machine_known(q, n->nin))
        return false;
    y = n->in[0]->type.shape;
    if (axis < 0 || axis >= y.rank)
        return machine_error(q, "no axis %d", axis);
    for (int i = 1; i < n->nin; i++) {
        struct shape s = n->in[i]->type.shape;
        struct dim d = s.rank == y.rank ? s.dim[axis] : dim_of(0);
        s.dim[axis] = y.dim[axis];
        if (!shape_equal(&s, &y) || n->in[i]->type.dt != n->in[0]->type.dt)
            return machine_error(q, "input %d does not fit input 0", i);
        y.dim[axis] = dim_of(y.dim[axis].n + d.n);
    }
    machine_out(q, n->in[0]->type.dt, &y);
    return true;
}

static void
eval_join(struct eval *e)
{
    const struct node *n = e->n;
    int axis = (int)((const struct m_join_attr *)n->attr)->axis;
    const struct type *y = &n->out[0]->type;
    int64_t rows = shape_count(&y->shape, 0, axis), pitch = shape_bytes(y, axis);
    char *to = e->out[0];

    for (int i = 0; i < n->nin; i++) {
        int64_t run = shape_bytes(&n->in[i]->type, axis);
        for (int64_t r = 0; r < rows; r++)
            memcpy(to + r * pitch, (const char *)e->in[i] + r * run, (size_t)run);
        to += run;
    }
}

const struct op_def op_m_join = {
    .name = "m.join",
    .doc = "tensors side by side in memory",
    .since = 1,
    .min_in = 1, .max_in = 4096,
    .stages = STAGE_MACHINE,
    .traits = OP_MACHINE | OP_VIEW,
    .quant = Q_SAME_AS_OUTPUT,
    .attr_size = sizeof(struct m_join_attr),
    .attrs = join_attrs,
    .infer = infer_join,
    .eval = eval_join,
};
