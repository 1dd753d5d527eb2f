/* See layercase.h.  Sizes are kept small: many odd layers say more than a few large. */
#include <math.h>
#include <string.h>

#include "src/base/num.h"
#include "test/unit/layercase.h"

#define PICK(c, ...) \
    pick(c, (const int64_t[]){ __VA_ARGS__ }, \
        sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t))

static int64_t
between(struct layer_case *c, int64_t lo, int64_t hi)
{
    return layer_between(&c->seed, lo, hi);
}

static int64_t
pick(struct layer_case *c, const int64_t *list, size_t n)
{
    return list[between(c, 0, (int64_t)n - 1)];
}

/* Any bytes; one time in eight only the extremes. */
static int8_t *
bytes(struct layer_case *c, int64_t n)
{
    int8_t *p = arena_alloc(c->arena, (size_t)n + 1);
    bool extreme = between(c, 0, 7) == 0;

    for (int64_t i = 0; i < n; i++) {
        uint32_t r = layer_random(&c->seed) >> 8;
        p[i] = extreme ? (int8_t)(r & 7 ? 127 : -128) : (int8_t)r;
    }
    return p;
}

/* Scales that bring sums of `k` products into and a little out of the range of int8. */
static struct m_scale
scales(struct layer_case *c, int64_t k, int64_t channels, int64_t block)
{
    int n = block ? (int)num_ceil_div(channels, block) : 1;
    float *at = NEWN(c->arena, float, n);

    for (int i = 0; i < n; i++)
        at[i] = (float)between(c, 5, 40) / (1500.0f * sqrtf((float)k));
    return (struct m_scale){ block, { n, at } };
}

static int64_t
some_block(struct layer_case *c)
{
    return between(c, 0, 1) ? target_line(c->target) * between(c, 1, 2) : 0;
}

static struct value *
bias(struct layer_case *c, int64_t n, int64_t reach)
{
    struct type t = { .dt = DT_I32, .shape = shape_make(1, &n) };
    int32_t *v = NEWN(c->arena, int32_t, n);

    for (int64_t i = 0; i < n; i++)
        v[i] = (int32_t)between(c, -reach, reach);
    return graph_const(c->g, "bias", &t, v);
}

static struct value *
weights(struct layer_case *c, const char *name, int rank, const int64_t *dims)
{
    struct type t = { .dt = DT_I8, .shape = shape_make(rank, dims) };

    return graph_const(c->g, name, &t, bytes(c, shape_elems(&t.shape)));
}

static void
begin(struct layer_case *c, const char *name)
{
    c->g = graph_new(c->arena, name);
    c->g->stage = STAGE_MACHINE;
    c->g->inputs = NEWN(c->arena, struct value *, 2);
}

static void
input(struct layer_case *c, struct value *v)
{
    c->in[c->g->ninput] = bytes(c, shape_elems(&v->type.shape));
    c->g->inputs[c->g->ninput++] = v;
}

static void
finish(struct layer_case *c)
{
    c->want = arena_alloc(c->arena, (size_t)shape_elems(&c->n->out[0]->type.shape) + 1);
    layer_reference(c->arena, c->n, c->in, c->want);
}

static const char *
list(struct layer_case *c, const int64_t *v, int n)
{
    const char *s = "";

    for (int i = 0; i < n; i++)
        s = arena_printf(c->arena, "%s%s%lld", s, i ? "," : "", (long long)v[i]);
    return s;
}

static const char *
shape(struct layer_case *c, const struct value *v)
{
    return shape_text(c->arena, &v->type.shape);
}

/* Order of evaluation is the compiler's inside one expression: each draw is a statement. */
static void
draw(struct layer_case *c, int64_t *v, int n, int64_t lo, int64_t hi)
{
    for (int i = 0; i < n; i++)
        v[i] = between(c, lo, hi);
}

static enum space
some_space(struct layer_case *c, enum space other)
{
    return between(c, 0, 3) ? SPACE_ARENA : other;
}

