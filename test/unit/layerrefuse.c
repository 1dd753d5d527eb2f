/* Layers that the array cannot take, one for each reason it gives. */
#include <string.h>

#include "test/unit/layercase.h"

static int8_t *
bytes(struct layer_case *c, int64_t n)
{
    int8_t *p = arena_alloc(c->arena, (size_t)n + 1);

    for (int64_t i = 0; i < n; i++)
        p[i] = (int8_t)layer_random(&c->seed);
    return p;
}

static struct value *
image(struct layer_case *c, const char *name, const int64_t *nchw, int64_t halo)
{
    return layer_image(
        c->g, name, nchw, nchw[1], (int64_t[]){ halo, halo, halo, halo }, -3, SPACE_ARENA);
}

static struct value *
constant(struct layer_case *c, int rank, const int64_t *dims)
{
    struct type t = { .dt = DT_I8, .shape = shape_make(rank, dims) };

    return graph_const(c->g, "w", &t, bytes(c, shape_elems(&t.shape)));
}

static struct value *
zeros(struct layer_case *c, int64_t n)
{
    struct type t = { .dt = DT_I32, .shape = shape_make(1, &n) };

    return graph_const(c->g, "zeros", &t, NEWN(c->arena, int32_t, n));
}

static void
node(struct layer_case *c, const struct op_def *op, struct value *const *in, int nin,
    struct value *y)
{
    c->n = graph_node(c->g, NULL, op, op->name, in, nin, &y, 1);
    c->g->inputs = NEWN(c->arena, struct value *, 3);
    for (int i = 0; i < nin; i++)
        if (!in[i]->data && (i == 0 || in[i] != in[0])) {
            c->in[c->g->ninput] = bytes(c, shape_elems(&in[i]->type.shape));
            c->g->inputs[c->g->ninput++] = in[i];
        }
}

static struct m_scale
scale(struct layer_case *c)
{
    float *f = NEW(c->arena, float);

    *f = 1.0f / 512;
    return (struct m_scale){ 0, { 1, f } };
}

/* ---- variants of each operator */

enum { CONV_NO_HALO, CONV_PLANES, CONV_HUGE };

static void
conv(struct layer_case *c, int variant)
{
    bool huge = variant == CONV_HUGE, pad = variant == CONV_NO_HALO;
    int64_t size = huge ? 70 : 6, k = huge ? 70 : 3,
            out = huge ? 1
        : pad          ? 6
                       : 4,
            ch = huge ? 20 : 5;
    struct value *x = image(c, "x", (int64_t[]){ 1, ch, size, size }, 0);
    struct value *w = constant(c, 4, (int64_t[]){ ch, huge ? 1 : ch, k, k });

    if (variant == CONV_PLANES)
        x->type.layout = layout_packed(c->arena, &x->type, NULL);
    node(c, &op_m_conv, (struct value *[]){ x, w, zeros(c, ch) }, 3,
        image(c, "y", (int64_t[]){ 1, ch, out, out }, 0));
    *(struct m_conv_attr *)c->n->attr = (struct m_conv_attr){ .stride = { 1, 1 },
        .dilation = { 1, 1 },
        .pads = { pad, pad, pad, pad },
        .groups = huge ? ch : 1,
        .pad_value = -3,
        .scale = scale(c) };
}

enum { POOL_OBLONG, POOL_LARGE, POOL_DILATED, POOL_MEAN, POOL_NO_HALO, POOL_WIDE };

static void
pool(struct layer_case *c, int variant)
{
    struct m_pool_attr a = { .kernel = { 2, 2 }, .stride = { 1, 1 }, .dilation = { 1, 1 } };
    int64_t in[4] = { 1, 7, 8, variant == POOL_WIDE ? 300 : 8 }, out[4] = { 1, 7, 7, in[3] - 1 };

    switch (variant) {
    case POOL_OBLONG:
        a.kernel[1] = 3;
        out[3] = 6;
        break;
    case POOL_LARGE:
        a.kernel[0] = a.kernel[1] = 4;
        out[2] = out[3] = 5;
        break;
    case POOL_DILATED:
        a.dilation[0] = a.dilation[1] = 2;
        out[2] = out[3] = 6;
        break;
    case POOL_MEAN:
        a.kind = M_POOL_AVG;
        break;
    case POOL_NO_HALO:
        a.pads[0] = a.pads[1] = 1;
        out[2] = out[3] = 8;
        break;
    }
    struct value *x = image(c, "x", in, 1);
    node(c, &op_m_pool, &x, 1, image(c, "y", out, 0));
    *(struct m_pool_attr *)c->n->attr = a;
}

