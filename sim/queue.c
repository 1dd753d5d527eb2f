/* From the core to the controllers: what a command touches, the queues before the
 * reservation station, and the station itself (timing.md 1.2, 1.3).  Entries issue
 * in order within their class, wait for entries of other classes whose rows overlap
 * until those complete, and are judged by the wide ranges the hardware compares. */
#include <stdlib.h>
#include <string.h>

#include "sim/clock.h"
#include "sim/loops.h"
#include "src/base/num.h"

/* ---- what a command touches */

static struct rows
rows_at(const struct hart *h, uint32_t laddr, int64_t n)
{
    bool acc = laddr & ISA_ACC;
    int64_t rows = acc ? h->acc.rows : h->sp.rows;
    int64_t from = (int64_t)(laddr & h->s->layout.row_mask) % rows;

    from += acc ? h->sp.rows : 0;
    return (struct rows) { from, from + n };
}

static int64_t
sp_bank(const struct hart *h, uint32_t laddr)
{
    if (laddr & ISA_ACC)
        return -1;
    return (int64_t)(laddr & h->s->layout.row_mask) % h->sp.rows / h->s->t->sp_bank_rows;
}

static int64_t
acc_bank(const struct hart *h, uint32_t laddr)
{
    if (!(laddr & ISA_ACC))
        return -1;
    return (int64_t)(laddr & h->s->layout.row_mask) % h->acc.rows / h->s->t->acc_bank_rows;
}

static void
load_work(const struct hart *h, const struct regs *g, const struct isa_cmd *c,
    struct work *w)
{
    const struct isa_config_ld *ld = &g->ld[exec_load_state(c->funct)];
    const struct target *t = h->s->t;
    uint32_t laddr = isa_laddr(c->rs2);
    int64_t cols = num_min(isa_cols(c->rs2), h->s->line), size;

    w->kind = K_LOAD;
    w->cls = LD;
    w->acc = laddr & ISA_ACC;
    w->wide = w->acc && !ld->shrink;
    size = w->wide ? h->s->acc_bytes : h->s->elem_bytes;
    w->rows = num_min(isa_rows(c->rs2), t->dim);
    w->blocks = num_ceil_div(cols, t->dim);
    w->block_stride = ld->block_stride;
    w->a = rows_at(h, laddr, w->blocks ? (w->blocks - 1) * ld->block_stride + w->rows : 0);
    w->adds = w->acc && laddr & ISA_ACCUMULATE;
    w->local = w->a.from;
    w->addr = c->rs1;
    w->stride = ld->stride;
    w->row_bytes = cols * size;
    w->block_bytes = t->dim * size;
    w->zero = c->rs1 == 0;
    w->repeat = ld->stride == 0;
    if (ld->scale != 1.0f && size == h->s->elem_bytes)
        w->scaled = cols;
    w->repeats = 1;
    if (!w->acc && t->has_first_layer && ld->repeats > 1) {
        w->repeats = ld->repeats & 31;
        w->a.from = num_max(w->a.from - w->repeats + 1, 0);
    }
}

/* A pooled store moves an image of pixels; each costs the rows its window reads. */
static void
pool_work(const struct hart *h, const struct regs *g, const struct isa_cmd *c,
    struct work *w)
{
    const struct isa_config_st *st = &g->st;
    int64_t bank = h->s->t->acc_bank_rows, from = w->a.from - h->sp.rows;
    int64_t reads = (int64_t)st->pool_size * st->pool_size;

    if (w->acc)
        w->a.to = h->sp.rows + (from / bank + 1) * bank;
    w->pooled = (int64_t)st->orows * st->ocols;
    w->rows = (int64_t)st->porows * st->pocols;
    w->line_rows = st->pocols;
    w->line_stride = (int64_t)st->pool_out_dim * st->stride;
    w->row_bytes = num_min(isa_cols(c->rs2), h->s->t->dim) * h->s->elem_bytes;
    w->start = (double)h->s->t->pool_start;
    w->per_row = h->s->t->pool_row * (double)reads;
    w->reads = (int)reads;
}

