/* Elementwise operators: Add and Sub of equal shapes as m.add, everything that depends
 * on one int8 value as a table, the rest as m.map; and the conversions. */
#include <math.h>
#include <string.h>

#include "ir/ops/lower.h"
#include "src/machine/round.h"

/* ------------------------------------------------------------------ Add */

struct ratio { int64_t a, b; };

/* ma : mb nearest to sa : sb with both up to 127, and as large as that allows: the
 * larger they are, the finer is the bias. */
static struct ratio
nearest_ratio(double sa, double sb)
{
    struct ratio best = { 127, 0 };
    double worst = HUGE_VAL;

    for (int64_t k = 1; k <= 127; k++) {
        bool a_leads = sa >= sb;
        double other = (a_leads ? sb / sa : sa / sb) * (double)k;
        int64_t r = (int64_t)rint(other);
        double off = fabs(other - (double)r) / (double)k;
        if (off > worst)
            continue;
        worst = off;
        best = a_leads ? (struct ratio){ k, r } : (struct ratio){ r, k };
    }
    return best;
}

static bool
integer_add(struct lower *l, struct value *a, struct value *b, struct lower_out *o)
{
    struct value *y = l->n->out[0], *in[2] = { a, b }, *made;
    double sa = (double)lower_scale(a), sb = (double)lower_scale(b), step, bias;
    struct ratio r = nearest_ratio(sa, sb);
    struct m_add_attr p = { .ma = r.a, .mb = r.b };
    bool a_leads = sa >= sb;

    if (l->n->op == &op_sub)
        p.mb = -p.mb;
    step = a_leads ? sa / (double)r.a : sb / (double)r.b;
    p.scale = (float)(step / (double)lower_scale(y));
    bias = lower_zero(y) / (double)p.scale - (double)(p.ma * lower_zero(a) + p.mb * lower_zero(b));
    if (!(fabs(bias) < 1073741824.0))
        return diag_error(l->diag, &l->at, "lower-range",
                          "the bias of a sum does not fit: %g", bias);
    p.bias = (int64_t)rint(bias);
    made = lower_clamped(l, y, o, &p.relu);
    lower_node(l, &op_m_add, &p, in, 2, made);
    lower_clamp(l, made, y, o);
    return true;
}

/* A constant spread over the shape of the other operand. */
static struct value *
spread(struct lower *l, struct value *v, const struct shape *s)
{
    struct type t = v->type;
    int64_t n = shape_elems(s), each = dtype_bits(t.dt) / 8;
    char *data;

    if (shape_equal(&v->type.shape, s) || !v->data || n > INT64_C(1) << 22)
        return v;
    t.shape = *s;
    data = arena_alloc(l->g->arena, (size_t)(n * each));
    for (int64_t i = 0; i < n; i++) {
        int64_t rest = i, at = 0, pitch = 1;
        for (int d = s->rank - 1, k = v->type.shape.rank - 1; d >= 0 && k >= 0; d--, k--) {
            int64_t size = v->type.shape.dim[k].n;
            at += size == 1 ? 0 : rest % s->dim[d].n * pitch;
            pitch *= size;
            rest /= s->dim[d].n;
        }
        memcpy(data + i * each, (const char *)v->data + at * each, (size_t)each);
    }
    return lower_const(l, "spread", &t, data);
}

static bool
one_number(const struct value *v)
{
    return v->data && shape_elems(&v->type.shape) == 1;
}

/* ---------------------------------------------------------------- table */

/* The operand that is not constant, if it is int8, alone and of y's shape; -1: none. */
static int
table_operand(const struct node *n)
{
    int at = -1;

    for (int i = 0; i < n->nin; i++) {
        if (!n->in[i] || one_number(n->in[i]))
            continue;
        if (at >= 0 || !lower_is8(n->in[i]) || n->in[i]->data)
            return -1;
        at = i;
    }
    if (at < 0 || !shape_equal(&n->in[at]->type.shape, &n->out[0]->type.shape))
        return -1;
    return at;
}

