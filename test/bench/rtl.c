/* The clock of the device model against cycle-exact simulation of hardware: every layer
 * of a table of measurements, issued as Gemmini's C library issues it, with the loops of
 * the hardware.  Usage: rtl TABLE [PATTERN].
 *
 * The table is the project's, not part of it: lines of kind, shape, call, tile, bias,
 * latency, ..., cycles.  What the library's own code costs is the same for all: so much
 * before the first loop, so much for each, so much for each tile that it tries (isa 18,
 * timing 1.8, 1.10).  No layer has a figure of its own. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/unit/looptest.h"
#include "test/unit/simtest.h"

enum { FIRST = 400, CODE_LINES = 25, LINE = 28, EACH = 100, TRIAL = 90 };
enum { HALF_SP = 8192, HALF_ACC = 512, DIM = 16 };

struct row {
    char kind[16], shape[80], call[40], tile[40];
    int bias, latency;
    double cycles;
};

static int
least(int a, int b)
{
    return a < b ? a : b;
}

static int
tiles(int n, int step)
{
    return (n + step - 1) / step;
}

static uint64_t
page(uint64_t x)
{
    return (x + 4095) & ~UINT64_C(4095);
}

/* The core is busy for so long. */
static void
software(double t)
{
    sim_instructions(sim, 0, (uint64_t)(t / sim_target.core_instr));
}

static void
each_loop(int commands)
{
    software(EACH - commands * sim_target.core_issue);
}

/* ---- products */

static void
configure(uint64_t a, uint64_t b, uint64_t d, uint64_t c, bool shrink)
{
    config_ex(1);
    config_st((uint32_t)c, 1, 0);
    config_ld(0, a, DIM, 1, shrink);
    config_ld(1, b, DIM, 1, shrink);
    config_ld(2, d, DIM, 1, false);
}

/* Operands that fit two loops are kept and named by their halves. */
static void
reuse(struct ws_args *l, int i, int j, int k, bool keep_a, bool keep_b)
{
    if (keep_a) {
        l->aid = i + k == 0 ? 1 : 2;
        if (j)
            l->a = 0;
    }
    if (keep_b) {
        l->bid = j + k == 0 ? 1 : 2;
        if (i)
            l->b = 0;
    }
}

static void
product(int m, int n, int d, const int *tile, bool bias)
{
    int ti = tile[0], tj = tile[1], tk = tile[2];
    int I = tiles(m, DIM), J = tiles(n, DIM), K = tiles(d, DIM);
    int I0 = tiles(I, ti), J0 = tiles(J, tj), K0 = tiles(K, tk);
    uint64_t a = RAM + 0x100000, b = a + page((uint64_t)m * (uint64_t)d);
    uint64_t c = b + page((uint64_t)n * (uint64_t)d), bi = c + page((uint64_t)m * (uint64_t)n);

    configure((uint64_t)d, (uint64_t)n, 0, (uint64_t)n, false);
    for (int i = 0; i < I0; i++)
        for (int j = 0; j < J0; j++)
            for (int k = 0; k < K0; k++) {
                struct ws_args l = { .i = least(ti, I - i * ti), .j = least(tj, J - j * tj),
                    .k = least(tk, K - k * tk), .pi = i == I0 - 1 ? I * DIM - m : 0,
                    .pj = j == J0 - 1 ? J * DIM - n : 0, .pk = k == K0 - 1 ? K * DIM - d : 0,
                    .as = (uint64_t)d, .bs = (uint64_t)n, .cs = (uint64_t)n,
                    .accumulate = bias || k };
                l.a = a + (uint64_t)(i * ti * DIM) * (uint64_t)d + (uint64_t)(k * tk * DIM);
                l.b = b + (uint64_t)(k * tk * DIM) * (uint64_t)n + (uint64_t)(j * tj * DIM);
                if (k == K0 - 1)
                    l.c = c + (uint64_t)(i * ti * DIM) * (uint64_t)n + (uint64_t)(j * tj * DIM);
                l.d = bias && !k ? bi + (uint64_t)(j * tj * DIM * 4) : 0;
                reuse(&l, i, j, k, I0 * K0 <= 2, J0 * K0 <= 2);
                each_loop(6);
                ws_send(&l);
            }
}

