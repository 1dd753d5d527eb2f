/* sim/time: the clock against cycles measured on RTL (timing.md 1.4 to 1.7 and
 * schedules.md section 2; default array, memory latency 30).  A window is the measured
 * figure, 5 % or 6 cycles to either side; wider ones say why. */
#include <math.h>
#include <string.h>

#include "test/unit/simtest.h"
#include "test/unit/tap.h"

#define SCRATCH 15000                /* local rows that nothing else uses */

static void
setup(void)
{
    sim_default_target();
    sim_target.ram_size = 64 << 20;
    sim_open(SIM_STRICT_OFF, true);
}

/* A machine of before, its cache full of lines nobody wants. */
static void
fresh(void)
{
    sim_reset(sim);
    config_ex(1);
    config_ld(0, 64, 16, 1, false);
    config_ld(1, 64, 16, 1, false);
    config_st(64, 1, 0);
    fence();
}

static uint64_t started;

static void
start(void)
{
    fence();
    started = cycles();
}

/* Cycles since start, with the final fence. */
static double
stop(void)
{
    fence();
    return (double)(cycles() - started);
}

static void
near(const char *what, double model, double rtl, double percent)
{
    double off = fmax(6, rtl * percent / 100);

    ck_assert_msg(fabs(model - rtl) <= off, "%s: %.1f cycles, measured %.1f", what, model,
        rtl);
}

/* The same per command of a long stream. */
static void
rate(const char *what, double model, double rtl, double percent)
{
    ck_assert_msg(fabs(model - rtl) <= rtl * percent / 100,
        "%s: %.2f cycles each, measured %.2f", what, model, rtl);
}

/* What one more of a stream costs: the difference between N and 2 N, warmed up. */
static double
each(void (*stream)(int n), int n)
{
    double once;

    stream(n);
    stream(n);
    start();
    stream(n);
    once = stop();
    start();
    stream(2 * n);
    return (stop() - once) / n;
}

/* ---- moves in */

static struct {
    unsigned rows, cols;
    uint64_t stride, off;
    uint32_t to;
    bool zero;
} in;

static void
moves_in(int n)
{
    uint64_t size = in.rows * in.stride;

    for (int i = 0; i < n; i++)
        cmd(ISA_MVIN, in.zero ? 0 : RAM + in.off + (uint64_t)(i % 32) * size,
            OP(in.to, in.rows, in.cols));
}

static double
move_in(unsigned rows, unsigned cols, uint64_t stride, uint64_t off, uint32_t to)
{
    fresh();
    in.rows = rows;
    in.cols = cols;
    in.stride = stride;
    in.off = off;
    in.to = to;
    in.zero = false;
    config_ld(0, stride, 16, 1, false);
    return each(moves_in, 64);
}

START_TEST(mvin_rates)
{
    rate("16 x 16 B", move_in(16, 16, 16, 0, SP(0)), 18.0, 5);   /* a row a cycle, and 2 */
    rate("16 x 32 B", move_in(16, 32, 32, 0, SP(0)), 32.5, 5);   /* two beats a row */
    rate("16 x 48 B", move_in(16, 48, 64, 0, SP(0)), 80.5, 5);   /* four beats, a bubble */
    rate("16 x 64 B", move_in(16, 64, 64, 0, SP(0)), 64.6, 5);   /* the port's limit */
    rate("16 x 64 B, off by 16", move_in(16, 64, 64, 16, SP(0)), 76.6, 5);
    rate("16 x 16 B, off by 1", move_in(16, 16, 16, 1, SP(0)), 42.8, 5);
    rate("4 x 16 B", move_in(4, 16, 16, 0, SP(0)), 11.8, 5);     /* two at a time: latency */
    rate("16 x 3 B", move_in(16, 3, 3, 0, SP(0)), 20.0, 5);
    rate("int32", move_in(16, 16, 64, 0, ACC(0)), 64.6, 5);
    rate("bias, stride 0", move_in(16, 16, 0, 0, ACC(0)), 18.5, 5); /* repeated on chip */
}
END_TEST

