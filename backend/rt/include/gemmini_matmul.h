/* Products of matrices of any size: cut into tiles for the array as Gemmini's own C
 * library does, so that they take as long (gemmini-isa 18).  Weight-stationary products
 * run on the loop of the hardware, with operands kept from tile to tile where two tiles
 * hold all of them: outside of the portable profile.  All calls begin and end with
 * a fence, and end the program when they are asked for what cannot be.  Included by gemmini.h. */
#ifndef GEMMINI_MATMUL_H
#define GEMMINI_MATMUL_H
#include "gemmini_reference.h"

/* Programs put their own checks under this name. */
#ifndef GEMMINI_ASSERTIONS
#define GEMMINI_ASSERTIONS
#endif

/* Where a layer runs. */
enum tiled_matmul_type_t { OS, WS, CPU };

static inline void
gemmini_require(bool holds, const char *what)
{
    if (!holds) {
        printf("gemmini: %s\n", what);
        exit(1);
    }
}

/* Arrays of DIM that hold n. */
static inline size_t
gemmini_blocks(size_t n)
{
    return (n + DIM - 1) / DIM;
}

static inline size_t
gemmini_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* a / b, rounded up; 1 for what is less than 1. */
static inline int
ceil_divide_int(int a, int b)
{
    return a < b ? 1 : (a + b - 1) / b;
}

/* ---- tiles: in blocks of DIM */
struct gemmini_tile {
    size_t I, J, K;
};

static inline size_t
tiled_matmul_total_spad_rows(size_t I, size_t J, size_t K)
{
    return (I * K + K * J) * DIM;
}

static inline size_t
tiled_matmul_total_acc_rows(size_t I, size_t J)
{
    return I * J * DIM;
}

/* The hardware's loop works in one half of each memory while it fills the other. */
static inline bool
gemmini_tile_fits(struct gemmini_tile t, enum tiled_matmul_type_t type)
{
    size_t share = type == WS ? 2 : 1;

    return tiled_matmul_total_spad_rows(t.I, t.J, t.K) <= BANK_NUM * BANK_ROWS / share
        && tiled_matmul_total_acc_rows(t.I, t.J) <= ACC_ROWS / share;
}

/* Start from a square of C that fits the accumulator, and a depth that fits a quarter
 * of the scratchpad, or half of it. */
static inline struct gemmini_tile
gemmini_tile_start(struct gemmini_tile most, int act, enum tiled_matmul_type_t type)
{
    size_t share = type == WS ? 2 : 1, side = (size_t)sqrt((double)(ACC_ROWS / share / DIM));
    size_t depth = BANK_NUM * BANK_ROWS / (2 * share) / DIM / side;

    if (act == LAYERNORM || act == SOFTMAX)
        return (struct gemmini_tile) { 1, most.J, 1 };
    return (struct gemmini_tile) { gemmini_least(most.I, side), gemmini_least(most.J, side),
        gemmini_least(most.K, depth) };
}

/* Take `larger` if it is one. */
static inline bool
gemmini_tile_grow(struct gemmini_tile *t, struct gemmini_tile larger, struct gemmini_tile most,
    enum tiled_matmul_type_t type)
{
    if (larger.I > most.I || larger.J > most.J || larger.K > most.K
        || !gemmini_tile_fits(larger, type))
        return false;
    *t = larger;
    return true;
}

static inline struct gemmini_tile
gemmini_tile_search(size_t I, size_t J, size_t K, int act, enum tiled_matmul_type_t type)
{
    struct gemmini_tile most = { gemmini_blocks(I), gemmini_blocks(J), gemmini_blocks(K) };
    struct gemmini_tile t = gemmini_tile_start(most, act, type);
    bool grown = true;

    while (grown) {
        grown = gemmini_tile_grow(&t, (struct gemmini_tile) { t.I, t.J + 1, t.K }, most, type);
        grown |= gemmini_tile_grow(&t, (struct gemmini_tile) { t.I + 1, t.J, t.K }, most, type);
        grown |= gemmini_tile_grow(&t, (struct gemmini_tile) { t.I, t.J, t.K + 1 }, most, type);
    }
    return t;
}

/* ---- one tile.  Pads: what the last block lacks. */
struct gemmini_piece {
    size_t I, J, K, pad_I, pad_J, pad_K;
    const elem_t *A, *B;             /* NULL: still there, from an earlier tile */
    const void *D;                   /* NULL: go on with the sums */
    void *C;                         /* NULL: leave them for the next tile */
    int A_id, B_id;                  /* halves of the scratchpad; 0: in turn */
};

