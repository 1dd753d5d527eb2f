/* gemmcc-run --dataset: every sample of a set, what is right, how long it takes. */
#ifndef DRIVER_RUN_SET_H
#define DRIVER_RUN_SET_H
#include "src/driver/meta.h"
#include "src/driver/options.h"

struct elf;
struct elf_patch;
struct run_set;

/* The set of --dataset, with the labels of --truth or of the set itself, and its
 * reference outputs if it has any.  NULL after a diagnostic (dataset-*, run-truth). */
struct run_set *run_set_open(
    struct arena *a, struct diag *d, const struct command_line *c, const struct meta *m);
int64_t run_set_count(const struct run_set *s);
/* Bytes to write for the inputs of sample k: one patch each, in arena a. */
bool run_set_inputs(const struct run_set *s, struct arena *a, struct diag *d, const struct elf *e,
    int64_t k, struct elf_patch *patches, int *n);
/* What came out of sample k, in the model's types. */
void run_set_note(
    struct run_set *s, struct diag *d, int64_t k, const void *const *outputs, uint64_t cycles);
/* Samples right, agreement with the reference, cycles.  quiet: the first line only;
 * all: every sample that differs, not only the first ones. */
void run_set_print(
    const struct run_set *s, const char *const *labels, int nlabel, bool quiet, bool all);

#endif
