/* Softmax and LogSoftmax along one axis; up to opset 12 over all axes from one on
 * together, which infer marks as `flat`. */
#include <stddef.h>

#include "ir/ops/common.h"
#include "ir/ops/lower.h"
#include "src/machine/fmath.h"

static const struct attr_def attrs[] = {
    { "axis", ATTR_INT, offsetof(struct softmax_attr, axis), ATTR_UNSET_TEXT,
      "axis to go along; -1 when not given, up to opset 12 1", NULL },
    { "flat", ATTR_BOOL, offsetof(struct softmax_attr, flat), "0",
      "all axes from axis on together; set by infer up to opset 12", NULL },
    { 0 },
};

static bool
infer(struct infer *q)
{
    struct softmax_attr *a = softmax_attr(q->n);
    const struct shape *x = ops_in(q->n, 0);

    if (!ops_need_real(q, 0))
        return false;
    if (q->opset > 0 && q->opset < 13)
        a->flat = 1;
    if (a->axis == ATTR_UNSET)
        a->axis = a->flat && x->rank > 1 ? 1 : -1;
    if (!(a->flat && a->axis == x->rank) && !ops_wrap_axis(q, &a->axis, x->rank))
        return false;
    if (a->flat && a->axis >= x->rank - 1)     /* the same thing */
        a->flat = a->axis == x->rank;
    ops_set_out(q, 0, DT_F32, x);
    return true;
}

static void
softmax_row(const float *x, float *y, int64_t n, int64_t step, bool log)
{
    float top = x[0], sum = 0;

    for (int64_t i = 1; i < n; i++)
        top = x[i * step] > top ? x[i * step] : top;
    for (int64_t i = 0; i < n; i++) {
        float p = fm_exp(x[i * step] - top);
        sum += p;
        y[i * step] = p;
    }
    if (log)
        sum = fm_log(sum);
    for (int64_t i = 0; i < n; i++)
        y[i * step] = log ? x[i * step] - top - sum : y[i * step] / sum;
}

static void
run(struct eval *e, bool log)
{
    const struct softmax_attr *a = softmax_attr(e->n);
    const struct shape *s = ops_in(e->n, 0);
    int axis = (int)a->axis;
    int64_t rows = shape_count(s, 0, axis);
    int64_t n = a->flat ? shape_count(s, axis, s->rank) : s->dim[axis].n;
    int64_t step = a->flat ? 1 : shape_count(s, axis + 1, s->rank);

    if (n == 0)
        return;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < step; i++) {
            int64_t at = r * n * step + i;
            softmax_row((const float *)e->in[0] + at, (float *)e->out[0] + at, n, step, log);
        }
}

static void
eval_softmax(struct eval *e)
{
    run(e, false);
}

static void
eval_log_softmax(struct eval *e)
{
    run(e, true);
}

#define DEF(id, onnx, text) \
    const struct op_def op_##id = { \
        .name = onnx, \
        .doc = text, \
        .since = 1, \
        .min_in = 1, .max_in = 1, \
        .stages = OPS_FLOATS, \
        .quant = Q_FLOAT_OUT, \
        .attr_size = sizeof(struct softmax_attr), \
        .attrs = attrs, \
        .infer = infer, \
        .eval = eval_##id, \
        .lower = lower_softmax, \
    };

DEF(softmax, "Softmax", "e^x over the sum of e^x along an axis")
DEF(log_softmax, "LogSoftmax", "logarithm of Softmax")
