/* What happened when, for whoever asked (sim_config.event), in as much detail as was
 * asked for: layers, moves, the array and what it waited for, the core, bytes that went
 * to and from memory, local rows in use.  Nothing here changes the time. */
#include <stdlib.h>

#include "sim/clock.h"
#include "src/base/num.h"

enum { WINDOW = 1024 };              /* cycles of one figure of memory traffic */

static void
tell(struct hart *h, struct sim_event *e)
{
    const struct sim_config *c = &h->s->config;

    e->hart = h->number;
    if (c->event && e->end >= e->start)
        c->event(e, c->ctx);
}

/* ---- work of the units */

/* Is somebody interested in what units do, or is it in each single command? */
static bool
wants(const struct hart *h, enum sim_detail detail)
{
    return h->s->config.event && h->s->config.detail >= detail;
}

static void
flush(struct hart *h, enum sim_track track)
{
    struct trace_run *r = &h->trace.run[track];

    if (r->e.end > r->e.start)
        tell(h, &r->e);
    r->e.start = r->e.end = 0;
}

/* One more piece, in the same slice as the last if nothing parts them: neither a gap, nor
 * a layer, nor `part`. */
static void
join(struct hart *h, struct sim_event *x, int part)
{
    struct trace_run *r = &h->trace.run[x->track];

    if (r->e.end > r->e.start && x->start <= r->e.end + 1 && r->part == part
        && r->e.layer == x->layer) {
        r->e.end = x->end;
        r->e.n += x->n;
        r->e.commands++;
        return;
    }
    flush(h, x->track);
    r->e = *x;
    r->part = part;
}

static struct sim_event
piece(enum sim_track track, const struct origin *of, int64_t from, int64_t to)
{
    return (struct sim_event) { .track = track, .layer = of->layer, .index = of->index,
        .commands = 1, .start = (uint64_t)from, .end = (uint64_t)to };
}

void
trace_core(struct hart *h, int64_t from, int64_t to)
{
    struct sim_event x = piece(SIM_TRACK_CORE, &(struct origin) { stats_number(h), 0 }, from, to);

    if (wants(h, SIM_DETAIL_TILE) && to >= from)
        join(h, &x, 0);
}

void
trace_wait(struct hart *h, enum sim_wait why, int64_t from, int64_t to)
{
    struct sim_event x = piece(SIM_TRACK_WAIT, &(struct origin) { stats_number(h), 0 }, from, to);

    x.wait = why;
    if (wants(h, SIM_DETAIL_TILE))
        join(h, &x, (int)why);
}

/* ---- moves in, which overlap */

static bool
lanes_idle(const struct hart *h, int64_t now)
{
    for (int i = 0; i < h->s->t->dma_moves; i++)
        if (h->trace.lane[i] > now)
            return false;
    return true;
}

static int
take_lane(struct hart *h, int64_t now)
{
    int64_t *lane = h->trace.lane;
    int i = 0, last = (int)h->s->t->dma_moves - 1;

    while (i < last && lane[i] > now)
        i++;
    lane[i] = INT64_MAX;
    return i;
}

void
trace_load_begins(struct clock *k, struct slot *e)
{
    struct trace_run *r = &k->h->trace.run[SIM_TRACK_LOAD];
    uint64_t now = (uint64_t)k->now;

    if (!k->h->s->config.event)
        return;
    if (lanes_idle(k->h, k->now) && (now > r->e.end + 1 || r->e.layer != e->w.of.layer))
        flush(k->h, SIM_TRACK_LOAD);
    e->lane = take_lane(k->h, k->now);
    live_load(k->h->live, &e->w, k->now);
}

void
trace_load(struct clock *k, const struct slot *e, int64_t end)
{
    struct trace_run *r = &k->h->trace.run[SIM_TRACK_LOAD];
    struct sim_event x = piece(SIM_TRACK_LOAD, &e->w.of, e->began, end);
    int64_t rows = e->w.repeat ? 1 : e->w.rows;

    if (!k->h->s->config.event)
        return;
    k->h->trace.lane[e->lane] = end;
    x.n = e->w.zero ? 0 : (uint64_t)(rows * e->w.row_bytes);
    x.lane = e->lane;
    if (wants(k->h, SIM_DETAIL_COMMAND)) {
        tell(k->h, &x);
    } else if (wants(k->h, SIM_DETAIL_TILE)) {
        x.lane = 0;
        if (r->e.end > r->e.start) { /* others run beside it */
            x.start = x.start < r->e.start ? x.start : r->e.start;
            x.end = x.end > r->e.end ? x.end : r->e.end;
            x.n += r->e.n;
            x.commands += r->e.commands;
            x.index = r->e.index;
        }
        r->e = x;
    }
}

