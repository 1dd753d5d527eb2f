/* The array's commands under the names and with the argument orders that C programs
 * for Gemmini use, over gm_rt.h.  Every command keeps the compiler from moving memory
 * accesses across it; gemmini_fence() orders the array and the core.  LOOP_CONV_WS is
 * packed as since 2023-07 (isa_revision 3).  The library that cuts whole layers into
 * commands is in the headers included at the end. */
#ifndef GEMMINI_H
#define GEMMINI_H
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "gemmini_counter.h"
#include <gemmini_params.h>          /* a program's own is found first */
#include "gm_rt.h"

/* ---- numbers of functions and fields */
#define k_CONFIG                0
#define k_MVIN2                 1
#define k_MVIN                  2
#define k_MVOUT                 3
#define k_COMPUTE_PRELOADED     4
#define k_COMPUTE_ACCUMULATE    5
#define k_PRELOAD               6
#define k_FLUSH                 7
#define k_LOOP_WS               8
#define k_LOOP_WS_CONFIG_BOUNDS 9
#define k_LOOP_WS_CONFIG_ADDRS_AB 10
#define k_LOOP_WS_CONFIG_ADDRS_DC 11
#define k_LOOP_WS_CONFIG_STRIDES_AB 12
#define k_LOOP_WS_CONFIG_STRIDES_DC 13
#define k_MVIN3                 14
#define k_LOOP_CONV_WS          15
#define k_LOOP_CONV_WS_CONFIG_1 16
#define k_LOOP_CONV_WS_CONFIG_2 17
#define k_LOOP_CONV_WS_CONFIG_3 18
#define k_LOOP_CONV_WS_CONFIG_4 19
#define k_LOOP_CONV_WS_CONFIG_5 20
#define k_LOOP_CONV_WS_CONFIG_6 21
#define k_COUNTER               126

#define CONFIG_EX   0
#define CONFIG_LD   1
#define CONFIG_ST   2
#define CONFIG_BERT 3

#define OUTPUT_STATIONARY 0
#define WEIGHT_STATIONARY 1
#define NO_ACTIVATION 0
#define RELU          1
#define LAYERNORM     2
#define IGELU         3
#define SOFTMAX       4

#define GARBAGE_ADDR ((uint32_t)-1)

/* Programs take these macros for whole statements, and some write no semicolon. */
#define gemmini_command(funct, rs1, rs2) { gm_cmd(funct, rs1, rs2); }
#define ROCC_INSTRUCTION_RS1_RS2(x, rs1, rs2, funct) gemmini_command(funct, rs1, rs2)

/* ---- fields into operands: x from bit `at` on */
#define gemmini_field(x, at) ((uint64_t)(x) << (at))

/* Local addresses come as int too: their sign does not go into rows and columns. */
#define gemmini_operand(local, cols, rows) \
    (gemmini_field((uint16_t)(rows), 48) | gemmini_field((uint16_t)(cols), 32) \
        | (uint32_t)(local))

static inline uint32_t
gemmini_scale_bits(float scale)
{
    union { float f; uint32_t bits; } u = { scale };

    return u.bits;
}

