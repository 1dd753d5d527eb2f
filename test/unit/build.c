/* ONNX models for tests, packed by protobuf-c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/vec.h"
#include "src/front/onnx.h"
#include "test/unit/build.h"

struct model {
    struct arena *arena;
    Onnx__ModelProto p;
    Onnx__GraphProto g;
    Onnx__FunctionProto *f;      /* being built; NULL: the graph */
};

struct model_node { struct arena *arena; Onnx__NodeProto p; };

#define APPEND(m, list, n, x) \
    ((list) = append((m)->arena, (list), &(n), sizeof *(list)), (list)[(n) - 1] = (x))

static void *
append(struct arena *a, const void *list, size_t *n, size_t each)
{
    void *p = arena_array(a, *n + 1, each);

    if (*n)
        memcpy(p, list, *n * each);
    ++*n;
    return p;
}

#define MESSAGE(m, T, init) ((T *)message((m)->arena, init, sizeof(T)))

static void *
message(struct arena *a, ProtobufCMessageInit init, size_t size)
{
    ProtobufCMessage *p = arena_alloc(a, size);

    init(p);
    return p;
}

#define INIT(x) ((ProtobufCMessageInit)(x))

struct model *
model_new(struct arena *a, int opset)
{
    struct model *m = NEW(a, struct model);

    m->arena = a;
    onnx__model_proto__init(&m->p);
    onnx__graph_proto__init(&m->g);
    m->p.graph = &m->g;
    m->p.has_ir_version = 1;
    m->p.ir_version = 8;
    m->g.name = (char *)(uintptr_t)"test";
    model_opset(m, NULL, opset);
    return m;
}

static char *
dup_or_null(struct model *m, const char *s)
{
    return s ? arena_strdup(m->arena, s) : NULL;
}

void
model_opset(struct model *m, const char *domain, int64_t version)
{
    Onnx__OperatorSetIdProto *o =
        MESSAGE(m, Onnx__OperatorSetIdProto, INIT(onnx__operator_set_id_proto__init));

    o->domain = dup_or_null(m, domain);
    o->has_version = 1;
    o->version = version;
    APPEND(m, m->p.opset_import, m->p.n_opset_import, o);
}

static int
split(struct arena *a, const char *text, const char *by, char ***out)
{
    VEC(char *) list = { 0 };
    char *save = NULL, *s = arena_strdup(a, text);

    for (char *p = strtok_r(s, by, &save); p; p = strtok_r(NULL, by, &save))
        vec_push(a, &list, p);
    *out = list.at;
    return list.n;
}

static size_t
split_names(struct arena *a, const char *text, char ***out)
{
    int n = split(a, text, " ", out);

    for (int i = 0; i < n; i++)
        if (!strcmp((*out)[i], "-"))
            (*out)[i][0] = 0;
    return (size_t)n;
}

static size_t
split_ints(struct arena *a, const char *text, int64_t **out)
{
    char **s;
    int n = split(a, text, ",", &s);

    *out = NEWN(a, int64_t, n + 1);
    for (int i = 0; i < n; i++)
        (*out)[i] = strtoll(s[i], NULL, 10);
    return (size_t)n;
}

static Onnx__ValueInfoProto *
value_info(struct model *m, const char *name, enum dtype dt, const char *dims)
{
    Onnx__ValueInfoProto *v =
        MESSAGE(m, Onnx__ValueInfoProto, INIT(onnx__value_info_proto__init));
    char **s;

    v->name = arena_strdup(m->arena, name);
    if (!dims)
        return v;
    Onnx__TypeProto *t = MESSAGE(m, Onnx__TypeProto, INIT(onnx__type_proto__init));
    Onnx__TypeProto__Tensor *x =
        MESSAGE(m, Onnx__TypeProto__Tensor, INIT(onnx__type_proto__tensor__init));
    v->type = t;
    t->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    t->tensor_type = x;
    x->has_elem_type = 1;
    x->elem_type = dtype_onnx(dt);
    x->shape = MESSAGE(m, Onnx__TensorShapeProto, INIT(onnx__tensor_shape_proto__init));
    int n = split(m->arena, dims, ",", &s);
    for (int i = 0; i < n; i++) {
        Onnx__TensorShapeProto__Dimension *d =
            MESSAGE(m, Onnx__TensorShapeProto__Dimension,
                    INIT(onnx__tensor_shape_proto__dimension__init));
        char *end;
        int64_t k = strtoll(s[i], &end, 10);
        if (!*end) {
            d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
            d->dim_value = k;
        } else if (strcmp(s[i], "?")) {
            d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
            d->dim_param = s[i];
        }
        APPEND(m, x->shape->dim, x->shape->n_dim, d);
    }
    return v;
}

