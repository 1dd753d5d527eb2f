/* Rules of moves: sizes, rows, contents, memory and order.  Rows and bytes are judged
 * exactly, one by one, not by the wider ranges that the hardware tracks. */
#include <string.h>

#include "sim/strict.h"
#include "src/base/num.h"

/* Of a store's local address, where the target normalises. */
#define NORM_BITS (UINT32_C(7) << 26)

/* Columns one move takes; values of `size` bytes in memory. */
static int64_t
max_cols(const struct target *t, int64_t size)
{
    return num_max(t->dma_max_bytes / (t->dim * size), 1) * t->dim;
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
            return judge_broke(q, SIM_RULE_MEMORY_RANGE, "bytes 0x%llx to 0x%llx",
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
            return judge_broke(q, rule, "bytes 0x%llx to 0x%llx", (unsigned long long)a,
                (unsigned long long)(a + r->run - 1));
        TRY(judge_core_wrote(q, a, r->run));
    }
    return SIM_OK;
}

static void
mark_bytes(const struct hart *h, struct byte_marks *m, const struct reach *r)
{
    h->judge->moved = h->s->moved = true;
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
    bool shrink = h->regs.ld[exec_load_state(c->funct)].shrink;

    return isa_laddr(c->rs2) & ISA_ACC && !shrink ? h->s->acc_bytes : h->s->elem_bytes;
}

static struct reach
load_reach(const struct hart *h, const struct isa_cmd *c)
{
    uint64_t stride = h->regs.ld[exec_load_state(c->funct)].stride;
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

    TRY(judge_range(q, s));
    bad = rows_race(m, s.row, s.n, q->j->epoch, add);
    if (bad >= 0)
        return judge_broke(q, SIM_RULE_LOAD_ORDER, "%s row %lld",
            s.acc ? "accumulator" : "scratchpad", (long long)bad);
    return add ? judge_written(q, s) : SIM_OK;
}

enum sim_rule
judge_mvin(const struct question *q)
{
    int state = exec_load_state(q->c->funct);
    const struct isa_config_ld *ld = &q->h->regs.ld[state];
    uint32_t laddr = isa_laddr(q->c->rs2);
    unsigned rows = isa_rows(q->c->rs2), cols = isa_cols(q->c->rs2);
    int64_t size = load_size(q->h, q->c);
    struct reach r = load_reach(q->h, q->c);
    bool full = laddr & ISA_ACC && !ld->shrink;
    struct span s;

    if (!q->j->ld_set[state])
        return judge_broke(q, SIM_RULE_UNCONFIGURED, "load state %d", state);
    TRY(judge_size(q, q->c->rs2, q->t->dim, max_cols(q->t, size)));
    TRY(judge_bits(q, laddr, ISA_ACCUMULATE));
    if (ld->block_stride < rows)
        return judge_broke(q, SIM_RULE_BLOCK_STRIDE, "block stride %u, %u rows",
            ld->block_stride, rows);
    if (ld->scale != 1.0f && !(full ? q->t->has_mvin_acc_scale : q->t->has_mvin_scale))
        return judge_broke(q, SIM_RULE_LOAD_SCALE, "scale %g", (double)ld->scale);
    s = judge_span(q, laddr, rows);
    for (int64_t at = 0; at < cols; at += q->t->dim) {
        TRY(load_block_ok(q, s, laddr & ISA_ACCUMULATE));
        s.row += ld->block_stride;
    }
    TRY(memory_ok(q, &r));
    return fenced_ok(q, &r, SIM_RULE_READ_AFTER_STORE);
}

