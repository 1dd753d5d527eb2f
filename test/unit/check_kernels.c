/* The runtime's kernels for the core against the reference kernels of the machine
 * operators, bit for bit, over random shapes, layouts and element types. */
#include <math.h>
#include <string.h>

#include "test/unit/corecase.h"
#include "test/unit/tap.h"

#define CASES 600

static enum dtype
int8_or_float(struct core_case *c)
{
    return core_between(c, 0, 2) ? DT_I8 : DT_F32;
}

static struct type
some_type(struct core_case *c, enum dtype dt, int rank, const int64_t *dims)
{
    return core_type(c, dt, rank, dims, dt == DT_I8);
}

static struct m_scale
scales(struct core_case *c, int64_t channels, float most)
{
    int64_t block = CORE_PICK(c, 0, 0, 1, 3), n = block ? (channels + block - 1) / block : 1;
    float *at = NEWN(c->arena, float, n);

    for (int64_t i = 0; i < n; i++)
        at[i] = most * (float)core_between(c, 1, 50) / 50.0f;
    return (struct m_scale){ block, { (int)n, at } };
}

/* Bias of a product: int32, or float for floats. */
static struct value *
some_bias(struct core_case *c, enum dtype dt, int64_t n)
{
    struct type t = core_type(c, dt == DT_I8 ? DT_I32 : DT_F32, 1, &n, false);

    return core_const(c, &t);
}

/* ---- windows */

struct geometry {
    int64_t x[4], y[4], kernel[2], stride[2], dilation[2], pads[4];
};

/* Axis 2 + i; at least one output. */
static void
axis(struct core_case *c, struct geometry *g, int i)
{
    int64_t room;

    do {
        g->x[2 + i] = core_between(c, 1, 9);
        g->kernel[i] = core_between(c, 1, 4);
        g->stride[i] = core_between(c, 1, 3);
        g->dilation[i] = core_between(c, 1, 2);
        g->pads[i] = core_between(c, 0, 3);
        g->pads[2 + i] = core_between(c, 0, 3);
        room = g->x[2 + i] + g->pads[i] + g->pads[2 + i] - (g->kernel[i] - 1) * g->dilation[i] - 1;
    } while (room < 0);
    g->y[2 + i] = room / g->stride[i] + 1;
}

static struct geometry
windows(struct core_case *c)
{
    struct geometry g = { .x = { core_between(c, 1, 2) } };

    g.y[0] = g.x[0];
    g.y[1] = g.x[1] = core_between(c, 1, 6);
    axis(c, &g, 0);
    axis(c, &g, 1);
    return g;
}

/* A pool on the way out, which shrinks y. */
static void
pool_out(struct core_case *c, struct m_pool_attr *a, int64_t *y)
{
    for (int i = 0; i < 2; i++) {
        a->kernel[i] = core_between(c, 1, y[2 + i] < 3 ? y[2 + i] : 3);
        a->stride[i] = core_between(c, 1, 2);
        a->dilation[i] = 1;
        a->pads[i] = core_between(c, 0, a->kernel[i] - 1);
        y[2 + i] = (y[2 + i] + a->pads[i] - a->kernel[i]) / a->stride[i] + 1;
    }
}

static void
conv(struct core_case *c)
{
    enum dtype dt = int8_or_float(c);
    struct geometry g = windows(c);
    int64_t groups = core_between(c, 1, 3), cg = core_between(c, 1, 3), og = core_between(c, 1, 3);
    struct m_conv_attr a = { .groups = groups, .relu = core_between(c, 0, 1) };
    struct m_pool_attr *pool =
        dt == DT_I8 && core_between(c, 0, 2) == 0 ? NEW(c->arena, struct m_pool_attr) : NULL;

    g.x[1] = groups * cg;
    g.y[1] = groups * og;
    memcpy(a.stride, g.stride, sizeof a.stride);
    memcpy(a.dilation, g.dilation, sizeof a.dilation);
    memcpy(a.pads, g.pads, sizeof a.pads);
    if (dt == DT_I8) {
        a.pad_value = core_between(c, -128, 127);
        a.scale = scales(c, g.y[1], 0.02f);
    }
    struct type x = some_type(c, dt, 4, g.x), y;
    struct type w = core_type(c, dt, 4, (int64_t[]){ g.y[1], cg, g.kernel[0], g.kernel[1] }, false);
    struct value *in[3] = { core_input(c, &x) };
    in[1] = core_const(c, &w);
    in[2] = some_bias(c, dt, g.y[1]);
    if (pool)
        pool_out(c, pool, g.y);
    y = some_type(c, dt, 4, g.y);
    core_node(c, &op_m_conv, &a, in, 3, &y);
    if (pool)
        node_add_epi(c->g, c->n, EPI_POOL, NULL, pool);
}