/* Channels lie packed, in whole rows of the array, or wider. */
static int64_t
pitch_for(struct layer_case *c, int64_t channels)
{
    int64_t whole = num_round_up(channels, c->target->dim);

    return PICK(c, channels, whole, whole, whole + c->target->dim);
}

/* ---- convolution */

struct conv_size {
    int64_t n, c, h, w, o, k[2], groups, cg;
};

/* Outputs of one axis of a window; 0: it does not fit. */
static int64_t
outputs(
    int64_t n, int64_t before, int64_t after, const struct m_conv_attr *a, int64_t kernel, int axis)
{
    int64_t room = n + before + after - (kernel - 1) * a->dilation[axis] - 1;

    return room < 0 ? 0 : room / a->stride[axis] + 1;
}

/* A pool on the way out, if the array can and there is room; it shrinks the output. */
static struct m_pool_attr *
some_pool(struct layer_case *c, int64_t *oh, int64_t *ow)
{
    int64_t k = between(c, 1, 3), s = between(c, 1, 3);
    struct m_pool_attr *a = NEW(c->arena, struct m_pool_attr);
    const struct node conv = { .op = &op_m_conv };

    *a = (struct m_pool_attr){ .kernel = { k, k }, .stride = { s, s }, .dilation = { 1, 1 } };
    if (between(c, 0, 3) || *oh < k || *ow < k || !backend_gemmini.can_pool(&conv, a, c->target))
        return NULL;
    *oh = (*oh - k) / s + 1;
    *ow = (*ow - k) / s + 1;
    return a;
}

static struct value *
conv_output(struct layer_case *c, const struct conv_size *z, int64_t oh, int64_t ow)
{
    int64_t pixel = pitch_for(c, z->o), halo[4];
    enum space space = some_space(c, SPACE_OUT);

    draw(c, halo, 4, 0, 1);
    return layer_image(c->g, "y", (int64_t[]){ z->n, z->o, oh, ow }, pixel, halo, 3, space);
}

static struct value *
conv_input(struct layer_case *c, const struct conv_size *z, const struct m_conv_attr *a)
{
    int64_t pixel = pitch_for(c, z->c), more = between(c, 0, 1);
    int64_t halo[4] = { a->pads[0], a->pads[1], a->pads[2] + more, a->pads[3] };
    enum space space = some_space(c, SPACE_IN);

    return layer_image(c->g, "x", (int64_t[]){ z->n, z->c, z->h, z->w }, pixel, halo,
        (int32_t)a->pad_value, space);
}

static const char *
conv_text(struct layer_case *c, const struct m_pool_attr *pool, int64_t reach)
{
    const struct m_conv_attr *a = c->n->attr;
    const struct value *x = c->n->in[0], *y = c->n->out[0];
    const char *s = arena_printf(c->arena,
        "conv %s w %s stride %s dilation %s pads %s groups %lld pad value %lld pixel %lld",
        shape(c, x), shape(c, c->n->in[1]), list(c, a->stride, 2), list(c, a->dilation, 2),
        list(c, a->pads, 4), (long long)a->groups, (long long)a->pad_value,
        (long long)value_pitch(x, 3));

    s = arena_printf(c->arena, "%s%s%s -> %s pixel %lld, %d scales", s, a->relu ? " relu" : "",
        reach ? " bias" : "", shape(c, y), (long long)value_pitch(y, 3), a->scale.scale.n);
    if (pool)
        s = arena_printf(c->arena, "%s, pool %lld stride %lld", s, (long long)pool->kernel[0],
            (long long)pool->stride[0]);
    return s;
}

