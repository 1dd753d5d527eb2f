/* What is computed element by element: m.table, m.convert and m.map.
 *
 * m.map computes in float: an int8 operand is scale * (x - zero), the result goes
 * through round_quantize8 where the output is int8. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "ir/elem.h"
#include "ir/ops/machine_util.h"
#include "src/machine/fmath.h"
#include "src/machine/round.h"

static bool
infer_table(struct infer *q)
{
    struct node *n = q->n;

    if (!machine_known(q, 2) || !machine_type(q, 0, DT_I8, DT_NONE)
        || !machine_type(q, 1, DT_I8, DT_NONE))
        return false;
    if (shape_elems(&n->in[1]->type.shape) != 256)
        return machine_error(q, "a table has 256 elements");
    machine_out(q, DT_I8, &n->in[0]->type.shape);
    return true;
}

static void
eval_table(struct eval *e)
{
    const int8_t *x = e->in[0], *table = e->in[1];
    int64_t n = shape_elems(&e->n->out[0]->type.shape);
    int8_t *y = e->out[0];

    for (int64_t i = 0; i < n; i++)
        y[i] = table[x[i] + 128];
}

const struct op_def op_m_table = {
    .name = "m.table",
    .doc = "each int8 value is replaced by its entry of a table",
    .since = 1,
    .min_in = 2, .max_in = 2,
    .stages = STAGE_MACHINE,
    .traits = OP_MACHINE | OP_ELEMENTWISE | OP_LAYOUT_FREE,
    .quant = Q_COMPUTE,
    .infer = infer_table,
    .eval = eval_table,
};

static bool
infer_convert(struct infer *q)
{
    struct node *n = q->n;

    if (!machine_known(q, 1))
        return false;
    if (n->out[0]->type.dt == DT_NONE)
        return machine_error(q, "a conversion needs the type of its output");
    machine_out(q, n->out[0]->type.dt, &n->in[0]->type.shape);
    return true;
}

/* Same scale: only the zero point moves. */
static bool
shift_zero(const struct type *x, const struct type *y, const void *from, void *to)
{
    const struct quant *a = x->quant, *b = y->quant;
    int64_t n = shape_elems(&x->shape), lo, hi;

    if (!a || !b || a->axis >= 0 || b->axis >= 0 || a->scale[0] != b->scale[0])
        return false;
    if (!elem_limits(y->dt, &lo, &hi))
        return false;
    for (int64_t i = 0; i < n; i++) {
        int64_t q = elem_int(x->dt, from, i) - a->zero[0] + b->zero[0];
        elem_put_int(y->dt, to, i, q < lo ? lo : q > hi ? hi : q);
    }
    return true;
}

static void
eval_convert(struct eval *e)
{
    const struct type *x = &e->n->in[0]->type, *y = &e->n->out[0]->type;
    int64_t n = shape_elems(&x->shape);

    if (shift_zero(x, y, e->in[0], e->out[0]))
        return;
    if (x->quant || y->quant) {
        float *real = NEWN(e->arena, float, n + 1);
        quant_to_real(x, e->in[0], real);
        if (y->quant || dtype_is_float(y->dt))
            quant_from_real(y, real, e->out[0]);
        else
            for (int64_t i = 0; i < n; i++)
                elem_put_int(y->dt, e->out[0], i, y->dt == DT_BOOL ? real[i] != 0 : elem_int(DT_F32, real, i));
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        if (dtype_is_float(y->dt))
            elem_put_real(y->dt, e->out[0], i, elem_real(x->dt, e->in[0], i));
        else if (y->dt == DT_BOOL)
            elem_put_int(y->dt, e->out[0], i, elem_real(x->dt, e->in[0], i) != 0);
        else
            elem_put_int(y->dt, e->out[0], i, elem_int(x->dt, e->in[0], i));
    }
}

const struct op_def op_m_convert = {
    .name = "m.convert",
    .doc = "the same values in another element type or scale",
    .since = 1,
    .min_in = 1, .max_in = 1,
    .stages = STAGE_MACHINE,
    .traits = OP_MACHINE | OP_ELEMENTWISE | OP_LAYOUT_FREE,
    .quant = Q_COMPUTE,
    .infer = infer_convert,
    .eval = eval_convert,
};

#define M(id, name, arity) "|" name
static const char map_names[] =
#include "ir/map.def"
    ;
#undef M
static const int map_arity[] = {
#define M(id, name, arity) arity,
#include "ir/map.def"
#undef M
};

static const struct attr_def map_attrs[] = {
    { "op", ATTR_ENUM, FIELD(m_map_attr, op), "identity", "the function", map_names + 1 },
    { "p", ATTR_FLOAT, FIELD(m_map_attr, p), "0", "first parameter: lower bound, slope", NULL },
    { "q", ATTR_FLOAT, FIELD(m_map_attr, q), "0", "second parameter: upper bound", NULL },
    { 0 },
};