static void
sum(int m, int n, const int *tile)
{
    uint64_t size = page((uint64_t)m * (uint64_t)n), a = RAM + 0x100000;

    configure((uint64_t)n, (uint64_t)n, 0, (uint64_t)n, true);
    for (int i = 0; i < m; i += tile[0])
        for (int j = 0; j < n; j += tile[1]) {
            int rows = least(tile[0], m - i), cols = least(tile[1], n - j);
            uint64_t at = (uint64_t)i * (uint64_t)n + (uint64_t)j;
            struct ws_args l = { .i = tiles(rows, DIM), .j = tiles(cols, DIM), .k = 1,
                .a = a + at, .b = a + size + at, .c = a + 2 * size + at, .as = (uint64_t)n,
                .bs = (uint64_t)n, .cs = (uint64_t)n, .resadd = 1 };
            l.pi = l.i * DIM - rows;
            l.pj = l.j * DIM - cols;
            each_loop(6);
            ws_send(&l);
        }
}

/* ---- convolutions */

struct conv {
    int batch, in, chans, out, outs, kernel, stride, pad, pool, pool_stride, pool_pad;
    int pooled, dim;                 /* outputs of a side: pooled, not pooled */
    int pitch, first;                /* channels of a pixel in memory, the first of them */
    bool bias, down, depthwise;
};

enum { B, Y, X, OUTS, KY, KX, KCH, ARGS };

/* Rows that a tile takes of scratchpad and accumulator. */
static bool
fits(const struct conv *v, const int *t, int *trials)
{
    int rows = t[Y] * v->pool_stride + v->pool - 1, cols = t[X] * v->pool_stride + v->pool - 1;
    int in_rows = rows * v->stride + t[KY] - 1, in_cols = cols * v->stride + t[KX] - 1;
    int a = tiles(t[KCH], DIM) * t[B] * (in_rows >> v->down) * (in_cols >> v->down);
    int b = tiles(t[OUTS], DIM) * t[KY] * t[KX] * t[KCH];
    int c = tiles(t[OUTS], DIM) * t[B] * rows * cols;

    *trials += 2;                    /* one for each memory */
    return a + b <= HALF_SP && c <= HALF_ACC;
}

static void
shrink(int *t)
{
    int most = -1, at = -1;

    for (int i = 0; i < ARGS; i++)
        if (t[i] > most && !(i == X && t[X] <= DIM && t[Y] > 1)) {
            most = t[i];
            at = i;
        }
    if (at != OUTS && at != KCH)
        t[at]--;
    else
        t[at] = t[at] % DIM ? t[at] / DIM * DIM : t[at] - DIM;
    if (!t[at])
        t[at] = 1;
}

static bool
grow(const struct conv *v, int *t, const int *most, int at, int *trials)
{
    if (t[at] >= most[at])
        return false;
    t[at]++;
    if (fits(v, t, trials))
        return true;
    t[at]--;
    return false;
}

/* The library's search for a tile; returns how many it tries. */
static int
search(const struct conv *v, int *t)
{
    int most[ARGS] = { v->batch, v->pooled, v->pooled, v->outs, v->kernel, v->kernel, v->chans };
    int trials = 0;
    bool grown = true;

    if (v->depthwise)
        most[OUTS] = most[KCH] = 1;
    memcpy(t, most, sizeof most);
    while (!fits(v, t, &trials))
        shrink(t);
    while (grow(v, t, most, X, &trials))
        ;
    while (grown) {
        grown = false;
        for (int i = 0; i < ARGS; i++)
            grown |= grow(v, t, most, i, &trials);
    }
    return trials;
}

/* One axis of a tile: outputs and pads. */
struct axis { int outs, pool_pad, pool_pad_after, pad, pad_after, at; };

static int
over(int x)
{
    return x > 0 ? x : 0;
}

