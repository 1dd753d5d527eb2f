/* Sums of two tensors, global averages and normalisations of rows, by the accumulator
 * alone.  The first two rely on mvins to the same rows that nothing orders, as in
 * Gemmini's own C library.  All calls begin and end with a fence.  Included by gemmini.h. */
#ifndef GEMMINI_ELEMENTWISE_H
#define GEMMINI_ELEMENTWISE_H
#include "gemmini_matmul.h"

/* ---- clip((A * A_scale + B * B_scale) * C_scale) */

/* By the residual mode of the hardware's loop. */
static inline void
sp_tiled_resadd(size_t I, size_t J, scale_t A_scale, scale_t B_scale, const elem_t *A,
    const elem_t *B, elem_t *C, size_t A_row_stride, size_t B_row_stride, size_t C_row_stride,
    bool relu)
{
    size_t rows = gemmini_blocks(I), cols = gemmini_blocks(J);

    (void)A_scale;
    (void)B_scale;
    gemmini_loop_ws(rows, cols, 0, rows * DIM - I, cols * DIM - J, 0, A, B, 0, C, A_row_stride,
        B_row_stride, 0, C_row_stride, 0, 0, 0, 0, 0, relu, 0, 0, 1);
}

/* Tiles in rows and columns. */
static inline void
tiled_resadd(size_t I, size_t J, size_t stride, size_t tile_I, size_t tile_J,
    scale_t A_scale, scale_t B_scale, acc_scale_t C_scale,
    const elem_t *A, const elem_t *B, elem_t *C, bool relu,
    enum tiled_matmul_type_t matadd_type)
{
    (void)matadd_type;
    gemmini_fence();
    gemmini_extended_config_st(stride * sizeof(elem_t), relu ? RELU : NO_ACTIVATION, C_scale);
    gemmini_config_ex(WEIGHT_STATIONARY, NO_ACTIVATION, 0);
    gemmini_extended3_config_ld(stride * sizeof(elem_t), A_scale, 1, 0);
    gemmini_extended3_config_ld(stride * sizeof(elem_t), B_scale, 1, 1);
    for (size_t i = 0; i < I; i += tile_I)
        for (size_t j = 0; j < J; j += tile_J) {
            size_t at = i * stride + j;

            sp_tiled_resadd(gemmini_least(tile_I, I - i), gemmini_least(tile_J, J - j),
                A_scale, B_scale, A + at, B + at, C + at, stride, stride, stride, relu);
        }
    gemmini_fence();
}

static inline void
tiled_resadd_stride_auto(size_t I, size_t J, scale_t A_scale, scale_t B_scale,
    acc_scale_t C_scale, size_t stride, const elem_t *A, const elem_t *B, elem_t *C, bool relu,
    enum tiled_matmul_type_t matadd_type)
{
    size_t rows = I, cols = J;

    if (matadd_type == CPU) {
        resadd_cpu(I, J, stride, A_scale, B_scale, C_scale, A, B, C, relu);
        return;
    }
    gemmini_require(matadd_type == WS, "sums run weight-stationary or on the core");
    while (tiled_matmul_total_acc_rows(gemmini_blocks(rows), gemmini_blocks(cols)) > ACC_ROWS / 2)
        if (rows >= cols || cols <= DIM)
            rows /= 2;
        else
            cols -= DIM;
    tiled_resadd(I, J, stride, rows, cols, A_scale, B_scale, C_scale, A, B, C, relu, matadd_type);
}

static inline void
tiled_resadd_auto(size_t I, size_t J, scale_t A_scale, scale_t B_scale, acc_scale_t C_scale,
    const elem_t *A, const elem_t *B, elem_t *C, bool relu,
    enum tiled_matmul_type_t matadd_type)
{
    tiled_resadd_stride_auto(I, J, A_scale, B_scale, C_scale, J, A, B, C, relu, matadd_type);
}

/* ---- averages of square images, one per channel */

/* All pixels go to one row of the accumulator for each DIM channels. */
static inline void
sp_tiled_global_average(const elem_t *input, elem_t *output, int batches, int channels, int dim,
    int channel_tile_size)
{
    const int wide = MAX_BLOCK_LEN * DIM;
    const uint32_t acc = 1u << (ADDR_LEN - 1);

    (void)batches;
    for (int c = 0; c < channel_tile_size; c += wide) {
        int n = channel_tile_size - c < wide ? channel_tile_size - c : wide;

        for (int i = 0; i < dim * dim; i++) {
            uint32_t add = i ? 1u << (ADDR_LEN - 2) : 0;

            gemmini_extended_mvin(input + i * channels + c, acc | add | (uint32_t)(c / DIM), n, 1);
        }
    }
    for (int c = 0; c < channel_tile_size; c += DIM) {
        int n = channel_tile_size - c < DIM ? channel_tile_size - c : DIM;

        gemmini_extended_mvout(output + c, acc | (uint32_t)(c / DIM), n, 1);
    }
}

