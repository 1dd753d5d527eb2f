/* Products on the core, for what no array takes: convolution, matmul, scaled sum.
 * The same arithmetic as on the array: int32 sums, one scale, one rounding. */
#include "backend/rt/kernels/product_f32.h"

struct scales { const float *at; int64_t block, n; };

static int8_t
finish(int32_t acc, int64_t relu, const struct scales *s, int64_t channel)
{
    int64_t i = s->n == 1 ? 0 : channel / s->block;

    if (relu && acc < 0)
        acc = 0;
    return round_scale8(acc, s->at[i]);
}

struct window { const struct gm_view *x, *w; const int64_t *i; const int32_t *bias; struct scales s; int64_t og; };

static int32_t
conv_sum(const struct window *q, int64_t n, int64_t o, int64_t group, int64_t y, int64_t x)
{
    const struct gm_view *in = q->x, *w = q->w;
    int64_t cg = w->dim[1], sum = 0;

    for (int64_t ky = 0; ky < w->dim[2]; ky++)
        for (int64_t kx = 0; kx < w->dim[3]; kx++) {
            int64_t iy = y * q->i[0] + ky * q->i[2] - q->i[4], ix = x * q->i[1] + kx * q->i[3] - q->i[5];
            bool outside = iy < 0 || iy >= in->dim[2] || ix < 0 || ix >= in->dim[3];
            const int8_t *a = (const int8_t *)in->data + n * in->pitch[0] + group * cg * in->pitch[1]
                + iy * in->pitch[2] + ix * in->pitch[3];
            const int8_t *b = (const int8_t *)w->data + o * w->pitch[0] + ky * w->pitch[2] + kx * w->pitch[3];
            for (int64_t c = 0; c < cg; c++)
                sum += (int64_t)(outside ? q->i[9] : a[c * in->pitch[1]]) * b[c * w->pitch[1]];
        }
    return (int32_t)sum;
}

static int8_t
conv_one(const struct window *q, int64_t n, int64_t o, int64_t y, int64_t x)
{
    uint32_t bias = (uint32_t)(q->bias ? q->bias[o] : 0);

    return finish((int32_t)(bias + (uint32_t)conv_sum(q, n, o, o / q->og, y, x)), q->i[10], &q->s, o);
}

/* Outputs of the convolution along axis d (0: y), before it is pooled. */
static int64_t
conv_size(const struct window *q, int d)
{
    const int64_t *i = q->i;

    return (q->x->dim[2 + d] + i[4 + d] + i[6 + d] - (q->w->dim[2 + d] - 1) * i[2 + d] - 1) / i[d] + 1;
}

/* i of gm_k_pool: kernel, stride, dilation and pads from 1, 3, 5 and 7 on. */
static int8_t
conv_pooled(const struct window *q, int64_t n, int64_t o, int64_t y, int64_t x)
{
    const int64_t *p = q->i + 14;
    int64_t h = conv_size(q, 0), w = conv_size(q, 1);
    int8_t most = INT8_MIN;

    for (int64_t ky = 0; ky < p[1]; ky++)
        for (int64_t kx = 0; kx < p[2]; kx++) {
            int64_t cy = y * p[3] + ky * p[5] - p[7], cx = x * p[4] + kx * p[6] - p[8];
            if (cy < 0 || cy >= h || cx < 0 || cx >= w)
                continue;
            int8_t v = conv_one(q, n, o, cy, cx);
            most = v > most ? v : most;
        }
    return most;
}

