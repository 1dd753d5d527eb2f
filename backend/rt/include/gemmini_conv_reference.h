/* Convolutions: what there is to know about one, where its elements lie, and the same in
 * plain C.  Images are N H W C, weights H W I O; depthwise weights are C H W.  Outside of
 * an image everything is 0, for pooling too.  Included by gemmini.h. */
#ifndef GEMMINI_CONV_REFERENCE_H
#define GEMMINI_CONV_REFERENCE_H
#include "gemmini_reference.h"

struct gemmini_conv {
    int batch_size, in_row_dim, in_col_dim, in_channels;
    int out_channels, out_row_dim, out_col_dim;          /* before pooling */
    int stride, input_dilation, kernel_dilation, padding, kernel_dim;
    int in_stride, weight_stride, out_stride;            /* elements from pixel to pixel */
    bool wrot180;                                        /* kernels are turned */
    bool trans_output_1203, trans_input_3120;            /* H W N C, C H W N in memory */
    bool trans_weight_1203, trans_weight_0132;           /* I H W O, H W O I in memory */
    const elem_t *input, *weights;
    const acc_t *bias;                                   /* NULL: none */
    elem_t *output;
    int act;
    acc_scale_t scale;
    int pool_size, pool_stride, pool_padding;
    bool no_pool, depthwise;
    int pooled_rows, pooled_cols;
};

/* No pooling is a window of one. */
static inline void
gemmini_conv_pool(struct gemmini_conv *c, int size, int stride, int padding)
{
    c->no_pool = stride == 0;
    c->pool_size = c->no_pool ? 1 : size;
    c->pool_stride = c->no_pool ? 1 : stride;
    c->pool_padding = c->no_pool ? 0 : padding;
    c->pooled_rows = (c->out_row_dim + 2 * c->pool_padding - c->pool_size) / c->pool_stride + 1;
    c->pooled_cols = (c->out_col_dim + 2 * c->pool_padding - c->pool_size) / c->pool_stride + 1;
}

static inline struct gemmini_conv
gemmini_conv_of(int batch_size, int in_row_dim, int in_col_dim, int in_channels,
    int out_channels, int out_row_dim, int out_col_dim,
    int stride, int input_dilation, int kernel_dilation, int padding, int kernel_dim,
    int in_stride, int weight_stride, int out_stride,
    bool wrot180, bool trans_output_1203, bool trans_input_3120,
    bool trans_weight_1203, bool trans_weight_0132,
    const elem_t *input, const elem_t *weights, const acc_t *bias, elem_t *output,
    int act, acc_scale_t scale, int pool_size, int pool_stride, int pool_padding)
{
    struct gemmini_conv c = {
        .batch_size = batch_size, .in_row_dim = in_row_dim, .in_col_dim = in_col_dim,
        .in_channels = in_channels, .out_channels = out_channels,
        .out_row_dim = out_row_dim, .out_col_dim = out_col_dim,
        .stride = stride, .input_dilation = input_dilation, .kernel_dilation = kernel_dilation,
        .padding = padding, .kernel_dim = kernel_dim,
        .in_stride = in_stride, .weight_stride = weight_stride, .out_stride = out_stride,
        .wrot180 = wrot180, .trans_output_1203 = trans_output_1203,
        .trans_input_3120 = trans_input_3120, .trans_weight_1203 = trans_weight_1203,
        .trans_weight_0132 = trans_weight_0132,
        .input = input, .weights = weights, .bias = bias, .output = output,
        .act = act, .scale = scale,
    };

    gemmini_conv_pool(&c, pool_size, pool_stride, pool_padding);
    return c;
}

/* For functions with parameters of these names. */
#define GEMMINI_CONV_HERE \
    gemmini_conv_of(batch_size, in_row_dim, in_col_dim, in_channels, out_channels, out_row_dim, \
        out_col_dim, stride, input_dilation, kernel_dilation, padding, kernel_dim, in_stride, \
        weight_stride, out_stride, wrot180, trans_output_1203, trans_input_3120, \
        trans_weight_1203, trans_weight_0132, input, weights, bias, output, act, scale, \
        pool_size, pool_stride, pool_padding)
#define GEMMINI_CONV_DW_HERE \
    gemmini_conv_dw_of(batch_size, in_row_dim, in_col_dim, channels, out_row_dim, out_col_dim, \
        stride, padding, kernel_dim, input, weights, bias, output, act, scale, pool_size, \
        pool_stride, pool_padding)

/* A kernel for each channel. */
static inline struct gemmini_conv
gemmini_conv_dw_of(int batch_size, int in_row_dim, int in_col_dim, int channels,
    int out_row_dim, int out_col_dim, int stride, int padding, int kernel_dim,
    const elem_t *input, const elem_t *weights, const acc_t *bias, elem_t *output,
    int act, acc_scale_t scale, int pool_size, int pool_stride, int pool_padding)
{
    struct gemmini_conv c = gemmini_conv_of(batch_size, in_row_dim, in_col_dim, channels,
        channels, out_row_dim, out_col_dim, stride, 1, 1, padding, kernel_dim,
        channels, 1, channels, false, false, false, false, false,
        input, weights, bias, output, act, scale, pool_size, pool_stride, pool_padding);

    c.depthwise = true;
    return c;
}

/* ---- where elements lie: numbers of elements from the first */

static inline size_t
gemmini_conv_in(const struct gemmini_conv *c, int batch, int row, int col, int channel)
{
    int pixel = row * c->in_col_dim + col, pixels = c->in_row_dim * c->in_col_dim;

    return c->trans_input_3120
        ? (size_t)(channel * pixels + pixel) * (size_t)c->batch_size + (size_t)batch
        : (size_t)(batch * pixels + pixel) * (size_t)c->in_stride + (size_t)channel;
}

