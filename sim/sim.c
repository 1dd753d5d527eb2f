/* Life of a device model and the events that drive it: a command is judged, done
 * and timed, in that order.  Refuses what the rules of strict.def refuse. */
#include <stdlib.h>
#include <string.h>

#include "sim/internal.h"

enum { NEVER = -2 };                 /* no layer has this number */

const struct sim_rule_row sim_rules[SIM_RULES] = {
    { "ok", "nothing is broken" },
#define S(id, name, doc) { name, doc },
#include "sim/strict.def"
#undef S
};

const struct arith *
arith_of(const struct target *t)
{
    if (t->elem == DT_I8 && t->acc == DT_I32)
        return &arith_int8;
    return NULL;
}

/* ---- life */

static bool
hart_init(struct sim *s, struct hart *h, int number)
{
    h->s = s;
    h->number = number;
    if (!mem_init(h))
        return false;
    if (s->config.strict != SIM_STRICT_OFF && !(h->judge = judge_new(h)))
        return false;
    return true;
}

struct sim *
sim_new(const struct sim_config *c)
{
    struct sim *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->config = *c;
    s->t = c->target;
    s->arith = arith_of(s->t);
    s->elem_bytes = target_elem_bytes(s->t);
    s->acc_bytes = target_acc_bytes(s->t);
    s->line = target_line(s->t);
    layout_init(&s->layout, s->t);
    port_init(s);
    s->harts = calloc((size_t)s->t->harts, sizeof *s->harts);
    if (!s->harts) {
        free(s);
        return NULL;
    }
    s->nharts = (int)s->t->harts;
    for (int i = 0; i < s->nharts; i++)
        if (!hart_init(s, &s->harts[i], i)) {
            sim_free(s);
            return NULL;
        }
    sim_reset(s);
    return s;
}

void
sim_free(struct sim *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->nharts; i++) {
        struct hart *h = &s->harts[i];
        mem_free(h);
        judge_free(h->judge);
        free(h->layers);
    }
    free(s->harts);
    free(s);
}

void
sim_reset(struct sim *s)
{
    for (int i = 0; i < s->nharts; i++) {
        struct hart *h = &s->harts[i];
        mem_reset(h);
        exec_reset(h);
        if (h->judge)
            judge_reset(h->judge);
        h->nlayers = 0;
        h->layer = -1;
        h->index = 0;
        for (int r = 0; r < SIM_RULES; r++)
            h->told[r] = NEVER;
    }
}

/* ---- events */

static struct hart *
hart_of(const struct sim *s, int hart)
{
    return hart >= 0 && hart < s->nharts ? &s->harts[hart] : NULL;
}

/* Tells about a broken rule, once per rule and layer. */
static void
report(struct hart *h, enum sim_rule rule, const struct isa_cmd *c, uint64_t pc,
    const char *detail)
{
    struct sim *s = h->s;
    struct sim_violation v = { .rule = rule, .hart = h->number, .layer = h->layer,
        .index = h->index, .pc = pc, .cmd = *c };

    if (h->told[rule] == h->layer)
        return;
    h->told[rule] = h->layer;
    strncpy(v.detail, detail, sizeof v.detail - 1);
    if (s->config.violation)
        s->config.violation(&v, s->config.ctx);
}

/* False: not to be executed. */
static bool
judge(struct hart *h, const struct isa_cmd *c, uint64_t pc)
{
    enum sim_rule rule = judge_hard(h->s, c);
    char detail[160] = "";

    if (rule != SIM_OK) {
        report(h, rule, c, pc, detail);
        return false;
    }
    if (!h->judge)
        return true;
    rule = judge_command(h, c, detail, sizeof detail);
    if (rule == SIM_OK)
        return true;
    report(h, rule, c, pc, detail);
    return h->s->config.strict != SIM_STRICT_ERROR;
}

static void
account(struct hart *h, const struct isa_cmd *c)
{
    struct sim_layer_stats *st = h->nlayers ? &h->layers[h->nlayers - 1] : NULL;

    if (!st)
        return;
    st->commands++;
    if (isa_class(c->funct) == ISA_CLASS_LOAD)
        st->bytes_in += exec_bytes(h, c);
    else if (c->funct == ISA_MVOUT)
        st->bytes_out += exec_bytes(h, c);
    else if (c->funct == ISA_COMPUTE_FLIP || c->funct == ISA_COMPUTE_STAY)
        st->macs += exec_macs(h, c);
}

bool
sim_command(struct sim *s, int hart, const struct isa_cmd *c, uint64_t pc, uint64_t *result)
{
    struct hart *h = hart_of(s, hart);

    if (result)
        *result = 0;
    if (!h || !judge(h, c, pc))
        return false;
    account(h, c);
    exec_command(h, c);
    if (h->judge)
        judge_done(h, c);
    h->index++;
    return true;
}

bool
sim_fence(struct sim *s, int hart)
{
    struct hart *h = hart_of(s, hart);

    if (!h)
        return false;
    if (h->judge)
        judge_fence(h);
    return true;
}

void
sim_layer(struct sim *s, int hart, int number)
{
    struct hart *h = hart_of(s, hart);

    if (!h)
        return;
    h->layer = number;
    h->index = 0;
    if (number < 0)
        return;
    if (h->nlayers == h->layers_cap) {
        int cap = h->layers_cap ? 2 * h->layers_cap : 256;
        void *p = realloc(h->layers, (size_t)cap * sizeof *h->layers);
        if (!p)
            return;
        h->layers = p;
        h->layers_cap = cap;
    }
    h->layers[h->nlayers++] = (struct sim_layer_stats) { .number = number };
}

void
sim_instructions(struct sim *s, int hart, uint64_t n)
{
    (void)s, (void)hart, (void)n;
}

uint64_t
sim_cycles(struct sim *s, int hart)
{
    (void)s, (void)hart;
    return 0;
}

const struct sim_layer_stats *
sim_stats(const struct sim *s, int hart, int *n)
{
    const struct hart *h = hart_of(s, hart);

    *n = h ? h->nlayers : 0;
    return h ? h->layers : NULL;
}

const void *
sim_row(const struct sim *s, int hart, uint32_t laddr)
{
    const struct hart *h = hart_of(s, hart);

    return h ? mem_row(laddr & ISA_ACC ? &h->acc : &h->sp,
        laddr & s->layout.row_mask) : NULL;
}