static void
store_work(const struct hart *h, const struct regs *g, const struct isa_cmd *c,
    struct work *w)
{
    const struct target *t = h->s->t;
    uint32_t laddr = isa_laddr(c->rs2);
    int64_t cols = num_min(isa_cols(c->rs2), h->s->line);
    bool full;

    w->kind = K_STORE;
    w->cls = ST;
    w->acc = laddr & ISA_ACC;
    full = w->acc && laddr & ISA_FULL;
    w->rows = num_min(isa_rows(c->rs2), t->dim);
    w->blocks = num_ceil_div(cols, t->dim);
    w->a = rows_at(h, laddr, w->blocks ? (w->blocks - 1) * t->dim + w->rows : 0);
    w->bank_c = acc_bank(h, laddr);
    w->addr = c->rs1;
    w->stride = g->st.stride;
    w->row_bytes = cols * (full ? h->s->acc_bytes : h->s->elem_bytes);
    if (!w->acc)
        w->per_row = (double)w->blocks;
    else if (full)
        w->per_row = (double)num_ceil_div(w->row_bytes, t->dma_bus_bytes);
    else
        w->per_row = (w->blocks > 1 ? t->acc_block_cycles : t->acc_row_cycles)
            * (double)w->blocks;
    w->reads = full ? 1 : (int)w->blocks;
    w->silent = norm_command(h, laddr) != 0;
    if (g->st.pool_stride && t->has_max_pool)
        pool_work(h, g, c, w);
}

static void
preload_work(const struct hart *h, const struct regs *g, const struct isa_cmd *c,
    struct work *w)
{
    const struct target *t = h->s->t;
    uint32_t b = isa_laddr(c->rs1), to = isa_laddr(c->rs2);
    int64_t rows = num_min(isa_rows(c->rs2), t->dim);

    w->kind = K_PRELOAD;
    w->cls = EX;
    w->os = !g->ex.ws;
    w->real = !layout_garbage(&h->s->layout, b);
    w->bank_b = w->bank_c = -1;
    w->slow = w->real && !w->os && g->ex.b_transpose;
    if (w->real) {
        int64_t n = w->slow ? isa_cols(c->rs1) : isa_rows(c->rs1);
        w->b = rows_at(h, b, num_min(n, t->dim));
        w->bank_b = sp_bank(h, b);
    }
    if (!layout_garbage(&h->s->layout, to) && rows) {
        w->a = rows_at(h, to, (rows - 1) * g->ex.c_stride + 1);
        w->step = g->ex.c_stride;
        w->bank_c = acc_bank(h, to);
        w->adds = to & ISA_ACCUMULATE;
    }
    w->rows = rows;
}

static void
compute_work(const struct hart *h, const struct regs *g, const struct isa_cmd *c,
    struct work *w)
{
    const struct target *t = h->s->t;
    uint32_t a = isa_laddr(c->rs1), d = isa_laddr(c->rs2);
    int64_t n = num_min(g->ex.a_transpose ? isa_cols(c->rs1) : isa_rows(c->rs1), t->dim);

    w->kind = K_COMPUTE;
    w->cls = EX;
    w->os = !g->ex.ws;
    w->rows = w->os ? t->dim : num_min(isa_rows(c->rs1), t->dim);
    w->bank_a = w->bank_b = -1;
    if (!layout_garbage(&h->s->layout, a) && n) {
        w->a = rows_at(h, a, (n - 1) * g->ex.a_stride + 1);
        w->step = g->ex.a_stride;
        w->bank_a = sp_bank(h, a);
    }
    if (!layout_garbage(&h->s->layout, d)) {
        w->b = rows_at(h, d, num_min(isa_rows(c->rs2), t->dim));
        w->bank_b = sp_bank(h, d);
    }
}

