/* Model-local functions, inlined where they are called.  A call gets a scope of its
 * own: formal inputs are the caller's values, formal outputs too, everything else
 * is named "call/name".  Functions that call themselves are refused, and so is
 * inlining that makes more than 200000 nodes. */
#include <string.h>

#include "src/front/onnx_import.h"
#include "src/front/proto.h"

#define MAX_DEPTH 64
#define MAX_INLINED 200000
#define TAG_DEFAULTS 11          /* FunctionProto.attribute_proto */

static const char *
key_of(struct import *m, const char *domain, const char *name)
{
    if (!domain || !strcmp(domain, "ai.onnx"))
        domain = "";
    return arena_printf(m->arena, "%s\n%s", domain, text_of(name));
}

void
func_collect(struct import *m)
{
    struct place_ref at = { .file = m->g->file };

    for (size_t i = 0; i < m->model->n_functions; i++) {
        Onnx__FunctionProto *f = m->model->functions[i];
        const char *key = key_of(m, f->domain, f->name);
        if (map_get(m->functions, key))
            diag_error(m->diag, &at, "onnx-name", "function %s of domain '%s'"
                       " is defined twice", text_of(f->name), text_of(f->domain));
        else
            map_set(m->functions, key, f);
    }
}

const Onnx__FunctionProto *
func_find(const struct import *m, const char *domain, const char *name)
{
    char key[256];

    if (!m->model->n_functions)
        return NULL;
    if (!domain || !strcmp(domain, "ai.onnx"))
        domain = "";
    size_t d = strlen(domain), n = strlen(text_of(name));
    if (d + n + 2 > sizeof key)
        return map_get(m->functions,
                       arena_printf(m->arena, "%s\n%s", domain, text_of(name)));
    memcpy(key, domain, d);
    key[d] = '\n';
    memcpy(key + d + 1, text_of(name), n + 1);
    return map_get(m->functions, key);
}

/* Defaults of attributes came with IR version 9.  A schema that has them gives a
 * field; for an older one they are among the unknown fields. */
