/* Answers, one at a time, a beat a cycle.  What is written waits for its banks while the
 * memory's side has them, what is read also while something is written, and so do beats that
 * are written in part; a line that is still coming is handed on as fast as it comes. */
#include "sim/l2.h"
#include "src/base/num.h"

void
answer_begin(struct l2 *l, const struct entry *e)
{
    l->answer.busy = true;
    l->answer.e = *e;
    l->answer.beat = 0;
}

static uint64_t
banks(const struct l2 *l, const struct request *r, int64_t beat)
{
    int64_t each = l2_banks(l);

    return ((UINT64_C(1) << each) - 1) << (r->from + beat) % FACTOR * each;
}

/* Of those, the ones that something is written to. */
static uint64_t
written(const struct l2 *l, const struct request *r, int64_t beat)
{
    int64_t at = (r->from + beat) * l->t->dma_bus_bytes, each = l->t->dram_beat;
    int64_t from = num_max(at, r->begin), to = num_min(at + l->t->dma_bus_bytes, r->end);
    uint64_t all = 0;

    for (int64_t i = from / each; i * each < to; i++)
        all |= UINT64_C(1) << i % (FACTOR * l2_banks(l));
    return all;
}

/* As if all beats had come together with the last one. */
static void
read_over(const struct l2 *l, int64_t now)
{
    struct clock *k = l->answer.e.k;
    struct request r = l->answer.e.r;
    int64_t asked = now - (r.beats - 1) - LOOK_UP - WAY;
    bool wide = k->st[LD].slot[r.slot].w.wide;

    count_answer(k, &r, asked);
    k->open--;
    k->reads--;
    k->land[(k->land_first + k->nland++) % k->cap_land] = (struct landing) {
        asked + k->t->l2_hit_latency + (wide ? 0 : SCALER),
        now + ANSWER + FORGET, r.slot, r.beats, r.writes, r.row, r.step, r.busy };
    clock_wake(k, now + 1);
}

static void
write_over(const struct l2 *l, int64_t now)
{
    struct clock *k = l->answer.e.k;
    const struct request *r = &l->answer.e.r;
    int64_t asked = now - LOOK_UP - WAY;

    count_answer(k, r, asked);
    k->open--;
    k->answered[(k->answered_first + k->nanswered++) % k->cap_land] = now + ANSWER + FORGET;
    k->acked = asked + r->beats + k->t->l2_hit_latency + k->t->dma_tail;
    k->external[5] += (uint64_t)(r->beats * k->t->dma_bus_bytes);
    clock_wake(k, now + 1);
}

/* The oldest beat leaves the last stage, if its banks are free; which ones it takes. */
static uint64_t
leave(struct l2 *l, uint64_t taken, int64_t now)
{
    struct answer *a = &l->answer;
    uint64_t banks = a->passing[a->first].banks;

    if (!a->n)
        return 0;
    l2_wake(l, num_max(a->passing[a->first].at, now + 1));
    if (a->passing[a->first].at > now || banks & taken)
        return banks & taken;
    a->first = (a->first + 1) % STORED;
    a->n--;
    return banks;
}

/* Its next beat is taken. */
static void
take(struct l2 *l, int64_t now)
{
    struct answer *a = &l->answer;
    bool write = a->e.r.slot < 0;
    int i = (a->first + a->n++) % STORED;

    a->passing[i].at = now + STORED;
    a->passing[i].banks = write ? written(l, &a->e.r, a->beat) : 0;
    if (write && a->beat == 0)
        write_over(l, now);
    if (++a->beat < a->e.r.beats)
        return;
    a->busy = false;
    if (!write)
        read_over(l, now);
}

void
answer_step(struct l2 *l, int64_t now)
{
    struct answer *a = &l->answer;
    uint64_t taken = memory_banks(l, now), mine;

    taken |= leave(l, taken, now);
    if (!a->busy)
        return;
    l2_wake(l, now + 1);
    mine = banks(l, &a->e.r, a->beat);
    if (a->n == STORED)
        return;
    if (!(taken & mine) || (a->e.r.slot < 0 && !a->e.r.partial))
        take(l, now);
}
