/* Victims on their way out, lines on their way in, and what the memory says to them.  It
 * answers in order, a beat a cycle, extra_latency after it was asked; a dirty victim
 * takes the way that reads are asked by.  On the way back a line's data comes first, then
 * the answer to a write, unless it has waited too long, then what needs no memory: a clean
 * victim's acknowledgement, and the grant of a line that is stored whole. */
#include <string.h>

#include "sim/l2.h"
#include "src/base/num.h"

/* ---- queues */

static void
push(struct l2 *l, struct queue *q, struct passing w)
{
    if (q->n < QUEUE)
        q->w[(q->first + q->n++) % QUEUE] = w;
    l2_wake(l, w.at);
}

static struct passing
pop(struct queue *q)
{
    struct passing w = q->w[q->first];

    q->first = (q->first + 1) % QUEUE;
    q->n--;
    return w;
}

/* The first one may go on; NULL: none. */
static const struct passing *
due(struct l2 *l, const struct queue *q, int64_t now)
{
    const struct passing *w = &q->w[q->first];

    if (!q->n)
        return NULL;
    l2_wake(l, num_max(w->at, now + 1));
    return w->at <= now ? w : NULL;
}

static unsigned
ready(const struct queue *q, int64_t now)
{
    unsigned n = 0;

    while (n < q->n && q->w[(q->first + n) % QUEUE].at <= now)
        n++;
    return n;
}

void
memory_reset(struct l2 *l)
{
    struct memory *y = &l->memory;
    struct queue *all[] = { &y->victims, &y->wanted, &y->reads, &y->written, &y->acks,
        &y->grants, &y->events };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        all[i]->n = 0;
    y->beats = y->evict_from = y->evict_until = y->free = 0;
    y->fill = y->filling = 0;
    y->patience = 0;
}

/* ---- out */

static int64_t
line_beats(const struct l2 *l)
{
    return num_ceil_div(l->t->l2_line, l->t->dram_beat);
}

bool
memory_releases(const struct l2 *l, int64_t now)
{
    return l->memory.evict_until <= now && ready(&l->memory.victims, now) <= ROOM;
}

void
memory_release(struct l2 *l, struct miss *m, bool dirty, int64_t now)
{
    int64_t n = dirty ? line_beats(l) : 1;
    struct memory *y = &l->memory;
    struct hart *h = m ? m->first->k->h : NULL;

    for (int64_t i = 0; i < n; i++)
        push(l, &y->victims, (struct passing) { .at = now + LEAVE + i, .m = m, .h = h,
            .event = RELEASED, .dirty = dirty, .last = i == n - 1 });
    y->evict_from = now;
    y->evict_until = dirty ? now + n : now;
}

bool
memory_acquires(const struct l2 *l)
{
    return l->memory.wanted.n < DEPTH;
}

void
memory_acquire(struct l2 *l, struct miss *m, int64_t now)
{
    const struct entry *e = m->first;
    bool whole = e->r.slot < 0 && e->r.end - e->r.begin == l->t->l2_line;

    push(l, &l->memory.wanted, (struct passing) { .at = now + 1, .m = m, .h = e->k->h,
        .event = whole ? FIRST | LAST : 0, .whole = whole });
}

static int64_t
ask(struct l2 *l, struct passing w, int64_t now)
{
    struct memory *y = &l->memory;
    int64_t first;

    w.at = now + l->t->dram_latency;
    first = num_max(w.at, y->free);
    y->free = first + line_beats(l);
    push(l, &y->reads, w);
    return first;
}

int64_t
memory_read(struct l2 *l, struct hart *h, int64_t now)
{
    return ask(l, (struct passing) { .h = h }, now);
}

/* One word goes out: of a victim, if one waits. */
static void
out(struct l2 *l, int64_t now)
{
    struct memory *y = &l->memory;
    const struct passing *v = due(l, &y->victims, now), *w = due(l, &y->wanted, now);
    bool taken = v && v->dirty;
    struct passing x;

    if (v && (v->dirty || y->acks.n < DEPTH)) {
        x = pop(&y->victims);
        x.at = now + 1 + (x.dirty ? num_max(l->t->dram_latency, 1) : 0);
        if (x.dirty && x.h && x.last)
            trace_memory(x.h, now, (uint64_t)l->t->l2_line);
        if (x.last)
            push(l, x.dirty ? &y->written : &y->acks, x);
    }
    if (!w || (w->whole ? y->grants.n >= DEPTH : taken))
        return;
    x = pop(&y->wanted);
    if (x.whole) {
        x.at = now + 1;
        push(l, &y->grants, x);
        return;
    }
    ask(l, x, now + 1);
}

/* ---- back */

static void
tell(struct l2 *l, struct passing w, unsigned event, int64_t now)
{
    if (!w.m)
        return;
    w.event = event;
    w.at = now + ARRIVE;
    push(l, &l->memory.events, w);
}

/* A beat of the first read. */
static void
beat(struct l2 *l, int64_t now)
{
    struct memory *y = &l->memory;
    const struct passing *w = &y->reads.w[y->reads.first];

    y->fill = l2_bank(l, y->beats);
    l2_wake(l, now + 1);
    if (y->beats++ == 0) {
        tell(l, *w, FIRST, now);
        trace_memory(w->h, now, (uint64_t)l->t->l2_line);
    }
    if (y->beats < line_beats(l))
        return;
    y->beats = 0;
    tell(l, *w, LAST, now);
    pop(&y->reads);
}

static void
back(struct l2 *l, int64_t now)
{
    struct memory *y = &l->memory;
    bool read = due(l, &y->reads, now), written = due(l, &y->written, now);
    struct queue *q = NULL;

    y->fill = 0;
    if (y->beats || (read && y->patience != PATIENCE)) {
        beat(l, now);
        y->patience = written ? (y->patience + 1) % (PATIENCE + 1) : 0;
        return;
    }
    y->patience = 0;
    if (written)
        q = &y->written;
    else if (due(l, &y->acks, now))
        q = &y->acks;
    else if (due(l, &y->grants, now))
        q = &y->grants;
    if (q) {
        struct passing w = pop(q);
        tell(l, w, w.event, now);
    }
}

void
memory_step(struct l2 *l, int64_t now)
{
    out(l, now);
    back(l, now);
}

void
memory_arrive(struct l2 *l, int64_t now)
{
    struct memory *y = &l->memory;

    y->filling = y->fill;            /* of the cycle before: there was one */
    while (due(l, &y->events, now)) {
        struct passing w = pop(&y->events);
        l2_word(l, w.m, w.event);
    }
}

uint64_t
memory_banks(const struct l2 *l, int64_t now)
{
    const struct memory *y = &l->memory;
    bool evicting = y->evict_from <= now && now < y->evict_until;

    return y->filling | (evicting ? l2_bank(l, now - y->evict_from) : 0);
}
