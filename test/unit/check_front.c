/* The ONNX importer: what a graph looks like, every way a model can be wrong, and
 * files that were damaged on purpose. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/ir.h"
#include "ir/ops/attrs.h"
#include "src/front/onnx.h"
#include "test/unit/build.h"
#include "test/unit/tap.h"

static struct arena *a;
static struct diag *d;
static char dir[64];

static void
setup(void)
{
    struct diag_config c = { 0 };

    a = arena_new();
    d = diag_new(a, &c);
    strcpy(dir, "/tmp/check_front.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void
teardown(void)
{
    char *cmd = arena_printf(a, "rm -rf '%s'", dir);

    ck_assert_int_eq(system(cmd), 0);
    diag_free(d);
    arena_free(a);
}

static const char *
in_dir(const char *name)
{
    return arena_printf(a, "%s/%s", dir, name);
}

static void
write_file(const char *path, const void *p, size_t n)
{
    FILE *f = fopen(path, "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(p, 1, n, f), n);
    fclose(f);
}

/* x [1,3,8,8] -> Conv -> Relu -> y */
static struct model *
small(void)
{
    struct model *m = model_new(a, 13);
    struct model_node *n;

    model_input(m, "x", DT_F32, "1,3,8,8");
    model_random(m, "w", "4,3,3,3", 1, 0.5f);
    model_random(m, "b", "4", 2, 0.5f);
    n = model_node(m, "Conv", "x w b", "c");
    model_ints(n, "pads", "1,1,1,1");
    model_name(n, "conv1");
    model_node(m, "Relu", "c", "y");
    model_output(m, "y");
    return m;
}

/* Fails, with this id, and says these words. */
static void
refused(struct model *m, const char *id, const char *words)
{
    ck_assert_ptr_null(model_graph(m, a, d));
    ck_assert_msg(diag_has(d, id), "%s expected, but: %s", id, diag_text(d));
    ck_assert_msg(strstr(diag_text(d), words) != NULL, "'%s' expected in: %s", words,
                  diag_text(d));
}

static int
count(const char *text, const char *word)
{
    int n = 0;

    for (const char *p = text; (p = strstr(p, word)); p++)
        n++;
    return n;
}

/* ---- models that are fine */

START_TEST(plain)
{
    struct model *m = small();
    model_meta(m, "gemmcc.recipe", "unit");
    model_meta(m, "gemmcc.labels", "cat\ndog");
    struct graph *g = model_graph(m, a, d);

    ck_assert_msg(g != NULL, "%s", diag_text(d));
    ck_assert_str_eq(diag_text(d), "");
    ck_assert_int_eq(g->opset, 13);
    ck_assert_int_eq((int)g->stage, STAGE_NET);
    ck_assert_str_eq(g->recipe, "unit");
    ck_assert_str_eq(g->labels, "cat\ndog");
    ck_assert_int_eq(g->ninput, 1);
    ck_assert_str_eq(g->inputs[0]->name, "x");
    ck_assert_str_eq(type_text(a, &g->inputs[0]->type), "float [1,3,8,8]");
    ck_assert_int_eq(g->noutput, 1);
    ck_assert_str_eq(g->outputs[0]->name, "y");

    const struct node *conv = g->first, *relu = conv->next;
    ck_assert_str_eq(conv->name, "conv1");
    ck_assert_str_eq(conv->from->name, "conv1");
    ck_assert_str_eq(conv->op->name, "Conv");
    const struct conv_attr *at = conv->attr;
    ck_assert_int_eq(at->win.pads.n, 4);
    ck_assert_int_eq(at->win.pads.at[3], 1);
    ck_assert_int_eq(at->group, 1);
    ck_assert_ptr_null(relu->next);
    ck_assert_ptr_eq(relu->in[0], conv->out[0]);
    /* No name in the model: op type, index, first output. */
    ck_assert_str_eq(relu->name, "Relu 1, y");

    const float *w = conv->in[1]->data;
    uint64_t s = 1;
    for (int i = 0; i < 4 * 3 * 3 * 3; i++)
        ck_assert(w[i] == test_random(&s) * 0.5f);
    ck_assert(graph_infer(g, d));
    ck_assert_str_eq(type_text(a, &g->outputs[0]->type), "float [1,4,8,8]");
}
END_TEST