static void
pool(struct core_case *c)
{
    enum dtype dt = int8_or_float(c);
    struct geometry g = windows(c);
    struct m_pool_attr a = { .kind = core_between(c, 0, 1) };
    struct type x = some_type(c, dt, 4, g.x), y = some_type(c, dt, 4, g.y);

    a.avg_include_pad = core_between(c, 0, 1);
    memcpy(a.kernel, g.kernel, sizeof a.kernel);
    memcpy(a.stride, g.stride, sizeof a.stride);
    memcpy(a.dilation, g.dilation, sizeof a.dilation);
    memcpy(a.pads, g.pads, sizeof a.pads);
    if (a.kind == M_POOL_MAX)
        y.quant = x.quant;
    struct value *in = core_input(c, &x);
    core_node(c, &op_m_pool, &a, &in, 1, &y);
}

/* ---- products */

/* Leading axes of an operand: fewer, or of size 1, where it is repeated. */
static int
leading(struct core_case *c, const int64_t *all, int n, int64_t *to)
{
    int drop = (int)core_between(c, 0, n), r = 0;

    for (int i = drop; i < n; i++)
        to[r++] = core_between(c, 0, 2) ? all[i] : 1;
    return r;
}

static void
matmul(struct core_case *c)
{
    enum dtype dt = int8_or_float(c);
    int n = (int)core_between(c, 0, 2), ra, rb;
    int64_t *size = core_list(c, 3, 1, 12), *lead = core_list(c, 2, 1, 3), a[4], b[4], y[4];
    struct m_matmul_attr at = { .ta = core_between(c, 0, 1) };
    struct value *in[3];

    at.tb = core_between(c, 0, 1);
    at.relu = core_between(c, 0, 1);
    if (dt == DT_I8)
        at.scale = scales(c, size[2], 0.01f);
    ra = leading(c, lead, n, a);
    rb = leading(c, lead, n, b);
    a[ra] = size[at.ta ? 1 : 0];
    a[ra + 1] = size[at.ta ? 0 : 1];
    b[rb] = size[at.tb ? 2 : 1];
    b[rb + 1] = size[at.tb ? 1 : 2];
    /* y's leading axes: what the two need */
    int r = ra > rb ? ra : rb;
    for (int i = 0; i < r; i++) {
        int64_t da = i < r - ra ? 1 : a[i - (r - ra)], db = i < r - rb ? 1 : b[i - (r - rb)];
        y[i] = da > db ? da : db;
    }
    y[r] = size[0];
    y[r + 1] = size[2];
    struct type ta = some_type(c, dt, ra + 2, a), tb = some_type(c, dt, rb + 2, b), ty;
    in[0] = core_between(c, 0, 3) ? core_input(c, &ta) : core_const(c, &ta);
    in[1] = core_between(c, 0, 2) || in[0]->data ? core_input(c, &tb) : core_const(c, &tb);
    in[2] = core_between(c, 0, 2) ? some_bias(c, dt, size[2]) : NULL;
    ty = some_type(c, dt, r + 2, y);
    core_node(c, &op_m_matmul, &at, in, in[2] ? 3 : 2, &ty);
}

static void
add(struct core_case *c)
{
    int rank = (int)core_between(c, 0, 4);
    int64_t *d = core_list(c, rank, 1, 6), *m = core_list(c, 3, -300, 300);
    struct m_add_attr a = {
        .ma = m[0], .mb = m[1], .bias = m[2] * 7, .relu = core_between(c, 0, 1)
    };
    struct type t = some_type(c, DT_I8, rank, d);
    struct value *in[2];

    a.scale = (float)core_between(c, 1, 100) / 20000.0f;
    in[0] = core_input(c, &t);
    in[1] = core_between(c, 0, 9) ? core_input(c, &t) : in[0];
    core_node(c, &op_m_add, &a, in, 2, &t);
}

/* ---- element by element */

