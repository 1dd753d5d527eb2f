/* Layers on the core, in plain C: what programs compare the array's results with, and
 * what CPU selects in the library.  Integers come out as on the array, bit for bit, with
 * scales above 0; floats are summed in another order.  -ffast-math would move roundings.
 * Included by gemmini.h. */
#ifndef GEMMINI_REFERENCE_H
#define GEMMINI_REFERENCE_H
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "gemmini_norm.h"

/* ---- numbers */

/* An element on its way in. */
static inline elem_t
gemmini_scaled(elem_t x, scale_t scale)
{
#ifdef HAS_MVIN_SCALE
    if (scale != (scale_t)MVIN_SCALE_IDENTITY)
        return MVIN_SCALE(x, scale);
#else
    (void)scale;
#endif
    return x;
}

#ifdef HAS_MVIN_ACC_SCALE
#define GEMMINI_ACC_SCALE(x, scale) MVIN_SCALE_ACC((x), (scale))
#else
#define GEMMINI_ACC_SCALE(x, scale) ((void)(scale), (x))
#endif

/* A sum on its way out. */
static inline elem_t
scale_and_sat(acc_t x, int act, acc_scale_t scale, acc_scale_t bert_scale)
{
    if (act == IGELU)
        x = gemmini_igelu(x, bert_scale);
    x = ACC_SCALE(x, scale);
    x = x > elem_t_max ? elem_t_max : x < elem_t_min ? elem_t_min : x;
    return (elem_t)(act == RELU && x < 0 ? 0 : x);
}

/* ---- products */
struct gemmini_matmul {
    size_t I, J, K;                  /* C is I x J, K products for each element */
    const elem_t *A, *B;
    const void *D;                   /* acc_t, or elem_t if low_D; NULL: no bias */
    void *C;                         /* elem_t, or acc_t if full_C */
    size_t A_stride, B_stride, D_stride, C_stride;
    scale_t A_scale, B_scale;
    scale_acc_t D_scale;
    int act;
    acc_scale_t scale, bert_scale;
    bool repeating_bias;             /* D is one row */
    bool A_transpose, B_transpose, full_C, low_D;
};

static inline acc_t
gemmini_matmul_bias(const struct gemmini_matmul *m, size_t i, size_t j)
{
    size_t at = (m->repeating_bias ? 0 : i * m->D_stride) + j;

    if (!m->D)
        return 0;
    if (m->low_D)
        return gemmini_scaled(((const elem_t *)m->D)[at], (scale_t)m->D_scale);
    return GEMMINI_ACC_SCALE(((const acc_t *)m->D)[at], m->D_scale);
}

static inline acc_t
gemmini_matmul_sum(const struct gemmini_matmul *m, size_t i, size_t j)
{
    const elem_t *a = m->A + (m->A_transpose ? i : i * m->A_stride);
    const elem_t *b = m->B + (m->B_transpose ? j * m->B_stride : j);
    size_t a_step = m->A_transpose ? m->A_stride : 1, b_step = m->B_transpose ? 1 : m->B_stride;
    acc_t sum = gemmini_matmul_bias(m, i, j);

    for (size_t k = 0; k < m->K; k++)
        sum += gemmini_scaled(a[k * a_step], m->A_scale)
            * gemmini_scaled(b[k * b_step], m->B_scale);
    return sum;
}

static inline void
gemmini_matmul_put(const struct gemmini_matmul *m, size_t i, size_t j, acc_t sum, acc_scale_t scale)
{
    size_t at = i * m->C_stride + j;

    if (m->full_C)
        ((acc_t *)m->C)[at] = sum;
    else
        ((elem_t *)m->C)[at] = scale_and_sat(sum, m->act, scale, m->bert_scale);
}

/* A row whose elements depend on each other. */
static inline void
gemmini_matmul_norm(const struct gemmini_matmul *m, size_t i)
{
    static acc_t row[1024];
    acc_scale_t scale = m->scale;

    if (m->J > sizeof row / sizeof row[0]) {
        printf("the core normalises rows of up to %d\n", (int)(sizeof row / sizeof row[0]));
        exit(1);
    }
    for (size_t j = 0; j < m->J; j++)
        row[j] = gemmini_matmul_sum(m, i, j);
    if (m->act == SOFTMAX)
        scale = gemmini_softmax(row, m->J, m->bert_scale);
    else
        gemmini_layernorm(row, m->J);
    for (size_t j = 0; j < m->J; j++)
        gemmini_matmul_put(m, i, j, row[j], scale);
}

static inline void
gemmini_matmul_reference(const struct gemmini_matmul *m)
{
    for (size_t i = 0; i < m->I; i++) {
        if (m->act == LAYERNORM || m->act == SOFTMAX) {
            gemmini_matmul_norm(m, i);
            continue;
        }
        for (size_t j = 0; j < m->J; j++)
            gemmini_matmul_put(m, i, j, gemmini_matmul_sum(m, i, j), m->scale);
    }
}

static inline void
matmul_cpu(bool transA, bool transB, size_t DIM_I, size_t DIM_J, size_t DIM_K,
    const elem_t *A, const elem_t *B, const acc_t *D, elem_t *C,
    size_t stride_A, size_t stride_B, size_t stride_D, size_t stride_C,
    scale_t A_scale_factor, scale_t B_scale_factor, scale_acc_t D_scale_factor,
    int act, acc_scale_t scale, acc_scale_t bert_scale, bool repeating_bias)
{
    struct gemmini_matmul m = {
        DIM_I, DIM_J, DIM_K, A, B, D, C, stride_A, stride_B, stride_D, stride_C,
        A_scale_factor, B_scale_factor, D_scale_factor, act, scale, bert_scale,
        repeating_bias, transA, transB, false, false,
    };

    gemmini_matmul_reference(&m);
}

/* ---- element by element */

static inline void
resadd_cpu(size_t I, size_t J, size_t stride, scale_t A_scale, scale_t B_scale,
    acc_scale_t C_scale, const elem_t *A, const elem_t *B, elem_t *C, bool relu)
{
    for (size_t i = 0; i < I; i++)
        for (size_t j = 0; j < J; j++) {
            size_t at = i * stride + j;
            acc_t sum = gemmini_scaled(A[at], A_scale) + gemmini_scaled(B[at], B_scale);

            C[at] = scale_and_sat(sum, relu ? RELU : NO_ACTIVATION, C_scale, 0);
        }
}

/* Halves are rounded up, where the array rounds them to even. */
static inline void
global_average_cpu(const elem_t *input, elem_t *output, int batches, int channels, int dim)
{
    int count = dim * dim;

    for (int b = 0; b < batches; b++)
        for (int c = 0; c < channels; c++) {
            const elem_t *in = input + (size_t)b * (size_t)(count * channels) + c;
            acc_t sum = 0;

            for (int i = 0; i < count; i++)
                sum += in[i * channels];
#ifdef ELEM_T_IS_FLOAT
            output[b * channels + c] = sum / (acc_t)count;
#else
            output[b * channels + c] = (elem_t)((sum + count / 2) / count);
#endif
        }
}

#endif
