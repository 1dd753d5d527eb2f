/* plan-memory: where everything lies.  Pitches and halos of each piece of memory, its
 * place among the others by when it is alive, and the layout of every value in it.
 *
 * - Rows of channels that the array writes are 16, 32 or whole lines of 64 bytes long,
 *   except where a view wants them without gaps, in inputs of few channels, and in
 *   what lies densely by option.
 * - A halo is filled once, before the first run, so its memory is nobody else's.
 * - Constants are placed by the backend. */
#include <string.h>

#include "ir/machine.h"
#include "passes/images.h"
#include "passes/storage.h"
#include "src/base/num.h"
#include "src/machine/target.h"

enum { LINE = 64, SLACK = 64 };                /* reads may go past the end by a line */

struct piece {                   /* a store with what plan-memory finds */
    struct store *store;
    const struct value *owner;   /* its buffer is not inside another */
    int64_t pitch[MAX_RANK], first;
    struct buffer *buf;
    bool padded;                 /* channels get a whole line */
};

struct plan_memory {
    struct pass_ctx *c;
    struct graph *g;
    struct storage s;
    struct piece *pieces; int npiece;          /* by store id */
    int *step;                                 /* by node id */
    int steps;
};

/* --------------------------------------------------------------- pieces */

static bool
on_array(const struct value *v)
{
    const struct op_def *op = v->def ? v->def->op : NULL;

    return op == &op_m_conv || op == &op_m_matmul || op == &op_m_add || op == &op_m_pool
        || op == &op_m_table || op == &op_m_move || op == &op_m_convert || op == &op_m_join;
}

/* Which of two members the buffer is named after and belongs to. */
static int
rank_of(const struct plan_memory *m, const struct value *v)
{
    const struct spot *p = &m->s.spot[v->id];
    int64_t all = 1;

    for (int i = 0; i < p->store->rank; i++)
        all *= p->store->axis[i].extent;
    if (all != shape_elems(&v->type.shape))
        return 0;
    if (v->is_input)
        return 4;
    if (v->def && !(v->def->op->traits & OP_VIEW))
        return 3;
    return v->is_output ? 2 : 1;
}

static void
gather_pieces(struct plan_memory *m, struct arena *a)
{
    m->pieces = NEWN(a, struct piece, m->s.nstore + 1);
    m->npiece = m->s.nstore;
    for (uint32_t i = 0; i < m->s.nvalue; i++) {
        const struct value *v = m->g->values[i];
        struct store *t = v ? m->s.spot[i].store : NULL;
        struct piece *p = t ? &m->pieces[t->id] : NULL;
        if (!t)
            continue;
        p->store = t;
        if (!p->owner || rank_of(m, v) > rank_of(m, p->owner))
            p->owner = v;
        p->padded |= v->type.dt == DT_I8 && (on_array(v) || v->is_input);
    }
}

static int64_t
line_of(int64_t c, bool input)
{
    if (c == 1 || (c < 16 && input))
        return c;
    return c <= 16 ? 16 : c <= 32 ? 32 : num_round_up(c, LINE);
}

static void
set_pitches(struct piece *p)
{
    const struct store *t = p->store;
    int64_t size, rows = 1;
    int last = t->rank - 1;

    for (int i = 0; i < last; i++)
        rows *= t->axis[i].extent + t->axis[i].before + t->axis[i].after;
    p->pitch[last < 0 ? 0 : last] = t->elem;
    for (int i = last - 1; i >= 0; i--) {
        const struct store_axis *in = &t->axis[i + 1];
        int64_t n = in->extent + in->before + in->after;
        if (i == last - 1 && p->padded && rows > 1 && !t->flat && !t->axis[i].tight)
            n = line_of(n, t->input);
        p->pitch[i] = n * p->pitch[i + 1];
    }
    size = t->elem;
    if (t->rank > 0)
        size = (t->axis[0].extent + t->axis[0].before + t->axis[0].after) * p->pitch[0];
    for (int i = 0; i < t->rank; i++)
        p->first += t->axis[i].before * p->pitch[i];
    size += num_round_up(p->first, LINE) - p->first;
    p->first = num_round_up(p->first, LINE);
    p->buf->size = size;
}

