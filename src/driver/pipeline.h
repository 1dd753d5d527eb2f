/* Runs the pass table with its switches, dumps, checks and timers. */
#ifndef DRIVER_PIPELINE_H
#define DRIVER_PIPELINE_H
#include "ir/pass.h"

struct pipeline {
    const char *const *switches;         /* "fuse-relu", "no-fuse-relu", NULL-terminated */
    const char *const *dump_before, *const *dump_after; /* pass names or "all" */
    const char *dump_dir;                /* NULL: standard error */
    const char *stop_after;              /* NULL: all */
    unsigned stop_stage;                 /* enum stage; 0: all.  Stops before the stage is left */
    bool verify, time;
    /* Called before each pass: calibration inputs are made when types are known. */
    bool (*prepare)(struct pass_ctx *c, const struct pass *p, void *ctx);
    void *ctx;
};

/* False after diagnostics (also for an unknown pass name: pass-unknown). */
bool pipeline_check(const struct pipeline *p, struct diag *d);
bool pipeline_run(const struct pipeline *p, struct pass_ctx *c);

#endif
