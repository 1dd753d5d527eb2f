/* Loops as the program order sees them: configuration gathers in slots, a run
 * command takes the slot in turn and a half of each local memory (gemmini-isa.md 11,
 * 12).  Which half follows the hardware, which takes turns; the public functional
 * model always takes the first. */
#include <string.h>

#include "sim/loops.h"
#include "src/base/num.h"

void
loops_reset(struct hart *h)
{
    memset(&h->loops, 0, sizeof h->loops);
}

void
loops_config(struct hart *h, const struct isa_cmd *c)
{
    struct loop_slots *s = &h->loops;
    uint64_t *to = loop_is_conv(c->funct)
        ? s->conv[s->conv_slot][c->funct - ISA_LOOP_CONV_1]
        : s->ws[s->ws_slot][c->funct - ISA_LOOP_WS_BOUNDS];

    to[0] = c->rs1;
    to[1] = c->rs2;
}

int64_t
loop_columns(const struct target *t, int64_t bytes)
{
    return num_max(t->dma_max_bytes / (t->dim * bytes), 1) * t->dim;
}

/* ---- what to run */

/* First row of A's half and the end of B's. */
static uint32_t
half_of(const struct hart *h, unsigned id, int slot)
{
    return (uint32_t)(h->sp.rows / 2 * (id ? (int64_t)id - 1 : slot));
}

static void
make_ws(const struct hart *h, const struct isa_cmd *run, struct loop *l)
{
    const struct loop_slots *s = &h->loops;
    struct ws_loop *w = &l->ws;
    uint64_t raw[6][2];
    int64_t half = h->sp.rows / 2, acc = h->acc.rows / 2;
    int slot = s->ws_slot;

    memcpy(raw, s->ws[slot], sizeof raw);
    ws_decode(l->t, raw, run, w);
    l->sp_a = half_of(h, w->a_id, slot);
    l->sp_b = half_of(h, w->b_id, slot) + (uint32_t)(half - w->k * w->j * l->t->dim);
    l->sp_b &= 0x1fffffff;
    l->acc = (uint32_t)(acc * (w->resadd ? slot : s->ws_acc));
    if (w->resadd) {
        l->sp_a = ISA_ACC | l->acc;
        l->sp_b = ISA_ACC | ISA_ACCUMULATE | l->acc;
    }
    /* The first hardware knew no operands that are there already. */
    l->skip_a = !w->a && l->t->isa_revision != 1;
    l->skip_b = !w->b && l->t->isa_revision != 1;
    l->empty = !w->i || !w->j || (!w->k && !w->resadd);
}

static void
make_conv(const struct hart *h, const struct isa_cmd *run, struct loop *l)
{
    const struct loop_slots *s = &h->loops;
    struct conv_loop *v = &l->cv;
    uint64_t raw[6][2];
    int64_t half = h->sp.rows / 2;
    int slot = s->conv_slot;

    memcpy(raw, s->conv[slot], sizeof raw);
    conv_decode(l->t, raw, run, v);
    l->sp_a = half_of(h, v->a_id, slot);
    l->sp_b = (half_of(h, v->b_id, slot) + (uint32_t)(half - v->b_rows)) & 0x1fffffff;
    l->acc = (uint32_t)(h->acc.rows / 2 * s->conv_acc);
    l->skip_a = !v->input && l->t->isa_revision != 1;
    l->skip_b = !v->weights && l->t->isa_revision != 1;
    l->empty = !v->batches || !v->orows || !v->ocols || !v->pochs || !v->krows || !v->kcols
        || !v->kchs || !v->stride;
}

void
loop_make(const struct hart *h, const struct isa_cmd *run, struct loop *l)
{
    memset(l, 0, sizeof *l);
    l->t = h->s->t;
    l->conv = loop_is_conv(run->funct);
    l->of = (struct origin) { h->layer, h->index };
    l->regs = h->regs;
    if (l->conv)
        make_conv(h, run, l);
    else
        make_ws(h, run, l);
}

void
loops_turn(struct hart *h, const struct loop *l)
{
    struct loop_slots *s = &h->loops;

    if (l->conv) {
        s->conv_slot ^= 1;
        s->conv_acc ^= l->cv.output != 0;
    } else {
        s->ws_slot ^= 1;
        s->ws_acc ^= l->ws.c != 0;
    }
}

/* ---- one generator */

void
loop_start(const struct loop *l, enum gen g, struct cursor *c)
{
    if (l->conv)
        conv_start(l, g, c);
    else
        ws_start(l, g, c);
}

void
loop_next(const struct loop *l, enum gen g, struct cursor *c, struct isa_cmd *cmd)
{
    if (l->conv)
        conv_next(l, g, c, cmd);
    else
        ws_next(l, g, c, cmd);
}
