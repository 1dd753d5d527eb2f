/* Element by element on the core: tables, conversions, functions of real values. */
#include "backend/rt/kernels/view.h"
#include "src/machine/fmath.h"

enum map_op {
#define M(id, name, arity) MAP_##id,
#include "ir/map.def"
#undef M
};

/* Rows of an operand, its element i at p + i * step. */
struct row { char *p; int64_t step; };

static struct row
row(const struct gm_walk *w, int view)
{
    return (struct row){ w->at[view], w->step[view][w->rank - 1] };
}

static void
table_row(int8_t *y, int64_t ys, const int8_t *x, int64_t xs, int64_t n, const int8_t *table)
{
    for (int64_t i = 0; i < n; i++)
        y[i * ys] = table[x[i * xs] + 128];
}

void
gm_k_table(const struct gm_call *c)
{
    struct gm_walk w;

    gm_walk_start(&w, c->out);
    gm_walk_add(&w, c->in[0]);
    if (!gm_walk_rows(&w))
        return;
    do {
        struct row y = row(&w, 0), x = row(&w, 1);
        table_row((int8_t *)y.p, y.step, (const int8_t *)x.p, x.step, gm_walk_row(&w), c->in[1]->data);
    } while (gm_walk_next_row(&w));
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

static void
convert_one(const struct gm_view *x, const struct gm_view *y, const char *from, char *to)
{
    bool real = x->scale != 0 || y->scale != 0 || y->type == GM_BOOL;

    if (shifts(x, y))
        gm_put_int(y, to, gm_int(x, from) - x->zero + y->zero);
    else if (y->type == GM_F64)
        *(double *)to = wide(x, from);
    else if (y->type == GM_F32)
        *(float *)to = (float)wide(x, from);
    else if (real)
        gm_put_real(y, to, gm_real(x, from));
    else
        gm_put_int(y, to, gm_int(x, from));
}

/* The two that matter: into a quantized network and out of it. */
static void
quantize_row(struct row y, struct row x, int64_t n, float scale, int32_t zero)
{
    for (int64_t i = 0; i < n; i++)
        *(int8_t *)(y.p + i * y.step) = round_quantize8(*(const float *)(x.p + i * x.step), scale, zero);
}

static void
dequantize_row(struct row y, struct row x, int64_t n, float scale, int32_t zero)
{
    for (int64_t i = 0; i < n; i++)
        *(float *)(y.p + i * y.step) = scale * (float)(*(const int8_t *)(x.p + i * x.step) - zero);
}

void
gm_k_convert(const struct gm_call *c)
{
    const struct gm_view *x = c->in[0], *y = c->out;
    bool in = x->type == GM_F32 && y->type == GM_I8 && y->scale != 0;
    bool out = x->type == GM_I8 && y->type == GM_F32 && x->scale != 0;
    struct gm_walk w;

    gm_walk_start(&w, y);
    gm_walk_add(&w, x);
    if (!gm_walk_rows(&w))
        return;
    do {
        struct row to = row(&w, 0), from = row(&w, 1);
        if (in)
            quantize_row(to, from, gm_walk_row(&w), y->scale, y->zero);
        else if (out)
            dequantize_row(to, from, gm_walk_row(&w), x->scale, x->zero);
        else
            for (int64_t i = 0; i < gm_walk_row(&w); i++)
                convert_one(x, y, from.p + i * from.step, to.p + i * to.step);
    } while (gm_walk_next_row(&w));
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
    if (!gm_walk_rows(&w))
        return;
    do {
        struct row y = row(&w, 0), x = row(&w, 1), z = b ? row(&w, 2) : (struct row){ 0 };
        for (int64_t i = 0; i < gm_walk_row(&w); i++)
            gm_put_real(c->out, y.p + i * y.step,
                        apply(c, gm_real(a, x.p + i * x.step), b ? gm_real(b, z.p + i * z.step) : 0));
    } while (gm_walk_next_row(&w));
}
