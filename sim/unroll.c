/* When the commands of loops are made: five generators share one way to the station,
 * one command a cycle, for two loops at a time (timing.md 1.8).
 *
 * A generator starts on the older loop that it has not done yet.  Products run ahead
 * as far as the loads they need have been made; a convolution's computes wait for all
 * its loads, and its stores for all its computes.  Stores come first, then the array,
 * then the bias. */
#include <string.h>

#include "sim/clock.h"

void
unroll_reset(struct clock *k)
{
    struct unroller *u = &k->un;

    u->at[0].held = u->at[1].held = false;
    u->head = 0;
    memset(u->gen, 0, sizeof u->gen);
}

bool
unroll_idle(const struct clock *k)
{
    return !k->un.at[0].held && !k->un.at[1].held && !k->out_n;
}

/* The head is held if any is. */
bool
unroll_room(const struct clock *k, bool conv)
{
    const struct active *head = &k->un.at[k->un.head], *next = &k->un.at[!k->un.head];

    return !head->held || (!next->held && head->loop.conv == conv);
}

void
unroll_take(struct clock *k, int front)
{
    struct unroller *u = &k->un;
    struct active *a = &u->at[u->at[u->head].held ? !u->head : u->head];

    a->loop = k->front_loop[front];
    a->held = true;
    memset(a->started, 0, sizeof a->started);
    memset(a->over, 0, sizeof a->over);
    clock_wake(k, k->now + 1);
}

/* ---- whose turn is it */

/* The generator may begin on this loop. */
static bool
may_start(const struct active *a, enum gen g)
{
    if (!a->held || a->started[g])
        return false;
    if (g == GEN_EX)
        return a->started[GEN_D] && a->started[GEN_A] && a->started[GEN_B];
    if (g == GEN_ST)
        return a->started[GEN_EX];
    return true;
}

static void
finish(struct clock *k, enum gen g)
{
    struct source *s = &k->un.gen[g];

    s->busy = false;
    k->un.at[s->loop].over[g] = true;
    clock_wake(k, k->now + 1);
}

static void
start(struct clock *k)
{
    struct unroller *u = &k->un;

    for (int g = 0; g < GENS; g++) {
        struct source *s = &u->gen[g];
        int at = u->at[u->head].started[g] ? !u->head : u->head;

        if (s->busy || !may_start(&u->at[at], (enum gen)g))
            continue;
        u->at[at].started[g] = true;
        s->busy = true;
        s->loop = at;
        loop_start(&u->at[at].loop, (enum gen)g, &s->c);
        if (s->c.done)
            finish(k, (enum gen)g);
        clock_wake(k, k->now + 1);
    }
}

/* The older loop is forgotten once nothing of it is left to make. */
static void
release(struct clock *k)
{
    struct active *a = &k->un.at[k->un.head];

    if (!a->held)
        return;
    for (int g = 0; g < GENS; g++)
        if (!a->over[g])
            return;
    a->held = false;
    k->un.head = !k->un.head;
    clock_wake(k, k->now + 1);
}

/* ---- who may make a command */

/* Does the generator still work for the same loop as `s`? */
static bool
works(const struct clock *k, enum gen g, const struct source *s)
{
    return k->un.gen[g].busy && k->un.gen[g].loop == s->loop;
}

/* Loads of what a product's next pair reads are made.  B is looked for in the row
 * that A has reached, as the hardware does. */
static bool
pair_ready(const struct clock *k, const struct source *ex)
{
    const struct source *a = &k->un.gen[GEN_A], *b = &k->un.gen[GEN_B];
    const struct cursor *c = &ex->c;
    bool has_a = !works(k, GEN_A, ex) || a->c.k > c->k || (a->c.k == c->k && a->c.i > c->i);
    int64_t a_k = a->busy ? a->c.k : 0;
    bool has_b = !works(k, GEN_B, ex) || b->c.k > c->k || (a_k == c->k && b->c.j > c->j);

    return has_a && has_b && !works(k, GEN_D, ex);
}

static bool
fed(const struct clock *k, const struct source *s)
{
    return !works(k, GEN_A, s) && !works(k, GEN_B, s) && !works(k, GEN_D, s);
}

