/* Random commands: those that mean something give the same bits as the literal model,
 * on integers and on floats, and no sequence whatever leaves the memories or hangs. */
#include <string.h>

#include "src/base/arena.h"
#include "src/base/diag.h"
#include "test/sim_literal.h"
#include "test/unit/simtest.h"
#include "test/unit/tap.h"

/* Machines as they are installed, but with little memory. */
static const struct machine { const char *name, *sets[5]; } machines[] = {
    { "gemmini-16", { "array.dim=4" } }, { "gemmini-8", { NULL } }, { "gemmini-16", { NULL } },
    { "gemmini-32", { NULL } }, { "lean", { NULL } }, { "chip", { NULL } },
    { "largechip", { NULL } }, { "fp32", { NULL } }, { "chip-fp32", { NULL } },
    { "bf16", { NULL } }, { "bf16", { "array.input=float16" } }, { "fp32", { "array.dim=16" } },
};
enum { MACHINES = sizeof machines / sizeof *machines };

static struct literal *lit;
static int dim, accepted[128];
static bool floats;
static unsigned repeats[3];          /* of the load states */
static bool ws, kept;                /* dataflow; weights are there */
static bool image;                   /* stores pool, or move a line of pixels */

/* Both models get it, if it is legal. */
static bool
both(unsigned funct, uint64_t rs1, uint64_t rs2)
{
    if (!cmd(funct, rs1, rs2))
        return false;
    literal_command(lit, funct, rs1, rs2);
    accepted[funct]++;
    return true;
}

static bool
both_of(struct isa_cmd c)
{
    return both(c.funct, c.rs1, c.rs2);
}

static unsigned
some(int64_t from, int64_t to)
{
    return (unsigned)sim_between(from, to);
}

/* ---- numbers */

static const struct { float f; uint16_t half; } scales[] = {
    { 1, 0x3c00 }, { 1, 0x3c00 }, { 1, 0x3c00 }, { 0.5f, 0x3800 }, { 0.37f, 0x35ec },
    { 0.001f, 0x1419 }, { 2.25f, 0x4080 },
};

static float
some_scale(void)
{
    return scales[some(0, 6)].f;
}

/* Floats of sig significant bits: mostly of like size and often with few bits, so that
 * sums are half way between others; now and then anything at all. */
static uint32_t
some_float(int sig, int high)
{
    uint32_t sign = some(0, 1) ? 2 * (uint32_t)high + 2 : 0;
    uint32_t field = (uint32_t)high + some(0, 12) - 6, m = (uint32_t)sim_random();

    if (some(0, 200) == 0)
        field = (uint32_t)sim_random() % (2 * (uint32_t)high + 2);
    if (some(0, 400) == 0)
        field = some(0, 1) ? 0 : 2 * (uint32_t)high + 1;
    if (some(0, 1))
        m = some(0, 3) << (sig - 3);
    return (sign + field) << (sig - 1) | (m & ((1u << (sig - 1)) - 1));
}

static void
fill_memory(void)
{
    int64_t size = target_elem_bytes(&sim_target);

    for (int64_t i = 0; i < sim_target.ram_size; i += size) {
        uint32_t x = sim_target.elem == DT_F32 ? some_float(24, 127)
            : sim_target.elem == DT_BF16 ? some_float(8, 127)
            : sim_target.elem == DT_F16 ? some_float(11, 15) : (uint32_t)sim_random();
        memcpy(ram + i, &x, (size_t)size);
    }
}

/* Floats that are cut in the middle are anything: a few. */
static uint64_t
some_offset(int64_t most)
{
    uint64_t n = sim_random() % (uint64_t)most;

    return floats && some(0, 20) ? n & ~UINT64_C(3) : n;
}

static uint64_t
some_address(void)
{
    return RAM + some_offset(sim_target.ram_size - 40000);
}

/* ---- CONFIG */