/* A single operand may be spread over a larger output: the output's shape stays. */
static bool
infer_map(struct infer *q)
{
    struct node *n = q->n;
    const struct m_map_attr *a = n->attr;
    struct shape s, all;

    if (!machine_known(q, n->nin))
        return false;
    for (int i = 0; i < n->nin; i++)
        if (!machine_type(q, i, DT_I8, DT_F32))
            return false;
    if (n->nin != map_arity[a->op])
        return machine_error(q, "it takes %d operands", map_arity[a->op]);
    s = n->in[0]->type.shape;
    if (n->nin > 1 && !shape_broadcast(&s, &n->in[1]->type.shape, &s))
        return machine_error(q, "operands %s and %s do not fit",
                             shape_text(q->arena, &n->in[0]->type.shape),
                             shape_text(q->arena, &n->in[1]->type.shape));
    if (shape_known(&n->out[0]->type.shape)) {
        if (!shape_broadcast(&s, &n->out[0]->type.shape, &all)
            || !shape_equal(&all, &n->out[0]->type.shape))
            return machine_error(q, "operands do not fit the output");
        s = all;
    }
    machine_out(q, n->in[0]->type.dt, &s);
    return true;
}

static float
hard_sigmoid(float x, float slope, float shift)
{
    float y = slope * x + shift;

    return y < 0 ? 0 : y > 1 ? 1 : y;
}

static float
apply(const struct m_map_attr *a, float x, float y)
{
    switch ((enum m_map_op)a->op) {
    case M_MAP_ADD: return x + y;
    case M_MAP_SUB: return x - y;
    case M_MAP_MUL: return x * y;
    case M_MAP_DIV: return x / y;
    case M_MAP_MIN: return y < x ? y : x;
    case M_MAP_MAX: return y > x ? y : x;
    case M_MAP_POW: return fm_pow(x, y);
    case M_MAP_RELU: return x > 0 ? x : 0;
    case M_MAP_CLIP: return x < a->p ? a->p : x > a->q ? a->q : x;
    case M_MAP_LEAKY: return x < 0 ? a->p * x : x;
    case M_MAP_SIGMOID: return fm_sigmoid(x);
    case M_MAP_TANH: return fm_tanh(x);
    case M_MAP_EXP: return fm_exp(x);
    case M_MAP_LOG: return fm_log(x);
    case M_MAP_SQRT: return fm_sqrt(x);
    case M_MAP_ERF: return fm_erf(x);
    case M_MAP_ABS: return x < 0 ? -x : x;
    case M_MAP_NEG: return -x;
    case M_MAP_RECIP: return 1 / x;
    case M_MAP_IDENTITY: return x;
    case M_MAP_ELU: return x >= 0 || x != x ? x : a->p * (fm_exp(x) - 1.0f);
    case M_MAP_HARD_SIGMOID: return hard_sigmoid(x, a->p, a->q);
    case M_MAP_HARD_SWISH: return x * hard_sigmoid(x, a->p, a->q);
    case M_MAP_SOFTPLUS: return x > 0 ? x + fm_log(1 + fm_exp(-x)) : fm_log(1 + fm_exp(x));
    }
    return x;
}

static float
real_at(const struct type *t, const void *p, int64_t i)
{
    if (t->dt == DT_F32)
        return ((const float *)p)[i];
    return t->quant->scale[0] * (float)(((const int8_t *)p)[i] - t->quant->zero[0]);
}

/* Elements from one index of y's axis to the next, 0 where spread. */
static void
steps(const struct shape *x, const struct shape *y, int64_t *step)
{
    int64_t pitch = 1;

    for (int d = 1; d <= y->rank; d++) {
        int64_t n = d <= x->rank ? x->dim[x->rank - d].n : 1;
        step[y->rank - d] = n == 1 ? 0 : pitch;
        pitch *= n;
    }
}

static void
eval_map(struct eval *e)
{
    const struct node *n = e->n;
    const struct type *y = &n->out[0]->type;
    int64_t step[2][MAX_RANK], at[2] = { 0 }, index[MAX_RANK] = { 0 };
    int64_t count = shape_elems(&y->shape);

    for (int k = 0; k < n->nin; k++)
        steps(&n->in[k]->type.shape, &y->shape, step[k]);
    for (int64_t i = 0; i < count; i++) {
        float a = real_at(&n->in[0]->type, e->in[0], at[0]);
        float b = n->nin > 1 ? real_at(&n->in[1]->type, e->in[1], at[1]) : 0;
        float f = apply(n->attr, a, b);
        if (y->dt == DT_F32)
            ((float *)e->out[0])[i] = f;
        else
            ((int8_t *)e->out[0])[i] = round_quantize8(f, y->quant->scale[0], y->quant->zero[0]);
        for (int d = y->shape.rank - 1; d >= 0; d--) {
            bool more = ++index[d] < y->shape.dim[d].n;
            for (int k = 0; k < n->nin; k++)
                at[k] += more ? step[k][d] : -(index[d] - 1) * step[k][d];
            if (more)
                break;
            index[d] = 0;
        }
    }
}

const struct op_def op_m_map = {
    .name = "m.map",
    .doc = "a function of each element, computed as float",
    .since = 1,
    .min_in = 1, .max_in = 2,
    .stages = STAGE_MACHINE,
    .traits = OP_MACHINE | OP_ELEMENTWISE | OP_LAYOUT_FREE,
    .quant = Q_COMPUTE,
    .attr_size = sizeof(struct m_map_attr),
    .attrs = map_attrs,
    .infer = infer_map,
    .eval = eval_map,
};
