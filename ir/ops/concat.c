/* Concat: join tensors along one axis. */
#include <stddef.h>
#include <string.h>

#include "ir/ops/common.h"
#include "ir/ops/lower.h"

static const struct attr_def attrs[] = {
    { "axis", ATTR_INT, offsetof(struct axis_attr, axis), "1",
      "axis to join along; negative counts from the end", NULL },
    { 0 },
};

/* The output is input 0, except that the joined axis is the sum of all inputs. */
static bool
infer(struct infer *q)
{
    struct node *n = q->n;
    struct axis_attr *a = axis_attr(n);
    struct shape y = *ops_in(n, 0);

    if (!ops_wrap_axis(q, &a->axis, y.rank))
        return false;
    for (int i = 1; i < n->nin; i++) {
        const struct shape *s;
        if (!n->in[i])
            return diag_error(q->diag, &q->at, "op-arity", "input %d is left out", i);
        if (!ops_same_dtype(q, 0, i) || !ops_need_rank(q, i, y.rank, y.rank))
            return false;
        s = ops_in(n, i);
        for (int d = 0; d < y.rank; d++) {
            if (d == a->axis || dim_equal(s->dim[d], y.dim[d]))
                continue;
            diag_error(q->diag, &q->at, "concat-shape",
                       "input %d has %s on axis %d where input 0 has %s", i,
                       dim_text(q->arena, s->dim[d]), d, dim_text(q->arena, y.dim[d]));
            diag_hint(q->diag, "only axis %d may differ; is the axis meant for another layout?",
                      (int)a->axis);
            return false;
        }
        y.dim[a->axis] = dim_add(q->arena, y.dim[a->axis], s->dim[a->axis]);
    }
    ops_set_out(q, 0, n->in[0]->type.dt, &y);
    return true;
}

/* Each input contributes one run of bytes to every outer row. */
static void
eval(struct eval *e)
{
    const struct node *n = e->n;
    const struct type *y = &n->out[0]->type;
    int axis = (int)axis_attr(n)->axis;
    int64_t rows = shape_count(&y->shape, 0, axis), pitch = shape_bytes(y, axis);
    char *dst = e->out[0];

    for (int i = 0; i < n->nin; i++) {
        const char *src = e->in[i];
        int64_t run = shape_bytes(&n->in[i]->type, axis);
        for (int64_t r = 0; r < rows; r++)
            memcpy(dst + r * pitch, src + r * run, (size_t)run);
        dst += run;
    }
}

const struct op_def op_concat = {
    .name = "Concat",
    .doc = "tensors joined along one axis",
    .since = 1,
    .min_in = 1, .max_in = OPS_MANY,
    .stages = OPS_FLOATS,
    .quant = Q_SAME_AS_OUTPUT,
    .attr_size = sizeof(struct axis_attr),
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
    .lower = lower_concat,
};
