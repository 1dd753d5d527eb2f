/* Which values are images: what convolutions and pools read and write, and what is
 * computed element by element from or for that. */
#include "ir/machine.h"
#include "ir/ops/attrs.h"
#include "passes/images.h"

bool
images_keep_io(const struct pass_options *o)
{
    return o->io == IO_FLOAT || o->io == IO_KEEP;
}

static bool
makes_images(const struct node *n)
{
    static const struct op_def *const ops[] = {
        &op_conv, &op_max_pool, &op_average_pool, &op_global_average_pool, &op_global_max_pool,
        &op_batch_normalization, &op_m_conv, &op_m_pool,
    };

    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (n->op == ops[i])
            return true;
    return false;
}

/* Does a move keep every axis what it was?  A copy of the whole does, but is there to
 * change the order in memory. */
static bool
keeps_order(const struct node *n)
{
    const struct m_move_attr *a = n->attr;
    bool whole = true;

    for (int i = 0; i < a->perm.n; i++) {
        if (a->perm.at[i] != i)
            return false;
        whole &= a->count.at[i] == n->in[0]->type.shape.dim[i].n
              && a->count.at[i] == n->out[0]->type.shape.dim[i].n;
    }
    return !whole;
}

/* Does it keep every axis what it was? */
static bool
keeps_axes(const struct node *n)
{
    static const struct op_def *const ops[] = {
        &op_concat, &op_pad, &op_slice, &op_split, &op_quantize_linear, &op_dequantize_linear,
        &op_m_join,
    };

    if (n->op == &op_m_move || n->op == &op_m_view)
        return keeps_order(n);
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (n->op == ops[i])
            return true;
    return (n->op->traits & OP_ELEMENTWISE) != 0;
}

struct marks { const struct graph *g; bool keep_io; bool *image; };

static bool
mark(struct marks *m, const struct value *v)
{
    if (!v || v->home != m->g || v->data || v->type.shape.rank != 4 || m->image[v->id])
        return false;
    if (m->keep_io && (v->is_input || v->is_output))
        return false;
    return m->image[v->id] = true;
}

static bool
has_image(const struct marks *m, const struct node *n)
{
    for (int i = 0; i < n->nin; i++)
        if (n->in[i] && n->in[i]->home == m->g && m->image[n->in[i]->id])
            return true;
    for (int i = 0; i < n->nout; i++)
        if (n->out[i] && m->image[n->out[i]->id])
            return true;
    return false;
}

static bool
spread(struct marks *m, const struct node *n)
{
    bool more = false;

    for (int i = 0; i < n->nin; i++)
        more |= mark(m, n->in[i]);
    for (int i = 0; i < n->nout; i++)
        more |= mark(m, n->out[i]);
    return more;
}

void
images_find(const struct graph *g, bool keep_io, bool *image)
{
    struct marks m = { g, keep_io, image };
    bool more = true;

    for (const struct node *n = g->first; n; n = n->next) {
        if (!makes_images(n))
            continue;
        mark(&m, n->in[0]);
        mark(&m, n->out[0]);
    }
    while (more) {
        more = false;
        for (const struct node *n = g->first; n; n = n->next)
            if (keeps_axes(n) && has_image(&m, n))
                more |= spread(&m, n);
    }
}

void
images_order(const struct value *v, bool image, int8_t *order)
{
    static const int8_t nhwc[4] = { 0, 2, 3, 1 };

    for (int i = 0; i < v->type.shape.rank; i++)
        order[i] = image ? nhwc[i] : (int8_t)i;
}
