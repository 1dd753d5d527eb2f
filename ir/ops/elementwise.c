/* Operators on elements with broadcasting: two inputs, or any number joined pair by
 * pair from the left.  Floats and integers; integers wrap. */
#include <string.h>

#include "ir/elem.h"
#include "ir/ops/common.h"
#include "ir/ops/lower.h"

static bool
infer(struct infer *q)
{
    struct node *n = q->n;
    enum dtype dt = n->in[0]->type.dt;
    struct shape y = *ops_in(n, 0), with;

    if (!dtype_is_int(dt) && !ops_need_real(q, 0))
        return false;
    for (int i = 1; i < n->nin; i++) {
        if (!ops_same_dtype(q, 0, i))
            return false;
        if (!shape_broadcast(&y, ops_in(n, i), &with))
            return diag_error(q->diag, &q->at, "op-broadcast",
                              "input %d %s does not broadcast with %s", i,
                              shape_text(q->arena, ops_in(n, i)), shape_text(q->arena, &y));
        y = with;
    }
    ops_set_out(q, 0, dt, &y);
    return true;
}

/* a, b and y of one pair; y may be a. */
struct pair {
    enum dtype dt;
    const void *a, *b;
    void *y;
    int64_t (*on_int)(int64_t a, int64_t b);
};

#define FLOATS(name, expr) \
    static void name##_f32(const struct ops_run *r, void *ctx) \
    { \
        const struct pair *p = ctx; \
        const float *pa = (const float *)p->a + r->at[0]; \
        const float *pb = (const float *)p->b + r->at[1]; \
        float *y = (float *)p->y + r->y; \
        for (int64_t i = 0; i < r->n; i++) { \
            float a = pa[i * r->step[0]], b = pb[i * r->step[1]]; \
            y[i] = (expr); \
        } \
    }
#define INTS(name, expr) \
    static int64_t name##_int(int64_t a, int64_t b) \
    { \
        return (expr); \
    }

FLOATS(add, a + b)
FLOATS(sub, a - b)
FLOATS(mul, a * b)
FLOATS(div, a / b)
FLOATS(max, a > b || a != a ? a : b)
FLOATS(min, a < b || a != a ? a : b)
INTS(add, (int64_t)((uint64_t)a + (uint64_t)b))
INTS(sub, (int64_t)((uint64_t)a - (uint64_t)b))
INTS(mul, (int64_t)((uint64_t)a * (uint64_t)b))
INTS(div, b == 0 ? 0 : b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b)
INTS(max, a > b ? a : b)
INTS(min, a < b ? a : b)

/* Keeps the low bits of an integer, as the machine would. */
static int64_t
wrapped(enum dtype dt, int64_t x)
{
    switch (dt) {
    case DT_I8: return (int8_t)x;
    case DT_U8: return (uint8_t)x;
    case DT_I16: return (int16_t)x;
    case DT_U16: return (uint16_t)x;
    case DT_I32: return (int32_t)x;
    case DT_U32: return (uint32_t)x;
    default: return x;
    }
}

static void
int_run(const struct ops_run *r, void *ctx)
{
    const struct pair *p = ctx;

    for (int64_t i = 0; i < r->n; i++) {
        int64_t a = elem_int(p->dt, p->a, r->at[0] + i * r->step[0]);
        int64_t b = elem_int(p->dt, p->b, r->at[1] + i * r->step[1]);
        elem_put_int(p->dt, p->y, r->y + i, wrapped(p->dt, p->on_int(a, b)));
    }
}

/* A lone input is only widened to the output. */
static void
copy_run(const struct ops_run *r, void *ctx)
{
    const struct pair *p = ctx;
    size_t each = (size_t)dtype_bits(p->dt) / 8;

    for (int64_t i = 0; i < r->n; i++)
        memcpy((char *)p->y + (size_t)(r->y + i) * each,
               (const char *)p->a + (size_t)(r->at[0] + i * r->step[0]) * each, each);
}

static void
join_all(struct eval *e, void (*f32)(const struct ops_run *, void *),
         int64_t (*on_int)(int64_t, int64_t))
{
    const struct node *n = e->n;
    const struct shape *s = &n->out[0]->type.shape;
    struct pair p = { .dt = n->in[0]->type.dt, .a = e->in[0], .y = e->out[0], .on_int = on_int };
    const struct shape *in[2] = { ops_in(n, 0), NULL };

    if (n->nin == 1)
        ops_broadcast(s, in, 1, copy_run, &p);
    for (int i = 1; i < n->nin; i++) {
        p.b = e->in[i];
        in[1] = ops_in(n, i);
        ops_broadcast(s, in, 2, p.dt == DT_F32 ? f32 : int_run, &p);
        p.a = p.y;
        in[0] = s;
    }
}

/* Add in two inputs, whatever broadcasts; the rest of the family differs in name. */
#define OP(id, onnx, text, fn, from, least, most, more_traits, rule) \
    static void eval_##id(struct eval *e) \
    { \
        join_all(e, fn##_f32, fn##_int); \
    } \
    const struct op_def op_##id = { \
        .name = onnx, \
        .doc = text, \
        .since = from, \
        .min_in = least, .max_in = most, \
        .stages = OPS_FLOATS, \
        .traits = OP_ELEMENTWISE | OP_LAYOUT_FREE | (more_traits), \
        .quant = rule, \
        .infer = infer, \
        .eval = eval_##id, \
        .lower = lower_elementwise, \
    };

OP(add, "Add", "sum of two tensors", add, 7, 2, 2, OP_COMMUTES, Q_COMPUTE)
OP(sub, "Sub", "difference of two tensors", sub, 7, 2, 2, 0, Q_COMPUTE)
OP(mul, "Mul", "product of two tensors, element by element", mul, 7, 2, 2, OP_COMMUTES, Q_COMPUTE)
OP(div, "Div", "quotient of two tensors; integers toward zero", div, 7, 2, 2, 0, Q_FLOAT)
OP(max, "Max", "greatest of any number of tensors", max, 6, 1, OPS_MANY, OP_COMMUTES, Q_COMPUTE)
OP(min, "Min", "least of any number of tensors", min, 6, 1, OPS_MANY, OP_COMMUTES, Q_COMPUTE)
OP(sum, "Sum", "sum of any number of tensors", add, 6, 1, OPS_MANY, OP_COMMUTES, Q_COMPUTE)

static void
eval_mean(struct eval *e)
{
    int64_t n = shape_elems(&e->n->out[0]->type.shape);
    float *y = e->out[0], count = (float)e->n->nin;

    join_all(e, add_f32, add_int);
    if (e->n->in[0]->type.dt != DT_F32)
        return;
    for (int64_t i = 0; i < n; i++)
        y[i] /= count;
}

const struct op_def op_mean = {
    .name = "Mean",
    .doc = "mean of any number of tensors",
    .since = 6,
    .min_in = 1, .max_in = OPS_MANY,
    .stages = OPS_FLOATS,
    .traits = OP_ELEMENTWISE | OP_LAYOUT_FREE | OP_COMMUTES,
    .quant = Q_COMPUTE,
    .infer = infer,
    .eval = eval_mean,
    .lower = lower_elementwise,
};
