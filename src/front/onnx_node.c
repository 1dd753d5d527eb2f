/* ONNX nodes to graph nodes.  Names are resolved in two steps, outputs first, so
 * that a model whose nodes are out of order is read too; cycles are found when the
 * graph is sorted.  What is not there or not known is reported and left out, and
 * the rest is read on. */
#include <string.h>

#include "src/base/out.h"
#include "src/front/onnx_import.h"

#define NAMES_SHOWN 8

struct binding *
scope_get(const struct scope *s, const char *name)
{
    return map_get(s->names, name);
}

struct binding *
scope_set(struct import *m, struct scope *s, const char *name, struct value *v,
          bool written)
{
    struct binding *b = NEW(m->arena, struct binding);

    *b = (struct binding){ v, written };
    map_set(s->names, name, b);
    return b;
}

static const char *
plain_domain(const char *d)
{
    return d && strcmp(d, "ai.onnx") ? d : "";
}

/* Never empty, never twice. */
static const char *
display_name(struct import *m, const struct scope *s, const Onnx__NodeProto *p,
             size_t index)
{
    const char *name = text_of(p->name), *out = "no output";

    if (*name) {
        name = arena_printf(m->arena, "%.256s%.256s", s->prefix, name);
    } else {
        for (size_t i = 0; i < p->n_output; i++)
            if (*text_of(p->output[i])) {
                out = p->output[i];
                break;
            }
        name = arena_printf(m->arena, "%.256s%.256s %zu, %.256s", s->prefix,
                            text_of(p->op_type), index, out);
    }
    int *taken = map_get(m->node_names, name);
    if (taken)
        name = arena_printf(m->arena, "%s#%d", name, ++*taken);
    taken = NEW(m->arena, int);
    *taken = 1;
    map_set(m->node_names, name, taken);
    return name;
}

static void
declare_outputs(struct import *m, struct scope *s, const Onnx__NodeProto *p,
                const struct place_ref *at)
{
    for (size_t i = 0; i < p->n_output; i++) {
        const char *name = text_of(p->output[i]);
        if (!*name)
            continue;
        struct binding *b = scope_get(s, name);
        if (b && b->written) {
            diag_error(m->diag, at, "onnx-name", "output %zu: '%s' is already"
                       " the name of another value", i, name);
            continue;
        }
        if (b)                   /* a function's output: the caller's value */
            b->written = true;
        else
            scope_set(m, s, name,
                      graph_value(m->g, arena_printf(m->arena, "%.256s%.256s", s->prefix,
                                                     name), NULL), true);
    }
}

static void
note_missing_op(struct import *m, const Onnx__NodeProto *p, const char *name)
{
    const char *domain = plain_domain(p->domain), *op = text_of(p->op_type);
    struct missing_op *u = NULL;

    for (int i = 0; i < m->missing.n && !u; i++)
        if (!strcmp(m->missing.at[i].name, op)
            && !strcmp(m->missing.at[i].domain, domain))
            u = &m->missing.at[i];
    if (!u) {
        struct missing_op fresh = { .domain = domain, .name = op };
        vec_push(m->arena, &m->missing, fresh);
        u = &m->missing.at[m->missing.n - 1];
    }
    vec_push(m->arena, &u->nodes, name);
}

void
import_report_missing(struct import *m)
{
    struct place_ref at = { .file = m->g->file };

    for (int i = 0; i < m->missing.n; i++) {
        struct missing_op *u = &m->missing.at[i];
        struct out *o = out_memory(m->arena);
        for (int k = 0; k < u->nodes.n && k < NAMES_SHOWN; k++)
            out_printf(o, "%s'%s'", k ? ", " : "", u->nodes.at[k]);
        if (u->nodes.n > NAMES_SHOWN)
            out_printf(o, " and %d more", u->nodes.n - NAMES_SHOWN);
        diag_error(m->diag, &at, "op-unknown",
                   "operator %s%s%s is not supported; %d node%s: %s",
                   u->name, *u->domain ? " of domain " : "", u->domain,
                   u->nodes.n, u->nodes.n == 1 ? "" : "s", out_text(o, NULL));
        const char *near = *u->domain ? NULL : op_nearest(u->name);
        if (near && strcmp(near, u->name))
            diag_hint(m->diag, "the nearest name that is: %s", near);
        else
            diag_hint(m->diag, "gemmcc --print-ops lists what is supported");
    }
}

