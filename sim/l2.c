/* The shared cache: its tags and its miss registers (timing.md 1.5), shared by the harts,
 * which come in the order of time.  Replacement is random, from a fixed seed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/l2.h"
#include "src/base/num.h"

/* Lines that no program uses: the cache of a machine that has been running. */
static const uint64_t foreign = UINT64_C(1) << 58;

struct l2 *
l2_new(const struct target *t)
{
    struct l2 *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    l->t = t;
    l->ways = t->l2_ways;
    l->sets = t->l2_bytes / (t->l2_ways * t->l2_line);
    l->tag = calloc((size_t)(l->sets * l->ways) + 1, sizeof *l->tag);
    l->miss = calloc((size_t)t->l2_misses, sizeof *l->miss);
    l->entries = calloc((size_t)(t->l2_misses + t->l2_queued), sizeof *l->entries);
    if (!l->tag || !l->miss || !l->entries) {
        l2_free(l);
        return NULL;
    }
    l2_reset(l);
    return l;
}

void
l2_free(struct l2 *l)
{
    if (!l)
        return;
    free(l->tag);
    free(l->miss);
    free(l->entries);
    free(l);
}

static uint64_t
draw(struct l2 *l)
{
    l->seed ^= l->seed << 13;
    l->seed ^= l->seed >> 7;
    l->seed ^= l->seed << 17;
    return l->seed;
}

/* Any place of the line's set, empty or not (Directory). */
static struct tag *
place(struct l2 *l, uint64_t line)
{
    return &l->tag[(int64_t)(line % (uint64_t)l->sets) * l->ways
        + (int64_t)(draw(l) % (uint64_t)l->ways)];
}

static void
give_back(struct l2 *l, struct entry *e)
{
    e->next = l->spare;
    l->spare = e;
}

void
l2_reset(struct l2 *l)
{
    l->seed = UINT64_C(88172645463325252);
    l->next = NEVER_COMES;
    l->now = -1;
    l->asked = l->waiting = l->slot = 0;
    l->busy = l->able = 0;
    l->last = 0;
    l->read = l->write = -1;
    l->writing = false;
    l->answer = (struct answer) { 0 };
    l->over = NULL;
    memset(l->miss, 0, (size_t)l->t->l2_misses * sizeof *l->miss);
    l->spare = NULL;
    for (int64_t i = 0; i < l->t->l2_misses + l->t->l2_queued; i++)
        give_back(l, &l->entries[i]);
    memory_reset(l);
    memset(l->tag, 0, (size_t)(l->sets * l->ways) * sizeof *l->tag);
    for (int64_t i = 0; i < (int64_t)((double)(l->sets * l->ways) * l->t->l2_filled); i++)
        place(l, (uint64_t)i)->line = foreign + (uint64_t)i;
}

/* ---- tags */

/* The line's place; NULL: it is not there. */
static struct tag *
find(const struct l2 *l, uint64_t line)
{
    struct tag *set = l->tag;

    if (!l->sets)
        return NULL;
    set += (int64_t)(line % (uint64_t)l->sets) * l->ways;
    for (int64_t w = 0; w < l->ways; w++)
        if (set[w].line == line + 1)
            return &set[w];
    return NULL;
}

/* The line gets a place, *v, NULL without a cache; what was there leaves, the cores' caches
 * too.  Returns that. */
static struct tag
replace(const struct clock *k, uint64_t line, bool dirty, struct tag **v)
{
    struct l2 *l = k->l2;
    struct tag old;

    *v = NULL;
    if (!l->sets)
        return (struct tag) { 0 };
    *v = place(l, line);
    old = **v;
    **v = (struct tag) { line + 1, dirty };
    if (old.line && old.line < foreign)
        l1_drop(k->h->s, old.line - 1, -1);
    return old;
}

/* ---- miss registers */

