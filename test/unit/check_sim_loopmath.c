/* sim/loops: what loops compute, against plain loops over numbers, in strict mode: the
 * matmul loop in tiles and chains, the convolution loop with each of its variants. */
#include <math.h>
#include <string.h>

#include "test/unit/looptest.h"
#include "test/unit/simtest.h"
#include "test/unit/tap.h"

static int
some(int from, int to)
{
    return (int)sim_between(from, to);
}

/* ---- products */

static int8_t
small(void)
{
    return (int8_t)some(-128, 127);
}

static void
fill(uint64_t addr, int64_t bytes)
{
    for (int64_t i = 0; i < bytes; i++)
        ram[addr - RAM + (uint64_t)i] = (uint8_t)small();
}

static int
byte_at(uint64_t addr)
{
    return (int8_t)ram[addr - RAM];
}

static int32_t
word_at(uint64_t addr)
{
    int32_t x;

    memcpy(&x, ram + (addr - RAM), 4);
    return x;
}

/* As the hardware rounds: to float, product, nearest even, cut. */
static int
scaled(int32_t x, float scale, bool relu)
{
    float p = (float)(relu && x < 0 ? 0 : x) * scale;
    float r = rintf(p);

    return r > 127 ? 127 : r < -128 ? -128 : (int)r;
}

struct product {
    int m, n, k;
    bool at, bt, bias, full, relu;
    float scale;
    uint64_t a, b, c, d;
};

static void
check_product(const struct product *x)
{
    for (int i = 0; i < x->m; i++)
        for (int j = 0; j < x->n; j++) {
            int32_t sum = x->bias ? word_at(x->d + (uint64_t)j * 4) : 0;
            uint64_t c = x->c + (uint64_t)(i * x->n + j) * (x->full ? 4 : 1);

            for (int k = 0; k < x->k; k++)
                sum += byte_at(x->a + (uint64_t)(x->at ? k * x->m + i : i * x->k + k))
                    * byte_at(x->b + (uint64_t)(x->bt ? j * x->k + k : k * x->n + j));
            if (x->full)
                ck_assert_int_eq(word_at(c), sum);
            else
                ck_assert_int_eq(byte_at(c), scaled(sum, x->scale, x->relu));
        }
}

static void
configure_product(const struct product *x)
{
    config_ex_of(&(struct isa_config_ex) { .ws = true, .a_stride = 1, .c_stride = 1,
        .scale = 1, .a_transpose = x->at, .b_transpose = x->bt });
    config_ld(0, (uint64_t)(x->at ? x->m : x->k), 16, 1, false);
    config_ld(1, (uint64_t)(x->bt ? x->k : x->n), 16, 1, false);
    config_ld(2, 0, 16, 1, false);
    config_st((uint32_t)(x->n * (x->full ? 4 : 1)), x->scale, x->relu);
}

/* The part of the product that starts at these tiles. */
static struct ws_args
part_of(const struct product *x, int i, int j, int k, const int step[3])
{
    int m = x->m - i * 16, n = x->n - j * 16, d = x->k - k * 16;
    bool last = k + step[2] >= (x->k + 15) / 16;
    struct ws_args a = { .full = x->full, .at = x->at, .bt = x->bt,
        .as = (uint64_t)(x->at ? x->m : x->k), .bs = (uint64_t)(x->bt ? x->k : x->n),
        .cs = (uint64_t)x->n, .act = x->relu };

    m = m < step[0] * 16 ? m : step[0] * 16;
    n = n < step[1] * 16 ? n : step[1] * 16;
    d = d < step[2] * 16 ? d : step[2] * 16;
    a.i = (m + 15) / 16;
    a.j = (n + 15) / 16;
    a.k = (d + 15) / 16;
    a.pi = a.i * 16 - m;
    a.pj = a.j * 16 - n;
    a.pk = a.k * 16 - d;
    a.a = x->a + (uint64_t)(x->at ? k * 16 * x->m + i * 16 : i * 16 * x->k + k * 16);
    a.b = x->b + (uint64_t)(x->bt ? j * 16 * x->k + k * 16 : k * 16 * x->n + j * 16);
    a.c = last ? x->c + (uint64_t)(i * 16 * x->n + j * 16) * (x->full ? 4 : 1) : 0;
    a.d = x->bias && k == 0 ? x->d + (uint64_t)(j * 64) : 0;
    a.accumulate = x->bias || k > 0;
    return a;
}

