/* The figures and their streams (micro.h).  A figure per item is the time of 64 items,
 * with the latency of the first, over 64, as it was measured; costs of pairs and runs
 * are what one more costs. */
#include <math.h>

#include "test/unit/micro.h"
#include "test/unit/simtest.h"

enum { SCRATCH = 15000 };            /* local rows that nothing else uses */
enum { ITEMS = 64, MIB = 1 << 20 };

/* ---- measuring */

void
micro_open(int64_t latency)
{
    sim_default_target();
    sim_target.ram_size = 64 * MIB;
    if (latency)
        sim_target.dram_latency = latency;
    sim_open(SIM_STRICT_OFF, true);
}

void
micro_fresh(void)
{
    sim_reset(sim);
    config_ex(1);
    config_ld(0, 64, 16, 1, false);
    config_ld(1, 64, 16, 1, false);
    config_ld(2, 0, 16, 1, false);
    config_st(64, 1, 0);
    fence();
}

static uint64_t started;

void
micro_start(void)
{
    fence();
    started = cycles();
}

double
micro_stop(void)
{
    fence();
    return (double)(cycles() - started);
}

typedef void stream(const struct micro *m, int n);

static double
time_of(stream *s, const struct micro *m, int n)
{
    micro_start();
    s(m, n);
    return micro_stop();
}

/* Of one item in 64, everything warm. */
static double
in_64(stream *s, const struct micro *m)
{
    s(m, ITEMS);
    s(m, ITEMS);
    return time_of(s, m, ITEMS) / ITEMS;
}

/* Of one more item. */
static double
one_more(stream *s, const struct micro *m)
{
    double once;

    s(m, ITEMS);
    s(m, ITEMS);
    once = time_of(s, m, ITEMS);
    return (time_of(s, m, 2 * ITEMS) - once) / ITEMS;
}

/* ---- moves in */

enum { PLAIN, ZERO, SCALED, SHRUNK };

static void
loads(const struct micro *m, int n)
{
    uint64_t size = m->rows * m->stride;

    for (int i = 0; i < n; i++)
        cmd(ISA_MVIN, m->kind == ZERO ? 0 : RAM + m->off + (uint64_t)(i % 32) * size,
            OP(m->local, m->rows, m->cols));
}

static void
config_load(const struct micro *m)
{
    config_ld(0, m->stride, 16, m->kind == SCALED ? 0.5f : 1, m->kind == SHRUNK);
}

static double
load_each(const struct micro *m)
{
    config_load(m);
    return in_64(loads, m);
}

static double
load_alone(const struct micro *m)
{
    config_load(m);
    cmd(ISA_MVIN, RAM, OP(SP(SCRATCH), m->rows, m->cols));
    return time_of(loads, m, 1);
}

/* The shortest of some: where victims take the last lines' registers, 16 lines take 36 cycles
 * more, in cycle simulation too. */
static double
load_cold(const struct micro *m)
{
    double least = HUGE_VAL;

    config_load(m);
    for (uint64_t i = 0; i < 16; i++) {
        micro_start();
        cmd(ISA_MVIN, RAM + 16 * MIB + i * m->rows * m->stride, OP(m->local, m->rows, m->cols));
        least = fmin(least, micro_stop());
    }
    return least;
}

/* ---- memory beyond the cache */

enum { CLEAN, DIRTY, EMPTY };

void
micro_cold_lines(int n)
{
    static uint64_t at = MIB;

    for (int i = 0; i < n; i++, at += 1024)
        cmd(ISA_MVIN, RAM + at % (32 * MIB), OP(SP(0), 16, 64));
}

/* Fill the cache with lines that have to be written back. */
static void
make_dirty(void)
{
    for (uint64_t i = 0; i < 1024; i++)
        cmd(ISA_MVOUT, RAM + 40 * MIB + i * 1024, OP(ACC(0), 16, 64));
}

/* A line each of a cold stream; where nothing is thrown out, of one that fills the scratchpad:
 * some lines throw out others of the stream. */
