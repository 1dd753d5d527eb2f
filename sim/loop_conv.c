/* LOOP_CONV_WS: a convolution tile with bias, input, weights, pixels times weights,
 * and a store that may pool (gemmini-isa.md 12).
 *
 * Fields were packed in three ways over the years; the target says which.  Variants
 * that a target lacks are forced off, as in hardware.  A tile whose pads are larger
 * than itself never ends in hardware: conv_ends() is for refusing it. */
#include <stddef.h>

#include "sim/loops.h"
#include "src/base/num.h"

/* ---- fields */

struct field {
    size_t at;
    uint8_t word, low, bits;         /* word: two per configuration command */
};

#define F(name, config, rs, high, low) \
    { offsetof(struct conv_loop, name), 2 * (config - 16) + rs - 1, low, high - low + 1 }

static const struct field everywhere[] = {
    F(out_channels, 16, 1, 63, 48), F(in_channels, 16, 1, 47, 32), F(in_rows, 16, 1, 31, 16),
    F(batch_size, 16, 1, 15, 0), F(kernel_dim, 17, 1, 63, 48),
    F(batches, 17, 2, 63, 48), F(porows, 17, 2, 47, 32), F(pocols, 17, 2, 31, 16),
    F(pochs, 17, 2, 15, 0), F(krows, 18, 1, 63, 48), F(kcols, 18, 1, 47, 32),
    F(kchs, 18, 1, 31, 16), F(lpad, 18, 1, 15, 0), F(rpad, 18, 2, 63, 48),
    F(upad, 18, 2, 47, 32), F(orows, 19, 1, 63, 48), F(prpad, 19, 1, 47, 32),
    F(ocols, 19, 2, 15, 0), F(weights, 20, 1, 63, 0), F(output, 20, 2, 63, 0),
    F(bias, 21, 1, 63, 0), F(input, 21, 2, 63, 0),
};

static const struct field rows_and_cols[] = { /* revision 3 */
    F(stride, 16, 2, 55, 48), F(out_cols, 16, 2, 47, 32), F(pool_out_rows, 16, 2, 31, 16),
    F(out_rows, 16, 2, 15, 0), F(pool_out_cols, 17, 1, 47, 32), F(pool_size, 17, 1, 31, 16),
    F(pool_stride, 17, 1, 15, 8), F(dpad, 18, 2, 31, 24), F(plpad, 18, 2, 23, 16),
    F(in_cols, 18, 2, 15, 0),
};

static const struct field square[] = { /* revisions 1 and 2 */
    F(in_cols, 16, 1, 31, 16), F(stride, 16, 2, 47, 32), F(pool_out_rows, 16, 2, 31, 16),
    F(pool_out_cols, 16, 2, 31, 16), F(out_rows, 16, 2, 15, 0), F(out_cols, 16, 2, 15, 0),
    F(pool_size, 17, 1, 47, 32), F(pool_stride, 17, 1, 31, 16), F(dpad, 18, 2, 31, 16),
    F(plpad, 18, 2, 15, 0),
};

static const struct field strides[] = { /* revisions 2 and 3 */
    F(pupad, 19, 1, 31, 21), F(pdpad, 19, 1, 20, 10), F(kdil, 19, 1, 9, 0),
    F(in_stride, 19, 2, 63, 48), F(weight_stride, 19, 2, 47, 32), F(out_stride, 19, 2, 31, 16),
};

static const struct field channels[] = { /* revision 1 */
    F(pupad, 19, 1, 31, 16), F(pdpad, 19, 1, 15, 0), F(kdil, 19, 2, 31, 16),
    F(in_stride, 16, 1, 47, 32), F(weight_stride, 16, 1, 63, 48), F(out_stride, 16, 1, 63, 48),
};

#undef F

static void
take(struct conv_loop *l, uint64_t raw[6][2], const struct field *f, size_t n)
{
    for (; n; n--, f++) {
        uint64_t mask = f->bits == 64 ? UINT64_MAX : (UINT64_C(1) << f->bits) - 1;
        uint64_t word = raw[f->word / 2][f->word % 2];

        *(int64_t *)(void *)((char *)l + f->at) = (int64_t)(word >> f->low & mask);
    }
}

