/* Run a tool without a shell. */
#ifndef BASE_PROC_H
#define BASE_PROC_H
#include <stdbool.h>

struct arena;
struct diag;

struct proc_result {
    int status;                  /* exit status, or 128 + signal */
    bool timed_out;
    char *out, *err;             /* captured text when asked for, 0-terminated */
};

struct proc {
    const char *const *argv;     /* NULL-terminated; argv[0] is looked up in PATH */
    bool capture_out, capture_err;
    double timeout;              /* seconds; 0: none */
    const char *temp;            /* where it makes temporary files of its own; NULL: as we do */
    /* When set, gets every chunk of standard output as it comes (implies capture). */
    void (*on_out)(const char *text, int len, void *ctx);
    void *ctx;
};

/* False: could not be started (diag_fatal tool-missing, naming argv[0]). */
bool proc_run(struct arena *a, struct diag *d, const struct proc *p, struct proc_result *r);
/* Kills the tool that runs, and what it started; async-signal-safe, for handlers. */
void proc_end_all(void);
char *proc_which(struct arena *a, const char *name); /* full path, or NULL */

#endif