static double
cold_line(const struct micro *m)
{
    int n;

    if (m->kind == DIRTY)
        make_dirty();
    if (m->kind == EMPTY) {
        sim_target.l2_filled = 0;
        micro_fresh();
    }
    n = m->kind == EMPTY ? 4 * ITEMS : ITEMS;
    micro_start();
    micro_cold_lines(n);
    return micro_stop() / (n * 16);
}

/* Rows of 16 bytes side by side, four to a line. */
static double
cold_short_rows(const struct micro *m)
{
    (void)m;
    config_ld(0, 16, 16, 1, false);
    micro_start();
    for (uint64_t i = 0; i < ITEMS; i++)
        cmd(ISA_MVIN, RAM + 8 * MIB + i * 256, OP(SP(0), 16, 16));
    return micro_stop() / (ITEMS * 16);
}

/* 32 KB in beside 32 KB out. */
static double
both_ways(const struct micro *m)
{
    (void)m;
    for (uint64_t i = 0; i < 32; i++)
        cmd(ISA_MVIN, RAM + i * 1024, OP(SP(SCRATCH), 16, 64));
    micro_start();
    for (uint64_t i = 0; i < 32; i++) {
        cmd(ISA_MVIN, RAM + i * 1024, OP(SP(0), 16, 64));
        cmd(ISA_MVOUT, RAM + i * 1024, OP(SP(8192), 16, 64));
    }
    return micro_stop();
}

/* 1024 rows out to lines that are not there. */
static double
cold_stores(const struct micro *m)
{
    config_st((uint32_t)m->stride, 1, 0);
    micro_start();
    for (uint64_t i = 0; i < ITEMS; i++)
        cmd(ISA_MVOUT, RAM + 8 * MIB + i * 16 * m->stride, OP(ACC(0), 16, m->cols));
    return micro_stop() / (m->unit == MICRO_EACH ? 1024 : 1);
}

/* ---- the array */

enum { FLIP, STAY, TRANSPOSED_A, TRANSPOSED_B, STRIDED_A, OUTPUTS, CHAIN };

static void
config_pairs(unsigned kind)
{
    struct isa_config_ex c = { .ws = kind != OUTPUTS && kind != CHAIN, .a_stride = 1,
        .c_stride = 1, .scale = 1, .a_transpose = kind == TRANSPOSED_A,
        .b_transpose = kind == TRANSPOSED_B };

    if (kind == STRIDED_A)
        c.a_stride = 2;
    config_ex_of(&c);
    fence();
}

/* With weights at m->local; output-stationary: sums that go out, or stay. */
static void
pairs(const struct micro *m, int n)
{
    for (int i = 0; i < n; i++) {
        bool outputs = m->kind == OUTPUTS || m->kind == CHAIN;
        bool real = (m->kind != STAY && m->kind != CHAIN) || !i;
        uint64_t to = outputs ? OP(SP(8192 + i % 32 * 16), 16, 16)
            : OP(ACC(i % 32 * 16), m->rows, 16);

        if (m->kind == CHAIN && i < n - 1)
            to = NONE(16, 16);
        cmd(ISA_PRELOAD, real ? OP(m->local, 16, 16) : NONE(16, 16), to);
        cmd(real ? ISA_COMPUTE_FLIP : ISA_COMPUTE_STAY, OP(SP(0), m->rows, 16),
            outputs ? OP(SP(4096), 16, 16) : NONE(16, 16));
    }
}

void
micro_flips(int n)
{
    const struct micro m = { .kind = FLIP, .rows = 16, .local = SP(4096) };

    pairs(&m, n);
}

static double
pair_alone(const struct micro *m)
{
    return time_of(pairs, m, 1);
}

static double
pairs_64(const struct micro *m)
{
    config_pairs(m->kind);
    return time_of(pairs, m, ITEMS);
}

static double
pairs_256(const struct micro *m)
{
    return time_of(pairs, m, 256);
}