#define TAKE(table) take(l, raw, table, sizeof table / sizeof *table)

/* What the target's hardware was built without. */
static void
force(const struct target *t, struct conv_loop *l)
{
    if (!t->has_training)
        l->rot180 = l->out_1203 = l->w_1203 = l->w_0132 = l->in_3120 = l->dilated = false;
    if (!t->has_depthwise)
        l->dw = false;
    if (!t->has_max_pool)
        l->no_pool = true;
    if (!t->has_first_layer)
        l->pixels = 1;
    if (t->isa_revision == 1)
        l->a_id = l->b_id = 0;
}

/* Pixels with zeros between them, where the input is dilated. */
static int64_t
un(const struct conv_loop *l, int64_t x)
{
    return l->dilated ? (x + 1) >> 1 : x;
}

static int64_t
reach(int64_t k, int64_t kdil)
{
    return k + (kdil - 1) * (k - 1);
}

/* Rows of nonsense sizes stay beyond every capacity instead of overflowing. */
static int64_t
volume(int64_t n, int64_t h, int64_t w)
{
    const int64_t huge = INT64_C(1) << 48;
    int64_t r;

    return num_mul(n, h, &r) && num_mul(r, w, &r) && r < huge ? r : huge;
}

static void
derive(struct conv_loop *l)
{
    int64_t rows = l->orows * l->stride + reach(l->krows, l->kdil) - 1;
    int64_t cols = l->ocols * l->stride + reach(l->kcols, l->kdil) - 1;

    l->oc = l->orows * l->ocols;
    l->real_rows = un(l, rows - l->upad - l->dpad);
    l->real_cols = un(l, cols - l->lpad - l->rpad);
    if (l->dilated) {
        rows = l->real_rows + un(l, l->upad) + un(l, l->dpad);
        cols = l->real_cols + un(l, l->lpad) + un(l, l->rpad);
    }
    l->tile_rows = rows;
    l->tile_cols = cols;
    l->in_h = rows >> l->down;
    l->in_w = cols >> l->down;
    l->a_block = volume(l->in_3120 ? l->kchs : l->batches, l->in_h, l->in_w);
    l->b_block = l->krows * l->kcols * (l->w_0132 ? l->pochs : l->kchs);
}

void
conv_decode(const struct target *t, uint64_t raw[6][2], const struct isa_cmd *run,
    struct conv_loop *l)
{
    *l = (struct conv_loop) {
        .no_bias = run->rs1 & 1, .rot180 = run->rs1 >> 1 & 1, .out_1203 = run->rs1 >> 2 & 1,
        .w_1203 = run->rs1 >> 3 & 1, .w_0132 = run->rs1 >> 4 & 1,
        .in_3120 = run->rs1 >> 5 & 1, .dw = run->rs1 >> 6 & 1,
        .pixels = num_max(run->rs1 >> 8 & 0xff, 1),
        .b_id = run->rs1 >> 16 & 3, .a_id = run->rs1 >> 18 & 3,
        .no_pool = run->rs2 & 1, .down = run->rs2 >> 1 & 1, .dilated = run->rs2 >> 2 & 1,
        .act = run->rs2 >> 3 & 3,
    };
    TAKE(everywhere);
    if (t->isa_revision >= 3)
        TAKE(rows_and_cols);
    else
        TAKE(square);
    if (t->isa_revision >= 2)
        TAKE(strides);
    else
        TAKE(channels);
    force(t, l);
    derive(l);
    l->b_rows = num_ceil_div(l->w_0132 ? l->kchs : l->pochs, t->dim) * l->b_block;
}

bool
conv_ends(const struct conv_loop *l)
{
    return l->orows * l->stride + reach(l->krows, l->kdil) - 1 >= l->upad + l->dpad
        && l->ocols * l->stride + reach(l->kcols, l->kdil) - 1 >= l->lpad + l->rpad;
}

/* a * b, no more than a lot. */
static int64_t
times(int64_t a, int64_t b)
{
    return a > 0 && b > LOOP_MOST / a ? 2 * LOOP_MOST : a * b;
}

