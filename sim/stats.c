/* Figures per layer: what its commands moved and multiplied, and, with timing, how
 * its cycles were spent.  The clock sums since reset; a layer's share is what came
 * since its mark. */
#include <stdlib.h>

#include "sim/clock.h"

/* Brings the layer that time is in up to date. */
static void
update(struct hart *h)
{
    const struct clock *k = h->clock;
    const struct sim_layer_stats *from = &h->base;
    struct sim_layer_stats *s;

    if (h->timed < 0)
        return;
    s = &h->layers[h->timed];
    s->cycles = clock_core(k) - s->start;
    s->array = k->sum.array - from->array;
    s->core = k->sum.core - from->core;
    s->stall_operands = k->sum.stall_operands - from->stall_operands;
    s->stall_commands = k->sum.stall_commands - from->stall_commands;
    s->stall_store = k->sum.stall_store - from->stall_store;
    s->stall_fence = k->sum.stall_fence - from->stall_fence;
    s->stall_bank = k->sum.stall_bank - from->stall_bank;
}

int
stats_number(const struct hart *h)
{
    return h->timed < 0 ? -1 : h->layers[h->timed].number;
}

void
stats_timed(struct hart *h, int record)
{
    update(h);
    if (h->timed >= 0)
        trace_layer(h, &h->layers[h->timed]);
    h->timed = record;
    if (record < 0)
        return;
    h->layers[record].start = clock_core(h->clock);
    h->base = h->clock->sum;
}

/* A record for one more layer; false: no memory. */
static bool
open_layer(struct hart *h, int number)
{
    if (h->nlayers == h->layers_cap) {
        int cap = h->layers_cap ? 2 * h->layers_cap : 256;
        void *p = realloc(h->layers, (size_t)cap * sizeof *h->layers);
        if (!p)
            return false;
        h->layers = p;
        h->layers_cap = cap;
    }
    h->layers[h->nlayers++] = (struct sim_layer_stats) { .number = number };
    return true;
}

void
stats_layer(struct hart *h, int number)
{
    h->layer_open = number >= 0 && open_layer(h, number);
    if (h->clock)
        events_layer(h->clock, h->layer_open ? h->nlayers - 1 : -1);
}

/* Before the command is executed. */
void
stats_command(struct hart *h, const struct isa_cmd *c)
{
    if (h->layer_open)
        h->layers[h->nlayers - 1].commands++;
    stats_work(h, c);
}

void
stats_work(struct hart *h, const struct isa_cmd *c)
{
    struct sim_layer_stats *s;

    if (!h->layer_open)
        return;
    s = &h->layers[h->nlayers - 1];
    if (isa_class(c->funct) == ISA_CLASS_LOAD)
        s->bytes_in += exec_bytes(h, c);
    else if (c->funct == ISA_MVOUT)
        s->bytes_out += exec_bytes(h, c);
    else if (c->funct == ISA_COMPUTE_FLIP || c->funct == ISA_COMPUTE_STAY)
        s->macs += exec_macs(h, c);
}

const struct sim_layer_stats *
stats_all(struct hart *h, int *n)
{
    update(h);
    *n = h->nlayers;
    return h->layers;
}
