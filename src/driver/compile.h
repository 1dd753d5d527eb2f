/* One compilation, from the command line to the product. */
#ifndef DRIVER_COMPILE_H
#define DRIVER_COMPILE_H
#include "src/driver/options.h"

struct arena;
struct diag;

/* The exit status; diagnostics were given. */
int compile_model(struct arena *a, struct diag *d, const struct command_line *c);

#endif
