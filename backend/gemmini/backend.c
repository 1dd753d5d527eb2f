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
    .plan = plan,
};
