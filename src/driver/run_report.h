/* What gemmcc-run shows of a run besides its outputs. */
#ifndef DRIVER_RUN_REPORT_H
#define DRIVER_RUN_REPORT_H
#include "src/driver/meta.h"
#include "src/driver/options.h"
#include "src/driver/qemu.h"

/* Every --report of the command line.  False after a diagnostic (of out_open). */
bool run_report(struct arena *a, struct diag *d, const struct command_line *c, const struct meta *m,
    const struct target *t, const struct qemu_result *x);
/* Counters by name, comma-separated; NULL: all that counted something. */
void run_counters(const struct qemu_result *x, const char *names);

#endif
