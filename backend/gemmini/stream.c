/* Cutting a product into tiles, units and runs that fit local memory, and choosing
 * the cut by enumeration. */
#include <string.h>

#include "backend/gemmini/gemmini.h"
#include "src/base/num.h"

/* Segments of one line: at most DIM pixels each.  The last is full, because the
 * compute before a real preload costs DIM rows anyway (schedules.md rule 3); the
 * others share the rest evenly. */
static void
cut_line(struct stream *s, int64_t dim)
{
    int n = (int)num_ceil_div(s->line, dim);
    int64_t left = s->line;

    s->segs_per_line = n;
    for (int i = n - 1, part = n; i >= 0; i--, part--) {
        s->seg_rows[i] = i == n - 1 ? num_min(dim, left) : num_ceil_div(left, part);
        left -= s->seg_rows[i];
    }
}

/* Channels in groups of a line, outputs in chunks. */
static void
cut_channels(const struct product *g, const struct target *t, struct stream *s)
{
    int64_t dim = t->dim, line = target_line(t);
    bool diag = g->from == WEIGHTS_DIAGONAL;

    s->nj = num_ceil_div(num_min(s->cut.och, g->o), dim);
    s->chunks = num_ceil_div(g->o, s->nj * dim);
    s->nj_last = num_ceil_div(g->o - (s->chunks - 1) * s->nj * dim, dim);
    s->groups = diag ? 1 : num_ceil_div(g->c, line);
    s->kb = diag ? 1 : num_ceil_div(num_min(g->c, line), dim);
    s->kb_last = diag ? 1 : num_ceil_div(g->c - (s->groups - 1) * line, dim);
    s->taps = g->kh * g->kw * (g->second ? 2 : 1);
    s->w_cols = s->nj * dim;
    s->w_slot = s->nj * dim;
    s->w_steps = s->taps * (s->kb * (s->groups - 1) + s->kb_last);
}

/* Stores end with segments and with image rows. */
static int64_t
count_stores(const struct stream *s)
{
    int64_t n = 0, at = 0;

    for (int64_t l = 0; l < s->lines; l++)
        for (int i = 0; i < s->segs_per_line; at += s->seg_rows[i++])
            n += (at + s->seg_rows[i] - 1) / s->tile_cols - at / s->tile_cols + 1;
    return n;
}

/* Where results lie in the accumulator: for plain stores the blocks of a segment side
 * by side, as a wide store wants them; for pooling each block a whole region. */
static bool
place_results(const struct product *g, const struct target *t, struct stream *s)
{
    int64_t region = s->tile_rows * s->tile_cols, dim = t->dim;

    s->segs = s->segs_per_line * s->lines;
    s->seg_step = s->nj * dim;
    s->c_step = dim;
    s->stores = count_stores(s);
    s->biases = s->segs;
    if (g->pool_size) {
        s->seg_step = 0;
        s->c_step = region;
        s->stores = s->nj;
        s->biases = num_ceil_div(region, dim);
        return s->nj == 1 && region <= target_acc_rows(t) / 2 && s->tile_rows <= 255 && s->tile_cols <= 255;
    }
    return s->segs * s->seg_step <= target_acc_rows(t) / 2;
}

static bool
place_inputs(const struct product *g, const struct target *t, struct stream *s)
{
    bool diag = g->from == WEIGHTS_DIAGONAL;

    s->moves = window_moves(g, &s->win, t->dim, 0, 0, NULL);
    if (g->second) {
        struct product other = product_second(g);
        if (window_moves(&other, &s->win, t->dim, 0, 0, NULL) != s->moves)
            return false;        /* the kernel changes over half way */
        s->moves *= 2;
    }
    s->bank = target_sp_rows(t) / 4;
    s->a_block = s->win.pixels * (g->second ? 2 : 1);
    s->a_rows = s->a_block * (diag ? s->nj : s->kb);
    if (s->a_rows > s->bank)
        return false;
    s->a_slots = 2 * (s->bank / s->a_rows);
    if (!diag && s->groups + 1 <= s->a_slots) {
        s->cut.reload = 0;
        s->a_units = s->tiles * s->groups;
    } else {
        s->cut.reload = 1;
        s->a_units = s->tiles * s->chunks * s->groups;
    }
    return true;
}

