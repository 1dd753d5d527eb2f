/* Moves out: rows leave the accumulator through its scaler at their own pace, not
 * while the array adds to the same bank, and become writes of aligned pieces.  The
 * writer takes a row block by block, and sends its beats from the last one on
 * (timing.md 1.7, DMA.scala).  Pooled images likewise, window by window. */
#include <math.h>

#include "sim/clock.h"
#include "src/base/num.h"

static void
begin(struct clock *k)
{
    struct station *s = &k->st[ST];
    const struct slot *e;

    if (!queue_seen(k, ST))
        return;
    if (k->store_end > (double)k->now) {
        /* The next one starts in the cycle in which this one ends. */
        int64_t at = (int64_t)k->store_end;
        if (at > k->now) {
            clock_wake(k, at);
            return;
        }
    }
    e = &s->slot[s->queue[0]];
    if (e->w.kind == K_CONFIG)
        k->watch.pooling = e->w.pool;
    if (e->w.kind != K_STORE || !e->w.rows || !e->w.row_bytes) {
        queue_done_at(k, ST, s->queue[0], k->now + 2);
        queue_pop(s);
        return;
    }
    k->store_cur = s->queue[0];
    queue_pop(s);
    k->store_row = 0;
    k->store_start = k->store_end > (double)k->now ? k->store_end : (double)k->now;
    k->store_next = k->store_start + e->w.start;
    clock_wake(k, k->now + 1);
}

/* Writes one row; returns how many beats it took. */
static int64_t
put_row(struct clock *k, uint64_t addr, int64_t left)
{
    int64_t line = k->t->l2_line, bus = k->t->dma_bus_bytes, beats = 0;

    while (left > 0) {
        int64_t use, size = dma_piece(k->t, addr, left, &use);
        struct request r = { .slot = -1, .since = k->now };
        r.line = addr / (uint64_t)line;
        r.from = (int)((addr & ~(uint64_t)(size - 1)) % (uint64_t)line / (uint64_t)bus);
        r.beats = (int)num_max(size / bus, 1);
        r.begin = (int)(addr % (uint64_t)line);
        r.end = r.begin + (int)use;
        dma_write(k, &r);
        k->watch.known[1] = true;
        count_add(k, COUNT_WDMA_ACTIVE_CYCLE, r.beats);
        addr += (uint64_t)use;
        left -= use;
        beats += r.beats;
    }
    return beats;
}

static uint64_t
row_address(const struct work *w, int64_t row)
{
    if (!w->line_rows)
        return w->addr + (uint64_t)row * w->stride;
    return w->addr + (uint64_t)(row / w->line_rows * w->line_stride)
        + (uint64_t)(row % w->line_rows) * w->stride;
}

static void
end(struct clock *k)
{
    const struct work *w = &k->st[ST].slot[k->store_cur].w;
    double least = k->store_start + k->t->store_min;

    count_store(k, w, k->store_next - k->store_start);
    k->store_end = k->store_next > least ? k->store_next : least;
    queue_done_at(k, ST, k->store_cur, (int64_t)k->store_end + 2);
    trace_store(k, w, (int64_t)k->store_start, (int64_t)k->store_end);
    k->store_cur = -1;
}

/* Writes whose answers have come leave room for others. */
static void
forget(struct clock *k)
{
    while (k->nanswered) {
        int64_t at = k->answered[k->answered_first];
        if (at > k->now) {
            clock_wake(k, at);
            return;
        }
        k->answered_first = (k->answered_first + 1) % k->cap_land;
        k->nanswered--;
        k->writes--;
    }
}

void
drain_step(struct clock *k)
{
    const struct work *w;
    int64_t until, beats;

    if (k->store_cur < 0) {
        begin(k);
        if (k->store_cur < 0)
            return;
    }
    w = &k->st[ST].slot[k->store_cur].w;
    if ((int64_t)k->store_next > k->now) {
        clock_wake(k, (int64_t)k->store_next);
        return;
    }
    forget(k);
    if (k->writes >= k->t->dma_in_flight || !dma_row(k))
        return;
    until = w->acc ? mesh_writes(k, w->bank_c, true) : 0;
    if (until) {
        clock_wake(k, until);
        return;
    }
    if (k->store_next < (double)k->now)
        k->store_next = (double)k->now;
    beats = w->silent ? 1 : put_row(k, row_address(w, k->store_row), w->row_bytes);
    k->store_next += fmax(w->per_row, (double)(w->blocks - 1 + beats));
    clock_wake(k, k->now + 1);
    if (++k->store_row >= w->rows)
        end(k);
}
