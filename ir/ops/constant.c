/* Operators without data inputs, which vanish by folding: Constant, ConstantOfShape,
 * Range, Shape, Size.  Strings and sparse tensors are refused. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "ir/elem.h"
#include "ir/ops/common.h"
#include "src/base/num.h"

#define MOST (INT64_C(1) << 31)  /* elements that a constant may be filled with */

/* -------------------------------------------------------------- Constant */

struct constant_attr {
    const struct value *value;
    float value_float;
    int64_t value_int;
    const char *value_string;
    struct floats value_floats;
    struct ints value_ints;
};
#define AT(field) offsetof(struct constant_attr, field)

static const struct attr_def constant_attrs[] = {
    { "value", ATTR_TENSOR, AT(value), "", "the tensor", NULL },
    { "value_float", ATTR_FLOAT, AT(value_float), "nan", "or one float", NULL },
    { "value_floats", ATTR_FLOATS, AT(value_floats), "", "or a list of floats", NULL },
    { "value_int", ATTR_INT, AT(value_int), ATTR_UNSET_TEXT, "or one integer", NULL },
    { "value_ints", ATTR_INTS, AT(value_ints), "", "or a list of integers", NULL },
    { "value_string", ATTR_STRING, AT(value_string), "", "strings are refused", NULL },
    { 0 },
};

static bool
infer_constant(struct infer *q)
{
    const struct constant_attr *a = q->n->attr;
    struct shape none = shape_make(0, NULL), list = { .rank = 1 };

    if (a->value) {
        ops_set_out(q, 0, a->value->type.dt, &a->value->type.shape);
    } else if (a->value_floats.n) {
        list.dim[0] = dim_of(a->value_floats.n);
        ops_set_out(q, 0, DT_F32, &list);
    } else if (a->value_int != ATTR_UNSET) {
        ops_set_out(q, 0, DT_I64, &none);
    } else if (a->value_float == a->value_float) {
        ops_set_out(q, 0, DT_F32, &none);
    } else if (a->value_string && *a->value_string) {
        return diag_error(q->diag, &q->at, "op-dtype", "a constant of strings");
    } else {
        list.dim[0] = dim_of(a->value_ints.n);
        ops_set_out(q, 0, DT_I64, &list);
    }
    return true;
}

static void
eval_constant(struct eval *e)
{
    const struct constant_attr *a = e->n->attr;
    const struct type *t = &e->n->out[0]->type;
    size_t size = (size_t)shape_bytes(t, 0);

    if (a->value)
        memcpy(e->out[0], a->value->data, size);
    else if (a->value_floats.n)
        memcpy(e->out[0], a->value_floats.at, size);
    else if (a->value_int != ATTR_UNSET)
        memcpy(e->out[0], &a->value_int, size);
    else if (t->dt == DT_F32)
        memcpy(e->out[0], &a->value_float, size);
    else if (size)
        memcpy(e->out[0], a->value_ints.at, size);
}

const struct op_def op_constant = {
    .name = "Constant",
    .doc = "a tensor given as an attribute",
    .since = 1,
    .stages = OPS_FLOATS,
    .quant = Q_NONE,
    .attr_size = sizeof(struct constant_attr),
    .attrs = constant_attrs,
    .infer = infer_constant,
    .eval = eval_constant,
};

/* ------------------------------------------------------- ConstantOfShape */

struct fill_attr { const struct value *value; };

static const struct attr_def fill_attrs[] = {
    { "value", ATTR_TENSOR, offsetof(struct fill_attr, value), "",
      "one element; a float 0 when not given", NULL },
    { 0 },
};

static bool
infer_fill(struct infer *q)
{
    const struct fill_attr *a = q->n->attr;
    struct ints want = { 0 };
    int64_t count = 1;

    if (a->value && shape_elems(&a->value->type.shape) != 1)
        return diag_error(q->diag, &q->at, "op-shape", "value is no single number");
    if (!ops_const_ints(q, 0, "shape", &want))
        return false;
    for (int i = 0; i < want.n; i++)
        if (want.at[i] < 0 || want.n > MAX_RANK || !num_mul(count, want.at[i], &count) ||
            count > MOST)
            return diag_error(q->diag, &q->at, "op-shape", "size %lld on axis %d of %d",
                              (long long)want.at[i], i, want.n);
    struct shape y = shape_make(want.n, want.at);
    ops_set_out(q, 0, a->value ? a->value->type.dt : DT_F32, &y);
    return true;
}

static void
eval_fill(struct eval *e)
{
    const struct fill_attr *a = e->n->attr;
    const struct type *t = &e->n->out[0]->type;
    size_t each = (size_t)ops_elem_bytes(t);
    int64_t n = shape_elems(&t->shape);
    char *y = e->out[0];

    for (int64_t i = 0; i < n; i++, y += each) {
        if (a->value)
            memcpy(y, a->value->data, each);
        else
            memset(y, 0, each);
    }
}

const struct op_def op_constant_of_shape = {
    .name = "ConstantOfShape",
    .doc = "a tensor of a shape, filled with one value",
    .since = 9,
    .min_in = 1, .max_in = 1,
    .stages = OPS_FLOATS,
    .quant = Q_NONE,
    .attr_size = sizeof(struct fill_attr),
    .attrs = fill_attrs,
    .infer = infer_fill,
    .eval = eval_fill,
};