static void
random_load(bool wild)
{
    unsigned d = (unsigned)dim, state = some(0, 2), i = some(0, 6);
    struct isa_config_ld x = { .shrink = some(0, 1), .state = state,
        .repeats = some(0, wild ? 3 : 1), .block_stride = some(d, 3 * d), .scale = scales[i].f,
        .stride = some(0, 3) ? some_offset(600) : 0 };
    struct isa_cmd c = isa_encode_ld(&x);

    if (sim_target.elem == DT_F16)
        c.rs1 = (c.rs1 & 0xffffffff) | (uint64_t)scales[i].half << 32;
    if (both_of(c))
        repeats[state] = x.repeats;
}

static void
random_store(bool wild)
{
    struct isa_config_st x = { .act = some(0, 1), .stride = (uint32_t)some_offset(500),
        .scale = some_scale() };

    if (some(0, 1)) {
        x.pool_stride = some(wild ? 0 : 1, 3);
        x.pool_size = some(1, 3);
        x.upad = some(0, 1);
        x.lpad = some(0, 1);
        x.pool_out_dim = some(3, 5);
        x.porows = some(1, 3);
        x.pocols = some(1, 3);
        x.orows = some(1, 6);
        x.ocols = some(1, 6);
        x.keep_scale = wild && some(0, 3) == 0;
    }
    if (both_of(isa_encode_st(&x)))
        image = x.pool_size;
}

static void
random_config(void)
{
    switch (some(0, 3)) {
    case 0:
        both_of(isa_encode_ex(&(struct isa_config_ex) { .ws = true, .act = some(0, 1),
            .only_strides = some(0, 9) == 0, .a_transpose = some(0, 4) == 0,
            .b_transpose = some(0, 4) == 0, .a_stride = some(1, 3), .c_stride = 1,
            .scale = 1 }));
        break;
    case 1:
    case 2:
        random_load(false);
        break;
    default:
        random_store(false);
    }
}

static void
random_mvin(void)
{
    static const unsigned functs[] = { ISA_MVIN, ISA_MVIN2, ISA_MVIN3 };
    unsigned line = (unsigned)target_line(&sim_target), d = (unsigned)dim;
    uint32_t to = some(0, 1) ? SP(some(0, 12 * dim)) : ACC(some(0, 6 * dim));

    if (to & ISA_ACC && some(0, 1))
        to |= ISA_ACCUMULATE;
    both(functs[some(0, 2)], some(0, 9) ? some_address() : 0,
        OP(to, some(1, d), some(1, some(0, 1) ? line : d)));
}

static void
random_mvout(void)
{
    unsigned d = (unsigned)dim, line = (unsigned)target_line(&sim_target);
    uint32_t from = some(0, 2) ? ACC(some(0, 6 * dim)) : SP(some(0, 12 * dim));

    if (from & ISA_ACC && some(0, 3) == 0)
        from |= ISA_FULL;
    both(ISA_MVOUT, some_address(),
        OP(from, some(1, d), some(1, image || some(0, 1) ? d : line < 2 * d ? line : 2 * d)));
}

static void
random_pair(void)
{
    unsigned d = (unsigned)dim, rows = some(1, d), k = some(1, d), cols = some(1, d);
    bool real = some(0, 1);
    uint64_t b = real ? OP(SP(some(0, 12 * dim)), k, cols) : NONE(k, cols);
    uint32_t c = ACC(some(0, 6 * dim)) | (some(0, 1) ? ISA_ACCUMULATE : 0);

    if (!both(ISA_PRELOAD, b, OP(c, rows, cols)))
        return;
    for (int tries = 0; tries < 50; tries++)
        if (both(real ? ISA_COMPUTE_FLIP : ISA_COMPUTE_STAY,
            OP(SP(some(0, 8 * dim)), rows, k), NONE(rows, cols)))
            return;
    /* Nothing fits: start the pair's operands afresh. */
    both_of(isa_encode_ex(&(struct isa_config_ex) { .ws = true, .a_stride = 1,
        .c_stride = 1, .scale = 1 }));
    both(ISA_CONFIG, ISA_CONFIG_LD | (uint64_t)d << 16
        | (sim_target.elem == DT_F16 ? UINT64_C(0x3c00) : UINT64_C(0x3f800000)) << 32, 64);
    fence();
    ck_assert(both(ISA_MVIN, RAM, OP(SP(0), d, d)));
    ck_assert(both(real ? ISA_COMPUTE_FLIP : ISA_COMPUTE_STAY, OP(SP(0), rows, k),
        NONE(rows, cols)));
}

