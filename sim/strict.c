/* The rules of strict.def: which commands the portable profile allows, and which
 * of them may follow which (gemmini-isa.md 13, 15, 17).
 *
 * A judge only looks; judge_done notes what was executed, so that later commands can
 * be held against it.  It is told of fences, and of the core's
 * own loads and stores (strict_core.c). */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/strict.h"
#include "src/base/num.h"

/* ---- life */

struct judge *
judge_new(struct hart *h)
{
    struct judge *j = calloc(1, sizeof *j);
    uint64_t bytes = h->s->config.memory.size;

    if (!j)
        return NULL;
    if (rows_init(&j->sp, h->sp.rows) && rows_init(&j->acc, h->acc.rows)
        && bytes_init(&j->read, bytes) && bytes_init(&j->stored, bytes)
        && bytes_init(&j->core, bytes))
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
    bytes_free(&j->core);
    free(j);
}

void
judge_reset(struct judge *j)
{
    j->ex_set = j->st_set = j->open = j->real = j->weights = false;
    j->unrolling = j->chain = j->conv_open = j->st_stale = j->ex_stale = false;
    j->sent[0] = j->sent[1] = 0;
    j->last = NOBODY;
    memset(j->ld_set, 0, sizeof j->ld_set);
    rows_reset(&j->sp);
    rows_reset(&j->acc);
    j->moved = false;
    j->epoch++;
}

void
judge_fence(struct hart *h)
{
    h->judge->epoch++;
    h->judge->last = NOBODY;
    h->judge->moved = h->s->moved = false;
    for (int i = 0; i < h->s->nharts; i++)
        h->s->moved |= h->s->harts[i].judge->moved;
}

/* ---- helpers */

enum sim_rule
judge_broke(const struct question *q, enum sim_rule rule, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(q->detail, q->size, fmt, ap);
    va_end(ap);
    return rule;
}

struct span
judge_span(const struct question *q, uint32_t laddr, int64_t n)
{
    return (struct span) { laddr & ISA_ACC, laddr & q->h->s->layout.row_mask, n };
}

bool
judge_garbage(const struct question *q, uint32_t laddr)
{
    return layout_garbage(&q->h->s->layout, laddr);
}

enum sim_rule
judge_size(const struct question *q, uint64_t op, int64_t rows, int64_t cols)
{
    unsigned r = isa_rows(op), k = isa_cols(op);

    if (r < 1 || r > rows || k < 1 || k > cols)
        return judge_broke(q, SIM_RULE_SIZE, "%u rows, %u columns; at most %lld and %lld",
            r, k, (long long)rows, (long long)cols);
    return SIM_OK;
}

enum sim_rule
judge_bits(const struct question *q, uint32_t laddr, uint32_t allowed)
{
    uint32_t extra = laddr & ~(q->h->s->layout.row_mask | ISA_ACC);

    if (judge_garbage(q, laddr))
        return judge_broke(q, SIM_RULE_GARBAGE, "local address 0x%08x", laddr);
    if (!(laddr & ISA_ACC))
        allowed = 0;
    if (extra & ~allowed)
        return judge_broke(q, SIM_RULE_ADDRESS_BITS, "local address 0x%08x", laddr);
    return SIM_OK;
}

enum sim_rule
judge_range(const struct question *q, struct span s)
{
    int64_t rows = s.acc ? q->h->acc.rows : q->h->sp.rows;

    if (s.row + s.n > rows)
        return judge_broke(q, SIM_RULE_LOCAL_RANGE, "rows %lld to %lld of %lld",
            (long long)s.row, (long long)(s.row + s.n - 1), (long long)rows);
    return SIM_OK;
}

enum sim_rule
judge_written(const struct question *q, struct span s)
{
    int64_t bad = rows_unwritten(s.acc ? &q->j->acc : &q->j->sp, s.row, s.n);

    if (bad >= 0)
        return judge_broke(q, SIM_RULE_NEVER_WRITTEN, "%s row %lld",
            s.acc ? "accumulator" : "scratchpad", (long long)bad);
    return SIM_OK;
}

void
judge_use(struct row_marks *m, int64_t row, int64_t n)
{
    if (row < m->rows)
        rows_used(m, row, num_min(n, m->rows - row));
}

