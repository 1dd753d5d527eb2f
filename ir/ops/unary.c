/* Functions of one element without attributes.  Those marked INT take integers too.
 * All are exact or correctly rounded, so bits agree on every machine. */
#include <math.h>
#include <string.h>

#include "ir/elem.h"
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

static bool
infer_number(struct infer *q)
{
    enum dtype dt = q->n->in[0]->type.dt;

    if (!dtype_is_int(dt) && !ops_need_real(q, 0))
        return false;
    ops_set_out(q, 0, dt, ops_in(q->n, 0));
    return true;
}

static void
each_int(struct eval *e, int64_t (*f)(int64_t))
{
    int64_t n = shape_elems(&e->n->out[0]->type.shape);
    enum dtype dt = e->n->in[0]->type.dt;

    for (int64_t i = 0; i < n; i++)
        elem_put_int(dt, e->out[0], i, f(elem_int(dt, e->in[0], i)));
}

#define DEF(id, onnx, text, inf, more_traits, rule) \
    const struct op_def op_##id = { \
        .name = onnx, \
        .doc = text, \
        .since = 6, \
        .min_in = 1, .max_in = 1, \
        .stages = OPS_FLOATS, \
        .traits = OP_ELEMENTWISE | OP_LAYOUT_FREE | (more_traits), \
        .quant = rule, \
        .infer = inf, \
        .eval = eval_##id, \
        .lower = lower_elementwise, \
    };
#define REAL(id, onnx, text, rule, expr) \
    static float real_##id(float x) \
    { \
        return (expr); \
    } \
    static void eval_##id(struct eval *e) \
    { \
        ops_each_float(e, real_##id); \
    } \
    DEF(id, onnx, text, infer, 0, rule)
#define INT(id, onnx, text, traits, rule, expr, int_expr) \
    static float real_##id(float x) \
    { \
        return (expr); \
    } \
    static int64_t int_##id(int64_t x) \
    { \
        return (int_expr); \
    } \
    static void eval_##id(struct eval *e) \
    { \
        if (e->n->in[0]->type.dt == DT_F32) \
            ops_each_float(e, real_##id); \
        else \
            each_int(e, int_##id); \
    } \
    DEF(id, onnx, text, infer_number, traits, rule)

INT(abs, "Abs", "absolute value", 0, Q_COMPUTE, fabsf(x),
    x < 0 ? (int64_t)(0 - (uint64_t)x) : x)
REAL(ceil, "Ceil", "least integer not below", Q_FLOAT, ceilf(x))
REAL(floor, "Floor", "greatest integer not above", Q_FLOAT, floorf(x))
INT(neg, "Neg", "negative", 0, Q_COMPUTE, -x, (int64_t)(0 - (uint64_t)x))
REAL(reciprocal, "Reciprocal", "one over the input", Q_FLOAT, 1.0f / x)
INT(relu, "Relu", "the input where it is positive, else 0", OP_CLAMP, Q_COMPUTE,
    x > 0 || x != x ? x : 0.0f, x > 0 ? x : 0)
REAL(round, "Round", "nearest integer, halves to even", Q_FLOAT, rintf(x))
INT(sign, "Sign", "-1, 0 or 1", 0, Q_FLOAT,
    x > 0 ? 1.0f : x < 0 ? -1.0f : x, x > 0 ? 1 : x < 0 ? -1 : 0)
REAL(softsign, "Softsign", "x / (1 + |x|)", Q_COMPUTE, x / (1.0f + fabsf(x)))
REAL(sqrt, "Sqrt", "square root", Q_FLOAT, fm_sqrt(x))

/* ------------------------------------------------------------------ Not */

static bool
infer_not(struct infer *q)
{
    if (q->n->in[0]->type.dt != DT_BOOL)
        return diag_error(q->diag, &q->at, "op-dtype", "input 0 is %s; Not takes bool",
                          dtype_name(q->n->in[0]->type.dt));
    ops_set_out(q, 0, DT_BOOL, ops_in(q->n, 0));
    return true;
}

static void
eval_not(struct eval *e)
{
    int64_t n = shape_elems(&e->n->out[0]->type.shape);
    const uint8_t *x = e->in[0];
    uint8_t *y = e->out[0];

    for (int64_t i = 0; i < n; i++)
        y[i] = !x[i];
}

const struct op_def op_not = {
    .name = "Not",
    .doc = "the other truth value",
    .since = 1,
    .min_in = 1, .max_in = 1,
    .stages = OPS_FLOATS,
    .traits = OP_ELEMENTWISE | OP_LAYOUT_FREE,
    .quant = Q_NONE,
    .infer = infer_not,
    .eval = eval_not,
};
