/* Text IR.  Parsing what was printed and printing it again gives the same text.
 *
 *   file    = "graph" STRING { "opset" INT | "stage" ("net" | "qnet" | "machine")
 *             | "facts" "(" word { "," word } ")" | "recipe" STRING | "labels" STRING } { line }
 *   line    = "input" VALUE ":" type [ "=" data ]
 *           | "const" VALUE ":" type "=" data
 *           | "value" VALUE ":" type            a value that nothing writes
 *           | "state" VALUE "->" VALUE [ "=" data ]   the first has been declared
 *           | [ outs "=" ] OP "(" [ ref { "," ref } ] ")" [ "{" NAME "=" x { "," NAME "=" x } "}" ]
 *             { option } [ ":" type { "," type } ]    one type for each out but "_"
 *           | "output" VALUE
 *   outs    = ref { "," ref }
 *   ref     = VALUE | "_"                       "_" is left out
 *   option  = "name" STRING | "place" INT INT | "from" STRING word { "," STRING word }
 *           | "epi" ("bias" | "add" | "scale") "(" VALUE ")" | "epi" "act" "(" x "," x ")"
 *           | "epi" "pool" "(" 12 INT ")"       kind, kernel, stride, dilation, pads, avg
 *           | "body" "{" { line } "}"
 *   type    = DTYPE shape { mark } | "?"
 *   shape   = "[" [ dim { "," dim } ] "]" | "[...]"
 *   dim     = INT | "?" | NAME "<=" INT         a symbol and its bound
 *   mark    = "q" "(" x ":" INT { "," x ":" INT } ")" [ "axis" INT ]      scale : zero point
 *           | "layout" "(" order, fill, align, first, bytes, then pitch, before, after by axis ")"
 *           | "range" "(" x "," x ")" | "mutable" | "real" VALUE | "model" DTYPE
 *   data    = "{" [ x { "," x } ] "}" | "hex" STRING | "digest" STRING
 *           | "fill" x | "random" INT x x       seed, least, greatest: for tests
 *   VALUE   = "%" (name of letters, digits and _ . / - | STRING)
 *
 * x is a number (also inf, -inf, nan), a word, a STRING, a list in [] or a VALUE, as
 * its attribute wants; 1 and true, say, are the same.  OP is a name or "domain::name",
 * quoted where odd.  Space and line ends only separate; # starts a comment.  A value
 * may be read above the line that writes it.  Where two values have one name the later
 * gets "~" and its id. */
#include <math.h>
#include <string.h>

#include "ir/attr.h"
#include "ir/elem.h"
#include "ir/ir.h"
#include "ir/machine.h"
#include "ir/pass.h"
#include "src/base/digest.h"
#include "src/base/map.h"
#include "src/base/out.h"
#include "src/base/vec.h"

#define PRINTED_ELEMS 64

struct loose {
    const struct value *v;
    const char *name;
};

struct print {
    const struct graph *g;
    const struct print *around;
    struct out *o;
    struct arena *arena;
    bool full;
    const char **names; /* by value id */
    struct map *taken;
    VEC(struct loose) loose; /* constants of no list: attributes, originals */
};

static void
quoted(struct out *o, const char *s)
{
    out_puts(o, "\"");
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            out_printf(o, "\\%c", c);
        else if (c < 32 || c == 127)
            out_printf(o, "\\x%02x", c);
        else
            out_printf(o, "%c", c);
    }
    out_puts(o, "\"");
}

static bool
is_plain(const char *s)
{
    static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";

    return *s && strspn(s, fine) == strlen(s) && !strstr(s, "->");
}

static void
word(struct out *o, const char *s)
{
    if (is_plain(s))
        out_puts(o, s);
    else
        quoted(o, s);
}

static bool
is_taken(const struct print *p, const char *name)
{
    for (; p; p = p->around)
        if (map_get(p->taken, name))
            return true;
    return false;
}

static const char *
own_name(struct print *p, const struct value *v)
{
    const char *name = v->name;

    for (unsigned i = 0; is_taken(p, name); i++)
        name = arena_printf(p->arena, i ? "%s~%u.%u" : "%s~%u", v->name, (unsigned)v->id, i);
    map_set(p->taken, name, (void *)(uintptr_t)v);
    return name;
}

static bool
is_listed(const struct graph *g, const struct value *v)
{
    return v->home == g && v->id < g->nvalue && g->values[v->id] == v;
}

static const char *
name_of(const struct print *p, const struct value *v)
{
    for (; p; p = p->around) {
        if (is_listed(p->g, v))
            return p->names[v->id];
        for (int i = 0; i < p->loose.n; i++)
            if (p->loose.at[i].v == v)
                return p->loose.at[i].name;
    }
    return v->name; /* not of this graph: verify says so */
}

