/* Text IR there and back, and text that is damaged or hostile. */
#include <string.h>

#include "ir/elem.h"
#include "ir/ir.h"
#include "ir/machine.h"
#include "src/base/out.h"
#include "test/unit/tap.h"

static struct arena *arena;
static struct diag *diag;
static struct graph *g;

static void
setup(void)
{
    arena = arena_new();
    diag = diag_new(arena, NULL);
    g = graph_new(arena, "test.gir");
    g->opset = 13;
}

static void
teardown(void)
{
    diag_free(diag);
    arena_free(arena);
}

static struct type
f32(int rank, const int64_t *dims)
{
    return (struct type){ .dt = DT_F32, .shape = shape_make(rank, dims) };
}

static struct value *
input(const char *name)
{
    struct type t = f32(2, (int64_t[]){ 2, 3 });

    return graph_input(g, name, &t);
}

static struct value *
apply(const char *op, const char *name, struct value *x, struct value *y)
{
    struct type t = f32(2, (int64_t[]){ 2, 3 });
    struct value *in[2] = { x, y }, *out = graph_value(g, name, &t);
    const struct op_def *def = op_find(NULL, op);

    ck_assert_ptr_nonnull(def);
    graph_node(g, NULL, def, name, in, y ? 2 : 1, &out, 1);
    return out;
}

static unsigned
dice(unsigned *seed, unsigned n)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % n;
}

static const char *
printed(const struct graph *h, bool full)
{
    struct out *o = out_memory(arena);

    ir_print(h, o, full);
    return out_text(o, NULL);
}

static struct graph *
parsed(const char *text)
{
    return ir_parse(arena, diag, "test.gir", text, strlen(text));
}

static const char net[] =
    "graph \"two words\" opset 13 stage net facts (types, order) recipe \"mean=0\"\n"
    "input %image: float [N<=8,1,3,3] range(-1, 0.1)\n"
    "input %\"odd \\\"name\\\\\\x01\": int64 []\n"
    "const %w: float [2,1,1,1] = { 0.1, -inf }\n"
    "const %big: int8 [3,1] q(0.5:-3, 0.25:0, 1e-20:127) axis 0 mutable = { -128, 0, 127 }\n"
    "const %n: int4 [3] = { -8, 7, 1 }\n"
    "const %u: uint64 [1] = { 18446744073709551615 }\n"
    "const %nan: float [1] = hex \"0100c07f\"\n"
    "const %none: float [0,4] = { }\n"
    "value %h: float [2]\n"
    "state %h -> %h2 = { 1, 2 }\n"
    "%y = Conv(%image, %w, _) { group=1, kernel_shape=[1,1], auto_pad=SAME_UPPER } name \"c 1\""
    " place 1 0 from \"a\" Conv, \"b\" \"odd op\" epi act(0, inf) epi add(%w)"
    " epi pool(0, 3, 3, 2, 2, 1, 1, 0, 0, 1, 1, 0) : float [N<=8,2,3,3]\n"
    "%h2 = Relu(%h) name \"r\" : float [2] layout([0], zero-point, 64, 8, 32, 4, 2, 2)\n"
    "output %y\n"
    "output %h2\n";

