/* sim/exec: what each command does, against small literal references. */
#include <math.h>
#include <string.h>

#include "test/unit/simtest.h"
#include "test/unit/tap.h"

static void
setup(void)
{
    sim_default_target();
    sim_open(SIM_STRICT_OFF, false);
    config_ex(1);
}

static int8_t
sp(int row, int col)
{
    return ((const int8_t *)sim_row(sim, 0, SP(row)))[col];
}

static int32_t
acc(int row, int col)
{
    return ((const int32_t *)sim_row(sim, 0, ACC(row)))[col];
}

/* Guest bytes, count up. */
static void
fill_up(int64_t at, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        ram[at + i] = (uint8_t)(i * 7 + i / 256);
}

static void
put32(int64_t at, int32_t x)
{
    memcpy(ram + at, &x, sizeof x);
}

/* One accumulator value through a mvout. */
static int8_t
through(int32_t x, float scale, unsigned act)
{
    put32(0, x);
    config_ld(0, 64, 16, 1, false);
    config_st(16, scale, act);
    ck_assert(cmd(ISA_MVIN, RAM, OP(ACC(3), 1, 1)));
    ck_assert(cmd(ISA_MVOUT, RAM + 64, OP(ACC(3), 1, 1)));
    return (int8_t)ram[64];
}

/* ---- moves in */

START_TEST(mvin_rows_and_blocks)
{
    fill_up(0, 4096);
    config_ld(0, 100, 32, 1, false);
    ck_assert(cmd(ISA_MVIN, RAM + 3, OP(SP(5), 3, 40)));
    for (int r = 0; r < 3; r++)
        for (int c = 0; c < 40; c++)
            ck_assert_int_eq(sp(5 + r + c / 16 * 32, c % 16), (int8_t)ram[3 + r * 100 + c]);
    ck_assert_int_eq(sp(5 + 64, 8), 0);          /* column 40 is not moved */
    ck_assert_int_eq(sp(8, 0), 0);
}
END_TEST

START_TEST(mvin_keeps_other_columns)
{
    memset(ram, 1, 64);
    memset(ram + 64, 2, 64);
    config_ld(1, 64, 16, 1, false);
    cmd(ISA_MVIN2, RAM, OP(SP(0), 1, 16));
    cmd(ISA_MVIN2, RAM + 64, OP(SP(0), 1, 3));
    ck_assert_int_eq(sp(0, 2), 2);
    ck_assert_int_eq(sp(0, 3), 1);
}
END_TEST

START_TEST(mvin_zero_address_and_stride)
{
    memset(ram, 9, 64);
    config_ld(0, 0, 16, 1, false);
    cmd(ISA_MVIN, RAM, OP(SP(0), 16, 16));
    ck_assert_int_eq(sp(0, 0), 9);
    ck_assert_int_eq(sp(15, 15), 9);             /* one row, sixteen times */
    cmd(ISA_MVIN, 0, OP(SP(4), 2, 8));
    ck_assert_int_eq(sp(4, 7), 0);
    ck_assert_int_eq(sp(4, 8), 9);
    ck_assert_int_eq(sp(6, 0), 9);
    put32(0, 1000);
    config_ld(0, 64, 16, 1, false);
    cmd(ISA_MVIN, RAM, OP(ACC(0), 1, 1));
    cmd(ISA_MVIN, 0, OP(ADD(0), 1, 1));          /* adds zeros */
    ck_assert_int_eq(acc(0, 0), 1000);
    cmd(ISA_MVIN, 0, OP(ACC(0), 1, 1));
    ck_assert_int_eq(acc(0, 0), 0);
}
END_TEST