/* ---- CONFIG */

static enum sim_rule
scale_ok(const struct question *q, float scale)
{
    uint32_t bits;

    memcpy(&bits, &scale, sizeof bits);
    if (!isfinite(scale) || scale <= 0)
        return judge_broke(q, SIM_RULE_SCALE, "scale bits 0x%08x", bits);
    return SIM_OK;
}

/* The convolution loop has a use for a C stride of 2; pairs have not. */
static bool
for_dilated(const struct question *q, const struct isa_config_ex *x)
{
    return x->c_stride == 2 && q->t->has_training && q->t->has_loop_conv
        && q->t->isa_revision;
}

static enum sim_rule
config_ex_ok(const struct question *q)
{
    struct isa_config_ex x = isa_decode_ex(q->c->rs1, q->c->rs2);

    if (q->j->unrolling)
        return SIM_OK;
    if (x.a_stride < 1 || (x.c_stride != 1 && !for_dilated(q, &x)))
        return judge_broke(q, SIM_RULE_STRIDES, "A stride %u, C stride %u", x.a_stride,
            x.c_stride);
    if (x.only_strides)
        return q->j->ex_set ? SIM_OK : judge_broke(q, SIM_RULE_UNCONFIGURED, "CONFIG_EX");
    if (!x.ws)
        return judge_broke(q, SIM_RULE_DATAFLOW, "output-stationary");
    if (x.act > 1 || (x.act == 1 && !q->t->has_relu))
        return judge_broke(q, SIM_RULE_ACTIVATION, "activation %u", x.act);
    if (x.a_transpose && x.b_transpose)
        return judge_broke(q, SIM_RULE_TRANSPOSE, "both are transposed");
    return SIM_OK;
}

static enum sim_rule
config_ld_ok(const struct question *q)
{
    struct isa_config_ld x = exec_decode_ld(q->h->s, q->c);

    if (x.state >= LOADS)
        return judge_broke(q, SIM_RULE_LOAD_STATE, "state %u", x.state);
    if (x.block_stride > q->h->s->layout.row_mask)
        return judge_broke(q, SIM_RULE_BLOCK_STRIDE, "block stride %u", x.block_stride);
    if (x.repeats > 1 && !q->j->unrolling)
        return judge_broke(q, SIM_RULE_REPEATS, "%u repeats", x.repeats);
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

    if ((x.act > 1 && !q->t->has_norms) || (x.act == 1 && !q->t->has_relu))
        return judge_broke(q, SIM_RULE_ACTIVATION, "activation %u", x.act);
    if (x.keep_scale && !q->j->unrolling)
        return judge_broke(q, SIM_RULE_SCALE, "scale bits 0xffffffff");
    if (!x.keep_scale)
        TRY(scale_ok(q, x.scale));
    if (!x.pool_stride) {
        if (x.pool_size)
            return judge_broke(q, SIM_RULE_POOL_FIELDS, "window %u, stride 0", x.pool_size);
        return SIM_OK;
    }
    if (!q->t->has_max_pool)
        return judge_broke(q, SIM_RULE_NO_POOL, "window %u, stride %u", x.pool_size,
            x.pool_stride);
    if (!x.pool_size || !x.porows || !x.pocols || !x.orows || !x.ocols
        || (x.porows > 1 && x.pool_out_dim < x.pocols)
        || x.upad >= x.pool_size || x.lpad >= x.pool_size)
        return judge_broke(q, SIM_RULE_POOL_FIELDS, "window %u, pads %u and %u, %ux%u to"
            " %ux%u, pitch %u", x.pool_size, x.upad, x.lpad, x.orows, x.ocols,
            x.porows, x.pocols, x.pool_out_dim);
    if (x.act != 1 && pool_reaches_out(&x))
        return judge_broke(q, SIM_RULE_POOL_PAD, "pads %u and %u, %ux%u to %ux%u", x.upad,
            x.lpad, x.orows, x.ocols, x.porows, x.pocols);
    return SIM_OK;
}