/* ---- beyond the portable profile: what means something all the same */

static void
wild_config(void)
{
    struct isa_config_ex x = { .ws = sim_target.dataflow == DATAFLOW_WS || some(0, 1),
        .act = some(0, 1), .a_stride = some(1, 3), .scale = some_scale(), .shift = some(0, 6) };

    if (some(0, 2)) {
        if (some(0, 1))
            random_load(true);
        else
            random_store(true);
        return;
    }
    x.c_stride = x.ws ? some(1, 2) : 1;
    x.a_transpose = some(0, 2) == 0;
    x.b_transpose = some(0, 2) == 0 && x.a_transpose != x.ws;
    if (x.ws != ws)
        kept = false;
    ws = x.ws;
    both_of(isa_encode_ex(&x));
}

static void
wild_mvin(void)
{
    static const unsigned functs[] = { ISA_MVIN, ISA_MVIN2, ISA_MVIN3 };
    unsigned state = some(0, 2), d = (unsigned)dim, wide = some(0, 1) ? d : 0;
    uint32_t half = (uint32_t)target_sp_rows(&sim_target) / 2;

    if (repeats[state] > 1)
        both(functs[state], some_address(), OP(SP(some(0, 2) + (some(0, 1) ? half : 0)),
            some(1, d), some(1, (int)(d / repeats[state]) > 1 ? d / repeats[state] : 1)));
    else if (some(0, 1))
        both(functs[state], some_address(), OP(SP(some(0, 12 * dim)), some(1, d),
            some(1, wide ? wide : target_line(&sim_target))));
    else
        both(functs[state], some(0, 5) ? some_address() : 0,
            OP((some(0, 1) ? ADD(0) : ACC(0)) | some(0, 2 * dim), some(1, d), some(1, d)));
}

/* An operand of the array. */
static uint64_t
wild_operand(unsigned rows, unsigned cols)
{
    return OP(some(0, 3) ? SP(some(0, 8 * dim)) : ACC(some(0, 2 * dim)), rows, cols);
}

static uint64_t
wild_result(unsigned rows, unsigned cols)
{
    static const uint32_t where[] = { ISA_ACC, ISA_ACC | ISA_ACCUMULATE, 0 };

    return OP(where[some(0, 2)] | some(0, 5 * dim), rows, cols);
}

static void
wild_pair(void)
{
    unsigned d = (unsigned)dim, rows = some(1, d), k = some(1, d), cols = some(1, d);
    bool real = !kept || some(0, 1);

    both(ISA_PRELOAD, real ? wild_operand(k, cols) : NONE(k, cols), wild_result(rows, cols));
    both(real ? ISA_COMPUTE_FLIP : ISA_COMPUTE_STAY, wild_operand(rows, k),
        some(0, 1) ? NONE(rows, cols) : wild_operand(rows, cols));
    kept = true;
}

/* Sums that stay: a chain whose last step goes out. */
static void
wild_chain(void)
{
    unsigned d = (unsigned)dim, rows = some(1, d), cols = some(1, d), n = some(1, 4);

    for (unsigned i = 0; i < n; i++) {
        unsigned k = some(1, d);
        bool real = i == 0 && some(0, 1);

        both(ISA_PRELOAD, real ? wild_operand(rows, cols) : NONE(rows, cols),
            i == n - 1 ? wild_result(rows, cols) : NONE(rows, cols));
        both(i == 0 ? ISA_COMPUTE_FLIP : ISA_COMPUTE_STAY, wild_operand(rows, k),
            wild_operand(k, cols));
    }
}