START_TEST(products_are_right)
{
    struct product x = { .a = RAM + 0x1000, .b = RAM + 0x20000,
        .c = RAM + 0x40000, .d = RAM + 0x80000 };
    int step[3];

    sim_default_target();
    sim_open(SIM_STRICT_ERROR, _i % 4 == 0);
    sim_seed((uint64_t)_i + 7);
    x.m = some(1, 90);
    x.n = some(1, 110);
    x.k = some(1, 150);
    x.at = _i % 3 == 1;
    x.bt = _i % 3 == 2;
    x.bias = some(0, 1);
    x.full = some(0, 1);
    x.relu = some(0, 1);
    x.scale = 1.0f / (float)some(20, 3000);
    step[0] = some(1, 4);
    step[1] = some(1, 6);
    step[2] = some(1, 9);
    fill(RAM, 0x100000);
    configure_product(&x);
    for (int i = 0; i * 16 < x.m; i += step[0])
        for (int j = 0; j * 16 < x.n; j += step[1])
            for (int k = 0; k * 16 < x.k; k += step[2]) {
                struct ws_args a = part_of(&x, i, j, k, step);
                ck_assert_msg(ws_send(&a), "%s", sim_rules[sim_broken].name);
            }
    fence();
    check_product(&x);
    sim_close();
}
END_TEST

/* ---- convolutions */

struct conv {
    int batch, rows, cols, chans, outs, kernel, stride, pad, kdil;
    int pool, pool_stride, pool_pad; /* 0: none */
    bool rot180, out_1203, w_1203, w_0132, in_3120, dilated, down, bias, relu;
    float scale;
    uint64_t in, w, b, out;
    /* derived */
    int seen_rows, seen_cols, out_rows, out_cols, pooled_rows, pooled_cols;
};

static int
span(int n, int window, int stride, int pad)
{
    return (n + 2 * pad - window) / stride + 1;
}

static void
derive(struct conv *v)
{
    int reach = (v->kernel - 1) * v->kdil + 1;

    v->seen_rows = v->dilated ? 2 * v->rows - 1 : v->rows;
    v->seen_cols = v->dilated ? 2 * v->cols - 1 : v->cols;
    v->out_rows = span(v->seen_rows, reach, v->stride, v->pad);
    v->out_cols = span(v->seen_cols, reach, v->stride, v->pad);
    v->pooled_rows = v->out_rows;
    v->pooled_cols = v->out_cols;
    if (!v->pool)
        return;
    v->pooled_rows = span(v->out_rows, v->pool, v->pool_stride, v->pool_pad);
    v->pooled_cols = span(v->out_cols, v->pool, v->pool_stride, v->pool_pad);
}

static int
pixel(const struct conv *v, int b, int y, int x, int c)
{
    if (y < 0 || x < 0 || y >= v->seen_rows || x >= v->seen_cols)
        return 0;
    if (v->dilated && (y % 2 || x % 2))
        return 0;
    if (v->dilated) {
        y /= 2;
        x /= 2;
    }
    if (v->in_3120)
        return byte_at(v->in + (uint64_t)(((c * v->rows + y) * v->cols + x) * v->batch + b));
    return byte_at(v->in + (uint64_t)(((b * v->rows + y) * v->cols + x) * v->chans + c));
}

static int
weight(const struct conv *v, int ky, int kx, int c, int o)
{
    int d = v->kernel;

    if (v->rot180) {
        ky = d - 1 - ky;
        kx = d - 1 - kx;
    }
    if (v->w_1203)
        return byte_at(v->w + (uint64_t)(((c * d + ky) * d + kx) * v->outs + o));
    if (v->w_0132)
        return byte_at(v->w + (uint64_t)(((ky * d + kx) * v->outs + o) * v->chans + c));
    return byte_at(v->w + (uint64_t)(((ky * d + kx) * v->chans + c) * v->outs + o));
}

static int
conv_at(const struct conv *v, int b, int r, int q, int o)
{
    int32_t sum = v->bias ? word_at(v->b + (uint64_t)o * 4) : 0;

    for (int ky = 0; ky < v->kernel; ky++)
        for (int kx = 0; kx < v->kernel; kx++)
            for (int c = 0; c < v->chans; c++)
                sum += pixel(v, b, r * v->stride + ky * v->kdil - v->pad,
                    q * v->stride + kx * v->kdil - v->pad, c) * weight(v, ky, kx, c, o);
    return scaled(sum, v->scale, v->relu);
}

static int
pooled_at(const struct conv *v, int b, int r, int q, int o)
{
    int best = -1000;

    if (!v->pool)
        return conv_at(v, b, r, q, o);
    for (int y = 0; y < v->pool; y++)
        for (int x = 0; x < v->pool; x++) {
            int py = r * v->pool_stride + y - v->pool_pad;
            int px = q * v->pool_stride + x - v->pool_pad;
            bool out = py < 0 || px < 0 || py >= v->out_rows || px >= v->out_cols;
            int a = out ? 0 : conv_at(v, b, py, px, o);
            best = a > best ? a : best;
        }
    return best;
}

