/* See proggen.h.  Programs are built as trees, not as text, so that printer and parser
 * have something to agree on.  Operands stay in the ranges of the encodings; loops
 * count down variables that nothing else sets. */
#include "test/unit/proggen.h"

#include <string.h>

#include "test/unit/layers.h"

#define LOCALS 5

struct gen {
    struct arena *arena;
    uint32_t seed;
    struct prog *p;
    int depth, loops[4], nloop; /* counters that may be read */
};

static int64_t
between(struct gen *g, int64_t lo, int64_t hi)
{
    return layer_between(&g->seed, lo, hi);
}

/* ---- expressions */

static struct pexpr *
node(struct gen *g, enum pexpr_kind k, struct pexpr *a, struct pexpr *b)
{
    struct pexpr *e = NEW(g->arena, struct pexpr);

    e->kind = k;
    e->a = a;
    e->b = b;
    return e;
}

static struct pexpr *
number(struct gen *g, uint64_t v)
{
    struct pexpr *e = node(g, PX_CONST, NULL, NULL);

    e->value = v;
    return e;
}

static struct pexpr *
variable(struct gen *g, int index)
{
    struct pexpr *e = node(g, PX_VAR, NULL, NULL);

    e->index = index;
    return e;
}

static struct pexpr *expr(struct gen *g, int depth);

static struct pexpr *
masked(struct gen *g, uint64_t mask, int depth)
{
    return node(g, PX_AND, expr(g, depth), number(g, mask));
}

static struct pexpr *
leaf(struct gen *g)
{
    static const uint64_t wide[] = { 0, 1, 65535, 65536, 0x7fffffff, 0xffffffff, 0x100000000,
        UINT64_MAX };
    static const struct {
        const char *name;
        uint64_t value;
    } names[] = { { "ACC", ISA_ACC }, { "ACCUMULATE", ISA_ACCUMULATE },
        { "GARBAGE", ISA_GARBAGE } };
    struct pexpr *e;
    int64_t i;

    switch (between(g, 0, 9)) {
    case 0:
        return number(g, wide[between(g, 0, 7)]);
    case 1:
        i = between(g, 0, 2);
        e = number(g, names[i].value);
        e->name = names[i].name;
        return e;
    case 2:
    case 3:
        return number(g, (uint64_t)between(g, 0, 20));
    case 4:
    case 5:
        if (g->nloop)
            return variable(g, g->loops[between(g, 0, g->nloop - 1)]);
        /* fall through */
    default:
        return variable(g, (int)between(g, 0, GEN_PARAMS + LOCALS - 1));
    }
}

/* An entry: a constant, a small index, or one of the upper half by index + 4. */
static struct pexpr *
entry(struct gen *g, int depth)
{
    struct pexpr *e = node(g, PX_TABLE, NULL, NULL), *i;

    e->index = (int)between(g, 0, 1);
    i = masked(g, GEN_TABLE / 2 - 1, depth);
    if (between(g, 0, 1))
        i = node(g, PX_ADD, i, number(g, GEN_TABLE / 2));
    e->a = between(g, 0, 3) ? i : number(g, (uint64_t)between(g, 0, GEN_TABLE - 1));
    return e;
}

static struct pexpr *
operand(struct gen *g, int depth)
{
    struct pexpr *e = node(g, PX_RC, NULL, NULL);

    e->a = masked(g, 0x1f, depth);
    e->b = masked(g, 0x7f, depth);
    e->c = masked(g, 0xffffffff, depth);
    return e;
}

static struct pexpr *
expr(struct gen *g, int depth)
{
    if (depth <= 0 || between(g, 0, 4) == 0)
        return leaf(g);
    int64_t k = between(g, PX_TABLE, PX_LOR);
    if (k == PX_TABLE)
        return entry(g, depth - 1);
    if (k == PX_RC)
        return operand(g, depth - 1);
    struct pexpr *a = expr(g, depth - 1);
    struct pexpr *b = k == PX_SHL || k == PX_SHR ? masked(g, 63, depth - 1) : expr(g, depth - 1);
    return node(g, (enum pexpr_kind)k, a, b);
}

/* ---- statements */

static struct pstmt *
statement(struct gen *g, enum pstmt_kind k)
{
    struct pstmt *s = NEW(g->arena, struct pstmt);

    s->kind = k;
    return s;
}

static struct pstmt *block(struct gen *g, int depth, int most);

static struct pstmt *
set(struct gen *g, int var, struct pexpr *e)
{
    struct pstmt *s = statement(g, PS_SET);

    s->var = var;
    s->e[0] = e;
    return s;
}

static int
new_variable(struct gen *g)
{
    g->p->var[g->p->nvar] = arena_printf(g->arena, "i%d", g->p->nvar);
    return g->p->nvar++;
}