/* IR version 3 lists initializers as inputs too. */
START_TEST(initializer_as_input)
{
    struct model *m = small();

    model_input(m, "w", DT_F32, "4,3,3,3");
    struct graph *g = model_graph(m, a, d);
    ck_assert_msg(g != NULL, "%s", diag_text(d));
    ck_assert_int_eq(g->ninput, 1);
    ck_assert_ptr_nonnull(g->first->in[1]->data);
}
END_TEST

START_TEST(out_of_order)
{
    struct model *m = model_new(a, 13);

    model_input(m, "x", DT_F32, "2");
    model_node(m, "Relu", "t", "y");
    model_node(m, "Relu", "x", "t");
    model_output(m, "y");
    struct graph *g = model_graph(m, a, d);
    ck_assert_msg(g != NULL, "%s", diag_text(d));
    ck_assert_str_eq(g->first->out[0]->name, "t");
}
END_TEST

START_TEST(left_out_inputs)
{
    struct model *m = model_new(a, 13);
    float hi = 6;

    model_input(m, "x", DT_F32, "2");
    model_tensor(m, "hi", DT_F32, "", &hi);
    model_node(m, "Clip", "x - hi", "t");
    model_node(m, "Clip", "t - -", "y");
    model_output(m, "y");
    struct graph *g = model_graph(m, a, d);
    ck_assert_msg(g != NULL, "%s", diag_text(d));
    ck_assert_int_eq(g->first->nin, 3);
    ck_assert_ptr_null(g->first->in[1]);
    ck_assert_int_eq(g->first->next->nin, 1);
}
END_TEST

/* Outputs that no node writes get one that does. */
START_TEST(output_is_input)
{
    struct model *m = model_new(a, 13);

    model_input(m, "x", DT_F32, "2");
    model_node(m, "Relu", "x", "y");
    model_output(m, "x");
    model_output(m, "y");
    model_output(m, "y");
    struct graph *g = model_graph(m, a, d);
    ck_assert_msg(g != NULL, "%s", diag_text(d));
    ck_assert_int_eq(g->noutput, 3);
    for (int i = 0; i < 3; i++) {
        ck_assert_ptr_nonnull(g->outputs[i]->def);
        for (int k = 0; k < i; k++)
            ck_assert_ptr_ne(g->outputs[i], g->outputs[k]);
    }
}
END_TEST

START_TEST(same_node_name_twice)
{
    struct model *m = model_new(a, 13);

    model_input(m, "x", DT_F32, "2");
    model_name(model_node(m, "Relu", "x", "t"), "r");
    model_name(model_node(m, "Relu", "t", "y"), "r");
    model_output(m, "y");
    struct graph *g = model_graph(m, a, d);
    ck_assert_msg(g != NULL, "%s", diag_text(d));
    ck_assert_str_ne(g->first->name, g->last->name);
}
END_TEST

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

/* ---- sizes known by name */

static struct graph *
with_dims(const char *dims, const char *const *opt, int64_t batch)
{
    struct model *m = model_new(a, 13);
    struct onnx_options o = { opt, batch };

    model_input(m, "x", DT_F32, dims);
    model_input(m, "z", DT_F32, "seq,N");
    model_node(m, "Relu", "x", "y");
    model_node(m, "Relu", "z", "y2");
    model_output(m, "y");
    model_output(m, "y2");
    struct bytes b = model_bytes(m);
    return onnx_parse(a, d, "test.onnx", b, &o);
}

