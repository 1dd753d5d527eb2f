/* QuantizeLinear and DequantizeLinear, per tensor and per axis.  Blocks of elements
 * that share a scale (block_size), 4-bit and 8-bit float types are refused. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include "ir/elem.h"
#include "ir/ops/common.h"
#include "ir/ops/lower.h"
#include "src/machine/round.h"

#define AT(field) offsetof(struct quant_attr, field)

static const struct attr_def quantize_attrs[] = {
    { "axis", ATTR_INT, AT(axis), "1", "axis with a scale of its own for each index", NULL },
    { "block_size", ATTR_INT, AT(block_size), "0", "blocks are refused", NULL },
    { "output_dtype", ATTR_INT, AT(output_dtype), "0",
      "type when there is no zero point, by number; uint8", NULL },
    { "saturate", ATTR_BOOL, AT(saturate), "1", "of 8-bit floats, which are refused", NULL },
    { 0 },
};
static const struct attr_def dequantize_attrs[] = {
    { "axis", ATTR_INT, AT(axis), "1", "axis with a scale of its own for each index", NULL },
    { "block_size", ATTR_INT, AT(block_size), "0", "blocks are refused", NULL },
    { "output_dtype", ATTR_INT, AT(output_dtype), "0", "float", NULL },
    { 0 },
};

static bool
no_blocks(const struct node *n, char *detail, size_t size)
{
    snprintf(detail, size, "block_size=%lld", (long long)quant_attr(n)->block_size);
    return quant_attr(n)->block_size == 0;
}

static bool
scale_is_float(const struct node *n, char *detail, size_t size)
{
    snprintf(detail, size, "the scale is %s", dtype_name(n->in[1]->type.dt));
    return n->in[1]->type.dt == DT_F32;
}

static enum dtype
stored_type(const struct node *n)
{
    int64_t want = quant_attr(n)->output_dtype;

    if (n->op == &op_dequantize_linear)
        return n->in[0]->type.dt;
    if (ops_has(n, 2))
        return n->in[2]->type.dt;
    return want > 0 && want < 256 ? dtype_from_onnx((int)want) : DT_U8;
}

static bool
type_holds(const struct node *n, char *detail, size_t size)
{
    enum dtype dt = stored_type(n);
    bool bias = n->op == &op_dequantize_linear && dt == DT_I32;

    snprintf(detail, size, "it is %s", dtype_name(dt));
    return dt == DT_I8 || dt == DT_U8 || dt == DT_I16 || dt == DT_U16 || bias;
}

static const struct rule rules[] = {
    { "quant-block", "a scale holds for the tensor or for an index of one axis", no_blocks },
    { "quant-scale", "scales are float", scale_is_float },
    { "quant-type", "the quantized type is an integer of 8 or 16 bits, or int32 to dequantize",
      type_holds },
    { 0 },
};

static bool
infer(struct infer *q)
{
    struct node *n = q->n;
    struct quant_attr *a = quant_attr(n);
    const struct shape *x = ops_in(n, 0), *s = ops_in(n, 1);
    bool back = n->op == &op_dequantize_linear;

    if (!ops_rules(q))
        return false;
    if (!back && n->in[0]->type.dt != DT_I32 && !ops_need_real(q, 0))
        return false;
    if (shape_elems(s) != 1 || (s->rank == 1 && a->axis != 1)) {
        if (s->rank != 1 || !ops_wrap_axis(q, &a->axis, x->rank) ||
            (s->dim[0].n != 1 && !dim_equal(s->dim[0], x->dim[a->axis])))
            return diag_error(q->diag, &q->at, "quant-length", "scale %s for the input %s",
                              shape_text(q->arena, s), shape_text(q->arena, x));
    }
    if (ops_has(n, 2) && shape_elems(ops_in(n, 2)) != shape_elems(s))
        return diag_error(q->diag, &q->at, "quant-length", "scale %s with zero point %s",
                          shape_text(q->arena, s), shape_text(q->arena, ops_in(n, 2)));
    if (back && !ops_has(n, 2)) {
        ops_set_out(q, 0, DT_F32, x);
        return true;
    }
    if (back && !ops_same_dtype(q, 0, 2))
        return false;
    ops_set_out(q, 0, back ? DT_F32 : stored_type(n), x);
    return true;
}

/* Elements before the scale's axis, indices of it, elements after. */
struct parts { int64_t outer, n, inner; };

static struct parts
parts_of(const struct eval *e)
{
    const struct shape *x = ops_in(e->n, 0);
    int axis = (int)quant_attr(e->n)->axis;

    if (shape_elems(ops_in(e->n, 1)) == 1)
        return (struct parts){ 1, 1, shape_elems(x) };
    return (struct parts){ shape_count(x, 0, axis), x->dim[axis].n,
                           shape_count(x, axis + 1, x->rank) };
}

static void
eval_quantize_linear(struct eval *e)
{
    enum dtype dx = e->n->in[0]->type.dt, dy = e->n->out[0]->type.dt;
    struct parts p = parts_of(e);
    const float *scale = e->in[1];
    int64_t at = 0;

    for (int64_t o = 0; o < p.outer; o++)
        for (int64_t k = 0; k < p.n; k++) {
            int64_t zero = ops_has(e->n, 2) ? elem_int(dy, e->in[2], k) : 0;
            for (int64_t i = 0; i < p.inner; i++, at++) {
                float x = (float)elem_real(dx, e->in[0], at);
                elem_put_int(dy, e->out[0], at, (int64_t)round_even(x / scale[k]) + zero);
            }
        }
}

static void
eval_dequantize_linear(struct eval *e)
{
    enum dtype dt = e->n->in[0]->type.dt;
    struct parts p = parts_of(e);
    const float *scale = e->in[1];
    float *y = e->out[0];
    int64_t at = 0;

    for (int64_t o = 0; o < p.outer; o++)
        for (int64_t k = 0; k < p.n; k++) {
            int64_t zero = ops_has(e->n, 2) ? elem_int(dt, e->in[2], k) : 0;
            for (int64_t i = 0; i < p.inner; i++, at++)
                y[at] = (float)(elem_int(dt, e->in[0], at) - zero) * scale[k];
        }
}

#define DEF(id, onnx, text, table) \
    const struct op_def op_##id = { \
        .name = onnx, \
        .doc = text, \
        .since = 10, \
        .min_in = 2, .max_in = 3, \
        .stages = OPS_FLOATS, \
        .traits = OP_LAYOUT_FREE, \
        .quant = Q_NONE, \
        .attr_size = sizeof(struct quant_attr), \
        .attrs = table, \
        .rules = rules, \
        .infer = infer, \
        .eval = eval_##id, \
        .lower = lower_convert, \
    };

DEF(quantize_linear, "QuantizeLinear", "round(x / scale) + zero point, saturated", quantize_attrs)
DEF(dequantize_linear, "DequantizeLinear", "(x - zero point) * scale", dequantize_attrs)
