/* The neutral machine operators: attributes and exact meaning.  They say nothing of
 * where they run.  Images are logical N, C, H, W like everywhere.  All arithmetic
 * is that of src/machine/round.h; the reference kernels in ir/ops/machine*.c are the
 * judge of everything a backend does.  Sums are int32 and wrap around.
 *
 * m.conv    x int8 [N,C,H,W], w int8 [O,C/groups,KH,KW] constant, bias int32 [O]
 *           acc = bias[o] + sum of x * w, x = pad_value outside the image;
 *           y int8 = round_scale8(relu ? max(acc, 0) : acc, scale of o)
 * m.matmul  a int8 [..,M,K], b int8 [..,K,N], bias int32 [N] or left out; one of a, b may be
 *           constant; leading dims broadcast; y as m.conv (scale of column n)
 * m.add     a, b int8 of equal shape; acc = ma*a + mb*b + bias; y = round_scale8(relu?, scale)
 * m.pool    max: over the window, outside the image does not count.  avg: see avg_*.
 * m.table   y[i] = table[x[i] + 128]; table int8 [256] constant
 * m.convert between types by their quant: float to int8 (round_quantize8), int8 to float,
 *           integer casts saturate, real values are cut toward zero; uint8 and int8 with zero points 128 apart keep the real value
 * m.move    y[dst_start + i] = x[src_start + i * src_step] through perm (y axis d walks x axis
 *           perm[d]); elements of y not written keep `fill` when fills is set; src_* count in axes of x
 * m.view    the move that is nothing: y is x with permuted axes, or a box of it; a view
 * m.join    inputs one after the other along an axis; a view: each input lies inside y
 * m.softmax x int8 or float to float, along axis; log: LogSoftmax.  fmath.h arithmetic
 * m.map     elementwise with broadcasting on real values, then quantized if y is
 * m.reduce  over axes, on real values
 * m.gather  rows of x by int64 indices along axis */
#ifndef IR_MACHINE_H
#define IR_MACHINE_H
#include "ir/ir.h"

struct m_scale {                 /* of the store: one per block of output channels or columns */
    int64_t block;               /* channels that share a scale; 0: all */
    struct floats scale;         /* 1, or ceil(channels / block) */
};
struct m_conv_attr {
    int64_t stride[2], dilation[2], pads[4]; /* y, x; top, left, bottom, right */
    int64_t groups;
    int64_t pad_value;           /* the input's zero point */
    int64_t relu;
    struct m_scale scale;
};
struct m_matmul_attr {
    int64_t ta, tb;              /* the last two axes are swapped */
    int64_t relu;
    struct m_scale scale;
};
struct m_add_attr { int64_t ma, mb, bias, relu; float scale; };
enum m_pool_kind { M_POOL_MAX, M_POOL_AVG };
struct m_pool_attr {
    int64_t kind;
    int64_t kernel[2], stride[2], dilation[2], pads[4];
    int64_t avg_include_pad;     /* avg: y = quantize(mean of real values) with x's and y's quant */
};
struct m_move_attr {
    struct ints perm, src_start, src_step, dst_start, count; /* count: in y's axes */
    int64_t fills; int64_t fill; /* stored value */
};
struct m_join_attr { int64_t axis; };
struct m_softmax_attr { int64_t axis, log; };
enum m_map_op {
#define M(id, name, arity) M_MAP_##id,
#include "ir/map.def"
#undef M
};
struct m_map_attr { int64_t op; float p, q; };
enum m_reduce_op { M_REDUCE_SUM, M_REDUCE_MEAN, M_REDUCE_MAX, M_REDUCE_MIN };
struct m_reduce_attr { int64_t op; struct ints axes; int64_t keepdims; };
struct m_gather_attr { int64_t axis; };

extern const struct op_def op_m_conv, op_m_matmul, op_m_add, op_m_pool, op_m_table, op_m_convert,
    op_m_move, op_m_view, op_m_join, op_m_softmax, op_m_map, op_m_reduce, op_m_gather;

/* Builders for lower functions (ir/lower.c): a machine node before l->n, with its
 * name and origin. */
struct node *lower_node(struct lower *l, const struct op_def *op, const void *attr,
                        struct value *const *in, int nin, struct value *out);
struct value *lower_const(struct lower *l, const char *what, const struct type *t, const void *data);
struct value *lower_temp(struct lower *l, const char *what, const struct type *t);

#endif
