/* m.conv: convolution of int8 images, int32 sums, one scaled store.  (An EPI_POOL
 * epilogue, max pooling on the way out, is applied by whoever runs the kernel.)
 *
 * A float convolution (float x, w, bias and y) is the same without the scale, for
 * what stays float. */
#include <stddef.h>
#include <string.h>

#include "ir/ops/machine_util.h"
#include "src/machine/round.h"

static const struct attr_def attrs[] = {
    { "stride_y", ATTR_INT, FIELD(m_conv_attr, stride[0]), "1", "rows between windows", NULL },
    { "stride_x", ATTR_INT, FIELD(m_conv_attr, stride[1]), "1", "columns between windows", NULL },
    { "dilation_y", ATTR_INT, FIELD(m_conv_attr, dilation[0]), "1", "rows between taps", NULL },
    { "dilation_x", ATTR_INT, FIELD(m_conv_attr, dilation[1]), "1", "columns between taps", NULL },
    { "pad_top", ATTR_INT, FIELD(m_conv_attr, pads[0]), "0", "rows of padding above", NULL },
    { "pad_left", ATTR_INT, FIELD(m_conv_attr, pads[1]), "0", "columns of padding before", NULL },
    { "pad_bottom", ATTR_INT, FIELD(m_conv_attr, pads[2]), "0", "rows of padding below", NULL },
    { "pad_right", ATTR_INT, FIELD(m_conv_attr, pads[3]), "0", "columns of padding after", NULL },
    { "groups", ATTR_INT, FIELD(m_conv_attr, groups), "1", "groups of channels", NULL },
    { "pad_value", ATTR_INT, FIELD(m_conv_attr, pad_value), "0", "what padding holds", NULL },
    { "relu", ATTR_BOOL, FIELD(m_conv_attr, relu), "0", "clamp sums at 0", NULL },
    { "block", ATTR_INT, FIELD(m_conv_attr, scale.block), "0",
      "channels that share a scale; 0: all", NULL },
    { "scale", ATTR_FLOATS, FIELD(m_conv_attr, scale.scale), "1", "of the store", NULL },
    { 0 },
};

struct geom {
    const struct m_conv_attr *a;
    int64_t n, c, h, w;          /* images */
    int64_t o, oh, ow;
    int64_t cg, og, kh, kw, k;   /* of one group */
    int64_t ph, pw;              /* padded image */
};

static struct geom
geometry(const struct node *n)
{
    const struct m_conv_attr *a = n->attr;
    const struct dim *x = n->in[0]->type.shape.dim, *w = n->in[1]->type.shape.dim;
    struct geom g = { .a = a, .n = x[0].n, .c = x[1].n, .h = x[2].n, .w = x[3].n, .o = w[0].n };

    g.cg = w[1].n;
    g.og = g.o / a->groups;
    g.kh = w[2].n;
    g.kw = w[3].n;
    g.k = g.cg * g.kh * g.kw;
    g.ph = g.h + a->pads[0] + a->pads[2];
    g.pw = g.w + a->pads[1] + a->pads[3];
    g.oh = machine_window(g.h, a->pads[0], a->pads[2], g.kh, a->stride[0], a->dilation[0]);
    g.ow = machine_window(g.w, a->pads[1], a->pads[3], g.kw, a->stride[1], a->dilation[1]);
    return g;
}

