/* Conv: convolution over one or two spatial axes, with groups, strides, dilation and
 * any pads.  Three spatial axes are refused. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "ir/ops/common.h"
#include "ir/ops/lower.h"

#define AT(field) offsetof(struct conv_attr, field)

static const struct attr_def attrs[] = {
    { "auto_pad", ATTR_ENUM, AT(win.auto_pad), "NOTSET",
      "how pads are found; becomes explicit pads", "NOTSET|SAME_UPPER|SAME_LOWER|VALID" },
    { "dilations", ATTR_INTS, AT(win.dilations), "", "distance of kernel elements; 1 each", NULL },
    { "group", ATTR_INT, AT(group), "1", "number of groups of channels", NULL },
    { "kernel_shape", ATTR_INTS, AT(win.kernel_shape), "", "size of the kernel; from input 1",
      NULL },
    { "pads", ATTR_INTS, AT(win.pads), "", "zeros before each axis, then after each; 0", NULL },
    { "strides", ATTR_INTS, AT(win.strides), "", "step of the window; 1 each", NULL },
    { 0 },
};

static bool
axes_hold(const struct node *n, char *detail, size_t size)
{
    int rank = ops_in(n, 0)->rank;

    snprintf(detail, size, "the input has rank %d", rank);
    return rank == 3 || rank == 4;
}

static bool
window_holds(const struct node *n, char *detail, size_t size)
{
    return ops_window_holds(n, &conv_attr(n)->win, detail, size);
}

static bool
weights_hold(const struct node *n, char *detail, size_t size)
{
    const struct shape *w = ops_in(n, 1);
    const struct ints *k = &conv_attr(n)->win.kernel_shape;

    if (w->rank != ops_in(n, 0)->rank) {
        snprintf(detail, size, "the input has rank %d, the weights %d", ops_in(n, 0)->rank,
                 w->rank);
        return false;
    }
    for (int i = 0; i < k->n && i + 2 < w->rank; i++) {
        if (w->dim[i + 2].n == k->at[i])
            continue;
        snprintf(detail, size, "kernel_shape has %lld where the weights have %lld",
                 (long long)k->at[i], (long long)w->dim[i + 2].n);
        return false;
    }
    return true;
}

static bool
groups_divide(const struct node *n, char *detail, size_t size)
{
    int64_t g = conv_attr(n)->group;
    int64_t c = ops_in(n, 0)->rank > 1 ? ops_in(n, 0)->dim[1].n : 0;
    int64_t o = ops_in(n, 1)->rank > 1 ? ops_in(n, 1)->dim[0].n : 0;
    int64_t each = ops_in(n, 1)->rank > 1 ? ops_in(n, 1)->dim[1].n : 0;

    snprintf(detail, size, "group=%lld, %lld input channels, %lld output channels,"
             " weights for %lld", (long long)g, (long long)c, (long long)o, (long long)each);
    return g > 0 && c % g == 0 && o % g == 0 && c / g == each;
}

static bool
bias_holds(const struct node *n, char *detail, size_t size)
{
    const struct shape *b;

    if (!ops_has(n, 2))
        return true;
    b = ops_in(n, 2);
    snprintf(detail, size, "the bias has %lld elements", (long long)shape_elems(b));
    return b->rank == 1 && ops_in(n, 1)->rank > 0 && b->dim[0].n == ops_in(n, 1)->dim[0].n;
}

static const struct rule rules[] = {
    { "conv-axes", "images have one or two spatial axes", axes_hold },
    { "conv-weights", "the weights are [out, in / group, kernel..]", weights_hold },
    { "conv-window", "sizes, strides and dilations are at least 1, pads at least 0, one per axis",
      window_holds },
    { "conv-group", "groups divide the input and the output channels", groups_divide },
    { "conv-bias", "the bias has one element per output channel", bias_holds },
    { 0 },
};

static bool
infer(struct infer *q)
{
    struct node *n = q->n;
    struct window *w = &conv_attr(n)->win;
    struct shape y = *ops_in(n, 0);
    const struct shape *k = ops_in(n, 1);
    int64_t out[2];

    if (!ops_need_known(q, 1) || !ops_rules(q) || !ops_need_real(q, 0) || !ops_need_real(q, 1))
        return false;
    if (w->kernel_shape.n == 0) {
        int64_t *p = ops_new_ints(q, k->rank - 2, 1, &w->kernel_shape);
        for (int i = 2; i < k->rank; i++)
            p[i - 2] = k->dim[i].n;
        if (!ops_rules(q))
            return false;
    }
    if (!ops_window(q, w, ops_in(n, 0), false, out))
        return false;
    y.dim[1] = k->dim[0];
    for (int i = 2; i < y.rank; i++)
        y.dim[i] = dim_of(out[i - 2]);
    ops_set_out(q, 0, DT_F32, &y);
    return true;
}

/* One group of one image, sizes in two axes (a missing first one is 1). */
struct geo {
    int64_t c, h, w, o, oh, ow, kh, kw, sh, sw, dh, dw, top, left;
};

static struct geo
geometry(const struct node *n)
{
    const struct shape *x = ops_in(n, 0), *y = &n->out[0]->type.shape;
    const struct conv_attr *a = conv_attr(n);
    const struct window *v = &a->win;
    bool two = x->rank == 4;
    int l = x->rank - 1, k = two ? 1 : 0;

    return (struct geo){
        .c = x->dim[1].n / a->group, .o = y->dim[1].n / a->group,
        .h = two ? x->dim[2].n : 1, .w = x->dim[l].n,
        .oh = two ? y->dim[2].n : 1, .ow = y->dim[l].n,
        .kh = two ? v->kernel_shape.at[0] : 1, .kw = v->kernel_shape.at[k],
        .sh = two ? v->strides.at[0] : 1, .sw = v->strides.at[k],
        .dh = two ? v->dilations.at[0] : 1, .dw = v->dilations.at[k],
        .top = two ? v->pads.at[0] : 0, .left = v->pads.at[k],
    };
}

