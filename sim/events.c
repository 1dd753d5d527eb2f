/* One order for all harts: what their cores do is noted as it comes and given its time
 * in the order of modelled time, so that harts share cache and memory as they would,
 * however the simulator takes turns between them.
 *
 * A hart whose next event is not known yet holds the others back, once they have come to
 * its time; one that waits in wfi does not.  Results depend on what each hart did, not on
 * when the simulator let it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/clock.h"

enum { WORKS_MOST = 1 << 16 };       /* commands noted, before order is given up */

/* ---- rings that grow */

struct ring {
    char *at;
    size_t size, first, n, cap;      /* of an entry in bytes; cap: a power of two */
};

static void *
ring_at(const struct ring *r, size_t i)
{
    return r->at + ((r->first + i) & (r->cap - 1)) * r->size;
}

static bool
ring_grow(struct ring *r)
{
    size_t cap = r->cap ? 2 * r->cap : 16;
    char *at = malloc(cap * r->size);

    if (!at)
        return false;
    for (size_t i = 0; i < r->n; i++)
        memcpy(at + i * r->size, ring_at(r, i), r->size);
    free(r->at);
    r->at = at;
    r->first = 0;
    r->cap = cap;
    return true;
}

/* Without memory the newest entry is lost: time, not results. */
static bool
ring_push(struct ring *r, const void *x)
{
    if (r->n == r->cap && !ring_grow(r))
        return false;
    memcpy(ring_at(r, r->n++), x, r->size);
    return true;
}

static void
ring_pop(struct ring *r)
{
    r->first = (r->first + 1) & (r->cap - 1);
    r->n--;
}

/* ---- what a core did */

enum what { RUN, COMMAND, LOOP, FENCE, LAYER, DATA, CODE, SIGNAL, WAKE };

struct event {
    enum what what;
    bool store;                      /* DATA */
    uint64_t n;                      /* bytes, line, hart, signals, or a layer's record */
    union { double cycles; uint64_t addr; } u;
};

struct events {
    struct ring event, work, loop;   /* of COMMAND and LOOP in turn */
    bool asleep;                     /* the core waits in wfi, as far as is known */
    bool pending;                    /* a signal that it has not cleared */
    uint64_t sent, arrived;          /* signals to this hart: known, and in time */
    double at;                       /* when the last of them arrived */
};

struct events *
events_new(void)
{
    struct events *e = calloc(1, sizeof *e);

    if (!e)
        return NULL;
    e->event.size = sizeof(struct event);
    e->work.size = sizeof(struct work);
    e->loop.size = sizeof(struct loop);
    if (ring_grow(&e->event) && ring_grow(&e->work) && ring_grow(&e->loop))
        return e;
    events_free(e);
    return NULL;
}

void
events_free(struct events *e)
{
    if (!e)
        return;
    free(e->event.at);
    free(e->work.at);
    free(e->loop.at);
    free(e);
}

void
events_reset(struct events *e, bool asleep)
{
    e->event.n = e->work.n = e->loop.n = 0;
    e->asleep = asleep;
    e->pending = false;
    e->sent = e->arrived = 0;
    e->at = 0;
}

size_t
events_waiting(const struct clock *k)
{
    return k->events->event.n;
}

/* ---- what it takes */

static const struct event *
first(const struct clock *k)
{
    const struct ring *r = &k->events->event;

    return r->n ? ring_at(r, 0) : NULL;
}

/* The event cannot happen before the array has moved on, or another hart. */
static bool
blocked(const struct clock *k, const struct event *e)
{
    if (e->what == COMMAND || e->what == LOOP)
        return !clock_takes(k);
    if (e->what == FENCE)
        return !queue_idle(k);
    return e->what == WAKE && k->events->arrived < e->n;
}

static void
signal_hart(struct clock *k, uint64_t to)
{
    struct events *e = k->h->s->harts[to].clock->events;

    e->arrived++;
    e->at = fmax(e->at, k->core + k->t->core_wake);
}

/* The first event happens. */
static void
step(struct clock *k)
{
    struct events *own = k->events;
    struct event e = *first(k);

    ring_pop(&own->event);
    switch (e.what) {
    case RUN:
        clock_spend(k, e.u.cycles);
        break;
    case COMMAND:
        clock_command(k, ring_at(&own->work, 0));
        ring_pop(&own->work);
        break;
    case LOOP:
        clock_loop(k, ring_at(&own->loop, 0));
        ring_pop(&own->loop);
        break;
    case FENCE:
        clock_fence(k);
        break;
    case LAYER:
        clock_catch_up(k);
        stats_timed(k->h, (int)(int64_t)e.n);
        break;
    case DATA:
        l1_data(k->h, e.u.addr, e.n, e.store);
        break;
    case CODE:
        l1_code(k->h, e.n);
        break;
    case SIGNAL:
        signal_hart(k, e.n);
        break;
    case WAKE:
        k->core = fmax(k->core, e.n ? own->at : 0);
        break;
    }
}

