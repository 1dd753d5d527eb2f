/* What the rewriting passes share. */
#ifndef PASSES_REWRITE_H
#define PASSES_REWRITE_H
#include "ir/ops/attrs.h"
#include "passes/passes.h"

/* The node that computes v, if it is of kind op and v has no other reader. */
struct node *only_def(const struct value *v, const struct op_def *op);
/* A fixed float constant, and its numbers. */
const float *const_floats(const struct value *v);
/* A constant as one number for each index of `axis` (from the front) of a tensor of
 * shape y: a scalar is repeated.  NULL: it is none. */
const float *const_per_axis(struct arena *a, const struct value *v, const struct shape *y,
                            int axis);
/* A float constant of one axis of n elements, or of shape s. */
struct value *new_floats(struct graph *g, const char *name, const float *data, int64_t n);
struct value *new_const(struct graph *g, const char *name, const struct shape *s,
                        const float *data);
/* An activation of shape s (float). */
struct value *new_float_value(struct graph *g, const char *name, const struct shape *s);
/* Are scales to be chosen?  A model that was quantized before has its own. */
bool may_quantize(const struct pass_ctx *c);
/* Node `from` goes; `into` writes what it wrote. */
void absorb(struct graph *g, struct node *into, struct node *from);

#endif