/* Windows and pads such that at least one output is left. */
static void
conv_window(
    struct layer_case *c, struct conv_size *z, struct m_conv_attr *a, int64_t *oh, int64_t *ow)
{
    do {
        for (int i = 0; i < 2; i++) {
            z->k[i] = between(c, 1, 5);
            a->stride[i] = between(c, 1, 3);
            a->dilation[i] = PICK(c, 1, 1, 2, 3);
        }
        for (int i = 0; i < 4; i++)
            a->pads[i] = between(c, 0, 3);
        *oh = outputs(z->h, a->pads[0], a->pads[2], a, z->k[0], 0);
        *ow = outputs(z->w, a->pads[1], a->pads[3], a, z->k[1], 1);
    } while (!*oh || !*ow);
}

static void
make_conv(struct layer_case *c, struct conv_size *z)
{
    struct m_conv_attr a = { .groups = z->groups };
    int64_t oh, ow, work, reach = between(c, 0, 2) ? 5000 : 0;

    begin(c, "conv");
    a.pad_value = PICK(c, -128, -5, 0, 17);
    a.relu = between(c, 0, 1);
    conv_window(c, z, &a, &oh, &ow);
    work = oh * ow * z->cg * z->k[0] * z->k[1];
    while (work * z->o > 3000000 && z->o > 1 && z->groups == 1)
        z->o = (z->o + 1) / 2;
    a.scale = scales(c, z->cg * z->k[0] * z->k[1], z->o, some_block(c));
    struct value *x = conv_input(c, z, &a);
    input(c, x);
    struct value *in[3] = { x, weights(c, "w", 4, (int64_t[]){ z->o, z->cg, z->k[0], z->k[1] }) };
    in[2] = bias(c, z->o, reach);
    struct m_pool_attr *pool = some_pool(c, &oh, &ow);
    struct value *y = conv_output(c, z, oh, ow);
    c->n = graph_node(c->g, NULL, &op_m_conv, "conv", in, 3, &y, 1);
    memcpy(c->n->attr, &a, sizeof a);
    if (pool)
        node_add_epi(c->g, c->n, EPI_POOL, NULL, pool);
    c->text = conv_text(c, pool, reach);
    finish(c);
}

static struct conv_size
image_size(struct layer_case *c)
{
    struct conv_size z = { .groups = 1 };

    z.n = between(c, 1, 2);
    z.h = between(c, 1, 20);
    z.w = between(c, 1, 40);
    return z;
}

void
case_conv(struct layer_case *c)
{
    struct conv_size z = image_size(c);
    int64_t dim = c->target->dim;

    switch (between(c, 0, 5)) {
    case 0: /* groups as blocks of the array */
        z.cg = PICK(c, 2, 4, dim / 2, dim);
        z.groups = between(c, 2, 9);
        z.c = z.o = z.cg * z.groups;
        break;
    case 1: /* any groups */
        z.cg = between(c, 1, 20);
        z.groups = between(c, 2, 5);
        z.c = z.cg * z.groups;
        z.o = between(c, 1, 20) * z.groups;
        break;
    default:
        z.c = z.cg = between(c, 1, 150);
        z.o = between(c, 1, 150);
    }
    make_conv(c, &z);
}

void
case_depthwise(struct layer_case *c)
{
    struct conv_size z = image_size(c);

    z.c = z.o = z.groups = between(c, 2, 150);
    z.cg = 1;
    make_conv(c, &z);
}

/* ---- matmul */

/* [m, n], or [lead, m / lead, n]. */
static struct value *
matrix(struct layer_case *c, const char *name, int64_t m, int64_t n, int64_t lead)
{
    int64_t row = pitch_for(c, n);
    enum space space = some_space(c, SPACE_IN);
    struct value *v = layer_matrix(c->g, name, m, n, row, space);

    if (lead == 1)
        return v;
    struct layout *l = arena_dup(c->arena, v->type.layout, sizeof *l);
    v->type.shape = shape_make(3, (int64_t[]){ lead, m / lead, n });
    for (int i = 2; i > 0; i--) {
        l->order[i] = (int8_t)i;
        l->pitch[i] = l->pitch[i - 1];
    }
    l->pitch[0] = m / lead * l->pitch[1];
    v->type.layout = l;
    return v;
}

