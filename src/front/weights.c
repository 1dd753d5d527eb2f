/* TensorProto to bytes: raw, typed and external data, nothing trusted.
 *
 * A tensor is refused unless its payload has exactly the size its shape and type
 * ask for, so nothing read later can run past it.  Narrow floats stay what they
 * are.  Refused: strings, complex numbers, float8, segments, tensors over 16 GiB,
 * and external data anywhere but below the folder of the model. */
#include <string.h>

#include "src/base/map.h"
#include "src/base/num.h"
#include "src/base/str.h"
#include "src/front/weights.h"

#define MAX_BYTES ((int64_t)1 << 34)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "raw tensors are little-endian");

const char *
weights_type_name(struct arena *a, int number)
{
    static const char *const names[] = {
        [0] = "UNDEFINED", [8] = "STRING", [14] = "COMPLEX64",
        [15] = "COMPLEX128", [17] = "FLOAT8E4M3FN", [18] = "FLOAT8E4M3FNUZ",
        [19] = "FLOAT8E5M2", [20] = "FLOAT8E5M2FNUZ", [23] = "FLOAT4E2M1",
        [24] = "FLOAT8E8M0",
    };

    if (number >= 0 && number < (int)(sizeof names / sizeof *names)
        && names[number])
        return names[number];
    return arena_printf(a, "type %d", number);
}

static const char *
name_of(const Onnx__TensorProto *t)
{
    return t->name && *t->name ? t->name : "(no name)";
}

/* Type and shape; elements and bytes are checked products. */
static bool
describe(struct weights *w, const Onnx__TensorProto *t, struct tensor *out,
         int64_t *elems, int64_t *bytes)
{
    *out = (struct tensor){ .name = t->name };
    out->dt = dtype_from_onnx(t->data_type);
    if (out->dt == DT_NONE || out->dt == DT_STRING)
        return diag_error(w->diag, &w->at, "onnx-dtype",
                          "tensor '%s' has elements of %s, which no operator"
                          " here takes", name_of(t),
                          weights_type_name(w->arena, t->data_type));
    if (t->n_dims > MAX_RANK)
        return diag_error(w->diag, &w->at, "onnx-rank",
                          "tensor '%s' has %zu axes; %d are the most",
                          name_of(t), t->n_dims, MAX_RANK);
    int64_t n = 1;
    out->shape.rank = (int)t->n_dims;
    for (int i = 0; i < out->shape.rank; i++) {
        int64_t d = t->dims[i];
        if (d < 0)
            return diag_error(w->diag, &w->at, "weights-dims",
                              "tensor '%s' has size %lld on axis %d",
                              name_of(t), (long long)d, i);
        out->shape.dim[i] = dim_of(d);
        if (!num_mul(n, d, &n))
            n = INT64_MAX, i = out->shape.rank;
    }
    if (n > MAX_BYTES || !num_mul(n, dtype_bits(out->dt), bytes)
        || *bytes / 8 > MAX_BYTES)
        return diag_error(w->diag, &w->at, "weights-dims",
                          "tensor '%s' would be larger than 16 GiB", name_of(t));
    *elems = n;
    *bytes = num_ceil_div(*bytes, 8);
    return true;
}

static const void *
aligned(struct weights *w, const void *p, int64_t bytes)
{
    if ((uintptr_t)p % 16 == 0)
        return p;
    return arena_dup(w->arena, p, (size_t)bytes);
}

static bool
map_external(struct weights *w, const Onnx__TensorProto *t, const char *name,
             struct bytes *out)
{
    struct bytes *known = w->files ? map_get(w->files, name) : NULL;

    if (known) {
        *out = *known;
        return true;
    }
    char *path = path_inside(w->arena, w->dir, name);
    if (!path) {
        char *plain = path_join(w->arena, w->dir, name);
        if (name[0] == '/' || strstr(name, "..") || file_exists(plain))
            diag_error(w->diag, &w->at, "weights-outside",
                       "the data of tensor '%s' is in '%s', outside the folder"
                       " of the model", name_of(t), name);
        else
            diag_error(w->diag, &w->at, "weights-missing",
                       "the data of tensor '%s' is in '%s', which is not there",
                       name_of(t), name);
        return false;
    }
    if (!file_map(w->arena, w->diag, path, 0, out))
        return false;
    if (w->files) {
        known = NEW(w->arena, struct bytes);
        *known = *out;
        map_set(w->files, name, known);
    }
    return true;
}

static bool
external(struct weights *w, const Onnx__TensorProto *t, int64_t bytes,
         struct tensor *out)
{
    const char *location = NULL;
    int64_t offset = 0, length = bytes;