START_TEST(dims_good)
{
    static const char *const opts[][3] = {
        { NULL }, { "N=4", NULL }, { "seq=9", "z:0=2", NULL }, { "x:1=5", NULL }, { "N=1", NULL },
    };
    static const struct { const char *dims; int64_t batch; const char *x, *z; } rows[] = {
        { "N,3", 0, "float [1,3]", "float [1,1]" },
        { "N,3", 0, "float [4,3]", "float [1,4]" },
        { "N,seq", 0, "float [1,9]", "float [9,1]" },
        { "N,?", 2, "float [2,5]", "float [2,2]" },
        { "-1,3", 7, "float [7,3]", NULL },
    };

    struct graph *g = with_dims(rows[_i].dims, opts[_i], rows[_i].batch);
    ck_assert_msg(g != NULL, "%s", diag_text(d));
    ck_assert_str_eq(type_text(a, &g->inputs[0]->type), rows[_i].x);
    if (rows[_i].z)
        ck_assert_str_eq(type_text(a, &g->inputs[1]->type), rows[_i].z);
}
END_TEST

START_TEST(dims_bad)
{
    static const char *const opts[][2] = {
        { NULL }, { NULL }, { NULL }, { "seqq=3", NULL }, { "N=0", NULL }, { "N=x", NULL },
        { NULL }, { NULL },
    };
    static const struct { const char *dims, *words; } rows[] = {
        { "1,width", "--dim=width=N" }, { "1,?", "--dim=x:1=N" }, { "1,-7", "-7" },
        { "1,3", "did you mean seq" }, { "N,3", "--dim of N" }, { "N,3", "--dim of N" },
        { "4611686018427387904,4", "16 GiB" }, { "1,0", "--dim=x:1=N" },
    };

    ck_assert_ptr_null(with_dims(rows[_i].dims, opts[_i], 0));
    ck_assert_msg(diag_has(d, "onnx-dim") && strstr(diag_text(d), rows[_i].words), "%s",
                  diag_text(d));
}
END_TEST

START_TEST(batch_is_fixed)
{
    static const char *const n[] = { "N=1", NULL };

    ck_assert_ptr_nonnull(with_dims("1,3", n, 8));
    ck_assert(diag_has(d, "onnx-batch"));
}
END_TEST

/* ---- models that are wrong */

START_TEST(unknown_ops)
{
    struct model *m = small();

    model_node(m, "Relo", "y", "t");
    model_node(m, "Relo", "t", "u");
    model_name(model_node(m, "Frobnicate", "u", "v"), "frob");
    model_domain(model_node(m, "Relu", "v", "w1"), "com.example");
    /* Found although other operators are unknown: 7 channels of 3. */
    model_node(m, "Conv", "x w7", "q");
    model_random(m, "w7", "2,7,1,1", 3, 1);
    model_node(m, "Relu", "w1", "end");
    ck_assert_ptr_null(model_graph(m, a, d));
    const char *t = diag_text(d);
    ck_assert_int_eq(count(t, "[op-unknown]"), 3);
    ck_assert_msg(strstr(t, "operator Relo is not supported; 2 nodes") != NULL, "%s", t);
    ck_assert_ptr_nonnull(strstr(t, "did the exporter mean Relu"));
    ck_assert_ptr_nonnull(strstr(t, "'frob'"));
    ck_assert_ptr_nonnull(strstr(t, "operator Relu of domain com.example"));
    ck_assert_int_eq(diag_count(d, SEV_ERROR), 4);
}
END_TEST

START_TEST(everything_is_reported)
{
    struct model *m = model_new(a, 13);

    model_input(m, "x", DT_F32, "1,width");
    model_input(m, "x", DT_F32, "1,2");
    model_node(m, "Relu", "gone", "t");
    model_node(m, "Relu", "gone2", "t");
    model_node(m, "Frobnicate", "x", "u");
    model_output(m, "nowhere");
    ck_assert_ptr_null(model_graph(m, a, d));
    ck_assert_int_eq(count(diag_text(d), "[onnx-dim]"), 1);
    ck_assert_int_eq(count(diag_text(d), "[onnx-name]"), 2);
    ck_assert_int_eq(count(diag_text(d), "[onnx-missing]"), 3);
    ck_assert_int_eq(count(diag_text(d), "[op-unknown]"), 1);
}
END_TEST

