/* infer: order, element types and shapes of everything. */
#include "passes/passes.h"

static bool
run(struct pass_ctx *c)
{
    return graph_sort(c->g, c->diag) && graph_infer(c->g, c->diag);
}

const struct pass pass_infer = {
    .name = "infer",
    .doc = "sorts the nodes and finds the type of every value",
    .gives = FACT_TYPES | FACT_ORDER,
    .from = STAGE_NET,
    .run = run,
};
