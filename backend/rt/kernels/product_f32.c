/* Products of floats on the core: what was not quantized.  Every output is a sum from
 * zero, one rounded product at a time, in the order of the reference kernels (k
 * ascending; channel, row, column of a window), so the bits agree. */
#include "backend/rt/kernels/product_f32.h"

struct window { const struct gm_view *x, *w; const int64_t *i; };

/* One row of one channel of a window. */
static float
add_row(const struct window *q, float sum, const char *row, const char *w, int64_t x0)
{
    int64_t wide = q->x->dim[3];

    for (int64_t k = 0; k < q->w->dim[3]; k++) {
        int64_t x = x0 + k * q->i[3];
        if (x >= 0 && x < wide)
            sum += *(const float *)(w + k * q->w->pitch[3]) * *(const float *)(row + x * q->x->pitch[3]);
    }
    return sum;
}

static float
conv_sum(const struct window *q, const char *image, const char *w, int64_t y0, int64_t x0)
{
    float sum = 0;

    for (int64_t c = 0; c < q->w->dim[1]; c++)
        for (int64_t k = 0; k < q->w->dim[2]; k++) {
            int64_t y = y0 + k * q->i[2];
            if (y >= 0 && y < q->x->dim[2])
                sum = add_row(q, sum, image + c * q->x->pitch[1] + y * q->x->pitch[2],
                              w + c * q->w->pitch[1] + k * q->w->pitch[2], x0);
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
