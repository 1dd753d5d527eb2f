/* See sim_exact.h.  A fixed-point number of 640 bits holds any product and sum of
 * floats: its last bit is worth 2^-300, less than the product of the smallest two. */
#include <string.h>

#include "test/sim_exact.h"

enum { WORDS = 10, POINT = 300 };

const struct format exact_f32 = { 24, 127 }, exact_f16 = { 11, 15 }, exact_bf16 = { 8, 127 };

struct wide { uint64_t w[WORDS]; };

static int
low_exponent(const struct format *f)
{
    return 1 - f->high;
}

/* Bits of the exponent's field, all ones. */
static uint32_t
top_field(const struct format *f)
{
    return (uint32_t)(2 * f->high + 1);
}

static uint32_t
sign_bit(const struct format *f)
{
    return (top_field(f) + 1) << (f->sig - 1);
}

struct exact
exact_of(uint32_t bits, const struct format *f)
{
    uint32_t hidden = UINT32_C(1) << (f->sig - 1), m = bits & (hidden - 1);
    uint32_t field = bits >> (f->sig - 1) & top_field(f);
    struct exact x = { EXACT_NUMBER, bits & sign_bit(f), m, 0 };

    if (field == top_field(f))
        x.kind = m ? EXACT_NONE : EXACT_INFINITE;
    x.e = low_exponent(f) - (f->sig - 1);
    if (field) {
        x.m += hidden;
        x.e += (int)field - 1;
    }
    return x;
}

/* ---- fixed point */

static bool
bit(const struct wide *x, int at)
{
    return at >= 0 && x->w[at / 64] >> at % 64 & 1;
}

/* m * 2^e */
static struct wide
place(uint64_t m, int e)
{
    struct wide x = { { 0 } };
    int at = (e + POINT) / 64, by = (e + POINT) % 64;

    x.w[at] = m << by;
    if (by && m >> (64 - by))
        x.w[at + 1] = m >> (64 - by);
    return x;
}

/* Any of the bits below. */
static bool
below(const struct wide *x, int end)
{
    for (int i = 0; i < end / 64; i++)
        if (x->w[i])
            return true;
    return end > 0 && x->w[end / 64] & ((UINT64_C(1) << end % 64) - 1);
}

static struct wide
add(const struct wide *a, const struct wide *b)
{
    struct wide s;
    uint64_t carry = 0;

    for (int i = 0; i < WORDS; i++) {
        uint64_t half = a->w[i] + carry;
        carry = half < carry;
        s.w[i] = half + b->w[i];
        carry += s.w[i] < half;
    }
    return s;
}

static struct wide
minus(const struct wide *a)
{
    static const struct wide one = { { 1 } };
    struct wide x;

    for (int i = 0; i < WORDS; i++)
        x.w[i] = ~a->w[i];
    return add(&x, &one);
}

static int
top_bit(const struct wide *x)
{
    for (int i = 64 * WORDS - 1; i >= 0; i--) {
        if (!x->w[i / 64])
            i -= 63;                 /* a word of zeros */
        else if (bit(x, i))
            return i;
    }
    return -1;
}

/* ---- rounding */

static uint32_t
infinite(bool neg, const struct format *f)
{
    return top_field(f) << (f->sig - 1) | (neg ? sign_bit(f) : 0);
}

/* Positive and quiet. */
static uint32_t
none(const struct format *f)
{
    return infinite(false, f) | UINT32_C(1) << (f->sig - 2);
}

static uint32_t
nearest(const struct wide *x, bool neg, const struct format *f)
{
    int top = top_bit(x), e = top - POINT, last;
    uint32_t kept = 0;

    if (e < low_exponent(f))
        e = low_exponent(f);
    last = e - (f->sig - 1) + POINT;
    for (int i = f->sig - 1; i >= 0; i--)
        kept = kept << 1 | bit(x, last + i);
    if (bit(x, last - 1) && (below(x, last - 1) || kept & 1))
        kept++;
    if (kept == UINT32_C(1) << f->sig) {
        kept >>= 1;
        e++;
    }
    if (e > f->high)
        return infinite(neg, f);
    if (kept >> (f->sig - 1))        /* the hidden bit adds one to the field */
        kept += (uint32_t)(e - low_exponent(f)) << (f->sig - 1);
    return kept | (neg ? sign_bit(f) : 0);
}

/* ---- what is asked */

static bool
is_zero(struct exact a)
{
    return a.kind == EXACT_NUMBER && !a.m;
}

uint32_t
exact_fma(struct exact a, struct exact b, struct exact c, const struct format *f)
{
    bool neg = a.minus != b.minus;
    bool big = a.kind == EXACT_INFINITE || b.kind == EXACT_INFINITE;
    struct wide p, q, s;

    if (a.kind == EXACT_NONE || b.kind == EXACT_NONE || c.kind == EXACT_NONE)
        return none(f);
    if (big && (is_zero(a) || is_zero(b)))
        return none(f);
    if (big)
        return c.kind == EXACT_INFINITE && c.minus != neg ? none(f) : infinite(neg, f);
    if (c.kind == EXACT_INFINITE)
        return infinite(c.minus, f);
    p = place(a.m * b.m, a.e + b.e);
    q = place(c.m, c.e);
    if (neg)
        p = minus(&p);
    if (c.minus)
        q = minus(&q);
    s = add(&p, &q);
    if (top_bit(&s) < 0)             /* a sum of equal signs keeps it, others are +0 */
        return neg && c.minus ? sign_bit(f) : 0;
    neg = bit(&s, 64 * WORDS - 1);
    if (neg)
        s = minus(&s);
    return nearest(&s, neg, f);
}

uint32_t
exact_mul(struct exact a, struct exact b, const struct format *f)
{
    return exact_fma(a, b, (struct exact) { .minus = true }, f);
}

uint32_t
exact_add(struct exact a, struct exact b, const struct format *f)
{
    return exact_fma(a, (struct exact) { .m = 1 }, b, f);
}

uint32_t
exact_round(struct exact a, const struct format *f)
{
    return exact_mul(a, (struct exact) { .m = 1 }, f);
}

bool
exact_greater(struct exact a, struct exact b)
{
    struct wide p, q;

    if (a.kind == EXACT_NONE || b.kind == EXACT_NONE)
        return false;
    if (a.kind == EXACT_INFINITE || b.kind == EXACT_INFINITE) {
        int x = a.kind == EXACT_INFINITE ? (a.minus ? -1 : 1) : 0;
        int y = b.kind == EXACT_INFINITE ? (b.minus ? -1 : 1) : 0;
        return x > y;
    }
    p = place(a.m, a.e);
    q = place(b.m, b.e);
    if (a.minus)
        p = minus(&p);
    if (!b.minus)
        q = minus(&q);
    p = add(&p, &q);
    return top_bit(&p) >= 0 && !bit(&p, 64 * WORDS - 1);
}
