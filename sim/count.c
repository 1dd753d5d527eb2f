/* The hardware's counters (gemmini-isa.md 10), fed from the clock; all 0 without it.
 * Counted are the busy times of controllers, DMA, array and station; the finer wait
 * reasons of the RTL stay 0. */
#include <stdlib.h>
#include <string.h>

#include "sim/clock.h"

enum {
    MAIN_LD = 1, MAIN_ST, MAIN_EX, MAIN_LD_ST, MAIN_LD_EX, MAIN_ST_EX, MAIN_LD_ST_EX,
    RDMA_ACTIVE = 18, WDMA_ACTIVE = 21, EXE_ACTIVE = 24, STATION_ACTIVE = 42,
    INTERNAL = 44                    /* codes beyond are external values */
};

struct counters {
    struct counter { unsigned code; bool external; uint64_t base, shot; } at[8];
    uint64_t zero[8];                /* external values at the last reset */
    bool frozen;
    int64_t n;
};

/* n cycles pass in the state that the clock is in. */
void
count_span(struct clock *k, int64_t n)
{
    static const int main_of[8] = { 0, MAIN_LD, MAIN_ST, MAIN_LD_ST, MAIN_EX, MAIN_LD_EX,
        MAIN_ST_EX, MAIN_LD_ST_EX };
    bool ld = k->st[LD].nqueue || k->load_out, st = k->st[ST].nqueue || k->store_cur >= 0;
    bool rows = k->mesh.running || k->mesh.end >= k->now;
    bool ex = k->st[EX].nqueue || rows || k->mesh.drained > k->now;
    int who = (ld ? 1 : 0) | (st ? 2 : 0) | (ex ? 4 : 0);
    uint64_t d = (uint64_t)n;

    if (who)
        k->event[main_of[who]] += d;
    if (k->reads)
        k->event[RDMA_ACTIVE] += d;
    if (k->writes)
        k->event[WDMA_ACTIVE] += d;
    if (rows)
        k->event[EXE_ACTIVE] += k->mesh.running ? d : 1;
    if (k->st[LD].used + k->st[ST].used + k->st[EX].used)
        k->event[STATION_ACTIVE] += d;
    k->external[6] += d * (uint64_t)k->reads;
    k->external[7] += d * (uint64_t)k->writes;
}

struct counters *
counters_new(const struct target *t)
{
    struct counters *c = calloc(1, sizeof *c);

    if (c)
        c->n = t->counters < 8 ? t->counters : 8;
    return c;
}

void
counters_reset(struct counters *c)
{
    int64_t n = c->n;

    memset(c, 0, sizeof *c);
    c->n = n;
}

static uint64_t
external(const struct counters *c, const struct clock *k, unsigned code)
{
    static const enum cls occupied[] = { 0, LD, ST, EX };
    unsigned i = code & 7;

    if (!k)
        return 0;
    if (i >= 1 && i <= 3)
        return (uint64_t)k->st[occupied[i]].used;
    return (uint32_t)(k->external[i] - c->zero[i]);
}

static uint64_t
count(const struct clock *k, const struct counter *x)
{
    return k ? k->event[x->code & 63] - x->base : 0;
}

static uint64_t
value(const struct counters *c, const struct clock *k, const struct counter *x, bool ext)
{
    return ext ? external(c, k, x->code) : count(k, x);
}

/* The value before the command's own effects. */
uint64_t
counters_command(struct counters *c, const struct clock *k, uint64_t rs1)
{
    struct counter *x = &c->at[rs1 >> 4 & 7];
    uint64_t old;

    if ((int64_t)(rs1 >> 4 & 7) >= c->n)
        return 0;
    old = c->frozen ? x->shot : value(c, k, x, x->external);
    if (rs1 & 8) {
        x->code = (unsigned)(rs1 >> 12 & 63);
        x->external = rs1 >> 31 & 1;
        x->base = k ? k->event[x->code] : 0;
    }
    if (rs1 & 1) {
        for (int i = 0; i < 8; i++) {
            c->at[i].base = k ? k->event[c->at[i].code] : 0;
            c->at[i].shot = 0;
            c->zero[i] = k ? k->external[i] : 0;
        }
        c->frozen = false;
    } else if (rs1 & 2) {
        c->frozen = false;
    } else if (rs1 & 4) {
        for (int i = 0; i < 8; i++)
            c->at[i].shot = value(c, k, &c->at[i], x->external);
        c->frozen = true;
    }
    return old;
}

bool
counters_total(const struct clock *k, unsigned code, uint64_t *value)
{
    static const uint64_t counted = UINT64_C(0xfe) | UINT64_C(1) << RDMA_ACTIVE
        | UINT64_C(1) << WDMA_ACTIVE | UINT64_C(1) << EXE_ACTIVE | UINT64_C(1) << STATION_ACTIVE;

    if (code > INTERNAL + 3 && code <= INTERNAL + 7)
        *value = k->external[code - INTERNAL];
    else if (code <= INTERNAL && counted >> code & 1)
        *value = k->event[code];
    else
        return false;
    return true;
}
