/* Matrix product of the reference kernels.  Every output is a sum from zero over k
 * ascending, one rounded product added at a time, however it is blocked: the bits
 * agree on every CPU (no fused multiply-add, no split sums). */
#include <string.h>

#include "ir/ir.h"

#if defined __GNUC__ && !defined __clang__
#define FAST __attribute__((optimize("O3")))
#else
#define FAST
#endif

enum { ROWS = 4, COLS = 8 };                   /* a tile of sums held in registers */

/* A full tile of sums; b is a panel of COLS columns. */
FAST static void
tile(const float *restrict a, int64_t pa, const float *restrict b, float *restrict c, int64_t k)
{
    float s0[COLS] = { 0 }, s1[COLS] = { 0 }, s2[COLS] = { 0 }, s3[COLS] = { 0 };

    for (int64_t p = 0; p < k; p++) {
        float x0 = a[p], x1 = a[pa + p], x2 = a[2 * pa + p], x3 = a[3 * pa + p];
        for (int j = 0; j < COLS; j++) {
            s0[j] += x0 * b[j];
            s1[j] += x1 * b[j];
            s2[j] += x2 * b[j];
            s3[j] += x3 * b[j];
        }
        b += COLS;
    }
    memcpy(c, s0, sizeof s0);
    memcpy(c + COLS, s1, sizeof s1);
    memcpy(c + 2 * COLS, s2, sizeof s2);
    memcpy(c + 3 * COLS, s3, sizeof s3);
}

/* One row that is left over. */
FAST static void
sums(const float *restrict a, const float *restrict b, float *restrict c, int64_t cols, int64_t k)
{
    float s[COLS] = { 0 };

    for (int64_t p = 0; p < k; p++)
        for (int j = 0; j < COLS; j++)
            s[j] += a[p] * b[p * COLS + j];
    memcpy(c, s, (size_t)cols * sizeof *s);
}

/* Few rows: packing b would cost as much as the product. */
FAST static void
one_row(const float *restrict a, const float *restrict b, float *restrict c, int64_t n, int64_t k)
{
    memset(c, 0, (size_t)n * sizeof *c);
    for (int64_t p = 0; p < k; p++) {
        float x = a[p];
        for (int64_t j = 0; j < n; j++)
            c[j] += x * b[p * n + j];
    }
}

/* Columns [j, j + cols) of b, made COLS wide with zeros. */
static void
pack(const float *b, int64_t n, int64_t k, int64_t j, int64_t cols, float *panel)
{
    if (cols < COLS)
        memset(panel, 0, (size_t)(k * COLS) * sizeof *panel);
    for (int64_t p = 0; p < k; p++)
        memcpy(panel + p * COLS, b + p * n + j, (size_t)cols * sizeof *b);
}

void
ref_matmul(const float *a, const float *b, float *c, int64_t m, int64_t n, int64_t k)
{
    struct arena *scratch;
    float *panel, t[ROWS * COLS];

    if (m < 2 * ROWS) {
        for (int64_t i = 0; i < m; i++)
            one_row(a + i * k, b, c + i * n, n, k);
        return;
    }
    scratch = arena_new();
    panel = NEWN(scratch, float, k * COLS + 1);
    for (int64_t j = 0; j < n; j += COLS) {
        int64_t cols = n - j < COLS ? n - j : COLS, i = 0;
        pack(b, n, k, j, cols, panel);
        for (; i + ROWS <= m; i += ROWS) {
            tile(a + i * k, k, panel, t, k);
            for (int64_t r = 0; r < ROWS; r++)
                memcpy(c + (i + r) * n + j, t + r * COLS, (size_t)cols * sizeof *c);
        }
        for (; i < m; i++)
            sums(a + i * k, panel, c + i * n + j, cols, k);
    }
    arena_free(scratch);
}
