/* sim/norm: layer norm, integer GELU and softmax of rows of the accumulator against
 * their formulas in wide arithmetic; by commands and by the matmul loop. */
#include <math.h>
#include <string.h>

#include "test/unit/looptest.h"
#include "test/unit/simtest.h"
#include "test/unit/tap.h"

enum { COLS = 150, IN = 0x1000, OUT = 0x8000 };

static int32_t x[COLS];

static void
open_with(enum sim_strict strict)
{
    sim_default_target();
    sim_target.has_norms = true;
    sim_open(strict, true);
    config_ex(1);
    config_ld(2, 0, 16, 1, false);
}

/* A row of n values in accumulator rows 5, 21, 37, ... */
static void
row_of(int n, int most)
{
    for (int i = 0; i < n; i++)
        x[i] = (int32_t)sim_between(-most, most);
    memcpy(ram + IN, x, sizeof x);
    for (int at = 0; at < n; at += 16)
        ck_assert(cmd(ISA_MVIN3, RAM + IN + (uint64_t)at * 4,
            OP(ACC(5 + at), 1, n - at < 16 ? n - at : 16)));
}

/* The row in moves of four blocks; `how` for all, `end` for the last. */
static bool
pass(int n, uint32_t how, uint32_t end)
{
    for (int at = 0; at < n; at += 64) {
        int cols = n - at < 64 ? n - at : 64;
        uint32_t c = at + cols == n ? end : how;
        if (!cmd(ISA_MVOUT, RAM + OUT + (uint64_t)at, OP(ACC(5 + at) | c << 26, 1, cols)))
            return false;
    }
    return true;
}

static int
clip(double v)
{
    double r = nearbyint(v);

    return r > 127 ? 127 : r < -128 ? -128 : (int)r;
}

static int
got(int i)
{
    return (int8_t)ram[OUT + i];
}

/* Mean and deviation as the hardware has them: cut, and at least 1. */
static void
moments(int n, int64_t *mean, int64_t *dev)
{
    int64_t sum = 0, squares = 0;

    for (int i = 0; i < n; i++)
        sum += x[i];
    *mean = sum / n;
    for (int i = 0; i < n; i++)
        squares += (x[i] - *mean) * (x[i] - *mean);
    *dev = (int64_t)floor(sqrt((double)(squares / n)));
    if (*dev < 1)
        *dev = 1;
}

START_TEST(layer_norm)
{
    float scale = 30.0f;
    int64_t mean, dev;
    int n;

    open_with(SIM_STRICT_ERROR);
    sim_seed((uint64_t)_i + 1);
    n = (int)sim_between(1, COLS);
    row_of(n, _i % 3 ? 2000 : 2);
    config_st(COLS, scale, 2);
    ck_assert(cmd(ISA_CONFIG, ISA_CONFIG_NORM | (uint64_t)(_i % 2) << 8 | 1 << 17, 0));
    ck_assert(pass(n, 1, 2) && pass(n, 3, 4));
    for (int i = 0; i < n; i++)
        ck_assert_int_eq(got(i), 0);
    ck_assert_msg(pass(n, 0, 0), "%s", sim_rules[sim_broken].name);
    fence();
    moments(n, &mean, &dev);
    for (int i = 0; i < n; i++) {
        float factor = 1.0f / (float)dev * scale;
        ck_assert_int_eq(got(i), clip((double)((float)(x[i] - mean) * factor)));
    }
    sim_close();
}
END_TEST

START_TEST(gelu)
{
    int64_t qb = -400, qc = 100000;
    float scale = 1e-7f;

    open_with(SIM_STRICT_ERROR);
    sim_seed((uint64_t)_i + 50);
    ck_assert(cmd(ISA_CONFIG, ISA_CONFIG_NORM, (uint64_t)(uint32_t)qb | (uint64_t)qc << 32));
    row_of(COLS, 900);
    config_st(COLS, scale, 3);
    ck_assert(pass(COLS, 0, 0));
    fence();
    for (int i = 0; i < COLS; i++) {
        int64_t size = x[i] < 0 ? -x[i] : x[i], a = size < -qb ? size : -qb;
        int64_t e = (x[i] > 0) - (x[i] < 0);

        e *= (a + qb) * (a + qb) + qc;
        ck_assert_int_eq(got(i), clip((double)((float)(int32_t)(uint32_t)(uint64_t)
            (x[i] * (e + qc)) * scale)));
    }
    sim_close();
}
END_TEST

/* Constants of a scale of 0.01, as the library takes them. */
enum { LN2 = 69, LN2_INV = 65536 / 69, QB = 135, QC = 9600 };

