/* The streams of loops, written out from the pseudo-code of gemmini-isa.md 11 and 12
 * as nested loops, for comparison. */
#include "test/unit/looptest.h"
#include "test/unit/simtest.h"

/* Names as there: sizes in bytes of elements and accumulator, rows of scratchpad and
 * accumulator, tiles of one move. */
static int DIM, S, SA, SR, AR, BLOCK, BLOCK_ACC;

static struct isa_cmd *to;
static int n, most;

static int
blocks(int size)
{
    return 64 / (DIM * size) ? 64 / (DIM * size) : 1;
}

static void
begin(struct isa_cmd *out, int max)
{
    DIM = (int)sim_target.dim;
    S = (int)target_elem_bytes(&sim_target);
    SA = (int)target_acc_bytes(&sim_target);
    SR = (int)target_sp_rows(&sim_target);
    AR = (int)target_acc_rows(&sim_target);
    BLOCK = blocks(S);
    BLOCK_ACC = blocks(SA);
    to = out;
    most = max;
    n = 0;
}

static int
min(int a, int b)
{
    return a < b ? a : b;
}

static void
put(unsigned funct, uint64_t rs1, uint64_t rs2)
{
    if (n < most)
        to[n] = (struct isa_cmd) { (uint8_t)funct, rs1, rs2 };
    n++;
}

static int
up(int a, int b)
{
    return (a + b - 1) / b;
}

/* ---- LOOP_WS */

static int
part(int index, int count, int pad)
{
    return DIM - (index == count - 1 ? pad : 0);
}

/* Columns of `blocks` tiles from `index` on. */
static int
wide(int index, int blocks, int count, int pad)
{
    return blocks * DIM - (index + blocks == count ? pad : 0);
}

static uint64_t
byte(uint64_t base, uint64_t elements, int size)
{
    return base + (uint32_t)(elements * (uint64_t)size);
}

static void
ws_bias(const struct ws_args *a, uint32_t acc)
{
    int step = a->low ? BLOCK : BLOCK_ACC, size = a->low ? S : SA;

    for (int j = 0; j < a->j; j += step)
        for (int i = 0; i < a->i; i++) {
            int b = min(step, a->j - j);
            put(ISA_MVIN3, byte(a->d, ((uint64_t)i * a->ds + (uint64_t)j) * DIM, size),
                OP(ACC(acc + (uint32_t)((i * a->j + j) * DIM)), (unsigned)part(i, a->i, a->pi),
                    (unsigned)wide(j, b, a->j, a->pj)));
        }
}

static void
ws_a(const struct ws_args *a, uint32_t base)
{
    if (!a->at)
        for (int k = 0; k < a->k; k += BLOCK)
            for (int i = 0; i < a->i; i++) {
                int b = min(BLOCK, a->k - k);
                put(ISA_MVIN, byte(a->a, ((uint64_t)i * a->as + (uint64_t)k) * DIM, S),
                    OP(base + (uint32_t)((i * a->k + k) * DIM), (unsigned)part(i, a->i, a->pi),
                        (unsigned)wide(k, b, a->k, a->pk)));
            }
    else
        for (int k = 0; k < a->k; k++)
            for (int i = 0; i < a->i; i += BLOCK) {
                int b = min(BLOCK, a->i - i);
                put(ISA_MVIN, byte(a->a, ((uint64_t)k * a->as + (uint64_t)i) * DIM, S),
                    OP(base + (uint32_t)((k * a->i + i) * DIM), (unsigned)part(k, a->k, a->pk),
                        (unsigned)wide(i, b, a->i, a->pi)));
            }
}

static void
ws_b(const struct ws_args *a, uint32_t base)
{
    if (!a->bt)
        for (int k = 0; k < a->k; k++)
            for (int j = 0; j < a->j; j += BLOCK) {
                int b = min(BLOCK, a->j - j);
                put(ISA_MVIN2, byte(a->b, ((uint64_t)k * a->bs + (uint64_t)j) * DIM, S),
                    OP(base + (uint32_t)((k * a->j + j) * DIM), DIM,
                        (unsigned)wide(j, b, a->j, a->pj)));
            }
    else
        for (int k = 0; k < a->k; k += BLOCK)
            for (int j = 0; j < a->j; j++) {
                int b = min(BLOCK, a->k - k);
                put(ISA_MVIN2, byte(a->b, ((uint64_t)j * a->bs + (uint64_t)k) * DIM, S),
                    OP(base + (uint32_t)((j * a->k + k) * DIM), DIM,
                        (unsigned)wide(k, b, a->k, a->pk)));
            }
}

