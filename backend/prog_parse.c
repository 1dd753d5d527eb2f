/* Kernel programs from text.  Grammar: prog.h.  Procs are expanded where they are
 * called, so that a program has one body and the readers need no calls. */
#include "backend/prog.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/vec.h"
#include "src/machine/isa.h"

enum token { T_END, T_NAME, T_NUMBER, T_OP, T_NOTE };

struct proc { const char *name; struct pstmt *body; };

struct parser {
    struct arena *arena;
    struct diag *diag;
    const char *file, *at;
    int line, depth, params;
    enum token token;
    char text[256];
    uint64_t number;
    bool failed;
    VEC(const char *) vars;
    VEC(const char *) tables;
    VEC(const char *) var_notes, table_notes;
    VEC(struct proc) procs;
};

static const struct { const char *text; enum pexpr_kind kind; int level; } operators[] = {
    { "||", PX_LOR, 1 }, { "&&", PX_LAND, 2 }, { "|", PX_OR, 3 }, { "^", PX_XOR, 4 },
    { "&", PX_AND, 5 }, { "==", PX_EQ, 6 }, { "!=", PX_NE, 6 }, { "<", PX_LT, 7 },
    { "<=", PX_LE, 7 }, { ">", PX_GT, 7 }, { ">=", PX_GE, 7 }, { "<<", PX_SHL, 8 },
    { ">>", PX_SHR, 8 }, { "+", PX_ADD, 9 }, { "-", PX_SUB, 9 }, { "*", PX_MUL, 10 },
};
static const struct { const char *name; enum pcommand command; int operands; } commands[] = {
    { "mvin", PC_MVIN, 2 }, { "mvin2", PC_MVIN2, 2 }, { "mvin3", PC_MVIN3, 2 },
    { "mvout", PC_MVOUT, 2 }, { "preload", PC_PRELOAD, 2 },
    { "compute_preloaded", PC_FLIP, 2 }, { "compute_accumulated", PC_STAY, 2 },
    { "config_ex", PC_CONFIG_EX, 1 }, { "config_ld", PC_CONFIG_LD, 4 },
    { "config_st", PC_CONFIG_ST, 3 }, { "config_pool", PC_CONFIG_POOL, 3 },
    { "fence", PC_FENCE, 0 },
};
static const struct { const char *name; uint64_t value; } constants[] = {
    { "ACC", ISA_ACC }, { "ACCUMULATE", ISA_ACCUMULATE }, { "GARBAGE", ISA_GARBAGE },
};
#define COUNT(x) ((int)(sizeof(x) / sizeof *(x)))

static void
fail(struct parser *p, const char *what)
{
    struct place_ref at = { .file = p->file, .line = p->line };

    if (!p->failed)
        diag_error(p->diag, &at, "prog-syntax", "%s near '%s'", what, p->text);
    p->failed = true;
    p->token = T_END;
}

static void
skip_blank(struct parser *p)
{
    for (; isspace((unsigned char)*p->at); p->at++)
        p->line += *p->at == '\n';
}

static void
take(struct parser *p, enum token t, size_t n)
{
    if (n >= sizeof p->text) {
        fail(p, "a line or name is too long");
        return;
    }
    memcpy(p->text, p->at, n);
    p->text[n] = 0;
    p->at += n;
    p->token = t;
}

static void
advance(struct parser *p)
{
    if (p->failed)
        return;
    skip_blank(p);
    if (*p->at == 0) {
        take(p, T_END, 0);
    } else if (*p->at == '#') {
        p->at += 1 + (p->at[1] == ' ');
        take(p, T_NOTE, strcspn(p->at, "\n"));
    } else if (isalpha((unsigned char)*p->at) || *p->at == '_') {
        size_t n = 1;
        while (isalnum((unsigned char)p->at[n]) || p->at[n] == '_')
            n++;
        take(p, T_NAME, n);
    } else if (isdigit((unsigned char)*p->at)) {
        char *end;
        errno = 0;
        p->number = strtoull(p->at, &end, 0);
        take(p, T_NUMBER, (size_t)(end - p->at));
        if (errno)
            fail(p, "a number is too large");
    } else {
        static const char *const pairs[] = { "||", "&&", "==", "!=", "<=", ">=", "<<", ">>", "+=", "-=", "[]" };
        size_t n = 1;
        for (int i = 0; i < COUNT(pairs); i++)
            if (strncmp(p->at, pairs[i], 2) == 0)
                n = 2;
        take(p, T_OP, n);
    }
}

