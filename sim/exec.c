/* What a command does: configuration, moves, the array (gemmini-isa.md 4 to 8).
 *
 * Commands run whole and in program order.  Nothing here judges: sizes are clamped
 * to what the hardware can hold, local rows wrap, guest addresses outside of memory
 * read as zeros and swallow writes, so any sequence of commands is safe.  Loops are
 * not unrolled here. */
#include <string.h>

#include "sim/internal.h"
#include "src/base/num.h"

/* An operand cut to size. */
struct op {
    uint32_t laddr;
    int64_t rows, cols;
};

static struct op
operand(uint64_t word, int64_t max_rows, int64_t max_cols)
{
    return (struct op) {
        .laddr = isa_laddr(word),
        .rows = num_min(isa_rows(word), max_rows),
        .cols = num_min(isa_cols(word), max_cols),
    };
}

static struct op
tile_operand(const struct hart *h, uint64_t word)
{
    return operand(word, h->s->t->dim, h->s->t->dim);
}

static bool
garbage(const struct hart *h, uint32_t laddr)
{
    return layout_garbage(&h->s->layout, laddr);
}

static uint32_t
row_of(const struct hart *h, uint32_t laddr)
{
    return laddr & h->s->layout.row_mask;
}

/* ---- CONFIG */

struct isa_config_ld
exec_decode_ld(const struct sim *s, const struct isa_cmd *c)
{
    struct isa_config_ld ld = isa_decode_ld(c->rs1, c->rs2);

    if (s->arith && s->arith->load_scale)
        ld.scale = s->arith->load_scale((uint32_t)(c->rs1 >> 32));
    return ld;
}

/* Hardware of one dataflow does not look at the bit. */
static bool
built_ws(const struct target *t, bool asked)
{
    return t->dataflow == DATAFLOW_BOTH ? asked : t->dataflow == DATAFLOW_WS;
}

static void
config(struct hart *h, const struct isa_cmd *c)
{
    struct isa_config_ex ex = isa_decode_ex(c->rs1, c->rs2);
    struct isa_config_ld ld = exec_decode_ld(h->s, c);
    struct isa_config_st st = isa_decode_st(c->rs1, c->rs2);

    switch (c->rs1 & 3) {
    case ISA_CONFIG_EX:
        if (ex.only_strides) {
            h->regs.ex.a_stride = ex.a_stride;
            h->regs.ex.c_stride = ex.c_stride;
        } else {
            h->regs.ex = ex;
            h->regs.ex.ws = built_ws(h->s->t, ex.ws);
        }
        break;
    case ISA_CONFIG_LD:
        if (ld.state < LOADS)
            h->regs.ld[ld.state] = ld;
        break;
    case ISA_CONFIG_ST:
        if (st.keep_scale)
            st.scale = h->regs.st.scale;
        h->regs.st = st;
        h->regs.norm.softmax = false;
        break;
    default:
        if (norm_there(h->s))
            norm_config(h, c);
        break;
    }
}

/* ---- MVIN */

/* One source row of n columns lands in one local row. */
static void
mvin_part(struct hart *h, uint32_t laddr, uint64_t row, const uint8_t *src,
    const struct isa_config_ld *ld, int64_t n)
{
    const struct arith *a = h->s->arith;
    bool add = laddr & ISA_ACCUMULATE;
    void *dst = mem_row(laddr & ISA_ACC ? &h->acc : &h->sp, row);

    if (!(laddr & ISA_ACC)) {
        a->scale(dst, src, n, ld->scale);
    } else if (ld->shrink) {
        a->scale(h->mesh.row, src, n, ld->scale);
        a->widen(dst, h->mesh.row, n, add);
    } else if (h->s->t->has_mvin_acc_scale) {
        a->load(dst, src, n, ld->scale, add);
    } else {
        a->to_acc(dst, src, n, add);
    }
}

/* Address 0: zeros, without a look at memory. */
static void
mvin_zeros(struct hart *h, uint32_t laddr, uint64_t row, int64_t n)
{
    bool acc = laddr & ISA_ACC, add = acc && laddr & ISA_ACCUMULATE;
    const struct local *l = acc ? &h->acc : &h->sp;
    size_t bytes = (size_t)(n * (l->pitch / h->s->t->dim));

    if (!add) {
        memset(mem_row(l, row), 0, bytes);
    } else if (h->s->arith->whole) {
        memset(h->mesh.row, 0, bytes);
        h->s->arith->widen(mem_row(l, row), h->mesh.row, n, true);
    }
}

