/* Kernel programs as text, which parses back to the same, and as C. */
#include "backend/prog.h"

#include <inttypes.h>
#include <string.h>

#include "src/base/out.h"

static const struct { const char *text; int level; } operators[] = {
    [PX_LOR] = { "||", 1 }, [PX_LAND] = { "&&", 2 }, [PX_OR] = { "|", 3 }, [PX_XOR] = { "^", 4 },
    [PX_AND] = { "&", 5 }, [PX_EQ] = { "==", 6 }, [PX_NE] = { "!=", 6 }, [PX_LT] = { "<", 7 },
    [PX_LE] = { "<=", 7 }, [PX_GT] = { ">", 7 }, [PX_GE] = { ">=", 7 }, [PX_SHL] = { "<<", 8 },
    [PX_SHR] = { ">>", 8 }, [PX_ADD] = { "+", 9 }, [PX_SUB] = { "-", 9 }, [PX_MUL] = { "*", 10 },
};
static const char *const commands[PC_COMMANDS] = {
    [PC_MVIN] = "mvin", [PC_MVIN2] = "mvin2", [PC_MVIN3] = "mvin3", [PC_MVOUT] = "mvout",
    [PC_PRELOAD] = "preload", [PC_FLIP] = "compute_preloaded", [PC_STAY] = "compute_accumulated",
    [PC_CONFIG_EX] = "config_ex", [PC_CONFIG_LD] = "config_ld", [PC_CONFIG_ST] = "config_st",
    [PC_CONFIG_POOL] = "config_pool", [PC_FENCE] = "fence",
};

struct printer {
    const struct prog *p;
    struct out *o;
    bool c;                      /* C, not kernel text */
};

static void
constant(struct printer *w, const struct pexpr *e)
{
    if (e->name)
        out_printf(w->o, "%s%s", w->c ? "GM_" : "", e->name);
    else if (e->value < 65536)
        out_printf(w->o, "%" PRIu64, e->value);
    else
        out_printf(w->o, "0x%" PRIx64 "%s", e->value, w->c && e->value >> 32 ? "u" : "");
}

/* An int to C, where programs have 64 bits. */
static bool
narrow(const struct pexpr *e)
{
    return e->kind >= PX_LT || (e->kind == PX_CONST && !e->name && e->value >> 32 == 0);
}

static void
expr(struct printer *w, const struct pexpr *e, int level)
{
    switch (e->kind) {
    case PX_CONST:
        constant(w, e);
        return;
    case PX_VAR:
        out_puts(w->o, w->p->var[e->index]);
        return;
    case PX_TABLE:
        out_printf(w->o, "%s[", w->p->table[e->index]);
        expr(w, e->a, 1);
        out_puts(w->o, "]");
        return;
    case PX_RC:
        out_puts(w->o, w->c ? "gm_rc(" : "rc(");
        expr(w, e->a, 1);
        out_puts(w->o, ", ");
        expr(w, e->b, 1);
        out_puts(w->o, ", ");
        expr(w, e->c, 1);
        out_puts(w->o, ")");
        return;
    default:
        break;
    }
    int mine = operators[e->kind].level;
    /* C compilers ask for brackets where bit and shift operators mix. */
    bool brackets = mine < level || (w->c && level > 1 && mine < 9);
    out_puts(w->o, brackets ? "(" : "");
    bool shift = e->kind == PX_SHL || e->kind == PX_SHR;
    bool sum = e->kind == PX_ADD || e->kind == PX_SUB || e->kind == PX_MUL;
    bool cast = w->c && narrow(e->a) && (shift || (sum && narrow(e->b)));
    out_puts(w->o, cast ? "(uint64_t)" : "");
    expr(w, e->a, cast ? 11 : mine);
    out_printf(w->o, " %s ", operators[e->kind].text);
    expr(w, e->b, mine + 1);
    out_puts(w->o, brackets ? ")" : "");
}

/* x = x + e prints as x += e. */
static void
assignment(struct printer *w, const struct pstmt *s)
{
    const struct pexpr *e = s->e[0];
    bool update = (e->kind == PX_ADD || e->kind == PX_SUB) && e->a->kind == PX_VAR && e->a->index == s->var;

    out_printf(w->o, "%s %s ", w->p->var[s->var], update ? e->kind == PX_ADD ? "+=" : "-=" : "=");
    expr(w, update ? e->b : e, 1);
    out_puts(w->o, ";\n");
}

static void list(struct printer *w, const struct pstmt *s);

static void
body(struct printer *w, const struct pstmt *s, const char *end)
{
    out_puts(w->o, " {\n");
    out_indent(w->o, 1);
    list(w, s);
    out_indent(w->o, -1);
    out_printf(w->o, "}%s", end);
}

static void
conditional(struct printer *w, const struct pstmt *s, const char *word)
{
    out_printf(w->o, "%s (", word);
    expr(w, s->e[0], 1);
    out_puts(w->o, ")");
    body(w, s->body, s->other ? " else" : "\n");
    if (s->other && s->other->kind == PS_IF && !s->other->next && word[0] == 'i') {
        out_puts(w->o, " ");
        conditional(w, s->other, "if");
    } else if (s->other) {
        body(w, s->other, "\n");
    }
}

static void
loop(struct printer *w, const struct pstmt *s)
{
    const char *v = w->p->var[s->var];

    out_printf(w->o, w->c ? "for (%s = 0; %s < " : "for %s < ", v, v);
    expr(w, s->e[0], w->c ? 8 : 1);
    if (w->c)
        out_printf(w->o, "; %s++)", v);
    body(w, s->body, "\n");
}

static void
command(struct printer *w, const struct pstmt *s)
{
    out_printf(w->o, "%s%s(", w->c ? "gm_" : "", commands[s->command]);
    for (int i = 0; i < 4 && s->e[i]; i++) {
        out_puts(w->o, i ? ", " : "");
        expr(w, s->e[i], 1);
    }
    out_puts(w->o, ");\n");
}

static void
list(struct printer *w, const struct pstmt *s)
{
    for (; s; s = s->next)
        switch (s->kind) {
        case PS_SET: assignment(w, s); break;
        case PS_IF: conditional(w, s, "if"); break;
        case PS_WHILE: conditional(w, s, "while"); break;
        case PS_FOR: loop(w, s); break;
        case PS_COMMAND: command(w, s); break;
        case PS_NOTE: out_printf(w->o, w->c ? "/* %s */\n" : "# %s\n", s->text); break;
        }
}

static void
parameter(struct out *o, const char *name, const char *brackets, const char *end, const char *note)
{
    out_printf(o, "%s%s%s%s%s\n", name, brackets, end, note ? "  # " : "", note ? note : "");
}

void
prog_print(const struct prog *p, struct out *o)
{
    struct printer w = { p, o, false };

    for (const char *s = p->doc; *s;) {
        size_t n = strcspn(s, "\n");
        out_printf(o, "# %.*s\n", (int)n, s);
        s += n + (s[n] != 0);
    }
    out_printf(o, "kernel %s(\n", p->name);
    out_indent(o, 1);
    for (int i = 0; i < p->nparam; i++)
        parameter(o, p->var[i], "", i + 1 == p->nparam ? p->ntable ? ";" : "" : ",", p->var_note[i]);
    for (int i = 0; i < p->ntable; i++)
        parameter(o, p->table[i], "[]", i + 1 == p->ntable ? "" : ",", p->table_note[i]);
    out_indent(o, -1);
    out_puts(o, ")");
    body(&w, p->body, "\n");
}

void
prog_print_c(const struct prog *p, struct out *o)
{
    struct printer w = { p, o, true };

    list(&w, p->body);
}