void
model_input(struct model *m, const char *name, enum dtype dt, const char *dims)
{
    APPEND(m, m->g.input, m->g.n_input, value_info(m, name, dt, dims));
}

void
model_output(struct model *m, const char *name)
{
    APPEND(m, m->g.output, m->g.n_output, value_info(m, name, DT_NONE, NULL));
}

void
model_meta(struct model *m, const char *key, const char *value)
{
    Onnx__StringStringEntryProto *e = MESSAGE(m, Onnx__StringStringEntryProto,
                                              INIT(onnx__string_string_entry_proto__init));

    e->key = arena_strdup(m->arena, key);
    e->value = arena_strdup(m->arena, value);
    APPEND(m, m->p.metadata_props, m->p.n_metadata_props, e);
}

static Onnx__TensorProto *
tensor(struct arena *a, const char *name, enum dtype dt, const char *dims, const void *data)
{
    Onnx__TensorProto *t = message(a, INIT(onnx__tensor_proto__init), sizeof *t);
    int64_t n = 1;

    t->name = name ? arena_strdup(a, name) : NULL;
    t->has_data_type = 1;
    t->data_type = dtype_onnx(dt);
    t->n_dims = split_ints(a, dims, &t->dims);
    for (size_t i = 0; i < t->n_dims; i++)
        n *= t->dims[i];
    if (data) {
        t->has_raw_data = 1;
        t->raw_data.len = (size_t)((n * dtype_bits(dt) + 7) / 8);
        t->raw_data.data = arena_dup(a, data, t->raw_data.len);
    }
    return t;
}

Onnx__TensorProto *
model_tensor(struct model *m, const char *name, enum dtype dt, const char *dims,
             const void *data)
{
    Onnx__TensorProto *t = tensor(m->arena, name, dt, dims, data);

    APPEND(m, m->g.initializer, m->g.n_initializer, t);
    return t;
}

void
model_floats(struct model *m, const char *name, const char *dims, const float *data)
{
    model_tensor(m, name, DT_F32, dims, data);
}

void
model_longs(struct model *m, const char *name, const char *values)
{
    int64_t *v;
    size_t n = split_ints(m->arena, values, &v);

    model_tensor(m, name, DT_I64, arena_printf(m->arena, "%zu", n), v);
}

float
test_random(uint64_t *s)
{
    *s = *s * 6364136223846793005u + 1442695040888963407u;
    return (float)(int32_t)(*s >> 32) * 0x1p-31f;
}

void
model_random(struct model *m, const char *name, const char *dims, uint64_t seed, float scale)
{
    int64_t *d, n = 1;
    size_t rank = split_ints(m->arena, dims, &d);

    for (size_t i = 0; i < rank; i++)
        n *= d[i];
    float *data = NEWN(m->arena, float, n + 1);
    for (int64_t i = 0; i < n; i++)
        data[i] = test_random(&seed) * scale;
    model_floats(m, name, dims, data);
}

