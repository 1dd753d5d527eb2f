/* A network as programs of whole networks write it: a convolution as a product of
 * patches, pooling, a depthwise convolution, a sum and a last product, in matrices with a
 * row for each pixel; each layer against plain loops. */
#include <stdio.h>
#include <stdlib.h>

#include "gemmini.h"
#include "gemmini_nn.h"

enum { BATCH = 2, SIDE = 8, IN = 5, OUT = 12, HALF = 4, ROWS = BATCH * SIDE * SIDE };
enum { PATCH = 9 * IN, CLASSES = 10, FLAT = HALF * HALF * OUT };

static const struct ConvParams conv = {
    .batch_size = BATCH, .in_row_dim = SIDE, .in_col_dim = SIDE, .out_row_dim = SIDE,
    .out_col_dim = SIDE, .kernel_size = 3, .in_channels = IN, .out_channels = OUT, .stride = 1,
    .padding = 1, .bias = true, .output_scale = 0.01f, .res_scale = 0.5f, .pool_size = 3,
    .pool_stride = 2, .pool_padding = 1, .out_dim_pooled = HALF,
    .I = ROWS, .J = OUT, .K = PATCH,
};

static elem_t image[BATCH][SIDE][SIDE][IN], patches[ROWS][PATCH], w[PATCH][OUT];
static elem_t made[ROWS][OUT], deep[ROWS][OUT], dw[OUT][3][3];
static elem_t pooled[BATCH][HALF][HALF][OUT], again[BATCH][HALF][HALF][OUT];
static elem_t sum[BATCH][HALF][HALF][OUT], full[FLAT][CLASSES], scores[BATCH][CLASSES];
static acc_t bias[OUT];

static void
fill(elem_t *p, size_t n)
{
    while (n--)
        *p++ = (elem_t)(rand() % 64 - 32);
}

static long
clip(float x, long low)
{
    long n = lrintf(x);

    return n < low ? low : n > 127 ? 127 : n;
}

/* A kernel of 3 x 3 around a pixel: `ins` channels from `from` on of `pitch` a pixel. */
static long
around(const elem_t *in, int pitch, int row, const elem_t *kernel, int ins, int step)
{
    int x = row % SIDE, y = row / SIDE % SIDE;
    long s = 0;

    for (int i = 0; i < 9 * ins; i++) {
        int dy = i / ins / 3 - 1, dx = i / ins % 3 - 1;

        if (y + dy >= 0 && y + dy < SIDE && x + dx >= 0 && x + dx < SIDE)
            s += in[(row + dy * SIDE + dx) * pitch + i % ins] * kernel[i * step];
    }
    return s;
}

static int
check_convolutions(void)
{
    int wrong = 0;

    for (int r = 0; r < ROWS; r++)
        for (int o = 0; o < OUT; o++) {
            long x = bias[o] + around(image[0][0][0], IN, r, &w[0][o], IN, OUT);
            long y = bias[o] + around(&made[0][o], OUT, r, dw[o][0], 1, 1);

            wrong += made[r][o] != clip((float)x * conv.output_scale, 0);
            wrong += deep[r][o] != clip((float)y * conv.output_scale, 0);
        }
    return wrong;
}

static int
check_pools_and_sums(void)
{
    int wrong = 0;

    for (int i = 0; i < BATCH * FLAT; i++) {
        int o = i % OUT, x = i / OUT % HALF, y = i / OUT / HALF % HALF, b = i / FLAT, most = -128;

        for (int k = 0; k < 9; k++) {
            int py = 2 * y + k / 3 - 1, px = 2 * x + k % 3 - 1;
            bool out = py < 0 || px < 0;
            int v = out ? 0 : made[(b * SIDE + py) * SIDE + px][o];

            most = v > most ? v : most;
        }
        wrong += pooled[b][y][x][o] != most;
        wrong += sum[b][y][x][o] != clip((float)(clip(0.5f * (float)pooled[b][y][x][o], -128)
            + again[b][y][x][o]), 0);
    }
    return wrong;
}

int
main(void)
{
    gemmini_flush(0);
    fill(image[0][0][0], sizeof image);
    fill(w[0], sizeof w);
    fill(dw[0][0], sizeof dw);
    fill(full[0], sizeof full);
    for (int o = 0; o < OUT; o++)
        bias[o] = rand() % 1000 - 500;
    im2col(BATCH, IN, SIDE, SIDE, ROWS, PATCH, image, patches, &conv);
    tiled_matmul_nn_auto(ROWS, OUT, PATCH, patches, w, bias, made, RELU, conv.output_scale, true,
        WS, true, "conv");
    conv_dw_with_col2im(ROWS, OUT, ROWS, OUT, BATCH, OUT, SIDE, SIDE, 3, made, dw, bias, deep,
        &conv);
    printf("convolutions wrong %d\n", check_convolutions());
    pool_with_col2im(ROWS, OUT, BATCH, OUT, HALF, HALF, made, pooled, &conv);
    pool_with_col2im(ROWS, OUT, BATCH, OUT, HALF, HALF, deep, again, &conv);
    resadd1(BATCH, OUT, HALF, pooled, again, sum, true, &conv);
    printf("pools wrong %d\n", check_pools_and_sums());
    tiled_matmul_nn_auto(BATCH, CLASSES, FLAT, (const elem_t (*)[FLAT])sum, full, NULL, scores,
        NO_ACTIVATION, 0.002f, false, WS, true, "full");
    return 0;
}