static void
ref(const struct print *p, const struct value *v)
{
    if (!v) {
        out_puts(p->o, "_");
        return;
    }
    out_puts(p->o, "%");
    word(p->o, name_of(p, v));
}

static void
add_loose(struct print *p, const struct value *v)
{
    for (const struct print *q = p; q; q = q->around) {
        if (!v || is_listed(q->g, v))
            return;
        for (int i = 0; i < q->loose.n; i++)
            if (q->loose.at[i].v == v)
                return;
    }
    struct loose l = { v, own_name(p, v) };
    vec_push(p->arena, &p->loose, l);
}

static const struct value *
tensor_attr(const struct node *n, const struct attr_def *d)
{
    const void *at = (const char *)n->attr + d->offset;

    return d->kind == ATTR_TENSOR && n->attr ? *(const struct value *const *)at : NULL;
}

static void
name_all(struct print *p)
{
    const struct graph *g = p->g;

    p->taken = map_new(p->arena);
    p->names = NEWN(p->arena, const char *, g->nvalue + 1);
    for (uint32_t i = 0; i < g->nvalue; i++)
        if (g->values[i])
            p->names[i] = own_name(p, g->values[i]);
    for (uint32_t i = 0; i < g->nvalue; i++)
        if (g->values[i])
            add_loose(p, g->values[i]->real);
    for (const struct node *n = g->first; n; n = n->next)
        for (const struct attr_def *d = n->op->attrs; d && d->name; d++)
            add_loose(p, tensor_attr(n, d));
}

static void
shape(const struct print *p, const struct shape *s)
{
    if (s->rank < 0) {
        out_puts(p->o, "[...]");
        return;
    }
    out_puts(p->o, "[");
    for (int i = 0; i < s->rank; i++) {
        out_puts(p->o, i ? "," : "");
        if (s->dim[i].sym)
            word(p->o, s->dim[i].sym->name);
        if (s->dim[i].n < 0)
            out_puts(p->o, "?");
        else
            out_printf(p->o, "%s%lld", s->dim[i].sym ? "<=" : "", (long long)s->dim[i].n);
    }
    out_puts(p->o, "]");
}

static void
quant(const struct print *p, const struct quant *q)
{
    out_puts(p->o, " q(");
    for (int i = 0; i < q->n; i++)
        out_printf(p->o, "%s%s:%d", i ? ", " : "", real_text(p->arena, (double)q->scale[i], true),
            q->zero[i]);
    out_puts(p->o, ")");
    if (q->axis >= 0)
        out_printf(p->o, " axis %d", q->axis);
}

static void
layout(const struct print *p, const struct type *t)
{
    const struct layout *l = t->layout;
    static const char *const fills[] = { "none", "zero-point", "lowest" };

    out_puts(p->o, " layout([");
    for (int i = 0; i < t->shape.rank; i++)
        out_printf(p->o, "%s%d", i ? "," : "", l->order[i]);
    out_printf(p->o, "], %s, %d, %lld, %lld", fills[l->fill], l->align, (long long)l->first,
        (long long)l->bytes);
    for (int i = 0; i < t->shape.rank; i++)
        out_printf(p->o, ", %lld, %d, %d", (long long)l->pitch[i], l->before[i], l->after[i]);
    out_puts(p->o, ")");
}

static void
type(const struct print *p, const struct value *v)
{
    const struct type *t = &v->type;

    if (t->dt == DT_NONE && t->shape.rank < 0) {
        out_puts(p->o, "?");
    } else {
        out_printf(p->o, "%s ", dtype_name(t->dt));
        shape(p, &t->shape);
    }
    if (t->quant)
        quant(p, t->quant);
    if (t->layout)
        layout(p, t);
    if (v->ranged)
        out_printf(p->o, " range(%s, %s)", real_text(p->arena, (double)v->lo, true),
            real_text(p->arena, (double)v->hi, true));
    if (v->model_dt != DT_NONE)
        out_printf(p->o, " model %s", dtype_name(v->model_dt));
    if (v->mutable)
        out_puts(p->o, " mutable");
    if (v->real) {
        out_puts(p->o, " real ");
        ref(p, v->real);
    }
}

static void
hex(const struct print *p, const unsigned char *x, int64_t n)
{
    static const char digits[] = "0123456789abcdef";
    char text[512];
    size_t len = 0;

    out_puts(p->o, "hex \"");
    for (int64_t i = 0; i < n; i++) {
        text[len++] = digits[x[i] >> 4];
        text[len++] = digits[x[i] & 15];
        if (len < sizeof text && i + 1 < n)
            continue;
        out_bytes(p->o, text, len);
        len = 0;
    }
    out_puts(p->o, "\"");
}

