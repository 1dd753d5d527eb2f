/* Initializers: every way ONNX can write numbers, sizes that lie, external data. */
#include "src/front/onnx.h"
#include "test/unit/frontfix.h"

/* ---- tensors */

/* The same numbers in every way ONNX can write them. */
START_TEST(typed_data)
{
    struct model *m = model_new(a, 13);
    static int32_t i32[] = { 1, -2, 3 };
    static uint64_t u64[] = { 7, 8, 4000000000u };
    static double f64[] = { 0.5, -1, 2 };
    static float f32[] = { 0.25f, -1, 2 };
    static int64_t i64[] = { -1, 1, 1ll << 40 };
    static int32_t half[] = { 0x3c00, 0xc000, 0x0001 };
    const struct { enum dtype dt; const char *want; } rows[] = {
        { DT_I8, "\x01\xfe\x03" }, { DT_U8, "\x01\xfe\x03" },
        { DT_I16, "\x01\0\xfe\xff\x03\0" }, { DT_I32, "\x01\0\0\0\xfe\xff\xff\xff\x03\0\0\0" },
        { DT_BOOL, "\x01\x01\x01" }, { DT_F32, (char *)f32 }, { DT_F64, (char *)f64 },
        { DT_I64, (char *)i64 }, { DT_U64, (char *)u64 },
        { DT_U32, "\x07\0\0\0\x08\0\0\0\x00\x28\x6b\xee" },
        { DT_F16, "\x00\x3c\x00\xc0\x01\x00" }, { DT_BF16, "\x00\x3c\x00\xc0\x01\x00" },
    };
    int n = (int)(sizeof rows / sizeof *rows);

    model_input(m, "x", DT_F32, "1");
    for (int i = 0; i < n; i++) {
        Onnx__TensorProto *t =
            model_tensor(m, arena_printf(a, "t%d", i), rows[i].dt, "3", NULL);
        switch (rows[i].dt) {
        case DT_F32: t->n_float_data = 3; t->float_data = f32; break;
        case DT_F64: t->n_double_data = 3; t->double_data = f64; break;
        case DT_I64: t->n_int64_data = 3; t->int64_data = i64; break;
        case DT_U64:
        case DT_U32: t->n_uint64_data = 3; t->uint64_data = u64; break;
        case DT_F16:
        case DT_BF16: t->n_int32_data = 3; t->int32_data = half; break;
        default: t->n_int32_data = 3; t->int32_data = i32; break;
        }
        model_node(m, "Identity", arena_printf(a, "t%d", i), arena_printf(a, "y%d", i));
    }
    model_node(m, "Relu", "x", "y");
    model_output(m, "y");
    struct graph *g = model_graph(m, a, d);
    ck_assert_msg(g != NULL, "%s", diag_text(d));
    const struct node *node = g->first;
    for (int i = 0; i < n; i++, node = node->next) {
        ck_assert_int_eq((int)node->in[0]->type.dt, (int)rows[i].dt);
        ck_assert_msg(!memcmp(node->in[0]->data, rows[i].want,
                              3 * (size_t)dtype_bits(rows[i].dt) / 8),
                      "%s differs", dtype_name(rows[i].dt));
    }
}
END_TEST

static struct model *
with_tensor(Onnx__TensorProto **t)
{
    struct model *m = model_new(a, 13);
    static const float v[] = { 1, 2, 3, 4, 5, 6 };

    model_input(m, "x", DT_F32, "2,3");
    *t = model_tensor(m, "w", DT_F32, "2,3", v);
    model_node(m, "Add", "x w", "y");
    model_output(m, "y");
    return m;
}