START_TEST(mvin_scales)
{
    static const int8_t in[] = { 1, 3, 5, -1, -3, 127, -128, 2 };
    static const int8_t half[] = { 0, 2, 2, 0, -2, 64, -64, 1 }; /* ties to even */

    memcpy(ram, in, sizeof in);
    config_ld(2, 64, 16, 0.5f, false);
    cmd(ISA_MVIN3, RAM, OP(SP(0), 1, 8));
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(sp(0, i), half[i]);
    config_ld(2, 64, 16, 3.0f, true);            /* saturates before it widens */
    cmd(ISA_MVIN3, RAM, OP(ACC(0), 1, 8));
    ck_assert_int_eq(acc(0, 1), 9);
    ck_assert_int_eq(acc(0, 5), 127);
    ck_assert_int_eq(acc(0, 6), -128);
    cmd(ISA_MVIN3, RAM, OP(ADD(0), 1, 8));
    ck_assert_int_eq(acc(0, 5), 254);
}
END_TEST

START_TEST(mvin_accumulates_and_wraps)
{
    put32(0, 0x7fffffff);
    put32(64, 5);
    config_ld(0, 64, 16, 1, false);
    cmd(ISA_MVIN, RAM, OP(ACC(7), 1, 1));
    cmd(ISA_MVIN, RAM + 64, OP(ADD(7), 1, 1));
    ck_assert_uint_eq((uint32_t)acc(7, 0), 0x80000004u);
    config_ld(0, 64, 16, 0.25f, false);          /* no scale on int32 data */
    cmd(ISA_MVIN, RAM + 64, OP(ACC(7), 1, 1));
    ck_assert_int_eq(acc(7, 0), 5);
}
END_TEST

START_TEST(mvin_repeats_pixels)
{
    struct isa_config_ld c = { .stride = 3, .block_stride = 16, .repeats = 3, .scale = 1 };
    struct isa_cmd e = isa_encode_ld(&c);

    fill_up(0, 64);
    cmd(e.funct, e.rs1, e.rs2);
    cmd(ISA_MVIN, RAM, OP(SP(8191), 4, 3));      /* pixels of three channels */
    /* Row d holds pixels d, d+1, d+2 of those moved. */
    for (int col = 0; col < 9; col++)
        ck_assert_int_eq(sp(8192, col), (int8_t)ram[3 + col]);
    ck_assert_int_eq(sp(8190, 3), (int8_t)ram[0]);
    ck_assert_int_eq(sp(8191, 3), 0);            /* dropped: pixel 1 is in the upper half */
    ck_assert_int_eq(sp(8193, 0), (int8_t)ram[6]);
    ck_assert_int_eq(sp(8193, 6), 0);
}
END_TEST

/* ---- moves out */

START_TEST(mvout_rounds_to_even)
{
    ck_assert_int_eq(through(5, 0.5f, 0), 2);
    ck_assert_int_eq(through(7, 0.5f, 0), 4);
    ck_assert_int_eq(through(-5, 0.5f, 0), -2);
    ck_assert_int_eq(through(-7, 0.5f, 0), -4);
    ck_assert_int_eq(through(1000, 1, 0), 127);
    ck_assert_int_eq(through(-1000, 1, 0), -128);
    ck_assert_int_eq(through(INT32_MAX, 1, 0), 127);
    /* int32 to float rounds first: 16777217 becomes 16777216. */
    ck_assert_int_eq(through(16777217, 0.5f / 8388608, 0), 1);
    ck_assert_int_eq(through(100, NAN, 0), 127);
    ck_assert_int_eq(through(100, -INFINITY, 0), -128);
}
END_TEST

START_TEST(mvout_relu_comes_before_the_scale)
{
    ck_assert_int_eq(through(-5, 1, 1), 0);
    ck_assert_int_eq(through(5, 1, 1), 5);
    ck_assert_int_eq(through(-5, -1, 1), 0);
    ck_assert_int_eq(through(5, -1, 1), -5);
    ck_assert_int_eq(through(-5, 1, 2), -5);     /* no such activation here */
}
END_TEST

