/* sim/count: the hardware's counters by their names, against cycle simulation of the
 * default array (memory latency 30, 512 KB of cache, warm).  Every figure is what the
 * counter read there after the same commands; a window is 12 % or 14 cycles to either
 * side, since the core's own code around the commands is not the same; wider ones say
 * why.  Meaning of the codes: gemmini-isa.md 10. */
#include <math.h>

#include "src/base/num.h"
#include "test/unit/simtest.h"
#include "test/unit/tap.h"

enum {
#define N(code, name) name = code,
#include "src/machine/counter.def"
#undef N
    CODES
};

static void
setup(void)
{
    sim_default_target();
    sim_target.ram_size = 64 << 20;
    sim_open(SIM_STRICT_OFF, true);
}

static void
configure(void)
{
    config_ex(1);
    config_ld(0, 64, 16, 1, false);
    config_ld(1, 16, 16, 1, false);
    config_ld(2, 0, 16, 1, false);
    config_st(64, 1, 0);
    fence();
}

/* The array's clock is up to here. */
static void
settle(void)
{
    fence();
    cmd(ISA_COUNTER, 0, 0);
}

static uint64_t
total(unsigned code)
{
    uint64_t n = 0;

    ck_assert_msg(sim_counter(sim, 0, code, &n), "code %u is counted", code);
    return n;
}

/* ---- streams */

#define OUT (RAM + (1 << 16))

struct move {
    unsigned funct;
    uint64_t addr, step;             /* to the next one */
    uint32_t laddr;
    unsigned rows, cols;
};

static void
moves(const struct move *m)
{
    uint32_t more = m->laddr & ISA_ACC ? 16 : (uint32_t)num_round_up(m->cols, 16);

    for (unsigned i = 0; i < 16; i++)
        cmd(m->funct, m->addr + i * m->step, OP(m->laddr + i * more, m->rows, m->cols));
}

static void
pooled(unsigned images)
{
    config_st_of(&(struct isa_config_st){ .stride = 16, .scale = 1, .pool_stride = 2,
        .pool_size = 2, .pool_out_dim = 8, .porows = 8, .pocols = 8, .orows = 16, .ocols = 16 });
    for (uint64_t i = 0; i < images; i++)
        cmd(ISA_MVOUT, OUT + i * 1024, OP(ACC(i * 256), 1, 16));
    config_st(64, 1, 0);
}

/* Pairs, the weights of each anew from that row on. */
static void
flips(unsigned w)
{
    for (unsigned i = 0; i < 64; i++)
        pair(SP(w + i * 16), ACC((i & 31) * 16), SP(i * 16), 16, 16, 16);
}

static void
stays(unsigned rows)
{
    pair(SP(4096), ACC(0), SP(0), 16, 16, 16);
    for (unsigned i = 1; i < 64; i++) {
        cmd(ISA_PRELOAD, NONE(16, 16), OP(ACC(0), rows, 16));
        cmd(ISA_COMPUTE_STAY, OP(SP(0), rows, 16), NONE(rows, 16));
    }
}

static void
configured_between(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        pair(SP(4096 + i * 16), ACC(i * 16), SP(i * 16), 16, 16, 16);
        config_ex(1);
    }
}

static void
results_read(unsigned n)             /* each by the next pair */
{
    for (unsigned i = 0; i < n; i++)
        pair(SP(4096 + i * 16), SP(8192 + i * 16 + 16), SP(8192 + i * 16), 16, 16, 16);
}

static void
lone_preloads(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        cmd(ISA_PRELOAD, OP(SP(4096 + i * 16), 16, 16), NONE(16, 16));
    cmd(ISA_COMPUTE_FLIP, OP(SP(0), 16, 16), NONE(16, 16));
}