struct work
work_of(const struct hart *h, const struct regs *g, const struct isa_cmd *c)
{
    static const enum cls config[] = { EX, LD, ST, ST };
    struct work w = { .kind = K_NONE };

    switch (c->funct) {
    case ISA_CONFIG:
        w.kind = K_CONFIG;
        w.cls = config[c->rs1 & 3];
        w.pool = (c->rs1 & 3) == ISA_CONFIG_ST ? isa_decode_st(c->rs1, c->rs2).pool_stride
            : g->st.pool_stride;
        break;
    case ISA_MVIN:
    case ISA_MVIN2:
    case ISA_MVIN3:
        load_work(h, g, c, &w);
        break;
    case ISA_MVOUT:
        store_work(h, g, c, &w);
        break;
    case ISA_PRELOAD:
        preload_work(h, g, c, &w);
        break;
    case ISA_COMPUTE_FLIP:
    case ISA_COMPUTE_STAY:
        compute_work(h, g, c, &w);
        break;
    default:                         /* done on the way, in no queue */
        w.flush = c->funct == ISA_FLUSH;
        if (loop_is(c->funct))
            w = (struct work) { .kind = K_LOOP_CONFIG, .conv = loop_is_conv(c->funct) };
        break;
    }
    w.of = (struct origin) { h->layer, h->index };
    return w;
}

/* ---- life */

static bool
station_init(struct station *s, int64_t size, int room)
{
    s->size = (int)num_min(size, STATION);
    s->room = room;
    s->slot = calloc((size_t)s->size, sizeof *s->slot);
    return s->slot;
}

bool
queue_init(struct clock *k)
{
    return station_init(&k->st[LD], k->t->rs_load, IN_LOADS)
        && station_init(&k->st[EX], k->t->rs_ex, IN_EXECS)
        && station_init(&k->st[ST], k->t->rs_store, IN_STORES);
}

void
queue_free(struct clock *k)
{
    for (int i = 0; i < CLASSES; i++)
        free(k->st[i].slot);
}

void
queue_reset(struct clock *k)
{
    for (int i = 0; i < CLASSES; i++) {
        struct station *s = &k->st[i];
        s->used = s->nwait = s->nqueue = 0;
        s->busy = 0;
    }
    k->front_n = k->front_first = k->ndone = k->out_n = 0;
}

/* ---- the station */

static bool
meet(struct rows x, struct rows y)
{
    return x.from < y.to && y.from < x.to;
}

/* Must `young` wait for `old` of another class?  (isa 13; loads and the array also
 * wait to write, the store only reads.) */
static bool
depends(const struct work *young, const struct work *old)
{
    if (young->cls == LD)
        return meet(young->a, old->a) || meet(young->a, old->b);
    if (old->cls == LD)
        return meet(young->a, old->a) || meet(young->b, old->a);
    /* array and store: only results and what is stored */
    if (young->cls == EX)
        return young->kind == K_PRELOAD && meet(young->a, old->a);
    return old->kind == K_PRELOAD && meet(young->a, old->a);
}

static void
allocate(struct clock *k, const struct work *w)
{
    struct station *s = &k->st[w->cls];
    int at = __builtin_ctzll(~s->busy);
    struct slot *e = &s->slot[at];

    *e = (struct slot) { .w = *w };
    for (int c = 0; c < CLASSES; c++) {
        const struct station *o = &k->st[c];
        if (c == (int)w->cls)
            continue;
        for (uint64_t bits = o->busy; bits; bits &= bits - 1) {
            int i = __builtin_ctzll(bits);
            if (depends(w, &o->slot[i].w))
                e->dep[c] |= UINT64_C(1) << i;
        }
    }
    s->busy |= UINT64_C(1) << at;
    s->used++;
    s->wait[s->nwait++] = at;
    k->watch.accepted++;
}

static void
release(struct clock *k, enum cls cls, int slot)
{
    uint64_t bit = UINT64_C(1) << slot;

    for (int c = 0; c < CLASSES; c++)
        for (int i = 0; c != (int)cls && i < k->st[c].nwait; i++)
            k->st[c].slot[k->st[c].wait[i]].dep[cls] &= ~bit;
    k->st[cls].busy &= ~bit;
    k->st[cls].used--;
}

void
queue_pop(struct station *s)
{
    s->nqueue--;
    memmove(s->queue, s->queue + 1, (size_t)s->nqueue * sizeof *s->queue);
    memmove(s->seen_at, s->seen_at + 1, (size_t)s->nqueue * sizeof *s->seen_at);
}