static int64_t
iexp(int64_t q)
{
    int64_t z = (-q * LN2_INV) >> 16, p = q + z * LN2;

    return z > 31 ? 0 : ((p + QB) * (p + QB) + QC) >> z;
}

static void
softmax_constants(void)
{
    uint64_t bc = QB | (uint64_t)QC << 32;

    cmd(ISA_CONFIG, ISA_CONFIG_NORM | 1 << 16 | (uint64_t)LN2 << 32, bc);
    cmd(ISA_CONFIG, ISA_CONFIG_NORM | 1 << 16 | 1 << 18 | (uint64_t)LN2_INV << 32, bc);
}

START_TEST(softmax)
{
    int64_t most = INT32_MIN, sum = 0;
    float inv;

    open_with(SIM_STRICT_OFF);
    sim_seed((uint64_t)_i + 90);
    row_of(COLS, 600);
    config_st(COLS, 0.5f, 0);
    softmax_constants();
    ck_assert(pass(COLS, 5, 5) && pass(COLS, 6, 7) && pass(COLS, 0, 0));
    fence();
    for (int i = 0; i < COLS; i++)
        most = x[i] > most ? x[i] : most;
    for (int i = 0; i < COLS; i++)
        sum += iexp(x[i] - most);
    inv = 127.0f / (float)sum;
    for (int i = 0; i < COLS; i++)
        ck_assert_int_eq(got(i), clip(0.5 * clip((double)((float)iexp(x[i] - most) * inv))));
    sim_close();
}
END_TEST

/* Rows of a product, normalised by the loop: the product is by the identity, the bias
 * brings the numbers. */
START_TEST(loop)
{
    struct ws_args a = { .i = 1, .j = 9, .k = 1, .pi = 9, .pj = 9 * 16 - 130, .a = RAM + 0x40000,
        .b = RAM + 0x50000, .c = RAM + OUT, .d = RAM + IN, .as = 16, .bs = 144, .cs = COLS,
        .ds = COLS, .accumulate = 1, .act = 2 };
    int64_t mean, dev;

    open_with(SIM_STRICT_OFF);
    sim_seed(7);
    config_ld(0, 16, 16, 1, false);
    config_ld(1, 144, 16, 1, false);
    config_ld(2, COLS * 4, 16, 1, false);
    config_st(COLS, 40, 2);
    for (int i = 0; i < 7 * COLS; i++) {
        int32_t v = (int32_t)sim_between(-5000, 5000);
        memcpy(ram + IN + i * 4, &v, 4);
    }
    ck_assert(ws_send(&a));
    fence();
    for (int r = 0; r < 7; r++) {
        memcpy(x, ram + IN + r * COLS * 4, sizeof x);
        moments(130, &mean, &dev);
        for (int i = 0; i < 130; i++)
            ck_assert_int_eq(got(r * COLS + i),
                clip((double)((float)(x[i] - mean) * (1.0f / (float)dev * 40))));
    }
    ck_assert_uint_gt(cycles(), 500);
    sim_close();
}
END_TEST

/* A new CONFIG_ST ends softmax; statistics do not mix. */
START_TEST(two_rows_side_by_side)
{
    open_with(SIM_STRICT_ERROR);
    sim_seed(3);
    row_of(16, 100);
    config_st(16, 1, 2);
    cmd(ISA_CONFIG, ISA_CONFIG_NORM | 0 << 8 | 1 << 17, 0);
    ck_assert(pass(16, 2, 2));
    cmd(ISA_CONFIG, ISA_CONFIG_NORM | 1 << 8 | 1 << 17, 0);
    ck_assert(pass(8, 2, 2));
    cmd(ISA_CONFIG, ISA_CONFIG_NORM | 0 << 8 | 1 << 17, 0);
    ck_assert(pass(16, 0, 0));
    fence();
    for (int i = 0, sum = 0; i < 16; i++)
        for (int j = sum = 0; j < 16; j++) {
            sum += x[j];
            if (j == 15)
                ck_assert_int_eq(got(i), clip(x[i] - sum / 16));
        }
    sim_close();
    sim_default_target();
    sim_open(SIM_STRICT_ERROR, false);
    ck_assert(!cmd(ISA_CONFIG, ISA_CONFIG_NORM, 0));
    ck_assert_int_eq(sim_broken, SIM_RULE_NORM);
    sim_close();
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("sim_norms");
    TCase *t = tcase_create("norms");

    tcase_add_loop_test(t, layer_norm, 0, 12);
    tcase_add_loop_test(t, gelu, 0, 4);
    tcase_add_loop_test(t, softmax, 0, 4);
    tcase_add_test(t, loop);
    tcase_add_test(t, two_rows_side_by_side);
    suite_add_tcase(s, t);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
