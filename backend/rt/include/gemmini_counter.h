/* The hardware's performance counters: codes, and the functions that set and read
 * them.  A value is that before the command's own effect; fence before reading. */
#ifndef GEMMINI_COUNTER_H
#define GEMMINI_COUNTER_H
#include <stddef.h>
#include <stdint.h>

#include "gm_rt.h"

#define DISABLE 0

/* ---- cycles in which something is so */
#define INCREMENTAL_COUNTERS 44
enum {
#define N(code, name) name = code,
#include "src/machine/counter.def"
#undef N
};

/* rd = value of a counter, and what else the register says. */
#define gemmini_counter_access(rd, config) gm_cmd_rd(rd, 126, (uint32_t)(config), 0)

static inline uint32_t
counter_read(size_t index)
{
    return (uint32_t)gm_counter((index & 7) << 4);
}

/* The counter counts `code` from now on, from 0. */
static inline void
counter_configure(size_t index, size_t code)
{
    uint64_t external = code > INCREMENTAL_COUNTERS;

    if (external)
        code -= INCREMENTAL_COUNTERS;
    gm_counter(external << 31 | (code & 0x3f) << 12 | (index & 7) << 4 | 8);
}

/* Reads return the values of now, until the snapshot is dropped. */
static inline void
counter_snapshot_take(void)
{
    gm_counter(4);
}

static inline void
counter_snapshot_reset(void)
{
    gm_counter(2);
}

static inline void
counter_reset(void)
{
    gm_counter(1);
}

#endif
