/* From a product and its cut to the kernel's arguments, tables and packed weights. */
#include <string.h>

#include "backend/gemmini/gemmini.h"
#include "backend/gemmini/stream_prog.h"
#include "src/base/num.h"
#include "src/machine/isa.h"

struct builder {
    struct plan *p;
    const struct product *g;
    const struct stream *s;
    struct arena *arena;         /* the program's */
    struct arg args[96]; int narg;
    struct arg_table tables[16]; int ntable;
};

static void
number(struct builder *b, const char *name, int64_t v)
{
    b->args[b->narg++] = (struct arg){ name, { .fixed = true, .at = v } };
}

static void
address(struct builder *b, const char *name, struct address a)
{
    b->args[b->narg++] = (struct arg){ name, a };
}

static uint64_t *
table(struct builder *b, const char *name, int64_t n)
{
    uint64_t *at = NEWN(b->arena, uint64_t, n ? n : 1);

    b->tables[b->ntable++] = (struct arg_table){ name, at, n };
    return at;
}

static uint64_t
entry(int64_t rows, int64_t local)
{
    return isa_operand((uint32_t)local, (unsigned)rows, 0);
}

/* ---- tables */

/* A pooled region: bias over all of its rows, one store per block of columns. */
static void
region_tables(struct builder *b, uint64_t *bias, uint64_t *store)
{
    const struct stream *s = b->s;
    int64_t dim = b->p->t->dim, region = s->tile_rows * s->tile_cols;

    for (int64_t i = 0; i < s->biases; i++)
        bias[i] = entry(num_min(dim, region - i * dim), i * dim);
    for (int64_t j = 0; j < s->stores; j++) {
        store[2 * j] = entry(1, j * region);
        store[2 * j + 1] = (uint64_t)(j * dim);
    }
}

/* A segment's rows leave in one store for each image row they touch. */
static int64_t
store_segment(struct builder *b, uint64_t *store, int64_t pixel, int64_t rows, int64_t local)
{
    const struct stream *s = b->s;
    const struct product *g = b->g;
    int64_t n = 0;

    while (rows > 0) {
        int64_t y = pixel / s->tile_cols, x = pixel % s->tile_cols, part = num_min(rows, s->tile_cols - x);
        store[2 * n] = entry(part, local);
        store[2 * n++ + 1] = (uint64_t)(y * g->out_row + x * g->out_pix);
        pixel += part;
        local += part;
        rows -= part;
    }
    return n;
}

/* seg: accumulator and input operand of each segment; bmove: where its bias goes;
 * store: accumulator rows and their place in the output. */
static void
segment_tables(struct builder *b)
{
    const struct stream *s = b->s;
    const struct product *g = b->g;
    uint64_t *seg = table(b, "seg", s->segs * 2), *bias = table(b, "bmove", s->biases);
    uint64_t *store = table(b, "store", s->stores * 2);
    int64_t step = window_pixel_step(g, &s->win), row = window_row_step(g, &s->win), i = 0, n = 0, pixel = 0;

    for (int64_t l = 0; l < s->lines; l++)
        for (int k = 0; k < s->segs_per_line; pixel += s->seg_rows[k++], i++) {
            int64_t rows = s->seg_rows[k], local = g->pool_size ? pixel : i * s->seg_step;
            int64_t y = pixel / s->tile_cols, x = pixel % s->tile_cols;
            seg[2 * i] = entry(rows, local);
            seg[2 * i + 1] = entry(rows, y * row + x * step);
            if (g->pool_size)
                continue;
            bias[i] = seg[2 * i];
            n += store_segment(b, store + 2 * n, pixel, rows, local);
        }
    if (g->pool_size)
        region_tables(b, bias, store);
}

static void
input_tables(struct builder *b)
{
    const struct stream *s = b->s;
    const struct product *g = b->g;
    const struct window *w = &s->win;
    uint64_t *move = table(b, "move", s->moves * 2), *tap = table(b, "tap", s->taps);
    int64_t n = window_moves(g, w, b->p->t->dim, 0, 0, move), i = 0;

    if (g->second) {
        struct product other = product_second(g);
        window_moves(&other, w, b->p->t->dim, w->pixels, 0, move + 2 * n);
    }
    for (int64_t k = 0; k < (g->second ? 2 : 1); k++)
        for (int64_t y = 0; y < g->kh; y++)
            for (int64_t x = 0; x < g->kw; x++)
                tap[i++] = (uint64_t)(k * w->pixels + window_tap(g, w, y, x));
}

/* Tiles at the edge are moved back so that all have one size: what they share with
 * their neighbour is computed twice, with the same result. */
