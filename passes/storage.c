/* Which values share memory, and how they lie in it. */
#include <string.h>

#include "ir/machine.h"
#include "passes/images.h"
#include "passes/storage.h"
#include "src/base/num.h"

/* ----------------------------------------------------------------- halos */

struct need { int64_t before[2], after[2]; bool any; };

static void
reach(struct need *h, const struct value *x, const struct value *y, const int64_t *pads,
      const int64_t *kernel, const int64_t *stride, const int64_t *dilation)
{
    for (int i = 0; i < 2; i++) {
        int64_t last = (y->type.shape.dim[2 + i].n - 1) * stride[i] + (kernel[i] - 1) * dilation[i];
        int64_t after = last + 1 - pads[i] - x->type.shape.dim[2 + i].n;
        h->before[i] = num_max(h->before[i], pads[i]);
        h->after[i] = num_max(h->after[i], after);
        h->any |= pads[i] > 0 || after > 0;
    }
}

/* The image before pooling on the way out. */
static void
conv_need(struct need *h, const struct node *n)
{
    const struct m_conv_attr *a = n->attr;
    const struct dim *w = n->in[1]->type.shape.dim, *x = n->in[0]->type.shape.dim;
    struct value whole = *n->out[0];

    for (int i = 0; i < 2; i++) {
        int64_t room = x[2 + i].n + a->pads[i] + a->pads[2 + i];
        int64_t kernel = (w[2 + i].n - 1) * a->dilation[i] + 1;
        whole.type.shape.dim[2 + i].n = (room - kernel) / a->stride[i] + 1;
    }
    reach(h, n->in[0], &whole, a->pads, (int64_t[]){ w[2].n, w[3].n }, a->stride, a->dilation);
}

/* What the readers of v want around it.  Convolutions come first; a max pool gets the
 * lowest value around its input only where that does not disturb them. */
static struct need
need_of(const struct value *v, enum fill *fill)
{
    struct need h = { 0 };
    bool lowest_is_zero;

    *fill = FILL_NONE;
    if (v->type.dt != DT_I8 || !v->type.quant || v->type.shape.rank != 4)
        return h;
    lowest_is_zero = v->type.quant->zero[0] == -128;
    for (int i = 0; i < v->nuse; i++)
        if (v->uses[i].node->op == &op_m_conv && v->uses[i].index == 0)
            conv_need(&h, v->uses[i].node);
    if (h.any)
        *fill = FILL_ZERO_POINT;
    for (int i = 0; i < v->nuse; i++) {
        const struct node *n = v->uses[i].node;
        const struct m_pool_attr *a = n->attr;
        if (n->op != &op_m_pool || a->kind != M_POOL_MAX
            || (*fill == FILL_ZERO_POINT && !lowest_is_zero))
            continue;
        reach(&h, v, n->out[0], a->pads, a->kernel, a->stride, a->dilation);
        if (h.any && *fill == FILL_NONE)
            *fill = lowest_is_zero ? FILL_ZERO_POINT : FILL_LOWEST;
    }
    return h;
}

bool
storage_needs_halo(const struct value *v)
{
    enum fill fill;

    return need_of(v, &fill).any;
}

bool
storage_is_flat(const struct value *v, const struct pass_options *opt)
{
    return (v->is_input || v->is_output) && opt->io != IO_AUTO;
}

/* ---------------------------------------------------------------- stores */

/* Axis d of the value is all of its store axis, step 1. */
static bool
covers(const struct spot *p, const struct value *v, int d)
{
    int s = p->axis[d];

    return s >= 0 && p->step[d] == 1 && p->start[s] == 0
        && v->type.shape.dim[d].n == p->store->axis[s].extent;
}

static bool
covers_all(const struct spot *p, const struct value *v)
{
    int64_t n = 1;

    for (int i = 0; i < p->store->rank; i++)
        n *= p->store->axis[i].extent;
    return n == shape_elems(&v->type.shape);
}

/* Is axis s in a run without gaps? */
static bool
is_tight(const struct store *t, int s)
{
    return s > 0 && t->axis[s - 1].tight;
}

/* Halos that the readers of v need, put into the store; false: it cannot have them. */
static bool
add_halo(struct spot *p, const struct value *v)
{
    enum fill fill;
    struct need h = need_of(v, &fill);
    struct store *t = p->store;

    if (!h.any)
        return true;
    if (t->flat || (t->fill != FILL_NONE && t->fill != fill))
        return false;
    for (int i = 0; i < 2; i++) {
        if (!h.before[i] && !h.after[i])
            continue;
        if (!covers(p, v, 2 + i) || is_tight(t, p->axis[2 + i]))
            return false;
    }
    for (int i = 0; i < 2; i++) {
        int s = p->axis[2 + i];
        if (s < 0)
            continue;
        t->axis[s].before = (int32_t)num_max(t->axis[s].before, h.before[i]);
        t->axis[s].after = (int32_t)num_max(t->axis[s].after, h.after[i]);
    }
    t->fill = fill;
    return true;
}

