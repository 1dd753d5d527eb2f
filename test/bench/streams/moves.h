/* Moves of an image, listed before a kernel runs: it issues the next ones when they are due
 * (schedules.md, rule 10: such a list costs nothing). */
#ifndef TEST_BENCH_STREAMS_MOVES_H
#define TEST_BENCH_STREAMS_MOVES_H
#include "test/bench/streams/cold.h"

struct move { uint64_t address, operand; };
static struct move move[8192], *last_move = move;

/* n pixels of a line, 64 bytes or `width` of each, `pitch` apart; zeros if `address` is 0. */
static void
move_pixels(uint64_t address, uint64_t pitch, uint64_t width, uint32_t local, int n)
{
    for (int i = 0; i < n; i += 16) {
        int rows = n - i < 16 ? n - i : 16;

        *last_move++ = (struct move) { address,
            gm_rc((uint64_t)rows, width, local + (uint32_t)i) };
        if (address)
            address += 16 * pitch;
    }
}

inline_always void
issue_move(struct move **m)
{
    gm_mvin((*m)->address, (*m)->operand);
    ++*m;
}

#endif
