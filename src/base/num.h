/* Checked arithmetic for everything multiplied from a file: false on overflow. */
#ifndef BASE_NUM_H
#define BASE_NUM_H
#include <stdbool.h>
#include <stdint.h>

static inline bool num_mul(int64_t a, int64_t b, int64_t *r) { return !__builtin_mul_overflow(a, b, r); }
static inline bool num_add(int64_t a, int64_t b, int64_t *r) { return !__builtin_add_overflow(a, b, r); }
static inline int64_t num_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline int64_t num_round_up(int64_t a, int64_t b) { return num_ceil_div(a, b) * b; }
static inline int64_t num_min(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t num_max(int64_t a, int64_t b) { return a > b ? a : b; }

#endif
