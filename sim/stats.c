/* Figures per layer: what its commands moved and multiplied, and, with timing, how
 * its cycles were spent.  The clock sums since reset; a layer's share is what came
 * since its mark. */
#include <stdlib.h>

#include "sim/clock.h"

/* Brings the running layer up to date. */
static void
update(struct hart *h)
{
    const struct clock *k = h->clock;
    const struct sim_layer_stats *from = &h->base;
    struct sim_layer_stats *s;

    if (!h->layer_open || !k)
        return;
    s = &h->layers[h->nlayers - 1];
    s->cycles = clock_core(k) - s->start;
    s->array = k->sum.array - from->array;
    s->core = k->sum.core - from->core;
    s->stall_operands = k->sum.stall_operands - from->stall_operands;
    s->stall_commands = k->sum.stall_commands - from->stall_commands;
    s->stall_store = k->sum.stall_store - from->stall_store;
    s->stall_fence = k->sum.stall_fence - from->stall_fence;
    s->stall_bank = k->sum.stall_bank - from->stall_bank;
}

void
stats_layer(struct hart *h, int number)
{
    if (h->clock)
        clock_catch_up(h->clock);
    update(h);
    if (h->layer_open && h->clock) {
        const struct sim_layer_stats *l = &h->layers[h->nlayers - 1];
        trace_event(h, SIM_TRACK_LAYER, 0, (int64_t)l->start, (int64_t)(l->start + l->cycles), 0);
    }
    h->layer_open = false;
    if (number < 0)
        return;
    if (h->nlayers == h->layers_cap) {
        int cap = h->layers_cap ? 2 * h->layers_cap : 256;
        void *p = realloc(h->layers, (size_t)cap * sizeof *h->layers);
        if (!p)
            return;
        h->layers = p;
        h->layers_cap = cap;
    }
    h->layers[h->nlayers++] = (struct sim_layer_stats) {
        .number = number,
        .start = h->clock ? clock_core(h->clock) : 0,
    };
    if (h->clock)
        h->base = h->clock->sum;
    h->layer_open = true;
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
