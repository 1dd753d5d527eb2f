/* fuse-relu: Relu and Clip happen on the way out of the node before them.  A MaxPool
 * between the two changes places with the clamp first: both are monotone. */
#include <math.h>
#include <string.h>

#include "passes/rewrite.h"

static bool
bounds(const struct node *n, struct epi_act *a)
{
    if (n->op == &op_relu) {
        *a = (struct epi_act){ 0, HUGE_VALF };
        return true;
    }
    if (n->op != &op_clip || n->nin > 1)
        return false;
    *a = (struct epi_act){ clip_attr(n)->min, clip_attr(n)->max };
    return a->lo <= a->hi;
}

static struct node *
producer(const struct value *v)
{
    const struct op_def *const ops[] = { &op_conv, &op_gemm, &op_matmul, &op_add, &op_sub };
    struct node *p = NULL;

    for (size_t i = 0; i < sizeof ops / sizeof *ops && !p; i++)
        p = only_def(v, ops[i]);
    for (const struct epilogue *e = p ? p->epi : NULL; e; e = e->next)
        if (e->kind != EPI_BIAS)
            return NULL;
    return p;
}

/* x -> MaxPool -> clamp becomes x -> clamp -> MaxPool. */
static struct node *
swap_with_pool(struct graph *g, struct node *n)
{
    struct node *pool = only_def(n->in[0], &op_max_pool), *act;
    struct value *x, *y;

    if (!pool || pool->nout > 1 || pool->epi || !producer(pool->in[0]))
        return NULL;
    x = pool->in[0];
    y = new_float_value(g, NULL, &x->type.shape);
    act = graph_node(g, pool, n->op, n->name, &x, 1, &y, 1);
    if (n->op->attr_size)
        act->attr = n->attr;
    act->from = n->from;
    node_set_input(pool, 0, y);
    absorb(g, pool, n);
    return act;
}

static void
visit(struct pass_ctx *c, struct node *n)
{
    struct epi_act a;
    struct node *p;

    if (n->epi || n->out[0]->type.dt != DT_F32 || !bounds(n, &a))
        return;
    p = producer(n->in[0]);
    if (!p && only_def(n->in[0], &op_max_pool)) {
        if (!producer(n->in[0]->def->in[0]) || !pass_may_rewrite(c))
            return;
        n = swap_with_pool(c->g, n);
        p = n ? producer(n->in[0]) : NULL;
    } else if (!p || !pass_may_rewrite(c)) {
        return;
    }
    if (!p)
        return;
    node_add_epi(c->g, p, EPI_ACT, NULL, arena_dup(c->g->arena, &a, sizeof a));
    absorb(c->g, p, n);
}

static bool
run(struct pass_ctx *c)
{
    struct node *next;

    for (struct node *n = c->g->first; n; n = next) {
        next = n->next;
        visit(c, n);
    }
    return true;
}

const struct pass pass_fuse_relu = {
    .name = "fuse-relu",
    .doc = "clamps on the way out of a product or a sum",
    .level = 1,
    .needs = FACT_TYPES | FACT_ORDER,
    .from = STAGE_NET,
    .run = run,
};
