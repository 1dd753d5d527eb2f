/* sim/loops: the commands loops become, against those written out by hand, for random
 * shapes and every variant; and what may stand beside them. */
#include <stddef.h>

#include "sim/loops.h"
#include "test/unit/looptest.h"
#include "test/unit/simtest.h"
#include "test/unit/tap.h"

enum { MOST = 200000 };

static int
some(int from, int to)
{
    return (int)sim_between(from, to);
}

/* ---- streams */

static struct isa_cmd want[MOST], got[MOST];

/* What the model makes of a run command. */
static int
unroll(const struct isa_cmd *run)
{
    struct loop l;
    int n = 0;

    loop_make(&sim->harts[0], run, &l);
    for (int g = 0; g < GENS; g++) {
        struct cursor c;
        for (loop_start(&l, (enum gen)g, &c); !c.done && n < MOST; n++)
            loop_next(&l, (enum gen)g, &c, &got[n]);
    }
    return n;
}

static void
compare(int n, int m, const char *what)
{
    for (int i = 0; i < n && i < m; i++) {
        char a[120], b[120];

        isa_text(&want[i], a, sizeof a);
        isa_text(&got[i], b, sizeof b);
        ck_assert_msg(want[i].funct == got[i].funct && want[i].rs1 == got[i].rs1
            && want[i].rs2 == got[i].rs2, "%s, command %d: %s (%llx, %llx), not %s (%llx, %llx)",
            what, i, b, (unsigned long long)got[i].rs1, (unsigned long long)got[i].rs2, a,
            (unsigned long long)want[i].rs1, (unsigned long long)want[i].rs2);
    }
    ck_assert_int_eq(n, m);
    ck_assert_int_lt(n, MOST);
}

/* Arrays of every size and kind of elements. */
static const struct { enum dtype elem; int dim; } arrays[] = {
    { DT_I8, 16 }, { DT_F32, 4 }, { DT_BF16, 8 }, { DT_I8, 32 }, { DT_I8, 8 }, { DT_F16, 4 },
    { DT_I8, 4 }, { DT_F32, 32 },
};
enum { ARRAYS = sizeof arrays / sizeof *arrays };

static uint64_t
pointer(void)
{
    return some(0, 5) ? RAM + (uint64_t)some(1, 1 << 20) : 0;
}

static struct ws_args
any_ws(void)
{
    static const int acts[] = { 0, 1, 2, 3, 4 };
    int pad = (int)sim_target.dim - 1;

    return (struct ws_args) { .i = some(1, 6), .j = some(1, 9), .k = some(1, 9),
        .pi = some(0, pad), .pj = some(0, pad), .pk = some(0, pad),
        .a = pointer(), .b = pointer(), .c = pointer(), .d = pointer(),
        .as = (uint64_t)some(0, 3000), .bs = (uint64_t)some(0, 3000),
        .cs = (uint64_t)some(0, 3000), .ds = (uint64_t)some(0, 3000),
        .accumulate = some(0, 1), .full = some(0, 1), .low = some(0, 1),
        .act = acts[some(0, 4)], .aid = some(0, 2), .bid = some(0, 2), .at = some(0, 1),
        .bt = some(0, 1) };
}

START_TEST(products)
{
    struct places p = { 0, 0 };

    sim_array_of(arrays[_i % ARRAYS].elem, arrays[_i % ARRAYS].dim);
    sim_open(SIM_STRICT_OFF, false);
    sim_seed((uint64_t)_i + 1);
    for (int round = 0; round < 60; round++) {
        struct ws_args a = any_ws();
        struct isa_cmd run;

        a.full = a.full && a.act < 2;
        if (some(0, 9) == 0) {
            a.resadd = 1;
            a.at = a.bt = a.act = 0;
        }
        run = ws_run(&a);
        ck_assert(ws_configure(&a));
        compare(ws_literal(&a, &p, want, MOST), unroll(&run), "LOOP_WS");
        ck_assert(cmd(run.funct, run.rs1, run.rs2));
        p.slot ^= 1;
        p.acc ^= a.c != 0;
    }
    sim_close();
}
END_TEST