START_TEST(cycle)
{
    struct model *m = model_new(a, 13);

    model_input(m, "x", DT_F32, "2");
    model_node(m, "Add", "x c", "b");
    model_node(m, "Relu", "b", "c");
    model_output(m, "c");
    refused(m, "graph-cycle", "b");
}
END_TEST

START_TEST(written_input)
{
    struct model *m = model_new(a, 13);

    model_input(m, "x", DT_F32, "2");
    model_node(m, "Relu", "x", "x");
    model_output(m, "x");
    refused(m, "onnx-name", "'x'");
}
END_TEST

START_TEST(versions)
{
    static const struct { int opset; int64_t ir; const char *id; bool fine; } rows[] = {
        { 6, 8, "onnx-opset", false }, { 7, 3, NULL, true },
        { 99, 8, "onnx-newer", true }, { 13, 99, "onnx-newer", true },
    };
    struct model *m = model_new(a, rows[_i].opset);

    model_input(m, "x", DT_F32, "2");
    model_node(m, "Relu", "x", "y");
    model_output(m, "y");
    model_proto(m)->ir_version = rows[_i].ir;
    ck_assert((model_graph(m, a, d) != NULL) == rows[_i].fine);
    if (rows[_i].id)
        ck_assert(diag_has(d, rows[_i].id));
    else
        ck_assert_str_eq(diag_text(d), "");
}
END_TEST

START_TEST(no_opset)
{
    struct model *m = small();

    model_proto(m)->n_opset_import = 0;
    refused(m, "onnx-opset", "which opset");
}
END_TEST

/* ---- attributes */

START_TEST(attr_problems)
{
    struct model *m = model_new(a, 13);
    struct model_node *n;

    model_input(m, "x", DT_F32, "1,3,8,8");
    model_random(m, "w", "4,3,3,3", 1, 0.5f);
    n = model_node(m, "Conv", "x w", "y");
    if (_i == 0)
        model_int(n, "pads", 1);
    else if (_i == 1)
        model_string(n, "auto_pad", "SAME_SIDEWAYS");
    else if (_i == 2)
        model_int(n, "group", 1), model_int(n, "group", 1);
    else if (_i == 3)
        model_ref(n, "group", "g");
    else if (_i == 4)
        model_float(n, "strides", 1);
    else
        model_int(model_node(m, "Transpose", "y", "t"), "frobs", 3);
    model_output(m, "y");
    if (_i == 5) {
        ck_assert_ptr_nonnull(model_graph(m, a, d));
        ck_assert(diag_has(d, "onnx-attr"));
        ck_assert_ptr_nonnull(strstr(diag_text(d), "frobs"));
        return;
    }
    static const char *const ids[] = {
        "onnx-attr-kind", "onnx-attr-value", "onnx-attr-value", "onnx-attr-kind",
        "onnx-attr-kind"
    };
    refused(m, ids[_i], "Conv");
}
END_TEST

START_TEST(attr_tensor)
{
    struct model *m = model_new(a, 13);
    static const float v[] = { 3, 4 };

    model_input(m, "x", DT_F32, "2");
    model_value(model_node(m, "Constant", "", "c"), "value", DT_F32, "2", v);
    model_node(m, "Add", "x c", "y");
    model_output(m, "y");
    struct graph *g = model_graph(m, a, d);
    ck_assert_msg(g != NULL, "%s", diag_text(d));
    ck_assert(graph_infer(g, d));
    const struct value *c = g->last->in[1];
    ck_assert_ptr_nonnull(c->data);
    ck_assert(!memcmp(c->data, v, sizeof v));
}
END_TEST

/* ---- functions */

