/* Graphs: create, rewire, remove.  Use lists are kept here and only here; an
 * argument of an epilogue is a use with index -1.
 *
 * A node may be given an output that another still writes: the newer one becomes
 * the value's def, and removing the older leaves that alone, so a lowering builds
 * the new nodes first.  Several m.move may fill one value between them; its def is
 * then the last. */
#include <string.h>

#include "ir/ir.h"
#include "src/base/out.h"

struct graph *
graph_new(struct arena *a, const char *file)
{
    struct graph *g = NEW(a, struct graph);

    g->arena = a;
    g->file = file ? arena_strdup(a, file) : NULL;
    g->stage = STAGE_NET;
    return g;
}

static void *
grown(struct arena *a, const void *old, int64_t n, size_t each)
{
    void *p = arena_array(a, (size_t)n, each);

    if (n > 1)
        memcpy(p, old, (size_t)(n - 1) * each);
    return p;
}

static void
new_value(struct graph *g, struct value *v)
{
    if (g->nvalue == g->capvalue) {
        uint32_t cap = g->capvalue ? g->capvalue * 2 : 32;
        struct value **p = NEWN(g->arena, struct value *, cap);
        if (g->nvalue)
            memcpy(p, g->values, g->nvalue * sizeof *p);
        g->values = p;
        g->capvalue = cap;
    }
    v->home = g;
    v->id = g->nvalue;
    g->values[g->nvalue++] = v;
}

struct value *
graph_value(struct graph *g, const char *name, const struct type *t)
{
    struct value *v = NEW(g->arena, struct value);

    new_value(g, v);
    v->name = name && *name ? arena_strdup(g->arena, name)
                            : arena_printf(g->arena, "v%u", (unsigned)v->id);
    if (t)
        v->type = *t;
    else
        v->type.shape.rank = -1;
    return v;
}

struct value *
graph_input(struct graph *g, const char *name, const struct type *t)
{
    struct value *v = graph_value(g, name, t);

    g->inputs = grown(g->arena, g->inputs, g->ninput + 1, sizeof *g->inputs);
    g->inputs[g->ninput++] = v;
    v->is_input = true;
    return v;
}

struct value *
graph_const(struct graph *g, const char *name, const struct type *t, const void *data)
{
    struct value *v = graph_value(g, name, t);

    v->data = data ? data : ""; /* an empty tensor has no bytes */
    return v;
}

void
graph_output(struct graph *g, struct value *v)
{
    g->outputs = grown(g->arena, g->outputs, g->noutput + 1, sizeof *g->outputs);
    g->outputs[g->noutput++] = v;
    v->is_output = true;
}

static void
add_use(struct value *v, struct node *n, int index)
{
    if (v->nuse == v->capuse) {
        int cap = v->capuse ? v->capuse * 2 : 2;
        struct use *p = NEWN(v->home->arena, struct use, cap);
        if (v->nuse)
            memcpy(p, v->uses, (size_t)v->nuse * sizeof *p);
        v->uses = p;
        v->capuse = cap;
    }
    v->uses[v->nuse++] = (struct use){ n, index };
}

static void
drop_use(struct value *v, const struct node *n, int index)
{
    for (int i = 0; i < v->nuse; i++) {
        if (v->uses[i].node != n || v->uses[i].index != index)
            continue;
        v->nuse--;
        memmove(v->uses + i, v->uses + i + 1, (size_t)(v->nuse - i) * sizeof *v->uses);
        return;
    }
    BUG("'%s' does not know its reader '%s', input %d", v->name, n->name, index);
}

static void
link_node(struct graph *g, struct node *n, struct node *at)
{
    n->next = at;
    n->prev = at ? at->prev : g->last;
    if (n->prev)
        n->prev->next = n;
    else
        g->first = n;
    if (at)
        at->prev = n;
    else
        g->last = n;
}

static const char *
made_up_name(struct graph *g, const struct node *n)
{
    const char *out = n->nout && n->out[0] ? n->out[0]->name : "no output";

    return arena_printf(g->arena, "%s %u, %s", n->op->name, (unsigned)n->id, out);
}

struct node *
graph_node(struct graph *g, struct node *at, const struct op_def *op, const char *name,
    struct value *const *in, int nin, struct value *const *out, int nout)
{
    struct node *n = NEW(g->arena, struct node);

    n->id = g->nnode++;
    n->op = op;
    n->in = NEWN(g->arena, struct value *, nin + 1);
    n->out = NEWN(g->arena, struct value *, nout + 1);
    n->nin = nin;
    n->nout = nout;
    n->place.device = -1;
    for (int i = 0; i < nin; i++) {
        n->in[i] = in[i];
        if (in[i])
            add_use(in[i], n, i);
    }
    for (int i = 0; i < nout; i++) {
        n->out[i] = out[i];
        if (!out[i])
            continue;
        out[i]->def = n;
        out[i]->def_index = i;
    }
    n->name = name && *name ? arena_strdup(g->arena, name) : made_up_name(g, n);
    if (op->attr_size) {
        n->attr = arena_alloc(g->arena, op->attr_size);
        attr_defaults(g->arena, op, n->attr);
    }
    link_node(g, n, at);
    return n;
}