START_TEST(mvin_special_rates)
{
    move_in(16, 64, 64, 0, ACC(0));
    config_ld(0, 64, 16, 1, true);
    rate("shrunk", each(moves_in, 64), 66.0, 5);
    move_in(16, 64, 64, 0, SP(0));
    config_ld(0, 64, 16, 0.5f, false);
    rate("scaled", each(moves_in, 64), 256.0, 5);                /* 4 elements a cycle */
    in.zero = true;
    config_ld(0, 64, 16, 1, false);
    rate("zeros 16 x 64", each(moves_in, 64), 64.3, 5);
    in.cols = 16;
    rate("zeros 16 x 16", each(moves_in, 64), 16.3, 5);
}
END_TEST

static double
alone(unsigned rows, unsigned cols, uint64_t stride)
{
    fresh();
    config_ld(0, stride, 16, 1, false);
    cmd(ISA_MVIN, RAM, OP(SP(SCRATCH), rows, cols));
    start();
    cmd(ISA_MVIN, RAM, OP(SP(0), rows, cols));
    return stop();
}

START_TEST(mvin_latencies)
{
    near("1 x 16 B", alone(1, 16, 16), 32, 5);
    near("1 x 64 B", alone(1, 64, 64), 35, 5);
    near("16 x 16 B", alone(16, 16, 16), 47, 5);
    near("16 x 64 B", alone(16, 64, 64), 95, 5);
}
END_TEST

static void
cold_lines(int n)
{
    static uint64_t at = 1 << 20;

    for (int i = 0; i < n; i++, at += 1024)
        cmd(ISA_MVIN, RAM + at % (32 << 20), OP(SP(0), 16, 64));
}

START_TEST(cold_memory)
{
    double t;

    fresh();
    start();
    cold_lines(64);
    rate("a cold line, clean victims", stop() / 1024, 10.45, 5);
    /* Fill the cache with lines that have to be written back. */
    fresh();
    for (uint64_t i = 0; i < 1024; i++)
        cmd(ISA_MVOUT, RAM + (40 << 20) + i * 1024, OP(ACC(0), 16, 64));
    start();
    cold_lines(64);
    rate("a cold line, dirty victims", stop() / 1024, 12.0, 5);
    fresh();
    config_ld(0, 16, 16, 1, false);
    start();
    for (uint64_t i = 0; i < 64; i++)
        cmd(ISA_MVIN, RAM + (8 << 20) + i * 256, OP(SP(0), 16, 16));
    t = stop() / 1024;                           /* four lines in flight, no more */
    rate("16 B of a cold line", t, 3.2, 5);
}
END_TEST

/* ---- the array */

static struct {
    unsigned rows;
    uint32_t w;
    bool flip;
} ex;

static void
pairs(int n)
{
    for (int i = 0; i < n; i++) {
        bool real = ex.flip || i == 0;
        cmd(ISA_PRELOAD, real ? OP(ex.w, 16, 16) : NONE(16, 16),
            OP(ACC(i % 32 * 16), ex.rows, 16));
        cmd(real ? ISA_COMPUTE_FLIP : ISA_COMPUTE_STAY, OP(SP(0), ex.rows, 16),
            NONE(16, 16));
    }
}

START_TEST(pair_rates)
{
    fresh();
    ex.rows = 16;
    ex.w = SP(4096);
    ex.flip = true;
    start();
    pairs(1);
    near("one pair", stop(), 84, 5);
    start();
    pairs(64);
    near("64 flips", stop(), 1098, 5);
    start();
    pairs(256);
    near("256 flips", stop(), 4174, 5);
    ex.w = SP(256);                              /* A and weights share a port */
    start();
    pairs(64);
    near("64 flips, one bank", stop(), 2106, 5);
    ex.flip = false;
    ex.w = SP(4096);
    start();
    pairs(64);
    near("64 stays", stop(), 1093, 5);
}
END_TEST

