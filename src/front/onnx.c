/* ONNX models: file, versions, inputs, initializers, outputs.  Nodes are in
 * onnx_node.c, attributes in onnx_attr.c, functions in onnx_func.c.
 *
 * Refuses opsets below 7, inputs that are no tensors, and sizes of inputs that
 * neither the model nor --dim nor --batch settles.  Training information and
 * quantization annotations are not read. */
#include <string.h>

#include "src/base/num.h"
#include "src/base/str.h"
#include "src/front/onnx_import.h"
#include "src/front/proto.h"

#define OLDEST_OPSET 7
#define MAX_ENDS 1024            /* inputs or outputs of a graph */
#define MAX_BYTES ((int64_t)1 << 34)

/* The opset that came with an IR version of the schema. */
static int
newest_opset(void)
{
    static const int of[] = { [8] = 18, [9] = 20, [10] = 22, [11] = 23, [12] = 24, [13] = 28 };
    int ir = ONNX__VERSION__IR_VERSION;
    int n = (int)(sizeof of / sizeof *of);

    return ir < 8 ? 13 : of[ir < n ? ir : n - 1];
}

static bool
check_versions(struct import *m)
{
    struct place_ref at = { .file = m->g->file };
    const Onnx__ModelProto *p = m->model;
    int64_t opset = 0;

    for (size_t i = 0; i < p->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *o = p->opset_import[i];
        const char *domain = text_of(o->domain);
        if (!*domain || !strcmp(domain, "ai.onnx"))
            opset = num_max(opset, o->version);
    }
    if (!p->n_opset_import)
        return diag_error(m->diag, &at, "onnx-opset",
                          "the model does not say which opset it is written for");
    m->g->opset = opset > INT32_MAX ? INT32_MAX : (int)opset;
    if (opset && opset < OLDEST_OPSET) {
        diag_error(m->diag, &at, "onnx-opset",
                   "opset %lld; %d is the oldest that is understood",
                   (long long)opset, OLDEST_OPSET);
        diag_hint(m->diag, "convert the model with ONNX's version converter");
        return false;
    }
    if (!opset)                  /* other domains only */
        m->g->opset = newest_opset();
    if (p->ir_version > ONNX__VERSION__IR_VERSION || opset > newest_opset())
        diag_warn(m->diag, &at, "onnx-newer",
                  "IR version %lld and opset %lld; this build's schema is of IR"
                  " version %d and opset %d, so each node is judged as it is",
                  (long long)p->ir_version, (long long)opset,
                  (int)ONNX__VERSION__IR_VERSION, newest_opset());
    return true;
}

/* N of --dim NAME=N; 0: not given; -1: not a number. */
static int64_t
dim_option(const struct import *m, const char *name)
{
    size_t n = strlen(name);
    int64_t v = 0;

    for (const char *const *d = m->opt->dims; d && *d; d++) {
        if (strncmp(*d, name, n) || (*d)[n] != '=')
            continue;
        if (!str_i64(*d + n + 1, &v) || v < 1)
            v = -1;
    }
    return v;
}

static int64_t
batch_option(const struct import *m)
{
    return m->opt->batch > 0 ? m->opt->batch : 1;
}

/* A size by name is the batch if it is axis 0 of any input. */
static bool
names_batch(const struct import *m, const char *name)
{
    const Onnx__GraphProto *g = m->model->graph;

    for (size_t i = 0; i < g->n_input; i++) {
        const Onnx__TypeProto *t = g->input[i]->type;
        if (!t || t->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE
            || !t->tensor_type->shape || !t->tensor_type->shape->n_dim)
            continue;
        const Onnx__TensorShapeProto__Dimension *d = t->tensor_type->shape->dim[0];
        if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
            && !strcmp(text_of(d->dim_param), name))
            return true;
    }
    return false;
}

