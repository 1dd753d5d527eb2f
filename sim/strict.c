/* The rules of strict.def: which commands the portable profile allows, and which
 * of them may follow which (gemmini-isa.md 13, 15, 17).
 *
 * Rows and bytes are judged exactly, one by one, not by the wider ranges that the
 * hardware tracks.  A judge only looks; judge_done notes what was executed, so that
 * later commands can be held against it.  It is told of fences, and knows nothing of
 * the core's own loads and stores. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/hazard.h"
#include "sim/internal.h"
#include "src/base/num.h"

struct judge {
    bool ex_set, st_set, ld_set[LOADS];
    bool open, real, weights;        /* a preload waits; of weights; there are some */
    uint64_t b, c;                   /* its operands */
    struct row_marks sp, acc;
    struct byte_marks read, stored;  /* by mvins, by mvouts */
    uint32_t epoch;                  /* one more with every fence; from 1 */
};

/* One question: may `c` run now? */
struct question {
    const struct hart *h;
    const struct judge *j;
    const struct target *t;
    const struct isa_cmd *c;
    char *detail;
    size_t size;
};

/* ---- life */

struct judge *
judge_new(struct hart *h)
{
    struct judge *j = calloc(1, sizeof *j);
    uint64_t bytes = h->s->config.memory.size;

    if (!j)
        return NULL;
    if (rows_init(&j->sp, h->sp.rows) && rows_init(&j->acc, h->acc.rows)
        && bytes_init(&j->read, bytes) && bytes_init(&j->stored, bytes))
        return j;
    judge_free(j);
    return NULL;
}

void
judge_free(struct judge *j)
{
    if (!j)
        return;
    rows_free(&j->sp);
    rows_free(&j->acc);
    bytes_free(&j->read);
    bytes_free(&j->stored);
    free(j);
}

void
judge_reset(struct judge *j)
{
    j->ex_set = j->st_set = j->open = j->real = j->weights = false;
    memset(j->ld_set, 0, sizeof j->ld_set);
    rows_reset(&j->sp);
    rows_reset(&j->acc);
    j->epoch++;
}

void
judge_fence(struct hart *h)
{
    h->judge->epoch++;
}

/* ---- helpers */

__attribute__((format(printf, 3, 4))) static enum sim_rule
broke(const struct question *q, enum sim_rule rule, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(q->detail, q->size, fmt, ap);
    va_end(ap);
    return rule;
}

/* The row field's rows of one operand or block. */
struct span {
    bool acc;
    int64_t row, n;
};

static struct span
span_of(const struct question *q, uint32_t laddr, int64_t n)
{
    return (struct span) { laddr & ISA_ACC, laddr & q->h->s->layout.row_mask, n };
}

static bool
is_garbage(const struct question *q, uint32_t laddr)
{
    return layout_garbage(&q->h->s->layout, laddr);
}

/* Columns one move takes; values of `size` bytes in memory. */
static int64_t
max_cols(const struct target *t, int64_t size)
{
    return num_max(t->dma_max_bytes / (t->dim * size), 1) * t->dim;
}

static enum sim_rule
size_ok(const struct question *q, uint64_t op, int64_t rows, int64_t cols)
{
    unsigned r = isa_rows(op), k = isa_cols(op);

    if (r < 1 || r > rows || k < 1 || k > cols)
        return broke(q, SIM_RULE_SIZE, "%u rows, %u columns; at most %lld and %lld",
            r, k, (long long)rows, (long long)cols);
    return SIM_OK;
}

/* Bits other than the row and those in `allowed` are 0. */
static enum sim_rule
bits_ok(const struct question *q, uint32_t laddr, uint32_t allowed)
{
    uint32_t extra = laddr & ~(q->h->s->layout.row_mask | ISA_ACC);

    if (is_garbage(q, laddr))
        return broke(q, SIM_RULE_GARBAGE, "local address 0x%08x", laddr);
    if (!(laddr & ISA_ACC))
        allowed = 0;
    if (extra & ~allowed)
        return broke(q, SIM_RULE_ADDRESS_BITS, "local address 0x%08x", laddr);
    return SIM_OK;
}

static enum sim_rule
range_ok(const struct question *q, struct span s)
{
    int64_t rows = s.acc ? q->h->acc.rows : q->h->sp.rows;

    if (s.row + s.n > rows)
        return broke(q, SIM_RULE_LOCAL_RANGE, "rows %lld to %lld of %lld",
            (long long)s.row, (long long)(s.row + s.n - 1), (long long)rows);
    return SIM_OK;
}

