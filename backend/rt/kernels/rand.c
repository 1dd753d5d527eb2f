/* rand() of <stdlib.h>, by itself: programs that come with Gemmini define their own. */
#include <stdint.h>
#include <stdlib.h>

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