/* ---- */

static bool
same_element(const void *row, int c, int32_t x)
{
    int64_t size = target_elem_bytes(&sim_target);

    return memcmp((const char *)row + c * size, &x, (size_t)size) == 0;
}

static void
compare(int round)
{
    for (int64_t r = 0; r < target_sp_rows(&sim_target); r++)
        for (int c = 0; c < dim; c++)
            ck_assert_msg(same_element(sim_row(sim, 0, SP(r)), c, literal_sp(lit, (int)r, c)),
                "round %d: scratchpad row %d", round, (int)r);
    for (int64_t r = 0; r < target_acc_rows(&sim_target); r++)
        for (int c = 0; c < dim; c++)
            ck_assert_msg(((const int32_t *)sim_row(sim, 0, ACC(r)))[c]
                == literal_acc(lit, (int)r, c), "round %d: accumulator row %d", round, (int)r);
    ck_assert_msg(!memcmp(ram, literal_ram(lit), (size_t)sim_target.ram_size),
        "round %d: memory", round);
}

static void
small_target(int d)
{
    sim_default_target();
    dim = d;
    sim_target.dim = d;
    sim_target.ram_size = 1 << 18;
    sim_target.sp_bank_rows = 256;
    sim_target.acc_bank_rows = 128;
}

static void
load_machine(const struct machine *m)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new(a, NULL);
    const struct target *t = target_load(a, d, m->name, m->sets);

    ck_assert_msg(t != NULL, "%s", diag_text(d));
    sim_target = *t;
    sim_target.name = sim_target.backend = sim_target.console = m->name;
    sim_target.ram_size = 1 << 18;
    sim_target.sp_bank_rows = 256;
    sim_target.acc_bank_rows = 256 / t->acc_banks;
    dim = (int)t->dim;
    floats = dtype_is_float(t->elem);
    diag_free(d);
    arena_free(a);
}

static void
begin(enum sim_strict strict, bool timing)
{
    struct literal_machine m = { .dim = dim, .elem = dtype_name(sim_target.elem),
        .sp_rows = (int)target_sp_rows(&sim_target),
        .acc_rows = (int)target_acc_rows(&sim_target),
        .scales_acc_in = sim_target.has_mvin_acc_scale, .scales_out = sim_target.has_acc_scale,
        .pools = sim_target.has_max_pool, .repeats = sim_target.has_first_layer };

    sim_open(strict, timing);
    fill_memory();
    lit = literal_new(&m, RAM, ram, (uint64_t)sim_target.ram_size);
    memset(repeats, 0, sizeof repeats);
    ws = kept = image = false;
}

/* Of every command of the array so many were executed. */
static void
were_accepted(int least)
{
    static const unsigned all[] = { ISA_CONFIG, ISA_MVIN, ISA_MVIN2, ISA_MVIN3, ISA_MVOUT,
        ISA_PRELOAD, ISA_COMPUTE_FLIP, ISA_COMPUTE_STAY };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ck_assert_msg(accepted[all[i]] >= least, "only %d of command %u", accepted[all[i]],
            all[i]);
    memset(accepted, 0, sizeof accepted);
}

START_TEST(legal_sequences_agree)
{
    load_machine(&machines[_i]);
    for (int round = 0; round < 6; round++) {
        sim_seed((uint64_t)(_i * 1000 + round));
        begin(SIM_STRICT_ERROR, round & 1);
        for (int i = 0; i < 3000; i++) {
            if (some(0, 2) == 0)
                fence();
            switch (some(0, 9)) {
            case 0:
                random_config();
                break;
            case 1: case 2: case 3: case 4:
                random_mvin();
                break;
            case 5: case 6:
                random_mvout();
                break;
            default:
                random_pair();
            }
        }
        compare(round);
        literal_free(lit);
    }
    were_accepted(250);
    sim_close();
}
END_TEST

