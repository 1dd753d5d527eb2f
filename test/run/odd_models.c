/* Models that are odd but right: each is read from ONNX, compiled and run layer by
 * layer on the device model with every rule enforced, bit for bit against the machine
 * graph's reference kernels; and that graph's outputs against the float model. */
#include <math.h>
#include <string.h>

#include "backend/backend.h"
#include "passes/passes.h"
#include "src/driver/verify.h"
#include "test/unit/build.h"
#include "test/unit/tap.h"

struct odd {
    const char *name;
    void (*build)(struct model *m);
    int opset;
    int snr;                     /* decibels at least, as int8; 0: 20 */
};

/* ---- building */

static void
outputs(struct model *m, const char *names)
{
    char one[40];

    for (int n; sscanf(names, "%39s%n", one, &n) == 1; names += n)
        model_output(m, one);
}

static void
image(struct model *m, const char *dims)
{
    model_input(m, "x", DT_F32, dims);
}

static struct model_node *
conv(struct model *m, const char *in, const char *out, const char *weight_dims, const char *pads)
{
    char w[80], names[160];
    struct model_node *n;

    snprintf(w, sizeof w, "%s.w", out);
    snprintf(names, sizeof names, "%s %s", in, w);
    model_random(m, w, weight_dims, 7, 0.4f);
    n = model_node(m, "Conv", names, out);
    if (pads)
        model_ints(n, "pads", pads);
    return n;
}

static void
relu(struct model *m, const char *in, const char *out)
{
    model_node(m, "Relu", in, out);
}

static struct model_node *
pool(struct model *m, const char *op, const char *in, const char *out, const char *pads)
{
    struct model_node *n = model_node(m, op, in, out);

    model_ints(n, "kernel_shape", "3,3");
    model_ints(n, "strides", "2,2");
    if (pads)
        model_ints(n, "pads", pads);
    return n;
}

/* x, a convolution, and an operator of one input. */
static struct model_node *
after_conv(struct model *m, const char *op)
{
    image(m, "1,3,9,9");
    conv(m, "x", "c", "6,3,3,3", "1,1,1,1");
    outputs(m, "y");
    return model_node(m, op, "c", "y");
}

/* ---- sizes */

static void
batch2(struct model *m)
{
    image(m, "2,3,10,10");
    conv(m, "x", "a", "8,3,3,3", "1,1,1,1");
    relu(m, "a", "r");
    pool(m, "MaxPool", "r", "y", NULL);
    outputs(m, "y");
}

static void
batch4(struct model *m)
{
    image(m, "4,5,6,7");
    model_ints(conv(m, "x", "y", "20,5,3,3", NULL), "strides", "2,1");
    outputs(m, "y");
}

static void
global_batch2(struct model *m)
{
    image(m, "2,3,7,7");
    conv(m, "x", "a", "5,3,1,1", NULL);
    model_node(m, "GlobalAveragePool", "a", "g");
    model_node(m, "Flatten", "g", "f");
    model_random(m, "w", "5,11", 5, 0.5f);
    model_node(m, "MatMul", "f w", "y");
    outputs(m, "y");
}

static void
conv1d(struct model *m)
{
    image(m, "1,4,40");
    conv(m, "x", "a", "6,4,5", "2,2");
    relu(m, "a", "r");
    model_ints(conv(m, "r", "y", "3,6,3", NULL), "strides", "2");
    outputs(m, "y");
}

static void
dilated(struct model *m)
{
    image(m, "1,3,15,15");
    model_ints(conv(m, "x", "y", "7,3,3,3", "2,3,2,3"), "dilations", "2,3");
    outputs(m, "y");
}

static void
grouped(struct model *m)
{
    image(m, "1,8,9,9");
    model_int(conv(m, "x", "a", "12,4,5,5", "2,2,2,2"), "group", 2);
    relu(m, "a", "r");
    model_int(conv(m, "r", "y", "8,3,3,3", "1,1,1,1"), "group", 4);
    outputs(m, "y");
}

static void
depthwise(struct model *m)
{
    image(m, "1,6,9,9");
    model_int(conv(m, "x", "a", "6,1,3,3", "1,1,1,1"), "group", 6);
    model_int(conv(m, "a", "y", "12,1,3,3", NULL), "group", 6);
    outputs(m, "y");
}

