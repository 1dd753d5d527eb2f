/* What programs of whole networks take beside the library: the shapes of their layers,
 * products with a check, and layers on the core.  Images are N H W C, or matrices with a
 * row for each pixel. */
#ifndef GEMMINI_NN_H
#define GEMMINI_NN_H
#include <string.h>

#include "gemmini_testutils.h"

struct ConvParams {
    int batch_size;
    int in_row_dim, in_col_dim, out_row_dim, out_col_dim;
    int kernel_size;
    int in_channels, out_channels;
    int in_stride, weight_stride, out_stride;
    int stride, padding;
    bool bias, depthwise;
    int n_patches, patch_size;
    acc_scale_t output_scale;
    scale_t res_scale;
    int pool_size, pool_stride, pool_padding, out_dim_pooled;
    int I, J, K;
};

struct FcParams {
    int batch_size, in_features, out_features;
    acc_scale_t output_scale;
    bool bias;
    int I, J, K;
};

/* ---- products */

/* Ends the program where a row of C is not what the core finds. */
static inline void
gemmini_nn_check(size_t dim_I, size_t dim_J, size_t dim_K, const elem_t *A, const elem_t *B,
    const void *D, const elem_t *C, int act, acc_scale_t scale, bool repeating_bias,
    const char *layer_name)
{
    static elem_t row[4096];

    printf("%s: CPU\n", layer_name);
    gemmini_require(dim_J <= sizeof row / sizeof row[0], "a row is too long to be checked");
    for (size_t i = 0; i < dim_I; i++) {
        const acc_t *d = (const acc_t *)D + (D && !repeating_bias ? i * dim_J : 0);

        matmul_cpu(false, false, 1, dim_J, dim_K, A + i * dim_K, B, D ? d : NULL, row, dim_K,
            dim_J, dim_J, dim_J, MVIN_SCALE_IDENTITY, MVIN_SCALE_IDENTITY, 1, act, scale, 0,
            true);
        if (memcmp(row, C + i * dim_J, dim_J * sizeof row[0])) {
            printf("Layer calculated incorrectly: %s\n", layer_name);
            exit(1);
        }
    }
}

static inline void
tiled_matmul_nn(size_t dim_I, size_t dim_J, size_t dim_K, const elem_t A[dim_I][dim_K],
    const elem_t B[dim_K][dim_J], const void *D, elem_t C[dim_I][dim_J], int act,
    acc_scale_t scale, bool repeating_bias, size_t tile_I, size_t tile_J, size_t tile_K,
    enum tiled_matmul_type_t tiled_matmul_type, bool check, const char *layer_name)
{
    if (check)
        printf("%s: gemmini\n", layer_name);
    tiled_matmul(dim_I, dim_J, dim_K, A[0], B[0], D, C[0], dim_K, dim_J, dim_J, dim_J,
        MVIN_SCALE_IDENTITY, MVIN_SCALE_IDENTITY, 1, act, scale, 0, repeating_bias, tile_I,
        tile_J, tile_K, false, false, false, false, 0, tiled_matmul_type);
    if (check)
        gemmini_nn_check(dim_I, dim_J, dim_K, A[0], B[0], D, C[0], act, scale, repeating_bias,
            layer_name);
}

static inline void
tiled_matmul_nn_auto(size_t dim_I, size_t dim_J, size_t dim_K, const elem_t A[dim_I][dim_K],
    const elem_t B[dim_K][dim_J], const void *D, elem_t C[dim_I][dim_J], int act,
    acc_scale_t scale, bool repeating_bias, enum tiled_matmul_type_t tiled_matmul_type,
    bool check, const char *layer_name)
{
    struct gemmini_tile t = gemmini_tile_search(dim_I, dim_J, dim_K, act, tiled_matmul_type);

    tiled_matmul_nn(dim_I, dim_J, dim_K, A, B, D, C, act, scale, repeating_bias, t.I, t.J, t.K,
        tiled_matmul_type, check, layer_name);
}

static inline void
tiled_matmul_nn_stride_auto(size_t dim_I, size_t dim_J, size_t dim_K, size_t A_stride,
    size_t B_stride, size_t C_stride, const elem_t *A, const elem_t *B, const void *D,
    elem_t *C, int act, acc_scale_t scale, bool repeating_bias,
    enum tiled_matmul_type_t tiled_matmul_type)
{
    tiled_matmul_auto(dim_I, dim_J, dim_K, A, B, D, C, A_stride, B_stride, C_stride, C_stride,
        MVIN_SCALE_IDENTITY, MVIN_SCALE_IDENTITY, 1, act, scale, 0, repeating_bias, false,
        false, false, false, 0, tiled_matmul_type);
}

