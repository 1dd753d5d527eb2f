/* Types and constant data of text IR (grammar: print.c).  Sizes are checked against
 * what the text can hold before anything is allocated. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/elem.h"
#include "ir/parse.h"
#include "src/base/num.h"

#define LARGEST_DIM ((int64_t)1 << 48)
#define LARGEST_MADE ((int64_t)1 << 28) /* bytes that `fill` and `random` make */
#define LARGEST_BUFFER ((int64_t)1 << 40)

static const struct sym *
symbol(struct parse *p, const char *name, int64_t max)
{
    const char *key = arena_printf(p->g->arena, "%lld<=%s", (long long)max, name);
    struct sym *s = map_get(p->syms, key);

    if (!s) {
        s = NEW(p->g->arena, struct sym);
        s->name = name;
        s->max = max;
        map_set(p->syms, key, s);
    }
    return s;
}

static bool
parse_dim(struct parse *p, struct dim *d)
{
    struct lex *l = p->l;
    char c = l->kind == LEX_WORD ? l->text[0] : 0;
    const char *name;
    int64_t n;

    *d = dim_of(-1);
    if (lex_accept(l, '?'))
        return true;
    if (c >= '0' && c <= '9') {
        if (!lex_int(l, 0, LARGEST_DIM, &n))
            return false;
        *d = dim_of(n);
        return true;
    }
    name = lex_name(l, "a size");
    if (!lex_expect(l, '<') || !lex_expect(l, '=') || !lex_int(l, 0, LARGEST_DIM, &n))
        return false;
    *d = (struct dim){ n, symbol(p, name, n) };
    return true;
}

static bool
parse_shape(struct parse *p, struct shape *s)
{
    struct lex *l = p->l;

    *s = (struct shape){ .rank = 0 };
    if (!lex_expect(l, '['))
        return false;
    if (lex_accept_word(l, "...")) {
        s->rank = -1;
        return lex_expect(l, ']');
    }
    while (!lex_is(l, ']')) {
        if (s->rank == MAX_RANK)
            return lex_fail(l, "more than %d axes", MAX_RANK);
        if (s->rank && !lex_expect(l, ','))
            return false;
        if (!parse_dim(p, &s->dim[s->rank++]))
            return false;
    }
    return lex_expect(l, ']');
}

/* After `q`. */
static bool
parse_quant(struct parse *p, struct type *t)
{
    struct lex *l = p->l;
    VEC(float) scale = { 0 };
    VEC(int32_t) zero = { 0 };
    int64_t axis = -1, z;
    double s;

    if (!lex_expect(l, '('))
        return false;
    do {
        if (!lex_real(l, true, &s) || !lex_expect(l, ':') || !lex_int(l, INT32_MIN, INT32_MAX, &z))
            return false;
        vec_push(p->g->arena, &scale, (float)s);
        vec_push(p->g->arena, &zero, (int32_t)z);
    } while (lex_accept(l, ','));
    if (!lex_expect(l, ')'))
        return false;
    if (lex_accept_word(l, "axis") && !lex_int(l, 0, MAX_RANK - 1, &axis))
        return false;
    if (axis < 0 ? scale.n != 1 : axis >= t->shape.rank || t->shape.dim[axis].n != scale.n)
        return lex_fail(l, "%d scales do not fit the shape", scale.n);
    t->quant = quant_axis(p->g->arena, (int)axis, scale.n, scale.at, zero.at);
    return true;
}

static bool
parse_fill(struct lex *l, enum fill *f)
{
    static const char *const names[] = { "none", "zero-point", "lowest" };

    for (int i = 0; i < 3; i++) {
        if (!lex_accept_word(l, names[i]))
            continue;
        *f = (enum fill)i;
        return true;
    }
    return lex_fail(l, "none, zero-point or lowest is wanted, not %s", lex_seen(l));
}

static bool
next_int(struct lex *l, int64_t least, int64_t greatest, int64_t *x)
{
    return lex_expect(l, ',') && lex_int(l, least, greatest, x);
}

static bool
layout_axes(struct lex *l, struct layout *y, int rank)
{
    int64_t pitch, before, after;

    for (int i = 0; i < rank; i++) {
        if (!next_int(l, 1, LARGEST_BUFFER, &pitch) || !next_int(l, 0, INT32_MAX, &before)
            || !next_int(l, 0, INT32_MAX, &after))
            return false;
        y->pitch[i] = pitch;
        y->before[i] = (int32_t)before;
        y->after[i] = (int32_t)after;
    }
    return lex_expect(l, ')');
}