START_TEST(mvout_keeps_its_scale)
{
    struct isa_config_st c = { .stride = 16, .keep_scale = true };

    through(4, 0.25f, 0);
    config_st_of(&c);
    cmd(ISA_MVOUT, RAM + 128, OP(ACC(3), 1, 1));
    ck_assert_int_eq(ram[128], 1);
}
END_TEST

START_TEST(mvout_blocks)
{
    config_ld(0, 64, 16, 1, false);
    for (int r = 0; r < 64; r++)
        for (int c = 0; c < 16; c++)
            put32(r * 64 + c * 4, r + c);
    for (int i = 0; i < 4; i++)
        cmd(ISA_MVIN, RAM + (uint64_t)i * 1024, OP(ACC(100 + i * 16), 16, 16));
    config_st(200, 1, 0);
    cmd(ISA_MVOUT, RAM + 0x10000, OP(ACC(100), 5, 50));
    for (int r = 0; r < 5; r++)
        for (int c = 0; c < 50; c++)
            ck_assert_int_eq((int8_t)ram[0x10000 + r * 200 + c], r + c / 16 * 16 + c % 16);
    ck_assert_int_eq(ram[0x10000 + 50], 0);
    ck_assert_int_eq(ram[0x10000 + 5 * 200], 0);
    /* Full width: 32 bits, not scaled. */
    config_st(64, 0.001f, 1);
    cmd(ISA_MVOUT, RAM + 0x20000, OP(ACC(100) | ISA_FULL, 16, 16));
    for (int i = 0; i < 256; i++) {
        int32_t x;
        memcpy(&x, ram + 0x20000 + i * 4, 4);
        ck_assert_int_eq(x, i / 16 + i % 16);
    }
}
END_TEST

START_TEST(mvout_from_the_scratchpad_is_verbatim)
{
    fill_up(0, 256);
    config_ld(0, 16, 16, 1, false);
    config_st(16, 0.1f, 1);
    cmd(ISA_MVIN, RAM, OP(SP(0), 16, 16));
    cmd(ISA_MVOUT, RAM + 512, OP(SP(0), 16, 16));
    ck_assert_int_eq(memcmp(ram, ram + 512, 256), 0);
}
END_TEST

/* A 5x4 image with value 10 y + x - 20, pooled. */
static void
pool(struct isa_config_st c)
{
    for (int y = 0; y < 5; y++)
        for (int x = 0; x < 4; x++)
            put32((y * 4 + x) * 64, 10 * y + x - 20);
    config_ld(0, 64, 32, 1, false);
    cmd(ISA_MVIN, RAM, OP(ACC(40), 16, 16));
    cmd(ISA_MVIN, RAM + 1024, OP(ACC(56), 4, 16));
    c.orows = 5;
    c.ocols = 4;
    c.stride = 3;
    c.scale = 1;
    config_st_of(&c);
    memset(ram + 0x8000, 0x55, 256);
    cmd(ISA_MVOUT, RAM + 0x8000, OP(ACC(40), 1, 1));
}

START_TEST(mvout_pools)
{
    pool((struct isa_config_st) { .pool_stride = 2, .pool_size = 2, .porows = 2,
        .pocols = 2, .pool_out_dim = 5 });
    ck_assert_int_eq((int8_t)ram[0x8000], -9);               /* y 1, x 1 */
    ck_assert_int_eq((int8_t)ram[0x8000 + 3], -7);
    ck_assert_int_eq((int8_t)ram[0x8000 + 15], 11);          /* y 3, x 1, at pixel 5 */
    ck_assert_int_eq((int8_t)ram[0x8000 + 18], 13);
    ck_assert_int_eq(ram[0x8000 + 6], 0x55);
    ck_assert_int_eq(ram[0x8000 + 1], 0x55);                 /* one channel only */
}
END_TEST