static void
ws_pairs(const struct ws_args *a, uint32_t abase, uint32_t bbase, uint32_t acc)
{
    for (int k = 0; k < a->k; k++)
        for (int j = 0; j < a->j; j++)
            for (int i = 0; i < a->i; i++) {
                unsigned rows = (unsigned)part(i, a->i, a->pi);
                unsigned cols = (unsigned)part(j, a->j, a->pj);
                unsigned deep = (unsigned)part(k, a->k, a->pk);
                uint32_t w = bbase + (uint32_t)((a->bt ? j * a->k + k : k * a->j + j) * DIM);
                uint32_t x = abase + (uint32_t)((a->at ? k * a->i + i : i * a->k + k) * DIM);
                uint32_t c = acc + (uint32_t)((i * a->j + j) * DIM);

                put(ISA_PRELOAD, i ? NONE(deep, cols) : OP(w, deep, cols),
                    OP(a->accumulate || k > 0 ? ADD(c) : ACC(c), rows, cols));
                put(i ? ISA_COMPUTE_STAY : ISA_COMPUTE_FLIP, OP(x, rows, deep),
                    NONE(DIM, DIM));
            }
}

static void
ws_stores(const struct ws_args *a, uint32_t acc)
{
    int step = a->full ? 1 : BLOCK, size = a->full ? SA : S;

    for (int j = 0; j < a->j; j += step)
        for (int i = 0; i < a->i; i++) {
            int b = min(step, a->j - j);
            put(ISA_MVOUT, byte(a->c, ((uint64_t)i * a->cs + (uint64_t)j) * DIM, size),
                OP(ACC(acc + (uint32_t)((i * a->j + j) * DIM)) | (a->full ? ISA_FULL : 0),
                    (unsigned)part(i, a->i, a->pi), (unsigned)wide(j, b, a->j, a->pj)));
        }
}

/* Layer norm or softmax: three passes over two rows at a time. */
static void
ws_normal(const struct ws_args *a, uint32_t acc)
{
    static const unsigned cmds[2][3][2] = { { { 1, 2 }, { 3, 4 }, { 0, 0 } },
        { { 5, 5 }, { 6, 7 }, { 0, 0 } } };

    for (int i = 0; i < a->i; i++)
        for (int r = 0; r < part(i, a->i, a->pi); r += 2)
            for (int p = 0; p < 3; p++)
                for (int s = 0; s < 2 && r + s < part(i, a->i, a->pi); s++) {
                    put(ISA_CONFIG, 3 | (uint64_t)s << 8 | 1 << 17, 0);
                    for (int j = 0; j < a->j; j += BLOCK) {
                        int b = min(BLOCK, a->j - j);
                        unsigned c = cmds[a->act == 4][p][j + b == a->j];
                        put(ISA_MVOUT, byte(a->c, ((uint64_t)i * a->cs + (uint64_t)j) * DIM, S)
                            + (uint64_t)((r + s) * S) * a->cs,
                            OP(ACC(acc + (uint32_t)((i * a->j + j) * DIM + r + s)) | c << 26, 1,
                                (unsigned)wide(j, b, a->j, a->pj)));
                    }
                }
}

/* A sum: both operands into the accumulator. */
static void
ws_sum(const struct ws_args *a, uint32_t acc)
{
    for (int j = 0; a->a && j < a->j; j += BLOCK)
        for (int i = 0; i < a->i; i++)
            put(ISA_MVIN, byte(a->a, ((uint64_t)i * a->as + (uint64_t)j) * DIM, S),
                OP(ACC(acc + (uint32_t)((i * a->j + j) * DIM)), (unsigned)part(i, a->i, a->pi),
                    (unsigned)wide(j, min(BLOCK, a->j - j), a->j, a->pj)));
    for (int i = 0; a->b && i < a->i; i++)
        for (int j = 0; j < a->j; j += BLOCK)
            put(ISA_MVIN2, byte(a->b, ((uint64_t)i * a->bs + (uint64_t)j) * DIM, S),
                OP(ADD(acc + (uint32_t)((i * a->j + j) * DIM)), DIM,
                    (unsigned)wide(j, min(BLOCK, a->j - j), a->j, a->pj)));
}

