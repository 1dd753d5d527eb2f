/* Convolutions of any size on the hardware's loop, cut into tiles as Gemmini's own C
 * library does, so that they take as long (gemmini-isa 18).  Tiles that would lie in the
 * padding altogether, on which the hardware would not end, are loaded as zeros.  Unlike
 * that library's, calls begin and end with a fence: their results can be read.  Included by
 * gemmini.h. */
#ifndef GEMMINI_CONV_H
#define GEMMINI_CONV_H
#include "gemmini_conv_reference.h"
#include "gemmini_matmul.h"

/* ---- tiles: of images, pooled rows and columns, output channels, kernel rows and
 * columns, input channels */
enum gemmini_conv_axis {
    GEMMINI_BATCH, GEMMINI_ROW, GEMMINI_COL, GEMMINI_OUT, GEMMINI_KROW, GEMMINI_KCOL,
    GEMMINI_IN, GEMMINI_CONV_AXES
};

/* Every other pixel of every other row is loaded, and no others. */
static inline bool
gemmini_conv_downsampled(const struct gemmini_conv *c)
{
    return c->stride == 2 && c->kernel_dim == 1 && c->padding == 0 && c->no_pool
        && !c->depthwise && !c->trans_input_3120 && c->input_dilation == 1
        && c->in_row_dim % 2 == 0 && c->in_col_dim % 2 == 0;
}

static inline int
gemmini_conv_dilated(const struct gemmini_conv *c, int kernel)
{
    return kernel + (c->kernel_dilation - 1) * (kernel - 1);
}

/* Rows of the accumulator, or of the scratchpad, that a tile takes. */
static inline int
tiled_conv_total_spad_rows(bool acc, int stride, int input_dilation, int kernel_dilation,
    bool downsample, bool trans_weight_0132, bool trans_input_3120, int batches,
    int porows, int pocols, int ochs, int krows, int kcols, int kchs,
    int pool_size, int pool_stride)
{
    int orows = porows * pool_stride + pool_size - 1, ocols = pocols * pool_stride + pool_size - 1;
    int tall = krows + (kernel_dilation - 1) * (krows - 1);
    int wide = kcols + (kernel_dilation - 1) * (kcols - 1);
    int irows = (orows * stride + tall - 1 + input_dilation - 1) / input_dilation >> downsample;
    int icols = (ocols * stride + wide - 1 + input_dilation - 1) / input_dilation >> downsample;
    int in_blocks = (kchs + DIM - 1) / DIM, out_blocks = (ochs + DIM - 1) / DIM;
    int A = trans_input_3120 ? (batches + DIM - 1) / DIM * kchs : in_blocks * batches;
    int B = trans_weight_0132 ? in_blocks * ochs : out_blocks * kchs;

    return acc ? out_blocks * batches * orows * ocols : A * irows * icols + B * krows * kcols;
}

static inline int
gemmini_conv_rows(const struct gemmini_conv *c, const int *t, bool acc)
{
    return tiled_conv_total_spad_rows(acc, c->stride, c->input_dilation, c->kernel_dilation,
        gemmini_conv_downsampled(c), c->trans_weight_0132, c->trans_input_3120,
        t[GEMMINI_BATCH], t[GEMMINI_ROW], t[GEMMINI_COL], t[GEMMINI_OUT], t[GEMMINI_KROW],
        t[GEMMINI_KCOL], t[GEMMINI_IN], c->pool_size, c->pool_stride);
}

/* Half of each memory is filled while the other is at work. */
static inline bool
gemmini_conv_fits(const struct gemmini_conv *c, const int *t)
{
    return gemmini_conv_rows(c, t, false) <= BANK_NUM * BANK_ROWS / 2
        && gemmini_conv_rows(c, t, true) <= ACC_ROWS / 2;
}

/* The largest comes down, channels by blocks.  Columns do last: they fill the array. */
static inline void
gemmini_conv_shrink(int *t)
{
    int most = -1, at = 0;

    for (int i = 0; i < GEMMINI_CONV_AXES; i++)
        if (t[i] > most && !(i == GEMMINI_COL && t[i] <= DIM && t[GEMMINI_ROW] > 1)) {
            most = t[i];
            at = i;
        }
    if (at != GEMMINI_OUT && at != GEMMINI_IN)
        t[at]--;
    else
        t[at] -= t[at] % DIM ? t[at] % DIM : DIM;
    if (t[at] < 1)
        t[at] = 1;
}