static void
wide_padding(struct model *m)
{
    image(m, "1,2,4,4");
    model_ints(conv(m, "x", "y", "3,2,3,3", "9,0,7,11"), "strides", "3,3");
    outputs(m, "y");
}

static void
one_pixel(struct model *m)
{
    image(m, "1,1,1,1");
    conv(m, "x", "y", "1,1,1,1", NULL);
    outputs(m, "y");
}

static void
tall_thin(struct model *m)
{
    image(m, "1,1,70,1");
    conv(m, "x", "a", "33,1,20,1", "19,0,0,0");
    conv(m, "a", "y", "2,33,1,1", NULL);
    outputs(m, "y");
}

/* ---- shapes of graphs */

static void
straight_out(struct model *m)
{
    image(m, "1,3,4,4");
    relu(m, "x", "y");
    outputs(m, "y x");
}

static void
only_input(struct model *m)
{
    image(m, "1,3,4,4");
    outputs(m, "x");
}

static void
two_outputs(struct model *m)
{
    image(m, "1,3,8,8");
    conv(m, "x", "a", "4,3,3,3", NULL);
    relu(m, "a", "r");
    conv(m, "r", "b", "5,4,3,3", "1,1,1,1");
    outputs(m, "a b");
}

static void
output_read_on(struct model *m)
{
    image(m, "1,3,8,8");
    conv(m, "x", "a", "4,3,3,3", NULL);
    relu(m, "a", "r");
    pool(m, "MaxPool", "r", "p", NULL);
    outputs(m, "r p");
}

static void
output_twice(struct model *m)
{
    image(m, "1,3,8,8");
    conv(m, "x", "y", "4,3,3,3", NULL);
    model_node(m, "Identity", "y", "z");
    outputs(m, "y z");
}

static void
constant_out(struct model *m)
{
    image(m, "1,3,8,8");
    conv(m, "x", "y", "4,3,3,3", NULL);
    model_random(m, "k", "2,3", 1, 1);
    outputs(m, "y k");
}

static void
folded_out(struct model *m)
{
    image(m, "1,3,8,8");
    conv(m, "x", "y", "4,3,3,3", NULL);
    model_random(m, "k", "2,3", 1, 1);
    model_node(m, "Add", "k k", "kk");
    outputs(m, "y kk");
}

static void
unused_input(struct model *m)
{
    image(m, "1,3,8,8");
    model_input(m, "u", DT_F32, "1,7");
    conv(m, "x", "y", "4,3,3,3", NULL);
    outputs(m, "y");
}

static void
dead_branch(struct model *m)
{
    image(m, "1,3,8,8");
    conv(m, "x", "y", "4,3,3,3", NULL);
    conv(m, "x", "nobody", "4,3,3,3", NULL);
    outputs(m, "y");
}

static void
join_self(struct model *m)
{
    image(m, "1,3,6,6");
    model_int(model_node(m, "Concat", "x x", "j"), "axis", 1);
    conv(m, "j", "y", "4,6,3,3", NULL);
    outputs(m, "y j");
}

static void
add_self(struct model *m)
{
    image(m, "1,3,6,6");
    model_node(m, "Add", "x x", "a");
    conv(m, "a", "c", "4,3,3,3", "1,1,1,1");
    model_node(m, "Add", "c c", "y");
    outputs(m, "y");
}

static void
residual(struct model *m)
{
    image(m, "1,8,6,6");
    conv(m, "x", "a", "8,8,3,3", "1,1,1,1");
    model_node(m, "Add", "a x", "s");
    relu(m, "s", "r");
    conv(m, "r", "b", "8,8,3,3", "1,1,1,1");
    model_node(m, "Add", "r b", "y");
    outputs(m, "y");
}

static void
reshapes(struct model *m)
{
    image(m, "1,4,6,6");
    model_longs(m, "s1", "1,24,6");
    model_longs(m, "s2", "2,72");
    model_longs(m, "s3", "1,2,6,12");
    conv(m, "x", "c", "4,4,3,3", "1,1,1,1");
    model_node(m, "Reshape", "c s1", "a");
    model_node(m, "Reshape", "a s2", "b");
    model_node(m, "Reshape", "b s3", "d");
    conv(m, "d", "y", "3,2,3,3", NULL);
    outputs(m, "y");
}

