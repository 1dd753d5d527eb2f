/* Inputs made up for calibration where there are none: floats even between 0 and 1,
 * integers 0.  The same seed gives the same ones everywhere. */
#include <string.h>

#include "passes/passes.h"

struct made_up { struct feed feed; uint64_t seed, state; int sets, given; };

static uint64_t
random_bits(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static bool
next(struct feed *f, const struct graph *g, void *const *inputs)
{
    struct made_up *m = (struct made_up *)f;

    if (m->given == m->sets)
        return false;
    m->given++;
    for (int i = 0; i < g->ninput; i++) {
        const struct type *t = &g->inputs[i]->type;
        memset(inputs[i], 0, (size_t)shape_bytes(t, 0));
        for (int64_t k = 0; t->dt == DT_F32 && k < shape_elems(&t->shape); k++)
            ((float *)inputs[i])[k] = (float)(random_bits(&m->state) >> 40) / 16777216.0f;
    }
    return true;
}

static void
rewind_to_start(struct feed *f)
{
    struct made_up *m = (struct made_up *)f;

    m->given = 0;
    m->state = m->seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (int i = 0; i < 8; i++)
        random_bits(&m->state);
}

struct feed *
feed_made_up(struct arena *a, uint64_t seed, int sets)
{
    struct made_up *m = NEW(a, struct made_up);

    m->feed = (struct feed){ next, rewind_to_start, "made-up inputs", true };
    m->seed = seed;
    m->sets = sets;
    rewind_to_start(&m->feed);
    return &m->feed;
}
