/* Pools.  A mean over whole windows is a sum with weights 1, so the array can do it:
 * a depthwise m.conv, or for a global mean a row of ones times the pixels.  Windows
 * that reach over the edge divide by less, which only m.pool can. */
#include <math.h>
#include <string.h>

#include "ir/ops/lower.h"

static bool
is_max(const struct node *n)
{
    return n->op == &op_max_pool || n->op == &op_global_max_pool;
}

static struct shape
as_image(const struct shape *s)
{
    struct shape r = *s;

    if (s->rank == 3) {
        r.rank = 4;
        r.dim[3] = s->dim[2];
        r.dim[2] = dim_of(1);
    }
    return r;
}

/* Window of the node in two axes; ceil_mode is in the pads below and on the right. */
static void
window(const struct node *n, const struct shape *x, const struct shape *y, struct m_pool_attr *a)
{
    const struct pool_attr *p = n->attr;
    bool two = n->in[0]->type.shape.rank == 4;

    for (int i = 0; i < 2; i++) {
        int k = two ? i : 0, axes = two ? 2 : 1;
        a->kernel[i] = a->stride[i] = a->dilation[i] = 1;
        if (!two && i == 0)
            continue;
        if (!p) {                              /* global */
            a->kernel[i] = x->dim[2 + i].n;
            continue;
        }
        a->kernel[i] = p->win.kernel_shape.at[k];
        a->stride[i] = p->win.strides.at[k];
        a->dilation[i] = p->win.dilations.n ? p->win.dilations.at[k] : 1;
        a->pads[i] = p->win.pads.at[k];
        int64_t reach = (a->kernel[i] - 1) * a->dilation[i] + 1;
        int64_t used = (y->dim[2 + i].n - 1) * a->stride[i] + reach;
        int64_t least = used - x->dim[2 + i].n - a->pads[i], given = p->win.pads.at[axes + k];
        a->pads[2 + i] = least > given ? least : given;
    }
    a->kind = is_max(n) ? M_POOL_MAX : M_POOL_AVG;
}

static bool
padded(const struct m_pool_attr *a)
{
    return a->pads[0] || a->pads[1] || a->pads[2] || a->pads[3];
}

/* Does every window count the same number of elements? */
static bool
even(const struct node *n, const struct m_pool_attr *a)
{
    const struct pool_attr *p = n->attr;
    int axes = n->in[0]->type.shape.rank - 2;

    if (!padded(a))
        return true;
    if (!p || !p->count_include_pad)
        return false;
    for (int i = 0; i < 2; i++) {              /* ceil_mode added nothing */
        int k = axes == 2 ? i : 0;
        int64_t given = axes == 1 && i == 0 ? 0 : p->win.pads.at[axes + k];
        if (a->pads[2 + i] != given)
            return false;
    }
    return true;
}

static struct value *
ones(struct lower *l, const struct shape *s)
{
    struct type t = { .dt = DT_I8, .shape = *s };
    int64_t n = shape_elems(s);
    int8_t *p = arena_alloc(l->g->arena, (size_t)n);

    memset(p, 1, (size_t)n);
    t.quant = quant_scalar(l->g->arena, 1, 0);
    return lower_const(l, "ones", &t, p);
}

/* Weights of which each output channel has `taps`, all 1. */
static bool
mean_scales(struct lower *l, struct value *x, struct value *y, int64_t channels, int64_t taps,
            struct m_scale *scale, struct value **bias)
{
    struct lower_weights w = { .channels = channels };

    w.scale.scale = (struct floats){ 1, arena_dup(l->g->arena, &(float){ 1 }, sizeof(float)) };
    w.sum = NEWN(l->arena, int64_t, channels + 1);
    for (int64_t i = 0; i < channels; i++)
        w.sum[i] = taps;
    *bias = lower_bias(l, &w, x, y, NULL, 1.0f / (float)taps);
    *scale = w.scale;
    return *bias != NULL;
}

