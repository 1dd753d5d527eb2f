/* Runs a graph with the reference kernels, node by node in list order.  Values are
 * dropped after their last reader.
 *
 * A node on quantized values has no integer kernel unless it is a machine operator
 * or only a view: its inputs are made real, the float kernel runs, then the
 * epilogues, then the result is quantized.  That is the definition the machine
 * graph is judged by.  State tensors start from their init; nothing is carried to
 * the next run. */
#include <string.h>

#include "ir/epi.h"
#include "ir/ir.h"

struct cell { /* a value while the graph runs */
    const void *p;
    struct arena *own; /* holds p; NULL: borrowed */
    int left;          /* readers to come */
};

struct run {
    const struct interp *r;
    struct graph *g;
    struct diag *diag;
    struct cell *cell; /* by value id */
};

/* One node's evaluation. */
struct job {
    const struct graph *g; /* NULL: interp_node */
    const struct node *n;
    struct arena *arena;
    const void *const *in;
    void *const *out;
    struct run *run; /* for epilogue arguments */
    bool real, original;
};

static bool
any_quant(const struct node *n)
{
    for (int i = 0; i < n->nin; i++)
        if (n->in[i] && n->in[i]->type.quant)
            return true;
    for (int i = 0; i < n->nout; i++)
        if (n->out[i] && n->out[i]->type.quant)
            return true;
    return false;
}

/* A view of the same numbers moves stored ones. */
static bool
moves_stored(const struct node *n)
{
    const struct type *y = &n->out[0]->type;

    if (!(n->op->traits & OP_VIEW) || n->epi)
        return false;
    for (int i = 0; i < n->nin; i++) {
        const struct type *x = n->in[i] ? &n->in[i]->type : NULL;
        if (x && (x->quant || i == 0) && (x->dt != y->dt || !quant_equal(x->quant, y->quant)))
            return false;
    }
    return true;
}

static bool
runs_real(const struct node *n)
{
    enum quant_rule q = n->op->quant;

    if (n->op->traits & OP_MACHINE || q == Q_FLOAT || q == Q_NONE)
        return false;
    return any_quant(n) && !moves_stored(n);
}

/* A value as the float kernel sees it; data: what it holds. */
static struct value *
real_value(const struct job *j, struct value *v, const void **data)
{
    struct value *s;
    float *f;

    if (!v || !v->type.quant)
        return v;
    s = arena_dup(j->arena, v, sizeof *v);
    s->type.dt = DT_F32;
    s->type.quant = NULL;
    s->type.layout = NULL;
    if (data && j->original && v->real) {
        *data = v->real->data;
    } else if (data && *data) {
        f = NEWN(j->arena, float, shape_elems(&v->type.shape));
        quant_to_real(&v->type, *data, f);
        *data = f;
    }
    s->data = v->data && data ? *data : NULL;
    return s;
}

static const void *
epi_arg(void *ctx, const struct value *v)
{
    const struct job *j = ctx;
    const void *p = j->run && v->home == j->run->g ? j->run->cell[v->id].p : v->data;
    float *f;

    if (!p || v->type.dt == DT_F32)
        return p;
    f = NEWN(j->arena, float, shape_elems(&v->type.shape));
    quant_to_real(&v->type, p, f);
    return f;
}

/* The node with its own arrays, real types where it runs real, and outputs as they
 * are before an epilogue that pools. */
static struct node *
shadow(const struct job *j, const void **in)
{
    const struct node *n = j->n;
    struct node *s = arena_dup(j->arena, n, sizeof *n);
    struct infer q = { .n = s, .arena = j->arena };

    s->in = NEWN(j->arena, struct value *, n->nin + 1);
    s->out = NEWN(j->arena, struct value *, n->nout + 1);
    for (int i = 0; i < n->nin; i++) {
        in[i] = j->in[i];
        s->in[i] = j->real ? real_value(j, n->in[i], &in[i]) : n->in[i];
    }
    for (int i = 0; i < n->nout; i++)
        s->out[i] = j->real ? real_value(j, n->out[i], NULL) : n->out[i];
    if (!epi_pools(n) || !n->op->infer)
        return s;
    s->out[0] = arena_dup(j->arena, s->out[0], sizeof *s->out[0]);
    s->attr = n->attr ? arena_dup(j->arena, n->attr, n->op->attr_size) : NULL;
    q.g = graph_new(j->arena, NULL);
    q.opset = j->g ? j->g->opset : 0;
    q.diag = diag_new(j->arena, NULL);
    q.at = node_place(q.g, n);
    if (!n->op->infer(&q))
        BUG("'%s' no longer infers", n->name);
    diag_free(q.diag);
    return s;
}

/* What the kernel made, through the epilogues and into the node's output. */
static bool
finish(struct job *j, int i, const struct value *made, void *data)
{
    const struct type *want = &j->n->out[i]->type;
    struct type t = made->type;

    if (i == 0 && j->n->epi)
        data = epi_apply(j->arena, j->n, &t, data, epi_arg, j);
    if (!data)
        return false;
    if (data == j->out[i])
        return true;
    if (j->real && want->quant)
        quant_from_real(want, data, j->out[i]);
    else
        memcpy(j->out[i], data, (size_t)shape_bytes(want, 0));
    return true;
}

