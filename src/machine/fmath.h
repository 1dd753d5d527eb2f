/* The mathematical functions that decide results: one source for host reference and
 * target, so that both give the same bits.  Inside they compute in double with basic
 * operations only, which IEEE 754 rounds correctly everywhere; the float that comes
 * out is within one unit in the last place.  Freestanding; to be compiled without
 * contraction (-ffp-contract=off).  NaN results are always the same NaN. */
#ifndef MACHINE_FMATH_H
#define MACHINE_FMATH_H

float fm_exp(float x);
float fm_log(float x);
float fm_sqrt(float x);              /* correctly rounded */
float fm_rsqrt(float x);             /* 1 / sqrt(x) */
float fm_pow(float x, float y);      /* C's rules for zeros, infinities and signs */
float fm_sin(float x);
float fm_cos(float x);
float fm_tanh(float x);
float fm_sigmoid(float x);           /* 1 / (1 + e^-x) */
float fm_erf(float x);

#endif
