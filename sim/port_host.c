/* The device model as a sink: memory is whatever block the model was given, commands
 * come from the walker of kernel programs. */
#include "sim/internal.h"

static bool
command(struct sink *k, int hart, const struct isa_cmd *c, uint64_t *result)
{
    return sim_command((struct sim *)k, hart, c, 0, result);
}

static bool
fence(struct sink *k, int hart)
{
    return sim_fence((struct sim *)k, hart);
}

static void
layer(struct sink *k, int hart, int number)
{
    sim_layer((struct sim *)k, hart, number);
}

static void
instructions(struct sink *k, int hart, uint64_t n)
{
    sim_instructions((struct sim *)k, hart, n);
}

void
port_init(struct sim *s)
{
    s->sink = (struct sink) { command, fence, layer, instructions };
}

struct sink *
sim_sink(struct sim *s)
{
    return &s->sink;
}
