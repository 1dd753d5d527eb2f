/* sim/time: the clock against cycles measured on RTL, a test for each figure of micro.c
 * (timing.md 1.4 to 1.7, schedules.md section 2), and what is not a figure. */
#include <math.h>
#include <string.h>

#include "test/unit/micro.h"
#include "test/unit/simtest.h"
#include "test/unit/tap.h"

static void
setup(void)
{
    micro_open(0);
}

START_TEST(figures)
{
    const struct micro *m = &micros[_i];
    double model = micro_measure(m), off = fmax(micro_window(m), m->rtl * m->loose / 100);

    ck_assert_msg(fabs(model - m->rtl) <= off, "%s %s: %.2f cycles, measured %.2f", m->section,
        m->what, model, m->rtl);
}
END_TEST

static double
measured(const char *what)
{
    for (int i = 0; i < micro_count; i++)
        if (!strcmp(micros[i].what, what))
            return micro_measure(&micros[i]);
    ck_abort_msg("no figure: %s", what);
    return 0;
}

/* The pitfall costs at least half of what it costs on RTL. */
START_TEST(a_short_segment_belongs_first)
{
    ck_assert(measured("run of 16, 16, 16, 8") - measured("run of 8, 16, 16, 16")
        >= (65.3 - 56.9) / 2);
}
END_TEST

/* Moves into a bank of the accumulator wait likewise. */
START_TEST(bias_into_the_bank_being_written)
{
    double t[2];

    for (int other = 0; other < 2; other++) {
        micro_fresh();
        config_ld(2, 0, 16, 1, false);
        cmd(ISA_MVIN3, RAM, OP(ACC(1000), 16, 16));
        micro_start();
        for (unsigned i = 0; i < 64; i++) {
            cmd(ISA_PRELOAD, i ? NONE(16, 16) : OP(SP(4096), 16, 16),
                OP(ACC(i % 8 * 16), 16, 16));
            cmd(i ? ISA_COMPUTE_STAY : ISA_COMPUTE_FLIP, OP(SP(0), 16, 16), NONE(16, 16));
            if (i % 4 == 0)
                cmd(ISA_MVIN3, RAM, OP(ACC((other ? 512 : 256) + i % 8 * 16), 16, 16));
        }
        t[other] = micro_stop();
    }
    ck_assert_double_le(fabs(t[1] - 1093), 55);  /* the pairs alone: 1093 measured */
    ck_assert(t[0] > t[1] + 100);                /* eight are left for the end */
}
END_TEST

/* ---- core and clock */

START_TEST(the_core_counts_its_instructions)
{
    uint64_t t;

    micro_fresh();
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

    micro_fresh();
    t = cycles();
    for (uint64_t i = 0; i < 8; i++)
        cmd(ISA_MVIN, RAM + (4 << 20) + i * 1024, OP(SP(i * 64), 16, 64));
    ck_assert_uint_le(cycles() - t, 20);
    for (uint64_t i = 8; i < 32; i++)
        cmd(ISA_MVIN, RAM + (4 << 20) + i * 1024, OP(SP(i * 64), 16, 64));
    ck_assert_uint_ge(cycles() - t, 12 * 16 * 10);   /* 12 of them came in, 10 a line */
}
END_TEST

static double
a_run(void)
{
    micro_fresh();
    micro_start();
    for (uint64_t i = 0; i < 200; i++)
        cmd(ISA_MVIN, RAM + i * 1024, OP(SP(0), 16, 64));
    return micro_stop();
}

START_TEST(the_same_every_time)
{
    double a = a_run();

    sim_reset(sim);
    setup();
    ck_assert(a == a_run());
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
    micro_fresh();
    ck_assert_uint_eq(counter(8 | 24 << 12), 0);             /* 0: the array multiplies */
    counter(8 | 1 << 4 | 5 << 12 | UINT64_C(1) << 31);       /* 1: bytes written */
    micro_flips(64);
    fence();
    ck_assert_uint_ge(counter(0), 64 * 15);                  /* the first of each is not counted */
    ck_assert_uint_le(counter(0), 64 * 16 + 100);
    cmd(ISA_MVOUT, RAM, OP(ACC(0), 16, 16));
    fence();
    ck_assert_uint_eq(counter(1 << 4), 256);
    counter(4);                                              /* a snapshot */
    micro_flips(8);
    fence();
    uint64_t kept = counter(0);
    counter(2);
    ck_assert_uint_ge(counter(0), kept + 8 * 15);
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

    micro_fresh();
    sim_layer(sim, 0, 1);
    for (int i = 0; i < 200; i++)
        sim_command(sim, 0, &c[i & 1], 0, NULL);
    sim_fence(sim, 0);
    sim_layer(sim, 0, 2);
    sim_instructions(sim, 0, 10000);
    s = sim_stats(sim, 0, &n);
    s += n - 2;
    ck_assert_int_eq(s[0].number, 1);
    ck_assert_double_le(fabs((double)s[0].cycles - (68 + 1600)), 83);    /* 100 flips */
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
    tcase_add_loop_test(t, figures, 0, micro_count);
    tcase_add_test(t, a_short_segment_belongs_first);
    tcase_add_test(t, bias_into_the_bank_being_written);
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
