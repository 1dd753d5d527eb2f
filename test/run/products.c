/* Products of matrices by the library of the usual header: dataflows, biases, transposes,
 * sizes that fill no tile, each against plain loops; what lies behind a row of C is left
 * alone.  `time` prints how long a product of 128 x 256 x 256 takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gemmini_testutils.h"

enum bias { NONE, FULL, ROW, LOW };
enum { MOST = 160, PITCH = MOST + 5, GUARD = 85 };

struct product {
    enum tiled_matmul_type_t on;
    int m, n, k;
    int tile[3];                     /* 0: let the library look for one */
    enum bias bias;
    int act;
    bool a_turned, b_turned, full;
    float scale, a_scale;
};

static elem_t a[MOST][PITCH] row_align(1), b[MOST][PITCH] row_align(1);
static elem_t low[MOST][PITCH], c[MOST][PITCH];
static acc_t bias[MOST][PITCH], wide[MOST][PITCH];

static const struct product products[] = {
    { WS, 16, 16, 16, { 0 }, NONE, NO_ACTIVATION, 0, 0, 0, 0.01f, 1 },
    { WS, 64, 48, 32, { 0 }, FULL, RELU, 0, 0, 0, 0.01f, 1 },
    { WS, 37, 50, 70, { 0 }, FULL, NO_ACTIVATION, 0, 0, 0, 0.004f, 1 },
    { WS, 37, 50, 70, { 0 }, ROW, RELU, 1, 0, 0, 0.004f, 1 },
    { WS, 37, 50, 70, { 0 }, LOW, NO_ACTIVATION, 0, 1, 0, 0.004f, 1 },
    { WS, 33, 20, 90, { 0 }, NONE, NO_ACTIVATION, 0, 0, 1, 1, 1 },
    { WS, 1, 100, 60, { 0 }, ROW, NO_ACTIVATION, 0, 0, 0, 0.01f, 1 },
    { WS, 100, 1, 60, { 0 }, FULL, NO_ACTIVATION, 0, 1, 1, 1, 1 },
    { WS, 40, 40, 40, { 0 }, FULL, NO_ACTIVATION, 0, 0, 0, 0.02f, 0.5f },
    { WS, 150, 160, 90, { 0 }, ROW, RELU, 0, 0, 0, 0.003f, 1 },
    /* Tiles of every sort: the last ones smaller, operands kept and not. */
    { WS, 100, 120, 140, { 2, 3, 2 }, FULL, NO_ACTIVATION, 0, 0, 0, 0.003f, 1 },
    { WS, 100, 120, 140, { 2, 3, 2 }, NONE, RELU, 1, 0, 0, 0.003f, 1 },
    { WS, 100, 120, 30, { 2, 3, 2 }, ROW, NO_ACTIVATION, 0, 1, 0, 0.01f, 1 },
    { WS, 60, 120, 60, { 2, 3, 4 }, LOW, NO_ACTIVATION, 0, 0, 0, 0.01f, 1 },
    { WS, 120, 60, 30, { 2, 2, 2 }, NONE, NO_ACTIVATION, 0, 0, 1, 1, 1 },
    { WS, 60, 60, 60, { 4, 4, 2 }, FULL, NO_ACTIVATION, 0, 0, 0, 0.01f, 1 },
    /* Outputs that stay are sums of 20 bits. */
    { OS, 32, 32, 32, { 0 }, NONE, NO_ACTIVATION, 0, 0, 0, 0.01f, 1 },
    { OS, 37, 50, 30, { 0 }, FULL, RELU, 0, 0, 0, 0.01f, 1 },
    { OS, 37, 50, 70, { 2, 2, 2 }, ROW, NO_ACTIVATION, 0, 0, 0, 0.01f, 1 },
    { OS, 33, 20, 40, { 0 }, NONE, NO_ACTIVATION, 0, 0, 1, 1, 1 },
    { CPU, 37, 50, 70, { 0 }, FULL, RELU, 1, 1, 0, 0.01f, 0.5f },
    { CPU, 20, 24, 28, { 0 }, LOW, NO_ACTIVATION, 0, 0, 1, 1, 1 },
};

