/* Pow: one tensor to the power of another, with broadcasting.  The exponent may have
 * another type; the result has that of the base. */
#include <math.h>

#include "ir/elem.h"
#include "ir/ops/common.h"
#include "ir/ops/lower.h"
#include "src/machine/fmath.h"

static bool
infer(struct infer *q)
{
    const struct node *n = q->n;
    struct shape y;

    for (int i = 0; i < 2; i++)
        if (!dtype_is_int(n->in[i]->type.dt) && !ops_need_real(q, i))
            return false;
    if (!shape_broadcast(ops_in(n, 0), ops_in(n, 1), &y))
        return diag_error(q->diag, &q->at, "op-broadcast", "%s and %s do not broadcast",
                          shape_text(q->arena, ops_in(n, 0)), shape_text(q->arena, ops_in(n, 1)));
    ops_set_out(q, 0, n->in[0]->type.dt, &y);
    return true;
}

static int64_t
int_power(int64_t a, int64_t b)
{
    uint64_t y = 1, x = (uint64_t)a;

    if (b < 0)
        return a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0;
    for (; b; b >>= 1, x *= x)
        if (b & 1)
            y *= x;
    return (int64_t)y;
}

static void
run(const struct ops_run *r, void *ctx)
{
    const struct eval *e = ctx;
    enum dtype da = e->n->in[0]->type.dt, db = e->n->in[1]->type.dt;

    for (int64_t i = 0; i < r->n; i++) {
        int64_t ia = r->at[0] + i * r->step[0], ib = r->at[1] + i * r->step[1];
        if (dtype_is_int(da) && dtype_is_int(db)) {
            elem_put_int(da, e->out[0], r->y + i,
                         int_power(elem_int(da, e->in[0], ia), elem_int(db, e->in[1], ib)));
            continue;
        }
        float a = (float)elem_real(da, e->in[0], ia), b = (float)elem_real(db, e->in[1], ib);
        float y = b == 2.0f ? a * a : fm_pow(a, b);
        elem_put_real(da, e->out[0], r->y + i, dtype_is_int(da) ? (double)truncf(y) : (double)y);
    }
}

static void
eval(struct eval *e)
{
    const struct shape *in[2] = { ops_in(e->n, 0), ops_in(e->n, 1) };

    ops_broadcast(&e->n->out[0]->type.shape, in, 2, run, e);
}

const struct op_def op_pow = {
    .name = "Pow",
    .doc = "input 0 to the power of input 1",
    .since = 7,
    .min_in = 2, .max_in = 2,
    .stages = OPS_FLOATS,
    .traits = OP_ELEMENTWISE | OP_LAYOUT_FREE,
    .quant = Q_FLOAT,
    .infer = infer,
    .eval = eval,
    .lower = lower_elementwise,
};
