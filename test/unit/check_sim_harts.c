/* sim/events, sim/l2: several harts, each with an array, on one cache and one memory.
 * What is asked is arithmetic: the memory gives a line in so many cycles, whoever asks,
 * and nothing depends on the order in which the simulator lets harts run. */
#include <math.h>
#include <string.h>

#include "test/unit/simtest.h"
#include "test/unit/tap.h"

enum { MOVES = 64, LINES = MOVES * 16, MB = 1 << 20 };

static void
machine(int harts)
{
    sim_default_target();
    sim_target.harts = harts;
    sim_target.ram_size = 64 << 20;
    sim_open(SIM_STRICT_OFF, true);
    for (int h = 0; h < harts; h++)
        sim_core(sim, h, 0);
}

static void
command(int hart, unsigned funct, uint64_t rs1, uint64_t rs2)
{
    sim_command(sim, hart, &(struct isa_cmd) { (uint8_t)funct, rs1, rs2 }, 0, NULL);
}

/* Move `i` of a stream that reads memory of its own, line by line. */
static void
move(int hart, int i)
{
    if (!i)
        command(hart, ISA_CONFIG, UINT64_C(0x3f800000) << 32 | 16 << 16 | 1 << 8 | ISA_CONFIG_LD, 64);
    sim_core(sim, hart, 2);
    command(hart, ISA_MVIN, RAM + (uint64_t)(hart * 4 + 1) * MB + (uint64_t)i * 1024,
        OP(SP(i % 8 * 64), 16, 64));
}

static void
stream(int hart)
{
    for (int i = 0; i < MOVES; i++)
        move(hart, i);
    sim_fence(sim, hart);
}

/* Cycles of the last of `harts` that stream at once, others asleep. */
static double
together(int all, int harts)
{
    double last = 0;

    machine(all);
    for (int h = harts; h < all; h++)
        sim_sleep(sim, h);
    for (int h = 0; h < harts; h++)
        stream(h);
    sim_end(sim);
    for (int h = 0; h < harts; h++)
        last = fmax(last, (double)sim_cycles(sim, h));
    return last;
}

/* timing.md 1.5: a cold line in 10.45 cycles from the memory, 1024 lines each. */
START_TEST(memory_is_shared)
{
    double one = together(4, 1), two = together(4, 2), four = together(4, 4);

    ck_assert_msg(fabs(one - LINES * 10.45) < 0.03 * one, "one hart %.0f", one);
    ck_assert_msg(fabs(two - 2 * LINES * 10.45) < 0.03 * two, "two harts %.0f", two);
    ck_assert_msg(fabs(four - 4 * LINES * 10.45) < 0.03 * four, "four harts %.0f", four);
}
END_TEST

/* Nobody has the memory for himself: who began together ends together. */
START_TEST(shares_are_equal)
{
    machine(2);
    stream(0);
    stream(1);
    sim_end(sim);
    ck_assert(fabs((double)sim_cycles(sim, 0) - (double)sim_cycles(sim, 1)) < 300);
}
END_TEST

/* A mvin of 16 rows of 64 bytes from the cache takes 64 cycles of a bus that one hart
 * can fill (timing.md 1.4): two take twice as long. */
START_TEST(bus_is_shared)
{
    double once[2];

    for (int harts = 1; harts <= 2; harts++) {
        machine(2);
        if (harts == 1)
            sim_sleep(sim, 1);
        for (int round = 0; round < 2; round++)
            for (int h = 0; h < harts; h++)
                stream(h);
        sim_end(sim);
        once[harts - 1] = (double)sim_cycles(sim, 0) - harts * LINES * 10.45;
    }
    ck_assert_msg(fabs(once[0] - MOVES * 64) < 0.05 * once[0], "one hart %.0f", once[0]);
    ck_assert_msg(fabs(once[1] - 2 * MOVES * 64) < 0.05 * once[1], "two harts %.0f", once[1]);
}
END_TEST

/* Cycles of both, fed `step` moves of one and then of the other. */
static void
interleaved(int step, uint64_t at[2])
{
    int next[2] = { 0, 0 };

    machine(2);
    while (next[0] < MOVES || next[1] < MOVES)
        for (int h = 0; h < 2; h++)
            for (int n = 0; n < step * (h + 1) && next[h] < MOVES; n++)
                move(h, next[h]++);
    sim_fence(sim, 0);
    sim_fence(sim, 1);
    sim_end(sim);
    at[0] = sim_cycles(sim, 0);
    at[1] = sim_cycles(sim, 1);
}