static enum sim_rule
written_ok(const struct question *q, struct span s)
{
    int64_t bad = rows_unwritten(s.acc ? &q->j->acc : &q->j->sp, s.row, s.n);

    if (bad >= 0)
        return broke(q, SIM_RULE_NEVER_WRITTEN, "%s row %lld",
            s.acc ? "accumulator" : "scratchpad", (long long)bad);
    return SIM_OK;
}

/* Runs the checks in turn until one finds something. */
#define TRY(check) \
    do { \
        enum sim_rule broken_ = (check); \
        if (broken_ != SIM_OK) \
            return broken_; \
    } while (0)

/* ---- CONFIG */

static enum sim_rule
scale_ok(const struct question *q, float scale)
{
    uint32_t bits;

    memcpy(&bits, &scale, sizeof bits);
    if (!isfinite(scale) || scale <= 0)
        return broke(q, SIM_RULE_SCALE, "scale bits 0x%08x", bits);
    return SIM_OK;
}

static enum sim_rule
config_ex_ok(const struct question *q)
{
    struct isa_config_ex x = isa_decode_ex(q->c->rs1, q->c->rs2);

    if (x.a_stride < 1 || x.c_stride != 1)
        return broke(q, SIM_RULE_STRIDES, "A stride %u, C stride %u", x.a_stride,
            x.c_stride);
    if (x.only_strides)
        return q->j->ex_set ? SIM_OK : broke(q, SIM_RULE_UNCONFIGURED, "CONFIG_EX");
    if (!x.ws)
        return broke(q, SIM_RULE_DATAFLOW, "output-stationary");
    if (x.act > 1 || (x.act == 1 && !q->t->has_relu))
        return broke(q, SIM_RULE_ACTIVATION, "activation %u", x.act);
    if (x.a_transpose && x.b_transpose)
        return broke(q, SIM_RULE_TRANSPOSE, "both are transposed");
    return SIM_OK;
}

static enum sim_rule
config_ld_ok(const struct question *q)
{
    struct isa_config_ld x = isa_decode_ld(q->c->rs1, q->c->rs2);

    if (x.state >= LOADS)
        return broke(q, SIM_RULE_LOAD_STATE, "state %u", x.state);
    if (x.block_stride > q->h->s->layout.row_mask)
        return broke(q, SIM_RULE_BLOCK_STRIDE, "block stride %u", x.block_stride);
    if (x.repeats > 1)
        return broke(q, SIM_RULE_REPEATS, "%u repeats", x.repeats);
    return scale_ok(q, x.scale);
}

/* A window reaches outside of the image on any side. */
static bool
pool_reaches_out(const struct isa_config_st *x)
{
    int last_y = ((int)x->porows - 1) * (int)x->pool_stride - (int)x->upad;
    int last_x = ((int)x->pocols - 1) * (int)x->pool_stride - (int)x->lpad;

    return x->upad || x->lpad || last_y + (int)x->pool_size > (int)x->orows
        || last_x + (int)x->pool_size > (int)x->ocols;
}

static enum sim_rule
config_st_ok(const struct question *q)
{
    struct isa_config_st x = isa_decode_st(q->c->rs1, q->c->rs2);

    if (x.act > 1 || (x.act == 1 && !q->t->has_relu))
        return broke(q, SIM_RULE_ACTIVATION, "activation %u", x.act);
    if (x.keep_scale)
        return broke(q, SIM_RULE_SCALE, "scale bits 0xffffffff");
    TRY(scale_ok(q, x.scale));
    if (!x.pool_stride) {
        if (x.pool_size)
            return broke(q, SIM_RULE_POOL_FIELDS, "window %u, stride 0", x.pool_size);
        return SIM_OK;
    }
    if (!q->t->has_max_pool)
        return broke(q, SIM_RULE_NO_POOL, "window %u, stride %u", x.pool_size,
            x.pool_stride);
    if (!x.pool_size || !x.porows || !x.pocols || !x.orows || !x.ocols
        || (x.porows > 1 && x.pool_out_dim < x.pocols)
        || x.upad >= x.pool_size || x.lpad >= x.pool_size)
        return broke(q, SIM_RULE_POOL_FIELDS, "window %u, pads %u and %u, %ux%u to"
            " %ux%u, pitch %u", x.pool_size, x.upad, x.lpad, x.orows, x.ocols,
            x.porows, x.pocols, x.pool_out_dim);
    if (x.act != 1 && pool_reaches_out(&x))
        return broke(q, SIM_RULE_POOL_PAD, "pads %u and %u, %ux%u to %ux%u", x.upad,
            x.lpad, x.orows, x.ocols, x.porows, x.pocols);
    return SIM_OK;
}

