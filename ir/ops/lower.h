/* Lower functions of the operators, and what they share.
 *
 * Each writes machine nodes before the node at hand; the caller removes that one.
 * Values are int8 with a scale, or float: then the float forms of the same machine
 * operators are used, without scales and zero points. */
#ifndef IR_OPS_LOWER_H
#define IR_OPS_LOWER_H
#include "ir/ir.h"
#include "ir/machine.h"
#include "ir/ops/attrs.h"

bool lower_conv(struct lower *l);
bool lower_gemm(struct lower *l);
bool lower_matmul(struct lower *l);
bool lower_elementwise(struct lower *l);               /* m.add, a table, or what m.map knows */
bool lower_batchnorm(struct lower *l);
bool lower_pool(struct lower *l);                      /* Max, Average and the global ones */
bool lower_convert(struct lower *l);                   /* QuantizeLinear, DequantizeLinear, Cast */
bool lower_softmax(struct lower *l);                   /* and LogSoftmax */
bool lower_reduce(struct lower *l);
bool lower_gather(struct lower *l);
bool lower_transpose(struct lower *l);
bool lower_concat(struct lower *l);
bool lower_slice(struct lower *l);
bool lower_split(struct lower *l);
bool lower_pad(struct lower *l);
bool lower_expand(struct lower *l);
bool lower_tile(struct lower *l);
bool lower_lrn(struct lower *l);

/* ------------------------------------------------------- lower_util.c */

bool lower_refuse(struct lower *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static inline bool
lower_is8(const struct value *v)
{
    return v->type.dt == DT_I8 && v->type.quant != NULL;
}
static inline float
lower_scale(const struct value *v)
{
    return v->type.quant->scale[0];
}
static inline int32_t
lower_zero(const struct value *v)
{
    return v->type.quant->zero[0];
}

/* x in another shape; the second form writes y. */
struct value *lower_view(struct lower *l, struct value *x, const struct shape *s);
void lower_view_to(struct lower *l, struct value *x, struct value *y);
/* A copy of the whole of x, axes permuted (perm NULL: none). */
struct value *lower_permuted(struct lower *l, struct value *x, const int64_t *perm);
/* An m.move of all of x to y at zero, to be changed by the caller. */
struct m_move_attr lower_move_all(struct lower *l, const struct value *x);

/* The clamp on the way out of the node, joined from its epilogues, and its bias; false:
 * an epilogue that is neither. */
struct lower_out {
    bool clamps;
    struct epi_act act;
    const struct value *bias;    /* EPI_BIAS, float */
    bool behind;                 /* set by lower_clamped: a node of its own, to these bounds */
    int lo, hi;
};
bool lower_epilogues(struct lower *l, struct lower_out *o);
/* How the clamp is done: by the store (*relu), by saturation, or by a node behind.
 * Gives the value that the computing node writes; once that is there, lower_clamp adds
 * the node behind, if any. */
struct value *lower_clamped(struct lower *l, struct value *y, struct lower_out *o, int64_t *relu);
void lower_clamp(struct lower *l, struct value *made, struct value *y, const struct lower_out *o);
/* y = table of x. */
void lower_table(struct lower *l, struct value *x, struct value *y, const int8_t *table);

/* Weights as machine operators take them: symmetric int8, one scale for each block.
 * `axis`: output channels.  Where the scales within a block differ, the weights are
 * rounded again to the largest. */
struct lower_weights {
    struct value *v;
    struct m_scale scale;        /* of the weights alone */
    int64_t *sum;                /* of the stored weights of each channel */
    int64_t channels;
};
bool lower_weights(struct lower *l, struct value *w, int axis, struct lower_weights *out);
/* int32: bias / (sx * weight scale) + zero of y / multiplier - zero of x * sum of weights;
 * multipliers (sx * weight scale * factor / sy) replace w->scale. */
struct value *lower_bias(struct lower *l, struct lower_weights *w, const struct value *x,
                         const struct value *y, const float *bias, float factor);
/* The numbers of a bias as float, from what it was made of where known. */
const float *lower_floats(struct lower *l, const struct value *v);

#endif
