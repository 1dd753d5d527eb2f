/* The machine operators' reference kernels against the formulas of ir/machine.h,
 * written out here element by element. */
#include <math.h>
#include <string.h>

#include "ir/machine.h"
#include "test/unit/tap.h"

static uint64_t state = 88172645463325252u;

static int64_t
pick(int64_t lo, int64_t hi)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return lo + (int64_t)(state % (uint64_t)(hi - lo + 1));
}

struct lab { struct arena *a; struct diag *d; struct graph *g; };

/* Numbers of its own for each round: rounds may run in processes of their own. */
static struct lab
lab(int round)
{
    struct arena *a = arena_new();
    struct lab l = { a, diag_new(a, &(struct diag_config){ .to = stderr }), graph_new(a, "lab") };

    state = 88172645463325252u * (uint64_t)(2 * round + 1);
    pick(0, 1);
    l.g->stage = STAGE_MACHINE;
    return l;
}

static struct value *
tensor(struct lab *l, enum dtype dt, int rank, const int64_t *dims)
{
    struct type t = { .dt = dt, .shape = shape_make(rank, dims) };
    int64_t n = shape_elems(&t.shape);
    void *p = arena_alloc(l->a, (size_t)shape_bytes(&t, 0) + 1);

    for (int64_t i = 0; i < n; i++) {
        if (dt == DT_I8)
            ((int8_t *)p)[i] = (int8_t)pick(-128, 127);
        else if (dt == DT_I32)
            ((int32_t *)p)[i] = (int32_t)pick(-3000, 3000);
        else
            ((float *)p)[i] = (float)pick(-1000, 1000) / 256;
    }
    return graph_const(l->g, NULL, &t, p);
}

#define DIMS(...) \
    (int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), (int64_t[]){ __VA_ARGS__ }

/* One node: inferred, then evaluated. */
static void *
compute(struct lab *l, const struct op_def *op, const void *attr, struct value *const *in, int nin,
        struct value *y)
{
    struct node *n = graph_node(l->g, NULL, op, "n", in, nin, &y, 1);
    const void **data = NEWN(l->a, const void *, nin + 1);
    void *out;

    if (attr)
        n->attr = arena_dup(l->a, attr, op->attr_size);
    ck_assert(node_infer(l->g, n, l->d));
    out = arena_alloc(l->a, (size_t)shape_bytes(&y->type, 0) + 1);
    for (int i = 0; i < nin; i++)
        data[i] = in[i]->data;
    ck_assert(interp_node(l->a, n, data, &out));
    return out;
}

/* The store: int32 times float, ties to even, saturated; in double, where both the
 * product of a 24-bit and the rounding are exact enough to judge. */
static int8_t
store(int64_t acc, int64_t relu, float scale)
{
    float f = (float)(int32_t)(relu && acc < 0 ? 0 : acc) * scale;
    double r = nearbyint((double)f);

    return (int8_t)(r > 127 ? 127 : r < -128 ? -128 : r);
}

static float
scale_of(const struct m_scale *s, int64_t c)
{
    return s->scale.at[s->block > 0 ? c / s->block : 0];
}

static struct m_scale
scales(struct lab *l, int64_t channels, bool blocks)
{
    int64_t block = blocks ? pick(1, channels) : 0, n = block ? (channels + block - 1) / block : 1;
    float *f = NEWN(l->a, float, n);

    for (int64_t i = 0; i < n; i++)
        f[i] = (float)pick(1, 1000) / 100000;
    return (struct m_scale){ block, { (int)n, f } };
}

