/* Life of a device model and the events that drive it: a command is judged, done
 * and timed, in that order.  Refuses what the rules of strict.def refuse. */
#include <stdlib.h>
#include <string.h>

#include "sim/clock.h"
#include "sim/internal.h"
#include "sim/loops.h"

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
    if (t->acc != DT_F32)
        return NULL;
    return t->elem == DT_F32 ? &arith_f32 : t->elem == DT_F16 ? &arith_f16
        : t->elem == DT_BF16 ? &arith_bf16 : NULL;
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
    if (s->config.timing && !(h->clock = clock_new(h, s->l2)))
        return false;
    if (s->config.timing && !(h->l1 = l1_new(s->t)))
        return false;
    if (s->config.event && !(h->live = live_new(h)))
        return false;
    h->counters = counters_new(s->t);
    return h->counters;
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
    while ((int64_t)2 << s->line_shift <= s->t->l2_line)
        s->line_shift++;
    layout_init(&s->layout, s->t);
    port_init(s);
    s->harts = calloc((size_t)s->t->harts, sizeof *s->harts);
    s->l2 = c->timing ? l2_new(s->t) : NULL;
    if (!s->harts || (c->timing && !s->l2)) {
        sim_free(s);
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
        clock_free(h->clock);
        l1_free(h->l1);
        live_free(h->live);
        free(h->counters);
        free(h->layers);
    }
    free(s->harts);
    l2_free(s->l2);
    free(s);
}

