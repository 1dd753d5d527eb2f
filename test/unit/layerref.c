/* What the machine operators mean, in plain loops: the judge of the backend's tests. */
#include "src/machine/round.h"
#include "test/unit/layercase.h"

struct image {
    int64_t n, c, h, w;
    const int8_t *at;
};

static struct image
image(const struct value *v, const int8_t *at)
{
    const struct dim *d = v->type.shape.dim;

    return (struct image){ d[0].n, d[1].n, d[2].n, d[3].n, at };
}

static int64_t
pixel(const struct image *x, int64_t n, int64_t c, int64_t y, int64_t col)
{
    return ((n * x->c + c) * x->h + y) * x->w + col;
}

static int8_t
finish(int64_t acc, int64_t relu, const struct m_scale *s, int64_t channel)
{
    if (relu && acc < 0)
        acc = 0;
    return round_scale8((int32_t)acc, s->scale.at[s->block ? channel / s->block : 0]);
}

static int64_t
conv_sum(const struct node *n, const struct image *x, const int64_t at[4])
{
    const struct m_conv_attr *a = n->attr;
    const struct dim *w = n->in[1]->type.shape.dim;
    const int8_t *weight = n->in[1]->data;
    int64_t sum = 0, group = at[1] / (w[0].n / a->groups);

    for (int64_t c = 0; c < w[1].n; c++)
        for (int64_t ky = 0; ky < w[2].n; ky++)
            for (int64_t kx = 0; kx < w[3].n; kx++) {
                int64_t y = at[2] * a->stride[0] + ky * a->dilation[0] - a->pads[0];
                int64_t col = at[3] * a->stride[1] + kx * a->dilation[1] - a->pads[1];
                bool inside = y >= 0 && y < x->h && col >= 0 && col < x->w;
                int64_t v =
                    inside ? x->at[pixel(x, at[0], group * w[1].n + c, y, col)] : a->pad_value;
                sum += v * weight[((at[1] * w[1].n + c) * w[2].n + ky) * w[3].n + kx];
            }
    return sum;
}

static void
conv(const struct node *n, const struct image *x, const struct image *y, int8_t *to)
{
    const struct m_conv_attr *a = n->attr;
    const int32_t *bias = n->nin > 2 ? n->in[2]->data : NULL;

    for (int64_t b = 0; b < y->n; b++)
        for (int64_t o = 0; o < y->c; o++)
            for (int64_t i = 0; i < y->h; i++)
                for (int64_t j = 0; j < y->w; j++) {
                    int64_t acc = conv_sum(n, x, (int64_t[]){ b, o, i, j }) + (bias ? bias[o] : 0);
                    *to++ = finish(acc, a->relu, &a->scale, o);
                }
}

/* The mean: of real values, by the definition in machine.h. */
static int8_t
window(
    const struct node *n, const struct m_pool_attr *a, const struct image *x, const int64_t at[4])
{
    int64_t most = -129, sum = 0, count = 0;

    for (int64_t ky = 0; ky < a->kernel[0]; ky++)
        for (int64_t kx = 0; kx < a->kernel[1]; kx++) {
            int64_t y = at[2] * a->stride[0] + ky * a->dilation[0] - a->pads[0];
            int64_t col = at[3] * a->stride[1] + kx * a->dilation[1] - a->pads[1];
            if (y < 0 || y >= x->h || col < 0 || col >= x->w)
                continue;
            int64_t v = x->at[pixel(x, at[0], at[1], y, col)];
            most = v > most ? v : most;
            sum += v;
            count++;
        }
    if (a->kind == M_POOL_MAX)
        return (int8_t)most;
    const struct quant *qx = n->in[0]->type.quant, *qy = n->out[0]->type.quant;
    float mean = qx->scale[0] * (float)(sum - count * qx->zero[0]);
    mean /= (float)(a->avg_include_pad ? a->kernel[0] * a->kernel[1] : count);
    return round_quantize8(mean, qy->scale[0], qy->zero[0]);
}