static inline void
gemmini_piece_ws(const struct gemmini_matmul *m, const struct gemmini_piece *p, bool first)
{
    gemmini_loop_ws(p->I, p->J, p->K, p->pad_I, p->pad_J, p->pad_K, p->A, p->B, p->D, p->C,
        m->A_stride, m->B_stride, m->repeating_bias ? 0 : m->D_stride, m->C_stride,
        m->A_transpose, m->B_transpose, m->full_C, m->low_D, !first || p->D, m->act,
        p->A_id, p->B_id, 0);
}

/* Rows or columns of block i out of n. */
static inline size_t
gemmini_extent(size_t i, size_t n, size_t pad)
{
    return DIM - (i + 1 == n ? pad : 0);
}

/* A matrix of `rows` x `cols` blocks, row by row of blocks from `local` on, in moves of
 * up to `blocks` blocks. */
static inline void
gemmini_move_in(const void *from, size_t stride, size_t size, uint32_t local, size_t rows,
    size_t cols, size_t pad_rows, size_t pad_cols, size_t blocks)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j += blocks) {
            size_t n = gemmini_least(blocks, cols - j);

            gemmini_extended_mvin((const char *)from + (i * stride + j) * DIM * size,
                local + (uint32_t)((i * cols + j) * DIM),
                n * DIM - (j + n == cols ? pad_cols : 0), gemmini_extent(i, rows, pad_rows));
        }
}

static inline void
gemmini_os_load(const struct gemmini_matmul *m, const struct gemmini_piece *p, uint32_t B,
    uint32_t C)
{
    if (p->D) {
        size_t stride = m->repeating_bias ? 0 : m->D_stride;

        gemmini_extended_config_ld(stride * sizeof(acc_t), m->D_scale);
        gemmini_move_in(p->D, stride, sizeof(acc_t), C, p->I, p->J, p->pad_I, p->pad_J,
            MAX_BLOCK_LEN_ACC);
    }
    gemmini_extended_config_ld(m->B_stride * sizeof(elem_t), m->B_scale);
    gemmini_move_in(p->B, m->B_stride, sizeof(elem_t), B, p->K, p->J, p->pad_K, p->pad_J,
        MAX_BLOCK_LEN);
    gemmini_extended_config_ld(m->A_stride * sizeof(elem_t), m->A_scale);
    gemmini_move_in(p->A, m->A_stride, sizeof(elem_t), 0, p->I, p->K, p->pad_I, p->pad_K,
        MAX_BLOCK_LEN);
}

/* A block of C stays in the array while its products are added. */
static inline void
gemmini_os_block(const struct gemmini_piece *p, size_t i, size_t j, uint32_t B, uint32_t C)
{
    size_t rows = gemmini_extent(i, p->I, p->pad_I), cols = gemmini_extent(j, p->J, p->pad_J);

    for (size_t k = 0; k < p->K; k++) {
        size_t depth = gemmini_extent(k, p->K, p->pad_K);
        uint32_t a = (uint32_t)((i * p->K + k) * DIM), b = B + (uint32_t)((k * p->J + j) * DIM);

        gemmini_extended_preload(GARBAGE_ADDR, k + 1 == p->K ? C : GARBAGE_ADDR, DIM, DIM,
            cols, rows);
        if (k == 0) {
            gemmini_extended_compute_preloaded(a, b, depth, rows, cols, depth);
        } else {
            gemmini_extended_compute_accumulated(a, b, depth, rows, cols, depth);
        }
    }
}

/* Sums are added to the accumulator's, except those of the first tile without a bias. */
static inline void
gemmini_piece_os(const struct gemmini_matmul *m, const struct gemmini_piece *p, bool first)
{
    uint32_t B = (uint32_t)(BANK_NUM * BANK_ROWS - p->K * p->J * DIM), acc = 1u << (ADDR_LEN - 1);
    uint32_t add = !first || p->D ? 1u << (ADDR_LEN - 2) : 0;
    size_t size = m->full_C ? sizeof(acc_t) : sizeof(elem_t);

    gemmini_os_load(m, p, B, acc);
    for (size_t i = 0; i < p->I; i++)
        for (size_t j = 0; j < p->J; j++)
            gemmini_os_block(p, i, j, B, acc | add | (uint32_t)((i * p->J + j) * DIM));
    for (size_t i = 0; p->C && i < p->I; i++)
        for (size_t j = 0; j < p->J; j++)
            gemmini_extended_mvout((char *)p->C + (i * m->C_stride + j) * DIM * size,
                acc | (uint32_t)m->full_C << (ADDR_LEN - 3) | (uint32_t)((i * p->J + j) * DIM),
                gemmini_extent(j, p->J, p->pad_J), gemmini_extent(i, p->I, p->pad_I));
}

