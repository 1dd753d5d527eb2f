/* A program as others write them, for the usual C macros: one tile with a bias and a
 * ReLU, counters, clocks, printf and an exit status of its own. */
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gemmini_testutils.h"

static elem_t A[DIM][DIM] row_align(1), B[DIM][DIM] row_align(1), C[DIM][DIM] row_align(1);
static acc_t D[DIM][DIM] row_align_acc(1);

static void
prepare(void)
{
    for (int i = 0; i < DIM; i++)
        for (int j = 0; j < DIM; j++) {
            A[i][j] = (elem_t)(rand() % 64 - 32);
            B[i][j] = (elem_t)(rand() % 64 - 32);
            D[i][j] = rand() % 1000 - 500;
        }
}

static int
check(acc_scale_t scale)
{
    int wrong = 0;

    for (int i = 0; i < DIM; i++)
        for (int j = 0; j < DIM; j++) {
            acc_t sum = D[i][j], want;
            for (int k = 0; k < DIM; k++)
                sum += A[i][k] * B[k][j];
            want = ACC_SCALE(sum, scale);
            want = want < 0 ? 0 : want > elem_t_max ? elem_t_max : want;
            wrong += C[i][j] != want;
        }
    return wrong;
}

static void
multiply(acc_scale_t scale)
{
    uint32_t sp_a = 0, sp_b = DIM, acc = 1u << (ADDR_LEN - 1);

    gemmini_flush(0);
    gemmini_config_ex(WEIGHT_STATIONARY, NO_ACTIVATION, 0);
    gemmini_config_ld(DIM * sizeof(elem_t));
    gemmini_extended3_config_ld(DIM * sizeof(acc_t), MVIN_SCALE_IDENTITY, false, 2);
    gemmini_extended_config_st(DIM * sizeof(elem_t), RELU, scale);
    gemmini_fence();
    gemmini_mvin(A, sp_a);
    gemmini_mvin(B, sp_b);
    gemmini_extended_mvin3(D, acc, DIM, DIM);
    gemmini_preload(sp_b, acc | 1u << (ADDR_LEN - 2));
    gemmini_compute_preloaded(sp_a, GARBAGE_ADDR);
    gemmini_mvout(C, acc);
    gemmini_fence();
}

static uint64_t
bare_cycles(void)
{
    uint64_t n;

    __asm__ volatile("rdcycle %0" : "=r"(n) : : "memory");
    return n;
}

static uint64_t
bare_time(void)
{
    register uint64_t n __asm__("s7");

    __asm__ volatile("rdtime %0" : "=r"(n) : : "memory");
    return n;
}

static uint64_t
machine_cycles(void)
{
    register uint64_t n __asm__("a7");

    __asm__ volatile("csrr %0, mcycle" : "=r"(n) : : "memory");
    return n;
}

/* Time goes on without commands: ten thousand rounds through memory, of some 6 to 13
 * cycles (cycle simulation of a similar loop: 12.8). */
static void
bare_clocks(void)
{
    uint64_t start = bare_cycles(), first = machine_cycles(), n, m;
    volatile int sum = 0;

    for (int i = 0; i < 10000; i++)
        sum += i;
    n = bare_cycles() - start;
    m = machine_cycles() - first;
    printf("bare %d %d\n", n > 60000 && n < 150000, m > 60000 && m < 150000);
}

/* By printf, since the shell test reads them. */
static void
functions(void)
{
    volatile float x = 2.0f;
    volatile double y = -2.5;

    printf("math %.6f %.6f %.6f %.1f %.1f %.1f %.1f %ld\n", (double)expf(x), (double)sqrtf(x),
        (double)tanhf(x), floor(y), ceil(y), round(y), rint(y), lrint(1e15 + 0.5));
    printf("math %d %d %d\n", isnan(NAN), isinf(-INFINITY), fmax(NAN, 3.0) > 2.0);
    printf("shift %d %d %d\n", (int)ROUNDING_RIGHT_SHIFT(5, 1), (int)ROUNDING_RIGHT_SHIFT(-5, 1),
        (int)ROUNDING_RIGHT_SHIFT(7, 2));
}

int
main(void)
{
    acc_scale_t scale = 0.03f;
    uint64_t start, end, now, first;

    prepare();
    counter_configure(0, RDMA_BYTES_REC);
    counter_configure(1, EXE_ACTIVE_CYCLE);
    counter_configure(2, WDMA_BYTES_SENT);
    counter_reset();
    first = bare_time();
    start = read_cycles();
    multiply(scale);
    end = bare_cycles();
    now = bare_time();
    printf("wrong %d\n", check(scale));
    printf("cycles %lu\n", (unsigned long)(end - start));
    printf("time %d %d\n", first <= start && start < end, end <= now && now < end + 100);
    printf("counters %u %u %u\n", counter_read(0), counter_read(1), counter_read(2));
    counter_snapshot_take();
    counter_reset();
    printf("counters %u %u %u\n", counter_read(0), counter_read(1), counter_read(2));
    bare_clocks();
    functions();
    exit(7);
}