static inline bool
gemmini_conv_grow(const struct gemmini_conv *c, int *t, const int *most, int at)
{
    if (t[at] >= most[at])
        return false;
    t[at]++;
    if (gemmini_conv_fits(c, t))
        return true;
    t[at]--;
    return false;
}

/* The whole; depthwise, a loop of the hardware has one channel. */
static inline void
gemmini_conv_whole(const struct gemmini_conv *c, int *t)
{
    t[GEMMINI_BATCH] = c->batch_size;
    t[GEMMINI_ROW] = c->pooled_rows;
    t[GEMMINI_COL] = c->pooled_cols;
    t[GEMMINI_OUT] = c->depthwise ? 1 : c->out_channels;
    t[GEMMINI_KROW] = t[GEMMINI_KCOL] = c->kernel_dim;
    t[GEMMINI_IN] = c->depthwise ? 1 : c->in_channels;
}

static inline void
gemmini_conv_search(const struct gemmini_conv *c, int *t)
{
    int most[GEMMINI_CONV_AXES];
    bool grown = true;

    gemmini_conv_whole(c, most);
    gemmini_conv_whole(c, t);
    while (!gemmini_conv_fits(c, t))
        gemmini_conv_shrink(t);
    while (gemmini_conv_grow(c, t, most, GEMMINI_COL))
        ;
    while (grown) {
        grown = false;
        for (int i = 0; i < GEMMINI_CONV_AXES; i++)
            grown |= gemmini_conv_grow(c, t, most, i);
    }
}

/* ---- one tile */

/* Rows, or columns: how many outputs are computed, what of the pooling windows and of
 * the image lies outside before and after, and the first that is in the image. */
struct gemmini_span {
    int outs, pool_before, pool_after, before, after, first;
};

static inline int
gemmini_between(int x, int low, int high)
{
    return x < low ? low : x > high ? high : x;
}

/* n pooled outputs from `from` on, ks kernel elements from k on. */
static inline struct gemmini_span
gemmini_span_of(const struct gemmini_conv *c, int from, int n, int k, int ks, int outs, int ins)
{
    int start = from * c->pool_stride - c->pool_padding, dilated = c->input_dilation == 2;
    int all = n * c->pool_stride + c->pool_size - 1, at, extent, end;
    struct gemmini_span s = { 0 };

    s.pool_before = start < 0 ? -start : 0;
    s.pool_after = start + all > outs ? start + all - outs : 0;
    s.outs = all - s.pool_before - s.pool_after;
    at = (start + s.pool_before) * c->stride + k * c->kernel_dilation - c->padding;
    extent = s.outs * c->stride + gemmini_conv_dilated(c, ks) - 1;
    end = ins + (c->input_dilation - 1) * (ins - 1);
    s.before = gemmini_between(-at, 0, extent);
    s.after = gemmini_between(at + extent - end, 0, extent - s.before);
    /* Between two pixels of a dilated image lies a zero; a tile that starts or ends
     * with one takes it for a pad. */
    if (dilated && !s.before && at % 2 && s.after < extent)
        s.before = 1;
    if (dilated && !s.after && (at + extent) % 2 == 0 && s.before < extent)
        s.after = 1;
    s.first = (at + s.before) >> dilated;
    return s;
}

struct gemmini_conv_piece {
    const int *at, *n;               /* where it begins, how large it is, by axis */
    struct gemmini_span row, col;
    const elem_t *input, *weights;   /* NULL: still there, from an earlier tile */
    const acc_t *bias;               /* NULL: go on with the sums */
    elem_t *output;                  /* NULL: leave them for the next tile */
    int A_id, B_id;                  /* halves of the scratchpad; 0: in turn */
};

/* Where channels are few, pixels side by side fill the array. */
static inline int
gemmini_conv_packed(const struct gemmini_conv *c, const int *n)
{
#ifdef HAS_FIRST_LAYER_OPTIMIZATIONS
    bool plain = !c->trans_output_1203 && !c->trans_input_3120 && !c->trans_weight_1203
        && !c->trans_weight_0132 && !c->wrot180 && c->input_dilation == 1
        && c->kernel_dilation == 1 && !gemmini_conv_downsampled(c);

    if (plain && n[GEMMINI_IN] <= DIM)
        return gemmini_between(DIM / n[GEMMINI_IN], 1, n[GEMMINI_KCOL]);
#else
    (void)c;
    (void)n;
#endif
    return 1;
}