static void
check_conv(const struct conv *v)
{
    for (int b = 0; b < v->batch; b++)
        for (int r = 0; r < v->pooled_rows; r++)
            for (int q = 0; q < v->pooled_cols; q++)
                for (int o = 0; o < v->outs; o++) {
                    int at = ((b * v->pooled_rows + r) * v->pooled_cols + q) * v->outs + o;
                    int want_it = pooled_at(v, b, r, q, o);

                    if (v->out_1203)
                        at = ((r * v->pooled_cols + q) * v->batch + b) * v->outs + o;
                    ck_assert_msg(byte_at(v->out + (uint64_t)at) == want_it,
                        "batch %d row %d column %d channel %d: %d, not %d", b, r, q, o,
                        byte_at(v->out + (uint64_t)at), want_it);
                }
}

/* ---- tiles of a convolution (gemmini-isa.md 12.4) */

struct slice { int prow, prows, pcol, pcols, och, ochs, krow, krows, kch, kchs; };

static int
over(int x)
{
    return x > 0 ? x : 0;
}

/* One axis: outputs, pads and where the input starts. */
struct axis { int outs, first_pool_pad, last_pool_pad, pad, pad_after, at; };

static struct axis
axis_of(const struct conv *v, int from, int n, int k, int ks, int outs, int seen)
{
    int size = v->pool ? v->pool : 1, step = v->pool ? v->pool_stride : 1;
    int r = from * step - (v->pool ? v->pool_pad : 0), all = n * step + size - 1;
    struct axis x = { .first_pool_pad = over(-r), .last_pool_pad = over(r + all - outs) };
    int span_in, at;

    x.outs = all - x.first_pool_pad - x.last_pool_pad;
    at = over(r) * v->stride + k * v->kdil - v->pad;
    span_in = x.outs * v->stride + (ks - 1) * v->kdil + 1 - 1;
    x.pad = over(-at);
    x.pad_after = over(at + span_in - seen);
    if (v->dilated && !x.pad && at & 1)
        x.pad = 1;
    if (v->dilated && !x.pad_after && !((at + span_in) & 1))
        x.pad_after = 1;
    x.at = (at + x.pad) >> v->dilated;
    return x;
}

static uint64_t
slice_weights(const struct conv *v, const struct slice *s)
{
    int d = v->kernel, ky = v->rot180 ? d - s->krow - s->krows : s->krow;

    if (v->w_1203)
        return v->w + (uint64_t)((s->kch * d + ky) * d * v->outs + s->och);
    if (v->w_0132)
        return v->w + (uint64_t)((ky * d * v->outs + s->och) * v->chans + s->kch);
    return v->w + (uint64_t)((ky * d * v->chans + s->kch) * v->outs + s->och);
}

static struct conv_args
loop_of(const struct conv *v, const struct slice *s)
{
    struct axis y = axis_of(v, s->prow, s->prows, s->krow, s->krows, v->out_rows, v->seen_rows);
    struct axis x = axis_of(v, s->pcol, s->pcols, 0, v->kernel, v->out_cols, v->seen_cols);
    bool first = !s->krow && !s->kch;
    bool last = s->krow + s->krows == v->kernel && s->kch + s->kchs == v->chans;
    struct conv_args a = { .batch_size = v->batch, .in_rows = v->rows, .in_cols = v->cols,
        .in_channels = v->chans, .out_channels = v->outs, .out_rows = v->out_rows,
        .out_cols = v->out_cols, .pool_out_rows = v->pooled_rows,
        .pool_out_cols = v->pooled_cols, .stride = v->stride, .padding = v->pad,
        .kernel = v->kernel, .kdil = v->kdil, .pool_size = v->pool ? v->pool : 1,
        .pool_stride = v->pool ? v->pool_stride : 1, .batches = v->batch,
        .porows = s->prows, .pocols = s->pcols, .pochs = s->ochs, .krows = s->krows,
        .kcols = v->kernel, .kchs = s->kchs, .upad = y.pad, .dpad = y.pad_after,
        .lpad = x.pad, .rpad = x.pad_after, .pupad = y.first_pool_pad,
        .pdpad = y.last_pool_pad, .plpad = x.first_pool_pad, .prpad = x.last_pool_pad,
        .orows = y.outs, .ocols = x.outs, .in_stride = v->chans, .weight_stride = v->outs,
        .out_stride = v->outs, .no_pool = !v->pool, .act = v->relu, .no_bias = !v->bias,
        .rot180 = v->rot180, .out_1203 = v->out_1203, .w_1203 = v->w_1203,
        .w_0132 = v->w_0132, .in_3120 = v->in_3120, .dilated = v->dilated, .down = v->down,
        .pixels = 1, .weights = slice_weights(v, s) };
    int pixel_in = y.at * v->cols + x.at, pixel_out = s->prow * v->pooled_cols + s->pcol;

    a.input = v->in_3120 ? v->in + (uint64_t)((s->kch * v->rows * v->cols + pixel_in) * v->batch)
        : v->in + (uint64_t)(pixel_in * v->chans + s->kch);
    a.bias = first ? v->b + (uint64_t)s->och * 4 : 0;
    a.output = last ? v->out + (uint64_t)(v->out_1203
        ? pixel_out * v->batch * v->outs + s->och : pixel_out * v->outs + s->och) : 0;
    if (s->kchs <= 16 && !v->in_3120 && !v->w_1203 && !v->w_0132 && !v->rot180 && !v->down
        && !v->dilated && v->kdil == 1 && v->chans <= 16)
        a.pixels = 16 / s->kchs < v->kernel ? 16 / s->kchs : v->kernel;
    return a;
}

