/* Small networks for the tests of passes. */
#include <stdarg.h>
#include <string.h>

#include "test/passes/nets.h"

float
net_random(uint64_t *s, float lo, float hi)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return lo + (hi - lo) * (float)(*s >> 40) / 16777216.0f;
}

static struct type
real(int rank, const int64_t *dims)
{
    return (struct type){ .dt = DT_F32, .shape = shape_make(rank, dims) };
}

#define DIMS(...) \
    (int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), (int64_t[]){ __VA_ARGS__ }

static struct value *
input(struct net *n, int rank, const int64_t *dims)
{
    struct type t = real(rank, dims);

    return graph_input(n->g, arena_printf(n->a, "in%d", n->g->ninput), &t);
}

static struct value *
weights(struct net *n, float lo, float hi, int rank, const int64_t *dims)
{
    struct type t = real(rank, dims);
    int64_t count = shape_elems(&t.shape);
    float *f = NEWN(n->a, float, count + 1);

    for (int64_t i = 0; i < count; i++)
        f[i] = net_random(&n->seed, lo, hi);
    return graph_const(n->g, NULL, &t, f);
}

static void
set_attrs(struct net *n, struct node *m, const char *attrs)
{
    char *save = NULL, *text = arena_strdup(n->a, attrs);

    for (char *p = strtok_r(text, ";", &save); p; p = strtok_r(NULL, ";", &save)) {
        char *eq = strchr(p, '=');
        const struct attr_def *d;
        *eq = 0;
        d = attr_find(m->op, p);
        if (!d || !attr_parse(n->a, d, m->attr, eq + 1))
            BUG("no attribute %s", p);
    }
}

/* Operator `name` with nin inputs; attrs "a=1;b=[2,3]". */
static struct value *
op(struct net *n, const char *name, const char *attrs, int nin, ...)
{
    const struct op_def *o = op_find(NULL, name);
    struct value *in[8], *y = graph_value(n->g, NULL, NULL);
    va_list ap;

    if (!o)
        BUG("no operator %s", name);
    va_start(ap, nin);
    for (int i = 0; i < nin; i++)
        in[i] = va_arg(ap, struct value *);
    va_end(ap);
    set_attrs(n, graph_node(n->g, NULL, o, NULL, in, nin, &y, 1), attrs);
    return y;
}

static struct value *
conv(struct net *n, struct value *x, int64_t c, int64_t o, int64_t k, const char *attrs)
{
    struct value *w = weights(n, -0.3f, 0.3f, DIMS(o, c, k, k));

    return op(n, "Conv", attrs, 3, x, w, weights(n, -0.5f, 0.5f, DIMS(o)));
}

static void
out(struct net *n, struct value *y)
{
    graph_output(n->g, y);
}

/* ---------------------------------------------------------- convolutions */

static void
conv_plain(struct net *n)
{
    out(n, conv(n, input(n, DIMS(1, 3, 9, 11)), 3, 20, 3, "pads=[1,1,1,1]"));
}

static void
conv_relu(struct net *n)
{
    struct value *y = conv(n, input(n, DIMS(1, 5, 8, 8)), 5, 17, 3, "pads=[1,0,2,1];strides=[2,1]");

    out(n, op(n, "Relu", "", 1, y));
}

static void
conv_clip(struct net *n)
{
    struct value *x = input(n, DIMS(2, 4, 7, 7));
    struct value *y = conv(n, x, 4, 6, 3, "dilations=[2,1];pads=[2,1,2,1]");

    out(n, op(n, "Clip", "min=-0.25;max=0.5", 1, y));
}

static void
conv_relu6(struct net *n)
{
    struct value *y = conv(n, input(n, DIMS(1, 4, 6, 6)), 4, 70, 1, "");

    y = op(n, "Clip", "min=0;max=0.75", 1, y);
    out(n, conv(n, y, 70, 8, 1, ""));
}

static void
conv_groups(struct net *n)
{
    struct value *y = conv(n, input(n, DIMS(1, 8, 6, 6)), 4, 6, 3, "group=2;pads=[1,1,1,1]");

    out(n, conv(n, y, 1, 6, 3, "group=6;strides=[2,2]"));
}

static void
conv_row(struct net *n)
{
    struct value *x = input(n, DIMS(1, 4, 12)), *w = weights(n, -0.3f, 0.3f, DIMS(6, 4, 3));
    struct value *y = op(n, "Conv", "pads=[1,1]", 2, x, w);

    y = op(n, "Relu", "", 1, y);
    out(n, op(n, "MaxPool", "kernel_shape=[2];strides=[2]", 1, y));
}