/* ---- depthwise convolutions, with a ReLU; J: elements from row to row of a matrix */

static inline void
gemmini_nn_conv_dw(int channels, int in_pitch, int out_pitch, const elem_t *input,
    const elem_t *weight, const acc_t *bias, elem_t *output, const struct ConvParams *p)
{
    struct gemmini_conv c = {
        .batch_size = p->batch_size, .in_row_dim = p->in_row_dim, .in_col_dim = p->in_col_dim,
        .in_channels = channels, .out_channels = channels, .out_row_dim = p->out_row_dim,
        .out_col_dim = p->out_col_dim, .stride = p->stride, .input_dilation = 1,
        .kernel_dilation = 1, .padding = p->padding, .kernel_dim = p->kernel_size,
        .in_stride = in_pitch, .out_stride = out_pitch, .input = input, .weights = weight,
        .bias = p->bias ? bias : NULL, .output = output, .act = RELU,
        .scale = p->output_scale, .depthwise = true,
    };

    gemmini_conv_pool(&c, 0, 0, 0);
    gemmini_conv_reference(&c);
}

static inline void
conv_dw(size_t I, size_t J, size_t batch_size, size_t channels, size_t in_row_dim,
    size_t in_col_dim, size_t out_row_dim, size_t out_col_dim, size_t kernel_size,
    const elem_t input[batch_size][in_row_dim][in_col_dim][channels],
    const elem_t weight[channels][kernel_size][kernel_size], const acc_t *bias,
    elem_t output[I][J], const struct ConvParams *params)
{
    (void)out_row_dim;
    (void)out_col_dim;
    gemmini_nn_conv_dw((int)channels, (int)channels, (int)J, input[0][0][0], weight[0][0], bias,
        output[0], params);
}

static inline void
conv_dw_with_col2im(size_t prev_I, size_t prev_J, size_t I, size_t J, size_t batch_size,
    size_t channels, size_t out_row_dim, size_t out_col_dim, size_t kernel_size,
    const elem_t input[prev_I][prev_J],
    const elem_t weight[channels][kernel_size][kernel_size], const acc_t *bias,
    elem_t output[I][J], const struct ConvParams *params)
{
    (void)batch_size;
    (void)out_row_dim;
    (void)out_col_dim;
    gemmini_nn_conv_dw((int)channels, (int)prev_J, (int)J, input[0], weight[0][0], bias,
        output[0], params);
}

/* ---- a row for each place of the kernel; what lies outside of the image is not written */

static inline void
gemmini_nn_patch(int image, int row, int col, int pitch, const elem_t *input, elem_t *to,
    const struct ConvParams *p)
{
    for (int i = 0; i < p->kernel_size * p->kernel_size; i++, to += p->in_channels) {
        int y = row + i / p->kernel_size, x = col + i % p->kernel_size;

        if (y >= 0 && y < p->in_row_dim && x >= 0 && x < p->in_col_dim)
            memcpy(to, input + ((image * p->in_row_dim + y) * p->in_col_dim + x) * pitch,
                (size_t)p->in_channels * sizeof *to);
    }
}

static inline void
gemmini_nn_im2col(int pitch, size_t K, const elem_t *input, elem_t *output,
    const struct ConvParams *p)
{
    int rows = p->in_row_dim + p->padding - p->kernel_size;
    int cols = p->in_col_dim + p->padding - p->kernel_size;

    for (int n = 0; n < p->batch_size; n++)
        for (int y = -p->padding; y <= rows; y += p->stride)
            for (int x = -p->padding; x <= cols; x += p->stride, output += K)
                gemmini_nn_patch(n, y, x, pitch, input, output, p);
}

static inline void
im2col(size_t batch_size, size_t channels, size_t im_row_dim, size_t im_col_dim, size_t I,
    size_t K, const elem_t input[batch_size][im_row_dim][im_col_dim][channels],
    elem_t output[I][K], const struct ConvParams *params)
{
    gemmini_nn_im2col((int)channels, K, input[0][0][0], output[0], params);
}

static inline void
im2col_with_col2im(size_t prev_I, size_t prev_J, size_t next_I, size_t next_K,
    const elem_t input[prev_I][prev_J], elem_t output[next_I][next_K],
    const struct ConvParams *params)
{
    gemmini_nn_im2col((int)prev_J, next_K, input[0], output[0], params);
}

/* ---- sums: A is scaled, B is not */