static inline void
gemmini_conv_send(const struct gemmini_conv *c, const struct gemmini_conv_piece *p)
{
    const struct gemmini_span *r = &p->row, *l = &p->col;
    const int *n = p->n;

    gemmini_loop_conv_ws(c->batch_size, c->in_row_dim, c->in_col_dim, c->in_channels,
        c->out_channels, c->out_row_dim, c->out_col_dim, c->pooled_rows, c->pooled_cols,
        c->stride, (uint8_t)c->padding, c->kernel_dim, c->kernel_dilation, c->pool_size,
        c->pool_stride, c->pool_padding, n[GEMMINI_BATCH], n[GEMMINI_ROW], n[GEMMINI_COL],
        n[GEMMINI_OUT], n[GEMMINI_KROW], n[GEMMINI_KCOL], n[GEMMINI_IN],
        l->before, l->after, r->before, r->after, l->pool_before, l->pool_after,
        r->pool_before, r->pool_after, r->outs, l->outs,
        p->weights, p->output, p->bias, p->input, !c->bias, c->no_pool,
        gemmini_conv_downsampled(c), c->wrot180, c->input_dilation == 2, c->act,
        c->trans_output_1203, c->trans_weight_1203, c->trans_weight_0132, c->trans_input_3120,
        gemmini_conv_packed(c, n), c->in_stride, c->weight_stride, c->out_stride, c->depthwise,
        p->A_id, p->B_id);
}

/* ---- all tiles */

static inline int
gemmini_conv_count(const int *all, const int *size, int axis)
{
    return ceil_divide_int(all[axis], size[axis]);
}

/* An operand that two tiles hold stays, each tile in its half. */
static inline void
gemmini_conv_keep(struct gemmini_conv_piece *p, const int *all, const int *size)
{
    const int *at = p->at;
    int kernel = gemmini_conv_count(all, size, GEMMINI_KROW)
        * gemmini_conv_count(all, size, GEMMINI_KCOL) * gemmini_conv_count(all, size, GEMMINI_IN);
    int pixels = gemmini_conv_count(all, size, GEMMINI_BATCH)
        * gemmini_conv_count(all, size, GEMMINI_ROW) * gemmini_conv_count(all, size, GEMMINI_COL);
    int pixel = at[GEMMINI_BATCH] + at[GEMMINI_ROW] + at[GEMMINI_COL];
    int tap = at[GEMMINI_KROW] + at[GEMMINI_KCOL] + at[GEMMINI_IN];

    if (kernel * pixels <= 2) {
        p->A_id = tap + pixel == 0 ? 1 : 2;
        if (at[GEMMINI_OUT])
            p->input = NULL;
    }
    if (kernel * gemmini_conv_count(all, size, GEMMINI_OUT) <= 2) {
        p->B_id = tap + at[GEMMINI_OUT] == 0 ? 1 : 2;
        if (pixel)
            p->weights = NULL;
    }
}

static inline struct gemmini_conv_piece
gemmini_conv_piece_of(const struct gemmini_conv *c, const int *all, const int *at, const int *n)
{
    struct gemmini_conv_piece p = { .at = at, .n = n };
    int krow = at[GEMMINI_KROW], kcol = at[GEMMINI_KCOL], out = at[GEMMINI_OUT];
    int in = c->depthwise ? out : at[GEMMINI_IN];
    bool last = true;

    p.row = gemmini_span_of(c, at[GEMMINI_ROW], n[GEMMINI_ROW], krow, n[GEMMINI_KROW],
        c->out_row_dim, c->in_row_dim);
    p.col = gemmini_span_of(c, at[GEMMINI_COL], n[GEMMINI_COL], kcol, n[GEMMINI_KCOL],
        c->out_col_dim, c->in_col_dim);
    p.input = c->input + gemmini_conv_in(c, at[GEMMINI_BATCH], p.row.first, p.col.first, in);
    if (!krow && !kcol && !at[GEMMINI_IN])
        p.bias = c->bias ? c->bias + out : (const acc_t *)1;
    for (int i = GEMMINI_KROW; i <= GEMMINI_IN; i++)
        last = last && at[i] + n[i] == all[i];
    if (last)
        p.output = c->output + gemmini_conv_out(c, at[GEMMINI_BATCH], at[GEMMINI_ROW],
            at[GEMMINI_COL], out);
    if (c->wrot180) {
        krow = c->kernel_dim - krow - n[GEMMINI_KROW];
        kcol = c->kernel_dim - kcol - n[GEMMINI_KCOL];
    }
    p.weights = c->weights + gemmini_conv_weight(c, krow, kcol, in, out);
    return p;
}