START_TEST(mvout_pools_pads_with_zero)
{
    pool((struct isa_config_st) { .pool_stride = 2, .pool_size = 3, .upad = 1, .lpad = 1,
        .porows = 3, .pocols = 3, .pool_out_dim = 3 });
    ck_assert_int_eq((int8_t)ram[0x8000], 0);                /* max(-9, pads) */
    ck_assert_int_eq((int8_t)ram[0x8000 + 4 * 3], 13);       /* y 1..3, x 1..3 */
    ck_assert_int_eq((int8_t)ram[0x8000 + 2 * 3], 0);        /* overhang counts as 0 */
    ck_assert_int_eq((int8_t)ram[0x8000 + 8 * 3], 23);
}
END_TEST

START_TEST(mvout_without_pooling_unit_moves_a_line)
{
    sim_target.has_max_pool = false;
    sim_open(SIM_STRICT_OFF, false);
    pool((struct isa_config_st) { .pool_stride = 2, .pool_size = 2, .porows = 2,
        .pocols = 2, .pool_out_dim = 6 });
    ck_assert_int_eq((int8_t)ram[0x8000 + 3 * 3], -17);      /* y 0, x 3 */
    ck_assert_int_eq((int8_t)ram[0x8000 + 7 * 3], -9);       /* y 1, x 1 at 1 * 6 + 1 */
}
END_TEST

/* ---- the array */

/* Two random operands in memory and in the scratchpad: A at row 0, B at row 4096. */
static void
operands(unsigned dim)
{
    sim_seed(dim);
    for (unsigned i = 0; i < 2 * dim * dim; i++)
        ram[i] = (uint8_t)sim_random();
    config_ld(0, dim, dim, 1, false);
    cmd(ISA_MVIN, RAM, OP(SP(0), dim, dim));
    cmd(ISA_MVIN, RAM + dim * dim, OP(SP(4096), dim, dim));
}

static int8_t
a_at(int dim, int i, int k)
{
    return (int8_t)ram[i * dim + k];
}

static int8_t
b_at(int dim, int k, int j)
{
    return (int8_t)ram[dim * dim + k * dim + j];
}

static int32_t
product(int dim, int i, int j, int depth)
{
    int32_t s = 0;

    for (int k = 0; k < depth; k++)
        s += a_at(dim, i, k) * b_at(dim, k, j);
    return s;
}

START_TEST(pair_multiplies)
{
    static const int dims[] = { 4, 8, 16, 32, 64 };
    int dim = dims[_i];

    sim_target.dim = dim;
    sim_open(SIM_STRICT_OFF, false);
    config_ex(1);
    operands((unsigned)dim);
    pair(SP(4096), ACC(64), SP(0), (unsigned)dim, (unsigned)dim, (unsigned)dim);
    for (int i = 0; i < dim; i++)
        for (int j = 0; j < dim; j++)
            ck_assert_int_eq(acc(64 + i, j), product(dim, i, j, dim));
    /* Kept weights, added, in a corner only. */
    pair(ISA_GARBAGE, ADD(64), SP(1), 2, 3, 2);
    for (int j = 0; j < 3; j++) {
        int32_t first = product(dim, 0, j, dim), more = product(dim, 1, j, 3);
        ck_assert_int_eq(acc(64, j), first + (j < 2 ? more : 0));
    }
    ck_assert_int_eq(acc(66, 0), product(dim, 2, 0, dim));
}
END_TEST

START_TEST(pair_of_small_weights)
{
    operands(16);
    pair(SP(4096), ACC(0), SP(0), 3, 5, 7);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 7; j++)
            ck_assert_int_eq(acc(i, j), product(16, i, j, 5));
    ck_assert_int_eq(acc(0, 7), 0);
    ck_assert_int_eq(acc(3, 0), 0);
    /* What lies outside of the weights' shape counts as zero, also later. */
    pair(ISA_GARBAGE, ACC(16), SP(0), 16, 16, 16);
    ck_assert_int_eq(acc(16, 6), product(16, 0, 6, 5));
    ck_assert_int_eq(acc(16, 7), 0);
}
END_TEST