START_TEST(short_pairs)
{
    static const struct { unsigned rows; double rtl; } few[] = { { 1, 7.5 }, { 4, 7.5 },
        { 6, 8.0 }, { 7, 8.2 }, { 8, 8.5 }, { 9, 9.1 }, { 12, 12.1 }, { 16, 16.1 } };

    fresh();
    ex.flip = false;
    ex.w = SP(4096);
    for (size_t i = 0; i < sizeof few / sizeof *few; i++) {
        ex.rows = few[i].rows;
        rate("kept weights", each(pairs, 256), few[i].rtl, 5);
    }
}
END_TEST

/* Runs of four segments, weights changing with each. */
static const unsigned *segments;

static void
runs(int n)
{
    for (int i = 0; i < 4 * n; i++) {
        bool real = i % 4 == 0;
        unsigned rows = segments[i % 4];
        cmd(ISA_PRELOAD, real ? OP(SP(4096 + i % 64 * 16), 16, 16) : NONE(16, 16),
            OP(ACC(i % 32 * 16), rows, 16));
        cmd(real ? ISA_COMPUTE_FLIP : ISA_COMPUTE_STAY, OP(SP(0), rows, 16), NONE(16, 16));
    }
}

START_TEST(a_short_segment_belongs_first)
{
    static const unsigned first[] = { 8, 16, 16, 16 }, last[] = { 16, 16, 16, 8 };
    static const unsigned three[] = { 11, 11, 11, 16 }, even[] = { 13, 12, 12, 12 };
    double f, l;

    fresh();
    segments = first;
    f = each(runs, 100);
    rate("8, 16, 16, 16", f, 56.9, 5);
    segments = last;
    l = each(runs, 100);
    rate("16, 16, 16, 8", l, 65.3, 5);
    ck_assert(l - f >= (65.3 - 56.9) / 2);       /* the pitfall costs at least half */
    segments = three;
    rate("11, 11, 11, 16", each(runs, 100), 50.5, 5);
    segments = even;
    rate("13, 12, 12, 12", each(runs, 100), 54, 5);
}
END_TEST

static void
chain_of_loads(int n)
{
    for (int i = 0; i < n; i++) {
        cmd(ISA_MVIN, RAM, OP(SP(0), 16, 16));
        cmd(ISA_PRELOAD, OP(SP(4096), 16, 16), OP(ACC(0), 16, 16));
        cmd(ISA_COMPUTE_FLIP, OP(SP(0), 16, 16), NONE(16, 16));
    }
}

static void
chain_of_stores(int n)
{
    for (int i = 0; i < n; i++) {
        cmd(ISA_PRELOAD, OP(SP(4096), 16, 16), OP(ACC(0), 16, 16));
        cmd(ISA_COMPUTE_FLIP, OP(SP(0), 16, 16), NONE(16, 16));
        cmd(ISA_MVOUT, RAM, OP(ACC(0), 16, 16));
    }
}

START_TEST(chains)
{
    fresh();
    config_ld(0, 16, 16, 1, false);
    config_st(16, 1, 0);
    near("mvin, preload, compute", each(chain_of_loads, 32), 77, 5);
    near("compute, mvout", each(chain_of_stores, 32), 102.6, 5);
}
END_TEST

/* 64 pairs beside 16 moves of 64 rows each. */
static double
beside_moves(uint32_t to)
{
    fresh();
    cold_lines(0);
    ex.rows = 16;
    for (uint64_t i = 0; i < 16; i++)
        cmd(ISA_MVIN, RAM + i * 1024, OP(SP(SCRATCH), 16, 64));
    start();
    for (unsigned i = 0; i < 64; i++) {
        if (i % 4 == 0)
            cmd(ISA_MVIN, RAM + i * 256, OP(to + i * 16, 16, 64));
        cmd(ISA_PRELOAD, OP(SP(4096 + i * 16), 16, 16), OP(ACC(0), 16, 16));
        cmd(ISA_COMPUTE_FLIP, OP(SP(0), 16, 16), NONE(16, 16));
    }
    return stop();
}