/* Block(x; w) with attribute `slope` = LeakyRelu(Conv(x, w)), called twice, once by
 * another function. */
static struct model *
with_functions(void)
{
    struct model *m = model_new(a, 13);
    struct model_node *n;

    model_opset(m, "local", 1);
    model_function(m, "local", "Block", "in w", "out", "slope");
    n = model_node(m, "Conv", "in w", "t");
    model_name(n, "c");
    n = model_node(m, "LeakyRelu", "t", "out");
    model_ref(n, "alpha", "slope");
    model_name(n, "r");
    model_function(m, "local", "Outer", "p q", "o", "s2");
    n = model_node(m, "Block", "p q", "o");
    model_domain(n, "local");
    model_ref(n, "slope", "s2");
    model_name(n, "inner");
    model_end(m);
    model_input(m, "x", DT_F32, "1,4,8,8");
    model_random(m, "k", "4,4,1,1", 1, 1);
    n = model_node(m, "Block", "x k", "u");
    model_domain(n, "local");
    model_float(n, "slope", 0.25f);
    model_name(n, "b1");
    n = model_node(m, "Outer", "u k", "y");
    model_domain(n, "local");
    model_float(n, "s2", 0.5f);
    model_name(n, "b2");
    model_output(m, "y");
    return m;
}

START_TEST(functions)
{
    static const char *const names[] = { "b1/c", "b1/r", "b2/inner/c", "b2/inner/r" };
    static const char *const from[] = { "b1", "b1", "b2", "b2" };
    struct graph *g = model_graph(with_functions(), a, d);

    ck_assert_msg(g != NULL, "%s", diag_text(d));
    const struct node *n = g->first;
    for (int i = 0; i < 4; i++, n = n->next) {
        ck_assert_ptr_nonnull(n);
        ck_assert_str_eq(n->name, names[i]);
        ck_assert_str_eq(n->from->name, from[i]);
        ck_assert_str_eq(n->op->name, i % 2 ? "LeakyRelu" : "Conv");
        if (i % 2) {
            const struct attr_def *def = attr_find(n->op, "alpha");
            ck_assert_str_eq(attr_text(a, def, n->attr), i == 1 ? "0.25" : "0.5");
        }
    }
    ck_assert_ptr_null(n);
    ck_assert(graph_infer(g, d));
    ck_assert_str_eq(type_text(a, &g->outputs[0]->type), "float [1,4,8,8]");
}
END_TEST

/* A default, which the schema of IR version 8 does not know: field 11. */
START_TEST(function_default)
{
    struct model *m = with_functions();
    Onnx__ModelProto *p = model_proto(m);
    Onnx__AttributeProto at = ONNX__ATTRIBUTE_PROTO__INIT;
    uint8_t data[64];

    p->graph->node[0]->n_attribute = 0;      /* b1 leaves slope to the default */
    at.name = arena_strdup(a, "slope");
    at.has_type = 1;
    at.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
    at.has_f = 1;
    at.f = 0.125f;
    data[0] = (uint8_t)onnx__attribute_proto__get_packed_size(&at);
    ProtobufCMessageUnknownField u = {
        11, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
        onnx__attribute_proto__pack(&at, data + 1) + 1, data
    };
    p->functions[0]->base.n_unknown_fields = 1;
    p->functions[0]->base.unknown_fields = &u;
    struct graph *g = model_graph(m, a, d);
    ck_assert_msg(g != NULL, "%s", diag_text(d));
    ck_assert_str_eq(diag_text(d), "");
    const struct node *n = g->first->next;
    ck_assert_str_eq(attr_text(a, attr_find(n->op, "alpha"), n->attr), "0.125");
}
END_TEST

