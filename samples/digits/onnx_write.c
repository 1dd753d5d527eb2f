/* The trained network as an ONNX file: NHWC weights become the standard's OIHW, and
 * the full layer's inputs the order that Flatten gives.  Writes this network only. */
#include <string.h>

#include "src/front/onnx.pb-c.h"
#include "samples/digits/net.h"
#include "samples/digits/onnx_write.h"
#include "src/base/arena.h"
#include "src/base/out.h"

enum { MAX_NODES = 16, MAX_ATTRS = 4 };

struct writer {
    struct arena *a;
    Onnx__GraphProto graph;
    Onnx__NodeProto *node[MAX_NODES];
    Onnx__TensorProto *tensor[MAX_NODES];
};

/* Strings of constant text and of the arena: protobuf-c only reads them here. */
static char *
text(struct writer *w, const char *s)
{
    return arena_strdup(w->a, s);
}

static Onnx__NodeProto *
add_node(struct writer *w, const char *op, const char *name, const char *x, const char *y)
{
    Onnx__NodeProto *n = NEW(w->a, Onnx__NodeProto);

    onnx__node_proto__init(n);
    n->op_type = text(w, op);
    n->name = text(w, name);
    n->input = NEWN(w->a, char *, 3);
    n->input[n->n_input++] = text(w, x);
    n->output = NEWN(w->a, char *, 1);
    n->output[n->n_output++] = text(w, y);
    n->attribute = NEWN(w->a, Onnx__AttributeProto *, MAX_ATTRS);
    w->node[w->graph.n_node++] = n;
    return n;
}

static Onnx__AttributeProto *
add_attr(struct writer *w, Onnx__NodeProto *n, const char *name,
    Onnx__AttributeProto__AttributeType type)
{
    Onnx__AttributeProto *at = NEW(w->a, Onnx__AttributeProto);

    onnx__attribute_proto__init(at);
    at->name = text(w, name);
    at->has_type = 1;
    at->type = type;
    n->attribute[n->n_attribute++] = at;
    return at;
}

static void
add_int(struct writer *w, Onnx__NodeProto *n, const char *name, int64_t value)
{
    Onnx__AttributeProto *at = add_attr(w, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);

    at->has_i = 1;
    at->i = value;
}

static void
add_ints(struct writer *w, Onnx__NodeProto *n, const char *name, int count, int64_t value)
{
    Onnx__AttributeProto *at = add_attr(w, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);

    at->ints = NEWN(w->a, int64_t, count);
    at->n_ints = (size_t)count;
    for (int i = 0; i < count; i++)
        at->ints[i] = value;
}

/* Makes a weight, gives it to the node as its next input, and returns its values. */
static float *
add_weight(struct writer *w, Onnx__NodeProto *n, const char *what, int rank, const int64_t *dims)
{
    Onnx__TensorProto *t = NEW(w->a, Onnx__TensorProto);
    int64_t count = 1;

    onnx__tensor_proto__init(t);
    t->name = arena_printf(w->a, "%s.%s", n->name, what);
    t->has_data_type = 1;
    t->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    t->dims = arena_dup(w->a, dims, sizeof *dims * (size_t)rank);
    t->n_dims = (size_t)rank;
    for (int i = 0; i < rank; i++)
        count *= dims[i];
    t->has_raw_data = 1;
    t->raw_data.len = sizeof(float) * (size_t)count;
    t->raw_data.data = arena_alloc(w->a, t->raw_data.len);
    n->input[n->n_input++] = t->name;
    w->tensor[w->graph.n_initializer++] = t;
    return (float *)(void *)t->raw_data.data;
}

static const char *
put_conv(struct writer *w, const struct conv *c, int number, const char *x)
{
    const char *name = arena_printf(w->a, "conv%d", number);
    const char *relu = arena_printf(w->a, "relu%d", number);
    const char *pool = arena_printf(w->a, "pool%d", number);
    Onnx__NodeProto *n = add_node(w, "Conv", name, x, name);
    float *to = add_weight(w, n, "weight", 4, (int64_t[]){ c->cout, c->cin, 3, 3 });
    float *bias;

    for (int o = 0; o < c->cout; o++)
        for (int i = 0; i < c->cin; i++)
            for (int t = 0; t < 9; t++)
                *to++ = c->w.w[(t * c->cout + o) * c->cin + i];
    bias = add_weight(w, n, "bias", 1, (int64_t[]){ c->cout });
    memcpy(bias, c->b.w, sizeof *bias * (size_t)c->cout);
    add_ints(w, n, "kernel_shape", 2, 3);
    add_ints(w, n, "pads", 4, c->pad);
    add_node(w, "Relu", relu, name, relu);
    if (c->pool == 1)
        return relu;
    n = add_node(w, "MaxPool", pool, relu, pool);
    add_ints(w, n, "kernel_shape", 2, 2);
    add_ints(w, n, "strides", 2, 2);
    return pool;
}

