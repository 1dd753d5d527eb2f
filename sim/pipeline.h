/* What instructions of the core cost, caches aside (pipeline.c). */
#ifndef SIM_PIPELINE_H
#define SIM_PIPELINE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/machine/target.h"

/* Cycles of n instructions in a row, 16- or 32-bit words.  Of a run that ends with a
 * branch to its own beginning: of one more turn.  Commands of the array (custom-3) wait
 * for their operands and cost nothing here. */
double pipeline_cycles(const struct target *t, const uint32_t *word, size_t n);
/* The instruction returns from a call, where the core foresees where to. */
bool pipeline_returns(uint32_t word);

#endif