    if (!w->dir)
        return diag_error(w->diag, &w->at, "weights-outside",
                          "tensor '%s' keeps its data in another file, which"
                          " only a model may", name_of(t));
    for (size_t i = 0; i < t->n_external_data; i++) {
        const char *key = t->external_data[i]->key;
        const char *val = t->external_data[i]->value;
        if (!key || !val)
            continue;
        if (!strcmp(key, "location"))
            location = val;
        else if ((!strcmp(key, "offset") && !str_i64(val, &offset))
                 || (!strcmp(key, "length") && !str_i64(val, &length)))
            return diag_error(w->diag, &w->at, "weights-external",
                              "tensor '%s': %s '%s' is not a number",
                              name_of(t), key, val);
    }
    if (!location || !*location)
        return diag_error(w->diag, &w->at, "weights-external",
                          "tensor '%s' does not say in which file its data is",
                          name_of(t));
    if (offset < 0 || length != bytes)
        return diag_error(w->diag, &w->at, "weights-size",
                          "tensor '%s' needs %lld bytes, its external data is"
                          " said to be %lld at byte %lld", name_of(t),
                          (long long)bytes, (long long)length,
                          (long long)offset);
    struct bytes b;
    if (!map_external(w, t, location, &b))
        return false;
    if ((uint64_t)offset > b.n || (uint64_t)bytes > b.n - (uint64_t)offset)
        return diag_error(w->diag, &w->at, "weights-size",
                          "tensor '%s' needs %lld bytes at byte %lld of '%s',"
                          " which has %zu", name_of(t), (long long)bytes,
                          (long long)offset, location, b.n);
    out->data = aligned(w, b.p + offset, bytes);
    return true;
}

/* Which typed field carries a type, and how many bytes its elements take there. */
enum carrier { C_FLOAT, C_INT32, C_INT64, C_DOUBLE, C_UINT64 };

static enum carrier
carrier_of(enum dtype dt)
{
    switch (dt) {
    case DT_F32: return C_FLOAT;
    case DT_F64: return C_DOUBLE;
    case DT_I64: return C_INT64;
    case DT_U32:
    case DT_U64: return C_UINT64;
    default: return C_INT32;
    }
}

static size_t
carried(const Onnx__TensorProto *t, enum carrier c, const void **data)
{
    switch (c) {
    case C_FLOAT: *data = t->float_data; return t->n_float_data;
    case C_INT32: *data = t->int32_data; return t->n_int32_data;
    case C_INT64: *data = t->int64_data; return t->n_int64_data;
    case C_DOUBLE: *data = t->double_data; return t->n_double_data;
    default: *data = t->uint64_data; return t->n_uint64_data;
    }
}

static size_t
typed_total(const Onnx__TensorProto *t)
{
    return t->n_float_data + t->n_int32_data + t->n_int64_data
           + t->n_double_data + t->n_uint64_data + t->n_string_data;
}

/* Numbers of a wider field cut down to the type's own width. */
static const void *
narrow(struct weights *w, enum dtype dt, enum carrier c, const void *data,
       int64_t n, int64_t bytes)
{
    if ((c == C_INT32 && dt == DT_I32) || (c == C_UINT64 && dt == DT_U64)
        || (c != C_INT32 && c != C_UINT64))
        return data;
    uint8_t *to = arena_alloc(w->arena, (size_t)bytes);
    const int32_t *i32 = data;
    const uint64_t *u64 = data;
    for (int64_t i = 0; i < n; i++) {
        uint32_t v = c == C_INT32 ? (uint32_t)i32[i] : (uint32_t)u64[i];
        if (dt == DT_U32)
            memcpy(to + 4 * i, &v, 4);
        else if (dtype_bits(dt) == 16)
            memcpy(to + 2 * i, &(uint16_t){ (uint16_t)v }, 2);
        else
            to[i] = (uint8_t)v;  /* one byte, or two 4-bit elements */
    }
    return to;
}

static bool
typed(struct weights *w, const Onnx__TensorProto *t, int64_t elems,
      int64_t bytes, struct tensor *out)
{
    enum carrier c = carrier_of(out->dt);
    const void *data;
    size_t have = carried(t, c, &data);
    int64_t want = dtype_bits(out->dt) < 8 ? bytes : elems;

    if (have != (uint64_t)want || typed_total(t) != have)
        return diag_error(w->diag, &w->at, "weights-size",
                          "tensor '%s' is %s %s, %lld numbers, but brings %zu",
                          name_of(t), dtype_name(out->dt),
                          shape_text(w->arena, &out->shape), (long long)want,
                          have ? have : typed_total(t));
    out->data = narrow(w, out->dt, c, data, want, bytes);
    if (!out->data)              /* no elements */
        out->data = arena_alloc(w->arena, 1);
    return true;
}