static void
output_stationary(unsigned n)
{
    config_ex_of(&(struct isa_config_ex){ .ws = false, .a_stride = 1, .c_stride = 1 });
    for (unsigned i = 0; i < n; i++) {
        cmd(ISA_PRELOAD, OP(SP(8192 + i * 16), 16, 16), OP(ACC(i * 16), 16, 16));
        cmd(ISA_COMPUTE_FLIP, OP(SP(i * 16), 16, 16), OP(SP(4096 + i * 16), 16, 16));
    }
    config_ex(1);
}

static void
chain(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        cmd(ISA_MVIN2, RAM + i * 256, OP(SP(0), 16, 16));
        pair(SP(4096 + i * 16), ACC(0), SP(0), 16, 16, 16);
        cmd(ISA_MVOUT, OUT + i * 1024, OP(ACC(0), 16, 16));
    }
}

static void
pages_in(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        cmd(ISA_MVIN, RAM + i * 1024, OP(SP(i * 64), 16, 64));
}

static void
two_in_one_out(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        cmd(ISA_MVIN, RAM + i * 2048, OP(SP(i * 64), 16, 64));
        cmd(ISA_MVIN, RAM + i * 2048 + 1024, OP(SP(i * 64 + 16), 16, 64));
        cmd(ISA_MVOUT, OUT + i * 1024, OP(ACC(i % 8 * 64), 16, 64));
    }
}

/* ---- figures */

struct figure {
    unsigned code;
    double read, percent;            /* in cycle simulation; 0: 12 */
};

