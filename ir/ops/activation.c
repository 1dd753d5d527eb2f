/* Functions of one element with parameters: Elu, HardSigmoid, HardSwish,
 * LeakyRelu, PRelu. */
#include <stddef.h>

#include "ir/ops/common.h"
#include "ir/ops/lower.h"
#include "src/machine/fmath.h"

static bool
infer(struct infer *q)
{
    if (!ops_need_real(q, 0))
        return false;
    ops_set_out(q, 0, DT_F32, ops_in(q->n, 0));
    return true;
}

static void
each(struct eval *e, float (*f)(float x, float a, float b), float a, float b)
{
    int64_t n = shape_elems(&e->n->out[0]->type.shape);
    const float *x = e->in[0];
    float *y = e->out[0];

    for (int64_t i = 0; i < n; i++)
        y[i] = f(x[i], a, b);
}

#define DEF(id, onnx, text, first, size, table) \
    const struct op_def op_##id = { \
        .name = onnx, \
        .doc = text, \
        .since = first, \
        .min_in = 1, .max_in = 1, \
        .stages = OPS_FLOATS, \
        .traits = OP_ELEMENTWISE | OP_LAYOUT_FREE, \
        .quant = Q_COMPUTE, \
        .attr_size = size, \
        .attrs = table, \
        .infer = infer, \
        .eval = eval_##id, \
        .lower = lower_elementwise, \
    };

static float
elu(float x, float a, float b)
{
    (void)b;
    return x >= 0 || x != x ? x : a * (fm_exp(x) - 1.0f);
}

static float
leaky(float x, float a, float b)
{
    (void)b;
    return x >= 0 || x != x ? x : a * x;
}

static float
hard_sigmoid(float x, float a, float b)
{
    float y = a * x + b;

    return y < 0 ? 0.0f : y > 1 ? 1.0f : y;
}

static float
hard_swish(float x, float a, float b)
{
    return x * hard_sigmoid(x, a, b);
}

static const struct attr_def elu_attrs[] = {
    { "alpha", ATTR_FLOAT, offsetof(struct alpha_attr, alpha), "1",
      "limit far below zero, negated", NULL },
    { 0 },
};
static const struct attr_def leaky_attrs[] = {
    { "alpha", ATTR_FLOAT, offsetof(struct alpha_attr, alpha), "0.01", "slope below zero", NULL },
    { 0 },
};
static const struct attr_def hard_attrs[] = {
    { "alpha", ATTR_FLOAT, offsetof(struct hard_sigmoid_attr, alpha), "0.2", "slope", NULL },
    { "beta", ATTR_FLOAT, offsetof(struct hard_sigmoid_attr, beta), "0.5", "value at zero", NULL },
    { 0 },
};

static void
eval_elu(struct eval *e)
{
    each(e, elu, alpha_attr(e->n)->alpha, 0);
}

static void
eval_leaky_relu(struct eval *e)
{
    each(e, leaky, alpha_attr(e->n)->alpha, 0);
}

static void
eval_hard_sigmoid(struct eval *e)
{
    const struct hard_sigmoid_attr *a = hard_sigmoid_attr(e->n);

    each(e, hard_sigmoid, a->alpha, a->beta);
}

static void
eval_hard_swish(struct eval *e)
{
    each(e, hard_swish, 1.0f / 6.0f, 0.5f);
}

DEF(elu, "Elu", "the input where positive, else alpha (e^x - 1)", 6, sizeof(struct alpha_attr),
    elu_attrs)
DEF(leaky_relu, "LeakyRelu", "the input where positive, else alpha x", 6,
    sizeof(struct alpha_attr), leaky_attrs)
DEF(hard_sigmoid, "HardSigmoid", "alpha x + beta between 0 and 1", 6,
    sizeof(struct hard_sigmoid_attr), hard_attrs)
DEF(hard_swish, "HardSwish", "x times its hard sigmoid", 14, 0, NULL)

/* ----------------------------------------------------------------- PRelu */

static bool
infer_prelu(struct infer *q)
{
    const struct shape *x = ops_in(q->n, 0);
    struct shape y;

    if (!ops_need_real(q, 0) || !ops_need_real(q, 1))
        return false;
    if (!shape_broadcast(x, ops_in(q->n, 1), &y) || !shape_equal(&y, x))
        return diag_error(q->diag, &q->at, "op-broadcast", "input 1 %s does not broadcast to %s",
                          shape_text(q->arena, ops_in(q->n, 1)), shape_text(q->arena, x));
    ops_set_out(q, 0, DT_F32, x);
    return true;
}

static void
prelu_run(const struct ops_run *r, void *ctx)
{
    const struct eval *e = ctx;
    const float *x = e->in[0], *slope = e->in[1];
    float *y = e->out[0];

    for (int64_t i = 0; i < r->n; i++)
        y[r->y + i] = leaky(x[r->y + i], slope[r->at[0] + i * r->step[0]], 0);
}

static void
eval_prelu(struct eval *e)
{
    const struct shape *slope = ops_in(e->n, 1);

    ops_broadcast(&e->n->out[0]->type.shape, &slope, 1, prelu_run, e);
}

const struct op_def op_prelu = {
    .name = "PRelu",
    .doc = "the input where positive, else input 1 times it",
    .since = 7,
    .min_in = 2, .max_in = 2,
    .stages = OPS_FLOATS,
    .traits = OP_ELEMENTWISE,
    .quant = Q_COMPUTE,
    .infer = infer_prelu,
    .eval = eval_prelu,
    .lower = lower_elementwise,
};
