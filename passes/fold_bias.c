/* fold-bias: a constant added to every pixel of a channel, or to every row of a
 * product, is a bias.  A MatMul of two axes by constant weights becomes a Gemm. */
#include <string.h>

#include "passes/rewrite.h"

static void
set_bias(struct graph *g, struct node *n, const float *add, int64_t count)
{
    const float *old = n->nin > 2 ? const_floats(n->in[2]) : NULL;
    float *sum = NEWN(g->arena, float, count + 1);
    struct value *v;

    for (int64_t i = 0; i < count; i++)
        sum[i] = (old ? old[i] : 0) + add[i];
    v = new_floats(g, arena_printf(g->arena, "%s.bias", n->name), sum, count);
    if (n->nin > 2)
        node_set_input(n, 2, v);
    else
        node_add_input(g, n, v);
}

/* The same product as Gemm, which has a place for the bias. */
static struct node *
as_gemm(struct graph *g, struct node *n)
{
    struct node *gemm;

    if (n->in[0]->type.shape.rank != 2 || n->in[1]->type.shape.rank != 2)
        return NULL;
    gemm = graph_node(g, n, &op_gemm, n->name, n->in, 2, n->out, 1);
    gemm->from = n->from;
    node_join_origin(g, gemm, n);
    node_remove(g, n);
    return gemm;
}

/* A product of many matrices: rows get the bias on their way out. */
static void
bias_epilogue(struct graph *g, struct node *n, const float *add, int64_t count)
{
    struct shape s = { .rank = n->out[0]->type.shape.rank };

    for (int i = 0; i < s.rank; i++)
        s.dim[i] = dim_of(i == s.rank - 1 ? count : 1);
    node_add_epi(g, n, EPI_BIAS,
                 new_const(g, arena_printf(g->arena, "%s.bias", n->name), &s,
                           arena_dup(g->arena, add, (size_t)count * sizeof *add)), NULL);
}

static struct node *
product_before(const struct node *add, int i)
{
    const struct op_def *const ops[] = { &op_conv, &op_gemm, &op_matmul };
    struct node *p = NULL;

    for (int k = 0; k < 3 && !p; k++)
        p = only_def(add->in[i], ops[k]);
    if (!p || p->epi || !shape_equal(&p->out[0]->type.shape, &add->out[0]->type.shape))
        return NULL;
    if (p->nin > 2 && p->in[2] && !const_floats(p->in[2]))
        return NULL;
    if (p->op == &op_gemm && gemm_attr(p)->beta != 1.0f)
        return NULL;
    return p;
}

static bool
fold(struct pass_ctx *c, struct node *add, int i)
{
    struct graph *g = c->g;
    struct node *p = product_before(add, i);
    const struct shape *y = &add->out[0]->type.shape;
    int axis = p && p->op == &op_conv ? 1 : y->rank - 1;
    const float *f = p && y->rank > 0 ? const_per_axis(g->arena, add->in[1 - i], y, axis) : NULL;
    struct node *gemm;

    if (!f || !pass_may_rewrite(c))
        return false;
    if (p->op == &op_matmul) {
        gemm = as_gemm(g, p);
        if (!gemm) {
            bias_epilogue(g, p, f, y->dim[axis].n);
            absorb(g, p, add);
            return true;
        }
        p = gemm;
    }
    set_bias(g, p, f, y->dim[axis].n);
    absorb(g, p, add);
    return true;
}

static bool
run(struct pass_ctx *c)
{
    struct node *next;

    for (struct node *n = c->g->first; n; n = next) {
        next = n->next;
        if (n->op == &op_add && !n->epi && !fold(c, n, 0))
            fold(c, n, 1);
    }
    return true;
}

const struct pass pass_fold_bias = {
    .name = "fold-bias",
    .doc = "makes a constant added per channel the bias of the product before it",
    .level = 1,
    .needs = FACT_TYPES | FACT_ORDER,
    .from = STAGE_NET,
    .run = run,
};