static void
tile_tables(struct builder *b)
{
    const struct stream *s = b->s;
    const struct product *g = b->g;
    uint64_t *in = table(b, "tile_in", s->tiles + 1), *out = table(b, "tile_out", s->tiles), *scale;
    uint64_t *two = table(b, "tile_two", g->second ? s->tiles : 0);
    int64_t i = 0;

    for (int64_t n = 0; n < g->batch; n++)
        for (int64_t ty = 0; ty < s->tiles_y; ty++)
            for (int64_t tx = 0; tx < s->tiles_x; tx++, i++) {
                int64_t y = num_min(ty * s->cut.rows, g->oh - s->cut.rows);
                int64_t x = num_min(tx * s->cut.cols, g->ow - s->cut.cols);
                in[i] = (uint64_t)(n * g->in_img + y * g->pool_step * g->sy * g->in_row
                    + x * g->pool_step * g->sx * g->in_pix);
                if (g->second)
                    two[i] = (uint64_t)(g->second + n * g->second_img + y * g->second_row + x * g->in_pix);
                out[i] = (uint64_t)(n * g->out_img + y * g->out_row + x * g->out_pix);
            }
    int64_t chunk = s->nj * b->p->t->dim;
    scale = table(b, "scale", g->scale->scale.n == 1 ? 1 : s->chunks);
    for (int64_t c = 0; c < (g->scale->scale.n == 1 ? 1 : s->chunks); c++) {
        int64_t k = g->scale->scale.n == 1 ? 0 : c * chunk / g->scale->block;
        uint32_t bits;
        memcpy(&bits, &g->scale->scale.at[k], sizeof bits);
        scale[c] = bits;
    }
}

/* ---- packed data */

/* In order of use: chunk, group of channels, tap, block of DIM channels; each DIM rows of
 * w_cols bytes.  What lies beyond the real channels and outputs is 0. */
static struct address
pack_weights(struct builder *b)
{
    const struct stream *s = b->s;
    const struct product *g = b->g;
    int64_t dim = b->p->t->dim, line = target_line(b->p->t);
    int64_t chunks = g->second ? 1 : s->chunks, size = chunks * s->w_steps * dim * s->w_cols;
    int8_t *w = arena_alloc(b->arena, (size_t)size), *at = w;
    bool diag = g->from == WEIGHTS_DIAGONAL;

    for (int64_t c = 0; c < chunks; c++)
        for (int64_t q = 0; q < s->groups; q++)
            for (int64_t tap = 0; tap < s->taps; tap++)
                for (int64_t k = 0; k < (q + 1 == s->groups ? s->kb_last : s->kb); k++)
                    for (int64_t r = 0; r < dim; r++, at += s->w_cols)
                        for (int64_t j = 0; j < s->w_cols; j++) {
                            int64_t o = c * s->w_cols + j;
                            int64_t ch = diag ? o - o % dim + r : q * line + k * dim + r;
                            if (o < g->o && ch < (diag ? g->o : g->c))
                                at[j] = g->weight(g, o, ch, tap / g->kw, tap % g->kw);
                        }
    return plan_blob(b->p, "weights", w, size);
}

static struct address
pack_bias(struct builder *b)
{
    const struct stream *s = b->s;
    const struct product *g = b->g;
    int64_t n = s->chunks * s->nj * b->p->t->dim;
    int32_t *v = NEWN(b->arena, int32_t, n);

    if (!g->bias)
        return (struct address){ .fixed = true };
    memcpy(v, g->bias, (size_t)g->o * sizeof *v);
    return plan_blob(b->p, "bias", v, n * 4);
}

/* ---- arguments */

static void
input_args(struct builder *b)
{
    const struct stream *s = b->s;
    const struct product *g = b->g;
    bool diag = g->from == WEIGHTS_DIAGONAL;
    int64_t line = target_line(b->p->t), group = diag ? s->w_cols : line;
    int64_t channels = diag ? g->o : g->c, full = num_min(group, channels);
    int64_t last = channels - (num_ceil_div(channels, group) - 1) * group;
    int64_t runs = s->taps * s->kb_last * s->nj_last * (s->cut.reload || s->groups > 1 ? 1 : s->chunks);
    int64_t pace = runs / (s->moves * (s->groups > 1 && !s->cut.reload && s->chunks > 1 ? 2 : 1));

    address(b, "in", g->in);
    number(b, "in_stride", s->win.xstep * g->in_pix);
    number(b, "a_block", s->a_block);
    number(b, "a_stride", window_pixel_step(g, &s->win));
    number(b, "a_rows", s->a_rows);
    number(b, "a_slots", s->a_slots);
    number(b, "a_units", s->a_units);
    number(b, "a_first", num_min(s->a_slots, s->a_units));
    number(b, "a_cols", full);
    number(b, "a_cols_last", last);
    number(b, "a_group", line);
    number(b, "a_chunk", s->w_cols);
    number(b, "a_start", diag ? s->chunks == 1 : s->groups == 1);
    number(b, "a_pace", num_max(1, pace));
    number(b, "bank", s->bank);
    number(b, "moves", s->moves);
    number(b, "groups", s->groups);
    number(b, "kb", s->kb);
    number(b, "kb_last", s->kb_last);
    number(b, "taps", s->taps);
}

/* Runs in one tile and chunk: where they are few, stores cannot wait for one. */
static int64_t
runs_of(const struct stream *s)
{
    return s->w_steps * s->nj_last;
}

/* A segment's bias comes some runs after the store of what lay there: of its own store
 * where there is one for each, else of all.  With time to spare it waits for the stores
 * and comes evenly between the moves of weights. */