int
queue_seen(const struct clock *k, enum cls cls)
{
    const struct station *s = &k->st[cls];
    int n = 0;

    while (n < s->nqueue && s->seen_at[n] <= k->now)
        n++;
    return n;
}

static void
issue(struct clock *k, struct station *s)
{
    const struct slot *e;

    if (!s->nwait || s->nqueue == s->room)
        return;
    e = &s->slot[s->wait[0]];
    if (e->dep[LD] | e->dep[EX] | e->dep[ST])
        return;
    s->seen_at[s->nqueue] = k->now + ISSUE;
    s->queue[s->nqueue++] = s->wait[0];
    s->nwait--;
    memmove(s->wait, s->wait + 1, (size_t)s->nwait * sizeof *s->wait);
    clock_wake(k, k->now + 1);
}

void
queue_push(struct clock *k, const struct work *w, int64_t at)
{
    int i = (k->front_first + k->front_n++) % FRONT;

    k->front[i] = *w;
    k->front_at[i] = at;
}

/* May the first command leave the front queue?  Others than a loop's wait until every
 * loop has made its last command. */
static bool
leaves(struct clock *k, const struct work *w)
{
    if (w->kind == K_LOOP || w->kind == K_LOOP_CONFIG)
        return unroll_room(k, w->conv);
    if (!unroll_idle(k))
        return false;
    return w->kind == K_NONE || k->st[w->cls].used < k->st[w->cls].size;
}

/* The command at the head of the front queue into the station, or to where loops are
 * unrolled. */
static void
enter(struct clock *k)
{
    const struct work *w = &k->front[k->front_first];

    if (!k->front_n)
        return;
    if (k->front_at[k->front_first] > k->now) {
        clock_wake(k, k->front_at[k->front_first]);
        return;
    }
    if (!leaves(k, w))
        return;
    if (w->kind == K_LOOP)
        unroll_take(k, k->front_first);
    else if (w->kind < K_NONE)
        allocate(k, w);
    count_pass(k, w);
    k->front_first = (k->front_first + 1) % FRONT;
    k->front_n--;
    clock_wake(k, k->now + 1);
}

/* One command of a loop into the station; there is room, or it had not been made. */
static void
enter_unrolled(struct clock *k)
{
    if (!k->out_n)
        return;
    if (k->out_at[0] > k->now) {
        clock_wake(k, k->out_at[0]);
        return;
    }
    allocate(k, &k->out[0]);
    k->out_n--;
    memmove(k->out, k->out + 1, (size_t)k->out_n * sizeof *k->out);
    memmove(k->out_at, k->out_at + 1, (size_t)k->out_n * sizeof *k->out_at);
    clock_wake(k, k->now + 1);
}

/* One command into the station, and one of each class out of it. */
void
queue_step(struct clock *k)
{
    enter_unrolled(k);
    enter(k);
    unroll_step(k);
    for (int c = 0; c < CLASSES; c++) {
        const struct station *s = &k->st[c];
        int n = queue_seen(k, (enum cls)c);
        issue(k, &k->st[c]);
        if (n < s->nqueue)
            clock_wake(k, s->seen_at[n]);
    }
}

/* ---- completion */

void
queue_done_at(struct clock *k, enum cls cls, int slot, int64_t at)
{
    k->done[k->ndone++] = (struct done) { at, cls, slot };
    clock_wake(k, at);
}

void
queue_complete(struct clock *k)
{
    for (int i = 0; i < k->ndone;) {
        if (k->done[i].at > k->now) {
            clock_wake(k, k->done[i++].at);
            continue;
        }
        release(k, k->done[i].cls, k->done[i].slot);
        if (k->done[i].cls == LD)
            k->load_out--;
        k->done[i] = k->done[--k->ndone];
    }
}

bool
queue_idle(const struct clock *k)
{
    const struct station *ex = &k->st[EX];
    bool lone = ex->used == 1 && ((ex->nqueue == 1
        && ex->slot[ex->queue[0]].w.kind == K_PRELOAD) || k->mesh.pre >= 0);

    return !k->front_n && unroll_idle(k) && !k->st[LD].used && !k->st[ST].used
        && (!ex->used || lone)
        && !k->ndone && !k->open && !k->nland && !k->mesh.running;
}