static inline size_t
gemmini_conv_weight(const struct gemmini_conv *c, int row, int col, int in, int out)
{
    int k = c->kernel_dim, at = row * k + col;

    if (c->depthwise)
        return (size_t)(out * k * k + at);
    if (c->trans_weight_1203)
        return (size_t)(in * k * k + at) * (size_t)c->out_channels + (size_t)out;
    if (c->trans_weight_0132)
        return (size_t)(at * c->out_channels + out) * (size_t)c->in_channels + (size_t)in;
    return (size_t)(at * c->in_channels + in) * (size_t)c->weight_stride + (size_t)out;
}

static inline size_t
gemmini_conv_out(const struct gemmini_conv *c, int batch, int row, int col, int channel)
{
    int pixel = row * c->pooled_cols + col, pixels = c->pooled_rows * c->pooled_cols;

    return c->trans_output_1203
        ? (size_t)(pixel * c->batch_size + batch) * (size_t)c->out_channels + (size_t)channel
        : (size_t)(batch * pixels + pixel) * (size_t)c->out_stride + (size_t)channel;
}

/* ---- plain C */

/* The row or column that kernel element k sees from output `at`; negative: none. */
static inline int
gemmini_conv_seen(const struct gemmini_conv *c, int at, int k, int limit)
{
    int x = at * c->stride + k * c->kernel_dilation - c->padding;

    if (x < 0 || x % c->input_dilation)
        return -1;
    x /= c->input_dilation;
    return x < limit ? x : -1;
}

static inline acc_t
gemmini_conv_tap(const struct gemmini_conv *c, int batch, int row, int col, int krow, int kcol,
    int out)
{
    int channels = c->depthwise ? 1 : c->in_channels, last = c->kernel_dim - 1;
    const elem_t *in = c->input + gemmini_conv_in(c, batch, row, col, c->depthwise ? out : 0);
    const elem_t *w = c->weights + gemmini_conv_weight(c, c->wrot180 ? last - krow : krow,
        c->wrot180 ? last - kcol : kcol, 0, out);
    size_t in_step = gemmini_conv_in(c, 0, 0, 0, 1), w_step = gemmini_conv_weight(c, 0, 0, 1, 0);
    acc_t sum = 0;

    for (int i = 0; i < channels; i++)
        sum += in[(size_t)i * in_step] * w[(size_t)i * w_step];
    return sum;
}

static inline elem_t
gemmini_conv_pixel(const struct gemmini_conv *c, int batch, int orow, int ocol, int out)
{
    acc_t sum = c->bias ? c->bias[out] : 0;

    for (int krow = 0; krow < c->kernel_dim; krow++) {
        int row = gemmini_conv_seen(c, orow, krow, c->in_row_dim);

        for (int kcol = 0; row >= 0 && kcol < c->kernel_dim; kcol++) {
            int col = gemmini_conv_seen(c, ocol, kcol, c->in_col_dim);

            if (col >= 0)
                sum += gemmini_conv_tap(c, batch, row, col, krow, kcol, out);
        }
    }
    return scale_and_sat(sum, c->act, c->scale, 0);
}

static inline elem_t
gemmini_conv_pooled(const struct gemmini_conv *c, int batch, int prow, int pcol, int out)
{
    elem_t most = elem_t_min;

    for (int i = 0; i < c->pool_size * c->pool_size; i++) {
        int row = prow * c->pool_stride + i / c->pool_size - c->pool_padding;
        int col = pcol * c->pool_stride + i % c->pool_size - c->pool_padding;
        bool inside = row >= 0 && row < c->out_row_dim && col >= 0 && col < c->out_col_dim;
        elem_t x = inside ? gemmini_conv_pixel(c, batch, row, col, out) : 0;

        most = x > most ? x : most;
    }
    return most;
}

static inline void
gemmini_conv_reference(const struct gemmini_conv *c)
{
    for (int b = 0; b < c->batch_size; b++)
        for (int row = 0; row < c->pooled_rows; row++)
            for (int col = 0; col < c->pooled_cols; col++)
                for (int out = 0; out < c->out_channels; out++)
                    c->output[gemmini_conv_out(c, b, row, col, out)]
                        = gemmini_conv_pooled(c, b, row, col, out);
}

static inline void
conv_cpu(int batch_size, int in_row_dim, int in_col_dim, int in_channels,
    int out_channels, int out_row_dim, int out_col_dim,
    int stride, int input_dilation, int kernel_dilation, int padding, int kernel_dim,
    int in_stride, int weight_stride, int out_stride,
    bool wrot180, bool trans_output_1203, bool trans_input_3120,
    bool trans_weight_1203, bool trans_weight_0132,
    const elem_t *input, const elem_t *weights, const acc_t *bias, elem_t *output,
    int act, acc_scale_t scale, int pool_size, int pool_stride, int pool_padding)
{
    struct gemmini_conv c = GEMMINI_CONV_HERE;

    gemmini_conv_reference(&c);
}

static inline void
conv_dw_cpu(int batch_size, int in_row_dim, int in_col_dim, int channels,
    int out_row_dim, int out_col_dim, int stride, int padding, int kernel_dim,
    const elem_t *input, const elem_t *weights, const acc_t *bias, elem_t *output,
    int act, acc_scale_t scale, int pool_size, int pool_stride, int pool_padding)
{
    struct gemmini_conv c = GEMMINI_CONV_DW_HERE;

    gemmini_conv_reference(&c);
}

#endif
