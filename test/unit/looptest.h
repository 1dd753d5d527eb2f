/* Loops as tests ask for them: fields by name, packed by hand into the commands of
 * each revision, and the streams they should become, written out literally from
 * gemmini-isa.md 11 and 12. */
#ifndef TEST_UNIT_LOOPTEST_H
#define TEST_UNIT_LOOPTEST_H
#include <stdbool.h>
#include <stdint.h>

#include "sim/sim.h"

struct ws_args {
    int i, j, k, pi, pj, pk;
    uint64_t a, b, c, d, as, bs, cs, ds; /* pointers; strides in elements */
    int accumulate, full, low, act, aid, bid, at, bt, resadd;
};

struct conv_args {
    int batch_size, in_rows, in_cols, in_channels, out_channels, out_rows, out_cols;
    int pool_out_rows, pool_out_cols, stride, padding, kernel, kdil;
    int pool_size, pool_stride, pool_padding;
    int batches, porows, pocols, pochs, krows, kcols, kchs;
    int lpad, rpad, upad, dpad, plpad, prpad, pupad, pdpad, orows, ocols;
    int in_stride, weight_stride, out_stride;
    uint64_t weights, output, bias, input;
    int no_bias, rot180, out_1203, w_1203, w_0132, in_3120, dw, pixels, aid, bid;
    int no_pool, down, dilated, act;
};

/* Configuration and run, by revision of the machine.  False: refused. */
bool ws_send(const struct ws_args *a);
bool conv_send(const struct conv_args *a);
struct isa_cmd ws_run(const struct ws_args *a);
struct isa_cmd conv_run(const struct conv_args *a);
bool ws_configure(const struct ws_args *a);
bool conv_configure(const struct conv_args *a);

/* A loop that every rule allows, with its CONFIG commands sent. */
struct ws_args ws_legal(void);
struct conv_args conv_legal(void);
/* Breaks a rule of loops with its last command; false: this is none of them. */
bool loop_breaks(enum sim_rule rule, bool *done);
/* How the machine has to differ for that. */
void loop_machine(enum sim_rule rule);

/* ---- what a loop becomes: the commands in order, at most `max`; returns how many */
struct places { int slot, acc; };    /* halves: of the scratchpad, of the accumulator */
int ws_literal(const struct ws_args *a, const struct places *p, struct isa_cmd *out, int max);
int conv_literal(const struct conv_args *a, const struct places *p, struct isa_cmd *out,
    int max);

#endif
