/* 3 x 3 layers with resident weights, by rows (schedules.md T3, T6): a tile is two rows of
 * results, of all channels, or of 16 at a time through diagonal tiles of weights.  Padded
 * rows of the image are a ring over three banks, or each tile has its own in one of two.
 * The flags:
 *   SIDE, STRIDE      of the image, in pixels
 *   WIDTH, PITCH      bytes of a pixel that are moved; from pixel to pixel
 *   PLANES            of WIDTH channels, beside each other or one after the other
 *   DEPTHWISE         diagonal tiles
 *   BUFFERS           a bank for each tile, no ring
 *   SHORT, FULL       rows of the first segment of a line; segments of 16 after it
 *   LAST              the short segment comes last instead
 *   FROM              the run with the first moves of the next tile's bias
 * Without any: T3 of 64 channels, 56 x 56 pixels. */
#include "test/bench/streams/cold.h"
#include "test/bench/streams/moves.h"

#ifndef SIDE
#define SIDE 56
#endif
#ifndef SHORT
#define SHORT 8
#define FULL 3
#endif
#ifndef DEPTHWISE
#define DEPTHWISE 0
#endif
#ifndef FROM
#define FROM (DEPTHWISE ? 18 : 20)
#endif
#define EVERY (DEPTHWISE ? 1 : 3)
#define EACH (DEPTHWISE ? 2 : 4)
#ifndef STRIDE
#define STRIDE 1
#endif
#ifndef WIDTH
#define WIDTH 64
#endif
#ifndef PITCH
#define PITCH WIDTH
#endif
#ifndef PLANES
#define PLANES 1
#endif
#ifndef BUFFERS
#define BUFFERS 0
#endif
#ifndef LAST
#define LAST 0
#endif

enum {
    OUT = SIDE / STRIDE, TILES = OUT / 2, ALL = PLANES * TILES,
    BLOCKS = WIDTH / 16,
    LINE = SIDE + (STRIDE == 1 ? 2 : 1), ROW = BLOCKS * LINE, SLOTS = 4096 / ROW,
    OUTS = DEPTHWISE ? 1 : 4,        /* runs for a block of channels */
    NEED = STRIDE + 3,               /* rows that a tile reads */
    NEW = 2 * STRIDE,                /* of them not read by the tile before */
    SPAN = (SIDE + 4) / 3 * 3,       /* rows of a plane, so that banks go on */
    SEGS = 2 * (FULL + 1),
    RUNS = 3 * BLOCKS * OUTS,        /* of a row of the kernel */
    WEIGHT_MOVES = (9 * BLOCKS * OUTS * PLANES + 3) / 4
};

static uint32_t row_at[ALL + 1][NEED];
static struct move *due[ALL][3];     /* for each row of the kernel: moves up to there */
static struct move *first_moves;

/* ---- tables */

static int
row_of(int tile, int i)
{
    return tile / TILES * SPAN + tile % TILES * 2 * STRIDE + i;
}

static uint32_t
place_of(int tile, int i)
{
    int y = row_of(tile, i);

    if (BUFFERS)
        return (uint32_t)((tile & 1) * 4096 + i * ROW);
    return (uint32_t)(y % 3 * 4096 + y / 3 % SLOTS * ROW);
}

static void
move_row(int tile, int i)
{
    int y = row_of(tile, i) % SPAN - 1;
    uint64_t plane = (uint64_t)(tile / TILES) * (PITCH > WIDTH ? WIDTH : SIDE * SIDE * WIDTH);
    uint32_t local = row_at[tile][i];

    if (y < 0 || y >= SIDE) {
        move_pixels(0, 0, WIDTH, local, LINE);
        return;
    }
    move_pixels(0, 0, WIDTH, local, 1);
    move_pixels(ACTS + plane + (uint64_t)(y * SIDE * PITCH), PITCH, WIDTH, local + 1, SIDE);
    move_pixels(0, 0, WIDTH, local + 1 + SIDE, LINE - 1 - SIDE);
}

/* May row i of the next tile be loaded in row kr of the kernel?  Its bank must not be one
 * that is read; two buffers spread them. */
static int
fits(int tile, int kr, int i)
{
    uint32_t bank = row_at[tile + 1][i] >> 12;

    if (BUFFERS)
        return i <= kr + 1;
    return bank != row_at[tile][kr] >> 12 && bank != row_at[tile][kr + STRIDE] >> 12;
}

static void
plan_tile(int tile)
{
    int from = BUFFERS || (tile + 1) % TILES == 0 ? 0 : NEED - NEW, done = 0;

    for (int kr = 0; kr < 3; kr++) {
        for (int i = from; i < NEED && tile + 1 < ALL; i++)
            if (!(done >> i & 1) && (fits(tile, kr, i) || kr == 2)) {
                move_row(tile + 1, i);
                done |= 1 << i;
            }
        due[tile][kr] = last_move;
    }
}

static void
prepare(void)
{
    for (int t = 0; t <= ALL; t++)
        for (int i = 0; i < NEED; i++)
            row_at[t][i] = place_of(t, i);
    for (int i = 0; i < NEED; i++)
        move_row(0, i);
    first_moves = last_move;
    for (int t = 0; t < ALL; t++)
        plan_tile(t);
}

/* ---- the stream */

