/* Kernel programs: look-ups, arithmetic, specialisation. */
#include "backend/prog.h"

#include <string.h>

int
prog_param(const struct prog *p, const char *name)
{
    for (int i = 0; i < p->nparam; i++)
        if (strcmp(p->var[i], name) == 0)
            return i;
    return -1;
}

int
prog_table(const struct prog *p, const char *name)
{
    for (int i = 0; i < p->ntable; i++)
        if (strcmp(p->table[i], name) == 0)
            return i;
    return -1;
}

uint64_t
prog_apply(enum pexpr_kind k, uint64_t a, uint64_t b)
{
    switch (k) {
    case PX_ADD: return a + b;
    case PX_SUB: return a - b;
    case PX_MUL: return a * b;
    case PX_AND: return a & b;
    case PX_OR: return a | b;
    case PX_XOR: return a ^ b;
    case PX_SHL: return a << (b & 63);
    case PX_SHR: return a >> (b & 63);
    case PX_LT: return a < b;
    case PX_LE: return a <= b;
    case PX_GT: return a > b;
    case PX_GE: return a >= b;
    case PX_EQ: return a == b;
    case PX_NE: return a != b;
    case PX_LAND: return a && b;
    case PX_LOR: return a || b;
    default: BUG("expression kind %d is no operator", (int)k);
    }
}

/* ---- specialisation */

struct fixing {
    struct arena *arena;
    const struct prog *old;
    const uint8_t *fixed;
    const uint64_t *value;
    const int *keep;             /* old variable to new */
};

static struct pexpr *
constant(struct fixing *f, uint64_t value)
{
    struct pexpr *e = NEW(f->arena, struct pexpr);

    e->kind = PX_CONST;
    e->value = value;
    return e;
}

static bool
is_const(const struct pexpr *e, uint64_t value)
{
    return e->kind == PX_CONST && e->value == value;
}

/* 0 or 1, as an operand of && or || that is left alone has to become. */
static struct pexpr *
truth(struct fixing *f, struct pexpr *e)
{
    if (e->kind >= PX_LT)
        return e;
    if (e->kind == PX_CONST)
        return constant(f, e->value != 0);
    struct pexpr *t = constant(f, 0), *r = arena_dup(f->arena, t, sizeof *t);
    r->kind = PX_NE;
    r->a = e;
    r->b = t;
    return r;
}

/* x + 0, x - 0, x * 1, x << 0, x | 0: just x; x && 0, x * 0: 0. */
static struct pexpr *
simplify(struct fixing *f, struct pexpr *e)
{
    struct pexpr *a = e->a, *b = e->b;

    if (a->kind == PX_CONST && b->kind == PX_CONST)
        return constant(f, prog_apply(e->kind, a->value, b->value));
    switch (e->kind) {
    case PX_ADD: case PX_OR: case PX_XOR:
        return is_const(b, 0) ? a : is_const(a, 0) ? b : e;
    case PX_SUB: case PX_SHL: case PX_SHR:
        return is_const(b, 0) ? a : e;
    case PX_MUL:
        if (is_const(a, 0) || is_const(b, 0))
            return constant(f, 0);
        return is_const(b, 1) ? a : is_const(a, 1) ? b : e;
    case PX_LAND:
        if (is_const(a, 0) || is_const(b, 0))
            return constant(f, 0);
        return a->kind == PX_CONST ? truth(f, b) : b->kind == PX_CONST ? truth(f, a) : e;
    case PX_LOR:
        if ((a->kind == PX_CONST && a->value) || (b->kind == PX_CONST && b->value))
            return constant(f, 1);
        return is_const(a, 0) ? truth(f, b) : is_const(b, 0) ? truth(f, a) : e;
    default:
        return e;
    }
}

static struct pexpr *
fix_expr(struct fixing *f, const struct pexpr *old)
{
    if (!old)
        return NULL;
    if (old->kind == PX_VAR && old->index < f->old->nparam && f->fixed[old->index])
        return constant(f, f->value[old->index]);
    struct pexpr *e = arena_dup(f->arena, old, sizeof *old);
    if (e->kind == PX_VAR)
        e->index = f->keep[e->index];
    e->a = fix_expr(f, old->a);
    e->b = fix_expr(f, old->b);
    e->c = fix_expr(f, old->c);
    return e->kind >= PX_ADD ? simplify(f, e) : e;
}

static struct pstmt *fix_list(struct fixing *f, const struct pstmt *list);

/* One statement as what is left of it: nothing, itself, or a branch's statements. */
static struct pstmt *
fix_stmt(struct fixing *f, const struct pstmt *old)
{
    struct pstmt *s = arena_dup(f->arena, old, sizeof *old);

    s->next = NULL;
    if (old->kind == PS_SET || old->kind == PS_FOR)
        s->var = f->keep[old->var];
    for (int i = 0; i < 4; i++)
        s->e[i] = fix_expr(f, old->e[i]);
    if (s->kind == PS_IF && s->e[0]->kind == PX_CONST)
        return fix_list(f, s->e[0]->value ? old->body : old->other);
    if ((s->kind == PS_WHILE || s->kind == PS_FOR) && is_const(s->e[0], 0))
        return NULL;
    s->body = fix_list(f, old->body);
    s->other = fix_list(f, old->other);
    if (s->kind == PS_IF && !s->body && !s->other)
        return NULL;
    return s;
}

