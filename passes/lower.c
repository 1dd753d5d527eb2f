/* lower: every node becomes machine operators, except those that only give the same
 * bytes another shape. */
#include "ir/machine.h"
#include "passes/passes.h"
#include "src/machine/target.h"

static bool
stays(const struct node *n)
{
    return n->op->stages & STAGE_MACHINE && !n->epi;
}

static bool
lower_one(struct pass_ctx *c, struct node *n, struct arena *scratch)
{
    struct lower l = {
        .g = c->g, .n = n, .arena = scratch, .diag = c->diag, .at = node_place(c->g, n),
        .scale_block = target_line(c->target), .exact = c->opt->exact,
    };

    if (stays(n))
        return true;
    if (!n->op->lower) {
        diag_error(c->diag, &l.at, "lower-none", "%s of %s cannot be compiled",
                   n->op->name, n->nin && n->in[0] ? dtype_name(n->in[0]->type.dt) : "nothing");
        return false;
    }
    if (!n->op->lower(&l))
        return false;
    node_remove(c->g, n);
    return true;
}

static bool
run(struct pass_ctx *c)
{
    struct arena *scratch = arena_new();
    struct node *next;
    bool fine = true;

    for (struct node *n = c->g->first; n; n = next) {
        next = n->next;
        fine &= lower_one(c, n, scratch);
    }
    arena_free(scratch);
    if (!fine)
        return false;
    c->g->stage = STAGE_MACHINE;
    return graph_infer(c->g, c->diag);
}

const struct pass pass_lower = {
    .name = "lower",
    .doc = "turns operators into machine operators",
    .needs = FACT_TYPES | FACT_ORDER,
    .gives = FACT_TYPES,
    .from = STAGE_QNET, .to = STAGE_MACHINE,
    .run = run,
};
