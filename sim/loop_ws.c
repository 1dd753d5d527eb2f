/* LOOP_WS: a product of tiles, weights stationary, with bias and store; or the sum of
 * two images (gemmini-isa.md 11).
 *
 * Pointers count from the first tile; offsets are cut to 32 bits as in hardware.  B
 * is moved in with whole tiles even where its last one is padded, since the hardware
 * compares a count with itself there (trap a of section 11). */
#include "sim/loops.h"
#include "src/base/num.h"

enum { STATS = 2 };                  /* rows normalised side by side */
enum { ACT_NORM = 2, ACT_SOFTMAX = 4 };

void
ws_decode(const struct target *t, uint64_t raw[6][2], const struct isa_cmd *run,
    struct ws_loop *l)
{
    uint64_t bounds = raw[0][1], pads = raw[0][0];
    int64_t pad = 1;

    while (pad < t->dim)
        pad *= 2;
    *l = (struct ws_loop) {
        .i = bounds & 0xffff, .j = bounds >> 16 & 0xffff, .k = bounds >> 32 & 0xffff,
        .pad_i = (int64_t)(pads & 0xffff) & (pad - 1),
        .pad_j = (int64_t)(pads >> 16 & 0xffff) & (pad - 1),
        .pad_k = (int64_t)(pads >> 32 & 0xffff) & (pad - 1),
        .a = raw[1][0], .b = raw[1][1], .d = raw[2][0], .c = raw[2][1],
        .a_stride = raw[3][0], .b_stride = raw[3][1],
        .d_stride = raw[4][0], .c_stride = raw[4][1],
        .accumulate = run->rs1 & 1, .full = run->rs1 >> 1 & 1, .low = run->rs1 >> 2 & 1,
        .act = run->rs1 >> 8 & 7, .b_id = run->rs1 >> 16 & 3, .a_id = run->rs1 >> 18 & 3,
        .a_trans = run->rs2 & 1, .b_trans = run->rs2 >> 1 & 1, .resadd = run->rs2 >> 2 & 1,
    };
    if (t->isa_revision == 1) {
        l->a_id = l->b_id = 0;
        l->resadd = false;
    }
}

int64_t
ws_commands(const struct ws_loop *l)
{
    int64_t ij = l->i * l->j;

    return l->resadd ? ij : 2 * num_min(ij * l->k, INT64_MAX / 4);
}

/* ---- tiles side by side */

/* A matrix of tiles in memory and beside it in local rows. */
struct panel {
    int64_t rows, cols, row_pad, col_pad; /* in tiles; elements missing in the last */
    int64_t most;                    /* tiles of one move */
    uint64_t at, stride;             /* elements */
    int64_t bytes;                   /* of one */
    uint32_t local;
};

static int64_t
blocks(const struct panel *p, int64_t c)
{
    return num_min(p->most, p->cols - c);
}

static struct isa_cmd
move(const struct loop *l, const struct panel *p, unsigned funct, int64_t r, int64_t c)
{
    int64_t dim = l->t->dim, n = blocks(p, c);
    int64_t rows = dim - (r == p->rows - 1 ? p->row_pad : 0);
    int64_t cols = n * dim - (c + n >= p->cols ? p->col_pad : 0);
    uint64_t offset = ((uint64_t)r * p->stride + (uint64_t)c) * (uint64_t)(dim * p->bytes);
    uint32_t local = p->local + (uint32_t)((r * p->cols + c) * dim);

    return (struct isa_cmd) { (uint8_t)funct, p->at + (uint32_t)offset,
        isa_operand(local, (unsigned)rows, (unsigned)cols) };
}

/* One move is at most a line, or a tile. */
static int64_t
most_blocks(const struct loop *l, int64_t bytes)
{
    return loop_columns(l->t, bytes) / l->t->dim;
}

/* Two counters, `in` the fast one. */
static void
advance(struct cursor *c, int64_t *in, int64_t step_in, int64_t max_in, int64_t *out,
    int64_t step_out, int64_t max_out)
{
    *in += step_in;
    if (*in < max_in)
        return;
    *in = 0;
    *out += step_out;
    if (*out < max_out)
        return;
    *out = 0;
    c->done = true;
}