static void
configure_conv(const struct conv *v)
{
    config_ex_of(&(struct isa_config_ex) { .ws = true, .a_stride = (unsigned)(v->stride >> v->down),
        .c_stride = v->dilated ? 2 : 1, .scale = 1, .a_transpose = v->in_3120,
        .b_transpose = v->w_0132 });
    config_st((uint32_t)(v->out_1203 ? v->batch * v->outs : v->outs), v->scale, v->relu);
}

static int
least(int a, int b)
{
    return a < b ? a : b;
}

/* In tiles of so many pooled rows and columns, channels, kernel rows.  Wide pads go
 * with whole kernels: a tile of pads only never ends in hardware. */
static void
run_conv(const struct conv *v, int prows, int pcols, int ochs, int krows, int kchs)
{
    for (int r = 0; r < v->pooled_rows; r += prows)
        for (int q = 0; q < v->pooled_cols; q += pcols)
            for (int o = 0; o < v->outs; o += ochs)
                for (int k = 0; k < v->kernel; k += krows)
                    for (int c = 0; c < v->chans; c += kchs) {
                        struct slice s = { r, least(prows, v->pooled_rows - r), q,
                            least(pcols, v->pooled_cols - q), o, least(ochs, v->outs - o), k,
                            least(krows, v->kernel - k), c, least(kchs, v->chans - c) };
                        struct conv_args a = loop_of(v, &s);
                        ck_assert_msg(conv_send(&a), "%s", sim_rules[sim_broken].name);
                    }
}

enum { PLAIN, POOL, STRIDE, FIRST, DOWN, ROT, OUT_1203, W_1203, W_0132, IN_3120, DILATED,
    KERNEL_DILATED, KINDS };

static struct conv
conv_of(int kind)
{
    struct conv v = { .batch = some(1, 2), .rows = some(5, 12), .cols = some(5, 20),
        .chans = some(1, 40), .outs = some(1, 70), .kernel = some(1, 3), .stride = 1,
        .kdil = 1, .bias = some(0, 1), .relu = some(0, 1),
        .scale = 1.0f / (float)some(100, 4000), .in = RAM + 0x1000, .w = RAM + 0x40000,
        .b = RAM + 0x80000, .out = RAM + 0xa0000 };

    v.pad = some(0, v.kernel - 1);
    v.rot180 = kind == ROT;
    v.out_1203 = kind == OUT_1203;
    v.w_1203 = kind == W_1203;
    v.w_0132 = kind == W_0132;
    v.in_3120 = kind == IN_3120;
    v.dilated = kind == DILATED;
    v.down = kind == DOWN;
    if (kind == DILATED)
        v.kernel = some(2, 3);
    if (kind == POOL) {
        v.pool = some(2, 3);
        v.pool_stride = some(1, 3);
        v.pool_pad = some(0, 1);
        v.relu = v.relu || v.pool_pad;
    }
    if (kind == STRIDE)
        v.stride = some(2, 3);
    if (kind == FIRST) {
        v.chans = some(1, 5);
        v.kernel = some(2, 5);
        v.stride = some(1, 2);
    }
    if (kind == DOWN) {
        v.kernel = 1;
        v.pad = 0;
        v.stride = 2;
        v.rows &= ~1;
        v.cols &= ~1;
    }
    if (kind == KERNEL_DILATED) {
        v.kernel = 3;
        v.kdil = 2;
        v.pad = some(0, 3);
    }
    if (kind == IN_3120 || kind == OUT_1203)
        v.batch = some(1, 6);
    if (kind == IN_3120) {
        v.rows = v.cols = some(4, 6);
        v.chans = some(1, 12);
    }
    derive(&v);
    return v;
}