/* An output that is missing in the table was a duplicate, and is reported. */
static bool
outputs_of(struct import *m, const struct scope *s, const Onnx__NodeProto *p,
           struct value **out, int *nout)
{
    *nout = 0;
    for (size_t i = 0; i < p->n_output; i++) {
        const char *name = text_of(p->output[i]);
        struct binding *b = *name ? scope_get(s, name) : NULL;
        out[i] = b ? b->value : graph_value(m->g, NULL, NULL);
        if (b && (b->value->def || b->value->data || b->value->is_input))
            return false;
        if (*name)
            *nout = (int)i + 1;
    }
    return true;
}

static bool
inputs_of(struct import *m, const struct scope *s, const Onnx__NodeProto *p,
          const struct place_ref *at, struct value **in, int *nin)
{
    bool ok = true;

    *nin = 0;
    for (size_t i = 0; i < p->n_input; i++) {
        const char *name = text_of(p->input[i]);
        struct binding *b = *name ? scope_get(s, name) : NULL;
        in[i] = b ? b->value : NULL;
        if (*name && !b)
            ok = diag_error(m->diag, at, "onnx-missing", "input %zu: nothing"
                            " makes a value named '%s'", i, name);
        if (in[i])
            *nin = (int)i + 1;   /* empty names at the end mean nothing */
    }
    return ok;
}

static void
import_node(struct import *m, struct scope *s, const Onnx__NodeProto *p,
            const char *name)
{
    struct place_ref at = {
        .file = m->g->file, .node = name, .op = text_of(p->op_type)
    };
    const Onnx__FunctionProto *f = func_find(m, p->domain, p->op_type);
    int nin, nout;

    if (f) {
        func_inline(m, s, f, p, name);
        return;
    }
    const struct op_def *op = op_find(plain_domain(p->domain), at.op);
    if (op && op->traits & OP_MACHINE)
        op = NULL;
    if (!op)
        note_missing_op(m, p, name);
    if (p->n_input > INT16_MAX || p->n_output > INT16_MAX) {
        diag_error(m->diag, &at, "onnx-arity", "%zu inputs and %zu outputs",
                   p->n_input, p->n_output);
        return;
    }
    struct value **in = NEWN(m->arena, struct value *, p->n_input + 1);
    struct value **out = NEWN(m->arena, struct value *, p->n_output + 1);
    bool ok = inputs_of(m, s, p, &at, in, &nin);
    if (!op || !ok || !outputs_of(m, s, p, out, &nout))
        return;
    struct node *n = graph_node(m->g, NULL, op, name, in, nin, out, nout);
    if (s->call)
        n->from = s->call->from;
    else {
        struct origin *from = NEW(m->arena, struct origin);
        *from = (struct origin){ n->name, op->name, NULL };
        n->from = from;
    }
    import_attrs(m, s, n, p, &at);
}

void
import_copy(struct import *m, const char *name, struct value *from, struct value *to)
{
    const struct op_def *op = op_find(NULL, "Identity");

    if (!op)
        BUG("there is no Identity");
    graph_node(m->g, NULL, op, name, &from, 1, &to, 1);
}

void
import_nodes(struct import *m, struct scope *s, Onnx__NodeProto **p, size_t n)
{
    const char **names = NEWN(m->arena, const char *, n + 1);

    for (size_t i = 0; i < n; i++) {
        names[i] = display_name(m, s, p[i], i);
        struct place_ref at = {
            .file = m->g->file, .node = names[i], .op = text_of(p[i]->op_type)
        };
        declare_outputs(m, s, p[i], &at);
    }
    for (size_t i = 0; i < n; i++)
        import_node(m, s, p[i], names[i]);
}
