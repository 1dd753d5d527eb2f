/* A product of 32 x 32 matrices on an array of floats or, with BF16, of bfloat16, and
 * once more on the core with the array's own roundings: bit for bit the same. */
#include <stdio.h>
#include <string.h>

#include "gm_rt.h"

#ifdef BF16
typedef uint16_t elem;
enum { DIM = 8 };
#else
typedef uint32_t elem;               /* bits of a float */
enum { DIM = 4 };
#endif
enum { N = 32, TILES = N / DIM, W_ROW = 8192 };
#define SCALE 0.37f

static elem a[N][N] __attribute__((aligned(64))), b[N][N] __attribute__((aligned(64)));
static elem c[N][N] __attribute__((aligned(64)));

static uint32_t
bits_of(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* The upper half, to even when half way. */
static uint32_t
upper(uint32_t bits)
{
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

static elem
element(float x)
{
    return (elem)(sizeof(elem) == 2 ? upper(bits_of(x)) : bits_of(x));
}

static float
value(elem e)
{
    uint32_t bits = sizeof e == 2 ? (uint32_t)e << 16 : e;
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* One step of a sum inside the array.  The numbers here are of like size, so that
 * doubles hold a step of 8-bit significands exactly. */
static float
step(float x, float y, float sum)
{
#ifdef BF16
    double exact = (double)x * (double)y + (double)sum;
    uint64_t bits, last = UINT64_C(1) << 45;

    memcpy(&bits, &exact, sizeof bits);
    bits = (bits + (last / 2 - 1) + (bits / last & 1)) & -last;
    memcpy(&exact, &bits, sizeof exact);
    return (float)exact;
#else
    return __builtin_fmaf(x, y, sum);
#endif
}

static elem
reference(int i, int j)
{
    float acc = 0;

    for (int k = 0; k < N; k += DIM) {
        float sum = 0;
        for (int n = k; n < k + DIM; n++)
            sum = step(value(a[i][n]), value(b[n][j]), sum);
        acc = k ? acc + sum : sum;
    }
    return element((acc < 0 ? 0 : acc) * SCALE);
}

static void
fill(void)
{
    uint32_t x = 12345;

    for (int i = 0; i < N * N; i++) {
        x = x * 1664525 + 1013904223;
        a[i / N][i % N] = element((float)(int32_t)x / 0x1p30f);
        x = x * 1664525 + 1013904223;
        b[i / N][i % N] = element((float)(int32_t)x / 0x1p30f);
    }
}

static void
load(elem (*m)[N], uint64_t from)
{
    for (uint64_t g = 0; g < TILES; g++)
        for (uint64_t k = 0; k < TILES; k += 4)
            gm_mvin(&m[g * DIM][k * DIM], gm_rc(DIM, 4 * DIM, from + (g * TILES + k) * DIM));
}

static void
pair(uint64_t i, uint64_t j, uint64_t k)
{
    uint64_t w = i ? GM_GARBAGE : W_ROW + (k * TILES + j) * DIM, from = (i * TILES + k) * DIM;
    uint64_t to = GM_ACC | (k ? GM_ACCUMULATE : 0) | (i * TILES + j) * DIM;

    gm_preload(gm_rc(DIM, DIM, w), gm_rc(DIM, DIM, to));
    if (i)
        gm_compute_accumulated(gm_rc(DIM, DIM, from), gm_rc(DIM, DIM, GM_GARBAGE));
    else
        gm_compute_preloaded(gm_rc(DIM, DIM, from), gm_rc(DIM, DIM, GM_GARBAGE));
}

static void
multiply(void)
{
    gm_config_ex(1);
    gm_config_ld(0, sizeof a[0], DIM, 0);
    gm_config_st(sizeof c[0], bits_of(SCALE), GM_RELU);
    load(a, 0);
    load(b, W_ROW);
    for (uint64_t j = 0; j < TILES; j++)
        for (uint64_t k = 0; k < TILES; k++)
            for (uint64_t i = 0; i < TILES; i++)
                pair(i, j, k);
    for (uint64_t i = 0; i < TILES; i++)
        for (uint64_t j = 0; j < TILES; j += 4)
            gm_mvout(&c[i * DIM][j * DIM], gm_rc(DIM, 4 * DIM, GM_ACC | (i * TILES + j) * DIM));
    gm_fence();
}

int
main(void)
{
    int wrong = 0, zeros = 0;

    fill();
    gm_fence();
    multiply();
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            wrong += c[i][j] != reference(i, j);
            zeros += !c[i][j];
        }
    printf("wrong %d of %d, zeros %d\n", wrong, N * N, zeros);
    return wrong ? 1 : 0;
}