static bool
evaluate(struct job *j)
{
    const struct node *n = j->n;
    const void **in = NEWN(j->arena, const void *, n->nin + 1);
    void **out = NEWN(j->arena, void *, n->nout + 1);
    struct eval e = { .arena = j->arena, .in = in, .out = out };
    struct node *s;

    if (!n->op->eval)
        return false;
    j->real = runs_real(n);
    s = shadow(j, in);
    for (int i = 0; i < n->nout; i++) {
        bool temp = n->out[i] && ((j->real && n->out[i]->type.quant) || (i == 0 && epi_pools(n)));
        out[i] = temp ? arena_alloc(j->arena, (size_t)shape_bytes(&s->out[i]->type, 0)) : j->out[i];
    }
    e.n = s;
    n->op->eval(&e);
    for (int i = 0; i < n->nout; i++)
        if (n->out[i] && !finish(j, i, s->out[i], out[i]))
            return false;
    return true;
}

bool
interp_node(struct arena *a, const struct node *n, const void *const *in, void *const *out)
{
    struct job j = { .n = n, .arena = arena_new(), .in = in, .out = out };
    bool fine = evaluate(&j);

    (void)a;
    arena_free(j.arena);
    return fine;
}

static void
drop(struct run *r, const struct value *v)
{
    struct cell *c = &r->cell[v->id];

    if (v->home != r->g || --c->left > 0 || !c->own)
        return;
    arena_free(c->own);
    *c = (struct cell){ 0 };
}

/* Zeros: what several writers leave out is then at least the same every time. */
static void *
own_buffer(struct run *r, const struct value *v)
{
    struct cell *c = &r->cell[v->id];

    if (!c->own) {
        c->own = arena_new();
        c->p = arena_alloc(c->own, (size_t)shape_bytes(&v->type, 0));
    }
    return (void *)(uintptr_t)c->p;
}

static void
bind(struct run *r)
{
    const struct graph *g = r->g;

    for (uint32_t i = 0; i < g->nvalue; i++) {
        const struct value *v = g->values[i];
        if (!v)
            continue;
        r->cell[i].p = v->data;
        r->cell[i].left = v->nuse + v->is_output;
    }
    for (int i = 0; i < g->ninput; i++)
        if (r->r->inputs[i])
            r->cell[g->inputs[i]->id].p = r->r->inputs[i];
    for (int i = 0; i < g->nstate; i++) {
        const struct value *v = g->states[i].in;
        r->cell[v->id].left++; /* freed with the run */
        r->cell[g->states[i].out->id].left++;
        if (g->states[i].init)
            r->cell[v->id].p = g->states[i].init;
        else
            own_buffer(r, v);
    }
}

static const void *
lookup(const struct run *r, const struct node *n, int i)
{
    const struct value *v = n->in[i];

    if (!v)
        return NULL;
    if (v->home != r->g)
        return v->data;
    if (!r->cell[v->id].p)
        BUG("'%s' reads '%s' before it is computed", n->name, v->name);
    return r->cell[v->id].p;
}

static bool
step(struct run *r, const struct node *n)
{
    struct arena *scratch = arena_new();
    const void **in = NEWN(scratch, const void *, n->nin + 1);
    void **out = NEWN(scratch, void *, n->nout + 1);
    struct job j = { .g = r->g,
        .n = n,
        .arena = scratch,
        .in = in,
        .out = out,
        .run = r,
        .original = r->r->original };
    struct place_ref at = node_place(r->g, n);
    bool fine;

    for (int i = 0; i < n->nin; i++)
        in[i] = lookup(r, n, i);
    for (int i = 0; i < n->nout; i++)
        out[i] = n->out[i] ? own_buffer(r, n->out[i]) : NULL;
    fine = evaluate(&j);
    arena_free(scratch);
    if (!fine)
        return diag_error(
            r->diag, &at, "interp-kernel", "%s has no reference kernel for this use", n->op->name);
    for (int i = 0; i < n->nout; i++) {
        const struct value *v = n->out[i];
        if (v && v->def == n && r->r->each) /* the last writer of several */
            r->r->each(v, r->cell[v->id].p, r->r->ctx);
        if (v && v->def == n && r->cell[v->id].left <= 0)
            drop(r, v); /* nobody reads it */
    }
    for (int i = 0; i < n->nin; i++)
        if (n->in[i])
            drop(r, n->in[i]);
    for (const struct epilogue *e = n->epi; e; e = e->next)
        if (e->arg)
            drop(r, e->arg);
    return true;
}

static void
deliver(struct run *r, struct arena *a, void **outputs)
{
    for (int i = 0; i < r->g->noutput; i++) {
        const struct value *v = r->g->outputs[i];
        size_t size = (size_t)shape_bytes(&v->type, 0);
        if (!r->cell[v->id].p)
            BUG("output '%s' was not computed", v->name);
        if (!outputs[i])
            outputs[i] = arena_alloc(a, size);
        memcpy(outputs[i], r->cell[v->id].p, size);
    }
}

bool
interp_run(struct arena *a, struct diag *d, const struct interp *i, void **outputs)
{
    struct arena *scratch = arena_new();
    struct run r = { .r = i, .g = i->g, .diag = d };
    bool fine = true;

    r.cell = NEWN(scratch, struct cell, i->g->nvalue + 1);
    bind(&r);
    for (const struct node *n = i->g->first; n && fine; n = n->next)
        fine = step(&r, n);
    if (fine)
        deliver(&r, a, outputs);
    for (uint32_t k = 0; k < i->g->nvalue; k++)
        arena_free(r.cell[k].own);
    arena_free(scratch);
    return fine;
}
