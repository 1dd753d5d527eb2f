/* Moves in: rows become requests, one a cycle, for two moves at a time; what comes
 * back is written to the local memories one row a cycle (timing.md 1.4). */
#include "sim/clock.h"
#include "src/base/num.h"

static void
finished(struct clock *k, int slot, int64_t at)
{
    const struct slot *e = &k->st[LD].slot[slot];

    if (e->w.kind == K_LOAD)
        trace_load(k, e, at);
    queue_done_at(k, LD, slot, at);
}

/* ---- arrival */

/* Rows written to the scratchpad take its banks from the array. */
static void
write_rows(struct clock *k, int64_t row, int64_t step, int64_t n, int64_t at, int64_t each)
{
    int64_t rows = k->h->sp.rows;

    for (int64_t i = 0; i < n; i++)
        if (row + i * step < rows)
            mesh_disturb(k, (row + i * step) / k->t->sp_bank_rows, at, each);
}

void
load_land(struct clock *k)
{
    while (k->nland) {
        struct landing *l = &k->land[k->land_first];
        struct slot *e = &k->st[LD].slot[l->slot];
        int64_t until = 0, each = e->w.repeats * (e->w.repeat ? e->w.rows : 1);

        if (l->at > k->now || k->port > k->now) {
            clock_wake(k, num_max(l->at, k->port));
            return;
        }
        if (e->w.acc)
            until = mesh_writes(k, (l->row - k->h->sp.rows) / k->t->acc_bank_rows, false);
        if (until) {
            clock_wake(k, until);
            return;
        }
        write_rows(k, l->row, l->step, l->writes, k->now, each);
        k->port = k->now + l->busy;
        k->external[4] += (uint64_t)(l->beats * l->beats * k->t->dma_bus_bytes);
        if (--e->left == 0 && e->all)
            finished(k, l->slot, k->now + num_max(l->beats, l->busy) - 1 + k->t->dma_tail - SCALER);
        k->land_first = (k->land_first + 1) % k->cap_land;
        k->nland--;
        clock_wake(k, k->now + 1);
    }
}

/* ---- zeros */

/* Zeros are written without a look at memory, a row a cycle, whenever what comes from
 * there leaves them the port. */
static void
zeros(struct clock *k, int slot)
{
    const struct work *w = &k->st[LD].slot[slot].w;

    k->zero = slot;
    k->zero_left = w->rows * w->blocks * w->repeats;
    k->zero_next = k->now + ZEROS;
    count_zeros(k, w, k->zero_left);
}

/* May the next move begin?  It waits for all rows of zeros but those of the last, which
 * the writer holds, and more zeros for those too. */
static bool
zeros_let(struct clock *k, const struct work *next)
{
    if (next->zero && k->zero_next > k->now) {
        clock_wake(k, k->zero_next);
        return false;
    }
    return k->zero < 0 || (!next->zero && k->zero_left <= k->st[LD].slot[k->zero].w.repeats);
}

void
load_zeros(struct clock *k)
{
    const struct slot *e;
    int64_t n = k->zero_left, each, at;

    if (k->zero < 0)
        return;
    if (k->port > k->now) {
        clock_wake(k, k->port);
        return;
    }
    if (k->nland)
        n = num_min(n, k->land[k->land_first].at - k->now);
    if (n <= 0)                      /* rows from memory come first, and tell when */
        return;
    n = num_min(n, ZERO_RUN);
    e = &k->st[LD].slot[k->zero];
    each = e->w.rows * e->w.repeats;
    at = e->w.blocks - 1 - (k->zero_left - 1) / each;
    write_rows(k, e->w.local + at * e->w.block_stride, 0, 1, k->now, n);
    k->zero_left -= n;
    k->port = k->now + n;
    clock_wake(k, k->port);
    if (k->zero_left)
        return;
    finished(k, k->zero, k->port + ZERO_TAIL);
    k->zero = -1;
}

/* ---- requests */

