/* See fmath.h.  Errors named in comments are relative and of the double before it
 * is rounded to float, where 6e-8 is one unit in the last place. */
#include "src/machine/fmath.h"

#include <stdint.h>

#define NAN_RESULT __builtin_nanf("")
#define INFINITE __builtin_inff()

static const double ln2 = 0.69314718055994530942;
static const double log2e = 1.44269504088896340736;

static uint64_t
bits_of(double x)
{
    uint64_t u;

    __builtin_memcpy(&u, &x, sizeof u);
    return u;
}

static double
of_bits(uint64_t u)
{
    double x;

    __builtin_memcpy(&x, &u, sizeof x);
    return x;
}

/* Nearest integer, ties to even, of a number below 2^51 in magnitude. */
static double
nearest(double x)
{
    const double big = 6755399441055744.0;       /* 1.5 * 2^52 */

    return (x + big) - big;
}

/* The target has instructions; a call of libm's function would be in the way there. */
static double
root(double x)
{
#ifdef __riscv
    double r;

    __asm__("fsqrt.d %0, %1" : "=f"(r) : "f"(x));
    return r;
#else
    return __builtin_sqrt(x);
#endif
}

/* ---- exp and log */

/* e^x for |x| <= 700: 2^n times the series of what is left, 3e-13. */
static double
exponential(double x)
{
    static const double c[] = {
        1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120,
        1.0 / 24, 1.0 / 6, 0.5, 1, 1
    };
    double n = nearest(x * log2e), r = x - n * ln2, y = c[0];

    for (int i = 1; i < 11; i++)
        y = y * r + c[i];
    return y * of_bits((uint64_t)((int64_t)n + 1023) << 52);
}

/* ln x for positive, finite x: with m between sqrt(1/2) and sqrt(2) and
 * s = (m - 1) / (m + 1), ln m = 2 (s + s^3/3 + ...), 1e-15 after ten terms. */
static double
logarithm(double x)
{
    uint64_t u = bits_of(x) + (UINT64_C(0x3ff0000000000000) - UINT64_C(0x3fe6a09e667f3bcd));
    double n = (double)((int64_t)(u >> 52) - 1023);
    double m = of_bits((u & UINT64_C(0xfffffffffffff)) + UINT64_C(0x3fe6a09e667f3bcd));
    double s = (m - 1) / (m + 1), q = s * s, y = 1.0 / 19;

    y = y * q + 1.0 / 17;
    y = y * q + 1.0 / 15;
    y = y * q + 1.0 / 13;
    y = y * q + 1.0 / 11;
    y = y * q + 1.0 / 9;
    y = y * q + 1.0 / 7;
    y = y * q + 1.0 / 5;
    y = y * q + 1.0 / 3;
    y = y * q + 1;
    return n * ln2 + 2 * s * y;
}

float
fm_exp(float x)
{
    if (x != x)
        return NAN_RESULT;
    if (x > 89)
        return INFINITE;
    if (x < -104)
        return 0;
    return (float)exponential((double)x);
}

float
fm_log(float x)
{
    if (x != x || x < 0)
        return NAN_RESULT;
    if (x == 0)
        return -INFINITE;
    if (x == INFINITE)
        return x;
    return (float)logarithm((double)x);
}

/* ---- roots and powers */

float
fm_sqrt(float x)
{
    if (x != x || x < 0)
        return NAN_RESULT;
    /* A double has more than twice the digits: rounding twice does no harm. */
    return (float)root((double)x);
}

float
fm_rsqrt(float x)
{
    if (x != x || x < 0)
        return NAN_RESULT;
    if (x == 0)
        return 1 / x;
    return (float)(1 / root((double)x));
}

/* 0: no integer, 1: odd, 2: even. */
static int
parity(float y)
{
    float a = y < 0 ? -y : y;

    if (!(a < 16777216.0f))          /* NaN too: no int holds it */
        return 2;
    if (a != (float)(int32_t)a)
        return 0;
    return (int32_t)a & 1 ? 1 : 2;
}

/* x > 0 and finite, y finite. */
static float
power(double x, double y)
{
    double t = y * logarithm(x);

    if (t > 89)
        return INFINITE;
    if (t < -104)
        return 0;
    return (float)exponential(t);
}

