/* Along axes on the core: softmax and reductions. */
#include <string.h>

#include "backend/rt/kernels/view.h"
#include "src/machine/fmath.h"

enum { REDUCE_SUM, REDUCE_MEAN, REDUCE_MAX, REDUCE_MIN };

/* e^x of an int8 input depends on its 256 values only: each is computed once. */
struct powers { float value[256]; uint8_t known[256]; };

static float
power(const struct gm_view *in, struct powers *p, const char *x, float f)
{
    if (in->type != GM_I8)
        return fm_exp(f);
    uint8_t i = *(const uint8_t *)x;
    if (!p->known[i]) {
        p->known[i] = 1;
        p->value[i] = fm_exp(f);
    }
    return p->value[i];
}

static float
greatest(const struct gm_view *in, const char *x, int64_t n, int64_t step)
{
    float most = gm_real(in, x);

    for (int64_t i = 1; i < n; i++) {
        float f = gm_real(in, x + i * step);
        most = f > most ? f : most;
    }
    return most;
}

/* Greatest first, then e^(x - greatest) summed upward, then divided. */
static void
softmax_line(const struct gm_call *c, const char *x, char *y, int axis)
{
    const struct gm_view *in = c->in[0], *out = c->out;
    int64_t n = in->dim[axis], xs = in->pitch[axis], ys = out->pitch[axis];
    float most = greatest(in, x, n, xs), sum = 0;
    struct powers p;

    memset(p.known, 0, sizeof p.known);
    for (int64_t i = 0; i < n; i++) {
        float f = gm_real(in, x + i * xs) - most, e = power(in, &p, x + i * xs, f);
        sum += e;
        *(float *)(y + i * ys) = c->i[1] ? f : e;
    }
    float l = c->i[1] ? fm_log(sum) : 0;
    for (int64_t i = 0; i < n; i++) {
        float *to = (float *)(y + i * ys);
        *to = c->i[1] ? *to - l : *to / sum;
    }
}

void
gm_k_softmax(const struct gm_call *c)
{
    int axis = (int)c->i[0];
    struct gm_view x = *c->in[0], y = *c->out;
    struct gm_walk w;

    x.dim[axis] = y.dim[axis] = 1;
    gm_walk_start(&w, &y);
    gm_walk_add(&w, &x);
    for (int64_t n = gm_count(&y); n > 0; n--, gm_walk_next(&w))
        softmax_line(c, w.at[1], w.at[0], axis);
}

/* What one output is made of: exact sums of int8, floats in the order of x. */
static float
reduce_one(const struct gm_call *c, struct gm_view part)
{
    const struct gm_view *x = c->in[0];
    int64_t sum = 0, count = gm_count(&part), op = c->i[0];
    float fsum = 0, best = 0;
    bool real = x->type == GM_F32;
    struct gm_walk w;

    if (count == 0)
        return 0;
    gm_walk_start(&w, &part);
    for (int64_t n = 0; n < count; n++, gm_walk_next(&w)) {
        int64_t q = real ? 0 : gm_int(x, w.at[0]) - x->zero;
        float f = real ? *(const float *)w.at[0] : (float)q;
        sum += q;
        fsum += f;
        if (n == 0 || (op == REDUCE_MIN ? f < best : f > best))
            best = f;
    }
    float s = real ? 1 : x->scale;
    if (op == REDUCE_MAX || op == REDUCE_MIN)
        return s * best;
    s = real ? fsum : s * (float)sum;
    return op == REDUCE_MEAN ? s / (float)count : s;
}

void
gm_k_reduce(const struct gm_call *c)
{
    const struct gm_view *x = c->in[0];
    struct gm_view kept = *x, part = *x, y = *c->out;
    struct gm_walk w;
    uint64_t set = 0;
    int64_t n = gm_count(c->out);

    for (int64_t i = 0; i < c->i[1]; i++)
        set |= UINT64_C(1) << c->i[2 + i];
    for (int d = 0; d < x->rank; d++) {
        if (set >> d & 1)
            kept.dim[d] = 1;
        else
            part.dim[d] = 1;
    }
    gm_walk_start(&w, &kept);
    struct gm_walk to;
    gm_walk_start(&to, &y);
    for (; n > 0; n--, gm_walk_next(&w), gm_walk_next(&to)) {
        part.data = w.at[0];
        gm_put_real(c->out, to.at[0], reduce_one(c, part));
    }
}
