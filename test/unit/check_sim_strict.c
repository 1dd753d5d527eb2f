/* sim/strict: every rule is broken once, and what is allowed stays allowed. */
#include <math.h>
#include <string.h>

#include "test/unit/looptest.h"
#include "test/unit/simtest.h"
#include "test/unit/tap.h"

/* Configured, with operands: A in rows 0.., weights in rows 4096.., bias in 0... */
static void
legal(void)
{
    config_ex(1);
    config_ld(0, 64, 16, 1, false);
    config_ld(1, 64, 16, 1, false);
    config_ld(2, 0, 16, 1, false);
    config_st(64, 1, 0);
    cmd(ISA_MVIN, RAM, OP(SP(0), 16, 64));
    cmd(ISA_MVIN2, RAM + 1024, OP(SP(4096), 16, 64));
    cmd(ISA_MVIN3, RAM + 2048, OP(ACC(0), 16, 16));
}

/* What is said of a pooled store of 4x4 pixels. */
static struct isa_config_st
pool_of(unsigned act)
{
    return (struct isa_config_st) { .pool_stride = 2, .pool_size = 2, .pool_out_dim = 2,
        .porows = 2, .pocols = 2, .orows = 4, .ocols = 4, .stride = 16, .scale = 1,
        .act = act };
}

/* ---- one for each rule; the last command breaks it */

static bool
arith_unsupported(void)
{
    return config_ex(1);
}

static bool
norm_unsupported(void)
{
    return cmd(ISA_CONFIG, ISA_CONFIG_NORM, 0);
}

static bool
unknown(void)
{
    legal();
    return cmd(127, 0, 0);
}

static bool
not_portable(void)
{
    return cmd(ISA_CLKGATE, 1, 0);
}

static bool
norm(void)
{
    return cmd(ISA_CONFIG, ISA_CONFIG_NORM, 0);
}

static bool
softmax(void)
{
    return cmd(ISA_CONFIG, ISA_CONFIG_NORM | 1 << 16, 0);
}

static bool
norm_store(void)
{
    legal();
    return cmd(ISA_MVOUT, RAM + 0x10000, OP(ACC(0) | 1 << 26, 2, 16));
}

static bool
no_counters(void)
{
    return cmd(ISA_COUNTER, 0, 0);
}

static bool
unconfigured(void)
{
    config_ld(0, 64, 16, 1, false);
    return cmd(ISA_MVIN2, RAM, OP(SP(0), 16, 16));
}

static bool
dataflow(void)
{
    return config_ex_of(&(struct isa_config_ex) { .a_stride = 1, .c_stride = 1, .scale = 1 });
}

static bool
activation(void)
{
    return config_st(64, 1, 3);
}

static bool
transpose(void)
{
    return config_ex_of(&(struct isa_config_ex) { .ws = true, .a_stride = 1, .c_stride = 1,
        .a_transpose = true, .b_transpose = true, .scale = 1 });
}

static bool
strides(void)
{
    return config_ex_of(&(struct isa_config_ex) { .ws = true, .a_stride = 1, .c_stride = 2,
        .scale = 1 });
}

static bool
scale(void)
{
    return config_st(64, -1, 0);
}

static bool
load_scale(void)
{
    config_ld(0, 64, 16, 0.5f, false);
    return cmd(ISA_MVIN, RAM, OP(ACC(0), 16, 16));
}

static bool
load_state(void)
{
    return config_ld(3, 64, 16, 1, false);
}

static bool
block_stride(void)
{
    config_ld(0, 64, 8, 1, false);
    return cmd(ISA_MVIN, RAM, OP(SP(0), 9, 16));
}

static bool
repeats(void)
{
    struct isa_cmd c = isa_encode_ld(&(struct isa_config_ld) { .stride = 3,
        .block_stride = 16, .repeats = 3, .scale = 1 });

    return cmd(c.funct, c.rs1, c.rs2);
}

static bool
pool_fields(void)
{
    struct isa_config_st c = pool_of(0);

    c.pool_stride = 0;
    return config_st_of(&c);
}

static bool
no_pool(void)
{
    struct isa_config_st c = pool_of(0);

    return config_st_of(&c);
}

static bool
pool_pad(void)
{
    struct isa_config_st c = pool_of(0);

    c.upad = 1;
    return config_st_of(&c);
}

