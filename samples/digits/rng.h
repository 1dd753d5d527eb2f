/* Random numbers of the trainer: splitmix64, the same on every machine.  Not for
 * anything that must be hard to guess. */
#ifndef DIGITS_RNG_H
#define DIGITS_RNG_H
#include <stdint.h>

struct rng {
    uint64_t state;
};

static inline uint64_t
rng_next(struct rng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline int
rng_below(struct rng *r, int n)
{
    return (int)((rng_next(r) >> 33) % (uint64_t)n);
}

static inline double
rng_unit(struct rng *r)
{
    return (double)(rng_next(r) >> 11) * 0x1p-53;
}

static inline double
rng_between(struct rng *r, double low, double high)
{
    return low + (high - low) * rng_unit(r);
}

/* Twelve uniform draws: near enough to a normal one, and free of libm, whose last
 * bit differs between versions. */
static inline double
rng_normal(struct rng *r)
{
    double sum = 0;

    for (int i = 0; i < 12; i++)
        sum += rng_unit(r);
    return sum - 6;
}

#endif