static void
batchnorm(struct net *n)
{
    struct value *y = conv(n, input(n, DIMS(1, 3, 6, 6)), 3, 8, 3, "");

    y = op(n, "BatchNormalization", "", 5, y, weights(n, 0.5f, 1.5f, DIMS(8)),
           weights(n, -0.5f, 0.5f, DIMS(8)), weights(n, -0.5f, 0.5f, DIMS(8)),
           weights(n, 0.5f, 1.5f, DIMS(8)));
    out(n, op(n, "Relu", "", 1, y));
}

static void
batchnorm_alone(struct net *n)
{
    out(n, op(n, "BatchNormalization", "", 5, input(n, DIMS(1, 5, 4, 4)),
              weights(n, 0.5f, 1.5f, DIMS(5)), weights(n, -0.5f, 0.5f, DIMS(5)),
              weights(n, -0.5f, 0.5f, DIMS(5)), weights(n, 0.5f, 1.5f, DIMS(5))));
}

static void
pad_conv(struct net *n)
{
    struct value *y = op(n, "Pad", "pads=[0,0,1,2,0,0,2,1]", 1, input(n, DIMS(1, 4, 6, 6)));

    out(n, conv(n, y, 4, 5, 3, ""));
}

static void
conv_bias_after(struct net *n)
{
    struct value *w = weights(n, -0.3f, 0.3f, DIMS(6, 3, 3, 3));
    struct value *y = op(n, "Conv", "pads=[1,1,1,1]", 2, input(n, DIMS(1, 3, 8, 8)), w);

    y = op(n, "Mul", "", 2, y, weights(n, 0.5f, 1, DIMS(1, 6, 1, 1)));
    y = op(n, "Add", "", 2, y, weights(n, -1, 1, DIMS(6, 1, 1)));
    y = op(n, "MaxPool", "kernel_shape=[2,2];strides=[2,2]", 1, y);
    out(n, op(n, "Relu", "", 1, y));
}

/* ------------------------------------------------------------- products */

static void
gemm(struct net *n)
{
    struct value *y = op(n, "Gemm", "transB=1;alpha=0.5;beta=2", 3, input(n, DIMS(3, 20)),
                         weights(n, -0.3f, 0.3f, DIMS(70, 20)), weights(n, -1, 1, DIMS(1, 70)));

    out(n, op(n, "Relu", "", 1, y));
}

static void
gemm_addend(struct net *n)
{
    out(n, op(n, "Gemm", "beta=0.5", 3, input(n, DIMS(3, 8)), weights(n, -0.3f, 0.3f, DIMS(8, 5)),
              weights(n, -1, 1, DIMS(3, 5))));
}

static void
matmul_bias(struct net *n)
{
    struct value *y = op(n, "MatMul", "", 2, input(n, DIMS(2, 3, 10)),
                         weights(n, -0.3f, 0.3f, DIMS(10, 7)));

    y = op(n, "Add", "", 2, weights(n, -1, 1, DIMS(7)), y);
    out(n, op(n, "Relu", "", 1, y));
}

static void
matmul_both(struct net *n)
{
    out(n, op(n, "MatMul", "", 2, input(n, DIMS(2, 4, 6)), input(n, DIMS(2, 6, 5))));
}

static void
matmul_left(struct net *n)
{
    out(n, op(n, "MatMul", "", 2, weights(n, -0.5f, 0.5f, DIMS(4, 6)), input(n, DIMS(6, 5))));
}

static void
matmul_vector(struct net *n)
{
    out(n, op(n, "MatMul", "", 2, input(n, DIMS(12)), weights(n, -0.5f, 0.5f, DIMS(12, 9))));
}

static void
flatten_gemm(struct net *n)
{
    struct value *y = conv(n, input(n, DIMS(1, 3, 6, 6)), 3, 8, 3, "");

    y = op(n, "Flatten", "", 1, op(n, "Relu", "", 1, y));
    out(n, op(n, "Gemm", "", 3, y, weights(n, -0.2f, 0.2f, DIMS(128, 10)),
              weights(n, -0.2f, 0.2f, DIMS(10))));
}

/* The halo of the second reader is in the way of the view. */
static void
flatten_and_conv(struct net *n)
{
    struct value *y = conv(n, input(n, DIMS(1, 3, 4, 4)), 3, 16, 3, "pads=[1,1,1,1]");
    struct value *z = op(n, "Flatten", "", 1, y);

    out(n, op(n, "MatMul", "", 2, z, weights(n, -0.2f, 0.2f, DIMS(256, 5))));
    out(n, conv(n, y, 16, 4, 3, "pads=[1,1,1,1]"));
}