/* ----------------------------------------------------------- Shape, Size */

struct shape_attr { int64_t start, end; };

static const struct attr_def shape_attrs[] = {
    { "end", ATTR_INT, offsetof(struct shape_attr, end), "9223372036854775807",
      "first axis that is left out; the rank", NULL },
    { "start", ATTR_INT, offsetof(struct shape_attr, start), "0", "first axis", NULL },
    { 0 },
};

static int64_t
clamped(int64_t x, int rank)
{
    if (x < 0)
        x = x < -rank ? 0 : x + rank;
    return x > rank ? rank : x;
}

static bool
infer_shape(struct infer *q)
{
    const struct shape_attr *a = q->n->attr;
    int rank = ops_in(q->n, 0)->rank;
    int64_t n = clamped(a->end, rank) - clamped(a->start, rank);
    struct shape y = { .rank = 1, .dim = { dim_of(n < 0 ? 0 : n) } };

    ops_set_out(q, 0, DT_I64, &y);
    return true;
}

static void
eval_shape(struct eval *e)
{
    const struct shape_attr *a = e->n->attr;
    const struct shape *x = ops_in(e->n, 0);
    int64_t *y = e->out[0];

    for (int64_t i = clamped(a->start, x->rank); i < clamped(a->end, x->rank); i++)
        *y++ = x->dim[i].n;
}

static bool
infer_size(struct infer *q)
{
    struct shape y = { .rank = 0 };

    ops_set_out(q, 0, DT_I64, &y);
    return true;
}

static void
eval_size(struct eval *e)
{
    *(int64_t *)e->out[0] = shape_elems(ops_in(e->n, 0));
}

const struct op_def op_shape = {
    .name = "Shape",
    .doc = "the shape of the input as a tensor",
    .since = 1,
    .min_in = 1, .max_in = 1,
    .stages = OPS_FLOATS,
    .traits = OP_SHAPE_ONLY,
    .quant = Q_NONE,
    .attr_size = sizeof(struct shape_attr),
    .attrs = shape_attrs,
    .infer = infer_shape,
    .eval = eval_shape,
};

const struct op_def op_size = {
    .name = "Size",
    .doc = "the number of elements of the input",
    .since = 1,
    .min_in = 1, .max_in = 1,
    .stages = OPS_FLOATS,
    .traits = OP_SHAPE_ONLY,
    .quant = Q_NONE,
    .infer = infer_size,
    .eval = eval_size,
};

/* ----------------------------------------------------------------- Range */

/* ceil((limit - start) / delta), at least 0; -1: too many, or no step at all. */
static int64_t
range_count(enum dtype dt, const struct node *n)
{
    double step, count;

    if (dtype_is_int(dt)) {
        int64_t a = elem_int(dt, n->in[0]->data, 0), b = elem_int(dt, n->in[1]->data, 0);
        int64_t d = elem_int(dt, n->in[2]->data, 0), span;
        if (d == 0 || d == INT64_MIN || __builtin_sub_overflow(b, a, &span))
            return -1;
        if (span == 0 || (span < 0) != (d < 0))
            return 0;
        return span / d + (span % d != 0);
    }
    step = elem_real(dt, n->in[2]->data, 0);
    count = ceil((elem_real(dt, n->in[1]->data, 0) - elem_real(dt, n->in[0]->data, 0)) / step);
    if (!(count <= (double)MOST))
        return -1;
    return count < 0 ? 0 : (int64_t)count;
}

static bool
infer_range(struct infer *q)
{
    const struct node *n = q->n;
    enum dtype dt = n->in[0]->type.dt;
    struct shape y = { .rank = 1 };
    int64_t count;

    for (int i = 0; i < 3; i++) {
        if (!ops_same_dtype(q, 0, i))
            return false;
        if (shape_elems(ops_in(n, i)) != 1)
            return diag_error(q->diag, &q->at, "op-shape", "input %d is no single number", i);
        if (!n->in[i]->data)
            return diag_error(q->diag, &q->at, "input-constant", "input %d '%s' is not a constant",
                              i, n->in[i]->name);
    }
    count = range_count(dt, n);
    if (count < 0 || count > MOST)
        return diag_error(q->diag, &q->at, "op-shape", "start, limit and delta give no range");
    y.dim[0] = dim_of(count);
    ops_set_out(q, 0, dt, &y);
    return true;
}

static void
eval_range(struct eval *e)
{
    const struct type *t = &e->n->out[0]->type;
    enum dtype dt = t->dt;
    int64_t n = shape_elems(&t->shape);

    for (int64_t i = 0; i < n; i++) {
        if (dtype_is_int(dt))
            elem_put_int(dt, e->out[0], i,
                         elem_int(dt, e->in[0], 0) + i * elem_int(dt, e->in[2], 0));
        else
            elem_put_real(dt, e->out[0], i,
                          elem_real(dt, e->in[0], 0) + (double)i * elem_real(dt, e->in[2], 0));
    }
}

const struct op_def op_range = {
    .name = "Range",
    .doc = "numbers from input 0 to before input 1 in steps of input 2",
    .since = 11,
    .min_in = 3, .max_in = 3,
    .stages = OPS_FLOATS,
    .quant = Q_NONE,
    .infer = infer_range,
    .eval = eval_range,
};