static const struct stream {
    const char *name;
    struct move move;
    void (*run)(unsigned n);         /* instead of moves */
    unsigned n;
    struct figure figure[12];
} streams[] = {
    { "16 x 16 B in", { ISA_MVIN2, RAM, 256, SP(0), 16, 16 }, NULL, 0, {
        { LOAD_ACTIVE_CYCLE, 240, 1 }, { LOAD_SCRATCHPAD_WAIT_CYCLE, 0, 0 },
        { RDMA_ACTIVE_CYCLE, 256, 1 }, { RDMA_TOTAL_LATENCY, 3072, 1 },
        { RDMA_BYTES_REC, 4096, 1 }, { RESERVATION_STATION_FULL_CYCLES, 323, 0 },
        { LOOP_MATMUL_ACTIVE_CYCLES, 93, 30 } } },      /* the core brought them later */
    { "16 x 64 B in", { ISA_MVIN, RAM, 1024, SP(0), 16, 64 }, NULL, 0, {
        { LOAD_ACTIVE_CYCLE, 543, 9 },          /* requests are held a little long */
        { LOAD_SCRATCHPAD_WAIT_CYCLE, 303, 15 },
        { RDMA_ACTIVE_CYCLE, 889, 0 }, { RDMA_TOTAL_LATENCY, 15678, 0 },
        { MAIN_LD_CYCLES, 1043, 5 }, { RESERVATION_STATION_FULL_CYCLES, 1070, 5 },
        { LOOP_MATMUL_ACTIVE_CYCLES, 367, 0 } } },
    { "16 x 16 B in, off by 5", { ISA_MVIN, RAM + 5, 1024, SP(0), 16, 16 }, NULL, 0, {
        { LOAD_ACTIVE_CYCLE, 243, 19 }, { RDMA_ACTIVE_CYCLE, 407, 0 }, /* the same */
        { RDMA_TOTAL_LATENCY, 7542, 0 } } },
    { "1 x 16 B in", { ISA_MVIN2, RAM, 256, SP(0), 1, 16 }, NULL, 0, {
        { LOAD_ACTIVE_CYCLE, 16, 1 }, { RDMA_ACTIVE_CYCLE, 16, 1 },
        { RDMA_TOTAL_LATENCY, 192, 1 } } },
    { "a bias in, repeated", { ISA_MVIN3, RAM, 64, ACC(0), 16, 16 }, NULL, 0, {
        { LOAD_ACTIVE_CYCLE, 16, 1 }, { RDMA_ACTIVE_CYCLE, 16, 1 },
        { RDMA_TOTAL_LATENCY, 240, 1 } } },
    { "zeros", { ISA_MVIN, 0, 0, SP(0), 16, 64 }, NULL, 0, {
        { LOAD_ACTIVE_CYCLE, 960, 6 }, { LOAD_SCRATCHPAD_WAIT_CYCLE, 765, 1 },
        { RDMA_ACTIVE_CYCLE, 0, 0 } } },
    { "16 x 16 out", { ISA_MVOUT, OUT, 1024, ACC(0), 16, 16 }, NULL, 0, {
        { STORE_ACTIVE_CYCLE, 381, 0 }, { STORE_SCRATCHPAD_WAIT_CYCLE, 150, 0 },
        { WDMA_ACTIVE_CYCLE, 256, 1 }, { WDMA_TOTAL_LATENCY, 3072, 1 },
        { STORE_POOLING_CYCLE, 0, 0 } } },
    { "16 x 64 out", { ISA_MVOUT, OUT, 1024, ACC(0), 16, 64 }, NULL, 0, {
        { STORE_ACTIVE_CYCLE, 1770, 3 }, { STORE_SCRATCHPAD_WAIT_CYCLE, 762, 0 },
        { WDMA_ACTIVE_CYCLE, 1024, 1 }, { WDMA_TOTAL_LATENCY, 3072, 1 } } },
    { "16 sums out", { ISA_MVOUT, OUT, 1024, ACC(0) | ISA_FULL, 16, 16 }, NULL, 0, {
        { STORE_ACTIVE_CYCLE, 933, 0 }, { STORE_SCRATCHPAD_WAIT_CYCLE, 738, 0 },
        { WDMA_ACTIVE_CYCLE, 1024, 1 } } },
    { "two pooled images", { 0 }, pooled, 2, {
        { STORE_ACTIVE_CYCLE, 813, 3 }, { STORE_SCRATCHPAD_WAIT_CYCLE, 303, 5 },
        { STORE_POOLING_CYCLE, 820, 3 }, { WDMA_ACTIVE_CYCLE, 128, 1 } } },
    { "flips", { 0 }, flips, 4096, {
        { EXE_ACTIVE_CYCLE, 975, 1 }, { A_GARBAGE_CYCLES, 20, 5 }, { D_GARBAGE_CYCLES, 105, 0 },
        { SCRATCHPAD_A_WAIT_CYCLE, 89, 0 }, { SCRATCHPAD_D_WAIT_CYCLE, 93, 0 },
        { SCRATCHPAD_B_WAIT_CYCLE, 0, 0 }, { ACC_B_WAIT_CYCLE, 89, 0 },
        { B_GARBAGE_CYCLES, 1133, 3 }, { RESERVATION_STATION_FULL_CYCLES, 1005, 3 },
        { EXE_CONTROL_Q_BLOCK_CYCLE, 0, 0 } } },
    { "weights in A's bank", { 0 }, flips, 2048, {
        { EXE_ACTIVE_CYCLE, 1983, 1 }, { SCRATCHPAD_A_WAIT_CYCLE, 89, 0 },
        { D_GARBAGE_CYCLES, 105, 0 }, { LOOP_MATMUL_ACTIVE_CYCLES, 1682, 0 } } },
    { "weights kept", { 0 }, stays, 16, {
        { EXE_ACTIVE_CYCLE, 975, 1 }, { D_GARBAGE_CYCLES, 1107, 3 },
        { ACC_D_WAIT_CYCLE, 83, 0 }, { SCRATCHPAD_D_WAIT_CYCLE, 4, 0 } } },
    { "weights kept, 4 rows", { 0 }, stays, 4, {
        { EXE_ACTIVE_CYCLE, 423, 3 }, { EXE_CONTROL_Q_BLOCK_CYCLE, 204, 5 },
        { SCRATCHPAD_A_WAIT_CYCLE, 81, 0 }, { D_GARBAGE_CYCLES, 553, 5 } } },
    { "CONFIG_EX after each pair", { 0 }, configured_between, 16, {
        { EXE_ACTIVE_CYCLE, 480, 1 }, { EXE_FLUSH_CYCLE, 608, 1 }, { A_GARBAGE_CYCLES, 320, 2 },
        { SCRATCHPAD_A_WAIT_CYCLE, 646, 0 }, { SCRATCHPAD_D_WAIT_CYCLE, 710, 0 },
        { D_GARBAGE_CYCLES, 902, 0 } } },
    { "each pair reads the last one's result", { 0 }, results_read, 16, {
        { EXE_PRELOAD_HAZ_CYCLE, 570, 5 }, { EXE_OVERLAP_HAZ_CYCLE, 240, 2 },
        { EXE_ACTIVE_CYCLE, 480, 1 }, { A_GARBAGE_CYCLES, 320, 2 },
        { SCRATCHPAD_A_WAIT_CYCLE, 594, 0 }, { D_GARBAGE_CYCLES, 850, 0 } } },
    { "preloads alone", { 0 }, lone_preloads, 32, {
        { EXE_ACTIVE_CYCLE, 495, 1 }, { A_GARBAGE_CYCLES, 516, 1 },
        { SCRATCHPAD_A_WAIT_CYCLE, 43, 0 }, { D_GARBAGE_CYCLES, 59, 0 } } },
    { "results stay", { 0 }, output_stationary, 32, {
        { EXE_ACTIVE_CYCLE, 495, 1 }, { EXE_FLUSH_CYCLE, 55, 3 }, { B_GARBAGE_CYCLES, 20, 5 },
        { SCRATCHPAD_B_WAIT_CYCLE, 111, 0 }, { A_GARBAGE_CYCLES, 127, 0 },
        { D_GARBAGE_CYCLES, 127, 0 } } },
    { "pages in", { 0 }, pages_in, 32, {
        { RDMA_TL_WAIT_CYCLES, 0, 1 }, { DMA_TLB_TOTAL_REQ, 16, 1 }, { DMA_TLB_HIT_REQ, 16, 1 },
        { RDMA_ACTIVE_CYCLE, 1817, 1 } } },
    { "two in, one out", { 0 }, two_in_one_out, 32, {
        { RDMA_TL_WAIT_CYCLES, 3374, 5 }, { RDMA_ACTIVE_CYCLE, 4751, 5 } } },
    { "in, product, out", { 0 }, chain, 16, {
        { LOAD_ACTIVE_CYCLE, 240, 1 }, { EXE_ACTIVE_CYCLE, 480, 1 },
        { STORE_ACTIVE_CYCLE, 336, 2 }, { STORE_SCRATCHPAD_WAIT_CYCLE, 96, 5 },
        { RESERVATION_STATION_FULL_CYCLES, 1611, 5 }, { SCRATCHPAD_A_WAIT_CYCLE, 1099, 0 },
        { LOOP_MATMUL_ACTIVE_CYCLES, 1096, 15 } } },
};