void
sim_reset(struct sim *s)
{
    s->moved = false;
    if (s->l2)
        l2_reset(s->l2);
    for (int i = 0; i < s->nharts; i++) {
        struct hart *h = &s->harts[i];
        mem_reset(h);
        exec_reset(h);
        loops_reset(h);
        if (h->judge)
            judge_reset(h->judge);
        if (h->clock)
            clock_reset(h->clock);
        if (h->l1)
            l1_reset(h->l1);
        memset(&h->data, 0, sizeof h->data);
        memset(&h->dirty, 0, sizeof h->dirty);
        memset(&h->code, 0, sizeof h->code);
        counters_reset(h->counters);
        h->nlayers = 0;
        memset(&h->trace, 0, sizeof h->trace);
        if (h->live)
            live_reset(h->live);
        h->layer_open = false;
        h->timed = -1;
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

/* Tells about a broken rule, once per rule and layer; c NULL: by the core. */
static void
report(struct hart *h, enum sim_rule rule, const struct isa_cmd *c, uint64_t pc,
    const char *detail)
{
    struct sim *s = h->s;
    struct sim_violation v = { .rule = rule, .hart = h->number, .layer = h->layer,
        .index = h->index, .pc = pc, .core = !c };

    if (h->told[rule] == h->layer)
        return;
    h->told[rule] = h->layer;
    if (c)
        v.cmd = *c;
    strncpy(v.detail, detail, sizeof v.detail - 1);
    if (s->config.violation)
        s->config.violation(&v, s->config.ctx);
}

/* False: not to be executed. */
static bool
judge(struct hart *h, const struct isa_cmd *c, uint64_t pc)
{
    char detail[160] = "";
    enum sim_rule rule = judge_hard(h, c, detail, sizeof detail);

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

/* Counters are read when everything older has left for its queue. */
static uint64_t
counter(struct hart *h, const struct isa_cmd *c)
{
    if (h->clock)
        events_settle(h->clock);
    return counters_command(h->counters, h->clock, c->rs1);
}

/* One command of a loop; false: it may not be. */
static bool
unrolled(struct hart *h, const struct isa_cmd *c, uint64_t pc, int64_t unused)
{
    enum sim_rule rule = SIM_OK;
    char detail[160] = "";

    if (h->judge)
        rule = judge_unrolled(h, c, unused, detail, sizeof detail);
    if (rule != SIM_OK)
        report(h, rule, c, pc, detail);
    if (rule != SIM_OK && h->s->config.strict == SIM_STRICT_ERROR)
        return false;
    stats_work(h, c);
    exec_command(h, c);
    if (h->judge)
        judge_unrolled_done(h, c, unused);
    return true;
}

/* A loop refused in the middle stays half done: the program ends there anyway. */
static bool
run_loop(struct hart *h, const struct isa_cmd *run, uint64_t pc)
{
    bool fine = true;
    struct loop l;

    loop_make(h, run, &l);
    if (h->judge)
        judge_loop_begin(h, &l);
    for (int g = 0; g < GENS; g++) {
        struct cursor at;
        struct isa_cmd c;

        loop_start(&l, (enum gen)g, &at);
        while (fine && !at.done) {
            loop_next(&l, (enum gen)g, &at, &c);
            fine = unrolled(h, &c, pc, at.unused);
        }
    }
    loops_turn(h, &l);
    if (h->judge)
        judge_loop_end(h, &l);
    if (h->clock)
        events_loop(h->clock, &l);
    return fine;
}

/* An ordinary command, or the configuration of a loop. */
static void
run_command(struct hart *h, const struct isa_cmd *c)
{
    if (loop_is(c->funct))
        loops_config(h, c);
    else
        exec_command(h, c);
    if (h->judge)
        judge_done(h, c);
    if (h->clock)
        events_command(h->clock, c);
}

bool
sim_command(struct sim *s, int hart, const struct isa_cmd *c, uint64_t pc, uint64_t *result)
{
    struct hart *h = hart_of(s, hart);
    uint64_t value = 0;
    bool fine;

    if (!h)
        return false;
    fine = judge(h, c, pc);
    if (fine) {
        stats_command(h, c);
        if (loop_is_run(c->funct))
            fine = run_loop(h, c, pc);
        else
            run_command(h, c);
    }
    if (fine && c->funct == ISA_COUNTER)
        value = counter(h, c);
    if (fine && result)
        *result = value;
    h->index++;
    return fine;
}

bool
sim_fence(struct sim *s, int hart)
{
    struct hart *h = hart_of(s, hart);

    if (!h)
        return false;
    if (h->judge)
        judge_fence(h);
    if (h->clock)
        events_fence(h->clock);
    return true;
}

void
sim_layer(struct sim *s, int hart, int number)
{
    struct hart *h = hart_of(s, hart);

    if (!h)
        return;
    stats_layer(h, number);
    h->layer = number;
    h->index = 0;
}

void
sim_core(struct sim *s, int hart, double cycles)
{
    struct hart *h = hart_of(s, hart);

    if (h && h->clock)
        events_core(h->clock, cycles);
}

void
sim_instructions(struct sim *s, int hart, uint64_t n)
{
    sim_core(s, hart, (double)n * s->t->core_instr);
}

void
sim_sleep(struct sim *s, int hart)
{
    struct hart *h = hart_of(s, hart);

    if (h && h->clock)
        events_sleep(h->clock);
}

void
sim_signal(struct sim *s, int hart, int to)
{
    struct hart *h = hart_of(s, hart);

    if (h && h->clock && hart_of(s, to))
        events_signal(h->clock, to);
}

size_t
sim_waiting(const struct sim *s, int hart)
{
    const struct hart *h = hart_of(s, hart);

    return h && h->clock ? events_waiting(h->clock) : 0;
}

/* A look that saves asking the caches: alone, the lines that they have; among others,
 * who take lines away, only the line of the last access. */
static bool
known(const struct sim *s, struct seen *seen, uint64_t line)
{
    if (s->nharts == 1)
        return seen_has(seen, line);
    if (seen->last == line + 1)
        return true;
    seen->last = line + 1;
    return false;
}

bool
sim_access(struct sim *s, int hart, const struct sim_access *x)
{
    struct hart *h = hart_of(s, hart);
    uint64_t line = x->addr >> s->line_shift;
    bool quick, judged;
    char detail[160];
    enum sim_rule rule;

    if (!h)
        return true;
    quick = !h->l1 || (line == (x->addr + x->n - 1) >> s->line_shift
        && known(s, x->store ? &h->dirty : &h->data, line));
    judged = h->judge && (x->store || s->moved);
    if ((quick && !judged) || !x->n || !mem_dram(s, x->addr, x->n))
        return true;
    if (!quick)
        events_data(h->clock, x->addr, x->n, x->store);
    if (!judged)
        return true;
    rule = judge_access(h, x, detail, sizeof detail);
    if (rule == SIM_OK)
        return true;
    report(h, rule, NULL, x->pc, detail);
    return s->config.strict != SIM_STRICT_ERROR;
}

void
sim_code(struct sim *s, int hart, uint64_t addr, uint64_t n)
{
    struct hart *h = hart_of(s, hart);
    uint64_t line = addr >> s->line_shift, last = (addr + n - 1) >> s->line_shift;

    if (!h || !h->l1 || !n)
        return;
    for (; line <= last; line++)
        if (!known(s, &h->code, line))
            events_code(h->clock, line);
}

uint64_t
sim_cycles(struct sim *s, int hart)
{
    const struct hart *h = hart_of(s, hart);

    return h && h->clock ? clock_core(h->clock) : 0;
}

void
sim_end(struct sim *s)
{
    if (s->l2)
        events_run(s, true);
}

bool
sim_counter(const struct sim *s, int hart, unsigned code, uint64_t *value)
{
    const struct hart *h = hart_of(s, hart);

    return h && h->clock && counters_total(h->clock, code, value);
}

const struct sim_layer_stats *
sim_stats(const struct sim *s, int hart, int *n)
{
    struct hart *h = hart_of(s, hart);

    *n = 0;
    return h ? stats_all(h, n) : NULL;
}

const void *
sim_row(const struct sim *s, int hart, uint32_t laddr)
{
    const struct hart *h = hart_of(s, hart);

    return h ? mem_row(laddr & ISA_ACC ? &h->acc : &h->sp,
        laddr & s->layout.row_mask) : NULL;
}
