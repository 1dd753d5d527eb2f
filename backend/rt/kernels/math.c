/* <math.h>: roundings and square roots by the core's own instructions, the rest from
 * the functions that the compiler's references use. */
#include <math.h>

#include "src/machine/fmath.h"

#define WHOLE 0x1p52                 /* from here on every double is an integer */

/* ---- double */
double fabs(double x) { return __builtin_fabs(x); }
double copysign(double x, double sign) { return __builtin_copysign(x, sign); }

double
fmin(double x, double y)
{
    __asm__("fmin.d %0, %1, %2" : "=f"(x) : "f"(x), "f"(y));
    return x;
}

double
fmax(double x, double y)
{
    __asm__("fmax.d %0, %1, %2" : "=f"(x) : "f"(x), "f"(y));
    return x;
}

double
sqrt(double x)
{
    __asm__("fsqrt.d %0, %1" : "=f"(x) : "f"(x));
    return x;
}

/* To an integer, rounded as the instruction says; zeros keep their sign. */
#define ROUNDED(name, mode) \
    double \
    name(double x) \
    { \
        long n; \
        if (!(fabs(x) < WHOLE)) \
            return x; \
        __asm__("fcvt.l.d %0, %1, " mode : "=r"(n) : "f"(x)); \
        return copysign((double)n, x); \
    }
ROUNDED(floor, "rdn")
ROUNDED(ceil, "rup")
ROUNDED(trunc, "rtz")
ROUNDED(round, "rmm")
ROUNDED(rint, "rne")
ROUNDED(nearbyint, "rne")

long lrint(double x) { return (long)rint(x); }
long lround(double x) { return (long)round(x); }

/* ---- float: exact through double */
float fabsf(float x) { return __builtin_fabsf(x); }
float copysignf(float x, float sign) { return __builtin_copysignf(x, sign); }
float fminf(float x, float y) { return (float)fmin(x, y); }
float fmaxf(float x, float y) { return (float)fmax(x, y); }
float sqrtf(float x) { return fm_sqrt(x); }
float floorf(float x) { return (float)floor(x); }
float ceilf(float x) { return (float)ceil(x); }
float truncf(float x) { return (float)trunc(x); }
float roundf(float x) { return (float)round(x); }
float rintf(float x) { return (float)rint(x); }
float nearbyintf(float x) { return (float)rint(x); }
long lrintf(float x) { return (long)rint(x); }
long lroundf(float x) { return (long)round(x); }

float expf(float x) { return fm_exp(x); }
float logf(float x) { return fm_log(x); }
float powf(float x, float y) { return fm_pow(x, y); }
float sinf(float x) { return fm_sin(x); }
float cosf(float x) { return fm_cos(x); }
float tanhf(float x) { return fm_tanh(x); }
float erff(float x) { return fm_erf(x); }