START_TEST(pair_steps_through_a)
{
    operands(16);
    config_ex(3);
    pair(SP(4096), ACC(0), SP(1), 5, 16, 16);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(acc(i, 4), product(16, 1 + 3 * i, 4, 16));
}
END_TEST

START_TEST(pair_transposes)
{
    struct isa_config_ex c = { .ws = true, .a_stride = 1, .c_stride = 1, .scale = 1 };
    int32_t want = 0;

    operands(16);
    c.a_transpose = true;
    config_ex_of(&c);
    pair(SP(4096), ACC(0), SP(0), 16, 16, 16);
    for (int k = 0; k < 16; k++)
        want += a_at(16, k, 2) * b_at(16, k, 9);
    ck_assert_int_eq(acc(2, 9), want);
    c.a_transpose = false;
    c.b_transpose = true;
    config_ex_of(&c);
    pair(SP(4096), ACC(0), SP(0), 16, 16, 16);
    want = 0;
    for (int k = 0; k < 16; k++)
        want += a_at(16, 2, k) * b_at(16, 9, k);
    ck_assert_int_eq(acc(2, 9), want);
}
END_TEST

START_TEST(pair_adds_d_and_writes_the_scratchpad)
{
    struct isa_config_ex c = { .ws = true, .act = 1, .a_stride = 1, .c_stride = 2,
        .scale = 1 };

    operands(16);
    config_ex_of(&c);
    /* C = A * 0 + D: garbage weights and a flip give zeros. */
    cmd(ISA_PRELOAD, NONE(16, 16), OP(SP(100), 16, 16));
    cmd(ISA_COMPUTE_FLIP, OP(SP(0), 16, 16), OP(SP(4096), 16, 16));
    for (int j = 0; j < 16; j++) {
        int8_t d = b_at(16, 3, j);
        ck_assert_int_eq(sp(106, j), d < 0 ? 0 : d);
        ck_assert_int_eq(sp(105, j), 0);
    }
    c.act = 0;
    config_ex_of(&c);
    pair(SP(4096), SP(200), SP(0), 16, 16, 16);
    for (int j = 0; j < 16; j++) {
        int32_t x = product(16, 1, j, 16);
        ck_assert_int_eq(sp(202, j), x > 127 ? 127 : x < -128 ? -128 : x);
    }
}
END_TEST

START_TEST(operands_from_the_accumulator)
{
    struct isa_config_ex c = { .ws = true, .act = 1, .a_stride = 1, .c_stride = 1,
        .scale = 0.5f };

    operands(16);
    config_ld(0, 64, 16, 1, false);
    put32(0x1000, 7);
    put32(0x1004, -9);
    cmd(ISA_MVIN, RAM + 0x1000, OP(ACC(500), 1, 2));
    config_ex_of(&c);
    pair(SP(4096), ACC(0), ACC(500), 1, 2, 16);
    for (int j = 0; j < 16; j++)
        ck_assert_int_eq(acc(0, j), 4 * b_at(16, 0, j)); /* ReLU, then 3.5 to even */
}
END_TEST

START_TEST(lone_commands_write_nothing)
{
    operands(16);
    pair(SP(4096), ACC(0), SP(0), 16, 16, 16);
    int32_t was = acc(0, 0);
    cmd(ISA_COMPUTE_STAY, OP(SP(3), 16, 16), NONE(16, 16));
    ck_assert_int_eq(acc(0, 0), was);
    cmd(ISA_PRELOAD, OP(SP(4096), 16, 16), OP(ACC(32), 16, 16));
    ck_assert_int_eq(acc(32, 0), 0);
}
END_TEST

