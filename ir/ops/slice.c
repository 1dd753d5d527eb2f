/* Slice: every step-th element between bounds, along any axes.  The bounds must be
 * known when the program is made. */
#include <stddef.h>

#include "ir/ops/common.h"
#include "ir/ops/lower.h"
#include "src/base/num.h"

#define AT(field) offsetof(struct slice_attr, field)

static const struct attr_def attrs[] = {
    { "axes", ATTR_INTS, AT(axes), "", "axes that are cut, or from input 3; the first ones", NULL },
    { "ends", ATTR_INTS, AT(ends), "", "where to stop before, or from input 2", NULL },
    { "starts", ATTR_INTS, AT(starts), "", "where to begin, or from input 1", NULL },
    { "steps", ATTR_INTS, AT(steps), "", "from one element to the next, or from input 4; 1 each",
      NULL },
    { 0 },
};

/* Counts from the end where negative, then keeps inside [lo, hi]. */
static int64_t
bound(int64_t x, int64_t size, int64_t lo, int64_t hi)
{
    if (x < 0)
        x = x < -size ? -1 : x + size;
    return x < lo ? lo : x > hi ? hi : x;
}

static bool
read_lists(struct infer *q, struct slice_attr *a)
{
    int rank = ops_in(q->n, 0)->rank;

    if (!ops_const_ints(q, 1, "starts", &a->starts) || !ops_const_ints(q, 2, "ends", &a->ends) ||
        !ops_const_ints(q, 3, "axes", &a->axes) || !ops_const_ints(q, 4, "steps", &a->steps))
        return false;
    if (a->axes.n == 0 && a->starts.n <= rank) {
        int64_t *p = ops_new_ints(q, a->starts.n, 0, &a->axes);
        for (int i = 0; i < a->starts.n; i++)
            p[i] = i;
    }
    if (a->steps.n == 0)
        ops_new_ints(q, a->starts.n, 1, &a->steps);
    if (a->ends.n != a->starts.n || a->axes.n != a->starts.n || a->steps.n != a->starts.n)
        return diag_error(q->diag, &q->at, "slice-lists",
                          "%d starts, %d ends, %d axes, %d steps for a rank-%d tensor",
                          a->starts.n, a->ends.n, a->axes.n, a->steps.n, rank);
    return ops_wrap_axes(q, &a->axes, rank, false);
}

/* One axis of the normal form.  The end that stops after element 0 is -size - 1, which
 * means the same when it is read again. */
static int64_t
cut(int64_t *start, int64_t *end, int64_t *step, int64_t size)
{
    bool up = *step > 0;
    int64_t most = num_max(size, 1);

    *step = up ? num_min(*step, most) : num_max(*step, -most);
    *start = bound(*start, size, 0, up ? size : num_max(size - 1, 0));
    *end = bound(*end, size, up ? 0 : -1, size);
    int64_t span = up ? *end - *start : *start - *end;
    if (*end < 0)
        *end = -size - 1;
    return size == 0 || span <= 0 ? 0 : num_ceil_div(span, up ? *step : -*step);
}

static bool
infer(struct infer *q)
{
    struct node *n = q->n;
    struct slice_attr *a = slice_attr(n);
    const struct shape *x = ops_in(n, 0);
    struct ints starts, ends, axes, steps;
    struct shape y = *x;

    if (!read_lists(q, a))
        return false;
    int64_t *ps = ops_new_ints(q, x->rank, 0, &starts), *pe = ops_new_ints(q, x->rank, 0, &ends);
    int64_t *pa = ops_new_ints(q, x->rank, 0, &axes), *pp = ops_new_ints(q, x->rank, 1, &steps);
    for (int i = 0; i < x->rank; i++) {
        pa[i] = i;
        pe[i] = x->dim[i].n;
    }
    for (int i = 0; i < a->axes.n; i++) {
        int64_t d = a->axes.at[i];
        bool whole = a->starts.at[i] == 0 && a->ends.at[i] >= x->dim[d].n && a->steps.at[i] == 1;
        if (!dim_known(x->dim[d]) && whole)
            continue;
        if (!dim_known(x->dim[d]))
            return ops_need_known(q, 0);
        if (a->steps.at[i] == 0)
            return diag_error(q->diag, &q->at, "slice-lists", "a step of 0");
        ps[d] = a->starts.at[i];
        pe[d] = a->ends.at[i];
        pp[d] = a->steps.at[i];
        y.dim[d] = dim_of(cut(&ps[d], &pe[d], &pp[d], x->dim[d].n));
    }
    *a = (struct slice_attr){ starts, ends, axes, steps };
    ops_drop_inputs(n, 1);
    ops_set_out(q, 0, n->in[0]->type.dt, &y);
    return true;
}

static void
eval(struct eval *e)
{
    const struct slice_attr *a = slice_attr(e->n);
    const struct shape *x = ops_in(e->n, 0);
    struct ops_copy c;

    ops_copy_init(&c, e, 0);
    for (int d = 0; d < c.rank; d++) {
        int64_t step = shape_count(x, d + 1, x->rank) * c.each;
        for (int64_t i = 0; i < c.dim[d]; i++)
            c.from[d][i] = (a->starts.at[d] + i * a->steps.at[d]) * step;
    }
    ops_copy_run(&c);
}

const struct op_def op_slice = {
    .name = "Slice",
    .doc = "every step-th element between bounds, along any axes",
    .since = 1,
    .min_in = 1, .max_in = 5,
    .stages = OPS_FLOATS,
    .quant = Q_SAME_AS_INPUT,
    .attr_size = sizeof(struct slice_attr),
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
    .lower = lower_slice,
};