/* ------------------------------------------------------------------ sums */

static void
add_two(struct net *n)
{
    struct value *x = input(n, DIMS(1, 6, 5, 5)), *y = conv(n, x, 6, 6, 3, "pads=[1,1,1,1]");

    out(n, op(n, "Relu", "", 1, op(n, "Add", "", 2, x, y)));
}

static void
sub_const(struct net *n)
{
    struct value *y = op(n, "Sub", "", 2, input(n, DIMS(2, 3, 4)), weights(n, -1, 1, DIMS(3, 1)));

    out(n, op(n, "Clip", "min=-0.3;max=0.6", 1, y));
}

static void
add_spread(struct net *n)
{
    out(n, op(n, "Add", "", 2, input(n, DIMS(2, 3, 4)), input(n, DIMS(3, 1))));
}

static void
sum_many(struct net *n)
{
    struct value *a = input(n, DIMS(2, 5)), *b = input(n, DIMS(2, 5)), *c = input(n, DIMS(1, 5));

    out(n, op(n, "Sum", "", 3, a, b, c));
    out(n, op(n, "Mean", "", 2, a, b));
    out(n, op(n, "Max", "", 3, a, b, c));
}

static void
factors(struct net *n)
{
    struct value *x = input(n, DIMS(1, 4, 3, 3)), *s = op(n, "Sigmoid", "", 1, x);

    out(n, op(n, "Mul", "", 2, x, s));
    out(n, op(n, "Div", "", 2, x, weights(n, 2, 3, DIMS(1))));
}

static void
functions(struct net *n)
{
    struct value *x = input(n, DIMS(2, 9));

    out(n, op(n, "Relu", "", 1, x));
    out(n, op(n, "LeakyRelu", "alpha=0.1", 1, x));
    out(n, op(n, "Tanh", "", 1, x));
    out(n, op(n, "Elu", "", 1, x));
    out(n, op(n, "HardSwish", "", 1, x));
    out(n, op(n, "Clip", "min=-0.5;max=0.5", 1, x));
}

/* ----------------------------------------------------------------- pools */

static void
pool_max(struct net *n)
{
    struct value *y = conv(n, input(n, DIMS(1, 3, 9, 9)), 3, 8, 3, "pads=[1,1,1,1]");

    y = op(n, "Relu", "", 1, y);
    y = op(n, "MaxPool", "kernel_shape=[3,3];strides=[2,2];pads=[1,1,1,1]", 1, y);
    out(n, op(n, "MaxPool", "kernel_shape=[2,2];strides=[2,2];ceil_mode=1", 1, y));
}

static void
pool_max_signed(struct net *n)
{
    struct value *x = input(n, DIMS(1, 4, 7, 7));

    out(n, op(n, "MaxPool", "kernel_shape=[3,3];strides=[2,2];pads=[1,1,1,1]", 1, x));
    out(n, conv(n, x, 4, 4, 3, "pads=[1,1,1,1]"));
}

static void
pool_mean(struct net *n)
{
    struct value *x = input(n, DIMS(1, 4, 7, 7));

    out(n, op(n, "AveragePool", "kernel_shape=[2,3];strides=[2,1]", 1, x));
    out(n, op(n, "AveragePool", "kernel_shape=[3,3];pads=[1,1,1,1]", 1, x));
    out(n, op(n, "AveragePool", "kernel_shape=[3,3];pads=[1,1,1,1];count_include_pad=1", 1, x));
    out(n, op(n, "GlobalAveragePool", "", 1, x));
    out(n, op(n, "GlobalMaxPool", "", 1, x));
}

static void
pool_batch(struct net *n)
{
    struct value *x = input(n, DIMS(3, 4, 5, 5));

    out(n, op(n, "GlobalAveragePool", "", 1, conv(n, x, 4, 20, 3, "")));
    out(n, op(n, "ReduceMean", "axes=[2,3];keepdims=0", 1, x));
}

static void
pool_view(struct net *n)
{
    struct value *y = conv(n, input(n, DIMS(1, 3, 6, 6)), 3, 40, 3, "pads=[1,1,1,1]");

    y = op(n, "GlobalAveragePool", "", 1, op(n, "Relu", "", 1, y));
    y = op(n, "Flatten", "", 1, y);
    y = op(n, "Gemm", "", 3, y, weights(n, -0.2f, 0.2f, DIMS(40, 10)),
           weights(n, -0.2f, 0.2f, DIMS(10)));
    out(n, op(n, "Softmax", "axis=1", 1, y));
}

