/* Closed-form cycles of a cut, by the rules of schedules.md section 2 and the figures
 * of the target.  An estimate: the device model's clock is the judge. */
#include <math.h>

#include "backend/gemmini/gemmini.h"
#include "src/base/num.h"

/* A pair of few rows costs a floor; from nine rows on, a row a cycle (rule 2). */
static double
pair(const struct target *t, int64_t rows)
{
    double floor = t->pair_min + (rows > 4 ? (double)(rows - 4) * 0.28 : 0);

    return floor > (double)rows + 0.1 ? floor : (double)rows + 0.1;
}

static double
run_cycles(const struct target *t, const struct stream *s)
{
    double sum = 0;

    for (int i = 0; i < s->segs_per_line; i++)
        sum += pair(t, s->seg_rows[i]);
    sum *= (double)s->lines;
    int64_t last = s->seg_rows[s->segs_per_line - 1];
    return sum - pair(t, last) + (double)num_max(last, t->dim);
}

/* What the core needs to issue one run, counted in the compiled kernel: two commands
 * and six instructions a pair (two in the form for four segments), some 22 a run and
 * 30 a step of the weights. */
static double
issue_cycles(const struct target *t, const struct stream *s)
{
    double pairs = (double)s->segs;
    double instructions = pairs * (s->segs == 4 ? 2 : 6) + 22 + 30 / (double)s->nj;

    return pairs * 2 * t->core_issue + instructions * t->core_instr;
}

/* And for the moves of one tile and chunk: each advances a cursor or two. */
static double
move_issue(const struct target *t, const struct product *g, const struct stream *s)
{
    double units = (double)s->groups * (s->cut.reload ? 1.0 : 1.0 / (double)s->chunks);
    double inputs = units * (double)s->moves, weights = s->cut.resident ? 0 : (double)s->w_steps;
    double bias = g->bias ? (double)s->biases * (10 + 6 * (double)s->nj) : 0;

    return (inputs * 22 + weights * 14 + bias + (double)s->stores * 12) * t->core_instr;
}

/* One move of `rows` rows of `bytes` each, every line from the cache or from memory. */
static double
move_cycles(const struct target *t, int64_t rows, int64_t bytes, bool cold)
{
    int64_t beats = num_ceil_div(bytes, t->dma_bus_bytes);
    double warm = (double)(rows * beats) + (double)t->dma_move_gap;

    if (beats == 3)
        warm += (double)rows * 1.9;                /* 48-byte rows: rule of timing.md 1.4 */
    double lines = (double)(rows * bytes) / (double)t->l2_line;
    double far = lines * t->dram_line;
    return cold && far > warm ? far : warm;
}

struct cost
stream_cost(const struct product *g, const struct target *t, const struct stream *s)
{
    bool diag = g->from == WEIGHTS_DIAGONAL;
    int64_t acc = target_acc_bytes(t);
    int64_t width = num_min(diag ? s->w_cols : g->c, target_line(t));
    double phases = (double)(s->tiles * s->chunks);
    double steps = (double)(s->taps * (s->kb * (s->groups - 1) + s->kb_last));
    double njs = (double)s->nj - (double)(s->nj - s->nj_last) / (double)s->chunks;
    double array = steps * njs * (run_cycles(t, s) + 1.0);
    double core = steps * njs * issue_cycles(t, s) + move_issue(t, g, s);
    double compute = array > core ? array : core;

    int64_t per_move = num_ceil_div(s->a_block, s->moves);
    double units = (double)s->groups * (s->cut.reload ? 1.0 : 1.0 / (double)s->chunks);
    double first = units * (double)s->moves * move_cycles(t, per_move, width, true);
    double again = units * (double)s->moves * move_cycles(t, per_move, width, false);
    double load = s->cut.reload && s->chunks > 1 && !diag
        ? (first + again * (double)(s->chunks - 1)) / (double)s->chunks : first;

    double wmove_far = move_cycles(t, t->dim, s->w_cols, true), wmove = move_cycles(t, t->dim, s->w_cols, false);
    bool small = s->chunks * s->w_steps * t->dim * s->w_cols < t->l2_bytes / 2;
    if (s->cut.resident)
        load += (double)s->w_total * wmove_far / phases;
    else
        load += steps * (small && s->tiles > 1
            ? (wmove_far + wmove * (double)(s->tiles - 1)) / (double)s->tiles : wmove_far);
    if (g->bias)
        load += (double)s->biases * njs * ((double)t->dim + 3);

    double writer = njs - 1 + ceil(njs * (double)t->dim / (double)t->dma_bus_bytes);
    double row = s->nj == 1 ? t->acc_row_cycles : fmax(t->acc_block_cycles * njs, writer);
    double store = (double)(s->tile_rows * s->tile_cols) * row;
    if (store < (double)s->stores * t->store_min)
        store = (double)s->stores * t->store_min;
    if (g->pool_size)
        store = (double)s->stores * (t->pool_start + t->pool_row
            * (double)(s->cut.rows * s->cut.cols * g->pool_size * g->pool_size));

    double most = compute;
    enum limit limit = array > core ? LIMIT_ARRAY : LIMIT_CORE;
    if (load > most || store > most) {
        most = load > store ? load : store;
        limit = LIMIT_MEMORY;
    }
    /* Loads and stores that nearly fill a tile's time disturb the array. */
    double busy = (load + store) / most;
    most *= 1.0 + 0.01 * (busy > 1 ? busy - 1 : 0);
    /* Code and constants that are not in the core's caches, the first unit and weights. */
    double code = 40 * (t->core_icache_dram + (double)(t->dram_latency + t->dram_first));
    double head = code + (double)s->moves * move_cycles(t, per_move, width, true)
        + (double)s->cut.lead * wmove_far;
    double tail = store + (double)t->ex_latency;
    struct cost c = { .limit = limit };
    /* Between tiles and groups the core sets up while the array's queue runs dry. */
    double turns = 60 + 50 * (double)s->groups;
    c.cycles = (uint64_t)(phases * (most + turns) + head + tail);
    c.bytes_in = s->w_total * t->dim * s->w_cols + s->a_units * s->a_block * width
        + (g->bias ? s->tiles * g->o * acc : 0);
    c.bytes_out = g->batch * g->oh * g->ow * g->o;
    return c;
}
