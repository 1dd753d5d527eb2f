/* sim/strict_core, sim/l1: the core's own loads, stores and code beside the array. */
#include "test/unit/simtest.h"
#include "test/unit/tap.h"

enum { LINE = 64, L1 = 16384 };

static void
machine(enum sim_strict strict)
{
    sim_default_target();
    sim_target.ram_size = 64 << 20;
    sim_open(strict, true);
    config_ex(1);
    config_ld(0, 64, 16, 1, false);
    config_st(64, 1, 0);
    fence();
}

static void
setup(void)
{
    machine(SIM_STRICT_ERROR);
}

static bool
load(uint64_t at)
{
    return core_access(RAM + at, 8, false);
}

static bool
store(uint64_t at)
{
    return core_access(RAM + at, 8, true);
}

static bool
in(uint64_t at, uint32_t row)
{
    return cmd(ISA_MVIN, RAM + at, OP(SP(row), 16, 16));
}

static bool
out(uint64_t at, uint32_t row)
{
    return cmd(ISA_MVOUT, RAM + at, OP(SP(row), 16, 16));
}

#define ALLOWED(x) ck_assert((x) && sim_broken == SIM_OK)
#define BROKEN(x, rule) ck_assert(!(x) && sim_broken == SIM_RULE_##rule)

/* ---- rules.  Moves are of 16 bytes in every line, byte for byte. */

START_TEST(what_the_core_wrote)
{
    ALLOWED(store(0x1000));
    BROKEN(in(0x1000, 0), FENCE_MISSING);
    ALLOWED(store(0x2000 + 16));                 /* beside every row */
    ALLOWED(in(0x2000, 0));
    ALLOWED(store(0x3000 + 5 * LINE + 12));      /* the end of row 5 */
    BROKEN(in(0x3000, 16), FENCE_MISSING);
    fence();
    ALLOWED(in(0x1000, 32));
    ALLOWED(in(0x3000, 48));
    ALLOWED(store(0x4000));
    BROKEN(out(0x4000, 0), FENCE_MISSING);
    fence();
    ALLOWED(out(0x4000, 0));
    ALLOWED(load(0x5000));
    ALLOWED(in(0x5000, 64));                     /* it only read */
}
END_TEST

START_TEST(what_the_array_wrote)
{
    ALLOWED(in(0x1000, 0));
    ALLOWED(out(0x8000, 0));
    BROKEN(load(0x8000), CORE_READ);
    BROKEN(load(0x8000 + 15 * LINE + 15), CORE_READ);
    ALLOWED(load(0x8000 + 16));
    BROKEN(store(0x8000 + LINE), CORE_WRITE);
    ALLOWED(store(0x8000 + LINE + 16));
    fence();
    ALLOWED(load(0x8000));
    ALLOWED(store(0x8000 + LINE));
}
END_TEST

START_TEST(what_the_array_reads)
{
    ALLOWED(in(0x1000, 0));
    ALLOWED(load(0x1000));
    BROKEN(store(0x1000), CORE_WRITE);
    ALLOWED(store(0x1000 + 16));
    fence();
    ALLOWED(store(0x1000));
}
END_TEST

START_TEST(another_hart)
{
    struct sim_access x = { RAM + 0x8000, 8, 0, false };

    sim_target.harts = 2;
    sim_open(SIM_STRICT_ERROR, true);
    config_ex(1);
    config_ld(0, 64, 16, 1, false);
    config_st(64, 1, 0);
    fence();
    ALLOWED(in(0x1000, 0));
    ALLOWED(out(0x8000, 0));
    sim_fence(sim, 1);                           /* not the one that stored */
    ck_assert(!sim_access(sim, 1, &x));
    fence();
    ck_assert(sim_access(sim, 1, &x));
    x.store = true;
    ck_assert(sim_access(sim, 1, &x));
    BROKEN(in(0x8000, 16), FENCE_MISSING);
    sim_fence(sim, 1);
    ALLOWED(in(0x8000, 16));
}
END_TEST

START_TEST(outside_of_memory)
{
    ALLOWED(core_access(0x02000000, 4, true));   /* the interrupter */
    ALLOWED(core_access(RAM - 4, 8, true));
    ALLOWED(core_access(RAM + (uint64_t)sim_target.ram_size, 8, false));
    ALLOWED(core_access(UINT64_MAX, 8, false));
}
END_TEST