/* ---------------------------------------------------------------- moving */

static void
concat(struct net *n)
{
    struct value *x = input(n, DIMS(1, 8, 5, 5));
    struct value *a = conv(n, x, 8, 16, 1, ""), *b = conv(n, x, 8, 24, 3, "pads=[1,1,1,1]");
    struct value *y = op(n, "Concat", "axis=1", 2, op(n, "Relu", "", 1, a), b);

    out(n, conv(n, y, 40, 6, 3, "pads=[1,1,1,1]"));
    out(n, conv(n, a, 16, 4, 3, "pads=[2,2,2,2]"));
}

/* Parts that cannot all lie in the whole: twice the same, an input, a constant. */
static void
concat_knot(struct net *n)
{
    struct value *x = input(n, DIMS(1, 4, 3, 3)), *y = conv(n, x, 4, 4, 1, "");
    struct value *z = op(n, "Concat", "axis=1", 4, y, y, x, weights(n, -1, 1, DIMS(1, 2, 3, 3)));

    out(n, z);
    out(n, op(n, "Concat", "axis=2", 2, y, x));
    out(n, y);
}

/* A join of joins, and one across rows. */
static void
concat_nested(struct net *n)
{
    struct value *x = input(n, DIMS(1, 4, 6, 6));
    struct value *a = conv(n, x, 4, 5, 1, ""), *b = conv(n, x, 4, 3, 1, "");
    struct value *c = op(n, "Concat", "axis=1", 2, a, b), *d = conv(n, x, 4, 8, 1, "");
    struct value *e = op(n, "Concat", "axis=2", 2, c, d);

    out(n, op(n, "Concat", "axis=1", 2, e, conv(n, e, 8, 2, 3, "pads=[1,1,1,1]")));
}

static void
transpose(struct net *n)
{
    struct value *x = input(n, DIMS(1, 6, 7, 3)), *y = op(n, "Transpose", "perm=[0,3,1,2]", 1, x);

    y = conv(n, y, 3, 5, 3, "pads=[1,1,1,1]");
    out(n, op(n, "Transpose", "perm=[0,2,3,1]", 1, y));
    out(n, op(n, "Transpose", "perm=[3,1,0,2]", 1, x));
}

static void
reshapes(struct net *n)
{
    struct value *x = input(n, DIMS(2, 3, 4)), *y;

    y = op(n, "Reshape", "shape=[6,4]", 1, x);
    y = op(n, "MatMul", "", 2, y, weights(n, -0.5f, 0.5f, DIMS(4, 6)));
    y = op(n, "Reshape", "shape=[2,3,3,2]", 1, y);
    y = op(n, "Transpose", "perm=[0,2,1,3]", 1, y);
    out(n, op(n, "Reshape", "shape=[2,18]", 1, y));
    out(n, op(n, "Unsqueeze", "axes=[0,3]", 1, x));
}

/* Channel shuffle. */
static void
shuffle(struct net *n)
{
    struct value *y = conv(n, input(n, DIMS(1, 3, 4, 4)), 3, 12, 1, "");

    y = op(n, "Reshape", "shape=[1,2,6,4,4]", 1, y);
    y = op(n, "Transpose", "perm=[0,2,1,3,4]", 1, y);
    y = op(n, "Reshape", "shape=[1,12,4,4]", 1, y);
    out(n, conv(n, y, 12, 4, 3, "pads=[1,1,1,1]"));
}

static void
slices(struct net *n)
{
    struct value *y = conv(n, input(n, DIMS(1, 3, 6, 6)), 3, 12, 1, "");
    struct value *a = op(n, "Slice", "starts=[0];ends=[5];axes=[1];steps=[1]", 1, y);
    struct value *b = op(n, "Slice", "starts=[5,1];ends=[12,5];axes=[1,2];steps=[1,1]", 1, y);

    out(n, conv(n, a, 5, 4, 3, "pads=[1,1,1,1]"));
    out(n, conv(n, b, 7, 4, 3, "pads=[1,1,1,1]"));
    out(n, op(n, "Slice", "starts=[5];ends=[-100];axes=[2];steps=[-2]", 1, y));
}

static void
pads_and_tiles(struct net *n)
{
    struct value *x = input(n, DIMS(1, 3, 4, 5));

    out(n, op(n, "Pad", "pads=[0,1,1,0,0,0,2,-1];value=1", 1, x));
    out(n, op(n, "Tile", "repeats=[1,2,1,3]", 1, x));
    out(n, op(n, "Expand", "shape=[2,3,4,5]", 1, x));
}