static struct axis
axis_of(const struct conv *v, int from, int n, int k, int ks)
{
    int r = from * v->pool_stride - v->pool_pad, all = n * v->pool_stride + v->pool - 1, at, in;
    struct axis x = { .pool_pad = over(-r), .pool_pad_after = over(r + all - v->dim) };

    x.outs = all - x.pool_pad - x.pool_pad_after;
    at = over(r) * v->stride + k - v->pad;
    in = x.outs * v->stride + ks - 1;
    x.pad = over(-at);
    x.pad_after = over(at + in - v->in);
    x.at = at + x.pad;
    return x;
}

struct memory { uint64_t in, w, bias, out; };

static struct conv_args
loop_of(const struct conv *v, const struct memory *m, const int *p, const int *n, int channel)
{
    struct axis y = axis_of(v, p[Y], n[Y], p[KY], n[KY]), x = axis_of(v, p[X], n[X], p[KX], n[KX]);
    bool first = !p[KY] && !p[KX] && !p[KCH];
    bool last = p[KY] + n[KY] == v->kernel && p[KX] + n[KX] == v->kernel
        && (v->depthwise || p[KCH] + n[KCH] == v->chans);
    struct conv_args a = { .batch_size = v->batch, .in_rows = v->in, .in_cols = v->in,
        .in_channels = v->chans, .out_channels = v->outs, .out_rows = v->dim, .out_cols = v->dim,
        .pool_out_rows = v->pooled, .pool_out_cols = v->pooled, .stride = v->stride,
        .padding = v->pad, .kernel = v->kernel, .kdil = 1, .pool_size = v->pool,
        .pool_stride = v->pool_stride, .pool_padding = v->pool_pad, .batches = n[B],
        .porows = n[Y], .pocols = n[X], .pochs = n[OUTS], .krows = n[KY], .kcols = n[KX],
        .kchs = n[KCH], .upad = y.pad, .dpad = y.pad_after, .lpad = x.pad, .rpad = x.pad_after,
        .pupad = y.pool_pad, .pdpad = y.pool_pad_after, .plpad = x.pool_pad,
        .prpad = x.pool_pad_after, .orows = y.outs, .ocols = x.outs,
        .in_stride = v->pitch ? v->pitch : v->chans,
        .weight_stride = v->outs, .out_stride = v->pitch ? v->pitch : v->outs, .no_bias = !v->bias,
        .dw = v->depthwise, .no_pool = v->pool == 1 && v->pool_stride == 1, .down = v->down };
    int64_t in = ((int64_t)p[B] * v->in + y.at) * v->in + x.at;
    int64_t out = ((int64_t)p[B] * v->pooled + p[Y]) * v->pooled + p[X];
    int64_t w = (int64_t)p[KY] * v->kernel + p[KX];

    a.input = m->in + (uint64_t)(in * a.in_stride + (v->depthwise ? channel : p[KCH]));
    a.weights = m->w + (uint64_t)(v->depthwise ? channel * v->kernel * v->kernel + w
        : (w * v->chans + p[KCH]) * v->outs + p[OUTS]);
    a.bias = first ? m->bias + (uint64_t)(v->depthwise ? channel : p[OUTS]) * 4 : 0;
    a.output = last ? m->out + (uint64_t)(out * a.out_stride
        + (v->depthwise ? channel : p[OUTS])) : 0;
    a.pixels = v->down || n[KCH] > DIM ? 1 : least(DIM / n[KCH], n[KX]);
    return a;
}

static void
keep(const struct conv *v, const int *t, const int *p, struct conv_args *a)
{
    int k = tiles(v->chans, t[KCH]) * tiles(v->kernel, t[KY]) * tiles(v->kernel, t[KX]);
    int pixels = tiles(v->batch, t[B]) * tiles(v->pooled, t[Y]) * tiles(v->pooled, t[X]);

    if (v->depthwise)
        return;
    if (k * pixels <= 2) {
        a->aid = p[KCH] + p[KY] + p[KX] + p[B] + p[Y] + p[X] == 0 ? 1 : 2;
        if (p[OUTS])
            a->input = 0;
    }
    if (k * tiles(v->outs, t[OUTS]) <= 2) {
        a->bid = p[KCH] + p[OUTS] + p[KY] + p[KX] == 0 ? 1 : 2;
        if (p[X] + p[Y] + p[B])
            a->weights = 0;
    }
}

