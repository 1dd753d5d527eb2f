/* Files with tensors: npy, npz, pb; data sets. */
#include <math.h>

#include "src/base/out.h"
#include "src/front/dataset.h"
#include "src/front/npy.h"
#include "test/unit/frontfix.h"

static struct tensor
make(const char *name, enum dtype dt, int rank, const int64_t *dims, const void *data)
{
    return (struct tensor){ name, dt, shape_make(rank, dims), data };
}

static void
same(const struct tensor *x, const struct tensor *y)
{
    ck_assert_int_eq((int)x->dt, (int)y->dt);
    ck_assert(shape_equal(&x->shape, &y->shape));
    ck_assert(!memcmp(x->data, y->data, (size_t)tensor_bytes(x)));
}

/* ---- tensor files */

static const int64_t d23[] = { 2, 3 }, d3[] = { 3 }, d1[] = { 1 };
static const float six[] = { 1, -2, 3.5f, 0, INFINITY, 1e-30f };

START_TEST(round_trip)
{
    static const uint8_t bytes[48] = { 1, 2, 3, 255, 128, 0, 1, 1, 0, 1, 77, 99 };
    static const enum dtype types[] = {
        DT_F32, DT_F64, DT_F16, DT_I8, DT_U8, DT_I16, DT_U16, DT_I32, DT_U32, DT_I64,
        DT_U64, DT_BF16,
    };
    static const char *const names[] = { "t.npy", "t.pb", "t.npz" };
    struct tensors back;

    for (int i = 0; i < (int)(sizeof types / sizeof *types); i++) {
        struct tensor t = make("val", types[i], 2, d23, bytes);
        const char *path = in_dir(names[_i]);
        if (types[i] == DT_BF16 && _i != 1) {
            FAILS("npy-type", tensorfile_write(a, d, path, &t, 1));
            continue;
        }
        ck_assert_msg(tensorfile_write(a, d, path, &t, 1), "%s", diag_text(d));
        ck_assert_msg(tensorfile_read(a, d, path, &back), "%s", diag_text(d));
        ck_assert_int_eq(back.n, 1);
        same(&t, &back.at[0]);
        if (_i)
            ck_assert_str_eq(back.at[0].name, "val");
    }
}
END_TEST

START_TEST(scalar_and_empty)
{
    static const int64_t none[] = { 0, 4 };
    struct tensor s = make(NULL, DT_F32, 0, NULL, six), e = make(NULL, DT_F32, 2, none, six);
    static const char *const names[] = { "t.npy", "t.pb" };
    struct tensors back;

    ck_assert(tensorfile_write(a, d, in_dir(names[_i]), &s, 1));
    ck_assert(tensorfile_read(a, d, in_dir(names[_i]), &back));
    same(&s, &back.at[0]);
    ck_assert(tensorfile_write(a, d, in_dir(names[_i]), &e, 1));
    ck_assert(tensorfile_read(a, d, in_dir(names[_i]), &back));
    same(&e, &back.at[0]);
    ck_assert_str_eq(diag_text(d), "");
}
END_TEST

/* Headers as NumPy itself writes them (bytes from numpy 1.24). */
START_TEST(npy_forms)
{
    static const struct { const char *descr, *order; float want[6]; } rows[] = {
        { "<f4", "False", { 1, 2, 3, 4, 5, 6 } },
        { ">f4", "False", { 1, 2, 3, 4, 5, 6 } },
        { "<f4", "True", { 1, 3, 5, 2, 4, 6 } },
        { "=f4", "False", { 1, 2, 3, 4, 5, 6 } },
    };
    uint8_t file[256];
    struct tensor t;

    memset(file, ' ', sizeof file);
    memcpy(file, "\x93NUMPY\x01\0\x76\0", 10);
    int n = sprintf((char *)file + 10, "{'descr': '%s', 'fortran_order': %s, 'shape': (2, 3), }",
                    rows[_i].descr, rows[_i].order);
    file[10 + n] = ' ';
    file[127] = '\n';
    for (int i = 0; i < 6; i++) {
        float f = (float)(i + 1);
        uint8_t *p = file + 128 + 4 * i;
        memcpy(p, &f, 4);
        if (rows[_i].descr[0] == '>') {
            uint8_t r[4] = { p[3], p[2], p[1], p[0] };
            memcpy(p, r, 4);
        }
    }
    ck_assert_msg(npy_parse(a, d, "t.npy", (struct bytes){ file, 128 + 24 }, &t), "%s",
                  diag_text(d));
    ck_assert_str_eq(shape_text(a, &t.shape), "[2,3]");
    for (int i = 0; i < 6; i++)
        ck_assert(((const float *)t.data)[i] == rows[_i].want[i]);
}
END_TEST