/* The node's own float kernel on all 256 values. */
static bool
tabulate(struct lower *l, int at, int8_t *table)
{
    const struct node *n = l->n;
    struct type t = { .dt = DT_F32, .shape = shape_make(1, (int64_t[]){ 256 }) };
    struct graph *g = graph_new(l->arena, NULL);
    struct value **in = NEWN(l->arena, struct value *, n->nin), *y = graph_value(g, "y", &t);
    const void **data = NEWN(l->arena, const void *, n->nin);
    float x[256], r[256];
    struct node *m;

    for (int i = 0; i < 256; i++)
        x[i] = lower_scale(n->in[at]) * (float)(i - 128 - lower_zero(n->in[at]));
    for (int i = 0; i < n->nin; i++) {
        struct type one = { .dt = DT_F32, .shape = shape_make(1, (int64_t[]){ 1 }) };
        if (!n->in[i])
            continue;
        data[i] = i == at ? x : lower_floats(l, n->in[i]);
        in[i] = graph_const(g, "x", i == at ? &t : &one, data[i]);
    }
    m = graph_node(g, NULL, n->op, n->name, in, n->nin, &y, 1);
    m->attr = n->attr;
    for (const struct epilogue *e = n->epi; e; e = e->next)
        node_add_epi(g, m, e->kind, NULL, e->attr);
    if (!interp_node(l->arena, m, data, (void *[]){ r }))
        return false;
    for (int i = 0; i < 256; i++)
        table[i] = round_quantize8(r[i], lower_scale(n->out[0]), lower_zero(n->out[0]));
    return true;
}

/* ------------------------------------------------------------------ map */

struct row { const struct op_def *op; enum m_map_op map; };

static const struct row rows[] = {
    { &op_add, M_MAP_ADD }, { &op_sub, M_MAP_SUB }, { &op_mul, M_MAP_MUL },
    { &op_div, M_MAP_DIV }, { &op_min, M_MAP_MIN }, { &op_max, M_MAP_MAX },
    { &op_pow, M_MAP_POW }, { &op_relu, M_MAP_RELU }, { &op_clip, M_MAP_CLIP },
    { &op_leaky_relu, M_MAP_LEAKY }, { &op_sigmoid, M_MAP_SIGMOID }, { &op_tanh, M_MAP_TANH },
    { &op_exp, M_MAP_EXP }, { &op_log, M_MAP_LOG }, { &op_sqrt, M_MAP_SQRT },
    { &op_erf, M_MAP_ERF }, { &op_abs, M_MAP_ABS }, { &op_neg, M_MAP_NEG },
    { &op_reciprocal, M_MAP_RECIP }, { &op_identity, M_MAP_IDENTITY },
    { &op_elu, M_MAP_ELU }, { &op_hard_sigmoid, M_MAP_HARD_SIGMOID },
    { &op_hard_swish, M_MAP_HARD_SWISH }, { &op_softplus, M_MAP_SOFTPLUS },
};

static bool
map_of(struct lower *l, struct m_map_attr *a, int *arity)
{
    const struct node *n = l->n;

    *arity = n->nin;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].op != n->op)
            continue;
        a->op = rows[i].map;
        if (n->op == &op_leaky_relu || n->op == &op_elu)
            a->p = alpha_attr(n)->alpha;
        if (n->op == &op_hard_sigmoid) {
            a->p = hard_sigmoid_attr(n)->alpha;
            a->q = hard_sigmoid_attr(n)->beta;
        }
        if (n->op == &op_hard_swish) {
            a->p = 1.0f / 6.0f;
            a->q = 0.5f;
        }
        if (n->op != &op_clip)
            return true;
        *arity = 1;
        a->p = n->nin > 1 && n->in[1] ? NAN : clip_attr(n)->min;
        a->q = n->nin > 2 && n->in[2] ? NAN : clip_attr(n)->max;
        if (isnan(a->p) || isnan(a->q))
            return lower_refuse(l, "bounds that are computed");
        return true;
    }
    return lower_refuse(l, "no machine operator computes %s on %s", n->op->name,
                        dtype_name(n->in[0]->type.dt));
}