static void
element(const struct print *p, enum dtype dt, const void *x, int64_t i)
{
    uint64_t u;

    if (dtype_is_float(dt)) {
        out_puts(p->o, real_text(p->arena, elem_real(dt, x, i), dt != DT_F64));
    } else if (dt == DT_U64) {
        memcpy(&u, (const char *)x + i * 8, 8);
        out_printf(p->o, "%llu", (unsigned long long)u);
    } else {
        out_printf(p->o, "%lld", (long long)elem_int(dt, x, i));
    }
}

/* NaNs differ in bits that numbers do not show. */
static bool
has_nan(enum dtype dt, const void *x, int64_t n)
{
    for (int64_t i = 0; dtype_is_float(dt) && i < n; i++)
        if (isnan(elem_real(dt, x, i)))
            return true;
    return false;
}

static void
data(const struct print *p, const struct type *t, const void *x)
{
    int64_t n = shape_elems(&t->shape), size = shape_bytes(t, 0);

    out_puts(p->o, " = ");
    if (!shape_known(&t->shape) || dtype_bits(t->dt) == 0) {
        out_puts(p->o, "{}");
    } else if (n > PRINTED_ELEMS && !p->full) {
        out_puts(p->o, "digest ");
        quoted(p->o, digest_hex(p->arena, x, (size_t)size));
    } else if (n > PRINTED_ELEMS || has_nan(t->dt, x, n)) {
        hex(p, x, size);
    } else {
        out_puts(p->o, "{");
        for (int64_t i = 0; i < n; i++) {
            out_puts(p->o, i ? ", " : " ");
            element(p, t->dt, x, i);
        }
        out_puts(p->o, " }");
    }
}

static void
declare(const struct print *p, const char *kind, const struct value *v)
{
    out_printf(p->o, "%s ", kind);
    ref(p, v);
    out_puts(p->o, ": ");
    type(p, v);
    if (v->data)
        data(p, &v->type, v->data);
    out_puts(p->o, "\n");
}

static bool
is_state(const struct graph *g, const struct value *v)
{
    for (int i = 0; i < g->nstate; i++)
        if (g->states[i].in == v)
            return true;
    return false;
}

/* Is v read here, or worth a line for another reason? */
static bool
is_needed(const struct print *p, const struct value *v)
{
    return v->nuse || v->is_output || is_state(p->g, v);
}

static void
values(struct print *p)
{
    const struct graph *g = p->g;

    for (int i = 0; i < g->ninput; i++)
        declare(p, "input", g->inputs[i]);
    for (int i = 0; i < p->loose.n; i++)
        declare(p, "const", p->loose.at[i].v);
    for (uint32_t i = 0; i < g->nvalue; i++) {
        const struct value *v = g->values[i];
        if (!v || v->is_input || v->def)
            continue;
        if (v->data)
            declare(p, "const", v);
        else if (is_needed(p, v))
            declare(p, "value", v);
    }
    for (int i = 0; i < g->nstate; i++) {
        const struct state *s = &g->states[i];
        out_puts(p->o, "state ");
        ref(p, s->in);
        out_puts(p->o, " -> ");
        ref(p, s->out);
        if (s->init)
            data(p, &s->in->type, s->init);
        out_puts(p->o, "\n");
    }
}

static void
one_attr(const struct print *p, const struct node *n, const struct attr_def *d)
{
    const char *text = attr_text(p->arena, d, n->attr);

    out_printf(p->o, "%s=", d->name);
    if (d->kind == ATTR_TENSOR)
        ref(p, tensor_attr(n, d));
    else if (d->kind == ATTR_STRING)
        quoted(p->o, text);
    else
        out_puts(p->o, text);
}

static bool
is_default(const struct print *p, const struct node *n, const struct attr_def *d, const void *def)
{
    if (d->kind == ATTR_TENSOR)
        return !tensor_attr(n, d);
    return d->def && !strcmp(attr_text(p->arena, d, n->attr), attr_text(p->arena, d, def));
}

static void
attrs(const struct print *p, const struct node *n)
{
    void *def;
    bool any = false;

    if (!n->op->attrs || !n->attr)
        return;
    def = arena_alloc(p->arena, n->op->attr_size);
    attr_defaults(p->arena, n->op, def);
    for (const struct attr_def *d = n->op->attrs; d->name; d++) {
        if (is_default(p, n, d, def))
            continue;
        out_puts(p->o, any ? ", " : " { ");
        one_attr(p, n, d);
        any = true;
    }
    out_puts(p->o, any ? " }" : "");
}