/* 32 products of -128 * -128 are 2^19, one more than 20 bits hold. */
START_TEST(wires_wrap)
{
    sim_target.dim = 32;
    sim_open(SIM_STRICT_OFF, false);
    config_ex(1);
    memset(ram, 0x80, 1024);
    config_ld(0, 0, 32, 1, false);
    cmd(ISA_MVIN, RAM, OP(SP(0), 32, 32));
    pair(SP(0), ACC(0), SP(0), 1, 32, 32);
    ck_assert_int_eq(acc(0, 0), -524288);
    pair(ISA_GARBAGE, ACC(0), SP(0), 1, 31, 32);
    ck_assert_int_eq(acc(0, 0), 31 * 16384);
}
END_TEST

START_TEST(output_stationary)
{
    struct isa_config_ex c = { .a_stride = 1, .c_stride = 1, .scale = 1, .shift = 3 };

    operands(16);
    config_ex_of(&c);
    cmd(ISA_PRELOAD, OP(SP(0), 16, 16), NONE(16, 16));               /* D = A */
    cmd(ISA_COMPUTE_FLIP, OP(SP(0), 16, 16), OP(SP(4096), 16, 16));
    cmd(ISA_PRELOAD, NONE(16, 16), OP(ACC(0), 16, 16));
    cmd(ISA_COMPUTE_STAY, OP(SP(0), 16, 16), OP(SP(4096), 16, 16));
    for (int j = 0; j < 16; j++) {
        int32_t s = a_at(16, 4, j) + 2 * product(16, 4, j, 16), r = s >> 3;
        int rest = s & 7;
        r += rest > 4 || (rest == 4 && r & 1);
        ck_assert_int_eq(acc(4, j), r);
    }
}
END_TEST

START_TEST(only_strides_change)
{
    struct isa_config_ex c = { .only_strides = true, .a_stride = 2, .c_stride = 3 };

    operands(16);
    config_ex_of(&c);                /* still weight-stationary */
    pair(SP(4096), ACC(0), SP(0), 2, 16, 16);
    ck_assert_int_eq(acc(3, 0), product(16, 2, 0, 16));
}
END_TEST

/* ---- float arrays */

static float
facc(int row, int col)
{
    return ((const float *)sim_row(sim, 0, ACC(row)))[col];
}

static void
float_target(void)
{
    sim_target.elem = sim_target.acc = DT_F32;
    sim_target.dim = 4;
    sim_target.has_mvin_acc_scale = true;
    sim_open(SIM_STRICT_OFF, false);
    config_ex(1);
    config_ld(0, 16, 4, 1, false);
    config_st(16, 1, 0);
}

START_TEST(float_sums_are_fused_and_in_order)
{
    /* 1 + 2^-24 + 2^-24: rounded one by one the small ones vanish; and a product
     * that is not a float is not rounded before it is added. */
    float a[4] = { 1, 1.0f / 4096, 1.0f / 4096, 1 + 1.0f / 4096 };
    float b[16] = { 0 };

    float_target();
    b[0] = 1;
    b[4] = 1.0f / 4096;
    b[8] = 1.0f / 4096;
    memcpy(ram, a, sizeof a);
    memcpy(ram + 64, b, sizeof b);
    cmd(ISA_MVIN, RAM, OP(SP(0), 1, 4));
    cmd(ISA_MVIN, RAM + 64, OP(SP(16), 4, 4));
    pair(SP(16), ACC(0), SP(0), 1, 4, 4);
    ck_assert(facc(0, 0) == 1.0f);
    b[12] = 1 + 1.0f / 4096;
    b[0] = -1;
    memcpy(ram + 64, b, sizeof b);
    cmd(ISA_MVIN, RAM + 64, OP(SP(16), 4, 4));
    pair(SP(16), ACC(0), SP(0), 1, 4, 4);
    /* -1 + 2^-24 + 2^-24 is exact, then fma((1 + 2^-12)^2): 2^-11 + 3 * 2^-24. */
    ck_assert(facc(0, 0) == 1.0f / 2048 + 3.0f / 16777216);
}
END_TEST

