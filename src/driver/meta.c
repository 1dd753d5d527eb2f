/* Reads .gm.meta.  A program may come from anywhere: nothing in it is trusted. */
#include "src/driver/meta.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/conf.h"
#include "src/base/num.h"
#include "src/base/out.h"
#include "src/base/str.h"
#include "src/machine/target.h"

struct reading {
    struct arena *arena;
    struct diag *diag;
    const char *file;
    bool ok;
};

static void
bad(struct reading *r, const struct conf_section *s, const char *what)
{
    struct place_ref at = { .file = r->file, .line = s->line };

    if (r->ok)
        diag_error(r->diag, &at, "meta-bad", "the program's description: [%s] %s", s->name, what);
    r->ok = false;
}

static const char *
text(struct reading *r, const struct conf_section *s, const char *key)
{
    const char *v = conf_in(s, key);

    if (!v)
        bad(r, s, arena_printf(r->arena, "has no '%s'", key));
    return v ? v : "";
}

static int64_t
number(struct reading *r, const struct conf_section *s, const char *key, int64_t min, int64_t max)
{
    int64_t v;

    if (!str_i64(text(r, s, key), &v) || v < min || v > max) {
        bad(r, s, arena_printf(r->arena, "has no good '%s'", key));
        return min;
    }
    return v;
}

/* Numbers with blanks between; the count. */
static int
list(struct reading *r, const struct conf_section *s, const char *key, int64_t *to, int64_t min,
    int64_t max)
{
    const char *v = text(r, s, key);
    char *end;
    int n = 0;

    for (;; v = end) {
        long long x = strtoll(v, &end, 10);
        if (end == v)
            break;
        if (n == MAX_RANK || x < min || x > max) {
            bad(r, s, arena_printf(r->arena, "has no good '%s'", key));
            return n;
        }
        to[n++] = x;
    }
    if (v[strspn(v, " \t")])
        bad(r, s, arena_printf(r->arena, "has no good '%s'", key));
    return n;
}

/* Every element has to lie inside the buffer. */
static bool
inside(const struct type *t)
{
    int64_t lo = t->layout->first, hi = lo, step;

    for (int i = 0; i < t->shape.rank; i++) {
        if (t->shape.dim[i].n == 0)
            return true;
        if (!num_mul(t->shape.dim[i].n - 1, t->layout->pitch[i], &step) || !num_add(hi, step, &hi))
            return false;
    }
    return lo >= 0 && hi + dtype_bits(t->dt) / 8 <= t->layout->bytes;
}

static void
read_layout(struct reading *r, const struct conf_section *s, struct type *t)
{
    struct layout *l = NEW(r->arena, struct layout);
    int64_t order[MAX_RANK] = { 0 }, before[MAX_RANK] = { 0 }, after[MAX_RANK] = { 0 };
    int rank = t->shape.rank;

    if (list(r, s, "order", order, 0, MAX_RANK - 1) != rank
        || list(r, s, "pitch", l->pitch, 0, INT32_MAX) != rank
        || list(r, s, "before", before, 0, 65536) != rank
        || list(r, s, "after", after, 0, 65536) != rank)
        bad(r, s, "has lists of different lengths");
    for (int i = 0; i < rank; i++) {
        l->order[i] = (int8_t)order[i];
        l->before[i] = (int32_t)before[i];
        l->after[i] = (int32_t)after[i];
        if (order[i] >= rank)
            bad(r, s, "has no good 'order'");
    }
    l->first = number(r, s, "first", 0, INT32_MAX);
    l->bytes = number(r, s, "bytes", 0, INT32_MAX);
    l->fill = (enum fill)number(r, s, "fill", 0, FILL_LOWEST);
    t->layout = l;
    if (r->ok && !inside(t))
        bad(r, s, "has elements outside its bytes");
}

static void
read_tensor(struct reading *r, const struct conf_section *s, struct meta_tensor *t)
{
    int64_t dims[MAX_RANK] = { 0 };
    const char *scale = conf_in(s, "scale");
    double f;

    t->name = text(r, s, "name");
    t->symbol = text(r, s, "symbol");
    t->type.dt = dtype_named(text(r, s, "dtype"));
    t->model_dt = dtype_named(text(r, s, "model_dtype"));
    if (dtype_bits(t->type.dt) < 8 || dtype_bits(t->model_dt) < 8)
        bad(r, s, "has no good type");
    int rank = list(r, s, "shape", dims, 0, INT32_MAX);
    t->type.shape = shape_make(rank, dims);
    t->offset = number(r, s, "offset", 0, INT32_MAX);
    if (scale && (!str_f64(scale, &f) || !(f > 0)))
        bad(r, s, "has no good 'scale'");
    else if (scale)
        t->type.quant =
            quant_scalar(r->arena, (float)f, (int32_t)number(r, s, "zero", INT32_MIN, INT32_MAX));
    if (r->ok)
        read_layout(r, s, &t->type);
}

static void
read_layer(struct reading *r, const struct conf_section *s, struct meta_layer *l)
{
    l->name = text(r, s, "name");
    l->op = text(r, s, "op");
    l->on = text(r, s, "on");
    l->output = text(r, s, "output");
    l->limit = text(r, s, "limit");
    l->schedule = conf_in(s, "schedule");
    l->why = conf_in(s, "why");
    l->macs = number(r, s, "macs", 0, INT64_MAX);
    l->estimate = (uint64_t)number(r, s, "cycles", 0, INT64_MAX);
}

