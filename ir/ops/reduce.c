/* Reductions over any axes: ReduceMax, ReduceMean, ReduceMin, ReduceSum.  Sums are kept
 * in double; the axes must be known when the program is made. */
#include <math.h>
#include <stddef.h>

#include "ir/elem.h"
#include "ir/ops/common.h"
#include "ir/ops/lower.h"

#define AT(field) offsetof(struct reduce_attr, field)

static const struct attr_def attrs[] = {
    { "axes", ATTR_INTS, AT(axes), "", "axes that go, or from input 1; all of them when empty",
      NULL },
    { "keepdims", ATTR_BOOL, AT(keepdims), "1", "they stay, with size 1", NULL },
    { "noop_with_empty_axes", ATTR_BOOL, AT(noop_with_empty_axes), "0",
      "no axes means that nothing is done", NULL },
    { 0 },
};

static bool
infer(struct infer *q)
{
    struct node *n = q->n;
    struct reduce_attr *a = reduce_attr(n);
    const struct shape *x = ops_in(n, 0);
    enum dtype dt = n->in[0]->type.dt;
    struct shape y = { 0 };
    int next = 0;

    if (!dtype_is_int(dt) && !ops_need_real(q, 0))
        return false;
    if (!ops_const_ints(q, 1, "axes", &a->axes) || !ops_wrap_axes(q, &a->axes, x->rank, true))
        return false;
    if (a->axes.n == 0 && !a->noop_with_empty_axes) {
        int64_t *p = ops_new_ints(q, x->rank, 0, &a->axes);
        for (int i = 0; i < x->rank; i++)
            p[i] = i;
    }
    for (int i = 0; i < x->rank; i++) {
        bool gone = next < a->axes.n && a->axes.at[next] == i;
        next += gone;
        if (!gone)
            y.dim[y.rank++] = x->dim[i];
        else if (!dim_known(x->dim[i]))
            return ops_need_known(q, 0);
        else if (a->keepdims)
            y.dim[y.rank++] = dim_of(1);
    }
    ops_drop_inputs(n, 1);
    ops_set_out(q, 0, dt, &y);
    return true;
}

struct fold {
    double start;
    double (*join)(double a, double b);
    int64_t (*join_int)(int64_t a, int64_t b);
    bool mean;
};

/* Where every element of x goes: steps of y's elements along x's axes. */
static void
target_steps(const struct node *n, int64_t *step)
{
    const struct shape *x = ops_in(n, 0);
    const struct ints *axes = &reduce_attr(n)->axes;
    int64_t s = 1;
    int last = axes->n - 1;

    for (int d = x->rank - 1; d >= 0; d--) {
        bool gone = last >= 0 && axes->at[last] == d;
        last -= gone;
        step[d] = gone ? 0 : s;
        s *= gone ? 1 : x->dim[d].n;
    }
}

/* Visits x in order; index and *at follow. */
static void
advance(const struct shape *x, const int64_t *step, int64_t *index, int64_t *at)
{
    for (int d = x->rank - 1; d >= 0; d--) {
        *at += step[d];
        if (++index[d] < x->dim[d].n)
            return;
        *at -= step[d] * index[d];
        index[d] = 0;
    }
}

static void
reduce_reals(struct eval *e, const struct fold *f)
{
    const struct shape *x = ops_in(e->n, 0);
    int64_t n = shape_elems(x), m = shape_elems(&e->n->out[0]->type.shape), at = 0;
    int64_t step[MAX_RANK], index[MAX_RANK] = { 0 };
    double *sum = NEWN(e->arena, double, m + 1);
    const float *p = e->in[0];

    target_steps(e->n, step);
    for (int64_t i = 0; i < m; i++)
        sum[i] = f->start;
    for (int64_t i = 0; i < n; i++) {
        sum[at] = f->join(sum[at], (double)p[i]);
        advance(x, step, index, &at);
    }
    for (int64_t i = 0; i < m; i++)
        ((float *)e->out[0])[i] = (float)(f->mean ? sum[i] / ((double)n / (double)m) : sum[i]);
}

static void
reduce_ints(struct eval *e, const struct fold *f)
{
    const struct shape *x = ops_in(e->n, 0);
    enum dtype dt = e->n->in[0]->type.dt;
    int64_t n = shape_elems(x), m = shape_elems(&e->n->out[0]->type.shape), at = 0;
    int64_t step[MAX_RANK], index[MAX_RANK] = { 0 };
    int64_t *sum = NEWN(e->arena, int64_t, m + 1);
    bool *begun = NEWN(e->arena, bool, m + 1);

    target_steps(e->n, step);
    for (int64_t i = 0; i < n; i++) {
        int64_t v = elem_int(dt, e->in[0], i);
        sum[at] = begun[at] ? f->join_int(sum[at], v) : v;
        begun[at] = true;
        advance(x, step, index, &at);
    }
    for (int64_t i = 0; i < m; i++)
        elem_put_int(dt, e->out[0], i, f->mean && n ? sum[i] / (n / m) : sum[i]);
}

#define JOIN(name, expr, int_expr) \
    static double name##_real(double a, double b) \
    { \
        return (expr); \
    } \
    static int64_t name##_int(int64_t a, int64_t b) \
    { \
        return (int_expr); \
    }

JOIN(sum, a + b, (int64_t)((uint64_t)a + (uint64_t)b))
JOIN(max, a > b || a != a ? a : b, a > b ? a : b)
JOIN(min, a < b || a != a ? a : b, a < b ? a : b)

#define OP(id, onnx, text, fn, from, is_mean, rule) \
    static void eval_##id(struct eval *e) \
    { \
        const struct fold f = { from, fn##_real, fn##_int, is_mean }; \
        if (e->n->in[0]->type.dt == DT_F32) \
            reduce_reals(e, &f); \
        else \
            reduce_ints(e, &f); \
    } \
    const struct op_def op_##id = { \
        .name = onnx, \
        .doc = text, \
        .since = 1, \
        .min_in = 1, .max_in = 2, \
        .stages = OPS_FLOATS, \
        .quant = rule, \
        .attr_size = sizeof(struct reduce_attr), \
        .attrs = attrs, \
        .infer = infer, \
        .eval = eval_##id, \
        .lower = lower_reduce, \
    };

OP(reduce_max, "ReduceMax", "greatest element along axes", max, -INFINITY, false, Q_SAME_AS_INPUT)
OP(reduce_mean, "ReduceMean", "mean along axes", sum, 0, true, Q_COMPUTE)
OP(reduce_min, "ReduceMin", "least element along axes", min, INFINITY, false, Q_SAME_AS_INPUT)
OP(reduce_sum, "ReduceSum", "sum along axes", sum, 0, false, Q_COMPUTE)
