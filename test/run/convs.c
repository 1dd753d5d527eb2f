/* Convolutions by the library of the usual header: strides, pads, dilations, pooling,
 * layouts, depthwise, in tiles of every sort, each against plain loops.  `time` prints how
 * long two layers take. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gemmini_testutils.h"

enum layout {
    PLAIN, OUT_1203 = 1, IN_3120 = 2, WEIGHT_1203 = 4, WEIGHT_0132 = 8, TURNED = 16,
    DEPTHWISE = 32, NO_BIAS = 64
};
enum { IMAGE = 40000, WEIGHTS = 30000, CHANNELS = 128 };

struct conv {
    enum tiled_matmul_type_t on;
    int batch, rows, cols, ins, outs, kernel, stride, pad, in_dil, k_dil;
    int pool, pool_stride, pool_pad;
    int act, layout;
    int tile[7];                     /* 0: let the library look for one */
};

static elem_t image[IMAGE], weights[WEIGHTS], result[IMAGE];
static acc_t bias[CHANNELS];
static const acc_scale_t scale = 0.003f;

static const struct conv convs[] = {
    { WS, 1, 9, 9, 20, 24, 3, 1, 1, 1, 1, 0, 0, 0, NO_ACTIVATION, 0, { 0 } },
    { WS, 2, 17, 13, 18, 19, 3, 2, 1, 1, 1, 0, 0, 0, RELU, 0, { 0 } },
    { WS, 1, 12, 12, 70, 33, 3, 1, 0, 1, 1, 0, 0, 0, NO_ACTIVATION, NO_BIAS, { 0 } },
    { WS, 1, 20, 20, 3, 17, 7, 2, 3, 1, 1, 0, 0, 0, RELU, 0, { 0 } },
    { WS, 1, 18, 18, 5, 16, 5, 1, 2, 1, 1, 2, 2, 0, NO_ACTIVATION, 0, { 0 } },
    { WS, 2, 15, 15, 16, 32, 3, 1, 1, 1, 1, 3, 2, 1, RELU, 0, { 0 } },
    { WS, 1, 24, 16, 40, 48, 1, 1, 0, 1, 1, 0, 0, 0, NO_ACTIVATION, 0, { 0 } },
    { WS, 2, 16, 14, 40, 48, 1, 2, 0, 1, 1, 0, 0, 0, NO_ACTIVATION, 0, { 0 } },
    { WS, 1, 15, 15, 20, 20, 1, 2, 0, 1, 1, 0, 0, 0, NO_ACTIVATION, 0, { 0 } },
    { WS, 1, 14, 14, 20, 20, 3, 1, 2, 1, 2, 0, 0, 0, NO_ACTIVATION, 0, { 0 } },
    { WS, 1, 9, 9, 20, 20, 3, 1, 1, 2, 1, 0, 0, 0, NO_ACTIVATION, 0, { 0 } },
    { WS, 1, 9, 9, 20, 20, 3, 1, 1, 2, 1, 0, 0, 0, NO_ACTIVATION, TURNED, { 0 } },
    { WS, 3, 10, 10, 20, 20, 3, 1, 1, 1, 1, 0, 0, 0, RELU, OUT_1203, { 0 } },
    { WS, 3, 10, 10, 20, 20, 3, 1, 1, 1, 1, 0, 0, 0, NO_ACTIVATION, IN_3120, { 0 } },
    { WS, 2, 10, 10, 20, 20, 3, 1, 1, 1, 1, 0, 0, 0, NO_ACTIVATION, WEIGHT_1203, { 0 } },
    { WS, 2, 10, 10, 20, 20, 3, 1, 1, 1, 1, 0, 0, 0, NO_ACTIVATION, WEIGHT_0132 | TURNED, { 0 } },
    { WS, 1, 12, 12, 20, 20, 3, 1, 1, 1, 1, 0, 0, 0, RELU, DEPTHWISE, { 0 } },
    { WS, 2, 13, 13, 7, 7, 3, 2, 1, 1, 1, 0, 0, 0, NO_ACTIVATION, DEPTHWISE | NO_BIAS, { 0 } },
    { WS, 1, 12, 12, 5, 5, 3, 1, 1, 1, 1, 2, 2, 0, RELU, DEPTHWISE, { 1, 3, 2, 1, 2, 1, 1 } },
    /* Operands kept and not, chains over the kernel and over channels. */
    { WS, 2, 14, 14, 40, 40, 3, 1, 1, 1, 1, 0, 0, 0, RELU, 0, { 1, 5, 6, 16, 3, 3, 40 } },
    { WS, 1, 14, 14, 40, 40, 3, 1, 1, 1, 1, 0, 0, 0, RELU, 0, { 1, 14, 14, 16, 3, 3, 40 } },
    { WS, 1, 14, 14, 40, 20, 3, 2, 1, 1, 1, 0, 0, 0, RELU, 0, { 1, 3, 4, 32, 2, 1, 16 } },
    { WS, 1, 14, 14, 20, 20, 3, 1, 1, 1, 1, 3, 2, 1, RELU, 0, { 1, 2, 3, 16, 3, 2, 20 } },
    { WS, 1, 16, 16, 20, 40, 1, 2, 0, 1, 1, 0, 0, 0, RELU, 0, { 1, 3, 4, 16, 1, 1, 16 } },
    /* Tiles that lie in the padding altogether. */
    { WS, 1, 8, 8, 20, 16, 5, 1, 4, 1, 1, 0, 0, 0, RELU, 0, { 1, 1, 2, 16, 1, 1, 20 } },
    { WS, 1, 9, 9, 20, 20, 3, 1, 1, 2, 1, 0, 0, 0, RELU, 0, { 1, 1, 3, 16, 1, 1, 20 } },
    { CPU, 2, 9, 9, 6, 7, 3, 2, 1, 1, 1, 2, 2, 1, RELU, 0, { 0 } },
    { CPU, 2, 6, 6, 6, 7, 3, 1, 1, 2, 1, 0, 0, 0, RELU, TURNED | WEIGHT_0132 | OUT_1203, { 0 } },
    { CPU, 2, 9, 9, 6, 6, 3, 1, 1, 1, 1, 0, 0, 0, NO_ACTIVATION, DEPTHWISE | NO_BIAS, { 0 } },
};