static void
two_pads(struct model *m)
{
    image(m, "1,3,9,9");
    conv(m, "x", "a", "5,3,1,1", NULL);
    relu(m, "a", "r");
    conv(m, "r", "y", "4,5,3,3", "1,1,1,1");
    conv(m, "r", "z", "4,5,5,5", "0,2,3,1");
    conv(m, "r", "u", "4,5,3,3", NULL);
    outputs(m, "y z u");
}

static void
odd_offsets(struct model *m)
{
    image(m, "1,3,7,7");
    conv(m, "x", "a", "5,3,3,3", "1,1,1,1");
    conv(m, "x", "b", "7,3,1,1", NULL);
    conv(m, "x", "c", "1,3,3,3", "1,1,1,1");
    relu(m, "a", "ra");
    model_int(model_node(m, "Concat", "ra b c x", "j"), "axis", 1);
    conv(m, "j", "y", "4,16,3,3", "1,1,1,1");
    outputs(m, "y");
}

static void
nested_join(struct model *m)
{
    image(m, "1,3,7,7");
    conv(m, "x", "a", "5,3,3,3", "1,1,1,1");
    model_int(model_node(m, "Concat", "a x", "j"), "axis", 1);
    conv(m, "j", "b", "6,8,3,3", "1,1,1,1");
    model_int(model_node(m, "Concat", "j b", "k"), "axis", 1);
    conv(m, "k", "y", "4,14,1,1", NULL);
    outputs(m, "y");
}

static void
join_rows(struct model *m)
{
    image(m, "1,3,7,7");
    conv(m, "x", "a", "5,3,3,3", "1,1,1,1");
    conv(m, "x", "b", "5,3,1,1", NULL);
    model_int(model_node(m, "Concat", "a b", "j"), "axis", 2);
    model_int(model_node(m, "Concat", "j j", "y"), "axis", 3);
    outputs(m, "y");
}

static void
split_branches(struct model *m)
{
    image(m, "1,6,7,7");
    conv(m, "x", "a", "9,6,3,3", "1,1,1,1");
    model_int(model_node(m, "Split", "a", "b c d"), "axis", 1);
    conv(m, "b", "y", "4,3,3,3", "1,1,1,1");
    model_node(m, "Add", "c d", "z");
    outputs(m, "y z");
}

/* ---- operators */

static void
pool_pads(struct model *m)
{
    image(m, "1,3,9,9");
    conv(m, "x", "a", "5,3,3,3", "1,1,1,1");
    relu(m, "a", "r");
    pool(m, "MaxPool", "r", "y", "1,1,1,1");
    pool(m, "MaxPool", "a", "z", "1,0,1,2");
    outputs(m, "y z");
}

static void
pool_ceil(struct model *m)
{
    image(m, "1,3,8,8");
    conv(m, "x", "a", "5,3,3,3", "1,1,1,1");
    relu(m, "a", "r");
    model_int(pool(m, "MaxPool", "r", "y", NULL), "ceil_mode", 1);
    outputs(m, "y");
}

static void
average(struct model *m)
{
    image(m, "1,3,9,9");
    conv(m, "x", "a", "5,3,3,3", "1,1,1,1");
    pool(m, "AveragePool", "a", "y", "1,1,1,1");
    model_int(pool(m, "AveragePool", "a", "z", "1,1,1,1"), "count_include_pad", 1);
    outputs(m, "y z");
}

static void
gemm_ta(struct model *m)
{
    struct model_node *n;

    model_input(m, "x", DT_F32, "12,5");
    model_random(m, "w", "12,9", 3, 0.5f);
    model_random(m, "b", "9", 4, 0.5f);
    n = model_node(m, "Gemm", "x w b", "y");
    model_int(n, "transA", 1);
    model_float(n, "alpha", 0.5f);
    model_float(n, "beta", 2);
    outputs(m, "y");
}

static void
gemm_tb(struct model *m)
{
    model_input(m, "x", DT_F32, "3,12");
    model_random(m, "w", "19,12", 3, 0.5f);
    model_random(m, "b", "1,19", 4, 0.5f);
    model_int(model_node(m, "Gemm", "x w b", "h"), "transB", 1);
    model_random(m, "w2", "19,4", 5, 0.5f);
    model_node(m, "Gemm", "h w2", "y");
    outputs(m, "y");
}

static void
matmul2(struct model *m)
{
    model_input(m, "x", DT_F32, "6,20");
    model_input(m, "z", DT_F32, "20,17");
    model_node(m, "MatMul", "x z", "y");
    outputs(m, "y");
}