/* The same pixels again in the rows before, each P columns further on, so that one
 * row holds P neighbouring pixels.  Copies that would leave the row's half of the
 * scratchpad downwards are dropped. */
static void
repeat_pixels(struct hart *h, uint64_t row, int64_t n, int64_t repeats)
{
    int64_t size = h->s->elem_bytes, dim = h->s->t->dim;
    uint64_t rows = (uint64_t)h->sp.rows, half = rows / 2;
    uint64_t at = row % rows, low = at >= half ? half : 0;
    const uint8_t *src = mem_row(&h->sp, at);

    for (int64_t p = 1; p < repeats && (p + 1) * n <= dim; p++)
        if (at >= low + (uint64_t)p)
            memcpy(mem_row(&h->sp, at - (uint64_t)p) + p * n * size, src,
                (size_t)(n * size));
}

static void
mvin(struct hart *h, const struct isa_cmd *c)
{
    const struct isa_config_ld *ld = &h->regs.ld[exec_load_state(c->funct)];
    const struct target *t = h->s->t;
    struct op op = operand(c->rs2, t->dim, h->s->line);
    bool acc = op.laddr & ISA_ACC;
    int64_t size = acc && !ld->shrink ? h->s->acc_bytes : h->s->elem_bytes;
    int64_t repeats = t->has_first_layer ? ld->repeats & 31 : 1;

    for (int64_t r = 0; r < op.rows; r++) {
        uint64_t addr = c->rs1 + (uint64_t)r * ld->stride;
        const uint8_t *src = mem_dram(h->s, addr, (uint64_t)(op.cols * size));
        uint64_t row = row_of(h, op.laddr) + (uint64_t)r;

        for (int64_t at = 0; at < op.cols; at += t->dim) {
            int64_t n = num_min(t->dim, op.cols - at);
            uint64_t to = row + (uint64_t)(at / t->dim) * ld->block_stride;

            if (c->rs1 && src)
                mvin_part(h, op.laddr, to, src + at * size, ld, n);
            else
                mvin_zeros(h, op.laddr, to, n);
        }
        if (!acc && repeats > 1)
            repeat_pixels(h, row, num_min(op.cols, t->dim), repeats);
    }
}

/* ---- MVOUT */

/* n elements of a local row as they go to memory. */
static const uint8_t *
mvout_part(struct hart *h, uint32_t laddr, uint64_t row, int64_t n, bool full)
{
    const struct isa_config_st *st = &h->regs.st;
    bool scaled = h->s->t->has_acc_scale;

    if (!(laddr & ISA_ACC))
        return mem_row(&h->sp, row);
    if (full)
        return mem_row(&h->acc, row);
    if (norm_acts(h))
        norm_out(h, h->mesh.row, mem_row(&h->acc, row), n, scaled ? st->scale : 1.0f);
    else
        h->s->arith->out(h->mesh.row, mem_row(&h->acc, row), n, st->act == 1,
            scaled ? st->scale : 1.0f);
    return h->mesh.row;
}

/* A store that only counts. */
static void
statistics(struct hart *h, const struct op *op, unsigned how)
{
    int64_t dim = h->s->t->dim;

    for (int64_t r = 0; r < op->rows; r++)
        for (int64_t at = 0; at < op->cols; at += dim) {
            bool last = at + dim >= op->cols;
            norm_collect(h, last ? how : norm_unfinished(how),
                mem_row(&h->acc, row_of(h, op->laddr) + (uint64_t)(r + at)),
                num_min(dim, op->cols - at), last);
        }
}

static bool
is_full(const struct hart *h, uint32_t laddr)
{
    return laddr & ISA_ACC && laddr & ISA_FULL && h->s->t->has_full_width;
}

