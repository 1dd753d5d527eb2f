/* The array: pairs of a preload and a compute, the preload of the next pair flowing
 * in beside the rows of this one (timing.md 1.6, schedules.md section 2).
 *
 * Local memories have one port each: rows written to a scratchpad bank stop the
 * array while it reads there, and results going to an accumulator bank stop all else
 * there. */
#include <string.h>

#include "sim/clock.h"
#include "src/base/num.h"

enum { WRITES = sizeof(((struct mesh_clock *)0)->writes) / sizeof(struct write) };

void
mesh_reset(struct clock *k)
{
    struct mesh_clock *m = &k->mesh;

    memset(m, 0, sizeof *m);
    m->current = m->pre = m->next_pre = -1;
    m->bank_a = m->bank_b = -1;
    m->end = m->drained = -1;
    for (int i = 0; i < IN_MESH; i++)
        m->start[i] = -1000;
}

int64_t
mesh_writes(struct clock *k, int64_t bank)
{
    struct mesh_clock *m = &k->mesh;

    while (m->n && m->writes[m->first].to <= k->now) {
        m->first = (m->first + 1) % WRITES;
        m->n--;
    }
    for (int i = 0; i < m->n; i++) {
        const struct write *w = &m->writes[(m->first + i) % WRITES];
        if (w->bank == bank && w->from <= k->now && k->now < w->to)
            return w->to;
    }
    return 0;
}

/* Rows of A and of weights are counted apart: while one bank is written, what is read
 * from the other goes on. */
void
mesh_disturb(struct clock *k, int64_t bank, int64_t at, int64_t n)
{
    struct mesh_clock *m = &k->mesh;
    int64_t *until = &k->bank_until[bank], end = m->end;
    int64_t late = n + (*until < at); /* and it takes a cycle to go on */

    if (m->running && bank == m->bank_a && m->end_a >= at)
        m->end_a += late;
    if (m->running && bank == m->bank_b && m->end_b >= at)
        m->end_b += late;
    if (m->running) {
        m->end = num_max(m->end, num_max(m->end_a, m->end_b));
        k->sum.stall_bank += (uint64_t)(m->end - end);
    }
    *until = num_max(*until, at) + n;
}

/* Results of a pair, which ended at `end`, go to the accumulator later. */
static void
note_writes(struct clock *k, int64_t bank, int64_t last, int64_t rows)
{
    struct mesh_clock *m = &k->mesh;

    if (bank < 0)
        return;
    if (m->n == WRITES) {
        m->first = (m->first + 1) % WRITES;
        m->n--;
    }
    m->writes[(m->first + m->n++) % WRITES]
        = (struct write) { last + 1 - rows, last + 1, bank };
}

/* The rows are through. */
static void
finish(struct clock *k)
{
    struct mesh_clock *m = &k->mesh;
    struct station *s = &k->st[EX];
    int64_t last = m->end + k->t->ex_latency;

    m->running = false;
    trace_busy(k->h, SIM_TRACK_EXECUTE, m->began, m->end + 1);
    if (m->current >= 0) {
        queue_done_at(k, EX, m->current, m->end + 1);
        if (m->pre >= 0) {
            note_writes(k, s->slot[m->pre].w.bank_c, last,
                num_min(m->rows, num_max(s->slot[m->pre].w.rows, 1)));
            queue_done_at(k, EX, m->pre, last);
            m->drained = last;
        }
        m->pre = -1;
    }
    if (m->next_pre >= 0) {
        if (m->pre >= 0)             /* a preload nobody used */
            queue_done_at(k, EX, m->pre, m->end + 1);
        m->pre = m->next_pre;
    }
    m->current = m->next_pre = -1;
}

/* When reading from a bank ends, which may still be written to. */
static int64_t
read_until(const struct clock *k, int64_t bank, int64_t cycles)
{
    int64_t from = k->now;

    if (bank >= 0)
        from = num_max(k->bank_until[bank], from);
    return from + cycles - 1;
}

