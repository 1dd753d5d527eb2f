/* The shared cache as tags, the memory behind it as a busy time, and the bus between
 * arrays and cache (timing.md 1.5), all of them shared by the harts, which come in the
 * order of time.  Replacement is random, from a fixed seed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/clock.h"
#include "src/base/num.h"

struct tag {
    uint64_t line;                   /* + 1; 0: empty */
    int64_t ready;                   /* when its data is there */
    bool dirty;
};

struct l2 {
    const struct target *t;
    struct tag *tag;
    int64_t sets, ways;
    uint64_t seed;
    int64_t bus;                     /* free from then on */
    int last;                        /* hart that had it */
    int64_t *miss_free;              /* per miss register */
    double dram_free, owed;          /* memory: free from then on; victims not dealt with */
};

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
    l->miss_free = calloc((size_t)t->l2_misses, sizeof *l->miss_free);
    if (!l->tag || !l->miss_free) {
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
    free(l->miss_free);
    free(l);
}

void
l2_reset(struct l2 *l)
{
    l->seed = UINT64_C(88172645463325252);
    l->bus = l->last = 0;
    l->dram_free = l->owed = 0;
    memset(l->miss_free, 0, (size_t)l->t->l2_misses * sizeof *l->miss_free);
    for (int64_t i = 0; i < l->sets * l->ways; i++)
        l->tag[i] = (struct tag) { .line = foreign + (uint64_t)i };
}

static uint64_t
draw(struct l2 *l)
{
    l->seed ^= l->seed << 13;
    l->seed ^= l->seed >> 7;
    l->seed ^= l->seed << 17;
    return l->seed;
}

int64_t
l2_read_piece(const struct target *t, uint64_t addr, int64_t left, int64_t *use)
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

int64_t
l2_write_piece(const struct target *t, uint64_t addr, int64_t left)
{
    int64_t most = num_min(t->dma_max_bytes, t->l2_line), bus = num_min(t->dma_bus_bytes, most);
    int64_t size = most;

    while (size > bus && (addr % (uint64_t)size || left < size))
        size /= 2;
    return num_min(size - (int64_t)(addr % (uint64_t)size), left);
}

/* A way for a new line: an empty one, else any whose own fill is over. */
static struct tag *
victim(struct l2 *l, struct tag *set, int64_t now)
{
    struct tag *v = set;

    for (int64_t w = 0; w < l->ways; w++)
        if (!set[w].line)
            return &set[w];
    for (int tries = 0; tries < 16; tries++) {
        v = &set[draw(l) % (uint64_t)l->ways];
        if (v->ready <= now)
            break;
    }
    return v;
}

static struct tag *
find(struct l2 *l, struct tag *set, uint64_t line)
{
    for (int64_t w = 0; w < l->ways; w++)
        if (set[w].line == line + 1)
            return &set[w];
    return NULL;
}

/* The memory is busy for so long with a line, from the time returned on.  What the line's
 * victim costs may wait until there is time for it, up to a limit. */
static int64_t
occupy(struct clock *k, double now, double cycles, const struct tag *v)
{
    struct l2 *l = k->l2;
    bool out = v && v->line && v->dirty;
    double start = fmax(now, l->dram_free), late;

    l->owed = fmax(l->owed - (start - l->dram_free), 0);
    if (v && v->line)
        l->owed += out ? k->t->dram_dirty : k->t->dram_clean;
    late = fmax(l->owed - k->t->dram_owed, 0);
    l->owed -= late;
    trace_memory(k->h, (int64_t)start, (uint64_t)((cycles >= k->t->dram_line) + out)
        * (uint64_t)k->t->l2_line);
    l->dram_free = start + cycles + late;
    return (int64_t)start;
}

/* The cost of whom it throws out, then its data. */
static int64_t
fill(struct clock *k, const struct tag *v, const struct request *r)
{
    const struct target *t = k->t;
    bool write = r->slot < 0;
    int64_t start;

    if (write && r->whole) {
        occupy(k, (double)k->now, t->dram_put_line, v);
        return k->now + t->dram_put;
    }
    start = occupy(k, (double)k->now, t->dram_line + (write ? t->dram_partial : 0), v);
    return start + t->dram_latency + (write ? t->dram_miss : t->dram_first);
}

/* A line that is thrown out leaves the cores' caches too. */
static void
leave(const struct clock *k, const struct tag *v)
{
    if (v && v->line && v->line < foreign)
        l1_drop(k->h->s, v->line - 1, -1);
}