START_TEST(function_problems)
{
    struct model *m = with_functions();
    struct model_node *n;

    if (_i == 0) {               /* two functions that call each other */
        model_function(m, "local", "A", "i", "o", "");
        model_domain(model_node(m, "B", "i", "o"), "local");
        model_function(m, "local", "B", "i", "o", "");
        model_domain(model_node(m, "A", "i", "o"), "local");
        model_end(m);
        model_domain(model_node(m, "A", "x", "loop"), "local");
        refused(m, "onnx-function-recursion", "calls itself");
    } else if (_i == 1) {        /* output never made */
        model_function(m, "local", "A", "i", "o", "");
        model_node(m, "Relu", "i", "other");
        model_end(m);
        model_domain(model_node(m, "A", "x", "q"), "local");
        refused(m, "onnx-missing", "'o'");
    } else if (_i == 2) {        /* more inputs than the function has */
        n = model_node(m, "Block", "x k k", "q");
        model_domain(n, "local");
        refused(m, "onnx-arity", "Block");
    } else if (_i == 3) {        /* the same name twice */
        model_function(m, "local", "Block", "i", "o", "");
        model_node(m, "Relu", "i", "o");
        model_end(m);
        refused(m, "onnx-name", "Block");
    } else if (_i == 4) {        /* 2^40 nodes of 41 functions */
        for (int i = 0; i < 41; i++) {
            model_function(m, "local", arena_printf(a, "F%d", i), "i", "o", "");
            const char *next = i < 40 ? arena_printf(a, "F%d", i + 1) : "Relu";
            model_domain(model_node(m, next, "i", "t"), i < 40 ? "local" : "");
            model_domain(model_node(m, next, "t", "o"), i < 40 ? "local" : "");
        }
        model_end(m);
        model_domain(model_node(m, "F0", "x", "q"), "local");
        refused(m, "onnx-function-recursion", "nodes");
    } else {                     /* formal output is a formal input */
        model_function(m, "local", "Pass", "i", "i o2", "");
        model_node(m, "Relu", "i", "o2");
        model_end(m);
        model_domain(model_node(m, "Pass", "x", "q q2"), "local");
        model_output(m, "q");
        struct graph *g = model_graph(m, a, d);
        ck_assert_msg(g != NULL, "%s", diag_text(d));
        ck_assert_str_eq(g->outputs[1]->def->op->name, "Identity");
        ck_assert_ptr_eq(g->outputs[1]->def->in[0], g->inputs[0]);
    }
}
END_TEST

START_TEST(function_opset)
{
    struct model *m = with_functions();
    Onnx__OperatorSetIdProto o = ONNX__OPERATOR_SET_ID_PROTO__INIT, *list[] = { &o };

    o.has_version = 1;
    o.version = 11;
    model_proto(m)->functions[0]->n_opset_import = 1;
    model_proto(m)->functions[0]->opset_import = list;
    ck_assert_ptr_nonnull(model_graph(m, a, d));
    ck_assert_int_eq(count(diag_text(d), "[onnx-function-opset]"), 1);
}
END_TEST

/* ---- files */

START_TEST(not_models)
{
    static const struct { const char *text; size_t n; const char *id, *words; } rows[] = {
        { "", 0, "onnx-empty", "" },
        { "hello, world, this is text", 26, "onnx-parse", "" },
        { "version https://git-lfs.github.com/spec/v1\n", 43, "onnx-parse", "LFS" },
        { "\x1c\0\0\0TFL3....", 12, "onnx-parse", "TensorFlow" },
        { "PK\3\4....", 8, "onnx-parse", "PyTorch" },
        { "\x08\x08", 2, "onnx-graph", "" },                   /* ir_version alone */
        { "\x3a\x05\x0a", 3, "onnx-truncated", "" },
        { "\x0b\x0c", 2, "onnx-parse", "" },                   /* a group */
        { "\x0a\x01x", 3, "onnx-parse", "kind" },              /* ir_version as text */
    };

    write_file(in_dir("f"), rows[_i].text, rows[_i].n);
    ck_assert_ptr_null(onnx_read(a, d, in_dir("f"), NULL));
    ck_assert_msg(diag_has(d, rows[_i].id), "%s expected: %s", rows[_i].id, diag_text(d));
    ck_assert_ptr_nonnull(strstr(diag_text(d), rows[_i].words));
}
END_TEST

