/* Operators that give the same bytes another shape: Reshape, Flatten, Squeeze,
 * Unsqueeze, Identity, and Dropout, which does nothing once trained.  The new shape
 * must be known when the program is made. */
#include <stddef.h>
#include <string.h>

#include "ir/ops/common.h"
#include "src/base/num.h"

static void
eval(struct eval *e)
{
    memcpy(e->out[0], e->in[0], (size_t)shape_bytes(&e->n->in[0]->type, 0));
}

#define DEF(id, onnx, text, first, most, size, table, inf) \
    const struct op_def op_##id = { \
        .name = onnx, \
        .doc = text, \
        .since = first, \
        .min_in = 1, .max_in = most, \
        .stages = OPS_VIEWS, \
        .traits = OP_VIEW, \
        .quant = Q_SAME_AS_INPUT, \
        .attr_size = size, \
        .attrs = table, \
        .infer = inf, \
        .eval = eval, \
    };

/* --------------------------------------------------------------- Reshape */

static const struct attr_def reshape_attrs[] = {
    { "allowzero", ATTR_BOOL, offsetof(struct reshape_attr, allowzero), "0",
      "a 0 in the shape is a size, not a copy of the input's", NULL },
    { "shape", ATTR_INTS, offsetof(struct reshape_attr, shape), "",
      "the new sizes, from input 1; 0 copies, -1 takes what is left", NULL },
    { 0 },
};

static bool
bad_shape(struct infer *q, const struct shape *x, const struct ints *want)
{
    const char *text = "";

    for (int i = 0; i < want->n && i < 16; i++)
        text = arena_printf(q->arena, "%s%s%lld", text, i ? "," : "", (long long)want->at[i]);
    return diag_error(q->diag, &q->at, "reshape-count", "%s cannot be given the shape [%s]",
                      shape_text(q->arena, x), text);
}

/* The size of the -1: elements of x over those of the other sizes.  A symbolic size
 * that is copied through counts on neither side. */
static bool
left_over(const struct shape *x, const struct shape *y, const bool *copied, int64_t *out)
{
    int64_t have = 1, want = 1;

    for (int i = 0; i < x->rank; i++) {
        if (copied[i] && x->dim[i].sym)
            continue;
        if (!dim_known(x->dim[i]) || !num_mul(have, x->dim[i].n, &have))
            return false;
    }
    for (int i = 0; i < y->rank; i++)
        if (y->dim[i].n >= 0 && !y->dim[i].sym && !num_mul(want, y->dim[i].n, &want))
            return false;
    if (want == 0)
        return have == 0 && (*out = 0, true);
    *out = have / want;
    return have % want == 0;
}

static bool
infer_reshape(struct infer *q)
{
    struct node *n = q->n;
    struct reshape_attr *a = reshape_attr(n);
    const struct shape *x = ops_in(n, 0);
    struct shape y = { 0 };
    bool copied[MAX_RANK] = { false };
    int hole = -1;
    int64_t left;

    if (!ops_const_ints(q, 1, "shape", &a->shape))
        return false;
    if (a->shape.n > MAX_RANK)
        return diag_error(q->diag, &q->at, "op-rank", "%d axes; at most %d are understood",
                          a->shape.n, MAX_RANK);
    y.rank = a->shape.n;
    for (int i = 0; i < y.rank; i++) {
        int64_t d = a->shape.at[i];
        bool copy = d == 0 && !a->allowzero;
        if (d < -1 || (d == -1 && hole >= 0) || (copy && i >= x->rank))
            return bad_shape(q, x, &a->shape);
        y.dim[i] = copy ? x->dim[i] : dim_of(d);
        copied[i] = copy;
        if (d == -1)
            hole = i;
    }
    if (!left_over(x, &y, copied, &left) || (hole < 0 && left != 1 && shape_elems(x) != 0))
        return bad_shape(q, x, &a->shape);
    if (hole >= 0)
        y.dim[hole] = dim_of(left);
    ops_drop_inputs(n, 1);
    if (shape_known(&y)) {
        int64_t *p = ops_new_ints(q, y.rank, 0, &a->shape);
        for (int i = 0; i < y.rank; i++)
            p[i] = y.dim[i].n;
        a->allowzero = 1;
    }
    ops_set_out(q, 0, n->in[0]->type.dt, &y);
    return true;
}

DEF(reshape, "Reshape", "the same elements in another shape", 1, 2, sizeof(struct reshape_attr),
    reshape_attrs, infer_reshape)

/* --------------------------------------------------------------- Flatten */

static const struct attr_def flatten_attrs[] = {
    { "axis", ATTR_INT, offsetof(struct axis_attr, axis), "1",
      "first axis of the second part; negative counts from the end", NULL },
    { 0 },
};

static bool
infer_flatten(struct infer *q)
{
    struct axis_attr *a = axis_attr(q->n);
    const struct shape *x = ops_in(q->n, 0);
    struct shape y = { .rank = 2 };

    if (a->axis != x->rank && !ops_wrap_axis(q, &a->axis, x->rank))
        return false;
    y.dim[0] = y.dim[1] = dim_of(1);
    for (int i = 0; i < x->rank; i++)
        y.dim[i >= a->axis] = dim_mul(q->arena, y.dim[i >= a->axis], x->dim[i]);
    ops_set_out(q, 0, q->n->in[0]->type.dt, &y);
    return true;
}

DEF(flatten, "Flatten", "two axes: those before one, and the rest", 1, 1,
    sizeof(struct axis_attr), flatten_attrs, infer_flatten)

