/* Help for the operator files: checks and normal forms, and two walks over tensors.
 * Dims that are only bounded (a symbol) pass where an operator copies them; whatever
 * computes with sizes asks for fixed ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ops/common.h"
#include "src/base/num.h"

void
ops_set_out(struct infer *q, int i, enum dtype dt, const struct shape *s)
{
    struct type *t;

    if (i >= q->n->nout || !q->n->out[i])
        return;
    t = &q->n->out[i]->type;
    t->dt = dt;
    t->shape = *s;
}

bool
ops_rules(struct infer *q)
{
    bool ok = true;

    for (const struct rule *r = q->n->op->rules; r && r->id; r++) {
        char detail[200] = "";
        if (r->holds(q->n, detail, sizeof detail))
            continue;
        diag_error(q->diag, &q->at, r->id, "%s%s%s", r->sentence, *detail ? ": " : "", detail);
        ok = false;
    }
    return ok;
}

bool
ops_need_real(struct infer *q, int i)
{
    const struct type *t = &q->n->in[i]->type;

    if (t->dt == DT_F32)
        return true;
    return diag_error(q->diag, &q->at, "op-dtype",
                      "input %d is %s; %s computes with float", i, dtype_name(t->dt),
                      q->n->op->name);
}

bool
ops_need_known(struct infer *q, int i)
{
    const struct shape *s = ops_in(q->n, i);

    if (shape_known(s))
        return true;
    diag_error(q->diag, &q->at, "dim-unknown", "input %d has the shape %s, which is not fixed",
               i, shape_text(q->arena, s));
    diag_hint(q->diag, "give sizes with --dim NAME=N or --batch N");
    return false;
}

bool
ops_need_rank(struct infer *q, int i, int min, int max)
{
    int rank = ops_in(q->n, i)->rank;

    if (rank >= min && rank <= max)
        return true;
    if (rank < 0)
        return ops_need_known(q, i);
    return diag_error(q->diag, &q->at, "op-rank",
                      min == max ? "input %d has rank %d, not %d"
                                 : "input %d has rank %d; it should be %d to %d",
                      i, rank, min, max);
}

bool
ops_same_dtype(struct infer *q, int i, int j)
{
    const struct type *a = &q->n->in[i]->type, *b = &q->n->in[j]->type;

    if (a->dt == b->dt)
        return true;
    return diag_error(q->diag, &q->at, "op-dtype", "input %d is %s where input %d is %s", j,
                      dtype_name(b->dt), i, dtype_name(a->dt));
}

bool
ops_wrap_axis(struct infer *q, int64_t *axis, int rank)
{
    int x = wrap_axis(*axis, rank);

    if (x < 0 || x >= rank)
        return diag_error(q->diag, &q->at, "axis-range", "axis %lld is outside a rank-%d tensor",
                          (long long)*axis, rank);
    *axis = x;
    return true;
}

static int
by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

bool
ops_wrap_axes(struct infer *q, struct ints *axes, int rank, bool sorted)
{
    unsigned seen = 0;
    int64_t *to;

    if (axes->n > rank)
        return diag_error(q->diag, &q->at, "axis-range", "%d axes for a rank-%d tensor", axes->n,
                          rank);
    to = NEWN(q->arena, int64_t, axes->n + 1);
    for (int i = 0; i < axes->n; i++) {
        to[i] = axes->at[i];
        if (!ops_wrap_axis(q, &to[i], rank))
            return false;
        if (seen & 1u << to[i])
            return diag_error(q->diag, &q->at, "axis-range", "axis %lld is named twice",
                              (long long)to[i]);
        seen |= 1u << to[i];
    }
    if (sorted)
        qsort(to, (size_t)axes->n, sizeof *to, by_value);
    axes->at = to;
    return true;
}

bool
ops_const_ints(struct infer *q, int i, const char *what, struct ints *out)
{
    const struct value *v;

    if (!ops_has(q->n, i))
        return true;
    v = q->n->in[i];
    if (!dtype_is_float(v->type.dt) && value_ints(q->arena, v, out))
        return true;
    diag_error(q->diag, &q->at, "input-constant", "input %d (%s) '%s' is not a constant", i, what,
               v->name);
    diag_hint(q->diag, "sizes are fixed when the program is made; re-export the model with"
              " fixed input sizes");
    return false;
}

void
ops_drop_inputs(struct node *n, int count)
{
    while (n->nin > count) {
        node_set_input(n, n->nin - 1, NULL);
        n->nin--;
    }
}

int64_t *
ops_new_ints(struct infer *q, int n, int64_t fill, struct ints *out)
{
    int64_t *p = NEWN(q->arena, int64_t, n + 1);

    for (int i = 0; i < n; i++)
        p[i] = fill;
    *out = (struct ints){ n, p };
    return p;
}

int64_t
ops_elem_bytes(const struct type *t)
{
    return dtype_bits(t->dt) / 8;
}

void
ops_each_float(struct eval *e, float (*f)(float))
{
    int64_t n = shape_elems(&e->n->out[0]->type.shape);
    const float *x = e->in[0];
    float *y = e->out[0];

    for (int64_t i = 0; i < n; i++)
        y[i] = f(x[i]);
}

/* Steps of input k along y's axes: 0 where it is broadcast. */
static void
broadcast_steps(const struct shape *y, const struct shape *x, int64_t *step)
{
    int64_t s = 1;

    for (int d = y->rank - 1; d >= 0; d--) {
        int i = d - (y->rank - x->rank);
        step[d] = i < 0 || x->dim[i].n == 1 ? 0 : s;
        if (i >= 0)
            s *= x->dim[i].n;
    }
}

