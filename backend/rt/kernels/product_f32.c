/* Products of floats on the core: what was not quantized.  Every output is a sum from
 * zero, one rounded product at a time, in the order of the reference kernels (k
 * ascending; channel, row, column of a window), so the bits agree. */
#include "backend/rt/kernels/product_f32.h"

struct window { const struct gm_view *x, *w; const int64_t *i; };

/* Taps of a window that lie inside the image: from `first` up to `end`. */
struct span { int64_t first, end; };

static struct span
inside(int64_t at, int64_t step, int64_t taps, int64_t size)
{
    int64_t first = at < 0 ? (-at + step - 1) / step : 0, end = at < size ? (size - 1 - at) / step + 1 : 0;

    return (struct span){ first, end < taps ? end : taps };
}

/* Pitches are kept at hand: this is where the time goes. */
static float
conv_sum(const struct window *q, const char *image, const char *w, int64_t y0, int64_t x0)
{
    const struct span y = inside(y0, q->i[2], q->w->dim[2], q->x->dim[2]);
    const struct span x = inside(x0, q->i[3], q->w->dim[3], q->x->dim[3]);
    const int64_t x1 = q->x->pitch[1], x2 = q->i[2] * q->x->pitch[2], x3 = q->i[3] * q->x->pitch[3];
    const int64_t w1 = q->w->pitch[1], w2 = q->w->pitch[2], w3 = q->w->pitch[3], channels = q->w->dim[1];
    float sum = 0;

    image += y0 * q->x->pitch[2] + x0 * q->x->pitch[3];
    for (int64_t c = 0; c < channels; c++, image += x1, w += w1)
        for (int64_t ky = y.first; ky < y.end; ky++) {
            const char *a = image + ky * x2 + x.first * x3, *b = w + ky * w2 + x.first * w3;
            for (int64_t n = x.end - x.first; n > 0; n--, a += x3, b += w3)
                sum += *(const float *)b * *(const float *)a;
        }
    return sum;
}

/* Output channel o of image n. */
static void
conv_plane(const struct gm_call *c, const struct window *q, int64_t n, int64_t o)
{
    const struct gm_view *y = c->out;
    int64_t group = o / (y->dim[1] / c->i[8]);
    const char *image = (const char *)q->x->data + n * q->x->pitch[0] + group * q->w->dim[1] * q->x->pitch[1];
    const char *w = (const char *)q->w->data + o * q->w->pitch[0];
    float bias = c->in[2] ? ((const float *)c->in[2]->data)[o] : 0;

    for (int64_t i = 0; i < y->dim[2]; i++)
        for (int64_t j = 0; j < y->dim[3]; j++) {
            float f = conv_sum(q, image, w, i * c->i[0] - c->i[4], j * c->i[1] - c->i[5]) + bias;
            *(float *)gm_byte(y, (int64_t[]){ n, o, i, j }) = c->i[10] && f < 0 ? 0 : f;
        }
}

void
gm_conv_f32(const struct gm_call *c)
{
    struct window q = { c->in[0], c->in[1], c->i };

    for (int64_t n = 0; n < c->out->dim[0]; n++)
        for (int64_t o = 0; o < c->out->dim[1]; o++)
            conv_plane(c, &q, n, o);
}

void
gm_matmul_f32(const struct gm_product *p)
{
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++) {
            const char *a = p->a + i * p->am, *b = p->b + j * p->bn;
            float sum = 0;
            for (int64_t k = 0; k < p->k; k++, a += p->ak, b += p->bk)
                sum += *(const float *)a * *(const float *)b;
            sum += p->bias ? ((const float *)p->bias)[j] : 0;
            *(float *)(p->y + i * p->ym + j * p->yn) = p->relu && sum < 0 ? 0 : sum;
        }
}
