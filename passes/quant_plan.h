/* Which values become int8, and which of them share a scale. */
#ifndef PASSES_QUANT_PLAN_H
#define PASSES_QUANT_PLAN_H
#include "passes/passes.h"

struct quant_plan {
    struct pass_ctx *c;
    struct graph *g;
    struct arena *scratch;
    uint32_t nvalue;
    bool *is8;                   /* by value: an activation stored as int8 */
    bool *node8;                 /* by node: computes on int8 */
    uint32_t *group;             /* by value: one that shares its scale, up to the root */
    bool *symmetric;             /* by root */
    float *lo, *hi;              /* by root */
    const struct quant **quant;  /* by root */
};

bool quant_plan(struct quant_plan *p, struct pass_ctx *c, struct arena *scratch);
/* Is input i of n a number to compute with (and not a shape, a bound, a slope)? */
bool quant_is_operand(const struct node *n, int i);
const struct quant *quant_of(struct quant_plan *p, const struct value *v);

#endif
