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
#define VECTOR __attribute__((vector_size(COLS / 2 * sizeof(float))))

enum { ROWS = 4, COLS = 8 }; /* a tile of sums held in registers */

/* A full tile of sums; b is a panel of COLS columns.  Vectors are spelled out because
 * the compiler does not keep arrays of sums in registers; element by element they
 * compute the same. */
FAST static void
tile(const float *restrict a, int64_t pa, const float *restrict b, float *restrict c, int64_t k)
{
    float VECTOR s[ROWS][2] = { { { 0 } } };

    for (int64_t p = 0; p < k; p++) {
        float VECTOR y0, y1;
        memcpy(&y0, b + p * COLS, sizeof y0);
        memcpy(&y1, b + p * COLS + COLS / 2, sizeof y1);
        for (int i = 0; i < ROWS; i++) {
            float x = a[i * pa + p];
            s[i][0] += x * y0;
            s[i][1] += x * y1;
        }
    }
    memcpy(c, s, sizeof s);
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
    panel = NEWN(scratch, float, k *COLS + 1);
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
