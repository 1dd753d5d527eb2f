/* Rules of loops: what may be asked of them, what CONFIG must have said before, and
 * what may stand beside them (gemmini-isa.md 12.4, 13, 17.9).  The commands they
 * become are judged one by one like any others, but that a loop may do what the
 * hardware's own loops do: repeat pixels, keep scales, read past the end of B.
 *
 * A chain, loops without a store, goes on with the next loop of the same shape;
 * otherwise local rows count as never written before a loop and after. */
#include <string.h>

#include "sim/strict.h"
#include "src/base/num.h"

/* ---- who was here */

enum sim_rule
judge_no_loop(const struct question *q)
{
    enum user last = q->j->last;
    bool uses = q->c->funct != ISA_CONFIG && q->c->funct <= ISA_PRELOAD;

    if (q->j->unrolling || !uses)
        return SIM_OK;
    if (last == LOOPS_WS || last == LOOPS_CONV)
        return judge_broke(q, SIM_RULE_LOOP_FENCE, "%s after a loop", isa_name(q->c->funct));
    if (q->c->funct == ISA_MVOUT && q->j->st_stale)
        return judge_broke(q, SIM_RULE_UNCONFIGURED, "CONFIG_ST after a loop that pools");
    if (q->c->funct == ISA_PRELOAD && q->j->ex_stale)
        return judge_broke(q, SIM_RULE_UNCONFIGURED, "strides after a loop that changes them");
    return SIM_OK;
}

static enum sim_rule
fence_ok(const struct question *q, const struct loop *l)
{
    enum user us = l->conv ? LOOPS_CONV : LOOPS_WS;

    if (q->j->last != NOBODY && q->j->last != us)
        return judge_broke(q, SIM_RULE_LOOP_FENCE, "%s after %s", isa_name(q->c->funct),
            q->j->last == COMMANDS ? "commands" : "the other kind of loop");
    return SIM_OK;
}

static struct chain
shape_of(const struct loop *l)
{
    if (l->conv)
        return (struct chain) { true,
            { l->cv.batches, l->cv.orows, l->cv.ocols, l->cv.pochs } };
    return (struct chain) { false, { l->ws.i, l->ws.j, l->ws.pad_i, l->ws.pad_j } };
}

static bool
goes_on(const struct judge *j, const struct loop *l)
{
    struct chain now = shape_of(l);

    return j->chain && j->shape.conv == now.conv
        && !memcmp(j->shape.size, now.size, sizeof now.size);
}

/* ---- both kinds */

static enum sim_rule
exists(const struct question *q, bool conv)
{
    if (conv ? !q->t->has_loop_conv : !q->t->has_loop_ws)
        return judge_broke(q, SIM_RULE_NO_LOOP, "%s", isa_name(q->c->funct));
    if (conv && q->t->elem == DT_F16)
        return judge_broke(q, SIM_RULE_LOOP_SCALE, "%s", isa_name(q->c->funct));
    return SIM_OK;
}

static enum sim_rule
common_ok(const struct question *q, const struct loop *l)
{
    unsigned all = l->conv ? 0x3f : 0x1f, sent = q->j->sent[l->conv];
    const struct regs *g = &q->h->regs;

    if (sent != all)
        return judge_broke(q, SIM_RULE_LOOP_INCOMPLETE, "without funct %d",
            (l->conv ? ISA_LOOP_CONV_1 : ISA_LOOP_WS_BOUNDS) + __builtin_ctz(~sent));
    TRY(fence_ok(q, l));
    if (q->c->rs1 >> 16 & 15)
        return judge_broke(q, SIM_RULE_LOOP_IDS, "A %u, B %u",
            (unsigned)(q->c->rs1 >> 18 & 3), (unsigned)(q->c->rs1 >> 16 & 3));
    if (!q->j->ex_set || !q->j->st_set)
        return judge_broke(q, SIM_RULE_UNCONFIGURED, "%s",
            q->j->ex_set ? "CONFIG_ST" : "CONFIG_EX");
    if (!g->ex.ws)
        return judge_broke(q, SIM_RULE_LOOP_CONFIG, "output-stationary");
    if (g->st.pool_stride || g->st.pool_size)
        return judge_broke(q, SIM_RULE_LOOP_CONFIG, "CONFIG_ST pools");
    return SIM_OK;
}

