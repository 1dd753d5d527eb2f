/* m.pool: the greatest or the mean of a window, int8 or float.  Outside the image
 * nothing counts, except in a mean with avg_include_pad, where padding is zeros.
 *
 * The mean of int8: sum of (x - zero of x) exactly, times the scale of x, divided by
 * the count, each as float, then round_quantize8; of floats: summed row by row. */
#include <float.h>
#include <math.h>
#include <stddef.h>

#include "ir/ops/machine_util.h"
#include "src/machine/round.h"

static const struct attr_def attrs[] = {
    { "kind", ATTR_ENUM, FIELD(m_pool_attr, kind), "max", "what to take", "max|avg" },
    { "kernel_y", ATTR_INT, FIELD(m_pool_attr, kernel[0]), "1", "rows of the window", NULL },
    { "kernel_x", ATTR_INT, FIELD(m_pool_attr, kernel[1]), "1", "columns of the window", NULL },
    { "stride_y", ATTR_INT, FIELD(m_pool_attr, stride[0]), "1", "rows between windows", NULL },
    { "stride_x", ATTR_INT, FIELD(m_pool_attr, stride[1]), "1", "columns between windows", NULL },
    { "dilation_y", ATTR_INT, FIELD(m_pool_attr, dilation[0]), "1", "rows between taps", NULL },
    { "dilation_x", ATTR_INT, FIELD(m_pool_attr, dilation[1]), "1", "columns between taps", NULL },
    { "pad_top", ATTR_INT, FIELD(m_pool_attr, pads[0]), "0", "rows of padding above", NULL },
    { "pad_left", ATTR_INT, FIELD(m_pool_attr, pads[1]), "0", "columns of padding before", NULL },
    { "pad_bottom", ATTR_INT, FIELD(m_pool_attr, pads[2]), "0", "rows of padding below", NULL },
    { "pad_right", ATTR_INT, FIELD(m_pool_attr, pads[3]), "0", "columns of padding after", NULL },
    { "include_pad", ATTR_BOOL, FIELD(m_pool_attr, avg_include_pad), "0",
      "padding counts in a mean", NULL },
    { 0 },
};

static bool
infer(struct infer *q)
{
    struct node *n = q->n;
    struct shape y;

    if (!machine_known(q, 1) || !machine_type(q, 0, DT_I8, DT_F32))
        return false;
    if (n->in[0]->type.shape.rank != 4)
        return machine_error(q, "images have four axes");
    if (!machine_pool_shape(n->attr, &n->in[0]->type.shape, &y))
        return machine_error(q, "the window does not fit the image");
    machine_out(q, n->in[0]->type.dt, &y);
    return true;
}

struct window {                  /* what of one window lies inside the image */
    const struct m_pool_attr *a;
    int64_t in[2], out[2];
    int64_t first[2];            /* row and column of tap 0 */
};

/* Index of tap k in a plane, -1 outside. */
static int64_t
tap(const struct window *w, int64_t k)
{
    int64_t r = w->first[0] + k / w->a->kernel[1] * w->a->dilation[0];
    int64_t c = w->first[1] + k % w->a->kernel[1] * w->a->dilation[1];

    return r < 0 || r >= w->in[0] || c < 0 || c >= w->in[1] ? -1 : r * w->in[1] + c;
}

static float
max_float(const struct window *w, const float *x)
{
    float most = -HUGE_VALF;

    for (int64_t k = 0; k < w->a->kernel[0] * w->a->kernel[1]; k++) {
        int64_t i = tap(w, k);
        if (i >= 0 && x[i] > most)
            most = x[i];
    }
    return most;
}

static float
mean_float(const struct window *w, const float *x)
{
    int64_t taps = w->a->kernel[0] * w->a->kernel[1], count = 0;
    float sum = 0;

    for (int64_t k = 0; k < taps; k++) {
        int64_t i = tap(w, k);
        if (i < 0)
            continue;
        sum += x[i];
        count++;
    }
    if (w->a->avg_include_pad)
        count = taps;
    return count ? sum / (float)count : 0;
}

static float
mean_int8(const struct window *w, const int8_t *x, float scale, int32_t zero)
{
    int64_t taps = w->a->kernel[0] * w->a->kernel[1], count = 0, sum = 0;

    for (int64_t k = 0; k < taps; k++) {
        int64_t i = tap(w, k);
        if (i < 0)
            continue;
        sum += x[i] - zero;
        count++;
    }
    if (w->a->avg_include_pad)
        count = taps;
    return count ? scale * (float)sum / (float)count : 0;
}

static void
eval(struct eval *e)
{
    const struct type *tx = &e->n->in[0]->type, *ty = &e->n->out[0]->type;
    const struct dim *x = tx->shape.dim, *y = ty->shape.dim;
    struct window w = { e->n->attr, { x[2].n, x[3].n }, { y[2].n, y[3].n }, { 0 } };
    int64_t planes = x[0].n * x[1].n, area = y[2].n * y[3].n;

    if (w.a->kind == M_POOL_MAX && tx->dt == DT_I8) {
        machine_max8(w.a, planes, w.in, w.out, e->in[0], e->out[0]);
        return;
    }
    for (int64_t i = 0; i < planes * area; i++) {
        int64_t plane = i / area * w.in[0] * w.in[1];
        w.first[0] = i % area / w.out[1] * w.a->stride[0] - w.a->pads[0];
        w.first[1] = i % w.out[1] * w.a->stride[1] - w.a->pads[1];
        if (tx->dt == DT_F32) {
            const float *f = (const float *)e->in[0] + plane;
            ((float *)e->out[0])[i] =
                w.a->kind == M_POOL_MAX ? max_float(&w, f) : mean_float(&w, f);
        } else {
            float m = mean_int8(&w, (const int8_t *)e->in[0] + plane, tx->quant->scale[0],
                                tx->quant->zero[0]);
            ((int8_t *)e->out[0])[i] =
                round_quantize8(m, ty->quant->scale[0], ty->quant->zero[0]);
        }
    }
}

const struct op_def op_m_pool = {
    .name = "m.pool",
    .doc = "greatest or mean of a window",
    .since = 1,
    .min_in = 1, .max_in = 1,
    .stages = STAGE_MACHINE,
    .traits = OP_MACHINE,
    .quant = Q_COMPUTE,
    .attr_size = sizeof(struct m_pool_attr),
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
};
