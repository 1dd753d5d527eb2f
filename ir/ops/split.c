/* Split: one tensor into several along an axis.  The sizes must be known when the
 * program is made. */
#include <stddef.h>
#include <string.h>

#include "ir/ops/common.h"
#include "ir/ops/lower.h"
#include "src/base/num.h"

static const struct attr_def attrs[] = {
    { "axis", ATTR_INT, offsetof(struct split_attr, axis), "0",
      "axis to part; negative counts from the end", NULL },
    { "num_outputs", ATTR_INT, offsetof(struct split_attr, num_outputs), "0",
      "number of parts; the number of outputs", NULL },
    { "split", ATTR_INTS, offsetof(struct split_attr, split), "",
      "size of each part, or from input 1; equal, with a smaller last one", NULL },
    { 0 },
};

static bool
infer(struct infer *q)
{
    struct node *n = q->n;
    struct split_attr *a = split_attr(n);
    struct shape y = *ops_in(n, 0);
    int64_t sum = 0, size, each;

    if (!ops_wrap_axis(q, &a->axis, y.rank) || !ops_const_ints(q, 1, "split", &a->split))
        return false;
    if (!dim_known(y.dim[a->axis]))
        return ops_need_known(q, 0);
    size = y.dim[a->axis].n;
    if (a->split.n == 0) {
        int64_t *p = ops_new_ints(q, n->nout, 0, &a->split);
        each = num_ceil_div(size, n->nout);
        for (int i = 0; i < n->nout; i++, sum += each)
            p[i] = sum >= size ? 0 : num_min(each, size - sum);
    }
    sum = 0;
    for (int i = 0; i < a->split.n; i++)
        if (a->split.at[i] < 0 || !num_add(sum, a->split.at[i], &sum))
            sum = -1 - size;
    if (a->split.n != n->nout || sum != size)
        return diag_error(q->diag, &q->at, "split-sum",
                          "%d sizes for %d outputs, together %lld; axis %d has %lld", a->split.n,
                          n->nout, (long long)sum, (int)a->axis, (long long)size);
    for (int i = 0; i < n->nout; i++) {
        y.dim[a->axis] = dim_of(a->split.at[i]);
        ops_set_out(q, i, n->in[0]->type.dt, &y);
    }
    a->num_outputs = n->nout;
    ops_drop_inputs(n, 1);
    return true;
}

static void
eval(struct eval *e)
{
    const struct split_attr *a = split_attr(e->n);
    const struct type *x = &e->n->in[0]->type;
    int axis = (int)a->axis;
    int64_t rows = shape_count(&x->shape, 0, axis), pitch = shape_bytes(x, axis);
    int64_t each = shape_bytes(x, axis + 1);
    const char *src = e->in[0];

    for (int i = 0; i < e->n->nout; i++) {
        int64_t run = a->split.at[i] * each;
        for (int64_t r = 0; e->n->out[i] && r < rows; r++)
            memcpy((char *)e->out[i] + r * run, src + r * pitch, (size_t)run);
        src += run;
    }
}

const struct op_def op_split = {
    .name = "Split",
    .doc = "one tensor into several along an axis",
    .since = 2,
    .min_in = 1, .max_in = 2,
    .min_out = 1, .max_out = OPS_MANY,
    .stages = OPS_FLOATS,
    .quant = Q_SAME_AS_INPUT,
    .attr_size = sizeof(struct split_attr),
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
    .lower = lower_split,
};
