/* fold-batchnorm: a BatchNormalization, or a multiplication per channel, behind a
 * Conv goes into its weights and bias.  One that stands alone on images becomes a
 * depthwise 1x1 Conv, if its factors are near enough to share int8 scales. */
#include <math.h>
#include <string.h>

#include "passes/rewrite.h"

enum { MOST_SPREAD = 16 };                     /* factors within 4 bits of each other */

struct affine { const float *mul, *add; };     /* per channel */

static bool
of_batchnorm(struct graph *g, const struct node *n, struct affine *f)
{
    const float *p[4];
    int64_t c = n->in[1]->type.shape.rank == 1 ? n->in[1]->type.shape.dim[0].n : -1;
    float eps = batch_normalization_attr(n)->epsilon, *mul, *add;

    for (int i = 0; i < 4; i++) {
        p[i] = const_floats(n->in[i + 1]);
        if (!p[i] || shape_elems(&n->in[i + 1]->type.shape) != c)
            return false;
    }
    mul = NEWN(g->arena, float, c + 1);
    add = NEWN(g->arena, float, c + 1);
    for (int64_t i = 0; i < c; i++) {
        double m = (double)p[0][i] / sqrt((double)p[3][i] + (double)eps);
        mul[i] = (float)m;
        add[i] = (float)((double)p[1][i] - (double)p[2][i] * m);
    }
    *f = (struct affine){ mul, add };
    return true;
}

static bool
of_mul(struct graph *g, const struct node *n, int data, struct affine *f)
{
    const struct shape *y = &n->out[0]->type.shape;

    if (y->rank < 3 || !shape_equal(y, &n->in[data]->type.shape))
        return false;
    f->mul = const_per_axis(g->arena, n->in[1 - data], y, 1);
    f->add = NULL;
    return f->mul != NULL;
}

static bool
into_conv(struct graph *g, struct node *conv, struct node *n, const struct affine *f)
{
    const struct type *t = &conv->in[1]->type;
    const float *w = const_floats(conv->in[1]), *b = NULL;
    int64_t o = t->shape.dim[0].n, run;
    float *w2, *b2;

    if (conv->nin > 2 && conv->in[2] && !(b = const_floats(conv->in[2])))
        return false;
    if (!w || conv->epi)
        return false;
    run = shape_count(&t->shape, 1, t->shape.rank);
    w2 = NEWN(g->arena, float, o * run + 1);
    b2 = NEWN(g->arena, float, o + 1);
    for (int64_t i = 0; i < o * run; i++)
        w2[i] = w[i] * f->mul[i / run];
    for (int64_t i = 0; i < o; i++)
        b2[i] = (b ? b[i] * f->mul[i] : 0) + (f->add ? f->add[i] : 0);
    node_set_input(conv, 1, new_const(g, conv->in[1]->name, &t->shape, w2));
    if (b || f->add) {
        struct value *v = new_floats(g, arena_printf(g->arena, "%s.bias", conv->name), b2, o);
        if (conv->nin > 2)
            node_set_input(conv, 2, v);
        else
            node_add_input(g, conv, v);
    }
    absorb(g, conv, n);
    return true;
}

static bool
near_enough(const float *mul, int64_t n)
{
    float least = HUGE_VALF, most = 0;

    for (int64_t i = 0; i < n; i++) {
        float m = fabsf(mul[i]);
        most = m > most ? m : most;
        least = m < least ? m : least;
    }
    return most <= least * MOST_SPREAD;
}

static bool
alone(struct graph *g, struct node *n, const struct affine *f)
{
    const struct shape *x = &n->in[0]->type.shape;
    int64_t c = x->dim[1].n, ones[2] = { 1, 1 }, zeros[4] = { 0 };
    struct value *in[3] = { n->in[0] };
    struct conv_attr *a;
    struct shape s;
    struct node *conv;

    if (x->rank != 4 || !near_enough(f->mul, c))
        return false;
    s = shape_make(4, (int64_t[]){ c, 1, 1, 1 });
    in[1] = new_const(g, arena_printf(g->arena, "%s.scale", n->name), &s, f->mul);
    in[2] = new_floats(g, arena_printf(g->arena, "%s.shift", n->name), f->add, c);
    conv = graph_node(g, n, &op_conv, n->name, in, 3, n->out, 1);
    a = conv_attr(conv);
    a->group = c;
    a->win.kernel_shape = (struct ints){ 2, arena_dup(g->arena, ones, sizeof ones) };
    a->win.strides = a->win.dilations = a->win.kernel_shape;
    a->win.pads = (struct ints){ 4, arena_dup(g->arena, zeros, sizeof zeros) };
    node_join_origin(g, conv, n);
    node_remove(g, n);
    return true;
}

static void
visit(struct pass_ctx *c, struct node *n)
{
    struct affine f;
    struct node *conv;

    if (n->op == &op_batch_normalization) {
        if (n->nout > 1 || n->epi || !of_batchnorm(c->g, n, &f))
            return;
        conv = only_def(n->in[0], &op_conv);
        if (pass_may_rewrite(c) && !(conv && into_conv(c->g, conv, n, &f)))
            alone(c->g, n, &f);
        return;
    }
    if (n->op != &op_mul || n->epi)
        return;
    for (int i = 0; i < 2; i++) {
        conv = only_def(n->in[i], &op_conv);
        if (!conv || !of_mul(c->g, n, i, &f) || !pass_may_rewrite(c))
            continue;
        if (into_conv(c->g, conv, n, &f))
            return;
    }
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

const struct pass pass_fold_batchnorm = {
    .name = "fold-batchnorm",
    .doc = "puts batch normalization into the convolution before it",
    .level = 1,
    .needs = FACT_TYPES | FACT_ORDER,
    .from = STAGE_NET,
    .run = run,
};
