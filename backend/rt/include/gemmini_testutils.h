/* What test programs for Gemmini take beside its commands: products and other work on
 * one block of DIM x DIM in plain C, comparisons, and the clock. */
#ifndef GEMMINI_TESTUTILS_H
#define GEMMINI_TESTUTILS_H
#include <assert.h>
#include <string.h>

#include "gemmini.h"

/* ---- C = A B + D, a and b: the elements of A and B that meet in C[r][c] */
#define GEMMINI_BLOCK_PRODUCT(name, D_type, C_type, a, b) \
    static inline void \
    name(elem_t A[DIM][DIM], elem_t B[DIM][DIM], D_type D[DIM][DIM], C_type C[DIM][DIM]) \
    { \
        for (size_t r = 0; r < DIM; r++) \
            for (size_t c = 0; c < DIM; c++) { \
                C_type sum = D[r][c]; \
                for (size_t k = 0; k < DIM; k++) \
                    sum = (C_type)(sum + (a) * (b)); \
                C[r][c] = sum; \
            } \
    }
#define GEMMINI_BLOCK_PRODUCTS(suffix, a, b) \
    GEMMINI_BLOCK_PRODUCT(matmul##suffix, elem_t, full_t, a, b) \
    GEMMINI_BLOCK_PRODUCT(matmul_short##suffix, elem_t, elem_t, a, b) \
    GEMMINI_BLOCK_PRODUCT(matmul_full##suffix, full_t, full_t, a, b)
GEMMINI_BLOCK_PRODUCTS(, A[r][k], B[k][c])
GEMMINI_BLOCK_PRODUCTS(_A_transposed, A[k][r], B[k][c])
GEMMINI_BLOCK_PRODUCTS(_B_transposed, A[r][k], B[c][k])
GEMMINI_BLOCK_PRODUCTS(_AB_transposed, A[k][r], B[c][k])

/* ---- element by element */
#define GEMMINI_FOR_BLOCK(r, c) \
    for (size_t r = 0; r < DIM; r++) \
        for (size_t c = 0; c < DIM; c++)

static inline void
matadd(full_t sum[DIM][DIM], full_t m1[DIM][DIM], full_t m2[DIM][DIM])
{
    GEMMINI_FOR_BLOCK(r, c)
        sum[r][c] = m1[r][c] + m2[r][c];
}

/* Integers are clipped to elements, floats are not. */
static inline elem_t
gemmini_as_element(full_t x)
{
#ifndef ELEM_T_IS_FLOAT
    x = x > elem_t_max ? elem_t_max : x < elem_t_min ? elem_t_min : x;
#endif
    return (elem_t)x;
}

/* Shifted right, ties to even. */
static inline void
matshift(full_t full[DIM][DIM], elem_t out[DIM][DIM], int shift)
{
    GEMMINI_FOR_BLOCK(r, c)
        out[r][c] = gemmini_as_element(ROUNDING_RIGHT_SHIFT(full[r][c], shift));
}

static inline void
matscale(full_t full[DIM][DIM], elem_t out[DIM][DIM], acc_scale_t scale)
{
    GEMMINI_FOR_BLOCK(r, c)
        out[r][c] = gemmini_as_element(ACC_SCALE(full[r][c], scale));
}

static inline void
matrelu(elem_t in[DIM][DIM], elem_t out[DIM][DIM])
{
    GEMMINI_FOR_BLOCK(r, c)
        out[r][c] = in[r][c] > 0 ? in[r][c] : 0;
}

static inline void
transpose(elem_t in[DIM][DIM], elem_t out[DIM][DIM])
{
    GEMMINI_FOR_BLOCK(r, c)
        out[c][r] = in[r][c];
}

/* ---- looking at blocks.  Floats are printed as their bits. */
#ifdef ELEM_T_IS_FLOAT
#define GEMMINI_SHOWN(x) "%x ", (unsigned)gemmini_scale_bits(x)
#else
#define GEMMINI_SHOWN(x) "%d ", (int)(x)
#endif

static inline void
printMatrix(elem_t m[DIM][DIM])
{
    GEMMINI_FOR_BLOCK(r, c) {
        printf(GEMMINI_SHOWN(m[r][c]));
        if (c == DIM - 1)
            printf("\n");
    }
}

static inline void
printMatrixAcc(acc_t m[DIM][DIM])
{
    GEMMINI_FOR_BLOCK(r, c) {
        printf(GEMMINI_SHOWN(m[r][c]));
        if (c == DIM - 1)
            printf("\n");
    }
}

/* Two floats that are no numbers are the same. */
static inline int
gemmini_same(elem_t x, elem_t y)
{
#ifdef ELEM_T_IS_FLOAT
    if (isnan(x) && isnan(y))
        return 1;
#endif
    return x == y;
}

static inline int
is_equal(elem_t x[DIM][DIM], elem_t y[DIM][DIM])
{
    GEMMINI_FOR_BLOCK(r, c)
        if (!gemmini_same(x[r][c], y[r][c]))
            return 0;
    return 1;
}

static inline int
is_equal_transposed(elem_t x[DIM][DIM], elem_t y[DIM][DIM])
{
    GEMMINI_FOR_BLOCK(r, c)
        if (!gemmini_same(x[r][c], y[c][r]))
            return 0;
    return 1;
}

#define MAT_IS_EQUAL(dim_i, dim_j, x, y) \
    ({ \
        int gemmini_equal = 1; \
        for (size_t gemmini_i = 0; gemmini_i < (size_t)(dim_i); gemmini_i++) \
            for (size_t gemmini_j = 0; gemmini_j < (size_t)(dim_j); gemmini_j++) \
                gemmini_equal &= (x)[gemmini_i][gemmini_j] == (y)[gemmini_i][gemmini_j]; \
        gemmini_equal; \
    })

#ifdef ELEM_T_IS_FLOAT
static inline double
rand_double(void)
{
    double a = (double)(rand() % 128) / (double)(1 + rand() % 64);

    return a - (double)(rand() % 128) / (double)(1 + rand() % 64);
}
#endif

/* Modelled time under the device model, the core's cycles elsewhere. */
static inline uint64_t
read_cycles(void)
{
    return gm_cycles();
}

#endif