static enum sim_rule
fits(const struct question *q, int64_t sp, int64_t acc)
{
    if (sp > q->h->sp.rows / 2 || acc > q->h->acc.rows / 2)
        return judge_broke(q, SIM_RULE_LOOP_CAPACITY, "%lld of %lld rows, %lld of %lld",
            (long long)sp, (long long)(q->h->sp.rows / 2), (long long)acc,
            (long long)(q->h->acc.rows / 2));
    return SIM_OK;
}

/* C stride 0: the loop sets both itself. */
static enum sim_rule
operands_ok(const struct question *q, bool a_trans, bool b_trans, int64_t a_stride,
    int64_t c_stride)
{
    const struct isa_config_ex *x = &q->h->regs.ex;

    if (x->a_transpose != a_trans || x->b_transpose != b_trans)
        return judge_broke(q, SIM_RULE_LOOP_CONFIG, "transposes differ from CONFIG_EX");
    if (c_stride && (x->a_stride != a_stride || x->c_stride != c_stride))
        return judge_broke(q, SIM_RULE_LOOP_CONFIG, "A stride %u, not %lld, C stride %u,"
            " not %lld", x->a_stride, (long long)a_stride, x->c_stride, (long long)c_stride);
    return SIM_OK;
}

/* ---- LOOP_WS */

static enum sim_rule
load_ok(const struct question *q, int state, bool shrink)
{
    const struct isa_config_ld *ld = &q->h->regs.ld[state];

    if (!q->j->ld_set[state])
        return judge_broke(q, SIM_RULE_UNCONFIGURED, "load state %d", state);
    if (ld->block_stride != q->t->dim || ld->repeats > 1)
        return judge_broke(q, SIM_RULE_LOOP_CONFIG, "load state %d: block stride %u", state,
            ld->block_stride);
    if (state == 2 && ld->shrink != shrink)
        return judge_broke(q, SIM_RULE_LOOP_CONFIG, "load state 2: width of D");
    return SIM_OK;
}

static enum sim_rule
ws_bounds_ok(const struct question *q, const struct ws_loop *w)
{
    const struct loop_slots *s = &q->h->loops;
    uint64_t pads = s->ws[s->ws_slot][0][0];

    if (!w->i || !w->j || !w->k)
        return judge_broke(q, SIM_RULE_LOOP_BOUNDS, "%lldx%lldx%lld tiles", (long long)w->i,
            (long long)w->j, (long long)w->k);
    for (int n = 0; n < 3; n++)
        if ((int64_t)(pads >> 16 * n & 0xffff) >= q->t->dim)
            return judge_broke(q, SIM_RULE_LOOP_BOUNDS, "pad %u",
                (unsigned)(pads >> 16 * n & 0xffff));
    return SIM_OK;
}

static enum sim_rule
ws_ok(const struct question *q, const struct loop *l)
{
    const struct ws_loop *w = &l->ws;
    int64_t dim = q->t->dim;

    if (!w->a || !w->b)
        return judge_broke(q, SIM_RULE_LOOP_POINTER, "%s is 0", w->a ? "B" : "A");
    if (q->c->rs2 >> 2 & 1)
        return judge_broke(q, SIM_RULE_LOOP_RESADD, "bit 2");
    if (q->c->rs2 >> 3)
        return judge_broke(q, SIM_RULE_LOOP_BITS, "0x%llx", (unsigned long long)q->c->rs2);
    if (w->act > 1)
        return judge_broke(q, SIM_RULE_ACTIVATION, "activation %u", w->act);
    if (w->full && !q->t->has_full_width)
        return judge_broke(q, SIM_RULE_FULL_WIDTH, "the target cannot");
    TRY(ws_bounds_ok(q, w));
    TRY(fits(q, (w->i + w->j) * w->k * dim, w->i * w->j * dim));
    TRY(operands_ok(q, w->a_trans, w->b_trans, 1, 1));
    TRY(load_ok(q, 0, false));
    TRY(load_ok(q, 1, false));
    return w->d ? load_ok(q, 2, w->low) : SIM_OK;
}

/* ---- LOOP_CONV_WS */

static enum sim_rule
variant(const struct question *q, const char *why)
{
    return judge_broke(q, SIM_RULE_LOOP_VARIANT, "%s", why);
}