/* X_to_X_bits(x) and X_bits_to_X(bits). */
#define GEMMINI_BITS_OF(type) \
    static inline type##_bits \
    type##_to_##type##_bits(type x) \
    { \
        union { type x; type##_bits bits; } u = { x }; \
        return u.bits; \
    } \
    static inline type \
    type##_bits_to_##type(type##_bits bits) \
    { \
        union { type##_bits bits; type x; } u = { bits }; \
        return u.x; \
    }
GEMMINI_BITS_OF(scale_t)
GEMMINI_BITS_OF(acc_scale_t)
#ifdef ELEM_T_IS_FLOAT
GEMMINI_BITS_OF(elem_t)
GEMMINI_BITS_OF(acc_t)
#define elem_t_isnan(x) isnan(x)
#define acc_t_isnan(x)  isnan(x)
#endif

/* ---- moves */
#define gemmini_extended_mvin(dram, local, cols, rows) \
    gemmini_command(k_MVIN, dram, gemmini_operand(local, cols, rows))
#define gemmini_extended_mvin2(dram, local, cols, rows) \
    gemmini_command(k_MVIN2, dram, gemmini_operand(local, cols, rows))
#define gemmini_extended_mvin3(dram, local, cols, rows) \
    gemmini_command(k_MVIN3, dram, gemmini_operand(local, cols, rows))
#define gemmini_extended_mvout(dram, local, cols, rows) \
    gemmini_command(k_MVOUT, dram, gemmini_operand(local, cols, rows))
#define gemmini_mvin(dram, local)  gemmini_extended_mvin(dram, local, DIM, DIM)
#define gemmini_mvin2(dram, local) gemmini_extended_mvin2(dram, local, DIM, DIM)
#define gemmini_mvin3(dram, local) gemmini_extended_mvin3(dram, local, DIM, DIM)
#define gemmini_mvout(dram, local) gemmini_extended_mvout(dram, local, DIM, DIM)
/* `len` blocks side by side. */
#define gemmini_block_mvin(dram, local, len) gemmini_extended_mvin(dram, local, (len) * DIM, DIM)

/* ---- products.  BD is B of the weight-stationary dataflow's preload and D of its
 * compute, the other way round when outputs stay. */
#define gemmini_extended_preload(BD, C, BD_cols, BD_rows, C_cols, C_rows) \
    gemmini_command(k_PRELOAD, gemmini_operand(BD, BD_cols, BD_rows), \
        gemmini_operand(C, C_cols, C_rows))
#define gemmini_extended_compute_preloaded(A, BD, A_cols, A_rows, BD_cols, BD_rows) \
    gemmini_command(k_COMPUTE_PRELOADED, gemmini_operand(A, A_cols, A_rows), \
        gemmini_operand(BD, BD_cols, BD_rows))
#define gemmini_extended_compute_accumulated(A, BD, A_cols, A_rows, BD_cols, BD_rows) \
    gemmini_command(k_COMPUTE_ACCUMULATE, gemmini_operand(A, A_cols, A_rows), \
        gemmini_operand(BD, BD_cols, BD_rows))
#define gemmini_preload(BD, C) gemmini_extended_preload(BD, C, DIM, DIM, DIM, DIM)
#define gemmini_preload_zeros(C) gemmini_preload(GARBAGE_ADDR, C)
#define gemmini_compute_preloaded(A, BD) \
    gemmini_extended_compute_preloaded(A, BD, DIM, DIM, DIM, DIM)
#define gemmini_compute_accumulated(A, BD) \
    gemmini_extended_compute_accumulated(A, BD, DIM, DIM, DIM, DIM)

/* ---- configuration */
#define gemmini_extended3_config_ex(dataflow, act, shift, scale, C_stride, A_stride, \
        A_transpose, B_transpose, only_strides) \
    gemmini_command(k_CONFIG, gemmini_field(gemmini_scale_bits((float)(scale)), 32) \
            | gemmini_field((uint16_t)(A_stride), 16) | gemmini_field(B_transpose, 9) \
            | gemmini_field(A_transpose, 8) | gemmini_field(only_strides, 7) \
            | gemmini_field(act, 3) | gemmini_field(dataflow, 2) | CONFIG_EX, \
        gemmini_field((uint16_t)(C_stride), 48) | (uint32_t)(shift))
#define gemmini_extended2_config_ex(dataflow, act, shift, A_stride, A_transpose, B_transpose) \
    gemmini_extended3_config_ex(dataflow, act, shift, ACC_SCALE_IDENTITY, 1, A_stride, \
        A_transpose, B_transpose, 0)
#define gemmini_extended_config_ex(dataflow, act, shift, A_stride, A_transpose, B_transpose) \
    gemmini_extended2_config_ex(dataflow, act, shift, A_stride, A_transpose, B_transpose)
#define gemmini_config_ex(dataflow, act, shift) \
    gemmini_extended_config_ex(dataflow, act, shift, 1, 0, 0)

/* shrunk: elements, not accumulator values, into the accumulator.  id: 0, 1, 2 for
 * mvin, mvin2, mvin3. */
#define gemmini_extended5_config_ld(stride, scale, shrunk, block_stride, repeats, id) \
    gemmini_command(k_CONFIG, gemmini_field(gemmini_scale_bits((float)(scale)), 32) \
            | gemmini_field((uint16_t)(block_stride), 16) | gemmini_field((uint8_t)(repeats), 8) \
            | gemmini_field(id, 3) | gemmini_field(shrunk, 2) | CONFIG_LD, stride)
#define gemmini_extended4_config_ld(stride, scale, shrunk, block_stride, id) \
    gemmini_extended5_config_ld(stride, scale, shrunk, block_stride, 1, id)
#define gemmini_extended3_config_ld(stride, scale, shrunk, id) \
    gemmini_extended4_config_ld(stride, scale, shrunk, DIM, id)
#define gemmini_extended2_config_ld(stride, scale, shrunk) \
    gemmini_extended3_config_ld(stride, scale, shrunk, 0)
#define gemmini_extended_config_ld(stride, scale) gemmini_extended2_config_ld(stride, scale, 0)
#define gemmini_config_ld(stride) gemmini_extended_config_ld(stride, MVIN_SCALE_IDENTITY)

#define gemmini_extended2_config_st(stride, act, scale, pool_stride, pool_size, pool_out_dim, \
        porows, pocols, orows, ocols, upad, lpad) \
    gemmini_command(k_CONFIG, gemmini_field((uint8_t)(ocols), 56) \
            | gemmini_field((uint8_t)(orows), 48) | gemmini_field((uint8_t)(pocols), 40) \
            | gemmini_field((uint8_t)(porows), 32) \
            | gemmini_field((uint8_t)(pool_out_dim), 24) | gemmini_field(lpad, 10) \
            | gemmini_field(upad, 8) | gemmini_field(pool_size, 6) \
            | gemmini_field(pool_stride, 4) | gemmini_field(act, 2) | CONFIG_ST, \
        gemmini_field(gemmini_scale_bits((float)(scale)), 32) | (uint32_t)(stride))