/* Prints the text it was given, but for defaults that were spelled out. */
START_TEST(round_trip)
{
    struct graph *h = parsed(net);

    ck_assert_msg(h != NULL, "%s", diag_text(diag));
    const char *one = printed(h, true);
    struct graph *again = parsed(one);
    ck_assert_msg(again != NULL, "%s\n%s", one, diag_text(diag));
    ck_assert_str_eq(printed(again, true), one);

    const struct node *n = h->first;
    const struct m_pool_attr *p = n->epi->next->next->attr;
    ck_assert_int_eq(h->inputs[0]->type.shape.dim[0].sym->max, 8);
    ck_assert(h->inputs[0]->ranged);
    ck_assert_float_eq(h->inputs[0]->hi, 0.1f);
    ck_assert_str_eq(h->inputs[1]->name, "odd \"name\\\001");
    ck_assert_int_eq(h->inputs[1]->type.shape.rank, 0);
    ck_assert_ptr_null(n->in[2]);
    ck_assert_int_eq(n->place.core, 1);
    ck_assert_str_eq(n->from->next->op, "odd op");
    ck_assert_int_eq(p->kernel[1], 3);
    ck_assert_int_eq(p->pads[3], 1);
    ck_assert_int_eq(h->first->next->out[0]->type.layout->before[0], 2);
    ck_assert_ptr_eq(h->states[0].out, n->next->out[0]);
    ck_assert_str_eq(h->recipe, "mean=0");
    ck_assert_ptr_nonnull(strstr(one, "%\"odd \\\"name\\\\\\x01\": int64 []"));
    ck_assert_ptr_nonnull(strstr(one, "{ 0.1, -inf }"));
    ck_assert_ptr_nonnull(strstr(one, "q(0.5:-3, 0.25:0, 1e-20:127) axis 0 mutable"));
    ck_assert_ptr_nonnull(strstr(one, "hex \"0100c07f\""));
    ck_assert_ptr_nonnull(strstr(one, "18446744073709551615"));
}
END_TEST

START_TEST(machine_text)
{
    static const char text[] = "graph \"m\" opset 13 stage machine\n"
                               "input %x: int8 [1,1,4,4] q(0.5:-1)\n"
                               "const %r: float [1,1,1,1] = { 1.5 }\n"
                               "const %w: int8 [1,1,1,1] q(0.5:0) real %r = { 3 }\n"
                               "const %b: int32 [1] = { -7 }\n"
                               "%y = m.conv(%x, %w, %b) { pad_value=-1, scale=[0.1] } name \"c\" : "
                               "int8 [1,1,4,4] q(0.25:3)\n"
                               "output %y\n";
    struct graph *h = parsed(text);

    ck_assert_msg(h != NULL, "%s", diag_text(diag));
    ck_assert_str_eq(printed(h, false), text);
    ck_assert_int_eq(((struct m_conv_attr *)h->first->attr)->pad_value, -1);
    ck_assert_ptr_eq(h->first->in[1]->real, h->values[1]);
}
END_TEST

/* Nested graphs have values of their own and read those around them. */
START_TEST(nested_text)
{
    static const char text[] = "graph \"n\" opset 13 stage net\n"
                               "input %x: float [2]\n"
                               "%y = Relu(%x) name \"outer\" body {\n"
                               "    %z = Neg(%x) name \"inner\" : float [2]\n"
                               "    output %z\n"
                               "} : float [2]\n"
                               "output %y\n";
    struct graph *h = parsed(text);

    ck_assert_msg(h != NULL, "%s", diag_text(diag));
    ck_assert_str_eq(printed(h, false), text);
    ck_assert_ptr_eq(h->first->body[0]->outer, h);
    ck_assert_int_eq(h->inputs[0]->nuse, 2);
    ck_assert(graph_sort(h, diag));
    ck_assert(ir_verify(h, diag));
}
END_TEST

START_TEST(same_names)
{
    struct value *x = input("x"), *a = apply("Relu", "a", x, NULL),
                 *b = apply("Relu", "a", a, NULL);

    graph_output(g, b);
    const char *text = printed(g, false);
    struct graph *h = parsed(text);
    ck_assert_msg(h != NULL, "%s\n%s", text, diag_text(diag));
    ck_assert_str_eq(printed(h, false), text);
    ck_assert_ptr_eq(h->last->in[0], h->first->out[0]);
}
END_TEST

