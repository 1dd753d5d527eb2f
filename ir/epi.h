/* Epilogues as the interpreter and inference see them. */
#ifndef IR_EPI_H
#define IR_EPI_H
#include "ir/ir.h"

/* Shape after the epilogues of n, given the shape its op computes. */
bool epi_shape(const struct node *n, struct shape *s);
bool epi_pools(const struct node *n);
/* Applies them to a packed tensor of type *t, in place or into scratch; *t becomes
 * the result's type.  arg: packed float data of an argument.  NULL: one has no
 * meaning for this type. */
void *epi_apply(struct arena *scratch, const struct node *n, struct type *t, void *data,
    const void *(*arg)(void *ctx, const struct value *v), void *ctx);

#endif
