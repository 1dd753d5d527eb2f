/* Attribute structs of the operators, for passes and lowering.
 *
 * After infer they hold the normal form, whatever the model's opset wrote:
 * - lists are filled in (kernel_shape, strides, dilations, pads, perm, axes);
 *   axes are counted from the front;
 * - auto_pad is NOTSET and pads are explicit;
 * - what newer opsets pass as an input (the shape of Reshape, the pads of Pad, the
 *   bounds of Clip, axes, starts, ...) is an attribute when it is constant, and the
 *   input is dropped. */
#ifndef IR_OPS_ATTRS_H
#define IR_OPS_ATTRS_H
#include "ir/ir.h"

#define X(name) extern const struct op_def op_##name;
#include "ir/ops/ops.def"
#undef X

/* The text of an integer attribute that the model did not give. */
#define ATTR_UNSET      INT64_MIN
#define ATTR_UNSET_TEXT "-9223372036854775808"

enum auto_pad { PAD_NOTSET, PAD_SAME_UPPER, PAD_SAME_LOWER, PAD_VALID };

struct window {                  /* of Conv and the pools; one entry per spatial axis */
    int64_t auto_pad;
    struct ints kernel_shape, strides, dilations;
    struct ints pads;            /* all begins, then all ends */
};

struct conv_attr { struct window win; int64_t group; };
struct pool_attr {               /* AveragePool, MaxPool; global pools have none */
    struct window win;
    int64_t ceil_mode;           /* already in the output's shape */
    int64_t count_include_pad;   /* AveragePool */
    int64_t storage_order;       /* MaxPool: 0 */
};
struct gemm_attr { float alpha, beta; int64_t trans_a, trans_b; };
struct batch_normalization_attr { float epsilon, momentum; int64_t spatial, training_mode; };
struct axis_attr { int64_t axis; };                    /* Concat, Flatten, Gather */
struct softmax_attr {            /* Softmax, LogSoftmax */
    int64_t axis;
    int64_t flat;                /* opset < 13: over all axes from `axis` on together */
};
struct clip_attr { float min, max; };                  /* inputs 1 and 2 left: not constant */
struct alpha_attr { float alpha; };                    /* Elu, LeakyRelu */
struct hard_sigmoid_attr { float alpha, beta; };
struct cast_attr { int64_t to, saturate; };            /* to: TensorProto.DataType */
struct reshape_attr { struct ints shape; int64_t allowzero; };
struct axes_attr { struct ints axes; };                /* Squeeze, Unsqueeze: sorted */
struct transpose_attr { struct ints perm; };
struct split_attr { int64_t axis, num_outputs; struct ints split; };
struct slice_attr {              /* one entry per axis of the input, clamped; steps of either sign;
                                    an end of -size - 1 stops after element 0 */
    struct ints starts, ends, axes, steps;
};
enum pad_mode { PAD_CONSTANT, PAD_REFLECT, PAD_EDGE, PAD_WRAP };
struct pad_attr {                /* pads: begins, then ends, of all axes */
    int64_t mode;
    struct ints pads;
    float value;
};
struct reduce_attr { struct ints axes; int64_t keepdims, noop_with_empty_axes; };
struct argmax_attr { int64_t axis, keepdims, select_last_index; };
struct lrn_attr { float alpha, beta, bias; int64_t size; };
struct quant_attr {              /* QuantizeLinear, DequantizeLinear */
    int64_t axis, block_size, saturate, output_dtype;
};
struct tile_attr { struct ints repeats; };
struct expand_attr { struct ints shape; };

/* The attributes of a node by name: conv_attr(n)->group. */
#define ATTR_OF(name) \
    static inline struct name *name(const struct node *n) { return n->attr; }
ATTR_OF(conv_attr)
ATTR_OF(pool_attr)
ATTR_OF(gemm_attr)
ATTR_OF(batch_normalization_attr)
ATTR_OF(axis_attr)
ATTR_OF(softmax_attr)
ATTR_OF(clip_attr)
ATTR_OF(alpha_attr)
ATTR_OF(hard_sigmoid_attr)
ATTR_OF(cast_attr)
ATTR_OF(reshape_attr)
ATTR_OF(axes_attr)
ATTR_OF(transpose_attr)
ATTR_OF(split_attr)
ATTR_OF(slice_attr)
ATTR_OF(pad_attr)
ATTR_OF(reduce_attr)
ATTR_OF(argmax_attr)
ATTR_OF(lrn_attr)
ATTR_OF(quant_attr)
ATTR_OF(tile_attr)
ATTR_OF(expand_attr)
#undef ATTR_OF

#endif
