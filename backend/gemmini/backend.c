/* The Gemmini backend: which machine operators run on the array, and how. */
#include <stdio.h>

#include "backend/gemmini/gemmini.h"

static bool
on_array(const struct node *n)
{
    return n->op == &op_m_conv || n->op == &op_m_matmul || n->op == &op_m_add;
}

static bool
legal(const struct node *n, const struct target *t, struct why *why)
{
    if (t->elem != DT_I8 || t->acc != DT_I32) {
        snprintf(why->text, sizeof why->text, "the array of this target is not int8 with int32 sums");
        return false;
    }
    if (n->op == &op_m_pool)
        return pool_legal(n, t, why);
    if (on_array(n))
        return true;
    snprintf(why->text, sizeof why->text, "the array has no form of it");
    return false;
}

/* Windows without padding, whose smallest region fits one half of the accumulator. */
static bool
can_pool(const struct node *conv, const struct m_pool_attr *a, const struct target *t)
{
    bool square = a->kernel[0] == a->kernel[1] && a->stride[0] == a->stride[1];
    bool padded = a->pads[0] || a->pads[1] || a->pads[2] || a->pads[3];

    return conv->op == &op_m_conv && t->has_max_pool && square && !padded && a->kernel[0] <= 3 && a->stride[0] <= 3
        && a->dilation[0] == 1 && a->dilation[1] == 1 && a->kernel[0] * a->kernel[0] <= target_acc_rows(t) / 2;
}

static bool
plan(struct plan *p, struct why *why)
{
    const struct op_def *op = p->k->n->op;
    struct product g;

    if (op == &op_m_pool)
        return pool_plan(p, why);
    bool ok = op == &op_m_conv ? product_conv(p, &g, why)
        : op == &op_m_matmul ? product_matmul(p, &g, why) : product_add(p, &g, why);
    return ok && product_plan(p, &g, why);
}

const struct backend backend_gemmini = {
    .name = "gemmini",
    .doc = "weight-stationary int8 array with explicit commands",
    .legal = legal,
    .can_pool = can_pool,
    .plan = plan,
};