static enum sim_rule
config_ok(const struct question *q)
{
    switch (q->c->rs1 & 3) {
    case ISA_CONFIG_EX:
        return config_ex_ok(q);
    case ISA_CONFIG_LD:
        return config_ld_ok(q);
    case ISA_CONFIG_ST:
        return config_st_ok(q);
    default:
        return broke(q, SIM_RULE_NORM, "CONFIG type 3");
    }
}

/* ---- memory */

/* Rows of `run` bytes at addr, addr + stride, ... */
struct reach {
    uint64_t addr, stride, run;
    int64_t rows;
};

static enum sim_rule
memory_ok(const struct question *q, const struct reach *r)
{
    for (int64_t i = 0; i < r->rows; i++) {
        uint64_t a = r->addr + (uint64_t)i * r->stride;
        if (!mem_dram(q->h->s, a, r->run))
            return broke(q, SIM_RULE_MEMORY_RANGE, "bytes 0x%llx to 0x%llx",
                (unsigned long long)a, (unsigned long long)(a + r->run - 1));
    }
    return SIM_OK;
}

/* Any hart's marks count, each up to its own last fence. */
static bool
touched(const struct question *q, bool stored, uint64_t off, uint64_t n)
{
    const struct sim *s = q->h->s;

    for (int i = 0; i < s->nharts; i++) {
        const struct judge *j = s->harts[i].judge;
        if (bytes_hit(stored ? &j->stored : &j->read, off, n, j->epoch))
            return true;
    }
    return false;
}

static enum sim_rule
fenced_ok(const struct question *q, const struct reach *r, enum sim_rule rule)
{
    bool stored = rule == SIM_RULE_READ_AFTER_STORE;

    for (int64_t i = 0; i < r->rows; i++) {
        uint64_t a = r->addr + (uint64_t)i * r->stride;
        if (touched(q, stored, a - q->h->s->config.memory.base, r->run))
            return broke(q, rule, "bytes 0x%llx to 0x%llx", (unsigned long long)a,
                (unsigned long long)(a + r->run - 1));
    }
    return SIM_OK;
}

static void
mark_bytes(const struct hart *h, struct byte_marks *m, const struct reach *r)
{
    for (int64_t i = 0; i < r->rows; i++) {
        uint64_t a = r->addr + (uint64_t)i * r->stride;
        if (mem_dram(h->s, a, r->run))
            bytes_mark(m, a - h->s->config.memory.base, r->run, h->judge->epoch);
    }
}

/* ---- MVIN */

static int64_t
load_size(const struct hart *h, const struct isa_cmd *c)
{
    bool shrink = h->ld[exec_load_state(c->funct)].shrink;

    return isa_laddr(c->rs2) & ISA_ACC && !shrink ? h->s->acc_bytes : h->s->elem_bytes;
}

static struct reach
load_reach(const struct hart *h, const struct isa_cmd *c)
{
    uint64_t stride = h->ld[exec_load_state(c->funct)].stride;
    int64_t cols = num_min(isa_cols(c->rs2), h->s->line);
    int64_t rows = num_min(isa_rows(c->rs2), h->s->t->dim);

    if (!c->rs1 || !stride)
        rows = c->rs1 ? 1 : 0;
    return (struct reach) { c->rs1, stride, (uint64_t)(cols * load_size(h, c)), rows };
}

static enum sim_rule
load_block_ok(const struct question *q, struct span s, bool add)
{
    const struct row_marks *m = s.acc ? &q->j->acc : &q->j->sp;
    int64_t bad;

    TRY(range_ok(q, s));
    bad = rows_race(m, s.row, s.n, q->j->epoch, add);
    if (bad >= 0)
        return broke(q, SIM_RULE_LOAD_ORDER, "%s row %lld",
            s.acc ? "accumulator" : "scratchpad", (long long)bad);
    return add ? written_ok(q, s) : SIM_OK;
}