START_TEST(npy_bad)
{
    static const struct { const char *dict; size_t data; const char *id; } rows[] = {
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 23, "npy-size" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 25, "npy-size" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), ", 24, "npy-header" },
        { "{'descr': '<c8', 'fortran_order': False, 'shape': (2, 3), }", 48, "npy-type" },
        { "{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }", 48, "npy-type" },
        { "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,), }", 24, "npy-header" },
        { "{'descr': '<f4', 'shape': (2, 3), }", 24, "npy-header" },
        { "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (2, 3), }", 24, "npy-header" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3), }", 24, "npy-header" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,2,3), }", 24,
          "npy-header" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", 0,
          "npy-size" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 0,
          "npy-header" },
        { "", 24, "npy-header" },
        { "{'descr': '<f4444444444444444444', 'fortran_order': False, 'shape': (2,), }", 8,
          "npy-header" },
    };
    uint8_t file[512] = "\x93NUMPY\x01\0";
    size_t n = strlen(rows[_i].dict);
    struct tensor t;

    file[8] = (uint8_t)n;
    memcpy(file + 10, rows[_i].dict, n);
    struct bytes b = { file, 10 + n + rows[_i].data };
    FAILS(rows[_i].id, npy_parse(a, d, "t.npy", b, &t));
}
END_TEST

START_TEST(npy_cut)
{
    struct tensor t = make(NULL, DT_F32, 2, d23, six), back;
    struct out *o = out_memory(a);
    size_t n;

    ck_assert(npy_print(a, d, "t", &t, o));
    const char *p = out_text(o, &n);
    ck_assert_uint_eq((n - 24) % 64, 0);
    for (size_t i = 0; i < n; i++) {
        uint8_t *part = arena_dup(a, p, i);
        ck_assert(!npy_parse(a, d, "t", (struct bytes){ part, i }, &back));
    }
}
END_TEST

START_TEST(archive)
{
    struct tensor t[] = {
        make("left", DT_F32, 2, d23, six), make("right", DT_F32, 1, d3, six + 1),
    };
    struct tensors back;
    struct bytes b;

    ck_assert_msg(tensorfile_write(a, d, in_dir("t.npz"), t, 2), "%s", diag_text(d));
    ck_assert(tensorfile_read(a, d, in_dir("t.npz"), &back));
    ck_assert_int_eq(back.n, 2);
    for (int i = 0; i < 2; i++) {
        same(&t[i], &back.at[i]);
        ck_assert_str_eq(back.at[i].name, t[i].name);
    }
    /* The same bytes again, and no crash on any prefix. */
    ck_assert(tensorfile_write(a, d, in_dir("u.npz"), t, 2));
    ck_assert_int_eq(system(arena_printf(a, "cmp -s %s %s", in_dir("t.npz"),
                                         in_dir("u.npz"))), 0);
    ck_assert(file_map(a, d, in_dir("t.npz"), 0, &b));
    for (size_t n = 4; n < b.n; n += 13)
        ck_assert(!tensorfile_parse(a, d, "cut.npz", (struct bytes){ b.p, n }, &back));
    FAILS("tensor-kind", tensorfile_write(a, d, in_dir("t.npy"), t, 2));
}
END_TEST