/* One size of an input.  Both its name and INPUT:AXIS work with --dim. */
static int64_t
settle_dim(struct import *m, const char *input, int axis,
           const Onnx__TensorShapeProto__Dimension *d)
{
    struct place_ref at = { .file = m->g->file };
    const char *by_place = arena_printf(m->arena, "%s:%d", input, axis);
    const char *name = "";
    int64_t n = 0;

    if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE)
        n = d->dim_value;
    else if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM)
        name = text_of(d->dim_param);
    if (n > 0)
        return n;
    if (n < -1) {
        diag_error(m->diag, &at, "onnx-dim", "input '%s' has size %lld on axis %d",
                   input, (long long)n, axis);
        return 0;
    }
    /* Exporters write 0 and -1 for a size that is not known. */
    n = *name ? dim_option(m, name) : 0;
    if (!n)
        n = dim_option(m, by_place);
    if (!n && (axis == 0 || (*name && names_batch(m, name))))
        n = batch_option(m);
    if (n > 0)
        return n;
    if (n < 0) {
        diag_error(m->diag, &at, "onnx-dim", "--dim of %s is not a size from 1 on",
                   *name ? name : by_place);
        return 0;
    }
    diag_error(m->diag, &at, "onnx-dim", "the size of input '%s' on axis %d is not"
               " fixed%s%s%s", input, axis, *name ? ": '" : "", name,
               *name ? "'" : "");
    diag_hint(m->diag, "give it with --dim=%s=N", *name ? name : by_place);
    return 0;
}

static bool
input_shape(struct import *m, const char *name, const Onnx__TensorShapeProto *p,
            struct type *t)
{
    struct place_ref at = { .file = m->g->file };
    int64_t bytes = (dtype_bits(t->dt) + 7) / 8;
    bool ok = true;

    if (p->n_dim > MAX_RANK)
        return diag_error(m->diag, &at, "onnx-rank",
                          "input '%s' has %zu axes; %d are the most", name,
                          p->n_dim, MAX_RANK);
    t->shape.rank = (int)p->n_dim;
    for (int i = 0; i < t->shape.rank; i++) {
        int64_t n = settle_dim(m, name, i, p->dim[i]);
        t->shape.dim[i] = dim_of(n);
        ok &= n > 0;
        if (ok && (!num_mul(bytes, n, &bytes) || bytes > MAX_BYTES))
            return diag_error(m->diag, &at, "onnx-dim",
                              "input '%s' would be larger than 16 GiB", name);
    }
    int64_t batch = t->shape.rank ? t->shape.dim[0].n : 1;
    if (ok && m->opt->batch > 0 && batch != m->opt->batch)
        diag_warn(m->diag, &at, "onnx-batch", "--batch=%lld has no effect on"
                  " input '%s', whose axis 0 is fixed to %lld",
                  (long long)m->opt->batch, name, (long long)batch);
    return ok;
}

static void
import_input(struct import *m, struct scope *s, const Onnx__ValueInfoProto *p)
{
    struct place_ref at = { .file = m->g->file };
    const char *name = text_of(p->name);
    const Onnx__TypeProto *tp = p->type;
    struct type t = { .shape.rank = -1 };
    struct binding *b = scope_get(s, name);

    if (b && b->value->data)     /* an initializer; IR version 3 lists them too */
        return;
    if (!*name || b) {
        diag_error(m->diag, &at, "onnx-name", *name ? "two inputs are named '%s'"
                   : "an input has no name%s", name);
        return;
    }
    bool ok = tp && tp->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    if (!ok) {
        diag_error(m->diag, &at, "onnx-type", "input '%s' is not a tensor", name);
    } else {
        const Onnx__TypeProto__Tensor *x = tp->tensor_type;
        t.dt = dtype_from_onnx(x->elem_type);
        if (t.dt == DT_NONE || t.dt == DT_STRING)
            ok = diag_error(m->diag, &at, "onnx-dtype", "input '%s' has elements"
                            " of %s, which no operator here takes", name,
                            weights_type_name(m->arena, x->elem_type));
        else if (!x->shape)
            ok = diag_error(m->diag, &at, "onnx-dim", "input '%s' has no shape",
                            name);
        else
            ok = input_shape(m, name, x->shape, &t);
    }
    if (!ok)
        t.shape.rank = -1;
    scope_set(m, s, name, graph_input(m->g, name, &t), true);
}

static void
add_constant(struct import *m, struct scope *s, const char *name, const struct tensor *t)
{
    struct place_ref at = { .file = m->g->file };
    struct type type = { .shape.rank = -1 };

    if (!*name || scope_get(s, name)) {
        diag_error(m->diag, &at, "onnx-name", *name ? "two initializers are named"
                   " '%s'" : "an initializer has no name%s", name);
        return;
    }
    if (t)
        type = (struct type){ .dt = t->dt, .shape = t->shape };
    scope_set(m, s, name, graph_const(m->g, name, &type, t ? t->data : NULL), true);
}

/* A tensor that cannot be read still gets its name, or every reader of it would be
 * reported too. */
