/* One of the fences that ordering needs is left out: MODE says which. */
#include <string.h>

#include "gemmini.h"

static elem_t a[DIM][DIM] row_align(1), c[DIM][DIM] row_align(1);
static volatile elem_t sink;

__attribute__((noinline)) static void
fill(elem_t x)
{
    memset(a, x, sizeof a);
}

__attribute__((noinline)) static void
look(void)
{
    sink = c[3][2];
}

int
main(void)
{
    gemmini_config_ld(DIM);
    gemmini_config_st(DIM);
    fill(1);
    if (MODE != 0)
        gemmini_fence();
    gemmini_mvin(a, 0);
    if (MODE == 1)
        fill(2);
    gemmini_mvout(c, 0);
    if (MODE != 2)
        gemmini_fence();
    look();
    gemmini_fence();
    return 0;
}
