/* Convolution and matrix product of floats. */
#ifndef GM_PRODUCT_F32_H
#define GM_PRODUCT_F32_H
#include "backend/rt/kernels/view.h"

/* One matrix product; steps in bytes. */
struct gm_product {
    const char *a, *b;
    char *y;
    const void *bias;            /* NULL: none */
    int64_t m, n, k;
    int64_t am, ak, bk, bn, ym, yn;
    int64_t relu;
};

void gm_conv_f32(const struct gm_call *c);       /* as gm_k_conv, never pooled */
void gm_matmul_f32(const struct gm_product *p);

#endif