/* ---- whose turn is it */

struct turn { double at; bool known, array; };

/* A hart that sleeps goes on after a signal. */
static struct turn
sleeps(const struct events *own)
{
    if (own->pending && own->arrived == own->sent)
        return (struct turn) { own->at, false, false };
    return (struct turn) { INFINITY, true, false };
}

static struct turn
next(const struct clock *k)
{
    const struct event *e = first(k);
    bool held = e && blocked(k, e);
    struct turn t = { .at = k->core, .known = e };

    if (held)
        t = (struct turn) { INFINITY, true, false };
    else if (!e && k->events->asleep)
        t = sleeps(k->events);
    if (k->wake != NEVER_COMES && (double)k->wake <= t.at)
        return (struct turn) { (double)k->wake, true, true };
    if (held && e->what != WAKE)     /* what it waits for no longer comes */
        return (struct turn) { (double)k->now, true, true };
    return t;
}

static void
act(struct clock *k, bool array)
{
    k->fencing = array && first(k) && first(k)->what == FENCE;
    if (array)
        clock_turn(k);
    else
        step(k);
}

/* One hart needs no order. */
static void
run_alone(struct clock *k)
{
    while (first(k)) {
        struct turn t = next(k);
        if (t.at == INFINITY)        /* a signal that nobody can send */
            k->events->arrived++;
        else
            act(k, t.array);
    }
}

/* The hart with the earliest turn; at the same time the one after `last` first, so that
 * nobody has the bus for himself.  NULL: nobody has anything to do, or it is not known
 * (`all`: what is known then goes first). */
static struct clock *
earliest(const struct sim *s, bool all, bool *array)
{
    struct clock *best = NULL;
    struct turn least = { INFINITY, true, false };

    for (int i = 1; i <= s->nharts; i++) {
        struct clock *k = s->harts[(l2_last(s->l2) + i) % s->nharts].clock;
        struct turn t = next(k);
        if ((!t.known && all) || t.at > least.at || t.at == INFINITY)
            continue;
        if (t.at < least.at || (t.known && !least.known)) {
            least = t;
            best = k;
        }
    }
    *array = least.array;
    return least.known ? best : NULL;
}

void
events_run(struct sim *s, bool all)
{
    struct clock *k;
    bool array;

    if (s->nharts == 1) {
        run_alone(s->harts[0].clock);
        return;
    }
    while ((k = earliest(s, all, &array)))
        act(k, array);
}

/* ---- noting */

static void
note(struct clock *k, const struct event *e)
{
    struct events *own = k->events;

    if (own->asleep) {
        own->asleep = false;
        ring_push(&own->event, &(struct event) { .what = WAKE, .n = own->sent });
    }
    if (!ring_push(&own->event, e))
        return;
    events_run(k->h->s, own->work.n >= WORKS_MOST);
}

void
events_core(struct clock *k, double cycles)
{
    note(k, &(struct event) { .what = RUN, .u.cycles = cycles });
}

void
events_command(struct clock *k, const struct isa_cmd *c)
{
    struct work w = work_of(k->h, &k->h->regs, c);

    if (ring_push(&k->events->work, &w))
        note(k, &(struct event) { .what = COMMAND });
}

void
events_loop(struct clock *k, const struct loop *l)
{
    if (ring_push(&k->events->loop, l))
        note(k, &(struct event) { .what = LOOP });
}

void
events_fence(struct clock *k)
{
    note(k, &(struct event) { .what = FENCE });
}

void
events_layer(struct clock *k, int record)
{
    note(k, &(struct event) { .what = LAYER, .n = (uint64_t)(int64_t)record });
}

void
events_data(struct clock *k, uint64_t addr, uint64_t n, bool store)
{
    note(k, &(struct event) { .what = DATA, .store = store, .n = n, .u.addr = addr });
}

void
events_code(struct clock *k, uint64_t line)
{
    note(k, &(struct event) { .what = CODE, .n = line });
}

void
events_sleep(struct clock *k)
{
    k->events->asleep = !k->events->pending;
    events_run(k->h->s, false);
}

void
events_signal(struct clock *k, int to)
{
    struct events *e = k->h->s->harts[to].clock->events;

    e->pending = to != k->h->number;
    if (!e->pending)
        return;
    e->sent++;
    note(k, &(struct event) { .what = SIGNAL, .n = (uint64_t)to });
}

/* ---- answers */

void
events_settle(struct clock *k)
{
    events_run(k->h->s, true);
    clock_settle(k);
}