static struct pstmt *
command(struct gen *g)
{
    static const int operands[PC_COMMANDS] = { 2, 2, 2, 2, 2, 2, 2, 1, 4, 3, 3, 0 };
    static const uint64_t config_mask[] = { 1, 0xfff, 0xff, 1 };
    struct pstmt *s = statement(g, PS_COMMAND);

    s->command = (enum pcommand)between(g, 0, PC_COMMANDS - 1);
    for (int i = 0; i < operands[s->command]; i++) {
        if (s->command == PC_CONFIG_EX)
            s->e[i] = masked(g, 0xff, 2);
        else if (s->command == PC_CONFIG_LD)
            s->e[i] = masked(g, config_mask[i], 2);
        else if (s->command >= PC_CONFIG_ST)
            s->e[i] = i == 2 ? masked(g, 1, 1)
                : i == 1     ? number(g, 0x3f000000)
                             : masked(g, 0xffff, 2);
        else
            s->e[i] = between(g, 0, 2) ? expr(g, 3) : operand(g, 1);
    }
    return s;
}

static struct pstmt *
branch(struct gen *g, int depth)
{
    struct pstmt *s = statement(g, PS_IF);

    s->e[0] = expr(g, 2);
    s->body = block(g, depth - 1, 3);
    if (between(g, 0, 1))
        s->other = between(g, 0, 1) ? branch(g, depth - 1) : block(g, depth - 1, 2);
    return s;
}

static struct pstmt *
for_loop(struct gen *g, int depth)
{
    struct pstmt *s = statement(g, PS_FOR);

    s->e[0] = between(g, 0, 3) ? masked(g, 3, 1) : number(g, (uint64_t)between(g, 0, 3));
    s->var = new_variable(g);
    g->loops[g->nloop++] = s->var;
    s->body = block(g, depth - 1, 3);
    g->nloop--;
    return s;
}

/* w = small; while (w != 0) { ...  w -= 1; } */
static struct pstmt *
while_loop(struct gen *g, int depth)
{
    int w = new_variable(g);
    struct pstmt *first = set(g, w, masked(g, 3, 1)), *s = statement(g, PS_WHILE), *end;

    s->e[0] = node(g, PX_NE, variable(g, w), number(g, 0));
    g->loops[g->nloop++] = w;
    s->body = block(g, depth - 1, 3);
    g->nloop--;
    for (end = s->body; end->next;)
        end = end->next;
    end->next = set(g, w, node(g, PX_SUB, variable(g, w), number(g, 1)));
    first->next = s;
    return first;
}

static struct pstmt *
one(struct gen *g, int depth)
{
    struct pstmt *s;
    enum pexpr_kind k;
    int v = (int)between(g, GEN_PARAMS, GEN_PARAMS + LOCALS - 1);

    switch (between(g, 0, depth > 0 && g->nloop < 4 ? 9 : 5)) {
    case 0:
    case 1:
        return set(g, v, expr(g, 3));
    case 2:
        k = between(g, 0, 1) ? PX_ADD : PX_SUB;
        return set(g, v, node(g, k, variable(g, v), expr(g, 2)));
    case 3:
        s = statement(g, PS_NOTE);
        s->text = arena_printf(g->arena, "note %d of several", (int)between(g, 1, 99));
        return s;
    case 4:
    case 5:
        return command(g);
    case 6:
    case 7:
        return branch(g, depth);
    case 8:
        return for_loop(g, depth);
    default:
        return while_loop(g, depth);
    }
}

static struct pstmt *
block(struct gen *g, int depth, int most)
{
    struct pstmt *first = NULL, **tail = &first;

    for (int64_t n = between(g, 1, most); n > 0; n--)
        for (*tail = one(g, depth); *tail;)
            tail = &(*tail)->next;
    return first;
}

struct prog *
gen_prog(struct arena *a, uint32_t seed)
{
    struct prog *p = NEW(a, struct prog);
    struct gen g = { .arena = a, .seed = seed, .p = p };
    struct pstmt **tail = &p->body;

    p->name = "random";
    p->doc = "Made up.\nNobody needs it.";
    p->var = NEWN(a, const char *, 4096);
    p->table = NEWN(a, const char *, 2);
    p->table[0] = "t";
    p->table[1] = "u";
    p->ntable = 2;
    for (; p->nvar < GEN_PARAMS; p->nvar++)
        p->var[p->nvar] = arena_printf(a, "p%d", p->nvar);
    p->nparam = p->nvar;
    p->var_note = NEWN(a, const char *, GEN_PARAMS);
    p->table_note = NEWN(a, const char *, 2);
    for (int i = 0; i < GEN_PARAMS; i += 2)
        p->var_note[i] = "what it means";
    p->table_note[seed % 2] = "entries, of which there are several";
    for (; p->nvar < GEN_PARAMS + LOCALS; p->nvar++)
        p->var[p->nvar] = arena_printf(a, "v%d", p->nvar);
    for (int i = 0; i < LOCALS; i++) {
        *tail = set(&g, GEN_PARAMS + i, number(&g, (uint64_t)i * 3));
        tail = &(*tail)->next;
    }
    *tail = block(&g, 4, 14);
    return p;
}

