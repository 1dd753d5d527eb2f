/* A small convolutional network, forward and backward, one sample at a time, in
 * plain loops whose innermost runs over 16 or 32 channels side by side.  It knows
 * this one architecture and no other. */
#include <math.h>
#include <string.h>

#include "samples/digits/net.h"
#include "samples/digits/rng.h"
#include "src/base/arena.h"

enum { TAPS = 9, BLOCK = 16 };

static void
param_new(struct arena *a, struct param *p, int n, double spread, struct rng *r)
{
    p->n = n;
    p->w = NEWN(a, float, n);
    p->grad = NEWN(a, float, n);
    p->first = NEWN(a, float, n);
    p->second = NEWN(a, float, n);
    for (int i = 0; i < n && spread > 0; i++)
        p->w[i] = (float)(spread * rng_normal(r));
}

static void
refresh(struct conv *c)
{
    for (int t = 0; t < TAPS; t++)
        for (int o = 0; o < c->cout; o++)
            for (int i = 0; i < c->cin; i++)
                c->forward[(t * c->cin + i) * c->cout + o] = c->w.w[(t * c->cout + o) * c->cin + i];
}

static void
conv_new(struct arena *a, struct conv *c, struct rng *r)
{
    int n, pooled;

    c->out = c->side + 2 * c->pad - 2;
    n = c->out * c->out * c->cout;
    pooled = c->out / c->pool;
    param_new(a, &c->w, TAPS * c->cin * c->cout, sqrt(2.0 / (TAPS * c->cin)), r);
    param_new(a, &c->b, c->cout, 0, r);
    c->forward = NEWN(a, float, c->w.n);
    c->y = NEWN(a, float, n);
    c->dy = NEWN(a, float, n);
    c->z = c->pool == 1 ? c->y : NEWN(a, float, pooled *pooled * c->cout);
    c->dz = c->pool == 1 ? c->dy : NEWN(a, float, pooled *pooled * c->cout);
    refresh(c);
}

struct net *
net_new(struct arena *a, uint64_t seed)
{
    struct net *n = NEW(a, struct net);
    struct rng r = { seed };

    n->conv[0] = (struct conv){ .cin = 1, .cout = 16, .side = 28, .pad = 1, .pool = 2 };
    n->conv[1] = (struct conv){ .cin = 16, .cout = 32, .side = 14, .pad = 1, .pool = 2 };
    n->conv[2] = (struct conv){ .cin = 32, .cout = 32, .side = 7, .pad = 0, .pool = 1 };
    for (int i = 0; i < NET_CONVS; i++)
        conv_new(a, &n->conv[i], &r);
    n->features = n->conv[2].out * n->conv[2].out * n->conv[2].cout;
    param_new(a, &n->fc_w, n->features * NET_CLASSES, sqrt(1.0 / n->features), &r);
    param_new(a, &n->fc_b, NET_CLASSES, 0, &r);
    return n;
}

/* The pixel that a tap of output (y, x) reads, or -1 in the padding. */
static int
tap_pixel(const struct conv *c, int t, int y, int x)
{
    int iy = y + t / 3 - c->pad, ix = x + t % 3 - c->pad;

    return iy < 0 || iy >= c->side || ix < 0 || ix >= c->side ? -1 : iy * c->side + ix;
}

static void
conv_block(const struct conv *c, const float *x, int py, int px, int block)
{
    float acc[BLOCK];
    float *y = c->y + (py * c->out + px) * c->cout + block;

    memcpy(acc, c->b.w + block, sizeof acc);
    for (int t = 0; t < TAPS; t++) {
        int at = tap_pixel(c, t, py, px);
        const float *w = c->forward + t * c->cin * c->cout + block;

        for (int i = 0; at >= 0 && i < c->cin; i++, w += c->cout) {
            float v = x[at * c->cin + i];
            if (v == 0)
                continue;
            for (int j = 0; j < BLOCK; j++)
                acc[j] += v * w[j];
        }
    }
    for (int j = 0; j < BLOCK; j++)
        y[j] = acc[j] > 0 ? acc[j] : 0;
}

/* The four values of a pool's window lie at these distances from its first. */
static int
window_at(const struct conv *c, int k)
{
    return ((k >> 1) * c->out + (k & 1)) * c->cout;
}

static void
pool_forward(const struct conv *c)
{
    int side = c->out / 2;

    for (int p = 0; p < side * side; p++) {
        const float *y = c->y + ((p / side) * 2 * c->out + p % side * 2) * c->cout;
        for (int j = 0; j < c->cout; j++) {
            float best = y[j];
            for (int k = 1; k < 4; k++)
                if (y[window_at(c, k) + j] > best)
                    best = y[window_at(c, k) + j];
            c->z[p * c->cout + j] = best;
        }
    }
}

/* The first largest of the window gets the gradient, unless Relu made it 0. */
static void
pool_backward(const struct conv *c)
{
    int side = c->out / 2;

    memset(c->dy, 0, sizeof *c->dy * (size_t)(c->out * c->out * c->cout));
    for (int p = 0; p < side * side; p++) {
        int at = ((p / side) * 2 * c->out + p % side * 2) * c->cout;
        for (int j = 0; j < c->cout; j++) {
            float best = c->z[p * c->cout + j];
            int k = 0;
            while (k < 3 && c->y[at + window_at(c, k) + j] != best)
                k++;
            if (best > 0)
                c->dy[at + window_at(c, k) + j] = c->dz[p * c->cout + j];
        }
    }
}

