/* Floating point by integers wide enough to be exact, for judging the device model:
 * operands as bits, one rounding at the end, bit by bit.  Slow, and shares no code
 * with sim/. */
#ifndef TEST_SIM_EXACT_H
#define TEST_SIM_EXACT_H
#include <stdbool.h>
#include <stdint.h>

/* Significant bits, the hidden one included, and the largest exponent. */
struct format { int sig, high; };
extern const struct format exact_f32, exact_f16, exact_bf16;

/* A number that bits mean: m * 2^e, or something else. */
struct exact {
    enum { EXACT_NUMBER, EXACT_INFINITE, EXACT_NONE } kind;
    bool minus;
    uint64_t m;
    int e;
};

struct exact exact_of(uint32_t bits, const struct format *f);
/* The bits of a * b + c, of a * b, of a + b and of a, to nearest even. */
uint32_t exact_fma(struct exact a, struct exact b, struct exact c, const struct format *f);
uint32_t exact_mul(struct exact a, struct exact b, const struct format *f);
uint32_t exact_add(struct exact a, struct exact b, const struct format *f);
uint32_t exact_round(struct exact a, const struct format *f);
/* False if either is none. */
bool exact_greater(struct exact a, struct exact b);

#endif