START_TEST(constants)
{
    float big[100];
    struct type t = f32(1, (int64_t[]){ 100 });
    struct value *x = input("x");

    for (int i = 0; i < 100; i++)
        big[i] = (float)i / 3;
    graph_const(g, "big", &t, big);
    graph_output(g, apply("Relu", "y", x, NULL));
    ck_assert_ptr_nonnull(strstr(printed(g, false), "digest \""));
    ck_assert_ptr_null(parsed(printed(g, false)));
    ck_assert(diag_has(diag, "ir-constant"));
    struct graph *h = parsed(printed(g, true));
    ck_assert_ptr_nonnull(h);
    ck_assert_mem_eq(h->values[1]->data, big, sizeof big);

    h = parsed("graph \"\" const %a: int8 [50] = fill -3 const %b: float [200] = random 9 -1 2"
               " const %c: int8 [500] = random 9 -2 2 const %d: int4 [3] = fill -2");
    ck_assert_ptr_nonnull(h);
    const float *b = h->values[1]->data;
    const int8_t *c = h->values[2]->data;
    bool low = false, high = false;
    ck_assert_int_eq(((const int8_t *)h->values[0]->data)[49], -3);
    for (int i = 0; i < 200; i++)
        ck_assert(b[i] >= -1 && b[i] <= 2);
    for (int i = 0; i < 500; i++) {
        ck_assert(c[i] >= -2 && c[i] <= 2);
        low |= c[i] == -2;
        high |= c[i] == 2;
    }
    ck_assert(low && high);
    ck_assert_int_eq(elem_int(DT_I4, h->values[3]->data, 2), -2);
}
END_TEST

static const struct {
    const char *text;
    int line;
    const char *says;
} wrong[] = {
    { "", 1, "graph" },
    { "grph \"\"", 1, "graph" },
    { "graph \"\" stage nett", 1, "nett" },
    { "graph \"\"\ninput %x float [1]", 2, "':'" },
    { "graph \"\"\ninput %x: flot [1]", 2, "flot" },
    { "graph \"\"\ninput %x: float [1,]", 2, "size" },
    { "graph \"\"\ninput %x: float [-1]", 2, "'<'" },
    { "graph \"\"\ninput %x: float [1,1,1,1,1,1,1,1,1]", 2, "8 axes" },
    { "graph \"\"\ninput %x: float [99999999999999999999]", 2, "whole number" },
    { "graph \"\"\n\nconst %x: float [2] = { 1 }", 3, "','" },
    { "graph \"\"\nconst %x: int8 [1] = { 128 }", 2, "between" },
    { "graph \"\"\nconst %x: int8 [1] = { 1.5 }", 2, "whole number" },
    { "graph \"\"\nconst %x: float [1000000,1000000] = { 1 }", 2, "cannot be" },
    { "graph \"\"\nconst %x: float [1000000,1000000] = fill 1", 2, "cannot be" },
    { "graph \"\"\nconst %x: float [N<=4] = { 1 }", 2, "fixed" },
    { "graph \"\"\nconst %x: float [1] = hex \"00\"", 2, "hex digits" },
    { "graph \"\"\nconst %x: float [1] = hex \"0000000g\"", 2, "hex digit" },
    { "graph \"\"\ninput %x: int8 [4] q(1:0, 1:0) axis 0", 2, "scales" },
    { "graph \"\"\ninput %x: int8 [4] q(1:0) axis 9", 2, "between" },
    { "graph \"\"\ninput %x: float [1]\ninput %x: float [1]", 3, "above" },
    { "graph \"\"\n%y = Covn(%x)", 2, "Conv" },
    { "graph \"\"\n%y = Relu(%x)\noutput %y", 2, "defined nowhere" },
    { "graph \"\"\ninput %x: float [1]\n%y = Relu(%x)\n%y = Relu(%x)", 4, "twice" },
    { "graph \"\"\ninput %x: float [1]\n%x = Relu(%x)", 3, "twice" },
    { "graph \"\"\ninput %x: float [1]\n%y = Relu(%x) { alpha=1 }", 3, "alpha" },
    { "graph \"\"\ninput %x: float [1]\n%y = Conv(%x, %x) { group=x }", 3, "'x'" },
    { "graph \"\"\ninput %x: float [1]\n%y = Relu(%x) epi act(0)", 3, "','" },
    { "graph \"\"\ninput %x: float [1]\n%y = Relu(%x) epi pool(0,0,0,0,0,0,0,0,0,0,0,0)", 3,
        "between" },
    { "graph \"\"\ninput %x: float [1]\n%y = Relu(%x) name \"unended", 3, "end" },
    { "graph \"\"\ninput %x: float [1]\n%y = Relu(%x) name \"\\q\"", 3, "escape" },
    { "graph \"\"\ninput %x: float [1]\n%y = Relu(%x) }", 3, "meaning" },
    { "graph \"\"\ninput %x: float [1]\n%y = Relu(%x) body {", 3, "'}'" },
    { "graph \"\"\n\001", 2, "0x1" },
    { "graph \"\"\nstate %a -> %b", 2, "value" },
};

