/* Walks the machine graph in order and has every layer planned: on the device where
 * the backend accepts it, else on the core. */
#include <string.h>

#include "backend/backend.h"
#include "src/base/num.h"
#include "src/base/str.h"

struct address
value_address(const struct value *v)
{
    const struct buffer *b = v->buf;
    struct address r = { 0 };

    if (!b)
        BUG("value '%s' has no buffer", v->name);
    r.at = v->type.layout ? v->type.layout->first : 0;
    for (; b->alias; b = b->alias)
        r.at += b->at;
    r.at += b->offset;
    r.space = b->space;
    return r;
}

int64_t
value_pitch(const struct value *v, int axis)
{
    return v->type.layout ? v->type.layout->pitch[axis] : shape_bytes(&v->type, axis + 1);
}

struct address
plan_blob(struct plan *p, const char *what, const void *data, int64_t size)
{
    struct program *g = p->p;
    struct address r = { .space = SPACE_WEIGHTS };

    for (int i = 0; i < g->nblob; i++)
        if (g->blobs[i].size == size && memcmp(g->blobs[i].data, data, (size_t)size) == 0) {
            r.at = g->blobs[i].offset;
            return r;
        }
    if (g->nblob % 32 == 0) {
        struct blob *more = NEWN(g->arena, struct blob, g->nblob + 32);
        if (g->nblob)
            memcpy(more, g->blobs, (size_t)g->nblob * sizeof *more);
        g->blobs = more;
    }
    r.at = g->weight_bytes;
    g->blobs[g->nblob++] = (struct blob){ what, data, size, r.at };
    g->weight_bytes = num_round_up(g->weight_bytes + size, 64);
    return r;
}

static bool
is_fixed(const char *const *fixed, const char *name)
{
    for (; fixed && *fixed; fixed++)
        if (strcmp(*fixed, name) == 0)
            return true;
    return false;
}

static const struct arg *
arg_named(const struct arg *args, int n, const char *name, const char *prog)
{
    for (int i = 0; i < n; i++)
        if (strcmp(args[i].name, name) == 0)
            return &args[i];
    BUG("kernel %s: no argument '%s'", prog, name);
}

/* The program with the same name and flags that an earlier layer made, or a new one. */
static struct prog *
share(struct program *g, struct prog *q)
{
    for (int i = 0; i < g->nprog; i++)
        if (strcmp(g->progs[i]->name, q->name) == 0)
            return g->progs[i];
    if (g->nprog % 8 == 0) {
        struct prog **more = NEWN(g->arena, struct prog *, g->nprog + 8);
        if (g->nprog)
            memcpy(more, g->progs, (size_t)g->nprog * sizeof *more);
        g->progs = more;
    }
    return g->progs[g->nprog++] = q;
}

bool
plan_prog(struct plan *p, const char *file, const char *text, const struct arg *args, int narg,
          const struct arg_table *tables, int ntable, const char *const *fixed)
{
    struct prog *whole = prog_parse(p->p->arena, p->diag, file, text); /* names live on */

    if (!whole)
        return false;
    uint8_t *is = NEWN(p->arena, uint8_t, whole->nparam);
    uint64_t *value = NEWN(p->arena, uint64_t, whole->nparam);
    int *keep = NEWN(p->arena, int, whole->nparam);
    const char *suffix = "";
    for (int i = 0; i < whole->nparam; i++) {
        const struct arg *a = arg_named(args, narg, whole->var[i], whole->name);
        is[i] = is_fixed(fixed, whole->var[i]);
        value[i] = (uint64_t)a->value.at;
        if (is[i] && value[i])
            suffix = arena_printf(p->arena, "%s%s%s", suffix, *suffix ? "_" : "", whole->var[i]);
        if (is[i] && value[i] > 1)
            suffix = arena_printf(p->arena, "%s%llu", suffix, (unsigned long long)value[i]);
    }
    struct prog *q = share(p->p, prog_specialise(p->p->arena, whole, is, value, suffix, keep));
    struct kernel *k = p->k;
    k->prog = q;
    k->narg = q->nparam;
    k->args = NEWN(p->p->arena, struct arg, q->nparam);
    for (int i = 0; i < whole->nparam; i++)
        if (keep[i] >= 0)
            k->args[keep[i]] = *arg_named(args, narg, whole->var[i], whole->name);
    k->ntable = q->ntable;
    k->tables = NEWN(p->p->arena, struct arg_table, q->ntable);
    for (int i = 0; i < q->ntable; i++)
        for (int j = 0; j < ntable; j++)
            if (strcmp(tables[j].name, q->table[i]) == 0)
                k->tables[i] = tables[j];
    return true;
}

/* ---- the whole program */

static bool
wanted_on_core(const struct node *n, const struct pass_options *opt)
{
    for (const char *const *s = opt->on_core; s && *s; s++) {
        if (str_match(*s, n->name))
            return true;
        for (const struct origin *f = n->from; f; f = f->next)
            if (str_match(*s, f->name))
                return true;
    }
    return false;
}

static bool
plan_layer(struct plan *p, struct node *n, const struct backend *b, const struct pass_options *opt)
{
    struct why why = { "asked for by --on-core" };

    p->k->n = n;
    n->kernel = p->k;
    n->place.device = 0;
    if (!wanted_on_core(n, opt) && b->legal(n, p->t, &why) && b->plan(p, &why))
        return true;
    n->place.device = -1;
    p->k->why = arena_strdup(p->p->arena, why.text);
    return core_plan(p);
}

/* Views and joins need no layer: what they give lies where their inputs do. */
static bool
needs_layer(const struct node *n)
{
    const struct buffer *b = n->out[0]->buf;

    if (n->op->traits & OP_VIEW || shape_elems(&n->out[0]->type.shape) == 0)
        return false;                          /* alias-views saw to that */
    return b != NULL;
}

static void
collect_halos(struct program *p)
{
    const struct graph *g = p->g;

    p->halos = NEWN(p->arena, struct halo, g->nvalue);
    for (uint32_t i = 0; i < g->nvalue; i++) {
        const struct value *v = g->values[i];
        if (!v || !v->buf || v->buf->alias || !v->type.layout || v->type.layout->fill == FILL_NONE)
            continue;
        int32_t z = v->type.layout->fill == FILL_LOWEST ? -128 : v->type.quant ? v->type.quant->zero[0] : 0;
        struct address at = { .space = v->buf->space, .at = v->buf->offset };
        p->halos[p->nhalo++] = (struct halo){ at, v->buf->size, (uint8_t)z, v->name };
    }
}

struct program *
program_build(struct arena *a, struct diag *d, struct graph *g, const struct target *t,
              const struct backend *b, const struct pass_options *opt)
{
    struct program *p = NEW(a, struct program);
    bool ok = true;

    p->arena = a;
    p->g = g;
    p->target = t;
    p->layers = NEWN(a, struct kernel *, g->nnode + 1);
    for (struct node *n = g->first; n; n = n->next) {
        if (!needs_layer(n))
            continue;
        struct plan plan = { .p = p, .diag = d, .t = t, .full_search = opt->sched_full };
        plan.arena = arena_new();
        plan.k = NEW(a, struct kernel);
        plan.k->number = p->nlayer;
        if (plan_layer(&plan, n, b, opt))
            p->layers[p->nlayer++] = plan.k;
        else
            ok = false;
        arena_free(plan.arena);
    }
    collect_halos(p);
    return ok ? p : NULL;
}
