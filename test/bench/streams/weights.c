/* Layers whose weights stream past an image in the scratchpad (schedules.md T4 and section
 * 5): -DLAYER='LAYER_...(K, N)' and -DSEGMENTS, of layers.h, -DLEAD.
 *
 * A chunk of channels of all pixels of a tile is one bank of the accumulator.  Weights come
 * one move for four runs, LEAD ahead once the image is in; the image while the first chunk
 * runs.  What has to be issued when, and where it lies, is tables made before. */
#include <stdbool.h>

#include "test/bench/streams/cold.h"
#include "test/bench/streams/layers.h"
#include "test/bench/streams/moves.h"

#ifndef LEAD
#define LEAD 15
#endif

static const struct layer l = LAYER;
static const struct { uint8_t rows; uint16_t at; } seg[] = { SEGMENTS };
enum { SEGS = sizeof seg / sizeof *seg };

#define STEPS (l.taps * l.outs)  /* moves of weights of a group in a chunk */
#define PITCH (l.outs * 16)      /* rows of the accumulator of a segment */
/* Of two images the second begins in bank 1, behind the first, and ends in bank 2. */
#define BUFFERS_MEET (l.line_pitch > l.width)

static struct move *due[4096];       /* by (tile, chunk, group): moves up to there */
static struct move *first_moves;     /* the first group: before all else */
static uint32_t group_at[8][64];     /* by tile */
static uint32_t weight_at[512];      /* of the n-th move of weights, again and again */
static uint16_t tap_at[9];
static int weights_period;

/* ---- tables */

static uint32_t
place_of(int tile, int group)
{
    static const uint8_t bank[] = { 0, 1, 2, 0, 1, 2, 0, 2 }, nth[] = { 0, 0, 0, 1, 1, 1, 2, 2 };
    uint32_t size = 4 * (uint32_t)l.block_pitch;

    if (l.places == THREE)
        return bank[group] * 4096u + nth[group] * size;
    if (l.places == TILES)
        return (uint32_t)(tile & 1) * (BUFFERS_MEET ? 4104 : 4096) + (uint32_t)group * size;
    return (uint32_t)(group & 1) * 4096 + (uint32_t)(group >> 1) * size
        + (uint32_t)(tile * l.tile_rows);
}

static void
move_line(int tile, int group, int line)
{
    int per_copy = l.lines / l.copies, at = line % per_copy, x = line / per_copy - l.pad;
    int y = !l.even ? at * l.down : at < l.even ? 2 * at : 2 * (at - l.even) + 1;
    uint32_t local = group_at[tile][group] + (uint32_t)(line * l.line_pitch);
    uint64_t from = ACTS, pitch = (uint64_t)(l.step * l.chans);
    int first = 0, n = 0;

    y += tile * l.tile_lines - l.pad;
    while (x + first * l.step < 0)
        first++;
    while (first + n < l.width && x + (first + n) * l.step < l.side)
        n++;
    if (y < 0 || (l.lines > 1 && y >= l.side)) {
        move_pixels(0, 0, 64, local, l.width);
        return;
    }
    from += (uint64_t)((y * l.side + x + first * l.step) * l.chans + group * 64);
    move_pixels(0, 0, 64, local, first);
    move_pixels(from, pitch, 64, local + (uint32_t)first, n);
    move_pixels(0, 0, 64, local + (uint32_t)(first + n), l.width - first - n);
}

/* Moves of a tile, and for each block of the tile before (of the tile itself: ONCE) how
 * many of them are issued when it ends. */
static void
plan_tile(int tile)
{
    int blocks = l.chunks * l.groups;
    struct move *from = last_move;
    struct move **when = due + (tile ? (tile - 1) * blocks : 0);
    struct move *end[65];

    for (int g = 0; g < l.groups; g++) {
        for (int line = 0; line < l.lines; line++)
            move_line(tile, g, line);
        end[g] = last_move;
    }
    if (!tile)
        first_moves = end[0];
    for (int b = 0; b < blocks; b++)
        if (!tile)
            when[b] = end[b + 1 < l.groups ? b + 1 : l.groups - 1];
        else if (l.loads == AHEAD && (tile > 1 || b + 1 >= l.groups))
            when[b] = from + (last_move - from) * (b + 1) / blocks;
        else if (l.loads == REPLACING && b > blocks - l.groups)
            when[b] = end[b - (blocks - l.groups) - 1];
    for (int b = 0; b < blocks; b++)
        when[blocks + b] = last_move;
}

