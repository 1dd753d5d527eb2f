/* Clip: the input, kept between two bounds. */
#include <stddef.h>

#include "ir/elem.h"
#include "ir/ops/common.h"
#include "ir/ops/lower.h"

static const struct attr_def attrs[] = {
    { "max", ATTR_FLOAT, offsetof(struct clip_attr, max), "inf",
      "upper bound; from input 2 where constant", NULL },
    { "min", ATTR_FLOAT, offsetof(struct clip_attr, min), "-inf",
      "lower bound; from input 1 where constant", NULL },
    { 0 },
};

/* A constant float bound becomes the attribute. */
static void
take_bound(struct infer *q, int i, float *bound)
{
    struct floats f;

    if (!ops_has(q->n, i) || q->n->in[i]->type.dt != DT_F32 ||
        !value_floats(q->arena, q->n->in[i], &f) || f.n != 1)
        return;
    *bound = f.at[0];
    node_set_input(q->n, i, NULL);
}

static bool
infer(struct infer *q)
{
    struct node *n = q->n;
    struct clip_attr *a = clip_attr(n);
    enum dtype dt = n->in[0]->type.dt;

    if (!dtype_is_int(dt) && !ops_need_real(q, 0))
        return false;
    for (int i = 1; i < n->nin; i++) {
        if (!n->in[i])
            continue;
        if (!ops_same_dtype(q, 0, i))
            return false;
        if (shape_elems(ops_in(n, i)) != 1)
            return diag_error(q->diag, &q->at, "op-shape", "input %d, a bound, is no single number",
                              i);
    }
    take_bound(q, 1, &a->min);
    take_bound(q, 2, &a->max);
    while (n->nin > 1 && !n->in[n->nin - 1])
        ops_drop_inputs(n, n->nin - 1);
    ops_set_out(q, 0, dt, ops_in(n, 0));
    return true;
}

/* The upper bound wins where they cross. */
static void
clip_ints(struct eval *e, int64_t n)
{
    enum dtype dt = e->n->in[0]->type.dt;
    bool below = ops_has(e->n, 1), above = ops_has(e->n, 2);
    int64_t lo = below ? elem_int(dt, e->in[1], 0) : 0;
    int64_t hi = above ? elem_int(dt, e->in[2], 0) : 0;

    for (int64_t i = 0; i < n; i++) {
        int64_t x = elem_int(dt, e->in[0], i);
        x = below && x < lo ? lo : x;
        x = above && x > hi ? hi : x;
        elem_put_int(dt, e->out[0], i, x);
    }
}

static void
eval(struct eval *e)
{
    const struct clip_attr *a = clip_attr(e->n);
    int64_t n = shape_elems(&e->n->out[0]->type.shape);
    const float *x = e->in[0];
    float *y = e->out[0], lo, hi;

    if (e->n->in[0]->type.dt != DT_F32) {
        clip_ints(e, n);
        return;
    }
    lo = ops_has(e->n, 1) ? *(const float *)e->in[1] : a->min;
    hi = ops_has(e->n, 2) ? *(const float *)e->in[2] : a->max;
    for (int64_t i = 0; i < n; i++) {
        float v = x[i] < lo ? lo : x[i];
        y[i] = v > hi ? hi : v;
    }
}

const struct op_def op_clip = {
    .name = "Clip",
    .doc = "the input, kept between two bounds",
    .since = 6,
    .min_in = 1, .max_in = 3,
    .stages = OPS_FLOATS,
    .traits = OP_ELEMENTWISE | OP_LAYOUT_FREE | OP_CLAMP,
    .quant = Q_COMPUTE,
    .attr_size = sizeof(struct clip_attr),
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
    .lower = lower_elementwise,
};