START_TEST(entry)
{
    struct tensor t = make(NULL, DT_F32, 2, d23, six);
    struct tensors back;

    ck_assert(tensorfile_write(a, d, in_dir("t.npy"), &t, 1));
    ck_assert(tensorfile_read(a, d, in_dir("t.npy@1"), &back));
    ck_assert_str_eq(shape_text(a, &back.at[0].shape), "[1,3]");
    ck_assert(!memcmp(back.at[0].data, six + 3, 12));
    FAILS("tensor-entry", tensorfile_read(a, d, in_dir("t.npy@2"), &back));
    FAILS("tensor-entry", tensorfile_read(a, d, in_dir("t.npy@x"), &back));
    /* A file that is really called so. */
    ck_assert(tensorfile_write(a, d, in_dir("odd@7.npy"), &t, 1));
    ck_assert(tensorfile_read(a, d, in_dir("odd@7.npy"), &back));
    ck_assert_str_eq(shape_text(a, &back.at[0].shape), "[2,3]");
}
END_TEST

START_TEST(fits)
{
    static const double v[] = { 1.5, 2.5, -3.5, 300, -300, 0 };
    static const int64_t d1231[] = { 1, 2, 3, 1 }, d32[] = { 3, 2 };
    struct tensor t = make(NULL, DT_F64, 2, d23, v), out;
    struct type f = { .dt = DT_F32, .shape = shape_make(4, d1231) };
    struct type i8 = { .dt = DT_I8, .shape = shape_make(2, d23) };
    struct type wrong = { .dt = DT_F64, .shape = shape_make(2, d32) };

    ck_assert(tensor_as(a, d, "t", &t, &f, &out));
    for (int i = 0; i < 6; i++)
        ck_assert(((const float *)out.data)[i] == (float)v[i]);
    ck_assert(tensor_as(a, d, "t", &t, &i8, &out));
    static const int8_t want[] = { 2, 2, -4, 127, -128, 0 };
    ck_assert(!memcmp(out.data, want, 6));
    ck_assert(tensor_as(a, d, "t", &out, &f, &out));         /* in place */
    ck_assert(((const float *)out.data)[4] == -128);
    FAILS("tensor-shape", tensor_as(a, d, "t", &t, &wrong, &out));
}
END_TEST

START_TEST(not_tensors)
{
    struct tensors t;

    write_file(in_dir("text"), "hello there\n", 12);
    FAILS("tensor-kind", tensorfile_read(a, d, in_dir("text"), &t));
    write_file(in_dir("p.pgm"), "P5 1 1 255\nx", 12);
    FAILS("tensor-kind", tensorfile_read(a, d, in_dir("p.pgm"), &t));
    write_file(in_dir("e.pb"), "", 0);
    FAILS("onnx-empty", tensorfile_read(a, d, in_dir("e.pb"), &t));
    struct tensor x = make(NULL, DT_F32, 2, d23, six);
    FAILS("tensor-kind", tensorfile_write(a, d, in_dir("x.wav"), &x, 1));
}
END_TEST

/* ---- data sets */

static struct dataset_input one_input, two_inputs[2];

static void
inputs(void)
{
    static const int64_t d13[] = { 1, 3 };

    one_input = (struct dataset_input){ "x", { .dt = DT_F32, .shape = shape_make(2, d13) }, NULL };
    two_inputs[0] = one_input;
    two_inputs[1] = (struct dataset_input){ "z", { .dt = DT_I64, .shape = shape_make(1, d1) }, NULL };
}

static void
save(const char *name, struct tensor t)
{
    ck_assert_msg(tensorfile_write(a, d, in_dir(name), &t, 1), "%s", diag_text(d));
}

static const float *
first(const struct dataset *s, int64_t k)
{
    static struct tensor t[2];

    ck_assert_msg(dataset_get(s, a, d, k, t), "%s", diag_text(d));
    return t[0].data;
}

