/* Transpose: the axes in another order. */
#include <stddef.h>

#include "ir/ops/common.h"
#include "ir/ops/lower.h"

static const struct attr_def attrs[] = {
    { "perm", ATTR_INTS, offsetof(struct transpose_attr, perm), "",
      "input axis of each output axis; reversed when empty", NULL },
    { 0 },
};

static bool
infer(struct infer *q)
{
    struct node *n = q->n;
    struct transpose_attr *a = transpose_attr(n);
    const struct shape *x = ops_in(n, 0);
    struct shape y = { .rank = x->rank };

    if (a->perm.n == 0) {
        int64_t *p = ops_new_ints(q, x->rank, 0, &a->perm);
        for (int i = 0; i < x->rank; i++)
            p[i] = x->rank - 1 - i;
    }
    if (a->perm.n != x->rank)
        return diag_error(q->diag, &q->at, "axis-range", "perm has %d entries for a rank-%d tensor",
                          a->perm.n, x->rank);
    if (!ops_wrap_axes(q, &a->perm, x->rank, false))
        return false;
    for (int i = 0; i < y.rank; i++)
        y.dim[i] = x->dim[a->perm.at[i]];
    ops_set_out(q, 0, n->in[0]->type.dt, &y);
    return true;
}

static void
eval(struct eval *e)
{
    const struct shape *x = ops_in(e->n, 0);
    const int64_t *perm = transpose_attr(e->n)->perm.at;
    struct ops_copy c;

    ops_copy_init(&c, e, 0);
    for (int d = 0; d < c.rank; d++) {
        int64_t step = shape_count(x, (int)perm[d] + 1, x->rank) * c.each;
        for (int64_t i = 0; i < c.dim[d]; i++)
            c.from[d][i] = i * step;
    }
    ops_copy_run(&c);
}

const struct op_def op_transpose = {
    .name = "Transpose",
    .doc = "the axes in another order",
    .since = 1,
    .min_in = 1, .max_in = 1,
    .stages = OPS_FLOATS,
    .quant = Q_SAME_AS_INPUT,
    .attr_size = sizeof(struct transpose_attr),
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
    .lower = lower_transpose,
};
