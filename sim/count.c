/* The hardware's counters (gemmini-isa.md 10), fed from the clock; all 0 without it.
 * Most are states of the units that hold for a while, added up for each span of cycles
 * that the clock turns; the rest is told by the units.  What a code counts in hardware,
 * idle cycles and all, is what cycle simulation shows; what the clock has no idea of is
 * not counted: the list is at the end, and in gemmcc-sim(7). */
#include <stdlib.h>
#include <string.h>

#include "sim/clock.h"
#include "src/base/num.h"

enum {
    INTERNAL = 44,                   /* codes beyond are external values */
    LONE = RETURN + 1,               /* a preload that waited for its hazard: alone */
    TRACKED = 3,                     /* of a request's way out, not in flight yet: 12 */
    PASSING = 2,                     /* commands behind the matmul unroller, timing 1.2 */
    AHEAD = 4,                       /* rows that an idle scaler takes at once */
    ROW_QUEUE = 4,                   /* between controller and reader, cycle simulation */
    LINGER = 4                       /* the word of a lone preload stays that long */
};

/* Cycles of [from, to) in the n from now on. */
static int64_t
within(const struct clock *k, int64_t n, int64_t from, int64_t to)
{
    return num_max(num_min(to, k->now + n) - num_max(from, k->now), 0);
}

/* ---- controllers and queues */

static void
span_main(struct clock *k, int64_t n, bool rows)
{
    static const enum counted main_of[8] = { 0, COUNT_MAIN_LD_CYCLES, COUNT_MAIN_ST_CYCLES,
        COUNT_MAIN_LD_ST_CYCLES, COUNT_MAIN_EX_CYCLES, COUNT_MAIN_LD_EX_CYCLES,
        COUNT_MAIN_ST_EX_CYCLES, COUNT_MAIN_LD_ST_EX_CYCLES };
    bool ld = k->st[LD].nqueue || k->load_out, st = k->st[ST].nqueue || k->store_cur >= 0;
    bool ex = k->st[EX].nqueue || rows || k->mesh.drained > k->now;
    int who = (ld ? 1 : 0) | (st ? 2 : 0) | (ex ? 4 : 0);

    if (who)
        count_add(k, main_of[who], n);
    if (k->st[LD].used + k->st[ST].used + k->st[EX].used)
        count_add(k, COUNT_RESERVATION_STATION_ACTIVE_CYCLES, n);
    count_add(k, COUNT_RESERVATION_STATION_FULL_CYCLES, n - k->watch.accepted);
    k->watch.accepted = 0;
}

/* The matmul unroller holds a loop, or commands that find the queue behind it full. */
static void
span_loops(struct clock *k, int64_t n)
{
    int third = (k->front_first + PASSING) % FRONT;

    if (k->un.at[0].held || k->un.at[1].held)
        count_add(k, COUNT_LOOP_MATMUL_ACTIVE_CYCLES, n);
    else if (k->front_n > PASSING)
        count_add(k, COUNT_LOOP_MATMUL_ACTIVE_CYCLES,
            within(k, n, k->front_at[third], NEVER_COMES));
}

void
count_pass(struct clock *k, const struct work *w)
{
    if (w->flush)
        k->watch.known[0] = k->watch.known[1] = false;
    if (k->front_n <= PASSING)
        count_add(k, COUNT_LOOP_MATMUL_ACTIVE_CYCLES, 1);
}

/* ---- moves */

static void
span_moves(struct clock *k, int64_t n)
{
    if (k->store_cur >= 0 && k->writes >= k->t->dma_in_flight)
        count_add(k, COUNT_WDMA_ACTIVE_CYCLE, n);
    if (k->watch.pooling)
        count_add(k, COUNT_STORE_POOLING_CYCLE, n);
    if (!k->watch.known[0])
        count_add(k, COUNT_RDMA_TLB_WAIT_CYCLES, n);
    if (!k->watch.known[1])
        count_add(k, COUNT_WDMA_TLB_WAIT_CYCLES, n);
}

/* Rows that the controller hands over. */
static int64_t
handed(const struct work *w)
{
    return w->repeat ? 1 : w->rows;
}

void
count_request(struct clock *k, const struct work *w, struct request *r)
{
    int64_t rows = handed(w), left = rows - 1 - k->load_row;

    k->watch.known[0] = true;
    r->last = left == 0;
    r->held = left == ROW_QUEUE + 1;
    if (!k->load_row && !k->load_sub)
        count_add(k, COUNT_LOAD_ACTIVE_CYCLE, num_max(rows - 1, 1));
}