static double
pair_more(const struct micro *m)
{
    config_pairs(m->kind);
    return one_more(pairs, m);
}

/* Runs of segments; weights change with each. */
static void
runs(const struct micro *m, int n)
{
    for (int i = 0, to = 0; i < n; i++)
        for (int j = 0; m->segments[j]; j++, to++) {
            cmd(ISA_PRELOAD, j ? NONE(16, 16) : OP(SP(4096 + i % 64 * 16), 16, 16),
                OP(ACC(to % 32 * 16), m->segments[j], 16));
            cmd(j ? ISA_COMPUTE_STAY : ISA_COMPUTE_FLIP, OP(SP(0), m->segments[j], 16),
                NONE(16, 16));
        }
}

static double
run_more(const struct micro *m)
{
    return one_more(runs, m);
}

static void
chain_of_loads(const struct micro *m, int n)
{
    for (int i = 0; i < n; i++) {
        cmd(ISA_MVIN, RAM, OP(SP(0), 16, 16));
        micro_flips(1);
    }
    (void)m;
}

static void
chain_of_stores(const struct micro *m, int n)
{
    for (int i = 0; i < n; i++) {
        micro_flips(1);
        cmd(ISA_MVOUT, RAM, OP(ACC(0), 16, 16));
    }
    (void)m;
}

static double
load_chain(const struct micro *m)
{
    config_ld(0, 16, 16, 1, false);
    return one_more(chain_of_loads, m);
}

static double
store_chain(const struct micro *m)
{
    config_st(16, 1, 0);
    return one_more(chain_of_stores, m);
}

static void
warm_16(void)
{
    for (uint64_t i = 0; i < 16; i++)
        cmd(ISA_MVIN, RAM + i * 1024, OP(SP(SCRATCH), 16, 64));
    micro_start();
}

/* 64 pairs beside 16 moves of 64 rows each into m->local. */
static double
beside_moves(const struct micro *m)
{
    warm_16();
    for (unsigned i = 0; i < 64; i++) {
        if (i % 4 == 0)
            cmd(ISA_MVIN, RAM + i * 256, OP(m->local + i * 16, 16, 64));
        cmd(ISA_PRELOAD, OP(SP(4096 + i * 16), 16, 16), OP(ACC(0), 16, 16));
        cmd(ISA_COMPUTE_FLIP, OP(SP(0), 16, 16), NONE(16, 16));
    }
    return micro_stop();
}

enum { ARRAY = 1, STORES = 2 };

/* 128 pairs into bank 0 of the accumulator and 16 stores out of m->local, or only one
 * of both. */
static double
beside_stores(const struct micro *m)
{
    warm_16();
    for (unsigned i = 0; i < 128; i++) {
        if (m->kind & ARRAY) {
            cmd(ISA_PRELOAD, i ? NONE(16, 16) : OP(SP(4096), 16, 16),
                OP(ADD(i % 8 * 16), 16, 16));
            cmd(i ? ISA_COMPUTE_STAY : ISA_COMPUTE_FLIP, OP(SP(0), 16, 16), NONE(16, 16));
        }
        if (m->kind & STORES && i % 8 == 0)
            cmd(ISA_MVOUT, RAM + i * 128, OP(m->local, 16, 64));
    }
    return micro_stop();
}

/* ---- moves out */

static void
stores(const struct micro *m, int n)
{
    for (int i = 0; i < n; i++)
        cmd(ISA_MVOUT, RAM + m->off + (uint64_t)(i % 32) * 1024,
            OP(m->local, m->rows, m->cols));
}

static double
store_each(const struct micro *m)
{
    bool scaled = m->kind == SCALED;

    config_st(m->stride ? (uint32_t)m->stride : 64, scaled ? 0.5f : 1, scaled);
    return in_64(stores, m);
}

static double
store_alone(const struct micro *m)
{
    stores(m, 64);
    return time_of(stores, m, 1);
}