static void
play(const struct stream *s)
{
    if (s->run)
        s->run(s->n);
    else
        moves(&s->move);
}

START_TEST(as_measured)
{
    const struct stream *s = &streams[_i];
    uint64_t before[12];
    int n = 0;

    configure();
    for (int i = 0; i < 3; i++)      /* lines may throw each other out */
        play(s);
    configure();
    settle();
    sim_instructions(sim, 0, 30);    /* what the program that was measured does around */
    for (; n < 12 && s->figure[n].code; n++)
        before[n] = total(s->figure[n].code);
    play(s);
    settle();
    for (int i = 0; i < n; i++) {
        const struct figure *f = &s->figure[i];
        double read = (double)(total(f->code) - before[i]);
        double off = f->percent > 0 ? f->read * f->percent / 100 : fmax(14, f->read * 12 / 100);
        ck_assert_msg(fabs(read - f->read) <= off, "%s: code %u reads %.0f, measured %.0f",
            s->name, f->code, read, f->read);
    }
}
END_TEST

/* ---- rules */

START_TEST(uncounted)
{
    static const unsigned none[] = { LOAD_DMA_WAIT_CYCLE, STORE_DMA_WAIT_CYCLE };
    static const unsigned never[] = { DMA_TLB_MISS_CYCLE, IM2COL_MEM_CYCLES, IM2COL_ACTIVE_CYCLES,
        IM2COL_TRANSPOSER_WAIT_CYCLE, TRANSPOSE_PRELOAD_UNROLLER_ACTIVE_CYCLES };
    uint64_t n;
    int counted = 0;

    configure();
    chain(16);
    fence();
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        ck_assert_msg(!sim_counter(sim, 0, none[i], &n), "code %u", none[i]);
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        ck_assert_uint_eq(total(never[i]), 0);
    for (unsigned i = 0; i < 64; i++)
        counted += sim_counter(sim, 0, i, &n);
    ck_assert_int_eq(counted, 44 - 2 + 4);
}
END_TEST