void
count_zeros(struct clock *k, const struct work *w, int64_t cycles)
{
    count_add(k, COUNT_LOAD_ACTIVE_CYCLE, num_max(cycles - 1, 1));
    count_add(k, COUNT_LOAD_SCRATCHPAD_WAIT_CYCLE, cycles - w->rows);
}

void
count_store(struct clock *k, const struct work *w, double cycles)
{
    int64_t n = (int64_t)cycles, reads = w->rows * w->reads;

    if (w->acc && w->per_row > (double)w->reads && k->store_start > k->store_end)
        n -= AHEAD;
    n = num_max(n, reads);
    count_add(k, COUNT_STORE_ACTIVE_CYCLE, num_max(n - 1, 1));
    count_add(k, COUNT_STORE_SCRATCHPAD_WAIT_CYCLE, n - reads);
}

/* A piece of a row that the hardware's reader lets go at `at`: of the last one, or of
 * that which makes room for the last one in the queue between controller and reader. */
static void
let_go(struct clock *k, const struct request *r, int64_t at)
{
    const struct slot *e = &k->st[LD].slot[r->slot];
    int64_t more = at - e->began - (handed(&e->w) - 1);

    if (r->held && more > k->watch.held) {
        count_add(k, COUNT_LOAD_ACTIVE_CYCLE, more - k->watch.held);
        count_add(k, COUNT_LOAD_SCRATCHPAD_WAIT_CYCLE, more - k->watch.held);
        k->watch.held = more;
    }
    if (r->last) {
        count_add(k, COUNT_RDMA_ACTIVE_CYCLE, at - num_max(e->began - 1, k->watch.reader));
        k->watch.reader = at;
        k->watch.held = 0;
    }
}

/* The hardware begins with a request when the one that many before has its answer, while
 * the clock lets it out as soon as the bus has taken that one. */
void
count_answer(struct clock *k, const struct request *r, int64_t asked)
{
    bool write = r->slot < 0;
    struct watch *s = &k->watch;
    unsigned most = (unsigned)num_min(k->t->dma_in_flight, 64);
    int64_t *back = &s->back[write][s->answers[write]++ % most];
    int64_t since = num_max(r->since, *back);

    *back = asked + k->t->l2_hit_latency - TRACKED + (write ? 1 : r->beats);
    k->external[write ? 7 : 6] += (uint64_t)(*back - since);
    if (!write)
        let_go(k, r, since);
}

/* ---- the array */

/* Where nothing follows a compute, D is what was in the queue a round ago. */
void
count_run(struct clock *k, const struct work *c, const struct work *p)
{
    const struct mesh_clock *m = &k->mesh;
    const struct work *before = m->pre < 0 ? NULL : &k->st[EX].slot[m->pre].w;
    struct watch *s = &k->watch;
    bool os = p ? p->os : before && before->os;

    if (c && (!s->b.on || s->hazard == k->now)) {
        count_add(k, COUNT_A_GARBAGE_CYCLES, os ? 0 : LINGER);
        count_add(k, COUNT_B_GARBAGE_CYCLES, c->b.to > c->b.from ? LINGER : 0);
    }
    if (os)                          /* through the transposer, beside a preload */
        s->a = (struct word) { true, !p, false };
    else if (c)
        s->a = (struct word) { true, c->a.to == c->a.from, c->bank_a < 0 };
    else
        s->a = (struct word) { false, true, false };
    s->b = (struct word) { c, !c || c->b.to == c->b.from, c && c->bank_b < 0 };
    s->d.on = true;
    s->d.garbage = !p || !p->real;
    if (p)
        s->weights = s->weights << 1 | (p->bank_b < 0);
    s->d.acc = s->weights >> (p ? 0 : IN_EXECS / 2 - 1) & 1;
    s->slow = c && p && p->slow;
}

void
count_hazard(struct clock *k, int64_t at)
{
    const struct mesh_clock *m = &k->mesh;

    if (k->watch.hazard == at)
        return;
    k->watch.hazard = at;
    count_add(k, COUNT_EXE_OVERLAP_HAZ_CYCLE, m->end + 1 - m->began);
    if (!k->watch.d.garbage)          /* nor did its preload run beside the last compute */
        count_add(k, COUNT_D_GARBAGE_CYCLES, m->end + 1 - m->began);
}

