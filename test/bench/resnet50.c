/* Writes a ResNet-50 (v1.5, 224 x 224, 4.1 GMAC) with seeded weights as an ONNX model:
 * for speed, not for accuracy.  Usage: resnet50 FILE.onnx */
#include <math.h>
#include <stdio.h>

#include "src/base/arena.h"
#include "test/unit/build.h"

struct net {
    struct arena *arena;
    struct model *m;
    int convs;
};

/* Convolution with weights that keep the signal's size, maybe clamped; its output's name. */
static const char *
conv(struct net *n, const char *x, int in, int out, int k, int stride, bool relu)
{
    int id = n->convs++;
    const char *w = arena_printf(n->arena, "w%d", id), *b = arena_printf(n->arena, "b%d", id);
    const char *y = arena_printf(n->arena, "conv%d", id), *z = arena_printf(n->arena, "relu%d", id);
    float scale = sqrtf(6.0f / (float)(in * k * k)) * (relu ? 1 : 0.5f);

    model_random(n->m, w, arena_printf(n->arena, "%d,%d,%d,%d", out, in, k, k), (uint64_t)id + 1, scale);
    model_random(n->m, b, arena_printf(n->arena, "%d", out), (uint64_t)id + 1000, 0.1f);
    struct model_node *c = model_node(n->m, "Conv", arena_printf(n->arena, "%s %s %s", x, w, b), y);
    model_ints(c, "kernel_shape", arena_printf(n->arena, "%d,%d", k, k));
    model_ints(c, "strides", arena_printf(n->arena, "%d,%d", stride, stride));
    model_ints(c, "pads", arena_printf(n->arena, "%d,%d,%d,%d", k / 2, k / 2, k / 2, k / 2));
    if (!relu)
        return y;
    model_node(n->m, "Relu", y, z);
    return z;
}

static const char *
bottleneck(struct net *n, const char *x, int in, int mid, int stride)
{
    const char *a = conv(n, x, in, mid, 1, 1, true), *b = conv(n, a, mid, mid, 3, stride, true);
    const char *c = conv(n, b, mid, 4 * mid, 1, 1, false);
    const char *short_cut = stride > 1 || in != 4 * mid ? conv(n, x, in, 4 * mid, 1, stride, false) : x;
    const char *sum = arena_printf(n->arena, "sum%d", n->convs), *y = arena_printf(n->arena, "out%d", n->convs);

    model_node(n->m, "Add", arena_printf(n->arena, "%s %s", c, short_cut), sum);
    model_node(n->m, "Relu", sum, y);
    return y;
}

static void
build(struct net *n)
{
    static const int blocks[] = { 3, 4, 6, 3 };
    int in = 64;

    model_input(n->m, "image", DT_F32, "1,3,224,224");
    const char *x = conv(n, "image", 3, 64, 7, 2, true);
    struct model_node *p = model_node(n->m, "MaxPool", x, "pooled");
    model_ints(p, "kernel_shape", "3,3");
    model_ints(p, "strides", "2,2");
    model_ints(p, "pads", "1,1,1,1");
    x = "pooled";
    for (int stage = 0; stage < 4; stage++)
        for (int i = 0; i < blocks[stage]; i++) {
            x = bottleneck(n, x, in, 64 << stage, stage && i == 0 ? 2 : 1);
            in = 256 << stage;
        }
    model_node(n->m, "GlobalAveragePool", x, "mean");
    model_node(n->m, "Flatten", "mean", "flat");
    model_random(n->m, "fc", "2048,1000", 7777, 0.05f);
    model_node(n->m, "MatMul", "flat fc", "score");
    model_output(n->m, "score");
}

int
main(int argc, char **argv)
{
    struct arena *a = arena_new();
    struct net n = { a, model_new(a, 13), 0 };

    if (argc != 2) {
        fprintf(stderr, "usage: resnet50 FILE.onnx\n");
        return 2;
    }
    build(&n);
    bool ok = model_save(n.m, argv[1]);
    arena_free(a);
    return ok ? 0 : 1;
}