/* One pooled store of 16 x 16 pixels to m->rows x m->rows. */
static double
pooled(const struct micro *m)
{
    struct isa_config_st c = { .stride = 16, .scale = 1, .act = 1, .pool_stride = 2,
        .pool_size = m->kind, .porows = m->rows, .pocols = m->rows, .orows = 16, .ocols = 16,
        .pool_out_dim = m->rows };

    config_st_of(&c);
    cmd(ISA_MVOUT, RAM, OP(ACC(0), 1, 16));
    micro_start();
    cmd(ISA_MVOUT, RAM, OP(ACC(0), 1, 16));
    return micro_stop();
}

/* ---- the figures */

#define RUN(...) (const unsigned[]) { __VA_ARGS__, 0 }
#define LOAD(what, rtl, r, c, st, ...) \
    { "1.4", what, rtl, .measure = load_each, .rows = r, .cols = c, .stride = st, __VA_ARGS__ }
#define LATENCY(what, rtl, how, r, c, st, ...) \
    { "1.4", what, rtl, MICRO_ONCE, .measure = how, .rows = r, .cols = c, .stride = st, \
        __VA_ARGS__ }
#define COLD(what, rtl, how, k, ...) \
    { "1.5", what, rtl, .measure = how, .kind = k, __VA_ARGS__ }
#define PAIRS(what, rtl, how, k, r, w) \
    { "1.6", what, rtl, MICRO_ONCE, .measure = how, .kind = k, .rows = r, .local = w }
#define KEPT(what, rtl, r) \
    { "s2 2", what, rtl, .measure = pair_more, .kind = STAY, .rows = r, .local = SP(4096) }
#define SEGMENTS(what, rtl, ...) \
    { "s2 3", what, rtl, .measure = run_more, .segments = RUN(__VA_ARGS__) }
#define BESIDE(what, rtl, how, k, to) \
    { "1.6", what, rtl, MICRO_ONCE, .measure = how, .kind = k, .local = to }
#define STORE(what, rtl, r, c, from, ...) \
    { "1.7", what, rtl, .measure = store_each, .rows = r, .cols = c, .local = from, __VA_ARGS__ }
#define PUTS(sect, what, rtl, u, c, st, ...) \
    { sect, what, rtl, u, .measure = cold_stores, .cols = c, .stride = st, __VA_ARGS__ }