START_TEST(no_file)
{
    ck_assert_ptr_null(onnx_read(a, d, in_dir("gone"), NULL));
    ck_assert(diag_has(d, "file-open"));
    ck_assert_ptr_null(onnx_read(a, d, dir, NULL));
    ck_assert(diag_has(d, "file-kind"));
}
END_TEST

/* Graphs in attributes of nodes of graphs ..., deep enough to end a stack. */
START_TEST(deep_nesting)
{
    int levels = 200000;
    size_t cap = (size_t)levels * 8 + 16, n = cap;
    uint8_t *p = arena_alloc(a, cap);

    /* Built from the inside: TypeProto.sequence_type.elem_type. */
    for (int i = 0; i < levels; i++) {
        static const uint8_t tags[] = { 0x0a, 0x22 };
        uint64_t len = cap - n;
        uint8_t head[8];
        int k = 0;
        head[k++] = tags[i % 2];
        do {
            head[k++] = (uint8_t)((len & 0x7f) | (len > 0x7f ? 0x80 : 0));
            len >>= 7;
        } while (len);
        n -= (size_t)k;
        memcpy(p + n, head, (size_t)k);
    }
    /* As the type of an input: graph 7, input 11, type 2. */
    struct model *m = small();
    struct bytes b = model_bytes(m);
    uint8_t *file = arena_alloc(a, b.n + cap + 64);
    static const uint8_t tag[] = { 0x3a, 0x5a, 0x12 };
    uint8_t *q = file + b.n + 64 + cap - (cap - n);
    memcpy(q, p + n, cap - n);
    for (int i = 2; i >= 0; i--) {
        uint64_t len = (uint64_t)(file + b.n + 64 + cap - q);
        uint8_t head[8];
        int k = 0;
        head[k++] = tag[i];
        do {
            head[k++] = (uint8_t)((len & 0x7f) | (len > 0x7f ? 0x80 : 0));
            len >>= 7;
        } while (len);
        q -= k;
        memcpy(q, head, (size_t)k);
    }
    memcpy(q - b.n, b.p, b.n);
    struct bytes all = { q - b.n, (size_t)(file + b.n + 64 + cap - q) + b.n };
    ck_assert_ptr_null(onnx_parse(a, d, "deep.onnx", all, NULL));
    ck_assert_msg(diag_has(d, "onnx-parse") && strstr(diag_text(d), "deeply"), "%s",
                  diag_text(d));
}
END_TEST

START_TEST(unknown_fields)
{
    struct model *m = small();
    static uint8_t text[] = { 2, 'h', 'i' };
    ProtobufCMessageUnknownField u[2] = {
        { 9, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, 3, text },
        { 9, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, 3, text },
    };

    model_proto(m)->graph->node[0]->base.n_unknown_fields = 2;
    model_proto(m)->graph->node[0]->base.unknown_fields = u;
    ck_assert_ptr_nonnull(model_graph(m, a, d));
    ck_assert_int_eq(count(diag_text(d), "[onnx-unknown-field]"), 1);
    ck_assert_msg(strstr(diag_text(d), "NodeProto field 9 (metadata_props) 2 times") != NULL,
                  "%s", diag_text(d));
}
END_TEST

/* A file cut anywhere is refused, or (at a seam) is still a model; nothing else. */
START_TEST(truncation)
{
    struct bytes b = model_bytes(with_functions());

    for (size_t n = 0; n < b.n; n += 37) {
        struct diag_config c = { 0 };
        struct arena *a2 = arena_new();
        struct diag *d2 = diag_new(a2, &c);
        struct bytes part = { arena_dup(a2, b.p, n), n };
        struct graph *g = onnx_parse(a2, d2, "cut.onnx", part, NULL);
        ck_assert((g == NULL) == (diag_count(d2, SEV_ERROR) > 0));
        diag_free(d2);
        arena_free(a2);
    }
}
END_TEST