/* A square one, with strides from the channels, as revision 1 has them. */
static void
narrow(struct conv_args *a)
{
    if (sim_target.isa_revision == 3)
        return;
    a->in_cols = a->in_rows;
    a->out_cols = a->out_rows;
    a->pool_out_cols = a->pool_out_rows;
    if (sim_target.isa_revision == 2)
        return;
    a->in_stride = a->in_channels;
    a->weight_stride = a->out_stride = a->out_channels;
    a->aid = a->bid = 0;
    if (!a->input)
        a->input = RAM;
    if (!a->weights)
        a->weights = RAM;
}

static struct conv_args
any_conv(void)
{
    int wide = sim_target.dim < 16 ? (int)sim_target.dim : 18; /* so much fits */
    struct conv_args a = { .batch_size = some(1, 20), .in_rows = some(1, 300),
        .in_cols = some(1, 300), .in_channels = some(1, 200), .out_channels = some(1, 200),
        .out_rows = some(1, 200), .out_cols = some(1, 200), .pool_out_rows = some(1, 100),
        .pool_out_cols = some(1, 100), .stride = some(1, 3), .padding = some(0, 3),
        .kernel = some(1, 7), .kdil = some(0, 2) ? 1 : some(2, 4), .pool_size = some(1, 3),
        .pool_stride = some(1, 3), .batches = some(0, 2) ? 1 : some(2, 18),
        .porows = some(1, 9), .pocols = some(1, 20), .pochs = some(1, 5 * wide),
        .krows = some(1, 3), .kcols = some(1, 4), .kchs = some(1, 5 * wide),
        .plpad = some(0, 3), .prpad = some(0, 3), .pupad = some(0, 3), .pdpad = some(0, 3),
        .orows = some(1, 6), .ocols = some(1, 2 * wide + 8),
        .in_stride = some(1, 500), .weight_stride = some(1, 500), .out_stride = some(1, 500),
        .weights = pointer(), .output = pointer(), .bias = pointer(), .input = pointer(),
        .no_bias = some(0, 1), .rot180 = some(0, 3) == 0, .out_1203 = some(0, 3) == 0,
        .w_1203 = some(0, 3) == 0, .w_0132 = some(0, 3) == 0, .in_3120 = some(0, 3) == 0,
        .dw = some(0, 5) == 0, .pixels = some(0, 2) ? some(0, 1) : some(2, 5),
        .aid = some(0, 2), .bid = some(0, 2), .no_pool = some(0, 2) > 0,
        .down = some(0, 4) == 0, .dilated = some(0, 3) == 0, .act = some(0, 1) };
    int rows = a.orows * a.stride + a.krows + (a.kdil - 1) * (a.krows - 1) - 1;
    int cols = a.ocols * a.stride + a.kcols + (a.kdil - 1) * (a.kcols - 1) - 1;

    a.upad = some(0, rows > 20 ? 20 : rows);
    a.dpad = some(0, rows - a.upad > 20 ? 20 : rows - a.upad);
    a.lpad = some(0, cols > 20 ? 20 : cols);
    a.rpad = some(0, cols - a.lpad > 20 ? 20 : cols - a.lpad);
    if (a.in_3120 && a.kchs > 20)
        a.kchs = some(1, 20);
    narrow(&a);
    return a;
}

START_TEST(convolutions)
{
    struct places p = { 0, 0 };

    sim_array_of(arrays[_i % ARRAYS].elem, arrays[_i % ARRAYS].dim);
    sim_target.has_training = true;
    sim_target.isa_revision = 1 + _i % 3;
    sim_open(SIM_STRICT_OFF, false);
    sim_seed((uint64_t)_i + 100);
    for (int round = 0; round < 60; round++) {
        struct conv_args a = any_conv();
        struct isa_cmd run = conv_run(&a);

        ck_assert(conv_configure(&a));
        compare(conv_literal(&a, &p, want, MOST), unroll(&run), "LOOP_CONV_WS");
        ck_assert(cmd(run.funct, run.rs1, run.rs2));
        p.slot ^= 1;
        p.acc ^= a.output != 0;
    }
    sim_close();
}
END_TEST