int
ws_literal(const struct ws_args *a, const struct places *p, struct isa_cmd *out, int max)
{
    begin(out, max);
    uint32_t half = (uint32_t)SR / 2, acc = (uint32_t)(p->acc * AR / 2);
    uint32_t abase = a->aid ? ((uint32_t)a->aid - 1) * half : (uint32_t)p->slot * half;
    uint32_t bend = a->bid ? (uint32_t)a->bid * half : ((uint32_t)p->slot + 1) * half;
    uint32_t bbase = bend - (uint32_t)(a->k * a->j * DIM);

    if (a->resadd) {
        ws_sum(a, (uint32_t)(p->slot * AR / 2));
        if (a->c)
            ws_stores(a, (uint32_t)(p->slot * AR / 2));
        return n;
    }
    if (a->d)
        ws_bias(a, acc);
    if (a->a)
        ws_a(a, abase);
    if (a->b)
        ws_b(a, bbase);
    ws_pairs(a, abase, bbase, acc);
    if (a->c && (a->act == 2 || a->act == 4))
        ws_normal(a, acc);
    else if (a->c)
        ws_stores(a, acc);
    return n;
}

/* ---- LOOP_CONV_WS: names as in section 12.2 */

static struct {
    int P, iru, icu, irows, icols, ih, iw, An, Bn, Brows, OC, idl, ds;
    uint32_t Abase, Bbase, Cbase;
} d;

static int
U(int x)
{
    return d.idl ? (x + 1) >> 1 : x;
}

static int
dk(const struct conv_args *a, int k)
{
    return k + (a->kdil - 1) * (k - 1);
}

static void
derive(const struct conv_args *a, const struct places *p)
{
    int fr = a->orows * a->stride + dk(a, a->krows) - 1;
    int fc = a->ocols * a->stride + dk(a, a->kcols) - 1;

    d.idl = a->dilated;
    d.ds = a->down;
    d.P = a->pixels ? a->pixels : 1;
    d.OC = a->orows * a->ocols;
    d.iru = U(fr - a->upad - a->dpad);
    d.icu = U(fc - a->lpad - a->rpad);
    d.irows = d.idl ? d.iru + U(a->upad) + U(a->dpad) : fr;
    d.icols = d.idl ? d.icu + U(a->lpad) + U(a->rpad) : fc;
    d.ih = d.irows >> d.ds;
    d.iw = d.icols >> d.ds;
    d.An = a->in_3120 ? a->kchs * d.ih * d.iw : a->batches * d.ih * d.iw;
    d.Bn = a->krows * a->kcols * (a->w_0132 ? a->pochs : a->kchs);
    d.Brows = up(a->w_0132 ? a->kchs : a->pochs, DIM) * d.Bn;
    d.Abase = (uint32_t)((a->aid ? a->aid - 1 : p->slot) * SR / 2);
    d.Bbase = (uint32_t)((a->bid ? a->bid : p->slot + 1) * SR / 2 - d.Brows);
    d.Cbase = (uint32_t)(p->acc * AR / 2);
}

static uint32_t
pos(const struct conv_args *a, int och, int b, int r, int c)
{
    return d.Cbase + (uint32_t)((och / DIM) * a->batches * d.OC + b * d.OC + r * a->ocols + c);
}

static void
put_load(int state, uint64_t stride, int block, int repeats)
{
    put(ISA_CONFIG, 1 | (uint64_t)state << 3 | (uint64_t)repeats << 8
        | (uint64_t)(block & 0xffff) << 16 | UINT64_C(0x3f800000) << 32, stride);
}

static void
conv_bias(const struct conv_args *a)
{
    int m = min(a->pochs, BLOCK_ACC * DIM);

    put_load(2, 0, a->batches * d.OC, 1);
    for (int b = 0; b < a->batches; b++)
        for (int r = 0; r < a->orows; r++)
            for (int c = 0; c < a->ocols; c += DIM)
                for (int o = 0; o < a->pochs; o += m)
                    put(ISA_MVIN3, a->no_bias ? 0 : a->bias + (uint64_t)(o * SA),
                        OP(ACC(pos(a, o, b, r, c)), (unsigned)min(DIM, a->ocols - c),
                            (unsigned)min(m, a->pochs - o)));
}

/* How many pixels from this column on. */
static int
conv_run_of(const struct conv_args *a, int icol)
{
    if (icol < 0)
        return min(-icol, DIM);
    if (icol < d.icu)
        return min(d.icu - icol, DIM << d.ds);
    return min(d.icu + U(a->rpad) - icol, DIM);
}