static bool
size(void)
{
    legal();
    return cmd(ISA_MVIN, RAM, OP(SP(100), 17, 16));
}

static bool
address_bits(void)
{
    legal();
    return cmd(ISA_MVIN, RAM, OP(SP(100) | 1u << 20, 16, 16));
}

static bool
garbage(void)
{
    legal();
    return cmd(ISA_MVOUT, RAM, NONE(16, 16));
}

static bool
local_range(void)
{
    legal();
    return cmd(ISA_MVIN, RAM, OP(SP(16384 - 63), 16, 64));
}

static bool
full_width(void)
{
    legal();
    return cmd(ISA_MVOUT, RAM + 8192, OP(ACC(0) | ISA_FULL, 16, 16));
}

static bool
c_place(void)
{
    legal();
    return cmd(ISA_PRELOAD, OP(SP(4096), 16, 16), OP(SP(200), 16, 16));
}

static bool
operand_place(void)
{
    legal();
    return cmd(ISA_PRELOAD, OP(ACC(0), 16, 16), OP(ACC(0), 16, 16));
}

static bool
d_operand(void)
{
    legal();
    cmd(ISA_PRELOAD, OP(SP(4096), 16, 16), OP(ACC(0), 16, 16));
    return cmd(ISA_COMPUTE_FLIP, OP(SP(0), 16, 16), OP(SP(16), 16, 16));
}

static bool
pool_bank(void)
{
    struct isa_config_st c = pool_of(0);

    legal();
    config_st_of(&c);
    return cmd(ISA_MVOUT, RAM, OP(ACC(500), 1, 16));
}

static bool
pair_order(void)
{
    legal();
    cmd(ISA_PRELOAD, OP(SP(4096), 16, 16), OP(ACC(0), 16, 16));
    return cmd(ISA_PRELOAD, OP(SP(4096), 16, 16), OP(ACC(0), 16, 16));
}

static bool
pair_kind(void)
{
    legal();
    cmd(ISA_PRELOAD, OP(SP(4096), 16, 16), OP(ACC(0), 16, 16));
    return cmd(ISA_COMPUTE_STAY, OP(SP(0), 16, 16), NONE(16, 16));
}

static bool
pair_shape(void)
{
    legal();
    cmd(ISA_PRELOAD, OP(SP(4096), 16, 16), OP(ACC(0), 16, 16));
    return cmd(ISA_COMPUTE_FLIP, OP(SP(0), 15, 16), NONE(16, 16));
}

static bool
no_weights(void)
{
    legal();
    return cmd(ISA_PRELOAD, NONE(16, 16), OP(ACC(0), 16, 16));
}

static bool
never_written(void)
{
    legal();
    cmd(ISA_PRELOAD, OP(SP(4096), 16, 16), OP(ACC(0), 16, 16));
    return cmd(ISA_COMPUTE_FLIP, OP(SP(49), 16, 16), NONE(16, 16)); /* 0..63 are there */
}

static bool
load_order(void)
{
    legal();
    return cmd(ISA_MVIN, RAM, OP(SP(63), 1, 16));
}

static bool
address_zero(void)
{
    legal();
    return cmd(ISA_MVOUT, 0, OP(SP(0), 16, 16));
}

static bool
memory_range(void)
{
    legal();
    return cmd(ISA_MVIN, RAM + (uint64_t)sim_target.ram_size - 1000, OP(SP(100), 16, 64));
}

static bool
read_after_store(void)
{
    legal();
    cmd(ISA_MVOUT, RAM + 0x10000, OP(SP(0), 16, 16));
    return cmd(ISA_MVIN, RAM + 0x10000 + 64 + 15, OP(SP(100), 1, 16));
}

static bool
store_after_read(void)
{
    legal();
    return cmd(ISA_MVOUT, RAM + 1024 + 63, OP(SP(0), 1, 1));
}

static bool
fence_missing(void)
{
    legal();
    core_access(RAM + 0x8000 + 15, 1, true);
    return cmd(ISA_MVIN, RAM + 0x8000, OP(SP(100), 1, 16));
}

static bool
core_read(void)
{
    legal();
    cmd(ISA_MVOUT, RAM + 0x10000, OP(SP(0), 16, 16));
    return core_access(RAM + 0x10000 + 64 + 8, 8, false);
}