/* A target without the variants makes what it would have made without the bits. */
START_TEST(variants_are_forced_off)
{
    struct places p = { 0, 0 };

    sim_default_target();
    sim_target.isa_revision = 3;
    sim_target.has_training = sim_target.has_depthwise = sim_target.has_first_layer
        = sim_target.has_max_pool = false;
    sim_open(SIM_STRICT_OFF, false);
    sim_seed(5);
    for (int round = 0; round < 60; round++) {
        struct conv_args a = any_conv();
        struct isa_cmd run = conv_run(&a);

        ck_assert(conv_configure(&a));
        a.rot180 = a.out_1203 = a.w_1203 = a.w_0132 = a.in_3120 = a.dw = a.dilated = 0;
        a.pixels = a.no_pool = 1;
        compare(conv_literal(&a, &p, want, MOST), unroll(&run), "LOOP_CONV_WS");
    }
    sim_close();
}
END_TEST

/* Each slot keeps what it was told two loops before. */
START_TEST(slots_keep_old_values)
{
    struct ws_args a = { .i = 1, .j = 1, .k = 1, .a = RAM, .b = RAM, .c = RAM }, b = a;
    struct isa_cmd run = ws_run(&a);
    struct places p = { 0, 0 };

    sim_default_target();
    sim_open(SIM_STRICT_OFF, false);
    b.i = 3;
    ck_assert(ws_send(&a) && ws_send(&b));
    compare(ws_literal(&a, &p, want, MOST), unroll(&run), "first slot");
    ck_assert(cmd(run.funct, run.rs1, run.rs2));
    p = (struct places) { 1, 1 };
    compare(ws_literal(&b, &p, want, MOST), unroll(&run), "second slot");
    sim_close();
}
END_TEST

/* ---- what may stand beside a loop */

static void
strict(void)
{
    sim_default_target();
    sim_target.isa_revision = 3;
    sim_open(SIM_STRICT_ERROR, false);
}

