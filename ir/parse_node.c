/* Nodes of text IR (grammar: print.c). */
#include <string.h>

#include "ir/machine.h"
#include "ir/parse.h"

#define DEEPEST 16 /* nested graphs */

struct refs {
    struct named **at;
    int n, cap;
};

/* refs; `_` is a NULL. */
static bool
parse_ref(struct parse *p, struct refs *r)
{
    struct named *v = NULL;

    if (p->l->kind == LEX_VALUE)
        v = parse_mention(p);
    else if (!lex_accept_word(p->l, "_"))
        return lex_fail(p->l, "a value or _ is wanted, not %s", lex_seen(p->l));
    vec_push(p->g->arena, r, v);
    return true;
}

static struct value **
values_of(struct parse *p, const struct refs *r)
{
    struct value **v = NEWN(p->g->arena, struct value *, r->n + 1);

    for (int i = 0; i < r->n; i++)
        v[i] = r->at[i] ? r->at[i]->v : NULL;
    return v;
}

static const struct op_def *
parse_op(struct parse *p)
{
    const char *name = lex_name(p->l, "an operator"), *colons, *near;
    const struct op_def *op;
    char *domain = NULL;

    if (p->l->failed)
        return NULL;
    colons = strstr(name, "::");
    if (colons) {
        domain = arena_strndup(p->g->arena, name, (size_t)(colons - name));
        name = colons + 2;
    }
    op = op_find(domain, name);
    if (op)
        return op;
    near = op_nearest(name);
    if (near)
        lex_fail(p->l, "there is no operator '%s'; is %s meant?", name, near);
    else
        lex_fail(p->l, "there is no operator '%s'", name);
    return NULL;
}

/* Only machine operators share an output. */
static bool
may_write(struct parse *p, const struct op_def *op, const struct refs *outs)
{
    for (int i = 0; i < outs->n; i++) {
        struct named *v = outs->at[i];
        bool shared;
        if (!v)
            continue;
        if (v->v->home != p->g)
            return lex_fail(p->l, "'%s' belongs to the graph around", v->v->name);
        shared = v->v->def && v->v->def->op->traits & OP_MACHINE && op->traits & OP_MACHINE;
        if (v->declared && !shared)
            return lex_fail(p->l, "'%s' is defined twice", v->v->name);
        v->declared = true;
    }
    return true;
}

/* The text of a list, as attr_parse takes it. */
static const char *
parse_list(struct lex *l)
{
    const char *from = l->p;

    lex_next(l);
    while (l->kind == LEX_WORD || lex_is(l, ','))
        lex_next(l);
    if (!lex_is(l, ']')) {
        lex_fail(l, "']' is wanted, not %s", lex_seen(l));
        return "";
    }
    from = arena_strndup(l->arena, from, (size_t)(l->p - from) - 1);
    for (char *s = (char *)(uintptr_t)from; *s; s++)
        if (*s == '\n' || *s == '\t' || *s == '\r')
            *s = ' ';
    lex_next(l);
    return from;
}

static bool
parse_tensor_attr(struct parse *p, const struct attr_def *d, struct node *n)
{
    const struct named *v;

    if (p->l->kind != LEX_VALUE)
        return lex_fail(p->l, "%s is a constant, not %s", d->name, lex_seen(p->l));
    v = parse_mention(p);
    if (!v->v->data)
        return lex_fail(p->l, "'%s' is no constant", v->v->name);
    *(const struct value **)(void *)((char *)n->attr + d->offset) = v->v;
    return true;
}

static bool
parse_attr(struct parse *p, struct node *n, uint64_t *given)
{
    struct lex *l = p->l;
    const char *name = lex_name(l, "an attribute"), *text;
    const struct attr_def *d = attr_find(n->op, name);

    if (l->failed)
        return false;
    if (!d)
        return lex_fail(l, "%s has no attribute '%s'", n->op->name, name);
    if (d - n->op->attrs < 64)
        *given |= (uint64_t)1 << (d - n->op->attrs);
    if (!lex_expect(l, '='))
        return false;
    if (d->kind == ATTR_TENSOR)
        return parse_tensor_attr(p, d, n);
    if (lex_is(l, '['))
        text = parse_list(l);
    else
        text = lex_name(l, "a value for it");
    if (l->failed)
        return false;
    if (!attr_parse(p->g->arena, d, n->attr, text))
        return lex_fail(l, "'%s' is no value for attribute %s", text, name);
    return true;
}

static bool
parse_attrs(struct parse *p, struct node *n)
{
    struct lex *l = p->l;
    uint64_t given = 0;

    if (lex_accept(l, '{')) {
        for (bool first = true; !lex_is(l, '}'); first = false)
            if ((!first && !lex_expect(l, ',')) || !parse_attr(p, n, &given))
                return false;
        lex_next(l);
    }
    for (const struct attr_def *d = n->op->attrs; d && d->name && d - n->op->attrs < 64; d++)
        if (!d->def && d->kind != ATTR_TENSOR && !(given >> (d - n->op->attrs) & 1))
            return lex_fail(l, "%s needs attribute %s", n->op->name, d->name);
    return true;
}

static bool
parse_act(struct lex *l, struct epi_act *act)
{
    double lo, hi;

    if (!lex_real(l, true, &lo) || !lex_expect(l, ',') || !lex_real(l, true, &hi))
        return false;
    act->lo = (float)lo;
    act->hi = (float)hi;
    return true;
}