static void
conv_pixels(const struct conv_args *a, int b, int irow, int icol, int ich)
{
    int I = conv_run_of(a, icol);
    int m = min(a->in_3120 ? a->batches : a->kchs, BLOCK * DIM);
    bool zero = irow < 0 || irow >= d.iru || icol < 0 || icol >= d.icu;
    long e = ((long)b * a->in_rows * a->in_cols + (long)irow * a->in_cols + icol)
        * a->in_stride + ich;
    int row = (a->in_3120 ? b / DIM * d.An + ich * d.ih * d.iw
        : ich / DIM * d.An + b * d.ih * d.iw)
        + ((irow + U(a->upad)) >> d.ds) * d.iw + ((icol + U(a->lpad)) >> d.ds);
    int cols = a->in_3120 ? min(m, a->batches - b) : min(m, a->kchs - ich);

    if (a->in_3120)
        e = ((long)ich * a->in_rows * a->in_cols + (long)irow * a->in_cols + icol)
            * a->batches + b;
    put(ISA_MVIN, zero ? 0 : a->input + (uint32_t)(e * S),
        OP(d.Abase + (uint32_t)row, (unsigned)(I >> d.ds), (unsigned)cols));
}

static void
conv_input(const struct conv_args *a)
{
    int m = min(a->in_3120 ? a->batches : a->kchs, BLOCK * DIM);

    put_load(0, (uint64_t)((a->in_3120 ? a->batch_size : a->in_stride) * S) << d.ds, d.An, d.P);
    for (int b = 0; b < a->batches; b += a->in_3120 ? m : 1)
        for (int irow = -U(a->upad); irow < d.iru + U(a->dpad); irow += 1 << d.ds)
            for (int icol = -U(a->lpad), I; icol < d.icu + U(a->rpad); icol += I) {
                I = conv_run_of(a, icol);
                for (int ich = 0; ich < a->kchs; ich += a->in_3120 ? 1 : m)
                    conv_pixels(a, b, irow, icol, ich);
            }
}

static uint32_t
W(const struct conv_args *a, int r, int c, int kch, int och)
{
    int row = a->w_0132 ? kch / DIM * d.Bn + (r * a->kcols + c) * a->pochs + och
        : och / DIM * d.Bn + (r * a->kcols + c) * a->kchs + kch;

    return d.Bbase + (uint32_t)row;
}

static long
conv_weight(const struct conv_args *a, int krow, int kcol, int kch, int och)
{
    int kd = a->kernel;

    if (a->dw)
        return krow * kd + kcol;
    if (a->w_1203)
        return ((long)kch * kd * kd + krow * kd + kcol) * a->out_channels + och;
    if (a->w_0132)
        return ((long)krow * kd * a->out_channels + kcol * a->out_channels + och)
            * a->in_channels + kch;
    return ((long)krow * kd * a->in_channels + kcol * a->in_channels + kch)
        * a->weight_stride + och;
}

static void
conv_weights(const struct conv_args *a)
{
    int m = min(a->w_0132 ? a->kchs : a->pochs, BLOCK * DIM), kd = a->kernel;
    int step = a->dw ? 1 : a->w_1203 ? kd * kd * a->out_channels
        : a->w_0132 ? a->in_channels : a->weight_stride;

    put_load(1, (uint64_t)(step * S), d.Bn, 1);
    for (int och = 0; och < a->pochs; och += a->w_0132 ? DIM : m)
        for (int r = 0; r < a->krows; r++)
            for (int c = 0; c < a->kcols; c++)
                for (int kch = 0; kch < a->kchs; kch += a->w_0132 ? m : DIM) {
                    int rows = a->w_0132 ? a->pochs - och : a->kchs - kch;
                    int cols = a->w_0132 ? a->kchs - kch : a->pochs - och;
                    put(ISA_MVIN2, a->weights + (uint32_t)(conv_weight(a, r, c, kch, och) * S),
                        OP(W(a, r, c, kch, och), (unsigned)min(DIM, rows),
                            (unsigned)min(m, cols)));
                }
}

struct tap { int och, krow, kcol, kch; };

