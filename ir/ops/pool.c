/* MaxPool and AveragePool over windows of one or two spatial axes; GlobalMaxPool and
 * GlobalAveragePool over whole images.  The indices of MaxPool, and three spatial axes,
 * are refused. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include "ir/ops/common.h"
#include "ir/ops/lower.h"

#define AT(field) offsetof(struct pool_attr, field)

#define WINDOW_ATTRS \
    { "auto_pad", ATTR_ENUM, AT(win.auto_pad), "NOTSET", \
      "how pads are found; becomes explicit pads", "NOTSET|SAME_UPPER|SAME_LOWER|VALID" }, \
    { "ceil_mode", ATTR_BOOL, AT(ceil_mode), "0", \
      "a last window that is only partly inside counts", NULL }, \
    { "dilations", ATTR_INTS, AT(win.dilations), "", "distance of window elements; 1 each", \
      NULL }, \
    { "kernel_shape", ATTR_INTS, AT(win.kernel_shape), NULL, "size of the window", NULL }, \
    { "pads", ATTR_INTS, AT(win.pads), "", "border before each axis, then after each; 0", \
      NULL }, \
    { "strides", ATTR_INTS, AT(win.strides), "", "step of the window; 1 each", NULL }

static const struct attr_def max_attrs[] = {
    WINDOW_ATTRS,
    { "storage_order", ATTR_INT, AT(storage_order), "0", "order of indices; not used", NULL },
    { 0 },
};
static const struct attr_def average_attrs[] = {
    WINDOW_ATTRS,
    { "count_include_pad", ATTR_BOOL, AT(count_include_pad), "0",
      "the border counts as zeros; else it does not count", NULL },
    { 0 },
};

static bool
axes_hold(const struct node *n, char *detail, size_t size)
{
    int rank = ops_in(n, 0)->rank;

    snprintf(detail, size, "the input has rank %d", rank);
    return rank == 3 || rank == 4;
}

static bool
window_holds(const struct node *n, char *detail, size_t size)
{
    const struct window *w = &pool_attr(n)->win;

    if (w->kernel_shape.n == 0) {
        snprintf(detail, size, "kernel_shape is missing");
        return false;
    }
    return ops_window_holds(n, w, detail, size);
}

/* A window that lies in the border altogether has no maximum and no mean. */
static bool
border_holds(const struct node *n, char *detail, size_t size)
{
    const struct window *w = &pool_attr(n)->win;
    int axes = w->kernel_shape.n;

    for (int i = 0; i < w->pads.n && axes && w->pads.n == 2 * axes; i++) {
        int64_t d = i % axes < w->dilations.n ? w->dilations.at[i % axes] : 1;
        if (w->pads.at[i] < (w->kernel_shape.at[i % axes] - 1) * d + 1)
            continue;
        snprintf(detail, size, "pads has %lld, kernel_shape %lld", (long long)w->pads.at[i],
                 (long long)w->kernel_shape.at[i % axes]);
        return false;
    }
    return true;
}

static bool
no_indices(const struct node *n, char *detail, size_t size)
{
    snprintf(detail, size, "storage_order=%lld", (long long)pool_attr(n)->storage_order);
    if (pool_attr(n)->storage_order != 0)
        return false;
    if (n->nout < 2 || !n->out[1] || (n->out[1]->nuse == 0 && !n->out[1]->is_output))
        return true;
    snprintf(detail, size, "output 1 '%s' is used", n->out[1]->name);
    return false;
}

#define POOL_RULES \
    { "pool-axes", "images have one or two spatial axes", axes_hold }, \
    { "pool-window", "sizes, strides and dilations are at least 1, pads at least 0, one per axis", \
      window_holds }, \
    { "pool-border", "pads are smaller than the window", border_holds }

static const struct rule max_rules[] = {
    POOL_RULES,
    { "pool-indices", "only the maxima are given, not where they were", no_indices },
    { 0 },
};
static const struct rule average_rules[] = { POOL_RULES, { 0 } };

