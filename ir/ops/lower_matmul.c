/* MatMul and Gemm as m.matmul.  The zero point of a goes into the bias, which needs
 * constant columns of b; where b is computed both zero points are 0 (quantize sees to
 * that), and where a is constant, that of b. */
#include <string.h>

#include "ir/ops/lower.h"

/* What the product still owes besides its operands. */
struct product {
    struct value *a, *b;
    const float *bias;           /* one per column */
    float factor;
    int64_t ta, tb;
};

static struct shape
with_axis(const struct shape *s, bool column)
{
    struct shape r = *s;

    if (s->rank != 1)
        return r;
    r.rank = 2;
    r.dim[0] = column ? s->dim[0] : dim_of(1);
    r.dim[1] = column ? dim_of(1) : s->dim[0];
    return r;
}

static bool
integer_product(struct lower *l, const struct product *p, struct m_matmul_attr *a,
                struct value **in, const struct value *y)
{
    int64_t columns = p->b->type.shape.dim[p->b->type.shape.rank - (p->tb ? 2 : 1)].n;
    struct lower_weights w = { .channels = columns };
    const struct quant *q = p->b->type.quant;

    if (p->b->data && (q->axis < 0 || p->b->type.shape.rank == 2)) {
        if (!lower_weights(l, p->b, p->b->type.shape.rank - (p->tb ? 2 : 1), &w))
            return false;
        if (p->b->type.shape.rank > 2 && lower_zero(p->a) != 0)
            return lower_refuse(l, "a stack of weights with a zero point on the other side");
        in[1] = w.v;
    } else {
        if (lower_zero(p->b) != 0 || lower_zero(p->a) != 0)
            return lower_refuse(l, "a product of computed factors whose zero points are not 0");
        w.scale.scale = (struct floats){ 1, arena_dup(l->g->arena, &q->scale[0], sizeof(float)) };
        w.sum = NEWN(l->arena, int64_t, columns + 1);
    }
    in[2] = lower_bias(l, &w, p->a, y, p->bias, p->factor);
    a->scale = w.scale;
    return in[2] != NULL;
}

static bool
float_product(struct lower *l, const struct product *p, struct m_matmul_attr *a,
              struct value **in)
{
    int64_t columns = p->b->type.shape.dim[p->b->type.shape.rank - (p->tb ? 2 : 1)].n;
    struct type t = { .dt = DT_F32, .shape = shape_make(1, &columns) };

    if (p->factor != 1.0f)
        return lower_refuse(l, "a factor on a float product of computed matrices");
    a->scale.scale = (struct floats){ 1, arena_dup(l->g->arena, &p->factor, sizeof(float)) };
    in[2] = p->bias ? lower_const(l, "bias", &t,
                                  arena_dup(l->g->arena, p->bias, (size_t)columns * sizeof(float)))
                    : NULL;
    return true;
}

static bool
emit(struct lower *l, const struct product *p, struct value *y, struct lower_out *o)
{
    struct m_matmul_attr a = { .ta = p->ta, .tb = p->tb };
    struct value *in[3] = { p->a, p->b, NULL }, *made = lower_clamped(l, y, o, &a.relu);
    bool fine;

    if (lower_is8(p->a) && lower_is8(p->b) && lower_is8(y))
        fine = integer_product(l, p, &a, in, y);
    else if (p->a->type.dt == DT_F32 && p->b->type.dt == DT_F32 && y->type.dt == DT_F32)
        fine = float_product(l, p, &a, in);
    else
        return lower_refuse(l, "int8 and float operands together");
    if (!fine)
        return false;
    lower_node(l, &op_m_matmul, &a, in, in[2] ? 3 : 2, made);
    lower_clamp(l, made, y, o);
    return true;
}

bool
lower_gemm(struct lower *l)
{
    struct node *n = l->n;
    const struct gemm_attr *g = n->attr;
    struct product p = { .a = n->in[0], .b = n->in[1], .factor = g->alpha, .ta = g->trans_a,
                         .tb = g->trans_b };
    struct value *c = n->nin > 2 ? n->in[2] : NULL;
    struct lower_out o;

    if (!lower_epilogues(l, &o))
        return false;
    if (c) {
        p.bias = lower_floats(l, c);
        if (!p.bias || g->beta != 1.0f || c->type.shape.rank != 1
            || c->type.shape.dim[0].n != n->out[0]->type.shape.dim[1].n)
            return lower_refuse(l, "input 2 is no bias of one row");
    }
    return emit(l, &p, n->out[0], &o);
}

bool
lower_matmul(struct lower *l)
{
    struct node *n = l->n;
    struct product p = { .factor = 1 };
    struct shape a = with_axis(&n->in[0]->type.shape, false);
    struct shape b = with_axis(&n->in[1]->type.shape, true), la = a, lb = b, s;
    struct value *y = n->out[0], *wide = y;
    struct lower_out o;

    if (!lower_epilogues(l, &o))
        return false;
    if (o.bias && shape_elems(&o.bias->type.shape) != b.dim[b.rank - 1].n)
        return lower_refuse(l, "a bias that is no row");
    p.bias = lower_floats(l, o.bias);
    p.a = lower_view(l, n->in[0], &a);
    p.b = lower_view(l, n->in[1], &b);
    la.rank -= 2;
    lb.rank -= 2;
    if (!shape_broadcast(&la, &lb, &s))
        return lower_refuse(l, "stacks that do not fit");
    s.dim[s.rank++] = a.dim[a.rank - 2];
    s.dim[s.rank++] = b.dim[b.rank - 1];
    if (!shape_equal(&s, &y->type.shape)) {
        struct type t = y->type;
        t.shape = s;
        t.layout = NULL;
        wide = lower_temp(l, "product", &t);
    }
    if (!emit(l, &p, wide, &o))
        return false;
    if (wide != y)
        lower_view_to(l, wide, y);
    return true;
}
