/* A product 128 x 768 x 768, a fence, and 1 x 768 x 768 of its result (schedules.md T1, T9,
 * I): -DEARLY moves of the second one's weights are issued before the fence, one for eight
 * runs at the end of the first, into free slots of the ring. */
#include "test/bench/streams/cold.h"

#ifndef EARLY
#define EARLY 0
#endif

enum { K = 768, N = 768, DEEP = K / 16, GROUPS = K / 64, TILES = N / 64, LEAD = 15, AHEAD = 12,
    MOVES = DEEP * TILES };

struct stream {
    uint64_t weights, slot, use;     /* the next move and where to; what is used next */
    int moves_left, in, used, lead;
    int a, run;                      /* moves of A; runs of a tile */
    uint64_t out, from, bias, to;
    int stores, biases, wait;
};

static void
prepare(void)
{
}

/* Slots are in banks 2 and 3 by turns. */
inline_always uint64_t
after(uint64_t slot, int n)
{
    slot ^= 4096;
    return n & 1 ? slot : (slot & ~UINT64_C(0xfff)) | ((slot + 64) & 0xfff);
}

inline_always void
next_weights(struct stream *s)
{
    if (!s->moves_left)
        return;
    s->moves_left--;
    gm_mvin2(s->weights, gm_rc(16, 64, s->slot));
    s->weights += 1024;
    s->slot = after(s->slot, ++s->in);
}

inline_always void
use_weights(struct stream *s)
{
    s->use = after(s->use, ++s->used);
}

/* ---- 128 rows */

/* Sixteen rows of a group of 64 channels. */
inline_always void
next_a(struct stream *s)
{
    uint64_t group = (uint64_t)s->a >> 3, rows = ((uint64_t)s->a & 7) * 16;

    if (s->a == 8 * GROUPS)
        return;
    gm_mvin(ACTS + rows * K + group * 64,
        gm_rc(16, 64, (group & 1) * 4096 + (group >> 1) * 512 + rows));
    s->a++;
}

inline_always void
next_bias(struct stream *s)
{
#pragma GCC unroll 4
    for (uint64_t j = 0; j < 4; j++)
        gm_mvin3(s->bias + j * 64, s->to + j * 16);
    s->to += 64;
    s->biases--;
}

inline_always void
next_store(struct stream *s)
{
    gm_mvout(s->out, s->from);
    s->out += 16 * N;
    s->from += 64;
    s->stores--;
}

inline_always void
beside_run(struct stream *s, int j)
{
    if (s->stores && s->run >= 2)
        next_store(s);
    if (s->biases && --s->wait == 0) {
        next_bias(s);
        s->wait = 2;
    }
    if (j & 1)
        next_a(s);
    s->run++;
}

/* Moves of weights of this product, then EARLY of the next at the end. */
inline_always void
stream_weights(struct stream *s)
{
    int end = MOVES - s->used;

    next_weights(s);
    if (s->lead < LEAD && s->used >= DEEP) {
        next_weights(s);
        s->lead++;
    }
    if (EARLY && end <= 2 * EARLY && end & 1) {
        s->moves_left++;
        next_weights(s);
    }
}

inline_always void
tile(struct stream *s, uint64_t n, uint64_t bank)
{
    uint64_t c = gm_rc(16, 16, ADD_TO + bank);

    s->run = 0;
    s->biases = n + 1 < TILES ? 8 : 0;
    s->wait = 20;
    s->bias = BIAS + (n + 1) * 256;
    s->to = gm_rc(16, 16, GM_ACC + (bank ^ 512));
    for (uint64_t kb = 0; kb < DEEP; kb++) {
        uint64_t a = gm_rc(16, 16, (kb & 4) * 1024 + (kb >> 3) * 512 + (kb & 3) * 128);

        stream_weights(s);
#pragma GCC unroll 1
        for (int j = 0; j < 4; j++) {
            beside_run(s, j);
            run(gm_rc(16, 16, s->use + (uint64_t)j * 16), c + (uint64_t)j * 16, a, 16, 8);
        }
        use_weights(s);
    }
    s->out = OUTPUT + n * 64;
    s->from = gm_rc(16, 64, GM_ACC + bank);
    s->stores = 8;
}

static void
product(struct stream *s)
{
    gm_config_ex(1);
    gm_config_ld(0, K, 128, 0);
    gm_config_ld(1, 64, 16, 0);
    gm_config_ld(2, 0, 16, 0);
    gm_config_st(N, SCALE, 0);
    next_weights(s);
    for (int i = 0; i < 8; i++)
        next_a(s);
    next_weights(s);
    next_weights(s);
    while (s->biases)
        next_bias(s);
    for (uint64_t n = 0; n < TILES; n++)
        tile(s, n, n % 2 * 512);
    while (s->stores)
        next_store(s);
}

/* ---- one row */

static void
row(struct stream *s)
{
    gm_config_ld(0, 64, 1, 0);
    gm_config_st(64, SCALE, 0);
    while (s->in < MOVES + AHEAD)
        next_weights(s);
    for (uint64_t i = 0; i < GROUPS; i++)
        gm_mvin(OUTPUT + i * 64, gm_rc(1, 64, i * 4));
    for (uint64_t n = 0; n < TILES; n++) {
        uint64_t bank = n % 2 * 512, c = gm_rc(1, 16, ADD_TO + bank);

        for (uint64_t j = 0; j < 4; j++)
            gm_mvin3(BIAS + n * 256 + j * 64, gm_rc(1, 16, GM_ACC + bank + j * 16));
        for (uint64_t kb = 0; kb < DEEP; kb++) {
            next_weights(s);
#pragma GCC unroll 4
            for (uint64_t j = 0; j < 4; j++) {
                gm_preload(gm_rc(16, 16, s->use + j * 16), c + j * 16);
                gm_compute_preloaded(gm_rc(1, 16, kb), gm_rc(1, 16, GM_GARBAGE));
            }
            use_weights(s);
        }
        gm_mvout(OUTPUT + N * 128 + n * 64, gm_rc(1, 64, GM_ACC + bank));
    }
}

static void
kernel(void)
{
    struct stream s = { .weights = WEIGHTS, .slot = 8192, .use = 8192, .moves_left = MOVES,
        .lead = 3, .bias = BIAS, .to = gm_rc(16, 16, GM_ACC), .biases = 8 };

    product(&s);
    gm_fence();
    s.moves_left += MOVES - EARLY;
    row(&s);
}
