/* Shared by the files of the ONNX importer; nobody else includes it. */
#ifndef FRONT_ONNX_IMPORT_H
#define FRONT_ONNX_IMPORT_H
#include "ir/ir.h"
#include "src/base/map.h"
#include "src/base/vec.h"
#include "src/front/onnx.h"
#include "src/front/weights.h"

struct call {                    /* a model-local function being inlined */
    const Onnx__FunctionProto *f;
    const Onnx__NodeProto *node; /* its caller: attributes are looked up here */
    Onnx__AttributeProto **defaults; size_t ndefault;
    const struct call *outer;
    const struct origin *from;   /* the node of the main graph */
};

struct binding { struct value *value; bool written; };

struct scope {                   /* the names of the main graph or of one call */
    struct map *names;           /* struct binding */
    const char *prefix;          /* "" or "call/" */
    const struct call *call;     /* NULL: the main graph */
    int depth;
};

struct missing_op {              /* an operator nobody knows, and who uses it */
    const char *domain, *name;
    VEC(const char *) nodes;
};

struct import {
    struct arena *arena;
    struct diag *diag;
    const struct onnx_options *opt;
    struct graph *g;
    Onnx__ModelProto *model;
    struct map *functions;       /* "domain\nname": Onnx__FunctionProto */
    struct map *node_names;      /* taken ones */
    struct map *mismatched;      /* functions warned about */
    struct weights w;
    VEC(struct missing_op) missing;
    int64_t ninlined;
};

/* onnx_node.c */
void import_nodes(struct import *m, struct scope *s, Onnx__NodeProto **p, size_t n);
void import_report_missing(struct import *m);
struct binding *scope_get(const struct scope *s, const char *name);
struct binding *scope_set(struct import *m, struct scope *s, const char *name,
                          struct value *v, bool written);
/* A node of one input and output that changes nothing. */
void import_copy(struct import *m, const char *name, struct value *from, struct value *to);

/* onnx_attr.c */
bool import_attrs(struct import *m, const struct scope *s, struct node *n,
                  const Onnx__NodeProto *p, const struct place_ref *at);
/* What an attribute of a function's body stands for; NULL: it was left out. */
const Onnx__AttributeProto *attr_resolve(const struct call *c, const Onnx__AttributeProto *p);

/* onnx_func.c */
void func_collect(struct import *m);
const Onnx__FunctionProto *func_find(const struct import *m, const char *domain, const char *name);
void func_inline(struct import *m, struct scope *s, const Onnx__FunctionProto *f,
                 const Onnx__NodeProto *p, const char *name);

static inline const char *
text_of(const char *s)
{
    return s ? s : "";
}

#endif
