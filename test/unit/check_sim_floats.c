/* sim/f32, f16, bf16: special values, ties and places where rounding twice, or once
 * where hardware rounds twice, gives other bits.  Expectations are worked out by hand
 * from gemmini-isa.md 8.1.  Loops on floats against the literal device. */
#include <math.h>
#include <string.h>

#include "test/sim_literal.h"
#include "test/unit/looptest.h"
#include "test/unit/simtest.h"
#include "test/unit/tap.h"

enum { F32_NAN = 0x7fc00000, F32_ONE = 0x3f800000 };

static unsigned dim;

static void
open_array(enum dtype elem, int size)
{
    sim_array_of(elem, size);
    dim = (unsigned)size;
    sim_open(SIM_STRICT_OFF, false);
    config_ex(1);
    config_st(64, 1, 0);
}

static size_t
elem_bytes(void)
{
    return (size_t)target_elem_bytes(&sim_target);
}

static void
put(uint64_t at, uint32_t bits, size_t size)
{
    memcpy(ram + at, &bits, size);
}

static uint32_t
get(uint64_t at, size_t size)
{
    uint32_t bits = 0;

    memcpy(&bits, ram + at, size);
    return bits;
}

static float
as_float(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* CONFIG_LD with the scale's bits as they are. */
static void
load_state(uint32_t scale, bool shrink)
{
    cmd(ISA_CONFIG, (uint64_t)scale << 32 | (uint64_t)dim << 16 | (shrink ? 4 : 0)
        | ISA_CONFIG_LD, 64);
}

/* The scale 1 in CONFIG_LD of this array. */
static uint32_t
one(void)
{
    return sim_target.elem == DT_F16 ? 0x3c00 : F32_ONE;
}

/* An element into the scratchpad and out again. */
static uint32_t
through_load(uint32_t x, uint32_t scale)
{
    put(0, x, elem_bytes());
    load_state(scale, false);
    cmd(ISA_MVIN, RAM, OP(SP(9), 1, 1));
    cmd(ISA_MVOUT, RAM + 64, OP(SP(9), 1, 1));
    return get(64, elem_bytes());
}

/* An accumulator value as an element. */
static uint32_t
through_store(uint32_t x, uint32_t scale, bool relu)
{
    put(0, x, 4);
    load_state(one(), false);
    cmd(ISA_MVIN, RAM, OP(ACC(9), 1, 1));
    config_st(64, as_float(scale), relu);
    cmd(ISA_MVOUT, RAM + 64, OP(ACC(9), 1, 1));
    return get(64, elem_bytes());
}

static uint32_t
acc_at(int row)
{
    uint32_t bits;

    memcpy(&bits, sim_row(sim, 0, ACC(row)), 4);
    return bits;
}

static uint32_t
sp_at(int row)
{
    uint32_t bits = 0;

    memcpy(&bits, sim_row(sim, 0, SP(row)), elem_bytes());
    return bits;
}

/* A row times a column, plus d: into row 0 of the accumulator and row 0 of the
 * scratchpad, where ReLU may be.  Up to four products. */
static void
sum(const uint32_t a[4], const uint32_t b[4], uint32_t d, bool relu)
{
    struct isa_config_ex x = { .ws = true, .act = relu, .a_stride = 1, .c_stride = 1,
        .scale = 1 };

    for (unsigned k = 0; k < 4; k++) {
        put(k * elem_bytes(), a[k], elem_bytes());
        put(256 + 64 * k, b[k], elem_bytes());
    }
    put(64, d, elem_bytes());
    load_state(one(), false);
    config_ex_of(&x);
    cmd(ISA_MVIN, RAM, OP(SP(40), 1, 4));
    cmd(ISA_MVIN, RAM + 64, OP(SP(50), 1, 1));
    cmd(ISA_MVIN, RAM + 256, OP(SP(60), 4, 1));
    cmd(ISA_PRELOAD, OP(SP(60), 4, 1), OP(ACC(0), 1, 1));
    cmd(ISA_COMPUTE_FLIP, OP(SP(40), 1, 4), OP(SP(50), 1, 1));
    cmd(ISA_PRELOAD, NONE(4, 1), OP(SP(0), 1, 1));
    cmd(ISA_COMPUTE_STAY, OP(SP(40), 1, 4), OP(SP(50), 1, 1));
}

/* ---- moves */

START_TEST(elements_are_scaled_and_rounded)
{
    static const struct { enum dtype elem; uint32_t x, scale, want; } cases[] = {
        { DT_BF16, 0x3f80, F32_ONE, 0x3f80 },
        { DT_BF16, 0xffc1, F32_ONE, 0x7fc0 },        /* no number: the one that is stored */
        { DT_BF16, 0x7f81, F32_ONE, 0x7fc0 },
        { DT_BF16, 0x7f80, F32_ONE, 0x7f80 },
        { DT_BF16, 0x7f80, 0xbf800000, 0xff80 },
        { DT_BF16, 0x7f80, 0, 0x7fc0 },              /* infinity times 0 */
        { DT_BF16, 0x8000, F32_ONE, 0x8000 },
        { DT_BF16, 0x0001, F32_ONE, 0x0001 },        /* subnormals are kept */
        { DT_BF16, 0x0001, 0x3f000000, 0x0000 },     /* half of the smallest: to even */
        { DT_BF16, 0x0003, 0x3f000000, 0x0002 },
        { DT_BF16, 0x8001, 0x3f000000, 0x8000 },
        { DT_BF16, 0x7f7f, 0x40000000, 0x7f80 },     /* too large */
        { DT_BF16, 0x3f81, 0x3fc00000, 0x3fc2 },     /* 129 * 1.5 = 193.5 */
        { DT_BF16, 0x3f83, 0x3fc00000, 0x3fc4 },     /* 131 * 1.5 = 196.5 */
        /* The scale is rounded first: 1 + 2^-8 is 1, 1 + 2^-8 + 2^-23 is 1 + 2^-7. */
        { DT_BF16, 0x4040, 0x3f808000, 0x4040 },
        { DT_BF16, 0x4040, 0x3f808001, 0x4042 },
        { DT_F16, 0x3c00, 0x3c00, 0x3c00 },
        { DT_F16, 0x3c00, 0xdead3800, 0x3800 },      /* the upper half of the field: nothing */
        { DT_F16, 0x3c00, F32_ONE, 0x0000 },         /* a float's 1 is no scale here */
        { DT_F16, 0xfe01, 0x3c00, 0x7e00 },
        { DT_F16, 0xfc00, 0x3c00, 0xfc00 },
        { DT_F16, 0x0001, 0x3c00, 0x0001 },
        { DT_F16, 0x0001, 0x3800, 0x0000 },
        { DT_F16, 0x0003, 0x3800, 0x0002 },
        { DT_F16, 0x0400, 0x3800, 0x0200 },          /* becomes subnormal */
        { DT_F16, 0x0200, 0x4000, 0x0400 },          /* and normal again */
        { DT_F16, 0x7bff, 0x4000, 0x7c00 },
        { DT_F16, 0x3c01, 0x3e00, 0x3e02 },          /* 1025 * 1.5 = 1537.5 */
        { DT_F32, 0x00000001, F32_ONE, 0x00000001 },
        { DT_F32, 0x00000001, 0x3f000000, 0 },
        { DT_F32, 0xffc00001, F32_ONE, F32_NAN },
        { DT_F32, 0x7f7fffff, 0x40000000, 0x7f800000 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        open_array(cases[i].elem, 4);
        ck_assert_msg(through_load(cases[i].x, cases[i].scale) == cases[i].want,
            "case %zu: %x", i, get(64, elem_bytes()));
    }
}
END_TEST

START_TEST(accumulator_values_are_scaled_unrounded)
{
    open_array(DT_BF16, 8);
    put(0, 0x40400000, 4);           /* 3 times 1 + 2^-8, which bfloat16 has not */
    load_state(0x3f808000, false);
    cmd(ISA_MVIN, RAM, OP(ACC(0), 1, 1));
    ck_assert_uint_eq(acc_at(0), 0x4040c000);
    put(0, 0x4040, 2);               /* elements on their way there are elements */
    load_state(0x3f808000, true);
    cmd(ISA_MVIN, RAM, OP(ADD(0), 1, 1));
    ck_assert_uint_eq(acc_at(0), 0x40c06000);
    open_array(DT_F16, 4);
    put(0, 0x40400000, 4);
    load_state(0x3800, false);       /* a half */
    cmd(ISA_MVIN, RAM, OP(ACC(0), 1, 1));
    ck_assert_uint_eq(acc_at(0), 0x3fc00000);
}
END_TEST

START_TEST(zeros_have_signs)
{
    open_array(DT_BF16, 8);
    put(0, 0x8000, 2);
    load_state(one(), true);
    cmd(ISA_MVIN, RAM, OP(ACC(0), 1, 1));
    ck_assert_uint_eq(acc_at(0), 0x80000000u);
    cmd(ISA_MVIN, RAM, OP(ADD(0), 1, 1));
    ck_assert_uint_eq(acc_at(0), 0x80000000u);       /* -0 and -0 */
    cmd(ISA_MVIN, 0, OP(ADD(0), 1, 1));
    ck_assert_uint_eq(acc_at(0), 0);                 /* -0 and +0 */
}
END_TEST

/* Where nothing is scaled, bits are bits; what is added is rounded all the same. */
START_TEST(unscaled_accumulators_take_bits)
{
    open_array(DT_F32, 4);
    sim_target.has_mvin_acc_scale = false;
    sim_open(SIM_STRICT_OFF, false);
    config_ex(1);
    put(0, 0xffc00001u, 4);
    load_state(0x40000000, false);
    cmd(ISA_MVIN, RAM, OP(ACC(0), 1, 1));
    ck_assert_uint_eq(acc_at(0), 0xffc00001u);
    config_st(64, 1, 1);
    cmd(ISA_MVOUT, RAM + 64, OP(ACC(0), 1, 1));
    ck_assert_uint_eq(get(64, 4), 0);                /* ReLU looks at the sign */
    cmd(ISA_MVIN, RAM, OP(ADD(0), 1, 1));
    ck_assert_uint_eq(acc_at(0), F32_NAN);
}
END_TEST

START_TEST(stores_round_twice)
{
    static const struct {
        enum dtype elem;
        uint32_t x, scale;
        bool relu;
        uint32_t want;
    } cases[] = {
        { DT_BF16, 0x3f808000, F32_ONE, false, 0x3f80 },     /* half way: to even */
        { DT_BF16, 0x3f818000, F32_ONE, false, 0x3f82 },
        { DT_BF16, 0x3f808001, F32_ONE, false, 0x3f81 },
        /* 1 + 2^-8 + 2^-23 times 1 - 2^-24 is more than half way, but not as a float. */
        { DT_BF16, 0x3f808001, 0x3f7fffff, false, 0x3f80 },
        { DT_BF16, 0x80000000u, F32_ONE, true, 0x8000 },     /* ReLU leaves -0 */
        { DT_BF16, 0xc0a00000u, F32_ONE, true, 0x0000 },
        { DT_BF16, 0xff800000u, F32_ONE, true, 0x0000 },
        { DT_BF16, 0xc0a00000u, 0xbf800000u, true, 0x8000 }, /* +0 times -1 */
        { DT_BF16, F32_NAN, F32_ONE, true, 0x7fc0 },
        { DT_BF16, 0x7f7fffff, F32_ONE, false, 0x7f80 },     /* rounds up to infinity */
        { DT_BF16, 0x7f7f7fff, F32_ONE, false, 0x7f7f },
        { DT_BF16, 0x00008000, F32_ONE, false, 0x0000 },
        { DT_BF16, 0x00008001, F32_ONE, false, 0x0001 },
        { DT_F16, 0x477fefff, F32_ONE, false, 0x7bff },      /* below 65520 */
        { DT_F16, 0x477ff000, F32_ONE, false, 0x7c00 },
        { DT_F16, 0x33000000, F32_ONE, false, 0x0000 },      /* 2^-25: to even */
        { DT_F16, 0x33000001, F32_ONE, false, 0x0001 },
        { DT_F16, 0x387fe000, F32_ONE, false, 0x0400 },      /* half way to the smallest normal */
        { DT_F16, 0x387fc000, F32_ONE, false, 0x03ff },
        { DT_F16, 0x3f801001, 0x3f7fffff, false, 0x3c00 },
        { DT_F16, 0xff800000u, F32_ONE, false, 0xfc00 },
        { DT_F32, 0x80000000u, F32_ONE, true, 0x80000000u },
        { DT_F32, 0x3f808001, 0x3f7fffff, false, 0x3f808000 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        open_array(cases[i].elem, 4);
        ck_assert_msg(through_store(cases[i].x, cases[i].scale, cases[i].relu) == cases[i].want,
            "case %zu: %x", i, get(64, elem_bytes()));
    }
}
END_TEST

/* Four pixels in a row, windows of two; the last one reaches out. */
START_TEST(pooling_compares_as_ieee)
{
    static const uint32_t in[2][4] = {
        { F32_NAN, 0x40a00000, F32_NAN, 0x80000000u },
        { 0x80000000u, 0xbf800000u, 0x3f800000, 0xc0000000u },
    };
    static const uint32_t want[2][4] = {
        { 0x7fc0, 0x40a0, 0x7fc0, 0x8000 },  /* first no number stays; -0 is not below +0 */
        { 0x8000, 0x3f80, 0x3f80, 0x0000 },
    };
    struct isa_config_st x = { .pool_stride = 1, .pool_size = 2, .porows = 1, .pocols = 4,
        .pool_out_dim = 4, .orows = 2, .ocols = 4, .stride = 2, .scale = 1 };

    open_array(DT_BF16, 8);
    for (int row = 0; row < 2; row++) {
        load_state(one(), false);
        for (unsigned i = 0; i < 4; i++) {
            put(i * 64, in[row][i], 4);
            put(256 + i * 64, in[row][i], 4);
        }
        cmd(ISA_MVIN, RAM, OP(ACC(0), 8, 1));        /* twice the same row of pixels */
        config_st_of(&x);
        cmd(ISA_MVOUT, RAM + 1024, OP(ACC(0), 1, 1));
        for (unsigned i = 0; i < 4; i++)
            ck_assert_uint_eq(get(1024 + 2 * i, 2), want[row][i]);
    }
}
END_TEST

/* ---- the array */

START_TEST(sums_are_rounded_to_elements)
{
    static const struct { enum dtype elem; uint32_t a[4], b[4], d, acc, sp; } cases[] = {
        /* 256 + 1 + 1: each 1 is half of the last bit and gets lost. */
        { DT_BF16, { 0x4380, 0x3f80, 0x3f80 }, { 0x3f80, 0x3f80, 0x3f80 }, 0, 0x43800000, 0x4380 },
        { DT_F16, { 0x6800, 0x3c00, 0x3c00 }, { 0x3c00, 0x3c00, 0x3c00 }, 0, 0x45000000, 0x6800 },
        /* The other way round they count. */
        { DT_BF16, { 0x3f80, 0x3f80, 0x4380 }, { 0x3f80, 0x3f80, 0x3f80 }, 0, 0x43810000, 0x4381 },
        /* 196.5 and 193.5 of the last bit, and D says which way, however small. */
        { DT_BF16, { 0x3f83 }, { 0x3fc0 }, 0, 0x3fc40000, 0x3fc4 },
        { DT_BF16, { 0x3f83 }, { 0x3fc0 }, 0x0d80, 0x3fc50000, 0x3fc5 },
        { DT_BF16, { 0x3f81 }, { 0x3fc0 }, 0x8d80, 0x3fc10000, 0x3fc1 },
        { DT_BF16, { 0x3f81 }, { 0xbfc0 }, 0x0d80, 0xbfc10000, 0xbfc1 },
        { DT_BF16, { 0x3f83 }, { 0xbfc0 }, 0x8d80, 0xbfc50000, 0xbfc5 },
        /* A product is not rounded before it is added: 1537.5 - 1536. */
        { DT_F16, { 0x3c01 }, { 0x3e00 }, 0xbe00, 0x3ac00000, 0x1600 },
        { DT_F16, { 0x7bff, 0x3c00 }, { 0x3c00, 0x4b80 }, 0, 0x477fe000, 0x7bff }, /* + 15 */
        { DT_F16, { 0x7bff, 0x3c00 }, { 0x3c00, 0x4c00 }, 0, 0x7f800000, 0x7c00 }, /* + 16 */
        { DT_BF16, { 0x7f7f }, { 0x4000 }, 0, 0x7f800000, 0x7f80 },
        { DT_BF16, { 0x7f7f, 0x3f80 }, { 0x4000, 0xff80 }, 0, F32_NAN, 0x7fc0 },
        { DT_BF16, { 0 }, { 0x7f80 }, 0, F32_NAN, 0x7fc0 },
        { DT_F16, { 0 }, { 0x7c00 }, 0, F32_NAN, 0x7e00 },
        { DT_BF16, { 0x0080 }, { 0x3f00 }, 0, 0x00400000, 0x0040 },  /* subnormal */
        { DT_F16, { 0x0400 }, { 0x3800 }, 0x0001, 0x38004000, 0x0201 },
        { DT_BF16, { 0 }, { 0 }, 0x8000, 0, 0 },     /* steps of +0 turn -0 into +0 */
        { DT_F32, { 0 }, { 0 }, 0x80000000u, 0, 0 },
        { DT_F32, { 0x3f800001 }, { 0x3f800001 }, 0xbf800002u, 0x28800000, 0x28800000 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        open_array(cases[i].elem, 4);
        sum(cases[i].a, cases[i].b, cases[i].d, false);
        ck_assert_msg(acc_at(0) == cases[i].acc && sp_at(0) == cases[i].sp,
            "case %zu: %x and %x", i, acc_at(0), sp_at(0));
    }
}
END_TEST

/* Only sums inside the array are narrow. */
START_TEST(accumulators_are_wide)
{
    open_array(DT_BF16, 8);
    put(0, 0x43800000, 4);           /* 256 */
    load_state(one(), false);
    cmd(ISA_MVIN, RAM, OP(ACC(20), 1, 1));
    sum((const uint32_t[4]) { 0x3f80 }, (const uint32_t[4]) { 0x3f80 }, 0, false);
    for (int i = 0; i < 2; i++) {
        cmd(ISA_PRELOAD, NONE(4, 1), OP(ADD(20), 1, 1));
        cmd(ISA_COMPUTE_STAY, OP(SP(40), 1, 4), NONE(1, 1));
    }
    ck_assert_uint_eq(acc_at(20), 0x43810000);       /* 258 */
}
END_TEST

START_TEST(scratchpads_take_relu)
{
    static const uint32_t none[4] = { 0 }, a[4] = { 0x3f80 }, minus[4] = { 0xbf80 };

    open_array(DT_BF16, 8);
    sum(a, minus, 0, true);
    ck_assert_uint_eq(acc_at(0), 0xbf800000u);       /* there only */
    ck_assert_uint_eq(sp_at(0), 0);
    sum(a, a, 0, true);
    ck_assert_uint_eq(sp_at(0), 0x3f80);
    sum(none, (const uint32_t[4]) { 0xffc0 }, 0, true);
    ck_assert_uint_eq(sp_at(0), 0x7fc0);
}
END_TEST

START_TEST(operands_come_from_the_accumulator)
{
    struct isa_config_ex x = { .ws = true, .act = 1, .a_stride = 1, .c_stride = 1, .scale = 2 };

    open_array(DT_BF16, 8);
    sum((const uint32_t[4]) { 0 }, (const uint32_t[4]) { 0x3f80, 0x3f80 }, 0, false);
    put(0, 0x3f808001, 4);           /* rounds up when scaled */
    put(4, 0xc0000000, 4);
    cmd(ISA_MVIN, RAM, OP(ACC(30), 1, 2));
    config_ex_of(&x);
    cmd(ISA_PRELOAD, NONE(4, 1), OP(ACC(31), 1, 1));
    cmd(ISA_COMPUTE_STAY, OP(ACC(30), 1, 2), NONE(1, 1));
    ck_assert_uint_eq(acc_at(31), 0x40010000);
}
END_TEST

/* Sums that stay in the array are shifted on their way out: exact, but for subnormals. */
START_TEST(output_stationary_shifts)
{
    struct isa_config_ex x = { .a_stride = 1, .c_stride = 1, .scale = 1, .shift = 2 };

    open_array(DT_F32, 4);
    sum((const uint32_t[4]) { 0x40400000 }, (const uint32_t[4]) { 0x3f800000 }, 0, false);
    config_ex_of(&x);
    cmd(ISA_PRELOAD, OP(SP(50), 1, 1), NONE(1, 1));
    cmd(ISA_COMPUTE_FLIP, OP(SP(40), 1, 4), OP(SP(60), 4, 1));
    cmd(ISA_PRELOAD, NONE(1, 1), OP(ACC(0), 1, 1));
    cmd(ISA_COMPUTE_STAY, OP(SP(40), 1, 4), OP(SP(60), 4, 1));
    ck_assert_uint_eq(acc_at(0), 0x3fc00000);        /* 6 / 4 */
    sum((const uint32_t[4]) { 0x00000006 }, (const uint32_t[4]) { 0x3f800000 }, 0, false);
    config_ex_of(&x);
    cmd(ISA_PRELOAD, NONE(1, 1), OP(ACC(0), 1, 1));
    cmd(ISA_COMPUTE_FLIP, OP(SP(40), 1, 4), OP(SP(60), 4, 1));
    ck_assert_uint_eq(acc_at(0), 0x00000002);        /* 1.5: to even */
}
END_TEST

/* Hardware built for one dataflow has no choice. */
START_TEST(one_dataflow_is_all)
{
    struct isa_config_ex x = { .a_stride = 1, .c_stride = 1, .scale = 1 };

    open_array(DT_BF16, 8);
    sum((const uint32_t[4]) { 0x3f80 }, (const uint32_t[4]) { 0x4040 }, 0, false);
    config_ex_of(&x);
    cmd(ISA_PRELOAD, NONE(4, 1), OP(ACC(1), 1, 1));
    cmd(ISA_COMPUTE_STAY, OP(SP(40), 1, 4), OP(SP(50), 1, 1));
    ck_assert_uint_eq(acc_at(1), 0x40400000);
}
END_TEST

/* ---- loops, and what is left of the commands */

static const struct { enum dtype elem; int size; } arrays[] = {
    { DT_F32, 4 }, { DT_BF16, 8 }, { DT_F16, 4 },
};
enum { ARRAYS = 3, MOST = 20000 };

static struct isa_cmd stream[MOST];

static int
some(int from, int to)
{
    return (int)sim_between(from, to);
}

/* Numbers of like size, positive and negative, and no others. */
static void
fill(void)
{
    uint32_t like = sim_target.elem == DT_F16 ? 0x3400 : 0x3f00;
    size_t step = elem_bytes();

    for (size_t at = 0; at < (size_t)sim_target.ram_size; at += step) {
        uint32_t x = (uint32_t)sim_random() & 0x80ff, low = (uint32_t)sim_random() & 0xffff;
        put(at, step == 4 ? (x + like) << 16 | low : x + like, step);
    }
}

/* An array for loops, and its literal twin. */
static struct literal *
twins(int i)
{
    open_array(arrays[i].elem, arrays[i].size);
    sim_target.ram_size = 1 << 18;
    sim_target.isa_revision = 3;
    sim_open(SIM_STRICT_OFF, false);
    sim_seed((uint64_t)i + 40);
    fill();
    struct literal_machine m = { .dim = (int)dim, .elem = dtype_name(sim_target.elem),
        .sp_rows = (int)target_sp_rows(&sim_target),
        .acc_rows = (int)target_acc_rows(&sim_target), .scales_acc_in = true,
        .scales_out = true, .pools = true, .repeats = true };

    return literal_new(&m, RAM, ram, (uint64_t)sim_target.ram_size);
}

static void
configure(struct literal *l, bool transpose)
{
    unsigned stride = (unsigned)elem_bytes() * 40;
    struct isa_cmd c = isa_encode_ex(&(struct isa_config_ex) { .ws = true, .a_stride = 1,
        .c_stride = 1, .scale = 1, .a_transpose = transpose });

    for (int i = -2; i < 3; i++) {
        if (i == -1)
            c = isa_encode_st(&(struct isa_config_st) { .act = 1, .stride = stride,
                .scale = 0.37f });
        if (i >= 0)
            c = (struct isa_cmd) { ISA_CONFIG, (uint64_t)one() << 32 | (uint64_t)dim << 16
                | (uint64_t)i << 3 | ISA_CONFIG_LD, stride };
        cmd(c.funct, c.rs1, c.rs2);
        literal_command(l, c.funct, c.rs1, c.rs2);
    }
}

/* The loop is run, its stream goes to the literal device. */
static void
same_memory(struct literal *l, int n, const char *what)
{
    ck_assert_int_lt(n, MOST);
    for (int i = 0; i < n; i++)
        literal_command(l, stream[i].funct, stream[i].rs1, stream[i].rs2);
    ck_assert_msg(!memcmp(ram, literal_ram(l), (size_t)sim_target.ram_size), "%s", what);
}

START_TEST(products_of_loops)
{
    struct literal *l = twins(_i);
    struct places p = { 0, 0 };

    for (int round = 0; round < 8; round++) {
        int d = (int)dim, at = some(0, 1);
        struct ws_args a = { .i = some(1, 3), .j = some(1, 3), .k = some(1, 3),
            .pi = some(0, d - 1), .pj = some(0, d - 1), .pk = some(0, d - 1), .a = RAM + 64,
            .b = RAM + 20000, .c = RAM + 60000, .d = some(0, 1) ? RAM + 40000 : 0, .as = 40,
            .bs = 40, .cs = 40, .ds = 40, .full = some(0, 3) == 0, .at = at, .act = 1 };

        a.accumulate = a.d != 0;
        configure(l, at);
        ck_assert(ws_send(&a));
        same_memory(l, ws_literal(&a, &p, stream, MOST), "LOOP_WS");
        p.slot ^= 1;
        p.acc ^= 1;
    }
    literal_free(l);
    sim_close();
}
END_TEST

/* On float16 the loop's own scale is 0, and so is what the hardware makes of it. */
START_TEST(convolutions_of_loops)
{
    struct literal *l = twins(_i);
    struct places p = { 0, 0 };

    for (int round = 0; round < 6; round++) {
        struct conv_args a = conv_legal();

        configure(l, false);
        a.kchs = a.in_channels = a.in_stride = some(1, (int)dim + 2);
        a.pixels = a.kchs * 2 <= (int)dim ? some(1, 2) : 1;
        a.no_bias = some(0, 1);
        a.act = 1;
        if (some(0, 1)) {
            a.no_pool = 0;
            a.pool_size = 3;
            a.pool_stride = 2;
            a.plpad = a.pupad = 1;
            a.porows = a.pocols = a.pool_out_rows = a.pool_out_cols = 4;
        }
        ck_assert(conv_send(&a));
        same_memory(l, conv_literal(&a, &p, stream, MOST), "LOOP_CONV_WS");
        p.slot ^= 1;
        p.acc ^= 1;
    }
    literal_free(l);
    sim_close();
}
END_TEST

/* Loops and counters, in strict mode and with time. */
START_TEST(strict_arrays_run_loops)
{
    struct isa_cmd counter = { ISA_COUNTER, 0, 0 };
    struct conv_args v;
    struct ws_args a;
    uint64_t value, before;

    sim_array_of(arrays[_i].elem, arrays[_i].size);
    sim_target.isa_revision = 3;
    sim_open(SIM_STRICT_ERROR, true);
    a = ws_legal();
    if (sim_target.elem == DT_F16)
        for (unsigned i = 0; i < 3; i++)
            ck_assert(cmd(ISA_CONFIG, UINT64_C(0x3c00) << 32 | (uint64_t)sim_target.dim << 16
                | i << 3 | ISA_CONFIG_LD, 4 * (uint64_t)sim_target.dim * 2));
    ck_assert_msg(ws_send(&a), "%s", sim_rules[sim_broken].name);
    ck_assert(cmd(ISA_FLUSH, 0, 0) && fence());
    ck_assert(sim_command(sim, 0, &counter, 0, &value));
    before = cycles();
    v = conv_legal();
    if (sim_target.elem == DT_F16)
        ck_assert(!conv_send(&v) && sim_broken == SIM_RULE_LOOP_SCALE);
    else
        ck_assert_msg(conv_send(&v), "%s", sim_rules[sim_broken].name);
    fence();
    ck_assert(sim_target.elem == DT_F16 || cycles() > before + 9 * 64);
    sim_close();
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("sim_floats");
    TCase *t = tcase_create("floats");

    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, NULL, sim_close);
    tcase_add_test(t, elements_are_scaled_and_rounded);
    tcase_add_test(t, accumulator_values_are_scaled_unrounded);
    tcase_add_test(t, zeros_have_signs);
    tcase_add_test(t, unscaled_accumulators_take_bits);
    tcase_add_test(t, stores_round_twice);
    tcase_add_test(t, pooling_compares_as_ieee);
    tcase_add_test(t, sums_are_rounded_to_elements);
    tcase_add_test(t, accumulators_are_wide);
    tcase_add_test(t, scratchpads_take_relu);
    tcase_add_test(t, operands_come_from_the_accumulator);
    tcase_add_test(t, output_stationary_shifts);
    tcase_add_test(t, one_dataflow_is_all);
    tcase_add_loop_test(t, products_of_loops, 0, ARRAYS);
    tcase_add_loop_test(t, convolutions_of_loops, 0, ARRAYS);
    tcase_add_loop_test(t, strict_arrays_run_loops, 0, ARRAYS);
    suite_add_tcase(s, t);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