static void
run(struct clock *k, int64_t cycles)
{
    struct mesh_clock *m = &k->mesh;

    m->began = k->now;
    m->end_a = read_until(k, m->bank_a, cycles);
    m->end_b = read_until(k, m->bank_b, cycles);
    m->running = true;
    m->end = num_max(m->end_a, m->end_b);
    k->sum.stall_bank += (uint64_t)(m->end - (k->now + cycles - 1));
    clock_wake(k, m->end);
}

/* A pair of few rows has to wait until the array, which holds IN_MESH of them, lets
 * one go: pair_min each, and a little more with the rows. */
static int64_t
earliest(const struct clock *k)
{
    const struct mesh_clock *m = &k->mesh;

    return m->start[m->at] + m->length[m->at];
}

static void
note_pair(struct clock *k, int64_t rows)
{
    struct mesh_clock *m = &k->mesh;
    double more = 1.4 * (double)(rows > SHORT_ROWS ? rows - SHORT_ROWS : 0);

    m->start[m->at] = k->now;
    m->length[m->at] = (int64_t)(k->t->pair_min * IN_MESH + more);
    m->at = (m->at + 1) % IN_MESH;
}

/* The compute at the head, with the preload behind it if that can be told. */
static void
start_compute(struct clock *k)
{
    struct station *s = &k->st[EX];
    struct mesh_clock *m = &k->mesh;
    const struct work *c = &s->slot[s->queue[0]].w, *p = NULL;
    int64_t rows = num_max(c->rows, SHORT_ROWS), cycles = rows;

    if (earliest(k) > k->now) {
        clock_wake(k, earliest(k));
        return;
    }
    m->current = s->queue[0];
    m->bank_a = c->bank_a;
    m->bank_b = -1;
    m->rows = c->rows;
    if (queue_seen(k, EX) >= 3 && s->slot[s->queue[1]].w.kind == K_PRELOAD) {
        m->next_pre = s->queue[1];
        p = &s->slot[m->next_pre].w;
        queue_pop(s);
    }
    queue_pop(s);
    if (p && p->real) {
        cycles = num_max(rows, k->t->dim);
        m->bank_b = p->bank_b;
        if (p->slow || (m->bank_a >= 0 && m->bank_a == m->bank_b))
            cycles *= 2;
    }
    note_pair(k, c->rows);
    k->sum.array += (uint64_t)cycles;
    run(k, cycles);
}

/* A preload on its own, once something is behind it. */
static void
start_preload(struct clock *k)
{
    struct station *s = &k->st[EX];
    struct mesh_clock *m = &k->mesh;
    const struct work *p = &s->slot[s->queue[0]].w;
    int64_t cycles = p->real ? k->t->dim : SHORT_ROWS;

    if (queue_seen(k, EX) < 2)
        return;
    m->next_pre = s->queue[0];
    m->bank_a = -1;
    m->bank_b = p->bank_b;
    queue_pop(s);
    run(k, p->slow ? 2 * cycles : cycles);
}

void
mesh_step(struct clock *k)
{
    struct station *s = &k->st[EX];
    struct mesh_clock *m = &k->mesh;

    if (m->running && m->end > k->now) {
        clock_wake(k, m->end);
        return;
    }
    if (m->running) {
        finish(k);
        clock_wake(k, k->now + 1);
        return;
    }
    if (!queue_seen(k, EX))
        return;
    switch (s->slot[s->queue[0]].w.kind) {
    case K_COMPUTE:
        start_compute(k);
        break;
    case K_PRELOAD:
        start_preload(k);
        break;
    default:                         /* CONFIG_EX waits for the last result */
        if (m->drained > k->now) {
            clock_wake(k, m->drained);
            return;
        }
        queue_done_at(k, EX, s->queue[0], k->now + 1);
        queue_pop(s);
    }
}
