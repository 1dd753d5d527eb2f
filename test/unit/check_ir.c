/* The graph itself: sizes and shapes, surgery, sorting, the verifier, and text IR
 * there and back, hostile text included. */
#include <math.h>
#include <string.h>

#include "ir/elem.h"
#include "ir/ir.h"
#include "ir/machine.h"
#include "ir/pass.h"
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

static void
verified(void)
{
    bool fine = ir_verify(g, diag);

    ck_assert_msg(fine, "%s", diag_text(diag));
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

/* ------------------------------------------------------------------ sizes */

static struct shape
shape_of(const char *text)
{
    struct shape s = { .rank = 0 };

    for (; *text; text++)
        s.dim[s.rank++] = dim_of(*text == '?' ? -1 : *text - '0');
    return s;
}

START_TEST(broadcasting)
{
    static const struct { const char *a, *b, *want; } rows[] = {
        { "234", "234", "234" }, { "234", "4", "234" }, { "234", "31", "234" },
        { "214", "31", "234" }, { "", "23", "23" }, { "1", "0", "0" }, { "234", "3", NULL },
        { "2", "3", NULL }, { "0", "2", NULL }, { "?3", "23", "23" }, { "?3", "13", "?3" },
        { "??", "1", "??" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct shape a = shape_of(rows[i].a), b = shape_of(rows[i].b), ab, ba;
        bool fits = shape_broadcast(&a, &b, &ab);
        ck_assert_int_eq(fits, rows[i].want != NULL);
        ck_assert_int_eq(shape_broadcast(&b, &a, &ba), fits);
        if (!fits)
            continue;
        struct shape want = shape_of(rows[i].want);
        ck_assert_msg(shape_equal(&ab, &want), "%s %s", rows[i].a, rows[i].b);
        ck_assert(shape_equal(&ba, &want));
    }
}
END_TEST

START_TEST(counting)
{
    struct type t = f32(4, (int64_t[]){ 2, 3, 4, 5 });

    ck_assert_int_eq(shape_elems(&t.shape), 120);
    ck_assert_int_eq(shape_count(&t.shape, 1, 3), 12);
    ck_assert_int_eq(shape_count(&t.shape, 2, 2), 1);
    ck_assert_int_eq(shape_bytes(&t, 2), 80);
    t.dt = DT_I4;
    ck_assert_int_eq(shape_bytes(&t, 3), 3);             /* 5 nibbles */
    t.shape.dim[0].n = t.shape.dim[1].n = (int64_t)1 << 40;
    ck_assert_int_eq(shape_elems(&t.shape), INT64_MAX);
    t.shape.dim[2].n = 0;
    ck_assert_int_eq(shape_elems(&t.shape), 0);
    ck_assert_int_eq(wrap_axis(-1, 4), 3);
    ck_assert_int_eq(wrap_axis(-4, 4), 0);
    ck_assert_int_eq(wrap_axis(-5, 4), -5);
    ck_assert_int_eq(wrap_axis(4, 4), 4);
    ck_assert_int_ge(wrap_axis((int64_t)1 << 32, 4), 4); /* not cut to 0 */
}
END_TEST

START_TEST(symbols)
{
    struct sym s = { "N", 8 }, alike = { "N", 8 }, other = { "M", 8 };
    struct dim n = { 8, &s }, m = { 8, &other }, n2 = { 8, &alike };

    ck_assert(!dim_known(n));
    ck_assert(dim_equal(n, n2));
    ck_assert(!dim_equal(n, m));
    ck_assert(!dim_equal(n, dim_of(8)));
    ck_assert(dim_equal(dim_mul(arena, dim_of(1), n), n));
    ck_assert(dim_equal(dim_add(arena, n, dim_of(0)), n));
    ck_assert_int_eq(dim_mul(arena, dim_of(0), n).n, 0);
    ck_assert(dim_equal(dim_add(arena, n, dim_of(3)), dim_add(arena, n2, dim_of(3))));
    ck_assert_str_eq(dim_text(arena, dim_add(arena, n, dim_of(3))), "N+3<=11");
    ck_assert_str_eq(dim_text(arena, dim_mul(arena, dim_of(2), m)), "2*M<=16");
    ck_assert_int_eq(dim_add(arena, n, dim_of(-1)).n, -1);
    ck_assert_int_eq(dim_mul(arena, dim_of(INT64_MAX), dim_of(2)).n, INT64_MAX);
}
END_TEST

START_TEST(small_floats)
{
    static const struct { float f; uint16_t half, brain; } rows[] = {
        { 1, 0x3c00, 0x3f80 }, { -2, 0xc000, 0xc000 }, { 65504, 0x7bff, 0x4780 },
        { 65519.996f, 0x7bff, 0x4780 }, { 65520, 0x7c00, 0x4780 }, { 0x1p-24f, 1, 0x3380 },
        { 0x1p-25f, 0, 0x3300 }, { 0x1.8p-25f, 1, 0x3340 }, { 0x1p-14f, 0x0400, 0x3880 },
        { -0.0f, 0x8000, 0x8000 }, { 1 + 0x1p-11f, 0x3c00, 0x3f80 },
        { 1 + 0x1.8p-10f, 0x3c02, 0x3f80 }, { 1 + 0x1p-8f, 0x3c04, 0x3f80 },
        { 1 + 0x3p-8f, 0x3c0c, 0x3f82 }, { INFINITY, 0x7c00, 0x7f80 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_uint_eq(elem_to_f16(rows[i].f), rows[i].half);
        ck_assert_uint_eq(elem_to_bf16(rows[i].f), rows[i].brain);
    }
    for (uint32_t h = 0; h < 65536; h++) {
        float f = elem_from_f16((uint16_t)h);
        if (isnan(f))
            ck_assert((h & 0x7c00) == 0x7c00 && h & 0x3ff);
        else
            ck_assert_uint_eq(elem_to_f16(f), h);
    }
}
END_TEST

START_TEST(single_elements)
{
    unsigned char m[16] = { 0 };

    elem_put_int(DT_I4, m, 1, -3);
    elem_put_int(DT_I4, m, 0, 9);                        /* saturates at 7 */
    ck_assert_uint_eq(m[0], 0xd7);
    ck_assert_int_eq(elem_int(DT_I4, m, 0), 7);
    ck_assert_int_eq(elem_int(DT_I4, m, 1), -3);
    elem_put_real(DT_U8, m, 3, 2.5);
    ck_assert_int_eq(m[3], 2);
    elem_put_real(DT_U8, m, 3, 1e9);
    ck_assert_int_eq(m[3], 255);
    elem_put_real(DT_I32, m, 1, -1e20);
    ck_assert_int_eq(elem_int(DT_I32, m, 1), INT32_MIN);
    elem_put_real(DT_F32, m, 0, NAN);
    ck_assert_int_eq(elem_int(DT_F32, m, 0), 0);
    elem_put_int(DT_U64, m, 0, -1);
    ck_assert_int_eq(elem_int(DT_U64, m, 0), 0);
}
END_TEST

/* ------------------------------------------------------------------ operators */

START_TEST(registry)
{
    ck_assert_ptr_eq(op_find("ai.onnx", "Conv"), op_find(NULL, "Conv"));
    ck_assert_ptr_eq(op_find("", "m.conv"), &op_m_conv);
    ck_assert_ptr_null(op_find("com.example", "Conv"));
    ck_assert_str_eq(op_nearest("Covn"), "Conv");
    ck_assert_ptr_null(op_nearest("Xyzzy_Plugh"));
    for (int i = 0; op_at(i); i++) {
        const struct op_def *op = op_at(i);
        ck_assert_ptr_eq(op_find(op->domain, op->name), op);     /* no two alike */
        ck_assert_ptr_nonnull(op->doc);
        ck_assert_int_le(op->min_in, op->max_in);
        ck_assert(op->stages);
        for (const struct rule *r = op->rules; r && r->id; r++)
            ck_assert_msg(diag_find(r->id) || diag_find("op-rule"), "%s", r->id);
    }
    ck_assert_ptr_null(op_at(-1));
}
END_TEST

/* Every attribute's default reads, and reads back from its own text. */
START_TEST(attributes)
{
    for (int i = 0; op_at(i); i++) {
        const struct op_def *op = op_at(i);
        void *a = arena_alloc(arena, op->attr_size + 1), *b = arena_alloc(arena, op->attr_size + 1);
        attr_defaults(arena, op, a);
        for (const struct attr_def *d = op->attrs; d && d->name; d++) {
            const char *text = attr_text(arena, d, a);
            ck_assert_msg(attr_parse(arena, d, b, text), "%s %s '%s'", op->name, d->name, text);
            ck_assert_str_eq(attr_text(arena, d, b), text);
            ck_assert_ptr_eq(attr_find(op, d->name), d);
            ck_assert_uint_lt(d->offset, op->attr_size);
        }
    }
}
END_TEST

START_TEST(attribute_text)
{
    struct { struct ints k; struct floats f; int64_t e, b; float x; const char *s; } a = { 0 };
    const struct attr_def ints = { .kind = ATTR_INTS, .offset = 0 };
    const struct attr_def floats = { .kind = ATTR_FLOATS, .offset = (size_t)((char *)&a.f - (char *)&a) };
    const struct attr_def e = { .kind = ATTR_ENUM, .offset = (size_t)((char *)&a.e - (char *)&a),
                                .choices = "NOTSET|SAME|VALID" };
    const struct attr_def b = { .kind = ATTR_BOOL, .offset = (size_t)((char *)&a.b - (char *)&a) };
    const struct attr_def x = { .kind = ATTR_FLOAT, .offset = (size_t)((char *)&a.x - (char *)&a) };

    ck_assert(attr_parse(arena, &ints, &a, "[1, -2,3]"));
    ck_assert_int_eq(a.k.n, 3);
    ck_assert_int_eq(a.k.at[1], -2);
    ck_assert_str_eq(attr_text(arena, &ints, &a), "[1,-2,3]");
    ck_assert(attr_parse(arena, &ints, &a, "[]"));
    ck_assert_int_eq(a.k.n, 0);
    ck_assert(!attr_parse(arena, &ints, &a, "[1,x]"));
    ck_assert(!attr_parse(arena, &ints, &a, "[99999999999999999999]"));
    ck_assert(attr_parse(arena, &floats, &a, "[0.1,inf,1e-30]"));
    ck_assert_str_eq(attr_text(arena, &floats, &a), "[0.1,inf,1e-30]");
    ck_assert(attr_parse(arena, &e, &a, "VALID"));
    ck_assert_int_eq(a.e, 2);
    ck_assert_str_eq(attr_text(arena, &e, &a), "VALID");
    ck_assert(!attr_parse(arena, &e, &a, "SAM"));
    ck_assert(attr_parse(arena, &b, &a, "true"));
    ck_assert_int_eq(a.b, 1);
    ck_assert(!attr_parse(arena, &b, &a, "2"));
    ck_assert(attr_parse(arena, &x, &a, "-0x1.8p-3"));
    ck_assert_str_eq(attr_text(arena, &x, &a), "-0.1875");
    ck_assert(!attr_parse(arena, &x, &a, "1.5q"));
}
END_TEST

/* ------------------------------------------------------------------ surgery */

START_TEST(building)
{
    struct value *x = input("x"), *a = apply("Relu", "a", x, NULL), *b = apply("Add", "b", a, a);
    struct node *n = b->def;

    graph_output(g, b);
    verified();
    ck_assert_int_eq(a->nuse, 2);
    ck_assert_ptr_null(value_only_user(a));
    ck_assert_ptr_eq(value_only_user(x), a->def);
    ck_assert_ptr_null(value_only_user(b));              /* an output */
    node_set_input(n, 1, x);
    verified();
    ck_assert_ptr_eq(value_only_user(a), n);
    node_set_input(n, 1, NULL);
    ck_assert_int_eq(x->nuse, 1);
    node_set_input(n, 1, x);
    node_add_input(g, n, a);
    ck_assert_int_eq(n->nin, 3);
    ck_assert_int_eq(a->nuse, 2);
    ck_assert_int_eq(n->place.device, -1);
}
END_TEST

START_TEST(names_are_never_empty)
{
    struct value *x = input("x"), *y = graph_value(g, "", NULL);
    struct node *n = graph_node(g, NULL, op_find(NULL, "Relu"), "", &x, 1, &y, 1);

    ck_assert_str_ne(y->name, "");
    ck_assert_ptr_nonnull(strstr(n->name, "Relu"));
    ck_assert_ptr_nonnull(strstr(n->name, y->name));
    struct place_ref at = node_place(g, n);
    ck_assert_str_eq(at.file, "test.gir");
    ck_assert_str_eq(at.op, "Relu");
    ck_assert_ptr_eq(at.node, n->name);
}
END_TEST

START_TEST(replacing)
{
    struct value *x = input("x"), *a = apply("Relu", "a", x, NULL), *b = apply("Identity", "b", a, NULL);
    struct value *c = apply("Add", "c", b, a);

    graph_output(g, c);
    graph_output(g, b);
    node_add_epi(g, c->def, EPI_ADD, b, NULL);
    value_replace(g, b, a);
    node_remove(g, b->def);
    ck_assert_ptr_null(b->def);
    value_remove(g, b);
    verified();
    ck_assert_ptr_eq(g->outputs[1], a);
    ck_assert_str_eq(a->name, "b");                      /* the output's name stays */
    ck_assert_ptr_eq(c->def->epi->arg, a);
    ck_assert_int_eq(a->nuse, 3);
    ck_assert_ptr_null(g->values[b->id]);
}
END_TEST

/* A lowering writes the value again before the old node goes. */
START_TEST(taking_over)
{
    struct value *x = input("x"), *a = apply("Relu", "a", x, NULL);
    struct node *old = a->def, *new;

    graph_output(g, a);
    new = graph_node(g, old, op_find(NULL, "Abs"), "new", &x, 1, &a, 1);
    ck_assert_ptr_eq(g->first, new);
    node_remove(g, old);
    ck_assert_ptr_eq(a->def, new);
    verified();
}
END_TEST

START_TEST(origins)
{
    struct value *x = input("x"), *a = apply("Relu", "a", x, NULL), *b = apply("Relu", "b", a, NULL);
    struct value *c = apply("Relu", "c", b, NULL);

    ck_assert_str_eq(node_models(arena, a->def), "a");
    node_join_origin(g, a->def, b->def);
    node_join_origin(g, a->def, c->def);
    node_join_origin(g, a->def, b->def);                 /* known already */
    ck_assert_str_eq(node_models(arena, a->def), "a + b + c");
    ck_assert_str_eq(a->def->from->op, "Relu");
}
END_TEST

static unsigned
dice(unsigned *seed, unsigned n)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % n;
}

/* Random rewiring never gets the use lists out of step. */
START_TEST(random_surgery)
{
    unsigned seed = 1;
    struct value *v[40] = { input("x"), input("y") };

    for (int i = 2; i < 40; i++)
        v[i] = apply("Add", arena_printf(arena, "v%d", i), v[dice(&seed, (unsigned)i)],
                     v[dice(&seed, (unsigned)i)]);
    graph_output(g, v[39]);
    for (int round = 0; round < 300; round++) {
        unsigned i = 2 + dice(&seed, 38), j = dice(&seed, i), k = dice(&seed, i);
        if (!v[i] || !v[j] || !v[k])
            continue;
        if (round % 9 != 0) {
            node_set_input(v[i]->def, (int)dice(&seed, 2), v[j]);
        } else if (i != 39) {
            value_replace(g, v[i], v[j]);
            node_remove(g, v[i]->def);
            value_remove(g, v[i]);
            v[i] = NULL;
        }
        verified();
    }
}
END_TEST

/* ------------------------------------------------------------------ order */

START_TEST(sorting)
{
    unsigned seed = 7;

    for (int round = 0; round < 50; round++) {
        struct value *v[30];
        teardown();
        setup();
        v[0] = input("x");
        for (int i = 1; i < 30; i++) {
            struct type t = f32(2, (int64_t[]){ 2, 3 });
            v[i] = graph_value(g, "v", &t);
        }
        /* Nodes come in any order; that of 1 .. 29 is a valid one. */
        for (int i = 1, at = 0; i < 30; i++) {
            at = (at + 11) % 29;
            struct value *in[2] = { v[dice(&seed, (unsigned)at + 1)], v[dice(&seed, (unsigned)at + 1)] };
            graph_node(g, NULL, op_find(NULL, "Add"), NULL, in, 2, &v[at + 1], 1);
        }
        ck_assert(graph_sort(g, diag));
        ck_assert_uint_eq(g->facts & FACT_ORDER, FACT_ORDER);
        verified();                                      /* checks the order, too */
        const char *before = printed(g, true);
        ck_assert(graph_sort(g, diag));
        ck_assert_str_eq(printed(g, true), before);
    }
}
END_TEST

START_TEST(stable_sorting)
{
    struct value *x = input("x"), *late, *y, *names[3];

    late = graph_value(g, "late", &x->type);
    names[0] = apply("Relu", "a", x, NULL);
    y = apply("Add", "needs-late", names[0], late);
    names[1] = apply("Relu", "b", x, NULL);
    names[2] = apply("Relu", "c", x, NULL);
    graph_node(g, NULL, op_find(NULL, "Neg"), "late", &x, 1, &late, 1);
    ck_assert(graph_sort(g, diag));
    const char *want[] = { "a", "late", "needs-late", "b", "c" };
    const struct node *n = g->first;
    for (int i = 0; i < 5; i++, n = n->next)
        ck_assert_str_eq(n->name, want[i]);
    ck_assert_ptr_null(n);
    (void)y;
}
END_TEST

START_TEST(cycles)
{
    struct value *x = input("x"), *a = apply("Add", "first", x, x), *b = apply("Relu", "second", a, NULL);

    node_set_input(a->def, 1, b);
    ck_assert(!graph_sort(g, diag));
    ck_assert(diag_has(diag, "graph-cycle"));
    ck_assert_ptr_nonnull(strstr(diag_text(diag), "second"));
}
END_TEST

/* A chain of 100,000 nodes the wrong way round. */
START_TEST(deep_sorting)
{
    enum { N = 100000 };
    struct value **v = NEWN(arena, struct value *, N + 1);

    v[0] = input("x");
    for (int i = 1; i <= N; i++)
        v[i] = graph_value(g, "v", &v[0]->type);
    for (int i = N; i > 0; i--)
        graph_node(g, NULL, op_find(NULL, "Relu"), "n", &v[i - 1], 1, &v[i], 1);
    ck_assert(graph_sort(g, diag));
    ck_assert_ptr_eq(g->first->in[0], v[0]);
    ck_assert_ptr_eq(g->last->out[0], v[N]);
}
END_TEST

/* ------------------------------------------------------------------ verify */

static void break_use(struct value *x, struct value *a) { (void)a; x->nuse--; }
static void break_input(struct value *x, struct value *a) { (void)x; a->def->in[0] = a; }
static void break_def(struct value *x, struct value *a) { (void)x; a->def = NULL; }
static void break_index(struct value *x, struct value *a) { (void)x; a->def_index = 1; }
static void break_value_id(struct value *x, struct value *a) { (void)a; x->id = 7; }
static void break_node_id(struct value *x, struct value *a) { (void)x; a->def->id = 1000; }
static void break_same_id(struct value *x, struct value *a) { (void)x; a->def->id = a->def->next->id; }
static void break_link(struct value *x, struct value *a) { (void)x; a->def->next->prev = NULL; }
static void break_ring(struct value *x, struct value *a) { (void)x; g->last->next = a->def; }
static void break_last(struct value *x, struct value *a) { (void)x; g->last = a->def; }
static void break_name(struct value *x, struct value *a) { (void)x; a->def->name = NULL; }
static void break_stage(struct value *x, struct value *a) { (void)x, (void)a; g->stage = STAGE_MACHINE; }
static void break_arity(struct value *x, struct value *a) { (void)x; node_add_input(g, a->def, NULL); }
static void break_left_out(struct value *x, struct value *a) { (void)x; node_set_input(a->def, 0, NULL); }
static void break_flag(struct value *x, struct value *a) { (void)x; a->is_input = true; }
static void break_output(struct value *x, struct value *a) { (void)x, (void)a; g->outputs[0]->is_output = false; }
static void break_home(struct value *x, struct value *a) { (void)a; x->home = NULL; }
static void break_removed(struct value *x, struct value *a) { (void)a; g->values[x->id] = NULL; }
static void break_size(struct value *x, struct value *a) { (void)a; x->type.shape.dim[0].n = -3; }
static void break_rank(struct value *x, struct value *a) { (void)a; x->type.shape.rank = 9; }
static void break_none(struct value *x, struct value *a) { (void)a; g->facts = FACT_TYPES; x->type.dt = DT_NONE; }
static void
break_dtype(struct value *x, struct value *a)
{
    int far = DT_COUNT + 3;

    (void)a;
    memcpy(&x->type.dt, &far, sizeof far);
}
static void
break_quant(struct value *x, struct value *a)
{
    (void)a;
    x->type.quant = quant_scalar(arena, 1, 0);           /* of floats */
}
static void
break_scale(struct value *x, struct value *a)
{
    (void)a;
    x->type.dt = DT_I8;
    x->type.quant = quant_scalar(arena, -1, 0);
}
static void
break_zero(struct value *x, struct value *a)
{
    (void)a;
    x->type.dt = DT_I8;
    x->type.quant = quant_scalar(arena, 1, 128);
}
static void
break_scales(struct value *x, struct value *a)
{
    (void)a;
    x->type.dt = DT_I8;
    x->type.quant = quant_axis(arena, 1, 2, (float[]){ 1, 1 }, NULL);
}
static void
break_unquantized(struct value *x, struct value *a)
{
    (void)a;
    g->stage = STAGE_QNET;
    x->type.dt = DT_I8;
}
static void
break_layout(struct value *x, struct value *a)
{
    struct layout *l = layout_packed(arena, &x->type, NULL);

    (void)a;
    l->order[0] = 1;
    x->type.layout = l;
}
static void
break_constant(struct value *x, struct value *a)
{
    (void)x;
    a->data = "written all the same";
}
static void
break_order(struct value *x, struct value *a)
{
    struct node *n = g->first, *m = n->next;             /* swap the first two */

    (void)x, (void)a;
    g->facts = FACT_ORDER;
    g->first = m;
    m->prev = NULL;
    n->next = m->next;
    n->prev = m;
    m->next->prev = n;
    m->next = n;
}
static void
break_writers(struct value *x, struct value *a)
{
    graph_node(g, NULL, op_find(NULL, "Neg"), "again", &x, 1, &a, 1);
}
static void
break_writer(struct value *x, struct value *a)
{
    node_remove(g, a->def);
    (void)x;
}
static void
break_state(struct value *x, struct value *a)
{
    struct type t = f32(1, (int64_t[]){ 6 });

    (void)x;
    g->states = NEW(arena, struct state);
    g->states->in = graph_value(g, "state", &t);
    g->states->out = a;
    g->nstate = 1;
}

static void (*const breakers[])(struct value *x, struct value *a) = {
    break_use, break_input, break_def, break_index, break_value_id, break_node_id, break_same_id,
    break_link, break_ring, break_last, break_name, break_stage, break_arity, break_left_out,
    break_flag, break_output, break_home, break_removed, break_size, break_rank, break_none,
    break_dtype, break_quant, break_scale, break_zero, break_scales, break_unquantized, break_layout,
    break_constant, break_order, break_writers, break_writer, break_state,
};

START_TEST(verifier)
{
    struct value *x = input("x"), *a = apply("Relu", "a", x, NULL), *b = apply("Add", "b", a, x);

    graph_output(g, apply("Neg", "c", b, NULL));
    verified();
    breakers[_i](x, a);
    ck_assert(!ir_verify(g, diag));
    ck_assert(diag_has(diag, "ir-verify"));
}
END_TEST

/* ------------------------------------------------------------------ text */

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
    static const char text[] =
        "graph \"m\" opset 13 stage machine\n"
        "input %x: int8 [1,1,4,4] q(0.5:-1)\n"
        "const %r: float [1,1,1,1] = { 1.5 }\n"
        "const %w: int8 [1,1,1,1] q(0.5:0) real %r = { 3 }\n"
        "const %b: int32 [1] = { -7 }\n"
        "%y = m.conv(%x, %w, %b) { pad_value=-1, scale=[0.1] } name \"c\" : int8 [1,1,4,4] q(0.25:3)\n"
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
    static const char text[] =
        "graph \"n\" opset 13 stage net\n"
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
    struct value *x = input("x"), *a = apply("Relu", "a", x, NULL), *b = apply("Relu", "a", a, NULL);

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

static const struct { const char *text; int line; const char *says; } wrong[] = {
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
    { "graph \"\"\ninput %x: float [1]\n%y = Relu(%x) epi pool(0,0,0,0,0,0,0,0,0,0,0,0)", 3, "between" },
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
    Suite *s = suite_create("ir");
    TCase *t = tcase_create("graph");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, broadcasting);
    tcase_add_test(t, counting);
    tcase_add_test(t, symbols);
    tcase_add_test(t, small_floats);
    tcase_add_test(t, single_elements);
    tcase_add_test(t, registry);
    tcase_add_test(t, attributes);
    tcase_add_test(t, attribute_text);
    tcase_add_test(t, building);
    tcase_add_test(t, names_are_never_empty);
    tcase_add_test(t, replacing);
    tcase_add_test(t, taking_over);
    tcase_add_test(t, origins);
    tcase_add_test(t, random_surgery);
    tcase_add_test(t, sorting);
    tcase_add_test(t, stable_sorting);
    tcase_add_test(t, cycles);
    tcase_add_test(t, deep_sorting);
    tcase_add_loop_test(t, verifier, 0, (int)(sizeof breakers / sizeof *breakers));
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