const struct micro micros[] = {
    LOAD("mvin 16 x 16 B", 18.0, 16, 16, 16, .loose = 0),
    LOAD("mvin 16 x 32 B", 32.5, 16, 32, 32, .loose = 0),
    LOAD("mvin 16 x 48 B", 80.5, 16, 48, 64, .loose = 0),
    LOAD("mvin 16 x 64 B", 64.6, 16, 64, 64, .loose = 0),
    LOAD("mvin 16 x 64 B, off by 16", 76.6, 16, 64, 80, .loose = 0),
    LOAD("mvin 16 x 16 B, off by 1", 42.8, 16, 16, 16, .off = 1),
    LOAD("mvin 4 x 16 B", 11.8, 4, 16, 16, .loose = 0),
    LOAD("mvin 16 x 3 B", 20.0, 16, 3, 3, .loose = 0),
    LOAD("bias, stride 0", 18.5, 16, 16, 0, .local = ACC(0)),
    LOAD("mvin 16 x 64 B int32", 64.6, 16, 16, 64, .local = ACC(0)),
    LOAD("mvin shrunk, 16 x 64", 66.0, 16, 64, 64, .kind = SHRUNK, .local = ACC(0)),
    LOAD("zeros 16 x 16", 16.3, 16, 16, 64, .kind = ZERO),
    LOAD("zeros 16 x 64", 64.3, 16, 64, 64, .kind = ZERO),
    LOAD("mvin scaled, 16 x 64", 256.0, 16, 64, 64, .kind = SCALED),
    LATENCY("mvin 1 x 16 B alone", 32, load_alone, 1, 16, 16, .loose = 0),
    LATENCY("mvin 1 x 64 B alone", 35, load_alone, 1, 64, 64, .loose = 0),
    LATENCY("mvin 16 x 16 B alone", 47, load_alone, 16, 16, 16, .loose = 0),
    LATENCY("mvin 16 x 64 B alone", 95, load_alone, 16, 64, 64, .loose = 0),
    LATENCY("mvin 1 x 64 B alone, cold", 70, load_cold, 1, 64, 64, .loose = 0),
    LATENCY("mvin 1 x 64 B alone, cold, LAT 100", 140, load_cold, 1, 64, 64, .latency = 100),
    LATENCY("mvin 16 x 64 B alone, cold", 193, load_cold, 16, 64, 64, .loose = 0),
    { "1.4", "mvin, preload, compute in a chain", 77, MICRO_ONCE, .measure = load_chain },

    { "1.5", "32 KB in, 32 KB out", 4132, MICRO_ONCE, .measure = both_ways },
    COLD("cold line, free victim", 8.6, cold_line, EMPTY, .loose = 0),
    COLD("cold line, free victim, LAT 60", 8.6, cold_line, EMPTY, .latency = 60),
    COLD("cold line, free victim, LAT 100", 11.6, cold_line, EMPTY, .latency = 100),
    COLD("cold line, clean victim, LAT 10", 10.45, cold_line, CLEAN, .latency = 10),
    COLD("cold line, clean victim", 10.45, cold_line, CLEAN, .loose = 0),
    COLD("cold line, clean victim, LAT 60", 11.9, cold_line, CLEAN, .latency = 60),
    COLD("cold line, dirty victim", 12.0, cold_line, DIRTY, .loose = 0),
    COLD("cold 16 B, LAT 10", 2.5, cold_short_rows, CLEAN, .latency = 10),
    COLD("cold 16 B", 3.2, cold_short_rows, CLEAN, .loose = 0),
    COLD("cold 16 B, LAT 60", 5.0, cold_short_rows, CLEAN, .latency = 60),
    COLD("cold 16 B, LAT 100", 7.5, cold_short_rows, CLEAN, .latency = 100),
    PUTS("1.5", "whole line to a cold one", 7.2, MICRO_EACH, 64, 64, .loose = 0),
    /* By where they lie, 10715 to 11509 in our own cycle simulation. */
    PUTS("1.5", "1024 halves of cold lines", 11883, MICRO_ONCE, 32, 64, .loose = 11),

    PAIRS("one pair", 84, pair_alone, FLIP, 16, SP(4096)),
    PAIRS("64 flips", 1098, pairs_64, FLIP, 16, SP(4096)),
    PAIRS("256 flips", 4174, pairs_256, FLIP, 16, SP(4096)),
    PAIRS("64 stays", 1093, pairs_64, STAY, 16, SP(4096)),
    PAIRS("64 flips, A and weights in one bank", 2106, pairs_64, FLIP, 16, SP(256)),
    PAIRS("64 flips, A transposed", 1098, pairs_64, TRANSPOSED_A, 16, SP(4096)),
    PAIRS("64 flips, A of stride 2", 1098, pairs_64, STRIDED_A, 16, SP(4096)),
    { "1.6", "flip, B transposed", 32, .measure = pair_more, .kind = TRANSPOSED_B, .rows = 16,
        .local = SP(4096) },
    PAIRS("64 output-stationary", 1117, pairs_64, OUTPUTS, 16, SP(12288)),
    PAIRS("64 output-stationary, a chain", 1113, pairs_64, CHAIN, 16, SP(12288)),
    { "1.6", "compute, mvout in a chain", 102.6, .measure = store_chain },
    BESIDE("64 flips, moves into the bank of A", 2122, beside_moves, 0, SP(1024)),
    BESIDE("64 flips, moves into another bank", 1107, beside_moves, 0, SP(8192)),
    BESIDE("128 pairs that accumulate", 2117, beside_stores, ARRAY, ACC(256)),
    BESIDE("16 stores of 16 x 64", 1834, beside_stores, STORES, ACC(256)),
    BESIDE("both, one bank", 3838, beside_stores, ARRAY | STORES, ACC(256)),
    BESIDE("both, two banks", 2148, beside_stores, ARRAY | STORES, ACC(512)),

    STORE("mvout 16 x 16", 26.25, 16, 16, ACC(0), .loose = 0),
    STORE("mvout 16 x 16, scale and activation", 26.25, 16, 16, ACC(0), .kind = SCALED),
    STORE("mvout 16 x 32", 56, 16, 32, ACC(0), .loose = 0),
    STORE("mvout 16 x 48", 98.6, 16, 48, ACC(0), .loose = 0),
    STORE("mvout 16 x 64", 114.4, 16, 64, ACC(0), .loose = 0),
    STORE("mvout 16 x 16, off by 8", 39, 16, 16, ACC(0), .off = 8, .stride = 16),
    STORE("mvout 16 x 16 of the scratchpad", 16.5, 16, 16, SP(0), .loose = 0),
    STORE("mvout 16 x 16, full width", 64.6, 16, 16, ACC(0) | ISA_FULL, .loose = 0),
    STORE("mvout 4 x 16", 9.6, 4, 16, ACC(0), .loose = 0),
    STORE("mvout 1 x 16", 9.6, 1, 16, ACC(0), .loose = 0),
    { "1.7", "mvout 16 x 16 alone", 61, MICRO_ONCE, .measure = store_alone, .rows = 16,
        .cols = 16, .local = ACC(0) },
    { "1.7", "pool 2x2 s2, 16 to 8", 445, MICRO_ONCE, .measure = pooled, .rows = 8, .kind = 2 },
    { "1.7", "pool 3x3 s2, 16 to 7", 741, MICRO_ONCE, .measure = pooled, .rows = 7, .kind = 3 },
    PUTS("1.7", "1024 cold rows of 16 B, LAT 10", 2433, MICRO_ONCE, 16, 16, .latency = 10,
        .loose = 14),                /* 2128 in an empty cache, 2846 in one full of clean lines,
                                      * in our own cycle simulation; 2160 and 2790 here */
    PUTS("1.7", "1024 cold rows of 16 B", 3178, MICRO_ONCE, 16, 16, .loose = 0),
    PUTS("1.7", "1024 cold rows of 16 B, LAT 60", 5111, MICRO_ONCE, 16, 16, .latency = 60),

    { "s2 1", "cold mvin of 16 x 64 B: a line", 10.44, .measure = cold_line, .kind = CLEAN },
    KEPT("pair, weights kept: 1 row", 7.5, 1),
    KEPT("2 rows", 7.5, 2),
    KEPT("4 rows", 7.5, 4),
    KEPT("6 rows", 8.0, 6),
    KEPT("7 rows", 8.2, 7),
    KEPT("8 rows", 8.5, 8),
    KEPT("9 rows", 9.1, 9),
    KEPT("12 rows", 12.1, 12),
    KEPT("16 rows", 16.1, 16),
    SEGMENTS("run of 8, 16, 16, 16", 56.9, 8, 16, 16, 16),
    SEGMENTS("run of 16, 16, 16, 8", 65.3, 16, 16, 16, 8),
    SEGMENTS("run of 11, 11, 11, 16", 50.5, 11, 11, 11, 16),
    SEGMENTS("run of 13, 12, 12, 12", 54, 13, 12, 12, 12),
    SEGMENTS("run of seven times 14", 100, 14, 14, 14, 14, 14, 14, 14),
    SEGMENTS("run of 2, 16, 16, 16", 53.3, 2, 16, 16, 16),
};
const int micro_count = sizeof micros / sizeof *micros;

double
micro_measure(const struct micro *m)
{
    micro_open(m->latency);
    micro_fresh();
    return m->measure(m);
}

double
micro_window(const struct micro *m)
{
    double part = m->rtl * 5 / 100;

    return m->unit == MICRO_ONCE ? fmax(6, part) : part;
}
