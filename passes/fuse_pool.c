/* fuse-pool: an m.pool that takes the greatest happens on the way out of the m.conv
 * before it, where the target's array can.  The result is the same: scaling and
 * clamping are monotone. */
#include "ir/machine.h"
#include "passes/rewrite.h"

static bool
run(struct pass_ctx *c)
{
    struct node *next;

    for (struct node *n = c->g->first; n && c->can_pool; n = next) {
        const struct m_pool_attr *a = n->attr;
        struct node *conv;
        next = n->next;
        if (n->op != &op_m_pool || a->kind != M_POOL_MAX || n->epi)
            continue;
        conv = only_def(n->in[0], &op_m_conv);
        if (!conv || conv->epi || n->in[0]->type.dt != DT_I8
            || !c->can_pool(conv, a, c->target) || !pass_may_rewrite(c))
            continue;
        node_add_epi(c->g, conv, EPI_POOL, NULL, a);
        absorb(c->g, conv, n);
    }
    return true;
}

const struct pass pass_fuse_pool = {
    .name = "fuse-pool",
    .doc = "takes the greatest of a window on the way out of a convolution",
    .level = 1,
    .needs = FACT_TYPES | FACT_ORDER,
    .from = STAGE_MACHINE,
    .run = run,
};
