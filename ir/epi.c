/* What happens to a result on its way out: bias, addend, scale, clamp, max pooling.
 * On floats all of it; on stored integers only what means the same there: clamping
 * to quantized bounds, and pooling.  Average pooling is no epilogue. */
#include <math.h>
#include <string.h>

#include "ir/elem.h"
#include "ir/epi.h"
#include "ir/machine.h"

bool
epi_pools(const struct node *n)
{
    for (const struct epilogue *e = n->epi; e; e = e->next)
        if (e->kind == EPI_POOL)
            return true;
    return false;
}

static bool
pool_dim(const struct m_pool_attr *p, int i, struct dim *d)
{
    int64_t reach = p->dilation[i] * (p->kernel[i] - 1) + 1;
    int64_t room = d->n + p->pads[i] + p->pads[i + 2] - reach;

    if (p->stride[i] < 1 || p->kernel[i] < 1 || room < 0)
        return false;
    *d = dim_of(room / p->stride[i] + 1);
    return true;
}

bool
epi_shape(const struct node *n, struct shape *s)
{
    for (const struct epilogue *e = n->epi; e; e = e->next) {
        if (e->kind != EPI_POOL)
            continue;
        if (s->rank != 4 || !pool_dim(e->attr, 0, &s->dim[2]) || !pool_dim(e->attr, 1, &s->dim[3]))
            return false;
    }
    return true;
}

struct plane {
    int64_t h, w, oh, ow;
};

/* One image of one channel. */
#define POOL(name, T, LOWEST) \
    static void name(const struct m_pool_attr *p, const struct plane *s, const T *x, T *y) \
    { \
        for (int64_t i = 0; i < s->oh * s->ow; i++) { \
            int64_t y0 = i / s->ow * p->stride[0] - p->pads[0]; \
            int64_t x0 = i % s->ow * p->stride[1] - p->pads[1]; \
            T best = LOWEST; \
            for (int64_t k = 0; k < p->kernel[0] * p->kernel[1]; k++) { \
                int64_t r = y0 + k / p->kernel[1] * p->dilation[0]; \
                int64_t c = x0 + k % p->kernel[1] * p->dilation[1]; \
                if (r >= 0 && r < s->h && c >= 0 && c < s->w && x[r * s->w + c] > best) \
                    best = x[r * s->w + c]; \
            } \
            y[i] = best; \
        } \
    }
POOL(pool_f32, float, -HUGE_VALF)
POOL(pool_i8, int8_t, INT8_MIN)

static void *
pool(struct arena *scratch, const struct m_pool_attr *p, struct type *t, const void *data)
{
    struct plane s = { .h = t->shape.dim[2].n, .w = t->shape.dim[3].n };
    int64_t planes = shape_count(&t->shape, 0, 2);
    struct type y = *t;
    void *out;

    if (p->kind != M_POOL_MAX || (t->dt != DT_F32 && t->dt != DT_I8))
        return NULL;
    if (!pool_dim(p, 0, &y.shape.dim[2]) || !pool_dim(p, 1, &y.shape.dim[3]))
        return NULL;
    s.oh = y.shape.dim[2].n;
    s.ow = y.shape.dim[3].n;
    out = arena_alloc(scratch, (size_t)shape_bytes(&y, 0));
    for (int64_t i = 0; i < planes; i++) {
        if (t->dt == DT_F32)
            pool_f32(p, &s, (const float *)data + i * s.h * s.w, (float *)out + i * s.oh * s.ow);
        else
            pool_i8(p, &s, (const int8_t *)data + i * s.h * s.w, (int8_t *)out + i * s.oh * s.ow);
    }
    *t = y;
    return out;
}

/* NaN stays, as with ONNX Clip. */
static bool
clamp(const struct epi_act *act, const struct type *t, void *data)
{
    struct type one = { .dt = t->dt, .quant = t->quant };
    int64_t n = shape_elems(&t->shape), bounds[2] = { 0 }, lo, hi;
    float *f = data;

    if (t->dt == DT_F32) {
        for (int64_t i = 0; i < n; i++)
            f[i] = f[i] < act->lo ? act->lo : f[i] > act->hi ? act->hi : f[i];
        return true;
    }
    if (!elem_limits(t->dt, &lo, &hi) || (t->quant && t->quant->axis >= 0))
        return false;
    quant_from_real(&one, &act->lo, &bounds[0]);
    quant_from_real(&one, &act->hi, &bounds[1]);
    lo = elem_int(t->dt, &bounds[0], 0);
    hi = elem_int(t->dt, &bounds[1], 0);
    for (int64_t i = 0; i < n; i++) {
        int64_t x = elem_int(t->dt, data, i);
        elem_put_int(t->dt, data, i, x < lo ? lo : x > hi ? hi : x);
    }
    return true;
}

/* Where element i of t reads an argument: by broadcasting, or, when it is one-
 * dimensional (bias, scales), by the channel. */
static int64_t
arg_index(const struct shape *s, const struct shape *a, int64_t i)
{
    int64_t at = 0, pitch = 1;
    int channel = s->rank > 1 ? 1 : 0;

    if (a->rank == 1 && s->rank > 2)
        return a->dim[0].n == 1 ? 0 : i / shape_count(s, channel + 1, s->rank) % a->dim[0].n;
    for (int d = s->rank - 1, k = a->rank - 1; d >= 0; d--, k--) {
        int64_t x = i % s->dim[d].n;
        i /= s->dim[d].n;
        if (k < 0)
            break;
        if (a->dim[k].n != 1)
            at += x * pitch;
        pitch *= a->dim[k].n;
    }
    return at;
}

static bool
with_arg(const struct epilogue *e, const struct type *t, float *y, const float *x)
{
    const struct shape *a = &e->arg->type.shape;
    int64_t n = shape_elems(&t->shape);

    if (t->dt != DT_F32 || !x)
        return false;
    for (int64_t i = 0; i < n; i++) {
        float v = x[arg_index(&t->shape, a, i)];
        y[i] = e->kind == EPI_SCALE ? y[i] * v : y[i] + v;
    }
    return true;
}

void *
epi_apply(struct arena *scratch, const struct node *n, struct type *t, void *data,
    const void *(*arg)(void *ctx, const struct value *v), void *ctx)
{
    for (const struct epilogue *e = n->epi; e && data; e = e->next) {
        bool fine = true;
        if (e->kind == EPI_ACT)
            fine = clamp(e->attr, t, data);
        else if (e->kind == EPI_POOL)
            data = pool(scratch, e->attr, t, data);
        else
            fine = with_arg(e, t, data, arg(ctx, e->arg));
        if (!fine)
            return NULL;
    }
    return data;
}