/* The line is there, and stays the register's. */
static void
hit(struct miss *m)
{
    bool write = m->first->r.slot < 0;

    m->todo = EXECUTE;
    if (write && m->tag && !m->tag->dirty) {
        m->tag->dirty = true;
        m->todo |= RECORD;
    }
}

static void
look_up(struct l2 *l, struct miss *m, int64_t now)
{
    const struct entry *e = m->first;
    struct tag old;

    l->read = now;
    m->known = now + LOOK_UP;
    m->line = e->r.line;
    m->tag = find(l, m->line);
    m->wait = 0;
    if (m->tag) {
        hit(m);
        return;
    }
    old = replace(e->k, m->line, e->r.slot < 0, &m->tag);
    m->dirty = old.dirty;
    m->todo = (old.line ? RELEASE : 0) | ACQUIRE | THANK | EXECUTE | RECORD;
    m->wait = (old.line ? RELEASED : 0) | FIRST | LAST;
}

/* Steps that nothing of the register's own is in the way of.  An answer that begins with
 * the line needs no more than its first beat. */
static unsigned
steps(const struct miss *m)
{
    unsigned can = m->todo & RELEASE;

    if (!can)
        can |= m->todo & ACQUIRE;
    if (!(m->wait & FIRST))
        can |= m->todo & THANK;
    if (!(m->wait & (m->first->r.from ? LAST : FIRST)))
        can |= m->todo & EXECUTE;
    if (!m->wait)
        can |= m->todo & RECORD;
    return can;
}

/* The register's steps may be others now. */
static void
renew(struct l2 *l, const struct miss *m)
{
    uint64_t bit = UINT64_C(1) << (m - l->miss);

    l->able = steps(m) ? l->able | bit : l->able & ~bit;
}

void
l2_word(struct l2 *l, struct miss *m, unsigned event)
{
    m->wait &= ~event;
    renew(l, m);
}

/* The register turns to its first entry; `kept`: it has had the set until now. */
static void
begin(struct l2 *l, struct miss *m, bool kept, int64_t now)
{
    if (kept && m->first->r.line == m->line) {
        m->known = now + 1;
        hit(m);
    } else {
        look_up(l, m, now);
    }
    renew(l, m);
    l2_wake(l, m->known);
}

/* Everything they need is there. */
static bool
possible(const struct l2 *l, unsigned s, int64_t now)
{
    if (s & (RELEASE | RECORD) && l->writing)
        return false;
    if (s & RELEASE && !memory_releases(l, now))
        return false;
    if (s & ACQUIRE && !memory_acquires(l))
        return false;
    return !(s & EXECUTE && l->answer.busy);
}

static void
finish(struct l2 *l, struct miss *m, int64_t now)
{
    struct entry *e = m->first;

    m->first = e->next;
    give_back(l, e);
    if (m->first) {
        l->waiting--;
        begin(l, m, true, now);
        return;
    }
    l->busy &= ~(UINT64_C(1) << (m - l->miss));
    l->over = m;
}

static void
take(struct l2 *l, struct miss *m, unsigned s, int64_t now)
{
    if (s & RELEASE)
        memory_release(l, m, m->dirty, now);
    if (s & ACQUIRE)
        memory_acquire(l, m, now);
    if (s & EXECUTE)
        answer_begin(l, m->first);
    if (s & (RELEASE | RECORD)) {
        l->writing = true;
        l->write = now;
    }
    m->todo &= ~s;
    renew(l, m);
    if (!m->todo && !m->wait)
        finish(l, m, now);
}

/* The registers of a set of them, in order, until one has the slot. */
static bool
give(struct l2 *l, uint64_t set, int64_t now)
{
    for (; set; set &= set - 1) {
        struct miss *m = &l->miss[__builtin_ctzll(set)];
        unsigned s = steps(m);
        l2_wake(l, num_max(m->known, now + 1));
        if (m->known > now || !possible(l, s, now))
            continue;
        l->slot = m - l->miss;
        take(l, m, s, now);
        return true;
    }
    return false;
}