static void
import_initializers(struct import *m, struct scope *s)
{
    const Onnx__GraphProto *p = m->model->graph;
    struct tensor t;

    m->w.at = (struct place_ref){ .file = m->g->file };
    for (size_t i = 0; i < p->n_initializer; i++) {
        bool ok = weights_read(&m->w, p->initializer[i], &t);
        add_constant(m, s, text_of(p->initializer[i]->name), ok ? &t : NULL);
    }
    for (size_t i = 0; i < p->n_sparse_initializer; i++) {
        const Onnx__SparseTensorProto *x = p->sparse_initializer[i];
        bool ok = weights_sparse(&m->w, x, &t);
        add_constant(m, s, x->values ? text_of(x->values->name) : "", ok ? &t : NULL);
    }
}

static void
import_outputs(struct import *m, const struct scope *s)
{
    const Onnx__GraphProto *p = m->model->graph;
    struct place_ref at = { .file = m->g->file };

    if (!p->n_output)
        diag_error(m->diag, &at, "onnx-graph", "the graph has no outputs");
    for (size_t i = 0; i < p->n_output; i++) {
        const char *name = text_of(p->output[i]->name);
        struct binding *b = scope_get(s, name);
        if (!b) {
            diag_error(m->diag, &at, "onnx-missing",
                       "output %zu: nothing makes a value named '%s'", i, name);
            continue;
        }
        /* What is an input, a constant or an output already gets a node that
         * writes it. */
        struct value *v = b->value;
        if (v->is_input || v->data || v->is_output) {
            struct value *copy = graph_value(m->g,
                arena_printf(m->arena, "%s.out%zu", name, i), &v->type);
            import_copy(m, arena_printf(m->arena, "Identity, output %zu", i), v, copy);
            v = copy;
        }
        graph_output(m->g, v);
    }
}

static void
import_metadata(struct import *m)
{
    struct place_ref at = { .file = m->g->file };
    const Onnx__ModelProto *p = m->model;

    for (size_t i = 0; i < p->n_metadata_props; i++) {
        const char *key = text_of(p->metadata_props[i]->key);
        if (!strcmp(key, "gemmcc.recipe"))
            m->g->recipe = text_of(p->metadata_props[i]->value);
        else if (!strcmp(key, "gemmcc.labels"))
            m->g->labels = text_of(p->metadata_props[i]->value);
    }
    if (p->n_training_info)
        diag_warn(m->diag, &at, "onnx-training",
                  "the model's training information is ignored");
}

/* A --dim that no input has is a misspelling. */
static void
check_dim_options(struct import *m)
{
    struct place_ref at = { .file = m->g->file };
    const Onnx__GraphProto *g = m->model->graph;
    VEC(const char *) names = { 0 };

    for (size_t i = 0; i < g->n_input; i++) {
        const Onnx__TypeProto *t = g->input[i]->type;
        if (!t || t->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE
            || !t->tensor_type->shape)
            continue;
        const Onnx__TensorShapeProto *s = t->tensor_type->shape;
        for (size_t k = 0; k < s->n_dim && k < MAX_RANK; k++) {
            if (s->dim[k]->value_case
                == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM)
                vec_push(m->arena, &names, text_of(s->dim[k]->dim_param));
            vec_push(m->arena, &names, arena_printf(m->arena, "%s:%zu",
                                                    text_of(g->input[i]->name), k));
        }
    }
    vec_push(m->arena, &names, (const char *)NULL);
    for (const char *const *d = m->opt->dims; d && *d; d++) {
        const char *name = arena_strndup(m->arena, *d, strcspn(*d, "="));
        bool known = false;
        for (int i = 0; names.at[i] && !known; i++)
            known = !strcmp(names.at[i], name);
        if (known)
            continue;
        diag_error(m->diag, &at, "onnx-dim", "--dim=%s: no input has a size of"
                   " this name", *d);
        const char *near = str_nearest(name, names.at);
        if (near)
            diag_hint(m->diag, "did you mean %s?", near);
    }
}

static void
import_graph(struct import *m)
{
    struct place_ref at = { .file = m->g->file };
    const Onnx__GraphProto *p = m->model->graph;
    struct scope s = { .names = map_new(m->arena), .prefix = "" };

    if (p->n_input > MAX_ENDS + p->n_initializer || p->n_output > MAX_ENDS) {
        diag_error(m->diag, &at, "onnx-graph", "%zu inputs and %zu outputs; %d of"
                   " each are the most", p->n_input, p->n_output, MAX_ENDS);
        map_free(s.names);
        return;
    }
    check_dim_options(m);
    func_collect(m);
    import_initializers(m, &s);
    for (size_t i = 0; i < p->n_input; i++)
        import_input(m, &s, p->input[i]);
    import_nodes(m, &s, p->node, p->n_node);
    import_outputs(m, &s);
    map_free(s.names);
}

