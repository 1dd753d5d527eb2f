/* One hash over the bits of many results of every mathematical function.  Compiled for
 * host and target: both must print the same. */
#include <stdio.h>

#include "src/machine/fmath.h"

static float (*const functions[])(float) = {
    fm_exp, fm_log, fm_sqrt, fm_rsqrt, fm_sin, fm_cos, fm_tanh, fm_sigmoid, fm_erf,
};

static unsigned
bits(float x)
{
    unsigned u;

    __builtin_memcpy(&u, &x, sizeof u);
    return u;
}

int
main(void)
{
    unsigned hash = 1, x = 0;

    for (int i = 0; i < 200000; i++) {
        float f;
        x = x * 1664525u + 1013904223u;
        __builtin_memcpy(&f, &x, sizeof f);
        hash = hash * 16777619u ^ bits(functions[i % 9](f));
        hash = hash * 16777619u ^ bits(fm_pow(f < 0 ? -f : f, (float)(i % 37) / 8 - 2));
    }
    printf("%08x\n", hash);
    return 0;
}
