/* How fast the core hands out pairs whose operands come in several ways (schedules.md 1 J):
 * -DFORM, -DROWS of each, -DUNROLL pairs in the body of a loop.  Weights are kept.  Straight
 * lines and tables are longer than the core's caches, so that WARM means: they come from the
 * shared one. */
#include "test/bench/streams/cold.h"

enum { LOOP, BASE, IN_PLACE, CONSTANTS, WIDE_TABLE, NARROW_TABLE, COMMANDS };
enum { PAIRS = 4000 };

#ifndef UNROLL
#define UNROLL 1
#endif
#ifndef ROWS
#define ROWS 16
#endif
enum { BODY = UNROLL };
#define TEXT(x) #x
#define TIMES(n, text) ".rept " TEXT(n) "\n" text ".endr\n"
#define CONSTANT(reg, x) "li " reg ", " x "\n"
#if ROWS == 16
#define OPERAND(reg, local) CONSTANT(reg, "0x00100010" local)
#else
#define OPERAND(reg, local) CONSTANT(reg, "0x00040010" local)
#endif
#define CUSTOM(funct, a, b) ".insn r 0x7b, 3, " #funct ", x0, " a ", " b "\n"

static struct { uint64_t w, c, a, d; } wide[PAIRS];
static struct { uint32_t c, a; } narrow[PAIRS];

/* Steps are 0 at run time, since the rows do not matter; tables are cold. */
static void
prepare(void)
{
    for (int i = 0; i < PAIRS; i++) {
        wide[i].w = wide[i].d = NONE;
        wide[i].c = gm_rc(ROWS, 16, GM_ACC);
        wide[i].a = gm_rc(ROWS, 16, 0);
        narrow[i].c = narrow[i].a = 0;
    }
    __asm__ volatile("" : : "r"(narrow) : "memory");     /* they may hold anything */
    fill_cache();
}

#define LINE_OF(text) \
    __asm__ volatile(text : : "r"(c), "r"(a), "r"(none), "r"(step) : "a0", "a1", "memory")

inline_always void
pair(uint64_t w, uint64_t c, uint64_t a, uint64_t d)
{
    gm_preload(w, c);
    gm_compute_accumulated(a, d);
}

static void
loops(uint64_t c, uint64_t a, uint64_t none, uint64_t step)
{
    if (FORM == LOOP) {
#pragma GCC unroll BODY
        for (int i = 0; i < PAIRS; i++) {
            pair(none, c, a, none);
            c += step;
            a += step;
        }
    } else if (FORM == WIDE_TABLE) {
#pragma GCC unroll 8
        for (int i = 0; i < PAIRS; i++)
            pair(wide[i].w, wide[i].c, wide[i].a, wide[i].d);
    } else if (FORM == NARROW_TABLE) {
#pragma GCC unroll 8
        for (int i = 0; i < PAIRS; i++)
            pair(none, c + narrow[i].c, a + narrow[i].a, none);
    } else if (FORM == COMMANDS) {
        for (int i = 0; i < PAIRS / 32; i++)
            LINE_OF(TIMES(32, CUSTOM(7, "x0", "x0")));
    }
}

static void
straight_lines(uint64_t c, uint64_t a, uint64_t none, uint64_t step)
{
    if (FORM == BASE)
        LINE_OF(TIMES(4000, "addi a0, %0, 16\n" CUSTOM(6, "%2", "a0")
            "addi a1, %1, 16\n" CUSTOM(5, "a1", "%2")));
    else if (FORM == IN_PLACE)
        LINE_OF("mv a0, %0\nmv a1, %1\n" TIMES(4000, "add a0, a0, %3\n" CUSTOM(6, "%2", "a0")
            "add a1, a1, %3\n" CUSTOM(5, "a1", "%2")));
    else if (FORM == CONSTANTS)
        LINE_OF(TIMES(4000, CONSTANT("a0", "0x00100010ffffffff") OPERAND("a1", "80000010")
            CUSTOM(6, "a0", "a1") OPERAND("a0", "00000010")
            CONSTANT("a1", "0x00100010ffffffff") CUSTOM(5, "a0", "a1")));
}

static void
kernel(void)
{
    uint64_t c = gm_rc(ROWS, 16, GM_ACC), a = gm_rc(ROWS, 16, 0), none = NONE, step = 0;

    __asm__("" : "+r"(c), "+r"(a), "+r"(none), "+r"(step));
    gm_preload(gm_rc(16, 16, 4096), c);
    gm_compute_preloaded(a, none);
    if (FORM == BASE || FORM == IN_PLACE || FORM == CONSTANTS)
        straight_lines(c, a, none, step);
    else
        loops(c, a, none, step);
}