struct prog_call
gen_call(struct arena *a, uint32_t seed)
{
    static const int64_t len[2] = { GEN_TABLE, GEN_TABLE };
    uint64_t *args = NEWN(a, uint64_t, GEN_PARAMS);
    uint64_t **tables = NEWN(a, uint64_t *, 2);

    for (int i = 0; i < GEN_PARAMS; i++)
        args[i] = (uint64_t)layer_between(&seed, 0, i < 3 ? 3 : 5000);
    for (int t = 0; t < 2; t++) {
        tables[t] = NEWN(a, uint64_t, GEN_TABLE);
        for (int i = 0; i < GEN_TABLE; i++)
            tables[t][i] = (uint64_t)layer_between(&seed, 0, 100000) << (t ? 20 : 0);
    }
    return (struct prog_call){ args, (const uint64_t *const *)tables, len };
}

/* ---- recordings */

struct recorder {
    struct sink sink;
    struct arena *arena;
    struct recording *r;
};

static bool
keep(struct sink *s, int hart, const struct isa_cmd *c, uint64_t *result)
{
    struct recorder *k = (struct recorder *)s;
    struct recording *r = k->r;

    (void)hart;
    (void)result;
    if (r->limit && r->n == r->limit)
        return false;
    if (r->n == r->cap) {
        struct isa_cmd *more = NEWN(k->arena, struct isa_cmd, r->cap ? 4 * r->cap : 256);
        if (r->n)
            memcpy(more, r->at, (size_t)r->n * sizeof *more);
        r->at = more;
        r->cap = r->cap ? 4 * r->cap : 256;
    }
    r->at[r->n++] = *c;
    return true;
}

static bool
keep_fence(struct sink *s, int hart)
{
    return keep(s, hart, &(struct isa_cmd){ RECORDED_FENCE, 0, 0 }, NULL);
}

static void
count(struct sink *s, int hart, uint64_t n)
{
    (void)hart;
    ((struct recorder *)s)->r->instructions += n;
}

bool
record(struct arena *a, const struct prog *p, const struct prog_call *c, struct recording *r)
{
    struct recorder k = { { keep, keep_fence, NULL, count }, a, r };

    return prog_walk(p, c, &k.sink, 0);
}

bool
recording_equal(const struct recording *a, const struct recording *b)
{
    if (a->n != b->n)
        return false;
    for (int64_t i = 0; i < a->n; i++)
        if (a->at[i].funct != b->at[i].funct || a->at[i].rs1 != b->at[i].rs1
            || a->at[i].rs2 != b->at[i].rs2)
            return false;
    return true;
}

/* ---- equality: variables by name, since a proc that is printed expanded gives them
 * other numbers */

struct pair {
    const struct prog *a, *b;
};

static bool
same_variable(const struct pair *p, int a, int b)
{
    return strcmp(p->a->var[a], p->b->var[b]) == 0;
}

static bool
same_expr(const struct pair *p, const struct pexpr *a, const struct pexpr *b)
{
    if (!a || !b)
        return a == b;
    if (a->kind != b->kind || !a->name != !b->name || (a->name && strcmp(a->name, b->name) != 0))
        return false;
    if (a->kind == PX_CONST && a->value != b->value)
        return false;
    if (a->kind == PX_VAR && !same_variable(p, a->index, b->index))
        return false;
    if (a->kind == PX_TABLE && a->index != b->index)
        return false;
    return same_expr(p, a->a, b->a) && same_expr(p, a->b, b->b) && same_expr(p, a->c, b->c);
}

static bool
same_list(const struct pair *p, const struct pstmt *a, const struct pstmt *b)
{
    for (; a && b; a = a->next, b = b->next) {
        bool names = a->kind == PS_SET || a->kind == PS_FOR;
        if (a->kind != b->kind || (a->kind == PS_COMMAND && a->command != b->command))
            return false;
        if (names && !same_variable(p, a->var, b->var))
            return false;
        if (a->kind == PS_NOTE && strcmp(a->text, b->text) != 0)
            return false;
        for (int i = 0; i < 4; i++)
            if (!same_expr(p, a->e[i], b->e[i]))
                return false;
        if (!same_list(p, a->body, b->body) || !same_list(p, a->other, b->other))
            return false;
    }
    return !a && !b;
}

/* Some may be NULL. */
static bool
same_names(const char *const *a, const char *const *b, int n)
{
    for (int i = 0; i < n; i++)
        if (!a[i] != !b[i] || (a[i] && strcmp(a[i], b[i]) != 0))
            return false;
    return true;
}

bool
prog_same(const struct prog *a, const struct prog *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->doc, b->doc) == 0 && a->nvar == b->nvar
        && a->nparam == b->nparam && a->ntable == b->ntable && same_names(a->var, b->var, a->nparam)
        && same_names(a->table, b->table, a->ntable)
        && same_names(a->var_note, b->var_note, a->nparam)
        && same_names(a->table_note, b->table_note, a->ntable)
        && same_list(&(struct pair){ a, b }, a->body, b->body);
}