#define gemmini_extended_config_st(stride, act, scale) \
    gemmini_extended2_config_st(stride, act, scale, 0, 0, 0, 0, 0, 0, 0, 0, 0)
#define gemmini_config_st(stride) \
    gemmini_extended_config_st(stride, NO_ACTIVATION, ACC_SCALE_IDENTITY)

/* Only on targets with normalisations: others take it for a mvout. */
#define gemmini_config_norm(q_const, q_const_type, only_id, act_msb, stat_id, qb, qc) \
    gemmini_command(k_CONFIG, gemmini_field((uint32_t)(q_const), 32) \
            | gemmini_field(q_const_type, 18) | gemmini_field(only_id, 17) \
            | gemmini_field(act_msb, 16) \
            | gemmini_field((uint8_t)(stat_id), 8) | CONFIG_BERT, \
        gemmini_field((uint32_t)(qc), 32) | (uint32_t)(qb))

/* ---- order */
#define gemmini_flush(skip) gemmini_command(k_FLUSH, skip, 0)
#define gemmini_fence()     gm_fence()

/* ---- a matmul by the hardware: I, J, K in tiles of DIM, the last shortened by the
 * pads; strides in elements; a null pointer leaves its part out */
#define gemmini_loop_ws(I, J, K, pad_I, pad_J, pad_K, A, B, D, C, A_stride, B_stride, D_stride, \
        C_stride, A_transpose, B_transpose, full_C, low_D, ex_accumulate, act, a_spad_id, \
        b_spad_id, is_resadd) \
    { \
        gm_cmd(k_LOOP_WS_CONFIG_BOUNDS, gemmini_field(pad_K, 32) | gemmini_field(pad_J, 16) \
                | (uint64_t)(pad_I), gemmini_field(K, 32) | gemmini_field(J, 16) | (uint64_t)(I)); \
        gm_cmd(k_LOOP_WS_CONFIG_ADDRS_AB, A, B); \
        gm_cmd(k_LOOP_WS_CONFIG_ADDRS_DC, D, C); \
        gm_cmd(k_LOOP_WS_CONFIG_STRIDES_AB, A_stride, B_stride); \
        gm_cmd(k_LOOP_WS_CONFIG_STRIDES_DC, D_stride, C_stride); \
        gm_cmd(k_LOOP_WS, gemmini_field(a_spad_id, 18) | gemmini_field(b_spad_id, 16) \
                | gemmini_field(act, 8) | gemmini_field(low_D, 2) | gemmini_field(full_C, 1) \
                | (uint64_t)(ex_accumulate), \
            gemmini_field(is_resadd, 2) | gemmini_field(B_transpose, 1) \
                | (uint64_t)(A_transpose)); \
    }