static struct pstmt *
fix_list(struct fixing *f, const struct pstmt *list)
{
    struct pstmt *first = NULL, **tail = &first;

    for (; list; list = list->next) {
        *tail = fix_stmt(f, list);
        while (*tail)
            tail = &(*tail)->next;
    }
    return first;
}

/* ---- what nothing reads any more: assignments, then variables and tables */

struct reads { int *var, *table; };

static void
read_expr(struct reads *r, const struct pexpr *e)
{
    if (!e)
        return;
    if (e->kind == PX_VAR)
        r->var[e->index]++;
    if (e->kind == PX_TABLE)
        r->table[e->index]++;
    read_expr(r, e->a);
    read_expr(r, e->b);
    read_expr(r, e->c);
}

/* What x reads of itself does not make x needed. */
static void
read_list(struct reads *r, const struct pstmt *s)
{
    for (; s; s = s->next) {
        int own = s->kind == PS_SET ? r->var[s->var] : 0;
        for (int i = 0; i < 4; i++)
            read_expr(r, s->e[i]);
        if (s->kind == PS_SET)
            r->var[s->var] = own;
        if (s->kind == PS_FOR)
            r->var[s->var]++;
        read_list(r, s->body);
        read_list(r, s->other);
    }
}

static bool
drop_dead(struct pstmt **list, const struct reads *r)
{
    bool dropped = false;

    for (struct pstmt **at = list; *at;) {
        struct pstmt *s = *at;
        dropped |= drop_dead(&s->body, r);
        dropped |= drop_dead(&s->other, r);
        bool empty = s->kind == PS_IF && !s->body && !s->other;
        if (empty || (s->kind == PS_SET && !r->var[s->var])) {
            *at = s->next;
            dropped = true;
        } else {
            at = &s->next;
        }
    }
    return dropped;
}

static void
rename_expr(struct pexpr *e, const int *var, const int *table)
{
    if (!e || (e->kind == PX_CONST && !e->a))
        return;
    if (e->kind == PX_VAR)
        e->index = var[e->index];
    if (e->kind == PX_TABLE)
        e->index = table[e->index];
    rename_expr(e->a, var, table);
    rename_expr(e->b, var, table);
    rename_expr(e->c, var, table);
}

static void
rename_list(struct pstmt *s, const int *var, const int *table)
{
    for (; s; s = s->next) {
        if (s->kind == PS_SET || s->kind == PS_FOR)
            s->var = var[s->var];
        for (int i = 0; i < 4; i++)
            rename_expr(s->e[i], var, table);
        rename_list(s->body, var, table);
        rename_list(s->other, var, table);
    }
}

static void
compact(struct arena *a, struct prog *q, int *keep, int nkeep)
{
    int *var = NEWN(a, int, q->nvar), *table = NEWN(a, int, q->ntable + 1);
    const char **vname = NEWN(a, const char *, q->nvar), **tname = NEWN(a, const char *, q->ntable + 1);
    const char **vnote = NEWN(a, const char *, q->nparam + 1), **tnote = NEWN(a, const char *, q->ntable + 1);
    struct reads r = { var, table };
    int nv = 0, nt = 0, np = 0;

    do {
        memset(var, 0, (size_t)q->nvar * sizeof *var);
        memset(table, 0, (size_t)q->ntable * sizeof *table);
        read_list(&r, q->body);
    } while (drop_dead(&q->body, &r));
    for (int i = 0; i < q->nvar; i++) {
        bool used = var[i] > 0;
        var[i] = used ? nv : -1;
        if (used && i < q->nparam)
            vnote[nv] = q->var_note[i];
        if (used)
            vname[nv++] = q->var[i];
        if (i < q->nparam)
            np = nv;
    }
    for (int i = 0; i < q->ntable; i++) {
        bool used = table[i] > 0;
        table[i] = used ? nt : -1;
        if (used)
            tnote[nt] = q->table_note[i];
        if (used)
            tname[nt++] = q->table[i];
    }
    rename_list(q->body, var, table);
    for (int i = 0; i < nkeep; i++)
        keep[i] = keep[i] < 0 ? -1 : var[keep[i]];
    q->var = vname;
    q->var_note = vnote;
    q->table_note = tnote;
    q->nvar = nv;
    q->nparam = np;
    q->table = tname;
    q->ntable = nt;
}

struct prog *
prog_specialise(struct arena *a, const struct prog *p, const uint8_t *fixed,
                const uint64_t *value, const char *suffix, int *keep)
{
    struct prog *q = arena_dup(a, p, sizeof *p);
    int *map = NEWN(a, int, p->nvar);
    struct fixing f = { a, p, fixed, value, map };

    q->var = NEWN(a, const char *, p->nvar);
    q->var_note = NEWN(a, const char *, p->nparam + 1);
    q->nvar = 0;
    for (int i = 0; i < p->nvar; i++) {
        map[i] = i < p->nparam && fixed[i] ? -1 : q->nvar;
        if (map[i] >= 0 && i < p->nparam)
            q->var_note[q->nvar] = p->var_note[i];
        if (map[i] >= 0)
            q->var[q->nvar++] = p->var[i];
        if (i < p->nparam)
            keep[i] = map[i];
        if (i == p->nparam - 1)
            q->nparam = q->nvar;
    }
    if (*suffix)
        q->name = arena_printf(a, "%s_%s", p->name, suffix);
    q->body = fix_list(&f, p->body);
    compact(a, q, keep, p->nparam);
    return q;
}
