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