static void
fill(elem_t *p, size_t n, int spread)
{
    while (n--)
        *p++ = (elem_t)(rand() % (2 * spread) - spread);
}

static long
nearest(double x, long low_end, long high_end)
{
    long n = lrint(x);

    return n < low_end ? low_end : n > high_end ? high_end : n;
}

static long
expected(const struct product *p, int i, int j)
{
    int row = p->bias == ROW ? 0 : i;
    long sum = p->bias == NONE ? 0 : p->bias == LOW ? low[row][j] : bias[row][j];

    for (int k = 0; k < p->k; k++) {
        long x = p->a_turned ? a[k][i] : a[i][k], y = p->b_turned ? b[j][k] : b[k][j];
        sum += nearest((double)x * (double)p->a_scale, -128, 127) * y;
    }
    if (p->full)
        return sum;
    sum = nearest((double)((float)sum * p->scale), -128, 127);
    return p->act == RELU && sum < 0 ? 0 : sum;
}

static void
multiply(const struct product *p)
{
    const void *d = p->bias == NONE ? NULL : p->bias == LOW ? (const void *)low : bias;
    void *to = p->full ? (void *)wide : c;
    const int *t = p->tile;

    if (t[0])
        tiled_matmul((size_t)p->m, (size_t)p->n, (size_t)p->k, a[0], b[0], d, to, PITCH, PITCH,
            PITCH, PITCH, p->a_scale, MVIN_SCALE_IDENTITY, 1, p->act, p->scale, 0,
            p->bias == ROW, (size_t)t[0], (size_t)t[1], (size_t)t[2], p->a_turned, p->b_turned,
            p->full, p->bias == LOW, 0, p->on);
    else
        tiled_matmul_auto((size_t)p->m, (size_t)p->n, (size_t)p->k, a[0], b[0], d, to, PITCH,
            PITCH, PITCH, PITCH, p->a_scale, MVIN_SCALE_IDENTITY, 1, p->act, p->scale, 0,
            p->bias == ROW, p->a_turned, p->b_turned, p->full, p->bias == LOW, 0, p->on);
}

static int
check(const struct product *p)
{
    int wrong = 0;

    memset(c, GUARD, sizeof c);
    memset(wide, 0, sizeof wide);
    multiply(p);
    for (int i = 0; i < p->m; i++) {
        for (int j = 0; j < p->n; j++)
            wrong += (p->full ? (long)wide[i][j] : (long)c[i][j]) != expected(p, i, j);
        wrong += p->full ? wide[i][p->n] != 0 : c[i][p->n] != GUARD;
    }
    return wrong;
}

static unsigned long
time_of(void)
{
    static elem_t x[128][256] row_align(4), y[256][256] row_align(4), z[128][256] row_align(4);
    unsigned long start = read_cycles();

    tiled_matmul_auto(128, 256, 256, x[0], y[0], NULL, z, 256, 256, 256, 256,
        MVIN_SCALE_IDENTITY, MVIN_SCALE_IDENTITY, 1, NO_ACTIVATION, ACC_SCALE_IDENTITY, 0, false,
        false, false, false, false, 0, WS);
    return read_cycles() - start;
}

int
main(void)
{
    gemmini_flush(0);
    fill(a[0], sizeof a, 40);
    fill(b[0], sizeof b, 40);
    fill(low[0], sizeof low, 128);
    for (int i = 0; i < MOST * PITCH; i++)
        bias[i / PITCH][i % PITCH] = rand() % 20000 - 10000;
    for (size_t i = 0; i < sizeof products / sizeof products[0]; i++)
        printf("product %d wrong %d\n", (int)i, check(&products[i]));
    printf("time %lu\n", time_of());
    return 0;
}