/* A copy of the place on a copy of its store, to try on. */
struct trial { struct spot place; struct store store; };

static void
commit(struct storage *s, const struct value *v, const struct trial *t)
{
    struct store *store = t->place.store;

    s->spot[v->id] = t->place;
    *store = t->store;
}

static void
fresh(struct storage *s, const struct value *v)
{
    struct store *t = NEW(s->arena, struct store);
    struct spot *p = &s->spot[v->id];
    int8_t order[MAX_RANK];

    t->rank = v->type.shape.rank;
    t->id = s->nstore++;
    t->elem = dtype_bits(v->type.dt) / 8;
    t->first = v;
    t->flat = storage_is_flat(v, s->opt);
    t->input = v->is_input;
    t->output = v->is_output;
    images_order(v, s->image[v->id], order);
    *p = (struct spot){ .store = t };
    for (int i = 0; i < t->rank; i++) {
        t->axis[i].extent = v->type.shape.dim[order[i]].n;
        p->axis[order[i]] = (int8_t)i;
        p->step[order[i]] = 1;
    }
    if (!add_halo(p, v))
        BUG("'%s' has no halo", v->name);
}

/* ----------------------------------------------------------------- views */

static void
try_on(struct trial *t, const struct spot *p)
{
    t->store = *p->store;
    t->place = *p;
    t->place.store = &t->store;
}

/* Does the place have the order in memory that v should have?  The innermost axis has
 * to be without steps. */
static bool
ordered(const struct storage *s, const struct spot *p, const struct value *v)
{
    int8_t order[MAX_RANK];
    int last = -1, rank = v->type.shape.rank;
    int64_t step = 0;

    images_order(v, s->image[v->id], order);
    for (int i = 0; i < rank; i++) {
        int d = order[i];
        if (v->type.shape.dim[d].n == 1)
            continue;
        if (p->axis[d] < last || (p->axis[d] == last && p->step[d] >= step))
            return false;
        last = p->axis[d];
        step = p->step[d];
    }
    if (last < 0)
        return true;
    for (int i = last + 1; i < p->store->rank; i++)
        if (p->store->axis[i].extent > 1)
            return false;
    return step == 1;
}

/* The next axis of the store that has more than one index; -1: none. */
static int
inner_axis(const struct store *t, int s)
{
    for (s++; s < t->rank; s++)
        if (t->axis[s].extent > 1)
            return s;
    return -1;
}

/* Axes a and b of v, in this order, become one. */
static bool
merge_axes(struct trial *t, const struct value *v, int a, int b)
{
    struct spot *p = &t->place;
    int sa = p->axis[a], sb = p->axis[b];
    int64_t n = v->type.shape.dim[b].n;

    if (sa == sb)
        return p->step[a] == n * p->step[b];
    if (p->step[a] != 1 || inner_axis(&t->store, sa) != sb || p->start[sb] != 0
        || n * p->step[b] != t->store.axis[sb].extent)
        return false;
    for (int s = sa; s < sb; s++) {
        const struct store_axis *x = &t->store.axis[s + 1];
        if (x->before || x->after)
            return false;
        t->store.axis[s].tight = true;
    }
    return true;
}

/* Axes [i, ie) of x are axes [j, je) of y: same number of elements. */
static bool
regroup(struct trial *t, const struct value *x, int i, int ie, const struct value *y, int j,
        int je, struct spot *out)
{
    int last = -1;
    int64_t step;

    for (int a = i; a < ie; a++) {
        if (x->type.shape.dim[a].n == 1)
            continue;
        if (last >= 0 && !merge_axes(t, x, last, a))
            return false;
        last = a;
    }
    if (last < 0)
        return true;
    step = t->place.step[last];
    for (int d = je - 1; d >= j; d--) {
        if (y->type.shape.dim[d].n == 1)
            continue;
        out->axis[d] = t->place.axis[last];
        out->step[d] = step;
        step *= y->type.shape.dim[d].n;
    }
    return true;
}