START_TEST(tensor_sizes)
{
    static const struct { int64_t dim; size_t len; const char *id; } rows[] = {
        { 3, 20, "weights-size" }, { 3, 28, "weights-size" }, { 4, 24, "weights-size" },
        { -3, 24, "weights-dims" }, { INT64_MAX, 24, "weights-dims" },
        { (int64_t)1 << 62, 24, "weights-dims" }, { 0, 24, "weights-size" },
        { 3, 0, "weights-size" },
    };
    Onnx__TensorProto *t;
    struct model *m = with_tensor(&t);
    uint8_t *room = arena_alloc(a, 64);

    memcpy(room, t->raw_data.data, 24);
    t->raw_data.data = room;
    t->dims[1] = rows[_i].dim;
    t->raw_data.len = rows[_i].len;
    refused(m, rows[_i].id, "'w'");
}
END_TEST

START_TEST(raw_and_typed)
{
    Onnx__TensorProto *t;
    struct model *m = with_tensor(&t);
    static float f[6];

    t->n_float_data = 6;
    t->float_data = f;
    refused(m, "weights-size", "typed data too");
}
END_TEST

START_TEST(tensor_types)
{
    static const int types[] = { 0, 8, 14, 17, 99, -1 };
    Onnx__TensorProto *t;
    struct model *m = with_tensor(&t);

    t->data_type = types[_i];
    refused(m, "onnx-dtype", "'w'");
}
END_TEST

START_TEST(too_many_axes)
{
    Onnx__TensorProto *t;
    struct model *m = with_tensor(&t);
    static int64_t ones[9] = { 1, 1, 1, 1, 1, 1, 1, 2, 3 };

    t->dims = ones;
    t->n_dims = 9;
    refused(m, "onnx-rank", "'w'");
}
END_TEST

START_TEST(sparse)
{
    struct model *m = model_new(a, 13);
    Onnx__SparseTensorProto s = ONNX__SPARSE_TENSOR_PROTO__INIT, *list[] = { &s };
    Onnx__TensorProto *v, *i;
    static const float value[] = { 5, 7 };
    int64_t at[] = { 1, _i < 3 ? 5 : 6 }, at2[] = { 0, 1, 1, 2 };
    static int64_t dims[] = { 2, 3 };

    model_input(m, "x", DT_F32, "2,3");
    v = model_tensor(m, "w", DT_F32, "2", value);
    i = _i == 1 ? model_tensor(m, "i", DT_I64, "2,2", at2)
                : model_tensor(m, "i", DT_I64, _i == 2 ? "1" : "2", at);
    model_proto(m)->graph->n_initializer = 0;
    s.values = v;
    s.indices = i;
    s.n_dims = 2;
    s.dims = dims;
    model_proto(m)->graph->n_sparse_initializer = 1;
    model_proto(m)->graph->sparse_initializer = list;
    model_node(m, "Add", "x w", "y");
    model_output(m, "y");
    if (_i >= 2) {
        refused(m, "weights-sparse", "'w'");
        return;
    }
    struct graph *g = model_graph(m, a, d);
    ck_assert_msg(g != NULL, "%s", diag_text(d));
    static const float want[] = { 0, 5, 0, 0, 0, 7 };
    ck_assert(!memcmp(g->first->in[1]->data, want, sizeof want));
}
END_TEST

/* ---- external data */

static void
set_external(Onnx__TensorProto *t, const char *location, const char *offset,
             const char *length)
{
    const char *pairs[][2] = {
        { "location", location }, { "offset", offset }, { "length", length }
    };

    t->has_raw_data = 0;
    t->has_data_location = 1;
    t->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    t->external_data = NEWN(a, Onnx__StringStringEntryProto *, 3);
    for (int i = 0; i < 3; i++) {
        if (!pairs[i][1])
            continue;
        Onnx__StringStringEntryProto *e = NEW(a, Onnx__StringStringEntryProto);
        onnx__string_string_entry_proto__init(e);
        e->key = arena_strdup(a, pairs[i][0]);
        e->value = arena_strdup(a, pairs[i][1]);
        t->external_data[t->n_external_data++] = e;
    }
}

static struct graph *
read_saved(struct model *m)
{
    const char *path = in_dir("m/model.onnx");

    ck_assert(model_save(m, path));
    return onnx_read(a, d, path, NULL);
}

