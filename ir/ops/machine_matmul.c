/* m.matmul and m.add: int32 sums of int8 products, one scaled store.
 *
 * A float product (float a, b, bias and y) is the same without the scale. */
#include <stddef.h>
#include <string.h>

#include "ir/ops/machine_util.h"
#include "src/machine/round.h"

static const struct attr_def attrs[] = {
    { "ta", ATTR_BOOL, FIELD(m_matmul_attr, ta), "0", "the last two axes of a are swapped", NULL },
    { "tb", ATTR_BOOL, FIELD(m_matmul_attr, tb), "0", "the last two axes of b are swapped", NULL },
    { "relu", ATTR_BOOL, FIELD(m_matmul_attr, relu), "0", "clamp sums at 0", NULL },
    { "block", ATTR_INT, FIELD(m_matmul_attr, scale.block), "0",
      "columns that share a scale; 0: all", NULL },
    { "scale", ATTR_FLOATS, FIELD(m_matmul_attr, scale.scale), "1", "of the store", NULL },
    { 0 },
};

struct sizes {
    const struct m_matmul_attr *a;
    int64_t m, n, k;
    struct shape lead;           /* batch axes of y */
};

static struct shape
leading(const struct shape *s)
{
    struct shape r = *s;

    r.rank -= 2;
    return r;
}

/* False: the operands do not fit. */
static bool
measure(const struct node *n, struct sizes *z)
{
    const struct m_matmul_attr *a = n->attr;
    const struct shape *x = &n->in[0]->type.shape, *w = &n->in[1]->type.shape;
    struct shape la, lb;

    if (x->rank < 2 || w->rank < 2)
        return false;
    la = leading(x);
    lb = leading(w);
    z->a = a;
    z->m = x->dim[x->rank - (a->ta ? 1 : 2)].n;
    z->k = x->dim[x->rank - (a->ta ? 2 : 1)].n;
    z->n = w->dim[w->rank - (a->tb ? 2 : 1)].n;
    return w->dim[w->rank - (a->tb ? 1 : 2)].n == z->k && shape_broadcast(&la, &lb, &z->lead);
}

static bool
infer(struct infer *q)
{
    struct node *n = q->n;
    const struct m_matmul_attr *a = n->attr;
    bool bias = n->nin > 2 && n->in[2];
    struct sizes z;

    if (!machine_known(q, bias ? 3 : 2) || !machine_type(q, 0, DT_I8, DT_F32)
        || !machine_type(q, 1, n->in[0]->type.dt, DT_NONE))
        return false;
    if (!measure(n, &z))
        return machine_error(q, "operands %s and %s do not fit",
                             shape_text(q->arena, &n->in[0]->type.shape),
                             shape_text(q->arena, &n->in[1]->type.shape));
    if (bias && shape_elems(&n->in[2]->type.shape) != z.n)
        return machine_error(q, "the bias does not have %lld elements", (long long)z.n);
    if (z.k > 65535)
        return machine_error(q, "%lld products do not fit a sum", (long long)z.k);
    if (n->in[0]->type.dt == DT_I8 && !machine_scales(q, &a->scale, z.n))
        return false;
    if (z.lead.rank + 2 > MAX_RANK)
        return machine_error(q, "more than %d axes", MAX_RANK);
    z.lead.dim[z.lead.rank++] = dim_of(z.m);
    z.lead.dim[z.lead.rank++] = dim_of(z.n);
    machine_out(q, n->in[0]->type.dt, &z.lead);
    return true;
}

/* Which matrix of an operand belongs to matrix i of y. */
static int64_t
batch_of(const struct sizes *z, const struct shape *operand, int64_t i)
{
    struct shape s = leading(operand);
    int64_t at = 0, pitch = 1;

    for (int d = 1; d <= z->lead.rank; d++) {
        int64_t n = z->lead.dim[z->lead.rank - d].n, index = i % n;
        i /= n;
        if (d > s.rank)
            continue;
        at += s.dim[s.rank - d].n == 1 ? 0 : index * pitch;
        pitch *= s.dim[s.rank - d].n;
    }
    return at;
}

/* Rows along k; `swapped`: k is the outer axis of the stored matrix. */
static void
widen(const int8_t *x, int64_t rows, int64_t k, bool swapped, int16_t *wide, int64_t pitch)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < k; i++)
            wide[r * pitch + i] = swapped ? x[i * rows + r] : x[r * k + i];
}