static inline void
tiled_global_average(const elem_t *input, elem_t *output, int batches, int channels, int dim,
    int channel_tile_size)
{
    gemmini_fence();
    gemmini_extended4_config_ld(DIM * sizeof(elem_t), MVIN_SCALE_IDENTITY, 1, 1, 0);
    gemmini_config_ex(WEIGHT_STATIONARY, NO_ACTIVATION, 0);
    gemmini_extended_config_st(0, NO_ACTIVATION, 1.0f / (float)(dim * dim));
    for (int b = 0; b < batches; b++)
        for (int c = 0; c < channels; c += channel_tile_size) {
            int n = channels - c < channel_tile_size ? channels - c : channel_tile_size;

            sp_tiled_global_average(input + (size_t)b * (size_t)(dim * dim * channels) + c,
                output + b * channels + c, batches, channels, dim, n);
        }
    gemmini_fence();
}

static inline void
tiled_global_average_auto(const elem_t *input, elem_t *output, int batches, int channels,
    int dim, enum tiled_matmul_type_t type)
{
    const int most = ACC_ROWS * DIM;

    if (type == CPU)
        global_average_cpu(input, output, batches, channels, dim);
    else
        tiled_global_average(input, output, batches, channels, dim,
            channels < most ? channels : most);
}

/* ---- LAYERNORM and SOFTMAX of rows of accumulator values */
#ifdef HAS_NORMALIZATIONS
/* One row: moved out three times, twice for its statistics, which nothing writes.
 * commands: of each pass, for all but the last blocks, and for the last. */
static inline void
gemmini_norm_row(uint32_t from, elem_t *to, size_t J, uint32_t first, uint32_t last)
{
    const size_t wide = MAX_BLOCK_LEN * DIM;

    for (size_t j = 0; j < J; j += wide) {
        uint32_t command = j + wide < J ? first : last;

        gemmini_extended_mvout(to + j, from + (uint32_t)j | command << 26,
            gemmini_least(wide, J - j), 1);
    }
}

static inline void
sp_tiled_norm(size_t I, size_t J, const acc_t *in, elem_t *out, size_t A_row_stride,
    size_t C_row_stride, int act)
{
    static const uint32_t passes[2][3][2] = {
        { { 1, 2 }, { 3, 4 }, { 0, 0 } }, { { 5, 5 }, { 6, 7 }, { 0, 0 } },
    };
    const uint32_t acc = 1u << (ADDR_LEN - 1);
    size_t J_blocks = gemmini_blocks(J), wide = MAX_BLOCK_LEN_ACC * DIM;

    for (size_t i = 0; i < I; i += DIM) {
        size_t rows = gemmini_least(DIM, I - i);
        uint32_t at = acc + (uint32_t)(i * J_blocks);

        for (size_t j = 0; j < J; j += wide)
            gemmini_extended_mvin(in + i * A_row_stride + j, at + (uint32_t)j,
                gemmini_least(wide, J - j), rows);
        for (size_t r = 0; r < rows; r += NORM_STAT_IDS)
            for (int pass = 0; pass < 3; pass++)
                for (size_t id = 0; id < gemmini_least(NORM_STAT_IDS, rows - r); id++) {
                    const uint32_t *command = passes[act == SOFTMAX][pass];

                    gemmini_config_norm(0, 0, 1, 0, id, 0, 0);
                    gemmini_norm_row(at + (uint32_t)(r + id), out + (i + r + id) * C_row_stride,
                        J, command[0], command[1]);
                }
    }
}
#else
static inline void
sp_tiled_norm(size_t I, size_t J, const acc_t *in, elem_t *out, size_t A_row_stride,
    size_t C_row_stride, int act)
{
    (void)I, (void)J, (void)in, (void)out, (void)A_row_stride, (void)C_row_stride, (void)act;
    gemmini_require(false, "the target has no normalisations");
}
#endif

static inline void
tiled_norm(size_t I, size_t J, size_t tile_I, size_t tile_J, const acc_t *in, elem_t *out,
    acc_scale_t C_scale, int act, enum tiled_matmul_type_t norm_type)
{
    (void)norm_type;
    gemmini_fence();
    gemmini_extended_config_st(J * sizeof(elem_t), act & 3, C_scale);
    gemmini_config_ex(WEIGHT_STATIONARY, NO_ACTIVATION, 0);
    gemmini_config_ld(J * sizeof(acc_t));
    if (act == SOFTMAX) {
        struct gemmini_softmax s = gemmini_softmax_of(0.05f);

        gemmini_config_norm(s.qln2, 0, 0, 1, 0, s.qb, s.qc);
        gemmini_config_norm(s.qln2_inv, 1, 0, 1, 0, s.qb, s.qc);
    }
    for (size_t i = 0; i < I; i += tile_I)
        for (size_t j = 0; j < J; j += tile_J)
            sp_tiled_norm(gemmini_least(tile_I, I - i), gemmini_least(tile_J, J - j),
                in + i * J + j, out + i * J + j, J, J, act);
    gemmini_fence();
}

static inline void
tiled_norm_auto(size_t I, size_t J, const acc_t *in, elem_t *out, acc_scale_t C_scale, int act,
    enum tiled_matmul_type_t norm_type)
{
    size_t rows = I;

    gemmini_require(norm_type == WS, "normalisations run weight-stationary");
    while (rows && tiled_matmul_total_acc_rows(gemmini_blocks(rows), gemmini_blocks(J)) > ACC_ROWS)
        rows--;
    gemmini_require(rows > 0, "a row does not fit the accumulator");
    tiled_norm(I, J, rows, J, in, out, C_scale, act, norm_type);
}

#endif