static bool
infer(struct infer *q)
{
    struct node *n = q->n;
    const struct m_conv_attr *a = n->attr;
    struct shape *x, *w, y;
    struct geom g;

    if (!machine_known(q, n->nin) || !machine_type(q, 0, DT_I8, DT_F32)
        || !machine_type(q, 1, n->in[0]->type.dt, DT_NONE))
        return false;
    x = &n->in[0]->type.shape;
    w = &n->in[1]->type.shape;
    if (x->rank != 4 || w->rank != 4)
        return machine_error(q, "images and kernels have four axes");
    if (a->groups < 1 || w->dim[0].n % a->groups || w->dim[1].n * a->groups != x->dim[1].n)
        return machine_error(q, "%lld groups do not fit", (long long)a->groups);
    g = geometry(n);
    if (g.oh < 0 || g.ow < 0)
        return machine_error(q, "the kernel does not fit the image");
    if (g.k > 65535)
        return machine_error(q, "%lld products do not fit a sum", (long long)g.k);
    if (n->in[0]->type.dt == DT_I8 && !machine_scales(q, &a->scale, g.o))
        return false;
    y = shape_make(4, (int64_t[]){ g.n, g.o, g.oh, g.ow });
    machine_out(q, n->in[0]->type.dt, &y);
    return true;
}

/* One image as int16 with its padding around it. */
static void
pad_image(const struct geom *g, const int8_t *x, int16_t *img)
{
    for (int64_t i = 0; i < g->c * g->ph * g->pw; i++)
        img[i] = (int16_t)g->a->pad_value;
    for (int64_t r = 0; r < g->c * g->h; r++) {
        int64_t at = (r / g->h * g->ph + r % g->h + g->a->pads[0]) * g->pw + g->a->pads[1];
        for (int64_t i = 0; i < g->w; i++)
            img[at + i] = x[r * g->w + i];
    }
}

/* The windows of output row y of a group, one row of `pitch` each. */
static void
columns(const struct geom *g, const int16_t *img, int64_t y, int16_t *col, int64_t pitch)
{
    const struct m_conv_attr *a = g->a;

    for (int64_t x = 0; x < g->ow; x++) {
        int16_t *to = col + x * pitch;
        for (int64_t c = 0; c < g->cg; c++) {
            const int16_t *row = img + (c * g->ph + y * a->stride[0]) * g->pw + x * a->stride[1];
            for (int64_t ky = 0; ky < g->kh; ky++, row += a->dilation[0] * g->pw)
                for (int64_t kx = 0; kx < g->kw; kx++)
                    *to++ = row[kx * a->dilation[1]];
        }
    }
}

static int8_t
finish(const struct geom *g, const int32_t *bias, int64_t o, int32_t sum)
{
    int32_t acc = (int32_t)((uint32_t)sum + (uint32_t)bias[o]);

    if (g->a->relu && acc < 0)
        acc = 0;
    return round_scale8(acc, machine_scale(&g->a->scale, o));
}

/* Rows of outputs of group i of one image. */
static void
dense(const struct geom *g, struct arena *s, int64_t i, const int16_t *img, const int8_t *w,
      const int32_t *bias, int8_t *y)
{
    int64_t pitch = machine_dot_pitch(g->k), o0 = i * g->og;
    int16_t *col = NEWN(s, int16_t, g->ow * pitch), *wide = NEWN(s, int16_t, g->og * pitch);
    int32_t *sum = NEWN(s, int32_t, g->ow * g->og);

    for (int64_t o = 0; o < g->og; o++)
        for (int64_t k = 0; k < g->k; k++)
            wide[o * pitch + k] = w[(o0 + o) * g->k + k];
    for (int64_t r = 0; r < g->oh; r++) {
        columns(g, img + i * g->cg * g->ph * g->pw, r, col, pitch);
        machine_dot(col, g->ow, wide, g->og, pitch, sum);
        for (int64_t o = 0; o < g->og; o++)
            for (int64_t x = 0; x < g->ow; x++)
                y[((o0 + o) * g->oh + r) * g->ow + x] =
                    finish(g, bias, o0 + o, sum[x * g->og + o]);
    }
}

