/* Tensors in files, by kind; and tensors made to fit an input.  Pictures are only
 * recognised here: image.c reads them. */
#include <stdio.h>
#include <string.h>

#include "ir/elem.h"
#include "src/base/out.h"
#include "src/base/str.h"
#include "src/front/npy.h"
#include "src/front/npz.h"
#include "src/front/proto.h"
#include "src/front/tensorfile.h"
#include "src/front/weights.h"

enum file_kind
file_kind_of(const char *path, struct bytes b)
{
    if (b.n >= 6 && !memcmp(b.p, "\x93NUMPY", 6))
        return FILE_NPY;
    if (b.n >= 4 && (!memcmp(b.p, "PK\3\4", 4) || !memcmp(b.p, "PK\5\6", 4)))
        return FILE_NPZ;
    if (b.n >= 8 && !memcmp(b.p, "\x89PNG\r\n\x1a\n", 8))
        return FILE_PNG;
    if (b.n >= 3 && !memcmp(b.p, "\xff\xd8\xff", 3))
        return FILE_JPEG;
    if (b.n >= 3 && b.p[0] == 'P' && b.p[1] >= '1' && b.p[1] <= '6'
        && strchr(" \t\r\n#", b.p[2]))
        return FILE_PNM;
    if (str_ends(path, ".pb")
        || proto_looks_like(&onnx__tensor_proto__descriptor, b))
        return FILE_PB;
    return FILE_UNKNOWN;
}

static bool
parse_pb(struct arena *a, struct diag *d, const char *path, struct bytes b,
         struct tensors *out)
{
    struct weights w = { .arena = a, .diag = d, .at.file = path };
    /* An empty file is a scalar float without data to protobuf, so not a tensor. */
    Onnx__TensorProto *p =
        proto_read(a, d, path, &onnx__tensor_proto__descriptor, b);

    if (!p)
        return false;
    *out = (struct tensors){ NEW(a, struct tensor), 1 };
    if (!weights_read(&w, p, out->at))
        return false;
    if (out->at->name && !*out->at->name)
        out->at->name = NULL;
    return true;
}

bool
tensorfile_parse(struct arena *a, struct diag *d, const char *path,
                 struct bytes b, struct tensors *out)
{
    struct place_ref at = { .file = path };

    switch (file_kind_of(path, b)) {
    case FILE_NPY:
        *out = (struct tensors){ NEW(a, struct tensor), 1 };
        return npy_parse(a, d, path, b, out->at);
    case FILE_NPZ:
        return npz_parse(a, d, path, b, out);
    case FILE_PB:
        return parse_pb(a, d, path, b, out);
    case FILE_PNG:
    case FILE_JPEG:
    case FILE_PNM:
        return diag_error(d, &at, "tensor-kind", "a picture, where a tensor is"
                          " needed");
    case FILE_UNKNOWN:
        break;
    }
    return diag_error(d, &at, "tensor-kind",
                      "not a tensor: neither npy, npz nor TensorProto");
}

bool
tensorfile_read(struct arena *a, struct diag *d, const char *spec,
                struct tensors *out)
{
    const char *at_sign = strrchr(spec, '@');
    const char *path = spec;
    int64_t k = -1;
    struct bytes b;

    if (at_sign && at_sign != spec && !file_exists(spec)) {
        struct place_ref at = { .file = spec };
        if (!str_i64(at_sign + 1, &k) || k < 0)
            return diag_error(d, &at, "tensor-entry",
                              "'%s' is not the number of an entry", at_sign + 1);
        path = arena_strndup(a, spec, (size_t)(at_sign - spec));
    }
    if (!file_map(a, d, path, 0, &b) || !tensorfile_parse(a, d, path, b, out))
        return false;
    for (int i = 0; i < out->n && k >= 0; i++) {
        struct tensor *t = &out->at[i];
        struct place_ref at = { .file = path };
        if (t->shape.rank < 1 || k >= t->shape.dim[0].n)
            return diag_error(d, &at, "tensor-entry",
                              "entry %lld of a tensor %s", (long long)k,
                              shape_text(a, &t->shape));
        *t = tensor_entries(t, k, 1);
    }
    return true;
}

int64_t
tensor_bytes(const struct tensor *t)
{
    struct type type = { .dt = t->dt, .shape = t->shape };

    return shape_bytes(&type, 0);
}

/* Four-bit elements share bytes: their entries must be an even number. */
struct tensor
tensor_entries(const struct tensor *t, int64_t k, int64_t n)
{
    struct tensor e = *t;
    int64_t elems = shape_count(&t->shape, 1, t->shape.rank);

    e.shape.dim[0] = dim_of(n);
    e.data = (const char *)t->data + k * elems * dtype_bits(t->dt) / 8;
    return e;
}

void
tensor_to_double(const struct tensor *t, int64_t from, int64_t n, double *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = elem_real(t->dt, t->data, from + i);
}