static void
attention(struct model *m)
{
    model_input(m, "x", DT_F32, "2,5,16");
    model_random(m, "w", "16,16", 3, 0.5f);
    model_node(m, "MatMul", "x w", "q");
    model_ints(model_node(m, "Transpose", "x", "t"), "perm", "0,2,1");
    model_node(m, "MatMul", "q t", "s");
    model_int(model_node(m, "Softmax", "s", "p"), "axis", -1);
    model_node(m, "MatMul", "p x", "y");
    outputs(m, "y");
}

static void
batchnorm(struct model *m)
{
    const float mean[] = { 0.1f, -0.2f, 0.3f }, var[] = { 1, 0.5f, 2 }, scale[] = { 1, 2, -1 }, shift[] = { 0, 1, 0.5f };

    image(m, "1,3,5,5");
    model_floats(m, "s", "3", scale);
    model_floats(m, "b", "3", shift);
    model_floats(m, "mean", "3", mean);
    model_floats(m, "var", "3", var);
    model_node(m, "BatchNormalization", "x s b mean var", "y");
    outputs(m, "y");
}

static void
batchnorm_conv(struct model *m)
{
    const float mean[] = { 0.1f, -0.2f }, var[] = { 1, 0.5f }, scale[] = { 1, 2 }, shift[] = { 0, 1 };

    image(m, "1,3,5,5");
    conv(m, "x", "c", "2,3,3,3", NULL);
    model_floats(m, "s", "2", scale);
    model_floats(m, "b", "2", shift);
    model_floats(m, "mean", "2", mean);
    model_floats(m, "var", "2", var);
    model_node(m, "BatchNormalization", "c s b mean var", "n");
    relu(m, "n", "y");
    outputs(m, "y");
}

static void
clip6(struct model *m)
{
    float lo = 0, hi = 6;

    image(m, "1,3,9,9");
    conv(m, "x", "c", "6,3,3,3", "1,1,1,1");
    model_floats(m, "lo", "", &lo);
    model_floats(m, "hi", "", &hi);
    model_node(m, "Clip", "c lo hi", "y");
    outputs(m, "y");
}

static void
clip6_old(struct model *m)
{
    struct model_node *n = after_conv(m, "Clip");

    model_float(n, "min", 0);
    model_float(n, "max", 6);
}

static void leaky(struct model *m) { model_float(after_conv(m, "LeakyRelu"), "alpha", 0.1f); }
static void sigmoid(struct model *m) { after_conv(m, "Sigmoid"); }
static void tanh_(struct model *m) { after_conv(m, "Tanh"); }
static void softmax1(struct model *m) { model_int(after_conv(m, "Softmax"), "axis", 1); }
static void softmax2(struct model *m) { model_int(after_conv(m, "Softmax"), "axis", 2); }
static void softmax3(struct model *m) { model_int(after_conv(m, "Softmax"), "axis", -1); }
static void transposed(struct model *m) { model_ints(after_conv(m, "Transpose"), "perm", "0,2,3,1"); }
static void flat(struct model *m) { model_int(after_conv(m, "Flatten"), "axis", 2); }

static void
mul2(struct model *m)
{
    image(m, "1,3,9,9");
    conv(m, "x", "a", "6,3,3,3", "1,1,1,1");
    conv(m, "x", "b", "6,3,1,1", NULL);
    model_node(m, "Sigmoid", "b", "g");
    model_node(m, "Mul", "a g", "y");
    outputs(m, "y");
}

static void
squeeze_excite(struct model *m)
{
    image(m, "1,6,9,9");
    conv(m, "x", "a", "6,6,3,3", "1,1,1,1");
    model_node(m, "GlobalAveragePool", "a", "g");
    conv(m, "g", "h", "6,6,1,1", NULL);
    model_node(m, "Sigmoid", "h", "s");
    model_node(m, "Mul", "a s", "y");
    outputs(m, "y");
}

static void
sub_div(struct model *m)
{
    image(m, "1,3,9,9");
    model_random(m, "k", "3,1,1", 2, 1);
    float two = 2;
    model_floats(m, "two", "1", &two);
    model_node(m, "Sub", "x k", "a");
    model_node(m, "Div", "a two", "b");
    conv(m, "b", "y", "6,3,3,3", NULL);
    outputs(m, "y");
}

