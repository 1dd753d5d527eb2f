/* layout: images lie with channels innermost.  Where one is flattened into a product
 * by constant weights, the rows of the weights change places instead of the pixels. */
#include <string.h>

#include "passes/images.h"
#include "passes/rewrite.h"

/* The image behind the views that v is made by; NULL: none. */
static struct value *
image_behind(const struct graph *g, const bool *image, struct value *v)
{
    while (v->home == g && v->def && v->def->op->traits & OP_VIEW && !v->def->epi) {
        v = v->def->in[0];
        if (v->home == g && !v->data && image[v->id])
            return v;
    }
    return NULL;
}

static bool
flattens(const struct value *image, const struct value *flat)
{
    const struct shape *x = &image->type.shape, *y = &flat->type.shape;
    int64_t c = x->dim[1].n, pixels = x->dim[2].n * x->dim[3].n;

    return y->rank == 2 && y->dim[0].n == x->dim[0].n && y->dim[1].n == c * pixels && c > 1
        && pixels > 1;
}

/* Rows (pixel, channel) of rows (channel, pixel). */
static void *
regrouped(struct graph *g, const struct value *w, int64_t c, int64_t pixels)
{
    int64_t row = shape_bytes(&w->type, 1);
    char *p = arena_alloc(g->arena, (size_t)shape_bytes(&w->type, 0));

    for (int64_t i = 0; i < c; i++)
        for (int64_t k = 0; k < pixels; k++)
            memcpy(p + (k * c + i) * row, (const char *)w->data + (i * pixels + k) * row,
                   (size_t)row);
    return p;
}

static struct value *
weights_for(struct graph *g, const struct value *w, int64_t c, int64_t pixels)
{
    /* First what it was made from: text names nothing before it is there. */
    const struct value *real = w->real ? graph_const(g, w->real->name, &w->real->type,
                                                     regrouped(g, w->real, c, pixels)) : NULL;
    struct value *v = graph_const(g, w->name, &w->type, regrouped(g, w, c, pixels));

    v->real = real;
    return v;
}

static struct value *
pixels_first(struct graph *g, struct node *at, struct value *x, const struct type *flat)
{
    static const int64_t perm[4] = { 0, 2, 3, 1 };
    struct type t = x->type;
    struct value *y, *z;
    struct node *n;
    int64_t *dims = NEWN(g->arena, int64_t, 2);

    t.layout = NULL;
    for (int i = 0; i < 4; i++)
        t.shape.dim[i] = x->type.shape.dim[perm[i]];
    y = graph_value(g, arena_printf(g->arena, "%s.pixels", x->name), &t);
    n = graph_node(g, at, &op_transpose, NULL, &x, 1, &y, 1);
    transpose_attr(n)->perm = (struct ints){ 4, perm };
    node_join_origin(g, n, at);
    t.shape = flat->shape;
    z = graph_value(g, arena_printf(g->arena, "%s.flat", x->name), &t);
    n = graph_node(g, at, &op_reshape, NULL, &y, 1, &z, 1);
    dims[0] = flat->shape.dim[0].n;
    dims[1] = flat->shape.dim[1].n;
    *reshape_attr(n) = (struct reshape_attr){ { 2, dims }, 1 };
    node_join_origin(g, n, at);
    return z;
}

/* Views that nobody reads any more. */
static void
drop_unread(struct graph *g, struct value *v)
{
    while (v->def && v->def->op->traits & OP_VIEW && !v->nuse && !v->is_output) {
        struct node *n = v->def;
        struct value *x = n->in[0];
        node_remove(g, n);
        value_remove(g, v);
        v = x;
    }
}

static void
visit(struct pass_ctx *c, struct node *n, const bool *image)
{
    struct graph *g = c->g;
    struct value *flat, *x, *w;
    int64_t channels;

    if ((n->op != &op_gemm && n->op != &op_matmul)
        || (n->op == &op_gemm && (gemm_attr(n)->trans_a || gemm_attr(n)->trans_b)))
        return;
    flat = n->in[0];
    w = n->in[1];
    if (flat->data || !w->data || w->mutable || w->type.shape.rank != 2
        || dtype_bits(w->type.dt) % 8)
        return;
    x = image_behind(g, image, flat);
    if (!x || !flattens(x, flat) || !pass_may_rewrite(c))
        return;
    channels = x->type.shape.dim[1].n;
    node_set_input(n, 1, weights_for(g, w, channels, flat->type.shape.dim[1].n / channels));
    node_set_input(n, 0, pixels_first(g, n, x, &flat->type));
    drop_unread(g, flat);
}

static void
set_layouts(struct graph *g, const bool *image)
{
    for (uint32_t i = 0; i < g->nvalue; i++) {
        struct value *v = g->values[i];
        int8_t order[MAX_RANK];
        if (!v || !image[i])
            continue;
        images_order(v, true, order);
        v->type.layout = layout_packed(g->arena, &v->type, order);
    }
}

static bool
run(struct pass_ctx *c)
{
    struct graph *g = c->g;
    struct arena *scratch = arena_new();
    bool *image = NEWN(scratch, bool, g->nvalue + 1);

    images_find(g, images_keep_io(c->opt), image);
    set_layouts(g, image);                     /* the values added below are no images */
    for (struct node *n = g->first; n; n = n->next)
        if (n->in && n->nin > 1 && n->in[0] && n->in[1] && n->in[0]->id < g->nvalue)
            visit(c, n, image);
    arena_free(scratch);
    return true;
}

const struct pass pass_layout = {
    .name = "layout",
    .doc = "lets images lie with channels innermost",
    .needs = FACT_TYPES | FACT_ORDER,
    .gives = FACT_LAYOUT,
    .from = STAGE_QNET,
    .run = run,
};