/* The next move, if there may be one more; false: none. */
static bool
begin(struct clock *k)
{
    struct station *s = &k->st[LD];
    int slot;
    struct slot *e;

    if (!queue_seen(k, LD) || k->load_out >= k->t->dma_moves)
        return false;
    if (k->load_gap > k->now) {
        clock_wake(k, k->load_gap);
        return false;
    }
    slot = s->queue[0];
    e = &s->slot[slot];
    if (!zeros_let(k, &e->w))
        return false;
    queue_pop(s);
    e->began = k->now;
    if (e->w.kind == K_LOAD)
        trace_load_begins(k, e);
    k->load_out++;
    clock_wake(k, k->now + 1);
    if (e->w.kind != K_LOAD || !e->w.rows || !e->w.row_bytes) {
        finished(k, slot, k->now + 1);
        return false;
    }
    if (e->w.zero) {
        zeros(k, slot);
        return false;
    }
    k->load_cur = slot;
    k->load_row = k->load_sub = 0;
    return true;
}

/* Cycles the write port spends on a request: rows, and elements through the scaler. */
static int64_t
port_cycles(const struct clock *k, const struct work *w, int64_t writes, int64_t use)
{
    int64_t n = writes * w->repeats * (w->repeat ? w->rows : 1);

    if (w->scaled)
        n = num_max(n, num_ceil_div(use / k->h->s->elem_bytes
            * (w->repeat ? w->rows : 1), k->t->dma_scale_elems));
    return n;
}

/* A local row is written once its bytes are together, one a cycle: where rows do not begin
 * with beats, what a request leaves of its last row takes a cycle of its own, and so does
 * a last beat without anything of use, but not both (cycle simulation).  `at`: where in its
 * beat the request begins; `into`: how much of its first row is there already. */
static bool
late_row(const struct clock *k, const struct work *w, int64_t at, int64_t into, int64_t use)
{
    int64_t bus = k->t->dma_bus_bytes, beats, rows;

    if (w->block_bytes != bus)
        return false;
    at %= bus;
    into %= bus;
    beats = num_ceil_div(at + use, bus);
    rows = num_ceil_div(into + use, bus);
    if (at > into && beats > 1)      /* the first beat completes no row */
        beats--;
    return rows > beats;
}

static void
request(struct clock *k, struct slot *e)
{
    const struct work *w = &e->w;
    uint64_t addr = w->addr + (uint64_t)k->load_row * w->stride + (uint64_t)k->load_sub;
    int64_t use, size = dma_piece(k->t, addr, w->row_bytes - k->load_sub, &use);
    int64_t first = k->load_sub / w->block_bytes;
    int64_t last = (k->load_sub + use - 1) / w->block_bytes;
    int64_t bus = k->t->dma_bus_bytes, end = (int64_t)(addr & (uint64_t)(size - 1)) + use;
    struct request new = { .slot = k->load_cur, .since = k->now }, *r = &new;
    bool late;

    r->line = addr / (uint64_t)k->t->l2_line;
    r->from = (int)((addr & ~(uint64_t)(size - 1)) % (uint64_t)k->t->l2_line / (uint64_t)bus);
    r->beats = (int)num_max(size / bus, 1);
    r->writes = (int)(last - first + 1);
    r->row = w->local + k->load_row + first * w->block_stride;
    r->step = w->block_stride;
    r->busy = port_cycles(k, w, r->writes, use);
    late = late_row(k, w, end - use, k->load_sub, use) != (size - end >= bus);
    if (w->block_bytes == bus || late)
        r->busy = num_max(r->busy, r->beats) + late;
    count_request(k, w, r);
    dma_read(k, r);
    e->left++;
    k->load_sub += use;
}

/* Requests whose answers have not come, or wait for the port. */
static int64_t
in_flight(struct clock *k)
{
    int64_t n = k->reads;

    for (int i = 0; i < k->nland; i++) {
        const struct landing *l = &k->land[(k->land_first + i) % k->cap_land];
        if (l->free > k->now)
            clock_wake(k, l->free);
        n += l->free > k->now || l->at < k->now;
    }
    return n;
}

void
load_step(struct clock *k)
{
    struct slot *e;

    if (k->load_cur < 0 && !begin(k))
        return;
    if (!dma_room(k) || in_flight(k) >= k->t->dma_in_flight)
        return;
    e = &k->st[LD].slot[k->load_cur];
    request(k, e);
    clock_wake(k, k->now + 1);
    if (k->load_sub < e->w.row_bytes)
        return;
    k->load_sub = 0;
    if (++k->load_row < (e->w.repeat ? 1 : e->w.rows))
        return;
    e->all = true;
    k->load_gap = k->now + k->t->dma_move_gap + (e->w.repeat ? e->w.rows : 0);
    k->load_cur = -1;
}
