/* Removal of temporaries at exit and on signals.  The handler only calls functions
 * that are safe in one, then lets the signal do what it would have done.  A tool that
 * runs is ended first, so that it makes no new files meanwhile. */
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "src/base/cleanup.h"
#include "src/base/out.h"
#include "src/base/proc.h"

static void
handler(int sig)
{
    proc_end_all();
    out_remove_all();
    temp_remove_all();
    signal(sig, SIG_DFL);
    raise(sig); /* delivered when this handler returns */
}

static void
at_exit(void)
{
    out_remove_all();
    temp_remove_all();
}

enum { SIGNALS = 4 };
static const int signals[SIGNALS] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
static sigset_t before;

void
cleanup_begin(void)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaddset(&set, signals[i]);
    sigprocmask(SIG_BLOCK, &set, &before);
    cleanup_arm();
}

void
cleanup_end(void)
{
    sigprocmask(SIG_SETMASK, &before, NULL);
}

void
cleanup_child(void)
{
    for (size_t i = 0; i < SIGNALS; i++) {
        struct sigaction now;
        if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler == handler)
            signal(signals[i], SIG_DFL);
    }
    cleanup_end();
}

void
cleanup_arm(void)
{
    static bool armed;

    if (armed)
        return;
    armed = true;
    atexit(at_exit);
    signal(SIGXFSZ, SIG_IGN); /* a write that fails is reported as a full disk */
    for (size_t i = 0; i < SIGNALS; i++) {
        struct sigaction old, now = { .sa_handler = handler };
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
            sigaction(signals[i], &now, NULL);
    }
}