/* Where the n-th move of weights goes: banks 2 and 3 by turns; or with an image in three
 * banks, 3 and whatever else the group leaves free. */
static uint32_t
weights_place(int n, uint32_t image_bank)
{
    int half = n >> 1;

    if (l.places != THREE && BUFFERS_MEET)
        return 8192 + 4096u * (n & 1) + 1024 + 64u * (half & 31);
    if (l.places != THREE)
        return 8192 + 4096u * (n & 1) + 64u * (half & 63);
    if (n & 1)
        return 12288 + 64u * (half & 63);
    if (image_bank != 1)
        return 4096 + 2520 + 64u * (half % 24);
    return 3780 + 64u * (half & 3) + 2048u * (half & 4);
}

static void
plan_weights(void)
{
    weights_period = l.places == THREE ? l.groups * STEPS : 128;
    for (int n = 0; n < weights_period; n++)
        weight_at[n] = weights_place(n, group_at[0][n / STEPS % l.groups] >> 12);
}

/* From the first pixel of a group to what a tap reads. */
static int
tap_of(int kr, int kc)
{
    int per_copy = l.lines / l.copies;

    if (l.copies == 1)
        return kr * l.line_pitch + kc;
    if (l.even)
        kr = kr & 1 ? l.even : kr / 2;
    return (kc * per_copy + kr) * l.line_pitch;
}

static void
prepare(void)
{
    int blocks = l.chunks * l.groups;

    for (int t = 0; t < l.tiles; t++)
        for (int g = 0; g < l.groups; g++)
            group_at[t][g] = place_of(t, g);
    for (int t = 0; t < (l.loads == ONCE ? 1 : l.tiles); t++)
        plan_tile(t);
    for (int b = l.loads == ONCE ? blocks : l.tiles * blocks; b < l.tiles * blocks; b++)
        due[b] = last_move;
    for (int tap = 0; tap < l.taps; tap++)
        tap_at[tap] = (uint16_t)tap_of(tap / 3, tap % 3);
    plan_weights();
}

/* ---- the stream */

struct stream {
    struct move *move, *end;         /* of the image: the next, and none */
    uint64_t weights, out, from, bias, to;
    int weights_left, in, use, lead, ahead;
    int stores, biases, wait;
    int run;
};

inline_always void
next_weights(struct stream *s)
{
    if (!s->weights_left)
        return;
    gm_mvin2(s->weights, gm_rc(16, 64, 0) + weight_at[s->in]);
    s->weights += 1024;
    s->weights_left--;
    if (++s->in == weights_period)
        s->in = 0;
}

/* Four blocks of a segment. */
inline_always void
next_bias(struct stream *s)
{
    uint64_t rows = (uint64_t)seg[SEGS - s->biases].rows << 48;

#pragma GCC unroll 4
    for (int j = 0; j < l.outs; j++)
        gm_mvin3(s->bias + (uint64_t)j * 64, s->to + rows + (uint64_t)j * 16);
    s->to += PITCH;
    s->biases--;
}

inline_always void
next_store(struct stream *s)
{
    uint64_t rows = seg[SEGS - s->stores].rows;

    gm_mvout(s->out, s->from + (rows << 48));
    s->out += rows * (uint64_t)l.columns;
    s->from += PITCH;
    s->stores--;
}

/* Before each run: at most one store, and the bias of a segment. */
inline_always void
beside_run(struct stream *s)
{
    if (s->stores && s->run)
        next_store(s);
    if (l.bias && s->biases && --s->wait == 0) {
        next_bias(s);
        s->wait = 3;
    }
    s->run++;
}

inline_always void
run_segments(uint64_t w, uint64_t c, uint64_t a)
{
    const uint64_t none = NONE;

    c += (uint64_t)seg[0].rows << 48;
    a += (uint64_t)seg[0].rows << 48;
    gm_preload(w, c);
    gm_compute_preloaded(a, none);
#pragma GCC unroll 16
    for (int i = 1; i < SEGS; i++) {
        uint64_t more = (uint64_t)(seg[i].rows - seg[i - 1].rows) << 48;

        c += more + PITCH;
        a += more + (uint64_t)(seg[i].at - seg[i - 1].at);
        gm_preload(none, c);
        gm_compute_accumulated(a, none);
    }
}

