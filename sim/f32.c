/* Arithmetic of fp32 arrays (gemmini-isa.md 8.1): every operation rounds once, to
 * nearest even; products and sums are fused, from the top row of the array to the
 * bottom; subnormals are kept, nothing saturates and a NaN is the positive quiet one.
 * The order of the sums is the hardware's and must not be changed. */
#include <math.h>
#include <string.h>

#include "sim/internal.h"

static float
canonical(float x)
{
    return x == x ? x : NAN;
}

static float
at(const void *p, int64_t i)
{
    float x;

    memcpy(&x, (const char *)p + i * (int64_t)sizeof x, sizeof x);
    return x;
}

/* Below zero becomes +0; -0 and NaN stay. */
static float
rectify(float x, bool relu)
{
    return relu && x < 0 ? 0.0f : x;
}

static void
scale(void *dst, const void *src, int64_t n, float by)
{
    float *y = dst;

    for (int64_t i = 0; i < n; i++)
        y[i] = canonical(at(src, i) * by);
}

static void
widen(void *acc, const void *elem, int64_t n, bool add)
{
    float *y = acc;

    for (int64_t i = 0; i < n; i++)
        y[i] = add ? canonical(y[i] + at(elem, i)) : at(elem, i);
}

static void
load(void *acc, const void *src, int64_t n, float by, bool add)
{
    float *y = acc;

    for (int64_t i = 0; i < n; i++) {
        float x = by == 1.0f ? at(src, i) : canonical(at(src, i) * by);
        y[i] = add ? canonical(y[i] + x) : x;
    }
}

static void
out(void *elem, const void *acc, int64_t n, bool relu, float by)
{
    float *y = elem;

    for (int64_t i = 0; i < n; i++)
        y[i] = canonical(rectify(at(acc, i), relu) * by);
}

static void
max(void *best, const void *x, int64_t n)
{
    float *b = best;

    for (int64_t i = 0; i < n; i++)
        b[i] = at(x, i) > b[i] ? at(x, i) : b[i];
}

static void
to_wide(void *wide, const void *elem, int64_t n)
{
    memcpy(wide, elem, (size_t)n * sizeof(float));
}

static void
multiply_plain(float *s, const float *a, int64_t k, const float *w, int64_t pitch)
{
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < pitch; j++)
            s[j] = fmaf(a[i], w[i * pitch + j], s[j]);
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static void
multiply_fma(float *s, const float *a, int64_t k, const float *w, int64_t pitch)
{
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < pitch; j++)
            s[j] = __builtin_fmaf(a[i], w[i * pitch + j], s[j]);
}
#endif

static void
multiply(void *sum, const void *a, int64_t k, const void *w, int64_t pitch, unsigned wire)
{
    float *s = sum;

    (void)wire;                      /* wires carry elements */
#if defined(__x86_64__)
    if (__builtin_cpu_supports("fma") && __builtin_cpu_supports("avx2"))
        multiply_fma(s, a, k, w, pitch);
    else
#endif
        multiply_plain(s, a, k, w, pitch);
    for (int64_t j = 0; j < pitch; j++)
        s[j] = canonical(s[j]);
}

static void
shift(void *wide, int64_t n, unsigned by)
{
    float *x = wide;

    for (int64_t i = 0; i < n; i++)
        x[i] = canonical(ldexpf(x[i], -(int)by));
}

static void
to_acc(void *acc, const void *wide, int64_t n, bool add)
{
    widen(acc, wide, n, add);
}

static void
to_elem(void *elem, const void *wide, int64_t n, bool relu)
{
    float *y = elem;

    for (int64_t i = 0; i < n; i++)
        y[i] = rectify(at(wide, i), relu);
}

const struct arith arith_f32 = {
    .whole = true,
    .scale = scale,
    .widen = widen,
    .load = load,
    .out = out,
    .max = max,
    .to_wide = to_wide,
    .multiply = multiply,
    .shift = shift,
    .to_acc = to_acc,
    .to_elem = to_elem,
};
