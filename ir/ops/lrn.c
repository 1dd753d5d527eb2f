/* LRN: local response normalization across channels. */
#include <stddef.h>
#include <stdio.h>

#include "ir/ops/common.h"
#include "ir/ops/lower.h"
#include "src/machine/fmath.h"

#define AT(field) offsetof(struct lrn_attr, field)

static const struct attr_def attrs[] = {
    { "alpha", ATTR_FLOAT, AT(alpha), "0.0001", "factor of the mean square", NULL },
    { "beta", ATTR_FLOAT, AT(beta), "0.75", "exponent", NULL },
    { "bias", ATTR_FLOAT, AT(bias), "1", "added to it", NULL },
    { "size", ATTR_INT, AT(size), NULL, "number of channels taken together", NULL },
    { 0 },
};

static bool
size_holds(const struct node *n, char *detail, size_t size)
{
    snprintf(detail, size, "size=%lld", (long long)lrn_attr(n)->size);
    return lrn_attr(n)->size >= 1 && lrn_attr(n)->size < INT32_MAX;
}

static const struct rule rules[] = {
    { "lrn-size", "at least one channel is taken together", size_holds },
    { 0 },
};

static bool
infer(struct infer *q)
{
    if (!ops_rules(q) || !ops_need_rank(q, 0, 2, MAX_RANK) || !ops_need_real(q, 0))
        return false;
    ops_set_out(q, 0, DT_F32, ops_in(q->n, 0));
    return true;
}

static void
eval(struct eval *e)
{
    const struct lrn_attr *a = lrn_attr(e->n);
    const struct shape *s = ops_in(e->n, 0);
    int64_t channels = s->dim[1].n, size = shape_count(s, 2, s->rank);
    int64_t before = (a->size - 1) / 2, after = a->size - 1 - before;
    const float *x = e->in[0];
    float *y = e->out[0];

    for (int64_t b = 0; b < s->dim[0].n; b++, x += channels * size, y += channels * size)
        for (int64_t c = 0; c < channels; c++) {
            int64_t lo = c < before ? 0 : c - before;
            int64_t hi = c + after < channels ? c + after : channels - 1;
            for (int64_t i = 0; i < size; i++) {
                float sum = 0;
                for (int64_t k = lo; k <= hi; k++)
                    sum += x[k * size + i] * x[k * size + i];
                float base = a->bias + a->alpha / (float)a->size * sum;
                y[c * size + i] = x[c * size + i] / fm_pow(base, a->beta);
            }
        }
}

const struct op_def op_lrn = {
    .name = "LRN",
    .doc = "local response normalization across channels",
    .since = 1,
    .min_in = 1, .max_in = 1,
    .stages = OPS_FLOATS,
    .quant = Q_COMPUTE,
    .attr_size = sizeof(struct lrn_attr),
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .lower = lower_lrn,
};
