/* Sums of two tensors and global averages by the library of the usual header, against
 * plain C.  `time` prints how long a sum of 784 x 512 takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gemmini_testutils.h"

enum { ROWS = 120, PITCH = 130, SPOTS = 7, CHANNELS = 100, IMAGES = 2 };

struct sum {
    enum tiled_matmul_type_t on;
    int rows, cols;
    float a, b, c;
    bool relu;
};

static elem_t a[ROWS][PITCH] row_align(1), b[ROWS][PITCH] row_align(1), c[ROWS][PITCH];
static elem_t images[IMAGES][SPOTS][SPOTS][CHANNELS], means[IMAGES][CHANNELS];

static const struct sum sums[] = {
    { WS, 32, 32, 1, 1, 1, false },
    { WS, 35, 27, 2, 1, 0.5f, true },
    { WS, 120, 130, 0.7f, 1.3f, 0.9f, false },
    { WS, 1, 100, 1, 1, 1, true },
    { CPU, 35, 27, 2, 1, 0.5f, true },
};

static long
nearest(float x)
{
    long n = lrintf(x);

    return n < -128 ? -128 : n > 127 ? 127 : n;
}

static int
check(const struct sum *s)
{
    int wrong = 0;

    memset(c, 85, sizeof c);
    tiled_resadd_stride_auto((size_t)s->rows, (size_t)s->cols, s->a, s->b, s->c, PITCH, a[0],
        b[0], c[0], s->relu, s->on);
    for (int i = 0; i < s->rows; i++)
        for (int j = 0; j < s->cols; j++) {
            long want = nearest((float)(nearest(s->a * a[i][j]) + nearest(s->b * b[i][j])) * s->c);

            wrong += c[i][j] != (s->relu && want < 0 ? 0 : want);
        }
    return wrong + (s->cols < PITCH && c[0][s->cols] != 85);
}

/* Halves go up on the core and to even on the array; 49 pixels have none. */
static int
averages(enum tiled_matmul_type_t on)
{
    int wrong = 0;

    memset(means, 85, sizeof means);
    tiled_global_average_auto(images[0][0][0], means[0], IMAGES, CHANNELS, SPOTS, on);
    for (int n = 0; n < IMAGES; n++)
        for (int ch = 0; ch < CHANNELS; ch++) {
            int sum = 0;

            for (int i = 0; i < SPOTS * SPOTS; i++)
                sum += images[n][i / SPOTS][i % SPOTS][ch];
            wrong += means[n][ch] != nearest((float)sum * (1.0f / (SPOTS * SPOTS)));
        }
    return wrong;
}

int
main(void)
{
    static elem_t x[784 * 512] row_align(4), y[784 * 512] row_align(4);
    static elem_t z[784 * 512] row_align(4);
    unsigned long start;

    gemmini_flush(0);
    for (int i = 0; i < ROWS * PITCH; i++) {
        a[i / PITCH][i % PITCH] = (elem_t)(rand() % 256 - 128);
        b[i / PITCH][i % PITCH] = (elem_t)(rand() % 256 - 128);
    }
    for (int i = 0; i < IMAGES * SPOTS * SPOTS * CHANNELS; i++)
        images[0][0][i / CHANNELS][i % CHANNELS] = (elem_t)(rand() % 100);
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
        printf("sum %d wrong %d\n", (int)i, check(&sums[i]));
    printf("average ws wrong %d\n", averages(WS));
    printf("average cpu wrong %d\n", averages(CPU));
    start = read_cycles();
    tiled_resadd_auto(784, 512, 1, 1, 1, x, y, z, true, WS);
    printf("time %lu\n", (unsigned long)read_cycles() - start);
    return 0;
}
