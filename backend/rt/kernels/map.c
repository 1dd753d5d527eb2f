/* Element by element on the core: tables, conversions, functions of real values. */
#include "backend/rt/kernels/view.h"
#include "src/machine/fmath.h"

enum map_op {
#define M(id, name, arity) MAP_##id,
#include "ir/map.def"
#undef M
};

void
gm_k_table(const struct gm_call *c)
{
    const int8_t *table = c->in[1]->data;
    struct gm_walk w;

    gm_walk_start(&w, c->out);
    gm_walk_add(&w, c->in[0]);
    for (int64_t n = gm_count(c->out); n > 0; n--, gm_walk_next(&w))
        *(int8_t *)w.at[0] = table[*(int8_t *)w.at[1] + 128];
}

/* Integers with one scale and different zero points only shift. */
static bool
shifts(const struct gm_view *x, const struct gm_view *y)
{
    return x->scale != 0 && x->scale == y->scale && x->type != GM_F32 && y->type != GM_F32;
}

/* As a real number, without loss where there is no scale. */
static double
wide(const struct gm_view *x, const char *p)
{
    if (x->type == GM_F64)
        return *(const double *)p;
    return x->type == GM_F32 || x->scale != 0 ? gm_real(x, p) : (double)gm_int(x, p);
}

void
gm_k_convert(const struct gm_call *c)
{
    const struct gm_view *x = c->in[0], *y = c->out;
    bool shift = shifts(x, y), real = x->scale != 0 || y->scale != 0 || y->type == GM_BOOL;
    struct gm_walk w;

    gm_walk_start(&w, y);
    gm_walk_add(&w, x);
    for (int64_t n = gm_count(y); n > 0; n--, gm_walk_next(&w)) {
        if (shift)
            gm_put_int(y, w.at[0], gm_int(x, w.at[1]) - x->zero + y->zero);
        else if (y->type == GM_F64)
            *(double *)w.at[0] = wide(x, w.at[1]);
        else if (y->type == GM_F32)
            *(float *)w.at[0] = (float)wide(x, w.at[1]);
        else if (real)
            gm_put_real(y, w.at[0], gm_real(x, w.at[1]));
        else
            gm_put_int(y, w.at[0], gm_int(x, w.at[1]));
    }
}

static float
hard_sigmoid(float x, float slope, float shift)
{
    float y = slope * x + shift;

    return y < 0 ? 0 : y > 1 ? 1 : y;
}

static float
apply(const struct gm_call *c, float x, float y)
{
    switch ((enum map_op)c->i[0]) {
    case MAP_ADD: return x + y;
    case MAP_SUB: return x - y;
    case MAP_MUL: return x * y;
    case MAP_DIV: return x / y;
    case MAP_MIN: return y < x ? y : x;
    case MAP_MAX: return y > x ? y : x;
    case MAP_POW: return fm_pow(x, y);
    case MAP_RELU: return x > 0 ? x : 0;
    case MAP_CLIP: return x < c->f[0] ? c->f[0] : x > c->f[1] ? c->f[1] : x;
    case MAP_LEAKY: return x < 0 ? c->f[0] * x : x;
    case MAP_SIGMOID: return fm_sigmoid(x);
    case MAP_TANH: return fm_tanh(x);
    case MAP_EXP: return fm_exp(x);
    case MAP_LOG: return fm_log(x);
    case MAP_SQRT: return fm_sqrt(x);
    case MAP_ERF: return fm_erf(x);
    case MAP_ABS: return x < 0 ? -x : x;
    case MAP_NEG: return -x;
    case MAP_RECIP: return 1 / x;
    case MAP_IDENTITY: return x;
    case MAP_ELU: return x >= 0 || x != x ? x : c->f[0] * (fm_exp(x) - 1.0f);
    case MAP_HARD_SIGMOID: return hard_sigmoid(x, c->f[0], c->f[1]);
    case MAP_HARD_SWISH: return x * hard_sigmoid(x, c->f[0], c->f[1]);
    case MAP_SOFTPLUS: return x > 0 ? x + fm_log(1 + fm_exp(-x)) : fm_log(1 + fm_exp(x));
    }
    return x;
}

void
gm_k_map(const struct gm_call *c)
{
    const struct gm_view *a = c->in[0], *b = c->in[1];
    struct gm_walk w;

    gm_walk_start(&w, c->out);
    gm_walk_add(&w, a);
    if (b)
        gm_walk_add(&w, b);
    for (int64_t n = gm_count(c->out); n > 0; n--, gm_walk_next(&w))
        gm_put_real(c->out, w.at[0], apply(c, gm_real(a, w.at[1]), b ? gm_real(b, w.at[2]) : 0));
}
