/* What works along axes: m.softmax, m.reduce and m.gather. */
#include <stddef.h>
#include <string.h>

#include "ir/elem.h"
#include "ir/ops/machine_util.h"
#include "src/machine/fmath.h"
#include "src/machine/round.h"

static const struct attr_def softmax_attrs[] = {
    { "axis", ATTR_INT, FIELD(m_softmax_attr, axis), "-1", "axis that sums to 1", NULL },
    { "log", ATTR_BOOL, FIELD(m_softmax_attr, log), "0", "logarithm of the result", NULL },
    { 0 },
};

static bool
infer_softmax(struct infer *q)
{
    struct node *n = q->n;
    struct m_softmax_attr *a = n->attr;
    const struct shape *s = &n->in[0]->type.shape;

    if (!machine_known(q, 1) || !machine_type(q, 0, DT_I8, DT_F32))
        return false;
    a->axis = wrap_axis(a->axis, s->rank);
    if (a->axis < 0 || a->axis >= s->rank)
        return machine_error(q, "no axis %lld", (long long)a->axis);
    machine_out(q, DT_F32, s);
    return true;
}

/* One line: greatest first, then e^(x - greatest) summed upward, then divided. */
static void
softmax_line(float *y, int64_t n, int64_t step, bool log)
{
    float most = y[0], sum = 0;

    for (int64_t i = 1; i < n; i++)
        if (y[i * step] > most)
            most = y[i * step];
    for (int64_t i = 0; i < n; i++) {
        float f = y[i * step] - most, x = fm_exp(f);
        sum += x;
        y[i * step] = log ? f : x;
    }
    if (log) {
        float l = fm_log(sum);
        for (int64_t i = 0; i < n; i++)
            y[i * step] -= l;
        return;
    }
    for (int64_t i = 0; i < n; i++)
        y[i * step] /= sum;
}

static void
eval_softmax(struct eval *e)
{
    const struct m_softmax_attr *a = e->n->attr;
    const struct type *t = &e->n->in[0]->type;
    int64_t n = t->shape.dim[a->axis].n, total = shape_elems(&t->shape);
    int64_t inner = shape_count(&t->shape, (int)a->axis + 1, t->shape.rank);
    float *y = e->out[0];

    if (total == 0)
        return;
    if (t->dt == DT_F32)
        memcpy(y, e->in[0], (size_t)total * sizeof *y);
    else
        quant_to_real(t, e->in[0], y);
    for (int64_t i = 0; i < total / n; i++)
        softmax_line(y + i / inner * n * inner + i % inner, n, inner, a->log != 0);
}

const struct op_def op_m_softmax = {
    .name = "m.softmax",
    .doc = "softmax along an axis, computed as float",
    .since = 1,
    .min_in = 1, .max_in = 1,
    .stages = STAGE_MACHINE,
    .traits = OP_MACHINE,
    .quant = Q_FLOAT_OUT,
    .attr_size = sizeof(struct m_softmax_attr),
    .attrs = softmax_attrs,
    .infer = infer_softmax,
    .eval = eval_softmax,
};

static const struct attr_def reduce_attrs[] = {
    { "op", ATTR_ENUM, FIELD(m_reduce_attr, op), "sum", "what to take", "sum|mean|max|min" },
    { "axes", ATTR_INTS, FIELD(m_reduce_attr, axes), "", "axes that go", NULL },
    { "keepdims", ATTR_BOOL, FIELD(m_reduce_attr, keepdims), "1", "as axes of size 1", NULL },
    { 0 },
};

static unsigned
axes_set(const struct m_reduce_attr *a)
{
    unsigned set = 0;

    for (int i = 0; i < a->axes.n; i++)
        set |= 1u << a->axes.at[i];
    return set;
}

static bool
infer_reduce(struct infer *q)
{
    struct node *n = q->n;
    const struct m_reduce_attr *a = n->attr;
    struct shape s, y = { 0 };
    unsigned set;

    if (!machine_known(q, 1) || !machine_type(q, 0, DT_I8, DT_F32))
        return false;
    s = n->in[0]->type.shape;
    for (int i = 0; i < a->axes.n; i++)
        if (a->axes.at[i] < 0 || a->axes.at[i] >= s.rank)
            return machine_error(q, "no axis %lld", (long long)a->axes.at[i]);
    set = axes_set(a);
    for (int d = 0; d < s.rank; d++) {
        if (!(set >> d & 1))
            y.dim[y.rank++] = s.dim[d];
        else if (a->keepdims)
            y.dim[y.rank++] = dim_of(1);
    }
    machine_out(q, n->in[0]->type.dt, &y);
    return true;
}

/* What has been seen of one output. */
struct tally { int64_t sum; float fsum; double best; int64_t n; };

/* Sums of int8 are exact integers of (x - zero), scaled once; of floats, floats in
 * the order of x. */