/* Anything but 0 is true; kernels count on 0 and 1. */
static void
clean_bools(struct weights *w, struct tensor *t, int64_t n)
{
    const uint8_t *p = t->data;
    int64_t i = 0;

    while (i < n && p[i] <= 1)
        i++;
    if (i == n)
        return;
    uint8_t *q = arena_dup(w->arena, p, (size_t)n);
    for (; i < n; i++)
        q[i] = q[i] != 0;
    t->data = q;
}

bool
weights_read(struct weights *w, const Onnx__TensorProto *t, struct tensor *out)
{
    int64_t elems, bytes;

    if (!describe(w, t, out, &elems, &bytes))
        return false;
    if (t->segment)
        return diag_error(w->diag, &w->at, "weights-segment",
                          "tensor '%s' is stored in segments, which is not"
                          " supported", name_of(t));
    if (t->has_data_location
        && t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL) {
        if (!external(w, t, bytes, out))
            return false;
    } else if (t->has_raw_data && (t->raw_data.len || !typed_total(t))) {
        if (t->raw_data.len != (uint64_t)bytes || typed_total(t))
            return diag_error(w->diag, &w->at, "weights-size",
                              "tensor '%s' is %s %s, %lld bytes, but brings"
                              " %zu%s", name_of(t), dtype_name(out->dt),
                              shape_text(w->arena, &out->shape),
                              (long long)bytes, t->raw_data.len,
                              typed_total(t) ? " and typed data too" : "");
        out->data = bytes ? aligned(w, t->raw_data.data, bytes)
                          : arena_alloc(w->arena, 1);
    } else if (!typed(w, t, elems, bytes, out)) {
        return false;
    }
    if (out->dt == DT_BOOL)
        clean_bools(w, out, elems);
    return true;
}

/* The linear index of entry i; indices are [n] or [n, rank]. */
static bool
linear_index(const struct tensor *index, const struct shape *s, int64_t i,
             int64_t elems, int64_t *at)
{
    const int64_t *p = index->data;

    if (index->shape.rank == 1) {
        *at = p[i];
        return *at >= 0 && *at < elems;
    }
    *at = 0;
    for (int k = 0; k < s->rank; k++) {
        int64_t x = p[i * s->rank + k];
        if (x < 0 || x >= s->dim[k].n)
            return false;
        *at = *at * s->dim[k].n + x;
    }
    return true;
}

bool
weights_sparse(struct weights *w, const Onnx__SparseTensorProto *t,
               struct tensor *out)
{
    struct tensor values, index;
    int64_t elems, bytes;

    if (!t->values || !t->indices)
        return diag_error(w->diag, &w->at, "weights-sparse",
                          "a sparse tensor lacks its values or indices");
    Onnx__TensorProto whole = ONNX__TENSOR_PROTO__INIT;
    whole.name = t->values->name;
    whole.data_type = t->values->data_type;
    whole.n_dims = t->n_dims;
    whole.dims = t->dims;
    if (!weights_read(w, t->values, &values)
        || !weights_read(w, t->indices, &index)
        || !describe(w, &whole, out, &elems, &bytes))
        return false;
    int64_t n = values.shape.rank == 1 ? values.shape.dim[0].n : -1;
    bool linear = index.shape.rank == 1 && index.shape.dim[0].n == n;
    bool coords = index.shape.rank == 2 && index.shape.dim[0].n == n
                  && index.shape.dim[1].n == out->shape.rank;
    if (index.dt != DT_I64 || (!linear && !coords) || dtype_bits(out->dt) < 8)
        return diag_error(w->diag, &w->at, "weights-sparse",
                          "sparse tensor '%s': values %s and indices %s do not"
                          " fit together", name_of(&whole),
                          shape_text(w->arena, &values.shape),
                          shape_text(w->arena, &index.shape));
    /* The file does not pay for the zeros: 256 MiB are enough of them. */
    if (bytes > (int64_t)256 << 20)
        return diag_error(w->diag, &w->at, "weights-dims",
                          "sparse tensor '%s' would take %lld bytes made dense",
                          name_of(&whole), (long long)bytes);
    uint8_t *data = arena_alloc(w->arena, (size_t)bytes);
    size_t each = (size_t)dtype_bits(out->dt) / 8;
    for (int64_t i = 0; i < n; i++) {
        int64_t at;
        if (!linear_index(&index, &out->shape, i, elems, &at))
            return diag_error(w->diag, &w->at, "weights-sparse",
                              "sparse tensor '%s': index %lld is outside %s",
                              name_of(&whole), (long long)i,
                              shape_text(w->arena, &out->shape));
        memcpy(data + (size_t)at * each,
               (const uint8_t *)values.data + (size_t)i * each, each);
    }
    out->data = data;
    return true;
}
