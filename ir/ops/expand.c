/* Operators that repeat or choose elements: Expand, Tile, Where.  Shapes and counts
 * must be known when the program is made. */
#include <stddef.h>
#include <string.h>

#include "ir/ops/common.h"
#include "ir/ops/lower.h"
#include "src/base/num.h"

/* ---------------------------------------------------------------- Expand */

static const struct attr_def expand_attrs[] = {
    { "shape", ATTR_INTS, offsetof(struct expand_attr, shape), "",
      "what the input broadcasts with, from input 1", NULL },
    { 0 },
};

static bool
infer_expand(struct infer *q)
{
    struct node *n = q->n;
    struct expand_attr *a = expand_attr(n);
    struct shape y;

    if (!ops_const_ints(q, 1, "shape", &a->shape))
        return false;
    for (int i = 0; i < a->shape.n; i++)
        if (a->shape.n > MAX_RANK || a->shape.at[i] < 0)
            return diag_error(q->diag, &q->at, "op-shape", "size %lld on axis %d of %d",
                              (long long)a->shape.at[i], i, a->shape.n);
    struct shape want = shape_make(a->shape.n, a->shape.at);
    if (!shape_broadcast(ops_in(n, 0), &want, &y))
        return diag_error(q->diag, &q->at, "op-broadcast", "%s and %s do not broadcast",
                          shape_text(q->arena, ops_in(n, 0)), shape_text(q->arena, &want));
    ops_drop_inputs(n, 1);
    ops_set_out(q, 0, n->in[0]->type.dt, &y);
    return true;
}

static void
eval_expand(struct eval *e)
{
    const struct shape *x = ops_in(e->n, 0);
    struct ops_copy c;

    ops_copy_init(&c, e, 0);
    for (int d = 0; d < c.rank; d++) {
        int k = d - (c.rank - x->rank);
        bool fixed = k < 0 || x->dim[k].n == 1;
        int64_t step = fixed ? 0 : shape_count(x, k + 1, x->rank) * c.each;
        for (int64_t i = 0; i < c.dim[d]; i++)
            c.from[d][i] = i * step;
    }
    ops_copy_run(&c);
}

const struct op_def op_expand = {
    .name = "Expand",
    .doc = "the input, repeated to a shape it broadcasts with",
    .since = 8,
    .min_in = 1, .max_in = 2,
    .stages = OPS_FLOATS,
    .quant = Q_SAME_AS_INPUT,
    .attr_size = sizeof(struct expand_attr),
    .attrs = expand_attrs,
    .infer = infer_expand,
    .eval = eval_expand,
    .lower = lower_expand,
};

/* ------------------------------------------------------------------ Tile */

static const struct attr_def tile_attrs[] = {
    { "repeats", ATTR_INTS, offsetof(struct tile_attr, repeats), "",
      "how often along each axis, from input 1", NULL },
    { 0 },
};

static bool
infer_tile(struct infer *q)
{
    struct node *n = q->n;
    struct tile_attr *a = tile_attr(n);
    struct shape y = *ops_in(n, 0);

    if (!ops_const_ints(q, 1, "repeats", &a->repeats))
        return false;
    if (a->repeats.n != y.rank)
        return diag_error(q->diag, &q->at, "op-shape", "%d repeats for a rank-%d tensor",
                          a->repeats.n, y.rank);
    for (int i = 0; i < y.rank; i++) {
        if (a->repeats.at[i] < 0)
            return diag_error(q->diag, &q->at, "op-shape", "%lld repeats on axis %d",
                              (long long)a->repeats.at[i], i);
        y.dim[i] = dim_mul(q->arena, y.dim[i], dim_of(a->repeats.at[i]));
    }
    ops_drop_inputs(n, 1);
    ops_set_out(q, 0, n->in[0]->type.dt, &y);
    return true;
}

static void
eval_tile(struct eval *e)
{
    const struct shape *x = ops_in(e->n, 0);
    struct ops_copy c;

    ops_copy_init(&c, e, 0);
    for (int d = 0; d < c.rank; d++) {
        int64_t step = shape_count(x, d + 1, x->rank) * c.each;
        for (int64_t i = 0; i < c.dim[d]; i++)
            c.from[d][i] = i % x->dim[d].n * step;
    }
    ops_copy_run(&c);
}

const struct op_def op_tile = {
    .name = "Tile",
    .doc = "the input, laid side by side along each axis",
    .since = 6,
    .min_in = 1, .max_in = 2,
    .stages = OPS_FLOATS,
    .quant = Q_SAME_AS_INPUT,
    .attr_size = sizeof(struct tile_attr),
    .attrs = tile_attrs,
    .infer = infer_tile,
    .eval = eval_tile,
    .lower = lower_tile,
};

/* ----------------------------------------------------------------- Where */

static bool
infer_where(struct infer *q)
{
    struct node *n = q->n;
    struct shape y = *ops_in(n, 0), with;

    if (n->in[0]->type.dt != DT_BOOL)
        return diag_error(q->diag, &q->at, "op-dtype", "the condition is %s, not bool",
                          dtype_name(n->in[0]->type.dt));
    if (!ops_same_dtype(q, 1, 2))
        return false;
    for (int i = 1; i < 3; i++) {
        if (!shape_broadcast(&y, ops_in(n, i), &with))
            return diag_error(q->diag, &q->at, "op-broadcast",
                              "input %d %s does not broadcast with %s", i,
                              shape_text(q->arena, ops_in(n, i)), shape_text(q->arena, &y));
        y = with;
    }
    ops_set_out(q, 0, n->in[1]->type.dt, &y);
    return true;
}

static void
where_run(const struct ops_run *r, void *ctx)
{
    const struct eval *e = ctx;
    size_t each = (size_t)ops_elem_bytes(&e->n->in[1]->type);

    for (int64_t i = 0; i < r->n; i++) {
        int k = ((const uint8_t *)e->in[0])[r->at[0] + i * r->step[0]] ? 1 : 2;
        memcpy((char *)e->out[0] + (size_t)(r->y + i) * each,
               (const char *)e->in[k] + (size_t)(r->at[k] + i * r->step[k]) * each, each);
    }
}

static void
eval_where(struct eval *e)
{
    const struct shape *in[3] = { ops_in(e->n, 0), ops_in(e->n, 1), ops_in(e->n, 2) };

    ops_broadcast(&e->n->out[0]->type.shape, in, 3, where_run, e);
}

const struct op_def op_where = {
    .name = "Where",
    .doc = "from input 1 where input 0 is true, else from input 2",
    .since = 9,
    .min_in = 3, .max_in = 3,
    .stages = OPS_FLOATS,
    .traits = OP_ELEMENTWISE | OP_LAYOUT_FREE,
    .quant = Q_FLOAT,
    .infer = infer_where,
    .eval = eval_where,
};
