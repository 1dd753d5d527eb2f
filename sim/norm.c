/* Normalisations, on integer arrays that were built with them (gemmini-isa.md 9): a
 * row of the accumulator goes out three times, twice for its statistics and once to
 * memory, normalised.
 *
 * Layer norm and integer GELU are the hardware's formulas.  Softmax is not: the
 * hardware at hand has another polynomial in its place, strict mode refuses it, and
 * what runs otherwise is the public functional model's. */
#include <math.h>

#include "sim/internal.h"
#include "src/base/num.h"
#include "src/machine/round.h"

enum { RESET, SUM, MEAN, VARIANCE, INV_STDDEV, MAX, SUM_EXP, INV_SUM_EXP };

void
norm_config(struct hart *h, const struct isa_cmd *c)
{
    struct norm *n = &h->regs.norm;
    int32_t q = (int32_t)(c->rs1 >> 32);

    n->stat = c->rs1 >> 8 & 0xff;
    if (c->rs1 >> 17 & 1)
        return;
    n->softmax = c->rs1 >> 16 & 1;
    *(c->rs1 >> 18 & 1 ? &n->ln2_inv : &n->ln2) = q;
    n->qb = (int32_t)c->rs2;
    n->qc = (int32_t)(c->rs2 >> 32);
}

static struct norm_stat *
stat_of(struct hart *h)
{
    return &h->stat[h->regs.norm.stat % NORM_STATS];
}

static void
restart(struct norm_stat *s)
{
    s->sum = 0;
    s->count = 0;
    s->running = INT32_MIN;
}

void
norm_reset(struct hart *h)
{
    for (int i = 0; i < NORM_STATS; i++) {
        h->stat[i] = (struct norm_stat) { .factor = 1 };
        restart(&h->stat[i]);
    }
}

/* ---- arithmetic that wraps at 32 bits */

static int32_t
add(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

static int32_t
mul(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a * (uint32_t)b);
}

static int32_t
square_plus(int32_t x, int32_t c)
{
    return add(mul(x, x), c);
}

/* e^x in integers. */
static int32_t
iexp(const struct norm *n, int32_t q)
{
    int32_t z = mul(add(0, mul(-1, q)), n->ln2_inv) >> 16;
    int32_t p = add(q, mul(z, n->ln2));

    if (z > 31)
        return 0;
    return square_plus(add(p, n->qb), n->qc) >> num_max(z, 0);
}

static int32_t
igelu(const struct norm *n, int32_t q)
{
    int32_t size = q < 0 ? mul(-1, q) : q, most = mul(-1, n->qb);
    int32_t e = square_plus(add(size < most ? size : most, n->qb), n->qc);

    return mul(q, add(q < 0 ? mul(-1, e) : q > 0 ? e : 0, n->qc));
}

static int32_t
root(int32_t x)
{
    int32_t r = x > 0 ? (int32_t)sqrt((double)x) : 0;

    return r > 1 ? r : 1;
}

/* ---- statistics */

static int32_t
part(const struct norm *n, const struct norm_stat *s, unsigned how, int32_t x)
{
    switch (how) {
    case VARIANCE:
    case INV_STDDEV:
        return square_plus(add(x, mul(-1, s->mean)), 0);
    case SUM_EXP:
    case INV_SUM_EXP:
        return iexp(n, add(x, mul(-1, s->max)));
    default:
        return x;
    }
}

static void
finish(struct norm_stat *s, unsigned how)
{
    int64_t count = num_max(s->count, 1);

    if (how == MEAN)
        s->mean = (int32_t)(s->sum / count);
    else if (how == INV_STDDEV)
        s->factor = 1.0f / (float)root((int32_t)(s->sum / count));
    else if (how == INV_SUM_EXP)
        s->factor = 127.0f / (float)s->sum;
    else
        return;
    restart(s);
}

void
norm_collect(struct hart *h, unsigned how, const void *acc, int64_t n, bool last)
{
    struct norm_stat *s = stat_of(h);
    const int32_t *x = acc;

    if (how == SUM_EXP || how == INV_SUM_EXP)
        s->max = s->running;
    for (int64_t i = 0; i < n; i++) {
        if (how == MAX)
            s->running = x[i] > s->running ? x[i] : s->running;
        else
            s->sum = add(s->sum, part(&h->regs.norm, s, how, x[i]));
    }
    s->count = (s->count + n) & 0xffff;
    if (last)
        finish(s, how);
}

/* ---- rows on their way out */

bool
norm_acts(const struct hart *h)
{
    return norm_there(h->s) && (h->regs.st.act > 1 || h->regs.norm.softmax);
}

static int8_t
one(const struct norm *n, const struct norm_stat *s, unsigned act, int32_t x, float scale)
{
    if (n->softmax)
        return round_scale8(round_scale8(iexp(n, add(x, mul(-1, s->max))), s->factor), scale);
    if (act == NORM_LAYER)
        return round_scale8(add(x, mul(-1, s->mean)), s->factor * scale);
    return round_scale8(igelu(n, x), scale);
}

void
norm_out(struct hart *h, void *elem, const void *acc, int64_t n, float scale)
{
    const struct norm_stat *s = stat_of(h);
    const int32_t *x = acc;
    int8_t *y = elem;

    for (int64_t i = 0; i < n; i++)
        y[i] = one(&h->regs.norm, s, h->regs.st.act, x[i], scale);
}

void
norm_stored(struct hart *h)
{
    restart(stat_of(h));
}
