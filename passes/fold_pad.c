/* fold-pad: zeros that a Pad puts around an image are the padding of the Conv or
 * AveragePool that reads it.  A MaxPool pads with less than anything, which is not
 * the same. */
#include <string.h>

#include "passes/rewrite.h"

/* Zeros around the spatial axes only. */
static bool
pads_image(const struct node *n)
{
    const struct pad_attr *a = pad_attr(n);
    int rank = n->in[0]->type.shape.rank;

    if (a->mode != PAD_CONSTANT || a->value != 0 || n->nin > 1 || a->pads.n != 2 * rank || rank < 3)
        return false;
    for (int i = 0; i < 2 * rank; i++)
        if (a->pads.at[i] < 0 || (i % rank < 2 && a->pads.at[i] != 0))
            return false;
    return true;
}

static void
add_pads(struct graph *g, struct window *w, const struct pad_attr *p, int rank)
{
    int axes = rank - 2;
    int64_t *sum = NEWN(g->arena, int64_t, 2 * axes);

    for (int i = 0; i < axes; i++) {
        sum[i] = w->pads.at[i] + p->pads.at[2 + i];
        sum[axes + i] = w->pads.at[axes + i] + p->pads.at[rank + 2 + i];
    }
    w->pads = (struct ints){ 2 * axes, sum };
}

static bool
no_pads(const struct window *w)
{
    for (int i = 0; i < w->pads.n; i++)
        if (w->pads.at[i])
            return false;
    return true;
}

static bool
run(struct pass_ctx *c)
{
    struct graph *g = c->g;
    struct node *next;

    for (struct node *n = g->first; n; n = next) {
        struct node *user = n->op == &op_pad ? value_only_user(n->out[0]) : NULL;
        bool mean = user && user->op == &op_average_pool;
        next = n->next;
        if (!user || n->epi || user->in[0] != n->out[0] || !pads_image(n))
            continue;
        if (mean ? pool_attr(user)->ceil_mode || !no_pads(&pool_attr(user)->win)
                 : user->op != &op_conv)
            continue;
        if (!pass_may_rewrite(c))
            continue;
        add_pads(g, mean ? &pool_attr(user)->win : &conv_attr(user)->win, pad_attr(n),
                 n->in[0]->type.shape.rank);
        if (mean)
            pool_attr(user)->count_include_pad = 1;
        node_join_origin(g, user, n);
        node_set_input(user, 0, n->in[0]);
        node_remove(g, n);
    }
    return true;
}

const struct pass pass_fold_pad = {
    .name = "fold-pad",
    .doc = "makes zeros around an image the padding of its reader",
    .level = 1,
    .needs = FACT_TYPES | FACT_ORDER,
    .from = STAGE_NET,
    .run = run,
};