START_TEST(conv)
{
    struct lab l = lab(_i);
    int64_t groups = pick(1, 3), cg = pick(1, 4), og = _i % 3 == 0 ? 1 : pick(1, 9), n = pick(1, 2);
    int64_t h = pick(4, 9), w = pick(4, 9), kh = pick(1, 3), kw = pick(1, 3), o = og * groups;
    struct m_conv_attr a = { .groups = groups, .relu = pick(0, 1), .pad_value = pick(-128, 127) };
    struct value *in[3], *y = graph_value(l.g, "y", NULL);
    const int8_t *x, *f;
    const int8_t *got;
    const struct dim *d;

    if (_i % 3 == 0)
        cg = 1;                                /* depthwise has a kernel of its own */
    for (int i = 0; i < 2; i++) {
        a.stride[i] = pick(1, 2);
        a.dilation[i] = pick(1, 2);
        a.pads[i] = pick(0, 2);
        a.pads[2 + i] = pick(0, 2);
    }
    in[0] = tensor(&l, DT_I8, DIMS(n, cg * groups, h, w));
    in[1] = tensor(&l, DT_I8, DIMS(o, cg, kh, kw));
    in[2] = tensor(&l, DT_I32, DIMS(o));
    a.scale = scales(&l, o, _i % 2);
    if (h + a.pads[0] + a.pads[2] < (kh - 1) * a.dilation[0] + 1
        || w + a.pads[1] + a.pads[3] < (kw - 1) * a.dilation[1] + 1) {
        arena_free(l.a);                       /* it does not fit */
        return;
    }
    got = compute(&l, &op_m_conv, &a, in, 3, y);
    x = in[0]->data;
    f = in[1]->data;
    d = y->type.shape.dim;
    for (int64_t i = 0; i < shape_elems(&y->type.shape); i++) {
        int64_t ox = i % d[3].n, oy = i / d[3].n % d[2].n, oc = i / d[3].n / d[2].n % o;
        int64_t b = i / d[3].n / d[2].n / o, acc = ((const int32_t *)in[2]->data)[oc];
        for (int64_t c = 0; c < cg; c++)
            for (int64_t ky = 0; ky < kh; ky++)
                for (int64_t kx = 0; kx < kw; kx++) {
                    int64_t r = oy * a.stride[0] - a.pads[0] + ky * a.dilation[0];
                    int64_t q = ox * a.stride[1] - a.pads[1] + kx * a.dilation[1];
                    int64_t ic = oc / og * cg + c, v = a.pad_value;
                    if (r >= 0 && r < h && q >= 0 && q < w)
                        v = x[((b * cg * groups + ic) * h + r) * w + q];
                    acc += v * f[((oc * cg + c) * kh + ky) * kw + kx];
                }
        ck_assert_int_eq(got[i], store(acc, a.relu, scale_of(&a.scale, oc)));
    }
    arena_free(l.a);
}
END_TEST

START_TEST(matmul)
{
    struct lab l = lab(_i);
    int64_t m = pick(1, 9), n = pick(1, 20), k = pick(1, 40), stack = pick(1, 3);
    struct m_matmul_attr a = { pick(0, 1), pick(0, 1), pick(0, 1), scales(&l, n, _i % 2) };
    int64_t da[3] = { _i % 3 ? stack : 1, a.ta ? k : m, a.ta ? m : k };
    int64_t db[3] = { stack, a.tb ? n : k, a.tb ? k : n };
    bool plain = _i % 4 == 0, bias = _i % 5 != 0;
    struct value *in[3], *y = graph_value(l.g, "y", NULL);
    const int8_t *got, *pa, *pb;

    in[0] = tensor(&l, DT_I8, 3, da);
    in[1] = tensor(&l, DT_I8, plain ? 2 : 3, plain ? db + 1 : db);
    in[2] = tensor(&l, DT_I32, DIMS(n));
    got = compute(&l, &op_m_matmul, &a, in, bias ? 3 : 2, y);
    pa = in[0]->data;
    pb = in[1]->data;
    for (int64_t i = 0; i < shape_elems(&y->type.shape); i++) {
        int64_t c = i % n, r = i / n % m, s = i / n / m;
        int64_t sa = da[0] == 1 ? 0 : s, sb = plain ? 0 : s, acc = 0;
        for (int64_t j = 0; j < k; j++)
            acc += pa[sa * m * k + (a.ta ? j * m + r : r * k + j)]
                 * pb[sb * n * k + (a.tb ? c * k + j : j * n + c)];
        acc += bias ? ((const int32_t *)in[2]->data)[c] : 0;
        ck_assert_int_eq(got[i], store(acc, a.relu, scale_of(&a.scale, c)));
    }
    arena_free(l.a);
}
END_TEST

START_TEST(add)
{
    struct lab l = lab(_i);
    struct m_add_attr a = { pick(1, 127), pick(-127, 127), pick(-9000, 9000), pick(0, 1), 0 };
    struct value *in[2], *y = graph_value(l.g, "y", NULL);
    const int8_t *got;

    a.scale = (float)pick(1, 999) / 50000;
    for (int i = 0; i < 2; i++)
        in[i] = tensor(&l, DT_I8, DIMS(2, 3, 7));
    got = compute(&l, &op_m_add, &a, in, 2, y);
    for (int i = 0; i < 42; i++) {
        int64_t acc = a.ma * ((const int8_t *)in[0]->data)[i]
                    + a.mb * ((const int8_t *)in[1]->data)[i] + a.bias;
        ck_assert_int_eq(got[i], store(acc, a.relu, a.scale));
    }
    arena_free(l.a);
}
END_TEST