/* -1: no miss register is free. */
static int64_t
look_up(struct clock *k, const struct request *r)
{
    struct l2 *l = k->l2;
    struct tag *set = NULL, *v = NULL;
    bool write = r->slot < 0;
    int64_t *miss = NULL, ready;

    if (l->sets) {
        set = &l->tag[(int64_t)(r->line % (uint64_t)l->sets) * l->ways];
        v = find(l, set, r->line);
    }
    if (write)
        l1_drop(k->h->s, r->line, -1);
    if (v) {
        v->dirty |= write;
        return v->ready > k->now ? v->ready + REPLAY : k->now;
    }
    for (int64_t i = 0; i < k->t->l2_misses && !miss; i++)
        if (l->miss_free[i] <= k->now)
            miss = &l->miss_free[i];
    if (!miss)
        return -1;
    v = set ? victim(l, set, k->now) : NULL;
    leave(k, v);
    ready = fill(k, v, r);
    *miss = write && r->whole ? k->now + k->t->dram_put_hold
        : ready + (write ? 4 : k->t->dram_miss - k->t->dram_first);
    if (v)
        *v = (struct tag) { r->line + 1, ready, write };
    return ready;
}

double
l2_core(struct clock *k, uint64_t line, bool store)
{
    struct l2 *l = k->l2;
    struct tag *set = NULL, *v = NULL;
    int64_t at;

    if (l->sets) {
        set = &l->tag[(int64_t)(line % (uint64_t)l->sets) * l->ways];
        v = find(l, set, line);
    }
    if (v) {
        v->dirty |= store;
        return 0;
    }
    v = set ? victim(l, set, (int64_t)k->core) : NULL;
    leave(k, v);
    at = occupy(k, k->core, k->t->dram_line, v);
    if (v)
        *v = (struct tag) { line + 1, 0, store };
    return fmax((double)at - k->core, 0) + (double)(k->t->dram_latency + k->t->dram_first);
}

int
l2_last(const struct l2 *l)
{
    return l->last;
}

static int64_t
first_miss_free(const struct l2 *l)
{
    int64_t at = NEVER_COMES;

    for (int64_t i = 0; i < l->t->l2_misses; i++)
        at = num_min(at, l->miss_free[i]);
    return at;
}

/* The request's data crosses the bus. */
static void
transfer(struct clock *k, int i)
{
    struct request r = k->mq[i];
    bool wide;

    count_answer(k, &r);
    k->l2->bus = k->now + r.beats;
    k->l2->last = k->h->number;
    k->nmq--;
    k->looked--;
    memmove(k->mq + i, k->mq + i + 1, (size_t)(k->nmq - i) * sizeof *k->mq);
    clock_wake(k, k->now + 1);
    if (r.slot < 0) {
        k->writes--;
        k->acked = k->now + r.beats + k->t->l2_hit_latency + k->t->dma_tail;
        k->external[5] += (uint64_t)(r.beats * k->t->dma_bus_bytes);
        return;
    }
    k->reads--;
    wide = k->st[LD].slot[r.slot].w.wide;
    k->land[(k->land_first + k->nland++) % k->cap_mq] = (struct landing) {
        k->now + k->t->l2_hit_latency + (wide ? 0 : SCALER), r.slot, r.beats, r.writes, r.row, r.step, r.busy };
}

/* The next request looks at the tags, in order; what follows a write waits until its beats
 * have come by. */
static void
ask(struct clock *k)
{
    struct request *r = &k->mq[k->looked];
    int64_t ready;

    if (k->looked == k->nmq)
        return;
    if (k->asked > k->now) {
        clock_wake(k, k->asked);
        return;
    }
    ready = look_up(k, r);
    if (ready < 0) {
        clock_wake(k, first_miss_free(k->l2));
        return;
    }
    r->ready = ready;
    k->looked++;
    k->asked = k->now + (r->slot < 0 ? r->beats : 1);
    clock_wake(k, k->asked);
}

/* One transfer at a time, of the oldest request that is ready. */
void
l2_step(struct clock *k)
{
    int64_t soon = NEVER_COMES;

    ask(k);
    if (k->l2->bus > k->now) {
        if (k->nmq)
            clock_wake(k, k->l2->bus);
        return;
    }
    for (int i = 0; i < k->looked; i++) {
        if (k->mq[i].ready <= k->now) {
            transfer(k, i);
            return;
        }
        soon = num_min(soon, k->mq[i].ready);
    }
    if (k->looked)
        clock_wake(k, soon);
}