/* "section.key = value" back into an ini text. */
static const struct target *
read_target(struct reading *r, const struct conf_section *s)
{
    struct out *o = out_memory(r->arena);
    const char *section = "";

    for (int i = 0; i < s->nkey; i++) {
        const char *dot = strchr(s->keys[i].key, '.');
        if (!dot) {
            bad(r, s, "has a key without a section");
            return NULL;
        }
        const char *in = arena_strndup(r->arena, s->keys[i].key, (size_t)(dot - s->keys[i].key));
        if (strcmp(in, section) != 0)
            out_printf(o, "[%s]\n", in);
        section = in;
        out_printf(o, "%s = %s\n", dot + 1, s->keys[i].value);
    }
    return target_parse(r->arena, r->diag, r->file, out_text(o, NULL));
}

static void
read_section(struct reading *r, struct meta *m, const struct conf_section *s)
{
    if (strcmp(s->name, "program") == 0) {
        m->name = text(r, s, "name");
    } else if (strcmp(s->name, "target") == 0) {
        m->target = read_target(r, s);
    } else if (strcmp(s->name, "input") == 0) {
        read_tensor(r, s, &m->in[m->nin++]);
    } else if (strcmp(s->name, "output") == 0) {
        read_tensor(r, s, &m->out[m->nout++]);
    } else if (strcmp(s->name, "layer") == 0) {
        read_layer(r, s, &m->layers[m->nlayer++]);
    } else if (strcmp(s->name, "recipe") == 0) {
        m->recipe = text(r, s, "recipe");
    } else if (strcmp(s->name, "lines") == 0) {
        if (!lines_parse(r->arena, s, &m->lines))
            bad(r, s, "is no table of lines");
    } else if (strcmp(s->name, "labels") == 0) {
        m->nlabel = 0;               /* those of a second model, linked to the same program */
        m->labels = NEWN(r->arena, const char *, s->nkey + 1);
        for (int i = 0; i < s->nkey; i++)
            m->labels[m->nlabel++] = s->keys[i].value;
    }
}

struct meta *
meta_read(struct arena *a, struct diag *d, const char *file, const struct conf *c)
{
    struct reading r = { a, d, file, true };
    struct meta *m = NEW(a, struct meta);

    m->in = NEWN(a, struct meta_tensor, c->nsection);
    m->out = NEWN(a, struct meta_tensor, c->nsection);
    m->layers = NEWN(a, struct meta_layer, c->nsection);
    for (int i = 0; i < c->nsection; i++)
        read_section(&r, m, &c->sections[i]);
    const char *lacks = !m->name ? "program" : !m->target ? "target" : NULL;
    if (r.ok && lacks && !diag_count(d, SEV_ERROR))
        diag_error(d, &(struct place_ref){ .file = file }, "meta-bad",
            "the program's description has no section [%s]", lacks);
    return r.ok && !lacks ? m : NULL;
}

/* ---- conversions that the report does not count */

struct type
meta_user_type(const struct meta_tensor *t)
{
    struct type u = t->type;

    u.dt = t->model_dt;
    u.layout = NULL;
    u.quant = t->model_dt == t->type.dt ? t->type.quant : NULL;
    return u;
}

int64_t
meta_bytes(const struct meta_tensor *t)
{
    return t->type.layout->bytes;
}

void *
meta_to_memory(struct arena *a, const struct meta_tensor *t, const void *user)
{
    void *memory = arena_alloc(a, (size_t)meta_bytes(t) + 1);
    int64_t n = shape_elems(&t->type.shape);
    const void *packed = user;

    if (t->type.quant && t->model_dt == DT_F32) {
        void *q = arena_alloc(a, (size_t)shape_bytes(&t->type, 0) + 1);
        quant_from_real(&t->type, user, q);
        packed = q;
    } else if (t->type.dt == DT_I8 && t->model_dt == DT_U8) {
        int8_t *q = arena_alloc(a, (size_t)n + 1);
        for (int64_t i = 0; i < n; i++)
            q[i] = (int8_t)(((const uint8_t *)user)[i] - 128);
        packed = q;
    }
    layout_store(&t->type, packed, memory);
    return memory;
}

void *
meta_from_memory(struct arena *a, const struct meta_tensor *t, const void *memory)
{
    int64_t n = shape_elems(&t->type.shape);
    void *packed = arena_alloc(a, (size_t)shape_bytes(&t->type, 0) + 1);

    layout_load(&t->type, memory, packed);
    if (t->type.quant && t->model_dt == DT_F32) {
        float *real = NEWN(a, float, n + 1);
        quant_to_real(&t->type, packed, real);
        return real;
    }
    if (t->type.dt == DT_I8 && t->model_dt == DT_U8) {
        uint8_t *u = arena_alloc(a, (size_t)n + 1);
        for (int64_t i = 0; i < n; i++)
            u[i] = (uint8_t)(((const int8_t *)packed)[i] + 128);
        return u;
    }
    return packed;
}