float
fm_pow(float x, float y)
{
    float a = x < 0 ? -x : x, sign = 1, r;
    int p = parity(y);

    if (y == 0 || x == 1)
        return 1;
    if (x != x || y != y)
        return NAN_RESULT;
    if (x == 0)
        a = 0;                       /* also for -0 */
    if (y == INFINITE || y == -INFINITE) {
        if (a == 1)
            return 1;
        return (a > 1) == (y > 0) ? INFINITE : 0;
    }
    if (__builtin_signbit(x) && p == 1)
        sign = -1;
    if (a == 0 || a == INFINITE)
        return sign * ((a == 0) == (y > 0) ? 0 : INFINITE);
    if (x < 0 && p == 0)
        return NAN_RESULT;
    r = power((double)a, (double)y);
    return sign * r;
}

/* ---- sine and cosine */

/* Angles of 2^25 and more: 2/pi times the float's integer, of which only 96 bits of
 * 2/pi matter; those before give whole turns.  Quadrant, and the rest as an angle. */
static double
reduce_large(double x, unsigned *quadrant)
{
    static const uint32_t two_over_pi[] = {
        0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0,
        0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561,
    };
    uint64_t u = bits_of(x);
    uint64_t m = (u & UINT64_C(0xfffffffffffff)) >> 29 | UINT64_C(1) << 23;
    int first = (int)(u >> 52 & 0x7ff) - 1023 - 23 - 2;  /* bits of 2/pi to leave out */
    uint64_t w[3], low, mid, high;
    double r;

    for (int i = 0; i < 3; i++) {
        int at = (first >> 5) + i, s = first & 31;
        w[i] = (two_over_pi[at] << s | (s ? two_over_pi[at + 1] >> (32 - s) : 0)) & 0xffffffffu;
    }
    /* The product's low 96 bits, in three words; two of them are the quadrant. */
    low = w[2] * m;
    mid = w[1] * m + (low >> 32);
    high = (w[0] * m + (mid >> 32)) & 0xffffffffu;
    *quadrant = (unsigned)(high >> 30);
    r = (double)((high & 0x3fffffffu) << 32 | (mid & 0xffffffffu)) * 0x1p-62
        + (double)(low & 0xffffffffu) * 0x1p-94;
    if (r > 0.5) {
        r -= 1;
        *quadrant = (*quadrant + 1) & 3;
    }
    return r * 1.57079632679489661923;
}

/* x >= 0.  Below 2^25 the quadrant number times the first part of pi/2 is exact. */
static double
reduce(double x, unsigned *quadrant)
{
    const double part1 = 0x1.921fb5p+0;          /* pi/2 in 25 bits, and the rest */
    const double part2 = 0x1.110b46p-26;
    const double part3 = 0x1.1a62633145c07p-54;
    double n;

    if (x >= 33554432.0)
        return reduce_large(x, quadrant);
    n = nearest(x * 0.63661977236758134308);
    *quadrant = (unsigned)((uint64_t)n & 3);
    return ((x - n * part1) - n * part2) - n * part3;
}

static double
sine(double r)
{
    double q = r * r, y = 1.0 / 6227020800.0;

    y = y * q - 1.0 / 39916800;
    y = y * q + 1.0 / 362880;
    y = y * q - 1.0 / 5040;
    y = y * q + 1.0 / 120;
    y = y * q - 1.0 / 6;
    return r + r * q * y;
}

static double
cosine(double r)
{
    double q = r * r, y = -1.0 / 87178291200.0;

    y = y * q + 1.0 / 479001600;
    y = y * q - 1.0 / 3628800;
    y = y * q + 1.0 / 40320;
    y = y * q - 1.0 / 720;
    y = y * q + 1.0 / 24;
    y = y * q - 0.5;
    return 1 + q * y;
}

/* The sine of an angle `ahead` quadrants further on. */
static float
wave(double x, unsigned ahead)
{
    unsigned quadrant;
    double r = reduce(x, &quadrant), y;

    quadrant = (quadrant + ahead) & 3;
    y = quadrant & 1 ? cosine(r) : sine(r);
    return (float)(quadrant & 2 ? -y : y);
}

float
fm_sin(float x)
{
    if (!(x > -INFINITE && x < INFINITE))
        return NAN_RESULT;
    if (x == 0)
        return x;
    return x < 0 ? -wave(-(double)x, 0) : wave((double)x, 0);
}

float
fm_cos(float x)
{
    if (!(x > -INFINITE && x < INFINITE))
        return NAN_RESULT;
    return wave(x < 0 ? -(double)x : (double)x, 1);
}

/* ---- sigmoids */

float
fm_sigmoid(float x)
{
    double e;

    if (x != x)
        return NAN_RESULT;
    if (x > 110)
        return 1;
    if (x < -110)
        return 0;
    e = exponential((double)(x < 0 ? x : -x));
    return (float)(x < 0 ? e / (1 + e) : 1 / (1 + e));
}