/* ------------------------------------------------------------- lifetimes */

static void
live(struct buffer *b, int first, int last)
{
    b->first = first < b->first ? first : b->first;
    b->last = last > b->last ? last : b->last;
}

static void
lifetimes(struct plan_memory *m)
{
    for (uint32_t i = 0; i < m->s.nvalue; i++) {
        const struct value *v = m->g->values[i];
        struct store *t = v ? m->s.spot[i].store : NULL;
        struct buffer *b = t ? m->pieces[t->id].buf : NULL;
        int born = v && v->def ? m->step[v->def->id] : 0;
        if (!t)
            continue;
        live(b, born, born);
        for (int k = 0; k < v->nuse; k++)
            live(b, m->step[v->uses[k].node->id], m->step[v->uses[k].node->id]);
        if (v->is_output || t->fill != FILL_NONE)
            live(b, t->fill != FILL_NONE ? 0 : born, m->steps);
        if (v->is_input)
            live(b, 0, born);
    }
}

static struct buffer *
new_buffer(struct plan_memory *m, const struct piece *p)
{
    struct buffer *b = NEW(m->g->arena, struct buffer);

    b->what = p->owner->name;
    b->align = LINE;
    b->first = m->steps;
    b->space = p->store->input ? SPACE_IN : p->store->output ? SPACE_OUT : SPACE_ARENA;
    for (int i = 0; i < m->g->nstate; i++)
        if (m->g->states[i].in == p->owner)
            b->space = SPACE_STATE;
    return b;
}

/* --------------------------------------------------------------- offsets */

static int64_t
room(const struct buffer *b)
{
    return num_round_up(b->size, LINE) + SLACK;
}

/* Inputs, outputs, state: one after the other. */
static int64_t
in_a_row(struct plan_memory *m, enum space space)
{
    int64_t at = 0;

    for (int i = 0; i < m->npiece; i++) {
        struct buffer *b = m->pieces[i].buf;
        if (!b || b->space != space)
            continue;
        b->offset = at;
        at += room(b);
    }
    return at;
}