void
gm_k_conv(const struct gm_call *c)
{
    const struct gm_view *y = c->out;
    struct window q = { c->in[0], c->in[1], c->i, c->in[2] ? c->in[2]->data : 0, { c->scale, c->i[11], c->i[12] },
                        y->dim[1] / c->i[8] };

    if (y->type == GM_F32) {
        gm_conv_f32(c);
        return;
    }
    for (int64_t n = 0; n < y->dim[0]; n++)
        for (int64_t o = 0; o < y->dim[1]; o++)
            for (int64_t i = 0; i < y->dim[2]; i++)
                for (int64_t j = 0; j < y->dim[3]; j++)
                    *gm_byte(y, (int64_t[]){ n, o, i, j }) =
                        (char)(c->i[13] ? conv_pooled(&q, n, o, i, j) : conv_one(&q, n, o, i, j));
}

/* Byte offset of matrix `index` (leading axes of y) in v. */
static int64_t
matrix_at(const struct gm_view *v, const struct gm_view *y, int64_t index)
{
    int64_t at = 0;

    for (int d = 3; d <= y->rank; d++) {
        int64_t n = y->dim[y->rank - d], i = index % n;
        index /= n;
        if (d <= v->rank && v->dim[v->rank - d] != 1)
            at += i * v->pitch[v->rank - d];
    }
    return at;
}

static void
product(const struct gm_product *p, const struct scales *s)
{
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++) {
            const char *a = p->a + i * p->am, *b = p->b + j * p->bn;
            uint32_t acc = (uint32_t)(p->bias ? ((const int32_t *)p->bias)[j] : 0);
            for (int64_t k = 0; k < p->k; k++, a += p->ak, b += p->bk)
                acc += (uint32_t)(*(const int8_t *)a * *(const int8_t *)b);
            *(int8_t *)(p->y + i * p->ym + j * p->yn) = finish((int32_t)acc, p->relu, s, j);
        }
}

void
gm_k_matmul(const struct gm_call *c)
{
    const struct gm_view *a = c->in[0], *b = c->in[1], *y = c->out;
    struct scales s = { c->scale, c->i[3], c->i[4] };
    int ra = a->rank - 1, rb = b->rank - 1, ry = y->rank - 1, ta = c->i[0] != 0, tb = c->i[1] != 0;
    struct gm_product p = {
        .bias = c->in[2] ? c->in[2]->data : 0, .relu = c->i[2],
        .m = y->dim[ry - 1], .n = y->dim[ry], .k = a->dim[ra - ta],
        .am = a->pitch[ra - 1 + ta], .ak = a->pitch[ra - ta],
        .bk = b->pitch[rb - 1 + tb], .bn = b->pitch[rb - tb],
        .ym = y->pitch[ry - 1], .yn = y->pitch[ry],
    };
    int64_t many = p.m && p.n ? gm_count(y) / (p.m * p.n) : 0;

    for (int64_t z = 0; z < many; z++) {
        p.a = (const char *)a->data + matrix_at(a, y, z);
        p.b = (const char *)b->data + matrix_at(b, y, z);
        p.y = (char *)y->data + matrix_at(y, y, z);
        if (y->type == GM_F32)
            gm_matmul_f32(&p);
        else
            product(&p, &s);
    }
}

void
gm_k_add(const struct gm_call *c)
{
    struct scales s = { c->f, 0, 1 };
    int32_t ma = (int32_t)c->i[0], mb = (int32_t)c->i[1], bias = (int32_t)c->i[2];
    struct gm_walk w;

    gm_walk_start(&w, c->out);
    gm_walk_add(&w, c->in[0]);
    gm_walk_add(&w, c->in[1]);
    if (!gm_walk_rows(&w))
        return;
    do {
        int64_t ys = w.step[0][w.rank - 1], as = w.step[1][w.rank - 1], bs = w.step[2][w.rank - 1];
        for (int64_t i = 0; i < gm_walk_row(&w); i++) {
            int32_t sum = ma * (int8_t)w.at[1][i * as] + mb * (int8_t)w.at[2][i * bs];
            w.at[0][i * ys] = (char)finish((int32_t)((uint32_t)sum + (uint32_t)bias), c->i[3], &s, 0);
        }
    } while (gm_walk_next_row(&w));
}