void
node_set_input(struct node *n, int i, struct value *v)
{
    if (i < 0 || i >= n->nin)
        BUG("'%s' has no input %d", n->name, i);
    if (n->in[i] == v)
        return;
    if (n->in[i])
        drop_use(n->in[i], n, i);
    n->in[i] = v;
    if (v)
        add_use(v, n, i);
}

void
node_add_input(struct graph *g, struct node *n, struct value *v)
{
    n->in = grown(g->arena, n->in, n->nin + 1, sizeof *n->in);
    n->in[n->nin] = v;
    if (v)
        add_use(v, n, n->nin);
    n->nin++;
}

void
node_remove(struct graph *g, struct node *n)
{
    for (int i = 0; i < n->nin; i++)
        if (n->in[i])
            drop_use(n->in[i], n, i);
    for (const struct epilogue *e = n->epi; e; e = e->next)
        if (e->arg)
            drop_use(e->arg, n, -1);
    for (int i = 0; i < n->nout; i++)
        if (n->out[i] && n->out[i]->def == n)
            n->out[i]->def = NULL;
    if (n->prev)
        n->prev->next = n->next;
    else
        g->first = n->next;
    if (n->next)
        n->next->prev = n->prev;
    else
        g->last = n->prev;
    n->prev = n->next = NULL;
}

static void
replace_use(struct use u, struct value *old, struct value *with)
{
    if (u.index >= 0) {
        u.node->in[u.index] = with;
        return;
    }
    for (struct epilogue *e = u.node->epi; e; e = e->next)
        if (e->arg == old)
            e->arg = with;
}

/* The name of an output is part of the emitted interface: it moves along, unless
 * the new value's own name is. */
static void
replace_output(struct graph *g, struct value *old, struct value *with)
{
    for (int i = 0; i < g->noutput; i++)
        if (g->outputs[i] == old)
            g->outputs[i] = with;
    if (!with->is_output && !with->is_input) {
        const char *name = with->name;
        with->name = old->name;
        old->name = name;
    }
    with->is_output = true;
    old->is_output = false;
}

void
value_replace(struct graph *g, struct value *old, struct value *with)
{
    if (old == with)
        return;
    for (int i = 0; i < old->nuse; i++) {
        replace_use(old->uses[i], old, with);
        add_use(with, old->uses[i].node, old->uses[i].index);
    }
    old->nuse = 0;
    if (old->is_output)
        replace_output(g, old, with);
    for (int i = 0; i < g->nstate; i++)
        if (g->states[i].out == old)
            g->states[i].out = with;
}

void
value_remove(struct graph *g, struct value *v)
{
    if (v->nuse || v->is_output)
        BUG("'%s' is still read", v->name);
    g->values[v->id] = NULL;
    for (int i = 0; v->is_input && i < g->ninput; i++) {
        if (g->inputs[i] != v)
            continue;
        g->ninput--;
        memmove(g->inputs + i, g->inputs + i + 1, (size_t)(g->ninput - i) * sizeof *g->inputs);
        v->is_input = false;
    }
}

struct node *
value_only_user(const struct value *v)
{
    const struct graph *g = v->home;

    if (v->nuse != 1 || v->is_output)
        return NULL;
    for (int i = 0; i < g->nstate; i++)
        if (g->states[i].out == v)
            return NULL;
    return v->uses[0].node;
}

static const struct origin *
own_origin(struct graph *g, const struct node *n)
{
    struct origin *o;

    if (n->from)
        return n->from;
    o = NEW(g->arena, struct origin);
    o->name = n->name;
    o->op = n->op->name;
    return o;
}

/* A node without a list is a model node itself. */
void
node_join_origin(struct graph *g, struct node *into, const struct node *from)
{
    const struct origin *lists[2] = { own_origin(g, into), own_origin(g, from) };
    struct origin *first = NULL, **end = &first;

    for (int k = 0; k < 2; k++) {
        for (const struct origin *o = lists[k]; o; o = o->next) {
            const struct origin *p = first;
            while (p && strcmp(p->name, o->name) != 0)
                p = p->next;
            if (p)
                continue;
            *end = arena_dup(g->arena, o, sizeof *o);
            (*end)->next = NULL;
            end = (struct origin **)&(*end)->next;
        }
    }
    into->from = first;
}

struct epilogue *
node_add_epi(struct graph *g, struct node *n, enum epi kind, struct value *arg, const void *attr)
{
    struct epilogue *e = NEW(g->arena, struct epilogue), **end = &n->epi;

    while (*end)
        end = &(*end)->next;
    *end = e;
    e->kind = kind;
    e->arg = arg;
    e->attr = attr;
    if (arg)
        add_use(arg, n, -1);
    return e;
}

const char *
node_models(struct arena *a, const struct node *n)
{
    struct out *o;

    if (!n->from)
        return n->name;
    o = out_memory(a);
    for (const struct origin *f = n->from; f; f = f->next)
        out_printf(o, "%s%s", f->name, f->next ? " + " : "");
    return out_text(o, NULL);
}

struct place_ref
node_place(const struct graph *g, const struct node *n)
{
    return (struct place_ref){ .file = g->file, .node = n->name, .op = n->op->name };
}
