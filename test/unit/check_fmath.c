/* The mathematical functions against libm's in double: 1 unit in the last place
 * everywhere, exact where the result is a number of few digits. */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "src/machine/fmath.h"
#include "test/unit/tap.h"

static float
of_bits(uint32_t u)
{
    float x;

    memcpy(&x, &u, sizeof x);
    return x;
}

/* Floats in order as integers. */
static int64_t
place(float x)
{
    int32_t i;

    memcpy(&i, &x, sizeof i);
    return i < 0 ? (int64_t)INT32_MIN - i : i;
}

static bool
close_to(float got, float want)
{
    if (want != want)
        return got != got;
    return got == got && llabs(place(got) - place(want)) <= 1;
}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double rsqrt(double x) { return 1 / sqrt(x); }

static const struct { const char *name; float (*ours)(float); double (*want)(double); } table[] = {
    { "exp", fm_exp, exp }, { "log", fm_log, log }, { "sqrt", fm_sqrt, sqrt },
    { "rsqrt", fm_rsqrt, rsqrt }, { "sin", fm_sin, sin }, { "cos", fm_cos, cos },
    { "tanh", fm_tanh, tanh }, { "sigmoid", fm_sigmoid, sigmoid }, { "erf", fm_erf, erf },
};

/* One float in 6007, of all there are; every special one. */
START_TEST(everywhere)
{
    static const float special[] = { 0, -0.0f, 1, -1, 0.5f, 4, INFINITY, -INFINITY, NAN,
        0x1p-149f, 0x1.fffffep+127f, 33554432.0f, 0x1.000002p+25f, 88.72284f, -103.97208f, -87.4f };

    for (uint64_t i = 0; i < UINT64_C(1) << 32; i += 6007) {
        float x = of_bits((uint32_t)i), y = table[_i].ours(x);
        if (!close_to(y, (float)table[_i].want((double)x)))
            ck_abort_msg("%s(%a) = %a", table[_i].name, (double)x, (double)y);
    }
    for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
        float x = special[i], y = table[_i].ours(x), want = (float)table[_i].want((double)x);
        ck_assert_msg(close_to(y, want) && (want != want || signbit(y) == signbit(want)),
            "%s(%a) = %a", table[_i].name, (double)x, (double)y);
    }
}
END_TEST

START_TEST(roots)
{
    for (uint32_t i = 0; i < 0x7f800000; i += 3001)
        if (place(fm_sqrt(of_bits(i))) != place(sqrtf(of_bits(i))))
            ck_abort_msg("sqrt(%a)", (double)of_bits(i));
}
END_TEST

START_TEST(powers)
{
    static const float v[] = { 0, -0.0f, 1, -1, 2, -2, 3, -3, 0.5f, -0.5f, 1.5f, INFINITY,
        -INFINITY, NAN, 1e38f, 1e-45f, 16777216, -16777215, 33554432, 7, -0.1f };
    enum { N = sizeof v / sizeof *v };
    uint64_t seed = 1;

    for (int i = 0; i < N * N + 300000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        float x = i < N * N ? v[i / N] : of_bits((uint32_t)(seed >> 32) & 0x7fffffff);
        float y = i < N * N ? v[i % N] : (float)((int)(seed >> 40 & 4095) - 2048) / 64;
        float got = fm_pow(x, y), want = (float)pow((double)x, (double)y);
        if (!close_to(got, want) || (want == want && signbit(got) != signbit(want)))
            ck_abort_msg("pow(%a, %a) = %a", (double)x, (double)y, (double)got);
    }
    ck_assert(fm_pow(3, 4) == 81 && fm_pow(10, -1) == 0.1f && fm_pow(-2, 3) == -8);
}
END_TEST

/* Host and target must give the same bits: these are the target's too (test/run). */
START_TEST(same_nan)
{
    float y[] = { fm_log(-1), fm_sqrt(-1), fm_exp(NAN), fm_pow(-1, 0.5f), fm_sin(INFINITY) };

    for (int i = 0; i < 5; i++) {
        uint32_t u;
        memcpy(&u, &y[i], sizeof u);
        ck_assert_uint_eq(u, 0x7fc00000);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("fmath");
    TCase *t = tcase_create("fmath");

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, everywhere, 0, (int)(sizeof table / sizeof *table));
    tcase_add_test(t, roots);
    tcase_add_test(t, powers);
    tcase_add_test(t, same_nan);
    suite_add_tcase(s, t);
    return tap_run(s);
}