static void
bias_pace(struct builder *b)
{
    const struct stream *s = b->s;
    int64_t runs = runs_of(s), start = s->stores == s->biases ? 7 : s->stores + 4;

    number(b, "b_start", runs >= 48 ? num_max(20, start) : start);
    number(b, "b_pace", num_max(1, num_min(6, (runs - 8) / s->biases)));
}

static void
weight_args(struct builder *b)
{
    const struct stream *s = b->s;
    const struct product *g = b->g;
    int64_t dim = b->p->t->dim;
    bool memory = g->from == WEIGHTS_MEMORY, one = g->second != 0;

    address(b, "w", memory ? g->memory : pack_weights(b));
    number(b, "w_stride", memory ? g->memory_row : s->w_cols);
    number(b, "w_cols", s->w_cols);
    number(b, "w_base", 2 * s->bank);
    number(b, "w_slot", s->w_slot);
    number(b, "w_ring", s->w_ring);
    number(b, "w_step", dim * (memory ? g->memory_row : s->w_cols));
    number(b, "w_chunk", one ? 0 : memory ? s->w_cols : s->w_steps * dim * s->w_cols);
    number(b, "w_total", s->w_total);
    number(b, "w_steps", s->w_steps);
    number(b, "w_cols_last", memory ? g->o - (s->chunks - 1) * s->w_cols : s->nj_last * dim);
    number(b, "k_last", g->c - (s->groups - 1) * target_line(b->p->t) - (s->kb_last - 1) * dim);
    number(b, "exact_k", memory);
    number(b, "lead", s->cut.lead);
    address(b, "bias", pack_bias(b));
    number(b, "has_bias", g->bias != NULL);
    number(b, "biases", s->biases);
    number(b, "b_step", dim * 4);
    number(b, "b_chunk", s->nj * dim * 4);
    bias_pace(b);
}

/* rs1 of the pooling CONFIG_ST: pooled rows lie pool_out_dim pixels apart. */
static uint64_t
pool_fields(const struct builder *b)
{
    const struct stream *s = b->s;
    const struct product *g = b->g;
    struct isa_config_st st = { .act = g->relu, .pool_size = (unsigned)g->pool_size, .pool_stride = (unsigned)g->pool_step,
        .pool_out_dim = (unsigned)(g->out_row / g->out_pix), .porows = (unsigned)s->cut.rows,
        .pocols = (unsigned)s->cut.cols, .orows = (unsigned)s->tile_rows, .ocols = (unsigned)s->tile_cols };

    return g->pool_size ? isa_encode_st(&st).rs1 : 0;
}

static void
output_args(struct builder *b)
{
    const struct stream *s = b->s;
    const struct product *g = b->g;
    int64_t dim = b->p->t->dim, chunk = s->nj * dim, rest = g->o - (s->chunks - 1) * chunk;
    int64_t whole = s->nj_last * dim;
    bool room = !g->exact_cols && (s->chunks - 1) * chunk + whole <= g->out_pix;

    address(b, "out", g->out);
    number(b, "tiles", s->tiles);
    number(b, "chunks", s->chunks);
    number(b, "nj", s->nj);
    number(b, "nj_last", s->nj_last);
    number(b, "segs2", s->segs * 2);
    number(b, "stores", s->stores);
    number(b, "c_step", s->c_step);
    number(b, "c_bank", target_acc_rows(b->p->t) / 2);
    number(b, "out_stride", g->out_pix);
    number(b, "o_chunk", chunk);
    number(b, "o_cols", chunk);
    number(b, "o_cols_last", room ? whole : rest);
    number(b, "o_start", runs_of(s) >= 8 && !g->pool_size);
    number(b, "act", g->relu);
    number(b, "two", g->second != 0);
    number(b, "four", s->segs == 4);
    number(b, "pooled", g->pool_size != 0);
    number(b, "pool", (int64_t)pool_fields(b));
    number(b, "scales", g->scale->scale.n > 1);
    number(b, "dim", dim);
    number(b, "diag", g->from == WEIGHTS_DIAGONAL);
    number(b, "reload", s->cut.reload);
}

static const struct sched_def stream_sched = {
    "stream", { "rows", "cols", "och", "fold", "flat", "lead", "resident", "reload" }
};

bool
stream_plan(struct plan *p, const struct product *g, const struct stream *s)
{
    static const char *const fixed[] = { "diag", "reload", "has_bias", "exact_k", "pooled", "four", "two", NULL };
    struct builder *b = NEW(p->arena, struct builder);
    const struct cut *c = &s->cut;

    *b = (struct builder){ .p = p, .g = g, .s = s, .arena = p->p->arena };
    segment_tables(b);
    input_tables(b);
    tile_tables(b);
    input_args(b);
    weight_args(b);
    output_args(b);
    p->k->schedule = (struct schedule){ &stream_sched,
        { c->rows, c->cols, c->och, c->fold, c->flat, c->lead, c->resident, c->reload } };
    return plan_prog(p, "stream.prog", stream_prog, b->args, b->narg, b->tables, b->ntable, fixed);
}