static int
size_of(const struct conv *v, int in)
{
    int dilated = in + (v->in_dil - 1) * (in - 1);

    return (dilated + 2 * v->pad - (v->kernel + (v->k_dil - 1) * (v->kernel - 1))) / v->stride + 1;
}

static int
pooled(const struct conv *v, int out)
{
    return v->pool_stride ? (out + 2 * v->pool_pad - v->pool) / v->pool_stride + 1 : out;
}

static int
pixel_of(const struct conv *v, int b, int y, int x, int c)
{
    if (v->layout & IN_3120)
        return image[((c * v->rows + y) * v->cols + x) * v->batch + b];
    return image[((b * v->rows + y) * v->cols + x) * v->ins + c];
}

static int
weight_of(const struct conv *v, int y, int x, int i, int o)
{
    int k = v->kernel;

    if (v->layout & TURNED) {
        y = k - 1 - y;
        x = k - 1 - x;
    }
    if (v->layout & DEPTHWISE)
        return weights[(o * k + y) * k + x];
    if (v->layout & WEIGHT_1203)
        return weights[((i * k + y) * k + x) * v->outs + o];
    if (v->layout & WEIGHT_0132)
        return weights[((y * k + x) * v->outs + o) * v->ins + i];
    return weights[((y * k + x) * v->ins + i) * v->outs + o];
}

/* Where kernel element k of output `at` looks, or -1: at a pad, or between pixels. */
static int
seen(const struct conv *v, int at, int k, int n)
{
    int x = at * v->stride + k * v->k_dil - v->pad;

    return x < 0 || x % v->in_dil || x / v->in_dil >= n ? -1 : x / v->in_dil;
}

static int
unpooled(const struct conv *v, int b, int oy, int ox, int o)
{
    int sum = v->layout & NO_BIAS ? 0 : bias[o];
    long y;

    for (int ky = 0; ky < v->kernel; ky++)
        for (int kx = 0; kx < v->kernel; kx++) {
            int iy = seen(v, oy, ky, v->rows), ix = seen(v, ox, kx, v->cols);

            if (iy < 0 || ix < 0)
                continue;
            if (v->layout & DEPTHWISE)
                sum += pixel_of(v, b, iy, ix, o) * weight_of(v, ky, kx, 0, o);
            else
                for (int i = 0; i < v->ins; i++)
                    sum += pixel_of(v, b, iy, ix, i) * weight_of(v, ky, kx, i, o);
        }
    y = lrintf((float)sum * scale);
    y = y < -128 ? -128 : y > 127 ? 127 : y;
    return v->act == RELU && y < 0 ? 0 : (int)y;
}