/* Files that are often given by mistake. */
static const char *
other_kind(struct bytes b)
{
    static const struct { size_t at; const char *bytes, *what; } kinds[] = {
        { 0, "version https://git-lfs", "a Git LFS pointer: fetch the file with git lfs pull" },
        { 4, "TFL3", "a TensorFlow Lite model: convert it with tf2onnx --tflite" },
        { 0, "\x89HDF", "an HDF5 file, as Keras writes: convert it with tf2onnx" },
        { 0, "PK\3\4", "a zip archive, as PyTorch writes: export with torch.onnx.export" },
        { 0, "\x7f" "ELF", "an ELF program" },
        { 0, "\x1f\x8b", "compressed with gzip: unpack it first" },
        { 0, "<!DOCTYPE", "a web page" },
        { 0, "ir_version:", "ONNX as text, which is not read" },
        { 0, "\x93NUMPY", "a NumPy array" },
        { 0, "\x89PNG", "a picture" },
        { 0, "\xff\xd8\xff", "a picture" },
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t n = strlen(kinds[i].bytes);
        if (b.n >= kinds[i].at + n && !memcmp(b.p + kinds[i].at, kinds[i].bytes, n))
            return kinds[i].what;
    }
    return NULL;
}

static Onnx__ModelProto *
read_model(struct arena *a, struct diag *d, const char *path, struct bytes b)
{
    struct place_ref at = { .file = path };
    const char *other = other_kind(b);
    if (other) {
        diag_error(d, &at, "onnx-parse", "not an ONNX model");
        diag_hint(d, "this is %s", other);
        return NULL;
    }
    Onnx__ModelProto *p = proto_read(a, d, path, &onnx__model_proto__descriptor, b);
    if (p && !p->graph) {
        diag_error(d, &at, "onnx-graph", "no graph in it: not a model, or the file"
                   " is cut off");
        return NULL;
    }
    return p;
}

/* Nodes behind an operator nobody knows: nothing can be said about them. */
static void
drop_unknowable(struct graph *g)
{
    struct node *next;

    for (struct node *n = g->first; n; n = next) {
        bool known = true;
        next = n->next;
        for (int i = 0; i < n->nin; i++) {
            const struct value *v = n->in[i];
            known &= !v || v->def || v->data || v->is_input;
        }
        if (!known)
            node_remove(g, n);
    }
}

struct graph *
onnx_parse(struct arena *a, struct diag *d, const char *path, struct bytes b,
           const struct onnx_options *opt)
{
    static const struct onnx_options none;
    int before = diag_count(d, SEV_ERROR);
    struct import m = {
        .arena = a, .diag = d, .opt = opt ? opt : &none,
        .model = read_model(a, d, path, b),
    };

    if (!m.model)
        return NULL;
    m.g = graph_new(a, path);
    m.g->name = text_of(m.model->graph->name);
    if (!*m.g->name)
        m.g->name = path_base(path);
    m.functions = map_new(a);
    m.node_names = map_new(a);
    m.mismatched = map_new(a);
    m.w = (struct weights){
        .arena = a, .diag = d, .dir = path_dir(a, path), .files = map_new(a)
    };
    if (check_versions(&m)) {
        import_metadata(&m);
        import_graph(&m);
        bool sorted = graph_sort(m.g, d);
        int structural = diag_count(d, SEV_ERROR) - before;
        import_report_missing(&m);
        /* Operators nobody knows do not hide what is wrong with the others. */
        if (sorted && !structural && m.missing.n) {
            drop_unknowable(m.g);
            graph_infer(m.g, d);
        }
    }
    map_free(m.functions);
    map_free(m.node_names);
    map_free(m.mismatched);
    map_free(m.w.files);
    return diag_count(d, SEV_ERROR) > before ? NULL : m.g;
}

struct graph *
onnx_read(struct arena *a, struct diag *d, const char *path,
          const struct onnx_options *opt)
{
    struct bytes b;

    return file_map(a, d, path, 0, &b) ? onnx_parse(a, d, path, b, opt) : NULL;
}