static struct sim_violation last;

static void
tell(const struct sim_violation *v, void *ctx)
{
    (void)ctx;
    last = *v;
}

START_TEST(says_where)
{
    struct sim_config c = { .target = &sim_target, .strict = SIM_STRICT_WARN,
        .memory = { ram, RAM, (uint64_t)sim_target.ram_size }, .violation = tell };
    struct sim *s = sim_new(&c);
    struct isa_cmd st = isa_encode_st(&(struct isa_config_st) { .stride = 64, .scale = 1 });
    struct isa_cmd move = { ISA_MVOUT, RAM + 0x100, OP(SP(0), 1, 16) };
    struct sim_access x = { RAM + 0x108, 4, 0x80001234, false };

    sim_layer(s, 0, 3);
    sim_command(s, 0, &st, 0, NULL);
    sim_command(s, 0, &move, 0, NULL);
    ck_assert(sim_access(s, 0, &x));
    ck_assert_int_eq(last.rule, SIM_RULE_CORE_READ);
    ck_assert(last.core);
    ck_assert_int_eq(last.layer, 3);
    ck_assert_uint_eq(last.index, 2);
    ck_assert_uint_eq(last.pc, 0x80001234);
    ck_assert_str_eq(last.detail, "a mvout writes bytes 0x80000108 to 0x8000010b");
    sim_free(s);
}
END_TEST

/* ---- caches.  Every figure is that of a key: exact. */

static double
spent(void (*f)(uint64_t), uint64_t at)
{
    uint64_t before = cycles();

    f(at);
    return (double)(cycles() - before);
}

static void loads(uint64_t at) { load(at); }
static void stores(uint64_t at) { store(at); }
static void runs(uint64_t at) { sim_code(sim, 0, RAM + at, LINE); }

/* A miss of the shared cache, when nobody else keeps the memory busy. */
static double
memory(void)
{
    return (double)(sim_target.dram_latency + sim_target.dram_first);
}

#define COSTS(f, at, key) ck_assert_double_eq_tol(spent(f, at), (key), 1)

START_TEST(data)
{
    COSTS(loads, 0x1000, memory() + sim_target.core_dram_line);
    COSTS(loads, 0x1008, 0);
    COSTS(stores, 0x1010, 0);
    COSTS(loads, 0x1000 + LINE - 4, memory() + sim_target.core_dram_line);  /* across two lines */
    COSTS(stores, 0x2000, memory() + sim_target.core_dram_line + sim_target.core_store_miss);
    for (uint64_t at = 0; at < L1; at += LINE)
        load(0x108000 + at);                     /* throws all out, of L1 only */
    COSTS(loads, 0x1000, sim_target.core_l2_line);
    COSTS(loads, 0x1000, 0);
    COSTS(stores, 0x2000, sim_target.core_l2_line + sim_target.core_store_miss);
}
END_TEST

/* As many lines as it holds stay, in any order. */
START_TEST(what_fits_stays)
{
    for (int pass = 0; pass < 3; pass++)
        for (uint64_t at = 0; at < L1; at += LINE) {
            double c = spent(loads, 0x200000 + (at * 7 & (L1 - 1)));
            ck_assert_double_eq_tol(c, pass ? 0 : memory() + sim_target.core_dram_line, 1);
        }
}
END_TEST

/* A set full of lines that were stored to: each that comes throws one out. */
START_TEST(dirty_lines_cost_more)
{
    uint64_t set = (uint64_t)(sim_target.l1_bytes / sim_target.l1_ways);

    for (uint64_t i = 0; i < (uint64_t)sim_target.l1_ways; i++)
        store(0x100000 + i * set);
    sim_target.core_dirty_line = 20;             /* 2.7 would be lost in whole cycles */
    COSTS(loads, 0x200000, memory() + sim_target.core_dram_line + 20);
}
END_TEST

START_TEST(the_array_throws_lines_out)
{
    COSTS(loads, 0x1000, memory() + sim_target.core_dram_line);
    COSTS(stores, 0x8000, memory() + sim_target.core_dram_line + sim_target.core_store_miss);
    fence();
    in(0x1000, 0);
    out(0x8000, 0);
    fence();
    COSTS(loads, 0x1000, 0);                     /* reading leaves it */
    COSTS(loads, 0x8000, sim_target.core_l2_line);
}
END_TEST

