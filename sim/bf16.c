/* Arrays of bfloat16: the upper half of a float. */
#define SIG 8
#define HIGH 127
#include "sim/half.h"

const struct arith arith_bf16 = { HALF_ARITH };
