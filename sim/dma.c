/* The array's way to the shared cache: requests are translated, and meet at a crossbar, behind
 * which buffers lead to the cache (DMA.scala, Scratchpad.scala).  A read that finds the buffer
 * at its door full goes back behind the one that is being translated.  While reads and writes
 * take turns at the crossbar, one of the two reads may so find it full again and again, until
 * no others come: a move may end long after the next one has asked for all of its rows. */
#include <stdlib.h>
#include <string.h>

#include "sim/clock.h"
#include "src/base/num.h"

enum {
    DOOR = 2, CROSSED = 6,           /* entries of buffers before and behind the crossbar */
    TRANSLATE = 2,                   /* stages of the writer */
    PAGE = 4096
};

bool
dma_init(struct dma *d, const struct target *t)
{
    d->cap = (int)(2 * t->dma_in_flight) + 64;
    d->put = calloc((size_t)d->cap, sizeof *d->put);
    return d->put;
}

void
dma_reset(struct dma *d)
{
    d->n = d->reads.n = d->writes.n = d->both.n = 0;
    d->reads.beats = d->writes.beats = d->both.beats = 0;
    d->looks = d->waits = d->wrote = false;
    d->writer = d->cross = 0;
    memset(d->page, 0, sizeof d->page);
}

static int64_t
carried(const struct request *r)
{
    return r->slot < 0 ? r->beats : 1;
}

static void
push(struct clock *k, struct lane *l, const struct request *r, int64_t at)
{
    struct request *new = &l->r[(l->first + l->n++) % LANE];

    *new = *r;
    new->at = at;
    l->beats += carried(r);
    clock_wake(k, at);
}

static struct request
pop(struct lane *l)
{
    struct request r = l->r[l->first];

    l->first = (l->first + 1) % LANE;
    l->n--;
    l->beats -= carried(&r);
    return r;
}

/* The first one, if its time has come. */
static const struct request *
due(struct clock *k, const struct lane *l)
{
    const struct request *r = &l->r[l->first];

    if (!l->n)
        return NULL;
    if (r->at <= k->now)
        return r;
    clock_wake(k, r->at);
    return NULL;
}

/* ---- from the units */

int64_t
dma_piece(const struct target *t, uint64_t addr, int64_t left, int64_t *use)
{
    int64_t most = num_min(t->dma_max_bytes, t->l2_line), best = 0;

    *use = 0;
    for (int64_t size = num_min(t->dma_bus_bytes, most); size <= most; size *= 2) {
        int64_t into = (int64_t)(addr % (uint64_t)size);
        int64_t n = num_min(size - into, left);
        if (n > *use) {
            *use = n;
            best = size;
        }
    }
    return best;
}

bool
dma_room(const struct clock *k)
{
    return !k->dma.looks;
}

void
dma_read(struct clock *k, const struct request *r)
{
    k->open++;
    k->reads++;
    k->dma.look = *r;
    k->dma.looks = true;
    clock_wake(k, k->now + 1);
}

bool
dma_row(const struct clock *k)
{
    return k->dma.n + 16 <= k->dma.cap;
}

void
dma_write(struct clock *k, const struct request *r)
{
    struct dma *d = &k->dma;

    if (d->n == d->cap)
        return;
    k->open++;
    k->writes++;
    d->put[(d->first + d->n++) % d->cap] = *r;
    clock_wake(k, k->now + 1);
}

/* ---- on the way */

/* A page that is not the last one is looked up, and is known two cycles later, so that the
 * second beat of a write looks too (FrontendTLB.scala).  On a bare machine it is found. */
static void
translate(struct clock *k, const struct request *r)
{
    int64_t looks = num_min(carried(r), 2);
    struct page *p = &k->dma.page[r->slot < 0];
    uint64_t page = r->line * (uint64_t)k->t->l2_line / PAGE + 1;

    if (p->at <= k->now)
        p->known = p->next;
    if (p->known == page)
        return;
    count_add(k, COUNT_DMA_TLB_TOTAL_REQ, looks);
    count_add(k, COUNT_DMA_TLB_HIT_REQ, looks);
    if (p->next == page)
        return;
    p->next = page;
    p->at = k->now + 2;
}

static void
reader(struct clock *k, bool room)
{
    struct dma *d = &k->dma;
    struct request back = d->door;
    bool full = d->waits && !room;

    if (d->waits && room)
        push(k, &d->reads, &d->door, k->now + 1);
    d->door = d->look;
    d->waits = d->looks;
    if (d->waits)
        translate(k, &d->door);
    d->looks = full;
    if (full) {
        d->look = back;
        count_add(k, COUNT_RDMA_TL_WAIT_CYCLES, 1);
    }
    if (d->waits || d->looks)
        clock_wake(k, k->now + 1);
}

static void
writer(struct clock *k, bool room)
{
    struct dma *d = &k->dma;
    const struct request *r = &d->put[d->first];

    if (!d->n)
        return;
    clock_wake(k, num_max(d->writer, k->now + 1));
    if (d->writer > k->now)
        return;
    if (!room) {
        count_add(k, COUNT_WDMA_TL_WAIT_CYCLES, 1);
        return;
    }
    translate(k, r);
    d->writer = k->now + r->beats;
    push(k, &d->writes, r, k->now + TRANSLATE + 1);
    d->first = (d->first + 1) % d->cap;
    d->n--;
}

/* One request crosses, in turn; the beats of a write stay together. */
static void
cross(struct clock *k)
{
    struct dma *d = &k->dma;
    const struct request *in = due(k, &d->reads), *out = due(k, &d->writes);
    struct lane *from = in && (!out || d->wrote) ? &d->reads : &d->writes;
    struct request r;

    if (!in && !out)
        return;
    clock_wake(k, num_max(d->cross, k->now + 1));
    if (d->cross > k->now || d->both.beats >= CROSSED || d->both.n == LANE)
        return;
    r = pop(from);
    push(k, &d->both, &r, k->now + WAY - TRANSLATE - 1);
    d->wrote = from == &d->writes;
    d->cross = k->now + carried(&r);
}

void
dma_step(struct clock *k)
{
    bool read = k->dma.reads.beats < DOOR, write = k->dma.writes.beats < DOOR + TRANSLATE;

    cross(k);
    reader(k, read);
    writer(k, write);
}

const struct request *
dma_first(struct clock *k)
{
    return due(k, &k->dma.both);
}

void
dma_taken(struct clock *k)
{
    pop(&k->dma.both);
    if (k->dma.both.n)
        clock_wake(k, k->now + 1);
}