/* ---------------------------------------------------- Squeeze, Unsqueeze */

static const struct attr_def squeeze_attrs[] = {
    { "axes", ATTR_INTS, offsetof(struct axes_attr, axes), "",
      "axes of size 1 to leave out, or from input 1; all of them when empty", NULL },
    { 0 },
};
static const struct attr_def unsqueeze_attrs[] = {
    { "axes", ATTR_INTS, offsetof(struct axes_attr, axes), "",
      "where the output has new axes of size 1, or from input 1", NULL },
    { 0 },
};

static bool
among(const struct ints *a, int64_t x)
{
    for (int i = 0; i < a->n; i++)
        if (a->at[i] == x)
            return true;
    return false;
}

static bool
infer_squeeze(struct infer *q)
{
    struct node *n = q->n;
    struct axes_attr *a = axes_attr(n);
    const struct shape *x = ops_in(n, 0);
    struct shape y = { 0 };

    if (!ops_const_ints(q, 1, "axes", &a->axes) ||
        !ops_wrap_axes(q, &a->axes, x->rank, true))
        return false;
    if (a->axes.n == 0) {
        int64_t *p = ops_new_ints(q, x->rank, 0, &a->axes);
        a->axes.n = 0;
        for (int i = 0; i < x->rank; i++)
            if (dim_known(x->dim[i]) && x->dim[i].n == 1)
                p[a->axes.n++] = i;
    }
    for (int i = 0; i < x->rank; i++) {
        if (!among(&a->axes, i))
            y.dim[y.rank++] = x->dim[i];
        else if (!dim_known(x->dim[i]) || x->dim[i].n != 1)
            return diag_error(q->diag, &q->at, "squeeze-size",
                              "axis %d has %s elements; only axes of size 1 can be left out", i,
                              dim_text(q->arena, x->dim[i]));
    }
    ops_drop_inputs(n, 1);
    ops_set_out(q, 0, n->in[0]->type.dt, &y);
    return true;
}

static bool
infer_unsqueeze(struct infer *q)
{
    struct node *n = q->n;
    struct axes_attr *a = axes_attr(n);
    const struct shape *x = ops_in(n, 0);
    struct shape y;
    int from = 0;

    if (!ops_const_ints(q, 1, "axes", &a->axes))
        return false;
    if (a->axes.n > MAX_RANK - x->rank)
        return diag_error(q->diag, &q->at, "op-rank", "%d axes; at most %d are understood",
                          x->rank + a->axes.n, MAX_RANK);
    y.rank = x->rank + a->axes.n;
    if (!ops_wrap_axes(q, &a->axes, y.rank, true))
        return false;
    for (int i = 0; i < y.rank; i++)
        y.dim[i] = among(&a->axes, i) ? dim_of(1) : x->dim[from++];
    ops_drop_inputs(n, 1);
    ops_set_out(q, 0, n->in[0]->type.dt, &y);
    return true;
}

DEF(squeeze, "Squeeze", "axes of size 1 left out", 1, 2, sizeof(struct axes_attr), squeeze_attrs,
    infer_squeeze)
DEF(unsqueeze, "Unsqueeze", "axes of size 1 put in", 1, 2, sizeof(struct axes_attr),
    unsqueeze_attrs, infer_unsqueeze)

/* ----------------------------------------------------- Identity, Dropout */

static bool
infer_same(struct infer *q)
{
    ops_set_out(q, 0, q->n->in[0]->type.dt, ops_in(q->n, 0));
    ops_set_out(q, 1, DT_BOOL, ops_in(q->n, 0));
    return true;
}

DEF(identity, "Identity", "the input", 1, 1, 0, NULL, infer_same)

struct dropout_attr { float ratio; int64_t seed; };

static const struct attr_def dropout_attrs[] = {
    { "ratio", ATTR_FLOAT, offsetof(struct dropout_attr, ratio), "0.5", "of training; not used",
      NULL },
    { "seed", ATTR_INT, offsetof(struct dropout_attr, seed), "0", "of training; not used", NULL },
    { 0 },
};

static bool
is_trained(const struct node *n, char *detail, size_t size)
{
    struct arena *a = arena_new();
    struct ints mode;
    bool training = ops_has(n, 2) && (!value_ints(a, n->in[2], &mode) || mode.n != 1 || mode.at[0]);

    (void)detail;
    (void)size;
    arena_free(a);
    return !training;
}

static const struct rule dropout_rules[] = {
    { "dropout-training", "the model is exported for inference: training_mode is a constant 0",
      is_trained },
    { 0 },
};

static bool
infer_dropout(struct infer *q)
{
    if (!ops_rules(q))
        return false;
    ops_drop_inputs(q->n, 1);
    return infer_same(q);
}

static void
eval_dropout(struct eval *e)
{
    eval(e);
    if (e->n->nout > 1 && e->n->out[1])
        memset(e->out[1], 1, (size_t)shape_elems(ops_in(e->n, 0)));
}

const struct op_def op_dropout = {
    .name = "Dropout",
    .doc = "the input: nothing is dropped once trained",
    .since = 1,
    .min_in = 1, .max_in = 3,
    .min_out = 1, .max_out = 2,
    .stages = OPS_VIEWS,
    .traits = OP_VIEW,
    .quant = Q_SAME_AS_INPUT,
    .attr_size = sizeof(struct dropout_attr),
    .attrs = dropout_attrs,
    .rules = dropout_rules,
    .infer = infer_dropout,
    .eval = eval_dropout,
};