struct model_node *
model_node(struct model *m, const char *op, const char *in, const char *out)
{
    struct model_node *n = NEW(m->arena, struct model_node);

    n->arena = m->arena;
    onnx__node_proto__init(&n->p);
    n->p.op_type = arena_strdup(m->arena, op);
    n->p.n_input = split_names(m->arena, in, &n->p.input);
    n->p.n_output = split_names(m->arena, out, &n->p.output);
    if (m->f)
        APPEND(m, m->f->node, m->f->n_node, &n->p);
    else
        APPEND(m, m->g.node, m->g.n_node, &n->p);
    return n;
}

void
model_name(struct model_node *n, const char *name)
{
    n->p.name = arena_strdup(n->arena, name);
}

void
model_domain(struct model_node *n, const char *domain)
{
    n->p.domain = arena_strdup(n->arena, domain);
}

static Onnx__AttributeProto *
attr(struct model_node *n, const char *name, Onnx__AttributeProto__AttributeType type)
{
    Onnx__AttributeProto *p =
        MESSAGE(n, Onnx__AttributeProto, INIT(onnx__attribute_proto__init));

    p->name = arena_strdup(n->arena, name);
    p->has_type = 1;
    p->type = type;
    APPEND(n, n->p.attribute, n->p.n_attribute, p);
    return p;
}

#define TYPE(x) ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__##x

void
model_int(struct model_node *n, const char *name, int64_t v)
{
    Onnx__AttributeProto *p = attr(n, name, TYPE(INT));

    p->has_i = 1;
    p->i = v;
}

void
model_float(struct model_node *n, const char *name, float v)
{
    Onnx__AttributeProto *p = attr(n, name, TYPE(FLOAT));

    p->has_f = 1;
    p->f = v;
}

void
model_string(struct model_node *n, const char *name, const char *v)
{
    Onnx__AttributeProto *p = attr(n, name, TYPE(STRING));

    p->has_s = 1;
    p->s.len = strlen(v);
    p->s.data = (uint8_t *)arena_strdup(n->arena, v);
}

void
model_ints(struct model_node *n, const char *name, const char *values)
{
    Onnx__AttributeProto *p = attr(n, name, TYPE(INTS));

    p->n_ints = split_ints(n->arena, values, &p->ints);
}

void
model_ref(struct model_node *n, const char *name, const char *of_function)
{
    attr(n, name, TYPE(UNDEFINED))->ref_attr_name = arena_strdup(n->arena, of_function);
}

void
model_value(struct model_node *n, const char *name, enum dtype dt, const char *dims,
            const void *data)
{
    attr(n, name, TYPE(TENSOR))->t = tensor(n->arena, NULL, dt, dims, data);
}

void
model_function(struct model *m, const char *domain, const char *name, const char *in,
               const char *out, const char *attrs)
{
    m->f = MESSAGE(m, Onnx__FunctionProto, INIT(onnx__function_proto__init));
    m->f->domain = dup_or_null(m, domain);
    m->f->name = arena_strdup(m->arena, name);
    m->f->n_input = split_names(m->arena, in, &m->f->input);
    m->f->n_output = split_names(m->arena, out, &m->f->output);
    m->f->n_attribute = split_names(m->arena, attrs, &m->f->attribute);
    m->f->n_opset_import = m->p.n_opset_import;
    m->f->opset_import = m->p.opset_import;
    APPEND(m, m->p.functions, m->p.n_functions, m->f);
}

void
model_end(struct model *m)
{
    m->f = NULL;
}

Onnx__ModelProto *
model_proto(struct model *m)
{
    return &m->p;
}

struct bytes
model_bytes(struct model *m)
{
    size_t n = onnx__model_proto__get_packed_size(&m->p);
    uint8_t *p = arena_alloc(m->arena, n);

    onnx__model_proto__pack(&m->p, p);
    return (struct bytes){ p, n };
}

bool
model_save(struct model *m, const char *path)
{
    struct bytes b = model_bytes(m);
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(b.p, 1, b.n, f) == b.n;

    if (f && fclose(f))
        ok = false;
    return ok;
}

struct graph *
model_graph(struct model *m, struct arena *a, struct diag *d)
{
    return onnx_parse(a, d, "test.onnx", model_bytes(m), NULL);
}