/* The longest tail of axes along which every input runs with one step. */
static int
joined_tail(const struct shape *y, int nin, int64_t (*step)[MAX_RANK])
{
    int d = y->rank - 1;
    int64_t run = d >= 0 ? y->dim[d].n : 1;

    for (; d > 0; d--) {
        for (int k = 0; k < nin; k++)
            if (step[k][d - 1] != step[k][y->rank - 1] * run)
                return d;
        run *= y->dim[d - 1].n;
    }
    return d;
}

void
ops_broadcast(const struct shape *y, const struct shape *const *in, int nin,
              void (*f)(const struct ops_run *r, void *ctx), void *ctx)
{
    int64_t step[3][MAX_RANK], index[MAX_RANK] = { 0 };
    struct ops_run r = { 0 };
    int64_t total = shape_elems(y);
    int tail, last = y->rank - 1;

    for (int k = 0; k < nin; k++)
        broadcast_steps(y, in[k], step[k]);
    tail = joined_tail(y, nin, step);
    r.n = last < 0 ? 1 : shape_count(y, tail, y->rank);
    for (int k = 0; k < nin; k++)
        r.step[k] = last < 0 ? 0 : step[k][last];
    for (; r.y < total; r.y += r.n) {
        f(&r, ctx);
        for (int d = tail - 1; d >= 0; d--) {
            for (int k = 0; k < nin; k++)
                r.at[k] += step[k][d];
            if (++index[d] < y->dim[d].n)
                break;
            for (int k = 0; k < nin; k++)
                r.at[k] -= step[k][d] * index[d];
            index[d] = 0;
        }
    }
}

void
ops_copy_init(struct ops_copy *c, const struct eval *e, int out)
{
    const struct type *x = &e->n->in[0]->type, *y = &e->n->out[out]->type;

    c->rank = y->shape.rank;
    c->each = (int)ops_elem_bytes(x);
    c->x = e->in[0];
    c->y = e->out[out];
    c->fill = NULL;
    for (int d = 0; d < c->rank; d++) {
        c->dim[d] = y->shape.dim[d].n;
        c->from[d] = NEWN(e->arena, int64_t, c->dim[d] + 1);
        if (d >= x->shape.rank)
            continue;
        int64_t step = shape_count(&x->shape, d + 1, x->shape.rank) * c->each;
        for (int64_t i = 0; i < c->dim[d]; i++)
            c->from[d][i] = i * step;
    }
}

/* The last axis is one plain run of bytes. */
static bool
copy_is_run(const struct ops_copy *c)
{
    const int64_t *from = c->from[c->rank - 1];

    for (int64_t i = 0; i < c->dim[c->rank - 1]; i++)
        if (from[i] < 0 || from[i] != from[0] + i * c->each)
            return false;
    return true;
}

static void
copy_row(const struct ops_copy *c, int64_t base, char *y)
{
    const int64_t *from = c->from[c->rank - 1];
    const char *x = c->x;
    int64_t n = c->dim[c->rank - 1];

    for (int64_t i = 0; i < n; i++) {
        const char *s = base < 0 || from[i] < 0 ? c->fill : x + base + from[i];
        switch (c->each) {
        case 1: y[i] = *s; break;
        case 2: memcpy(y + i * 2, s, 2); break;
        case 4: memcpy(y + i * 4, s, 4); break;
        default: memcpy(y + i * 8, s, 8); break;
        }
    }
}

void
ops_copy_run(const struct ops_copy *c)
{
    int64_t index[MAX_RANK] = { 0 }, rows = 1, run;
    int last = c->rank - 1;
    char *y = c->y;
    bool plain;

    if (c->rank == 0) {
        memcpy(c->y, c->x, (size_t)c->each);
        return;
    }
    for (int d = 0; d < last; d++)
        rows *= c->dim[d];
    run = c->dim[last] * c->each;
    if (rows == 0 || run == 0)
        return;
    plain = copy_is_run(c);
    for (int64_t r = 0; r < rows; r++, y += run) {
        int64_t base = 0;
        for (int d = 0; d < last && base >= 0; d++) {
            int64_t from = c->from[d][index[d]];
            base = from < 0 ? -1 : base + from;
        }
        if (plain && base >= 0)
            memcpy(y, (const char *)c->x + base + c->from[last][0], (size_t)run);
        else
            copy_row(c, base, y);
        for (int d = last - 1; d >= 0; d--) {
            if (++index[d] < c->dim[d])
                break;
            index[d] = 0;
        }
    }
}
