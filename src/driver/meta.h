/* The description that a program carries (.gm.meta; backend/emit_meta.c writes it). */
#ifndef DRIVER_META_H
#define DRIVER_META_H
#include "ir/ir.h"
#include "src/driver/lines.h"

struct arena;
struct conf;
struct diag;
struct target;

struct meta_tensor {
    const char *name, *symbol;
    enum dtype model_dt;         /* what the user gives or gets */
    struct type type;            /* as it lies in memory */
    int64_t offset;              /* from the symbol */
};
struct meta_layer {
    const char *name, *op, *on, *schedule, *output, *limit, *why;
    int64_t macs;
    uint64_t estimate;
};
struct meta {
    const char *name;
    const struct target *target;
    struct meta_tensor *in, *out; int nin, nout;
    struct meta_layer *layers; int nlayer;
    const char **labels; int nlabel;
    const char *recipe;          /* NULL: none */
    struct lines lines;          /* n 0: none */
};

/* NULL after diagnostics (meta-bad): every number is checked before it is used. */
struct meta *meta_read(struct arena *a, struct diag *d, const char *file, const struct conf *c);

/* Between the model's types, packed, and the bytes in memory. */
struct type meta_user_type(const struct meta_tensor *t);
void *meta_to_memory(struct arena *a, const struct meta_tensor *t, const void *user);
void *meta_from_memory(struct arena *a, const struct meta_tensor *t, const void *memory);
int64_t meta_bytes(const struct meta_tensor *t);  /* in memory */

#endif
