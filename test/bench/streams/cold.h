/* A kernel timed as those of schedules.md were on RTL: cold, once, with its configuration
 * and its final fence.  A program defines prepare(), which is not timed, and kernel().
 * With WARM the kernel has run before.  Operands lie at fixed addresses and hold anything:
 * data does not change the time. */
#ifndef TEST_BENCH_STREAMS_COLD_H
#define TEST_BENCH_STREAMS_COLD_H
#include <stdint.h>
#include <stdio.h>

#include "gm_rt.h"

#define ACTS    UINT64_C(0x81000000)
#define WEIGHTS UINT64_C(0x82000000)
#define BIAS    UINT64_C(0x83000000)
#define OUTPUT  UINT64_C(0x84000000)
#define FOREIGN UINT64_C(0x88000000)
#define NONE    gm_rc(16, 16, GM_GARBAGE)
#define ADD_TO  (GM_ACC | GM_ACCUMULATE)
#define SCALE   0x39800000u          /* 2^-12 */
#define ONE_ROW (UINT64_C(1) << 48)  /* in an operand */
#define inline_always static inline __attribute__((always_inline))

static void prepare(void);
static void kernel(void) __attribute__((noinline));

/* 3/2 of the cache's size, of clean lines that nobody wants. */
static void
fill_cache(void)
{
    gm_config_ld(0, 64, 16, 0);
    for (uint64_t i = 0; i < 768; i++) {
        if (i % 256 == 0)
            gm_fence();
        gm_mvin(FOREIGN + i * 1024, gm_rc(16, 64, i % 256 * 64));
    }
    gm_fence();
}

int
main(void)
{
    uint64_t from;

    gm_config_ex(1);
    gm_flush();
    fill_cache();
    prepare();
#ifdef WARM
    kernel();
#endif
    gm_fence();
    __asm__ volatile("fence.i");
    from = gm_cycles();
    kernel();
    gm_fence();
    printf("cycles %lu\n", (unsigned long)(gm_cycles() - from));
    return 0;
}

/* Weights w and n pairs: results from c in steps of 64 rows, the other operand from a in
 * steps of `step`. */
inline_always void
run(uint64_t w, uint64_t c, uint64_t a, uint64_t step, int n)
{
    const uint64_t none = NONE;

    gm_preload(w, c);
    gm_compute_preloaded(a, none);
    while (--n) {
        c += 64;
        a += step;
        gm_preload(none, c);
        gm_compute_accumulated(a, none);
    }
}

#endif