/* Only floats and int8 with a scale. */
static bool
numbers(const struct value *v)
{
    return (v->type.dt == DT_F32 && !v->type.quant) || lower_is8(v);
}

/* Sums of int8 tensors; *done is not set where m.add cannot, or may not round factors. */
static bool
try_add(struct lower *l, bool *done)
{
    struct node *n = l->n;
    struct value *y = n->out[0], *a = n->in[0], *b = n->nin > 1 ? n->in[1] : NULL;
    struct lower_out o;

    if ((n->op != &op_add && n->op != &op_sub) || l->exact || !lower_is8(a) || !lower_is8(b) || !lower_is8(y)
        || one_number(a) || one_number(b))
        return true;
    a = spread(l, a, &y->type.shape);
    b = spread(l, b, &y->type.shape);
    if (!shape_equal(&a->type.shape, &b->type.shape))
        return true;
    *done = true;
    return lower_epilogues(l, &o) && integer_add(l, a, b, &o);
}

bool
lower_elementwise(struct lower *l)
{
    struct node *n = l->n;
    struct value *y = n->out[0], *made = y;
    int at = lower_is8(y) ? table_operand(n) : -1, arity;
    struct m_map_attr a = { 0 };
    struct lower_out o;
    int8_t table[256];
    int64_t relu;
    bool done = false;

    if (!try_add(l, &done) || done)
        return done;
    if (at >= 0) {
        if (!tabulate(l, at, table))
            return lower_refuse(l, "%s has no reference kernel", n->op->name);
        lower_table(l, n->in[at], y, table);
        return true;
    }
    if (!lower_epilogues(l, &o) || !map_of(l, &a, &arity))
        return false;
    for (int i = 0; i < arity; i++)
        if (!numbers(n->in[i]))
            return lower_refuse(l, "%s operands", dtype_name(n->in[i]->type.dt));
    if (o.bias)
        return lower_refuse(l, "a bias behind %s", n->op->name);
    made = lower_clamped(l, y, &o, &relu);
    if (relu) {                                /* m.map has no such flag */
        o.behind = true;
        o.lo = 0;
        o.hi = 127;
        made = lower_temp(l, "raw", &y->type);
    }
    if (n->op == &op_sum || n->op == &op_mean)
        a.op = M_MAP_IDENTITY;
    lower_node(l, &op_m_map, &a, n->in, arity, made);
    lower_clamp(l, made, y, &o);
    return true;
}

bool
lower_expand(struct lower *l)
{
    struct m_map_attr a = { .op = M_MAP_IDENTITY };

    if (!numbers(l->n->in[0]) || !numbers(l->n->out[0]))
        return lower_refuse(l, "%s elements", dtype_name(l->n->in[0]->type.dt));
    lower_node(l, &op_m_map, &a, l->n->in, 1, l->n->out[0]);
    return true;
}

/* -------------------------------------------------------------- convert */

/* The types say it all, once scale and zero point are in them. */
static bool
attach(struct lower *l, struct value *v)
{
    const struct node *n = l->n;
    const float *s = lower_floats(l, n->in[1]);
    int64_t count = shape_elems(&n->in[1]->type.shape);
    int32_t *zero = NEWN(l->g->arena, int32_t, count + 1);
    struct ints z = { 0 };

    if (v->type.quant)
        return true;
    if (!s || (n->nin > 2 && n->in[2] && !value_ints(l->arena, n->in[2], &z)))
        return lower_refuse(l, "a scale or zero point that is computed");
    for (int64_t i = 0; i < z.n && i < count; i++)
        zero[i] = (int32_t)z.at[i];
    v->type.quant = count == 1 ? quant_scalar(l->g->arena, s[0], zero[0])
                               : quant_axis(l->g->arena, (int)quant_attr(n)->axis,
                                            (int)count, s, zero);
    return true;
}

bool
lower_convert(struct lower *l)
{
    struct node *n = l->n;

    if (n->op == &op_quantize_linear && !attach(l, n->out[0]))
        return false;
    if (n->op == &op_dequantize_linear && !attach(l, n->in[0]))
        return false;
    lower_node(l, &op_m_convert, NULL, n->in, 1, n->out[0]);
    return true;
}