static uint32_t
tile_row(const struct ws_loop *w, const struct loop *l, const struct cursor *c)
{
    return l->acc + (uint32_t)((c->i * w->j + c->j) * l->t->dim);
}

/* ---- what comes in */

static void
next_d(const struct loop *l, struct cursor *c, struct isa_cmd *cmd)
{
    const struct ws_loop *w = &l->ws;
    int64_t bytes = w->low ? target_elem_bytes(l->t) : target_acc_bytes(l->t);
    struct panel p = { w->i, w->j, w->pad_i, w->pad_j, most_blocks(l, bytes), w->d,
        w->d_stride, bytes, ISA_ACC | l->acc };

    *cmd = move(l, &p, ISA_MVIN3, c->i, c->j);
    advance(c, &c->i, 1, w->i, &c->j, p.most, w->j);
}

static void
next_a(const struct loop *l, struct cursor *c, struct isa_cmd *cmd)
{
    const struct ws_loop *w = &l->ws;
    int64_t bytes = target_elem_bytes(l->t), most = most_blocks(l, bytes);
    int64_t k = w->resadd ? w->j : w->k, pad_k = w->resadd ? w->pad_j : w->pad_k;
    struct panel p = { w->i, k, w->pad_i, pad_k, most, w->a, w->a_stride, bytes, l->sp_a };
    struct panel t = { k, w->i, pad_k, w->pad_i, most, w->a, w->a_stride, bytes, l->sp_a };

    *cmd = w->a_trans ? move(l, &t, ISA_MVIN, c->k, c->i) : move(l, &p, ISA_MVIN, c->i, c->k);
    advance(c, &c->i, w->a_trans ? most : 1, w->i, &c->k, w->a_trans ? 1 : most, k);
}

/* The rows of the last tile that are not there are moved in all the same. */
static void
next_b(const struct loop *l, struct cursor *c, struct isa_cmd *cmd)
{
    const struct ws_loop *w = &l->ws;
    int64_t bytes = target_elem_bytes(l->t), most = most_blocks(l, bytes);
    int64_t k = w->resadd ? w->i : w->k, pad_k = w->resadd ? w->pad_i : w->pad_k;
    struct panel p = { k, w->j, 0, w->pad_j, most, w->b, w->b_stride, bytes, l->sp_b };
    struct panel t = { w->j, k, 0, pad_k, most, w->b, w->b_stride, bytes, l->sp_b };

    if (w->b_trans) {
        *cmd = move(l, &t, ISA_MVIN2, c->j, c->k);
        c->unused = c->j == w->j - 1 ? w->pad_j : 0;
    } else {
        *cmd = move(l, &p, ISA_MVIN2, c->k, c->j);
        c->unused = c->k == k - 1 ? pad_k : 0;
    }
    advance(c, &c->j, w->b_trans ? 1 : most, w->j, &c->k, w->b_trans ? most : 1, k);
}

/* ---- what is done */

static void
next_ex(const struct loop *l, struct cursor *c, struct isa_cmd *cmd)
{
    const struct ws_loop *w = &l->ws;
    int64_t dim = l->t->dim;
    unsigned rows = (unsigned)(dim - (c->i == w->i - 1 ? w->pad_i : 0));
    unsigned cols = (unsigned)(dim - (c->j == w->j - 1 ? w->pad_j : 0));
    unsigned deep = (unsigned)(dim - (c->k == w->k - 1 ? w->pad_k : 0));
    int64_t b = w->b_trans ? c->j * w->k + c->k : c->k * w->j + c->j;
    int64_t a = w->a_trans ? c->k * w->i + c->i : c->i * w->k + c->k;
    uint32_t add = w->accumulate || c->k ? ISA_ACCUMULATE : 0;
    uint32_t weights = c->i ? ISA_GARBAGE : l->sp_b + (uint32_t)(b * dim);

    if (c->step == 0) {
        *cmd = (struct isa_cmd) { ISA_PRELOAD, isa_operand(weights, deep, cols),
            isa_operand(ISA_ACC | add | tile_row(w, l, c), rows, cols) };
        c->step = 1;
        return;
    }
    *cmd = (struct isa_cmd) { c->i ? ISA_COMPUTE_STAY : ISA_COMPUTE_FLIP,
        isa_operand(l->sp_a + (uint32_t)(a * dim), rows, deep),
        isa_operand(ISA_GARBAGE, (unsigned)dim, (unsigned)dim) };
    c->step = 0;
    if (++c->i < w->i)
        return;
    c->i = 0;
    advance(c, &c->j, 1, w->j, &c->k, 1, w->k);
}