enum { MATMUL_RIGHT, MATMUL_LEFT, MATMUL_BATCH };

static void
matmul(struct layer_case *c, int variant)
{
    bool left = variant == MATMUL_LEFT, right = variant == MATMUL_RIGHT;
    struct value *a = left ? layer_matrix(c->g, "a", 9, 5, 5, SPACE_ARENA)
                           : layer_matrix(c->g, "a", 5, 9, 9, SPACE_ARENA);
    struct value *b = right ? layer_matrix(c->g, "b", 7, 9, 16, SPACE_ARENA)
                            : layer_matrix(c->g, "b", 9, 7, 7, SPACE_ARENA);
    struct value *y = layer_matrix(c->g, "y", 5, 7, 7, SPACE_ARENA);

    if (variant == MATMUL_BATCH) {
        b = layer_matrix(c->g, "b", 27, 7, 7, SPACE_ARENA);
        b->type.shape = shape_make(3, (int64_t[]){ 3, 9, 7 });
        y = layer_matrix(c->g, "y", 15, 7, 7, SPACE_ARENA);
        y->type.shape = shape_make(3, (int64_t[]){ 3, 5, 7 });
        b->type.layout = layout_packed(c->arena, &b->type, NULL);
        y->type.layout = layout_packed(c->arena, &y->type, NULL);
    }
    node(c, &op_m_matmul, (struct value *[]){ a, b }, 2, y);
    *(struct m_matmul_attr *)c->n->attr =
        (struct m_matmul_attr){ .ta = left, .tb = right, .scale = scale(c) };
}

enum { ADD_LAYOUTS, ADD_SELF, ADD_SCALES };

static void
add(struct layer_case *c, int variant)
{
    const int64_t d[4] = { 1, 7, 5, 4 };
    struct value *a = image(c, "a", d, 0);
    struct value *b = layer_image(
        c->g, "b", d, variant == ADD_LAYOUTS ? 16 : d[1], (int64_t[4]){ 0 }, -3, SPACE_ARENA);

    node(
        c, &op_m_add, (struct value *[]){ a, variant == ADD_SELF ? a : b }, 2, image(c, "y", d, 0));
    *(struct m_add_attr *)c->n->attr = (struct m_add_attr){
        .ma = variant == ADD_SCALES ? 200 : 100, .mb = 3, .bias = 5, .scale = 0.004f
    };
}

static const struct {
    void (*make)(struct layer_case *, int);
    int variant;
    const char *why;
} refused[] = {
    { conv, CONV_NO_HALO, "no halo" },
    { conv, CONV_PLANES, "not innermost" },
    { conv, CONV_HUGE, "no tile" },
    { pool, POOL_OBLONG, "squares" },
    { pool, POOL_LARGE, "squares" },
    { pool, POOL_DILATED, "dilation" },
    { pool, POOL_MEAN, "average" },
    { pool, POOL_NO_HALO, "lowest value" },
    { pool, POOL_WIDE, "too far apart" },
    { matmul, MATMUL_RIGHT, "transposed" },
    { matmul, MATMUL_LEFT, "transposed left" },
    { matmul, MATMUL_BATCH, "batches" },
    { add, ADD_LAYOUTS, "differently" },
    { add, ADD_SELF, "not both" },
    { add, ADD_SCALES, "too far apart" },
};

bool
case_refused(struct layer_case *c, int which, const char **why)
{
    if (which >= (int)(sizeof refused / sizeof *refused))
        return false;
    c->g = graph_new(c->arena, "refused");
    c->g->stage = STAGE_MACHINE;
    *why = refused[which].why;
    c->text = *why;
    refused[which].make(c, refused[which].variant);
    c->want = arena_alloc(c->arena, (size_t)shape_elems(&c->n->out[0]->type.shape));
    layer_reference(c->arena, c->n, c->in, c->want);
    return true;
}
