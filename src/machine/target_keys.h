/* Inside of the target reader: one key at a time, by name. */
#ifndef MACHINE_TARGET_KEYS_H
#define MACHINE_TARGET_KEYS_H
#include <stdbool.h>

#include "src/machine/target.h"

struct arena;
struct diag;
struct place_ref;

/* Sets section.key of t from text.  False after target-key, target-value or
 * target-range. */
bool target_set(struct arena *a, struct diag *d, const struct place_ref *at, struct target *t,
    const char *section, const char *key, const char *value);
void target_defaults(struct target *t);
/* Keys that contradict each other (target-conflict). */
bool target_consistent(struct diag *d, const char *file, const struct target *t);
/* A gemmini_params.h (target_header.c).  `sets` only to leave what they say out of
 * the list of assumptions. */
bool target_read_header(struct arena *a, struct diag *d, const char *file, const char *text,
    size_t len, const char *const *sets, struct target *t);

#endif