START_TEST(float_moves)
{
    float in[4] = { 1.5f, -2.5f, -0.0f, NAN }, out[4];

    float_target();
    memcpy(ram, in, sizeof in);
    config_ld(0, 16, 4, 2, false);
    cmd(ISA_MVIN, RAM, OP(ACC(0), 1, 4));
    ck_assert(facc(0, 1) == -5.0f);
    config_st(16, 0.5f, 1);
    cmd(ISA_MVOUT, RAM + 64, OP(ACC(0), 1, 4));
    memcpy(out, ram + 64, sizeof out);
    ck_assert(out[0] == 1.5f && out[1] == 0.0f && !signbit(out[1]));
    ck_assert(out[2] == 0.0f && signbit(out[2]));
    ck_assert_uint_eq(ram[64 + 15] << 24 | ram[64 + 14] << 16 | ram[64 + 13] << 8
        | ram[64 + 12], 0x7fc00000u);
}
END_TEST

START_TEST(other_types_are_refused)
{
    sim_target.elem = sim_target.acc = DT_F64;
    sim_open(SIM_STRICT_OFF, false);
    ck_assert(!config_ex(1));
    ck_assert_int_eq(sim_broken, SIM_RULE_ARITH_UNSUPPORTED);
}
END_TEST

/* ---- limits, statistics */

START_TEST(memory_outside_is_not_touched)
{
    uint64_t end = RAM + (uint64_t)sim_target.ram_size;

    memset(ram + sim_target.ram_size - 16, 3, 16);
    config_ld(0, 16, 16, 1, false);
    config_st(16, 1, 0);
    ck_assert(cmd(ISA_MVIN, end - 16, OP(SP(0), 2, 16)));
    ck_assert_int_eq(sp(0, 5), 3);
    ck_assert_int_eq(sp(1, 5), 0);
    ck_assert(cmd(ISA_MVIN, UINT64_MAX - 8, OP(SP(0), 16, 64)));
    ck_assert(cmd(ISA_MVOUT, end - 8, OP(SP(0), 1, 16)));    /* a row is whole or not */
    ck_assert_int_eq(ram[sim_target.ram_size - 1], 3);
    ck_assert(cmd(ISA_MVOUT, RAM - 16, OP(SP(0), 16, 16)));
}
END_TEST

START_TEST(rows_wrap)
{
    memset(ram, 4, 64);
    config_ld(0, 0, 16, 1, false);
    cmd(ISA_MVIN, RAM, OP(SP(16383), 2, 16));
    ck_assert_int_eq(sp(16383, 0), 4);
    ck_assert_int_eq(sp(0, 0), 4);
}
END_TEST

START_TEST(statistics_per_layer)
{
    const struct sim_layer_stats *s;
    int n;

    sim_open(SIM_STRICT_OFF, false);
    struct isa_cmd c[] = {
        isa_encode_ex(&(struct isa_config_ex) { .ws = true, .a_stride = 1, .c_stride = 1 }),
        isa_encode_ld(&(struct isa_config_ld) { .stride = 64, .block_stride = 16, .scale = 1 }),
        { ISA_MVIN, RAM, OP(SP(0), 16, 64) },
        { ISA_MVIN, 0, OP(SP(0), 16, 64) },
        { ISA_PRELOAD, OP(SP(0), 16, 8), OP(ACC(0), 4, 8) },
        { ISA_COMPUTE_FLIP, OP(SP(0), 4, 16), NONE(4, 8) },
        { ISA_MVOUT, RAM, OP(ACC(0) | ISA_FULL, 4, 8) },
        isa_encode_ld(&(struct isa_config_ld) { .stride = 0, .block_stride = 16, .scale = 1 }),
        { ISA_MVIN, RAM, OP(SP(0), 16, 64) },
    };
    sim_layer(sim, 0, 5);
    for (size_t i = 0; i < sizeof c / sizeof *c; i++)
        sim_command(sim, 0, &c[i], 0, NULL);
    sim_layer(sim, 0, 6);
    sim_layer(sim, 0, -1);
    sim_command(sim, 0, &c[2], 0, NULL);         /* belongs to no layer */
    s = sim_stats(sim, 0, &n);
    ck_assert_int_eq(n, 2);
    ck_assert_int_eq(s[0].number, 5);
    ck_assert_uint_eq(s[0].commands, 9);
    /* Zeros do not come from memory, and a row for all rows once. */
    ck_assert_uint_eq(s[0].bytes_in, 1024 + 64);
    ck_assert_uint_eq(s[0].bytes_out, 4 * 8 * 4);
    ck_assert_uint_eq(s[0].macs, 4 * 16 * 8);
    ck_assert_uint_eq(s[1].commands, 0);
}
END_TEST

