/* The library on an array of floats: a product, a convolution and a sum of small whole
 * numbers, on which no rounding and no order of sums shows. */
#include <stdio.h>
#include <stdlib.h>

#include "gemmini_testutils.h"

enum { N = 30, SIDE = 9, IN = 6, OUT = 10 };

static elem_t a[N][N] row_align(1), b[N][N] row_align(1), c[N][N] row_align(1);
static acc_t bias[N][N] row_align_acc(1);
static elem_t image[SIDE][SIDE][IN], weights[3][3][IN][OUT], result[SIDE][SIDE][OUT];

static elem_t
small(void)
{
    return (elem_t)(rand() % 17 - 8);
}

static int
product(enum tiled_matmul_type_t on)
{
    int wrong = 0;

    tiled_matmul_auto(N, N, N, a[0], b[0], bias, c, N, N, N, N, 2, 1, 3, RELU, 0.5f, 0, false,
        false, false, false, false, 0, on);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            float sum = 3 * bias[i][j];

            for (int k = 0; k < N; k++)
                sum += 2 * a[i][k] * b[k][j];
            wrong += c[i][j] != (sum > 0 ? sum * 0.5f : 0);
        }
    return wrong;
}

static float
pixel(int y, int x, int o)
{
    float sum = bias[0][o];

    for (int i = 0; i < 9 * IN; i++) {
        int ky = i / IN / 3, kx = i / IN % 3, iy = y + ky - 1, ix = x + kx - 1;

        if (iy >= 0 && ix >= 0 && iy < SIDE && ix < SIDE)
            sum += image[iy][ix][i % IN] * weights[ky][kx][i % IN][o];
    }
    return sum;
}

static int
convolution(enum tiled_matmul_type_t on)
{
    int wrong = 0;

    tiled_conv_auto(1, SIDE, SIDE, IN, OUT, SIDE, SIDE, 1, 1, 1, 1, 3, false, false, false,
        false, false, image[0][0], weights[0][0][0], bias[0], result[0][0], NO_ACTIVATION, 1,
        0, 0, 0, on);
    for (int i = 0; i < SIDE * SIDE * OUT; i++)
        wrong += result[i / OUT / SIDE][i / OUT % SIDE][i % OUT]
            != pixel(i / OUT / SIDE, i / OUT % SIDE, i % OUT);
    return wrong;
}

static int
sum(enum tiled_matmul_type_t on)
{
    int wrong = 0;

    tiled_resadd_auto(N, N, 2, 1, 0.5f, a[0], b[0], c[0], false, on);
    for (int i = 0; i < N * N; i++)
        wrong += c[i / N][i % N] != (2 * a[i / N][i % N] + b[i / N][i % N]) * 0.5f;
    return wrong;
}

int
main(void)
{
    gemmini_flush(0);
    for (int i = 0; i < N * N; i++) {
        a[i / N][i % N] = small();
        b[i / N][i % N] = small();
        bias[i / N][i % N] = small();
    }
    for (int i = 0; i < SIDE * SIDE * IN; i++)
        image[i / IN / SIDE][i / IN % SIDE][i % IN] = small();
    for (int i = 0; i < 9 * IN * OUT; i++)
        weights[i / OUT / IN / 3][i / OUT / IN % 3][i / OUT % IN][i % OUT] = small();
    printf("product ws wrong %d\n", product(WS));
    printf("product os wrong %d\n", product(OS));
    printf("product cpu wrong %d\n", product(CPU));
    printf("convolution ws wrong %d\n", convolution(WS));
    printf("convolution cpu wrong %d\n", convolution(CPU));
    printf("sum ws wrong %d\n", sum(WS));
    printf("sum cpu wrong %d\n", sum(CPU));
    return 0;
}