static void
mvout(struct hart *h, const struct isa_cmd *c)
{
    const struct target *t = h->s->t;
    struct op op = operand(c->rs2, t->dim, h->s->line);
    bool full = is_full(h, op.laddr);
    int64_t size = full ? h->s->acc_bytes : h->s->elem_bytes;
    unsigned how = norm_command(h, op.laddr);

    if (how) {
        statistics(h, &op, how);
        return;
    }
    for (int64_t r = 0; r < op.rows; r++) {
        uint64_t addr = c->rs1 + (uint64_t)r * h->regs.st.stride;
        uint8_t *dst = mem_dram(h->s, addr, (uint64_t)(op.cols * size));

        for (int64_t at = 0; dst && at < op.cols; at += t->dim) {
            int64_t n = num_min(t->dim, op.cols - at);
            uint64_t row = row_of(h, op.laddr) + (uint64_t)(r + at);

            memcpy(dst + at * size, mvout_part(h, op.laddr, row, n, full),
                (size_t)(n * size));
        }
        if (norm_there(h->s))
            norm_stored(h);
    }
}

/* One pooled pixel, into mesh.best.  Coordinates outside of the image count as 0. */
static void
pool_pixel(struct hart *h, const struct op *op, int64_t y0, int64_t x0)
{
    const struct isa_config_st *st = &h->regs.st;
    size_t bytes = (size_t)(op->cols * h->s->elem_bytes);
    uint8_t *best = h->mesh.best;

    for (int64_t wy = 0; wy < st->pool_size; wy++)
        for (int64_t wx = 0; wx < st->pool_size; wx++) {
            int64_t y = y0 + wy, x = x0 + wx;
            bool in = y >= 0 && y < st->orows && x >= 0 && x < st->ocols;
            const uint8_t *v = h->mesh.row;

            if (in)
                v = mvout_part(h, op->laddr, row_of(h, op->laddr)
                    + (uint64_t)(y * st->ocols + x), op->cols, false);
            else
                memset(h->mesh.row, 0, bytes);
            if (wy == 0 && wx == 0)
                memcpy(best, v, bytes);
            else
                h->s->arith->max(best, v, op->cols);
        }
}

static void
mvout_pooled(struct hart *h, const struct isa_cmd *c)
{
    const struct isa_config_st *st = &h->regs.st;
    struct op op = operand(c->rs2, 1, h->s->t->dim);
    uint64_t bytes = (uint64_t)(op.cols * h->s->elem_bytes);

    for (int64_t py = 0; py < st->porows; py++)
        for (int64_t px = 0; px < st->pocols; px++) {
            uint64_t pixel = (uint64_t)(py * st->pool_out_dim + px);
            uint8_t *dst = mem_dram(h->s, c->rs1 + pixel * st->stride, bytes);

            if (!dst)
                continue;
            pool_pixel(h, &op, py * st->pool_stride - st->upad,
                px * st->pool_stride - st->lpad);
            memcpy(dst, h->mesh.best, bytes);
        }
}

/* Consecutive rows to an image of another pitch (isa 6.4). */
static void
mvout_line(struct hart *h, const struct isa_cmd *c)
{
    const struct isa_config_st *st = &h->regs.st;
    struct op op = operand(c->rs2, 1, h->s->t->dim);
    uint64_t bytes = (uint64_t)(op.cols * h->s->elem_bytes);

    for (int64_t y = 0; y < st->orows; y++)
        for (int64_t x = 0; x < st->ocols; x++) {
            uint64_t pixel = (uint64_t)(y * st->pool_out_dim + x);
            uint64_t row = row_of(h, op.laddr) + (uint64_t)(y * st->ocols + x);
            uint8_t *dst = mem_dram(h->s, c->rs1 + pixel * st->stride, bytes);

            if (dst)
                memcpy(dst, mvout_part(h, op.laddr, row, op.cols, false), bytes);
        }
}

/* Without a pooling unit a pooling configuration moves lines (isa 1.3). */
static void
store(struct hart *h, const struct isa_cmd *c)
{
    if (h->regs.st.pool_stride && h->s->t->has_max_pool)
        mvout_pooled(h, c);
    else if (h->regs.st.pool_stride || h->regs.st.pool_size)
        mvout_line(h, c);
    else
        mvout(h, c);
}

/* ---- PRELOAD and COMPUTE */

/* One row of an operand as elements; accumulator rows go through scale and
 * activation of CONFIG_EX. */
static const uint8_t *
operand_row(struct hart *h, uint32_t laddr, uint64_t row, int64_t n)
{
    if (!(laddr & ISA_ACC))
        return mem_row(&h->sp, row);
    h->s->arith->out(h->mesh.row, mem_row(&h->acc, row), n, h->regs.ex.act == 1,
        h->regs.ex.scale);
    return h->mesh.row;
}