START_TEST(the_sink_is_the_model)
{
    struct sink *k = sim_sink(sim);
    struct isa_cmd c = { ISA_COUNTER, 0, 0 };
    uint64_t result = 77;

    k->layer(k, 0, 1);
    k->instructions(k, 0, 100);
    ck_assert(k->command(k, 0, &c, &result));
    ck_assert_uint_eq(result, 0);                /* nothing is counted without time */
    ck_assert(k->fence(k, 0));
    ck_assert(!k->command(k, 1, &c, &result));   /* one hart only */
    ck_assert(!k->command(k, -1, &c, &result));
}
END_TEST

START_TEST(reset_forgets)
{
    operands(16);
    pair(SP(4096), ACC(0), SP(0), 16, 16, 16);
    sim_reset(sim);
    ck_assert_int_eq(acc(0, 0), 0);
    ck_assert_int_eq(sp(0, 0), 0);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("sim_exec");
    TCase *t = tcase_create("exec");

    tcase_add_checked_fixture(t, setup, sim_close);
    tcase_add_test(t, mvin_rows_and_blocks);
    tcase_add_test(t, mvin_keeps_other_columns);
    tcase_add_test(t, mvin_zero_address_and_stride);
    tcase_add_test(t, mvin_scales);
    tcase_add_test(t, mvin_accumulates_and_wraps);
    tcase_add_test(t, mvin_repeats_pixels);
    tcase_add_test(t, mvout_rounds_to_even);
    tcase_add_test(t, mvout_relu_comes_before_the_scale);
    tcase_add_test(t, mvout_keeps_its_scale);
    tcase_add_test(t, mvout_blocks);
    tcase_add_test(t, mvout_from_the_scratchpad_is_verbatim);
    tcase_add_test(t, mvout_pools);
    tcase_add_test(t, mvout_pools_pads_with_zero);
    tcase_add_test(t, mvout_without_pooling_unit_moves_a_line);
    tcase_add_loop_test(t, pair_multiplies, 0, 5);
    tcase_add_test(t, pair_of_small_weights);
    tcase_add_test(t, pair_steps_through_a);
    tcase_add_test(t, pair_transposes);
    tcase_add_test(t, pair_adds_d_and_writes_the_scratchpad);
    tcase_add_test(t, operands_from_the_accumulator);
    tcase_add_test(t, lone_commands_write_nothing);
    tcase_add_test(t, wires_wrap);
    tcase_add_test(t, output_stationary);
    tcase_add_test(t, only_strides_change);
    tcase_add_test(t, float_sums_are_fused_and_in_order);
    tcase_add_test(t, float_moves);
    tcase_add_test(t, other_types_are_refused);
    tcase_add_test(t, memory_outside_is_not_touched);
    tcase_add_test(t, rows_wrap);
    tcase_add_test(t, statistics_per_layer);
    tcase_add_test(t, the_sink_is_the_model);
    tcase_add_test(t, reset_forgets);
    suite_add_tcase(s, t);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
