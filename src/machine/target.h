/* A machine, as text: one ini file per configuration, read by compiler, device
 * model and emitted header alike.  Every key is a row of target.def. */
#ifndef MACHINE_TARGET_H
#define MACHINE_TARGET_H
#include <stdbool.h>
#include <stdint.h>

#include "src/machine/dtype.h"

struct arena;
struct diag;
struct out;

enum dataflow { DATAFLOW_WS, DATAFLOW_OS, DATAFLOW_BOTH };

struct target {
#define TARGET_INT int64_t
#define TARGET_REAL double
#define TARGET_BOOL bool
#define TARGET_TEXT const char *
#define TARGET_ELEM enum dtype
#define TARGET_DATAFLOW enum dataflow
#define K(section, key, type, field, def, min, max, unit, source, doc) TARGET_##type field;
#include "src/machine/target.def"
#undef K
    const char *digest;              /* of the merged text, 64 hex digits */
};

/* NAME (searched in $GEMMCC_TARGET_PATH and the data folders) or a path; a path
 * that ends in .h is read as a Chipyard-generated gemmini_params.h, and what it does
 * not say is listed in one note.  `sets` are "section.key=value" overrides, in
 * order, NULL-terminated.  Follows `inherit`.  NULL after diagnostics. */
struct target *target_load(struct arena *a, struct diag *d, const char *name, const char *const *sets);
/* A copy of `from` with overrides. */
struct target *target_change(struct arena *a, struct diag *d, const struct target *from,
    const char *const *sets);
/* One from text already in memory (.gm.meta); no inheritance. */
struct target *target_parse(struct arena *a, struct diag *d, const char *file, const char *text);
void target_print(const struct target *t, struct out *o);  /* the merged description, as ini */
char **target_names(struct arena *a);                      /* found by name, sorted, NULL-terminated */

/* Derived sizes; DIM of gemmini-isa.md is t->dim. */
static inline int64_t target_sp_rows(const struct target *t) { return t->sp_banks * t->sp_bank_rows; }
static inline int64_t target_acc_rows(const struct target *t) { return t->acc_banks * t->acc_bank_rows; }
static inline int64_t target_elem_bytes(const struct target *t) { return dtype_bits(t->elem) / 8; }
static inline int64_t target_acc_bytes(const struct target *t) { return dtype_bits(t->acc) / 8; }
/* Columns of one mvin or mvout: whole blocks of DIM, in one request of the DMA (64
 * bytes by default) where one fits. */
static inline int64_t target_line(const struct target *t)
{
    int64_t n = t->dma_max_bytes / target_elem_bytes(t);

    return n < t->dim ? t->dim : n - n % t->dim;
}

#endif
