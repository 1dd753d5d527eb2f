/* The few functions of <stdlib.h>. */
#include <stdlib.h>

#include "gm_rt.h"

void
exit(int code)
{
    gm_exit(code);
}

void
abort(void)
{
    gm_exit(GM_EXIT_TRAP);
}

int
abs(int x)
{
    return x < 0 ? -x : x;
}

long
labs(long x)
{
    return x < 0 ? -x : x;
}

static uint64_t state = 1;

void
srand(unsigned seed)
{
    state = seed;
}

int
rand(void)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)(state >> 33);
}