START_TEST(errors)
{
    ck_assert_msg(!parsed(wrong[_i].text), "%s", wrong[_i].text);
    ck_assert_msg(diag_has(diag, "ir-syntax"), "%s", diag_text(diag));
    ck_assert_msg(strstr(diag_text(diag), wrong[_i].says), "%s", diag_text(diag));
    const char *at = arena_printf(arena, "test.gir:%d:", wrong[_i].line);
    ck_assert_msg(strstr(diag_text(diag), at), "%s", diag_text(diag));
    ck_assert_int_eq(diag_count(diag, SEV_ERROR), 1);
}
END_TEST

/* Text that reads as well but makes no graph is refused by the verifier. */
START_TEST(refused)
{
    ck_assert_ptr_null(parsed("graph \"\" input %x: float [1] %y = Add(%x) : float [1] output %y"));
    ck_assert(diag_has(diag, "ir-verify"));
}
END_TEST

static void
either_way(const char *text, size_t len)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new(a, NULL);
    struct graph *h = ir_parse(a, d, "x", text, len);
    struct out *o = out_memory(a), *again = out_memory(a);

    ck_assert_int_eq(h == NULL, diag_count(d, SEV_ERROR) > 0);
    if (h) {
        size_t n;
        ir_print(h, o, true);
        const char *s = out_text(o, &n);
        struct graph *k = ir_parse(a, d, "x", s, n);
        ck_assert_msg(k != NULL, "%s\n%s", s, diag_text(d));
        ir_print(k, again, true);
        ck_assert_str_eq(out_text(again, NULL), s);
        ir_dot(h, o);
    }
    diag_free(d);
    arena_free(a);
}

START_TEST(truncated)
{
    for (size_t n = 0; n < sizeof net; n++)
        either_way(net, n);
}
END_TEST

START_TEST(damaged)
{
    static const char bytes[] = "0%\"[]{}(),:=_-.x\n\\\xff";
    unsigned seed = 3;
    char text[sizeof net];

    for (int round = 0; round < 4000; round++) {
        memcpy(text, net, sizeof net);
        for (unsigned k = 1 + dice(&seed, 3); k > 0; k--)
            text[dice(&seed, sizeof net - 1)] = bytes[dice(&seed, sizeof bytes)];
        either_way(text, sizeof net - 1);
    }
}
END_TEST

START_TEST(nested_too_deep)
{
    struct out *o = out_memory(arena);
    size_t n;

    out_puts(o, "graph \"\" input %x: float [1]\n");
    for (int i = 0; i < 10000; i++)
        out_puts(o, "_ = Relu(%x) body {\n");
    const char *s = out_text(o, &n);
    ck_assert_ptr_null(ir_parse(arena, diag, "x", s, n));
    ck_assert_ptr_nonnull(strstr(diag_text(diag), "deep"));
}
END_TEST

START_TEST(dot)
{
    struct value *x = input("in\"put");
    struct out *o = out_memory(arena);

    graph_output(g, apply("Relu", "a", x, NULL));
    ir_dot(g, o);
    const char *s = out_text(o, NULL);
    ck_assert_ptr_nonnull(strstr(s, "v0 -> n0 [label=\"float [2,3]\"]"));
    ck_assert_ptr_nonnull(strstr(s, "in\\\"put"));
    ck_assert_ptr_nonnull(strstr(s, "n0 -> o0"));
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("gir");
    TCase *t = tcase_create("text");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, round_trip);
    tcase_add_test(t, machine_text);
    tcase_add_test(t, nested_text);
    tcase_add_test(t, same_names);
    tcase_add_test(t, constants);
    tcase_add_loop_test(t, errors, 0, (int)(sizeof wrong / sizeof *wrong));
    tcase_add_test(t, refused);
    tcase_add_test(t, truncated);
    tcase_add_test(t, damaged);
    tcase_add_test(t, nested_too_deep);
    tcase_add_test(t, dot);
    suite_add_tcase(s, t);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