static void
put_full(struct writer *w, const struct net *n, const char *x, const char *score)
{
    const struct conv *last = &n->conv[NET_CONVS - 1];
    int area = last->out * last->out;
    Onnx__NodeProto *g;
    float *to;

    add_int(w, add_node(w, "Flatten", "flat", x, "flat"), "axis", 1);
    g = add_node(w, "Gemm", "full", "flat", "full");
    to = add_weight(w, g, "weight", 2, (int64_t[]){ NET_CLASSES, n->features });
    for (int k = 0; k < NET_CLASSES; k++)
        for (int c = 0; c < last->cout; c++)
            for (int p = 0; p < area; p++)
                *to++ = n->fc_w.w[(p * last->cout + c) * NET_CLASSES + k];
    to = add_weight(w, g, "bias", 1, (int64_t[]){ NET_CLASSES });
    memcpy(to, n->fc_b.w, sizeof *to * NET_CLASSES);
    add_int(w, g, "transB", 1);
    add_int(w, add_node(w, "Softmax", "softmax", "full", score), "axis", 1);
}

static Onnx__ValueInfoProto **
value_info(struct writer *w, const char *name, int rank, const int64_t *dims)
{
    Onnx__ValueInfoProto **list = NEWN(w->a, Onnx__ValueInfoProto *, 1);
    Onnx__ValueInfoProto *v = NEW(w->a, Onnx__ValueInfoProto);
    Onnx__TypeProto__Tensor *t = NEW(w->a, Onnx__TypeProto__Tensor);

    onnx__value_info_proto__init(v);
    onnx__type_proto__tensor__init(t);
    t->has_elem_type = 1;
    t->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    t->shape = NEW(w->a, Onnx__TensorShapeProto);
    onnx__tensor_shape_proto__init(t->shape);
    t->shape->dim = NEWN(w->a, Onnx__TensorShapeProto__Dimension *, rank);
    t->shape->n_dim = (size_t)rank;
    for (int i = 0; i < rank; i++) {
        Onnx__TensorShapeProto__Dimension *d = NEW(w->a, Onnx__TensorShapeProto__Dimension);
        onnx__tensor_shape_proto__dimension__init(d);
        d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        d->dim_value = dims[i];
        t->shape->dim[i] = d;
    }
    v->name = text(w, name);
    v->type = NEW(w->a, Onnx__TypeProto);
    onnx__type_proto__init(v->type);
    v->type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    v->type->tensor_type = t;
    list[0] = v;
    return list;
}

static void
add_metadata(struct writer *w, Onnx__ModelProto *m, const char *key, const char *value)
{
    Onnx__StringStringEntryProto *e = NEW(w->a, Onnx__StringStringEntryProto);

    onnx__string_string_entry_proto__init(e);
    e->key = text(w, key);
    e->value = text(w, value);
    m->metadata_props[m->n_metadata_props++] = e;
}

static void
put_graph(struct writer *w, const struct net *n)
{
    const char *x = "image";

    onnx__graph_proto__init(&w->graph);
    w->graph.name = text(w, "digits");
    w->graph.node = w->node;
    w->graph.initializer = w->tensor;
    w->graph.n_input = w->graph.n_output = 1;
    w->graph.input = value_info(w, "image", 4, (int64_t[]){ 1, 1, NET_SIDE, NET_SIDE });
    w->graph.output = value_info(w, "score", 2, (int64_t[]){ 1, NET_CLASSES });
    for (int i = 0; i < NET_CONVS; i++)
        x = put_conv(w, &n->conv[i], i + 1, x);
    put_full(w, n, x, "score");
}

bool
onnx_write(
    struct arena *a, struct diag *d, const struct net *n, const char *labels, const char *path)
{
    struct writer *w = NEW(a, struct writer);
    Onnx__ModelProto m = ONNX__MODEL_PROTO__INIT;
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT;
    Onnx__OperatorSetIdProto *opsets[] = { &opset };
    struct out *o;
    uint8_t *packed;
    size_t size;

    w->a = a;
    put_graph(w, n);
    m.has_ir_version = opset.has_version = 1;
    m.ir_version = 7;
    opset.domain = text(w, "");
    opset.version = 13;
    m.opset_import = opsets;
    m.n_opset_import = 1;
    m.producer_name = text(w, "train-digits");
    m.graph = &w->graph;
    m.metadata_props = NEWN(a, Onnx__StringStringEntryProto *, 2);
    add_metadata(
        w, &m, "gemmcc.recipe", "resize=28x28,color=gray,layout=nchw,scale=0.00392156862745098");
    add_metadata(w, &m, "gemmcc.labels", labels);
    size = onnx__model_proto__get_packed_size(&m);
    packed = arena_alloc(a, size);
    onnx__model_proto__pack(&m, packed);
    o = out_open(path, d);
    if (!o)
        return false;
    out_bytes(o, packed, size);
    return out_close(o);
}