static bool
infer(struct infer *q)
{
    struct node *n = q->n;
    struct pool_attr *a = pool_attr(n);
    struct shape y = *ops_in(n, 0);
    enum dtype dt = n->in[0]->type.dt;
    bool moves = n->op == &op_max_pool && (dt == DT_I8 || dt == DT_U8);
    int64_t out[2];

    if (!ops_rules(q) || (!moves && !ops_need_real(q, 0)))
        return false;
    if (!ops_window(q, &a->win, ops_in(n, 0), a->ceil_mode != 0, out))
        return false;
    for (int i = 2; i < y.rank; i++)
        y.dim[i] = dim_of(out[i - 2]);
    ops_set_out(q, 0, dt, &y);
    ops_set_out(q, 1, DT_I64, &y);
    return true;
}

/* Where a window of one axis lies: taps [from, to) are inside, `count` are inside
 * the border too. */
struct span { int64_t first, from, to, count; };

static struct span
span_at(const struct window *w, const struct shape *x, int axis, int64_t o)
{
    int64_t k = w->kernel_shape.at[axis], d = w->dilations.at[axis];
    int64_t size = x->dim[axis + 2].n;
    int64_t last = size + w->pads.at[x->rank - 2 + axis];
    struct span s = { .first = o * w->strides.at[axis] - w->pads.at[axis] };

    s.from = s.first < 0 ? (-s.first + d - 1) / d : 0;
    for (s.to = s.from; s.to < k && s.first + s.to * d < size; s.to++)
        ;
    for (s.count = s.to; s.count < k && s.first + s.count * d < last; s.count++)
        ;
    return s;
}

struct image {
    const struct window *w;
    const struct shape *x;
    int64_t pitch, dy, dx;       /* elements per image row; dilations */
    struct span *ys, *xs;
    int64_t oh, ow;
};

/* One axis counts as the second of two with one row. */
static struct image
image_of(struct eval *e)
{
    const struct window *w = &pool_attr(e->n)->win;
    const struct shape *x = ops_in(e->n, 0), *y = &e->n->out[0]->type.shape;
    bool two = x->rank == 4;
    struct image m = { .w = w, .x = x, .pitch = x->dim[x->rank - 1].n, .dx = w->dilations.at[two],
                       .dy = w->dilations.at[0], .oh = two ? y->dim[2].n : 1,
                       .ow = y->dim[y->rank - 1].n };

    m.ys = NEWN(e->arena, struct span, m.oh + 1);
    m.xs = NEWN(e->arena, struct span, m.ow + 1);
    for (int64_t i = 0; i < m.oh; i++)
        m.ys[i] = two ? span_at(w, x, 0, i) : (struct span){ 0, 0, 1, 1 };
    for (int64_t i = 0; i < m.ow; i++)
        m.xs[i] = span_at(w, x, two, i);
    return m;
}

static float
window_max(const struct image *m, const float *x, struct span v, struct span h)
{
    float best = -INFINITY;

    for (int64_t i = v.from; i < v.to; i++)
        for (int64_t j = h.from; j < h.to; j++) {
            float k = x[(v.first + i * m->dy) * m->pitch + h.first + j * m->dx];
            best = k > best || k != k ? k : best;
        }
    return best;
}

static void
max_bytes(const struct image *m, const void *x, void *y, bool is_signed)
{
    for (int64_t r = 0; r < m->oh; r++)
        for (int64_t c = 0; c < m->ow; c++) {
            struct span v = m->ys[r], h = m->xs[c];
            int best = is_signed ? -128 : 0;
            for (int64_t i = v.from; i < v.to; i++)
                for (int64_t j = h.from; j < h.to; j++) {
                    int64_t at = (v.first + i * m->dy) * m->pitch + h.first + j * m->dx;
                    int k = is_signed ? ((const int8_t *)x)[at] : ((const uint8_t *)x)[at];
                    best = k > best ? k : best;
                }
            ((uint8_t *)y)[r * m->ow + c] = (uint8_t)best;
        }
}

static void
eval_max(struct eval *e)
{
    const struct type *t = &e->n->in[0]->type;
    struct image m = image_of(e);
    int64_t images = shape_count(&t->shape, 0, 2), size = shape_count(&t->shape, 2, t->shape.rank);

    for (int64_t k = 0; k < images; k++) {
        if (t->dt != DT_F32) {
            max_bytes(&m, (const char *)e->in[0] + k * size, (char *)e->out[0] + k * m.oh * m.ow,
                      t->dt == DT_I8);
            continue;
        }
        const float *x = (const float *)e->in[0] + k * size;
        float *y = (float *)e->out[0] + k * m.oh * m.ow;
        for (int64_t r = 0; r < m.oh; r++)
            for (int64_t c = 0; c < m.ow; c++)
                *y++ = window_max(&m, x, m.ys[r], m.xs[c]);
    }
}