START_TEST(stacked)
{
    inputs();
    save("x.npy", make(NULL, DT_F32, 2, d23, six));
    struct dataset *s = dataset_open(a, d, in_dir("x.npy"), &one_input, 1);
    ck_assert_msg(s != NULL, "%s", diag_text(d));
    ck_assert_int_eq((int)dataset_count(s), 2);
    ck_assert(first(s, 1)[2] == six[5]);
    s = dataset_open(a, d, in_dir("x.npy@1"), &one_input, 1);
    ck_assert_int_eq((int)dataset_count(s), 1);
    ck_assert(first(s, 0)[0] == six[3]);
    /* As the folder eval/ has it. */
    static const int64_t labels[] = { 4, 7 }, d2[] = { 2 };
    save("x.pb", make(NULL, DT_F32, 2, d23, six));
    save("y.pb", make(NULL, DT_I64, 1, d2, labels));
    s = dataset_open(a, d, dir, &one_input, 1);
    ck_assert_int_eq((int)dataset_count(s), 2);
    ck_assert_int_eq((int)((const int64_t *)dataset_labels(s)->data)[1], 7);
    ck_assert_ptr_null(dataset_reference(s));
    /* Not made of the input. */
    static const int64_t d61[] = { 6, 1 }, d4[] = { 4 };
    save("w.npy", make(NULL, DT_F32, 2, d61, six));
    FAILS("tensor-shape", dataset_open(a, d, in_dir("w.npy"), &one_input, 1) != NULL);
    save("v.npy", make(NULL, DT_F32, 1, d4, six));
    ck_assert_ptr_null(dataset_open(a, d, in_dir("v.npy"), &one_input, 1));
}
END_TEST

START_TEST(folders)
{
    static const int64_t one[] = { 1 };

    inputs();
    for (int k = 0; k < 12; k++) {
        float v[3] = { (float)k, 0, 0 };
        ck_assert_int_eq(mkdir(in_dir(arena_printf(a, "%d", k)), 0700), 0);
        save(arena_printf(a, "%d/input_0.pb", k), make("x", DT_F32, 1, d3, v));
        if (k != 5)
            save(arena_printf(a, "%d/input_1.npy", k), make("z", DT_I64, 1, d1, one));
    }
    write_file(in_dir("README"), "no data", 7);
    struct dataset *s = dataset_open(a, d, dir, &one_input, 1);
    ck_assert_msg(s != NULL, "%s", diag_text(d));
    ck_assert_int_eq((int)dataset_count(s), 12);
    for (int k = 0; k < 12; k++)             /* 2 before 10 */
        ck_assert(first(s, k)[0] == (float)k);
    FAILS("dataset-input", dataset_open(a, d, dir, two_inputs, 2) != NULL);
    s = dataset_open(a, d, in_dir("3"), two_inputs, 2);
    ck_assert_msg(s != NULL, "%s", diag_text(d));
    ck_assert_int_eq((int)dataset_count(s), 1);

    /* A quarter of them, evenly. */
    s = dataset_open(a, d, dir, &one_input, 1);
    struct dataset *sets[] = { s, s };
    struct feed *f = dataset_feed(a, d, sets, 2, 4);
    struct graph *g = graph_new(a, "g");
    graph_input(g, "x", &one_input.type);
    float v[3];
    void *in[] = { v };
    static const float want[] = { 0, 6, 0, 6 };
    for (int round = 0; round < 2; round++) {
        for (int k = 0; k < 4; k++) {
            ck_assert(f->next(f, g, in));
            ck_assert(v[0] == want[k]);
        }
        ck_assert(!f->next(f, g, in));
        f->rewind(f);
    }
    ck_assert(!f->generated);
}
END_TEST

