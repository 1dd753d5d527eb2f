/* Topological order: writers before readers, otherwise as the list was; a list that
 * is in order stays as it is.  No recursion over nodes: models may be deep. */
#include "ir/ir.h"
#include "ir/pass.h"
#include "src/base/out.h"
#include "src/base/vec.h"

enum mark { NEW_NODE, ON_PATH, DONE };

struct nodes {
    struct node **at;
    int n, cap;
};

struct sort {
    struct graph *g;
    struct arena *arena;
    struct nodes *writers; /* by value id; several m.move may fill one */
    struct nodes *needs;   /* by node id: who has to come first */
    int *next;             /* by node id: needs looked at so far */
    unsigned char *mark;   /* by node id */
    struct nodes path, done;
};

static void
need_value(struct sort *s, struct nodes *needs, const struct value *v)
{
    if (!v || v->home != s->g)
        return;
    for (int i = 0; i < s->writers[v->id].n; i++)
        vec_push(s->arena, needs, s->writers[v->id].at[i]);
}

/* Nodes of nested graphs may read values of this one. */
static void
need_all(struct sort *s, struct nodes *needs, const struct node *n)
{
    for (int i = 0; i < n->nin; i++)
        need_value(s, needs, n->in[i]);
    for (const struct epilogue *e = n->epi; e; e = e->next)
        need_value(s, needs, e->arg);
    for (int b = 0; b < n->nbody; b++) {
        for (int i = 0; i < n->body[b]->noutput; i++)
            need_value(s, needs, n->body[b]->outputs[i]);
        for (const struct node *m = n->body[b]->first; m; m = m->next)
            need_all(s, needs, m);
    }
}

static void
prepare(struct sort *s)
{
    struct graph *g = s->g;

    s->writers = NEWN(s->arena, struct nodes, g->nvalue + 1);
    s->needs = NEWN(s->arena, struct nodes, g->nnode + 1);
    s->next = NEWN(s->arena, int, g->nnode + 1);
    s->mark = NEWN(s->arena, unsigned char, g->nnode + 1);
    for (struct node *n = g->first; n; n = n->next)
        for (int i = 0; i < n->nout; i++)
            if (n->out[i])
                vec_push(s->arena, &s->writers[n->out[i]->id], n);
    for (struct node *n = g->first; n; n = n->next)
        need_all(s, &s->needs[n->id], n);
}

static bool
cycle(const struct sort *s, const struct node *again, struct diag *d)
{
    struct place_ref at = node_place(s->g, again);
    struct out *o = out_memory(s->arena);
    int i = s->path.n - 1, shown = 0;

    while (i > 0 && s->path.at[i] != again)
        i--;
    for (; i < s->path.n && shown < 8; i++, shown++)
        out_printf(o, "%s'%s'", shown ? ", " : "", s->path.at[i]->name);
    return diag_error(d, &at, "graph-cycle", "its result depends on itself, by way of %s%s",
        out_text(o, NULL), i < s->path.n ? ", .." : "");
}

/* Everything n needs, then n. */
static bool
visit(struct sort *s, struct node *n, struct diag *d)
{
    s->path.n = 0;
    vec_push(s->arena, &s->path, n);
    s->mark[n->id] = ON_PATH;
    while (s->path.n) {
        struct node *top = s->path.at[s->path.n - 1];
        if (s->next[top->id] == s->needs[top->id].n) {
            s->mark[top->id] = DONE;
            vec_push(s->arena, &s->done, top);
            s->path.n--;
            continue;
        }
        struct node *m = s->needs[top->id].at[s->next[top->id]++];
        if (s->mark[m->id] == ON_PATH)
            return cycle(s, m, d);
        if (s->mark[m->id] == NEW_NODE) {
            s->mark[m->id] = ON_PATH;
            vec_push(s->arena, &s->path, m);
        }
    }
    return true;
}

static void
relink(struct graph *g, const struct nodes *order)
{
    g->first = g->last = NULL;
    for (int i = 0; i < order->n; i++) {
        struct node *n = order->at[i];
        n->prev = g->last;
        n->next = NULL;
        if (g->last)
            g->last->next = n;
        else
            g->first = n;
        g->last = n;
    }
}

bool
graph_sort(struct graph *g, struct diag *d)
{
    struct sort s = { .g = g, .arena = arena_new() };
    bool fine = true;

    prepare(&s);
    for (struct node *n = g->first; n && fine; n = n->next) {
        if (s.mark[n->id] == NEW_NODE)
            fine = visit(&s, n, d);
        for (int b = 0; b < n->nbody && fine; b++)
            fine = graph_sort(n->body[b], d);
    }
    if (fine) {
        relink(g, &s.done);
        g->facts |= FACT_ORDER;
    }
    arena_free(s.arena);
    return fine;
}
