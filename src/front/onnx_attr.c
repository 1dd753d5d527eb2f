/* ONNX attributes to the operator's own struct, by its table.  Attributes that the
 * table does not have are warned about, not dropped silently.  Refused: graphs,
 * types, lists of strings and of tensors. */
#include <string.h>

#include "src/front/onnx_import.h"

#define TYPE(x) ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__##x

/* The first IR version had no types: the field in use tells. */
static int
type_of(const Onnx__AttributeProto *p)
{
    if (p->has_type && p->type != TYPE(UNDEFINED))
        return (int)p->type;
    return p->has_f ? TYPE(FLOAT) : p->has_i ? TYPE(INT) : p->has_s ? TYPE(STRING)
           : p->t ? TYPE(TENSOR) : p->g ? TYPE(GRAPH)
           : p->sparse_tensor ? TYPE(SPARSE_TENSOR) : p->tp ? TYPE(TYPE_PROTO)
           : p->n_floats ? TYPE(FLOATS) : p->n_ints ? TYPE(INTS)
           : p->n_strings ? TYPE(STRINGS) : TYPE(UNDEFINED);
}

static const char *
type_name(int type)
{
    static const char *const names[] = {
        "nothing", "a float", "an integer", "a string", "a tensor", "a graph",
        "floats", "integers", "strings", "tensors", "graphs", "a sparse tensor",
        "sparse tensors", "a type", "types",
    };

    return type >= 0 && type < (int)(sizeof names / sizeof *names)
               ? names[type] : "something unknown";
}

static const char *
kind_name(enum attr_kind k)
{
    switch (k) {
    case ATTR_INT:
    case ATTR_BOOL: return "an integer";
    case ATTR_FLOAT: return "a float";
    case ATTR_STRING: return "a string";
    case ATTR_INTS: return "integers";
    case ATTR_FLOATS: return "floats";
    case ATTR_TENSOR: return "a tensor";
    case ATTR_ENUM: return "a string";
    }
    return "?";
}

struct slot {                    /* one attribute on its way in */
    struct import *m;
    struct node *n;
    const struct attr_def *def;
    const Onnx__AttributeProto *p;
    const struct place_ref *at;
    void *to;
};

static bool
set_enum(struct slot *s, int type)
{
    struct arena *a = s->m->arena;

    if (type == TYPE(INT)) {
        int64_t n = 1;
        for (const char *c = s->def->choices; *c; c++)
            n += *c == '|';
        *(int64_t *)s->to = s->p->i;
        if (s->p->i >= 0 && s->p->i < n)
            return true;
        return diag_error(s->m->diag, s->at, "onnx-attr-value",
                          "attribute %s is %lld; choices are 0 to %lld",
                          s->def->name, (long long)s->p->i, (long long)n - 1);
    }
    const char *text = arena_strndup(a, (const char *)s->p->s.data, s->p->s.len);
    if (attr_parse(a, s->def, s->n->attr, text))
        return true;
    return diag_error(s->m->diag, s->at, "onnx-attr-value",
                      "attribute %s is '%s'; it may be %s", s->def->name, text,
                      s->def->choices);
}

static bool
set_tensor(struct slot *s, int type)
{
    struct tensor t;
    struct weights w = s->m->w;

    w.at = *s->at;
    if (type == TYPE(TENSOR) ? !s->p->t : !s->p->sparse_tensor)
        return diag_error(s->m->diag, s->at, "onnx-attr-kind",
                          "attribute %s has no tensor", s->def->name);
    if (type == TYPE(TENSOR) ? !weights_read(&w, s->p->t, &t)
                             : !weights_sparse(&w, s->p->sparse_tensor, &t))
        return false;
    struct type vt = { .dt = t.dt, .shape = t.shape };
    *(const struct value **)s->to =
        graph_const(s->m->g, arena_printf(s->m->arena, "%s.%s", s->n->name,
                                          s->def->name), &vt, t.data);
    return true;
}