/* The axes of size 1 that stand in both, so that a halo can go there too. */
static void
keep_units(const struct spot *p, const struct value *x, const struct value *y, struct spot *out)
{
    if (x->type.shape.rank != y->type.shape.rank)
        return;
    for (int d = 0; d < x->type.shape.rank; d++) {
        if (x->type.shape.dim[d].n != 1 || y->type.shape.dim[d].n != 1)
            continue;
        out->axis[d] = p->axis[d];
        out->step[d] = 1;
    }
}

static bool
reshaped(struct trial *t, const struct value *x, const struct value *y)
{
    const struct shape *a = &x->type.shape, *b = &y->type.shape;
    struct spot out = t->place;
    int i = 0, j = 0;

    for (int d = 0; d < MAX_RANK; d++) {
        out.axis[d] = -1;
        out.step[d] = 0;
    }
    keep_units(&t->place, x, y, &out);
    while (i < a->rank || j < b->rank) {
        int ie = i, je = j;
        int64_t na = 1, nb = 1;
        do {
            if (je < b->rank && (nb < na || (ie == a->rank && na == nb)))
                nb *= b->dim[je++].n;
            else if (ie < a->rank)
                na *= a->dim[ie++].n;
            else
                return false;
        } while (na != nb);
        if (!regroup(t, x, i, ie, y, j, je, &out))
            return false;
        i = ie;
        j = je;
    }
    t->place = out;
    return true;
}

static bool
moved(struct trial *t, const struct node *n)
{
    const struct m_move_attr *a = n->attr;
    const struct shape *y = &n->out[0]->type.shape;
    struct spot out = t->place;

    for (int d = 0; d < y->rank; d++) {
        int s = (int)a->perm.at[d];
        if (a->dst_start.at[d] != 0 || a->count.at[d] != y->dim[d].n
            || (a->src_step.at[s] != 1 && y->dim[d].n > 1))
            return false;
        out.axis[d] = t->place.axis[s];
        out.step[d] = t->place.step[s];
        if (out.axis[d] >= 0)
            out.start[out.axis[d]] += a->src_start.at[s] * t->place.step[s];
    }
    t->place = out;
    return true;
}

/* y shares the store of x; false: it cannot. */
static bool
share(struct storage *s, const struct node *n)
{
    const struct value *x = n->in[0], *y = n->out[0];
    struct spot *p = &s->spot[x->id];
    struct trial t;
    bool is_move = n->op == &op_m_move || n->op == &op_m_view;

    if (x->home != s->g || !p->store || x->type.dt != y->type.dt
        || shape_elems(&y->type.shape) == 0)
        return false;
    try_on(&t, p);
    if (!(is_move ? moved(&t, n) : reshaped(&t, x, y)) || !ordered(s, &t.place, y)
        || !add_halo(&t.place, y))
        return false;
    if (y->is_output) {
        if (t.store.input || t.store.output || !covers_all(&t.place, y)
            || (storage_is_flat(y, s->opt) && t.store.fill != FILL_NONE))
            return false;
        t.store.output = true;
        t.store.flat |= storage_is_flat(y, s->opt);
    }
    t.place.store = p->store;
    commit(s, y, &t);
    return true;
}

/* ----------------------------------------------------------------- joins */

/* Can the store of part x lie inside the store of y? */
static bool
part_fits(const struct storage *s, const struct value *x, const struct value *y, int axis)
{
    const struct spot *px = &s->spot[x->id], *py = &s->spot[y->id];
    const struct store *t = px->store;

    if (x->home != s->g || !t || t == py->store || t->input || t->output || t->flat
        || t->elem != py->store->elem || !quant_equal(x->type.quant, y->type.quant)
        || !covers_all(px, x))
        return false;
    if (t->fill != FILL_NONE && py->store->fill != FILL_NONE && t->fill != py->store->fill)
        return false;
    for (int d = 0; d < x->type.shape.rank; d++) {
        int sx = px->axis[d];
        if (x->type.shape.dim[d].n == 1)
            continue;
        if (!covers(px, x, d))
            return false;
        if (d == axis && (t->axis[sx].before || t->axis[sx].after || is_tight(t, sx)))
            return false;
    }
    return true;
}

/* Same order of the axes that count, in part and whole. */
static bool
same_order(const struct storage *s, const struct value *x, const struct value *y)
{
    const struct spot *px = &s->spot[x->id], *py = &s->spot[y->id];

    for (int a = 0; a < x->type.shape.rank; a++)
        for (int b = 0; b < x->type.shape.rank; b++)
            if (x->type.shape.dim[a].n > 1 && x->type.shape.dim[b].n > 1
                && (px->axis[a] < px->axis[b]) != (py->axis[a] < py->axis[b]))
                return false;
    return true;
}

