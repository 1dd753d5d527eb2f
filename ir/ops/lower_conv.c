/* Conv and BatchNormalization as machine operators.
 *
 * acc = sum x w + bias', where bias' takes the zero points of x and y: padding holds
 * the zero point of x, so that it adds nothing.  A Conv over one axis is one over an
 * image of one row. */
#include <math.h>
#include <string.h>

#include "ir/ops/lower.h"

static void
window(const struct conv_attr *c, struct m_conv_attr *a)
{
    bool two = c->win.kernel_shape.n == 2;

    for (int i = 0; i < 2; i++) {
        int k = two ? i : 0;
        bool row = !two && i == 0;
        a->stride[i] = row ? 1 : c->win.strides.at[k];
        a->dilation[i] = row ? 1 : c->win.dilations.at[k];
        a->pads[i] = row ? 0 : c->win.pads.at[k];
        a->pads[2 + i] = row ? 0 : c->win.pads.at[c->win.kernel_shape.n + k];
    }
    a->groups = c->group;
}

/* [N, C, W] as [N, C, 1, W]. */
static struct shape
with_row(const struct shape *s)
{
    struct shape r = *s;

    if (s->rank != 3)
        return r;
    r.rank = 4;
    r.dim[3] = s->dim[2];
    r.dim[2] = dim_of(1);
    return r;
}

/* The same constant with a row axis. */
static struct value *
weights_with_row(struct lower *l, struct value *w)
{
    struct type t = w->type;
    struct value *v;

    if (t.shape.rank != 3)
        return w;
    t.shape = with_row(&t.shape);
    v = lower_const(l, "weights", &t, w->data);
    v->real = w->real;
    return v;
}

static struct value *
zeros(struct lower *l, int64_t n)
{
    struct type t = { .dt = DT_F32, .shape = shape_make(1, &n) };

    return lower_const(l, "bias", &t, NEWN(l->g->arena, float, n + 1));
}

static const float *
bias_of(struct lower *l, const struct lower_out *o)
{
    const struct node *n = l->n;

    if (o->bias)
        return lower_floats(l, o->bias);
    return n->nin > 2 ? lower_floats(l, n->in[2]) : NULL;
}

bool
lower_conv(struct lower *l)
{
    struct node *n = l->n;
    struct value *y = n->out[0], *in[3], *image = y, *made;
    struct m_conv_attr a = { .groups = 1 };
    struct shape s = with_row(&y->type.shape);
    struct lower_weights w = { .scale = { 0 } };
    struct lower_out o;

    if (!lower_epilogues(l, &o))
        return false;
    window(n->attr, &a);
    s = with_row(&n->in[0]->type.shape);
    in[0] = lower_view(l, n->in[0], &s);
    in[1] = weights_with_row(l, n->in[1]);
    if (y->type.shape.rank == 3) {
        struct type t = y->type;
        t.shape = with_row(&t.shape);
        t.layout = NULL;
        image = lower_temp(l, "rows", &t);
    }
    made = lower_clamped(l, image, &o, &a.relu);
    if (lower_is8(n->in[0]) && lower_is8(y)) {
        if (!lower_weights(l, in[1], 0, &w))
            return false;
        in[1] = w.v;
        in[2] = lower_bias(l, &w, n->in[0], y, bias_of(l, &o), 1);
        if (!in[2])
            return false;
        a.scale = w.scale;
        a.pad_value = lower_zero(n->in[0]);
    } else if (n->in[0]->type.dt == DT_F32 && y->type.dt == DT_F32 && in[1]->type.dt == DT_F32) {
        in[2] = n->nin > 2 && n->in[2] ? n->in[2] : zeros(l, y->type.shape.dim[1].n);
        a.scale.scale = (struct floats){ 1, arena_dup(l->g->arena, &(float){ 1 }, sizeof(float)) };
    } else {
        return lower_refuse(l, "int8 and float operands together");
    }
    lower_node(l, &op_m_conv, &a, in, 3, made);
    lower_clamp(l, made, image, &o);
    if (image != y)
        lower_view_to(l, image, y);
    return true;
}

/* x * mul + add with constants of the shape [C, 1, ..]. */
bool
lower_batchnorm(struct lower *l)
{
    struct node *n = l->n;
    const struct type *x = &n->in[0]->type;
    int64_t c = x->shape.rank > 1 ? x->shape.dim[1].n : 0;
    float eps = batch_normalization_attr(n)->epsilon, *k[2];
    struct type t = { .dt = DT_F32, .shape = { .rank = x->shape.rank - 1 } };
    struct m_map_attr a = { .op = M_MAP_MUL };
    struct value *in[2], *product;

    for (int i = 1; i < 5; i++)
        if (!n->in[i]->data)
            return lower_refuse(l, "parameters that are computed");
    for (int i = 0; i < 2; i++)
        k[i] = NEWN(l->g->arena, float, c + 1);
    for (int64_t i = 0; i < c; i++) {
        double m = (double)lower_floats(l, n->in[1])[i]
                   / sqrt((double)lower_floats(l, n->in[4])[i] + (double)eps);
        k[0][i] = (float)m;
        k[1][i] = (float)((double)lower_floats(l, n->in[2])[i]
                          - (double)lower_floats(l, n->in[3])[i] * m);
    }
    for (int d = 0; d < t.shape.rank; d++)
        t.shape.dim[d] = dim_of(d == 0 ? c : 1);
    in[0] = n->in[0];
    in[1] = lower_const(l, "scale", &t, k[0]);
    product = lower_temp(l, "product", &(struct type){ .dt = DT_F32, .shape = x->shape });
    lower_node(l, &op_m_map, &a, in, 2, product);
    a.op = M_MAP_ADD;
    in[0] = product;
    in[1] = lower_const(l, "shift", &t, k[1]);
    lower_node(l, &op_m_map, &a, in, 2, n->out[0]);
    return true;
}