START_TEST(pictures_in_a_folder)
{
    static const int64_t d1122[] = { 1, 1, 2, 2 };
    struct dataset_input in = { "img", { .dt = DT_F32, .shape = shape_make(4, d1122) }, NULL };

    write_file(in_dir("a2.pgm"), "P5 2 2 255\n\x00\x55\xaa\xff", 15);
    write_file(in_dir("a10.PGM"), "P2 2 2 1 1 1 1 1", 16);
    write_file(in_dir("notes.txt"), "x", 1);
    struct dataset *s = dataset_open(a, d, dir, &in, 1);
    ck_assert_msg(s != NULL, "%s", diag_text(d));
    ck_assert_int_eq((int)dataset_count(s), 2);
    ck_assert(fabsf(first(s, 0)[1] - 1 / 3.f) < 1e-6f);
    ck_assert(first(s, 1)[0] == 1);
    ck_assert(diag_has(d, "recipe-default"));
    ck_assert_int_eq(mkdir(in_dir("empty"), 0700), 0);
    FAILS("dataset-empty", dataset_open(a, d, in_dir("empty"), &in, 1) != NULL);
}
END_TEST

START_TEST(named_archive)
{
    static const int64_t ids[] = { 8, 9, 10 }, d2[] = { 2 };
    struct tensor t[] = {
        make("z", DT_I64, 1, d2, ids), make("x", DT_F32, 2, d23, six),
    };
    struct tensor out[2];

    inputs();
    ck_assert(tensorfile_write(a, d, in_dir("s.npz"), t, 2));
    struct dataset *s = dataset_open(a, d, in_dir("s.npz"), two_inputs, 2);
    ck_assert_msg(s != NULL, "%s", diag_text(d));
    ck_assert_int_eq((int)dataset_count(s), 2);
    ck_assert(dataset_get(s, a, d, 1, out));
    ck_assert(((const float *)out[0].data)[0] == six[3]);
    ck_assert_int_eq((int)((const int64_t *)out[1].data)[0], 9);
    t[0].shape.dim[0] = dim_of(3);
    ck_assert(tensorfile_write(a, d, in_dir("s.npz"), t, 2));
    FAILS("dataset-count", dataset_open(a, d, in_dir("s.npz"), two_inputs, 2) != NULL);
}
END_TEST

START_TEST(made_up)
{
    struct tensor t[2], u[2];

    inputs();
    struct dataset *s = dataset_open(a, d, "random:7", two_inputs, 2);
    struct dataset *other = dataset_open(a, d, "random:8", two_inputs, 2);
    ck_assert(dataset_get(s, a, d, 5, t) && dataset_get(s, a, d, 5, u));
    same(&t[0], &u[0]);
    ck_assert(dataset_get(s, a, d, 6, u));
    ck_assert(memcmp(t[0].data, u[0].data, 12) != 0);
    ck_assert(dataset_get(other, a, d, 5, u));
    ck_assert(memcmp(t[0].data, u[0].data, 12) != 0);
    for (int k = 0; k < 50; k++) {
        ck_assert(dataset_get(s, a, d, k, t));
        for (int i = 0; i < 3; i++)
            ck_assert(fabsf(((const float *)t[0].data)[i]) <= 1);
        ck_assert_int_le((int)*(const int64_t *)t[1].data, 1);
    }
    FAILS("dataset-seed", dataset_open(a, d, "random:x", two_inputs, 2) != NULL);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("files");
    TCase *t = tcase_create("tensors"), *q = tcase_create("sets");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_checked_fixture(q, setup, teardown);
#ifdef HAVE_LIBZIP
    tcase_add_loop_test(t, round_trip, 0, 3);
    tcase_add_test(t, archive);
    tcase_add_test(q, named_archive);
#else
    tcase_add_loop_test(t, round_trip, 0, 2);
    (void)archive;
    (void)named_archive;
#endif
    tcase_add_loop_test(t, scalar_and_empty, 0, 2);
    tcase_add_loop_test(t, npy_forms, 0, 4);
    tcase_add_loop_test(t, npy_bad, 0, 14);
    tcase_add_test(t, npy_cut);
    tcase_add_test(t, entry);
    tcase_add_test(t, fits);
    tcase_add_test(t, not_tensors);
    tcase_add_test(q, stacked);
    tcase_add_test(q, folders);
    tcase_add_test(q, pictures_in_a_folder);
    tcase_add_test(q, made_up);
    suite_add_tcase(s, t);
    suite_add_tcase(s, q);
    return tap_run(s);
}
