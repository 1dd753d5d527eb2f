/* Writes one-layer ONNX models into a folder: a 512 x 512 x 512 matmul and the 23
 * different convolutions of ResNet-50, seeded float weights, so that speed is judged
 * from the file on.  Prints their names. */
#include <stdio.h>
#include <stdlib.h>

#include "src/base/arena.h"
#include "src/base/file.h"
#include "test/unit/build.h"

struct conv { int c, size, o, k, stride; };

static const struct conv convs[] = {
    { 3, 224, 64, 7, 2 },
    { 64, 56, 64, 1, 1 }, { 256, 56, 64, 1, 1 }, { 64, 56, 64, 3, 1 }, { 64, 56, 256, 1, 1 },
    { 256, 56, 128, 1, 1 }, { 128, 56, 128, 3, 2 }, { 512, 28, 128, 1, 1 }, { 128, 28, 128, 3, 1 },
    { 128, 28, 512, 1, 1 }, { 256, 56, 512, 1, 2 },
    { 512, 28, 256, 1, 1 }, { 256, 28, 256, 3, 2 }, { 1024, 14, 256, 1, 1 }, { 256, 14, 256, 3, 1 },
    { 256, 14, 1024, 1, 1 }, { 512, 28, 1024, 1, 2 },
    { 1024, 14, 512, 1, 1 }, { 512, 14, 512, 3, 2 }, { 2048, 7, 512, 1, 1 }, { 512, 7, 512, 3, 1 },
    { 512, 7, 2048, 1, 1 }, { 1024, 14, 2048, 1, 2 },
};

static bool
save(struct arena *a, struct model *m, const char *dir, const char *name)
{
    printf("%s\n", name);
    return model_save(m, path_join(a, dir, arena_printf(a, "%s.onnx", name)));
}

static bool
conv(struct arena *a, const char *dir, const struct conv *c)
{
    struct model *m = model_new(a, 13);
    int pad = c->k / 2;

    model_input(m, "x", DT_F32, arena_printf(a, "1,%d,%d,%d", c->c, c->size, c->size));
    model_random(m, "w", arena_printf(a, "%d,%d,%d,%d", c->o, c->c, c->k, c->k), 7, 0.05f);
    model_random(m, "b", arena_printf(a, "%d", c->o), 8, 0.1f);
    struct model_node *n = model_node(m, "Conv", "x w b", "y");
    model_ints(n, "kernel_shape", arena_printf(a, "%d,%d", c->k, c->k));
    model_ints(n, "strides", arena_printf(a, "%d,%d", c->stride, c->stride));
    model_ints(n, "pads", arena_printf(a, "%d,%d,%d,%d", pad, pad, pad, pad));
    model_output(m, "y");
    return save(a, m, dir, arena_printf(a, "conv_%dx%d_s%d_%d_%d_at_%d", c->k, c->k, c->stride, c->c, c->o, c->size));
}

static bool
matmul(struct arena *a, const char *dir, int m_, int k, int n)
{
    struct model *m = model_new(a, 13);

    model_input(m, "x", DT_F32, arena_printf(a, "%d,%d", m_, k));
    model_random(m, "w", arena_printf(a, "%d,%d", k, n), 9, 0.05f);
    model_node(m, "MatMul", "x w", "y");
    model_output(m, "y");
    return save(a, m, dir, arena_printf(a, "matmul_%dx%dx%d", m_, k, n));
}

int
main(int argc, char **argv)
{
    struct arena *a = arena_new();
    bool ok = argc == 2;

    if (!ok)
        fprintf(stderr, "usage: layer_models FOLDER\n");
    ok = ok && matmul(a, argv[1], 512, 512, 512);
    for (size_t i = 0; ok && i < sizeof convs / sizeof *convs; i++)
        ok = conv(a, argv[1], &convs[i]);
    ok = ok && matmul(a, argv[1], 1, 2048, 1000);
    arena_free(a);
    return ok ? 0 : 1;
}