/* One channel in, one out: too little for columns. */
static void
depthwise(const struct geom *g, const int16_t *img, const int8_t *w, const int32_t *bias,
          int64_t o, int32_t *sum, int8_t *y)
{
    const struct m_conv_attr *a = g->a;

    for (int64_t r = 0; r < g->oh; r++) {
        memset(sum, 0, (size_t)g->ow * sizeof *sum);
        for (int64_t k = 0; k < g->k; k++) {
            const int16_t *row = img + (r * a->stride[0] + k / g->kw * a->dilation[0]) * g->pw
                               + k % g->kw * a->dilation[1];
            int32_t f = w[o * g->k + k];
            for (int64_t x = 0; x < g->ow; x++)
                sum[x] += f * row[x * a->stride[1]];
        }
        for (int64_t x = 0; x < g->ow; x++)
            y[(o * g->oh + r) * g->ow + x] = finish(g, bias, o, sum[x]);
    }
}

static void
eval_int8(const struct geom *g, struct eval *e, int8_t *y)
{
    const int8_t *x = e->in[0], *w = e->in[1];
    const int32_t *bias = e->in[2];
    int16_t *img = NEWN(e->arena, int16_t, g->c * g->ph * g->pw);
    int32_t *sum = NEWN(e->arena, int32_t, g->ow);

    for (int64_t n = 0; n < g->n; n++) {
        int8_t *to = y + n * g->o * g->oh * g->ow;
        pad_image(g, x + n * g->c * g->h * g->w, img);
        if (g->cg == 1 && g->og == 1) {
            for (int64_t o = 0; o < g->o; o++)
                depthwise(g, img + o * g->ph * g->pw, w, bias, o, sum, to);
            continue;
        }
        for (int64_t i = 0; i < g->a->groups; i++) {
            struct arena *s = arena_new();
            dense(g, s, i, img, w, bias, to);
            arena_free(s);
        }
    }
}

/* col[k][x]: tap k of the window at column x of output row y. */
static void
float_columns(const struct geom *g, const float *x, int64_t y, float *col)
{
    const struct m_conv_attr *a = g->a;

    for (int64_t k = 0; k < g->k; k++) {
        int64_t r = y * a->stride[0] - a->pads[0] + k / g->kw % g->kh * a->dilation[0];
        int64_t c0 = k % g->kw * a->dilation[1] - a->pads[1];
        const float *row = x + (k / (g->kw * g->kh) * g->h + r) * g->w;
        for (int64_t i = 0; i < g->ow; i++) {
            int64_t c = c0 + i * a->stride[1];
            bool in = r >= 0 && r < g->h && c >= 0 && c < g->w;
            col[k * g->ow + i] = in ? row[c] : 0;
        }
    }
}

static void
eval_float(const struct geom *g, struct eval *e, float *y)
{
    const float *x = e->in[0], *w = e->in[1], *bias = e->in[2];
    float *col = NEWN(e->arena, float, g->k * g->ow), *sum = NEWN(e->arena, float, g->og * g->ow);

    for (int64_t i = 0; i < g->n * g->a->groups; i++) {
        int64_t o0 = i % g->a->groups * g->og;
        for (int64_t r = 0; r < g->oh; r++) {
            float_columns(g, x + i * g->cg * g->h * g->w, r, col);
            ref_matmul(w + o0 * g->k, col, sum, g->og, g->ow, g->k);
            for (int64_t j = 0; j < g->og * g->ow; j++) {
                float f = sum[j] + (bias ? bias[o0 + j / g->ow] : 0);
                int64_t o = i / g->a->groups * g->o + o0 + j / g->ow;
                y[(o * g->oh + r) * g->ow + j % g->ow] = g->a->relu && f < 0 ? 0 : f;
            }
        }
    }
}

static void
eval(struct eval *e)
{
    struct geom g = geometry(e->n);

    if (e->n->in[0]->type.dt == DT_F32)
        eval_float(&g, e, e->out[0]);
    else
        eval_int8(&g, e, e->out[0]);
}

const struct op_def op_m_conv = {
    .name = "m.conv",
    .doc = "convolution with one scaled store",
    .since = 1,
    .min_in = 3, .max_in = 3,
    .stages = STAGE_MACHINE,
    .traits = OP_MACHINE,
    .quant = Q_COMPUTE,
    .attr_size = sizeof(struct m_conv_attr),
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
};