/* Bits turned over: read or refused with a reason, and what is read survives
 * inference too. */
START_TEST(bit_flips)
{
    struct bytes b = model_bytes(_i % 2 ? small() : with_functions());
    uint64_t s = 99 + (uint64_t)_i;
    int good = 0;

    for (int i = 0; i < 600; i++) {
        struct diag_config c = { 0 };
        struct arena *a2 = arena_new();
        struct diag *d2 = diag_new(a2, &c);
        uint8_t *p = arena_dup(a2, b.p, b.n);
        for (int k = 0; k < 1 + i % 3; k++) {
            test_random(&s);
            p[(s >> 33) % b.n] ^= (uint8_t)(1u << (s >> 20 & 7));
        }
        struct bytes bad = { p, b.n };
        struct graph *g = onnx_parse(a2, d2, "flip.onnx", bad, NULL);
        ck_assert((g == NULL) == (diag_count(d2, SEV_ERROR) > 0));
        if (g && graph_infer(g, d2))
            good++;
        diag_free(d2);
        arena_free(a2);
    }
    ck_assert_int_gt(good, 0);
}
END_TEST

/* Two bytes of file must not ask for gigabytes. */
START_TEST(many_empty_nodes)
{
    size_t n = 3000000;
    uint8_t *p = arena_alloc(a, n + 16);
    uint64_t len = n;
    size_t k = 0;

    p[k++] = 0x3a;
    for (; len > 0x7f; len >>= 7)
        p[k++] = (uint8_t)(len | 0x80);
    p[k++] = (uint8_t)len;
    for (size_t i = 0; i < n / 2; i++)
        p[k + 2 * i] = 0x0a;                 /* node, of no bytes */
    struct bytes b = { p, k + n };
    ck_assert_ptr_null(onnx_parse(a, d, "many.onnx", b, NULL));
    ck_assert_int_gt(diag_count(d, SEV_ERROR), 0);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("front");
    TCase *t = tcase_create("onnx");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, plain);
    tcase_add_test(t, initializer_as_input);
    tcase_add_test(t, out_of_order);
    tcase_add_test(t, left_out_inputs);
    tcase_add_test(t, output_is_input);
    tcase_add_test(t, same_node_name_twice);
    tcase_add_test(t, typed_data);
    tcase_add_loop_test(t, tensor_sizes, 0, 8);
    tcase_add_test(t, raw_and_typed);
    tcase_add_loop_test(t, tensor_types, 0, 6);
    tcase_add_test(t, too_many_axes);
    tcase_add_loop_test(t, sparse, 0, 4);
    tcase_add_loop_test(t, external_good, 0, 5);
    tcase_add_loop_test(t, external_bad, 0, 15);
    tcase_add_loop_test(t, dims_good, 0, 5);
    tcase_add_loop_test(t, dims_bad, 0, 8);
    tcase_add_test(t, batch_is_fixed);
    tcase_add_test(t, unknown_ops);
    tcase_add_test(t, everything_is_reported);
    tcase_add_test(t, cycle);
    tcase_add_test(t, written_input);
    tcase_add_loop_test(t, versions, 0, 4);
    tcase_add_test(t, no_opset);
    tcase_add_loop_test(t, attr_problems, 0, 6);
    tcase_add_test(t, attr_tensor);
    tcase_add_test(t, functions);
    tcase_add_test(t, function_default);
    tcase_add_loop_test(t, function_problems, 0, 6);
    tcase_add_test(t, function_opset);
    tcase_add_loop_test(t, not_models, 0, 9);
    tcase_add_test(t, no_file);
    tcase_add_test(t, deep_nesting);
    tcase_add_test(t, unknown_fields);
    tcase_add_test(t, truncation);
    tcase_add_loop_test(t, bit_flips, 0, 2);
    tcase_add_test(t, many_empty_nodes);
    suite_add_tcase(s, t);
    return tap_run(s);
}