START_TEST(convolutions_are_right)
{
    int kind = _i % KINDS;
    struct conv v;

    sim_default_target();
    sim_target.isa_revision = 3;
    sim_open(SIM_STRICT_ERROR, _i % 5 == 0);
    sim_seed((uint64_t)_i + 1000);
    v = conv_of(kind);
    fill(RAM, 0x200000);
    configure_conv(&v);
    run_conv(&v, some(2, 4), kind == POOL ? some(2, 5) : some(3, 16), some(1, 40),
        some(0, 1) || v.pad > 1 || v.dilated ? v.kernel : 1, some(1, 40));
    fence();
    check_conv(&v);
    sim_close();
}
END_TEST

/* A channel at a time, each with a plane of its own. */
START_TEST(depthwise_is_right)
{
    struct conv_args a = { 0 };
    enum { SIDE = 9, CHANS = 5 };

    sim_default_target();
    sim_target.isa_revision = 3;
    sim_open(SIM_STRICT_ERROR, false);
    sim_seed(3);
    fill(RAM, 0x10000);
    config_ex(1);
    config_st(CHANS, 0.01f, 0);
    for (int c = 0; c < CHANS; c++) {
        a = conv_legal();
        config_st(CHANS, 0.01f, 0);
        a.in_rows = a.in_cols = a.out_rows = a.out_cols = a.orows = a.ocols = a.porows
            = a.pocols = SIDE;
        a.in_channels = a.out_channels = a.in_stride = a.out_stride = a.weight_stride = CHANS;
        a.kchs = a.pochs = 1;
        a.dw = 1;
        a.pixels = 3;
        a.weights = RAM + 0x1000 + (uint64_t)c * 9;
        a.input = RAM + 0x2000 + (uint64_t)c;
        a.output = RAM + 0x8000 + (uint64_t)c;
        a.bias = RAM + 0x4000 + (uint64_t)c * 4;
        ck_assert_msg(conv_send(&a), "%s", sim_rules[sim_broken].name);
    }
    fence();
    for (int i = 0; i < SIDE * SIDE * CHANS; i++) {
        int c = i % CHANS, x = i / CHANS % SIDE, y = i / CHANS / SIDE;
        int32_t sum = word_at(RAM + 0x4000 + (uint64_t)c * 4);

        for (int k = 0; k < 9; k++) {
            int py = y + k / 3 - 1, px = x + k % 3 - 1;
            if (py >= 0 && px >= 0 && py < SIDE && px < SIDE)
                sum += byte_at(RAM + 0x2000 + (uint64_t)((py * SIDE + px) * CHANS + c))
                    * byte_at(RAM + 0x1000 + (uint64_t)(c * 9 + k));
        }
        ck_assert_int_eq(byte_at(RAM + 0x8000 + (uint64_t)i), scaled(sum, 0.01f, false));
    }
    sim_close();
}
END_TEST

/* The sum of two images, which only strict mode refuses. */
START_TEST(residuals_are_right)
{
    struct ws_args a = { .i = 3, .j = 5, .k = 1, .pi = 4, .pj = 7, .a = RAM + 0x1000,
        .b = RAM + 0x8000, .c = RAM + 0x10000, .as = 73, .bs = 73, .cs = 73, .resadd = 1 };

    sim_default_target();
    sim_open(SIM_STRICT_OFF, true);
    sim_seed(9);
    fill(RAM, 0x20000);
    config_ex(1);
    config_ld(0, 73, 16, 1, true);
    config_ld(1, 73, 16, 1, true);
    config_st(73, 1, 0);
    for (int twice = 0; twice < 2; twice++) {
        ck_assert(ws_send(&a));
        fence();
        for (uint64_t i = 0; i < 44 * 73; i++)
            ck_assert_int_eq(byte_at(a.c + i), scaled(byte_at(a.a + i) + byte_at(a.b + i), 1, 0));
    }
    sim_close();
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("sim_loopmath");
    TCase *r = tcase_create("results");

    tcase_add_loop_test(r, products_are_right, 0, 24);
    tcase_add_loop_test(r, convolutions_are_right, 0, 6 * KINDS);
    tcase_add_test(r, depthwise_is_right);
    tcase_add_test(r, residuals_are_right);
    tcase_set_timeout(r, 60);
    suite_add_tcase(s, r);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