static void
shuffle(struct model *m)
{
    image(m, "1,6,5,5");
    conv(m, "x", "a", "6,6,1,1", NULL);
    model_longs(m, "s1", "1,2,3,5,5");
    model_longs(m, "s2", "1,6,5,5");
    model_node(m, "Reshape", "a s1", "b");
    model_ints(model_node(m, "Transpose", "b", "c"), "perm", "0,2,1,3,4");
    model_node(m, "Reshape", "c s2", "d");
    conv(m, "d", "y", "4,6,3,3", "1,1,1,1");
    outputs(m, "y");
}

static void
pixel_shuffle(struct model *m)
{
    image(m, "1,1,5,5");
    conv(m, "x", "a", "4,1,3,3", "1,1,1,1");
    model_longs(m, "s1", "1,1,2,2,5,5");
    model_longs(m, "s2", "1,1,10,10");
    model_node(m, "Reshape", "a s1", "b");
    model_ints(model_node(m, "Transpose", "b", "c"), "perm", "0,1,4,2,5,3");
    model_node(m, "Reshape", "c s2", "y");
    outputs(m, "y");
}

static void
pad_conv(struct model *m)
{
    image(m, "1,3,6,6");
    model_longs(m, "p", "0,0,1,2,0,0,1,0");
    model_node(m, "Pad", "x p", "a");
    conv(m, "a", "y", "4,3,3,3", NULL);
    outputs(m, "y");
}

static void
mean_tail(struct model *m)
{
    struct model_node *n;

    image(m, "1,3,6,6");
    conv(m, "x", "a", "4,3,3,3", NULL);
    n = model_node(m, "ReduceMean", "a", "y");
    model_ints(n, "axes", "2,3");
    model_int(n, "keepdims", 0);
    outputs(m, "y");
}

static void
only_move(struct model *m)
{
    image(m, "2,3,4,5");
    model_ints(model_node(m, "Transpose", "x", "y"), "perm", "3,1,0,2");
    outputs(m, "y");
}

static void
sum3(struct model *m)
{
    image(m, "1,4,6,6");
    conv(m, "x", "a", "4,4,3,3", "1,1,1,1");
    conv(m, "x", "b", "4,4,1,1", NULL);
    model_node(m, "Sum", "a b x", "y");
    outputs(m, "y");
}

static void
no_channels(struct model *m)
{
    image(m, "1,3,4,4");
    conv(m, "x", "e", "0,3,3,3", NULL);
    conv(m, "x", "y", "2,3,3,3", NULL);
    outputs(m, "y e");
}

static void
empty_part(struct model *m)
{
    image(m, "1,4,8,8");
    model_longs(m, "two", "2");
    model_longs(m, "one", "1");
    model_node(m, "Slice", "x two two one", "e");
    model_int(model_node(m, "Concat", "e x", "j"), "axis", 1);
    conv(m, "j", "y", "3,4,3,3", NULL);
    outputs(m, "y");
}

