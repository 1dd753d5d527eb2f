/* One product of 128 x 128 matrices, its rows shared out to HARTS harts with an array
 * each.  The result does not depend on how many there are. */
#include <stdio.h>

#include "gemmini.h"

#ifndef HARTS
#define HARTS 1
#endif
enum { N = 128, BLOCKS = N / DIM, B_ROWS = 2048 };

static elem_t a[N][N] row_align(4), b[N][N] row_align(4), c[N][N] row_align(4);
static uint64_t spent[HARTS];

static const struct gm_tensor out = {
    .name = "c", .type = "int8", .rank = 2, .bytes = 1,
    .dim = { N, N }, .pitch = { N, 1 }, .scale = 1,
};

/* Sixteen rows of the result. */
static void
rows(int i)
{
    for (int k = 0; k < BLOCKS; k++)
        gemmini_mvin(&a[i * DIM][k * DIM], k * DIM);
    for (int j = 0; j < BLOCKS; j++)
        for (int k = 0; k < BLOCKS; k++) {
            uint32_t to = 1u << 31 | (k ? 1u << 30 : 0) | (uint32_t)(j * DIM);
            gemmini_preload(B_ROWS + (k * BLOCKS + j) * DIM, to);
            gemmini_compute_preloaded(k * DIM, GARBAGE_ADDR);
        }
    for (int j = 0; j < BLOCKS; j++)
        gemmini_mvout(&c[i * DIM][j * DIM], 1u << 31 | (uint32_t)(j * DIM));
}

static void
share(void *which)
{
    int hart = (int)(uintptr_t)which;
    uint64_t start = gm_cycles();

    gemmini_config_ex(WEIGHT_STATIONARY, NO_ACTIVATION, 0);
    gemmini_config_ld(N);
    gemmini_extended_config_st(N, RELU, 0.01f);
    gemmini_fence();
    for (int k = 0; k < BLOCKS; k++)
        for (int j = 0; j < BLOCKS; j++)
            gemmini_mvin(&b[k * DIM][j * DIM], B_ROWS + (k * BLOCKS + j) * DIM);
    for (int i = hart; i < BLOCKS; i += HARTS) {
        rows(i);
        gemmini_fence();
    }
    spent[hart] = gm_cycles() - start;
}

int
main(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = (elem_t)((i * 7 + j * 13) % 41 - 20);
            b[i][j] = (elem_t)((i * 11 + j * 5) % 37 - 18);
        }
    for (int h = 1; h < HARTS; h++)
        gm_hart_start(h, share, (void *)(uintptr_t)h);
    share(0);
    for (int h = 1; h < HARTS; h++)
        gm_hart_join(h);
    gm_print_output(&out, c);
    for (int h = 0; h < HARTS; h++)
        printf("hart %d cycles %lu\n", h, (unsigned long)spent[h]);
    return 0;
}