static void
table(struct core_case *c)
{
    int rank = (int)core_between(c, 0, 4);
    struct type x = some_type(c, DT_I8, rank, core_list(c, rank, 1, 6));
    struct type t = core_type(c, DT_I8, 1, (int64_t[]){ 256 }, false);
    struct value *in[2] = { core_input(c, &x) };

    in[1] = core_const(c, &t);
    core_node(c, &op_m_table, NULL, in, 2, &x);
}

static void
convert(struct core_case *c)
{
    static const enum dtype types[] = { DT_I8, DT_U8, DT_I16, DT_U16, DT_I32, DT_U32, DT_I64,
        DT_F32, DT_F64, DT_BOOL };
    int rank = (int)core_between(c, 0, 4);
    int64_t *d = core_list(c, rank, 1, 6);
    enum dtype from = types[core_between(c, 0, 9)], to = types[core_between(c, 0, 9)];
    bool qx = (from == DT_I8 || from == DT_U8) && core_between(c, 0, 1);
    bool qy = (to == DT_I8 || to == DT_U8) && core_between(c, 0, 1);
    struct type x = core_type(c, from, rank, d, qx), y = core_type(c, to, rank, d, qy);
    if (qx && qy && core_between(c, 0, 1))
        y.quant = quant_scalar(c->arena, x.quant->scale[0], y.quant->zero[0]);
    struct value *in = core_input(c, &x);
    core_node(c, &op_m_convert, NULL, &in, 1, &y);
}

static const int arity[] = {
#define M(id, name, arity) arity,
#include "ir/map.def"
#undef M
};

static void
map(struct core_case *c)
{
    enum dtype dt[3];
    int rank = (int)core_between(c, 0, 4), n;
    int64_t *d = core_list(c, rank, 1, 6);
    struct m_map_attr a = { .op = core_between(c, 0, (int64_t)(sizeof arity / sizeof *arity) - 1) };
    struct value *in[2];

    for (int i = 0; i < 3; i++)
        dt[i] = int8_or_float(c);
    n = arity[a.op];
    a.p = (float)core_between(c, -20, 20) / 10;
    a.q = a.p + (float)core_between(c, 0, 30) / 10;
    for (int i = 0; i < n; i++) {
        int64_t s[4], drop = core_between(c, 0, rank);
        for (int k = 0; k < rank; k++)
            s[k] = core_between(c, 0, 3) ? d[k] : 1;
        drop = core_between(c, 0, 2) ? 0 : drop;
        struct type t = some_type(c, dt[i], rank - (int)drop, s + drop);
        in[i] = core_input(c, &t);
    }
    struct type y = some_type(c, dt[2], rank, d);
    core_node(c, &op_m_map, &a, in, n, &y);
}

/* ---- moves */

static void
move(struct core_case *c)
{
    static const enum dtype types[] = { DT_I8, DT_U8, DT_I16, DT_F32, DT_I64, DT_BOOL };
    enum dtype dt = types[core_between(c, 0, 5)];
    int rank = (int)core_between(c, 1, 5);
    int64_t *x = core_list(c, rank, 1, 6), *y = NEWN(c->arena, int64_t, rank),
            *perm = NEWN(c->arena, int64_t, rank);
    int64_t *start = NEWN(c->arena, int64_t, rank), *step = NEWN(c->arena, int64_t, rank);
    int64_t *dst = NEWN(c->arena, int64_t, rank), *count = NEWN(c->arena, int64_t, rank);
    bool fills = core_between(c, 0, 1);

    for (int i = 0; i < rank; i++)
        perm[i] = i;
    for (int i = rank - 1; i > 0; i--) {
        int64_t j = core_between(c, 0, i), p = perm[i];
        perm[i] = perm[j];
        perm[j] = p;
    }
    for (int i = 0; i < rank; i++) {
        int64_t s = perm[i], first = core_between(c, 0, x[s] - 1),
                last = core_between(c, 0, x[s] - 1);
        step[s] = core_between(c, 1, 2) * (first <= last ? 1 : -1);
        start[s] = first;
        count[i] = (last - first) / step[s] + 1;
        dst[i] = fills ? core_between(c, 0, 2) : 0;
        y[i] = dst[i] + count[i] + (fills ? core_between(c, 0, 2) : 0);
    }
    struct m_move_attr a = { { rank, perm }, { rank, start }, { rank, step }, { rank, dst },
        { rank, count }, .fills = fills };
    a.fill = dt == DT_BOOL ? 1 : core_between(c, 0, 100);
    struct type tx = core_type(c, dt, rank, x, false), ty = core_type(c, dt, rank, y, false);
    struct value *in = core_input(c, &tx);
    core_node(c, &op_m_move, &a, &in, 1, &ty);
}