static enum sim_rule
mvin_ok(const struct question *q)
{
    int state = exec_load_state(q->c->funct);
    const struct isa_config_ld *ld = &q->h->ld[state];
    uint32_t laddr = isa_laddr(q->c->rs2);
    unsigned rows = isa_rows(q->c->rs2), cols = isa_cols(q->c->rs2);
    int64_t size = load_size(q->h, q->c);
    struct reach r = load_reach(q->h, q->c);
    bool full = laddr & ISA_ACC && !ld->shrink;
    struct span s;

    if (!q->j->ld_set[state])
        return broke(q, SIM_RULE_UNCONFIGURED, "load state %d", state);
    TRY(size_ok(q, q->c->rs2, q->t->dim, max_cols(q->t, size)));
    TRY(bits_ok(q, laddr, ISA_ACCUMULATE));
    if (ld->block_stride < rows)
        return broke(q, SIM_RULE_BLOCK_STRIDE, "block stride %u, %u rows",
            ld->block_stride, rows);
    if (ld->scale != 1.0f && !(full ? q->t->has_mvin_acc_scale : q->t->has_mvin_scale))
        return broke(q, SIM_RULE_LOAD_SCALE, "scale %g", (double)ld->scale);
    s = span_of(q, laddr, rows);
    for (int64_t at = 0; at < cols; at += q->t->dim) {
        TRY(load_block_ok(q, s, laddr & ISA_ACCUMULATE));
        s.row += ld->block_stride;
    }
    TRY(memory_ok(q, &r));
    return fenced_ok(q, &r, SIM_RULE_READ_AFTER_STORE);
}

static void
mvin_done(struct hart *h, const struct isa_cmd *c)
{
    struct judge *j = h->judge;
    const struct isa_config_ld *ld = &h->ld[exec_load_state(c->funct)];
    uint32_t laddr = isa_laddr(c->rs2);
    struct row_marks *m = laddr & ISA_ACC ? &j->acc : &j->sp;
    int64_t row = laddr & h->s->layout.row_mask;
    int64_t rows = num_min(isa_rows(c->rs2), h->s->t->dim);
    int64_t cols = num_min(isa_cols(c->rs2), h->s->line);
    struct reach r = load_reach(h, c);

    for (int64_t at = 0; at < cols; at += h->s->t->dim) {
        if (row < m->rows)
            rows_loaded(m, row, num_min(rows, m->rows - row), j->epoch,
                laddr & ISA_ACCUMULATE);
        row += ld->block_stride;
    }
    if (m == &j->sp && ld->repeats > 1) {
        int64_t first = num_max((laddr & h->s->layout.row_mask) - (int64_t)ld->repeats, 0);
        if (first < m->rows)
            rows_written(m, first, num_min(ld->repeats, m->rows - first));
    }
    mark_bytes(h, &j->read, &r);
}

/* ---- MVOUT */

static bool
is_pooled(const struct hart *h)
{
    return h->st.pool_stride != 0;
}

static int64_t
store_size(const struct hart *h, const struct isa_cmd *c)
{
    uint32_t laddr = isa_laddr(c->rs2);
    bool full = laddr & ISA_ACC && laddr & ISA_FULL && !is_pooled(h);

    return full ? h->s->acc_bytes : h->s->elem_bytes;
}

/* A pooled image is written row by row, each pixel for itself. */
static struct reach
store_reach(const struct hart *h, const struct isa_cmd *c, int64_t pool_row)
{
    int64_t cols = num_min(isa_cols(c->rs2), h->s->line);
    int64_t rows = num_min(isa_rows(c->rs2), h->s->t->dim);
    uint64_t run = (uint64_t)(cols * store_size(h, c));
    struct reach r = { c->rs1, h->st.stride, run, rows };

    if (is_pooled(h)) {
        r.addr += (uint64_t)pool_row * h->st.pool_out_dim * h->st.stride;
        r.rows = h->st.pocols;
    }
    return r;
}

/* Which rows or columns of the image the windows look at. */
static void
looked_at(bool used[256], int64_t outs, int64_t stride, int64_t size, int64_t pad,
    int64_t in)
{
    memset(used, 0, 256);
    for (int64_t o = 0; o < outs; o++)
        for (int64_t w = 0; w < size; w++) {
            int64_t at = o * stride + w - pad;
            if (at >= 0 && at < in)
                used[at] = true;
        }
}

