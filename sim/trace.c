/* What happened when, for whoever asked (sim_config.event): layers, moves, the array,
 * the core, and bytes that went to and from memory.  Runs of work with no gap become
 * one event, so that a trace stays small; nothing here changes the time. */
#include <stdlib.h>

#include "sim/clock.h"

enum { WINDOW = 1024 };              /* cycles of one figure of memory traffic */

void
trace_event(struct hart *h, enum sim_track track, int lane, int64_t from, int64_t to,
    uint64_t n)
{
    const struct sim_config *c = &h->s->config;
    struct sim_event e = { .track = track, .hart = h->number, .lane = lane, .n = n,
        .layer = stats_number(h), .start = (uint64_t)from, .end = (uint64_t)to };

    if (track == SIM_TRACK_LOAD)
        h->trace.lane[lane] = to;
    if (c->event && to >= from)
        c->event(&e, c->ctx);
}

int
trace_lane(struct hart *h, int64_t now)
{
    int64_t *lane = h->trace.lane;
    int i = 0, last = (int)h->s->t->dma_moves - 1;

    while (i < last && lane[i] > now)
        i++;
    lane[i] = INT64_MAX;
    return i;
}

static void
flush(struct hart *h, enum sim_track track)
{
    struct trace_run *r = &h->trace.run[track];

    if (r->to > r->from)
        trace_event(h, track, 0, r->from, r->to, r->n);
    r->from = r->to = 0;
    r->n = 0;
}

void
trace_busy(struct hart *h, enum sim_track track, int64_t from, int64_t to)
{
    struct trace_run *r = &h->trace.run[track];

    if (!h->s->config.event || to < from)
        return;
    if (from > r->to + 1 || r->layer != stats_number(h)) {
        flush(h, track);
        r->from = from;
        r->layer = stats_number(h);
    }
    r->to = to;
    r->n++;
}

void
trace_memory(struct hart *h, int64_t at, uint64_t bytes)
{
    struct trace *t = &h->trace;

    if (!h->s->config.event)
        return;
    if (at / WINDOW > t->window) {
        trace_event(h, SIM_TRACK_MEMORY, 0, t->window * WINDOW, (t->window + 1) * WINDOW,
            t->bytes);
        if (at / WINDOW > t->window + 1)
            trace_event(h, SIM_TRACK_MEMORY, 0, (t->window + 1) * WINDOW,
                at / WINDOW * WINDOW, 0);
        t->window = at / WINDOW;
        t->bytes = 0;
    }
    t->bytes += bytes;
}

void
trace_end(struct hart *h)
{
    for (int i = 0; i < SIM_TRACKS; i++)
        flush(h, (enum sim_track)i);
    if (h->trace.bytes)
        trace_memory(h, (h->trace.window + 1) * WINDOW, 0);
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
