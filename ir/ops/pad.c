/* Pad: a border around a tensor, of one value, mirrored, repeated or wrapped.  Negative
 * pads cut off.  The amounts must be known when the program is made. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "ir/elem.h"
#include "ir/ops/common.h"
#include "ir/ops/lower.h"

static const struct attr_def attrs[] = {
    { "mode", ATTR_ENUM, offsetof(struct pad_attr, mode), "constant", "what the border holds",
      "constant|reflect|edge|wrap" },
    { "pads", ATTR_INTS, offsetof(struct pad_attr, pads), "",
      "elements before each axis, then after each; from input 1", NULL },
    { "value", ATTR_FLOAT, offsetof(struct pad_attr, value), "0",
      "of a constant border; from input 2 where constant", NULL },
    { 0 },
};

static bool
pads_hold(const struct node *n, char *detail, size_t size)
{
    const struct pad_attr *a = pad_attr(n);
    const struct shape *x = ops_in(n, 0);

    if (a->pads.n != 2 * x->rank) {
        snprintf(detail, size, "pads has %d entries for a rank-%d tensor", a->pads.n, x->rank);
        return false;
    }
    for (int i = 0; i < x->rank; i++) {
        int64_t b = a->pads.at[i], e = a->pads.at[x->rank + i], most = x->dim[i].n;
        bool inside = a->mode == PAD_REFLECT ? b < most && e < most
                      : a->mode == PAD_WRAP  ? b <= most && e <= most
                                             : true;
        if (a->mode != PAD_CONSTANT && most == 0 && (b > 0 || e > 0))
            inside = false;
        if (b + e + most >= 0 && inside)
            continue;
        snprintf(detail, size, "%lld before, %lld after axis %d, which has %lld elements",
                 (long long)b, (long long)e, i, (long long)most);
        return false;
    }
    return true;
}

static const struct rule rules[] = {
    { "pad-size", "there are two pads for each axis, and no border is wider than what fills it",
      pads_hold },
    { 0 },
};

/* Opset 18 names the axes it pads. */
static bool
spread_over_axes(struct infer *q, struct pad_attr *a, int rank)
{
    struct ints axes = { -1, NULL }, all;
    int64_t *p;

    if (!ops_has(q->n, 3))
        return true;
    if (!ops_const_ints(q, 3, "axes", &axes) || !ops_wrap_axes(q, &axes, rank, false))
        return false;
    if (a->pads.n != 2 * axes.n)
        return diag_error(q->diag, &q->at, "pad-size", "%d pads for %d axes", a->pads.n, axes.n);
    p = ops_new_ints(q, 2 * rank, 0, &all);
    for (int i = 0; i < axes.n; i++) {
        p[axes.at[i]] = a->pads.at[i];
        p[rank + axes.at[i]] = a->pads.at[axes.n + i];
    }
    a->pads = all;
    return true;
}

static bool
take_value(struct infer *q, struct pad_attr *a)
{
    struct floats f;

    if (!ops_has(q->n, 2))
        return true;
    if (shape_elems(ops_in(q->n, 2)) != 1)
        return diag_error(q->diag, &q->at, "op-shape", "input 2, the value, is no single number");
    if (!ops_same_dtype(q, 0, 2))
        return false;
    if (q->n->in[2]->type.dt != DT_F32 || !value_floats(q->arena, q->n->in[2], &f))
        return true;
    a->value = f.at[0];
    node_set_input(q->n, 2, NULL);
    return true;
}

static bool
infer(struct infer *q)
{
    struct node *n = q->n;
    struct pad_attr *a = pad_attr(n);
    struct shape y = *ops_in(n, 0);

    if (!ops_const_ints(q, 1, "pads", &a->pads) || !spread_over_axes(q, a, y.rank))
        return false;
    for (int i = 0; i < a->pads.n; i++)
        if (a->pads.at[i] > INT32_MAX || a->pads.at[i] < INT32_MIN)
            return diag_error(q->diag, &q->at, "pad-size", "a pad of %lld",
                              (long long)a->pads.at[i]);
    if (!ops_rules(q) || !take_value(q, a))
        return false;
    for (int i = 0; i < y.rank; i++) {
        int64_t more = a->pads.at[i] + a->pads.at[y.rank + i];
        if (more && !dim_known(y.dim[i]))
            return ops_need_known(q, 0);
        if (more)
            y.dim[i] = dim_of(y.dim[i].n + more);
    }
    ops_drop_inputs(n, 3);
    if (n->nin > 1)
        node_set_input(n, 1, NULL);
    while (!n->in[n->nin - 1])
        ops_drop_inputs(n, n->nin - 1);
    ops_set_out(q, 0, n->in[0]->type.dt, &y);
    return true;
}

/* Where element i of a padded axis comes from; -1: the border. */
static int64_t
source(int64_t i, int64_t n, int64_t mode)
{
    if (i >= 0 && i < n)
        return i;
    switch (mode) {
    case PAD_REFLECT: return i < 0 ? -i : 2 * (n - 1) - i;
    case PAD_EDGE: return i < 0 ? 0 : n - 1;
    case PAD_WRAP: return i < 0 ? i + n : i - n;
    default: return -1;
    }
}

static void
fill_value(const struct eval *e, void *fill)
{
    const struct type *t = &e->n->in[0]->type;
    float v = pad_attr(e->n)->value;

    if (ops_has(e->n, 2)) {
        memcpy(fill, e->in[2], (size_t)ops_elem_bytes(t));
        return;
    }
    if (t->quant) {
        struct type one = { .dt = t->dt, .quant = t->quant, .shape = shape_make(0, NULL) };
        if (t->quant->axis < 0)
            quant_from_real(&one, &v, fill);
        return;
    }
    elem_put_real(t->dt, fill, 0, (double)v);
}

static void
eval(struct eval *e)
{
    const struct pad_attr *a = pad_attr(e->n);
    const struct shape *x = ops_in(e->n, 0);
    char fill[16] = { 0 };
    struct ops_copy c;

    fill_value(e, fill);
    ops_copy_init(&c, e, 0);
    c.fill = fill;
    for (int d = 0; d < c.rank; d++) {
        int64_t step = shape_count(x, d + 1, x->rank) * c.each;
        for (int64_t i = 0; i < c.dim[d]; i++) {
            int64_t from = source(i - a->pads.at[d], x->dim[d].n, a->mode);
            c.from[d][i] = from < 0 ? -1 : from * step;
        }
    }
    ops_copy_run(&c);
}

const struct op_def op_pad = {
    .name = "Pad",
    .doc = "a border around a tensor",
    .since = 2,
    .min_in = 1, .max_in = 4,
    .stages = OPS_FLOATS,
    .quant = Q_SAME_AS_INPUT,
    .attr_size = sizeof(struct pad_attr),
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .lower = lower_pad,
};
