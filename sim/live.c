/* Local rows in use, for a timeline: those whose contents will be read again.  A row is in
 * use from the command that fills it to the last one that reads it before another fills
 * it anew; adding to it reads it.  That is known only afterwards, so the figures come at
 * the end: one for every SAMPLE cycles in which something changed. */
#include <stdlib.h>
#include <string.h>

#include "sim/clock.h"
#include "src/base/num.h"

enum { SAMPLE = 256 };

struct life { int64_t born, last; };  /* born -1: nothing was written; last -1: nor read */

/* Rows more than at the sample before, by number of the sample. */
struct changes { int32_t *at; int64_t n; };

struct live {
    struct life *row;                /* as in struct rows */
    int64_t rows, sp_rows;
    struct changes sp, acc;
};

struct live *
live_new(const struct hart *h)
{
    struct live *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    l->sp_rows = h->sp.rows;
    l->rows = h->sp.rows + h->acc.rows;
    l->row = calloc((size_t)l->rows, sizeof *l->row);
    if (l->row)
        return l;
    live_free(l);
    return NULL;
}

void
live_free(struct live *l)
{
    if (!l)
        return;
    free(l->row);
    free(l->sp.at);
    free(l->acc.at);
    free(l);
}

void
live_reset(struct live *l)
{
    for (int64_t i = 0; i < l->rows; i++)
        l->row[i] = (struct life) { -1, -1 };
    for (int64_t i = 0; i < l->sp.n; i++)
        l->sp.at[i] = 0;
    for (int64_t i = 0; i < l->acc.n; i++)
        l->acc.at[i] = 0;
}

/* ---- lives */

/* Room for the sample; without memory the figures end before it. */
static bool
grow(struct changes *c, int64_t sample)
{
    int64_t n = num_max(num_max(2 * c->n, 1024), sample + 1);
    int32_t *at;

    if (sample < c->n)
        return true;
    at = realloc(c->at, (size_t)n * sizeof *at);
    if (!at)
        return false;
    memset(at + c->n, 0, (size_t)(n - c->n) * sizeof *at);
    c->at = at;
    c->n = n;
    return true;
}

/* What the row held is over. */
static void
close_life(struct live *l, int64_t row)
{
    struct life *x = &l->row[row];
    struct changes *c = row < l->sp_rows ? &l->sp : &l->acc;
    int64_t from = num_ceil_div(x->born, SAMPLE), to = num_ceil_div(x->last, SAMPLE);

    if (x->born < 0 || x->last <= x->born || !grow(c, to))
        return;
    c->at[from]++;
    c->at[to]--;
}

static void
filled(struct live *l, int64_t row, int64_t at)
{
    if (row >= l->rows)
        return;
    close_life(l, row);
    l->row[row] = (struct life) { at, -1 };
}

static void
read_at(struct live *l, int64_t row, int64_t at)
{
    if (row < l->rows && l->row[row].born >= 0)
        l->row[row].last = num_max(l->row[row].last, at);
}

static void
written(struct live *l, int64_t row, bool add, int64_t from, int64_t to)
{
    if (!add || (row < l->rows && l->row[row].born < 0))
        filled(l, row, from);
    else
        read_at(l, row, to);
}

static void
all_read(struct live *l, struct rows r, int64_t step, int64_t at)
{
    for (int64_t i = r.from; i < r.to; i += step)
        read_at(l, i, at);
}

/* ---- commands */

void
live_load(struct live *l, const struct work *w, int64_t at)
{
    if (w->repeats > 1) {
        for (int64_t i = w->a.from; i < w->a.to; i++)
            written(l, i, w->adds, at, at);
        return;
    }
    for (int64_t b = 0; b < w->blocks; b++)
        for (int64_t i = 0; i < w->rows; i++)
            written(l, w->local + b * w->block_stride + i, w->adds, at, at);
}

void
live_product(struct live *l, const struct work *compute, const struct work *to,
    const struct work *weights, int64_t from, int64_t end, int64_t drained)
{
    if (compute) {
        all_read(l, compute->a, num_max(compute->step, 1), end);
        all_read(l, compute->b, 1, end);
    }
    if (weights)
        all_read(l, weights->b, 1, end);
    for (int64_t i = to ? to->a.from : 0; to && i < to->a.to; i += num_max(to->step, 1))
        written(l, i, to->adds, from, drained);
}

void
live_store(struct live *l, const struct work *w, int64_t at)
{
    int64_t n = w->pooled ? w->pooled : w->rows, blocks = w->pooled ? 1 : w->blocks;
    int64_t step = blocks > 1 ? (w->a.to - w->a.from - n) / (blocks - 1) : 0;

    for (int64_t b = 0; b < blocks; b++) {
        int64_t from = w->a.from + b * step;
        all_read(l, (struct rows) { from, from + n }, 1, at);
    }
}

/* ---- the end */

static void
figures(const struct changes *c, struct hart *h, enum sim_track track)
{
    int64_t rows = 0;

    for (int64_t i = 0; i < c->n; i++) {
        rows += c->at[i];
        if (c->at[i])
            trace_figure(h, track, i * SAMPLE, i * SAMPLE, (uint64_t)rows);
    }
}

void
live_end(struct live *l, struct hart *h)
{
    for (int64_t i = 0; i < l->rows; i++) {
        close_life(l, i);
        l->row[i].born = -1;
    }
    figures(&l->sp, h, SIM_TRACK_SCRATCHPAD);
    figures(&l->acc, h, SIM_TRACK_ACCUMULATOR);
}