enum { MATMUL_RIGHT, MATMUL_LEFT, MATMUL_BOTH }; /* which operand is constant; both vary */

static void
matmul_text(struct layer_case *c)
{
    static const char *const kinds[] = { "constant right", "constant left", "both vary" };
    const struct m_matmul_attr *a = c->n->attr;
    const struct value *x = c->n->in[0], *w = c->n->in[1], *y = c->n->out[0];
    int kind = w->data ? MATMUL_RIGHT : x->data ? MATMUL_LEFT : MATMUL_BOTH;
    const char *s = arena_printf(c->arena, "matmul %s rows %lld by %s rows %lld, %s", shape(c, x),
        (long long)value_pitch(x, x->type.shape.rank - 2), shape(c, w),
        (long long)value_pitch(w, 0), kinds[kind]);

    c->text = arena_printf(c->arena, "%s%s%s%s -> rows %lld, %d scales", s,
        a->tb ? " transposed" : "", a->relu ? " relu" : "", c->n->nin > 2 ? " bias" : "",
        (long long)value_pitch(y, y->type.shape.rank - 2), a->scale.scale.n);
}

void
case_matmul(struct layer_case *c)
{
    int64_t kind = between(c, MATMUL_RIGHT, MATMUL_BOTH), k = between(c, 1, 250);
    int64_t n = between(c, 1, 150), lead = kind == MATMUL_LEFT ? 1 : PICK(c, 1, 1, 2, 3);
    int64_t m = lead * between(c, 1, 150);
    struct m_matmul_attr a = { .relu = between(c, 0, 1) };
    struct value *in[3] = { 0 }, *y;

    begin(c, "matmul");
    while (m * n * k > 2000000)
        k = (k + 1) / 2;
    a.tb = kind == MATMUL_RIGHT && between(c, 0, 1);
    a.scale = scales(c, k, n, some_block(c));
    if (kind == MATMUL_LEFT)
        in[0] = weights(c, "a", 2, (int64_t[]){ m, k });
    else
        in[0] = matrix(c, "a", m, k, lead);
    if (kind == MATMUL_RIGHT)
        in[1] = weights(c, "b", 2, a.tb ? (int64_t[]){ n, k } : (int64_t[]){ k, n });
    else
        in[1] = matrix(c, "b", k, n, 1);
    for (int i = 0; i < 2; i++)
        if (!in[i]->data)
            input(c, in[i]);
    if (between(c, 0, 1))
        in[2] = bias(c, n, 5000);
    y = matrix(c, "y", m, n, lead);
    c->n = graph_node(c->g, NULL, &op_m_matmul, "matmul", in, in[2] ? 3 : 2, &y, 1);
    memcpy(c->n->attr, &a, sizeof a);
    matmul_text(c);
    finish(c);
}

/* ---- addition */

static void
add_text(struct layer_case *c)
{
    const struct m_add_attr *a = c->n->attr;
    const struct value *x = c->n->in[0], *y = c->n->out[0];
    int axis = y->type.shape.rank - 1; /* of pixels; rows of images are one before */

    if (axis == 1)
        axis = 0;
    c->text = arena_printf(c->arena,
        "add %s pixel %lld rows %lld and %lld: %lld a + %lld b + %lld, scale %g%s -> pixel %lld",
        shape(c, y), (long long)value_pitch(x, axis), (long long)value_pitch(x, axis - (axis > 0)),
        (long long)value_pitch(c->n->in[1], axis - (axis > 0)), (long long)a->ma, (long long)a->mb,
        (long long)a->bias, (double)a->scale, a->relu ? " relu" : "",
        (long long)value_pitch(y, axis));
}