static const struct odd rows[] = {
    { "batch of 2", batch2, 13, 0 },
    { "batch of 4", batch4, 13, 0 },
    { "global pool of a batch", global_batch2, 13, 0 },
    { "conv over one axis", conv1d, 13, 0 },
    { "dilated", dilated, 13, 0 },
    { "groups", grouped, 13, 0 },
    { "depthwise", depthwise, 13, 0 },
    { "padding wider than the image", wide_padding, 13, 0 },
    { "one pixel", one_pixel, 13, 0 },
    { "tall and thin", tall_thin, 13, 0 },
    { "the input as an output", straight_out, 13, 0 },
    { "nothing but an input", only_input, 13, 0 },
    { "two outputs", two_outputs, 13, 0 },
    { "an output that is read on", output_read_on, 13, 0 },
    { "one value as two outputs", output_twice, 13, 0 },
    { "an initializer as output", constant_out, 13, 0 },
    { "a folded constant as output", folded_out, 13, 0 },
    { "an unused input", unused_input, 13, 0 },
    { "a dead branch", dead_branch, 13, 0 },
    { "concat of a value with itself", join_self, 13, 0 },
    { "sum of a value with itself", add_self, 13, 0 },
    { "residuals", residual, 13, 0 },
    { "a chain of reshapes", reshapes, 13, 0 },
    { "convs with different pads", two_pads, 13, 0 },
    { "concat at odd channels", odd_offsets, 13, 0 },
    { "concat of a concat", nested_join, 13, 0 },
    { "concat over rows and columns", join_rows, 13, 0 },
    { "split", split_branches, 12, 0 },
    { "max-pool with pads", pool_pads, 13, 0 },
    { "max-pool, sizes rounded up", pool_ceil, 13, 0 },
    { "average-pool with pads", average, 13, 0 },
    { "gemm transA", gemm_ta, 13, 0 },
    { "gemm transB", gemm_tb, 13, 0 },
    { "product of two inputs", matmul2, 13, 0 },
    { "attention", attention, 13, 15 },
    { "batch normalization alone", batchnorm, 13, 0 },
    { "batch normalization of a conv", batchnorm_conv, 13, 0 },
    { "clip to 6", clip6, 13, 0 },
    { "clip to 6, opset 10", clip6_old, 10, 0 },
    { "leaky relu", leaky, 13, 0 },
    { "sigmoid", sigmoid, 13, 0 },
    { "tanh", tanh_, 13, 0 },
    { "softmax over channels", softmax1, 13, 0 },
    { "softmax over rows", softmax2, 13, 0 },
    { "softmax over columns", softmax3, 13, 0 },
    { "softmax of opset 7", softmax1, 7, 0 },
    { "transpose to channels last", transposed, 13, 0 },
    { "flatten at axis 2", flat, 13, 0 },
    { "gate", mul2, 13, 0 },
    { "squeeze and excite", squeeze_excite, 13, 0 },
    { "sub and div", sub_div, 13, 0 },
    { "channel shuffle", shuffle, 13, 0 },
    { "pixel shuffle", pixel_shuffle, 13, 0 },
    { "pad before a conv", pad_conv, 13, 0 },
    { "mean over the image", mean_tail, 13, 0 },
    { "nothing but a transpose", only_move, 13, 0 },
    { "sum of three", sum3, 13, 0 },
    { "an output without elements", no_channels, 13, 0 },
    { "concat with nothing", empty_part, 13, 0 },
    { "opset 7", residual, 7, 0 },
    { "opset 9", two_pads, 9, 0 },
    { "opset 11", pool_pads, 11, 0 },
    { "opset 15", odd_offsets, 15, 0 },
    { "opset 17", batch2, 17, 0 },
};
#define ROWS ((int)(sizeof rows / sizeof *rows))

/* ---- running */

static const struct machine {
    const char *file;
    const char *sets[2];
    enum quant_mode quant;
} machines[] = {
    { "gemmini-16", { NULL }, QUANT_AUTO },
    { "gemmini-16", { "array.dim=8" }, QUANT_AUTO },
    { "chip", { NULL }, QUANT_AUTO },
    { "gemmini-16", { NULL }, QUANT_OFF },
};

struct trial {
    struct arena *a;
    struct diag *d;
    const struct odd *row;
    const struct machine *machine;
    struct graph *net;           /* as read */
    struct pass_ctx c;
    const void **in;             /* packed floats */
    void **want;
};

static struct graph *
read_row(struct trial *t)
{
    struct model *m = model_new(t->a, t->row->opset);
    struct graph *g;

    t->row->build(m);
    g = model_graph(m, t->a, t->d);
    ck_assert_msg(g != NULL, "%s: not read: %s", t->row->name, diag_text(t->d));
    return g;
}

/* The float model on the first inputs of calibration. */
static void
float_side(struct trial *t)
{
    struct graph *g = t->net = read_row(t);

    ck_assert_msg(pass_run(pass_find("infer"), &(struct pass_ctx){ .g = g, .arena = t->a, .diag = t->d }),
                  "%s: %s", t->row->name, diag_text(t->d));
    t->in = NEWN(t->a, const void *, g->ninput + 1);
    t->want = NEWN(t->a, void *, g->noutput + 1);
    void **fill = NEWN(t->a, void *, g->ninput + 1);
    for (int i = 0; i < g->ninput; i++)
        t->in[i] = fill[i] = arena_alloc(t->a, (size_t)shape_bytes(&g->inputs[i]->type, 0) + 1);
    struct feed *f = feed_made_up(t->a, 1, 8);
    ck_assert(f->next(f, g, fill));
    ck_assert(interp_run(t->a, t->d, &(struct interp){ .g = g, .inputs = t->in }, t->want));
}

