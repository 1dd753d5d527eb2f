/* The graph itself: sizes and shapes, surgery, sorting, the verifier. */
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
    static const struct {
        const char *a, *b, *want;
    } rows[] = {
        { "234", "234", "234" },
        { "234", "4", "234" },
        { "234", "31", "234" },
        { "214", "31", "234" },
        { "", "23", "23" },
        { "1", "0", "0" },
        { "234", "3", NULL },
        { "2", "3", NULL },
        { "0", "2", NULL },
        { "?3", "23", "23" },
        { "?3", "13", "?3" },
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
    ck_assert_int_eq(shape_bytes(&t, 3), 3); /* 5 nibbles */
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
    static const struct {
        float f;
        uint16_t half, brain;
    } rows[] = {
        { 1, 0x3c00, 0x3f80 },
        { -2, 0xc000, 0xc000 },
        { 65504, 0x7bff, 0x4780 },
        { 65519.996f, 0x7bff, 0x4780 },
        { 65520, 0x7c00, 0x4780 },
        { 0x1p-24f, 1, 0x3380 },
        { 0x1p-25f, 0, 0x3300 },
        { 0x1.8p-25f, 1, 0x3340 },
        { 0x1p-14f, 0x0400, 0x3880 },
        { -0.0f, 0x8000, 0x8000 },
        { 1 + 0x1p-11f, 0x3c00, 0x3f80 },
        { 1 + 0x1.8p-10f, 0x3c02, 0x3f80 },
        { 1 + 0x1p-8f, 0x3c04, 0x3f80 },
        { 1 + 0x3p-8f, 0x3c0c, 0x3f82 },
        { INFINITY, 0x7c00, 0x7f80 },
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
    elem_put_int(DT_I4, m, 0, 9); /* saturates at 7 */
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
        ck_assert_ptr_eq(op_find(op->domain, op->name), op); /* no two alike */
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
    struct {
        struct ints k;
        struct floats f;
        int64_t e, b;
        float x;
        const char *s;
    } a = { 0 };
    const struct attr_def ints = { .kind = ATTR_INTS, .offset = 0 };
    const struct attr_def floats = { .kind = ATTR_FLOATS,
        .offset = (size_t)((char *)&a.f - (char *)&a) };
    const struct attr_def e = { .kind = ATTR_ENUM,
        .offset = (size_t)((char *)&a.e - (char *)&a),
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
    ck_assert_ptr_null(value_only_user(b)); /* an output */
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
    struct value *x = input("x"), *a = apply("Relu", "a", x, NULL),
                 *b = apply("Identity", "b", a, NULL);
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
    ck_assert_str_eq(a->name, "b"); /* the output's name stays */
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
    struct value *x = input("x"), *a = apply("Relu", "a", x, NULL),
                 *b = apply("Relu", "b", a, NULL);
    struct value *c = apply("Relu", "c", b, NULL);

    ck_assert_str_eq(node_models(arena, a->def), "a");
    node_join_origin(g, a->def, b->def);
    node_join_origin(g, a->def, c->def);
    node_join_origin(g, a->def, b->def); /* known already */
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
            struct value *in[2] = { v[dice(&seed, (unsigned)at + 1)],
                v[dice(&seed, (unsigned)at + 1)] };
            graph_node(g, NULL, op_find(NULL, "Add"), NULL, in, 2, &v[at + 1], 1);
        }
        ck_assert(graph_sort(g, diag));
        ck_assert_uint_eq(g->facts & FACT_ORDER, FACT_ORDER);
        verified(); /* checks the order, too */
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
    struct value *x = input("x"), *a = apply("Add", "first", x, x),
                 *b = apply("Relu", "second", a, NULL);

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

static void
break_use(struct value *x, struct value *a)
{
    (void)a;
    x->nuse--;
}
static void
break_input(struct value *x, struct value *a)
{
    (void)x;
    a->def->in[0] = a;
}
static void
break_def(struct value *x, struct value *a)
{
    (void)x;
    a->def = NULL;
}
static void
break_index(struct value *x, struct value *a)
{
    (void)x;
    a->def_index = 1;
}
static void
break_value_id(struct value *x, struct value *a)
{
    (void)a;
    x->id = 7;
}
static void
break_node_id(struct value *x, struct value *a)
{
    (void)x;
    a->def->id = 1000;
}
static void
break_same_id(struct value *x, struct value *a)
{
    (void)x;
    a->def->id = a->def->next->id;
}
static void
break_link(struct value *x, struct value *a)
{
    (void)x;
    a->def->next->prev = NULL;
}
static void
break_ring(struct value *x, struct value *a)
{
    (void)x;
    g->last->next = a->def;
}
static void
break_last(struct value *x, struct value *a)
{
    (void)x;
    g->last = a->def;
}
static void
break_name(struct value *x, struct value *a)
{
    (void)x;
    a->def->name = NULL;
}
static void
break_stage(struct value *x, struct value *a)
{
    (void)x, (void)a;
    g->stage = STAGE_MACHINE;
}
static void
break_arity(struct value *x, struct value *a)
{
    (void)x;
    node_add_input(g, a->def, NULL);
}
static void
break_left_out(struct value *x, struct value *a)
{
    (void)x;
    node_set_input(a->def, 0, NULL);
}
static void
break_flag(struct value *x, struct value *a)
{
    (void)x;
    a->is_input = true;
}
static void
break_output(struct value *x, struct value *a)
{
    (void)x, (void)a;
    g->outputs[0]->is_output = false;
}
static void
break_home(struct value *x, struct value *a)
{
    (void)a;
    x->home = NULL;
}
static void
break_removed(struct value *x, struct value *a)
{
    (void)a;
    g->values[x->id] = NULL;
}
static void
break_size(struct value *x, struct value *a)
{
    (void)a;
    x->type.shape.dim[0].n = -3;
}
static void
break_rank(struct value *x, struct value *a)
{
    (void)a;
    x->type.shape.rank = 9;
}
static void
break_none(struct value *x, struct value *a)
{
    (void)a;
    g->facts = FACT_TYPES;
    x->type.dt = DT_NONE;
}
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
    x->type.quant = quant_scalar(arena, 1, 0); /* of floats */
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
    struct node *n = g->first, *m = n->next; /* swap the first two */

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
    break_use,
    break_input,
    break_def,
    break_index,
    break_value_id,
    break_node_id,
    break_same_id,
    break_link,
    break_ring,
    break_last,
    break_name,
    break_stage,
    break_arity,
    break_left_out,
    break_flag,
    break_output,
    break_home,
    break_removed,
    break_size,
    break_rank,
    break_none,
    break_dtype,
    break_quant,
    break_scale,
    break_zero,
    break_scales,
    break_unquantized,
    break_layout,
    break_constant,
    break_order,
    break_writers,
    break_writer,
    break_state,
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
    suite_add_tcase(s, t);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