/* What was asked for and is forced off. */
static enum sim_rule
lacking(const struct question *q, const struct conv_loop *v)
{
    bool training = (q->c->rs1 & 0x3e) || (q->c->rs2 & 4);

    if (training && !q->t->has_training)
        return variant(q, "no training variants");
    if ((q->c->rs1 >> 6 & 1) && !q->t->has_depthwise)
        return variant(q, "no depthwise");
    if (!(q->c->rs2 & 1) && !q->t->has_max_pool)
        return variant(q, "no pooling");
    if ((q->c->rs1 >> 8 & 0xff) > 1 && !q->t->has_first_layer)
        return variant(q, "no pixel repeats");
    if (v->act > 1 || (v->act == 1 && !q->t->has_relu))
        return judge_broke(q, SIM_RULE_ACTIVATION, "activation %u", v->act);
    return SIM_OK;
}

static enum sim_rule
together(const struct question *q, const struct conv_loop *v)
{
    bool pads = v->upad || v->dpad || v->lpad || v->rpad;
    bool moved = v->in_3120 || v->w_1203 || v->w_0132 || v->rot180 || v->down || v->dilated
        || v->kdil != 1;

    if (v->in_3120 && v->w_0132)
        return variant(q, "both operands are transposed");
    if (v->in_3120 && v->batches != v->batch_size)
        return variant(q, "hardware takes the tile's batches for all of them");
    if (v->dw && (v->kchs != 1 || v->pochs != 1))
        return variant(q, "depthwise is one channel a loop");
    if (v->out_1203 && !v->no_pool)
        return variant(q, "a transposed output cannot be pooled");
    if (v->dilated && v->stride != 1)
        return variant(q, "a dilated input has stride 1");
    if (v->down && (v->stride != 2 || v->kernel_dim != 1 || v->krows != 1 || v->kcols != 1
        || v->in_rows % 2 || v->in_cols % 2 || pads || !v->no_pool || v->dilated
        || v->in_3120))
        return variant(q, "only 1x1 kernels of stride 2 are downsampled");
    if (v->pixels > 1 && (moved || v->kchs * v->pixels > q->t->dim || v->pixels > v->kcols))
        return variant(q, "pixels of a row do not fit");
    return SIM_OK;
}

static bool
pooled_from(int64_t out, int64_t pooled, const struct conv_loop *v, int64_t pads)
{
    return out == pooled * v->pool_stride + v->pool_size - 1 - pads;
}

static enum sim_rule
shape_ok(const struct question *q, const struct conv_loop *v)
{
    bool pads = v->plpad || v->prpad || v->pupad || v->pdpad;

    if (v->no_pool && (v->pool_size != 1 || v->pool_stride != 1 || pads))
        return judge_broke(q, SIM_RULE_LOOP_SHAPE, "window %lld, stride %lld without pooling",
            (long long)v->pool_size, (long long)v->pool_stride);
    if (!pooled_from(v->orows, v->porows, v, v->pupad + v->pdpad)
        || !pooled_from(v->ocols, v->pocols, v, v->plpad + v->prpad))
        return judge_broke(q, SIM_RULE_LOOP_SHAPE, "%lldx%lld pixels, pooled %lldx%lld",
            (long long)v->orows, (long long)v->ocols, (long long)v->porows,
            (long long)v->pocols);
    if (!v->no_pool && (v->pool_size > 3 || v->pool_stride > 3 || v->plpad > 3 || v->pupad > 3
        || v->orows > 255 || v->ocols > 255 || v->pool_out_cols > 255))
        return judge_broke(q, SIM_RULE_POOL_FIELDS, "window %lld, stride %lld, %lldx%lld",
            (long long)v->pool_size, (long long)v->pool_stride, (long long)v->orows,
            (long long)v->ocols);
    return SIM_OK;
}

static enum sim_rule
conv_store_ok(const struct question *q, const struct conv_loop *v)
{
    int64_t pixel = v->out_1203 ? v->batch_size * v->out_channels : v->out_stride;

    if (v->output && v->no_pool && (int64_t)q->h->regs.st.stride != pixel * q->h->s->elem_bytes)
        return judge_broke(q, SIM_RULE_LOOP_CONFIG, "stride %u of CONFIG_ST, %lld elements",
            q->h->regs.st.stride, (long long)pixel);
    return SIM_OK;
}