/* Folders: dir/secret.bin outside, dir/m/ with the model and w.bin. */
static void
external_files(void)
{
    float v[32];

    for (int i = 0; i < 32; i++)
        v[i] = (float)i;
    ck_assert_int_eq(mkdir(in_dir("m"), 0700), 0);
    ck_assert_int_eq(mkdir(in_dir("m/sub"), 0700), 0);
    write_file(in_dir("secret.bin"), v, sizeof v);
    write_file(in_dir("m/w.bin"), v, sizeof v);
    write_file(in_dir("m/sub/w.bin"), v, sizeof v);
    ck_assert_int_eq(symlink("../secret.bin", in_dir("m/link.bin")), 0);
    ck_assert_int_eq(symlink("..", in_dir("m/up")), 0);
    ck_assert_int_eq(symlink("sub/w.bin", in_dir("m/fine.bin")), 0);
    ck_assert_int_eq(mkfifo(in_dir("m/pipe"), 0600), 0);
}

START_TEST(external_good)
{
    static const struct { const char *name, *offset, *length; int first; } rows[] = {
        { "w.bin", "32", "24", 8 }, { "w.bin", NULL, NULL, 0 }, { "sub/w.bin", "4", NULL, 1 },
        { "fine.bin", "0", "24", 0 }, { "./w.bin", "104", "24", 26 },
    };
    Onnx__TensorProto *t;
    struct model *m = with_tensor(&t);

    external_files();
    set_external(t, rows[_i].name, rows[_i].offset, rows[_i].length);
    struct graph *g = read_saved(m);
    ck_assert_msg(g != NULL, "%s", diag_text(d));
    const float *w = g->first->in[1]->data;
    ck_assert_uint_eq((uintptr_t)w % 16, 0);
    for (int i = 0; i < 6; i++)
        ck_assert(w[i] == (float)(rows[_i].first + i));
}
END_TEST

START_TEST(external_bad)
{
    static const struct { const char *name, *offset, *length, *id; } rows[] = {
        { "../secret.bin", NULL, NULL, "weights-outside" },
        { "sub/../../secret.bin", NULL, NULL, "weights-outside" },
        { "link.bin", NULL, NULL, "weights-outside" },
        { "up/secret.bin", NULL, NULL, "weights-outside" },
        { "/etc/passwd", NULL, NULL, "weights-outside" },
        { "gone.bin", NULL, NULL, "weights-missing" },
        { NULL, NULL, NULL, "weights-external" },
        { "", NULL, NULL, "weights-external" },
        { "w.bin", "abc", NULL, "weights-external" },
        { "w.bin", "-8", NULL, "weights-size" },
        { "w.bin", "105", NULL, "weights-size" },
        { "w.bin", "9223372036854775807", NULL, "weights-size" },
        { "w.bin", "0", "23", "weights-size" },
        { "sub", NULL, NULL, "file-kind" },
        { "pipe", NULL, NULL, "file-kind" },
    };
    Onnx__TensorProto *t;
    struct model *m = with_tensor(&t);

    external_files();
    set_external(t, rows[_i].name, rows[_i].offset, rows[_i].length);
    ck_assert_ptr_null(read_saved(m));
    ck_assert_msg(diag_has(d, rows[_i].id), "%s expected: %s", rows[_i].id, diag_text(d));
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("weights");
    TCase *t = tcase_create("onnx");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, typed_data);
    tcase_add_loop_test(t, tensor_sizes, 0, 8);
    tcase_add_test(t, raw_and_typed);
    tcase_add_loop_test(t, tensor_types, 0, 6);
    tcase_add_test(t, too_many_axes);
    tcase_add_loop_test(t, sparse, 0, 4);
    tcase_add_loop_test(t, external_good, 0, 5);
    tcase_add_loop_test(t, external_bad, 0, 15);
    suite_add_tcase(s, t);
    return tap_run(s);
}
