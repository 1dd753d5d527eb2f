/* The array: pairs of a preload and a compute, the preload of the next pair flowing
 * in beside the rows of this one (timing.md 1.6, schedules.md section 2).
 *
 * Rows written to a scratchpad bank, which has one port, stop the array while it reads
 * there.  Results going to an accumulator bank stop moves in there, and stores too while
 * they add to what they find, since that takes the port that stores read by. */
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
mesh_writes(struct clock *k, int64_t bank, bool to_read)
{
    bool apart = to_read && k->t->acc_ports > 1;
    struct mesh_clock *m = &k->mesh;

    while (m->n && m->writes[m->first].to <= k->now) {
        m->first = (m->first + 1) % WRITES;
        m->n--;
    }
    for (int i = 0; i < m->n; i++) {
        const struct write *w = &m->writes[(m->first + i) % WRITES];
        if (w->acc && w->bank == bank && (w->adds || !apart) && w->from <= k->now
                && k->now < w->to)
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

/* Results of a pair go to where its preload says, the last row of them at `last`. */
static void
note_writes(struct clock *k, const struct work *p, int64_t last, int64_t rows)
{
    struct mesh_clock *m = &k->mesh;
    int64_t sp = k->h->sp.rows, bank = p->bank_c;

    if (bank < 0)
        bank = p->a.from / k->t->sp_bank_rows;
    if (m->n == WRITES) {
        m->first = (m->first + 1) % WRITES;
        m->n--;
    }
    m->writes[(m->first + m->n++) % WRITES]
        = (struct write) { last + 1 - rows, last + 1, bank, p->a.from, p->a.from >= sp, p->adds };
}

/* Rows of results that go to a bank of the scratchpad in [from, to). */
static int64_t
rows_written(const struct clock *k, int64_t bank, int64_t from, int64_t to)
{
    const struct mesh_clock *m = &k->mesh;
    int64_t n = 0;

    for (int i = 0; i < m->n; i++) {
        const struct write *w = &m->writes[(m->first + i) % WRITES];
        if (!w->acc && w->bank == bank)
            n += num_max(num_min(w->to, to) - num_max(w->from, from), 0);
    }
    return n;
}

/* A result that begins where an operand does is waited for; hardware compares no more
 * than that (isa 7.7).  0: there is none. */
static int64_t
result_at(const struct clock *k, struct rows operand)
{
    const struct mesh_clock *m = &k->mesh;
    int64_t at = 0;

    for (int i = 0; i < m->n; i++) {
        const struct write *w = &m->writes[(m->first + i) % WRITES];
        if (operand.to > operand.from && w->row == operand.from)
            at = num_max(at, w->to + RETURN);
    }
    return at;
}

/* The last result of the pair that is through; those that stay in the array come when the
 * next pair pushes them out. */
static int64_t
last_result(const struct clock *k, const struct work *p)
{
    return k->mesh.end + k->t->ex_latency + (p->os ? k->t->dim : 0);
}

/* The pair of the preload is through: its results follow.  With nowhere to go nobody
 * waits for them. */
static void
results(struct clock *k, const struct work *p)
{
    struct mesh_clock *m = &k->mesh;
    int64_t last = last_result(k, p);

    if (p->a.from == p->a.to) {
        queue_done_at(k, EX, m->pre, m->end + 1);
        return;
    }
    note_writes(k, p, last, num_min(m->rows, num_max(p->rows, 1)));
    queue_done_at(k, EX, m->pre, last);
    m->drained = last;
}

/* The rows are through. */
static void
finish(struct clock *k)
{
    struct mesh_clock *m = &k->mesh;
    const struct work *p = m->pre < 0 ? NULL : &k->st[EX].slot[m->pre].w;

    m->running = false;
    trace_product(k, p ? last_result(k, p) : 0);
    if (m->current >= 0) {
        queue_done_at(k, EX, m->current, m->end + 1);
        if (p)
            results(k, p);
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

/* How many operands come from one bank, which has one port. */
static int64_t
crowd(const struct work *c, const struct work *p)
{
    int64_t bank[3] = { c->bank_a, c->bank_b, p ? p->bank_b : -1 }, most = 1;

    for (int i = 0; i < 3; i++) {
        int64_t n = 0;
        for (int j = 0; j < 3; j++)
            n += bank[i] >= 0 && bank[j] == bank[i];
        most = num_max(most, n);
    }
    return most;
}

/* Cycles of a compute with the preload behind it, if any. */
static int64_t
pair_cycles(const struct clock *k, const struct work *c, const struct work *p)
{
    int64_t rows = num_max(c->rows, SHORT_ROWS), n, more = 0, at;

    if (p && p->real)
        rows = num_max(rows, k->t->dim);
    n = rows * num_max(crowd(c, p), p && p->slow ? 2 : 1);
    do {                             /* results that go where A comes from */
        at = more;
        more = c->bank_a < 0 ? 0 : rows_written(k, c->bank_a, k->now, k->now + n + at);
    } while (more > at);
    return n + more;
}

/* The preload that can be told to follow the compute at the head; NULL: none. */
static const struct work *
follower(const struct clock *k)
{
    const struct station *s = &k->st[EX];
    const struct work *p = queue_seen(k, EX) >= 3 ? &s->slot[s->queue[1]].w : NULL;

    return p && p->kind == K_PRELOAD ? p : NULL;
}

/* The compute at the head, with the preload behind it. */
static void
start_compute(struct clock *k)
{
    struct station *s = &k->st[EX];
    struct mesh_clock *m = &k->mesh;
    const struct work *c = &s->slot[s->queue[0]].w, *p = follower(k);
    int64_t result = num_max(result_at(k, c->a), result_at(k, c->b)), cycles, wait;

    if (p)
        result = num_max(result, result_at(k, p->b));
    k->watch.room = earliest(k);
    if (result > k->now)
        count_hazard(k, result);
    wait = num_max(k->watch.room, result);
    if (wait > k->now) {
        clock_wake(k, wait);
        return;
    }
    count_run(k, c, p);
    cycles = pair_cycles(k, c, p);
    m->current = s->queue[0];
    m->bank_a = c->bank_a;
    m->bank_b = p && p->real ? p->bank_b : -1;
    m->rows = c->rows;
    if (p) {
        m->next_pre = s->queue[1];
        queue_pop(s);
    }
    queue_pop(s);
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
    int64_t cycles = p->real || p->os ? k->t->dim : SHORT_ROWS;

    if (queue_seen(k, EX) < 2)
        return;
    m->next_pre = s->queue[0];
    m->bank_a = -1;
    m->bank_b = p->bank_b;
    queue_pop(s);
    count_run(k, NULL, p);
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
    default:                         /* CONFIG_EX waits until the array has drained */
        if (m->drained + DRAINED > k->now && m->drained >= 0) {
            clock_wake(k, m->drained + DRAINED);
            return;
        }
        queue_done_at(k, EX, s->queue[0], k->now + 1);
        queue_pop(s);
    }
}