static enum sim_rule
conv_ok(const struct question *q, const struct loop *l)
{
    const struct conv_loop *v = &l->cv;
    int64_t dim = q->t->dim;
    int64_t a = num_ceil_div(v->in_3120 ? v->batches : v->kchs, dim) * v->a_block;

    if (!v->input || !v->weights)
        return judge_broke(q, SIM_RULE_LOOP_POINTER, "%s is 0",
            v->input ? "weights" : "input");
    if (l->empty || !v->kdil || !v->kernel_dim)
        return judge_broke(q, SIM_RULE_LOOP_BOUNDS, "a bound, stride or dilation is 0");
    TRY(lacking(q, v));
    TRY(together(q, v));
    TRY(shape_ok(q, v));
    TRY(fits(q, a + v->b_rows, num_ceil_div(v->pochs, dim) * v->batches * v->oc));
    TRY(operands_ok(q, v->in_3120, v->w_0132, v->stride >> v->down,
        v->in_3120 ? 0 : v->dilated ? 2 : 1));
    TRY(conv_store_ok(q, v));
    if (v->bias && q->j->conv_open)
        return judge_broke(q, SIM_RULE_LOOP_CHAIN, "bias in the middle");
    return SIM_OK;
}

enum sim_rule
judge_loop(const struct question *q)
{
    struct loop l;

    TRY(exists(q, loop_is_conv(q->c->funct)));
    if (!loop_is_run(q->c->funct))
        return SIM_OK;
    loop_make(q->h, q->c, &l);
    TRY(common_ok(q, &l));
    return l.conv ? conv_ok(q, &l) : ws_ok(q, &l);
}

/* ---- what is noted */

void
judge_alone(struct hart *h, const struct isa_cmd *c)
{
    struct judge *j = h->judge;

    if (j->chain)
        rows_forget(&j->acc);
    j->chain = false;
    if (c->funct != ISA_CONFIG)
        j->last = COMMANDS;
    else if ((c->rs1 & 3) == ISA_CONFIG_ST)
        j->st_stale = false;
    else if ((c->rs1 & 3) == ISA_CONFIG_EX)
        j->ex_stale = false;
}

void
judge_loop_config_done(struct hart *h, const struct isa_cmd *c)
{
    bool conv = loop_is_conv(c->funct);

    if (!loop_is_run(c->funct))
        h->judge->sent[conv] |= 1u << (c->funct - (conv ? ISA_LOOP_CONV_1
            : ISA_LOOP_WS_BOUNDS));
}

void
judge_loop_begin(struct hart *h, const struct loop *l)
{
    struct judge *j = h->judge;
    bool on = goes_on(j, l);

    rows_reset(&j->sp);
    if (!on)
        rows_reset(&j->acc);
    j->weights = j->open = false;
    j->unrolling = true;
}

/* The mvin without the rows that nobody reads. */
static struct isa_cmd
cut(const struct isa_cmd *c, int64_t unused)
{
    struct isa_cmd r = *c;

    r.rs2 -= (uint64_t)unused << 48;
    return r;
}

enum sim_rule
judge_unrolled(struct hart *h, const struct isa_cmd *c, int64_t unused, char *detail, size_t n)
{
    struct question q = { h, h->judge, h->s->t, c, detail, n };
    struct isa_cmd used = cut(c, unused);

    TRY(judge_command(h, &used, detail, n));
    return unused ? judge_mvin_memory(&q) : SIM_OK;
}

void
judge_unrolled_done(struct hart *h, const struct isa_cmd *c, int64_t unused)
{
    struct isa_cmd used = cut(c, unused);

    judge_done(h, &used);
}

/* Registers that a loop's own CONFIG commands changed are as good as never set, but
 * for the next loop, which knows them. */
static void
forget_config(struct judge *j, const struct loop *l)
{
    if (!l->conv)
        return;
    memset(j->ld_set, 0, sizeof j->ld_set);
    j->st_stale |= l->cv.output && !l->cv.no_pool;
    j->ex_stale |= l->cv.in_3120;
}

void
judge_loop_end(struct hart *h, const struct loop *l)
{
    struct judge *j = h->judge;

    j->unrolling = false;
    j->sent[l->conv] = 0;
    j->last = l->conv ? LOOPS_CONV : LOOPS_WS;
    j->weights = j->open = false;
    rows_forget(&j->sp);
    j->chain = l->conv ? !l->cv.output : !l->ws.c;
    j->shape = shape_of(l);
    if (!j->chain)
        rows_forget(&j->acc);
    if (l->conv)
        j->conv_open = j->chain;
    forget_config(j, l);
}