START_TEST(moves_into_the_bank_being_read)
{
    near("the bank of A", beside_moves(SP(1024)), 2122, 5);      /* a stop for each row */
    near("another bank", beside_moves(SP(8192)), 1107, 5);
}
END_TEST

/* ---- moves out */

static struct {
    unsigned rows, cols;
    uint64_t off;
    uint32_t from;
} st;

static void
moves_out(int n)
{
    for (int i = 0; i < n; i++)
        cmd(ISA_MVOUT, RAM + st.off + (uint64_t)(i % 32) * 1024,
            OP(st.from, st.rows, st.cols));
}

static double
move_out(unsigned rows, unsigned cols, uint64_t off, uint32_t from)
{
    fresh();
    st.rows = rows;
    st.cols = cols;
    st.off = off;
    st.from = from;
    return each(moves_out, 64);
}

START_TEST(mvout_rates)
{
    rate("16 x 16", move_out(16, 16, 0, ACC(0)), 26.25, 5);      /* the scaler's queues */
    rate("16 x 32", move_out(16, 32, 0, ACC(0)), 56, 5);
    rate("16 x 48", move_out(16, 48, 0, ACC(0)), 98.6, 5);       /* two writes a row */
    rate("16 x 64", move_out(16, 64, 0, ACC(0)), 114.4, 5);
    rate("16 x 16 unaligned", move_out(16, 16, 8, ACC(0)), 39, 5);
    rate("scratchpad", move_out(16, 16, 0, SP(0)), 16.5, 5);
    rate("full width", move_out(16, 16, 0, ACC(0) | ISA_FULL), 64.6, 5);
    rate("4 rows", move_out(4, 16, 0, ACC(0)), 9.6, 5);
    rate("1 row", move_out(1, 16, 0, ACC(0)), 9.6, 5);
}
END_TEST

START_TEST(mvout_alone)
{
    move_out(16, 16, 0, ACC(0));
    start();
    moves_out(1);
    near("16 x 16 alone", stop(), 61, 5);
}
END_TEST

START_TEST(cold_stores)
{
    fresh();
    config_st(16, 1, 0);
    start();
    for (uint64_t i = 0; i < 64; i++)
        cmd(ISA_MVOUT, RAM + (8 << 20) + i * 256, OP(ACC(0), 16, 16));
    near("1024 rows of 16 B", stop(), 3178, 5);  /* every line is fetched first */
    fresh();
    start();
    for (uint64_t i = 0; i < 64; i++)
        cmd(ISA_MVOUT, RAM + (8 << 20) + i * 1024, OP(ACC(0), 16, 32));
    near("1024 halves of lines", stop(), 11883, 5);
    fresh();
    start();
    for (uint64_t i = 0; i < 64; i++)
        cmd(ISA_MVOUT, RAM + (8 << 20) + i * 1024, OP(ACC(0), 16, 64));
    rate("whole lines", stop() / 1024, 7.2, 5);  /* not fetched: the drain is the limit */
}
END_TEST

static double
pooled(unsigned size, unsigned out)
{
    struct isa_config_st c = { .stride = 16, .scale = 1, .act = 1, .pool_stride = 2,
        .pool_size = size, .porows = out, .pocols = out, .orows = 16, .ocols = 16,
        .pool_out_dim = out };

    fresh();
    config_st_of(&c);
    cmd(ISA_MVOUT, RAM, OP(ACC(0), 1, 16));
    start();
    cmd(ISA_MVOUT, RAM, OP(ACC(0), 1, 16));
    return stop();
}

START_TEST(pooling)
{
    near("2x2 s2, 16 to 8", pooled(2, 8), 445, 5);
    near("3x3 s2, 16 to 7", pooled(3, 7), 741, 5);
}
END_TEST