START_TEST(pool)
{
    struct lab l = lab(_i);
    int64_t h = pick(3, 8), w = pick(3, 8), c = pick(1, 5);
    struct m_pool_attr a = { .kind = _i % 2, .avg_include_pad = _i % 4 == 1 };
    struct value *x = tensor(&l, DT_I8, DIMS(2, c, h, w)), *y;
    struct type t = { .dt = DT_I8, .shape = { .rank = -1 } };
    const int8_t *got, *p = x->data;
    const struct dim *d;

    for (int i = 0; i < 2; i++) {
        a.kernel[i] = pick(1, 3);
        a.stride[i] = pick(1, 2);
        a.dilation[i] = pick(1, 1 + (a.kernel[i] < 3));
        a.pads[i] = pick(0, a.kernel[i] - 1);
        a.pads[2 + i] = pick(0, a.kernel[i] - 1);
    }
    x->type.quant = quant_scalar(l.a, 0.5f, -3);
    t.quant = a.kind == M_POOL_AVG ? quant_scalar(l.a, 0.25f, 11) : x->type.quant;
    y = graph_value(l.g, "y", &t);
    got = compute(&l, &op_m_pool, &a, &x, 1, y);
    d = y->type.shape.dim;
    for (int64_t i = 0; i < shape_elems(&y->type.shape); i++) {
        int64_t ox = i % d[3].n, oy = i / d[3].n % d[2].n, plane = i / d[3].n / d[2].n;
        int64_t sum = 0, count = 0, most = -128;
        for (int64_t ky = 0; ky < a.kernel[0]; ky++)
            for (int64_t kx = 0; kx < a.kernel[1]; kx++) {
                int64_t r = oy * a.stride[0] - a.pads[0] + ky * a.dilation[0];
                int64_t q = ox * a.stride[1] - a.pads[1] + kx * a.dilation[1];
                if (r < 0 || r >= h || q < 0 || q >= w)
                    continue;
                sum += p[(plane * h + r) * w + q] + 3;
                most = p[(plane * h + r) * w + q] > most ? p[(plane * h + r) * w + q] : most;
                count++;
            }
        if (a.avg_include_pad)
            count = a.kernel[0] * a.kernel[1];
        if (a.kind == M_POOL_AVG) {            /* the scales are powers of two */
            float mean = count ? 0.5f * (float)sum / (float)count : 0;
            most = (int64_t)nearbyintf(mean * 4) + 11;
            most = most > 127 ? 127 : most < -128 ? -128 : most;
        }
        ck_assert_int_eq(got[i], most);
    }
    arena_free(l.a);
}
END_TEST