/* Small arguments by a continued fraction, 1e-15 at 0.5; the others through exp. */
float
fm_tanh(float x)
{
    double a = x < 0 ? -(double)x : (double)x, y;

    if (x != x)
        return NAN_RESULT;
    if (x == 0)
        return x;
    if (a < 0.5) {
        double q = a * a;
        y = a / (1 + q / (3 + q / (5 + q / (7 + q / (9 + q / 11)))));
    } else if (a < 10) {
        y = 1 - 2 / (exponential(2 * a) + 1);
    } else {
        y = 1;
    }
    return (float)(x < 0 ? -y : y);
}

/* erf from 0.5 on: its Taylor series about the centres of intervals one half wide, 4e-11
 * at their ends (c[k][0] = erf(m), m = 0.75 + k/2). */
static const double erf_series[7][12] = {
    { 0.71115563365351508,
      0.64293106919520737, -0.4821983018964055, 0.026788794549800304,
      0.15068696934262671, -0.053242729167728105, -0.026872509532768433,
      0.018435235177909452, 0.0023017883040209273, -0.00396826044637477,
      0.00018603225735249506, 0.00062398367431325849 },
    { 0.92290012825645829,
      0.23652112244729079, -0.29565140305911347, 0.16753579506683097,
      -0.0061594042303981973, -0.047181036404850191, 0.021301272963460433,
      0.0036259826094427483, -0.0056976780576209517, 0.00087763617528084105,
      0.00079351149975684777, -0.00032395671499069396 },
    { 0.98667167121918242,
      0.052774995930150372, -0.092356242877763159, 0.090157284714006886,
      -0.048102209832168313, 0.0066243614683157504, 0.0089630450987273624,
      -0.0060587514703912401, 0.00073005124714030443, 0.00089418174535484498,
      -0.00044275049925469434, -5.4454903861173541e-06 },
    { 0.99853728341331882,
      0.0071423190220179832, -0.016070217799540463, 0.021724553691971366,
      -0.019083383636954297, 0.010657679165667459, -0.0029043570710627813,
      -0.00067045596995189271, 0.00099949371261139281, -0.00036938041770393946,
      -1.1466583164141507e-05, 6.5134943282338893e-05 },
    { 0.99989937807788032,
      0.00058627724709379232, -0.0016122624295079289, 0.0027603887050666057,
      -0.0032581136596306062, 0.0027558084140736853, -0.0016573274036660499,
      0.00064604095667244738, -8.9011571212439781e-05, -7.1223114723151571e-05,
      5.4996992424389331e-05, -1.5843804712042587e-05 },
    { 0.99999569722053627,
      2.9189025383581702e-05, -9.4864332496640523e-05, 0.00019580971194819392,
      -0.00028656933775026826, 0.00031379722549089054, -0.00026352850421505991,
      0.0001699914145113912, -8.1647630530135373e-05, 2.5913847005660593e-05,
      -2.328866237210874e-06, -2.864299460756217e-06 },
    { 0.99999988627274339,
      8.8143219123180394e-07, -3.3053707171192649e-06, 7.9696160623875607e-06,
      -1.3841239877936921e-05, 1.8370974998189114e-05, -1.9272721446953215e-05,
      1.627530274121437e-05, -1.1128227438398495e-05, 6.1088806656515087e-06,
      -2.6033089546344541e-06, 7.7534836014415378e-07 },
};

/* Below 0.5: 2/sqrt(pi) times the sum of (-1)^n x^(2n+1) / (n! (2n+1)), 1e-13. */
static double
erf_small(double x)
{
    static const double c[] = {
        1.0 / 6894720, -1.0 / 685440, 1.0 / 75600, -1.0 / 9360, 1.0 / 1320, -1.0 / 216,
        1.0 / 42, -1.0 / 10, 1.0 / 3, -1
    };
    double q = x * x, y = c[0];

    for (int i = 1; i < 10; i++)
        y = y * q + c[i];
    return -1.12837916709551257390 * x * y;
}

float
fm_erf(float x)
{
    double a = x < 0 ? -(double)x : (double)x, y = 1;

    if (x != x)
        return NAN_RESULT;
    if (x == 0)
        return x;
    if (a < 0.5) {
        y = erf_small(a);
    } else if (a < 4) {
        int k = (int)(a * 2) - 1;
        double r = a - (0.75 + 0.5 * k);
        y = erf_series[k][11];
        for (int i = 10; i >= 0; i--)
            y = y * r + erf_series[k][i];
    }
    return (float)(x < 0 ? -y : y);
}