/* 128 pairs into bank 0 of the accumulator and 16 stores out of a bank. */
static double
beside_stores(uint32_t from)
{
    fresh();
    for (uint64_t i = 0; i < 16; i++)
        cmd(ISA_MVIN, RAM + i * 1024, OP(SP(SCRATCH), 16, 64));
    start();
    for (unsigned i = 0; i < 128; i++) {
        cmd(ISA_PRELOAD, i ? NONE(16, 16) : OP(SP(4096), 16, 16),
            OP(ADD(i % 8 * 16), 16, 16));
        cmd(i ? ISA_COMPUTE_STAY : ISA_COMPUTE_FLIP, OP(SP(0), 16, 16), NONE(16, 16));
        if (i % 8 == 0)
            cmd(ISA_MVOUT, RAM + i * 128, OP(from, 16, 64));
    }
    return stop();
}

START_TEST(stores_from_the_bank_being_written)
{
    near("the same bank", beside_stores(ACC(256)), 3838, 5);     /* no progress at all */
    near("the other bank", beside_stores(ACC(512)), 2148, 5);
}
END_TEST

/* Moves into a bank of the accumulator wait likewise. */
START_TEST(bias_into_the_bank_being_written)
{
    double t[2];

    for (int other = 0; other < 2; other++) {
        fresh();
        config_ld(2, 0, 16, 1, false);
        cmd(ISA_MVIN3, RAM, OP(ACC(1000), 16, 16));
        start();
        for (unsigned i = 0; i < 64; i++) {
            cmd(ISA_PRELOAD, i ? NONE(16, 16) : OP(SP(4096), 16, 16),
                OP(ACC(i % 8 * 16), 16, 16));
            cmd(i ? ISA_COMPUTE_STAY : ISA_COMPUTE_FLIP, OP(SP(0), 16, 16), NONE(16, 16));
            if (i % 4 == 0)
                cmd(ISA_MVIN3, RAM, OP(ACC((other ? 512 : 256) + i % 8 * 16), 16, 16));
        }
        t[other] = stop();
    }
    near("the other bank", t[1], 1093, 5);
    ck_assert(t[0] > t[1] + 100);                /* eight are left for the end */
}
END_TEST

START_TEST(both_ways_share_the_bus)
{
    fresh();
    for (uint64_t i = 0; i < 32; i++)
        cmd(ISA_MVIN, RAM + i * 1024, OP(SP(SCRATCH), 16, 64));
    start();
    for (uint64_t i = 0; i < 32; i++) {
        cmd(ISA_MVIN, RAM + i * 1024, OP(SP(0), 16, 64));
        cmd(ISA_MVOUT, RAM + i * 1024, OP(SP(8192), 16, 64));
    }
    near("32 KB in, 32 KB out", stop(), 4132, 5);
}
END_TEST

/* ---- core and clock */

START_TEST(the_core_counts_its_instructions)
{
    uint64_t t;

    fresh();
    t = cycles();
    sim_instructions(sim, 0, 1000);
    ck_assert_uint_eq(cycles() - t, 1000);       /* core.instruction */
    t = cycles();
    fence();
    ck_assert_uint_le(cycles() - t, 5);          /* idle: 2 measured */
}
END_TEST

/* A ninth pending load stops the core: loads want to be paced. */
START_TEST(a_burst_of_loads_stops_the_core)
{
    uint64_t t;

    fresh();
    t = cycles();
    for (uint64_t i = 0; i < 8; i++)
        cmd(ISA_MVIN, RAM + (4 << 20) + i * 1024, OP(SP(i * 64), 16, 64));
    ck_assert_uint_le(cycles() - t, 20);
    for (uint64_t i = 8; i < 32; i++)
        cmd(ISA_MVIN, RAM + (4 << 20) + i * 1024, OP(SP(i * 64), 16, 64));
    ck_assert_uint_ge(cycles() - t, 12 * 16 * 10);   /* 12 of them came in, 10 a line */
}
END_TEST