/* The first and one past the last output whose tap at `off` lies inside. */
static void
inside(int64_t size, int64_t out, int64_t stride, int64_t off, int64_t *from, int64_t *to)
{
    *from = off >= 0 ? 0 : (-off + stride - 1) / stride;
    *to = size - off <= 0 ? 0 : (size - off + stride - 1) / stride;
    if (*to > out)
        *to = out;
    if (*from > *to)
        *from = *to;
}

/* Rows (channel, ky, kx), columns output pixels of rows [y0, y1). */
static void
im2col(const struct geo *g, const float *x, int64_t y0, int64_t y1, float *col)
{
    for (int64_t c = 0; c < g->c; c++)
        for (int64_t ky = 0; ky < g->kh; ky++)
            for (int64_t kx = 0; kx < g->kw; kx++) {
                int64_t off = kx * g->dw - g->left, from, to;
                inside(g->w, g->ow, g->sw, off, &from, &to);
                for (int64_t oy = y0; oy < y1; oy++, col += g->ow) {
                    int64_t iy = oy * g->sh + ky * g->dh - g->top;
                    if (iy < 0 || iy >= g->h) {
                        memset(col, 0, (size_t)g->ow * sizeof *col);
                        continue;
                    }
                    const float *row = x + (c * g->h + iy) * g->w + off;
                    for (int64_t i = 0; i < from; i++)
                        col[i] = 0;
                    for (int64_t i = from; i < to; i++)
                        col[i] = row[i * g->sw];
                    for (int64_t i = to; i < g->ow; i++)
                        col[i] = 0;
                }
            }
}

/* One channel in, straight. */
static void
depthwise(const struct geo *g, const float *x, const float *w, float *y)
{
    for (int64_t o = 0; o < g->o; o++, y += g->oh * g->ow) {
        memset(y, 0, (size_t)(g->oh * g->ow) * sizeof *y);
        for (int64_t ky = 0; ky < g->kh; ky++)
            for (int64_t kx = 0; kx < g->kw; kx++, w++) {
                int64_t off = kx * g->dw - g->left, from, to;
                inside(g->w, g->ow, g->sw, off, &from, &to);
                for (int64_t oy = 0; oy < g->oh; oy++) {
                    int64_t iy = oy * g->sh + ky * g->dh - g->top;
                    if (iy < 0 || iy >= g->h)
                        continue;
                    const float *row = x + iy * g->w + off;
                    for (int64_t i = from; i < to; i++)
                        y[oy * g->ow + i] += *w * row[i * g->sw];
                }
            }
    }
}

/* A few output rows at a time, so that the unfolded image stays in cache. */
static void
unfolded(struct arena *a, const struct geo *g, const float *x, const float *w, float *y,
         float **scratch)
{
    int64_t k = g->c * g->kh * g->kw, pixels = g->oh * g->ow;
    int64_t rows = (INT64_C(1) << 18) / (k * g->ow + 1) + 1;
    float *col, *part;

    if (rows > g->oh)
        rows = g->oh;
    if (!*scratch)
        *scratch = NEWN(a, float, (k + g->o) * rows * g->ow);
    col = *scratch;
    part = col + k * rows * g->ow;
    for (int64_t oy = 0; oy < g->oh; oy += rows) {
        int64_t end = oy + rows < g->oh ? oy + rows : g->oh, n = (end - oy) * g->ow;
        im2col(g, x, oy, end, col);
        if (n == pixels) {
            ref_matmul(w, col, y, g->o, n, k);
            return;
        }
        ref_matmul(w, col, part, g->o, n, k);
        for (int64_t o = 0; o < g->o; o++)
            memcpy(y + o * pixels + oy * g->ow, part + o * n, (size_t)n * sizeof *y);
    }
}

static bool
is_pointwise(const struct geo *g)
{
    return g->kh * g->kw == 1 && g->sh == 1 && g->sw == 1 && g->top == 0 && g->left == 0 &&
           g->oh == g->h && g->ow == g->w;
}

static void
eval(struct eval *e)
{
    const struct node *n = e->n;
    struct geo g = geometry(n);
    int64_t batch = ops_in(n, 0)->dim[0].n, groups = conv_attr(n)->group;
    int64_t k = g.c * g.kh * g.kw, pixels = g.oh * g.ow;
    const float *x = e->in[0], *bias = ops_has(n, 2) ? e->in[2] : NULL;
    float *y = e->out[0], *scratch = NULL;

    if (pixels == 0 || g.o == 0)
        return;
    for (int64_t i = 0; i < batch * groups; i++, x += g.c * g.h * g.w, y += g.o * pixels) {
        const float *w = (const float *)e->in[1] + i % groups * g.o * k;
        if (is_pointwise(&g))
            ref_matmul(w, x, y, g.o, pixels, k);
        else if (g.c == 1)
            depthwise(&g, x, w, y);
        else
            unfolded(e->arena, &g, x, w, y, &scratch);
        for (int64_t o = 0; bias && o < g.o; o++)
            for (int64_t p = 0; p < pixels; p++)
                y[o * pixels + p] += bias[i % groups * g.o + o];
    }
}

const struct op_def op_conv = {
    .name = "Conv",
    .doc = "convolution over one or two axes",
    .since = 1,
    .min_in = 2, .max_in = 3,
    .stages = OPS_FLOATS,
    .quant = Q_COMPUTE,
    .attr_size = sizeof(struct conv_attr),
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .lower = lower_conv,
};
