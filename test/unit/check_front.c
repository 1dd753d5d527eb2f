/* The ONNX importer: what a graph looks like, sizes by name, attributes, and every
 * way a model can be wrong. */
#include "ir/ops/attrs.h"
#include "src/front/onnx.h"
#include "test/unit/frontfix.h"

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
    ck_assert_ptr_nonnull(strstr(t, "the nearest name that is: Relu"));
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
    suite_add_tcase(s, t);
    return tap_run(s);
}