static void
epilogues(const struct print *p, const struct node *n)
{
    static const char *const kinds[] = { "bias", "add", "scale", "act", "pool" };

    for (const struct epilogue *e = n->epi; e; e = e->next) {
        out_printf(p->o, " epi %s(", kinds[e->kind]);
        if (e->kind == EPI_ACT) {
            const struct epi_act *a = e->attr;
            out_printf(p->o, "%s, %s", real_text(p->arena, (double)a->lo, true),
                real_text(p->arena, (double)a->hi, true));
        } else if (e->kind == EPI_POOL) {
            const struct m_pool_attr *a = e->attr;
            const int64_t x[] = { a->kind, a->kernel[0], a->kernel[1], a->stride[0], a->stride[1],
                a->dilation[0], a->dilation[1], a->pads[0], a->pads[1], a->pads[2], a->pads[3],
                a->avg_include_pad };
            for (size_t i = 0; i < sizeof x / sizeof *x; i++)
                out_printf(p->o, "%s%lld", i ? ", " : "", (long long)x[i]);
        } else {
            ref(p, e->arg);
        }
        out_puts(p->o, ")");
    }
}

static void print_lines(struct print *p);

static void
options(struct print *p, const struct node *n)
{
    out_puts(p->o, " name ");
    quoted(p->o, n->name);
    if (n->place.core || n->place.device != -1)
        out_printf(p->o, " place %d %d", n->place.core, n->place.device);
    for (const struct origin *f = n->from; f; f = f->next) {
        out_puts(p->o, f == n->from ? " from " : ", ");
        quoted(p->o, f->name);
        out_puts(p->o, " ");
        word(p->o, f->op);
    }
    epilogues(p, n);
    for (int i = 0; i < n->nbody; i++) {
        struct print in = {
            .g = n->body[i], .around = p, .o = p->o, .arena = p->arena, .full = p->full
        };
        out_puts(p->o, " body {\n");
        out_indent(p->o, 1);
        print_lines(&in);
        out_indent(p->o, -1);
        out_puts(p->o, "}");
    }
}

static void
op_name(struct out *o, const struct op_def *op)
{
    if (op->domain && *op->domain) {
        char *full = NULL;
        struct arena *a = arena_new();
        full = arena_printf(a, "%s::%s", op->domain, op->name);
        word(o, full);
        arena_free(a);
    } else {
        word(o, op->name);
    }
}

static void
node(struct print *p, const struct node *n)
{
    bool any = false;

    for (int i = 0; i < n->nout; i++) {
        out_puts(p->o, i ? ", " : "");
        ref(p, n->out[i]);
    }
    out_puts(p->o, n->nout ? " = " : "");
    op_name(p->o, n->op);
    out_puts(p->o, "(");
    for (int i = 0; i < n->nin; i++) {
        out_puts(p->o, i ? ", " : "");
        ref(p, n->in[i]);
    }
    out_puts(p->o, ")");
    attrs(p, n);
    options(p, n);
    for (int i = 0; i < n->nout; i++) {
        if (!n->out[i])
            continue;
        out_puts(p->o, any ? ", " : " : ");
        type(p, n->out[i]);
        any = true;
    }
    out_puts(p->o, "\n");
}

static void
print_lines(struct print *p)
{
    name_all(p);
    values(p);
    for (const struct node *n = p->g->first; n; n = n->next)
        node(p, n);
    for (int i = 0; i < p->g->noutput; i++) {
        out_puts(p->o, "output ");
        ref(p, p->g->outputs[i]);
        out_puts(p->o, "\n");
    }
    map_free(p->taken);
}

static void
facts(struct out *o, unsigned f)
{
    static const char *const names[] = { "types", "order", "ranges", "layout", "buffers" };
    bool any = false;

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (!(f >> i & 1))
            continue;
        out_printf(o, "%s%s", any ? ", " : " facts (", names[i]);
        any = true;
    }
    out_puts(o, any ? ")" : "");
}

void
ir_print(const struct graph *g, struct out *o, bool full)
{
    struct print p = { .g = g, .o = o, .arena = arena_new(), .full = full };

    out_puts(o, "graph ");
    quoted(o, g->name ? g->name : "");
    out_printf(o, " opset %d stage %s", g->opset,
        g->stage == STAGE_NET        ? "net"
            : g->stage == STAGE_QNET ? "qnet"
                                     : "machine");
    facts(o, g->facts);
    if (g->recipe) {
        out_puts(o, " recipe ");
        quoted(o, g->recipe);
    }
    if (g->labels) {
        out_puts(o, " labels ");
        quoted(o, g->labels);
    }
    out_puts(o, "\n");
    print_lines(&p);
    arena_free(p.arena);
}