START_TEST(turns_of_the_simulator_do_not_count)
{
    uint64_t all[2], some[2];

    interleaved(MOVES, all);
    for (int step = 1; step < MOVES; step = step * 2 + 1) {
        interleaved(step, some);
        ck_assert_uint_eq(some[0], all[0]);
        ck_assert_uint_eq(some[1], all[1]);
    }
}
END_TEST

/* Hart 1 waits until hart 0 has worked for 5000 cycles and calls. */
START_TEST(signals_carry_time)
{
    for (int late = 0; late < 2; late++) {
        machine(2);
        sim_sleep(sim, 1);
        sim_core(sim, 0, 5000);
        sim_signal(sim, 0, 1);
        sim_core(sim, 0, 100);
        if (late)                    /* the sleeper is let go on much later */
            sim_core(sim, 0, 100000);
        sim_signal(sim, 1, 1);       /* clears it */
        sim_core(sim, 1, 10);
        sim_sleep(sim, 1);
        ck_assert_uint_eq(sim_cycles(sim, 1), 5010 + (uint64_t)sim_target.core_wake);
        ck_assert_uint_eq(sim_cycles(sim, 0), late ? 105100 : 5100);
    }
}
END_TEST

/* One that is called but has not gone on yet holds others back; one that sleeps does
 * not; one that never comes is left out on request. */
START_TEST(who_is_waited_for)
{
    machine(2);
    sim_core(sim, 0, 60);            /* begins when hart 1 begins */
    ck_assert_uint_eq(sim_cycles(sim, 0), 60);
    sim_core(sim, 0, 40);            /* nobody knows what hart 1 does before that */
    ck_assert_uint_eq(sim_waiting(sim, 0), 1);
    ck_assert_uint_eq(sim_cycles(sim, 0), 60);
    sim_sleep(sim, 1);
    ck_assert_uint_eq(sim_waiting(sim, 0), 0);
    ck_assert_uint_eq(sim_cycles(sim, 0), 100);
    sim_signal(sim, 0, 1);
    sim_core(sim, 0, 1000);          /* begins before the other one can */
    ck_assert_uint_eq(sim_cycles(sim, 0), 1100);
    sim_core(sim, 0, 1);
    ck_assert_uint_eq(sim_waiting(sim, 0), 1);
    sim_end(sim);
    ck_assert_uint_eq(sim_cycles(sim, 0), 1101);
}
END_TEST

/* Nobody waits for a hart that has never been heard of. */
START_TEST(harts_begin_asleep)
{
    sim_default_target();
    sim_target.harts = 3;
    sim_open(SIM_STRICT_OFF, true);
    for (int i = 0; i < 10; i++)
        sim_core(sim, 0, 10);
    ck_assert_uint_eq(sim_cycles(sim, 0), 100);
    ck_assert_uint_eq(sim_waiting(sim, 0), 0);
}
END_TEST

/* A line that another core writes is no longer in this one's cache. */
START_TEST(caches_agree)
{
    struct sim_access read = { RAM + MB, 8, 0, false }, write = { RAM + MB, 8, 0, true };
    struct sim_access other = { RAM + 2 * MB, 8, 0, false };
    uint64_t before;

    machine(2);
    sim_sleep(sim, 1);
    sim_access(sim, 0, &read);
    sim_access(sim, 0, &other);
    before = sim_cycles(sim, 0);
    sim_access(sim, 0, &read);       /* still there */
    ck_assert_uint_eq(sim_cycles(sim, 0), before);
    sim_core(sim, 1, (double)before);
    sim_access(sim, 1, &write);
    sim_sleep(sim, 1);
    sim_access(sim, 0, &other);
    sim_access(sim, 0, &read);
    ck_assert_uint_eq(sim_cycles(sim, 0), before + (uint64_t)sim_target.core_l2_line);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("sim_harts");
    TCase *t = tcase_create("harts");

    tcase_add_checked_fixture(t, NULL, sim_close);
    tcase_add_test(t, memory_is_shared);
    tcase_add_test(t, shares_are_equal);
    tcase_add_test(t, bus_is_shared);
    tcase_add_test(t, turns_of_the_simulator_do_not_count);
    tcase_add_test(t, signals_carry_time);
    tcase_add_test(t, who_is_waited_for);
    tcase_add_test(t, harts_begin_asleep);
    tcase_add_test(t, caches_agree);
    suite_add_tcase(s, t);
    return tap_run(s);
}