static void
gather(struct core_case *c)
{
    static const enum dtype types[] = { DT_I8, DT_F32, DT_I64, DT_U8 };
    int rank = (int)core_between(c, 1, 4), ri = (int)core_between(c, 0, 2), r = 0;
    int64_t *d = core_list(c, rank, 1, 5), *i = core_list(c, ri, 1, 4), y[8];
    struct m_gather_attr a = { core_between(c, 0, rank - 1) };
    enum dtype dt = types[core_between(c, 0, 3)];
    struct value *in[2];

    for (int k = 0; k < rank; k++) {
        if (k != a.axis)
            y[r++] = d[k];
        for (int j = 0; k == a.axis && j < ri; j++)
            y[r++] = i[j];
    }
    struct type x = core_type(c, dt, rank, d, false), ty = core_type(c, dt, r, y, false);
    struct type ti = core_type(c, core_between(c, 0, 1) ? DT_I64 : DT_I32, ri, i, false);
    in[0] = core_input(c, &x);
    in[1] = core_between(c, 0, 2) ? core_input(c, &ti) : core_const(c, &ti);
    int64_t n = shape_elems(&ti.shape);
    char *at = in[1]->data ? (void *)(uintptr_t)in[1]->data : (void *)(uintptr_t)c->in[1];
    for (int64_t k = 0; k < n; k++) {
        int64_t index = core_between(c, -d[a.axis] - 1, d[a.axis]);
        if (ti.dt == DT_I64)
            ((int64_t *)at)[k] = index;
        else
            ((int32_t *)at)[k] = (int32_t)index;
    }
    core_node(c, &op_m_gather, &a, in, 2, &ty);
}

/* ---- along axes */

static void
softmax(struct core_case *c)
{
    int rank = (int)core_between(c, 1, 4);
    int64_t *d = core_list(c, rank, 1, 8);
    struct m_softmax_attr a = { .axis = core_between(c, 0, rank - 1) };
    struct type x = some_type(c, int8_or_float(c), rank, d),
                y = core_type(c, DT_F32, rank, d, false);
    struct value *in = core_input(c, &x);

    a.log = core_between(c, 0, 1);
    core_node(c, &op_m_softmax, &a, &in, 1, &y);
}

static void
reduce(struct core_case *c)
{
    int rank = (int)core_between(c, 0, 4), ry = 0, n = 0;
    int64_t *d = core_list(c, rank, 1, 6), y[4], axes[4];
    struct m_reduce_attr a = { .op = core_between(c, M_REDUCE_SUM, M_REDUCE_MIN) };
    enum dtype dt = int8_or_float(c);

    a.keepdims = core_between(c, 0, 1);
    for (int i = 0; i < rank; i++) {
        bool goes = core_between(c, 0, 1);
        if (goes)
            axes[n++] = i;
        if (!goes || a.keepdims)
            y[ry++] = goes ? 1 : d[i];
    }
    a.axes = (struct ints){ n, arena_dup(c->arena, axes, sizeof axes) };
    struct type x = some_type(c, dt, rank, d),
                ty = some_type(c, core_between(c, 0, 3) ? dt : DT_F32, ry, y);
    struct value *in = core_input(c, &x);
    core_node(c, &op_m_reduce, &a, &in, 1, &ty);
}

/* ---- */

static const struct {
    const char *name;
    void (*make)(struct core_case *);
} kernels[] = {
    { "conv", conv },
    { "matmul", matmul },
    { "add", add },
    { "pool", pool },
    { "table", table },
    { "convert", convert },
    { "move", move },
    { "softmax", softmax },
    { "map", map },
    { "reduce", reduce },
    { "gather", gather },
};
#define KERNELS ((int)(sizeof kernels / sizeof *kernels))

START_TEST(agrees)
{
    for (uint32_t i = 0; i < CASES; i++) {
        struct core_case c;
        core_begin(&c, (uint32_t)_i * 100003 + i * 7919 + 1);
        c.wild = kernels[_i].make != conv && kernels[_i].make != matmul;
        kernels[_i].make(&c);
        core_check(&c);
        core_end(&c);
    }
    printf("# %s: %d cases agree\n", kernels[_i].name, CASES);
    fflush(stdout);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("kernels");
    TCase *t = tcase_create("core");

    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, agrees, 0, KERNELS);
    suite_add_tcase(s, t);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
