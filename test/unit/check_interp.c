/* Numbers: quantization, layouts, the reference product, inference with folding, and
 * whole graphs against values worked out by hand. */
#include <math.h>
#include <string.h>

#include "ir/ir.h"
#include "ir/machine.h"
#include "ir/pass.h"
#include "src/base/num.h"
#include "src/base/out.h"
#include "test/unit/tap.h"

static struct arena *arena;
static struct diag *diag;
static unsigned seed;

static void
setup(void)
{
    arena = arena_new();
    diag = diag_new(arena, NULL);
    seed = 1;
}

static void
teardown(void)
{
    diag_free(diag);
    arena_free(arena);
}

static unsigned
dice(unsigned n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

static struct graph *
parsed(const char *text)
{
    struct graph *g = ir_parse(arena, diag, "test.gir", text, strlen(text));

    ck_assert_msg(g != NULL, "%s", diag_text(diag));
    return g;
}

/* Infers, runs on one input, gives back output 0. */
static const void *
run(struct graph *g, const void *x)
{
    const void *in[1] = { x };
    void *out[4] = { NULL };
    struct interp r = { .g = g, .inputs = in };

    ck_assert_msg(graph_infer(g, diag), "%s", diag_text(diag));
    ck_assert_msg(ir_verify(g, diag), "%s", diag_text(diag));
    ck_assert_msg(interp_run(arena, diag, &r, out), "%s", diag_text(diag));
    return out[0];
}

static void
floats_are(const float *got, const float *want, int n)
{
    for (int i = 0; i < n; i++)
        ck_assert_msg(fabsf(got[i] - want[i]) <= 1e-6f * fabsf(want[i]), "element %d: %g, want %g",
            i, (double)got[i], (double)want[i]);
}

/* ------------------------------------------------------------------ quantization */

START_TEST(to_and_from_real)
{
    int8_t x[4] = { -128, -5, 0, 127 }, back[4];
    float r[4], want[4] = { -61.5f, 0, 2.5f, 66 };
    struct type t = { .dt = DT_I8,
        .shape = shape_make(1, (int64_t[]){ 4 }),
        .quant = quant_scalar(arena, 0.5f, -5) };

    quant_to_real(&t, x, r);
    floats_are(r, want, 4);
    quant_from_real(&t, r, back);
    ck_assert_mem_eq(back, x, 4);
    /* 2.75/0.5 = 5.5 goes to 6, 2.25/0.5 = 4.5 to 4, far values saturate. */
    quant_from_real(&t, (float[]){ 2.75f, 2.25f, 1e9f, -1e30f }, back);
    ck_assert_mem_eq(back, ((int8_t[]){ 1, -1, 127, -128 }), 4);
}
END_TEST

START_TEST(one_scale_an_index)
{
    int8_t x[12] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 }, back[12];
    float r[12], want[12] = { 1, 2, 30, 40, 500, 600, 7, 8, 90, 100, 1100, 1200 };
    struct type t = { .dt = DT_I8, .shape = shape_make(3, (int64_t[]){ 2, 3, 2 }) };

    t.quant = quant_axis(arena, 1, 3, (float[]){ 1, 10, 100 }, NULL);
    quant_to_real(&t, x, r);
    floats_are(r, want, 12);
    quant_from_real(&t, r, back);
    ck_assert_mem_eq(back, x, 12);
}
END_TEST

START_TEST(wide_types)
{
    struct type t = { .dt = DT_I32,
        .shape = shape_make(1, (int64_t[]){ 2 }),
        .quant = quant_scalar(arena, 1e-6f, 0) };
    float r[2] = { 1000, -3000 };
    int32_t x[2];

    quant_from_real(&t, r, x);
    ck_assert_int_le(labs(x[0] - 1000000000L), 100);
    ck_assert_int_eq(x[1], INT32_MIN);
    t.dt = DT_U8;
    t.quant = quant_scalar(arena, 2, 100);
    quant_from_real(&t, (float[]){ -1000, 5 }, x);
    ck_assert_mem_eq(x, "\000\146", 2); /* 5/2 to 2 (even), + 100 */
}
END_TEST