static enum sim_rule
pool_source_ok(const struct question *q)
{
    const struct isa_config_st *x = &q->h->st;
    uint32_t laddr = isa_laddr(q->c->rs2);
    int64_t bank = q->t->acc_bank_rows, n = (int64_t)x->orows * x->ocols;
    struct span s = span_of(q, laddr, n);
    bool ys[256], xs[256];

    if (!s.acc || s.row / bank != (s.row + n - 1) / bank)
        return broke(q, SIM_RULE_POOL_BANK, "%s rows %lld to %lld, banks of %lld",
            s.acc ? "accumulator" : "scratchpad", (long long)s.row,
            (long long)(s.row + n - 1), (long long)bank);
    if (laddr & ISA_FULL)
        return broke(q, SIM_RULE_FULL_WIDTH, "pooled");
    TRY(range_ok(q, s));
    looked_at(ys, x->porows, x->pool_stride, x->pool_size, x->upad, x->orows);
    looked_at(xs, x->pocols, x->pool_stride, x->pool_size, x->lpad, x->ocols);
    for (int64_t y = 0; y < x->orows; y++)
        for (int64_t i = 0; ys[y] && i < x->ocols; i++)
            if (xs[i])
                TRY(written_ok(q, (struct span) { true, s.row + y * x->ocols + i, 1 }));
    return SIM_OK;
}

static enum sim_rule
plain_source_ok(const struct question *q)
{
    uint32_t laddr = isa_laddr(q->c->rs2);
    struct span s = span_of(q, laddr, isa_rows(q->c->rs2));

    if (laddr & ISA_FULL && !q->t->has_full_width)
        return broke(q, SIM_RULE_FULL_WIDTH, "the target cannot");
    for (int64_t at = 0; at < isa_cols(q->c->rs2); at += q->t->dim) {
        TRY(range_ok(q, s));
        TRY(written_ok(q, s));
        s.row += q->t->dim;
    }
    return SIM_OK;
}

static enum sim_rule
mvout_ok(const struct question *q)
{
    uint32_t laddr = isa_laddr(q->c->rs2);
    bool pooled = is_pooled(q->h);
    bool narrow = pooled || (laddr & ISA_ACC && laddr & ISA_FULL);
    int64_t cols = narrow ? q->t->dim : max_cols(q->t, q->h->s->elem_bytes);
    uint64_t shape = pooled ? isa_operand(laddr, 1, isa_cols(q->c->rs2)) : q->c->rs2;
    int64_t images = pooled ? q->h->st.porows : 1;

    if (!q->j->st_set)
        return broke(q, SIM_RULE_UNCONFIGURED, "CONFIG_ST");
    TRY(size_ok(q, shape, q->t->dim, cols));
    TRY(bits_ok(q, laddr, ISA_ACCUMULATE | ISA_FULL));
    TRY(pooled ? pool_source_ok(q) : plain_source_ok(q));
    if (!q->c->rs1)
        return broke(q, SIM_RULE_ADDRESS_ZERO, "mvout to address 0");
    for (int64_t y = 0; y < images; y++) {
        struct reach r = store_reach(q->h, q->c, y);
        TRY(memory_ok(q, &r));
        TRY(fenced_ok(q, &r, SIM_RULE_STORE_AFTER_READ));
    }
    return SIM_OK;
}

static void
use_rows(struct row_marks *m, int64_t row, int64_t n)
{
    if (row < m->rows)
        rows_used(m, row, num_min(n, m->rows - row));
}

static void
mvout_done(struct hart *h, const struct isa_cmd *c)
{
    struct judge *j = h->judge;
    uint32_t laddr = isa_laddr(c->rs2);
    struct row_marks *m = laddr & ISA_ACC ? &j->acc : &j->sp;
    int64_t row = laddr & h->s->layout.row_mask, dim = h->s->t->dim;
    int64_t images = is_pooled(h) ? h->st.porows : 1;

    if (is_pooled(h))
        use_rows(m, row, (int64_t)h->st.orows * h->st.ocols);
    else
        for (int64_t at = 0; at < num_min(isa_cols(c->rs2), h->s->line); at += dim)
            use_rows(m, row + at, num_min(isa_rows(c->rs2), dim));
    for (int64_t y = 0; y < images; y++) {
        struct reach r = store_reach(h, c, y);
        mark_bytes(h, &j->stored, &r);
    }
}