int64_t
conv_commands(const struct target *t, const struct conv_loop *l)
{
    int64_t pixels = times(times(l->batches, l->orows), num_ceil_div(l->ocols, t->dim));
    int64_t steps = times(times(l->krows, l->kcols), num_ceil_div(l->kchs, t->dim));
    int64_t input = times(times(l->batches, num_max(l->in_h, 0) << l->down),
        (num_max(l->in_w, 0) << l->down) / t->dim + l->lpad + l->rpad);

    input = times(input, num_ceil_div(l->kchs, loop_columns(t, target_elem_bytes(t))));

    if (l->in_3120) {
        pixels = times(num_ceil_div(l->batches, t->dim), l->oc);
        input = times(input, l->kchs);
    }
    return num_max(times(2 * num_ceil_div(l->pochs, t->dim), times(pixels, steps)), input);
}

/* ---- helpers of the generators */

/* x, and if that is over, y starts again: the next of two nested loops. */
static bool
wrap(int64_t *x, int64_t step, int64_t from, int64_t to)
{
    *x += step;
    if (*x < to)
        return false;
    *x = from;
    return true;
}

static struct isa_cmd
load_config(unsigned state, uint64_t stride, int64_t block_stride, int64_t repeats)
{
    return isa_encode_ld(&(struct isa_config_ld) { .state = state, .stride = stride,
        .block_stride = (unsigned)block_stride & 0xffff, .repeats = (unsigned)repeats,
        .scale = 1 });
}

/* Elements of one move. */
static int64_t
most(const struct loop *l, int64_t n)
{
    return num_min(n, loop_columns(l->t, target_elem_bytes(l->t)));
}

static uint64_t
offset(const struct loop *l, int64_t elements)
{
    return (uint32_t)((uint64_t)elements * (uint64_t)target_elem_bytes(l->t));
}

static struct isa_cmd
local_move(unsigned funct, uint64_t addr, uint32_t local, int64_t rows, int64_t cols)
{
    return (struct isa_cmd) { (uint8_t)funct, addr,
        isa_operand(local, (unsigned)rows, (unsigned)cols) };
}

/* Accumulator row of an output pixel. */
static uint32_t
out_row(const struct loop *l, const struct cursor *c)
{
    const struct conv_loop *v = &l->cv;

    return l->acc + (uint32_t)(c->ch / l->t->dim * v->batches * v->oc + c->b * v->oc
        + c->y * v->ocols + c->x);
}

/* Scratchpad row of weights. */
static uint32_t
weight_row(const struct loop *l, int64_t ky, int64_t kx, int64_t k, int64_t ch)
{
    const struct conv_loop *v = &l->cv;
    int64_t dim = l->t->dim, tap = ky * v->kcols + kx;

    return l->sp_b + (uint32_t)(v->w_0132 ? k / dim * v->b_block + tap * v->pochs + ch
        : ch / dim * v->b_block + tap * v->kchs + k);
}

/* ---- what comes in */

static void
next_bias(const struct loop *l, struct cursor *c, struct isa_cmd *cmd)
{
    const struct conv_loop *v = &l->cv;
    int64_t n = num_min(v->pochs, loop_columns(l->t, target_acc_bytes(l->t)));
    uint64_t at = (uint64_t)v->bias
        + (uint32_t)((uint64_t)c->ch * (uint64_t)target_acc_bytes(l->t));

    if (c->step++ == 0) {
        *cmd = load_config(2, 0, v->batches * v->oc, 1);
        return;
    }
    *cmd = local_move(ISA_MVIN3, v->no_bias ? 0 : at, ISA_ACC | out_row(l, c),
        num_min(l->t->dim, v->ocols - c->x), num_min(n, v->pochs - c->ch));
    if (wrap(&c->ch, n, 0, v->pochs) && wrap(&c->x, l->t->dim, 0, v->ocols)
        && wrap(&c->y, 1, 0, v->orows))
        c->done = wrap(&c->b, 1, 0, v->batches);
}

