/* MatMul: product of matrices in the last two axes, the others broadcast; a vector
 * counts as a row on the left and as a column on the right. */
#include <string.h>

#include "ir/elem.h"
#include "ir/ops/common.h"
#include "ir/ops/lower.h"

/* Both inputs as stacks of matrices. */
struct product {
    struct shape a, b, lead;     /* with two axes at least; leading axes of y */
    struct dim m, n, k, kb;
};

static bool
product_of(const struct shape *a, const struct shape *b, struct product *p)
{
    struct shape la, lb;

    if (a->rank < 1 || b->rank < 1)
        return false;
    p->a = *a;
    p->b = *b;
    if (a->rank == 1) {
        p->a.rank = 2;
        p->a.dim[0] = dim_of(1);
        p->a.dim[1] = a->dim[0];
    }
    if (b->rank == 1) {
        p->b.rank = 2;
        p->b.dim[1] = dim_of(1);
    }
    p->m = p->a.dim[p->a.rank - 2];
    p->k = p->a.dim[p->a.rank - 1];
    p->kb = p->b.dim[p->b.rank - 2];
    p->n = p->b.dim[p->b.rank - 1];
    la = p->a;
    lb = p->b;
    la.rank -= 2;
    lb.rank -= 2;
    return shape_broadcast(&la, &lb, &p->lead);
}

static bool
infer(struct infer *q)
{
    const struct shape *a = ops_in(q->n, 0), *b = ops_in(q->n, 1);
    enum dtype dt = q->n->in[0]->type.dt;
    struct product p;
    struct shape y;

    if (!ops_need_rank(q, 0, 1, MAX_RANK) || !ops_need_rank(q, 1, 1, MAX_RANK))
        return false;
    if (!dtype_is_int(dt) && !ops_need_real(q, 0))
        return false;
    if (!ops_same_dtype(q, 0, 1))
        return false;
    if (!product_of(a, b, &p))
        return diag_error(q->diag, &q->at, "op-broadcast", "%s and %s do not broadcast",
                          shape_text(q->arena, a), shape_text(q->arena, b));
    if (!dim_equal(p.k, p.kb))
        return diag_error(q->diag, &q->at, "matmul-inner",
                          "the inner sizes differ: %s in input 0, %s in input 1",
                          dim_text(q->arena, p.k), dim_text(q->arena, p.kb));
    y = p.lead;
    if (a->rank > 1)
        y.dim[y.rank++] = p.m;
    if (b->rank > 1)
        y.dim[y.rank++] = p.n;
    ops_set_out(q, 0, dt, &y);
    return true;
}

static void
int_matmul(enum dtype dt, const char *a, const char *b, char *c, const struct product *p)
{
    for (int64_t i = 0; i < p->m.n; i++)
        for (int64_t j = 0; j < p->n.n; j++) {
            uint64_t sum = 0;
            for (int64_t k = 0; k < p->k.n; k++)
                sum += (uint64_t)elem_int(dt, a, i * p->k.n + k) *
                       (uint64_t)elem_int(dt, b, k * p->n.n + j);
            elem_put_int(dt, c, i * p->n.n + j, (int64_t)sum);
        }
}

struct stack { const struct eval *e; const struct product *p; enum dtype dt; int64_t each; };

static void
multiply_run(const struct ops_run *r, void *ctx)
{
    const struct stack *s = ctx;
    const struct product *p = s->p;
    int64_t m = p->m.n, n = p->n.n, k = p->k.n;

    for (int64_t i = 0; i < r->n; i++) {
        const char *a = (const char *)s->e->in[0] + (r->at[0] + i * r->step[0]) * m * k * s->each;
        const char *b = (const char *)s->e->in[1] + (r->at[1] + i * r->step[1]) * k * n * s->each;
        char *c = (char *)s->e->out[0] + (r->y + i) * m * n * s->each;
        if (s->dt == DT_F32)
            ref_matmul((const float *)(const void *)a, (const float *)(const void *)b,
                       (float *)(void *)c, m, n, k);
        else
            int_matmul(s->dt, a, b, c, p);
    }
}

static void
eval(struct eval *e)
{
    const struct type *x = &e->n->in[0]->type;
    struct product p;
    struct stack s = { e, &p, x->dt, ops_elem_bytes(x) };

    if (!product_of(ops_in(e->n, 0), ops_in(e->n, 1), &p))
        return;
    p.a.rank -= 2;
    p.b.rank -= 2;
    ops_broadcast(&p.lead, (const struct shape *const[]){ &p.a, &p.b }, 2, multiply_run, &s);
}

const struct op_def op_matmul = {
    .name = "MatMul",
    .doc = "product of matrices, stacks of them broadcast",
    .since = 1,
    .min_in = 2, .max_in = 2,
    .stages = OPS_FLOATS,
    .quant = Q_COMPUTE,
    .infer = infer,
    .eval = eval,
    .lower = lower_matmul,
};