/* ---- PRELOAD and COMPUTE */

static enum sim_rule
preload_ok(const struct question *q)
{
    uint32_t b = isa_laddr(q->c->rs1), c = isa_laddr(q->c->rs2);
    bool real = !is_garbage(q, b);
    int64_t brows = q->h->ex.b_transpose ? isa_cols(q->c->rs1) : isa_rows(q->c->rs1);
    struct span cs = span_of(q, c, isa_rows(q->c->rs2));

    if (!q->j->ex_set)
        return broke(q, SIM_RULE_UNCONFIGURED, "CONFIG_EX");
    if (q->j->open)
        return broke(q, SIM_RULE_PAIR_ORDER, "a second PRELOAD");
    TRY(size_ok(q, q->c->rs1, q->t->dim, q->t->dim));
    TRY(size_ok(q, q->c->rs2, q->t->dim, q->t->dim));
    if (!(c & ISA_ACC))
        return broke(q, SIM_RULE_C_PLACE, "C at 0x%08x", c);
    TRY(bits_ok(q, c, ISA_ACCUMULATE));
    TRY(range_ok(q, cs));
    if (isa_cols(q->c->rs1) != isa_cols(q->c->rs2))
        return broke(q, SIM_RULE_PAIR_SHAPE, "B has %u columns, C %u",
            isa_cols(q->c->rs1), isa_cols(q->c->rs2));
    if (c & ISA_ACCUMULATE)
        TRY(written_ok(q, cs));
    if (!real)
        return q->j->weights ? SIM_OK : broke(q, SIM_RULE_NO_WEIGHTS, "PRELOAD of garbage");
    if (b & ISA_ACC)
        return broke(q, SIM_RULE_OPERAND_PLACE, "B at 0x%08x", b);
    TRY(bits_ok(q, b, 0));
    TRY(range_ok(q, span_of(q, b, brows)));
    return written_ok(q, span_of(q, b, brows));
}

/* Rows of A, which may be apart. */
static enum sim_rule
a_rows_ok(const struct question *q, struct span s)
{
    int64_t step = q->h->ex.a_stride;

    TRY(range_ok(q, (struct span) { false, s.row, (s.n - 1) * step + 1 }));
    if (step == 1)
        return written_ok(q, s);
    for (int64_t i = 0; i < s.n; i++)
        TRY(written_ok(q, (struct span) { false, s.row + i * step, 1 }));
    return SIM_OK;
}

static enum sim_rule
compute_ok(const struct question *q)
{
    const struct judge *j = q->j;
    uint32_t a = isa_laddr(q->c->rs1);
    unsigned rows = isa_rows(q->c->rs1), cols = isa_cols(q->c->rs1);
    bool is_flip = q->c->funct == ISA_COMPUTE_FLIP;

    if (!j->open)
        return broke(q, SIM_RULE_PAIR_ORDER, "COMPUTE without PRELOAD");
    if (is_flip != j->real)
        return broke(q, SIM_RULE_PAIR_KIND, "%s", isa_name(q->c->funct));
    if (!is_garbage(q, isa_laddr(q->c->rs2)))
        return broke(q, SIM_RULE_D_OPERAND, "D at 0x%08x", isa_laddr(q->c->rs2));
    TRY(size_ok(q, q->c->rs1, q->t->dim, q->t->dim));
    TRY(bits_ok(q, a, 0));
    if (a & ISA_ACC)
        return broke(q, SIM_RULE_OPERAND_PLACE, "A at 0x%08x", a);
    if (rows != isa_rows(j->c) || cols != isa_rows(j->b))
        return broke(q, SIM_RULE_PAIR_SHAPE, "A is %ux%u, B %ux%u, C %ux%u", rows, cols,
            isa_rows(j->b), isa_cols(j->b), isa_rows(j->c), isa_cols(j->c));
    return a_rows_ok(q, span_of(q, a, q->h->ex.a_transpose ? cols : rows));
}

static void
preload_done(struct hart *h, const struct isa_cmd *c)
{
    struct judge *j = h->judge;

    j->open = true;
    j->real = !layout_garbage(&h->s->layout, isa_laddr(c->rs1));
    j->b = c->rs1;
    j->c = c->rs2;
}