/* Pixels of one move: of the left pad, of the image, or of the right pad. */
static int64_t
run_of_pixels(const struct loop *l, int64_t x)
{
    const struct conv_loop *v = &l->cv;
    int64_t dim = l->t->dim;

    if (x < 0)
        return num_min(-x, dim);
    if (x < v->real_cols)
        return num_min(v->real_cols - x, dim << v->down);
    return num_min(v->real_cols + un(v, v->rpad) - x, dim);
}

/* Where a pixel of the image is; with the batch innermost, RTL counts the tile's
 * batches where it should count all. */
static int64_t
pixel_at(const struct conv_loop *v, const struct cursor *c)
{
    if (v->in_3120)
        return (c->k * v->in_rows * v->in_cols + c->y * v->in_cols + c->x) * v->batches + c->b;
    return (c->b * v->in_rows * v->in_cols + c->y * v->in_cols + c->x) * v->in_stride + c->k;
}

static void
next_input(const struct loop *l, struct cursor *c, struct isa_cmd *cmd)
{
    const struct conv_loop *v = &l->cv;
    int64_t dim = l->t->dim, n = most(l, v->in_3120 ? v->batches : v->kchs);
    int64_t image = v->in_h * v->in_w, pixels = run_of_pixels(l, c->x);
    bool zero = c->y < 0 || c->y >= v->real_rows || c->x < 0 || c->x >= v->real_cols;
    int64_t row = v->in_3120 ? c->b / dim * v->a_block + c->k * image
        : c->k / dim * v->a_block + c->b * image;

    if (c->step++ == 0) {
        *cmd = load_config(0, offset(l, v->in_3120 ? v->batch_size : v->in_stride) << v->down,
            v->a_block, v->pixels);
        return;
    }
    row += ((c->y + un(v, v->upad)) >> v->down) * v->in_w
        + ((c->x + un(v, v->lpad)) >> v->down);
    *cmd = local_move(ISA_MVIN, zero ? 0 : (uint64_t)v->input + offset(l, pixel_at(v, c)),
        (l->sp_a + (uint32_t)row) & 0x1fffffff, pixels >> v->down,
        num_min(n, v->in_3120 ? v->batches - c->b : v->kchs - c->k));
    if (wrap(&c->k, v->in_3120 ? 1 : n, 0, v->kchs)
        && wrap(&c->x, pixels, -un(v, v->lpad), v->real_cols + un(v, v->rpad))
        && wrap(&c->y, INT64_C(1) << v->down, -un(v, v->upad), v->real_rows + un(v, v->dpad)))
        c->done = wrap(&c->b, v->in_3120 ? n : 1, 0, v->batches);
}

/* Elements from one weight row to the next, and where this one is. */
static int64_t
weight_at(const struct conv_loop *v, const struct cursor *c, int64_t *step)
{
    int64_t d = v->kernel_dim, tap = c->ky * d + c->kx;

    if (v->dw) {
        *step = 1;
        return tap;
    }
    if (v->w_1203) {
        *step = d * d * v->out_channels;
        return (c->k * d * d + tap) * v->out_channels + c->ch;
    }
    if (v->w_0132) {
        *step = v->in_channels;
        return (tap * v->out_channels + c->ch) * v->in_channels + c->k;
    }
    *step = v->weight_stride;
    return (tap * v->in_channels + c->k) * v->weight_stride + c->ch;
}

static void
next_weights(const struct loop *l, struct cursor *c, struct isa_cmd *cmd)
{
    const struct conv_loop *v = &l->cv;
    int64_t dim = l->t->dim, n = most(l, v->w_0132 ? v->kchs : v->pochs), step;
    uint64_t at = (uint64_t)v->weights + offset(l, weight_at(v, c, &step));
    int64_t rows = num_min(dim, v->w_0132 ? v->pochs - c->ch : v->kchs - c->k);

    if (c->step++ == 0) {
        *cmd = load_config(1, offset(l, step), v->b_block, 1);
        return;
    }
    *cmd = local_move(ISA_MVIN2, at, weight_row(l, c->ky, c->kx, c->k, c->ch) & 0x1fffffff,
        rows, num_min(n, v->w_0132 ? v->kchs - c->k : v->pochs - c->ch));
    if (wrap(&c->k, v->w_0132 ? n : dim, 0, v->kchs) && wrap(&c->kx, 1, 0, v->kcols)
        && wrap(&c->ky, 1, 0, v->krows))
        c->done = wrap(&c->ch, v->w_0132 ? dim : n, 0, v->pochs);
}