static inline void
vecadd(size_t len, const elem_t *A, const elem_t *B, elem_t *C, scale_t A_shift)
{
    for (size_t i = 0; i < len; i++)
        C[i] = scale_and_sat(gemmini_scaled(A[i], A_shift) + B[i], NO_ACTIVATION,
            ACC_SCALE_IDENTITY, 0);
}

/* Of the pooled outputs; dim: pixels of a side in memory, pitches from pixel to pixel. */
static inline void
gemmini_nn_resadd(int dim, size_t A_pitch, size_t B_pitch, size_t C_pitch, const elem_t *A,
    const elem_t *B, elem_t *C, bool relu, const struct ConvParams *p)
{
    int n = p->out_dim_pooled;

    for (int i = 0; i < p->batch_size * n * n; i++) {
        size_t at = (size_t)((i / n / n * dim + i / n % n) * dim + i % n);

        resadd_cpu(1, (size_t)p->out_channels, 0, p->res_scale, MVIN_SCALE_IDENTITY,
            ACC_SCALE_IDENTITY, A + at * A_pitch, B + at * B_pitch, C + at * C_pitch, relu);
    }
}

static inline void
resadd1(size_t batch_size, size_t channels, size_t im_dim,
    const elem_t A[batch_size][im_dim][im_dim][channels],
    const elem_t B[batch_size][im_dim][im_dim][channels],
    elem_t C[batch_size][im_dim][im_dim][channels], bool relu, const struct ConvParams *params)
{
    gemmini_nn_resadd((int)im_dim, channels, channels, channels, A[0][0][0], B[0][0][0],
        C[0][0][0], relu, params);
}

static inline void
resadd2(size_t I, size_t J, size_t batch_size, size_t channels, size_t im_dim,
    const elem_t A[I][J], const elem_t B[batch_size][im_dim][im_dim][channels],
    elem_t C[batch_size][im_dim][im_dim][channels], bool relu, const struct ConvParams *params)
{
    gemmini_nn_resadd(params->out_dim_pooled, J, channels, channels, A[0], B[0][0][0],
        C[0][0][0], relu, params);
}

static inline void
resadd3(size_t I, size_t J, const elem_t A[I][J], const elem_t B[I][J], elem_t C[I][J],
    bool relu, const struct ConvParams *params)
{
    gemmini_nn_resadd(params->out_dim_pooled, J, J, J, A[0], B[0], C[0], relu, params);
}

/* ---- pooling, with zeros around the image */

static inline elem_t
gemmini_nn_window(int image, int row, int col, int rows, int cols, size_t pitch,
    const elem_t *input, const struct ConvParams *p)
{
    elem_t most = elem_t_min;

    for (int i = 0; i < p->pool_size * p->pool_size; i++) {
        int y = row + i / p->pool_size, x = col + i % p->pool_size;
        bool inside = y >= 0 && y < rows && x >= 0 && x < cols;
        elem_t value = inside ? input[(size_t)((image * rows + y) * cols + x) * pitch] : 0;

        most = value > most ? value : most;
    }
    return most;
}

static inline void
gemmini_nn_pool(size_t batches, size_t channels, int rows, int cols, size_t out_rows,
    size_t out_cols, size_t pitch, const elem_t *input, elem_t *output,
    const struct ConvParams *p)
{
    size_t out = out_rows * out_cols;

    for (size_t i = 0; i < batches * out * channels; i++) {
        size_t pixel = i / channels, at = pixel % out;

        output[i] = gemmini_nn_window((int)(pixel / out),
            (int)(at / out_cols) * p->pool_stride - p->pool_padding,
            (int)(at % out_cols) * p->pool_stride - p->pool_padding, rows, cols, pitch,
            input + i % channels, p);
    }
}

static inline void
pool(size_t batch_size, size_t channels, size_t in_row_dim, size_t in_col_dim,
    size_t out_row_dim, size_t out_col_dim,
    elem_t input[batch_size][in_row_dim][in_col_dim][channels],
    elem_t output[batch_size][out_row_dim][out_col_dim][channels],
    const struct ConvParams *params)
{
    gemmini_nn_pool(batch_size, channels, (int)in_row_dim, (int)in_col_dim, out_row_dim,
        out_col_dim, channels, input[0][0][0], output[0][0][0], params);
}

static inline void
pool_with_col2im(size_t I, size_t J, size_t batch_size, size_t channels, size_t out_row_dim,
    size_t out_col_dim, elem_t input[I][J],
    elem_t output[batch_size][out_row_dim][out_col_dim][channels],
    const struct ConvParams *params)
{
    gemmini_nn_pool(batch_size, channels, params->out_row_dim, params->out_col_dim, out_row_dim,
        out_col_dim, J, input[0], output[0][0][0], params);
}

#endif
