/* Model-local functions, and files that were damaged on purpose. */
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
        { 500, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, 3, text },
        { 500, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, 3, text },
    };

    model_proto(m)->graph->node[0]->base.n_unknown_fields = 2;
    model_proto(m)->graph->node[0]->base.unknown_fields = u;
    ck_assert_ptr_nonnull(model_graph(m, a, d));
    ck_assert_int_eq(count(diag_text(d), "[onnx-unknown-field]"), 1);
    ck_assert_msg(strstr(diag_text(d), "NodeProto field 500 2 times") != NULL,
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
    Suite *s = suite_create("hostile");
    TCase *t = tcase_create("onnx");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
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
