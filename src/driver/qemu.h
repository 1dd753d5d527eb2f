/* One run of a program under QEMU with the device model as its plugin.  The guest's
 * RAM stays mapped after the run, so that outputs can be read where they lie. */
#ifndef DRIVER_QEMU_H
#define DRIVER_QEMU_H
#include <stdbool.h>
#include <stdint.h>

#include "sim/sim.h"
#include "src/driver/elf.h"

struct arena;
struct diag;

struct qemu_run {
    const struct elf *elf;
    const struct elf_patch *patches; /* bytes written into a copy of it first */
    int npatch;
    const struct target *target;
    enum sim_strict strict;
    bool timing;
    double timeout;                  /* seconds of real time; 0: none */
    int harts;                       /* 0: the target's */
    int64_t memory;                  /* bytes; 0: the target's */
    const char *program;             /* NULL: $GEMMCC_QEMU, or qemu-system-riscv64 */
    const char *plugin;              /* NULL: $GEMMCC_DEVICE, beside us, or installed */
    const char *gdb;                 /* port to wait for a debugger on; NULL: none */
    /* Perfetto JSON; NULL: none.  Layers by number, for their names there. */
    const char *trace;
    enum sim_detail trace_detail;
    bool trace_ns;                   /* real time; else a cycle as a microsecond */
    const char *const *layer_names;
    int nlayer_name;
    /* Gets the console as it comes; it is collected anyway. */
    void (*on_console)(const char *text, int len, void *ctx);
    void *ctx;
};

enum qemu_end {
    QEMU_END_EXIT,                   /* the program ended, status is its exit code */
    QEMU_END_TRAP,                   /* it met a trap; the console says which */
    QEMU_END_NO_DEVICE,              /* it wanted an array and none answered */
    QEMU_END_REFUSED,                /* a rule was broken: the last violation */
    QEMU_END_TIMEOUT
};

struct qemu_layer { int hart; struct sim_layer_stats stats; };
struct qemu_counter { int hart; const char *name; uint64_t value; };

struct qemu_result {
    enum qemu_end end;
    int status;                      /* as QEMU gave it, 0..255 */
    const char *console;             /* 0-terminated */
    bool device;                     /* the model found the program's mailbox */
    uint64_t trap;                   /* address of the code that trapped; 0: none did */
    int layer;                       /* of hart 0 that was running at the end; -1: none */
    uint64_t instructions, cycles;   /* all harts; hart 0 */
    uint64_t nviolation_all;         /* also those not kept */
    struct qemu_layer *layers;
    int nlayer;
    struct sim_violation *violations;
    int nviolation;
    struct qemu_counter *counters;   /* those the model counts, by hart and code */
    int ncounter;
    struct sim_memory ram;           /* until qemu_release */
};

/* False: the run did not take place, after a diagnostic (qemu-missing, qemu-plugin,
 * qemu-failed, qemu-memory, or those of temp_dir and out_open). */
bool qemu_run(struct arena *a, struct diag *d, const struct qemu_run *r, struct qemu_result *x);
void qemu_release(struct qemu_result *x);
/* Guest memory, or NULL when any of it is outside. */
const uint8_t *qemu_memory(const struct qemu_result *x, uint64_t addr, uint64_t n);
/* "QEMU emulator version 7.2.22", or NULL; for --version. */
const char *qemu_version(struct arena *a, const char *program);

#endif
