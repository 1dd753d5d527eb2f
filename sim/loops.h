/* The hardware's loops: LOOP_WS (loop_ws.c) and LOOP_CONV_WS (loop_conv.c) become
 * streams of ordinary commands (gemmini-isa.md 11 and 12).
 *
 * Five generators make them, each in an order of its own: what the array is fed with,
 * what it does, what is stored.  loops.c runs one generator after the other, which is
 * a legal order; unroll.c mixes them as the hardware's arbiters do.  Where the
 * hardware and its public functional model differ, this is the hardware. */
#ifndef SIM_LOOPS_H
#define SIM_LOOPS_H
#include "sim/internal.h"

/* Bias, input and weights are what the convolution calls D, A and B. */
enum gen { GEN_D, GEN_A, GEN_B, GEN_EX, GEN_ST, GENS };

/* Commands of one loop no tile that fits has so many. */
#define LOOP_MOST (INT64_C(1) << 18)

struct ws_loop {
    int64_t i, j, k, pad_i, pad_j, pad_k; /* in tiles; in rows or columns */
    uint64_t a, b, c, d;             /* 0: skipped */
    uint64_t a_stride, b_stride, c_stride, d_stride; /* elements */
    bool accumulate, full, low, a_trans, b_trans, resadd;
    unsigned act, a_id, b_id;
};

struct conv_loop {
    /* fields of 12.1 */
    int64_t out_channels, in_channels, in_rows, in_cols, batch_size, stride;
    int64_t out_rows, out_cols, pool_out_rows, pool_out_cols, kernel_dim;
    int64_t pool_size, pool_stride, batches, porows, pocols, pochs;
    int64_t krows, kcols, kchs, lpad, rpad, upad, dpad, plpad, prpad, pupad, pdpad;
    int64_t orows, ocols, kdil, in_stride, weight_stride, out_stride;
    int64_t weights, output, bias, input; /* pointers */
    bool no_bias, rot180, out_1203, w_1203, w_0132, in_3120, dw;
    bool no_pool, down, dilated;
    int64_t pixels;
    unsigned act, a_id, b_id;
    /* values of 12.2 */
    int64_t oc, in_h, in_w;          /* output pixels; rows and columns kept of the input */
    int64_t tile_rows, tile_cols;    /* of the input, all of them */
    int64_t real_rows, real_cols;    /* of the input tile, without pads */
    int64_t a_block, b_block, b_rows;
};

struct loop {
    bool conv;
    const struct target *t;
    struct origin of;                /* the command that runs it */
    struct regs regs;                /* the configuration it began with */
    uint32_t sp_a, sp_b, acc;        /* local rows; sp_b is where B begins */
    bool skip_a, skip_b;
    bool empty;                      /* some bound is 0 */
    struct ws_loop ws;
    struct conv_loop cv;
};

/* Where a generator is: at the command it will make next. */
struct cursor {
    bool done;
    int step;                        /* 0: CONFIG or PRELOAD, ... */
    bool fresh;                      /* the next pair brings weights of its own */
    int64_t i, j, k;                 /* tiles; of a normalising store: row, statistics */
    int64_t row, pass, lane;
    int64_t b, y, x, ch, ky, kx;     /* batch, pixel, output channel, kernel */
    int64_t unused;                  /* rows of the last command that no compute reads */
};

void loop_start(const struct loop *l, enum gen g, struct cursor *c);
/* The command at the cursor, which moves on; not when it is done. */
void loop_next(const struct loop *l, enum gen g, struct cursor *c, struct isa_cmd *cmd);

/* ---- loop_ws.c, loop_conv.c: the same for each kind */
void ws_decode(const struct target *t, uint64_t raw[6][2], const struct isa_cmd *run,
    struct ws_loop *l);
void ws_start(const struct loop *l, enum gen g, struct cursor *c);
void ws_next(const struct loop *l, enum gen g, struct cursor *c, struct isa_cmd *cmd);
/* Commands of the whole loop, at least. */
int64_t ws_commands(const struct ws_loop *l);

void conv_decode(const struct target *t, uint64_t raw[6][2], const struct isa_cmd *run,
    struct conv_loop *l);
void conv_start(const struct loop *l, enum gen g, struct cursor *c);
void conv_next(const struct loop *l, enum gen g, struct cursor *c, struct isa_cmd *cmd);
int64_t conv_commands(const struct target *t, const struct conv_loop *l);
/* The pads are no larger than the tile. */
bool conv_ends(const struct conv_loop *l);

/* ---- loops.c */

/* LOOP_* and their configuration. */
static inline bool
loop_is(unsigned funct)
{
    return funct >= ISA_LOOP_WS && funct <= ISA_LOOP_CONV_6 && funct != ISA_MVIN3;
}

static inline bool
loop_is_conv(unsigned funct)
{
    return funct >= ISA_LOOP_CONV;
}

static inline bool
loop_is_run(unsigned funct)
{
    return funct == ISA_LOOP_WS || funct == ISA_LOOP_CONV;
}

/* The loop that this command would run now. */
void loop_make(const struct hart *h, const struct isa_cmd *run, struct loop *l);
/* Its place in the local memories is taken: the next loop gets the other half. */
void loops_turn(struct hart *h, const struct loop *l);
/* Notes a configuration command. */
void loops_config(struct hart *h, const struct isa_cmd *c);
void loops_reset(struct hart *h);
/* Columns of one move of values of `bytes`. */
int64_t loop_columns(const struct target *t, int64_t bytes);

#endif