struct stream {
    struct move *move;               /* of the image: the next */
    uint64_t weights, weights_at;
    uint64_t out, from, bias, to;
    int weights_left, run, stores, biases, wait;
    long late, pace;                 /* moves of the image, spread over runs */
};

static inline uint64_t
rows_of(int seg)
{
    return seg % (FULL + 1) == (LAST ? FULL : 0) ? SHORT : 16;
}

inline_always void
next_weights(struct stream *s)
{
    gm_mvin2(s->weights, s->weights_at);
    s->weights += 1024;
    s->weights_at += 64;
    s->weights_left--;
}

inline_always void
next_store(struct stream *s)
{
    uint64_t rows = rows_of(SEGS - s->stores);

    gm_mvout(s->out, s->from + (rows << 48));
    s->out += rows * PITCH;
    s->from += WIDTH;
    s->stores--;
}

/* EACH blocks of a segment. */
inline_always void
next_bias(struct stream *s)
{
    int seg = SEGS - (s->biases + BLOCKS / EACH - 1) / (BLOCKS / EACH);
    uint64_t to = s->to + (rows_of(seg) << 48);

#pragma GCC unroll 4
    for (uint64_t i = 0; i < EACH; i++)
        gm_mvin3(s->bias + i * 64, to + i * 16);
    s->to += EACH * 16;
    s->bias ^= BLOCKS > EACH ? EACH * 64 : 0;
    s->biases--;
}

inline_always void
beside_run(struct stream *s, struct move *until)
{
    if (s->stores && s->run)
        next_store(s);
    if (s->biases && --s->wait == 0) {
        next_bias(s);
        s->wait = EVERY;
    }
    if (s->weights_left && s->run % 4 == 0)
        next_weights(s);
    for (s->late += s->pace; s->late >= RUNS && s->move < until; s->late -= RUNS)
        issue_move(&s->move);
    s->run++;
}

/* One line of results; `w` has real weights for the first pair of all. */
inline_always void
line(uint64_t w, uint64_t c, uint64_t a)
{
    const uint64_t none = NONE;

    c += rows_of(0) << 48;
    a += rows_of(0) << 48;
    gm_preload(w, c);
    if (w == none)
        gm_compute_accumulated(a, none);
    else
        gm_compute_preloaded(a, none);
#pragma GCC unroll 8
    for (int i = 1; i <= FULL; i++) {
        uint64_t more = (rows_of(i) - rows_of(i - 1)) << 48;

        c += more + WIDTH;
        a += more + rows_of(i - 1) * STRIDE;
        gm_preload(none, c);
        gm_compute_accumulated(a, none);
    }
}

/* One row of the kernel. */
inline_always void
kernel_row(struct stream *s, const uint32_t *row, uint64_t w, uint64_t c, struct move *until)
{
    s->pace = until - s->move;
    s->late = RUNS - 1;
    for (int kc = 0; kc < 3; kc++) {
        uint64_t a = gm_rc(0, 16, row[0] + (uint64_t)kc);
        uint64_t apart = (uint64_t)row[STRIDE] - row[0];

        for (int kb = 0; kb < BLOCKS; kb++, a += LINE) {
            for (int j = 0; j < OUTS; j++, w += 16) {
                uint64_t to = c + (uint64_t)(DEPTHWISE ? kb : j) * 16;

                beside_run(s, until);
                line(w, to, a);
                line(NONE, to + (FULL + 1) * WIDTH, a + apart);
            }
        }
    }
}

static void
begin(struct stream *s)
{
    gm_config_ex(STRIDE);
    gm_config_ld(0, PITCH, LINE, 0);
    gm_config_ld(1, 64, 16, 0);
    gm_config_ld(2, 0, 16, 0);
    gm_config_st(PITCH, SCALE, 0);
    next_weights(s);
    while (s->move < first_moves)
        issue_move(&s->move);
    while (s->biases)
        next_bias(s);
}

static void
kernel(void)
{
    struct stream s = { .move = move, .weights = WEIGHTS, .weights_at = gm_rc(16, 64, 12288),
        .weights_left = WEIGHT_MOVES, .bias = BIAS, .to = gm_rc(0, 16, GM_ACC),
        .biases = SEGS * BLOCKS / EACH };
    uint64_t bank = 0;

    begin(&s);
    for (int t = 0; t < ALL; t++, bank ^= 512) {
        uint64_t w = gm_rc(16, 16, 12288 + (uint64_t)(t / TILES) * 9 * BLOCKS * OUTS * 16);

        s.run = 0;
        s.biases = t + 1 < ALL ? SEGS * BLOCKS / EACH : 0;
        s.wait = FROM;
        s.to = gm_rc(0, 16, GM_ACC + (bank ^ 512));
        for (int kr = 0; kr < 3; kr++, w += RUNS * 16)
            kernel_row(&s, row_at[t] + kr, w, gm_rc(0, 16, ADD_TO + bank), due[t][kr]);
        while (s.stores)
            next_store(&s);
        s.out = OUTPUT + (uint64_t)(t / TILES) * (PITCH > WIDTH ? WIDTH : OUT * OUT * WIDTH)
            + (uint64_t)(t % TILES * 2 * OUT * PITCH);
        s.from = gm_rc(0, WIDTH, GM_ACC + bank);
        s.stores = SEGS;
    }
    while (s.stores)
        next_store(&s);
}
