/* Comparisons and operations on truth values, with broadcasting. */
#include "ir/elem.h"
#include "ir/ops/common.h"

static bool
broadcast_bool(struct infer *q)
{
    const struct node *n = q->n;
    struct shape y;

    if (!ops_same_dtype(q, 0, 1))
        return false;
    if (dtype_bits(n->in[0]->type.dt) == 0)
        return diag_error(q->diag, &q->at, "op-dtype", "the inputs are %s",
                          dtype_name(n->in[0]->type.dt));
    if (!shape_broadcast(ops_in(n, 0), ops_in(n, 1), &y))
        return diag_error(q->diag, &q->at, "op-broadcast", "%s and %s do not broadcast",
                          shape_text(q->arena, ops_in(n, 0)), shape_text(q->arena, ops_in(n, 1)));
    ops_set_out(q, 0, DT_BOOL, &y);
    return true;
}

static bool
infer_logic(struct infer *q)
{
    if (q->n->in[0]->type.dt != DT_BOOL)
        return diag_error(q->diag, &q->at, "op-dtype", "input 0 is %s, not bool",
                          dtype_name(q->n->in[0]->type.dt));
    return broadcast_bool(q);
}

struct test {
    const struct eval *e;
    bool (*reals)(double a, double b);
    bool (*ints)(int64_t a, int64_t b);
};

static void
run(const struct ops_run *r, void *ctx)
{
    const struct test *t = ctx;
    enum dtype dt = t->e->n->in[0]->type.dt;
    bool real = dtype_is_float(dt);
    const void *a = t->e->in[0], *b = t->e->in[1];
    uint8_t *y = (uint8_t *)t->e->out[0] + r->y;

    for (int64_t i = 0; i < r->n; i++) {
        int64_t ia = r->at[0] + i * r->step[0], ib = r->at[1] + i * r->step[1];
        y[i] = real ? t->reals(elem_real(dt, a, ia), elem_real(dt, b, ib))
                    : t->ints(elem_int(dt, a, ia), elem_int(dt, b, ib));
    }
}

#define OP(id, onnx, text, from, inf, commutes, expr) \
    static bool id##_real(double a, double b) \
    { \
        return (expr); \
    } \
    static bool id##_int(int64_t a, int64_t b) \
    { \
        return (expr); \
    } \
    static void eval_##id(struct eval *e) \
    { \
        const struct shape *in[2] = { ops_in(e->n, 0), ops_in(e->n, 1) }; \
        struct test t = { e, id##_real, id##_int }; \
        ops_broadcast(&e->n->out[0]->type.shape, in, 2, run, &t); \
    } \
    const struct op_def op_##id = { \
        .name = onnx, \
        .doc = text, \
        .since = from, \
        .min_in = 2, .max_in = 2, \
        .stages = OPS_FLOATS, \
        .traits = OP_ELEMENTWISE | OP_LAYOUT_FREE | (commutes), \
        .quant = Q_FLOAT, \
        .infer = inf, \
        .eval = eval_##id, \
    };

OP(and, "And", "both are true", 7, infer_logic, OP_COMMUTES, a != 0 && b != 0)
OP(equal, "Equal", "the inputs are equal", 7, broadcast_bool, OP_COMMUTES, a == b)
OP(greater, "Greater", "input 0 is greater than input 1", 7, broadcast_bool, 0, a > b)
OP(greater_or_equal, "GreaterOrEqual", "input 0 is not less than input 1", 12, broadcast_bool, 0,
   a >= b)
OP(less, "Less", "input 0 is less than input 1", 7, broadcast_bool, 0, a < b)
OP(less_or_equal, "LessOrEqual", "input 0 is not greater than input 1", 12, broadcast_bool, 0,
   a <= b)
OP(or, "Or", "one of both is true", 7, infer_logic, OP_COMMUTES, a != 0 || b != 0)
OP(xor, "Xor", "the inputs differ", 7, infer_logic, OP_COMMUTES, (a != 0) != (b != 0))
