/* fold-const, drop-dead and merge-same: less of the same graph.  None of them
 * changes a result by a bit. */
#include <string.h>

#include "passes/passes.h"

enum { FOLD_LIMIT = 1 << 30 };                 /* bytes; what is larger is computed at run time */

static bool
is_fixed(const struct value *v)
{
    return !v || (v->data && !v->mutable && shape_known(&v->type.shape));
}

static bool
can_fold(const struct node *n)
{
    if (n->op->traits & OP_RANDOM || n->nbody || n->epi || !n->op->eval)
        return false;
    for (int i = 0; i < n->nin; i++)
        if (!is_fixed(n->in[i]))
            return false;
    for (int i = 0; i < n->nout; i++) {
        const struct value *v = n->out[i];
        if (v && (v->is_output || !shape_known(&v->type.shape)
                  || shape_bytes(&v->type, 0) > FOLD_LIMIT))
            return false;
    }
    return true;
}

static bool
fold(struct pass_ctx *c, struct node *n)
{
    const void **in = NEWN(c->arena, const void *, n->nin + 1);
    void **out = NEWN(c->arena, void *, n->nout + 1);

    for (int i = 0; i < n->nin; i++)
        in[i] = n->in[i] ? n->in[i]->data : NULL;
    for (int i = 0; i < n->nout; i++)
        if (n->out[i])
            out[i] = arena_alloc(c->g->arena, (size_t)shape_bytes(&n->out[i]->type, 0));
    if (!interp_node(c->arena, n, in, out))
        return false;
    for (int i = 0; i < n->nout; i++)
        if (n->out[i])
            n->out[i]->data = out[i];
    node_remove(c->g, n);
    return true;
}

static bool
run_fold(struct pass_ctx *c)
{
    struct node *next;

    for (struct node *n = c->g->first; n; n = next) {
        next = n->next;
        if (can_fold(n) && pass_may_rewrite(c))
            fold(c, n);
    }
    return true;
}

const struct pass pass_fold_const = {
    .name = "fold-const",
    .doc = "computes at compile time what depends on constants only",
    .level = 1,
    .needs = FACT_TYPES | FACT_ORDER,
    .from = STAGE_NET,
    .run = run_fold,
};

static bool
is_state(const struct graph *g, const struct value *v)
{
    for (int i = 0; i < g->nstate; i++)
        if (g->states[i].in == v || g->states[i].out == v)
            return true;
    return false;
}

static bool
is_dead(const struct graph *g, const struct node *n)
{
    for (int i = 0; i < n->nout; i++)
        if (n->out[i] && (n->out[i]->nuse || n->out[i]->is_output || is_state(g, n->out[i])))
            return false;
    return true;
}

/* Identity and Dropout, where output 0 may be its input. */
static bool
does_nothing(const struct graph *g, const struct node *n)
{
    const struct value *x = n->in[0], *y = n->out[0];

    if (strcmp(n->op->name, "Identity") != 0 && strcmp(n->op->name, "Dropout") != 0)
        return false;
    if (n->nout > 1 && n->out[1] && (n->out[1]->nuse || n->out[1]->is_output))
        return false;
    if (n->epi || x->home != g || is_state(g, y) || is_state(g, x))
        return false;
    return !y->is_output || (x->def && !x->is_output);
}

static bool
run_drop(struct pass_ctx *c)
{
    struct graph *g = c->g;
    struct node *prev;

    for (struct node *n = g->last; n; n = prev) {
        prev = n->prev;
        if (does_nothing(g, n))
            value_replace(g, n->out[0], n->in[0]);
        if (is_dead(g, n))
            node_remove(g, n);
    }
    for (uint32_t i = 0; i < g->nvalue; i++) {
        struct value *v = g->values[i];
        if (v && !v->def && !v->nuse && !v->is_output && !v->is_input && !is_state(g, v))
            value_remove(g, v);
    }
    return true;
}

const struct pass pass_drop_dead = {
    .name = "drop-dead",
    .doc = "removes nodes that nobody reads or that do nothing",
    .level = 1,
    .needs = FACT_ORDER,
    .from = STAGE_NET | STAGE_QNET | STAGE_MACHINE,
    .run = run_drop,
};

static bool
same_constant(const struct value *a, const struct value *b)
{
    return !a->mutable && !b->mutable && a->type.dt == b->type.dt && a->type.dt != DT_STRING
        && quant_equal(a->type.quant, b->type.quant) && a->real == b->real
        && shape_known(&a->type.shape) && shape_equal(&a->type.shape, &b->type.shape)
        && !memcmp(a->data, b->data, (size_t)shape_bytes(&a->type, 0));
}

static void
merge_constants(struct pass_ctx *c)
{
    struct graph *g = c->g;

    for (uint32_t i = 0; i < g->nvalue; i++) {
        struct value *a = g->values[i];
        if (!a || !a->data || a->is_output || a->is_input)
            continue;
        for (uint32_t k = i + 1; k < g->nvalue; k++) {
            struct value *b = g->values[k];
            if (!b || !b->data || b->is_output || b->is_input || !b->nuse || !same_constant(a, b))
                continue;
            if (!pass_may_rewrite(c))
                return;
            value_replace(g, b, a);
        }
    }
}

static bool
same_attrs(struct arena *s, const struct node *a, const struct node *b)
{
    for (const struct attr_def *d = a->op->attrs; d && d->name; d++)
        if (strcmp(attr_text(s, d, a->attr), attr_text(s, d, b->attr)) != 0)
            return false;
    return true;
}

static bool
same_node(struct arena *s, const struct node *a, const struct node *b)
{
    if (a->op != b->op || a->nin != b->nin || a->nout != b->nout || a->epi || b->epi)
        return false;
    if (a->nbody || b->nbody || a->op->traits & OP_RANDOM)
        return false;
    for (int i = 0; i < a->nin; i++)
        if (a->in[i] != b->in[i])
            return false;
    for (int i = 0; i < a->nout; i++)
        if (!a->out[i] != !b->out[i] || (b->out[i] && b->out[i]->is_output))
            return false;
    return same_attrs(s, a, b);
}

/* Two nodes that are the same have the same inputs, so the earlier one is found
 * among the readers of input 0. */
static struct node *
earlier(const struct graph *g, struct arena *s, const struct node *n)
{
    const struct value *x = n->nin ? n->in[0] : NULL;

    if (!x || x->home != g)
        return NULL;
    for (int i = 0; i < x->nuse; i++) {
        struct node *m = x->uses[i].node;
        if (m == n || x->uses[i].index != 0 || !same_node(s, m, n))
            continue;
        for (const struct node *p = n->prev; p; p = p->prev)
            if (p == m)
                return m;
    }
    return NULL;
}

static bool
run_merge(struct pass_ctx *c)
{
    struct arena *s = arena_new();
    struct node *next, *m;

    merge_constants(c);
    for (struct node *n = c->g->first; n; n = next) {
        next = n->next;
        m = earlier(c->g, s, n);
        if (!m || !pass_may_rewrite(c))
            continue;
        for (int i = 0; i < n->nout; i++)
            if (n->out[i])
                value_replace(c->g, n->out[i], m->out[i]);
        node_join_origin(c->g, m, n);
        node_remove(c->g, n);
    }
    arena_free(s);
    return true;
}

const struct pass pass_merge_same = {
    .name = "merge-same",
    .doc = "computes once what is computed twice",
    .level = 1,
    .needs = FACT_TYPES | FACT_ORDER,
    .from = STAGE_NET,
    .run = run_merge,
};