/* With the weights of one move: four runs, 16 channels deep, or twice two. */
inline_always void
step(struct stream *s, uint64_t w, uint64_t c, uint64_t a)
{
#pragma GCC unroll 1
    for (int j = 0; j < 4; j++, w += 16, c += 16) {
        if (l.outs == 2 && j == 2) {
            c = (c - 32) | GM_ACCUMULATE;
            a += (uint64_t)l.block_pitch;
        }
        beside_run(s);
        run_segments(w, c, a);
    }
}

/* Weights and pieces of the image that are due, between steps; `per` of the latter. */
inline_always void
load(struct stream *s, bool weights, const struct move *until, long per)
{
    if (weights) {
        next_weights(s);
        if (s->lead < LEAD && s->move == s->end && !(s->weights_left & 7)) {
            next_weights(s);
            s->lead++;
        }
    }
    for (; per > 0 && s->move < until; per--)
        issue_move(&s->move);
}

/* A group of 64 channels, of one chunk of one tile. */
inline_always void
group(struct stream *s, int tile, int g, uint64_t c, struct move *const *due_now)
{
    const struct move *until = s->move == s->end ? s->end : *due_now;
    uint64_t a = gm_rc(0, 16, group_at[tile][g]);
    long per = (until - s->move + STEPS - 1) / STEPS;

    for (int tap = 0; tap < l.taps; tap++) {
        uint64_t at = a + tap_at[tap];

#pragma GCC unroll 1
        for (int kb = 0; kb < l.outs; kb++) {
            load(s, !l.inner || !tile, until, per);
            step(s, gm_rc(16, 16, 0) + weight_at[s->use], c, at);
            if (++s->use == weights_period)
                s->use = 0;
            c |= GM_ACCUMULATE;
            at += (uint64_t)(l.block_pitch * 4 / l.outs);
        }
    }
}

static int
pixels(void)
{
    int n = 0;

    for (int i = 0; i < SEGS; i++)
        n += seg[i].rows;
    return n;
}

/* All that a bank of the accumulator sums up; then it is to be stored. */
inline_always void
sum(struct stream *s, int tile, int chunk, struct move **until)
{
    uint64_t bank = s->from & 512 ? 0 : 512, width = (uint64_t)l.outs * 16;
    int next = l.inner ? chunk + (tile + 1 == l.tiles) : chunk + 1 == l.chunks ? 0 : chunk + 1;
    bool last = chunk + 1 == l.chunks && tile + 1 == l.tiles;

    s->run = 0;
    s->biases = last ? 0 : SEGS;
    s->wait = 20;
    s->bias = BIAS + (uint64_t)next * width * 4;
    s->to = gm_rc(0, 16, GM_ACC + (bank ^ 512));
    for (int g = 0; g < l.groups; g++)
        group(s, tile, g, gm_rc(0, 16, (l.bias || g ? ADD_TO : GM_ACC) + bank), until + g);
    while (s->stores)
        next_store(s);
    s->out = OUTPUT + (uint64_t)(tile * pixels() * l.columns) + (uint64_t)chunk * width;
    s->from = gm_rc(0, width, GM_ACC + bank);
    s->stores = SEGS;
}

static void
begin(struct stream *s)
{
    gm_config_ex((uint64_t)l.a_stride);
    gm_config_ld(0, (uint64_t)(l.step * l.chans), (uint64_t)l.block_pitch, 0);
    gm_config_ld(1, 64, 16, 0);
    gm_config_ld(2, 0, 16, 0);
    gm_config_st((uint64_t)l.columns, SCALE, 0);
    next_weights(s);
    while (s->move < first_moves)
        issue_move(&s->move);
    while (s->in < 3)
        next_weights(s);
    if (l.bias)
        for (s->biases = SEGS; s->biases;)
            next_bias(s);
}

static void
kernel(void)
{
    struct stream s = { .move = move, .end = last_move, .weights = WEIGHTS, .bias = BIAS, .lead = 3,
        .to = gm_rc(0, 16, GM_ACC), .from = 512,
        .weights_left = STEPS * l.groups * l.chunks * (l.inner || l.resident ? 1 : l.tiles) };

    begin(&s);
    if (l.inner)
        for (int chunk = 0; chunk < l.chunks; chunk++) {
            int use = s.use;

            for (int tile = 0; tile < l.tiles; tile++) {
                s.use = use;
                sum(&s, tile, chunk, due + (tile * l.chunks + chunk) * l.groups);
            }
        }
    else
        for (int tile = 0; tile < l.tiles; tile++)
            for (int chunk = 0; chunk < l.chunks; chunk++)
                sum(&s, tile, chunk, due + (tile * l.chunks + chunk) * l.groups);
    while (s.stores)
        next_store(&s);
}