static void
pool(const struct node *n, const struct m_pool_attr *a, const struct image *x,
    const struct image *y, int8_t *to)
{
    for (int64_t b = 0; b < y->n; b++)
        for (int64_t c = 0; c < y->c; c++)
            for (int64_t i = 0; i < y->h; i++)
                for (int64_t j = 0; j < y->w; j++)
                    *to++ = window(n, a, x, (int64_t[]){ b, c, i, j });
}

/* With a pool on the way out: the whole convolution first. */
static void
conv_pooled(struct arena *arena, const struct node *n, const struct image *x, const struct image *y,
    int8_t *to)
{
    const struct m_conv_attr *a = n->attr;
    const struct dim *w = n->in[1]->type.shape.dim;
    struct image mid = *y;

    mid.h = (x->h + a->pads[0] + a->pads[2] - (w[2].n - 1) * a->dilation[0] - 1) / a->stride[0] + 1;
    mid.w = (x->w + a->pads[1] + a->pads[3] - (w[3].n - 1) * a->dilation[1] - 1) / a->stride[1] + 1;
    int8_t *at = arena_alloc(arena, (size_t)(mid.n * mid.c * mid.h * mid.w));
    mid.at = at;
    conv(n, x, &mid, at);
    pool(n, n->epi->attr, &mid, y, to);
}

static int64_t
rows(const struct value *v)
{
    return v->type.shape.dim[v->type.shape.rank - 2].n;
}

static int64_t
cols(const struct value *v)
{
    return v->type.shape.dim[v->type.shape.rank - 1].n;
}

/* Batches of one operand repeat. */
static void
matmul(const struct node *n, const int8_t *a, const int8_t *b, int8_t *to)
{
    const struct m_matmul_attr *at = n->attr;
    const struct value *va = n->in[0], *vb = n->in[1], *y = n->out[0];
    const int32_t *bias = n->nin > 2 ? n->in[2]->data : NULL;
    int64_t k = at->ta ? rows(va) : cols(va), m = rows(y), w = cols(y),
            many = shape_elems(&y->type.shape) / (m * w);
    bool each_a = shape_elems(&va->type.shape) > m * k,
         each_b = shape_elems(&vb->type.shape) > k * w;

    for (int64_t z = 0; z < many; z++)
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < w; j++) {
                int64_t acc = bias ? bias[j] : 0;
                for (int64_t l = 0; l < k; l++)
                    acc += a[(each_a ? z : 0) * m * k + (at->ta ? l * m + i : i * k + l)]
                        * b[(each_b ? z : 0) * k * w + (at->tb ? j * k + l : l * w + j)];
                *to++ = finish(acc, at->relu, &at->scale, j);
            }
}

static void
add(const struct node *n, const int8_t *a, const int8_t *b, int8_t *to)
{
    const struct m_add_attr *at = n->attr;
    struct m_scale scale = { 0, { 1, &at->scale } };

    for (int64_t i = 0; i < shape_elems(&n->out[0]->type.shape); i++)
        to[i] = finish(at->ma * a[i] + at->mb * b[i] + at->bias, at->relu, &scale, 0);
}

void
layer_reference(struct arena *a, const struct node *n, const int8_t *const *in, int8_t *y)
{
    bool images = n->op == &op_m_conv || n->op == &op_m_pool;
    struct image x = { 0 }, z = { 0 };

    if (images) {
        x = image(n->in[0], in[0]);
        z = image(n->out[0], y);
    }
    if (n->op == &op_m_conv && n->epi)
        conv_pooled(a, n, &x, &z, y);
    else if (n->op == &op_m_conv)
        conv(n, &x, &z, y);
    else if (n->op == &op_m_pool)
        pool(n, n->attr, &x, &z, y);
    else if (n->op == &op_m_add)
        add(n, in[0], in[n->in[0] == n->in[1] ? 0 : 1], y);
    else if (n->in[0]->data)
        matmul(n, n->in[0]->data, in[0], y);
    else
        matmul(n, in[0], n->in[1]->data ? n->in[1]->data : in[1], y);
}
