/* One-layer machine graphs with planned memory, run on the device model in process:
 * what the backend's tests are made of. */
#ifndef TEST_LAYERS_H
#define TEST_LAYERS_H
#include "backend/backend.h"
#include "sim/sim.h"

/* An int8 image [n,c,h,w], channels innermost, pixels `pix` bytes apart, with a halo of
 * the given fill value (quant zero point); placed in the arena or another space. */
struct value *layer_image(struct graph *g, const char *name, const int64_t nchw[4], int64_t pix,
    const int64_t halo[4], int32_t zero, enum space space);
/* An int8 matrix [m,n] with rows `row` bytes apart. */
struct value *layer_matrix(
    struct graph *g, const char *name, int64_t m, int64_t n, int64_t row, enum space space);

struct layer_run {
    struct program *program;
    const struct target *target;
    int8_t *out;     /* packed, logical order, of the last node */
    uint64_t cycles; /* 0 without timing */
    double seconds;  /* that the device model took, rules checked */
    struct sim_layer_stats stats;
    char violation[400]; /* "" when every rule was kept */
    char spill[200];     /* "" when nothing but the output was written (graphs of one layer) */
};
/* Plans the graph, fills the named inputs (packed, logical order) and runs. */
bool layer_run(struct arena *a, struct diag *d, struct graph *g, const struct target *t,
    const int8_t *const *inputs, bool timing, struct layer_run *r);

/* Repeatable numbers. */
uint32_t layer_random(uint32_t *seed);
int64_t layer_between(uint32_t *seed, int64_t lo, int64_t hi);

#endif
