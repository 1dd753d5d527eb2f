/* A product of 64 x 64 int8 matrices with commands written by hand, checked by the
 * core.  Also for the runner: the checksum line at the end, the layers, the exit code. */
#include <stdio.h>
#include <string.h>

#include "gm_rt.h"

enum { N = 64, DIM = 16, W_ROW = 8192 };

static int8_t a[N][N] __attribute__((section(".gm.in"), aligned(64)));
static int8_t b[N][N] __attribute__((aligned(64)));
static int8_t c[N][N] __attribute__((section(".gm.out"), aligned(64)));

static const struct gm_tensor out = {
    .name = "c", .type = "int8", .rank = 2, .bytes = 1,
    .dim = { N, N }, .pitch = { N, 1 }, .scale = 1,
};

static void
fill(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = (int8_t)(a[i][j] + (i * 7 + j * 3) % 15 - 7);
            b[i][j] = (int8_t)((i * 5 + j * 11) % 13 - 6);
        }
}

/* 16 rows of a matrix, four blocks side by side: block k of row group g starts at
 * local row from + (g * 4 + k) * 16. */
static void
load(int8_t (*m)[N], uint64_t from)
{
    for (uint64_t g = 0; g < N / DIM; g++)
        gm_mvin(m[g * DIM], gm_rc(DIM, N, from + g * 4 * DIM));
}

static void
multiply(void)
{
    gm_config_ex(1);
    gm_config_ld(0, N, DIM, 0);
    gm_config_st(N, 0x3e000000, GM_RELU);        /* 1/8 */
    load(a, 0);
    load(b, W_ROW);
    for (uint64_t j = 0; j < 4; j++)
        for (uint64_t k = 0; k < 4; k++)
            for (uint64_t i = 0; i < 4; i++) {
                uint64_t w = i ? GM_GARBAGE : W_ROW + (k * 4 + j) * DIM;
                uint64_t to = GM_ACC | (k ? GM_ACCUMULATE : 0) | (i * 4 + j) * DIM;
                uint64_t from = (i * 4 + k) * DIM;
                gm_preload(gm_rc(DIM, DIM, w), gm_rc(DIM, DIM, to));
                if (i)
                    gm_compute_accumulated(gm_rc(DIM, DIM, from), gm_rc(DIM, DIM, GM_GARBAGE));
                else
                    gm_compute_preloaded(gm_rc(DIM, DIM, from), gm_rc(DIM, DIM, GM_GARBAGE));
            }
    for (uint64_t i = 0; i < 4; i++)
        gm_mvout(c[i * DIM], gm_rc(DIM, N, GM_ACC | i * 4 * DIM));
    gm_fence();
}

/* Nearest, ties to even, of x / 8; then the clamp and the saturation. */
static int8_t
scaled(int32_t x)
{
    int32_t q = x >> 3, rest = x & 7;

    q += rest > 4 || (rest == 4 && (q & 1));
    return (int8_t)(q < 0 ? 0 : q > 127 ? 127 : q);
}

int
main(void)
{
    int wrong = 0;

    fill();
    gm_fence();
    gm_layer(0);
    multiply();
    gm_layer(-1);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            int32_t sum = 0;
            for (int k = 0; k < N; k++)
                sum += a[i][k] * b[k][j];
            wrong += c[i][j] != scaled(sum);
        }
    printf("wrong %d\n", wrong);
    gm_print_output(&out, c);
    return wrong ? 1 : 0;
}
