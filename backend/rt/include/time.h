/* What bare-metal programs use of <time.h>: a clock that counts the core's cycles, which
 * are modelled time under the device model.  Nothing knows the date. */
#ifndef GM_TIME_H
#define GM_TIME_H
#include <stddef.h>

#include "gm_rt.h"

typedef uint64_t clock_t;
typedef int64_t time_t;

#define CLOCKS_PER_SEC 1000000000    /* as if the core ran at 1 GHz */

static inline clock_t
clock(void)
{
    return gm_cycles();
}

static inline time_t
time(time_t *t)
{
    if (t)
        *t = 0;
    return 0;
}

#endif
