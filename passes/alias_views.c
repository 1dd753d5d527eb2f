/* alias-views: makes what only gives numbers another name cost nothing.
 *
 * Every view and join lies in the memory of what it reads; where that cannot be (a
 * halo is in the way, the order in memory differs, a tensor is part of two), a copy is
 * put in front.  Moves that change nothing go away, or become views. */
#include "ir/machine.h"
#include "passes/storage.h"
#include "src/base/vec.h"

struct found { struct node *n; int input; bool image; };

struct alias {
    struct pass_ctx *c;
    struct arena *scratch;
    VEC(struct found) conflicts;
    VEC(struct node *) moves;
    VEC(struct node *) kept;     /* copies that are needed */
};

static struct ints
list(struct graph *g, int n, int64_t from, int64_t step)
{
    int64_t *p = NEWN(g->arena, int64_t, n + 1);

    for (int i = 0; i < n; i++)
        p[i] = from + i * step;
    return (struct ints){ n, p };
}

/* The same numbers in memory of their own, before `at` (NULL: at the end). */
static struct value *
copy_of(struct alias *w, struct node *at, struct value *x, const char *what)
{
    struct graph *g = w->c->g;
    struct type t = x->type;
    int rank = t.shape.rank;
    struct m_move_attr a = {
        .perm = list(g, rank, 0, 1), .src_start = list(g, rank, 0, 0),
        .src_step = list(g, rank, 1, 0), .dst_start = list(g, rank, 0, 0),
    };
    int64_t *count = NEWN(g->arena, int64_t, rank + 1);
    struct value *y;
    struct node *n;

    for (int i = 0; i < rank; i++)
        count[i] = t.shape.dim[i].n;
    a.count = (struct ints){ rank, count };
    t.layout = NULL;
    y = graph_value(g, arena_printf(g->arena, "%s.%s", x->name, what), &t);
    n = graph_node(g, at, &op_m_move, arena_printf(g->arena, "%s.%s", x->name, what), &x, 1, &y, 1);
    n->attr = arena_dup(g->arena, &a, sizeof a);
    if (at)
        node_join_origin(g, n, at);
    vec_push(w->scratch, &w->kept, n);
    return y;
}

/* ------------------------------------------------------ inputs, outputs */

/* An output that is an input or a constant, or is there twice, is copied: the program
 * writes it. */
static void
own_outputs(struct alias *w)
{
    struct graph *g = w->c->g;

    for (int i = 0; i < g->noutput; i++) {
        struct value *v = g->outputs[i], *y;
        bool again = false;
        const char *name = v->name;
        for (int k = 0; k < i; k++)
            again |= g->outputs[k] == v;
        if (!v->is_input && !v->data && !again)
            continue;
        y = copy_of(w, NULL, v, "out");
        y->model_dt = v->model_dt;
        g->outputs[i] = y;
        y->is_output = true;
        if (!again)
            v->is_output = false;
        if (!v->is_input && !again) {
            v->name = y->name;
            y->name = name;
        }
    }
}

/* Readers that need a halo around a tensor that has to lie densely get a copy. */
static void
own_halos(struct alias *w)
{
    struct graph *g = w->c->g;
    uint32_t known = g->nvalue;

    for (uint32_t i = 0; i < known; i++) {
        struct value *v = g->values[i], *y;
        struct node *first;
        if (!v || v->data || !storage_is_flat(v, w->c->opt) || !storage_needs_halo(v))
            continue;
        first = v->def ? v->def->next : g->first;
        y = copy_of(w, first, v, "inside");
        for (int k = v->nuse - 1; k >= 0; k--)
            if (v->uses[k].node != y->def && v->uses[k].index >= 0)
                node_set_input(v->uses[k].node, v->uses[k].index, y);
    }
}

/* ---------------------------------------------------------------- views */

static void
note_conflict(void *ctx, struct node *n, int input, bool image)
{
    struct alias *w = ctx;

    vec_push(w->scratch, &w->conflicts, ((struct found){ n, input, image }));
}

static bool
may_share(void *ctx, const struct node *n)
{
    const struct alias *w = ctx;

    for (int i = 0; i < w->kept.n; i++)
        if (w->kept.at[i] == n)
            return false;
    return true;
}

static void
note_shared(void *ctx, struct node *n)
{
    struct alias *w = ctx;

    vec_push(w->scratch, &w->moves, n);
}

static bool
changes_nothing(const struct node *n)
{
    const struct m_move_attr *a = n->attr;

    for (int d = 0; d < a->perm.n; d++)
        if (a->perm.at[d] != d || a->count.at[d] != n->in[0]->type.shape.dim[d].n)
            return false;
    return true;
}

static void
drop_move(struct alias *w, struct node *n)
{
    struct graph *g = w->c->g;
    struct value *x = n->in[0], *y = n->out[0];

    if (!changes_nothing(n) || (y->is_output && (x->is_input || x->is_output || x->data))) {
        n->op = &op_m_view;
        return;
    }
    if (y->is_output)
        x->model_dt = y->model_dt;
    value_replace(g, y, x);
    node_remove(g, n);
    value_remove(g, y);
}

/* The view gives a value in the order of its input, and a copy changes that: images
 * have an order of their own. */
static void
copy_behind(struct alias *w, struct node *n)
{
    struct graph *g = w->c->g;
    struct value *y = n->out[0], *z;
    struct node *copy;

    z = graph_value(g, arena_printf(g->arena, "%s.view", y->name), &y->type);
    z->type.layout = NULL;
    copy_of(w, n->next, z, "copy");
    copy = w->kept.at[w->kept.n - 1];
    value_remove(g, copy->out[0]);
    copy->out[0] = y;
    y->def = copy;
    y->def_index = 0;
    n->out[0] = z;
    z->def = n;
    z->def_index = 0;
    node_join_origin(g, copy, n);
}

static void
resolve(struct alias *w, const struct found *f)
{
    struct node *n = f->n;

    if (n->op == &op_m_view) {
        n->op = &op_m_move;
        vec_push(w->scratch, &w->kept, n);
        return;
    }
    if (f->image) {
        copy_behind(w, n);
        return;
    }
    node_set_input(n, f->input, copy_of(w, n, n->in[f->input], "copy"));
}

static bool
run(struct pass_ctx *c)
{
    struct alias w = { .c = c, .scratch = arena_new() };
    struct storage_hooks hooks = { note_conflict, may_share, note_shared, &w };
    int again = 0;

    own_outputs(&w);
    own_halos(&w);
    do {
        struct storage s;
        w.conflicts.n = w.moves.n = 0;
        storage_find(&s, c->g, w.scratch, c->opt, &hooks);
        for (int i = 0; i < w.moves.n; i++)
            drop_move(&w, w.moves.at[i]);
        for (int i = 0; i < w.conflicts.n; i++)
            resolve(&w, &w.conflicts.at[i]);
        if (++again > 1000)
            BUG("views of '%s' never come to rest", c->g->name ? c->g->name : "the graph");
    } while (w.conflicts.n || w.moves.n);
    arena_free(w.scratch);
    return true;
}

const struct pass pass_alias_views = {
    .name = "alias-views",
    .doc = "lets views and joined tensors share memory",
    .needs = FACT_TYPES | FACT_ORDER,
    .from = STAGE_MACHINE,
    .run = run,
};