static bool
is(const struct parser *p, const char *text)
{
    return (p->token == T_OP || p->token == T_NAME) && strcmp(p->text, text) == 0;
}

static bool
accept(struct parser *p, const char *text)
{
    if (!is(p, text))
        return false;
    advance(p);
    return true;
}

static void
expect(struct parser *p, const char *text)
{
    if (!accept(p, text))
        fail(p, text);
}

static const char *
name(struct parser *p)
{
    const char *s = arena_strdup(p->arena, p->text);

    if (p->token != T_NAME)
        fail(p, "a name is missing");
    advance(p);
    return s;
}

static int
find(const char *const *list, int n, const char *s)
{
    for (int i = 0; i < n; i++)
        if (strcmp(list[i], s) == 0)
            return i;
    return -1;
}

static struct pexpr *
make(struct parser *p, enum pexpr_kind kind, struct pexpr *a, struct pexpr *b)
{
    struct pexpr *e = NEW(p->arena, struct pexpr);

    e->kind = kind;
    e->a = a;
    e->b = b;
    return e;
}

/* Variables need no declaration; parse() checks that each gets a value somewhere. */
static int
variable(struct parser *p, const char *s)
{
    int i = find(p->vars.at, p->vars.n, s);

    if (i >= 0)
        return i;
    vec_push(p->arena, &p->vars, s);
    return p->vars.n - 1;
}

/* What a statement sets: parameters stay as they are, since specialising replaces them. */
static int
target(struct parser *p, const char *s)
{
    int i = variable(p, s);

    if (i < p->params)
        fail(p, "a parameter is set");
    return i;
}

static struct pexpr *expression(struct parser *p, int level);

static struct pexpr *
named(struct parser *p)
{
    struct pexpr *e = make(p, PX_CONST, NULL, NULL);
    const char *s = name(p);

    for (int i = 0; i < COUNT(constants); i++)
        if (strcmp(constants[i].name, s) == 0) {
            e->name = constants[i].name;
            e->value = constants[i].value;
            return e;
        }
    if (strcmp(s, "rc") == 0) {
        e->kind = PX_RC;
        expect(p, "(");
        e->a = expression(p, 1);
        expect(p, ",");
        e->b = expression(p, 1);
        expect(p, ",");
        e->c = expression(p, 1);
        expect(p, ")");
        return e;
    }
    if (accept(p, "[")) {
        e->kind = PX_TABLE;
        e->index = find(p->tables.at, p->tables.n, s);
        e->a = expression(p, 1);
        expect(p, "]");
    } else {
        e->kind = PX_VAR;
        e->index = variable(p, s);
    }
    if (e->index < 0)
        fail(p, "unknown name");
    return e;
}

static struct pexpr *
primary(struct parser *p)
{
    if (p->token == T_NUMBER) {
        struct pexpr *e = make(p, PX_CONST, NULL, NULL);
        e->value = p->number;
        advance(p);
        return e;
    }
    if (accept(p, "(")) {
        struct pexpr *e = expression(p, 1);
        expect(p, ")");
        return e;
    }
    return named(p);
}