static bool
mean_conv(struct lower *l, struct value *x, struct value *y, const struct m_pool_attr *p)
{
    int64_t c = x->type.shape.dim[1].n;
    struct shape s = shape_make(4, (int64_t[]){ c, 1, p->kernel[0], p->kernel[1] });
    struct m_conv_attr a = { .groups = c, .pad_value = lower_zero(x) };
    struct value *in[3] = { x, ones(l, &s) };

    memcpy(a.stride, p->stride, sizeof a.stride);
    memcpy(a.dilation, p->dilation, sizeof a.dilation);
    memcpy(a.pads, p->pads, sizeof a.pads);
    if (!mean_scales(l, x, y, c, p->kernel[0] * p->kernel[1], &a.scale, &in[2]))
        return false;
    lower_node(l, &op_m_conv, &a, in, 3, y);
    return true;
}

/* [1, C, H, W] -> [H W, C]: in memory it is that already. */
static bool
mean_product(struct lower *l, struct value *x, struct value *y)
{
    int64_t c = x->type.shape.dim[1].n, pixels = shape_count(&x->type.shape, 2, 4);
    struct shape row = shape_make(2, (int64_t[]){ 1, pixels });
    struct shape flat = shape_make(2, (int64_t[]){ pixels, c });
    struct m_matmul_attr a = { 0 };
    struct value *in[3] = { ones(l, &row) }, *sum;
    struct type t = y->type;

    in[1] = lower_view(l, lower_permuted(l, x, (int64_t[]){ 0, 2, 3, 1 }), &flat);
    t.shape = shape_make(2, (int64_t[]){ 1, c });
    t.layout = NULL;
    sum = lower_temp(l, "mean", &t);
    if (!mean_scales(l, x, y, c, pixels, &a.scale, &in[2]))
        return false;
    lower_node(l, &op_m_matmul, &a, in, 3, sum);
    lower_view_to(l, sum, y);
    return true;
}

static bool
in_image(struct lower *l, struct value *x, struct value *y)
{
    const struct node *n = l->n;
    struct m_pool_attr a = { 0 };
    bool global;

    window(n, &x->type.shape, &y->type.shape, &a);
    global = a.kernel[0] == x->type.shape.dim[2].n && a.kernel[1] == x->type.shape.dim[3].n && !padded(&a)
        && a.dilation[0] == 1 && a.dilation[1] == 1;
    if (!is_max(n) && !l->exact && lower_is8(x) && lower_is8(y)) {
        if (global && x->type.shape.dim[0].n == 1 && a.kernel[0] * a.kernel[1] <= 65535)
            return mean_product(l, x, y);
        if (!global && even(n, &a))
            return mean_conv(l, x, y, &a);
    }
    if (!is_max(n) && !even(n, &a) && n->attr && pool_attr(n)->count_include_pad)
        return lower_refuse(l, "windows past the padding (ceil_mode) that count padding");
    a.avg_include_pad = n->attr && !is_max(n) && padded(&a) && pool_attr(n)->count_include_pad;
    lower_node(l, &op_m_pool, &a, &x, 1, y);
    return true;
}

bool
lower_pool(struct lower *l)
{
    struct node *n = l->n;
    struct shape sx = as_image(&n->in[0]->type.shape), sy = as_image(&n->out[0]->type.shape);
    struct value *x, *y = n->out[0];
    struct type t = y->type;

    if (sx.rank != 4)
        return lower_refuse(l, "images of rank %d", sx.rank);
    if (n->epi)
        return lower_refuse(l, "an epilogue behind a pool");
    x = lower_view(l, n->in[0], &sx);
    if (shape_equal(&sy, &y->type.shape))
        return in_image(l, x, y);
    t.shape = sy;
    t.layout = NULL;
    y = lower_temp(l, "rows", &t);
    if (!in_image(l, x, y))
        return false;
    lower_view_to(l, y, n->out[0]);
    return true;
}
