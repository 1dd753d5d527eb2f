/* Sizes, shapes and types.  A dim is a number, or a symbol with a bound, or not yet
 * known (-1); nothing here solves equations over symbols: sums and products of them
 * become new symbols, equal when they are spelled alike. */
#include <limits.h>
#include <string.h>

#include "ir/ir.h"
#include "src/base/num.h"
#include "src/base/out.h"

struct dim
dim_of(int64_t n)
{
    return (struct dim){ n, NULL };
}

bool
dim_known(struct dim d)
{
    return !d.sym && d.n >= 0;
}

bool
dim_equal(struct dim a, struct dim b)
{
    if (a.n != b.n || !a.sym != !b.sym)
        return false;
    return a.sym == b.sym || (a.sym->max == b.sym->max && !strcmp(a.sym->name, b.sym->name));
}

static const char *
sym_text(struct arena *a, struct dim d)
{
    return d.sym ? d.sym->name : arena_printf(a, "%lld", (long long)d.n);
}

static struct dim
join(struct arena *a, struct dim x, char sign, struct dim y, int64_t n)
{
    struct sym *s = NEW(a, struct sym);

    s->name = arena_printf(a, "%s%c%s", sym_text(a, x), sign, sym_text(a, y));
    s->max = n;
    return (struct dim){ n, s };
}

struct dim
dim_add(struct arena *a, struct dim x, struct dim y)
{
    int64_t n;

    if (x.n < 0 || y.n < 0)
        return dim_of(-1);
    if (!num_add(x.n, y.n, &n))
        n = INT64_MAX;
    if (!x.sym && !y.sym)
        return dim_of(n);
    if (!x.sym && x.n == 0)
        return y;
    if (!y.sym && y.n == 0)
        return x;
    return join(a, x, '+', y, n);
}

struct dim
dim_mul(struct arena *a, struct dim x, struct dim y)
{
    int64_t n;

    if ((!x.sym && x.n == 0) || (!y.sym && y.n == 0))
        return dim_of(0);
    if (x.n < 0 || y.n < 0)
        return dim_of(-1);
    if (!num_mul(x.n, y.n, &n))
        n = INT64_MAX;
    if (!x.sym && !y.sym)
        return dim_of(n);
    if (!x.sym && x.n == 1)
        return y;
    if (!y.sym && y.n == 1)
        return x;
    return join(a, x, '*', y, n);
}

const char *
dim_text(struct arena *a, struct dim d)
{
    if (d.sym)
        return arena_printf(a, "%s<=%lld", d.sym->name, (long long)d.n);
    return d.n < 0 ? "?" : arena_printf(a, "%lld", (long long)d.n);
}

struct shape
shape_make(int rank, const int64_t *dims)
{
    struct shape s = { .rank = rank };

    if (rank > MAX_RANK)
        BUG("a shape of rank %d", rank);
    for (int i = 0; i < rank; i++)
        s.dim[i] = dim_of(dims[i]);
    return s;
}

bool
shape_known(const struct shape *s)
{
    if (s->rank < 0)
        return false;
    for (int i = 0; i < s->rank; i++)
        if (!dim_known(s->dim[i]))
            return false;
    return true;
}

bool
shape_equal(const struct shape *a, const struct shape *b)
{
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (!dim_equal(a->dim[i], b->dim[i]))
            return false;
    return true;
}

/* An empty dim wins over one not known, and that over overflow. */
int64_t
shape_count(const struct shape *s, int from, int to)
{
    int64_t n = 1;
    bool known = true;

    for (int i = from; i < to && i < s->rank; i++) {
        if (s->dim[i].n == 0)
            return 0;
        known &= s->dim[i].n > 0;
        if (known && !num_mul(n, s->dim[i].n, &n))
            n = INT64_MAX;
    }
    return known ? n : -1;
}

int64_t
shape_elems(const struct shape *s)
{
    return s->rank < 0 ? -1 : shape_count(s, 0, s->rank);
}

int64_t
shape_bytes(const struct type *t, int from)
{
    int64_t n = shape_count(&t->shape, from, t->shape.rank), bits;

    if (n < 0 || t->shape.rank < 0)
        return -1;
    if (!num_mul(n, dtype_bits(t->dt), &bits) || bits > INT64_MAX - 7)
        return INT64_MAX;
    return (bits + 7) / 8;
}

const char *
shape_text(struct arena *a, const struct shape *s)
{
    struct out *o;

    if (s->rank < 0)
        return "[...]";
    o = out_memory(a);
    out_puts(o, "[");
    for (int i = 0; i < s->rank; i++)
        out_printf(o, "%s%s", i ? "," : "", dim_text(a, s->dim[i]));
    out_puts(o, "]");
    return out_text(o, NULL);
}

const char *
type_text(struct arena *a, const struct type *t)
{
    const struct quant *q = t->quant;
    const char *s;

    if (t->dt == DT_NONE)
        return "unknown type";
    s = arena_printf(a, "%s %s", dtype_name(t->dt), shape_text(a, &t->shape));
    if (!q)
        return s;
    if (q->axis < 0)
        return arena_printf(a, "%s s=%g z=%d", s, (double)q->scale[0], q->zero[0]);
    return arena_printf(
        a, "%s s=%g,.. z=%d,.. (%d on axis %d)", s, (double)q->scale[0], q->zero[0], q->n, q->axis);
}

/* One pair of dims; a dim not yet known becomes the other's when that is fixed and
 * not 1. */
static bool
broadcast_dim(struct dim x, struct dim y, struct dim *out)
{
    bool one_x = !x.sym && x.n == 1, one_y = !y.sym && y.n == 1;

    *out = one_x || (x.n < 0 && !one_y) ? y : x;
    if (one_x || one_y || dim_equal(x, y))
        return true;
    return x.n < 0 || y.n < 0;
}

bool
shape_broadcast(const struct shape *a, const struct shape *b, struct shape *out)
{
    struct shape s = { .rank = a->rank > b->rank ? a->rank : b->rank };

    if (a->rank < 0 || b->rank < 0)
        return false;
    for (int i = 0; i < s.rank; i++) {
        int ia = i - (s.rank - a->rank), ib = i - (s.rank - b->rank);
        struct dim x = ia < 0 ? dim_of(1) : a->dim[ia];
        struct dim y = ib < 0 ? dim_of(1) : b->dim[ib];
        if (!broadcast_dim(x, y, &s.dim[i]))
            return false;
    }
    *out = s;
    return true;
}

int
wrap_axis(int64_t axis, int rank)
{
    if (axis < 0 && axis >= -(int64_t)rank)
        return (int)(axis + rank);
    return axis > INT_MAX ? INT_MAX : axis < INT_MIN ? INT_MIN : (int)axis;
}