void
tensor_from_double(enum dtype dt, const double *in, int64_t n, void *out)
{
    for (int64_t i = 0; i < n; i++)
        elem_put_real(dt, out, i, in[i]);
}

/* Equal but for axes of size 1. */
bool
tensor_shape_fits(const struct shape *a, const struct shape *b)
{
    int i = 0, k = 0;

    for (;;) {
        while (i < a->rank && a->dim[i].n == 1)
            i++;
        while (k < b->rank && b->dim[k].n == 1)
            k++;
        if (i == a->rank || k == b->rank)
            return i == a->rank && k == b->rank;
        if (a->dim[i++].n != b->dim[k++].n)
            return false;
    }
}

bool
tensor_as(struct arena *a, struct diag *d, const char *what,
          const struct tensor *from, const struct type *want, struct tensor *out)
{
    struct place_ref at = { .file = what };
    const struct tensor src = *from, *t = &src;          /* from may be out */

    if (!tensor_shape_fits(&t->shape, &want->shape))
        return diag_error(d, &at, "tensor-shape",
                          "the tensor is %s %s, the model's input %s %s",
                          dtype_name(t->dt), shape_text(a, &t->shape),
                          dtype_name(want->dt), shape_text(a, &want->shape));
    *out = *t;
    out->shape = want->shape;
    if (t->dt == want->dt && (uintptr_t)t->data % 16 == 0)
        return true;
    int64_t n = shape_elems(&t->shape);
    out->dt = want->dt;
    uint8_t *data = arena_alloc(a, (size_t)tensor_bytes(out));
    if (t->dt == want->dt)
        memcpy(data, t->data, (size_t)tensor_bytes(out));
    else if (dtype_is_float(t->dt) || dtype_is_float(want->dt))
        for (int64_t i = 0; i < n; i++)
            elem_put_real(want->dt, data, i, elem_real(t->dt, t->data, i));
    else
        for (int64_t i = 0; i < n; i++)
            elem_put_int(want->dt, data, i, elem_int(t->dt, t->data, i));
    out->data = data;
    return true;
}

static void
print_pb(struct arena *a, const struct tensor *t, struct out *o)
{
    Onnx__TensorProto p = ONNX__TENSOR_PROTO__INIT;
    int64_t dims[MAX_RANK];

    for (int i = 0; i < t->shape.rank; i++)
        dims[i] = t->shape.dim[i].n;
    p.n_dims = (size_t)t->shape.rank;
    p.dims = dims;
    p.has_data_type = 1;
    p.data_type = dtype_onnx(t->dt);
    p.name = t->name ? arena_strdup(a, t->name) : NULL;
    p.has_raw_data = 1;
    p.raw_data.len = (size_t)tensor_bytes(t);
    p.raw_data.data = (uint8_t *)(uintptr_t)t->data;
    size_t n = protobuf_c_message_get_packed_size(&p.base);
    uint8_t *bytes = arena_alloc(a, n);
    protobuf_c_message_pack(&p.base, bytes);
    out_bytes(o, bytes, n);
}

/* One element a line, after a comment with type and shape. */
static void
print_text(struct arena *a, const struct tensor *t, struct out *o)
{
    int64_t n = shape_elems(&t->shape);

    out_printf(o, "# %s%s%s %s\n", t->name ? t->name : "", t->name ? " " : "",
               dtype_name(t->dt), shape_text(a, &t->shape));
    for (int64_t i = 0; i < n; i++) {
        char s[40];
        if (dtype_is_float(t->dt))
            snprintf(s, sizeof s, "%.*g", t->dt == DT_F64 ? 17 : 9,
                     elem_real(t->dt, t->data, i));
        else
            snprintf(s, sizeof s, "%lld",
                     (long long)elem_int(t->dt, t->data, i));
        out_printf(o, "%s\n", s);
    }
}

bool
tensorfile_write(struct arena *a, struct diag *d, const char *path,
                 const struct tensor *t, int n)
{
    struct place_ref at = { .file = path };
    bool npy = str_ends(path, ".npy"), pb = str_ends(path, ".pb");

    if (str_ends(path, ".npz"))
        return npz_write(a, d, path, t, n);
    if (!npy && !pb && !str_ends(path, ".txt") && strcmp(path, "-"))
        return diag_error(d, &at, "tensor-kind", "which kind of file? .npy,"
                          " .npz, .pb and .txt are known");
    if (n != 1)
        return diag_error(d, &at, "tensor-kind", "holds one tensor, and there"
                          " are %d; use .npz", n);
    struct out *o = out_open(path, d);
    if (!o)
        return false;
    if (npy && !npy_print(a, d, path, t, o)) {
        out_discard(o);
        return false;
    }
    if (pb)
        print_pb(a, t, o);
    else if (!npy)
        print_text(a, t, o);
    return out_close(o);
}