/* The operand of logical shape rows x cols into mesh.tile, dim x dim, zeros around.
 * Row i is at +i*step; transposed, column k is. */
static void
fetch(struct hart *h, const struct op *op, uint64_t step, bool transposed)
{
    int64_t dim = h->s->t->dim, size = h->s->elem_bytes;
    int64_t lines = transposed ? op->cols : op->rows;
    int64_t run = transposed ? op->rows : op->cols;
    uint8_t *tile = h->mesh.tile;

    memset(tile, 0, (size_t)(dim * dim * size));
    for (int64_t l = 0; l < lines; l++) {
        uint64_t row = row_of(h, op->laddr) + (uint64_t)l * step;
        const uint8_t *src = operand_row(h, op->laddr, row, run);

        if (!transposed) {
            memcpy(tile + l * dim * size, src, (size_t)(run * size));
            continue;
        }
        for (int64_t i = 0; i < run; i++)
            memcpy(tile + (i * dim + l) * size, src + i * size, (size_t)size);
    }
}

/* mesh.tile as wide values of the array's pitch. */
static void
widen_tile(struct hart *h, void *to)
{
    int64_t dim = h->s->t->dim, size = h->s->elem_bytes;

    for (int64_t i = 0; i < dim; i++)
        h->s->arith->to_wide((int32_t *)to + i * h->mesh.pitch,
            h->mesh.tile + i * dim * size, dim);
}

static void
preload(struct hart *h, const struct isa_cmd *c)
{
    struct mesh *m = &h->mesh;
    struct op op = tile_operand(h, c->rs1);

    m->open = true;
    m->real = !garbage(h, op.laddr);
    m->c = c->rs2;
    if (!m->real)
        return;
    fetch(h, &op, 1, h->regs.ex.ws && h->regs.ex.b_transpose);
    widen_tile(h, m->staged);
}

/* The operand loaded by the last preload becomes the one in use. */
static void
flip(struct hart *h)
{
    struct mesh *m = &h->mesh;
    void *old = m->loaded;

    if (m->open && m->real) {
        m->loaded = m->staged;
        m->staged = old;
    } else {
        memset(m->loaded, 0, (size_t)(h->s->t->dim * m->pitch * 4));
    }
}

/* Results of a compute to where its preload said. */
static void
write_results(struct hart *h, const int32_t *sums)
{
    const struct arith *a = h->s->arith;
    struct op c = tile_operand(h, h->mesh.c);
    bool add = c.laddr & ISA_ACCUMULATE;

    if (!h->mesh.open || garbage(h, c.laddr))
        return;
    for (int64_t i = 0; i < c.rows; i++) {
        uint64_t row = row_of(h, c.laddr) + (uint64_t)i * h->regs.ex.c_stride;
        const int32_t *x = sums + i * h->mesh.pitch;

        if (c.laddr & ISA_ACC)
            a->to_acc(mem_row(&h->acc, row), x, c.cols, add);
        else
            a->to_elem(mem_row(&h->sp, row), x, c.cols, h->regs.ex.act == 1);
    }
}

/* sums += A * w over mesh.tile. */
static void
multiply(struct hart *h, int32_t *sums, int64_t rows, int64_t k, const void *w)
{
    int64_t dim = h->s->t->dim, size = h->s->elem_bytes;
    unsigned wire = (unsigned)h->s->t->wire_bits;

    if (h->s->arith->whole)
        k = dim;
    for (int64_t i = 0; i < rows; i++)
        h->s->arith->multiply(sums + i * h->mesh.pitch,
            h->mesh.tile + i * dim * size, k, w, h->mesh.pitch, wire);
}

/* C = A * W + D. */
static void
compute_ws(struct hart *h, const struct isa_cmd *c)
{
    struct op a = tile_operand(h, c->rs1), d = tile_operand(h, c->rs2);
    struct mesh *m = &h->mesh;

    if (garbage(h, d.laddr)) {
        memset(m->sums, 0, (size_t)(h->s->t->dim * m->pitch * 4));
    } else {
        fetch(h, &d, 1, false);
        widen_tile(h, m->sums);
    }
    if (!garbage(h, a.laddr)) {
        fetch(h, &a, h->regs.ex.a_stride, h->regs.ex.a_transpose);
        multiply(h, m->sums, a.rows, a.cols, m->loaded);
    }
    write_results(h, m->sums);
}

