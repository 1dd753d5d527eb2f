/* Activations over whole rows of accumulator values, and integer GELU: their constants
 * for CONFIG_NORM, and the same in plain C for the references.  Only targets with
 * HAS_NORMALIZATIONS have them; whether their hardware agrees is another matter
 * (gemmini-isa 9).  Included by gemmini.h. */
#ifndef GEMMINI_NORM_H
#define GEMMINI_NORM_H
#include <gemmini_params.h>

#ifndef NORM_STAT_IDS
#define NORM_STAT_IDS 2
#endif

/* Products of 32 bits, as the array wraps them. */
static inline int32_t
gemmini_wrap(int64_t x)
{
    return (int32_t)(uint32_t)(uint64_t)x;
}

/* ---- integer GELU: x * (erf(x / sqrt(2)) + 1), erf by a parabola up to -qb */
struct gemmini_igelu {
    acc_t qb, qc;
};

static inline struct gemmini_igelu
gemmini_igelu_of(acc_scale_t scale)
{
    double s = (double)(scale / (acc_scale_t)1.41421356237);

    return (struct gemmini_igelu) { (acc_t)(-1.769 / s), (acc_t)(1.0 / (-0.2888 * s * s)) };
}

static inline acc_t
gemmini_igelu(acc_t x, acc_scale_t scale)
{
    struct gemmini_igelu g = gemmini_igelu_of(scale);
    int32_t size = (int32_t)(x < 0 ? -x : x), qb = (int32_t)g.qb, qc = (int32_t)g.qc, at, erf;

    at = (size > -qb ? -qb : size) + qb;
    erf = gemmini_wrap((int64_t)at * at + qc);
    return (acc_t)gemmini_wrap((int64_t)x * gemmini_wrap((int64_t)(x < 0 ? -erf : erf) + qc));
}

/* ---- softmax: 2^-z of a parabola, z whole powers of two taken out of exp(x - max) */
struct gemmini_softmax {
    int32_t qln2, qln2_inv, qb, qc;
};

static inline struct gemmini_softmax
gemmini_softmax_of(acc_scale_t scale)
{
    struct gemmini_softmax s = {
        .qln2 = (int32_t)(0.693147 / (double)scale),
        .qb = (int32_t)(1.353f / scale),
        .qc = (int32_t)(0.344f / (0.3585f * scale * scale)),
    };

    s.qln2_inv = s.qln2 ? 65536 / s.qln2 : 0;
    return s;
}

/* Of a row in place; what brings its sum to 127. */
static inline acc_scale_t
gemmini_softmax(acc_t *x, size_t n, acc_scale_t scale)
{
    struct gemmini_softmax s = gemmini_softmax_of(scale);
    int32_t most = INT32_MIN, sum = 0;

    for (size_t i = 0; i < n; i++)
        most = (int32_t)x[i] > most ? (int32_t)x[i] : most;
    for (size_t i = 0; i < n; i++) {
        int32_t q = gemmini_wrap((int64_t)x[i] - most);
        int32_t z = gemmini_wrap(-(int64_t)q * s.qln2_inv) >> 16;
        int32_t at = gemmini_wrap(q + (int64_t)z * s.qln2 + s.qb);

        q = gemmini_wrap((int64_t)at * at + s.qc) >> (z & 31);
        sum = gemmini_wrap((int64_t)sum + q);
        x[i] = (acc_t)q;
    }
    return 127.0f / (float)sum;
}

/* ---- layer normalisation */

/* Whole part of the root. */
static inline acc_t
int_sqrt(acc_t n)
{
    int64_t root = 0;

    for (int64_t bit = (int64_t)1 << 31; bit; bit >>= 1)
        if ((root + bit) * (root + bit) <= (int64_t)n)
            root += bit;
    return (acc_t)root;
}

/* a / b to the nearest, ties to even; b > 0. */
static inline int64_t
gemmini_quotient(int64_t a, int64_t b)
{
    int64_t q = a / b, rest = a % b;

    if (rest < 0) {
        rest += b;
        q--;
    }
    return q + (2 * rest > b || (2 * rest == b && (q & 1)));
}

static inline void
gemmini_layernorm(acc_t *x, size_t n)
{
    acc_t sum = 0, squares = 0, mean, deviation;

    for (size_t i = 0; i < n; i++)
        sum += x[i];
    mean = sum / (acc_t)n;
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    deviation = int_sqrt(squares / (acc_t)n);
    for (size_t i = 0; i < n; i++)
        x[i] = (acc_t)gemmini_quotient((int64_t)(x[i] - mean),
            deviation > 0 ? (int64_t)deviation : 1);
}

#endif
