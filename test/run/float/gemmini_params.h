/* An array of 4 x 4 floats, as the header that a hardware generator writes says it. */
#ifndef GEMMINI_PARAMS_H
#define GEMMINI_PARAMS_H
#include <float.h>
#include <stdint.h>

#define XCUSTOM_ACC       3
#define DIM               4
#define ADDR_LEN          32
#define BANK_NUM          4
#define BANK_ROWS         4096
#define ACC_ROWS          4096
#define MAX_BYTES         64
#define MAX_BLOCK_LEN     4
#define MAX_BLOCK_LEN_ACC 4

typedef float elem_t, acc_t, scale_t, scale_acc_t, acc_scale_t;
typedef uint32_t elem_t_bits, acc_t_bits, scale_t_bits, scale_acc_t_bits, acc_scale_t_bits;
typedef double full_t;
static const elem_t elem_t_max = FLT_MAX;
static const elem_t elem_t_min = -FLT_MAX;

#define ELEM_T_IS_FLOAT
#define ELEM_T_EXP_BITS 8
#define ELEM_T_SIG_BITS 24
#define ACC_T_EXP_BITS  8
#define ACC_T_SIG_BITS  24
#define HAS_MVIN_SCALE
#define HAS_MVIN_ACC_SCALE
#define ACC_SCALE_T_IS_FLOAT
#define ACC_SCALE_EXP_BITS 8
#define ACC_SCALE_SIG_BITS 24
#define ACC_READ_SMALL_WIDTH
#define ACC_READ_FULL_WIDTH

#define row_align(blocks)     __attribute__((aligned(blocks * DIM * sizeof(elem_t))))
#define row_align_acc(blocks) __attribute__((aligned(blocks * DIM * sizeof(acc_t))))
#define MVIN_SCALE_IDENTITY 1.0
#define ACC_SCALE_IDENTITY  1.0
#define ROUNDING_RIGHT_SHIFT(x, shift)      ((x) / (1 << (shift)))
#define ROUNDING_RIGHT_SHIFT_BITS(x, shift) ((x) / (1 << (shift)))
#define ROUND_NEAR_EVEN(x)       (x)
#define ACC_SCALE(x, scale)      ((x) * (scale))
#define MVIN_SCALE(x, scale)     ((x) * (scale))
#define MVIN_SCALE_ACC(x, scale) ((x) * (scale))

#endif
