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

/* Of bytes [from, to) of a line. */
static uint64_t
banks(const struct l2 *l, int64_t from, int64_t to)
{
    int64_t each = l->t->dram_beat;
    uint64_t all = 0;

    for (int64_t i = from / each; i * each < to; i++)
        all |= l2_bank(l, i);
    return all;
}

/* Where the beat being taken begins in its line. */
static int64_t
place(const struct l2 *l)
{
    return (l->answer.e.r.from + l->answer.beat) * l->t->dma_bus_bytes;
}

/* The banks that it writes. */
static uint64_t
written(const struct l2 *l)
{
    const struct request *r = &l->answer.e.r;
    int64_t at = place(l);

    return banks(l, num_max(at, r->begin), num_min(at + l->t->dma_bus_bytes, r->end));
}

/* A write of parts of beats reads what is there. */
static bool
reads(const struct l2 *l)
{
    const struct request *r = &l->answer.e.r;

    return r->slot >= 0 || r->end - r->begin < r->beats * l->t->dma_bus_bytes;
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
    uint64_t mine = a->passing[a->first].banks;

    if (!a->n)
        return 0;
    l2_wake(l, num_max(a->passing[a->first].at, now + 1));
    if (a->passing[a->first].at > now || mine & taken)
        return mine & taken;
    a->first = (a->first + 1) % STORED;
    a->n--;
    return mine;
}

/* Its next beat is taken. */
static void
take(struct l2 *l, int64_t now)
{
    struct answer *a = &l->answer;
    bool write = a->e.r.slot < 0;
    int i = (a->first + a->n++) % STORED;

    a->passing[i].at = now + STORED;
    a->passing[i].banks = write ? written(l) : 0;
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
    uint64_t taken = memory_banks(l, now);

    taken |= leave(l, taken, now);
    if (!a->busy)
        return;
    l2_wake(l, now + 1);
    if (a->n == STORED)
        return;
    if (!reads(l) || !(taken & banks(l, place(l), place(l) + l->t->dma_bus_bytes)))
        take(l, now);
}
