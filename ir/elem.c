/* Elements of packed tensors, one at a time: int4 nibbles (low one first), the
 * small floats, saturation.  Nothing here is fast. */
#include <math.h>
#include <string.h>

#include "ir/elem.h"

static uint32_t
bits_of(float f)
{
    uint32_t u;

    memcpy(&u, &f, sizeof u);
    return u;
}

static float
float_of(uint32_t u)
{
    float f;

    memcpy(&f, &u, sizeof f);
    return f;
}

float
elem_from_f16(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    uint32_t exp = h >> 10 & 31u, man = h & 0x3ffu;

    if (exp == 31)
        return float_of(sign | 0x7f800000u | man << 13);
    if (exp)
        return float_of(sign | (exp + 112) << 23 | man << 13);
    float f = (float)man * 0x1p-24f; /* subnormal or zero */
    return float_of(sign | bits_of(f));
}

uint16_t
elem_to_f16(float f)
{
    uint32_t u = bits_of(f), mag = u & 0x7fffffffu;
    uint32_t sign = u >> 16 & 0x8000u;

    if (mag > 0x7f800000u)
        return (uint16_t)(sign | 0x7e00u | (mag >> 13 & 0x3ffu));
    if (mag >= 0x477ff000u) /* rounds up past 65504 */
        return (uint16_t)(sign | 0x7c00u);
    if (mag < 0x38800000u) { /* subnormal: adding 0.5 aligns it */
        uint32_t r = bits_of(float_of(mag) + 0.5f);
        return (uint16_t)(sign | (r - 0x3f000000u));
    }
    uint32_t odd = mag >> 13 & 1u;
    return (uint16_t)(sign | (mag + 0xc8000fffu + odd) >> 13);
}

float
elem_from_bf16(uint16_t h)
{
    return float_of((uint32_t)h << 16);
}

uint16_t
elem_to_bf16(float f)
{
    uint32_t u = bits_of(f);

    if ((u & 0x7fffffffu) > 0x7f800000u)
        return (uint16_t)(u >> 16 | 0x40u);
    return (uint16_t)((u + 0x7fffu + (u >> 16 & 1u)) >> 16);
}

bool
elem_limits(enum dtype dt, int64_t *lo, int64_t *hi)
{
    int bits = dtype_bits(dt);

    *lo = *hi = 0;
    if (dt == DT_BOOL) {
        *hi = 1;
        return true;
    }
    if (!dtype_is_int(dt))
        return false;
    if (dtype_is_signed(dt)) {
        *lo = bits == 64 ? INT64_MIN : -((int64_t)1 << (bits - 1));
        *hi = bits == 64 ? INT64_MAX : ((int64_t)1 << (bits - 1)) - 1;
    } else {
        *hi = bits == 64 ? INT64_MAX : ((int64_t)1 << bits) - 1;
    }
    return true;
}

/* Tensors in a file need not be aligned. */
#define LOAD(T, p, i) \
    (__extension__({ \
        T x_; \
        memcpy(&x_, (const char *)(p) + (size_t)(i) * sizeof x_, sizeof x_); \
        x_; \
    }))

double
elem_real(enum dtype dt, const void *p, int64_t i)
{
    switch (dt) {
    case DT_F32:
        return (double)LOAD(float, p, i);
    case DT_F64:
        return LOAD(double, p, i);
    case DT_F16:
        return (double)elem_from_f16(LOAD(uint16_t, p, i));
    case DT_BF16:
        return (double)elem_from_bf16(LOAD(uint16_t, p, i));
    case DT_U64:
        return (double)LOAD(uint64_t, p, i);
    default:
        return (double)elem_int(dt, p, i);
    }
}

static int64_t
cut(double x)
{
    if (x != x)
        return 0;
    if (x >= 0x1p63)
        return INT64_MAX;
    return x < -0x1p63 ? INT64_MIN : (int64_t)x;
}

int64_t
elem_int(enum dtype dt, const void *p, int64_t i)
{
    switch (dt) {
    case DT_I4:
    case DT_U4: {
        unsigned byte = ((const uint8_t *)p)[i / 2];
        int x = (int)(i % 2 ? byte >> 4 : byte & 15u);
        return dt == DT_I4 && x > 7 ? x - 16 : x;
    }
    case DT_BOOL:
        return ((const uint8_t *)p)[i] != 0;
    case DT_I8:
        return ((const int8_t *)p)[i];
    case DT_U8:
        return ((const uint8_t *)p)[i];
    case DT_I16:
        return LOAD(int16_t, p, i);
    case DT_U16:
        return LOAD(uint16_t, p, i);
    case DT_I32:
        return LOAD(int32_t, p, i);
    case DT_U32:
        return LOAD(uint32_t, p, i);
    case DT_I64:
        return LOAD(int64_t, p, i);
    case DT_U64: {
        uint64_t u = LOAD(uint64_t, p, i);
        return u > INT64_MAX ? INT64_MAX : (int64_t)u;
    }
    case DT_F16:
    case DT_BF16:
    case DT_F32:
    case DT_F64:
        return cut(elem_real(dt, p, i));
    default:
        return 0;
    }
}

static void
store(void *p, int64_t i, const void *x, size_t size)
{
    memcpy((char *)p + (size_t)i * size, x, size);
}

void
elem_put_int(enum dtype dt, void *p, int64_t i, int64_t x)
{
    int64_t lo, hi;

    if (!elem_limits(dt, &lo, &hi)) {
        elem_put_real(dt, p, i, (double)x);
        return;
    }
    if (dt == DT_BOOL)
        x = x != 0;
    x = x < lo ? lo : x > hi ? hi : x;
    if (dtype_bits(dt) == 4) {
        uint8_t *byte = (uint8_t *)p + i / 2;
        unsigned nib = (unsigned)x & 15u;
        *byte = (uint8_t)(i % 2 ? (*byte & 15u) | nib << 4 : (*byte & 0xf0u) | nib);
        return;
    }
    switch (dtype_bits(dt)) {
    case 8: {
        uint8_t u = (uint8_t)x;
        store(p, i, &u, 1);
        break;
    }
    case 16: {
        uint16_t u = (uint16_t)x;
        store(p, i, &u, 2);
        break;
    }
    case 32: {
        uint32_t u = (uint32_t)x;
        store(p, i, &u, 4);
        break;
    }
    default:
        store(p, i, &x, 8);
    }
}

void
elem_put_real(enum dtype dt, void *p, int64_t i, double x)
{
    int64_t lo, hi;

    if (elem_limits(dt, &lo, &hi)) {
        if (dt == DT_BOOL)
            x = x != 0;
        elem_put_int(dt, p, i, cut(rint(x)));
        return;
    }
    float f = (float)x;
    uint16_t h;
    switch (dt) {
    case DT_F32:
        store(p, i, &f, 4);
        break;
    case DT_F64:
        store(p, i, &x, 8);
        break;
    case DT_F16:
        h = elem_to_f16(f);
        store(p, i, &h, 2);
        break;
    case DT_BF16:
        h = elem_to_bf16(f);
        store(p, i, &h, 2);
        break;
    default:
        break;
    }
}
