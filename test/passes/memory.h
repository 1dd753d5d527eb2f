/* Runs a planned machine graph in the memory that plan-memory laid out: every value is
 * read from and written to its planned bytes only.  What the plan gets wrong (lives
 * that overlap, views that are none, halos that are overwritten) changes the result. */
#ifndef TEST_PASSES_MEMORY_H
#define TEST_PASSES_MEMORY_H
#include "ir/ir.h"

/* inputs and outputs packed, as interp_run takes and gives them.  NULL: all is well;
 * else what went wrong. */
const char *memory_run(struct arena *a, const struct graph *g, const void *const *inputs,
                       void **outputs);

#endif