/* One register has the slot, in turn. */
static void
schedule(struct l2 *l, int64_t now)
{
    uint64_t after = ~UINT64_C(1) << l->slot, all = l->able;

    if (give(l, all & after, now) || give(l, all & ~after, now) || l->writing)
        l2_wake(l, now + 1);
}

/* One cycle.  The tags are written when nobody reads them. */
static void
cycle(struct l2 *l, int64_t now)
{
    l->next = NEVER_COMES;
    l->now = now;
    l->over = NULL;
    if (l->write < now - 1 && l->read != now - 1)
        l->writing = false;
    memory_arrive(l, now);
    schedule(l, now);
    answer_step(l, now);
    memory_step(l, now);
}

static void
catch_up(struct l2 *l, int64_t now)
{
    while (l->next <= now)
        cycle(l, l->next);
    if (l->now < now)
        l->over = NULL;
}

/* ---- requests */

/* A register for the set: the one that has it, or had it until this cycle, or a free one;
 * NULL: none. */
static struct miss *
register_for(const struct l2 *l, uint64_t set)
{
    uint64_t held = l->busy | (l->over ? UINT64_C(1) << (l->over - l->miss) : 0);
    uint64_t all = ~UINT64_C(0) >> (64 - l->t->l2_misses);

    for (uint64_t m = held; m; m &= m - 1)
        if (l->miss[__builtin_ctzll(m)].set == set)
            return &l->miss[__builtin_ctzll(m)];
    return held == all ? NULL : &l->miss[__builtin_ctzll(~held)];
}

/* The request at the head comes in, if it can. */
static bool
enter(struct clock *k, const struct request *r, struct miss *m, uint64_t set)
{
    struct l2 *l = k->l2;
    struct entry *e = l->spare;
    bool goes_on = m && m == l->over;
    bool mine = m && !goes_on && l->busy >> (m - l->miss) & 1;

    if (!m || (mine && l->waiting == l->t->l2_queued) || (!mine && !goes_on && l->read == k->now))
        return false;
    l->spare = e->next;
    *e = (struct entry) { .k = k, .r = *r };
    if (mine) {
        m->last = m->last->next = e;
        l->waiting++;
        return true;
    }
    m->first = m->last = e;
    l->busy |= UINT64_C(1) << (m - l->miss);
    m->set = set;
    l->over = NULL;
    begin(l, m, goes_on, k->now);
    return true;
}

/* One request at a time; the beats of what is stored come with it. */
static void
ask(struct clock *k)
{
    struct l2 *l = k->l2;
    const struct request *r = dma_first(k);
    uint64_t set;

    if (!r)
        return;
    set = l->sets ? r->line % (uint64_t)l->sets : r->line;
    if (l->asked > k->now) {
        clock_wake(k, l->asked);
        return;
    }
    if (!enter(k, r, register_for(l, set), set)) {
        if (l->over || l->read == k->now)
            clock_wake(k, k->now + 1);
        return;
    }
    if (r->slot < 0)
        l1_drop(k->h->s, r->line, -1);
    l->asked = k->now + (r->slot < 0 ? r->beats : 1);
    l->last = k->h->number;
    dma_taken(k);
}

void
l2_step(struct clock *k)
{
    catch_up(k->l2, k->now);
    ask(k);
    if (k->open)
        clock_wake(k, k->l2->next);
}

double
l2_core(struct clock *k, uint64_t line, bool store)
{
    struct l2 *l = k->l2;
    struct tag *v = find(l, line), old;
    int64_t now = (int64_t)k->core;

    if (v) {
        v->dirty |= store;
        return 0;
    }
    catch_up(l, now);
    old = replace(k, line, store, &v);
    if (old.dirty)
        memory_release(l, NULL, true, now);
    return (double)(memory_read(l, k->h, now) - now + k->t->dram_first);
}

int
l2_last(const struct l2 *l)
{
    return l->last;
}
