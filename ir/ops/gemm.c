/* Gemm: alpha * A B + beta * C for matrices, either one transposed. */
#include <stddef.h>

#include "ir/ops/common.h"
#include "ir/ops/lower.h"

#define AT(field) offsetof(struct gemm_attr, field)

static const struct attr_def attrs[] = {
    { "alpha", ATTR_FLOAT, AT(alpha), "1", "factor of the product", NULL },
    { "beta", ATTR_FLOAT, AT(beta), "1", "factor of input 2", NULL },
    { "transA", ATTR_BOOL, AT(trans_a), "0", "input 0 is transposed first", NULL },
    { "transB", ATTR_BOOL, AT(trans_b), "0", "input 1 is transposed first", NULL },
    { 0 },
};

static bool
infer(struct infer *q)
{
    struct node *n = q->n;
    const struct gemm_attr *at = gemm_attr(n);
    const struct shape *a = ops_in(n, 0), *b = ops_in(n, 1);
    struct shape y = { .rank = 2 }, c;
    struct dim ka, kb;

    if (!ops_need_rank(q, 0, 2, 2) || !ops_need_rank(q, 1, 2, 2))
        return false;
    for (int i = 0; i < n->nin; i++)
        if (n->in[i] && !ops_need_real(q, i))
            return false;
    ka = a->dim[at->trans_a ? 0 : 1];
    kb = b->dim[at->trans_b ? 1 : 0];
    y.dim[0] = a->dim[at->trans_a ? 1 : 0];
    y.dim[1] = b->dim[at->trans_b ? 0 : 1];
    if (!dim_equal(ka, kb))
        return diag_error(q->diag, &q->at, "matmul-inner",
                          "the inner sizes differ: %s in input 0, %s in input 1",
                          dim_text(q->arena, ka), dim_text(q->arena, kb));
    if (ops_has(n, 2) && (!shape_broadcast(&y, ops_in(n, 2), &c) || !shape_equal(&c, &y)))
        return diag_error(q->diag, &q->at, "op-broadcast", "input 2 %s does not broadcast to %s",
                          shape_text(q->arena, ops_in(n, 2)), shape_text(q->arena, &y));
    ops_set_out(q, 0, DT_F32, &y);
    return true;
}

/* rows x cols of x, the other way round. */
static const float *
transposed(struct arena *a, const float *x, int64_t rows, int64_t cols)
{
    float *t = NEWN(a, float, rows * cols + 1);

    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < cols; c++)
            t[c * rows + r] = x[r * cols + c];
    return t;
}

struct add_c { float *y; const float *c; float beta; };

static void
add_run(const struct ops_run *r, void *ctx)
{
    struct add_c *k = ctx;

    for (int64_t i = 0; i < r->n; i++)
        k->y[r->y + i] += k->beta * k->c[r->at[0] + i * r->step[0]];
}

static void
eval(struct eval *e)
{
    const struct node *n = e->n;
    const struct gemm_attr *at = gemm_attr(n);
    const struct shape *s = &n->out[0]->type.shape;
    int64_t rows = s->dim[0].n, cols = s->dim[1].n;
    int64_t k = ops_in(n, 0)->dim[at->trans_a ? 0 : 1].n;
    const float *a = e->in[0], *b = e->in[1];
    float *y = e->out[0];

    if (at->trans_a)
        a = transposed(e->arena, a, k, rows);
    if (at->trans_b)
        b = transposed(e->arena, b, cols, k);
    ref_matmul(a, b, y, rows, cols, k);
    if (at->alpha != 1.0f)
        for (int64_t i = 0; i < rows * cols; i++)
            y[i] *= at->alpha;
    if (ops_has(n, 2)) {
        struct add_c c = { y, e->in[2], at->beta };
        ops_broadcast(s, (const struct shape *const[]){ ops_in(n, 2) }, 1, add_run, &c);
    }
}

const struct op_def op_gemm = {
    .name = "Gemm",
    .doc = "product of two matrices plus a third",
    .since = 7,
    .min_in = 2, .max_in = 3,
    .stages = OPS_FLOATS,
    .quant = Q_COMPUTE,
    .attr_size = sizeof(struct gemm_attr),
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
    .lower = lower_gemm,
};
