/* Layers of given sizes, as benchmarks name them: "same" padding, dense pixels, weights
 * and inputs of any value, no result to compare with unless asked. */
#include <string.h>

#include "test/unit/layercase.h"

static int8_t *
bytes(struct layer_case *c, int64_t n)
{
    int8_t *p = arena_alloc(c->arena, (size_t)n);

    for (int64_t i = 0; i < n; i++)
        p[i] = (int8_t)(layer_random(&c->seed) >> 8);
    return p;
}

static struct value *
constant(struct layer_case *c, int rank, const int64_t *dims)
{
    struct type t = { .dt = DT_I8, .shape = shape_make(rank, dims) };

    return graph_const(c->g, "w", &t, bytes(c, shape_elems(&t.shape)));
}

static struct value *
bias_of(struct layer_case *c, int64_t n, int64_t reach)
{
    struct type t = { .dt = DT_I32, .shape = shape_make(1, &n) };
    int32_t *v = NEWN(c->arena, int32_t, n);

    for (int64_t i = 0; i < n; i++)
        v[i] = (int32_t)layer_between(&c->seed, -reach, reach);
    return graph_const(c->g, "bias", &t, v);
}

static struct m_scale
one_scale(struct layer_case *c, float scale)
{
    float *f = NEW(c->arena, float);

    *f = scale;
    return (struct m_scale){ 0, { 1, f } };
}

static struct value *
conv_operands(struct layer_case *c, const struct layer_shape *s, struct value **in)
{
    int64_t pad = s->k / 2, oh = (s->h + 2 * pad - s->k) / s->stride + 1;
    int64_t ow = (s->w + 2 * pad - s->k) / s->stride + 1;

    in[0] = layer_image(c->g, "x", (int64_t[]){ 1, s->c, s->h, s->w }, s->c,
        (int64_t[]){ pad, pad, pad, pad }, 0, SPACE_ARENA);
    in[1] = constant(c, 4, (int64_t[]){ s->o, s->c / s->groups, s->k, s->k });
    return layer_image(
        c->g, "y", (int64_t[]){ 1, s->o, oh, ow }, s->o, (int64_t[4]){ 0 }, 0, SPACE_ARENA);
}

void
case_shape(struct layer_case *c, const struct layer_shape *s, bool bias)
{
    const struct op_def *op = s->k ? &op_m_conv : &op_m_matmul;
    struct value *in[3] = { 0 }, *y;
    int64_t pad = s->k / 2;

    c->g = graph_new(c->arena, s->name);
    c->g->stage = STAGE_MACHINE;
    if (s->k) {
        y = conv_operands(c, s, in);
    } else {
        in[0] = layer_matrix(c->g, "x", s->w, s->c, s->c, SPACE_ARENA);
        in[1] = constant(c, 2, (int64_t[]){ s->c, s->o });
        y = layer_matrix(c->g, "y", s->w, s->o, s->o, SPACE_ARENA);
    }
    in[2] = bias_of(c, s->o, bias ? 5000 : 0);
    c->n = graph_node(c->g, NULL, op, s->name, in, 3, &y, 1);
    if (s->k)
        *(struct m_conv_attr *)c->n->attr =
            (struct m_conv_attr){ .stride = { s->stride, s->stride },
                .dilation = { 1, 1 },
                .pads = { pad, pad, pad, pad },
                .groups = s->groups,
                .relu = 1,
                .scale = one_scale(c, 1.0f / 4096) };
    else
        *(struct m_matmul_attr *)c->n->attr =
            (struct m_matmul_attr){ .scale = one_scale(c, 1.0f / 4096) };
    c->g->inputs = NEWN(c->arena, struct value *, 1);
    c->g->inputs[0] = in[0];
    c->g->ninput = 1;
    c->in[0] = bytes(c, shape_elems(&in[0]->type.shape));
    c->text = arena_printf(c->arena, "%s%s", s->name, bias ? ", bias" : "");
}

void
case_expect(struct layer_case *c)
{
    c->want = arena_alloc(c->arena, (size_t)shape_elems(&c->n->out[0]->type.shape));
    layer_reference(c->arena, c->n, c->in, c->want);
}
