/* Functions of one element that are rounded somewhere on the way: exponentials,
 * logarithms, trigonometry.  fmath computes them, so bits agree on every machine. */
#include <math.h>

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

#define REAL(id, onnx, text, rule, expr) \
    static float real_##id(float x) \
    { \
        return (expr); \
    } \
    static void eval_##id(struct eval *e) \
    { \
        ops_each_float(e, real_##id); \
    } \
    const struct op_def op_##id = { \
        .name = onnx, \
        .doc = text, \
        .since = 1, \
        .min_in = 1, .max_in = 1, \
        .stages = OPS_FLOATS, \
        .traits = OP_ELEMENTWISE | OP_LAYOUT_FREE, \
        .quant = rule, \
        .infer = infer, \
        .eval = eval_##id, \
        .lower = lower_elementwise, \
    };

REAL(cos, "Cos", "cosine", Q_FLOAT, fm_cos(x))
REAL(erf, "Erf", "error function", Q_COMPUTE, fm_erf(x))
REAL(exp, "Exp", "e to the power of the input", Q_FLOAT, fm_exp(x))
REAL(log, "Log", "natural logarithm", Q_FLOAT, fm_log(x))
REAL(sigmoid, "Sigmoid", "1 / (1 + e^-x)", Q_COMPUTE, fm_sigmoid(x))
REAL(sin, "Sin", "sine", Q_FLOAT, fm_sin(x))
REAL(softplus, "Softplus", "log(1 + e^x)", Q_COMPUTE,
     (x > 0 ? x : 0.0f) + fm_log(1.0f + fm_exp(-fabsf(x))))
REAL(tanh, "Tanh", "hyperbolic tangent", Q_COMPUTE, fm_tanh(x))