/* ---- a convolution by the hardware */
#define gemmini_loop_conv_ws(batch_size, in_row_dim, in_col_dim, in_channels, out_channels, \
        out_row_dim, out_col_dim, pool_out_row_dim, pool_out_col_dim, stride, padding, kernel_dim, \
        kernel_dilation, pool_size, pool_stride, pool_padding, batches, porows, pocols, pochs, \
        krows, kcols, kchs, lpad, rpad, upad, dpad, plpad, prpad, pupad, pdpad, orows, ocols, \
        weights, output, bias, input, no_bias, no_pool, downsample, wrot180, input_dilated, \
        activation, trans_output_1203, trans_weight_1203, trans_weight_0132, trans_input_3120, \
        max_pixels_per_row, in_stride, weight_stride, out_stride, dw, a_spad_id, b_spad_id) \
    { \
        gm_cmd(k_LOOP_CONV_WS_CONFIG_1, gemmini_field(out_channels, 48) \
                | gemmini_field(in_channels, 32) | gemmini_field(in_row_dim, 16) \
                | (uint64_t)(batch_size), \
            gemmini_field(padding, 56) | gemmini_field(stride, 48) \
                | gemmini_field(out_col_dim, 32) | gemmini_field(pool_out_row_dim, 16) \
                | (uint64_t)(out_row_dim)); \
        gm_cmd(k_LOOP_CONV_WS_CONFIG_2, gemmini_field(kernel_dim, 48) \
                | gemmini_field(pool_out_col_dim, 32) | gemmini_field(pool_size, 16) \
                | gemmini_field(pool_stride, 8) | (uint64_t)(pool_padding), \
            gemmini_field(batches, 48) | gemmini_field(porows, 32) | gemmini_field(pocols, 16) \
                | (uint64_t)(pochs)); \
        gm_cmd(k_LOOP_CONV_WS_CONFIG_3, gemmini_field(krows, 48) | gemmini_field(kcols, 32) \
                | gemmini_field(kchs, 16) | (uint64_t)(lpad), \
            gemmini_field(rpad, 48) | gemmini_field(upad, 32) | gemmini_field(dpad, 24) \
                | gemmini_field(plpad, 16) | (uint64_t)(in_col_dim)); \
        gm_cmd(k_LOOP_CONV_WS_CONFIG_4, gemmini_field(orows, 48) | gemmini_field(prpad, 32) \
                | gemmini_field(pupad, 21) | gemmini_field(pdpad, 10) \
                | (uint64_t)(kernel_dilation), \
            gemmini_field(in_stride, 48) | gemmini_field(weight_stride, 32) \
                | gemmini_field(out_stride, 16) | (uint64_t)(ocols)); \
        gm_cmd(k_LOOP_CONV_WS_CONFIG_5, weights, output); \
        gm_cmd(k_LOOP_CONV_WS_CONFIG_6, bias, input); \
        gm_cmd(k_LOOP_CONV_WS, gemmini_field(a_spad_id, 18) | gemmini_field(b_spad_id, 16) \
                | gemmini_field(max_pixels_per_row, 8) | gemmini_field(dw, 6) \
                | gemmini_field(trans_input_3120, 5) | gemmini_field(trans_weight_0132, 4) \
                | gemmini_field(trans_weight_1203, 3) | gemmini_field(trans_output_1203, 2) \
                | gemmini_field(wrot180, 1) | (uint64_t)(no_bias), \
            gemmini_field(activation, 3) | gemmini_field(input_dilated, 2) \
                | gemmini_field(downsample, 1) | (uint64_t)(no_pool)); \
    }

/* ---- whole layers */
#include "gemmini_matmul.h"
#include "gemmini_conv.h"
#include "gemmini_elementwise.h"

#endif