static struct pexpr *
expression(struct parser *p, int level)
{
    if (++p->depth > 200)
        fail(p, "nested too deeply");
    if (p->failed)
        return make(p, PX_CONST, NULL, NULL);
    struct pexpr *e = primary(p);

    for (bool again = !p->failed; again;) {
        again = false;
        for (int i = 0; i < COUNT(operators) && p->token == T_OP; i++)
            if (operators[i].level >= level && strcmp(p->text, operators[i].text) == 0) {
                advance(p);
                e = make(p, operators[i].kind, e, expression(p, operators[i].level + 1));
                again = true;
                break;
            }
    }
    p->depth--;
    return e;
}

static struct pstmt *block(struct parser *p);

static struct pstmt *
statement_of(struct parser *p, enum pstmt_kind kind)
{
    struct pstmt *s = NEW(p->arena, struct pstmt);

    s->kind = kind;
    return s;
}

static struct pstmt *
conditional(struct parser *p)
{
    struct pstmt *s = statement_of(p, PS_IF);

    expect(p, "(");
    s->e[0] = expression(p, 1);
    expect(p, ")");
    s->body = block(p);
    if (accept(p, "else"))
        s->other = accept(p, "if") ? conditional(p) : block(p);
    return s;
}

static struct pstmt *
command(struct parser *p, const char *s)
{
    for (int i = 0; i < COUNT(commands); i++) {
        if (strcmp(commands[i].name, s) != 0)
            continue;
        struct pstmt *st = statement_of(p, PS_COMMAND);
        st->command = commands[i].command;
        for (int k = 0; k < commands[i].operands; k++) {
            if (k)
                expect(p, ",");
            st->e[k] = expression(p, 1);
        }
        expect(p, ")");
        expect(p, ";");
        return st;
    }
    for (int i = 0; i < p->procs.n; i++)
        if (strcmp(p->procs.at[i].name, s) == 0) {
            expect(p, ")");
            expect(p, ";");
            return p->procs.at[i].body;
        }
    fail(p, "unknown command");
    return NULL;
}

static struct pstmt *
assignment(struct parser *p, const char *s)
{
    struct pstmt *st = statement_of(p, PS_SET);
    bool plus = is(p, "+="), minus = is(p, "-=");

    if (plus || minus || is(p, "="))
        advance(p);
    else
        fail(p, "an assignment or a command is wanted");
    struct pexpr *e = expression(p, 1);
    st->var = target(p, s);
    if (plus || minus) {
        struct pexpr *v = make(p, PX_VAR, NULL, NULL);
        v->index = st->var;
        e = make(p, plus ? PX_ADD : PX_SUB, v, e);
    }
    st->e[0] = e;
    expect(p, ";");
    return st;
}

/* One statement; a proc definition gives NULL. */
static struct pstmt *
statement(struct parser *p)
{
    if (p->token == T_NOTE) {
        struct pstmt *s = statement_of(p, PS_NOTE);
        s->text = arena_strdup(p->arena, p->text);
        advance(p);
        return s;
    }
    if (accept(p, "if"))
        return conditional(p);
    if (accept(p, "while")) {
        struct pstmt *s = statement_of(p, PS_WHILE);
        expect(p, "(");
        s->e[0] = expression(p, 1);
        expect(p, ")");
        s->body = block(p);
        return s;
    }
    if (accept(p, "for")) {
        struct pstmt *s = statement_of(p, PS_FOR);
        s->var = target(p, name(p));
        expect(p, "<");
        s->e[0] = expression(p, 1);
        s->body = block(p);
        return s;
    }
    if (accept(p, "proc")) {
        struct proc def = { .name = name(p) };
        def.body = block(p);
        vec_push(p->arena, &p->procs, def);
        return NULL;
    }
    const char *s = name(p);
    return accept(p, "(") ? command(p, s) : assignment(p, s);
}

/* Appends copies of the list, so that an expanded proc can stand in many places. */
static struct pstmt **
append(struct parser *p, struct pstmt **tail, const struct pstmt *list)
{
    for (; list; list = list->next) {
        struct pstmt *s = arena_dup(p->arena, list, sizeof *list);
        s->next = NULL;
        *tail = s;
        tail = &s->next;
    }
    return tail;
}

