/* The shared cache, the memory behind it and the way there, held against cycle simulation of
 * the same moves: rows in and out of several widths, together and alone, cold and warm, at
 * several distances of the memory.  The programs that were simulated fill the cache with lines
 * that nobody wants, as here, and then run through one of the lists below, so that each entry
 * finds what those before it left. */
#include <math.h>

#include "test/unit/simtest.h"
#include "test/unit/tap.h"

enum { MIB = 1 << 20, PLACE = 128 * 1024 };
#define AFTER (RAM + 16 * MIB)
#define FOREIGN (RAM + 128 * MIB)

/* n times: `in` moves of 16 rows in, one out, each if it has a width; both go on from where
 * the last one of them ended, at pitches of their own.  A new place is cold, but for runs that
 * are not timed. */
struct mix {
    int n, in;
    uint32_t width, pitch, out_width, out_pitch;
    bool new_in, new_out;
    int runs;
    double loose;                    /* in %, where the model is known to be further off */
    double rtl[4];                   /* cycles, at distances[]; 0: not simulated */
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
move(const struct mix *m)
{
    uint64_t a = from, b = to;

    for (int i = 0; i < m->n; i++) {
        for (int j = 0; j < m->in; j++, a += 16 * m->pitch)
            cmd(ISA_MVIN, a, OP(SP(i % 32 * 64 + j * 16), 16, m->width));
        if (m->out_width)
            cmd(ISA_MVOUT, b, OP(ACC(i % 8 * 64), 16, m->out_width));
        b += 16 * m->out_pitch;
    }
    fence();
}

static double
run(const struct mix *m)
{
    uint64_t out = (uint64_t)m->n * 16 * m->out_pitch, started;

    from = m->new_in ? take(PLACE) : from;
    to = m->new_out ? take(out > PLACE ? out : PLACE) : to;
    config_ld(0, m->pitch, 16, 1, false);
    config_st(m->out_pitch, 1, 0);
    for (int i = 0; i < m->runs; i++)
        move(m);
    fence();
    started = cycles();
    move(m);
    return (double)(cycles() - started);
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
    move(&(struct mix) { .n = 2, .in = 1, .width = 16, .pitch = 64, .out_width = 16,
        .out_pitch = 64 });
}

static void
hold(const struct mix *list, int n, int d)
{
    open_at(distances[d]);
    for (int i = 0; i < n; i++) {
        const struct mix *m = &list[i];
        double c = run(m), off = 100 * (c / m->rtl[d] - 1);

        if (!m->rtl[d])
            continue;
        ck_assert_msg(fabs(off) <= fmax(5, m->loose),
            "LAT %d, %d, in %d x %u/%u, out %u/%u: %.0f, simulated %.0f", (int)distances[d], i,
            m->in, m->width, m->pitch, m->out_width, m->out_pitch, c, m->rtl[d]);
    }
    sim_close();
}

/* ---- lists */

static const struct mix cold[] = {
    { 64, 0, 0, 16, 32, 64, false, true, 0, 0, { 10477, 10848, 11887, 11974 } },
    { 64, 0, 0, 16, 16, 16, false, true, 0, 0, { 2836, 3263, 5127, 7685 } },
    { 64, 1, 64, 64, 0, 16, true, false, 0, 0, { 10756, 11277, 12237, 12329 } },
    { 64, 1, 16, 16, 0, 16, true, false, 0, 0, { 2874, 3384, 5206, 7769 } },
    { 32, 2, 64, 64, 64, 64, true, true, 0, 0, { 12133, 12694, 13466, 14181 } },
    { 32, 2, 16, 16, 16, 16, true, true, 0, 0, { 4508, 4681, 5528, 7827 } },
    { 32, 2, 15, 16, 16, 16, true, false, 0, 0, { 3285, 3767, 5392, 7793 } },
    { 32, 1, 64, 64, 64, 64, true, false, 0, 7, { 6861, 6994, 7024, 7904 } },
};

static const struct mix warm[] = {
    { 32, 1, 64, 64, 64, 64, true, true, 4, 0, { 0, 4166 } },
    /* Which read lets others pass, and for how long, hangs on single cycles. */
    { 32, 2, 16, 16, 16, 16, true, true, 4, 11, { 0, 2107 } },
    { 32, 2, 64, 64, 64, 64, true, true, 4, 0, { 0, 6396 } },
    { 32, 4, 16, 16, 64, 64, true, true, 4, 0, { 0, 4506 } },
    { 32, 1, 16, 64, 16, 64, true, true, 4, 0, { 0, 1356 } },
    { 32, 1, 32, 32, 32, 32, true, true, 4, 0, { 0, 2124 } },
};

/* Three times what the cache holds is stored; then its lines have to be written back. */
static const struct mix dirty[] = {
    { 512, 0, 0, 16, 64, 64, false, true, 0, 0, { 0, 57435 } },
    { 512, 0, 0, 16, 64, 64, false, true, 0, 0, { 0, 60145 } },
    { 512, 0, 0, 16, 64, 64, false, true, 0, 0, { 0, 63406 } },
    { 64, 1, 64, 64, 0, 16, true, false, 0, 0, { 0, 12052 } },
    { 64, 1, 16, 16, 0, 16, true, false, 0, 0, { 0, 3783 } },
    { 64, 0, 0, 16, 64, 64, false, true, 0, 0, { 0, 7732 } },
    /* So few lines that it matters which ones they throw out. */
    { 64, 0, 0, 16, 16, 16, false, true, 0, 8, { 0, 3300 } },
    { 64, 0, 0, 16, 16, 64, false, true, 0, 0, { 0, 12760 } },
    { 32, 2, 64, 64, 64, 64, true, true, 0, 0, { 0, 15071 } },
};

static const struct {
    const struct mix *list;
    int n, distance;
} lists[] = {
#define LIST(l, d) { l, sizeof l / sizeof *l, d }
    LIST(cold, 0), LIST(cold, 1), LIST(cold, 2), LIST(cold, 3), LIST(warm, 1), LIST(dirty, 1),
};

START_TEST(as_simulated)
{
    hold(lists[_i].list, lists[_i].n, lists[_i].distance);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("sim/l2");
    TCase *t = tcase_create("l2");

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, as_simulated, 0, sizeof lists / sizeof *lists);
    suite_add_tcase(s, t);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