static enum sim_rule
config_norm_ok(const struct question *q)
{
    unsigned stat = q->c->rs1 >> 8 & 0xff;

    if (!q->t->has_norms)
        return judge_broke(q, SIM_RULE_NORM, "CONFIG type 3");
    if (stat >= NORM_STATS)
        return judge_broke(q, SIM_RULE_NORM_STORE, "statistics %u", stat);
    if (!(q->c->rs1 >> 17 & 1) && q->c->rs1 >> 16 & 1)
        return judge_broke(q, SIM_RULE_SOFTMAX, "activation %d", NORM_SOFTMAX);
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
        return config_norm_ok(q);
    }
}

/* ---- all commands */

enum sim_rule
judge_hard(const struct hart *h, const struct isa_cmd *c, char *detail, size_t n)
{
    struct question q = { h, h->judge, h->s->t, c, detail, n };
    struct loop l;

    if (!h->s->arith)
        return SIM_RULE_ARITH_UNSUPPORTED;
    if (loop_is(c->funct) && loop_is_conv(c->funct) && !q.t->isa_revision)
        return judge_broke(&q, SIM_RULE_LOOP_REVISION, "isa_revision 0");
    if (c->funct == ISA_CONFIG && (c->rs1 & 3) == ISA_CONFIG_NORM && q.t->has_norms
        && q.t->elem != DT_I8)
        return SIM_RULE_NORM_UNSUPPORTED;
    if (!loop_is_run(c->funct))
        return SIM_OK;
    loop_make(h, c, &l);
    if (l.empty)
        return SIM_OK;
    if (l.conv && !conv_ends(&l.cv))
        return judge_broke(&q, SIM_RULE_LOOP_ENDLESS, "pads %lld+%lld rows, %lld+%lld columns",
            (long long)l.cv.upad, (long long)l.cv.dpad, (long long)l.cv.lpad,
            (long long)l.cv.rpad);
    if ((l.conv ? conv_commands(q.t, &l.cv) : ws_commands(&l.ws)) > LOOP_MOST)
        return judge_broke(&q, SIM_RULE_LOOP_ENDLESS, "more than %lld commands",
            (long long)LOOP_MOST);
    return SIM_OK;
}

enum sim_rule
judge_command(struct hart *h, const struct isa_cmd *c, char *detail, size_t n)
{
    struct question q = { h, h->judge, h->s->t, c, detail, n };

    if (loop_is(c->funct))
        return judge_loop(&q);
    TRY(judge_no_loop(&q));
    switch (c->funct) {
    case ISA_CONFIG:
        return config_ok(&q);
    case ISA_MVIN:
    case ISA_MVIN2:
    case ISA_MVIN3:
        return judge_mvin(&q);
    case ISA_MVOUT:
        return judge_mvout(&q);
    case ISA_PRELOAD:
        return judge_preload(&q);
    case ISA_COMPUTE_FLIP:
    case ISA_COMPUTE_STAY:
        return judge_compute(&q);
    case ISA_FLUSH:
        return SIM_OK;
    case ISA_COUNTER:
        return q.t->counters ? SIM_OK : judge_broke(&q, SIM_RULE_NO_COUNTERS, "COUNTER");
    case ISA_CLKGATE:
    case ISA_STORE_SPAD:
    case ISA_LOOP_WS_SPAD_AB:
    case ISA_LOOP_WS_SPAD_C:
        return judge_broke(&q, SIM_RULE_NOT_PORTABLE, "%s", isa_name(c->funct));
    default:
        return judge_broke(&q, SIM_RULE_UNKNOWN, "funct %u", c->funct);
    }
}

void
judge_done(struct hart *h, const struct isa_cmd *c)
{
    struct judge *j = h->judge;
    unsigned state = isa_decode_ld(c->rs1, c->rs2).state;

    if (loop_is(c->funct)) {
        judge_loop_config_done(h, c);
        return;
    }
    if (!j->unrolling && c->funct <= ISA_PRELOAD)
        judge_alone(h, c);
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
        judge_mvin_done(h, c);
        break;
    case ISA_MVOUT:
        judge_mvout_done(h, c);
        break;
    case ISA_PRELOAD:
        judge_preload_done(h, c);
        break;
    case ISA_COMPUTE_FLIP:
    case ISA_COMPUTE_STAY:
        judge_compute_done(h, c);
        break;
    default:
        break;
    }
}