static struct pstmt *
block(struct parser *p)
{
    struct pstmt *first = NULL, **tail = &first;

    if (++p->depth > 200)
        fail(p, "nested too deeply");
    expect(p, "{");
    while (!p->failed && !is(p, "}")) {
        if (p->token == T_END) {
            fail(p, "a block does not end");
            break;
        }
        tail = append(p, tail, statement(p));
    }
    expect(p, "}");
    p->depth--;
    return first;
}

/* Tables come last; without parameters there need not be a ';' before them. */
static bool
parameter(struct parser *p, bool table)
{
    const char *s = name(p);

    table |= p->vars.n == 0 && is(p, "[]");
    if (find(p->vars.at, p->vars.n, s) >= 0 || find(p->tables.at, p->tables.n, s) >= 0)
        fail(p, "a name is there twice");
    if (table) {
        expect(p, "[]");
        vec_push(p->arena, &p->tables, s);
        vec_push(p->arena, &p->table_notes, (const char *)NULL);
    } else {
        vec_push(p->arena, &p->vars, s);
        vec_push(p->arena, &p->var_notes, (const char *)NULL);
    }
    return table;
}

/* A note belongs to the name before it. */
static void
parameter_note(struct parser *p, bool table)
{
    if (p->token != T_NOTE)
        return;
    if (table && p->tables.n)
        p->table_notes.at[p->tables.n - 1] = arena_strdup(p->arena, p->text);
    else if (!table && p->vars.n)
        p->var_notes.at[p->vars.n - 1] = arena_strdup(p->arena, p->text);
    advance(p);
}

static void
parameters(struct parser *p)
{
    bool tables, next;

    expect(p, "(");
    tables = accept(p, ";");
    while (!p->failed && !is(p, ")")) {
        tables = parameter(p, tables);
        next = is(p, ";");
        if (!next && !accept(p, ",") && !is(p, ")") && p->token != T_NOTE)
            fail(p, "',' is missing");
        if (next)
            advance(p);
        parameter_note(p, tables);
        tables |= next;
    }
    expect(p, ")");
}

static void
mark_assigned(const struct pstmt *s, bool *set)
{
    for (; s; s = s->next) {
        if (s->kind == PS_SET || s->kind == PS_FOR)
            set[s->var] = true;
        mark_assigned(s->body, set);
        mark_assigned(s->other, set);
    }
}

static void
check_assigned(struct parser *p, const struct prog *g)
{
    bool *set = NEWN(p->arena, bool, g->nvar + 1);
    struct place_ref at = { .file = p->file };

    mark_assigned(g->body, set);
    for (int i = g->nparam; i < g->nvar && !p->failed; i++)
        if (!set[i])
            p->failed = !diag_error(p->diag, &at, "prog-syntax", "variable '%s' never gets a value", g->var[i]);
}

struct prog *
prog_parse(struct arena *a, struct diag *d, const char *file, const char *text)
{
    struct parser p = { .arena = a, .diag = d, .file = file, .at = text, .line = 1 };
    struct prog *g = NEW(a, struct prog);
    const char *doc = "";

    for (advance(&p); p.token == T_NOTE; advance(&p))
        doc = arena_printf(a, "%s%s%s", doc, *doc ? "\n" : "", p.text);
    expect(&p, "kernel");
    g->name = name(&p);
    parameters(&p);
    g->nparam = p.params = p.vars.n;
    g->body = block(&p);
    if (p.token != T_END)
        fail(&p, "something follows the kernel");
    g->doc = doc;
    g->var_note = p.var_notes.at;
    g->table_note = p.table_notes.at;
    g->var = p.vars.at;
    g->nvar = p.vars.n;
    g->table = p.tables.at;
    g->ntable = p.tables.n;
    if (!p.failed)
        check_assigned(&p, g);
    return p.failed ? NULL : g;
}