void
judge_mvin_done(struct hart *h, const struct isa_cmd *c)
{
    struct judge *j = h->judge;
    const struct isa_config_ld *ld = &h->regs.ld[exec_load_state(c->funct)];
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

enum sim_rule
judge_mvin_memory(const struct question *q)
{
    struct reach r = load_reach(q->h, q->c);

    return memory_ok(q, &r);
}

/* ---- MVOUT */

static bool
is_pooled(const struct hart *h)
{
    return h->regs.st.pool_stride != 0;
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
    struct reach r = { c->rs1, h->regs.st.stride, run, rows };

    if (is_pooled(h)) {
        r.addr += (uint64_t)pool_row * h->regs.st.pool_out_dim * h->regs.st.stride;
        r.rows = h->regs.st.pocols;
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
    const struct isa_config_st *x = &q->h->regs.st;
    uint32_t laddr = isa_laddr(q->c->rs2);
    int64_t bank = q->t->acc_bank_rows, n = (int64_t)x->orows * x->ocols;
    struct span s = judge_span(q, laddr, n);
    bool ys[256], xs[256];

    if (!s.acc || s.row / bank != (s.row + n - 1) / bank)
        return judge_broke(q, SIM_RULE_POOL_BANK, "%s rows %lld to %lld, banks of %lld",
            s.acc ? "accumulator" : "scratchpad", (long long)s.row,
            (long long)(s.row + n - 1), (long long)bank);
    if (laddr & ISA_FULL)
        return judge_broke(q, SIM_RULE_FULL_WIDTH, "pooled");
    TRY(judge_range(q, s));
    looked_at(ys, x->porows, x->pool_stride, x->pool_size, x->upad, x->orows);
    looked_at(xs, x->pocols, x->pool_stride, x->pool_size, x->lpad, x->ocols);
    for (int64_t y = 0; y < x->orows; y++)
        for (int64_t i = 0; ys[y] && i < x->ocols; i++)
            if (xs[i])
                TRY(judge_written(q, (struct span) { true, s.row + y * x->ocols + i, 1 }));
    return SIM_OK;
}

static enum sim_rule
plain_source_ok(const struct question *q)
{
    uint32_t laddr = isa_laddr(q->c->rs2);
    struct span s = judge_span(q, laddr, isa_rows(q->c->rs2));

    if (laddr & ISA_FULL && !q->t->has_full_width)
        return judge_broke(q, SIM_RULE_FULL_WIDTH, "the target cannot");
    for (int64_t at = 0; at < isa_cols(q->c->rs2); at += q->t->dim) {
        TRY(judge_range(q, s));
        TRY(judge_written(q, s));
        s.row += q->t->dim;
    }
    return SIM_OK;
}

/* A row at a time, and no softmax. */
static enum sim_rule
normal_ok(const struct question *q)
{
    uint32_t laddr = isa_laddr(q->c->rs2);
    unsigned how = norm_command(q->h, laddr);
    bool layer = q->t->has_norms && laddr & ISA_ACC && q->h->regs.st.act == NORM_LAYER;

    if (how > 4)
        return judge_broke(q, SIM_RULE_SOFTMAX, "command %u", how);
    if ((how || layer) && (isa_rows(q->c->rs2) != 1 || is_pooled(q->h)))
        return judge_broke(q, SIM_RULE_NORM_STORE, "%u rows", isa_rows(q->c->rs2));
    return SIM_OK;
}

enum sim_rule
judge_mvout(const struct question *q)
{
    uint32_t laddr = isa_laddr(q->c->rs2);
    bool pooled = is_pooled(q->h);
    bool narrow = pooled || (laddr & ISA_ACC && laddr & ISA_FULL);
    int64_t cols = narrow ? q->t->dim : max_cols(q->t, q->h->s->elem_bytes);
    uint64_t shape = pooled ? isa_operand(laddr, 1, isa_cols(q->c->rs2)) : q->c->rs2;
    int64_t images = pooled ? q->h->regs.st.porows : 1;

    if (!q->j->st_set)
        return judge_broke(q, SIM_RULE_UNCONFIGURED, "CONFIG_ST");
    TRY(judge_size(q, shape, q->t->dim, cols));
    TRY(judge_bits(q, laddr, ISA_ACCUMULATE | ISA_FULL | (q->t->has_norms ? NORM_BITS : 0)));
    TRY(normal_ok(q));
    TRY(pooled ? pool_source_ok(q) : plain_source_ok(q));
    if (norm_command(q->h, laddr))
        return SIM_OK;
    if (!q->c->rs1)
        return judge_broke(q, SIM_RULE_ADDRESS_ZERO, "mvout to address 0");
    for (int64_t y = 0; y < images; y++) {
        struct reach r = store_reach(q->h, q->c, y);
        TRY(memory_ok(q, &r));
        TRY(fenced_ok(q, &r, SIM_RULE_STORE_AFTER_READ));
    }
    return SIM_OK;
}

void
judge_mvout_done(struct hart *h, const struct isa_cmd *c)
{
    struct judge *j = h->judge;
    uint32_t laddr = isa_laddr(c->rs2);
    struct row_marks *m = laddr & ISA_ACC ? &j->acc : &j->sp;
    int64_t row = laddr & h->s->layout.row_mask, dim = h->s->t->dim;
    int64_t images = is_pooled(h) ? h->regs.st.porows : 1;

    if (is_pooled(h))
        judge_use(m, row, (int64_t)h->regs.st.orows * h->regs.st.ocols);
    else
        for (int64_t at = 0; at < num_min(isa_cols(c->rs2), h->s->line); at += dim)
            judge_use(m, row + at, num_min(isa_rows(c->rs2), dim));
    for (int64_t y = 0; y < images && !norm_command(h, laddr); y++) {
        struct reach r = store_reach(h, c, y);
        mark_bytes(h, &j->stored, &r);
    }
}
