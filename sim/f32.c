/* Arithmetic of fp32 arrays (gemmini-isa.md 8.1): every operation rounds once, to
 * nearest even; products and sums are fused, from the top row of the array to the
 * bottom; subnormals are kept, nothing saturates and a NaN is the positive quiet one.
 * The order of the sums is the hardware's and must not be changed.
 *
 * The accumulator of narrower floats is the same one: half.h calls what is here. */
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

/* Hardware looks at the sign: -0 stays, a NaN with a sign does not. */
static float
rectify(float x, bool relu)
{
    return relu && signbit(x) && x != 0 ? 0.0f : x;
}

static void
scale(void *dst, const void *src, int64_t n, float by)
{
    float *y = dst;

    for (int64_t i = 0; i < n; i++)
        y[i] = canonical(at(src, i) * by);
}

void
f32_add(void *acc, const void *wide, int64_t n, bool add)
{
    float *y = acc;

    for (int64_t i = 0; i < n; i++)
        y[i] = add ? canonical(y[i] + at(wide, i)) : at(wide, i);
}

void
f32_load(void *acc, const void *src, int64_t n, float by, bool add)
{
    float *y = acc;

    for (int64_t i = 0; i < n; i++) {
        float x = canonical(at(src, i) * by);
        y[i] = add ? canonical(y[i] + x) : x;
    }
}

void
f32_out(void *elem, const void *acc, int64_t n, bool relu, float by)
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

void
f32_shift(void *wide, int64_t n, unsigned by)
{
    float *x = wide;

    for (int64_t i = 0; i < n; i++)
        x[i] = canonical(ldexpf(x[i], -(int)by));
}

void
f32_to_elem(void *elem, const void *wide, int64_t n, bool relu)
{
    float *y = elem;

    for (int64_t i = 0; i < n; i++)
        y[i] = rectify(at(wide, i), relu);
}

const struct arith arith_f32 = {
    .whole = true,
    .scale = scale,
    .widen = f32_add,
    .load = f32_load,
    .out = f32_out,
    .max = max,
    .to_wide = to_wide,
    .multiply = multiply,
    .shift = f32_shift,
    .to_acc = f32_add,
    .to_elem = f32_to_elem,
};