static inline void
gemmini_conv_configure(const struct gemmini_conv *c)
{
    int pitch = c->trans_output_1203 ? c->batch_size * c->out_channels : c->out_stride;

    gemmini_fence();
    gemmini_extended_config_st((size_t)pitch * sizeof(elem_t), c->act, c->scale);
    gemmini_extended3_config_ex(WEIGHT_STATIONARY, 0, 0, ACC_SCALE_IDENTITY, c->input_dilation,
        c->stride >> gemmini_conv_downsampled(c), c->trans_input_3120, c->trans_weight_0132, 0);
}

/* To the next tile, the last axis first; false at the end. */
static inline bool
gemmini_conv_next(int *at, const int *size, const int *all)
{
    for (int i = GEMMINI_CONV_AXES - 1; i >= 0; i--) {
        at[i] += size[i];
        if (at[i] < all[i])
            return true;
        at[i] = 0;
    }
    return false;
}

static inline void
gemmini_conv_tiles(const struct gemmini_conv *c, const int *size)
{
    int at[GEMMINI_CONV_AXES] = { 0 }, all[GEMMINI_CONV_AXES], n[GEMMINI_CONV_AXES];

    gemmini_conv_whole(c, all);
    all[GEMMINI_OUT] = c->out_channels;
    do {
        struct gemmini_conv_piece p;

        for (int i = 0; i < GEMMINI_CONV_AXES; i++)
            n[i] = size[i] < all[i] - at[i] ? size[i] : all[i] - at[i];
        p = gemmini_conv_piece_of(c, all, at, n);
        if (!c->depthwise)
            gemmini_conv_keep(&p, all, size);
        gemmini_conv_send(c, &p);
    } while (gemmini_conv_next(at, size, all));
}

static inline void
gemmini_conv_check(const struct gemmini_conv *c, const int *t, enum tiled_matmul_type_t type)
{
    gemmini_require(type == WS, "convolutions run weight-stationary or on the core");
    gemmini_require(gemmini_conv_fits(c, t), "a tile does not fit scratchpad or accumulator");
    gemmini_require(c->kernel_dim > c->padding, "the padding is as large as the kernel");
    gemmini_require(c->input_dilation <= 2, "the array dilates inputs by 2");
    gemmini_require(c->input_dilation == 1 || c->stride == 1, "dilated inputs need a stride of 1");
    gemmini_require(!c->trans_output_1203 || c->no_pool, "pooled outputs cannot be transposed");
    gemmini_require(!(c->trans_weight_1203 && c->trans_weight_0132),
        "weights are transposed in one way");
    gemmini_require(!(c->trans_input_3120 && c->trans_weight_0132),
        "inputs or weights are transposed, not both");
}

/* t: a tile, or NULL to look for one. */
static inline void
gemmini_conv_run(const struct gemmini_conv *c, const int *t, enum tiled_matmul_type_t type)
{
    int found[GEMMINI_CONV_AXES];

    if (type == CPU) {
        gemmini_conv_reference(c);
        return;
    }
    if (!t) {
        gemmini_conv_search(c, found);
        t = found;
    }
    gemmini_conv_check(c, t, type);
    gemmini_conv_configure(c);
    gemmini_conv_tiles(c, t);
    gemmini_fence();
}

/* Strides in elements; tiles of pooled outputs.  Images and weights of other layouts
 * need targets with the training convolutions. */