static void
count(struct tally *t, const struct type *x, const void *p, int64_t i, bool least)
{
    bool f = x->dt == DT_F32;
    int64_t q = f ? 0 : ((const int8_t *)p)[i] - x->quant->zero[0];
    double v = f ? (double)((const float *)p)[i] : (double)q;

    t->sum += q;
    if (f)
        t->fsum += ((const float *)p)[i];
    if (t->n++ == 0 || (least ? v < t->best : v > t->best))
        t->best = v;
}

static float
result(const struct tally *t, const struct type *x, enum m_reduce_op op)
{
    float s = x->dt == DT_F32 ? 1 : x->quant->scale[0];

    if (t->n == 0)
        return 0;
    if (op == M_REDUCE_MAX || op == M_REDUCE_MIN)
        return s * (float)t->best;
    s = x->dt == DT_F32 ? t->fsum : s * (float)t->sum;
    return op == M_REDUCE_MEAN ? s / (float)t->n : s;
}

static void
eval_reduce(struct eval *e)
{
    const struct m_reduce_attr *a = e->n->attr;
    const struct type *x = &e->n->in[0]->type, *y = &e->n->out[0]->type;
    int64_t total = shape_elems(&x->shape), outs = shape_elems(&y->shape);
    struct tally *t = NEWN(e->arena, struct tally, outs + 1);
    unsigned set = axes_set(a);

    for (int64_t i = 0; i < total; i++) {
        int64_t rest = i, at = 0, pitch = 1;
        for (int d = x->shape.rank - 1; d >= 0; d--) {
            int64_t n = x->shape.dim[d].n;
            if (!(set >> d & 1)) {
                at += rest % n * pitch;
                pitch *= n;
            }
            rest /= n;
        }
        count(t + at, x, e->in[0], i, a->op == M_REDUCE_MIN);
    }
    for (int64_t i = 0; i < outs; i++) {
        float f = result(t + i, x, (enum m_reduce_op)a->op);
        if (y->dt == DT_F32)
            ((float *)e->out[0])[i] = f;
        else
            ((int8_t *)e->out[0])[i] = round_quantize8(f, y->quant->scale[0], y->quant->zero[0]);
    }
}

const struct op_def op_m_reduce = {
    .name = "m.reduce",
    .doc = "sum, mean, greatest or least along axes",
    .since = 1,
    .min_in = 1, .max_in = 1,
    .stages = STAGE_MACHINE,
    .traits = OP_MACHINE,
    .quant = Q_COMPUTE,
    .attr_size = sizeof(struct m_reduce_attr),
    .attrs = reduce_attrs,
    .infer = infer_reduce,
    .eval = eval_reduce,
};

static const struct attr_def gather_attrs[] = {
    { "axis", ATTR_INT, FIELD(m_gather_attr, axis), "0", "axis that is indexed", NULL },
    { 0 },
};

static bool
infer_gather(struct infer *q)
{
    struct node *n = q->n;
    int axis = (int)((const struct m_gather_attr *)n->attr)->axis;
    struct shape y = { 0 };
    const struct shape *x, *i;

    if (!machine_known(q, 2) || !machine_type(q, 1, DT_I64, DT_I32))
        return false;
    x = &n->in[0]->type.shape;
    i = &n->in[1]->type.shape;
    if (axis < 0 || axis >= x->rank || x->rank - 1 + i->rank > MAX_RANK)
        return machine_error(q, "axis %d does not fit", axis);
    for (int d = 0; d < axis; d++)
        y.dim[y.rank++] = x->dim[d];
    for (int d = 0; d < i->rank; d++)
        y.dim[y.rank++] = i->dim[d];
    for (int d = axis + 1; d < x->rank; d++)
        y.dim[y.rank++] = x->dim[d];
    machine_out(q, n->in[0]->type.dt, &y);
    return true;
}

/* An index out of range takes the nearest row: there is nobody to complain to. */
static void
eval_gather(struct eval *e)
{
    int axis = (int)((const struct m_gather_attr *)e->n->attr)->axis;
    const struct type *x = &e->n->in[0]->type, *index = &e->n->in[1]->type;
    int64_t rows = x->shape.dim[axis].n, many = shape_elems(&index->shape);
    int64_t outer = shape_count(&x->shape, 0, axis), run = shape_bytes(x, axis + 1);
    char *y = e->out[0];

    for (int64_t o = 0; o < outer; o++) {
        for (int64_t k = 0; k < many; k++, y += run) {
            int64_t i = elem_int(index->dt, e->in[1], k);
            i += i < 0 ? rows : 0;
            i = i < 0 ? 0 : i >= rows ? rows - 1 : i;
            memcpy(y, (const char *)e->in[0] + (o * rows + i) * run, (size_t)run);
        }
    }
}

const struct op_def op_m_gather = {
    .name = "m.gather",
    .doc = "rows of a tensor by index",
    .since = 1,
    .min_in = 2, .max_in = 2,
    .stages = STAGE_MACHINE,
    .traits = OP_MACHINE,
    .quant = Q_SAME_AS_INPUT,
    .attr_size = sizeof(struct m_gather_attr),
    .attrs = gather_attrs,
    .infer = infer_gather,
    .eval = eval_gather,
};