static bool
compile(struct trial *t, struct verify *v)
{
    struct pass_ctx *c = &t->c;

    for (int i = 0; passes[i]; i++) {
        if (!pass_applies(passes[i], c))
            continue;
        if (strcmp(passes[i]->name, "quantize") == 0 && !verify_float(v, c))
            return false;
        if (!pass_run(passes[i], c) || !ir_verify(c->g, t->d))
            return false;
    }
    return true;
}

/* The machine graph's own outputs on the same inputs, in decibels; the worst. */
static double
signal_to_noise(struct trial *t)
{
    struct graph *g = t->c.g;
    const void **in = NEWN(t->a, const void *, g->ninput + 1);
    void **out = NEWN(t->a, void *, g->noutput + 1);
    double worst = 999;

    for (int i = 0; i < g->ninput; i++) {
        void *stored = arena_alloc(t->a, (size_t)shape_bytes(&t->net->inputs[i]->type, 0) + 1);
        verify_input(g->inputs[i], t->in[i], stored);
        in[i] = stored;
    }
    ck_assert(interp_run(t->a, t->d, &(struct interp){ .g = g, .inputs = in }, out));
    for (int i = 0; i < g->noutput; i++) {
        int64_t n = shape_elems(&g->outputs[i]->type.shape);
        const float *want = t->want[i], *got = out[i];
        float *real = NEWN(t->a, float, n + 1);
        double signal = 0, noise = 0;
        ck_assert_int_eq(n, shape_elems(&t->net->outputs[i]->type.shape));
        if (g->outputs[i]->type.dt != DT_F32) {
            quant_to_real(&g->outputs[i]->type, out[i], real);
            got = real;
        }
        for (int64_t k = 0; k < n; k++) {
            signal += (double)want[k] * (double)want[k];
            noise += ((double)want[k] - (double)got[k]) * ((double)want[k] - (double)got[k]);
        }
        double db = noise == 0 ? 999 : 10 * log10(signal / noise);
        worst = db < worst ? db : worst;
    }
    return worst;
}

static void
check(struct trial *t)
{
    struct pass_options opt = pass_defaults();
    struct verify *v = verify_new(t->a, 1);
    bool differs = false;
    int least = t->machine->quant == QUANT_OFF ? 80 : t->row->snr ? t->row->snr : 20;

    float_side(t);
    opt.quant = t->machine->quant;
    t->c = (struct pass_ctx){ .g = read_row(t), .arena = t->a, .diag = t->d, .opt = &opt,
                              .backend = &backend_gemmini, .can_pool = backend_gemmini.can_pool };
    t->c.feed = feed_made_up(t->a, 1, 8);
    t->c.target = target_load(t->a, t->d, t->machine->file, t->machine->sets);
    ck_assert(t->c.target != NULL);
    ck_assert_msg(compile(t, v), "%s: not compiled: %s", t->row->name, diag_text(t->d));
    struct program *p = program_build(t->a, t->d, t->c.g, t->c.target, &backend_gemmini, &opt);
    ck_assert_msg(p != NULL, "%s: no program: %s", t->row->name, diag_text(t->d));
    ck_assert_msg(verify_program(v, t->d, p, &differs), "%s: %s", t->row->name, diag_text(t->d));
    ck_assert_msg(!differs, "%s: the device and the reference differ", t->row->name);
    double db = signal_to_noise(t);
    ck_assert_msg(db >= least, "%s: %.1f dB of %d", t->row->name, db, least);
}

static void
run(int i, const struct machine *m)
{
    struct trial t = { .a = arena_new(), .row = &rows[i], .machine = m };

    t.d = diag_new(t.a, &(struct diag_config){ 0 });
    check(&t);
    diag_free(t.d);
    arena_free(t.a);
}

START_TEST(dim16) { run(_i, &machines[0]); } END_TEST
START_TEST(dim8) { run(_i, &machines[1]); } END_TEST
START_TEST(chip) { run(_i, &machines[2]); } END_TEST
START_TEST(floats) { run(_i, &machines[3]); } END_TEST

int
main(void)
{
    Suite *s = suite_create("odd models");
    TCase *t = tcase_create("odd");

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, dim16, 0, ROWS);
    tcase_add_loop_test(t, dim8, 0, ROWS);
    tcase_add_loop_test(t, chip, 0, ROWS);
    tcase_add_loop_test(t, floats, 0, ROWS);
    suite_add_tcase(s, t);
    return tap_run(s);
}
