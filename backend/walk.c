/* Runs a kernel program into a command sink: what the compiled program would issue,
 * in its order.  Core instructions between commands are counted as the compiled code
 * has them: one per operator and table entry (a constant added to an index is part of
 * the load), one per branch (a comparison is part of it). */
#include "backend/prog.h"

#include <string.h>

#include "src/machine/isa.h"

struct walk {
    const struct prog *p;
    const struct prog_call *call;
    struct sink *sink;
    int hart;
    uint64_t *var;
    uint64_t instructions;
    bool refused;
};

static uint64_t
value(struct walk *w, const struct pexpr *e)
{
    switch (e->kind) {
    case PX_CONST:
        return e->value;
    case PX_VAR:
        return w->var[e->index];
    case PX_TABLE: {
        bool offset = e->a->kind == PX_ADD && e->a->b->kind == PX_CONST;
        uint64_t i = offset ? value(w, e->a->a) + e->a->b->value : value(w, e->a);
        w->instructions++;
        if (i >= (uint64_t)w->call->table_len[e->index])
            BUG("kernel %s reads entry %llu of table %s", w->p->name, (unsigned long long)i,
                w->p->table[e->index]);
        return w->call->tables[e->index][i];
    }
    case PX_RC:
        w->instructions++;       /* mostly constants, joined outside of loops */
        return isa_operand((uint32_t)value(w, e->c), (unsigned)value(w, e->a), (unsigned)value(w, e->b));
    case PX_LAND:
        w->instructions++;
        return value(w, e->a) && value(w, e->b);
    case PX_LOR:
        w->instructions++;
        return value(w, e->a) || value(w, e->b);
    default:
        w->instructions++;
        return prog_apply(e->kind, value(w, e->a), value(w, e->b));
    }
}

static struct isa_cmd
config(enum pcommand c, const uint64_t *e)
{
    if (c == PC_CONFIG_EX)
        return isa_encode_ex(&(struct isa_config_ex){ .ws = true, .a_stride = (unsigned)e[0],
                                                      .c_stride = 1, .scale = 1 });
    if (c == PC_CONFIG_LD)
        return isa_encode_ld(&(struct isa_config_ld){ .state = (unsigned)e[0], .stride = e[1],
            .block_stride = (unsigned)e[2], .shrink = e[3] != 0, .repeats = 1, .scale = 1 });
    struct isa_config_st st = { .stride = (uint32_t)e[0], .act = (unsigned)e[2] };
    uint32_t bits = (uint32_t)e[1];
    memcpy(&st.scale, &bits, sizeof bits);
    if (c == PC_CONFIG_ST)
        return isa_encode_st(&st);
    return (struct isa_cmd){ ISA_CONFIG, e[2], (uint64_t)bits << 32 | (uint32_t)e[0] };
}

struct isa_cmd
prog_command(enum pcommand c, const uint64_t *e)
{
    static const uint8_t funct[PC_COMMANDS] = {
        [PC_MVIN] = ISA_MVIN, [PC_MVIN2] = ISA_MVIN2, [PC_MVIN3] = ISA_MVIN3,
        [PC_MVOUT] = ISA_MVOUT, [PC_PRELOAD] = ISA_PRELOAD, [PC_FLIP] = ISA_COMPUTE_FLIP,
        [PC_STAY] = ISA_COMPUTE_STAY,
    };

    if (c >= PC_CONFIG_EX)
        return config(c, e);
    return (struct isa_cmd){ funct[c], e[0], e[1] };
}

static void
command(struct walk *w, const struct pstmt *s)
{
    uint64_t e[4] = { 0 }, result = 0;

    for (int i = 0; i < 4 && s->e[i]; i++)
        e[i] = value(w, s->e[i]);
    if (w->sink->instructions)
        w->sink->instructions(w->sink, w->hart, w->instructions);
    w->instructions = 0;
    if (s->command == PC_FENCE) {
        w->refused = w->sink->fence && !w->sink->fence(w->sink, w->hart);
    } else {
        struct isa_cmd c = prog_command(s->command, e);
        w->refused = !w->sink->command(w->sink, w->hart, &c, &result);
    }
}

/* The end of a loop, looked at again each time as in C; mostly a register. */
static uint64_t
limit(struct walk *w, const struct pexpr *e)
{
    uint64_t n = w->instructions, v = value(w, e);

    w->instructions = n;
    return v;
}

static void
run(struct walk *w, const struct pstmt *s)
{
    for (; s && !w->refused; s = s->next)
        switch (s->kind) {
        case PS_SET:
            w->var[s->var] = value(w, s->e[0]);
            break;
        case PS_IF:
            run(w, value(w, s->e[0]) ? s->body : s->other);
            break;
        case PS_WHILE:
            while (!w->refused && value(w, s->e[0]))
                run(w, s->body);
            break;
        case PS_FOR:
            for (w->var[s->var] = 0; !w->refused && w->var[s->var] < limit(w, s->e[0]); w->var[s->var]++) {
                w->instructions += 2;
                run(w, s->body);
            }
            break;
        case PS_COMMAND:
            command(w, s);
            break;
        case PS_NOTE:
            break;
        }
}

bool
prog_walk(const struct prog *p, const struct prog_call *c, struct sink *s, int hart)
{
    struct arena *a = arena_new();
    struct walk w = { .p = p, .call = c, .sink = s, .hart = hart };

    w.var = NEWN(a, uint64_t, p->nvar + 1);
    if (p->nparam)
        memcpy(w.var, c->args, (size_t)p->nparam * sizeof *w.var);
    run(&w, p->body);
    arena_free(a);
    return !w.refused;
}