/* ---- all tiles */

static inline void
gemmini_matmul_configure(const struct gemmini_matmul *m, enum tiled_matmul_type_t type)
{
    size_t D_size = m->low_D ? sizeof(elem_t) : sizeof(acc_t);

    gemmini_fence();
    gemmini_extended_config_ex(type, m->act & 3, 0, 1, m->A_transpose, m->B_transpose);
    gemmini_extended_config_st(m->C_stride * (m->full_C ? sizeof(acc_t) : sizeof(elem_t)),
        m->act & 3, m->scale);
    gemmini_extended3_config_ld(m->A_stride * sizeof(elem_t), m->A_scale, 0, 0);
    gemmini_extended3_config_ld(m->B_stride * sizeof(elem_t), m->B_scale, 0, 1);
    gemmini_extended3_config_ld(m->repeating_bias ? 0 : m->D_stride * D_size, m->D_scale,
        m->low_D, 2);
    if (m->act == IGELU) {
        struct gemmini_igelu g = gemmini_igelu_of(m->bert_scale);

        gemmini_config_norm(0, 0, 0, 0, 0, (int32_t)g.qb, (int32_t)g.qc);
    }
    if (m->act == SOFTMAX) {
        struct gemmini_softmax s = gemmini_softmax_of(m->bert_scale);

        gemmini_config_norm(s.qln2, 0, 0, 1, 0, s.qb, s.qc);
        gemmini_config_norm(s.qln2_inv, 1, 0, 1, 0, s.qb, s.qc);
    }
}

/* How many tiles there are, and which one this is. */
struct gemmini_grid {
    struct gemmini_tile size, count, at;
};

/* Blocks of one dimension, and what its last one lacks. */
static inline void
gemmini_cut(size_t n, size_t size, size_t at, size_t *blocks, size_t *pad)
{
    size_t all = gemmini_blocks(n), left = all - at * size;

    *blocks = gemmini_least(size, left);
    *pad = left <= size ? all * DIM - n : 0;
}

/* An operand that two tiles hold stays, each tile in its half. */
static inline void
gemmini_keep(const struct gemmini_grid *g, struct gemmini_piece *p)
{
    if (g->count.I * g->count.K <= 2) {
        p->A_id = g->at.I + g->at.K == 0 ? 1 : 2;
        if (g->at.J)
            p->A = NULL;
    }
    if (g->count.J * g->count.K <= 2) {
        p->B_id = g->at.J + g->at.K == 0 ? 1 : 2;
        if (g->at.I)
            p->B = NULL;
    }
}

static inline struct gemmini_piece
gemmini_piece_of(const struct gemmini_matmul *m, const struct gemmini_grid *g)
{
    struct gemmini_piece p = { 0 };
    size_t i = g->at.I * g->size.I * DIM, j = g->at.J * g->size.J * DIM;
    size_t k = g->at.K * g->size.K * DIM, row = m->repeating_bias ? 0 : i;

    gemmini_cut(m->I, g->size.I, g->at.I, &p.I, &p.pad_I);
    gemmini_cut(m->J, g->size.J, g->at.J, &p.J, &p.pad_J);
    gemmini_cut(m->K, g->size.K, g->at.K, &p.K, &p.pad_K);
    p.A = m->A + (m->A_transpose ? k * m->A_stride + i : i * m->A_stride + k);
    p.B = m->B + (m->B_transpose ? j * m->B_stride + k : k * m->B_stride + j);
    if (m->D && !k)
        p.D = (const char *)m->D
            + (row * m->D_stride + j) * (m->low_D ? sizeof(elem_t) : sizeof(acc_t));
    if (g->at.K + 1 == g->count.K)
        p.C = (char *)m->C + (i * m->C_stride + j) * (m->full_C ? sizeof(acc_t) : sizeof(elem_t));
    return p;
}

static inline void
gemmini_matmul_run(const struct gemmini_matmul *m, struct gemmini_tile size,
    enum tiled_matmul_type_t type)
{
    struct gemmini_grid g = { .size = size };
    struct gemmini_tile *at = &g.at;