/* The result that the next store of a product takes is in its last round. */
static bool
tile_ready(const struct clock *k, const struct source *st)
{
    const struct ws_loop *w = &k->un.at[st->loop].loop.ws;
    const struct source *ex = &k->un.gen[GEN_EX];
    int64_t n = w->full ? 1 : loop_columns(k->t, k->h->s->elem_bytes) / k->t->dim;
    int64_t end = st->c.j + n < w->j ? st->c.j + n : w->j;

    if (w->resadd)
        return fed(k, st);
    if (!works(k, GEN_EX, st))
        return true;
    return ex->c.k == w->k - 1 && (ex->c.j >= end || (ex->c.j == end - 1 && ex->c.i > st->c.i));
}

/* While a convolution waits for its loads, later ones do not load. */
static bool
overtakes(const struct clock *k, const struct source *s)
{
    const struct source *ex = &k->un.gen[GEN_EX];

    return ex->busy && s->loop != ex->loop && !fed(k, ex);
}

/* Between A and B of a product: a first block of B, then A until it is ahead. */
static bool
b_first(const struct clock *k)
{
    const struct source *a = &k->un.gen[GEN_A], *b = &k->un.gen[GEN_B];

    if (!a->busy || !b->busy)
        return b->busy;
    if (a->loop != b->loop)
        return b->loop == k->un.head;
    if (k->un.at[a->loop].loop.ws.resadd)
        return false;
    return a->c.k > b->c.k || (b->c.k == 0 && b->c.j == 0);
}

static bool
ready(const struct clock *k, enum gen g)
{
    const struct source *s = &k->un.gen[g];
    bool conv = k->un.at[s->loop].loop.conv;

    if (!s->busy)
        return false;
    if (g == GEN_ST)
        return conv ? !works(k, GEN_EX, s) : tile_ready(k, s);
    if (g == GEN_EX)
        return conv ? fed(k, s) : pair_ready(k, s);
    if (conv)
        return !overtakes(k, s);
    return g == GEN_D || (g == GEN_B) == b_first(k);
}

/* The station has room for it, those on their way counted. */
static bool
room(const struct clock *k, enum cls cls)
{
    int n = k->st[cls].used;

    for (int i = 0; i < k->out_n; i++)
        n += k->out[i].cls == cls;
    return n < k->st[cls].size;
}

/* ---- a cycle */

static void
set(const struct clock *k, struct regs *g, const struct isa_cmd *c)
{
    struct isa_config_ld ld = exec_decode_ld(k->h->s, c);

    if (c->funct != ISA_CONFIG)
        return;
    if ((c->rs1 & 3) == ISA_CONFIG_LD && ld.state < LOADS)
        g->ld[ld.state] = ld;
    if ((c->rs1 & 3) == ISA_CONFIG_ST)
        g->st = isa_decode_st(c->rs1, c->rs2);
    if ((c->rs1 & 3) == ISA_CONFIG_EX) {
        g->ex.a_stride = isa_decode_ex(c->rs1, c->rs2).a_stride;
        g->ex.c_stride = isa_decode_ex(c->rs1, c->rs2).c_stride;
    }
}

static void
make(struct clock *k, enum gen g)
{
    struct source *s = &k->un.gen[g];
    struct loop *l = &k->un.at[s->loop].loop;
    struct isa_cmd c;

    loop_next(l, g, &s->c, &c);
    set(k, &l->regs, &c);
    k->out_at[k->out_n] = k->now + UNROLL;
    k->out[k->out_n] = work_of(k->h, &l->regs, &c);
    k->out[k->out_n++].of = l->of;
    if (s->c.done)
        finish(k, g);
    clock_wake(k, k->now + 1);
}

void
unroll_step(struct clock *k)
{
    static const struct { enum gen g; enum cls cls; } order[] = {
        { GEN_ST, ST }, { GEN_EX, EX }, { GEN_D, LD }, { GEN_B, LD }, { GEN_A, LD },
    };

    if (!k->un.at[0].held && !k->un.at[1].held)
        return;
    start(k);
    release(k);
    if (k->out_n == OUT)
        return;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (ready(k, order[i].g) && room(k, order[i].cls)) {
            make(k, order[i].g);
            return;
        }
}