static bool
overlap(const struct buffer *a, const struct buffer *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* The lowest place for b among the first n of `placed`, which are alive with it: the
 * smallest gap that takes it. */
static int64_t
best_gap(struct buffer *const *placed, int n, const struct buffer *b)
{
    int64_t end = 0, best = -1, waste = INT64_MAX;

    for (int i = 0; i < n; i++) {              /* sorted by offset */
        if (!overlap(placed[i], b))
            continue;
        int64_t gap = placed[i]->offset - end;
        if (gap >= room(b) && gap < waste) {
            best = end;
            waste = gap;
        }
        end = num_max(end, placed[i]->offset + room(placed[i]));
    }
    return best >= 0 ? best : end;
}

static void
insert_sorted(struct buffer **placed, int n, struct buffer *b)
{
    int i = n;

    for (; i > 0 && placed[i - 1]->offset > b->offset; i--)
        placed[i] = placed[i - 1];
    placed[i] = b;
}

/* Largest first; among equals, the order of the graph. */
static int64_t
pack(struct plan_memory *m, struct arena *a)
{
    struct buffer **placed = NEWN(a, struct buffer *, m->npiece + 1);
    bool *done = NEWN(a, bool, m->npiece + 1);
    int64_t peak = 0;

    for (int n = 0;; n++) {
        int next = -1;
        for (int i = 0; i < m->npiece; i++) {
            const struct buffer *b = m->pieces[i].buf;
            if (b && b->space == SPACE_ARENA && !done[i]
                && (next < 0 || b->size > m->pieces[next].buf->size))
                next = i;
        }
        if (next < 0)
            return peak;
        struct buffer *b = m->pieces[next].buf;
        done[next] = true;
        b->offset = best_gap(placed, n, b);
        insert_sorted(placed, n, b);
        peak = num_max(peak, b->offset + room(b));
    }
}

/* ---------------------------------------------------------------- values */

static void
set_axis(struct layout *l, const struct value *v, const struct spot *p, const struct piece *q,
         int d)
{
    const struct store_axis *a;
    int s = p->axis[d];

    if (s < 0)
        return;
    a = &p->store->axis[s];
    l->pitch[d] = p->step[d] * q->pitch[s];
    if (p->step[d] != 1 || p->start[s] != 0 || v->type.shape.dim[d].n != a->extent)
        return;
    l->before[d] = a->before;
    l->after[d] = a->after;
}

/* Axes of size 1 that the store does not have lie as if they were there. */
static void
set_unit_pitches(struct layout *l, const struct value *v, const struct spot *p, int64_t elem)
{
    int64_t pitch = elem;

    for (int i = v->type.shape.rank - 1; i >= 0; i--) {
        int d = l->order[i];
        if (p->axis[d] < 0)
            l->pitch[d] = pitch;
        pitch = l->pitch[d] * v->type.shape.dim[d].n;
        if (pitch <= 0)
            pitch = elem;
    }
}

static void
place_value(struct plan_memory *m, struct value *v)
{
    const struct spot *p = &m->s.spot[v->id];
    const struct piece *q = &m->pieces[p->store->id];
    struct layout *l = NEW(m->g->arena, struct layout);
    int64_t at = 0;

    images_order(v, m->s.image[v->id], l->order);
    for (int d = 0; d < v->type.shape.rank; d++)
        set_axis(l, v, p, q, d);
    set_unit_pitches(l, v, p, p->store->elem);
    for (int s = 0; s < p->store->rank; s++)
        at += p->start[s] * q->pitch[s];
    l->fill = p->store->fill;
    l->first = q->first;
    l->align = LINE;
    l->bytes = q->buf->size - at;
    v->type.layout = l;
    v->buf = q->buf;
    if (v == q->owner)
        return;
    v->buf = arena_dup(m->g->arena, q->buf, sizeof *q->buf);
    v->buf->what = v->name;
    v->buf->alias = q->buf;
    v->buf->at = at;
    v->buf->offset = q->buf->offset + at;
    v->buf->size = l->bytes;
}

static void
conflict(void *ctx, struct node *n, int input, bool image)
{
    (void)ctx;
    (void)image;
    BUG("'%s' does not share the memory of its input %d", n->name, input);
}

static bool
check_limit(struct plan_memory *m)
{
    int64_t limit = m->c->opt->arena_limit;

    if (limit <= 0 || m->g->arena_bytes <= limit)
        return true;
    return diag_error(m->c->diag, &(struct place_ref){ .file = m->g->file }, "arena-limit",
                      "activations need %lld bytes at their peak, %lld are allowed",
                      (long long)m->g->arena_bytes, (long long)limit);
}

static void
number_steps(struct plan_memory *m, struct arena *a)
{
    m->step = NEWN(a, int, m->g->nnode + 1);
    for (const struct node *n = m->g->first; n; n = n->next)
        m->step[n->id] = m->steps++;
}

static bool
run(struct pass_ctx *c)
{
    struct arena *a = arena_new();
    struct plan_memory m = { .c = c, .g = c->g };
    struct storage_hooks hooks = { .conflict = conflict };
    bool fine;

    storage_find(&m.s, c->g, a, c->opt, &hooks);
    number_steps(&m, a);
    gather_pieces(&m, a);
    for (int i = 0; i < m.npiece; i++) {
        if (!m.pieces[i].store)
            continue;
        m.pieces[i].buf = new_buffer(&m, &m.pieces[i]);
        set_pitches(&m.pieces[i]);
    }
    lifetimes(&m);
    c->g->in_bytes = in_a_row(&m, SPACE_IN);
    c->g->out_bytes = in_a_row(&m, SPACE_OUT);
    in_a_row(&m, SPACE_STATE);
    c->g->arena_bytes = pack(&m, a);
    for (uint32_t i = 0; i < m.s.nvalue; i++)
        if (c->g->values[i] && m.s.spot[i].store)
            place_value(&m, c->g->values[i]);
    fine = check_limit(&m);
    arena_free(a);
    return fine;
}

const struct pass pass_plan_memory = {
    .name = "plan-memory",
    .doc = "gives every value its place, pitch and halo in memory",
    .needs = FACT_TYPES | FACT_ORDER,
    .gives = FACT_BUFFERS | FACT_LAYOUT,
    .from = STAGE_MACHINE,
    .run = run,
};
