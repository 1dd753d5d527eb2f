/* Local memories of a hart and the buffers of its array.  Contents start as zeros,
 * as nothing a legal program does can tell; strict.c knows what was written. */
#include <stdlib.h>
#include <string.h>

#include "sim/internal.h"
#include "src/base/num.h"

enum { WIDE = 4, ALIGN = 64 };       /* bytes of a wide value; of our vectors */

void
layout_init(struct layout *l, const struct target *t)
{
    int64_t rows = num_max(target_sp_rows(t), target_acc_rows(t));
    uint32_t bits = 1;

    while ((int64_t)1 << bits < rows && bits < 28)
        bits++;
    l->row_mask = (1u << bits) - 1;
    l->garbage = ISA_ACC | ISA_ACCUMULATE | ISA_FULL | 1u << bits | l->row_mask;
}

static void *
zeros(int64_t bytes)
{
    size_t n = (size_t)num_round_up(bytes, ALIGN);
    void *p = aligned_alloc(ALIGN, n);

    if (p)
        memset(p, 0, n);
    return p;
}

bool
mem_init(struct hart *h)
{
    const struct target *t = h->s->t;
    struct mesh *m = &h->mesh;
    int64_t dim = t->dim, line = h->s->line * target_acc_bytes(t);

    h->sp.rows = target_sp_rows(t);
    h->sp.pitch = dim * target_elem_bytes(t);
    h->acc.rows = target_acc_rows(t);
    h->acc.pitch = dim * target_acc_bytes(t);
    m->pitch = num_round_up(dim, 16);
    h->sp.bytes = zeros(h->sp.rows * h->sp.pitch);
    h->acc.bytes = zeros(h->acc.rows * h->acc.pitch);
    m->staged = zeros(dim * m->pitch * WIDE);
    m->loaded = zeros(dim * m->pitch * WIDE);
    m->sums = zeros(dim * m->pitch * WIDE);
    m->tile = zeros(dim * dim * target_elem_bytes(t));
    m->row = zeros(line);
    m->best = zeros(line);
    return h->sp.bytes && h->acc.bytes && m->staged && m->loaded && m->sums
        && m->tile && m->row && m->best;
}

void
mem_reset(struct hart *h)
{
    memset(h->sp.bytes, 0, (size_t)(h->sp.rows * h->sp.pitch));
    memset(h->acc.bytes, 0, (size_t)(h->acc.rows * h->acc.pitch));
}

void
mem_free(struct hart *h)
{
    struct mesh *m = &h->mesh;

    free(h->sp.bytes);
    free(h->acc.bytes);
    free(m->staged);
    free(m->loaded);
    free(m->sums);
    free(m->tile);
    free(m->row);
    free(m->best);
}