static void
eval_int8(const struct sizes *z, struct eval *e, int64_t batches)
{
    const struct node *n = e->n;
    const int32_t *bias = n->nin > 2 ? e->in[2] : NULL;
    int64_t pitch = machine_dot_pitch(z->k);
    int16_t *a = NEWN(e->arena, int16_t, z->m * pitch), *b = NEWN(e->arena, int16_t, z->n * pitch);
    int32_t *sum = NEWN(e->arena, int32_t, z->m * z->n);
    int8_t *y = e->out[0];

    for (int64_t i = 0; i < batches; i++) {
        int64_t ia = batch_of(z, &n->in[0]->type.shape, i);
        int64_t ib = batch_of(z, &n->in[1]->type.shape, i);
        widen((const int8_t *)e->in[0] + ia * z->m * z->k, z->m, z->k, z->a->ta, a, pitch);
        widen((const int8_t *)e->in[1] + ib * z->n * z->k, z->n, z->k, !z->a->tb, b, pitch);
        machine_dot(a, z->m, b, z->n, pitch, sum);
        for (int64_t j = 0; j < z->m * z->n; j++) {
            int32_t acc = (int32_t)((uint32_t)sum[j] + (uint32_t)(bias ? bias[j % z->n] : 0));
            if (z->a->relu && acc < 0)
                acc = 0;
            *y++ = round_scale8(acc, machine_scale(&z->a->scale, j % z->n));
        }
    }
}

static const float *
straight(struct arena *s, const float *x, int64_t rows, int64_t cols, bool swapped)
{
    float *r;

    if (!swapped)
        return x;
    r = NEWN(s, float, rows * cols + 1);
    for (int64_t i = 0; i < rows * cols; i++)
        r[i] = x[i % cols * rows + i / cols];
    return r;
}

static void
eval_float(const struct sizes *z, struct eval *e, int64_t batches)
{
    const struct node *n = e->n;
    const float *bias = n->nin > 2 ? e->in[2] : NULL;
    float *y = e->out[0];

    for (int64_t i = 0; i < batches; i++, y += z->m * z->n) {
        const float *a = e->in[0], *b = e->in[1];
        a += batch_of(z, &n->in[0]->type.shape, i) * z->m * z->k;
        b += batch_of(z, &n->in[1]->type.shape, i) * z->n * z->k;
        ref_matmul(straight(e->arena, a, z->m, z->k, z->a->ta),
                   straight(e->arena, b, z->k, z->n, z->a->tb), y, z->m, z->n, z->k);
        for (int64_t j = 0; j < z->m * z->n; j++) {
            y[j] += bias ? bias[j % z->n] : 0;
            if (z->a->relu && y[j] < 0)
                y[j] = 0;
        }
    }
}

static void
eval(struct eval *e)
{
    struct sizes z = { 0 };
    int64_t batches;

    if (!measure(e->n, &z))
        BUG("'%s' was not checked", e->n->name);
    batches = shape_elems(&z.lead);
    if (e->n->in[0]->type.dt == DT_F32)
        eval_float(&z, e, batches);
    else
        eval_int8(&z, e, batches);
}

const struct op_def op_m_matmul = {
    .name = "m.matmul",
    .doc = "matrix product with one scaled store",
    .since = 1,
    .min_in = 2, .max_in = 3,
    .stages = STAGE_MACHINE,
    .traits = OP_MACHINE,
    .quant = Q_COMPUTE,
    .attr_size = sizeof(struct m_matmul_attr),
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
};

static const struct attr_def add_attrs[] = {
    { "ma", ATTR_INT, FIELD(m_add_attr, ma), "1", "multiplies a", NULL },
    { "mb", ATTR_INT, FIELD(m_add_attr, mb), "1", "multiplies b", NULL },
    { "bias", ATTR_INT, FIELD(m_add_attr, bias), "0", "added to every sum", NULL },
    { "relu", ATTR_BOOL, FIELD(m_add_attr, relu), "0", "clamp sums at 0", NULL },
    { "scale", ATTR_FLOAT, FIELD(m_add_attr, scale), "1", "of the store", NULL },
    { 0 },
};

static bool
infer_add(struct infer *q)
{
    struct node *n = q->n;

    if (!machine_known(q, 2) || !machine_type(q, 0, DT_I8, DT_NONE)
        || !machine_type(q, 1, DT_I8, DT_NONE))
        return false;
    if (!shape_equal(&n->in[0]->type.shape, &n->in[1]->type.shape))
        return machine_error(q, "operands %s and %s differ",
                             shape_text(q->arena, &n->in[0]->type.shape),
                             shape_text(q->arena, &n->in[1]->type.shape));
    machine_out(q, DT_I8, &n->in[0]->type.shape);
    return true;
}

static void
eval_add(struct eval *e)
{
    const struct m_add_attr *p = e->n->attr;
    const int8_t *a = e->in[0], *b = e->in[1];
    int64_t n = shape_elems(&e->n->out[0]->type.shape);
    int8_t *y = e->out[0];

    for (int64_t i = 0; i < n; i++) {
        int32_t acc = (int32_t)(uint32_t)(p->ma * a[i] + p->mb * b[i] + p->bias);
        if (p->relu && acc < 0)
            acc = 0;
        y[i] = round_scale8(acc, p->scale);
    }
}

const struct op_def op_m_add = {
    .name = "m.add",
    .doc = "weighted sum of two tensors with one scaled store",
    .since = 1,
    .min_in = 2, .max_in = 2,
    .stages = STAGE_MACHINE,
    .traits = OP_MACHINE | OP_ELEMENTWISE | OP_LAYOUT_FREE,
    .quant = Q_COMPUTE,
    .attr_size = sizeof(struct m_add_attr),
    .attrs = add_attrs,
    .infer = infer_add,
    .eval = eval_add,
};