START_TEST(code)
{
    double work = 16 * sim_target.core_instr;

    COSTS(runs, 0x1000, memory() + sim_target.core_icache_dram - work);
    COSTS(runs, 0x1000, 0);
    for (uint64_t at = 0; at < 4 * L1; at += LINE)
        runs(0x100000 + at);
    COSTS(runs, 0x1000, sim_target.core_icache_l2 - work);
    COSTS(loads, 0x1000, sim_target.core_l2_line);       /* a cache of its own */
}
END_TEST

/* 4000 commands in a straight line, each with a sum before it, 8 bytes together: 36.6 k
 * cycles cold, 15.7 k when the shared cache has them (schedules.md 1 J). */
START_TEST(straight_line)
{
    static const double measured[] = { 36600, 15700 };

    for (int pass = 0; pass < 2; pass++) {
        uint64_t before = cycles();
        for (uint64_t at = 0; at < 4000 * 8; at += LINE)
            sim_code(sim, 0, RAM + 0x10000 + at, LINE);
        double c = (double)(cycles() - before)
            + 4000 * (sim_target.core_issue + sim_target.core_instr);
        ck_assert_double_eq_tol(c, measured[pass], measured[pass] * 0.06);
    }
}
END_TEST

/* Memory that is farther away, and memory that the array keeps busy: a mvin of 16 lines
 * before, each of which takes it for 10.45 cycles. */
START_TEST(memory_takes_its_time)
{
    double quiet, busy;

    sim_target.dram_latency = 100;
    sim_open(SIM_STRICT_OFF, true);
    COSTS(loads, 0x1000, 105 + sim_target.core_dram_line);
    quiet = spent(loads, 0x2000);
    config_ex(1);
    config_ld(0, 64, 16, 1, false);
    cmd(ISA_MVIN, RAM + 0x100000, OP(SP(0), 16, 64));
    sim_core(sim, 0, 30);            /* its requests are out */
    busy = spent(loads, 0x3000);
    ck_assert_msg(busy > quiet + 20 && busy < quiet + 16 * 10.45, "%.0f and %.0f", quiet, busy);
}
END_TEST

START_TEST(no_caches)
{
    sim_target.l1_bytes = sim_target.icache_bytes = 0;
    sim_open(SIM_STRICT_OFF, true);
    COSTS(loads, 0x1000, memory() + sim_target.core_dram_line);
    COSTS(loads, 0x1000, sim_target.core_l2_line);
    COSTS(loads, 0x1000, sim_target.core_l2_line);
}
END_TEST

/* Time does not depend on whether rules are checked. */
START_TEST(rules_take_no_time)
{
    uint64_t seen[3];

    for (int strict = 0; strict < 3; strict++) {
        machine((enum sim_strict)strict);
        sim_seed(5);
        for (int i = 0; i < 20000; i++) {
            uint64_t at = (uint64_t)sim_between(0, 1 << 20);
            core_access(RAM + at, 1u << sim_between(0, 3), sim_random() & 1);
            if (i % 50 == 0) {
                fence();
                in(0x200000 + (uint64_t)i, 0);
                out(0x400000 + (uint64_t)i, 0);
                fence();
            }
        }
        seen[strict] = cycles();
    }
    ck_assert_uint_eq(seen[0], seen[1]);
    ck_assert_uint_eq(seen[0], seen[2]);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("sim_core");
    TCase *r = tcase_create("rules"), *c = tcase_create("caches");

    tcase_add_checked_fixture(r, setup, sim_close);
    tcase_add_test(r, what_the_core_wrote);
    tcase_add_test(r, what_the_array_wrote);
    tcase_add_test(r, what_the_array_reads);
    tcase_add_test(r, another_hart);
    tcase_add_test(r, outside_of_memory);
    tcase_add_test(r, says_where);
    tcase_add_checked_fixture(c, setup, sim_close);
    tcase_add_test(c, data);
    tcase_add_test(c, what_fits_stays);
    tcase_add_test(c, dirty_lines_cost_more);
    tcase_add_test(c, the_array_throws_lines_out);
    tcase_add_test(c, code);
    tcase_add_test(c, straight_line);
    tcase_add_test(c, memory_takes_its_time);
    tcase_add_test(c, no_caches);
    tcase_add_test(c, rules_take_no_time);
    suite_add_tcase(s, r);
    suite_add_tcase(s, c);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
