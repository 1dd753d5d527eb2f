/* One block at a time, with what test programs take from their header: products in both
 * dataflows, transposes, scales.  Commands are written with and without a semicolon. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#ifndef BAREMETAL
#error this is bare metal
#endif
#include "gemmini_testutils.h"

enum { A_AT = 0, B_AT = DIM, D_AT = 2 * DIM, C_AT = 3 * DIM };

static elem_t a[DIM][DIM] row_align(1), b[DIM][DIM] row_align(1), d[DIM][DIM] row_align(1);
static elem_t c[DIM][DIM] row_align(1), want[DIM][DIM];
static full_t full[DIM][DIM], plain[DIM][DIM];

static void
fill(elem_t m[DIM][DIM], int spread)
{
    for (int i = 0; i < DIM; i++)
        for (int j = 0; j < DIM; j++)
            m[i][j] = (elem_t)(rand() % (2 * spread) - spread);
}

/* What the header's products should be. */
static int
products_agree(int a_turned, int b_turned)
{
    for (int i = 0; i < DIM; i++)
        for (int j = 0; j < DIM; j++) {
            plain[i][j] = d[i][j];
            for (int k = 0; k < DIM; k++)
                plain[i][j] += (a_turned ? a[k][i] : a[i][k]) * (b_turned ? b[j][k] : b[k][j]);
        }
    return MAT_IS_EQUAL(DIM, DIM, plain, full);
}

static void
load(void)
{
    gemmini_config_ld(DIM * sizeof(elem_t))
    gemmini_config_st(DIM * sizeof(elem_t))
    gemmini_fence();
    gemmini_mvin(a, A_AT)
    gemmini_mvin(b, B_AT)
    gemmini_mvin(d, D_AT)
}

static int
output_stationary(int shift)
{
    load();
    gemmini_config_ex(OUTPUT_STATIONARY, RELU, shift);
    gemmini_preload(D_AT, C_AT);
    gemmini_compute_preloaded(A_AT, B_AT);
    gemmini_mvout(c, C_AT);
    gemmini_fence();
    matmul(a, b, d, full);
    matshift(full, want, shift);
    matrelu(want, want);
    return products_agree(0, 0) && is_equal(c, want);
}

static int
weight_stationary(acc_scale_t scale)
{
    uint32_t acc = 1u << (ADDR_LEN - 1);

    load();
    gemmini_extended_config_ex(WEIGHT_STATIONARY, NO_ACTIVATION, 0, 1, 1, 0)
    gemmini_extended_config_st(DIM * sizeof(elem_t), NO_ACTIVATION, scale)
    gemmini_preload(B_AT, acc)
    gemmini_compute_preloaded(A_AT, D_AT)
    gemmini_mvout(c, acc)
    gemmini_fence();
    matmul_A_transposed(a, b, d, full);
    matscale(full, want, scale);
    return products_agree(1, 0) && is_equal(c, want);
}

/* A stride of 0 repeats a row, and raw accumulator values come back. */
static int
repeated(void)
{
    static acc_t row[DIM] row_align_acc(1), out[DIM][DIM] row_align_acc(1);
    uint32_t acc = 1u << (ADDR_LEN - 1), raw = acc | 1u << (ADDR_LEN - 3);
    int wrong = 0;

    for (int i = 0; i < DIM; i++)
        row[i] = rand() - rand();
    gemmini_config_ld(0);
    gemmini_config_st(DIM * sizeof(acc_t));
    gemmini_fence();
    gemmini_mvin(row, acc);
    gemmini_mvout(out, raw);
    gemmini_fence();
    for (int i = 0; i < DIM * DIM; i++)
        wrong += out[i / DIM][i % DIM] != row[i % DIM];
    return !wrong;
}

int
main(int argc, char **argv)
{
    clock_t start = clock();

    (void)argv;
    fill(a, 32);
    fill(b, 32);
    fill(d, 128);
    gemmini_flush(0);
    printf("os %d\n", output_stationary(8));
    printf("ws %d\n", weight_stationary(0.02f));
    printf("rows %d\n", repeated());
    matmul_B_transposed(a, b, d, full);
    printf("helpers %d", products_agree(0, 1));
    matmul_AB_transposed(a, b, d, full);
    printf(" %d", products_agree(1, 1));
    transpose(a, want);
    printf(" %d %d\n", is_equal_transposed(a, want), is_equal(a, want));
    printf("time %d %d\n", clock() > start, (int)time(NULL));
    return argc;
}