START_TEST(the_same_every_time)
{
    double a, b;

    fresh();
    start();
    cold_lines(200);
    a = stop();
    sim_reset(sim);
    setup();
    fresh();
    start();
    cold_lines(200);
    b = stop();
    ck_assert(a == b);
}
END_TEST

static uint64_t
counter(uint64_t rs1)
{
    struct isa_cmd c = { ISA_COUNTER, rs1, 0 };
    uint64_t r;

    sim_command(sim, 0, &c, 0, &r);
    return r;
}

/* Configure: bit 3, index from bit 4, code from bit 12, external: bit 31. */
START_TEST(counters)
{
    fresh();
    ck_assert_uint_eq(counter(8 | 24 << 12), 0);             /* 0: the array multiplies */
    counter(8 | 1 << 4 | 5 << 12 | UINT64_C(1) << 31);       /* 1: bytes written */
    ex.flip = true;
    ex.rows = 16;
    ex.w = SP(4096);
    pairs(64);
    fence();
    ck_assert_uint_ge(counter(0), 64 * 16);
    ck_assert_uint_le(counter(0), 64 * 16 + 100);
    moves_out(0);
    cmd(ISA_MVOUT, RAM, OP(ACC(0), 16, 16));
    fence();
    ck_assert_uint_eq(counter(1 << 4), 256);
    counter(4);                                              /* a snapshot */
    pairs(8);
    fence();
    uint64_t kept = counter(0);
    counter(2);
    ck_assert_uint_ge(counter(0), kept + 128);
    counter(1);                                              /* reset */
    ck_assert_uint_eq(counter(0), 0);
}
END_TEST

START_TEST(layers_have_cycles)
{
    struct isa_cmd c[] = { { ISA_PRELOAD, OP(SP(4096), 16, 16), OP(ACC(0), 16, 16) },
        { ISA_COMPUTE_FLIP, OP(SP(0), 16, 16), NONE(16, 16) } };
    const struct sim_layer_stats *s;
    int n;

    fresh();
    sim_layer(sim, 0, 1);
    for (int i = 0; i < 200; i++)
        sim_command(sim, 0, &c[i & 1], 0, NULL);
    sim_fence(sim, 0);
    sim_layer(sim, 0, 2);
    sim_instructions(sim, 0, 10000);
    s = sim_stats(sim, 0, &n);
    s += n - 2;
    ck_assert_int_eq(s[0].number, 1);
    near("100 flips", (double)s[0].cycles, 68 + 1600, 5);
    ck_assert_uint_eq(s[0].array, 1600);
    ck_assert_uint_eq(s[1].start, s[0].start + s[0].cycles);
    ck_assert_uint_eq(s[1].cycles, 10000);
    ck_assert_uint_eq(s[1].core, 10000);
    ck_assert_uint_eq(s[1].array, 0);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("sim_time");
    TCase *t = tcase_create("time");

    tcase_add_checked_fixture(t, setup, sim_close);
    tcase_add_test(t, mvin_rates);
    tcase_add_test(t, mvin_special_rates);
    tcase_add_test(t, mvin_latencies);
    tcase_add_test(t, cold_memory);
    tcase_add_test(t, pair_rates);
    tcase_add_test(t, short_pairs);
    tcase_add_test(t, a_short_segment_belongs_first);
    tcase_add_test(t, chains);
    tcase_add_test(t, moves_into_the_bank_being_read);
    tcase_add_test(t, mvout_rates);
    tcase_add_test(t, mvout_alone);
    tcase_add_test(t, cold_stores);
    tcase_add_test(t, pooling);
    tcase_add_test(t, stores_from_the_bank_being_written);
    tcase_add_test(t, bias_into_the_bank_being_written);
    tcase_add_test(t, both_ways_share_the_bus);
    tcase_add_test(t, the_core_counts_its_instructions);
    tcase_add_test(t, a_burst_of_loads_stops_the_core);
    tcase_add_test(t, the_same_every_time);
    tcase_add_test(t, counters);
    tcase_add_test(t, layers_have_cycles);
    suite_add_tcase(s, t);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
