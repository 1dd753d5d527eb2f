/* Gather: pick slices along an axis by index; negative indices count from the end. */
#include <stddef.h>
#include <string.h>

#include "ir/elem.h"
#include "ir/ops/common.h"
#include "ir/ops/lower.h"

static const struct attr_def attrs[] = {
    { "axis", ATTR_INT, offsetof(struct axis_attr, axis), "0",
      "axis that is indexed; negative counts from the end", NULL },
    { 0 },
};

/* Constant indices are checked here, others when they are known. */
static bool
indices_hold(struct infer *q, int64_t size)
{
    const struct value *v = q->n->in[1];
    struct ints at;

    if (!v->data || !value_ints(q->arena, v, &at))
        return true;
    for (int i = 0; i < at.n; i++)
        if (at.at[i] < -size || at.at[i] >= size)
            return diag_error(q->diag, &q->at, "gather-index", "index %lld is outside of %lld",
                              (long long)at.at[i], (long long)size);
    return true;
}

static bool
infer(struct infer *q)
{
    struct node *n = q->n;
    struct axis_attr *a = axis_attr(n);
    const struct shape *x = ops_in(n, 0), *k = ops_in(n, 1);
    struct shape y = { 0 };

    if (!ops_wrap_axis(q, &a->axis, x->rank))
        return false;
    if (n->in[1]->type.dt != DT_I32 && n->in[1]->type.dt != DT_I64)
        return diag_error(q->diag, &q->at, "op-dtype", "the indices are %s",
                          dtype_name(n->in[1]->type.dt));
    if (x->rank + k->rank - 1 > MAX_RANK)
        return diag_error(q->diag, &q->at, "op-rank", "%d axes; at most %d are understood",
                          x->rank + k->rank - 1, MAX_RANK);
    if (dim_known(x->dim[a->axis]) && !indices_hold(q, x->dim[a->axis].n))
        return false;
    for (int i = 0; i < a->axis; i++)
        y.dim[y.rank++] = x->dim[i];
    for (int i = 0; i < k->rank; i++)
        y.dim[y.rank++] = k->dim[i];
    for (int i = (int)a->axis + 1; i < x->rank; i++)
        y.dim[y.rank++] = x->dim[i];
    ops_set_out(q, 0, n->in[0]->type.dt, &y);
    return true;
}

/* An index outside, which only data can bring, takes the nearest element: the program
 * must not read elsewhere. */
static int64_t
kept_inside(int64_t i, int64_t size)
{
    if (i < 0)
        i += size;
    return i < 0 ? 0 : i >= size ? size - 1 : i;
}

static void
eval(struct eval *e)
{
    const struct type *x = &e->n->in[0]->type, *k = &e->n->in[1]->type;
    int axis = (int)axis_attr(e->n)->axis;
    int64_t rows = shape_count(&x->shape, 0, axis), size = x->shape.dim[axis].n;
    int64_t run = shape_bytes(x, axis + 1), count = shape_elems(&k->shape);
    char *y = e->out[0];

    if (size == 0)
        return;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < count; i++, y += run) {
            int64_t at = kept_inside(elem_int(k->dt, e->in[1], i), size);
            memcpy(y, (const char *)e->in[0] + (r * size + at) * run, (size_t)run);
        }
}

const struct op_def op_gather = {
    .name = "Gather",
    .doc = "slices picked along an axis by index",
    .since = 1,
    .min_in = 2, .max_in = 2,
    .stages = OPS_FLOATS,
    .quant = Q_SAME_AS_INPUT,
    .attr_size = sizeof(struct axis_attr),
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
    .lower = lower_gather,
};