/* All tiles, in the library's order. */
static void
convolution(const struct conv *v, const int *t)
{
    const int all[ARGS] = { v->batch, v->pooled, v->pooled, v->depthwise ? 1 : v->outs,
        v->kernel, v->kernel, v->depthwise ? 1 : v->chans };
    int channels = v->depthwise ? v->chans : 1;
    int p[ARGS] = { 0 }, n[ARGS], i = 0;
    uint64_t pitch = (uint64_t)(v->pitch ? v->pitch : v->chans);
    uint64_t weights = (uint64_t)(v->kernel * v->kernel) * (uint64_t)(v->chans * v->outs);
    struct memory m = { .in = RAM + 0x100000 };

    m.w = m.in + page((uint64_t)v->batch * (uint64_t)(v->in * v->in) * pitch);
    m.bias = m.w + page(weights * (v->pitch ? pitch / (uint64_t)v->chans : 1));
    m.out = m.bias + page((uint64_t)(v->pitch ? v->pitch : v->outs) * 4) + (uint64_t)v->first;
    m.in += (uint64_t)v->first;
    m.w += weights / (uint64_t)v->chans * (uint64_t)v->first;
    m.bias += (uint64_t)v->first * 4;
    config_ex((unsigned)(v->stride >> v->down));
    config_st((uint32_t)(v->pitch ? v->pitch : v->outs), 1, 0);
    while (i >= 0) {
        for (int c = 0; c < channels; c++) {
            struct conv_args a;

            for (int d = 0; d < ARGS; d++)
                n[d] = least(t[d], all[d] - p[d]);
            a = loop_of(v, &m, p, n, c);
            keep(v, t, p, &a);
            each_loop(7);
            conv_send(&a);
        }
        for (i = ARGS - 1; i >= 0 && (p[i] += t[i]) >= all[i]; i--)
            p[i] = 0;
    }
}

/* Sixteen channels at a time, each with all of sixteen. */
static void
in_groups(struct conv *v, const int *t)
{
    v->depthwise = false;
    v->pitch = v->chans;
    v->chans = v->outs = DIM;
    for (v->first = 0; v->first < v->pitch; v->first += DIM)
        convolution(v, t);
}

/* "N1 56x56x64->56x56x64 k3s1p1", "... k7s2p3 +maxpool3s2p1", "N1 112x112x32 k3s1p1" */
static bool
read_conv(const struct row *r, struct conv *v)
{
    int a, b, c;

    *v = (struct conv) { .pool = 1, .pool_stride = 1, .bias = r->bias };
    if (sscanf(r->shape, "N%d %dx%dx%d->%dx%dx%d k%ds%dp%d", &v->batch, &v->in, &a, &v->chans,
        &v->out, &b, &v->outs, &v->kernel, &v->stride, &v->pad) != 10) {
        v->depthwise = true;
        if (sscanf(r->shape, "N%d %dx%dx%d", &v->batch, &v->in, &a, &v->chans) != 4
            || !strchr(r->shape, 'k')
            || sscanf(strchr(r->shape, 'k'), "k%ds%dp%d", &v->kernel, &v->stride, &v->pad) != 3)
            return false;
        v->outs = v->chans;
    }
    v->dim = (v->in + 2 * v->pad - v->kernel) / v->stride + 1;
    if (strstr(r->shape, "maxpool")
        && sscanf(strstr(r->shape, "maxpool"), "maxpool%ds%dp%d", &a, &b, &c) == 3) {
        v->pool = a;
        v->pool_stride = b;
        v->pool_pad = c;
    }
    v->pooled = (v->dim + 2 * v->pool_pad - v->pool) / v->pool_stride + 1;
    v->down = v->stride == 2 && v->kernel == 1 && !v->pad && v->pool_stride == 1
        && v->in % 2 == 0;
    return true;
}