static int
expected(const struct conv *v, int b, int py, int px, int o)
{
    int most = -128;

    if (!v->pool_stride)
        return unpooled(v, b, py, px, o);
    for (int wy = 0; wy < v->pool; wy++)
        for (int wx = 0; wx < v->pool; wx++) {
            int y = py * v->pool_stride + wy - v->pool_pad;
            int x = px * v->pool_stride + wx - v->pool_pad, value = 0;

            if (y >= 0 && x >= 0 && y < size_of(v, v->rows) && x < size_of(v, v->cols))
                value = unpooled(v, b, y, x, o);
            most = value > most ? value : most;
        }
    return most;
}

static void
convolve(const struct conv *v)
{
    int oy = size_of(v, v->rows), ox = size_of(v, v->cols), l = v->layout;
    const acc_t *d = l & NO_BIAS ? NULL : bias;
    const int *t = v->tile;

    if (l & DEPTHWISE && t[0])
        tiled_conv_dw(v->batch, v->rows, v->cols, v->ins, oy, ox, v->stride, v->pad, v->kernel,
            t[0], t[1], t[2], t[4], t[5], image, weights, d, result, v->act, scale, v->pool,
            v->pool_stride, v->pool_pad, v->on);
    else if (l & DEPTHWISE)
        tiled_conv_dw_auto(v->batch, v->rows, v->cols, v->ins, oy, ox, v->stride, v->pad,
            v->kernel, image, weights, d, result, v->act, scale, v->pool, v->pool_stride,
            v->pool_pad, v->on);
    else if (t[0])
        tiled_conv(v->batch, v->rows, v->cols, v->ins, v->outs, oy, ox, v->stride, v->in_dil,
            v->k_dil, v->pad, v->kernel, v->ins, v->outs, v->outs, l & TURNED, l & OUT_1203,
            l & IN_3120, l & WEIGHT_1203, l & WEIGHT_0132, t[0], t[1], t[2], t[3], t[4], t[5],
            t[6], image, weights, d, result, v->act, scale, v->pool, v->pool_stride,
            v->pool_pad, v->on);
    else
        tiled_conv_auto(v->batch, v->rows, v->cols, v->ins, v->outs, oy, ox, v->stride,
            v->in_dil, v->k_dil, v->pad, v->kernel, l & TURNED, l & OUT_1203, l & IN_3120,
            l & WEIGHT_1203, l & WEIGHT_0132, image, weights, d, result, v->act, scale,
            v->pool, v->pool_stride, v->pool_pad, v->on);
}

static int
check(const struct conv *v)
{
    int rows = pooled(v, size_of(v, v->rows)), cols = pooled(v, size_of(v, v->cols)), wrong = 0;

    memset(result, 85, sizeof result);
    convolve(v);
    for (int i = 0; i < v->batch * rows * cols * v->outs; i++) {
        int o = i % v->outs, x = i / v->outs % cols, y = i / v->outs / cols % rows;
        int b = i / v->outs / cols / rows, at = i;

        if (v->layout & OUT_1203)
            at = ((y * cols + x) * v->batch + b) * v->outs + o;
        wrong += result[at] != expected(v, b, y, x, o);
    }
    return wrong + (result[v->batch * rows * cols * v->outs] != 85);
}

static void
times(void)
{
    static elem_t in[56 * 56 * 64], w[9 * 64 * 64], out[56 * 56 * 64];
    unsigned long start = read_cycles(), middle, end;

    tiled_conv_dw_auto(1, 28, 28, 32, 28, 28, 1, 1, 3, in, w, bias, out, NO_ACTIVATION, scale,
        0, 0, 0, WS);
    middle = read_cycles();
    tiled_conv_auto(1, 56, 56, 64, 64, 56, 56, 1, 1, 1, 1, 3, false, false, false, false, false,
        in, w, bias, out, NO_ACTIVATION, scale, 0, 0, 0, WS);
    end = read_cycles();
    printf("time %lu %lu\n", middle - start, end - middle);
}

int
main(void)
{
    gemmini_flush(0);
    for (int i = 0; i < IMAGE; i++)
        image[i] = (elem_t)(rand() % 256 - 128);
    for (int i = 0; i < WEIGHTS; i++)
        weights[i] = (elem_t)(rand() % 64 - 32);
    for (int i = 0; i < CHANNELS; i++)
        bias[i] = rand() % 10000 - 5000;
    for (size_t i = 0; i < sizeof convs / sizeof convs[0]; i++)
        printf("conv %d wrong %d\n", (int)i, check(&convs[i]));
    times();
    return 0;
}
