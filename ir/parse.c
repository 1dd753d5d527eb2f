/* Reads text IR (grammar: print.c).  It stops at the first error, and what it gives
 * back has passed ir_verify: the text may come from anywhere. */
#include <string.h>

#include "ir/parse.h"
#include "ir/pass.h"

static struct named *
known(const struct parse *p, const char *name)
{
    for (; p; p = p->around) {
        struct named *v = map_get(p->names, name);
        if (v)
            return v;
    }
    return NULL;
}

static struct named *
add_name(struct parse *p, const char *name, struct value *v)
{
    struct named *m = NEW(p->g->arena, struct named);

    m->v = v;
    m->line = p->l->at;
    map_set(p->names, name, m);
    vec_push(p->g->arena, &p->all, m);
    return m;
}

struct named *
parse_mention(struct parse *p)
{
    const char *name = p->l->text;
    struct named *v = known(p, name);

    if (!v)
        v = add_name(p, name, graph_value(p->g, name, NULL));
    lex_next(p->l);
    return v;
}

enum kind { INPUT, CONST, VALUE };

/* After the keyword. */
static bool
parse_declaration(struct parse *p, enum kind kind)
{
    struct lex *l = p->l;
    const char *name = l->text;
    struct value *v;

    if (l->kind != LEX_VALUE)
        return lex_fail(l, "a value is wanted, not %s", lex_seen(l));
    if (known(p, name))
        return lex_fail(l, "'%s' was used or declared above", name);
    v = kind == INPUT ? graph_input(p->g, name, NULL) : graph_value(p->g, name, NULL);
    add_name(p, name, v)->declared = true;
    lex_next(l);
    if (!lex_expect(l, ':') || !parse_type(p, v))
        return false;
    if (kind == VALUE || (kind == INPUT && !lex_is(l, '=')))
        return true;
    if (!lex_expect(l, '='))
        return false;
    v->data = parse_data(p, &v->type);
    return v->data;
}

/* After `state`. */
static bool
parse_state(struct parse *p)
{
    struct graph *g = p->g;
    struct state *s = NEWN(g->arena, struct state, g->nstate + 1), *now = s + g->nstate;
    struct named *in, *out;

    if (g->nstate)
        memcpy(s, g->states, (size_t)g->nstate * sizeof *s);
    if (p->l->kind != LEX_VALUE)
        return lex_fail(p->l, "a value is wanted, not %s", lex_seen(p->l));
    in = parse_mention(p);
    if (!lex_expect(p->l, '-') || !lex_expect(p->l, '>'))
        return false;
    if (p->l->kind != LEX_VALUE)
        return lex_fail(p->l, "a value is wanted, not %s", lex_seen(p->l));
    out = parse_mention(p);
    if (!in->declared || in->v->is_input || in->v->data || in->v->home != g || out->v->home != g)
        return lex_fail(p->l, "'%s' cannot be the state; declare it with 'value'", in->v->name);
    now->in = in->v;
    now->out = out->v;
    if (lex_accept(p->l, '=')) {
        now->init = parse_data(p, &in->v->type);
        if (!now->init)
            return false;
    }
    g->states = s;
    g->nstate++;
    return true;
}

static bool
parse_output(struct parse *p)
{
    struct value *v;

    if (p->l->kind != LEX_VALUE)
        return lex_fail(p->l, "a value is wanted, not %s", lex_seen(p->l));
    v = parse_mention(p)->v;
    if (v->home == p->g) {
        graph_output(p->g, v);
        return true;
    }
    /* A nested graph may hand on a value of the one around, whose flag is not its. */
    bool flag = v->is_output;
    graph_output(p->g, v);
    v->is_output = flag;
    return true;
}

static bool
parse_line(struct parse *p)
{
    struct lex *l = p->l;

    if (lex_accept_word(l, "input"))
        return parse_declaration(p, INPUT);
    if (lex_accept_word(l, "const"))
        return parse_declaration(p, CONST);
    if (lex_accept_word(l, "value"))
        return parse_declaration(p, VALUE);
    if (lex_accept_word(l, "state"))
        return parse_state(p);
    if (lex_accept_word(l, "output"))
        return parse_output(p);
    return parse_node(p);
}

/* Everything mentioned must have been defined in the end. */
static bool
all_defined(struct parse *p)
{
    for (int i = 0; i < p->all.n; i++) {
        const struct named *v = p->all.at[i];
        if (v->declared)
            continue;
        p->l->at = v->line;
        return lex_fail(p->l, "'%s' is read here and defined nowhere", v->v->name);
    }
    return true;
}

bool
parse_lines(struct parse *p)
{
    bool fine = true;

    p->names = map_new(p->g->arena);
    p->syms = map_new(p->g->arena);
    while (fine && !p->l->failed && p->l->kind != LEX_END && !lex_is(p->l, '}'))
        fine = parse_line(p);
    fine = fine && !p->l->failed && all_defined(p);
    map_free(p->names);
    map_free(p->syms);
    return fine;
}

static bool
parse_stage(struct lex *l, struct graph *g)
{
    static const char *const names[] = { "net", "qnet", "machine" };

    for (unsigned i = 0; i < 3; i++) {
        if (!lex_accept_word(l, names[i]))
            continue;
        g->stage = (enum stage)(1u << i);
        return true;
    }
    return lex_fail(l, "net, qnet or machine is wanted, not %s", lex_seen(l));
}

static bool
parse_facts(struct lex *l, struct graph *g)
{
    static const char *const names[] = { "types", "order", "ranges", "layout", "buffers" };

    if (!lex_expect(l, '('))
        return false;
    do {
        unsigned i = 0;
        while (i < 5 && !lex_accept_word(l, names[i]))
            i++;
        if (i == 5)
            return lex_fail(l, "there is no fact %s", lex_seen(l));
        g->facts |= 1u << i;
    } while (lex_accept(l, ','));
    return lex_expect(l, ')');
}

static bool
parse_header(struct lex *l, struct graph *g)
{
    int64_t n;

    if (!lex_accept_word(l, "graph"))
        return lex_fail(l, "the text does not begin with 'graph'");
    g->name = lex_string(l, "the graph's name");
    for (;;) {
        bool fine = true;
        if (lex_accept_word(l, "opset")) {
            fine = lex_int(l, 0, 10000, &n);
            g->opset = (int)n;
        } else if (lex_accept_word(l, "stage")) {
            fine = parse_stage(l, g);
        } else if (lex_accept_word(l, "facts")) {
            fine = parse_facts(l, g);
        } else if (lex_accept_word(l, "recipe")) {
            g->recipe = lex_string(l, "the recipe");
        } else if (lex_accept_word(l, "labels")) {
            g->labels = lex_string(l, "the labels");
        } else {
            return !l->failed;
        }
        if (!fine)
            return false;
    }
}

struct graph *
ir_parse(struct arena *a, struct diag *d, const char *file, const char *text, size_t len)
{
    struct lex l = { .arena = a, .diag = d, .file = file };
    struct graph *g = graph_new(a, file);
    struct parse p = { .l = &l, .g = g };

    lex_start(&l, text, len);
    if (!parse_header(&l, g) || !parse_lines(&p))
        return NULL;
    if (l.kind != LEX_END) {
        lex_fail(&l, "%s has no meaning here", lex_seen(&l));
        return NULL;
    }
    return ir_verify(g, d) ? g : NULL;
}