/* ---- the table */

static int
numbers(const char *text, int *t, int max)
{
    int n = 0;

    for (char *end; n < max && *text; text = *end ? end + 1 : end) {
        t[n++] = (int)strtol(text, &end, 10);
        if (end == text)
            return 0;
    }
    return n;
}

static bool
replay(const struct row *r)
{
    int t[ARGS] = { 0 }, found[ARGS], n = numbers(r->tile, t, ARGS), m, k, d;
    struct conv v;

    software(FIRST + CODE_LINES * (LINE + r->latency));
    if (!strcmp(r->kind, "matmul")) {
        if (n != 3 || sscanf(r->shape, "I%dxJ%dxK%d", &m, &k, &d) != 3)
            return false;
        product(m, k, d, t, r->bias);
    } else if (!strcmp(r->kind, "resadd")) {
        if (n != 2 || sscanf(r->shape, "%dx%d", &m, &k) != 2)
            return false;
        sum(m, k, t);
    } else {
        if (!read_conv(r, &v))
            return false;
        if (strstr(r->call, "_auto")) {
            software(TRIAL * search(&v, found));
            if (n && memcmp(found, t, sizeof t))
                fprintf(stderr, "%s: the search finds another tile\n", r->shape);
            memcpy(t, found, sizeof t);
        } else if (n != ARGS) {
            return false;
        }
        if (strstr(r->call, "block-diagonal"))
            in_groups(&v, t);
        else
            convolution(&v, t);
    }
    fence();
    return true;
}

static bool
read_row(char *line, struct row *r)
{
    char *f[12] = { 0 };
    int n = 0;

    for (char *p = line; p && n < 12; n++) {
        char *quote = *p == '"' ? strchr(p + 1, '"') : NULL;

        f[n] = p;
        if (quote)
            p = quote;
        strsep(&p, ",\n");
    }
    if (n < 9 || !strcmp(f[0], "kind"))
        return false;
    snprintf(r->kind, sizeof r->kind, "%s", f[0]);
    snprintf(r->shape, sizeof r->shape, "%s", f[1]);
    snprintf(r->call, sizeof r->call, "%s", f[2]);
    snprintf(r->tile, sizeof r->tile, "%s", f[3]);
    r->bias = atoi(f[4]);
    r->latency = atoi(f[5]);
    r->cycles = atof(f[8]);
    return r->cycles > 0;
}

int
main(int argc, char **argv)
{
    FILE *f = argc > 1 ? fopen(argv[1], "r") : NULL;
    double sum_error = 0, worst = 0;
    char line[512];
    int n = 0;

    if (!f) {
        printf("rtl: no table of measurements, skipped\n");
        return 0;
    }
    while (fgets(line, sizeof line, f)) {
        struct row r;
        double model, error;

        if ((argc > 2 && !strstr(line, argv[2])) || !read_row(line, &r))
            continue;
        sim_default_target();
        sim_target.ram_size = 256 << 20;
        sim_target.isa_revision = 3;
        sim_target.dram_latency = r.latency;
        sim_open(SIM_STRICT_OFF, true);
        if (!replay(&r)) {
            printf("%s %s: not understood\n", r.kind, r.shape);
            continue;
        }
        model = (double)cycles();
        error = 100 * (model / r.cycles - 1);
        printf("%-6s %-46s %-21s LAT %-3d model %8.0f  RTL %8.0f  %+6.1f %%\n", r.kind, r.shape,
            r.tile, r.latency, model, r.cycles, error);
        fflush(stdout);
        sum_error += fabs(error);
        worst = fmax(worst, fabs(error));
        n++;
    }
    fclose(f);
    sim_close();
    if (n)
        printf("%d layers: mean error %.1f %%, worst %.1f %%\n", n, sum_error / n, worst);
    return 0;
}