/* The pair is done: its operands are ordered behind, its results are written. */
static void
compute_done(struct hart *h, const struct isa_cmd *c)
{
    struct judge *j = h->judge;
    int64_t dim = h->s->t->dim;
    uint32_t mask = h->s->layout.row_mask, a = isa_laddr(c->rs1), to = isa_laddr(j->c);
    struct row_marks *m = to & ISA_ACC ? &j->acc : &j->sp;
    unsigned rows = h->ex.a_transpose ? isa_cols(c->rs1) : isa_rows(c->rs1);
    unsigned brows = h->ex.b_transpose ? isa_cols(j->b) : isa_rows(j->b);

    for (int64_t i = 0; i < num_min(rows, dim) && !(a & ISA_ACC); i++)
        use_rows(&j->sp, (a & mask) + i * h->ex.a_stride, 1);
    if (j->open && j->real && !(isa_laddr(j->b) & ISA_ACC))
        use_rows(&j->sp, isa_laddr(j->b) & mask, num_min(brows, dim));
    for (int64_t i = 0; j->open && i < num_min(isa_rows(j->c), dim); i++) {
        int64_t row = (to & mask) + i * h->ex.c_stride;
        if (layout_garbage(&h->s->layout, to) || row >= m->rows)
            break;
        rows_used(m, row, 1);
        rows_written(m, row, 1);
    }
    j->weights |= j->real;
    j->open = false;
}

/* ---- all commands */

enum sim_rule
judge_hard(const struct sim *s, const struct isa_cmd *c)
{
    bool loop = c->funct >= ISA_LOOP_WS && c->funct <= ISA_LOOP_CONV_6
        && c->funct != ISA_MVIN3;

    if (!s->arith)
        return SIM_RULE_ARITH_UNSUPPORTED;
    if (loop)
        return SIM_RULE_LOOP_UNSUPPORTED;
    if (c->funct == ISA_CONFIG && (c->rs1 & 3) == ISA_CONFIG_NORM && s->t->has_norms)
        return SIM_RULE_NORM_UNSUPPORTED;
    return SIM_OK;
}

enum sim_rule
judge_command(struct hart *h, const struct isa_cmd *c, char *detail, size_t n)
{
    struct question q = { h, h->judge, h->s->t, c, detail, n };

    switch (c->funct) {
    case ISA_CONFIG:
        return config_ok(&q);
    case ISA_MVIN:
    case ISA_MVIN2:
    case ISA_MVIN3:
        return mvin_ok(&q);
    case ISA_MVOUT:
        return mvout_ok(&q);
    case ISA_PRELOAD:
        return preload_ok(&q);
    case ISA_COMPUTE_FLIP:
    case ISA_COMPUTE_STAY:
        return compute_ok(&q);
    case ISA_FLUSH:
        return SIM_OK;
    case ISA_COUNTER:
        return q.t->counters ? SIM_OK : broke(&q, SIM_RULE_NO_COUNTERS, "COUNTER");
    case ISA_CLKGATE:
    case ISA_STORE_SPAD:
    case ISA_LOOP_WS_SPAD_AB:
    case ISA_LOOP_WS_SPAD_C:
        return broke(&q, SIM_RULE_NOT_PORTABLE, "%s", isa_name(c->funct));
    default:
        return broke(&q, SIM_RULE_UNKNOWN, "funct %u", c->funct);
    }
}

void
judge_done(struct hart *h, const struct isa_cmd *c)
{
    struct judge *j = h->judge;
    unsigned state = isa_decode_ld(c->rs1, c->rs2).state;

    switch (c->funct) {
    case ISA_CONFIG:
        j->ex_set |= (c->rs1 & 3) == ISA_CONFIG_EX;
        j->st_set |= (c->rs1 & 3) == ISA_CONFIG_ST;
        if ((c->rs1 & 3) == ISA_CONFIG_LD && state < LOADS)
            j->ld_set[state] = true;
        break;
    case ISA_MVIN:
    case ISA_MVIN2:
    case ISA_MVIN3:
        mvin_done(h, c);
        break;
    case ISA_MVOUT:
        mvout_done(h, c);
        break;
    case ISA_PRELOAD:
        preload_done(h, c);
        break;
    case ISA_COMPUTE_FLIP:
    case ISA_COMPUTE_STAY:
        compute_done(h, c);
        break;
    default:
        break;
    }
}