static bool
set(struct slot *s)
{
    const Onnx__AttributeProto *p = s->p;
    int type = type_of(p);
    bool fits = false;

    switch (s->def->kind) {
    case ATTR_INT: fits = type == TYPE(INT); break;
    case ATTR_BOOL: fits = type == TYPE(INT); break;
    case ATTR_FLOAT: fits = type == TYPE(FLOAT); break;
    case ATTR_STRING: fits = type == TYPE(STRING); break;
    case ATTR_INTS: fits = type == TYPE(INTS) && p->n_ints <= INT32_MAX; break;
    case ATTR_FLOATS: fits = type == TYPE(FLOATS) && p->n_floats <= INT32_MAX; break;
    case ATTR_TENSOR: fits = type == TYPE(TENSOR) || type == TYPE(SPARSE_TENSOR); break;
    case ATTR_ENUM: fits = type == TYPE(STRING) || type == TYPE(INT); break;
    }
    if (!fits)
        return diag_error(s->m->diag, s->at, "onnx-attr-kind",
                          "attribute %s is %s where %s belongs", s->def->name,
                          type_name(type), kind_name(s->def->kind));
    switch (s->def->kind) {
    case ATTR_INT: *(int64_t *)s->to = p->i; break;
    case ATTR_BOOL: *(int64_t *)s->to = p->i != 0; break;
    case ATTR_FLOAT: *(float *)s->to = p->f; break;
    case ATTR_STRING:
        *(const char **)s->to =
            arena_strndup(s->m->arena, (const char *)p->s.data, p->s.len);
        break;
    case ATTR_INTS:
        *(struct ints *)s->to = (struct ints){ (int)p->n_ints, p->ints };
        break;
    case ATTR_FLOATS:
        *(struct floats *)s->to = (struct floats){ (int)p->n_floats, p->floats };
        break;
    case ATTR_TENSOR: return set_tensor(s, type);
    case ATTR_ENUM: return set_enum(s, type);
    }
    return true;
}

const Onnx__AttributeProto *
attr_resolve(const struct call *c, const Onnx__AttributeProto *p)
{
    while (p && c && p->ref_attr_name && *p->ref_attr_name) {
        const Onnx__AttributeProto *found = NULL;
        for (size_t i = 0; i < c->node->n_attribute && !found; i++)
            if (!strcmp(text_of(c->node->attribute[i]->name), p->ref_attr_name))
                found = c->node->attribute[i];
        for (size_t i = 0; i < c->ndefault && !found; i++)
            if (!strcmp(text_of(c->defaults[i]->name), p->ref_attr_name))
                return c->defaults[i];
        p = found;
        c = c->outer;            /* the caller may itself pass on its caller's */
    }
    return p;
}

static bool
seen_before(const Onnx__NodeProto *p, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (!strcmp(text_of(p->attribute[k]->name), text_of(p->attribute[i]->name)))
            return true;
    return false;
}

static bool
import_attr(struct import *m, const struct scope *s, struct node *n,
            const Onnx__NodeProto *p, size_t i, const struct place_ref *at)
{
    const char *name = text_of(p->attribute[i]->name);
    const struct attr_def *def = attr_find(n->op, name);
    const Onnx__AttributeProto *own = p->attribute[i];

    if (seen_before(p, i))
        return diag_error(m->diag, at, "onnx-attr-value",
                          "attribute %s is given twice", name);
    if (!s->call && own->ref_attr_name && *own->ref_attr_name)
        return diag_error(m->diag, at, "onnx-attr-kind",
                          "attribute %s refers to a function's attribute '%s',"
                          " outside any function", name, own->ref_attr_name);
    own = attr_resolve(s->call, own);
    if (!own)
        return true;
    if (!def) {
        diag_warn(m->diag, at, "onnx-attr", "attribute %s is unknown to this"
                  " operator and ignored", name);
        return true;
    }
    struct slot slot = { m, n, def, own, at, (char *)n->attr + def->offset };
    return set(&slot);
}

bool
import_attrs(struct import *m, const struct scope *s, struct node *n,
             const Onnx__NodeProto *p, const struct place_ref *at)
{
    bool ok = true;

    if (p->n_attribute > 64)
        return diag_error(m->diag, at, "onnx-attr-value", "%zu attributes are"
                          " more than any operator has", p->n_attribute);
    for (size_t i = 0; i < p->n_attribute; i++)
        ok &= import_attr(m, s, n, p, i, at);
    for (const struct attr_def *d = n->op->attrs; d && d->name; d++) {
        bool given = d->def != NULL;
        for (size_t i = 0; i < p->n_attribute && !given; i++)
            given = !strcmp(text_of(p->attribute[i]->name), d->name)
                    && attr_resolve(s->call, p->attribute[i]);
        if (!given)
            ok = diag_error(m->diag, at, "onnx-attr-missing",
                            "attribute %s is required", d->name);
    }
    return ok;
}
