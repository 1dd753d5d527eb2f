/* Arithmetic of arrays of 16-bit floats (gemmini-isa.md 8.1), compiled once for each
 * format: f16.c and bf16.c say before how many significant bits it has (SIG) and
 * which largest exponent (HIGH).
 *
 * Sums are rounded to the format after every product, which is fused into them; in
 * between, values of the format are kept as floats, and the accumulator is one of
 * floats.  For weight-stationary arrays only: with the other dataflow this hardware
 * computes nonsense, and no target may describe that. */
#include <math.h>
#include <string.h>

#include "sim/internal.h"

enum {
    LOW = 1 - HIGH,                  /* smallest exponent of a normal number */
    MORE = 24 - SIG,                 /* bits that a float has more */
    SPECIAL = (2 * HIGH + 1) << (SIG - 1) /* infinity; what is above is no number */
};

/* A float's exponents are worth so much less than those of the format: exact factors,
 * also for subnormals, which so become normal ones and back. */
static const float up = HIGH == 15 ? 0x1p112f : 1, down = HIGH == 15 ? 0x1p-112f : 1;
static const double too_large = HIGH == 15 ? 0x1p16 : 0x1p128;

/* ---- the format */

static float
decode(const void *elem, int64_t i)
{
    uint16_t bits;
    uint32_t wide;
    float x;

    memcpy(&bits, (const char *)elem + 2 * i, sizeof bits);
    wide = (uint32_t)(bits & 0x7fff) << MORE;
    memcpy(&x, &wide, sizeof x);
    x *= up;
    if ((bits & 0x7fff) >= SPECIAL)
        x = (bits & 0x7fff) == SPECIAL ? INFINITY : NAN;
    return bits >> 15 ? -x : x;
}

/* Of a value that the format has. */
static void
encode(void *elem, int64_t i, float x)
{
    uint16_t *y = elem;
    float size = fabsf(x) * down;
    uint32_t wide;

    memcpy(&wide, &size, sizeof wide);
    wide = isinf(x) ? SPECIAL : wide >> MORE;
    if (signbit(x))
        wide |= 0x8000;
    if (isnan(x))
        wide = SPECIAL | 1 << (SIG - 2);
    y[i] = (uint16_t)wide;
}

/* The nearest value of the format, even when half way; infinite when too large.
 * Adding what has its last bit where the result will have its own rounds there. */
static float
nearest(double x)
{
    const uint64_t low = (uint64_t)(LOW + 1023) << 52;
    uint64_t bits;
    double add, y;

    if (!isfinite(x))
        return isnan(x) ? NAN : (float)x;
    memcpy(&bits, &x, sizeof bits);
    bits &= UINT64_C(0x7ff) << 52;
    bits = (bits < low ? low : bits) + ((UINT64_C(53) - SIG) << 52 | UINT64_C(1) << 51);
    memcpy(&add, &bits, sizeof add);
    y = x + add - add;
    if (fabs(y) >= too_large)
        y = INFINITY;
    return (float)copysign(y, x);
}

/* a * b + c as a double, odd where it is not exact, so that rounding it to the format
 * rounds once in all.  The product is exact. */
static double
fused(double a, double b, double c)
{
    double p = a * b, s = p + c, t = s - p, rest = (p - (s - t)) + (c - t);
    uint64_t bits;

    if (!(rest > 0 || rest < 0))     /* exact, or not finite */
        return s;
    memcpy(&bits, &s, sizeof bits);
    if (!(bits & 1))
        bits += (rest > 0) == (s > 0) ? 1 : UINT64_MAX;
    memcpy(&s, &bits, sizeof s);
    return s;
}

/* ---- the operations */

static void
scale(void *dst, const void *src, int64_t n, float by)
{
    double factor = (double)nearest((double)by);

    for (int64_t i = 0; i < n; i++)
        encode(dst, i, nearest((double)decode(src, i) * factor));
}

static void
widen(void *acc, const void *elem, int64_t n, bool add)
{
    float *y = acc;

    for (int64_t i = 0; i < n; i++) {
        float x = decode(elem, i);
        f32_add(y + i, &x, 1, add);
    }
}

static void
out(void *elem, const void *acc, int64_t n, bool relu, float by)
{
    const float *x = acc;
    float y;

    for (int64_t i = 0; i < n; i++) {
        f32_out(&y, x + i, 1, relu, by);
        encode(elem, i, nearest((double)y));
    }
}

static void
max(void *best, const void *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (decode(x, i) > decode(best, i))
            memcpy((char *)best + 2 * i, (const char *)x + 2 * i, 2);
}

static void
to_wide(void *wide, const void *elem, int64_t n)
{
    float *y = wide;

    for (int64_t i = 0; i < n; i++)
        y[i] = decode(elem, i);
}

/* Columns beyond the array's, which is square, stay zero. */
static void
multiply(void *sum, const void *a, int64_t k, const void *w, int64_t pitch, unsigned wire)
{
    const float *v = w;
    float *s = sum;

    (void)wire;                      /* wires carry elements */
    for (int64_t i = 0; i < k; i++) {
        double x = (double)decode(a, i);
        for (int64_t j = 0; j < k; j++)
            s[j] = nearest(fused(x, (double)v[i * pitch + j], (double)s[j]));
    }
}

static void
to_elem(void *elem, const void *wide, int64_t n, bool relu)
{
    const float *x = wide;
    float y;

    for (int64_t i = 0; i < n; i++) {
        f32_to_elem(&y, x + i, 1, relu);
        encode(elem, i, nearest((double)y));
    }
}

#define HALF_ARITH \
    .whole = true, .scale = scale, .widen = widen, .load = f32_load, .out = out, .max = max, \
    .to_wide = to_wide, .multiply = multiply, .shift = f32_shift, .to_acc = f32_add, \
    .to_elem = to_elem
