/* Arrays of float16, whose mvin scale is a float16 too. */
#define SIG 11
#define HIGH 15
#include "sim/half.h"

/* The lower half of its field. */
static float
load_scale(uint32_t bits)
{
    uint16_t low = (uint16_t)bits;

    return decode(&low, 0);
}

const struct arith arith_f16 = { HALF_ARITH, .load_scale = load_scale };
