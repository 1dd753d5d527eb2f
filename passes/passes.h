/* The passes: from a graph as imported to machine operators with buffers. */
#ifndef PASSES_PASSES_H
#define PASSES_PASSES_H
#include "ir/pass.h"

#define P(name) extern const struct pass pass_##name;
#include "passes/passes.def"
#undef P

extern const struct pass *const passes[];              /* in order; ends with NULL */

const struct pass *pass_find(const char *name);        /* NULL: unknown */

/* Defaults of every option. */
struct pass_options pass_defaults(void);

/* Does pass p take part?  Its stage is right and its level is asked for. */
bool pass_applies(const struct pass *p, const struct pass_ctx *c);
/* One pass: what it needs is brought up to date first, its facts are kept after. */
bool pass_run(const struct pass *p, struct pass_ctx *c);
/* All that apply, in order, up to and with `last` (NULL: all).  The driver has a loop
 * of its own, with switches and dumps. */
bool passes_run(struct pass_ctx *c, const char *last);

/* Calibration inputs made up from a seed, `sets` of them: numbers between 0 and 1
 * as an image has them. */
struct feed *feed_made_up(struct arena *a, uint64_t seed, int sets);

#endif