/* ---- what is done */

/* The next pixels; after the last the next weights. */
static void
next_pixels(const struct loop *l, struct cursor *c, int64_t step)
{
    const struct conv_loop *v = &l->cv;
    int64_t dim = l->t->dim;

    if (!wrap(&c->x, step, 0, v->ocols) || !wrap(&c->y, 1, 0, v->orows)
        || !wrap(&c->b, v->in_3120 ? dim : 1, 0, v->batches))
        return;
    c->fresh = true;
    if (wrap(&c->k, dim, 0, v->kchs) && wrap(&c->kx, v->pixels, 0, v->kcols)
        && wrap(&c->ky, 1, 0, v->krows))
        c->done = wrap(&c->ch, dim, 0, v->pochs);
}

/* In a dilated input every second pixel is a zero that nobody multiplies by. */
static void
skip_zeros(const struct loop *l, struct cursor *c)
{
    const struct conv_loop *v = &l->cv;

    while (v->dilated && !c->done && (((c->ky * v->kdil + c->y - v->upad) & 1)
        || ((c->kx * v->kdil + c->x - v->lpad) & 1)))
        next_pixels(l, c, 1);
}

static struct isa_cmd
preload(const struct loop *l, const struct cursor *c, unsigned rows, unsigned deep,
    unsigned cols)
{
    const struct conv_loop *v = &l->cv;
    int64_t ky = v->rot180 ? v->krows - 1 - c->ky : c->ky;
    int64_t kx = v->rot180 ? v->kcols - 1 - c->kx : c->kx;
    uint32_t w = c->fresh ? weight_row(l, ky, kx, c->k, c->ch) & 0x1fffffff : ISA_GARBAGE;

    return (struct isa_cmd) { ISA_PRELOAD, isa_operand(w, deep, cols),
        isa_operand(ISA_ACC | ISA_ACCUMULATE | out_row(l, c), rows, cols) };
}

static struct isa_cmd
compute(const struct loop *l, const struct cursor *c, unsigned rows, unsigned deep,
    unsigned cols)
{
    const struct conv_loop *v = &l->cv;
    int64_t dim = l->t->dim, image = v->in_h * v->in_w;
    int64_t row = v->in_3120 ? c->b / dim * v->a_block + c->k * image
        : c->k / dim * v->a_block + c->b * image;

    row += (un(v, c->y * v->stride + c->ky * v->kdil) >> v->down) * v->in_w
        + (un(v, c->x * v->stride + c->kx * v->kdil) >> v->down);
    return (struct isa_cmd) { c->fresh ? ISA_COMPUTE_FLIP : ISA_COMPUTE_STAY,
        isa_operand((l->sp_a + (uint32_t)row) & 0x1fffffff, rows, deep),
        isa_operand(ISA_GARBAGE, rows, cols) };
}

static void
next_ex(const struct loop *l, struct cursor *c, struct isa_cmd *cmd)
{
    const struct conv_loop *v = &l->cv;
    int64_t dim = l->t->dim, i = un(v, num_min(dim << v->dilated, v->ocols - c->x));
    unsigned rows = (unsigned)(v->in_3120 ? num_min(dim, v->batches - c->b) : i);
    unsigned cols = (unsigned)num_min(dim, v->pochs - c->ch);
    unsigned deep = (unsigned)(num_min(v->pixels, v->kcols - c->kx)
        * num_min(dim, v->kchs - c->k));

    if (c->step == 0) {
        *cmd = isa_encode_ex(&(struct isa_config_ex) { .only_strides = true,
            .a_stride = (unsigned)(v->tile_rows * v->tile_cols) & 0xffff,
            .c_stride = (unsigned)v->oc & 0xffff });
        c->step = 1;
        skip_zeros(l, c);
    } else if (c->step == 1) {
        *cmd = preload(l, c, rows, deep, cols);
        c->step = 2;
    } else {
        *cmd = compute(l, c, rows, deep, cols);
        c->step = 1;
        c->fresh = false;
        next_pixels(l, c, v->in_3120 ? 1 : dim << v->dilated);
        skip_zeros(l, c);
    }
}