/* `idle` cycles without a control word: what the last one read from seems late. */
static void
late(struct clock *k, struct word w, enum counted sp, enum counted acc, int64_t idle)
{
    if (w.on)
        count_add(k, w.acc ? acc : sp, idle);
}

/* Through the transposer the compute comes first, without a D. */
static int64_t
apart(const struct clock *k, int64_t n)
{
    const struct mesh_clock *m = &k->mesh;

    return k->watch.slow ? within(k, n, m->began, (m->began + m->end + 1) / 2) : 0;
}

static void
span_words(struct clock *k, int64_t n, int64_t idle, int64_t wait, int64_t lone)
{
    const struct watch *s = &k->watch;

    late(k, s->a, COUNT_SCRATCHPAD_A_WAIT_CYCLE, COUNT_ACC_A_WAIT_CYCLE, idle);
    late(k, s->b, COUNT_SCRATCHPAD_B_WAIT_CYCLE, COUNT_ACC_B_WAIT_CYCLE, idle);
    late(k, s->d, COUNT_SCRATCHPAD_D_WAIT_CYCLE, COUNT_ACC_D_WAIT_CYCLE, idle);
    count_add(k, COUNT_A_GARBAGE_CYCLES, s->a.garbage ? n : lone);
    count_add(k, COUNT_B_GARBAGE_CYCLES, s->b.garbage ? n : lone);
    count_add(k, COUNT_D_GARBAGE_CYCLES, s->d.garbage ? n - lone : wait + apart(k, n));
}

/* A hazard keeps the pair apart: its preload runs alone at the end of the wait. */
static void
span_array(struct clock *k, int64_t n, bool rows)
{
    const struct mesh_clock *m = &k->mesh;
    const struct station *s = &k->st[EX];
    int64_t busy = m->running ? n : rows, full = 0, lone = 0, wait = 0;
    int64_t from = k->now + busy, at = k->watch.hazard - LONE, firsts = 0;

    if (m->running) {                /* spans begin no earlier than a run */
        firsts = k->now == m->began;
    } else if (k->watch.hazard > k->now) {
        wait = within(k, n, from, at);
        lone = within(k, n, num_max(from, at), at + LONE);
        firsts = within(k, n, num_max(from, at), at + 1);
    } else {
        full = within(k, n, from, k->watch.room);
    }
    count_add(k, COUNT_EXE_PRELOAD_HAZ_CYCLE, wait);
    count_add(k, COUNT_EXE_CONTROL_Q_BLOCK_CYCLE, full);
    if (s->nqueue && s->slot[s->queue[0]].w.kind == K_CONFIG && !m->running)
        count_add(k, COUNT_EXE_FLUSH_CYCLE, within(k, n, m->end + 1, m->drained + 1));
    count_add(k, COUNT_EXE_ACTIVE_CYCLE, busy + full + lone - firsts);
    span_words(k, n, n - busy - full - lone, wait, lone);
}

/* n cycles pass in the state that the clock is in. */
void
count_span(struct clock *k, int64_t n)
{
    bool rows = k->mesh.running || k->mesh.end >= k->now;

    span_main(k, n, rows);
    span_loops(k, n);
    span_moves(k, n);
    span_array(k, n, rows);
}

/* ---- registers */

struct counters {
    struct counter { unsigned code; bool external; uint64_t base, shot; } at[8];
    uint64_t zero[8];                /* external values at the last reset */
    bool frozen;
    int64_t n;
};

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

/* Bits of the codes that are counted. */
static uint64_t
counted(void)
{
    static const enum counted not[] = { COUNT_LOAD_DMA_WAIT_CYCLE, COUNT_STORE_DMA_WAIT_CYCLE };
    uint64_t bits = ~UINT64_C(1);

    for (size_t i = 0; i < sizeof not / sizeof *not; i++)
        bits &= ~(UINT64_C(1) << not[i]);
    return bits;
}

bool
counters_total(const struct clock *k, unsigned code, uint64_t *value)
{
    if (code > INTERNAL + 3 && code <= INTERNAL + 7)
        *value = k->external[code - INTERNAL];
    else if (code <= INTERNAL && counted() >> code & 1)
        *value = k->event[code];
    else
        return false;
    return true;
}
