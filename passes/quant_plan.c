/* Which values become int8, and which of them share a scale.
 *
 * A node computes on int8 if its operator can, and if an operand is int8 already or
 * it is a product, which pays for conversions.  What only moves numbers (MaxPool,
 * Transpose, Concat, ..) ties the scales of what it reads and writes together; the
 * range of such a group is that of all its members.  Factors that are both computed
 * have their zero at 0: nothing could take their zero points out of a product. */
#include <string.h>

#include "ir/ops/attrs.h"
#include "passes/quant_plan.h"

static bool
is_product(const struct node *n)
{
    return n->op == &op_conv || n->op == &op_gemm || n->op == &op_matmul;
}

bool
quant_is_operand(const struct node *n, int i)
{
    const struct value *v = n->in[i];

    if (!v || v->type.dt != DT_F32)
        return false;
    if (i == 0 || is_product(n) || n->op->quant == Q_SAME_AS_OUTPUT)
        return true;
    return n->op->traits & OP_ELEMENTWISE && n->op != &op_clip;
}

static uint32_t
root(const struct quant_plan *p, uint32_t v)
{
    while (p->group[v] != v)
        v = p->group[v] = p->group[p->group[v]];
    return v;
}

static void
tie(struct quant_plan *p, const struct value *a, const struct value *b)
{
    uint32_t ra = root(p, a->id), rb = root(p, b->id);

    if (ra == rb)
        return;
    if (ra > rb) {
        uint32_t t = ra;
        ra = rb;
        rb = t;
    }
    p->group[rb] = ra;
    p->symmetric[ra] |= p->symmetric[rb];
    p->lo[ra] = p->lo[ra] < p->lo[rb] ? p->lo[ra] : p->lo[rb];
    p->hi[ra] = p->hi[ra] > p->hi[rb] ? p->hi[ra] : p->hi[rb];
}

/* A constant joins the range of a group. */
static void
cover(struct quant_plan *p, const struct value *v, const struct value *constant)
{
    uint32_t r = root(p, v->id);
    const float *f = constant->data;
    int64_t n = shape_elems(&constant->type.shape);

    for (int64_t i = 0; i < n; i++) {
        p->lo[r] = f[i] < p->lo[r] ? f[i] : p->lo[r];
        p->hi[r] = f[i] > p->hi[r] ? f[i] : p->hi[r];
    }
}

static bool
fixed(const struct node *n, int i)
{
    return n->nin <= i || !n->in[i] || (n->in[i]->data && !n->in[i]->mutable);
}

static bool
may_compute(const struct quant_plan *p, const struct node *n)
{
    bool some = false;

    if (n->op == &op_conv)
        return !n->in[0]->data && fixed(n, 1) && fixed(n, 2);
    if (n->op == &op_gemm)
        return fixed(n, 2) && !(fixed(n, 0) && fixed(n, 1));
    if (n->op == &op_matmul)
        return !(fixed(n, 0) && fixed(n, 1));
    for (int i = 0; i < n->nin; i++) {
        const struct value *v = n->in[i];
        if (quant_is_operand(n, i))
            some |= !v->data && v->home == p->g && p->is8[v->id];
    }
    return some;
}

static bool
computes_int8(const struct quant_plan *p, const struct node *n)
{
    if (n->nbody || !n->nin || !n->in[0] || n->in[0]->type.dt != DT_F32
        || n->out[0]->type.dt != DT_F32 || n->in[0]->type.shape.rank < 1)
        return false;
    switch (n->op->quant) {
    case Q_COMPUTE:
    case Q_SAME_AS_OUTPUT:
        return may_compute(p, n);
    case Q_SAME_AS_INPUT:
    case Q_FLOAT_OUT:
        return !n->in[0]->data && n->in[0]->home == p->g && p->is8[n->in[0]->id];
    case Q_FLOAT:
    case Q_NONE:
        break;
    }
    return false;
}