/* ---- what goes out */

static struct isa_cmd
store_config(const struct loop *l, bool pooled)
{
    const struct conv_loop *v = &l->cv;
    struct isa_config_st st = { .act = v->act, .keep_scale = true,
        .stride = (uint32_t)offset(l, v->out_stride) };

    if (pooled) {
        st.ocols = (unsigned)v->ocols;
        st.orows = (unsigned)v->orows;
        st.pocols = (unsigned)v->pocols;
        st.porows = (unsigned)v->porows;
        st.pool_out_dim = (unsigned)v->pool_out_cols;
        st.lpad = (unsigned)v->plpad;
        st.upad = (unsigned)v->pupad;
        st.pool_size = (unsigned)v->pool_size;
        st.pool_stride = (unsigned)v->pool_stride;
    }
    return isa_encode_st(&st);
}

static void
next_pooled(const struct loop *l, struct cursor *c, struct isa_cmd *cmd)
{
    const struct conv_loop *v = &l->cv;
    int64_t image = v->pool_out_rows * v->pool_out_cols;
    uint64_t at = (uint64_t)v->output + offset(l, c->b * image * v->out_stride + c->ch);

    if (c->step != 1) {
        *cmd = store_config(l, c->step == 0);
        c->done = c->step++ == 2;
        return;
    }
    *cmd = local_move(ISA_MVOUT, at, ISA_ACC | out_row(l, c), 0,
        num_min(l->t->dim, v->pochs - c->ch));
    if (wrap(&c->ch, l->t->dim, 0, v->pochs) && wrap(&c->b, 1, 0, v->batches))
        c->step = 2;
}

static void
next_store(const struct loop *l, struct cursor *c, struct isa_cmd *cmd)
{
    const struct conv_loop *v = &l->cv;
    int64_t dim = l->t->dim, at;

    if (!v->no_pool) {
        next_pooled(l, c, cmd);
        return;
    }
    at = (c->b * v->out_rows * v->out_cols + c->y * v->out_cols + c->x) * v->out_stride + c->ch;
    if (v->out_1203)
        at = ((c->y * v->out_cols + c->x) * v->batch_size + c->b) * v->out_channels + c->ch;
    *cmd = local_move(ISA_MVOUT, (uint64_t)v->output + offset(l, at), ISA_ACC | out_row(l, c),
        num_min(dim, v->ocols - c->x), num_min(dim, v->pochs - c->ch));
    if (wrap(&c->ch, dim, 0, v->pochs) && wrap(&c->x, dim, 0, v->ocols)
        && wrap(&c->y, 1, 0, v->orows))
        c->done = wrap(&c->b, 1, 0, v->batches);
}

/* ---- */

void
conv_start(const struct loop *l, enum gen g, struct cursor *c)
{
    const struct conv_loop *v = &l->cv;
    const bool skipped[GENS] = { !v->bias, l->skip_a, l->skip_b, false, !v->output };

    *c = (struct cursor) { .done = l->empty || skipped[g] };
    if (g == GEN_A) {
        c->y = -un(v, v->upad);
        c->x = -un(v, v->lpad);
    }
    if (g == GEN_EX) {
        c->step = v->in_3120 ? 0 : 1;
        c->fresh = true;
        if (!v->in_3120)
            skip_zeros(l, c);
    }
}

void
conv_next(const struct loop *l, enum gen g, struct cursor *c, struct isa_cmd *cmd)
{
    static void (*const next[GENS])(const struct loop *, struct cursor *, struct isa_cmd *)
        = { next_bias, next_input, next_weights, next_ex, next_store };

    c->unused = 0;
    next[g](l, c, cmd);
}