#define ALLOWED(call) \
    do { \
        ck_assert_msg((call), "%s: %s", #call, sim_rules[sim_broken].name); \
    } while (0)
#define BROKEN(call, rule) \
    do { \
        ck_assert(!(call)); \
        ck_assert_str_eq(sim_rules[sim_broken].name, sim_rules[SIM_RULE_##rule].name); \
    } while (0)

START_TEST(fences)
{
    struct ws_args a = ws_legal();
    struct conv_args v;

    ALLOWED(cmd(ISA_MVIN, RAM, OP(SP(0), 16, 16)));
    BROKEN(ws_send(&a), LOOP_FENCE);
    fence();
    ALLOWED(ws_send(&a));
    ALLOWED(cmd(ISA_FLUSH, 0, 0));
    BROKEN(cmd(ISA_MVIN, RAM, OP(SP(0), 16, 16)), LOOP_FENCE);
    BROKEN(cmd(ISA_MVOUT, RAM + 0x10000, OP(SP(0), 16, 16)), LOOP_FENCE);
    ALLOWED(ws_send(&a));
    fence();
    ALLOWED(cmd(ISA_MVIN, RAM, OP(SP(0), 16, 16)));
    fence();
    v = conv_legal();
    ALLOWED(conv_send(&v));
    a = ws_legal();
    BROKEN(ws_send(&a), LOOP_FENCE);
    fence();
    ALLOWED(ws_send(&a));
}
END_TEST

START_TEST(contents_after_loops)
{
    struct ws_args a = ws_legal();

    ALLOWED(cmd(ISA_MVIN, RAM, OP(SP(0), 16, 16)));
    fence();
    ALLOWED(ws_send(&a));
    fence();
    BROKEN(cmd(ISA_MVOUT, RAM + 0x10000, OP(SP(0), 16, 16)), NEVER_WRITTEN);
    BROKEN(cmd(ISA_MVOUT, RAM + 0x10000, OP(ACC(0), 16, 16)), NEVER_WRITTEN);
    BROKEN(pair(ISA_GARBAGE, ACC(0), SP(0), 16, 16, 16), NO_WEIGHTS);
}
END_TEST

START_TEST(chains)
{
    struct ws_args a = ws_legal(), b = a;

    b.accumulate = 1;
    BROKEN(ws_send(&b), NEVER_WRITTEN);
    fence();
    a.c = 0;
    ALLOWED(ws_send(&a));
    ALLOWED(ws_send(&b));
    BROKEN(ws_send(&b), NEVER_WRITTEN);
    ALLOWED(ws_send(&a));
    config_st(64, 1, 0);
    BROKEN(ws_send(&b), NEVER_WRITTEN);
    ALLOWED(ws_send(&a));
    b.pi = 1;
    BROKEN(ws_send(&b), NEVER_WRITTEN);
}
END_TEST

START_TEST(registers_after_loops)
{
    struct conv_args v = conv_legal();

    v.no_pool = 0;
    v.pool_size = v.pool_stride = 2;
    v.porows = v.pocols = 3;
    v.dpad = 1;
    v.orows = v.ocols = 7;
    v.rpad = v.dpad = 0;
    v.pool_out_rows = v.pool_out_cols = 3;
    ALLOWED(conv_send(&v));
    ALLOWED(conv_send(&v));
    fence();
    BROKEN(cmd(ISA_MVIN, RAM, OP(SP(0), 16, 16)), UNCONFIGURED);
    config_ld(0, 64, 16, 1, false);
    ALLOWED(cmd(ISA_MVIN, RAM, OP(SP(0), 16, 16)));
    BROKEN(cmd(ISA_MVOUT, RAM + 0x10000, OP(SP(0), 16, 16)), UNCONFIGURED);
    config_st(64, 1, 0);
    ALLOWED(cmd(ISA_MVOUT, RAM + 0x10000, OP(SP(0), 16, 16)));
}
END_TEST

/* Rows past the end of B have to exist, whoever uses them. */
START_TEST(past_the_end_of_b)
{
    struct ws_args a = ws_legal();

    a.pk = 9;
    a.b = RAM + (uint64_t)sim_target.ram_size - 23 * 64;
    BROKEN(ws_send(&a), MEMORY_RANGE);
    fence();
    a.b -= 9 * 64;
    a.c = a.b + 23 * 64;
    a.i = 1;
    a.pi = 8;
    ALLOWED(ws_send(&a));
}
END_TEST

/* Sentences of 12.4 that more than one rule covers. */
START_TEST(more_variants)
{
    static const struct { size_t at; int value; enum sim_rule rule; } ways[] = {
        { offsetof(struct conv_args, down), 1, SIM_RULE_LOOP_VARIANT },
        { offsetof(struct conv_args, pixels), 2, SIM_RULE_LOOP_VARIANT },
        { offsetof(struct conv_args, stride), 0, SIM_RULE_LOOP_BOUNDS },
        { offsetof(struct conv_args, kdil), 0, SIM_RULE_LOOP_BOUNDS },
        { offsetof(struct conv_args, stride), 2, SIM_RULE_LOOP_CONFIG },
        { offsetof(struct conv_args, in_3120), 1, SIM_RULE_LOOP_CONFIG },
        { offsetof(struct conv_args, w_0132), 1, SIM_RULE_LOOP_CONFIG },
        { offsetof(struct conv_args, out_stride), 17, SIM_RULE_LOOP_CONFIG },
        { offsetof(struct conv_args, act), 2, SIM_RULE_ACTIVATION },
        { offsetof(struct conv_args, pool_size), 2, SIM_RULE_LOOP_SHAPE },
        { offsetof(struct conv_args, plpad), 1, SIM_RULE_LOOP_SHAPE },
        { offsetof(struct conv_args, batches), 9, SIM_RULE_LOOP_CAPACITY },
        { offsetof(struct conv_args, aid), 2, SIM_RULE_LOOP_IDS },
        { offsetof(struct conv_args, lpad), 20, SIM_RULE_LOOP_ENDLESS },
    };

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct conv_args v = conv_legal();

        *(int *)(void *)((char *)&v + ways[i].at) = ways[i].value;
        ck_assert(!conv_send(&v));
        ck_assert_str_eq(sim_rules[sim_broken].name, sim_rules[ways[i].rule].name);
    }
}
END_TEST

/* Numbers of a loop as a layer's. */
START_TEST(statistics)
{
    struct ws_args a = ws_legal();
    const struct sim_layer_stats *s;
    int n;

    sim_close();
    sim_open(SIM_STRICT_ERROR, true);
    a = ws_legal();
    a.pi = 3;
    ALLOWED(ws_send(&a));
    fence();
    s = sim_stats(sim, 0, &n);
    ck_assert_uint_eq(s[n - 1].macs, 29 * 32 * 32);
    ck_assert_uint_eq(s[n - 1].bytes_in, 29 * 32 + 32 * 32);
    ck_assert_uint_eq(s[n - 1].bytes_out, 29 * 32);
    ck_assert_uint_gt(s[n - 1].cycles, 100);
    ck_assert_uint_lt(s[n - 1].cycles, 1500);
}
END_TEST

/* ---- time */

/* So many loops of 4 x 4 x 8 tiles, 2048 cycles of the array each; cycles of all. */
static double
loops_take(int n, bool chain)
{
    struct ws_args a;

    sim_close();
    sim_default_target();
    sim_target.isa_revision = 3;
    sim_open(SIM_STRICT_OFF, true);
    a = ws_legal();
    a.i = a.j = 4;
    a.k = 8;
    a.as = 128;
    for (int i = 0; i < n; i++) {
        a.accumulate = chain && i;
        a.c = chain && i < n - 1 ? 0 : RAM + 0x10000;
        ck_assert(ws_send(&a));
    }
    fence();
    return (double)cycles();
}

/* The next loop loads while this one multiplies, the one after it waits. */
START_TEST(loops_overlap)
{
    double one = loops_take(1, false), two = loops_take(2, false);
    double ten = loops_take(10, false), chain = loops_take(10, true);

    ck_assert_double_gt(one, 2048 + 16 * 26);
    ck_assert_double_lt(one, 4000);
    ck_assert_double_gt(two - one, 0.95 * 2048);
    ck_assert_double_lt(two - one, 1.25 * 2048);
    ck_assert_double_gt(ten - two, 8 * 0.99 * 2048);
    ck_assert_double_lt(ten - two, 8 * 1.15 * 2048);
    ck_assert_double_le(chain, ten);
}
END_TEST

/* A convolution multiplies only when all is loaded and stores only when all is done,
 * so that one alone is the sum of its parts: 9 taps of 8 rows, 64 pixels out. */
START_TEST(convolutions_wait)
{
    struct conv_args v;
    double t, loads = 18 * 11, pairs = 9 * (16 + 7 * 8.5), stores = 8 * 9.6;

    sim_close();
    sim_open(SIM_STRICT_ERROR, true);
    v = conv_legal();
    fence();
    ALLOWED(conv_send(&v));
    fence();
    t = (double)cycles();
    ck_assert_double_gt(t, loads + pairs + stores);
    ck_assert_double_lt(t, 3 * (loads + pairs + stores));
    ALLOWED(conv_send(&v));
    fence();
    ck_assert_double_lt((double)cycles() - t, 1.7 * (loads + pairs + stores));
}
END_TEST

/* Commands behind a loop wait until it has made its last. */
START_TEST(commands_wait_for_loops)
{
    double t = loops_take(1, false), u;
    struct ws_args a = ws_legal();

    a.i = a.j = 4;
    a.k = 8;
    a.as = 128;
    ck_assert(ws_send(&a));
    u = (double)cycles();
    for (int i = 0; i < 16; i++)
        ck_assert(config_st(64, 1, 0));
    ck_assert_double_gt((double)cycles() - u, 0.6 * t);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("sim_loops");
    TCase *t = tcase_create("streams"), *m = tcase_create("rules");

    tcase_add_loop_test(t, products, 0, 10);
    tcase_add_loop_test(t, convolutions, 0, 18);
    tcase_add_test(t, variants_are_forced_off);
    tcase_add_test(t, slots_keep_old_values);
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(m, strict, sim_close);
    tcase_add_test(m, fences);
    tcase_add_test(m, contents_after_loops);
    tcase_add_test(m, chains);
    tcase_add_test(m, registers_after_loops);
    tcase_add_test(m, past_the_end_of_b);
    tcase_add_test(m, more_variants);
    tcase_add_test(m, statistics);
    tcase_add_test(m, loops_overlap);
    tcase_add_test(m, convolutions_wait);
    tcase_add_test(m, commands_wait_for_loops);
    suite_add_tcase(s, t);
    suite_add_tcase(s, m);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
