/* The only rounding, saturation and scaling: host reference, device model and
 * target kernels all use these.  Formulas: gemmini-isa.md section 8 (Configs.scala
 * 75-149, AccumulatorScale.scala 118-140, Arithmetic.scala 97-111).  Freestanding. */
#ifndef MACHINE_ROUND_H
#define MACHINE_ROUND_H
#include <stdint.h>

static inline int8_t round_clip8(int64_t x)
{
    return (int8_t)(x > 127 ? 127 : x < -128 ? -128 : x);
}

static inline int32_t round_clip32(int64_t x)
{
    return (int32_t)(x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? INT32_MIN : x);
}

/* Nearest integer, ties to even, saturated to int32; NaN gives INT32_MAX (RTL).
 * Adding and subtracting 1.5 * 2^23 rounds a float below 2^22 in magnitude exactly
 * so; larger ones go through the integer part.  Needs round-to-nearest and no
 * contraction. */
#ifdef __riscv
/* The core has it as one instruction, saturation and NaN included. */
static inline int32_t round_even(float x)
{
    int64_t i;

    __asm__("fcvt.w.s %0, %1, rne" : "=r"(i) : "f"(x));
    return (int32_t)i;
}
#else
static inline int32_t round_even(float x)
{
    if (x != x)
        return INT32_MAX;
    if (x >= 2147483648.0f)
        return INT32_MAX;
    if (x < -2147483648.0f)
        return INT32_MIN;
    if (x > -4194304.0f && x < 4194304.0f) {
        volatile float t = x + 12582912.0f;      /* volatile: never folded away */
        return (int32_t)(t - 12582912.0f);
    }
    /* From 2^22 up only halves are left, and from 2^23 on nothing. */
    int32_t i = (int32_t)x;
    float rest = x - (float)i;
    if (rest == 0.5f)
        return i + (i & 1);
    if (rest == -0.5f)
        return i - (i & 1);
    return i;
}
#endif

/* Accumulator to element: int32 to float (nearest even), times scale, nearest even. */
static inline int32_t round_scale(int32_t acc, float scale)
{
    return round_even((float)acc * scale);
}
static inline int8_t round_scale8(int32_t acc, float scale)
{
    return round_clip8(round_scale(acc, scale));
}

/* Arithmetic shift right, ties to even. */
static inline int32_t round_shift(int32_t x, unsigned s)
{
    if (s == 0)
        return x;
    int32_t kept = x >> s;
    int32_t half = x >> (s - 1) & 1;
    int32_t lower = (x & ((1 << (s - 1)) - 1)) != 0;
    return kept + (half & (lower | (kept & 1)));
}

/* Real to int8: q = clip8(rne(x / scale) + zero), the ONNX QuantizeLinear. */
static inline int8_t round_quantize8(float x, float scale, int32_t zero)
{
    return round_clip8((int64_t)round_even(x / scale) + zero);
}

#endif