START_TEST(move)
{
    struct lab l = lab(_i);
    int64_t dims[3] = { 4, 5, 6 }, perms[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                                                   { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    const int64_t *perm = perms[_i % 6];
    int64_t start[3], step[3], dst[3], count[3], size[3];
    struct m_move_attr a = { { 3, perm }, { 3, start }, { 3, step }, { 3, dst }, { 3, count },
                             _i % 3 != 0, -77 };
    struct value *x = tensor(&l, DT_I8, 3, dims), *y;
    const int8_t *got;

    for (int d = 0; d < 3; d++) {
        int64_t s = perm[d];
        count[d] = pick(1, 2);
        step[s] = pick(0, 1) ? 2 : -2;
        start[s] = step[s] > 0 ? 0 : dims[s] - 1;
        dst[d] = a.fills ? pick(0, 2) : 0;
        size[d] = dst[d] + count[d] + (a.fills ? pick(0, 2) : 0);
    }
    y = graph_value(l.g, "y", &(struct type){ .dt = DT_I8, .shape = shape_make(3, size) });
    got = compute(&l, &op_m_move, &a, &x, 1, y);
    for (int64_t i = 0; i < size[0] * size[1] * size[2]; i++) {
        int64_t at[3] = { i / size[2] / size[1], i / size[2] % size[1], i % size[2] }, from[3];
        bool in = true;
        for (int d = 0; d < 3; d++) {
            int64_t k = at[d] - dst[d];
            in &= k >= 0 && k < count[d];
            from[perm[d]] = start[perm[d]] + k * step[perm[d]];
        }
        int want = -77;
        if (in)
            want = ((const int8_t *)x->data)[(from[0] * 5 + from[1]) * 6 + from[2]];
        ck_assert_int_eq(got[i], want);
    }
    arena_free(l.a);
}
END_TEST

START_TEST(convert)
{
    static const struct { float from, to; int32_t zf, zt; float x; int want; } rows[] = {
        { 0.5f, 0.5f, -128, 0, -100, 28 }, { 0.5f, 0.5f, 100, -100, -128, -128 },
        { 0.5f, 0.25f, 0, 0, 10, 20 },     { 0.5f, 0.25f, 0, 0, 100, 127 },
        { 0.25f, 0.5f, 0, 0, 5, 2 },       { 0.25f, 0.5f, 0, 0, 7, 4 },
    };
    struct lab l = lab(_i);
    int8_t stored = (int8_t)rows[_i].x;
    struct type t = { .dt = DT_I8, .shape = shape_make(DIMS(1)) };
    struct value *x, *y;
    const int8_t *got;

    t.quant = quant_scalar(l.a, rows[_i].from, rows[_i].zf);
    x = graph_const(l.g, "x", &t, &stored);
    t.quant = quant_scalar(l.a, rows[_i].to, rows[_i].zt);
    y = graph_value(l.g, "y", &t);
    got = compute(&l, &op_m_convert, NULL, &x, 1, y);
    ck_assert_int_eq(got[0], rows[_i].want);
    arena_free(l.a);
}
END_TEST

START_TEST(map_and_reduce)
{
    struct lab l = lab(_i);
    struct value *in[2] = { tensor(&l, DT_F32, DIMS(2, 3, 4)), tensor(&l, DT_I8, DIMS(3, 1)) };
    struct value *y = graph_value(l.g, "y", NULL), *z = graph_value(l.g, "z", NULL);
    struct m_map_attr a = { .op = M_MAP_SUB };
    int64_t axes[1] = { 1 };
    struct m_reduce_attr r = { M_REDUCE_MEAN, { 1, axes }, 0 };
    const float *got, *x = in[0]->data;

    in[1]->type.quant = quant_scalar(l.a, 0.125f, 7);
    got = compute(&l, &op_m_map, &a, in, 2, y);
    for (int i = 0; i < 24; i++)
        ck_assert(got[i] == x[i] - 0.125f * (float)(((const int8_t *)in[1]->data)[i / 4 % 3] - 7));
    got = compute(&l, &op_m_reduce, &r, in, 1, z);
    ck_assert_int_eq(z->type.shape.rank, 2);
    for (int i = 0; i < 8; i++) {
        const float *p = x + i / 4 * 12 + i % 4;
        ck_assert(got[i] == (p[0] + p[4] + p[8]) / 3);
    }
    arena_free(l.a);
}
END_TEST

/* Operands that do not fit are errors, not crashes. */
START_TEST(refused)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new(a, &(struct diag_config){ 0 });
    struct lab l = { a, d, graph_new(a, "lab") };
    struct value *in[3] = { tensor(&l, DT_I8, DIMS(1, 3, 4, 4)),
                            tensor(&l, DT_I8, DIMS(2, 2, 3, 3)),
                            tensor(&l, DT_I32, DIMS(2)) };
    struct value *y = graph_value(l.g, "y", NULL);

    l.g->stage = STAGE_MACHINE;
    ck_assert(!node_infer(l.g, graph_node(l.g, NULL, &op_m_conv, "c", in, 3, &y, 1), d));
    ck_assert(!node_infer(l.g, graph_node(l.g, NULL, &op_m_matmul, "m", in, 2, &y, 1), d));
    ck_assert(!node_infer(l.g, graph_node(l.g, NULL, &op_m_add, "a", in, 2, &y, 1), d));
    ck_assert(!node_infer(l.g, graph_node(l.g, NULL, &op_m_table, "t", in, 2, &y, 1), d));
    ck_assert(!node_infer(l.g, graph_node(l.g, NULL, &op_m_move, "v", in, 1, &y, 1), d));
    ck_assert(diag_has(d, "machine-shape"));
    arena_free(a);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("machine");
    TCase *t = tcase_create("kernels");

    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, conv, 0, 60);
    tcase_add_loop_test(t, matmul, 0, 60);
    tcase_add_loop_test(t, add, 0, 5);
    tcase_add_loop_test(t, pool, 0, 60);
    tcase_add_loop_test(t, move, 0, 24);
    tcase_add_loop_test(t, convert, 0, 6);
    tcase_add_test(t, map_and_reduce);
    tcase_add_test(t, refused);
    suite_add_tcase(s, t);
    return tap_run(s);
}