static void
outputs(struct net *n)
{
    struct value *x = input(n, DIMS(1, 4, 4, 4)), *y = conv(n, x, 4, 4, 3, "pads=[1,1,1,1]");

    out(n, y);
    out(n, op(n, "Reshape", "shape=[1,64]", 1, y));
    out(n, op(n, "Identity", "", 1, x));
    out(n, conv(n, y, 4, 3, 3, "pads=[1,1,1,1]"));
}

static void
lrn(struct net *n)
{
    struct value *y = conv(n, input(n, DIMS(1, 4, 5, 5)), 4, 7, 3, "pads=[1,1,1,1]");

    out(n, op(n, "LRN", "size=4;alpha=0.5;beta=0.75;bias=1", 1, y));
}

static void
softmax(struct net *n)
{
    struct value *x = input(n, DIMS(2, 3, 4));

    out(n, op(n, "Softmax", "axis=1", 1, x));
    out(n, op(n, "Softmax", "axis=1;flat=1", 1, x));
    out(n, op(n, "LogSoftmax", "axis=-1", 1, x));
}

const struct net_row net_rows[] = {
    { "conv_plain", conv_plain, 0 },
    { "conv_relu", conv_relu, 0 },
    { "conv_clip", conv_clip, 0 },
    { "conv_relu6", conv_relu6, 2 },           /* two layers: each adds a step */
    { "conv_groups", conv_groups, 2 },
    { "conv_row", conv_row, 0 },
    { "batchnorm", batchnorm, 0 },
    { "batchnorm_alone", batchnorm_alone, 0 },
    { "pad_conv", pad_conv, 0 },
    { "conv_bias_after", conv_bias_after, 0 },
    { "gemm", gemm, 0 },
    { "gemm_addend", gemm_addend, 2 },
    { "matmul_bias", matmul_bias, 0 },
    { "matmul_both", matmul_both, 0 },
    { "matmul_left", matmul_left, 0 },
    { "matmul_vector", matmul_vector, 0 },
    { "flatten_gemm", flatten_gemm, 2 },
    { "flatten_and_conv", flatten_and_conv, 2 },
    { "add_two", add_two, 2 },
    { "sub_const", sub_const, 0 },
    { "add_spread", add_spread, 0 },
    { "sum_many", sum_many, 2 },
    { "factors", factors, 2 },
    { "functions", functions, 0 },
    { "pool_max", pool_max, 0 },
    { "pool_max_signed", pool_max_signed, 0 },
    { "pool_mean", pool_mean, 0 },
    { "pool_batch", pool_batch, 2 },
    { "pool_view", pool_view, 3 },
    { "concat", concat, 2 },
    { "concat_knot", concat_knot, 0 },
    { "concat_nested", concat_nested, 2 },
    { "transpose", transpose, 0 },
    { "reshapes", reshapes, 0 },
    { "shuffle", shuffle, 2 },
    { "slices", slices, 2 },
    { "pads_and_tiles", pads_and_tiles, 0 },
    { "outputs", outputs, 2 },
    { "lrn", lrn, 2 },
    { "softmax", softmax, 0 },
    { NULL, NULL, 0 },
};

struct graph *
net_build(struct arena *a, const struct net_row *r, uint64_t seed)
{
    struct net n = { a, graph_new(a, r->name), seed * 7919 + 12345 };

    n.g->name = r->name;
    n.g->opset = 15;
    r->build(&n);
    return n.g;
}

struct random_feed { struct feed feed; float lo, hi; uint64_t seed; int sets, given; };

static bool
next(struct feed *f, const struct graph *g, void *const *inputs)
{
    struct random_feed *r = (struct random_feed *)f;

    if (r->given++ == r->sets)
        return false;
    for (int i = 0; i < g->ninput; i++) {
        float *x = inputs[i];
        int64_t n = shape_elems(&g->inputs[i]->type.shape);
        for (int64_t k = 0; k < n; k++)
            x[k] = net_random(&r->seed, r->lo, r->hi);
        x[0] = r->lo;                          /* the whole range, always */
        x[n - 1] = r->hi;
    }
    return true;
}

static void
again(struct feed *f)
{
    struct random_feed *r = (struct random_feed *)f;

    r->given = 0;
    r->seed = 99;
}

struct feed *
net_feed(struct arena *a, float lo, float hi, int sets)
{
    struct random_feed *r = NEW(a, struct random_feed);

    r->feed = (struct feed){ next, again, "test", false };
    r->lo = lo;
    r->hi = hi;
    r->sets = sets;
    again(&r->feed);
    return &r->feed;
}
