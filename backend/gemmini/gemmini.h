/* The Gemmini backend's own header: how a machine operator becomes a streamed
 * product (stream.prog) or a pool (pool.prog). */
#ifndef GEMMINI_GEMMINI_H
#define GEMMINI_GEMMINI_H
#include "backend/backend.h"

/* Where a product's weights come from. */
enum weights_from { WEIGHTS_DENSE, WEIGHTS_DIAGONAL, WEIGHTS_MEMORY };

/* A product over a grid of output pixels: out[y,x,o] = bias[o] + sum over taps and
 * channels of in[y*sy + ky*dy, x*sx + kx*dx, c] * w[tap][c][o], scaled and clamped.
 * All pitches in bytes.  Matmul: one row of M pixels.  Diagonal: o reads channel
 * group of its own DIM block only. */
struct product {
    int64_t batch, oh, ow, c, o; /* oh, ow: of what is stored, pooled or not */
    int64_t kh, kw, sy, sx, dy, dx;
    int64_t in_img, in_row, in_pix, out_img, out_row, out_pix;
    struct address in, out;      /* in: the first window's first byte, halo included */
    enum weights_from from;
    bool exact_cols;             /* what lies beside the last column is not ours to write */
    struct address memory;       /* WEIGHTS_MEMORY: row-major [c][o] */
    int64_t memory_row;
    /* int8 weight of channel c (within the pixel), tap ky kx, output o; constants only */
    int8_t (*weight)(const struct product *g, int64_t o, int64_t c, int64_t ky, int64_t kx);
    const void *ctx;
    const int32_t *bias;         /* o entries, or NULL */
    const struct m_scale *scale;
    bool relu;
    int64_t pool_size, pool_step; /* max-pooling on the way out; 0, 1: none */
    int64_t second;              /* bytes from the first to the second input of an addition; 0: one input */
    int64_t second_img, second_row;      /* its pitches; its pixels lie as the first's */
    int64_t folded;              /* kernel columns folded into the channels; 1: none */
    int64_t fold_bytes;          /* from one folded kernel column to the next */
    bool exact_pixels;           /* what lies between the input's pixels is the output: not to be read */
};

/* How it is cut: the schedule's parameters, in their order.  rows, cols: of a tile of
 * the output as stored. */
struct cut { int64_t rows, cols, och, fold, flat, lead, resident, reload; };

/* window.c: a tile's input pixels, and how they lie in a unit. */
#define WINDOW_CLASSES 8
struct window {
    bool flat;
    int64_t out_rows;            /* of the tile */
    int64_t rstep, xstep;        /* input rows and pixels between neighbours in a unit */
    int64_t classes, copies;
    int64_t class_first[WINDOW_CLASSES], class_rows[WINDOW_CLASSES];
    int64_t rows, cols, pixels;  /* of one copy; of all */
};
bool window_cut(const struct product *g, int64_t rows, int64_t cols, bool flat, struct window *w);
/* Local rows: of a tap from the unit's start; from one output row, or pixel, to the next. */
int64_t window_tap(const struct product *g, const struct window *w, int64_t ky, int64_t kx);
int64_t window_row_step(const struct product *g, const struct window *w);
int64_t window_pixel_step(const struct product *g, const struct window *w);
/* Pairs of local operand (no columns) and byte offset from `from`; the count.  to NULL: only counts. */
int64_t window_moves(const struct product *g, const struct window *w, int64_t dim, int64_t local, int64_t from,
                     uint64_t *to);

/* Everything the kernel needs, derived from product and cut. */
struct stream {
    struct cut cut;
    int64_t chunks, groups, kb, kb_last, taps, nj, nj_last, segs, moves;
    int64_t tile_rows, tile_cols;        /* as computed, before pooling */
    int64_t tiles_y, tiles_x, tiles;
    struct window win;
    int64_t a_block, a_rows, a_slots, a_units, bank;
    int64_t w_cols, w_slot, w_ring, w_steps, w_total;
    int64_t seg_rows[512];       /* rows of each segment of one line */
    int segs_per_line;
    int64_t lines, line;         /* what segments are cut from: image rows, or all at once; pixels of one */
    int64_t seg_step;            /* accumulator rows from one segment to the next */
    int64_t c_step;              /* and from one block of columns to the next */
    int64_t stores, biases;      /* moves per tile and chunk */
};

/* stream.c: false when the cut does not fit the target. */
bool stream_derive(const struct product *g, const struct target *t, const struct cut *c, struct stream *s);
/* The same over the second input. */
struct product product_second(const struct product *g);
/* cost.c */
struct cost stream_cost(const struct product *g, const struct target *t, const struct stream *s);
/* stream.c: the best cut by enumeration; false: none fits. */
bool stream_search(const struct product *g, const struct target *t, bool full, struct stream *best, struct cost *cost);
/* emit.c: arguments, tables, packed weights. */
bool stream_plan(struct plan *p, const struct product *g, const struct stream *s);
/* A product with its kernel columns folded into the channels. */
struct product product_fold(const struct product *g);

/* product.c: from machine nodes; false: why says. */
bool product_conv(struct plan *p, struct product *g, struct why *why);
bool product_matmul(struct plan *p, struct product *g, struct why *why);
bool product_add(struct plan *p, struct product *g, struct why *why);
bool product_plan(struct plan *p, struct product *g, struct why *why); /* searches, then builds */

/* pool.c */
bool pool_legal(const struct node *n, const struct target *t, struct why *why);
bool pool_plan(struct plan *p, struct why *why);

#endif
