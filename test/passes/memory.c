/* Runs a planned machine graph in the memory that plan-memory laid out. */
#include <stdlib.h>
#include <string.h>

#include "ir/epi.h"
#include "ir/machine.h"
#include "test/passes/memory.h"

struct memory {
    struct arena *a;
    const struct graph *g;
    unsigned char *space[5];
    int64_t size[5];
};

/* First inside element, by the rule of backend/backend.h. */
static unsigned char *
address(const struct memory *m, const struct value *v)
{
    const struct buffer *b = v->buf;
    int64_t at = v->type.layout ? v->type.layout->first : 0;

    for (; b->alias; b = b->alias)
        at += b->at;
    return m->space[b->space] + b->offset + at;
}

static void
each_element(const struct memory *m, const struct value *v, char *packed, bool write)
{
    const struct shape *s = &v->type.shape;
    int64_t n = shape_elems(s), size = dtype_bits(v->type.dt) / 8;
    unsigned char *base = address(m, v);

    for (int64_t i = 0; i < n; i++) {
        int64_t rest = i, at = 0;
        for (int d = s->rank - 1; d >= 0; d--) {
            at += rest % s->dim[d].n * v->type.layout->pitch[d];
            rest /= s->dim[d].n;
        }
        if (write)
            memcpy(base + at, packed + i * size, (size_t)size);
        else
            memcpy(packed + i * size, base + at, (size_t)size);
    }
}

static void *
load(const struct memory *m, const struct value *v)
{
    char *p;

    if (v->data)
        return (void *)(uintptr_t)v->data;
    p = arena_alloc(m->a, (size_t)shape_bytes(&v->type, 0) + 1);
    each_element(m, v, p, false);
    return p;
}

/* Everything around the image within its halo still holds what it should. */
static bool
halo_intact(const struct memory *m, const struct value *v)
{
    const struct layout *l = v->type.layout;
    const struct dim *d = v->type.shape.dim;
    signed char want;

    if (v->data || v->type.shape.rank != 4 || l->fill == FILL_NONE)
        return true;
    want = l->fill == FILL_LOWEST ? -128 : (signed char)v->type.quant->zero[0];
    for (int64_t y = -l->before[2]; y < d[2].n + l->after[2]; y++)
        for (int64_t x = -l->before[3]; x < d[3].n + l->after[3]; x++) {
            if (y >= 0 && y < d[2].n && x >= 0 && x < d[3].n)
                continue;
            for (int64_t c = 0; c < d[1].n; c++) {
                int64_t at = y * l->pitch[2] + x * l->pitch[3] + c * l->pitch[1];
                if (((signed char *)address(m, v))[at] != want)
                    return false;
            }
        }
    return true;
}

/* Does the halo reach as far as the convolution reads? */
static bool
halo_reaches(const struct node *n)
{
    const struct m_conv_attr *a = n->attr;
    const struct layout *l = n->in[0]->type.layout;
    const struct dim *x = n->in[0]->type.shape.dim, *w = n->in[1]->type.shape.dim;

    for (int i = 0; i < 2; i++) {
        int64_t k = (w[2 + i].n - 1) * a->dilation[i] + 1;
        int64_t room = x[2 + i].n + a->pads[i] + a->pads[2 + i];
        int64_t last = (room - k) / a->stride[i] * a->stride[i] + k - a->pads[i];
        if (l->before[2 + i] < a->pads[i] || l->after[2 + i] < last - x[2 + i].n)
            return false;
    }
    return true;
}

static const char *
step(struct memory *m, const struct node *n)
{
    const void **in = NEWN(m->a, const void *, n->nin + 1);
    void **out = NEWN(m->a, void *, n->nout + 1);

    for (int i = 0; i < n->nin; i++)
        in[i] = n->in[i] ? load(m, n->in[i]) : NULL;
    if (n->op == &op_m_conv && n->in[0]->type.dt == DT_I8) {
        if (!halo_reaches(n))
            return arena_printf(m->a, "'%s': the halo of '%s' is too small", n->name,
                                n->in[0]->name);
        if (!halo_intact(m, n->in[0]))
            return arena_printf(m->a, "'%s': the halo of '%s' is gone", n->name, n->in[0]->name);
    }
    for (int i = 0; i < n->nout; i++)
        out[i] = arena_alloc(m->a, (size_t)shape_bytes(&n->out[i]->type, 0) + 1);
    if (!interp_node(m->a, n, in, out))
        return arena_printf(m->a, "'%s' has no kernel", n->name);
    for (int i = 0; i < n->nout; i++) {
        if (n->op->traits & OP_VIEW) {         /* nothing runs: the bytes must be there */
            char *there = load(m, n->out[i]);
            if (memcmp(there, out[i], (size_t)shape_bytes(&n->out[i]->type, 0)) != 0)
                return arena_printf(m->a, "'%s' (%s) is no view", n->name, n->op->name);
            continue;
        }
        each_element(m, n->out[i], out[i], true);
    }
    return NULL;
}

/* Garbage first, then halos, then inputs. */
static void
start(struct memory *m, const void *const *inputs)
{
    const struct graph *g = m->g;

    for (uint32_t i = 0; i < g->nvalue; i++) {
        const struct value *v = g->values[i];
        const struct buffer *b = v ? v->buf : NULL;
        if (b && !b->alias && b->offset + b->size > m->size[b->space])
            m->size[b->space] = b->offset + b->size;
    }
    for (int i = 0; i < 5; i++) {
        m->space[i] = arena_alloc(m->a, (size_t)m->size[i] + 1);
        memset(m->space[i], 0x5a, (size_t)m->size[i]);
    }
    for (uint32_t i = 0; i < g->nvalue; i++) {
        const struct value *v = g->values[i];
        const struct buffer *b = v ? v->buf : NULL;
        if (!b || b->alias || v->type.layout->fill == FILL_NONE)
            continue;
        memset(m->space[b->space] + b->offset,
               v->type.layout->fill == FILL_LOWEST ? -128 : v->type.quant->zero[0],
               (size_t)b->size);
    }
    for (int i = 0; i < g->ninput; i++)
        each_element(m, g->inputs[i], (char *)(uintptr_t)inputs[i], true);
}

const char *
memory_run(struct arena *a, const struct graph *g, const void *const *inputs, void **outputs)
{
    struct memory m = { .a = arena_new(), .g = g };
    const char *wrong = NULL;

    start(&m, inputs);
    for (const struct node *n = g->first; n && !wrong; n = n->next) {
        struct arena *keep = m.a;
        m.a = arena_new();
        wrong = step(&m, n);
        wrong = wrong ? arena_strdup(a, wrong) : NULL;
        arena_free(m.a);
        m.a = keep;
    }
    for (int i = 0; i < g->noutput && !wrong; i++) {
        size_t size = (size_t)shape_bytes(&g->outputs[i]->type, 0);
        outputs[i] = arena_dup(a, load(&m, g->outputs[i]), size);
    }
    arena_free(m.a);
    return wrong;
}