/* After `layout`. */
static bool
parse_layout(struct parse *p, struct type *t)
{
    struct layout *y = NEW(p->g->arena, struct layout);
    struct lex *l = p->l;
    int64_t x;

    if (!lex_expect(l, '(') || !lex_expect(l, '['))
        return false;
    for (int i = 0; i < t->shape.rank; i++) {
        if ((i && !lex_expect(l, ',')) || !lex_int(l, 0, t->shape.rank - 1, &x))
            return false;
        y->order[i] = (int8_t)x;
    }
    if (!lex_expect(l, ']') || !lex_expect(l, ',') || !parse_fill(l, &y->fill)
        || !next_int(l, 0, 4096, &x))
        return false;
    y->align = (int32_t)x;
    if (!next_int(l, 0, LARGEST_BUFFER, &y->first) || !next_int(l, 0, LARGEST_BUFFER, &y->bytes))
        return false;
    t->layout = y;
    return layout_axes(l, y, t->shape.rank);
}

static bool
parse_range(struct lex *l, struct value *v)
{
    double lo, hi;

    if (!lex_expect(l, '(') || !lex_real(l, true, &lo) || !lex_expect(l, ',')
        || !lex_real(l, true, &hi) || !lex_expect(l, ')'))
        return false;
    v->lo = (float)lo;
    v->hi = (float)hi;
    v->ranged = true;
    return true;
}

/* The original of a quantized constant. */
static bool
parse_real_of(struct parse *p, struct value *v)
{
    const struct named *of;

    if (p->l->kind != LEX_VALUE)
        return lex_fail(p->l, "a value is wanted, not %s", lex_seen(p->l));
    of = parse_mention(p);
    if (!of->v->data || of->v->type.dt != DT_F32)
        return lex_fail(p->l, "'%s' is no constant of floats", of->v->name);
    if (!shape_equal(&of->v->type.shape, &v->type.shape))
        return lex_fail(p->l, "'%s' has another shape", of->v->name);
    v->real = of->v;
    return true;
}

/* The type that the model gave an input or output. */
static bool
parse_model(struct lex *l, enum dtype *dt)
{
    const char *name = lex_name(l, "a type");

    *dt = dtype_named(name);
    return *dt != DT_NONE || lex_fail(l, "there is no type '%s'", name);
}

static bool
parse_marks(struct parse *p, struct value *v)
{
    struct lex *l = p->l;

    for (;;) {
        bool fine = true;
        if (lex_accept_word(l, "q"))
            fine = parse_quant(p, &v->type);
        else if (lex_accept_word(l, "layout"))
            fine = parse_layout(p, &v->type);
        else if (lex_accept_word(l, "range"))
            fine = parse_range(l, v);
        else if (lex_accept_word(l, "real"))
            fine = parse_real_of(p, v);
        else if (lex_accept_word(l, "model"))
            fine = parse_model(l, &v->model_dt);
        else if (lex_accept_word(l, "mutable"))
            v->mutable = true;
        else
            return true;
        if (!fine)
            return false;
    }
}

bool
parse_type(struct parse *p, struct value *v)
{
    struct lex *l = p->l;
    const char *name;

    v->type = (struct type){ .shape.rank = -1 };
    if (!lex_accept(l, '?')) {
        name = l->text;
        if (l->kind != LEX_WORD)
            return lex_fail(l, "a type is wanted, not %s", lex_seen(l));
        v->type.dt = dtype_named(name);
        if (v->type.dt == DT_NONE && strcmp(name, "none") != 0)
            return lex_fail(l, "there is no type '%s'", name);
        lex_next(l);
        if (!parse_shape(p, &v->type.shape))
            return false;
    }
    return parse_marks(p, v);
}

static bool
parse_element(struct lex *l, enum dtype dt, void *to, int64_t i)
{
    unsigned long long u;
    int64_t lo, hi, x;
    double r;
    char *end;

    if (dtype_is_float(dt)) {
        if (!lex_real(l, dt != DT_F64, &r))
            return false;
        elem_put_real(dt, to, i, r);
        return true;
    }
    if (dt == DT_U64) {
        errno = 0;
        u = strtoull(l->text, &end, 10);
        if (l->kind != LEX_WORD || *end || end == l->text || *l->text == '-' || errno)
            return lex_fail(l, "a whole number is wanted, not %s", lex_seen(l));
        memcpy((char *)to + i * 8, &u, 8);
        lex_next(l);
        return true;
    }
    elem_limits(dt, &lo, &hi);
    if (!lex_int(l, lo, hi, &x))
        return false;
    elem_put_int(dt, to, i, x);
    return true;
}