/* S += A * B, and S goes out if there is somewhere to go. */
static void
compute_os(struct hart *h, const struct isa_cmd *c)
{
    struct op a = tile_operand(h, c->rs1), b = tile_operand(h, c->rs2);
    struct mesh *m = &h->mesh;
    int64_t n = h->s->t->dim * m->pitch;

    if (!garbage(h, a.laddr) && !garbage(h, b.laddr)) {
        fetch(h, &b, 1, h->regs.ex.b_transpose);
        widen_tile(h, m->staged);
        fetch(h, &a, h->regs.ex.a_stride, h->regs.ex.a_transpose);
        multiply(h, m->loaded, a.rows, a.cols, m->staged);
    }
    memcpy(m->sums, m->loaded, (size_t)n * 4);
    h->s->arith->shift(m->sums, n, h->regs.ex.shift & 31);
    write_results(h, m->sums);
}

/* A compute without its own preload writes nothing. */
static void
compute(struct hart *h, const struct isa_cmd *c)
{
    if (c->funct == ISA_COMPUTE_FLIP)
        flip(h);
    if (h->regs.ex.ws)
        compute_ws(h, c);
    else
        compute_os(h, c);
    h->mesh.open = false;
}

/* ---- */

void
exec_command(struct hart *h, const struct isa_cmd *c)
{
    switch (c->funct) {
    case ISA_CONFIG:
        config(h, c);
        break;
    case ISA_MVIN:
    case ISA_MVIN2:
    case ISA_MVIN3:
        mvin(h, c);
        break;
    case ISA_MVOUT:
        store(h, c);
        break;
    case ISA_PRELOAD:
        preload(h, c);
        break;
    case ISA_COMPUTE_FLIP:
    case ISA_COMPUTE_STAY:
        compute(h, c);
        break;
    default:                         /* nothing to be seen from data */
        break;
    }
}

/* Registers without a reset value start as zeros, which no legal program sees. */
void
exec_reset(struct hart *h)
{
    h->mesh.open = false;
    h->mesh.real = false;
    memset(h->regs.ld, 0, sizeof h->regs.ld);
    memset(&h->regs.ex, 0, sizeof h->regs.ex);
    h->regs.ex.ws = built_ws(h->s->t, false);
    memset(&h->regs.st, 0, sizeof h->regs.st);
    memset(&h->regs.norm, 0, sizeof h->regs.norm);
    norm_reset(h);
    memset(h->mesh.loaded, 0, (size_t)(h->s->t->dim * h->mesh.pitch * 4));
    memset(h->mesh.staged, 0, (size_t)(h->s->t->dim * h->mesh.pitch * 4));
}

uint64_t
exec_macs(const struct hart *h, const struct isa_cmd *c)
{
    struct op a = tile_operand(h, c->rs1), to = tile_operand(h, h->mesh.c);

    return h->mesh.open ? (uint64_t)(a.rows * a.cols * to.cols) : 0;
}

static uint64_t
store_bytes(const struct hart *h, const struct isa_cmd *c)
{
    const struct isa_config_st *st = &h->regs.st;
    const struct target *t = h->s->t;
    struct op op = operand(c->rs2, t->dim, h->s->line);
    int64_t n = op.rows;

    if (st->pool_stride && t->has_max_pool)
        n = (int64_t)st->porows * st->pocols;
    else if (st->pool_stride || st->pool_size)
        n = (int64_t)st->orows * st->ocols;
    else if (norm_command(h, op.laddr))
        return 0;
    else if (is_full(h, op.laddr))
        return (uint64_t)(n * op.cols * h->s->acc_bytes);
    return (uint64_t)(n * op.cols * h->s->elem_bytes);
}

uint64_t
exec_bytes(const struct hart *h, const struct isa_cmd *c)
{
    const struct isa_config_ld *ld = &h->regs.ld[exec_load_state(c->funct)];
    const struct target *t = h->s->t;
    struct op op = operand(c->rs2, t->dim, h->s->line);
    bool wide = op.laddr & ISA_ACC && !ld->shrink;
    int64_t rows = ld->stride ? op.rows : 1; /* one row for all is read once */

    if (c->funct == ISA_MVOUT)
        return store_bytes(h, c);
    if (!c->rs1)
        return 0;
    return (uint64_t)(rows * op.cols
        * (wide ? h->s->acc_bytes : h->s->elem_bytes));
}
