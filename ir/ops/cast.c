/* Cast: another element type.  Strings are refused. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "ir/elem.h"
#include "ir/ops/common.h"
#include "ir/ops/lower.h"

static const struct attr_def attrs[] = {
    { "saturate", ATTR_BOOL, offsetof(struct cast_attr, saturate), "1",
      "of types of 8-bit floats, which are not understood", NULL },
    { "to", ATTR_INT, offsetof(struct cast_attr, to), NULL,
      "the type, by its number in ONNX's TensorProto.DataType", NULL },
    { 0 },
};

static bool
type_holds(const struct node *n, char *detail, size_t size)
{
    int64_t to = cast_attr(n)->to;
    enum dtype dt = to < 0 || to > 255 ? DT_NONE : dtype_from_onnx((int)to);

    snprintf(detail, size, "to=%lld", (long long)to);
    return dtype_bits(dt) > 0 && dtype_bits(n->in[0]->type.dt) > 0;
}

static const struct rule rules[] = {
    { "cast-type", "both types are numbers or bool", type_holds },
    { 0 },
};

static bool
infer(struct infer *q)
{
    if (!ops_rules(q))
        return false;
    ops_set_out(q, 0, dtype_from_onnx((int)cast_attr(q->n)->to), ops_in(q->n, 0));
    return true;
}

/* Integers keep their low bits; reals are cut toward zero. */
static int64_t
low_bits(enum dtype dt, int64_t x)
{
    switch (dt) {
    case DT_I8: return (int8_t)x;
    case DT_U8: return (uint8_t)x;
    case DT_I16: return (int16_t)x;
    case DT_U16: return (uint16_t)x;
    case DT_I32: return (int32_t)x;
    case DT_U32: return (uint32_t)x;
    default: return x;
    }
}

static void
eval(struct eval *e)
{
    enum dtype from = e->n->in[0]->type.dt, to = e->n->out[0]->type.dt;
    int64_t n = shape_elems(&e->n->out[0]->type.shape);

    if (from == to) {
        memcpy(e->out[0], e->in[0], (size_t)shape_bytes(&e->n->in[0]->type, 0));
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        double x;
        if (!dtype_is_float(from)) {
            elem_put_int(to, e->out[0], i, low_bits(to, elem_int(from, e->in[0], i)));
            continue;
        }
        x = elem_real(from, e->in[0], i);
        if (to == DT_BOOL)
            elem_put_int(to, e->out[0], i, x != 0);
        else if (dtype_is_float(to))
            elem_put_real(to, e->out[0], i, x);
        else
            elem_put_int(to, e->out[0], i, elem_int(from, e->in[0], i));
    }
}

const struct op_def op_cast = {
    .name = "Cast",
    .doc = "another element type",
    .since = 6,
    .min_in = 1, .max_in = 1,
    .stages = OPS_FLOATS,
    .traits = OP_ELEMENTWISE | OP_LAYOUT_FREE,
    .quant = Q_FLOAT,
    .attr_size = sizeof(struct cast_attr),
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .lower = lower_convert,
};