    g.count.I = (gemmini_blocks(m->I) + size.I - 1) / size.I;
    g.count.J = (gemmini_blocks(m->J) + size.J - 1) / size.J;
    g.count.K = (gemmini_blocks(m->K) + size.K - 1) / size.K;
    gemmini_matmul_configure(m, type);
    for (at->I = 0; at->I < g.count.I; at->I++)
        for (at->J = 0; at->J < g.count.J; at->J++)
            for (at->K = 0; at->K < g.count.K; at->K++) {
                struct gemmini_piece p = gemmini_piece_of(m, &g);

                if (type == WS) {
                    gemmini_keep(&g, &p);
                    gemmini_piece_ws(m, &p, !at->K);
                } else {
                    gemmini_piece_os(m, &p, !at->K);
                }
            }
    gemmini_fence();
}

static inline void
gemmini_matmul_check(const struct gemmini_matmul *m, struct gemmini_tile t,
    enum tiled_matmul_type_t type)
{
    bool norm = m->act == LAYERNORM || m->act == SOFTMAX;

    gemmini_require(t.I && t.J && t.K, "a tile has at least one block each way");
    gemmini_require(t.I <= gemmini_blocks(m->I) && t.J <= gemmini_blocks(m->J)
        && t.K <= gemmini_blocks(m->K), "a tile is larger than its matrix");
    gemmini_require(gemmini_tile_fits(t, type), "a tile does not fit scratchpad or accumulator");
    gemmini_require(t.I <= 65535 && t.J <= 65535 && t.K <= 65535, "tiles have up to 65535 blocks");
    gemmini_require(type != OS || !(m->A_transpose || m->B_transpose || m->low_D || norm),
        "with outputs kept there are no transposes, biases of elements, normalisations");
    gemmini_require(!(m->A_transpose && m->B_transpose), "one of A and B can be transposed");
    gemmini_require(!norm || t.J == gemmini_blocks(m->J), "normalisations need whole rows");
}

/* D: acc_t, or elem_t if low_D; NULL: no bias.  C: elem_t, or acc_t if full_C.  Strides
 * in elements, tiles in blocks of DIM.  weightA has no meaning here. */
static inline void
tiled_matmul(size_t dim_I, size_t dim_J, size_t dim_K, const elem_t *A, const elem_t *B,
    const void *D, void *C, size_t stride_A, size_t stride_B, size_t stride_D, size_t stride_C,
    scale_t A_scale_factor, scale_t B_scale_factor, scale_acc_t D_scale_factor,
    int act, acc_scale_t scale, acc_scale_t bert_scale, bool repeating_bias,
    size_t tile_I, size_t tile_J, size_t tile_K, bool transpose_A, bool transpose_B,
    bool full_C, bool low_D, uint8_t weightA, enum tiled_matmul_type_t tiled_matmul_type)
{
    struct gemmini_matmul m = {
        dim_I, dim_J, dim_K, A, B, D, C, stride_A, stride_B, stride_D, stride_C,
        A_scale_factor, B_scale_factor, D_scale_factor, act, scale, bert_scale,
        repeating_bias, transpose_A, transpose_B, full_C, low_D,
    };
    struct gemmini_tile tile = { tile_I, tile_J, tile_K };

    (void)weightA;
    if (tiled_matmul_type == CPU) {
        gemmini_matmul_reference(&m);
        return;
    }
    gemmini_matmul_check(&m, tile, tiled_matmul_type);
    gemmini_matmul_run(&m, tile, tiled_matmul_type);
}

static inline void
tiled_matmul_auto(size_t dim_I, size_t dim_J, size_t dim_K, const elem_t *A, const elem_t *B,
    const void *D, void *C, size_t stride_A, size_t stride_B, size_t stride_D, size_t stride_C,
    scale_t A_scale_factor, scale_t B_scale_factor, scale_acc_t D_scale_factor,
    int act, acc_scale_t scale, acc_scale_t bert_scale, bool repeating_bias,
    bool transpose_A, bool transpose_B, bool full_C, bool low_D, uint8_t weightA,
    enum tiled_matmul_type_t tiled_matmul_type)
{
    struct gemmini_tile t = gemmini_tile_search(dim_I, dim_J, dim_K, act, tiled_matmul_type);

    tiled_matmul(dim_I, dim_J, dim_K, A, B, D, C, stride_A, stride_B, stride_D, stride_C,
        A_scale_factor, B_scale_factor, D_scale_factor, act, scale, bert_scale, repeating_bias,
        t.I, t.J, t.K, transpose_A, transpose_B, full_C, low_D, weightA, tiled_matmul_type);
}

#endif
