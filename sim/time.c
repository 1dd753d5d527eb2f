/* The two clocks of a hart: the core's, which goes on with what the core does, until a
 * queue is full or a fence waits, and the array's, which is turned up to there and skips
 * to the next cycle with work.  No unit keeps time of its own; events.c says whose turn
 * it is. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/clock.h"
#include "src/base/num.h"

/* ---- life */

struct clock *
clock_new(struct hart *h, struct l2 *l2)
{
    const struct target *t = h->s->t;
    struct clock *k = calloc(1, sizeof *k);

    if (!k)
        return NULL;
    k->h = h;
    k->t = t;
    k->l2 = l2;
    k->cap_land = (int)(2 * t->dma_in_flight) + 64;
    k->land = calloc((size_t)k->cap_land, sizeof *k->land);
    k->answered = calloc((size_t)k->cap_land, sizeof *k->answered);
    k->bank_until = calloc((size_t)t->sp_banks, sizeof *k->bank_until);
    k->events = events_new();
    if (queue_init(k) && dma_init(&k->dma, t) && k->land && k->answered && k->bank_until && k->events)
        return k;
    clock_free(k);
    return NULL;
}

void
clock_free(struct clock *k)
{
    if (!k)
        return;
    queue_free(k);
    free(k->dma.put);
    free(k->land);
    free(k->answered);
    free(k->bank_until);
    events_free(k->events);
    free(k);
}

void
clock_reset(struct clock *k)
{
    events_reset(k->events, k->h->number > 0);
    queue_reset(k);
    unroll_reset(k);
    mesh_reset(k);
    k->now = 0;
    k->wake = NEVER_COMES;
    k->core = 0;
    k->fencing = false;
    k->load_cur = k->store_cur = k->zero = -1;
    k->load_out = 0;
    k->load_gap = k->port = k->acked = k->zero_next = 0;
    dma_reset(&k->dma);
    k->open = k->reads = k->writes = k->nland = k->nanswered = 0;
    k->store_end = k->store_next = 0;
    memset(k->bank_until, 0, (size_t)k->t->sp_banks * sizeof *k->bank_until);
    memset(&k->sum, 0, sizeof k->sum);
    memset(k->event, 0, sizeof k->event);
    memset(k->external, 0, sizeof k->external);
    memset(&k->watch, 0, sizeof k->watch);
}

/* ---- the array's clock */

/* The next command finds no entry of this class. */
static bool
full(const struct clock *k, enum cls cls)
{
    const struct work *w = &k->front[k->front_first];

    if (k->st[cls].used < k->st[cls].size)
        return false;
    return !unroll_idle(k) || (k->front_n && w->kind < K_NONE && w->cls == cls);
}

/* Why does the array not multiply? */
static enum sim_wait
idle_reason(struct clock *k)
{
    const struct station *s = &k->st[EX];
    const struct slot *e = s->nwait ? &s->slot[s->wait[0]] : NULL;

    if (s->nqueue > 1)
        return SIM_WAIT_COMMANDS;
    if (e && e->dep[LD])
        return SIM_WAIT_OPERANDS;
    if (e && e->dep[ST])
        return SIM_WAIT_STORE;
    /* Nothing for the array has come: the core may be held up by another class. */
    if (!e && full(k, LD))
        return SIM_WAIT_OPERANDS;
    if (!e && full(k, ST))
        return SIM_WAIT_STORE;
    return k->fencing ? SIM_WAIT_FENCE : SIM_WAIT_COMMANDS;
}

/* The array does nothing from `from` until it wakes. */
static void
idle(struct clock *k, int64_t from)
{
    uint64_t *const sums[] = { &k->sum.stall_operands, &k->sum.stall_commands,
        &k->sum.stall_store, &k->sum.stall_fence };
    enum sim_wait why = idle_reason(k);

    if (k->mesh.running || k->wake <= from)
        return;
    *sums[why] += (uint64_t)(k->wake - from);
    trace_wait(k->h, why, from, k->wake);
}

/* Whatever waits for something that no longer comes is dropped: only nonsense that
 * the rules refuse gets here. */
static void
unstick(struct clock *k)
{
    queue_reset(k);
    unroll_reset(k);
    mesh_reset(k);
    k->load_cur = k->store_cur = k->zero = -1;
    k->load_out = 0;
    dma_reset(&k->dma);
    k->open = k->reads = k->writes = k->nland = k->nanswered = 0;
}

/* On to the next cycle with work. */
void
clock_turn(struct clock *k)
{
    int64_t n = k->wake - k->now;

    if (k->wake == NEVER_COMES) {
        unstick(k);
        return;
    }
    if (n > 0) {
        idle(k, num_max(k->now, k->mesh.end + 1));
        count_span(k, n);
        k->now = k->wake;
    }
    k->wake = NEVER_COMES;
    queue_complete(k);
    queue_step(k);
    mesh_step(k);
    drain_step(k);
    load_land(k);
    l2_step(k);
    dma_step(k);
    load_step(k);
    load_zeros(k);
}

/* ---- the core's */

/* The core waited for the array. */
static void
meet(struct clock *k)
{
    if (k->core < (double)k->now)
        k->core = (double)k->now;
}

void
clock_settle(struct clock *k)
{
    while (k->front_n || !unroll_idle(k))
        clock_turn(k);
    meet(k);
}

/* An array with nothing to do has no time of its own: it is as late as the core. */
void
clock_catch_up(struct clock *k)
{
    if (k->wake == NEVER_COMES && (double)k->now < k->core && queue_idle(k)) {
        count_span(k, (int64_t)k->core - k->now);
        k->now = (int64_t)k->core;
    }
}

void
clock_spend(struct clock *k, double cycles)
{
    trace_core(k->h, (int64_t)k->core, (int64_t)(k->core + cycles));
    k->core += cycles;
    k->sum.core += (uint64_t)cycles;
}

bool
clock_takes(const struct clock *k)
{
    return k->front_n < FRONT;
}

/* The core hands over one command, which there is room for; when it reaches the end of
 * the front. */
static int64_t
hand_over(struct clock *k)
{
    meet(k);
    trace_core(k->h, (int64_t)k->core, (int64_t)(k->core + k->t->core_issue));
    k->core += k->t->core_issue;
    return (int64_t)ceil(k->core) + k->t->cmd_transit;
}

static void
push(struct clock *k, const struct work *w, int64_t at)
{
    queue_push(k, w, at);
    if (k->front_n == 1)
        clock_wake(k, at);
}

void
clock_command(struct clock *k, const struct work *w)
{
    push(k, w, hand_over(k));
}

void
clock_loop(struct clock *k, const struct loop *l)
{
    struct work w = { .kind = K_LOOP, .conv = l->conv };
    int64_t at = hand_over(k);

    k->front_loop[(k->front_first + k->front_n) % FRONT] = *l;
    push(k, &w, at);
}

/* The array is idle. */
void
clock_fence(struct clock *k)
{
    if (k->now < k->acked)           /* the writer answers for its last write */
        k->core = fmax(k->core, (double)k->acked);
    meet(k);
    k->core += (double)k->t->core_fence;
}