static const float *
conv_forward(const struct conv *c, const float *x)
{
    for (int y = 0; y < c->out; y++)
        for (int px = 0; px < c->out; px++)
            for (int block = 0; block < c->cout; block += BLOCK)
                conv_block(c, x, y, px, block);
    if (c->pool == 2)
        pool_forward(c);
    return c->z;
}

/* One output value's gradient into the weights of one tap and, where dx is not
 * NULL, into the input. */
static void
spread(const struct conv *c, int t, int o, float d, const float *x, float *dx)
{
    int at = (t * c->cout + o) * c->cin;
    float *restrict grad = c->w.grad + at;
    const float *restrict w = c->w.w + at;

    for (int i = 0; i < c->cin; i++)
        grad[i] += d * x[i];
    if (dx)
        for (int i = 0; i < c->cin; i++)
            dx[i] += d * w[i];
}

static void
conv_backward(const struct conv *c, const float *x, float *dx)
{
    if (c->pool == 2)
        pool_backward(c);
    if (dx)
        memset(dx, 0, sizeof *dx * (size_t)(c->side * c->side * c->cin));
    for (int p = 0; p < c->out * c->out; p++) {
        const float *dy = c->dy + p * c->cout;
        for (int o = 0; o < c->cout; o++) {
            if (dy[o] == 0)
                continue;
            c->b.grad[o] += dy[o];
            for (int t = 0; t < TAPS; t++) {
                int at = tap_pixel(c, t, p / c->out, p % c->out);
                if (at >= 0)
                    spread(c, t, o, dy[o], x + at * c->cin, dx ? dx + at * c->cin : NULL);
            }
        }
    }
}

static void
softmax(float *score)
{
    float top = score[0], sum = 0;

    for (int k = 1; k < NET_CLASSES; k++)
        top = score[k] > top ? score[k] : top;
    for (int k = 0; k < NET_CLASSES; k++)
        sum += score[k] = expf(score[k] - top);
    for (int k = 0; k < NET_CLASSES; k++)
        score[k] /= sum;
}

int
net_forward(struct net *n, const float *pixels)
{
    const float *x = pixels;
    int best = 0;

    for (int i = 0; i < NET_CONVS; i++)
        x = conv_forward(&n->conv[i], x);
    memcpy(n->score, n->fc_b.w, sizeof n->score);
    for (int i = 0; i < n->features; i++) {
        const float *w = n->fc_w.w + i * NET_CLASSES;
        for (int k = 0; x[i] != 0 && k < NET_CLASSES; k++)
            n->score[k] += x[i] * w[k];
    }
    softmax(n->score);
    for (int k = 1; k < NET_CLASSES; k++)
        best = n->score[k] > n->score[best] ? k : best;
    return best;
}

float
net_backward(struct net *n, const float *pixels, int label)
{
    const float share = 0.05f; /* of certainty kept from the label: scores that
                                      * stay apart from 0 and 1 say more */
    struct conv *last = &n->conv[NET_CONVS - 1];
    float d[NET_CLASSES];

    for (int k = 0; k < NET_CLASSES; k++) {
        d[k] = n->score[k] - share / NET_CLASSES - (k == label ? 1 - share : 0);
        n->fc_b.grad[k] += d[k];
    }
    for (int i = 0; i < n->features; i++) {
        float sum = 0;
        for (int k = 0; k < NET_CLASSES; k++) {
            n->fc_w.grad[i * NET_CLASSES + k] += d[k] * last->z[i];
            sum += d[k] * n->fc_w.w[i * NET_CLASSES + k];
        }
        last->dz[i] = last->z[i] > 0 ? sum : 0;
    }
    for (int i = NET_CONVS - 1; i > 0; i--)
        conv_backward(&n->conv[i], n->conv[i - 1].z, n->conv[i - 1].dz);
    conv_backward(&n->conv[0], pixels, NULL);
    return -logf(n->score[label] > 1e-20f ? n->score[label] : 1e-20f);
}

static void
adam(struct param *p, int batch, float rate, float decay, int64_t step)
{
    const float beta1 = 0.9f, beta2 = 0.999f;
    float fix1 = 1 - powf(beta1, (float)step), fix2 = 1 - powf(beta2, (float)step);

    for (int i = 0; i < p->n; i++) {
        float g = p->grad[i] / (float)batch;

        p->first[i] = beta1 * p->first[i] + (1 - beta1) * g;
        p->second[i] = beta2 * p->second[i] + (1 - beta2) * g * g;
        p->w[i] -=
            rate * (p->first[i] / fix1 / (sqrtf(p->second[i] / fix2) + 1e-8f) + decay * p->w[i]);
        p->grad[i] = 0;
    }
}

void
net_update(struct net *n, int batch, float rate)
{
    const float decay = 0.01f; /* keeps weights small, so int8 steps are fine */

    n->step++;
    for (int i = 0; i < NET_CONVS; i++) {
        adam(&n->conv[i].w, batch, rate, decay, n->step);
        adam(&n->conv[i].b, batch, rate, 0, n->step);
        refresh(&n->conv[i]);
    }
    adam(&n->fc_w, batch, rate, decay, n->step);
    adam(&n->fc_b, batch, rate, 0, n->step);
}
