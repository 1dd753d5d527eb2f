/* The hardware's loops by their C macros: a product with odd edges in two loops over its
 * depth, and a padded convolution, both against plain C. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "gemmini_testutils.h"

enum { M = 37, N = 50, K = 70, FIRST = 48, SIDE = 9, IN = 20, OUT = 24 };

/* B is followed by bytes that a loop reads and nobody uses. */
static elem_t A[M][K], B[K + DIM][N], C[M][N];
static acc_t bias[N];
static elem_t image[SIDE][SIDE][IN], weights[3][3][IN][OUT], result[SIDE][SIDE][OUT];

static elem_t
clip(acc_t x, acc_scale_t scale)
{
    acc_t y = ACC_SCALE(x, scale);

    return y > elem_t_max ? elem_t_max : y < elem_t_min ? elem_t_min : y;
}

static void
fill(elem_t *p, int n)
{
    while (n--)
        *p++ = (elem_t)(rand() % 256 - 128);
}

static int
product(acc_scale_t scale)
{
    int wrong = 0;

    gemmini_config_ex(WEIGHT_STATIONARY, NO_ACTIVATION, 0);
    gemmini_extended_config_st(N, NO_ACTIVATION, scale);
    gemmini_extended3_config_ld(K, MVIN_SCALE_IDENTITY, false, 0);
    gemmini_extended3_config_ld(N, MVIN_SCALE_IDENTITY, false, 1);
    gemmini_extended3_config_ld(0, MVIN_SCALE_IDENTITY, false, 2);
    gemmini_loop_ws(3, 4, 3, 48 - M, 64 - N, 0, A, B, bias, 0, K, N, 0, N, 0, 0, 0, 0, 1, 0, 0,
        0, 0);
    gemmini_loop_ws(3, 4, 2, 48 - M, 64 - N, 32 - (K - FIRST), &A[0][FIRST], B[FIRST], 0, C, K,
        N, 0, N, 0, 0, 0, 0, 1, 0, 0, 0, 0);
    gemmini_fence();
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) {
            acc_t sum = bias[j];
            for (int k = 0; k < K; k++)
                sum += A[i][k] * B[k][j];
            wrong += C[i][j] != clip(sum, scale);
        }
    return wrong;
}

static acc_t
pixel(int y, int x, int o)
{
    acc_t sum = bias[o];

    for (int ky = 0; ky < 3; ky++)
        for (int kx = 0; kx < 3; kx++) {
            int py = y + ky - 1, px = x + kx - 1;
            if (py < 0 || px < 0 || py >= SIDE || px >= SIDE)
                continue;
            for (int c = 0; c < IN; c++)
                sum += image[py][px][c] * weights[ky][kx][c][o];
        }
    return sum;
}

static int
convolution(acc_scale_t scale)
{
    int wrong = 0;

    gemmini_config_ex(WEIGHT_STATIONARY, NO_ACTIVATION, 0);
    gemmini_extended_config_st(OUT, NO_ACTIVATION, scale);
    gemmini_loop_conv_ws(1, SIDE, SIDE, IN, OUT, SIDE, SIDE, SIDE, SIDE, 1, 1, 3, 1, 1, 1, 0, 1,
        SIDE, SIDE, OUT, 3, 3, IN, 1, 1, 1, 1, 0, 0, 0, 0, SIDE, SIDE, weights, result, bias,
        image, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, IN, OUT, OUT, 0, 0, 0);
    gemmini_fence();
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int o = 0; o < OUT; o++)
                wrong += result[y][x][o] != clip(pixel(y, x, o), scale);
    return wrong;
}

int
main(void)
{
    fill(A[0], M * K);
    fill(B[0], K * N);
    fill(image[0][0], SIDE * SIDE * IN);
    fill(weights[0][0][0], 9 * IN * OUT);
    for (int i = 0; i < N; i++)
        bias[i] = rand() % 20000 - 10000;
    gemmini_flush(0);
    gemmini_fence();
    printf("product %d\n", product(0.0007f));
    printf("convolution %d\n", convolution(0.0005f));
    return 0;
}