/* Operands from everywhere, results to everywhere, sums that stay in the array. */
START_TEST(other_sequences_agree)
{
    static const int wide_open[] = { 0, 1, 2, 3, 7, 9, 10, 11 };

    load_machine(&machines[wide_open[_i]]);
    for (int round = 0; round < 4; round++) {
        sim_seed((uint64_t)(_i * 1000 + round + 500));
        begin(SIM_STRICT_OFF, false);
        for (int i = 0; i < 60; i++)
            wild_config();
        for (int i = 0; i < 1500; i++)
            switch (some(0, 9)) {
            case 0: case 1:
                wild_config();
                break;
            case 2: case 3: case 4: case 5:
                wild_mvin();
                break;
            case 6:
                random_mvout();
                break;
            default:
                if (ws)
                    wild_pair();
                else
                    wild_chain();
            }
        compare(round);
        literal_free(lit);
    }
    were_accepted(100);
    sim_close();
}
END_TEST

/* ---- anything at all */

static struct isa_cmd
anything(void)
{
    struct isa_cmd c = { (uint8_t)(some(0, 3) ? some(0, 7) : some(0, 127)), sim_random(),
        sim_random() };

    if (c.funct == ISA_CONFIG && some(0, 50))
        c.rs1 &= UINT64_C(0x0f0f0f0fffffffff); /* few large images to pool: they are slow */
    if (some(0, 3))                  /* plausible sizes, so that something happens */
        c.rs2 = OP((uint32_t)c.rs2, some(0, 20), some(0, 70));
    if (some(0, 1))
        c.rs2 = (c.rs2 & ~UINT64_C(0xffffffff)) | (c.rs2 & UINT64_C(0xe0000fff));
    if (c.funct == ISA_PRELOAD || c.funct == ISA_COMPUTE_FLIP || c.funct == ISA_COMPUTE_STAY)
        c.rs1 = some(0, 3) ? OP((uint32_t)c.rs1 & 0xe0000fffu, some(0, 20), some(0, 20))
            : OP(ISA_GARBAGE, some(0, 20), some(0, 20));
    else if (c.funct != ISA_CONFIG && some(0, 3))
        c.rs1 = some_address();
    return c;
}

START_TEST(no_sequence_does_harm)
{
    static const enum sim_strict modes[] = { SIM_STRICT_OFF, SIM_STRICT_WARN };
    static const enum dtype types[] = { DT_I8, DT_BF16, DT_F32, DT_I8, DT_F16, DT_F32 };

    small_target(4 << _i % 4);
    sim_target.elem = types[_i % 6];
    sim_target.acc = dtype_is_float(sim_target.elem) ? DT_F32 : DT_I32;
    sim_target.dataflow = DATAFLOW_BOTH;
    sim_target.l2_bytes = _i % 5 == 4 ? 0 : 16384;
    sim_target.dma_in_flight = 1 + _i;
    sim_target.l2_misses = 1 + _i % 3;
    sim_target.rs_ex = 1 + _i % 7;
    sim_target.isa_revision = _i % 4;
    sim_target.has_norms = _i % 3 == 0;
    sim_seed((uint64_t)_i + 77);
    sim_open(modes[_i & 1], true);
    for (int i = 0; i < 10000; i++) {
        struct isa_cmd c = anything();
        sim_command(sim, 0, &c, 0, NULL);
        if (some(0, 60) == 0)
            fence();
    }
    fence();
    ck_assert_uint_gt(cycles(), 10000);
    sim_close();
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("sim_random");
    TCase *t = tcase_create("random");

    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, legal_sequences_agree, 0, MACHINES);
    tcase_add_loop_test(t, other_sequences_agree, 0, 8);
    tcase_add_loop_test(t, no_sequence_does_harm, 0, 12);
    suite_add_tcase(s, t);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
