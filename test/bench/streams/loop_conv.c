/* A 3 x 3 convolution of 256 channels to a 14 x 14 image of 256 by the hardware's loops, in
 * tiles of 14 x 14 pixels, 32 channels out, 1 x 3 of the kernel, 64 channels in: -DSTRIDE,
 * and with -DOUTER all of the kernel for 64 channels before the next. */
#include "gemmini.h"

#include "test/bench/streams/cold.h"

enum { OUT = 14, IN = OUT * STRIDE, CHANS = 256, OUTS = 32, INS = 64 };

static void
prepare(void)
{
}

static void
tile(int out, int row, int in)
{
    int first = row == 0 && in == 0, last = row == 2 && in == CHANS - INS;
    int above = row == 0, below = row == 2, y = row - 1 + above;
    uint64_t weights = WEIGHTS + (uint64_t)((row * 3 * CHANS + in) * CHANS + out);
    uint64_t image = ACTS + (uint64_t)(y * IN * CHANS + in);
    uint64_t bias = first ? BIAS + (uint64_t)out * 4 : 0;
    uint64_t result = last ? OUTPUT + (uint64_t)out : 0;

    gemmini_loop_conv_ws(1, IN, IN, CHANS, CHANS, OUT, OUT, OUT, OUT, STRIDE, 1, 3, 1, 1, 1, 0, 1,
        OUT, OUT, OUTS, 1, 3, INS, 1, 1, above, below, 0, 0, 0, 0, OUT, OUT, weights, result,
        bias, image, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, CHANS, CHANS, CHANS, 0, 0, 0);
}

static void
kernel(void)
{
    gm_config_ex(STRIDE);
    gm_config_st(CHANS, SCALE, 0);
    for (int out = 0; out < CHANS; out += OUTS)
#ifdef OUTER
        for (int in = 0; in < CHANS; in += INS)
            for (int row = 0; row < 3; row++)
                tile(out, row, in);
#else
        for (int row = 0; row < 3; row++)
            for (int in = 0; in < CHANS; in += INS)
                tile(out, row, in);
#endif
}