static float
window_sum(const struct image *m, const float *x, struct span v, struct span h)
{
    float sum = 0;

    for (int64_t i = v.from; i < v.to; i++)
        for (int64_t j = h.from; j < h.to; j++)
            sum += x[(v.first + i * m->dy) * m->pitch + h.first + j * m->dx];
    return sum;
}

static void
eval_average(struct eval *e)
{
    const struct shape *s = ops_in(e->n, 0);
    struct image m = image_of(e);
    bool border = pool_attr(e->n)->count_include_pad;
    int64_t images = shape_count(s, 0, 2), size = shape_count(s, 2, s->rank);
    const float *x = e->in[0];
    float *y = e->out[0];

    for (int64_t k = 0; k < images; k++, x += size)
        for (int64_t r = 0; r < m.oh; r++)
            for (int64_t c = 0; c < m.ow; c++) {
                struct span v = m.ys[r], h = m.xs[c];
                int64_t count = border ? v.count * h.count : (v.to - v.from) * (h.to - h.from);
                *y++ = window_sum(&m, x, v, h) / (float)count;
            }
}

const struct op_def op_max_pool = {
    .name = "MaxPool",
    .doc = "greatest element of each window",
    .since = 1,
    .min_in = 1, .max_in = 1,
    .min_out = 1, .max_out = 2,
    .stages = OPS_FLOATS,
    .quant = Q_SAME_AS_INPUT,
    .attr_size = sizeof(struct pool_attr),
    .attrs = max_attrs,
    .rules = max_rules,
    .infer = infer,
    .eval = eval_max,
    .lower = lower_pool,
};

const struct op_def op_average_pool = {
    .name = "AveragePool",
    .doc = "mean of each window",
    .since = 1,
    .min_in = 1, .max_in = 1,
    .stages = OPS_FLOATS,
    .quant = Q_COMPUTE,
    .attr_size = sizeof(struct pool_attr),
    .attrs = average_attrs,
    .rules = average_rules,
    .infer = infer,
    .eval = eval_average,
    .lower = lower_pool,
};

/* ----------------------------------------------------------- whole images */

static bool
infer_global(struct infer *q)
{
    struct shape y = *ops_in(q->n, 0);

    if (!ops_need_rank(q, 0, 3, MAX_RANK) || !ops_need_real(q, 0))
        return false;
    for (int i = 2; i < y.rank; i++)
        y.dim[i] = dim_of(1);
    ops_set_out(q, 0, DT_F32, &y);
    return true;
}

static void
eval_global_average(struct eval *e)
{
    const struct shape *s = ops_in(e->n, 0);
    int64_t images = shape_count(s, 0, 2), size = shape_count(s, 2, s->rank);
    const float *x = e->in[0];
    float *y = e->out[0];

    for (int64_t k = 0; k < images; k++, x += size) {
        double sum = 0;
        for (int64_t i = 0; i < size; i++)
            sum += (double)x[i];
        y[k] = (float)(sum / (double)size);
    }
}

static void
eval_global_max(struct eval *e)
{
    const struct shape *s = ops_in(e->n, 0);
    int64_t images = shape_count(s, 0, 2), size = shape_count(s, 2, s->rank);
    const float *x = e->in[0];
    float *y = e->out[0];

    for (int64_t k = 0; k < images; k++, x += size) {
        float best = -INFINITY;
        for (int64_t i = 0; i < size; i++)
            best = x[i] > best || x[i] != x[i] ? x[i] : best;
        y[k] = best;
    }
}

const struct op_def op_global_average_pool = {
    .name = "GlobalAveragePool",
    .doc = "mean of each channel's image",
    .since = 1,
    .min_in = 1, .max_in = 1,
    .stages = OPS_FLOATS,
    .quant = Q_COMPUTE,
    .infer = infer_global,
    .eval = eval_global_average,
    .lower = lower_pool,
};

const struct op_def op_global_max_pool = {
    .name = "GlobalMaxPool",
    .doc = "greatest element of each channel's image",
    .since = 1,
    .min_in = 1, .max_in = 1,
    .stages = OPS_FLOATS,
    .quant = Q_SAME_AS_INPUT,
    .infer = infer_global,
    .eval = eval_global_max,
    .lower = lower_pool,
};
