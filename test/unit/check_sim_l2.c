/* The shared cache, the memory behind it and the way there, held against cycle simulation of
 * the same moves: rows in and out of several widths, together and alone, cold and warm, at
 * several distances of the memory.  The programs that were simulated fill the cache with lines
 * that nobody wants, as here, and then run through one of the lists below, so that each entry
 * finds what those before it left. */
#include <math.h>

#include "test/unit/simtest.h"

enum { MIB = 1 << 20 };
#define AFTER (RAM + 16 * MIB)
#define FOREIGN (RAM + 128 * MIB)

/* n times: `in` moves of 16 rows in, one out, each if it has a width; both go on from where
 * the last one of them ended, at pitches of their own.  A new place is cold. */
struct mix {
    int n, in;
    uint32_t width, pitch, out_width, out_pitch;
    bool new_in, new_out;
    double rtl[4];                   /* cycles, at distances[] */
};

static const int64_t distances[] = { 10, 30, 60, 100 };
static uint64_t fresh, from, to;

static uint64_t
take(uint64_t bytes)
{
    uint64_t at = fresh;

    fresh += (bytes + 4095) & ~UINT64_C(4095);
    return at;
}

static void
open_at(int64_t distance)
{
    sim_default_target();
    sim_target.ram_size = 256 * MIB;
    sim_target.l2_filled = 0;
    sim_target.dram_latency = distance;
    sim_open(SIM_STRICT_OFF, true);
    config_ex(1);
    config_ld(0, 64, 16, 1, false);
    config_st(64, 1, 0);
    for (uint64_t i = 0; i < 768; i++)
        cmd(ISA_MVIN, FOREIGN + i * 1024, OP(SP(0), 16, 64));
    fence();
    fresh = AFTER;
    from = take(64 * 1024);
    take(64 * 1024);
    to = take(64 * 1024);
}

static double
run(const struct mix *m)
{
    uint64_t a, b, started;

    from = m->new_in ? take(128 * 1024) : from;
    to = m->new_out ? take(128 * 1024) : to;
    a = from;
    b = to;
    config_ld(0, m->pitch, 16, 1, false);
    config_st(m->out_pitch, 1, 0);
    fence();
    started = cycles();
    for (int i = 0; i < m->n; i++) {
        for (int j = 0; j < m->in && m->width; j++, a += 16 * m->pitch)
            cmd(ISA_MVIN, a, OP(SP(i % 32 * 64 + j * 16), 16, m->width));
        if (m->out_width)
            cmd(ISA_MVOUT, b, OP(ACC(i % 8 * 64), 16, m->out_width));
        b += 16 * m->out_pitch;
    }
    fence();
    return (double)(cycles() - started);
}

static void
hold(const struct mix *list, int n, int d)
{
    open_at(distances[d]);
    for (int i = 0; i < n; i++) {
        const struct mix *m = &list[i];
        double c = run(m), off = c / m->rtl[d] - 1;

        if (!m->rtl[d])
            continue;
        ck_assert_msg(fabs(off) <= 0.05, "LAT %d, %d, in %d x %u/%u, out %u/%u: %.0f, simulated %.0f",
            (int)distances[d], i, m->in, m->width, m->pitch, m->out_width, m->out_pitch, c,
            m->rtl[d]);
    }
    sim_close();
}

static const struct mix cold[] = {
    { 64, 0, 0, 16, 32, 64, false, true, { 10464, 10662, 12025, 11983 } },
    { 64, 0, 0, 16, 16, 16, false, true, { 2846, 3188, 5089, 7677 } },
    { 64, 1, 64, 64, 0, 16, true, false, { 10823, 11223, 12141, 12083 } },
    { 64, 1, 16, 16, 0, 16, true, false, { 2830, 3340, 5189, 7737 } },
    { 32, 2, 64, 64, 64, 64, true, true, { 12174, 12571, 13271, 13778 } },
    { 32, 2, 16, 16, 16, 16, true, true, { 4314, 4521, 5475, 7835 } },
};

START_TEST(cold_rows)
{
    hold(cold, sizeof cold / sizeof *cold, _i);
}
END_TEST
