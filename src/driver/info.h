/* What gemmcc tells about itself: --print-*, --explain, --version. */
#ifndef DRIVER_INFO_H
#define DRIVER_INFO_H
#include "src/driver/options.h"

struct arena;
struct diag;

/* If the command line asks for information, prints it: true, and the exit status. */
bool info_asked(struct arena *a, struct diag *d, const struct command_line *c, int *status);
void info_version(struct arena *a, unsigned program, bool verbose);
const char *info_nearest_diag(const char *id); /* for suggestions; NULL: none is near */

#endif