static bool
parse_pool(struct lex *l, struct m_pool_attr *a)
{
    int64_t *const to[] = { &a->kind, &a->kernel[0], &a->kernel[1], &a->stride[0], &a->stride[1],
        &a->dilation[0], &a->dilation[1], &a->pads[0], &a->pads[1], &a->pads[2], &a->pads[3],
        &a->avg_include_pad };

    for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
        bool positive = i >= 1 && i <= 6;
        if ((i && !lex_expect(l, ',')) || !lex_int(l, positive, 65535, to[i]))
            return false;
    }
    return true;
}

/* After `epi`. */
static bool
parse_epi(struct parse *p, struct node *n)
{
    static const char *const kinds[] = { "bias", "add", "scale", "act", "pool" };
    struct lex *l = p->l;
    struct arena *a = p->g->arena;
    struct value *arg = NULL;
    void *attr = NULL;
    int kind = 0;

    while (kind < 5 && !lex_is_word(l, kinds[kind]))
        kind++;
    if (kind == 5)
        return lex_fail(l, "bias, add, scale, act or pool is wanted, not %s", lex_seen(l));
    lex_next(l);
    if (!lex_expect(l, '('))
        return false;
    if (kind == EPI_ACT) {
        if (!parse_act(l, attr = NEW(a, struct epi_act)))
            return false;
    } else if (kind == EPI_POOL) {
        if (!parse_pool(l, attr = NEW(a, struct m_pool_attr)))
            return false;
    } else {
        if (l->kind != LEX_VALUE)
            return lex_fail(l, "a value is wanted, not %s", lex_seen(l));
        arg = parse_mention(p)->v;
    }
    node_add_epi(p->g, n, (enum epi)kind, arg, attr);
    return lex_expect(l, ')');
}

/* After `from`. */
static bool
parse_from(struct parse *p, struct node *n)
{
    const struct origin **end = &n->from;

    do {
        struct origin *o = NEW(p->g->arena, struct origin);
        o->name = lex_string(p->l, "the name of a node");
        o->op = lex_name(p->l, "an operator");
        *end = o;
        end = &o->next;
    } while (lex_accept(p->l, ','));
    return !p->l->failed;
}

/* After `body`. */
static bool
parse_body(struct parse *p, struct node *n)
{
    struct parse in = { .l = p->l, .around = p, .depth = p->depth + 1 };
    struct graph **bodies = NEWN(p->g->arena, struct graph *, n->nbody + 1);
    bool fine;

    if (in.depth > DEEPEST)
        return lex_fail(p->l, "graphs nested more than %d deep", DEEPEST);
    if (!lex_expect(p->l, '{'))
        return false;
    in.g = graph_new(p->g->arena, p->g->file);
    in.g->outer = p->g;
    in.g->stage = p->g->stage;
    in.g->facts = p->g->facts;
    in.g->opset = p->g->opset;
    fine = parse_lines(&in) && lex_expect(p->l, '}');
    if (n->nbody)
        memcpy(bodies, n->body, (size_t)n->nbody * sizeof *bodies);
    bodies[n->nbody++] = in.g;
    n->body = bodies;
    return fine;
}

static bool
parse_place(struct lex *l, struct node *n)
{
    int64_t core, device;

    if (!lex_int(l, 0, INT16_MAX, &core) || !lex_int(l, -1, INT16_MAX, &device))
        return false;
    n->place = (struct place){ (int16_t)core, (int16_t)device };
    return true;
}

static bool
parse_options(struct parse *p, struct node *n)
{
    struct lex *l = p->l;

    for (;;) {
        bool fine = true;
        if (lex_accept_word(l, "name"))
            n->name = lex_string(l, "a name");
        else if (lex_accept_word(l, "place"))
            fine = parse_place(l, n);
        else if (lex_accept_word(l, "from"))
            fine = parse_from(p, n);
        else if (lex_accept_word(l, "epi"))
            fine = parse_epi(p, n);
        else if (lex_accept_word(l, "body"))
            fine = parse_body(p, n);
        else
            return !l->failed;
        if (!fine)
            return false;
    }
}

static bool
parse_out_types(struct parse *p, struct node *n)
{
    bool first = true;

    if (!lex_accept(p->l, ':'))
        return true;
    for (int i = 0; i < n->nout; i++) {
        if (!n->out[i])
            continue;
        if ((!first && !lex_expect(p->l, ',')) || !parse_type(p, n->out[i]))
            return false;
        first = false;
    }
    return true;
}

bool
parse_node(struct parse *p)
{
    struct lex *l = p->l;
    struct refs ins = { 0 }, outs = { 0 };
    const struct op_def *op;
    struct node *n;

    if (l->kind == LEX_VALUE || lex_is_word(l, "_")) {
        do {
            if (!parse_ref(p, &outs))
                return false;
        } while (lex_accept(l, ','));
        if (!lex_expect(l, '='))
            return false;
    }
    op = parse_op(p);
    if (!op || !may_write(p, op, &outs) || !lex_expect(l, '('))
        return false;
    while (!lex_is(l, ')'))
        if ((ins.n && !lex_expect(l, ',')) || !parse_ref(p, &ins))
            return false;
    lex_next(l);
    n = graph_node(p->g, NULL, op, NULL, values_of(p, &ins), ins.n, values_of(p, &outs), outs.n);
    return parse_attrs(p, n) && parse_options(p, n) && parse_out_types(p, n);
}
