/* Layers on the core: a machine operator as a call of its runtime kernel.  Everything
 * a machine graph can hold is accepted here, so what no array takes still runs. */
#include <string.h>

#include "backend/backend.h"

enum { PER_TAP = 17, PER_FLOAT_TAP = 32, PER_PRODUCT = 9 };  /* cycles, as measured */

static void
put(struct core_call *c, int64_t v)
{
    c->i[c->ni++] = v;
}

static void
puts_(struct core_call *c, const int64_t *v, int n)
{
    for (int i = 0; i < n; i++)
        put(c, v[i]);
}

static void
put_scale(struct core_call *c, const struct m_scale *s)
{
    put(c, s->block);
    put(c, s->scale.n);
    c->scale = s->scale.at;
    c->nscale = s->scale.n;
}

static void
conv(struct core_call *c, const void *attr)
{
    const struct m_conv_attr *a = attr;

    puts_(c, a->stride, 2);
    puts_(c, a->dilation, 2);
    puts_(c, a->pads, 4);
    put(c, a->groups);
    put(c, a->pad_value);
    put(c, a->relu);
    put_scale(c, &a->scale);
}

static void
matmul(struct core_call *c, const void *attr)
{
    const struct m_matmul_attr *a = attr;

    put(c, a->ta);
    put(c, a->tb);
    put(c, a->relu);
    put_scale(c, &a->scale);
}

static void
add(struct core_call *c, const void *attr)
{
    const struct m_add_attr *a = attr;

    put(c, a->ma);
    put(c, a->mb);
    put(c, a->bias);
    put(c, a->relu);
    c->f[c->nf++] = a->scale;
}

static void
pool(struct core_call *c, const void *attr)
{
    const struct m_pool_attr *a = attr;

    put(c, a->kind);
    puts_(c, a->kernel, 2);
    puts_(c, a->stride, 2);
    puts_(c, a->dilation, 2);
    puts_(c, a->pads, 4);
    put(c, a->avg_include_pad);
}

static void
move(struct core_call *c, const void *attr)
{
    const struct m_move_attr *a = attr;
    const struct ints *lists[] = { &a->perm, &a->src_start, &a->src_step, &a->dst_start, &a->count };

    put(c, a->perm.n);
    for (int i = 0; i < 5; i++)
        puts_(c, lists[i]->at, lists[i]->n);
    put(c, a->fills);
    put(c, a->fill);
}

static void
softmax(struct core_call *c, const void *attr)
{
    const struct m_softmax_attr *a = attr;

    put(c, a->axis);
    put(c, a->log);
}

static void
map(struct core_call *c, const void *attr)
{
    const struct m_map_attr *a = attr;

    put(c, a->op);
    c->f[c->nf++] = a->p;
    c->f[c->nf++] = a->q;
}

static void
reduce(struct core_call *c, const void *attr)
{
    const struct m_reduce_attr *a = attr;

    put(c, a->op);
    put(c, a->axes.n);
    puts_(c, a->axes.at, a->axes.n);
    while (c->ni < 10)
        put(c, 0);
    put(c, a->keepdims);
}

static void
gather(struct core_call *c, const void *attr)
{
    put(c, ((const struct m_gather_attr *)attr)->axis);
}

/* A max-pool on the way out follows the convolution's own numbers. */
static void
epilogue(struct core_call *c, const struct node *n)
{
    bool pooled = n->op == &op_m_conv && n->epi;

    if (n->op == &op_m_conv)
        put(c, pooled);
    if (pooled)
        pool(c, n->epi->attr);
}

static void
nothing(struct core_call *c, const void *attr)
{
    (void)c;
    (void)attr;
}

static const struct core_row {
    const struct op_def *op;
    const char *function;
    void (*host)(const struct gm_call *);
    void (*args)(struct core_call *, const void *attr);
    int per_element;             /* cycles, as measured; products come on top */
} rows[] = {
    { &op_m_conv, "gm_k_conv", gm_k_conv, conv, 30 },
    { &op_m_matmul, "gm_k_matmul", gm_k_matmul, matmul, 30 },
    { &op_m_add, "gm_k_add", gm_k_add, add, 30 },
    { &op_m_pool, "gm_k_pool", gm_k_pool, pool, 90 },
    { &op_m_table, "gm_k_table", gm_k_table, nothing, 10 },
    { &op_m_convert, "gm_k_convert", gm_k_convert, nothing, 20 },
    { &op_m_move, "gm_k_move", gm_k_move, move, 15 },
    { &op_m_softmax, "gm_k_softmax", gm_k_softmax, softmax, 60 },
    { &op_m_map, "gm_k_map", gm_k_map, map, 65 },
    { &op_m_reduce, "gm_k_reduce", gm_k_reduce, reduce, 60 },
    { &op_m_gather, "gm_k_gather", gm_k_gather, gather, 40 },
};

/* Constants the core reads lie packed in .gm.weights. */
static void
place_constant(struct plan *p, struct value *v)
{
    if (!v->data || v->buf)
        return;
    struct address at = plan_blob(p, v->name, v->data, shape_bytes(&v->type, 0));
    v->buf = NEW(p->p->arena, struct buffer);
    *v->buf = (struct buffer){ .what = v->name, .size = shape_bytes(&v->type, 0), .offset = at.at,
                               .align = 64, .space = SPACE_WEIGHTS };
}

static const struct core_row *
row_of(const struct op_def *op)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].op == op)
            return &rows[i];
    return NULL;
}

/* Products of one layer. */
static int64_t
products(const struct node *n)
{
    const struct shape *y = &n->out[0]->type.shape;

    if (n->op == &op_m_conv)
        return shape_elems(y) * shape_count(&n->in[1]->type.shape, 1, 4);
    if (n->op == &op_m_matmul) {
        const struct m_matmul_attr *a = n->attr;
        const struct shape *x = &n->in[0]->type.shape;
        return shape_elems(y) * x->dim[x->rank - 1 - (a->ta != 0)].n;
    }
    return 0;
}

static int64_t
per_product(const struct node *n)
{
    if (n->op != &op_m_conv)
        return PER_PRODUCT;
    return n->out[0]->type.dt == DT_F32 ? PER_FLOAT_TAP : PER_TAP;
}

bool
core_plan(struct plan *p)
{
    struct node *n = p->k->n;
    const struct core_row *r = row_of(n->op);

    if (!r) {
        struct place_ref at = node_place(p->p->g, n);
        return diag_error(p->diag, &at, "core-kernel", "%s has no kernel on the core", n->op->name);
    }
    struct core_call *c = NEW(p->p->arena, struct core_call);
    c->function = r->function;
    c->host = r->host;
    for (int i = 0; i < n->nin && i < 4; i++) {
        if (n->in[i])
            place_constant(p, n->in[i]);
        c->in[i] = n->in[i];
    }
    c->out = n->out[0];
    r->args(c, n->attr);
    epilogue(c, n);
    p->k->core = c;
    p->k->macs = products(n);
    p->k->cost = (struct cost){ (uint64_t)(shape_elems(&n->out[0]->type.shape) * r->per_element + p->k->macs * per_product(n)),
                                0, 0, LIMIT_CORE };
    return true;
}