/* A port that has had no request since the last FLUSH waits for a page all the time. */
START_TEST(ports_without_a_page)
{
    uint64_t in, out;

    configure();
    moves(&streams[1].move);
    fence();
    in = total(RDMA_TLB_WAIT_CYCLES);
    out = total(WDMA_TLB_WAIT_CYCLES);
    ck_assert_uint_le(in, 60);
    ck_assert_uint_ge(out, 1000);                        /* since reset */
    moves(&streams[6].move);
    fence();
    ck_assert_uint_le(total(WDMA_TLB_WAIT_CYCLES) - out, 60);
    cmd(ISA_FLUSH, 0, 0);
    flips(4096);
    fence();
    ck_assert_uint_ge(total(RDMA_TLB_WAIT_CYCLES) - in, 1000);
}
END_TEST

/* Each cycle either takes a command or counts as full: idle ones too. */
START_TEST(full_or_taken)
{
    uint64_t from, n;

    configure();
    flips(4096);
    fence();
    sim_instructions(sim, 0, 1000);
    cmd(ISA_COUNTER, 0, 0);
    from = cycles();
    n = total(RESERVATION_STATION_FULL_CYCLES);
    flips(4096);
    sim_instructions(sim, 0, 5000);
    cmd(ISA_COUNTER, 0, 0);
    ck_assert_uint_eq(cycles() - from, total(RESERVATION_STATION_FULL_CYCLES) - n + 128);
}
END_TEST

START_TEST(a_loop_is_held)
{
    uint64_t n = 0;

    configure();
    for (int i = 0; i < 2; i++) {    /* the second time its lines are in the cache */
        settle();
        n = total(LOOP_MATMUL_ACTIVE_CYCLES);
        cmd(ISA_LOOP_WS_BOUNDS, 0, UINT64_C(4) << 32 | 4 << 16 | 4);
        cmd(ISA_LOOP_WS_AB, RAM, RAM + 4096);
        cmd(ISA_LOOP_WS_DC, 0, OUT);
        cmd(ISA_LOOP_WS_SAB, 64, 64);
        cmd(ISA_LOOP_WS_SDC, 0, 64);
        cmd(ISA_LOOP_WS, 0, 0);
    }
    settle();
    n = total(LOOP_MATMUL_ACTIVE_CYCLES) - n;
    ck_assert_msg(fabs((double)n - 1410) <= 141, "held for %u, measured 1410", (unsigned)n);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("sim_count");
    TCase *t = tcase_create("count");

    tcase_add_checked_fixture(t, setup, sim_close);
    tcase_add_loop_test(t, as_measured, 0, sizeof streams / sizeof *streams);
    tcase_add_test(t, uncounted);
    tcase_add_test(t, ports_without_a_page);
    tcase_add_test(t, full_or_taken);
    tcase_add_test(t, a_loop_is_held);
    suite_add_tcase(s, t);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
