/* The terminal.  Progress is one line that rewrites itself; nothing of it is left
 * when it ends, and nothing is written where no terminal is. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "src/base/term.h"

static struct {
    enum term_when when;
    bool shown;
    bool begun;
    int step;
    double start, step_start, last;
} progress;

bool
term_color(FILE *f, enum term_when when)
{
    if (when != TERM_AUTO)
        return when == TERM_ALWAYS;
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    if (no && *no)
        return false;
    if (!isatty(fileno(f)))
        return false;
    return !term || strcmp(term, "dumb") != 0;
}

int
term_width(FILE *f)
{
    struct winsize w;

    if (ioctl(fileno(f), TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
        return w.ws_col;
    return 80;
}

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void
term_progress_mode(enum term_when when)
{
    progress.when = when;
}

void
term_progress(int step, int steps, const char *what, long done, long total)
{
    double t = now();
    char line[256];

    if (progress.when == TERM_NEVER || (progress.when == TERM_AUTO && !isatty(STDERR_FILENO)))
        return;
    if (!progress.begun) {
        progress.begun = true;
        progress.start = t;
    }
    if (step != progress.step) {
        progress.step = step;
        progress.step_start = t;
    }
    /* Quick runs stay silent; ten lines a second are enough for slow ones. */
    if (progress.when == TERM_AUTO && t - progress.start < 1)
        return;
    if (progress.shown && t - progress.last < 0.1)
        return;
    int seconds = (int)(t - progress.step_start), n;
    if (total > 0)
        n = snprintf(line, sizeof line, "[%d/%d] %s %ld/%ld  %d:%02d", step, steps, what, done,
            total, seconds / 60, seconds % 60);
    else
        n = snprintf(line, sizeof line, "[%d/%d] %s  %d:%02d", step, steps, what, seconds / 60,
            seconds % 60);
    int width = term_width(stderr) - 1;
    if (n > width && width > 0 && width < (int)sizeof line)
        line[width] = 0;
    fprintf(stderr, "\r%s\033[K", line);
    fflush(stderr);
    progress.shown = true;
    progress.last = t;
}

void
term_progress_end(void)
{
    if (!progress.shown)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    progress.shown = false;
}
