/* ArgMax and ArgMin: where the greatest or least element along an axis is. */
#include <stddef.h>

#include "ir/elem.h"
#include "ir/ops/common.h"

#define AT(field) offsetof(struct argmax_attr, field)

static const struct attr_def attrs[] = {
    { "axis", ATTR_INT, AT(axis), "0", "axis to search; negative counts from the end", NULL },
    { "keepdims", ATTR_BOOL, AT(keepdims), "1", "it stays, with size 1", NULL },
    { "select_last_index", ATTR_BOOL, AT(select_last_index), "0", "the last of equal ones", NULL },
    { 0 },
};

static bool
infer(struct infer *q)
{
    struct argmax_attr *a = argmax_attr(q->n);
    const struct shape *x = ops_in(q->n, 0);
    struct shape y = { 0 };

    if (!ops_wrap_axis(q, &a->axis, x->rank))
        return false;
    if (dim_known(x->dim[a->axis]) && x->dim[a->axis].n == 0)
        return diag_error(q->diag, &q->at, "op-shape", "axis %d is empty", (int)a->axis);
    for (int i = 0; i < x->rank; i++) {
        if (i != a->axis)
            y.dim[y.rank++] = x->dim[i];
        else if (a->keepdims)
            y.dim[y.rank++] = dim_of(1);
    }
    ops_set_out(q, 0, DT_I64, &y);
    return true;
}

static void
search(struct eval *e, bool greatest)
{
    const struct argmax_attr *a = argmax_attr(e->n);
    const struct type *t = &e->n->in[0]->type;
    int axis = (int)a->axis;
    int64_t rows = shape_count(&t->shape, 0, axis), n = t->shape.dim[axis].n;
    int64_t step = shape_count(&t->shape, axis + 1, t->shape.rank), *y = e->out[0];

    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < step; i++) {
            double best = elem_real(t->dt, e->in[0], r * n * step + i);
            *y = 0;
            for (int64_t k = 1; k < n; k++) {
                double x = elem_real(t->dt, e->in[0], (r * n + k) * step + i);
                bool better = greatest ? x > best : x < best;
                if (!better && !(a->select_last_index && x == best))
                    continue;
                best = x;
                *y = k;
            }
            y++;
        }
}

static void
eval_argmax(struct eval *e)
{
    search(e, true);
}

static void
eval_argmin(struct eval *e)
{
    search(e, false);
}

#define DEF(id, onnx, text) \
    const struct op_def op_##id = { \
        .name = onnx, \
        .doc = text, \
        .since = 1, \
        .min_in = 1, .max_in = 1, \
        .stages = OPS_FLOATS, \
        .quant = Q_NONE, \
        .attr_size = sizeof(struct argmax_attr), \
        .attrs = attrs, \
        .infer = infer, \
        .eval = eval_##id, \
    };

DEF(argmax, "ArgMax", "index of the greatest element along an axis")
DEF(argmin, "ArgMin", "index of the least element along an axis")
