/* Inputs and outputs of gemmcc-run. */
#ifndef DRIVER_RUN_IO_H
#define DRIVER_RUN_IO_H
#include "src/driver/meta.h"
#include "src/driver/options.h"
#include "src/driver/qemu.h"

/* What is compared as equal: --tolerance. */
struct tolerance {
    double abs, rel;
    int64_t steps;
};
bool tolerance_parse(const char *spec, struct tolerance *t);

/* Every input of the program as bytes to write into memory: *n patches, of at most one
 * for each input and one that marks the program as carrying them.  None for a program
 * that was baked, when the command line names no input.  False after a diagnostic
 * (run-input and those of the files). */
bool run_inputs(struct arena *a, struct diag *d, const struct command_line *c, const struct elf *e,
    const struct meta *m, struct elf_patch *patches, int *n);

/* One input, packed, in the model's type, as bytes to write. */
bool run_patch(struct arena *a, struct diag *d, const struct elf *e, const struct meta_tensor *t,
    const void *user, struct elf_patch *to);

/* Outputs, in the model's types, packed. */
bool run_outputs(struct arena *a, struct diag *d, const struct elf *e, const struct meta *m,
    const struct qemu_result *x, const void **data);
bool run_write(struct arena *a, struct diag *d, const struct command_line *c, const struct meta *m,
    const void *const *data);
/* False after a diagnostic; *differs when beyond the tolerance, which is printed. */
bool run_expect(struct arena *a, struct diag *d, const struct command_line *c, const struct meta *m,
    const void *const *data, const struct tolerance *t, bool *differs);
/* The best k of an output that is a vector, with labels. */
void run_top(
    const struct meta_tensor *t, const void *data, const char *const *labels, int nlabel, int k);
bool run_is_scores(const struct meta_tensor *t);

#endif
