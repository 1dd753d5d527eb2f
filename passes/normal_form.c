/* normal-form: one way to say a thing, so that later passes look for one.
 * - Gemm: alpha and beta are in the constants, weights lie [K, N], input 2 is a bias
 *   of N elements or an Add of its own.
 * - Sum, Mean, Max and Min of many are chains of two. */
#include <string.h>

#include "passes/rewrite.h"

static const float *
scaled(struct graph *g, const float *x, int64_t n, float by)
{
    float *y = NEWN(g->arena, float, n + 1);

    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] * by;
    return y;
}

/* Constant weights as [K, N], times alpha. */
static void
gemm_weights(struct graph *g, struct node *n)
{
    struct gemm_attr *a = gemm_attr(n);
    const struct shape *s = &n->in[1]->type.shape;
    const float *w = const_floats(n->in[1]);
    struct shape t = *s;
    float *y;

    if (!w || (!a->trans_b && a->alpha == 1.0f))
        return;
    y = NEWN(g->arena, float, shape_elems(s) + 1);
    if (a->trans_b) {
        int64_t rows = s->dim[0].n, cols = s->dim[1].n;
        for (int64_t i = 0; i < rows * cols; i++)
            y[i % cols * rows + i / cols] = w[i] * a->alpha;
        t.dim[0] = s->dim[1];
        t.dim[1] = s->dim[0];
    } else {
        memcpy(y, scaled(g, w, shape_elems(s), a->alpha), (size_t)shape_bytes(&n->in[1]->type, 0));
    }
    node_set_input(n, 1, new_const(g, n->in[1]->name, &t, y));
    a->trans_b = 0;
    a->alpha = 1.0f;
}

/* An input 2 that is no bias is added behind. */
static void
gemm_split(struct graph *g, struct node *n, struct value *c)
{
    struct value *y = n->out[0], *sum;
    struct node *add;

    if (gemm_attr(n)->beta != 1.0f) {
        struct value *beta = new_floats(g, NULL, scaled(g, &gemm_attr(n)->beta, 1, 1), 1);
        struct value *p = new_float_value(g, NULL, &c->type.shape);
        add = graph_node(g, n, &op_mul, NULL, (struct value *[]){ c, beta }, 2, &p, 1);
        node_join_origin(g, add, n);
        c = p;
    }
    node_set_input(n, 2, NULL);
    n->nin = 2;
    gemm_attr(n)->beta = 1.0f;
    sum = new_float_value(g, arena_printf(g->arena, "%s.sum", y->name), &y->type.shape);
    value_replace(g, y, sum);
    add = graph_node(g, n->next, &op_add, NULL, (struct value *[]){ y, c }, 2, &sum, 1);
    add->from = n->from;
    if (!add->from)
        node_join_origin(g, add, n);
}

static void
gemm(struct graph *g, struct node *n)
{
    struct gemm_attr *a = gemm_attr(n);
    const struct shape *y = &n->out[0]->type.shape;
    struct value *c = n->nin > 2 ? n->in[2] : NULL;
    const float *f;

    gemm_weights(g, n);
    if (!c)
        return;
    f = const_per_axis(g->arena, c, y, 1);
    if (!f) {
        gemm_split(g, n, c);
        return;
    }
    if (a->beta == 1.0f && c->type.shape.rank == 1 && c->type.shape.dim[0].n == y->dim[1].n)
        return;
    f = scaled(g, f, y->dim[1].n, a->beta);
    node_set_input(n, 2, new_floats(g, c->name, f, y->dim[1].n));
    a->beta = 1.0f;
}

/* x0 op x1 op x2 .. pair by pair. */
static void
chain(struct graph *g, struct node *n, const struct op_def *op)
{
    struct value *left = n->in[0];
    bool mean = n->op == &op_mean;
    int count = n->nin;

    for (int i = 1; i < count; i++) {
        bool last = i == count - 1 && !mean;
        struct value *pair[2] = { left, n->in[i] }, *y = n->out[0];
        struct shape s;
        struct node *p;
        if (!shape_broadcast(&left->type.shape, &n->in[i]->type.shape, &s))
            BUG("'%s' was not checked", n->name);
        if (!last)
            y = new_float_value(g, NULL, &s);
        p = graph_node(g, n, op, n->name, pair, 2, &y, 1);
        node_join_origin(g, p, n);
        left = y;
    }
    if (mean) {
        float *by = NEWN(g->arena, float, 1);
        struct value *pair[2] = { left, new_floats(g, NULL, by, 1) };
        *by = 1.0f / (float)count;
        node_join_origin(g, graph_node(g, n, &op_mul, n->name, pair, 2, n->out, 1), n);
    }
    node_remove(g, n);
}

static bool
run(struct pass_ctx *c)
{
    struct node *next;

    for (struct node *n = c->g->first; n; n = next) {
        const struct op_def *op = n->op;
        next = n->next;
        if (n->out[0] == NULL || n->out[0]->type.dt != DT_F32 || n->epi)
            continue;
        if (op == &op_gemm)
            gemm(c->g, n);
        else if ((op == &op_sum || op == &op_mean) && n->nin > 1)
            chain(c->g, n, &op_add);
        else if ((op == &op_max || op == &op_min) && n->nin > 2)
            chain(c->g, n, op);
    }
    return true;
}

const struct pass pass_normal_form = {
    .name = "normal-form",
    .doc = "rewrites operators into the forms that later passes expect",
    .needs = FACT_TYPES | FACT_ORDER,
    .from = STAGE_NET,
    .run = run,
};