/* ---- the array, and moves out */

/* Products into one half of the accumulator are one tile. */
static int
half_of(const struct hart *h, const struct work *preload)
{
    return preload->a.from - h->sp.rows >= h->acc.rows / 2;
}

void
trace_product(struct clock *k, int64_t drained)
{
    const struct mesh_clock *m = &k->mesh;
    const struct slot *slot = k->st[EX].slot;
    const struct work *c = m->current < 0 ? NULL : &slot[m->current].w;
    const struct work *to = c && m->pre >= 0 ? &slot[m->pre].w : NULL;
    const struct work *b = m->next_pre < 0 ? NULL : &slot[m->next_pre].w;
    struct sim_event x;

    if (!k->h->s->config.event || (!c && !b))
        return;
    live_product(k->h->live, c, to, b, m->began, m->end + 1, drained);
    x = piece(SIM_TRACK_EXECUTE, c ? &c->of : &b->of, m->began, m->end + 1);
    x.n = c ? (uint64_t)c->rows : 0;
    if (wants(k->h, SIM_DETAIL_COMMAND))
        tell(k->h, &x);
    else if (wants(k->h, SIM_DETAIL_TILE))
        join(k->h, &x, to ? half_of(k->h, to) : k->h->trace.run[SIM_TRACK_EXECUTE].part);
}

void
trace_store(struct clock *k, const struct work *w, int64_t from, int64_t to)
{
    struct sim_event x = piece(SIM_TRACK_STORE, &w->of, from, to);

    if (!k->h->s->config.event)
        return;
    live_store(k->h->live, w, to);
    x.n = w->silent ? 0 : (uint64_t)(w->rows * w->row_bytes);
    if (wants(k->h, SIM_DETAIL_COMMAND))
        tell(k->h, &x);
    else if (wants(k->h, SIM_DETAIL_TILE))
        join(k->h, &x, 0);
}

/* ---- layers, and figures over time */

void
trace_layer(struct hart *h, const struct sim_layer_stats *l)
{
    struct sim_event x = piece(SIM_TRACK_LAYER, &(struct origin) { l->number, 0 },
        (int64_t)l->start, (int64_t)(l->start + l->cycles));

    x.commands = l->commands;
    tell(h, &x);
}

void
trace_figure(struct hart *h, enum sim_track track, int64_t from, int64_t to, uint64_t n)
{
    struct sim_event x = piece(track, &(struct origin) { -1, 0 }, from, to);

    x.n = n;
    tell(h, &x);
}

void
trace_memory(struct hart *h, int64_t at, uint64_t bytes)
{
    struct trace *t = &h->trace;

    if (!h->s->config.event)
        return;
    if (at / WINDOW > t->window) {
        trace_figure(h, SIM_TRACK_MEMORY, t->window * WINDOW, (t->window + 1) * WINDOW, t->bytes);
        if (at / WINDOW > t->window + 1)
            trace_figure(h, SIM_TRACK_MEMORY, (t->window + 1) * WINDOW, at / WINDOW * WINDOW, 0);
        t->window = at / WINDOW;
        t->bytes = 0;
    }
    t->bytes += bytes;
}

static void
trace_end(struct hart *h)
{
    for (int i = 0; i < SIM_TRACKS; i++)
        flush(h, (enum sim_track)i);
    if (h->trace.bytes)
        trace_memory(h, (h->trace.window + 1) * WINDOW, 0);
    live_end(h->live, h);
}

void
sim_trace_end(struct sim *s)
{
    for (int i = 0; i < s->nharts; i++) {
        struct hart *h = &s->harts[i];
        if (!s->config.event || !h->clock)
            continue;
        trace_end(h);
        stats_timed(h, -1);
    }
}