static void
conv_pair(const struct conv_args *a, const struct tap *t, int b, int orow, int ocol, bool new)
{
    unsigned I = (unsigned)(a->in_3120 ? min(DIM, a->batches - b)
        : U(min(DIM << d.idl, a->ocols - ocol)));
    unsigned J = (unsigned)min(DIM, a->pochs - t->och);
    unsigned K = (unsigned)(min(d.P, a->kcols - t->kcol) * min(DIM, a->kchs - t->kch));
    uint32_t w = W(a, a->rot180 ? a->krows - 1 - t->krow : t->krow,
        a->rot180 ? a->kcols - 1 - t->kcol : t->kcol, t->kch, t->och);
    int row = (a->in_3120 ? b / DIM * d.An + t->kch * d.ih * d.iw
        : t->kch / DIM * d.An + b * d.ih * d.iw)
        + (U(orow * a->stride + t->krow * a->kdil) >> d.ds) * d.iw
        + (U(ocol * a->stride + t->kcol * a->kdil) >> d.ds);

    put(ISA_PRELOAD, new ? OP(w, K, J) : NONE(K, J), OP(ADD(pos(a, t->och, b, orow, ocol)), I, J));
    put(new ? ISA_COMPUTE_FLIP : ISA_COMPUTE_STAY, OP(d.Abase + (uint32_t)row, I, K), NONE(I, J));
}

static void
conv_tap(const struct conv_args *a, const struct tap *t)
{
    bool new = true;

    for (int b = 0; b < a->batches; b += a->in_3120 ? DIM : 1)
        for (int orow = 0; orow < a->orows; orow++)
            for (int ocol = 0; ocol < a->ocols;) {
                if (d.idl && (((t->krow * a->kdil + orow - a->upad) & 1)
                    || ((t->kcol * a->kdil + ocol - a->lpad) & 1))) {
                    ocol++;
                    continue;
                }
                conv_pair(a, t, b, orow, ocol, new);
                new = false;
                ocol += a->in_3120 ? 1 : DIM << d.idl;
            }
}

static void
conv_compute(const struct conv_args *a)
{
    if (a->in_3120)
        put(ISA_CONFIG, 1 << 7 | (uint64_t)(d.irows * d.icols & 0xffff) << 16,
            (uint64_t)d.OC << 48);
    for (int och = 0; och < a->pochs; och += DIM)
        for (int krow = 0; krow < a->krows; krow++)
            for (int kcol = 0; kcol < a->kcols; kcol += d.P)
                for (int kch = 0; kch < a->kchs; kch += DIM)
                    conv_tap(a, &(struct tap) { och, krow, kcol, kch });
}

static void
conv_store(const struct conv_args *a)
{
    for (int b = 0; b < a->batches; b++)
        for (int r = 0; r < a->orows; r++)
            for (int c = 0; c < a->ocols; c += DIM)
                for (int o = 0; o < a->pochs; o += DIM) {
                    long e = ((long)b * a->out_rows * a->out_cols + r * a->out_cols + c)
                        * a->out_stride + o;
                    if (a->out_1203)
                        e = ((long)r * a->out_cols * a->batch_size + c * a->batch_size + b)
                            * a->out_channels + o;
                    put(ISA_MVOUT, a->output + (uint32_t)(e * S), OP(ACC(pos(a, o, b, r, c)),
                        (unsigned)min(DIM, a->ocols - c), (unsigned)min(DIM, a->pochs - o)));
                }
}

static void
conv_pooled(const struct conv_args *a)
{
    uint64_t always = 2 | (uint64_t)a->act << 2;
    uint64_t stride = (uint64_t)(a->out_stride * S) | UINT64_C(0xffffffff) << 32;

    put(ISA_CONFIG, always | (uint64_t)(a->pool_stride & 3) << 4
        | (uint64_t)(a->pool_size & 3) << 6 | (uint64_t)(a->pupad & 3) << 8
        | (uint64_t)(a->plpad & 3) << 10 | (uint64_t)(a->pool_out_cols & 255) << 24
        | (uint64_t)(a->porows & 255) << 32 | (uint64_t)(a->pocols & 255) << 40
        | (uint64_t)(a->orows & 255) << 48 | (uint64_t)(a->ocols & 255) << 56, stride);
    for (int b = 0; b < a->batches; b++)
        for (int o = 0; o < a->pochs; o += DIM)
            put(ISA_MVOUT, a->output + (uint32_t)(((long)b * a->pool_out_rows
                * a->pool_out_cols * a->out_stride + o) * S),
                OP(ACC(pos(a, o, b, 0, 0)), 0, (unsigned)min(DIM, a->pochs - o)));
    put(ISA_CONFIG, always, stride);
}

int
conv_literal(const struct conv_args *a, const struct places *p, struct isa_cmd *out, int max)
{
    begin(out, max);
    derive(a, p);
    if (a->bias)
        conv_bias(a);
    if (a->input)
        conv_input(a);
    if (a->weights)
        conv_weights(a);
    conv_compute(a);
    if (a->output && a->no_pool)
        conv_store(a);
    else if (a->output)
        conv_pooled(a);
    return n;
}
