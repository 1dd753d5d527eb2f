/* One record per layer, collected once, shown as text, CSV or JSON. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H
#include <stdbool.h>
#include <stdint.h>

struct arena;
struct diag;
struct out;

struct report_layer {
    int number;
    const char *name, *op, *on;      /* on: "array" or "core" */
    const char *output;              /* shape */
    const char *schedule, *why;      /* NULL: none */
    const char *limit;               /* "array", "memory", "core"; measured also "store", "fence" */
    int64_t macs;
    uint64_t estimate, measured;     /* cycles; measured 0: not run */
    uint64_t array_cycles;           /* of the measured ones, the array multiplied */
    uint64_t bytes_in, bytes_out;    /* measured DRAM traffic, 0 when not run */
    /* Measured cycles in which the core worked, and in which the array waited: for operands,
     * commands, room behind a store, a fence, a bank of its memories. */
    uint64_t core_cycles, stall_operands, stall_commands, stall_store, stall_fence, stall_bank;
};

struct report {
    const char *program, *target;
    double peak;                     /* multiply-accumulates per cycle of the array */
    double clock_mhz;
    struct report_layer *layers; int n;
};

enum report_form { REPORT_TEXT, REPORT_CSV, REPORT_JSON };

/* "text", "csv:FILE", "json" ...; false: unknown form.  *file NULL: standard output. */
bool report_spec(struct arena *a, const char *spec, enum report_form *form, const char **file);
void report_print(const struct report *r, enum report_form form, struct out *o);
/* As a good spec says.  False after a diagnostic (of out_open and out_close). */
bool report_write(const struct report *r, struct arena *a, struct diag *d, const char *spec);
/* Cycles of a layer: measured if there, else the estimate. */
uint64_t report_cycles(const struct report_layer *l);

#endif
