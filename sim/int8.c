/* Arithmetic of integer arrays: int8 elements, int32 accumulators, partial sums
 * that wrap at the width of the wires between processing elements.  All rounding is
 * round.h's (gemmini-isa.md 8). */
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "sim/internal.h"
#include "src/machine/round.h"

static int32_t
wrap_add(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

static void
scale(void *dst, const void *src, int64_t n, float by)
{
    const int8_t *x = src;
    int8_t *y = dst;

    if (by == 1.0f) {
        memmove(y, x, (size_t)n);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        y[i] = round_scale8(x[i], by);
}

static void
widen(void *acc, const void *elem, int64_t n, bool add)
{
    const int8_t *x = elem;
    int32_t *y = acc;

    for (int64_t i = 0; i < n; i++)
        y[i] = add ? wrap_add(y[i], x[i]) : x[i];
}

/* The source may be unaligned. */
static void
to_acc(void *acc, const void *wide, int64_t n, bool add)
{
    const char *x = wide;
    int32_t *y = acc, v;

    if (!add) {
        memcpy(y, x, (size_t)n * sizeof *y);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        memcpy(&v, x + i * (int64_t)sizeof v, sizeof v);
        y[i] = wrap_add(y[i], v);
    }
}

/* No integer array scales full-width data (isa 5). */
static void
load(void *acc, const void *src, int64_t n, float by, bool add)
{
    (void)by;
    to_acc(acc, src, n, add);
}

static void
out(void *elem, const void *acc, int64_t n, bool relu, float by)
{
    const int32_t *x = acc;
    int8_t *y = elem;

    for (int64_t i = 0; i < n; i++)
        y[i] = round_scale8(relu && x[i] < 0 ? 0 : x[i], by);
}

static void
max(void *best, const void *x, int64_t n)
{
    const int8_t *v = x;
    int8_t *b = best;

    for (int64_t i = 0; i < n; i++)
        b[i] = v[i] > b[i] ? v[i] : b[i];
}

static void
to_wide(void *wide, const void *elem, int64_t n)
{
    const int8_t *x = elem;
    int32_t *y = wide;

    for (int64_t i = 0; i < n; i++)
        y[i] = x[i];
}

/* sum[0..pitch) += a[0..k) * w, one translation for every machine and faster ones
 * where the machine allows.  Rows of w are padded to whole vectors.  Weights fit 16
 * bits, so the multiply-add of pairs serves as a 32-bit product: (w, sign) * (a, 0). */
#if defined(__x86_64__)
__attribute__((target("avx2"))) static void
multiply_avx2(int32_t *sum, const int8_t *a, int64_t k, const int32_t *w, int64_t pitch)
{
    for (int64_t j = 0; j < pitch; j += 16) {
        __m256i *to = (__m256i *)(void *)(sum + j);
        __m256i s0 = _mm256_loadu_si256(to), s1 = _mm256_loadu_si256(to + 1);

        for (int64_t i = 0; i < k; i++) {
            const __m256i *v = (const __m256i *)(const void *)(w + i * pitch + j);
            __m256i x = _mm256_set1_epi32((uint16_t)a[i]);
            s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(_mm256_loadu_si256(v), x));
            s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(_mm256_loadu_si256(v + 1), x));
        }
        _mm256_storeu_si256(to, s0);
        _mm256_storeu_si256(to + 1, s1);
    }
}

static void
multiply_plain(int32_t *sum, const int8_t *a, int64_t k, const int32_t *w, int64_t pitch)
{
    for (int64_t j = 0; j < pitch; j += 8) {
        __m128i *to = (__m128i *)(void *)(sum + j);
        __m128i s0 = _mm_loadu_si128(to), s1 = _mm_loadu_si128(to + 1);

        for (int64_t i = 0; i < k; i++) {
            const __m128i *v = (const __m128i *)(const void *)(w + i * pitch + j);
            __m128i x = _mm_set1_epi32((uint16_t)a[i]);
            s0 = _mm_add_epi32(s0, _mm_madd_epi16(_mm_loadu_si128(v), x));
            s1 = _mm_add_epi32(s1, _mm_madd_epi16(_mm_loadu_si128(v + 1), x));
        }
        _mm_storeu_si128(to, s0);
        _mm_storeu_si128(to + 1, s1);
    }
}
#else
static void
multiply_plain(int32_t *sum, const int8_t *a, int64_t k, const int32_t *w, int64_t pitch)
{
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < pitch; j++)
            sum[j] = wrap_add(sum[j], a[i] * w[i * pitch + j]);
}
#endif

/* Every step wraps in hardware; for sums modulo a power of two, once at the end is
 * the same. */
static void
multiply(void *sum, const void *a, int64_t k, const void *w, int64_t pitch, unsigned wire)
{
    int32_t *s = sum;

#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        multiply_avx2(s, a, k, w, pitch);
    else
#endif
        multiply_plain(s, a, k, w, pitch);
    if (wire >= 32)
        return;
    for (int64_t j = 0; j < pitch; j++)
        s[j] = (int32_t)((uint32_t)s[j] << (32 - wire)) >> (32 - wire);
}

static void
shift(void *wide, int64_t n, unsigned by)
{
    int32_t *x = wide;

    for (int64_t i = 0; i < n; i++)
        x[i] = round_shift(x[i], by & 31);
}

static void
to_elem(void *elem, const void *wide, int64_t n, bool relu)
{
    const int32_t *x = wide;
    int8_t *y = elem;

    for (int64_t i = 0; i < n; i++)
        y[i] = round_clip8(relu && x[i] < 0 ? 0 : x[i]);
}

const struct arith arith_int8 = {
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