/* Halos and tight runs of the part go over to the whole; axes of size 1 too.  False:
 * they do not agree. */
static bool
merge_needs(struct store *whole, const struct store *part, const int8_t *to)
{
    for (int i = 0; i < part->rank; i++) {
        const struct store_axis *a = &part->axis[i];
        int j = to[i];
        if (j < 0) {
            if (a->before || a->after)
                return false;
            continue;
        }
        if ((a->before || a->after) && (whole->flat || is_tight(whole, j)))
            return false;
        whole->axis[j].before = (int32_t)num_max(whole->axis[j].before, a->before);
        whole->axis[j].after = (int32_t)num_max(whole->axis[j].after, a->after);
    }
    for (int i = 0; i < part->rank; i++) {
        int j = to[i], k = inner_axis(part, i);
        if (!part->axis[i].tight || j < 0 || k < 0)
            continue;
        for (int m = j; m < to[k]; m++) {
            if (m > j && whole->axis[m].extent > 1)
                return false;                  /* the joined axis lies between */
            if (whole->axis[m + 1].before || whole->axis[m + 1].after)
                return false;
            whole->axis[m].tight = true;
        }
    }
    if (part->fill != FILL_NONE)
        whole->fill = part->fill;
    return true;
}

static bool
join_part(struct storage *s, const struct value *x, const struct value *y, int axis, int64_t at)
{
    struct store *part, *whole = s->spot[y->id].store, trial = *whole;
    const struct spot px = s->spot[x->id], py = s->spot[y->id];
    int8_t to[MAX_RANK];

    if (!part_fits(s, x, y, axis) || !same_order(s, x, y))
        return false;
    part = px.store;
    memset(to, -1, sizeof to);
    for (int d = 0; d < x->type.shape.rank; d++)
        if (px.axis[d] >= 0)
            to[px.axis[d]] = py.axis[d];
    if (!merge_needs(&trial, part, to))
        return false;
    *whole = trial;
    for (uint32_t i = 0; i < s->nvalue; i++) {
        struct spot *p = &s->spot[i], old = *p;
        if (p->store != part)
            continue;
        p->store = whole;
        memset(p->start, 0, sizeof p->start);
        for (int k = 0; k < part->rank; k++)
            if (to[k] >= 0)
                p->start[to[k]] = old.start[k];
        p->start[py.axis[axis]] += at;
        for (int d = 0; d < s->g->values[i]->type.shape.rank; d++)
            p->axis[d] = old.axis[d] >= 0 ? to[old.axis[d]] : -1;
    }
    return true;
}

static void
join(struct storage *s, struct node *n, const struct storage_hooks *h)
{
    const struct value *y = n->out[0];
    int axis = (int)((const struct m_join_attr *)n->attr)->axis;
    int64_t at = 0;

    fresh(s, y);
    for (int i = 0; i < n->nin; i++) {
        if (!join_part(s, n->in[i], y, axis, at))
            h->conflict(h->ctx, n, i, false);
        at += n->in[i]->type.shape.dim[axis].n;
    }
}

/* ------------------------------------------------------------------ find */

static void
visit(struct storage *s, struct node *n, const struct storage_hooks *h)
{
    bool may = n->op == &op_m_move && h->may_share && h->may_share(h->ctx, n);

    if (n->op == &op_m_join) {
        join(s, n, h);
        return;
    }
    if (n->op->traits & OP_VIEW) {
        if (!share(s, n)) {
            h->conflict(h->ctx, n, 0, s->image[n->out[0]->id]);
            fresh(s, n->out[0]);
        }
        for (int i = 1; i < n->nout; i++)
            if (n->out[i])
                fresh(s, n->out[i]);
        return;
    }
    if (may && share(s, n)) {
        h->shared(h->ctx, n);
        return;
    }
    for (int i = 0; i < n->nout; i++)
        if (n->out[i])
            fresh(s, n->out[i]);
}

void
storage_find(struct storage *s, struct graph *g, struct arena *a,
             const struct pass_options *opt, const struct storage_hooks *h)
{
    *s = (struct storage){ .g = g, .arena = a, .opt = opt, .nvalue = g->nvalue };
    s->image = NEWN(a, bool, g->nvalue + 1);
    s->spot = NEWN(a, struct spot, g->nvalue + 1);
    images_find(g, images_keep_io(opt), s->image);
    for (int i = 0; i < g->ninput; i++)
        fresh(s, g->inputs[i]);
    for (int i = 0; i < g->nstate; i++)
        fresh(s, g->states[i].in);
    for (struct node *n = g->first; n; n = n->next)
        visit(s, n, h);
}