static bool
core_write(void)
{
    legal();
    return core_access(RAM + 1024 + 60, 4, true);
}

/* How the machine has to differ for a rule. */
static void
no_means(void)
{
}

static void
half_precision(void)
{
    sim_target.elem = DT_F16;
}

static void
norms(void)
{
    sim_target.has_norms = true;
}

static void
float_norms(void)
{
    norms();
    sim_target.elem = sim_target.acc = DT_F32;
    sim_target.dim = 4;
}

static void
without(void)
{
    sim_target.counters = 0;
    sim_target.has_max_pool = false;
    sim_target.has_full_width = false;
}

static const struct {
    bool (*breaks)(void);
    void (*machine)(void);
} table[SIM_RULES] = {
    [SIM_RULE_ARITH_UNSUPPORTED] = { arith_unsupported, half_precision },
    [SIM_RULE_NORM_UNSUPPORTED] = { norm_unsupported, float_norms },
    [SIM_RULE_UNKNOWN] = { unknown, no_means },
    [SIM_RULE_NOT_PORTABLE] = { not_portable, no_means },
    [SIM_RULE_NORM] = { norm, no_means },
    [SIM_RULE_SOFTMAX] = { softmax, norms },
    [SIM_RULE_NORM_STORE] = { norm_store, norms },
    [SIM_RULE_NO_COUNTERS] = { no_counters, without },
    [SIM_RULE_UNCONFIGURED] = { unconfigured, no_means },
    [SIM_RULE_DATAFLOW] = { dataflow, no_means },
    [SIM_RULE_ACTIVATION] = { activation, no_means },
    [SIM_RULE_TRANSPOSE] = { transpose, no_means },
    [SIM_RULE_STRIDES] = { strides, no_means },
    [SIM_RULE_SCALE] = { scale, no_means },
    [SIM_RULE_LOAD_SCALE] = { load_scale, no_means },
    [SIM_RULE_LOAD_STATE] = { load_state, no_means },
    [SIM_RULE_BLOCK_STRIDE] = { block_stride, no_means },
    [SIM_RULE_REPEATS] = { repeats, no_means },
    [SIM_RULE_POOL_FIELDS] = { pool_fields, no_means },
    [SIM_RULE_NO_POOL] = { no_pool, without },
    [SIM_RULE_POOL_PAD] = { pool_pad, no_means },
    [SIM_RULE_SIZE] = { size, no_means },
    [SIM_RULE_ADDRESS_BITS] = { address_bits, no_means },
    [SIM_RULE_GARBAGE] = { garbage, no_means },
    [SIM_RULE_LOCAL_RANGE] = { local_range, no_means },
    [SIM_RULE_FULL_WIDTH] = { full_width, without },
    [SIM_RULE_C_PLACE] = { c_place, no_means },
    [SIM_RULE_OPERAND_PLACE] = { operand_place, no_means },
    [SIM_RULE_D_OPERAND] = { d_operand, no_means },
    [SIM_RULE_POOL_BANK] = { pool_bank, no_means },
    [SIM_RULE_PAIR_ORDER] = { pair_order, no_means },
    [SIM_RULE_PAIR_KIND] = { pair_kind, no_means },
    [SIM_RULE_PAIR_SHAPE] = { pair_shape, no_means },
    [SIM_RULE_NO_WEIGHTS] = { no_weights, no_means },
    [SIM_RULE_NEVER_WRITTEN] = { never_written, no_means },
    [SIM_RULE_LOAD_ORDER] = { load_order, no_means },
    [SIM_RULE_ADDRESS_ZERO] = { address_zero, no_means },
    [SIM_RULE_MEMORY_RANGE] = { memory_range, no_means },
    [SIM_RULE_READ_AFTER_STORE] = { read_after_store, no_means },
    [SIM_RULE_STORE_AFTER_READ] = { store_after_read, no_means },
    [SIM_RULE_FENCE_MISSING] = { fence_missing, no_means },
    [SIM_RULE_CORE_READ] = { core_read, no_means },
    [SIM_RULE_CORE_WRITE] = { core_write, no_means },
};

/* Rules of loops are broken by looptest.c; its last command may be refused early. */
static bool
breaks(enum sim_rule rule)
{
    bool done = false;

    if (table[rule].breaks)
        return table[rule].breaks();
    ck_assert_msg(loop_breaks(rule, &done), "no case for rule %s", sim_rules[rule].name);
    return done;
}

