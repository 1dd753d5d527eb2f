/* Random commands: legal ones give the same bits as the literal model, and no
 * sequence whatever leaves the memories or hangs. */
#include <string.h>

#include "test/sim_literal.h"
#include "test/unit/simtest.h"
#include "test/unit/tap.h"

static const int dims[] = { 4, 8, 16, 32 };
static struct literal *lit;
static int dim, accepted[128];

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

static float
some_scale(void)
{
    static const float s[] = { 1, 1, 1, 0.5f, 0.37f, 0.001f, 2.25f };

    return s[some(0, 6)];
}

static uint64_t
some_address(void)
{
    return RAM + sim_random() % (uint64_t)(sim_target.ram_size - 40000);
}

static void
random_config(void)
{
    unsigned d = (unsigned)dim;

    switch (some(0, 3)) {
    case 0:
        both_of(isa_encode_ex(&(struct isa_config_ex) { .ws = true, .act = some(0, 1),
            .only_strides = some(0, 9) == 0, .a_transpose = some(0, 4) == 0,
            .b_transpose = some(0, 4) == 0, .a_stride = some(1, 3), .c_stride = 1,
            .scale = 1 }));
        break;
    case 1:
    case 2:
        both_of(isa_encode_ld(&(struct isa_config_ld) { .shrink = some(0, 1),
            .state = some(0, 2), .repeats = some(0, 1), .block_stride = some(d, 3 * d),
            .scale = some_scale(), .stride = some(0, 3) ? some(0, 600) : 0 }));
        break;
    default:
        if (some(0, 1)) {
            both_of(isa_encode_st(&(struct isa_config_st) { .act = some(0, 1),
                .stride = some(0, 500), .scale = some_scale() }));
            break;
        }
        both_of(isa_encode_st(&(struct isa_config_st) { .act = some(0, 1),
            .pool_stride = some(1, 3), .pool_size = some(1, 3), .upad = some(0, 1),
            .lpad = some(0, 1), .pool_out_dim = some(3, 5), .porows = some(1, 3),
            .pocols = some(1, 3), .orows = some(1, 6), .ocols = some(1, 6),
            .stride = some(16, 64), .scale = some_scale() }));
    }
}

static void
random_mvin(void)
{
    static const unsigned functs[] = { ISA_MVIN, ISA_MVIN2, ISA_MVIN3 };
    unsigned line = (unsigned)(64 > dim ? 64 : dim), d = (unsigned)dim;
    uint32_t to = some(0, 1) ? SP(some(0, 12 * dim)) : ACC(some(0, 6 * dim));

    if (to & ISA_ACC && some(0, 1))
        to |= ISA_ACCUMULATE;
    both(functs[some(0, 2)], some(0, 9) ? some_address() : 0,
        OP(to, some(1, d), some(1, some(0, 1) ? line : d)));
}

static void
random_mvout(void)
{
    unsigned d = (unsigned)dim;
    uint32_t from = some(0, 2) ? ACC(some(0, 6 * dim)) : SP(some(0, 12 * dim));

    if (from & ISA_ACC && some(0, 3) == 0)
        from |= ISA_FULL;
    both(ISA_MVOUT, some_address(), OP(from, some(1, d), some(1, some(0, 1) ? d : 2 * d)));
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
    both_of(isa_encode_ld(&(struct isa_config_ld) { .stride = 64, .block_stride = d,
        .scale = 1 }));
    fence();
    ck_assert(both(ISA_MVIN, RAM, OP(SP(0), d, d)));
    ck_assert(both(real ? ISA_COMPUTE_FLIP : ISA_COMPUTE_STAY, OP(SP(0), rows, k),
        NONE(rows, cols)));
}

static void
compare(int round)
{
    for (int64_t r = 0; r < target_sp_rows(&sim_target); r++)
        for (int c = 0; c < dim; c++)
            ck_assert_msg(((const int8_t *)sim_row(sim, 0, SP(r)))[c]
                == literal_sp(lit, (int)r, c), "round %d: scratchpad row %d", round, (int)r);
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
    sim_target.sp_banks = 4;
    sim_target.sp_bank_rows = 256;
    sim_target.acc_banks = 2;
    sim_target.acc_bank_rows = 128;
}

START_TEST(legal_sequences_agree)
{
    static const unsigned all[] = { ISA_CONFIG, ISA_MVIN, ISA_MVIN2, ISA_MVIN3, ISA_MVOUT,
        ISA_PRELOAD, ISA_COMPUTE_FLIP, ISA_COMPUTE_STAY };

    small_target(dims[_i]);
    memset(accepted, 0, sizeof accepted);
    for (int round = 0; round < 12; round++) {
        sim_seed((uint64_t)(_i * 1000 + round));
        sim_open(SIM_STRICT_ERROR, round & 1);
        for (int64_t i = 0; i < sim_target.ram_size; i++)
            ram[i] = (uint8_t)sim_random();
        lit = literal_new(dim, (int)target_sp_rows(&sim_target),
            (int)target_acc_rows(&sim_target), RAM, ram, (uint64_t)sim_target.ram_size);
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
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ck_assert_msg(accepted[all[i]] >= 500, "only %d of command %u", accepted[all[i]],
            all[i]);
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
    static const enum dtype types[] = { DT_I8, DT_I8, DT_F32 };

    small_target(dims[_i % 4]);
    sim_target.elem = types[_i % 3];
    sim_target.acc = types[_i % 3] == DT_F32 ? DT_F32 : DT_I32;
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
    tcase_add_loop_test(t, legal_sequences_agree, 0, 4);
    tcase_add_loop_test(t, no_sequence_does_harm, 0, 12);
    suite_add_tcase(s, t);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