static void
find_defaults(struct import *m, struct call *c)
{
    const ProtobufCMessage *base = &c->f->base;
    const ProtobufCMessageDescriptor *kind = &onnx__attribute_proto__descriptor;
    VEC(Onnx__AttributeProto *) list = { 0 };

    for (unsigned i = 0; i < base->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &base->descriptor->fields[i];
        if (f->id != TAG_DEFAULTS || f->descriptor != kind)
            continue;
        const char *p = (const char *)c->f;
        memcpy(&c->ndefault, p + f->quantifier_offset, sizeof c->ndefault);
        memcpy(&c->defaults, p + f->offset, sizeof c->defaults);
        return;
    }
    for (unsigned i = 0; i < base->n_unknown_fields; i++) {
        const ProtobufCMessageUnknownField *u = &base->unknown_fields[i];
        size_t skip = 0;
        if (u->tag != TAG_DEFAULTS
            || u->wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
            continue;
        while (skip < u->len && u->data[skip] & 0x80)
            skip++;
        if (skip++ >= u->len)
            continue;
        struct bytes b = { u->data + skip, u->len - skip };
        Onnx__AttributeProto *p =
            proto_looks_like(kind, b) ? proto_unpack(m->arena, kind, b) : NULL;
        if (p)
            vec_push(m->arena, &list, p);
    }
    c->defaults = list.at;
    c->ndefault = (size_t)list.n;
}

/* The graph has one opset; a function written for another is judged by it. */
static void
compare_opset(struct import *m, const Onnx__FunctionProto *f,
              const struct place_ref *at)
{
    const char *key = key_of(m, f->domain, f->name);

    for (size_t i = 0; i < f->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *o = f->opset_import[i];
        if ((*text_of(o->domain) && strcmp(o->domain, "ai.onnx"))
            || o->version == m->g->opset || map_get(m->mismatched, key))
            continue;
        map_set(m->mismatched, key, m);
        diag_warn(m->diag, at, "onnx-function-opset",
                  "function %s is written for opset %lld, the model for %d, by"
                  " which it is read", text_of(f->name), (long long)o->version,
                  m->g->opset);
    }
}

static bool
may_inline(struct import *m, const struct scope *s, const Onnx__FunctionProto *f,
           const Onnx__NodeProto *p, const struct place_ref *at)
{
    for (const struct call *c = s->call; c; c = c->outer)
        if (c->f == f)
            return diag_error(m->diag, at, "onnx-function-recursion",
                              "function %s calls itself", text_of(f->name));
    m->ninlined += (int64_t)f->n_node + 1;
    if (s->depth >= MAX_DEPTH || m->ninlined > MAX_INLINED)
        return diag_error(m->diag, at, "onnx-function-recursion",
                          "functions are nested more than %d deep or make more"
                          " than %d nodes", MAX_DEPTH, MAX_INLINED);
    if (p->n_input > f->n_input || p->n_output > f->n_output)
        return diag_error(m->diag, at, "onnx-arity",
                          "function %s has %zu inputs and %zu outputs, the call"
                          " %zu and %zu", text_of(f->name), f->n_input,
                          f->n_output, p->n_input, p->n_output);
    return true;
}

/* Formal inputs.  An input left out is bound to nothing, as in a plain node. */
static bool
bind_inputs(struct import *m, struct scope *s, struct scope *in,
            const struct call *c, const struct place_ref *at)
{
    bool ok = true;

    for (size_t i = 0; i < c->f->n_input; i++) {
        const char *actual = i < c->node->n_input ? text_of(c->node->input[i]) : "";
        struct binding *b = *actual ? scope_get(s, actual) : NULL;
        const char *formal = text_of(c->f->input[i]);
        if (*actual && !b)
            ok = diag_error(m->diag, at, "onnx-missing", "input %zu: nothing"
                            " makes a value named '%s'", i, actual);
        if (scope_get(in, formal))
            ok = diag_error(m->diag, at, "onnx-name", "function %s has two"
                            " inputs '%s'", text_of(c->f->name), formal);
        scope_set(m, in, formal, b ? b->value : NULL, true);
    }
    return ok;
}

/* Formal outputs: the caller's values, written by the body.  One that is an input
 * or another output too is copied. */
static bool
bind_outputs(struct import *m, struct scope *s, struct scope *in,
             const struct call *c, const char *name,
             const struct place_ref *at)
{
    for (size_t i = 0; i < c->f->n_output; i++) {
        const char *actual = i < c->node->n_output ? text_of(c->node->output[i]) : "";
        const char *formal = text_of(c->f->output[i]);
        struct binding *to = *actual ? scope_get(s, actual) : NULL;
        struct binding *b = scope_get(in, formal);
        if (to && (to->value->def || to->value->data || to->value->is_input))
            return false;        /* written twice: reported */
        if (!to)
            continue;
        if (!b)
            scope_set(m, in, formal, to->value, false);
        else if (b->value)
            import_copy(m, arena_printf(m->arena, "%s/%s", name, formal),
                        b->value, to->value);
        else
            return diag_error(m->diag, at, "onnx-missing", "output %zu is the"
                              " input '%s', which the call leaves out", i,
                              formal);
    }
    return true;
}

void
func_inline(struct import *m, struct scope *s, const Onnx__FunctionProto *f,
            const Onnx__NodeProto *p, const char *name)
{
    struct place_ref at = {
        .file = m->g->file, .node = name, .op = text_of(p->op_type)
    };
    struct call c = { .f = f, .node = p, .outer = s->call };
    struct scope in = {
        .prefix = arena_printf(m->arena, "%.256s/", name),
        .call = &c, .depth = s->depth + 1,
    };

    if (!may_inline(m, s, f, p, &at))
        return;
    if (s->call) {
        c.from = s->call->from;
    } else {
        struct origin *from = NEW(m->arena, struct origin);
        *from = (struct origin){ name, at.op, NULL };
        c.from = from;
    }
    compare_opset(m, f, &at);
    find_defaults(m, &c);
    in.names = map_new(m->arena);
    if (bind_inputs(m, s, &in, &c, &at) && bind_outputs(m, s, &in, &c, name, &at)) {
        import_nodes(m, &in, f->node, f->n_node);
        for (size_t i = 0; i < f->n_output && i < p->n_output; i++) {
            struct binding *b = scope_get(&in, text_of(f->output[i]));
            if (*text_of(p->output[i]) && (!b || !b->written))
                diag_error(m->diag, &at, "onnx-missing", "function %s does not"
                           " make its output '%s'", text_of(f->name),
                           text_of(f->output[i]));
        }
    }
    map_free(in.names);
}