START_TEST(ranges)
{
    static const struct {
        float lo, hi;
        bool symmetric;
        double scale;
        int zero;
    } rows[] = {
        { 0, 6, false, 6 / 255.0, -128 },
        { 2, 6, false, 6 / 255.0, -128 },
        { -3, 0, false, 3 / 255.0, 127 },
        { -3, -1, false, 3 / 255.0, 127 },
        { -1, 1, false, 2 / 255.0, 0 },
        { -1, 3, true, 3 / 127.0, 0 },
        { 0, 0, false, 1, 0 },
        { 5, -5, false, 1, 0 },
        { NAN, NAN, false, 1, 0 },
        { -1e-45f, 1e-45f, true, 1, 0 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct quant *q = quant_range(arena, rows[i].lo, rows[i].hi, rows[i].symmetric);
        ck_assert_double_eq_tol((double)q->scale[0], rows[i].scale, 1e-6 * rows[i].scale);
        ck_assert_int_le(abs(q->zero[0] - rows[i].zero), i == 4);
    }
    ck_assert(quant_equal(quant_scalar(arena, 2, 3), quant_scalar(arena, 2, 3)));
    ck_assert(!quant_equal(quant_scalar(arena, 2, 3), quant_scalar(arena, 2, 4)));
    ck_assert(!quant_equal(quant_scalar(arena, 2, 3), NULL));
}
END_TEST

/* ------------------------------------------------------------------ layouts */

/* Where an element should be, from the definition alone. */
static int64_t
place_of(const struct type *t, int64_t i)
{
    int64_t at = t->layout->first;

    for (int d = t->shape.rank - 1; d >= 0; d--) {
        at += i % t->shape.dim[d].n * t->layout->pitch[d];
        i /= t->shape.dim[d].n;
    }
    return at;
}

static struct layout *
random_layout(const struct type *t, int64_t size)
{
    int8_t order[MAX_RANK];
    int rank = t->shape.rank;
    struct layout *l;
    int64_t pitch = size;

    for (int i = 0; i < rank; i++)
        order[i] = (int8_t)i;
    for (int i = rank - 1; i > 0; i--) {
        unsigned j = dice((unsigned)i + 1);
        int8_t o = order[i];
        order[i] = order[j];
        order[j] = o;
    }
    l = layout_packed(arena, t, order);
    for (int i = rank - 1; i >= 0; i--) {
        int a = order[i];
        l->before[a] = (int32_t)dice(3);
        l->after[a] = (int32_t)dice(3);
        l->pitch[a] = pitch;
        l->first += l->before[a] * pitch;
        pitch *= t->shape.dim[a].n + l->before[a] + l->after[a];
        pitch += (int64_t)dice(4) * size;
    }
    l->bytes = pitch;
    return l;
}

START_TEST(layouts)
{
    static const enum dtype dts[] = { DT_I8, DT_I16, DT_F32, DT_I64 };

    for (int round = 0; round < 200; round++) {
        struct type t = { .dt = dts[dice(4)] };
        int64_t size = dtype_bits(t.dt) / 8, n;
        t.shape.rank = (int)dice(5);
        for (int d = 0; d < t.shape.rank; d++)
            t.shape.dim[d] = dim_of(1 + dice(4));
        t.quant = t.dt == DT_I8 ? quant_scalar(arena, 1, -7) : NULL;
        struct layout *l = random_layout(&t, size);
        l->fill = FILL_ZERO_POINT;
        t.layout = l;
        n = shape_elems(&t.shape);
        unsigned char *packed = arena_alloc(arena, (size_t)(n * size));
        unsigned char *mem = arena_alloc(arena, (size_t)l->bytes);
        unsigned char *back = arena_alloc(arena, (size_t)(n * size));
        char *inside = arena_alloc(arena, (size_t)l->bytes);
        for (int64_t i = 0; i < n * size; i++)
            packed[i] = (unsigned char)(1 + dice(200));
        layout_store(&t, packed, mem);
        for (int64_t i = 0; i < n; i++) {
            ck_assert_mem_eq(mem + place_of(&t, i), packed + i * size, (size_t)size);
            memset(inside + place_of(&t, i), 1, (size_t)size);
        }
        for (int64_t i = 0; i < l->bytes; i++)
            if (!inside[i])
                ck_assert_uint_eq(mem[i], t.dt == DT_I8 ? 0xf9 : 0);
        layout_load(&t, mem, back);
        ck_assert_mem_eq(back, packed, (size_t)(n * size));
    }
}
END_TEST

START_TEST(dense_layouts)
{
    struct type t = { .dt = DT_I8, .shape = shape_make(4, (int64_t[]){ 1, 3, 4, 5 }) };
    struct layout *l = layout_packed(arena, &t, (const int8_t[]){ 0, 2, 3, 1 });

    ck_assert(layout_is_dense(&t));
    t.layout = l;
    ck_assert(layout_is_dense(&t));
    ck_assert_int_eq(l->pitch[1], 1);
    ck_assert_int_eq(l->pitch[3], 3);
    ck_assert_int_eq(l->pitch[2], 15);
    ck_assert_int_eq(l->bytes, 60);
    l->pitch[3] = 16;
    ck_assert(!layout_is_dense(&t));
    l = layout_packed(arena, &t, NULL);
    l->after[2] = 1;
    t.layout = l;
    ck_assert(!layout_is_dense(&t));
    float lowest = 0;
    l = NEW(arena, struct layout);
    l->fill = FILL_LOWEST;
    l->bytes = 8;
    t = (struct type){ .dt = DT_F32, .shape = { .rank = 0 }, .layout = l };
    float mem[2];
    layout_store(&t, &lowest, mem);
    ck_assert(mem[0] == 0 && isinf(mem[1]) && mem[1] < 0);
}
END_TEST

/* ------------------------------------------------------------------ product */

START_TEST(product)
{
    for (int64_t m = 1; m <= 19; m += 3)
        for (int64_t n = 1; n <= 26; n += 5)
            for (int64_t k = 0; k <= 40; k += 13) {
                float *a = NEWN(arena, float, m *k + 1), *b = NEWN(arena, float, k *n + 1);
                float *c = NEWN(arena, float, m *n);
                for (int64_t i = 0; i < m * k; i++)
                    a[i] = (float)dice(2000) / 77 - 13;
                for (int64_t i = 0; i < k * n; i++)
                    b[i] = (float)dice(2000) / 91 - 11;
                ref_matmul(a, b, c, m, n, k);
                for (int64_t i = 0; i < m * n; i++) {
                    volatile float s = 0; /* volatile: one rounding at a time */
                    for (int64_t p = 0; p < k; p++) {
                        volatile float x = a[i / n * k + p] * b[p * n + i % n];
                        s = s + x;
                    }
                    float want = s;
                    ck_assert_mem_eq(&c[i], &want, sizeof want);
                }
            }
}
END_TEST

/* ------------------------------------------------------------------ inference */

START_TEST(infers_and_folds)
{
    struct graph *g = parsed("graph \"\" opset 13\n"
                             "input %x: float [2,3,4]\n"
                             "const %a: int64 [1] = { 6 }\n"
                             "const %b: int64 [1] = { -1 }\n"
                             "%s = Concat(%a, %b) { axis=0 }\n"
                             "%y = Reshape(%x, %s)\n"
                             "%z = Transpose(%y)\n"
                             "output %z\n");

    ck_assert_msg(graph_infer(g, diag), "%s", diag_text(diag));
    ck_assert_str_eq(type_text(arena, &g->outputs[0]->type), "float [4,6]");
    for (const struct node *n = g->first; n; n = n->next)
        ck_assert_str_ne(n->op->name, "Concat"); /* folded */
    ck_assert_uint_eq(g->facts & FACT_TYPES, FACT_TYPES);
    ck_assert(ir_verify(g, diag));
}
END_TEST

START_TEST(shapes_are_constants)
{
    struct graph *g = parsed("graph \"\" opset 13\n"
                             "input %x: float [2,3,4]\n"
                             "%s = Shape(%x)\n"
                             "const %i: int64 [] = { 2 }\n"
                             "%n = Gather(%s, %i)\n"
                             "output %x\n"
                             "%m = Identity(%n)\n"
                             "%keep = Identity(%m)\n"
                             "output %keep\n");

    ck_assert_msg(graph_infer(g, diag), "%s", diag_text(diag));
    const struct value *m = g->outputs[1]->def->in[0];
    struct ints k;
    ck_assert(value_ints(arena, m, &k));
    ck_assert_int_eq(k.n, 1);
    ck_assert_int_eq(k.at[0], 4);
    ck_assert_ptr_eq(g->first->out[0], g->outputs[1]); /* an output is left to compute */
}
END_TEST

START_TEST(all_problems)
{
    struct graph *g = parsed("graph \"\" opset 13\n"
                             "input %x: float [2,3]\n"
                             "input %y: float [4]\n"
                             "%a = Add(%x, %y) name \"bad1\"\n"
                             "%b = Relu(%a) name \"downstream\"\n"
                             "%c = MatMul(%x, %y) name \"bad2\"\n"
                             "output %b\n"
                             "output %c\n");

    ck_assert(!graph_infer(g, diag));
    ck_assert_int_eq(diag_count(diag, SEV_ERROR), 2);
    ck_assert_ptr_nonnull(strstr(diag_text(diag), "bad1"));
    ck_assert_ptr_nonnull(strstr(diag_text(diag), "bad2"));
    ck_assert_ptr_null(strstr(diag_text(diag), "downstream"));
    ck_assert_ptr_nonnull(strstr(diag_text(diag), "float [2,3]"));
}
END_TEST

static bool
fails(const struct node *n, char *detail, size_t size)
{
    snprintf(detail, size, "%d inputs", n->nin);
    return false;
}

START_TEST(refusals)
{
    static const struct rule rules[] = { { "made-up", "nothing is allowed", fails }, { 0 } };
    struct type t = { .dt = DT_F32, .shape = shape_make(1, (int64_t[]){ 3 }) };
    struct op_def op = *op_find(NULL, "Relu");
    struct graph *g = graph_new(arena, NULL);
    struct value *x = graph_input(g, "x", &t), *y = graph_value(g, "y", NULL), *in[2] = { x, x };
    struct node *n = graph_node(g, NULL, &op, "n", in, 1, &y, 1);

    g->opset = 13;
    ck_assert(node_infer(g, n, diag));
    ck_assert(shape_equal(&y->type.shape, &t.shape));
    op.rules = rules;
    ck_assert(!node_infer(g, n, diag));
    ck_assert_ptr_nonnull(strstr(diag_text(diag), "nothing is allowed: 1 inputs"));
    op.rules = NULL;
    op.since = 14;
    ck_assert(!node_infer(g, n, diag));
    ck_assert(diag_has(diag, "op-opset"));
    op.since = 1;
    op.stages = STAGE_MACHINE;
    ck_assert(!node_infer(g, n, diag));
    ck_assert(diag_has(diag, "op-stage"));
    op.stages = STAGE_NET;
    op.min_in = op.max_in = 2;
    ck_assert(!node_infer(g, n, diag));
    ck_assert(diag_has(diag, "op-arity"));
    op.min_in = 1;
    x->type.shape.rank = -1;
    ck_assert(!node_infer(g, n, diag));
    ck_assert(diag_has(diag, "type-unknown"));
    x->type.shape = shape_make(2, (int64_t[]){ 1 << 30, 1 << 30 });
    ck_assert(!node_infer(g, n, diag));
    ck_assert(diag_has(diag, "tensor-size"));
}
END_TEST

/* ------------------------------------------------------------------ running */

START_TEST(by_hand)
{
    /* A 2x2 kernel of 1, 2, 3, 4 and bias 10 over 1..9; then Relu of y - 50. */
    static const float x[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 }, want[4] = { 0, 7, 27, 37 };
    struct graph *g = parsed("graph \"\" opset 13\n"
                             "input %x: float [1,1,3,3]\n"
                             "const %w: float [1,1,2,2] = { 1, 2, 3, 4 }\n"
                             "const %b: float [1] = { 10 }\n"
                             "const %c: float [1] = { 50 }\n"
                             "%y = Conv(%x, %w, %b)\n"
                             "%d = Sub(%y, %c)\n"
                             "%r = Relu(%d)\n"
                             "output %r\n");

    floats_are(run(g, x), want, 4);
}
END_TEST

/* Epilogues do what the nodes would. */
START_TEST(epilogues)
{
    float x[36];
    struct graph *nodes =
        parsed("graph \"\" opset 13\n"
               "input %x: float [1,1,6,6]\n"
               "const %w: float [2,1,1,1] = { 1, -2 }\n"
               "const %b: float [1,2,1,1] = { 0.5, -0.5 }\n"
               "const %six: float [] = { 6 }\n"
               "const %zero: float [] = { 0 }\n"
               "%c = Conv(%x, %w)\n"
               "%a = Add(%c, %b)\n"
               "%m = Mul(%a, %b)\n"
               "%r = Clip(%m, %zero, %six)\n"
               "%p = MaxPool(%r) { kernel_shape=[3,2], strides=[2,3], pads=[1,0,0,1] }\n"
               "output %p\n");
    struct graph *fused = parsed("graph \"\" opset 13\n"
                                 "input %x: float [1,1,6,6]\n"
                                 "const %w: float [2,1,1,1] = { 1, -2 }\n"
                                 "const %b: float [2] = { 0.5, -0.5 }\n"
                                 "const %b4: float [1,2,1,1] = { 0.5, -0.5 }\n"
                                 "%c = Conv(%x, %w) epi bias(%b) epi scale(%b4) epi act(0, 6)"
                                 " epi pool(0, 3, 2, 2, 3, 1, 1, 1, 0, 0, 1, 0)\n"
                                 "output %c\n");

    for (int i = 0; i < 36; i++)
        x[i] = (float)dice(400) / 10 - 20;
    const float *want = run(nodes, x), *got = run(fused, x);
    ck_assert(shape_equal(&nodes->outputs[0]->type.shape, &fused->outputs[0]->type.shape));
    ck_assert_mem_eq(got, want, (size_t)shape_bytes(&fused->outputs[0]->type, 0));
}
END_TEST

START_TEST(quantized)
{
    /* x real 0, 1, 2, 3; w real 2, -1: y real -1, 0, 1 + bias 0.5, then scale 0.25 z 4. */
    static const int8_t x[4] = { -10, -8, -6, -4 };
    struct graph *g = parsed("graph \"\" opset 13 stage qnet\n"
                             "input %x: int8 [1,1,1,4] q(0.5:-10)\n"
                             "const %w: int8 [1,1,1,2] q(0.5:0) = { 4, -2 }\n"
                             "const %b: int32 [1] q(0.25:0) = { 2 }\n"
                             "%y = Conv(%x, %w, %b) : int8 [1,1,1,3] q(0.25:4)\n"
                             "output %y\n");
    const int8_t want[3] = { 2, 6, 10 }, clamped[3] = { 4, 6, 8 };

    ck_assert_mem_eq(run(g, x), want, 3);
    ck_assert_int_eq(g->outputs[0]->type.dt, DT_I8);
    ck_assert_int_eq(g->outputs[0]->type.quant->zero[0], 4);
    struct epi_act act = { 0, 1 };
    node_add_epi(g, g->first, EPI_ACT, NULL, &act);
    ck_assert_mem_eq(run(g, x), clamped, 3);
}
END_TEST

/* The originals of constants on demand: 1.9 was stored as 2. */
START_TEST(originals)
{
    static const int8_t x[1] = { 10 };
    const void *in[1] = { x };
    void *out[1] = { NULL };
    struct graph *g = parsed("graph \"\" opset 13 stage qnet\n"
                             "input %x: int8 [1,1] q(1:0)\n"
                             "const %r: float [1,1] = { 1.9 }\n"
                             "const %w: int8 [1,1] q(1:0) real %r = { 2 }\n"
                             "%y = MatMul(%x, %w) : int8 [1,1] q(1:0)\n"
                             "output %y\n");
    struct interp r = { .g = g, .inputs = in };

    ck_assert_int_eq(*(const int8_t *)run(g, x), 20);
    r.original = true;
    ck_assert(interp_run(arena, diag, &r, out));
    ck_assert_int_eq(*(int8_t *)out[0], 19);
}
END_TEST

/* Float results of int8 operands, and views that move stored values. */
START_TEST(mixed)
{
    static const int8_t x[4] = { 1, 2, 3, 4 };
    struct graph *g = parsed("graph \"\" opset 13 stage qnet\n"
                             "input %x: int8 [2,2] q(0.5:1)\n"
                             "const %s: int64 [2] = { 1, 4 }\n"
                             "%v = Reshape(%x, %s) : int8 [1,4] q(0.5:1)\n"
                             "%m = Softmax(%v) : float [1,4]\n"
                             "output %m\n"
                             "output %v\n");
    const void *in[1] = { x };
    void *out[2] = { NULL, NULL };
    struct interp r = { .g = g, .inputs = in };
    float e[4], sum = 0, want[4];

    ck_assert_msg(graph_infer(g, diag), "%s", diag_text(diag));
    ck_assert_int_eq(g->outputs[0]->type.dt, DT_F32);
    ck_assert(interp_run(arena, diag, &r, out));
    ck_assert_mem_eq(out[1], x, 4);
    for (int i = 0; i < 4; i++)
        sum += e[i] = expf(0.5f * (float)i);
    for (int i = 0; i < 4; i++)
        want[i] = e[i] / sum;
    floats_are(out[0], want, 4);
}
END_TEST

START_TEST(machine)
{
    static const int8_t x[4] = { 1, 2, 3, 4 };
    struct graph *g = parsed("graph \"\" opset 13 stage machine\n"
                             "input %x: int8 [1,1,2,2] q(1:0)\n"
                             "const %w: int8 [1,1,1,1] q(1:0) = { 3 }\n"
                             "const %b: int32 [1] = { 0 }\n"
                             "%y = m.conv(%x, %w, %b) { scale=[0.5] } : int8 [1,1,2,2] q(2:0)\n"
                             "output %y\n");
    struct m_pool_attr pool = { .kernel = { 2, 2 }, .stride = { 1, 1 }, .dilation = { 1, 1 } };

    /* 1.5, 3, 4.5 and 6, halves to even. */
    ck_assert_mem_eq(run(g, x), ((int8_t[]){ 2, 3, 4, 6 }), 4);
    node_add_epi(g, g->first, EPI_POOL, NULL, &pool);
    ck_assert_int_eq(*(const int8_t *)run(g, x), 6);
    ck_assert_str_eq(shape_text(arena, &g->outputs[0]->type.shape), "[1,1,1,1]");
}
END_TEST

struct seen {
    int n;
    char names[200];
};

static void
note(const struct value *v, const void *data, void *ctx)
{
    struct seen *s = ctx;

    s->n++;
    snprintf(s->names + strlen(s->names), sizeof s->names - strlen(s->names), "%s=%g ", v->name,
        (double)*(const float *)data);
}

START_TEST(every_value)
{
    struct graph *g = parsed("graph \"\" opset 13\n"
                             "input %x: float [1]\n"
                             "const %k: float [1] = { 2 }\n"
                             "value %h: float [1]\n"
                             "state %h -> %h2 = { 100 }\n"
                             "%a = Add(%x, %k)\n"
                             "%unread = Neg(%a)\n"
                             "%b = Mul(%a, %a)\n"
                             "%h2 = Add(%h, %b)\n"
                             "output %h2\n"
                             "output %x\n"
                             "output %k\n");
    float x = 1;
    const void *in[1] = { &x };
    void *out[3] = { NULL, NULL, NULL };
    struct seen seen = { 0 };
    struct interp r = { .g = g, .inputs = in, .each = note, .ctx = &seen };

    ck_assert_msg(graph_infer(g, diag), "%s", diag_text(diag));
    for (int round = 0; round < 2; round++) { /* a run changes nothing */
        seen = (struct seen){ 0 };
        ck_assert(interp_run(arena, diag, &r, out));
        ck_assert_str_eq(seen.names, "a=3 unread=-3 b=9 h2=109 ");
        floats_are(out[0], (float[]){ 109 }, 1);
        floats_are(out[1], (float[]){ 1 }, 1);
        floats_are(out[2], (float[]){ 2 }, 1);
    }
}
END_TEST

START_TEST(no_kernel)
{
    struct op_def op = *op_find(NULL, "Relu");
    struct type t = { .dt = DT_F32, .shape = shape_make(1, (int64_t[]){ 1 }) };
    struct graph *g = graph_new(arena, NULL);
    struct value *x = graph_input(g, "x", &t), *y = graph_value(g, "y", &t);
    struct interp r = { .g = g, .inputs = (const void *[]){ "four" } };
    void *out[1] = { NULL };

    op.eval = NULL;
    graph_node(g, NULL, &op, "n", &x, 1, &y, 1);
    graph_output(g, y);
    ck_assert(!interp_run(arena, diag, &r, out));
    ck_assert(diag_has(diag, "interp-kernel"));
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("interp");
    TCase *t = tcase_create("numbers");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, to_and_from_real);
    tcase_add_test(t, one_scale_an_index);
    tcase_add_test(t, wide_types);
    tcase_add_test(t, ranges);
    tcase_add_test(t, layouts);
    tcase_add_test(t, dense_layouts);
    tcase_add_test(t, product);
    tcase_add_test(t, infers_and_folds);
    tcase_add_test(t, shapes_are_constants);
    tcase_add_test(t, all_problems);
    tcase_add_test(t, refusals);
    tcase_add_test(t, by_hand);
    tcase_add_test(t, epilogues);
    tcase_add_test(t, quantized);
    tcase_add_test(t, originals);
    tcase_add_test(t, mixed);
    tcase_add_test(t, machine);
    tcase_add_test(t, every_value);
    tcase_add_test(t, no_kernel);
    suite_add_tcase(s, t);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