/* ---- what goes out */

static struct panel
result(const struct loop *l)
{
    const struct ws_loop *w = &l->ws;
    int64_t bytes = w->full ? target_acc_bytes(l->t) : target_elem_bytes(l->t);
    int64_t most = w->full ? 1 : most_blocks(l, bytes);

    return (struct panel) { w->i, w->j, w->pad_i, w->pad_j, most, w->c, w->c_stride, bytes,
        ISA_ACC | (w->full ? ISA_FULL : 0) | l->acc };
}

static bool
normalises(const struct ws_loop *w)
{
    return w->act == ACT_NORM || w->act == ACT_SOFTMAX;
}

/* Rows of the group of statistics that the cursor is in. */
static int64_t
group(const struct loop *l, const struct cursor *c)
{
    int64_t rows = l->t->dim - (c->i == l->ws.i - 1 ? l->ws.pad_i : 0);

    return num_min(STATS, rows - c->row);
}

/* The next row of the group, the next pass, the next group. */
static void
next_row(const struct loop *l, struct cursor *c)
{
    int64_t rows = l->t->dim - (c->i == l->ws.i - 1 ? l->ws.pad_i : 0);

    c->step = 0;
    c->j = 0;
    if (++c->lane < group(l, c))
        return;
    c->lane = 0;
    if (++c->pass < 3)
        return;
    c->pass = 0;
    c->row += STATS;
    if (c->row < rows)
        return;
    c->row = 0;
    c->done = ++c->i >= l->ws.i;
}

/* Sums, sums of squares, and what is made of them: each row goes out three times, and
 * only the last time to memory. */
static void
next_normalised(const struct loop *l, struct cursor *c, struct isa_cmd *cmd)
{
    static const uint8_t norm[3][2] = { { 1, 2 }, { 3, 4 }, { 0, 0 } };
    static const uint8_t soft[3][2] = { { 5, 5 }, { 6, 7 }, { 0, 0 } };
    struct panel p = result(l);
    bool last = c->j + blocks(&p, c->j) >= p.cols;
    unsigned how = (l->ws.act == ACT_NORM ? norm : soft)[c->pass][last];
    int64_t r = c->row + c->lane;
    struct isa_cmd m;

    if (c->step == 0) {
        *cmd = (struct isa_cmd) { ISA_CONFIG,
            ISA_CONFIG_NORM | (uint64_t)c->lane << 8 | UINT64_C(1) << 17, 0 };
        c->step = 1;
        return;
    }
    m = move(l, &p, ISA_MVOUT, c->i, c->j);
    *cmd = (struct isa_cmd) { ISA_MVOUT,
        m.rs1 + (uint64_t)r * p.stride * (uint64_t)p.bytes,
        isa_operand((isa_laddr(m.rs2) + (uint32_t)r) | how << 26, 1, isa_cols(m.rs2)) };
    c->j += p.most;
    if (last)
        next_row(l, c);
}

static void
next_st(const struct loop *l, struct cursor *c, struct isa_cmd *cmd)
{
    struct panel p = result(l);

    if (normalises(&l->ws)) {
        next_normalised(l, c, cmd);
        return;
    }
    *cmd = move(l, &p, ISA_MVOUT, c->i, c->j);
    advance(c, &c->i, 1, p.rows, &c->j, p.most, p.cols);
}

/* ---- */

void
ws_start(const struct loop *l, enum gen g, struct cursor *c)
{
    const struct ws_loop *w = &l->ws;
    const bool skipped[GENS] = { !w->d || w->resadd, l->skip_a, l->skip_b, w->resadd, !w->c };

    *c = (struct cursor) { .done = l->empty || skipped[g] };
}

void
ws_next(const struct loop *l, enum gen g, struct cursor *c, struct isa_cmd *cmd)
{
    static void (*const next[GENS])(const struct loop *, struct cursor *, struct isa_cmd *)
        = { next_d, next_a, next_b, next_ex, next_st };

    c->unused = 0;
    next[g](l, c, cmd);
}
