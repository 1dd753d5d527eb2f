/* The default target (gemmini-16) as the usual C macros and types; a program for another
 * configuration brings the gemmini_params.h that its hardware generator wrote. */
#ifndef GEMMINI_PARAMS_H
#define GEMMINI_PARAMS_H
#include <limits.h>
#include <stdint.h>

/* ---- the array and its memories, in elements and rows */
#define XCUSTOM_ACC       3
#define DIM               16
#define ADDR_LEN          32
#define BANK_NUM          4
#define BANK_ROWS         4096
#define ACC_ROWS          1024
#define MAX_BYTES         64
#define MAX_BLOCK_LEN     (MAX_BYTES / DIM)
#define MAX_BLOCK_LEN_ACC (MAX_BYTES / (DIM * 4))

/* ---- types */
typedef int8_t elem_t;
typedef int32_t acc_t;
typedef int64_t full_t;
typedef float scale_t;
typedef uint32_t scale_t_bits;
typedef int32_t scale_acc_t;
typedef uint32_t scale_acc_t_bits;
typedef float acc_scale_t;
typedef uint32_t acc_scale_t_bits;

static const elem_t elem_t_max = 127, elem_t_min = -128;
static const acc_t acc_t_max = INT32_MAX, acc_t_min = INT32_MIN;

#define row_align(blocks)     __attribute__((aligned((blocks) * DIM * sizeof(elem_t))))
#define row_align_acc(blocks) __attribute__((aligned((blocks) * DIM * sizeof(acc_t))))

/* ---- what it can do */
#define HAS_MVIN_SCALE
#define ACC_READ_SMALL_WIDTH
#define ACC_READ_FULL_WIDTH
#define HAS_FIRST_LAYER_OPTIMIZATIONS
#define ACC_SCALE_T_IS_FLOAT
#define ACC_SCALE_EXP_BITS 8
#define ACC_SCALE_SIG_BITS 24
#define MVIN_SCALE_IDENTITY 1.0f
#define ACC_SCALE_IDENTITY  1.0f

/* ---- its arithmetic, for references */

/* Nearest integer, ties to even; 0 for what is not a number. */
static inline int64_t
gemmini_nearest(float x)
{
    int64_t whole;
    float rest;

    if (!(x > -9.0e18f && x < 9.0e18f))
        return x > 0 ? INT64_MAX : x < 0 ? INT64_MIN : 0;
    whole = (int64_t)x;
    rest = x - (float)whole;
    if (rest > 0.5f || (rest == 0.5f && (whole & 1)))
        whole++;
    if (rest < -0.5f || (rest == -0.5f && (whole & 1)))
        whole--;
    return whole;
}

static inline int64_t
gemmini_clip(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

/* Shifted right by n, ties to even. */
static inline int64_t
gemmini_shifted(int64_t x, int n)
{
    int64_t half, rest;

    if (n <= 0)
        return x * ((int64_t)1 << -n);
    half = (int64_t)1 << (n - 1);
    rest = x & (2 * half - 1);
    x >>= n;
    return x + (rest > half || (rest == half && (x & 1)));
}

#define ROUND_NEAR_EVEN(x)             gemmini_nearest(x)
#define ROUNDING_RIGHT_SHIFT(x, shift) gemmini_shifted((x), (shift))
#define ROUNDING_RIGHT_SHIFT_BITS(x, shift) gemmini_shifted((x), (shift))
/* An accumulator value as it is stored. */
#define ACC_SCALE(x, scale) \
    ((acc_t)gemmini_clip(gemmini_nearest((float)(x) * (scale)), -128, 127))
/* An element moved in. */
#define MVIN_SCALE(x, scale) \
    ((elem_t)gemmini_clip(gemmini_nearest((float)(x) * (scale)), -128, 127))
#define MVIN_SCALE_ACC(x, scale) (x)

#endif
