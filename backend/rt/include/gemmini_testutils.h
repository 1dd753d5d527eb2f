/* What test programs for Gemmini take beside its commands. */
#ifndef GEMMINI_TESTUTILS_H
#define GEMMINI_TESTUTILS_H
#include <assert.h>

#include "gemmini.h"

/* Modelled time under the device model, the core's cycles elsewhere. */
static inline uint64_t
read_cycles(void)
{
    return gm_cycles();
}

#endif