START_TEST(every_rule)
{
    enum sim_rule rule = (enum sim_rule)_i;
    bool hard = rule <= SIM_RULE_NORM_UNSUPPORTED;

    sim_default_target();
    if (table[rule].machine)
        table[rule].machine();
    else
        loop_machine(rule);
    sim_open(SIM_STRICT_ERROR, false);
    ck_assert(!breaks(rule));
    ck_assert_str_eq(sim_rules[sim_broken].name, sim_rules[rule].name);
    sim_open(SIM_STRICT_WARN, false);
    ck_assert(breaks(rule) == !hard);
    ck_assert_str_eq(sim_rules[sim_broken].name, sim_rules[rule].name);
    sim_open(SIM_STRICT_OFF, false);
    ck_assert(breaks(rule) == !hard);
    ck_assert_str_eq(sim_rules[sim_broken].name, hard ? sim_rules[rule].name : "ok");
    sim_close();
}
END_TEST

START_TEST(names_are_distinct_and_said)
{
    for (int i = 1; i < SIM_RULES; i++) {
        ck_assert_uint_gt(strlen(sim_rules[i].doc), 20);
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(sim_rules[i].name, sim_rules[j].name);
    }
}
END_TEST

/* ---- more ways to break them, and what may be done */

static void
setup(void)
{
    sim_default_target();
    sim_open(SIM_STRICT_ERROR, false);
    legal();
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

START_TEST(a_whole_tile)
{
    ALLOWED(pair(SP(4096), ADD(0), SP(0), 16, 16, 16));
    ALLOWED(pair(ISA_GARBAGE, ACC(16), SP(16), 8, 16, 16));
    ALLOWED(cmd(ISA_MVOUT, RAM + 0x10000, OP(ACC(0), 8, 32)));
    ALLOWED(cmd(ISA_FLUSH, 0, 0));
    ALLOWED(cmd(ISA_COUNTER, 0, 0));
    ALLOWED(config_ex_of(&(struct isa_config_ex) { .only_strides = true, .a_stride = 2,
        .c_stride = 1 }));
}
END_TEST

START_TEST(scales)
{
    BROKEN(config_st(64, 0, 0), SCALE);
    BROKEN(config_st(64, INFINITY, 0), SCALE);
    BROKEN(config_st(64, NAN, 0), SCALE);
    BROKEN(config_ld(0, 64, 16, -0.5f, false), SCALE);
    BROKEN(config_st_of(&(struct isa_config_st) { .keep_scale = true }), SCALE);
    ALLOWED(config_ld(0, 64, 16, 0.5f, false));
    ALLOWED(cmd(ISA_MVIN, RAM, OP(SP(100), 16, 64)));
    sim_target.has_relu = false;
    BROKEN(config_st(64, 1, 1), ACTIVATION);
}
END_TEST

START_TEST(columns)
{
    ALLOWED(cmd(ISA_MVIN, RAM, OP(SP(100), 16, 64)));
    BROKEN(cmd(ISA_MVIN, RAM, OP(SP(200), 16, 65)), SIZE);
    BROKEN(cmd(ISA_MVIN, RAM, OP(SP(200), 0, 16)), SIZE);
    BROKEN(cmd(ISA_MVIN, RAM, OP(SP(200), 16, 0)), SIZE);
    BROKEN(cmd(ISA_MVIN, RAM, OP(ACC(100), 16, 17)), SIZE);
    config_ld(0, 64, 16, 1, true);               /* shrunk: elements */
    ALLOWED(cmd(ISA_MVIN, RAM, OP(ACC(100), 16, 64)));
    BROKEN(cmd(ISA_MVOUT, RAM, OP(ACC(0) | ISA_FULL, 16, 17)), SIZE);
    BROKEN(cmd(ISA_PRELOAD, OP(SP(4096), 17, 16), OP(ACC(0), 16, 16)), SIZE);
    BROKEN(cmd(ISA_PRELOAD, OP(SP(4096), 16, 16), OP(ACC(0), 0, 16)), SIZE);
}
END_TEST

START_TEST(addresses)
{
    BROKEN(cmd(ISA_MVIN, RAM, OP(ACC(100) | ISA_FULL, 16, 16)), ADDRESS_BITS);
    BROKEN(cmd(ISA_MVIN, RAM, OP(SP(100) | ISA_ACCUMULATE, 16, 16)), ADDRESS_BITS);
    BROKEN(cmd(ISA_MVIN, RAM, NONE(16, 16)), GARBAGE);
    BROKEN(cmd(ISA_MVIN, RAM, OP(ACC(1024 - 15), 16, 16)), LOCAL_RANGE);
    ALLOWED(cmd(ISA_MVIN, RAM, OP(ACC(1024 - 16), 16, 16)));
    BROKEN(cmd(ISA_PRELOAD, OP(SP(16384 - 8), 16, 16), OP(ACC(0), 16, 16)), LOCAL_RANGE);
    BROKEN(cmd(ISA_PRELOAD, OP(SP(4096), 16, 16), OP(ACC(1020), 16, 16)), LOCAL_RANGE);
    BROKEN(cmd(ISA_PRELOAD, OP(SP(4096), 16, 16), NONE(16, 16)), GARBAGE);
    config_ex(2000);
    ALLOWED(cmd(ISA_PRELOAD, OP(SP(4096), 16, 16), OP(ACC(0), 16, 16)));
    BROKEN(cmd(ISA_COMPUTE_FLIP, OP(SP(0), 16, 16), NONE(16, 16)), LOCAL_RANGE);
    BROKEN(cmd(ISA_COMPUTE_FLIP, NONE(16, 16), NONE(16, 16)), GARBAGE);
    BROKEN(cmd(ISA_COMPUTE_FLIP, OP(ACC(0), 16, 16), NONE(16, 16)), OPERAND_PLACE);
}
END_TEST

START_TEST(shapes)
{
    BROKEN(cmd(ISA_PRELOAD, OP(SP(4096), 16, 16), OP(ACC(0), 16, 15)), PAIR_SHAPE);
    ALLOWED(cmd(ISA_PRELOAD, OP(SP(4096), 9, 16), OP(ACC(0), 5, 16)));
    BROKEN(cmd(ISA_COMPUTE_FLIP, OP(SP(0), 5, 16), NONE(5, 16)), PAIR_SHAPE);
    BROKEN(cmd(ISA_COMPUTE_FLIP, OP(SP(0), 4, 9), NONE(5, 16)), PAIR_SHAPE);
    ALLOWED(cmd(ISA_COMPUTE_FLIP, OP(SP(0), 5, 9), NONE(5, 16)));
    BROKEN(cmd(ISA_COMPUTE_STAY, OP(SP(0), 5, 9), NONE(5, 16)), PAIR_ORDER);
    ALLOWED(cmd(ISA_PRELOAD, NONE(9, 16), OP(ACC(0), 5, 16)));
    BROKEN(cmd(ISA_COMPUTE_FLIP, OP(SP(0), 5, 9), NONE(5, 16)), PAIR_KIND);
}
END_TEST

START_TEST(contents_of_results)
{
    BROKEN(cmd(ISA_MVIN3, RAM, OP(ADD(16), 16, 16)), NEVER_WRITTEN);
    BROKEN(cmd(ISA_PRELOAD, OP(SP(4096), 16, 16), OP(ADD(15), 2, 16)), NEVER_WRITTEN);
    BROKEN(cmd(ISA_PRELOAD, OP(SP(4096 + 50), 16, 16), OP(ACC(0), 2, 16)), NEVER_WRITTEN);
    ALLOWED(pair(SP(4096), ACC(16), SP(0), 3, 16, 16));
    ALLOWED(cmd(ISA_MVOUT, RAM + 0x10000, OP(ACC(16), 3, 16)));
    BROKEN(cmd(ISA_MVOUT, RAM + 0x10000, OP(ACC(16), 4, 16)), NEVER_WRITTEN);
    config_ex(20);                               /* every twentieth row: 60 and 80 are not */
    ALLOWED(cmd(ISA_PRELOAD, NONE(16, 16), OP(ACC(0), 4, 16)));
    BROKEN(cmd(ISA_COMPUTE_STAY, OP(SP(20), 4, 16), NONE(4, 16)), NEVER_WRITTEN);
    ALLOWED(cmd(ISA_COMPUTE_STAY, OP(SP(3), 4, 16), NONE(4, 16)));
    sim_reset(sim);
    BROKEN(cmd(ISA_MVOUT, RAM, OP(SP(0), 1, 16)), UNCONFIGURED);
    config_st(64, 1, 0);
    BROKEN(cmd(ISA_MVOUT, RAM, OP(SP(0), 1, 16)), NEVER_WRITTEN);
}
END_TEST

START_TEST(order_of_loads)
{
    /* Accumulating twice commutes, but not with what overwrites. */
    fence();
    ALLOWED(cmd(ISA_MVIN3, RAM, OP(ADD(0), 16, 16)));
    ALLOWED(cmd(ISA_MVIN3, RAM, OP(ADD(0), 16, 16)));
    BROKEN(cmd(ISA_MVIN3, RAM, OP(ACC(15), 1, 16)), LOAD_ORDER);
    ALLOWED(cmd(ISA_MVIN3, RAM, OP(ACC(16), 16, 16)));
    BROKEN(cmd(ISA_MVIN3, RAM, OP(ADD(31), 1, 16)), LOAD_ORDER);
    fence();
    ALLOWED(cmd(ISA_MVIN3, RAM, OP(ACC(0), 16, 16)));
    /* A compute or a store on the rows orders them: exactly those rows. */
    BROKEN(cmd(ISA_MVIN, RAM, OP(SP(100), 16, 64)) && cmd(ISA_MVIN, RAM, OP(SP(163), 1, 1)),
        LOAD_ORDER);
    ALLOWED(pair(SP(4096), ACC(32), SP(100), 16, 16, 16));
    ALLOWED(cmd(ISA_MVIN, RAM, OP(SP(100), 16, 16)));
    BROKEN(cmd(ISA_MVIN, RAM, OP(SP(116), 1, 16)), LOAD_ORDER);
    ALLOWED(cmd(ISA_MVOUT, RAM + 0x10000, OP(SP(116), 2, 16)));
    ALLOWED(cmd(ISA_MVIN, RAM, OP(SP(116), 2, 16)));
    BROKEN(cmd(ISA_MVIN, RAM, OP(SP(118), 1, 16)), LOAD_ORDER);
}
END_TEST

/* B of outputs that stay is the compute's second operand.  The dataflow itself breaks a
 * rule, which is why nothing is refused here. */
START_TEST(order_behind_the_second_operand)
{
    sim_open(SIM_STRICT_WARN, false);
    config_ex_of(&(struct isa_config_ex) { .a_stride = 1, .c_stride = 1, .scale = 1 });
    config_ld(0, 64, 16, 1, false);
    fence();
    cmd(ISA_MVIN, RAM, OP(SP(300), 16, 16));
    cmd(ISA_MVIN, RAM, OP(SP(400), 16, 16));
    cmd(ISA_PRELOAD, NONE(16, 16), OP(ACC(0), 16, 16));
    cmd(ISA_COMPUTE_FLIP, OP(SP(400), 16, 16), OP(SP(300), 16, 16));
    cmd(ISA_MVIN, RAM, OP(SP(300), 16, 16));
    ck_assert_int_eq(sim_broken, SIM_OK);
    cmd(ISA_MVIN, RAM, OP(SP(315), 1, 16));
    ck_assert_int_eq(sim_broken, SIM_RULE_LOAD_ORDER);
}
END_TEST

START_TEST(order_of_blocks)
{
    fence();
    config_ld(0, 64, 1000, 1, false);
    ALLOWED(cmd(ISA_MVIN, RAM, OP(SP(200), 16, 64)));    /* 200, 1200, 2200, 3200 */
    ALLOWED(cmd(ISA_MVIN, RAM, OP(SP(216), 16, 64)));    /* between them */
    BROKEN(cmd(ISA_MVIN, RAM, OP(SP(1186), 15, 16)), LOAD_ORDER);
    ALLOWED(cmd(ISA_MVIN, RAM, OP(SP(1186), 14, 16)));
    BROKEN(cmd(ISA_MVIN, RAM, OP(SP(186), 14, 32)), LOAD_ORDER); /* its second block */
    BROKEN(cmd(ISA_MVIN, RAM, OP(SP(15400), 14, 32)), LOCAL_RANGE);
}
END_TEST

START_TEST(order_in_memory)
{
    /* Byte for byte: what is beside is free. */
    ALLOWED(cmd(ISA_MVOUT, RAM + 0x10000, OP(SP(0), 4, 16)));
    ALLOWED(cmd(ISA_MVIN, RAM + 0x10000 + 16, OP(SP(200), 4, 48)));
    BROKEN(cmd(ISA_MVIN, RAM + 0x10000 + 15, OP(SP(300), 1, 16)), READ_AFTER_STORE);
    BROKEN(cmd(ISA_MVIN, RAM + 0x10000 + 128, OP(SP(300), 1, 1)), READ_AFTER_STORE);
    ALLOWED(cmd(ISA_MVIN, RAM + 0x10000 + 4 * 64, OP(SP(300), 1, 16)));
    ALLOWED(cmd(ISA_MVOUT, RAM + 0x10000 - 8, OP(SP(0), 1, 8)));
    BROKEN(cmd(ISA_MVOUT, RAM + 0x10000 + 63, OP(SP(0), 1, 1)), STORE_AFTER_READ);
    BROKEN(cmd(ISA_MVOUT, RAM + 1020, OP(SP(0), 1, 8)), STORE_AFTER_READ);
    fence();
    ALLOWED(cmd(ISA_MVIN, RAM + 0x10000 + 15, OP(SP(300), 1, 16)));
    ALLOWED(cmd(ISA_MVOUT, RAM + 1020, OP(SP(0), 1, 8)));
    /* Zeros and repeated rows read what they read. */
    ALLOWED(cmd(ISA_MVIN, 0, OP(SP(400), 16, 64)));
    ALLOWED(cmd(ISA_MVIN3, RAM + 0x20000, OP(ACC(64), 16, 16)));
    ALLOWED(cmd(ISA_MVOUT, RAM + 0x20000 + 64, OP(SP(0), 1, 16)));
    BROKEN(cmd(ISA_MVOUT, RAM + 0x20000 + 63, OP(SP(0), 1, 16)), STORE_AFTER_READ);
}
END_TEST

START_TEST(other_harts_need_their_own_fence)
{
    struct isa_cmd ex = isa_encode_ld(&(struct isa_config_ld) { .stride = 64,
        .block_stride = 16, .repeats = 1, .scale = 1 });
    struct isa_cmd in = { ISA_MVIN, RAM + 0x10000, OP(SP(0), 1, 16) };

    sim_target.harts = 2;
    sim_open(SIM_STRICT_ERROR, false);
    legal();
    ALLOWED(cmd(ISA_MVOUT, RAM + 0x10000, OP(SP(0), 1, 16)));
    ck_assert(sim_command(sim, 1, &ex, 0, NULL));
    ck_assert(sim_fence(sim, 1));                /* not hart 0's */
    ck_assert(!sim_command(sim, 1, &in, 0, NULL));
    ck_assert_int_eq(sim_broken, SIM_RULE_READ_AFTER_STORE);
    ck_assert(sim_fence(sim, 0));
    ck_assert(sim_command(sim, 1, &in, 0, NULL));
}
END_TEST

START_TEST(edges_of_memory)
{
    uint64_t end = RAM + (uint64_t)sim_target.ram_size;

    ALLOWED(cmd(ISA_MVIN, end - 15 * 64 - 16, OP(SP(100), 16, 16)));
    BROKEN(cmd(ISA_MVIN, end - 15 * 64 - 15, OP(SP(200), 16, 16)), MEMORY_RANGE);
    BROKEN(cmd(ISA_MVIN, RAM - 1, OP(SP(200), 1, 16)), MEMORY_RANGE);
    BROKEN(cmd(ISA_MVIN, UINT64_MAX, OP(SP(200), 1, 16)), MEMORY_RANGE);
    BROKEN(cmd(ISA_MVOUT, end - 64, OP(SP(0), 2, 16)), MEMORY_RANGE);
    ALLOWED(cmd(ISA_MVOUT, end - 64, OP(SP(0), 1, 16)));
}
END_TEST

START_TEST(pools)
{
    struct isa_config_st c = pool_of(0);

    ALLOWED(config_st_of(&c));
    ALLOWED(cmd(ISA_MVOUT, RAM + 0x10000, OP(ACC(0), 1, 16)));
    BROKEN(cmd(ISA_MVOUT, RAM + 0x10000, OP(ACC(1), 1, 16)), NEVER_WRITTEN);
    BROKEN(cmd(ISA_MVOUT, RAM + 0x10000, OP(ACC(0) | ISA_FULL, 1, 16)), FULL_WIDTH);
    BROKEN(cmd(ISA_MVOUT, RAM + 0x10000, OP(ACC(0), 1, 17)), SIZE);
    BROKEN(cmd(ISA_MVOUT, RAM + 0x10000, OP(SP(0), 1, 16)), POOL_BANK);
    BROKEN(cmd(ISA_MVOUT, RAM + 2048, OP(ACC(0), 1, 16)), STORE_AFTER_READ);
    BROKEN(cmd(ISA_MVIN, RAM + 0x10000 + 63, OP(SP(100), 1, 1)), READ_AFTER_STORE);
    ALLOWED(cmd(ISA_MVIN, RAM + 0x10000 + 64, OP(SP(100), 1, 1)));
    c.orows = 3;                                 /* the last window hangs over */
    BROKEN(config_st_of(&c), POOL_PAD);
    c.act = 1;
    ALLOWED(config_st_of(&c));
    c.pool_out_dim = 1;
    BROKEN(config_st_of(&c), POOL_FIELDS);
    c = pool_of(1);
    c.upad = 2;
    BROKEN(config_st_of(&c), POOL_FIELDS);
    /* Rows which no window looks at may hold anything. */
    c = pool_of(0);
    c.orows = 5;
    ALLOWED(config_st_of(&c));
    ALLOWED(cmd(ISA_MVOUT, RAM + 0x10000, OP(ACC(0), 1, 16)));
}
END_TEST

/* Said once per layer, with its numbers. */
static int told;
static struct sim_violation last;

static void
tell(const struct sim_violation *v, void *ctx)
{
    (void)ctx;
    told++;
    last = *v;
}

START_TEST(reports)
{
    struct sim_config c = { .target = &sim_target, .strict = SIM_STRICT_WARN,
        .memory = { ram, RAM, (uint64_t)sim_target.ram_size }, .violation = tell };
    struct sim *s = sim_new(&c);
    struct isa_cmd ok = { ISA_FLUSH, 0, 0 }, bad = { 99, 1, 2 };

    told = 0;
    sim_command(s, 0, &bad, 0x80001234, NULL);
    ck_assert_int_eq(told, 1);
    ck_assert_int_eq(last.layer, -1);
    ck_assert_uint_eq(last.pc, 0x80001234);
    sim_layer(s, 0, 7);
    sim_command(s, 0, &ok, 0, NULL);
    sim_command(s, 0, &ok, 0, NULL);
    sim_command(s, 0, &bad, 0, NULL);
    sim_command(s, 0, &bad, 0, NULL);
    ck_assert_int_eq(told, 2);
    ck_assert_int_eq(last.layer, 7);
    ck_assert_uint_eq(last.index, 2);
    ck_assert_uint_eq(last.cmd.funct, 99);
    ck_assert_str_eq(last.detail, "funct 99");
    sim_layer(s, 0, 8);
    sim_command(s, 0, &bad, 0, NULL);
    ck_assert_int_eq(told, 3);
    sim_free(s);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("sim_strict");
    TCase *t = tcase_create("rules"), *m = tcase_create("more");

    tcase_add_loop_test(t, every_rule, 1, SIM_RULES);
    tcase_add_test(t, names_are_distinct_and_said);
    tcase_add_checked_fixture(m, setup, sim_close);
    tcase_add_test(m, a_whole_tile);
    tcase_add_test(m, scales);
    tcase_add_test(m, columns);
    tcase_add_test(m, addresses);
    tcase_add_test(m, shapes);
    tcase_add_test(m, contents_of_results);
    tcase_add_test(m, order_of_loads);
    tcase_add_test(m, order_behind_the_second_operand);
    tcase_add_test(m, order_of_blocks);
    tcase_add_test(m, order_in_memory);
    tcase_add_test(m, other_harts_need_their_own_fence);
    tcase_add_test(m, edges_of_memory);
    tcase_add_test(m, pools);
    tcase_add_test(m, reports);
    suite_add_tcase(s, t);
    suite_add_tcase(s, m);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