static bool
place_weights(const struct product *g, struct stream *s)
{
    int64_t slots = 2 * (s->bank / s->w_slot), chunks = g->second ? 1 : s->chunks;

    if (slots < 2)
        return false;
    s->cut.resident = chunks * s->w_steps <= slots;
    s->w_ring = s->cut.resident ? chunks * s->w_steps : slots;
    s->w_total = s->cut.resident ? s->w_ring : s->tiles * s->chunks * s->w_steps;
    if (s->cut.lead >= s->w_ring)
        s->cut.lead = s->w_ring - 1;
    if (s->cut.lead < 1)
        s->cut.lead = 1;
    if (s->cut.lead > 1 && s->cut.lead % 2 == 0)
        s->cut.lead--;           /* an even lead writes the bank being read (rule 5) */
    return true;
}

bool
stream_derive(const struct product *g, const struct target *t, const struct cut *c, struct stream *s)
{
    memset(s, 0, sizeof *s);
    s->cut = *c;
    cut_channels(g, t, s);
    s->tile_rows = (c->rows - 1) * g->pool_step + (g->pool_size ? g->pool_size : 1);
    s->tile_cols = (c->cols - 1) * g->pool_step + (g->pool_size ? g->pool_size : 1);
    s->tiles_y = num_ceil_div(g->oh, c->rows);
    s->tiles_x = num_ceil_div(g->ow, c->cols);
    s->tiles = g->batch * s->tiles_y * s->tiles_x;
    s->lines = c->flat ? 1 : s->tile_rows;
    s->line = c->flat ? s->tile_rows * s->tile_cols : s->tile_cols;
    if (s->line > 256 * t->dim)
        return false;
    cut_line(s, t->dim);
    return place_results(g, t, s) && window_cut(g, s->tile_rows, s->tile_cols, c->flat, &s->win)
        && place_inputs(g, t, s) && place_weights(g, s);
}

/* ---- search */

struct search {
    const struct product *g;
    const struct target *t;
    struct stream *best;
    struct cost *cost;
    bool found;
};

static void
consider(struct search *q, const struct product *g, const struct cut *c)
{
    struct stream s;

    if (!stream_derive(g, q->t, c, &s))
        return;
    struct cost cost = stream_cost(g, q->t, &s);
    if (q->found && cost.cycles >= q->cost->cycles)
        return;
    q->found = true;
    *q->cost = cost;
    *q->best = s;
}

/* Tiles of whole rows, or of parts of them that share the row evenly, as many rows as
 * the accumulator's half can hold. */
static void
search_tiles(struct search *q, const struct product *g, struct cut c)
{
    int64_t most = target_acc_rows(q->t) / 2, tried = 0;

    for (int64_t parts = 1; parts <= g->ow; parts++) {
        c.cols = num_ceil_div(g->ow, parts);
        if (c.cols == tried || c.cols > most)
            continue;
        tried = c.cols;
        for (c.rows = 1; c.rows <= g->oh && c.rows * c.cols <= most; c.rows++)
            consider(q, g, &c);
        if (q->found && c.cols < q->t->dim)
            break;
    }
}

bool
stream_search(const struct product *g, const struct target *t, bool full, struct stream *best, struct cost *cost)
{
    struct search q = { g, t, best, cost, false };
    int64_t line = target_line(t);

    for (int64_t fold = 0; fold < 2; fold++) {
        struct product f = fold ? product_fold(g) : *g;
        if (fold && f.folded == 1)
            break;
        /* Chunks are whole lines; narrower ones only where nothing else fits. */
        for (int64_t och = g->pool_size ? t->dim : line; och >= t->dim && (och == line || !q.found || g->pool_size); och /= 2)
            for (int64_t k = 0; k < (full ? 14 : 4); k++)
                search_tiles(&q, &f, (struct cut){ .och = och, .fold = fold, .flat = k & 1,
                                                   .lead = full ? 3 + k / 2 * 2 : 3 + k / 2 * 12 });
    }
    return q.found;
}

struct product
product_second(const struct product *g)
{
    struct product other = *g;

    other.in_img = g->second_img;
    other.in_row = g->second_row;
    return other;
}

struct product
product_fold(const struct product *g)
{
    struct product f = *g;

    if (g->exact_pixels || g->kw == 1 || g->from != WEIGHTS_DENSE || g->folded != 1)
        return f;
    f.folded = g->kw;
    f.fold_bytes = g->dx * g->in_pix;
    f.c = (g->kw - 1) * f.fold_bytes + g->c;
    f.kw = 1;
    f.dx = 1;
    return f;
}
