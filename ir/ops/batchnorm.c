/* BatchNormalization as it is after training: scale and shift of each channel.
 * Training mode, and statistics per element (spatial=0), are refused. */
#include <stddef.h>
#include <stdio.h>

#include "ir/ops/common.h"
#include "ir/ops/lower.h"
#include "src/machine/fmath.h"

#define AT(field) offsetof(struct batch_normalization_attr, field)

static const struct attr_def attrs[] = {
    { "epsilon", ATTR_FLOAT, AT(epsilon), "1e-05", "added to the variance", NULL },
    { "momentum", ATTR_FLOAT, AT(momentum), "0.9", "of training; not used", NULL },
    { "spatial", ATTR_BOOL, AT(spatial), "1", "statistics are per channel (opset 7 and 8)", NULL },
    { "training_mode", ATTR_BOOL, AT(training_mode), "0", "statistics come from the batch", NULL },
    { 0 },
};

static bool
is_spatial(const struct node *n, char *detail, size_t size)
{
    snprintf(detail, size, "spatial=0");
    return batch_normalization_attr(n)->spatial;
}

static bool
is_trained(const struct node *n, char *detail, size_t size)
{
    if (batch_normalization_attr(n)->training_mode) {
        snprintf(detail, size, "training_mode=1");
        return false;
    }
    for (int i = 1; i < n->nout; i++) {
        if (!n->out[i] || (n->out[i]->nuse == 0 && !n->out[i]->is_output))
            continue;
        snprintf(detail, size, "output %d '%s' is used", i, n->out[i]->name);
        return false;
    }
    return true;
}

static bool
lengths_hold(const struct node *n, char *detail, size_t size)
{
    if (ops_in(n, 0)->rank < 2) {
        snprintf(detail, size, "input 0 has rank %d", ops_in(n, 0)->rank);
        return false;
    }
    for (int i = 1; i < 5; i++) {
        const struct shape *s = ops_in(n, i);
        if (s->rank == 1 && s->dim[0].n == ops_in(n, 0)->dim[1].n)
            continue;
        snprintf(detail, size, "input %d has %lld for %lld channels", i,
                 (long long)shape_elems(s), (long long)ops_in(n, 0)->dim[1].n);
        return false;
    }
    return true;
}

static const struct rule rules[] = {
    { "batchnorm-spatial", "statistics are per channel", is_spatial },
    { "batchnorm-training", "the model is exported for inference", is_trained },
    { "batchnorm-length", "scale, shift, mean and variance have one element per channel",
      lengths_hold },
    { 0 },
};

static bool
infer(struct infer *q)
{
    struct node *n = q->n;

    if (!ops_rules(q))
        return false;
    for (int i = 0; i < 5; i++)
        if (!ops_need_real(q, i))
            return false;
    ops_set_out(q, 0, DT_F32, ops_in(n, 0));
    for (int i = 1; i < n->nout; i++)
        ops_set_out(q, i, DT_F32, ops_in(n, 1));
    return true;
}

static void
eval(struct eval *e)
{
    const struct shape *s = ops_in(e->n, 0);
    int64_t channels = s->dim[1].n, size = shape_count(s, 2, s->rank);
    int64_t images = s->dim[0].n * channels;
    const float *x = e->in[0], *scale = e->in[1], *shift = e->in[2], *mean = e->in[3],
                *var = e->in[4];
    float eps = batch_normalization_attr(e->n)->epsilon, *y = e->out[0];

    for (int64_t k = 0; k < images; k++, x += size, y += size) {
        int64_t c = k % channels;
        float f = scale[c] / fm_sqrt(var[c] + eps);
        for (int64_t i = 0; i < size; i++)
            y[i] = (x[i] - mean[c]) * f + shift[c];
    }
}

const struct op_def op_batch_normalization = {
    .name = "BatchNormalization",
    .doc = "scale and shift of each channel, as trained",
    .since = 7,
    .min_in = 5, .max_in = 5,
    .min_out = 1, .max_out = 5,
    .stages = OPS_FLOATS,
    .quant = Q_COMPUTE,
    .attr_size = sizeof(struct batch_normalization_attr),
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .lower = lower_batchnorm,
};