static bool
parse_elements(struct lex *l, enum dtype dt, void *to, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if ((i && !lex_expect(l, ',')) || !parse_element(l, dt, to, i))
            return false;
    return lex_expect(l, '}');
}

static bool
parse_hex(struct lex *l, unsigned char *to, int64_t size)
{
    static const char digits[] = "0123456789abcdef";
    const char *s = lex_string(l, "data");

    if (l->failed)
        return false;
    if (strlen(s) != (size_t)size * 2)
        return lex_fail(l, "%zu hex digits for %lld bytes", strlen(s), (long long)size);
    for (int64_t i = 0; i < size * 2; i++) {
        const char *d = strchr(digits, s[i]);
        if (!d)
            return lex_fail(l, "'%c' is no hex digit", s[i]);
        to[i / 2] = (unsigned char)((unsigned)to[i / 2] << 4 | (unsigned)(d - digits));
    }
    return true;
}

static bool
make_random(struct lex *l, enum dtype dt, void *to, int64_t n)
{
    int64_t seed;
    double lo, hi;

    if (!lex_int(l, 0, INT64_MAX, &seed) || !lex_real(l, false, &lo) || !lex_real(l, false, &hi))
        return false;
    uint64_t s = (uint64_t)seed * 0x9e3779b97f4a7c15u + 1;
    for (int64_t i = 0; i < n; i++) {
        s ^= s << 13; /* xorshift: never becomes zero */
        s ^= s >> 7;
        s ^= s << 17;
        double u = (double)(s >> 11) * 0x1p-53;
        double x =
            dtype_is_float(dt) ? lo + u * (hi - lo) : fmin(floor(lo + u * (hi - lo + 1)), hi);
        elem_put_real(dt, to, i, x);
    }
    return true;
}

/* The bytes that data of this type takes, if the text may make that many. */
static int64_t
data_size(struct lex *l, const struct type *t)
{
    int64_t size = shape_bytes(t, 0), most = l->end - l->p;
    bool made = lex_is_word(l, "fill") || lex_is_word(l, "random");

    if (!shape_known(&t->shape)) {
        lex_fail(l, "data for a size that is not fixed");
        return -1;
    }
    most = made ? LARGEST_MADE : most < LARGEST_BUFFER / 8 ? (most + 1) * 8 : LARGEST_BUFFER;
    if (size > most) {
        lex_fail(l, "%lld bytes of data cannot be in this text", (long long)size);
        return -1;
    }
    return size;
}

const void *
parse_data(struct parse *p, const struct type *t)
{
    struct lex *l = p->l;
    int64_t size, n = shape_elems(&t->shape);
    void *to;

    if (lex_is_word(l, "digest")) {
        struct place_ref at = { .file = l->file, .line = l->at };
        diag_error(l->diag, &at, "ir-constant", "only a digest of this constant is in the text");
        l->failed = true;
        return NULL;
    }
    if (dtype_bits(t->dt) == 0)
        return lex_expect(l, '{') && lex_expect(l, '}') ? "" : NULL;
    size = data_size(l, t);
    if (size < 0)
        return NULL;
    to = arena_alloc(p->g->arena, (size_t)size);
    if (lex_accept(l, '{'))
        return parse_elements(l, t->dt, to, n) ? to : NULL;
    if (lex_accept_word(l, "hex"))
        return parse_hex(l, to, size) ? to : NULL;
    if (lex_accept_word(l, "random"))
        return make_random(l, t->dt, to, n) ? to : NULL;
    if (!lex_accept_word(l, "fill")) {
        lex_fail(l, "data is wanted, not %s", lex_seen(l));
        return NULL;
    }
    if (n == 0) /* the value is read all the same */
        return parse_element(l, t->dt, &size, 0) ? to : NULL;
    if (!parse_element(l, t->dt, to, 0))
        return NULL;
    for (int64_t i = 1; i < n; i++) {
        if (dtype_bits(t->dt) == 4)
            elem_put_int(t->dt, to, i, elem_int(t->dt, to, 0));
        else
            memcpy((char *)to + i * dtype_bits(t->dt) / 8, to, (size_t)dtype_bits(t->dt) / 8);
    }
    return to;
}
