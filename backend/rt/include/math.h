/* What bare-metal programs use of <math.h>.  Functions of double are only those that
 * are exact, or rounded correctly; the others are the runtime's own of float. */
#ifndef GM_MATH_H
#define GM_MATH_H

#ifdef __cplusplus
extern "C" {
#endif

#define HUGE_VAL  __builtin_huge_val()
#define HUGE_VALF __builtin_huge_valf()
#define INFINITY  __builtin_inff()
#define NAN       __builtin_nanf("")
#define M_PI      3.14159265358979323846
#define M_E       2.7182818284590452354

#define isnan(x)    __builtin_isnan(x)
#define isinf(x)    (__builtin_isinf_sign(x) != 0)
#define isfinite(x) __builtin_isfinite(x)
#define signbit(x)  __builtin_signbit(x)

double fabs(double x);
double copysign(double x, double sign);
double fmin(double x, double y);
double fmax(double x, double y);
double sqrt(double x);
double floor(double x);
double ceil(double x);
double trunc(double x);
double round(double x);              /* ties away from 0 */
double rint(double x);               /* ties to even */
double nearbyint(double x);
long lrint(double x);
long lround(double x);

float fabsf(float x);
float copysignf(float x, float sign);
float fminf(float x, float y);
float fmaxf(float x, float y);
float sqrtf(float x);
float floorf(float x);
float ceilf(float x);
float truncf(float x);
float roundf(float x);
float rintf(float x);
float nearbyintf(float x);
long lrintf(float x);
long lroundf(float x);

float expf(float x);
float logf(float x);
float powf(float x, float y);
float sinf(float x);
float cosf(float x);
float tanhf(float x);
float erff(float x);

#ifdef __cplusplus
}
#endif
#endif