void
case_add(struct layer_case *c)
{
    bool images = between(c, 0, 2) != 0;
    int64_t d[4], halo[4], to[4], m[2], pixel, out;
    struct m_add_attr a = { .relu = between(c, 0, 1) };
    struct value *in[2], *y;

    begin(c, "add");
    draw(c, d, 4, 1, 30);
    d[0] = d[0] > 25 ? 2 : 1;
    d[1] = between(c, 1, 150);
    draw(c, to, 4, 0, 1);
    draw(c, m, 2, -127, 127);
    a.ma = m[0];
    a.mb = m[1];
    a.bias = between(c, 0, 1) ? between(c, -9000, 9000) : 0;
    a.scale = (float)between(c, 1, 30) / 3000.0f;
    pixel = pitch_for(c, d[1]);
    out = pitch_for(c, d[1]);
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "b" : "a";
        draw(c, halo, 4, 0, 2);
        in[i] = images ? layer_image(c->g, name, d, pixel, halo, -3, SPACE_ARENA)
                       : layer_matrix(c->g, name, d[2] * d[3], d[1], pixel, SPACE_ARENA);
        input(c, in[i]);
    }
    y = images ? layer_image(c->g, "y", d, out, to, 7, SPACE_ARENA)
               : layer_matrix(c->g, "y", d[2] * d[3], d[1], out, SPACE_OUT);
    c->n = graph_node(c->g, NULL, &op_m_add, "add", in, 2, &y, 1);
    memcpy(c->n->attr, &a, sizeof a);
    add_text(c);
    finish(c);
}

/* ---- pooling */

/* A halo of the lowest value, whatever the zero point is. */
static void
fill_lowest(struct layer_case *c, struct value *v)
{
    struct layout *l = arena_dup(c->arena, v->type.layout, sizeof *l);

    l->fill = FILL_LOWEST;
    v->type.layout = l;
}

/* Sizes and pads such that at least one output is left; the output's sizes in to. */
static void
pool_size(struct layer_case *c, struct m_pool_attr *a, int64_t *d, int64_t *to)
{
    struct m_conv_attr like = { .dilation = { 1, 1 } };

    memcpy(like.stride, a->stride, sizeof like.stride);
    to[0] = d[0] = between(c, 1, 2);
    to[1] = d[1] = between(c, 1, 150);
    do {
        draw(c, a->pads, 4, 0, a->kernel[0] - 1);
        d[2] = between(c, 1, 40);
        d[3] = between(c, 1, 60);
        to[2] = outputs(d[2], a->pads[0], a->pads[2], &like, a->kernel[0], 0);
        to[3] = outputs(d[3], a->pads[1], a->pads[3], &like, a->kernel[1], 1);
    } while (!to[2] || !to[3]);
}

void
case_pool(struct layer_case *c)
{
    int64_t k = between(c, 1, 3), s = between(c, 1, 3), d[4], to[4], halo[4];
    struct m_pool_attr a = { .kernel = { k, k }, .stride = { s, s }, .dilation = { 1, 1 } };
    int32_t zero = (int32_t)PICK(c, -128, -7);
    struct value *x, *y;

    begin(c, "pool");
    pool_size(c, &a, d, to);
    x = layer_image(c->g, "x", d, pitch_for(c, d[1]), a.pads, zero, SPACE_ARENA);
    if (zero != -128)
        fill_lowest(c, x);
    input(c, x);
    draw(c, halo, 4, 0, 1);
    y = layer_image(c->g, "y", to, pitch_for(c, d[1]), halo, zero, SPACE_OUT);
    c->n = graph_node(c->g, NULL, &op_m_pool, "pool", &x, 1, &y, 1);
    memcpy(c->n->attr, &a, sizeof a);
    c->text = arena_printf(c->arena, "pool %s pixel %lld: %lld stride %lld pads %s -> pixel %lld",
        shape(c, x), (long long)value_pitch(x, 3), (long long)k, (long long)s, list(c, a.pads, 4),
        (long long)value_pitch(y, 3));
    finish(c);
}
