/* The core's own two caches, as tags: what its loads, stores and instructions cost
 * beyond an ordinary instruction (timing.md 1.9, schedules.md 1 J).  Misses go through
 * the tags of the shared cache, which holds every line that these hold; the array's
 * stores throw lines out.  The oldest line of a set leaves. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/clock.h"

struct side {                        /* one cache */
    uint64_t *line;                  /* sets x ways: + 1; 0: empty */
    bool *dirty;
    uint8_t *oldest;                 /* way, per set */
    uint64_t sets, ways;             /* sets: a power of two, or 0 */
};

struct l1 {
    struct side data, code;
};

static bool
side_init(struct side *c, int64_t bytes, int64_t ways, int64_t line)
{
    c->ways = (uint64_t)ways;
    for (c->sets = 1; (int64_t)c->sets * ways * line <= bytes; c->sets *= 2)
        continue;
    c->sets /= 2;
    c->line = calloc(c->sets * c->ways + 1, sizeof *c->line);
    c->dirty = calloc(c->sets * c->ways + 1, sizeof *c->dirty);
    c->oldest = calloc(c->sets + 1, sizeof *c->oldest);
    return c->line && c->dirty && c->oldest;
}

static void
side_free(struct side *c)
{
    free(c->line);
    free(c->dirty);
    free(c->oldest);
}

static void
side_reset(struct side *c)
{
    memset(c->line, 0, (c->sets * c->ways + 1) * sizeof *c->line);
    memset(c->dirty, 0, (c->sets * c->ways + 1) * sizeof *c->dirty);
    memset(c->oldest, 0, c->sets + 1);
}

struct l1 *
l1_new(const struct target *t)
{
    struct l1 *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    if (side_init(&l->data, t->l1_bytes, t->l1_ways, t->l2_line)
        && side_init(&l->code, t->icache_bytes, t->icache_ways, t->l2_line))
        return l;
    l1_free(l);
    return NULL;
}

void
l1_free(struct l1 *l)
{
    if (!l)
        return;
    side_free(&l->data);
    side_free(&l->code);
    free(l);
}

void
l1_reset(struct l1 *l)
{
    side_reset(&l->data);
    side_reset(&l->code);
}

/* Where the line is; NULL: nowhere. */
static uint64_t *
find(struct side *c, uint64_t line)
{
    uint64_t *set;

    if (!c->sets)
        return NULL;
    set = c->line + (line & (c->sets - 1)) * c->ways;
    for (uint64_t w = 0; w < c->ways; w++)
        if (set[w] == line + 1)
            return &set[w];
    return NULL;
}

/* A place for the line, an empty one if there is any. */
static uint64_t *
place(struct side *c, uint64_t line)
{
    uint64_t *set = c->line + (line & (c->sets - 1)) * c->ways;
    uint64_t w;
    uint8_t *old;

    for (w = 0; w < c->ways; w++)
        if (!set[w])
            return &set[w];
    old = &c->oldest[line & (c->sets - 1)];
    w = *old;
    *old = (uint8_t)((w + 1) % c->ways);
    return &set[w];
}

static void
forget(struct seen *s, uint64_t entry)
{
    if (entry && s->line[(entry - 1) % SEEN] == entry)
        s->line[(entry - 1) % SEEN] = 0;
}

static void
remember(struct seen *s, uint64_t line)
{
    s->line[line % SEEN] = line + 1;
}

static void
side_drop(struct side *c, uint64_t line)
{
    uint64_t *p = find(c, line);

    if (!p)
        return;
    *p = 0;
    c->dirty[p - c->line] = false;
}

void
l1_drop(const struct sim *s, uint64_t line, int but)
{
    for (int i = 0; i < s->nharts; i++)
        if (i != but && s->harts[i].l1) {
            side_drop(&s->harts[i].l1->data, line);
            side_drop(&s->harts[i].l1->code, line);
            forget(&s->harts[i].data, line + 1);
            forget(&s->harts[i].dirty, line + 1);
            forget(&s->harts[i].code, line + 1);
        }
}

/* The line comes to a place in the cache, and what was there leaves it; NULL: there is
 * no cache. */
static uint64_t *
data_miss(struct hart *h, uint64_t line, bool store)
{
    const struct target *t = h->s->t;
    struct side *c = &h->l1->data;
    double memory = l2_core(h->clock, line, store);
    double cost = memory > 0 ? memory + t->core_dram_line : t->core_l2_line;
    uint64_t *p = c->sets ? place(c, line) : NULL;

    if (store)
        cost += t->core_store_miss;
    if (p) {
        if (*p && c->dirty[p - c->line])
            cost += t->core_dirty_line;
        forget(&h->data, *p);
        forget(&h->dirty, *p);
        *p = line + 1;
        c->dirty[p - c->line] = false;
    }
    clock_spend(h->clock, cost);
    return p;
}

static void
data_line(struct hart *h, uint64_t line, bool store)
{
    struct side *c = &h->l1->data;
    uint64_t *p = find(c, line);

    if (!p && !(p = data_miss(h, line, store)))
        return;
    if (store && !c->dirty[p - c->line]) {
        c->dirty[p - c->line] = true;
        l2_core(h->clock, line, true);
        l1_drop(h->s, line, h->number);
    }
    remember(&h->data, line);
    if (store)
        remember(&h->dirty, line);
}

void
l1_data(struct hart *h, uint64_t addr, uint64_t n, bool store)
{
    uint64_t line = addr >> h->s->line_shift, last = (addr + n - 1) >> h->s->line_shift;

    for (; line <= last; line++)
        data_line(h, line, store);
}

/* The target's figures are of a line of full-size instructions, executing included. */
static void
code_line(struct hart *h, uint64_t line)
{
    struct side *c = &h->l1->code;
    const struct target *t = h->s->t;
    double work = t->core_instr * (double)(1u << h->s->line_shift) / 4;
    double memory = l2_core(h->clock, line, false);
    double cost = memory > 0 ? memory + t->core_icache_dram : t->core_icache_l2;

    clock_spend(h->clock, fmax(cost - work, 0));
    if (c->sets) {
        uint64_t *p = place(c, line);
        forget(&h->code, *p);
        *p = line + 1;
    }
}

void
l1_code(struct hart *h, uint64_t line)
{
    if (!find(&h->l1->code, line))
        code_line(h, line);
    if (h->l1->code.sets)
        remember(&h->code, line);
}