static inline void
tiled_conv(int batch_size, int in_row_dim, int in_col_dim, int in_channels,
    int out_channels, int out_row_dim, int out_col_dim,
    int stride, int input_dilation, int kernel_dilation, int padding, int kernel_dim,
    int in_stride, int weight_stride, int out_stride,
    bool wrot180, bool trans_output_1203, bool trans_input_3120,
    bool trans_weight_1203, bool trans_weight_0132,
    int batches, int porows, int pocols, int pochs, int krows, int kcols, int kchs,
    const elem_t *input, const elem_t *weights, const acc_t *bias, elem_t *output,
    int act, acc_scale_t scale, int pool_size, int pool_stride, int pool_padding,
    enum tiled_matmul_type_t tiled_conv_type)
{
    struct gemmini_conv c = GEMMINI_CONV_HERE;
    int tile[GEMMINI_CONV_AXES] = { batches, porows, pocols, pochs, krows, kcols, kchs };

    gemmini_conv_run(&c, tile, tiled_conv_type);
}

static inline void
tiled_conv_stride_auto(int batch_size, int in_row_dim, int in_col_dim, int in_channels,
    int out_channels, int out_row_dim, int out_col_dim,
    int stride, int input_dilation, int kernel_dilation, int padding, int kernel_dim,
    int in_stride, int weight_stride, int out_stride,
    bool wrot180, bool trans_output_1203, bool trans_input_3120,
    bool trans_weight_1203, bool trans_weight_0132,
    const elem_t *input, const elem_t *weights, const acc_t *bias, elem_t *output,
    int act, acc_scale_t scale, int pool_size, int pool_stride, int pool_padding,
    enum tiled_matmul_type_t tiled_conv_type)
{
    struct gemmini_conv c = GEMMINI_CONV_HERE;

    gemmini_conv_run(&c, NULL, tiled_conv_type);
}

static inline void
tiled_conv_auto(int batch_size, int in_row_dim, int in_col_dim, int in_channels,
    int out_channels, int out_row_dim, int out_col_dim,
    int stride, int input_dilation, int kernel_dilation, int padding, int kernel_dim,
    bool wrot180, bool trans_output_1203, bool trans_input_3120,
    bool trans_weight_1203, bool trans_weight_0132,
    const elem_t *input, const elem_t *weights, const acc_t *bias, elem_t *output,
    int act, acc_scale_t scale, int pool_size, int pool_stride, int pool_padding,
    enum tiled_matmul_type_t tiled_conv_type)
{
    tiled_conv_stride_auto(batch_size, in_row_dim, in_col_dim, in_channels,
        out_channels, out_row_dim, out_col_dim, stride, input_dilation, kernel_dilation,
        padding, kernel_dim, in_channels, out_channels, out_channels, wrot180,
        trans_output_1203, trans_input_3120, trans_weight_1203, trans_weight_0132, input,
        weights, bias, output, act, scale, pool_size, pool_stride, pool_padding,
        tiled_conv_type);
}

/* ---- depthwise: a loop of the hardware for every channel, which is slow */

static inline void
tiled_conv_dw(int batch_size, int in_row_dim, int in_col_dim, int channels,
    int out_row_dim, int out_col_dim, int stride, int padding, int kernel_dim,
    int batches, int porows, int pocols, int krows, int kcols,
    const elem_t *input, const elem_t *weights, const acc_t *bias, elem_t *output,
    int act, acc_scale_t scale, int pool_size, int pool_stride, int pool_padding,
    enum tiled_matmul_type_t tiled_conv_type)
{
    struct gemmini_conv c = GEMMINI_CONV_DW_HERE;
    int tile[GEMMINI_CONV_AXES] = { batches, porows, pocols, 1, krows, kcols, 1 };

    gemmini_conv_run(&c, tile, tiled_conv_type);
}

static inline void
tiled_conv_dw_auto(int batch_size, int in_row_dim, int in_col_dim, int channels,
    int out_row_dim, int out_col_dim, int stride, int padding, int kernel_dim,
    const elem_t *input, const elem_t *weights, const acc_t *bias, elem_t *output,
    int act, acc_scale_t scale, int pool_size, int pool_stride, int pool_padding,
    enum tiled_matmul_type_t tiled_conv_type)
{
    struct gemmini_conv c = GEMMINI_CONV_DW_HERE;

    gemmini_conv_run(&c, NULL, tiled_conv_type);
}

#endif