static bool
input_is8(const struct quant_plan *p, const struct value *v)
{
    enum io_mode io = p->c->opt->io;

    if (v->type.dt != DT_F32 || io == IO_FLOAT || io == IO_KEEP)
        return false;
    for (int i = 0; i < v->nuse; i++) {
        enum quant_rule q = v->uses[i].node->op->quant;
        if (q != Q_FLOAT && q != Q_NONE && v->uses[i].index >= 0
            && quant_is_operand(v->uses[i].node, v->uses[i].index))
            return true;
    }
    return false;
}

static void
choose(struct quant_plan *p)
{
    for (int i = 0; i < p->g->ninput; i++)
        p->is8[p->g->inputs[i]->id] = input_is8(p, p->g->inputs[i]);
    for (struct node *n = p->g->first; n; n = n->next) {
        if (!computes_int8(p, n))
            continue;
        p->node8[n->id] = true;
        for (int i = 0; i < n->nout && n->op->quant != Q_FLOAT_OUT; i++)
            if (n->out[i] && n->out[i]->type.dt == DT_F32)
                p->is8[n->out[i]->id] = true;
    }
}

/* Both operands of a product are computed, or one is constant but is no matrix of
 * weights on the right. */
static void
center_factors(struct quant_plan *p, const struct node *n)
{
    bool stack = n->nin > 1 && n->in[1] && n->in[1]->type.shape.rank > 2;

    if ((n->op != &op_matmul && n->op != &op_gemm) || (fixed(n, 1) && !stack))
        return;
    for (int i = 0; i < 2; i++)
        if (!n->in[i]->data)
            p->symmetric[root(p, n->in[i]->id)] = true;
}

static void
tie_all(struct quant_plan *p)
{
    for (struct node *n = p->g->first; n; n = n->next) {
        if (!p->node8[n->id])
            continue;
        center_factors(p, n);
        for (int i = 0; i < n->nout && n->op->quant == Q_SAME_AS_INPUT; i++)
            if (n->out[i] && p->is8[n->out[i]->id])
                tie(p, n->in[0], n->out[i]);
        for (int i = 0; i < n->nin && n->op->quant == Q_SAME_AS_OUTPUT; i++) {
            const struct value *v = n->in[i];
            if (v->data)
                cover(p, n->out[0], v);
            else if (p->is8[v->id])
                tie(p, v, n->out[0]);
        }
    }
}

bool
quant_plan(struct quant_plan *p, struct pass_ctx *c, struct arena *scratch)
{
    struct graph *g = c->g;

    *p = (struct quant_plan){ .c = c, .g = g, .scratch = scratch, .nvalue = g->nvalue };
    p->is8 = NEWN(scratch, bool, g->nvalue);
    p->node8 = NEWN(scratch, bool, g->nnode);
    p->group = NEWN(scratch, uint32_t, g->nvalue);
    p->symmetric = NEWN(scratch, bool, g->nvalue);
    p->lo = NEWN(scratch, float, g->nvalue);
    p->hi = NEWN(scratch, float, g->nvalue);
    p->quant = NEWN(scratch, const struct quant *, g->nvalue);
    for (uint32_t i = 0; i < g->nvalue; i++) {
        p->group[i] = i;
        if (g->values[i] && g->values[i]->ranged) {
            p->lo[i] = g->values[i]->lo;
            p->hi[i] = g->values[i]->hi;
        }
    }
    choose(p);
    for (uint32_t i = 0; i < g->nvalue; i++) {
        struct value *v = g->values[i];
        if (v && p->is8[i] && !v->ranged)
            return diag_error(c->diag, &(struct place_ref){ .file = g->file }, "calib-feed",
                              "calibration gave no range for '%s'", v->name);
    }
    tie_all(p);
    return true;
}

const struct quant *
quant_of(struct quant_plan *p, const struct value *v)
{
    uint32_t r = root(p, v->id);

    if (!p->quant[r])
        p->quant[r] = quant_range(p->g->arena, p->lo[r], p->hi[r], p->symmetric[r]);
    return p->quant[r];
}
