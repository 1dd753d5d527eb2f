/* gemmcc: the compiler's main program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/diag.h"
#include "src/base/out.h"
#include "src/base/str.h"
#include "src/base/term.h"
#include "src/driver/compile.h"
#include "src/driver/info.h"

/* -WID, -Wno-ID, -Werror, -Werror=ID */
static bool
set_warnings(struct arena *a, struct diag *d, const struct command_line *c)
{
    const char *const *list = option_values(a, c, OPT_WARNING);

    for (; *list; list++) {
        const char *s = *list;
        bool error = str_starts(s, "error="), off = str_starts(s, "no-");
        const char *id = error ? s + 6 : off ? s + 3 : s;
        if (strcmp(s, "error") == 0 || strcmp(s, "all") == 0)
            continue;
        if (!diag_switch(d, id, error ? DIAG_AS_ERROR : off ? DIAG_OFF : DIAG_ON)) {
            const char *near = info_nearest_diag(id);
            options_wrong(PROGRAM_CC,
                near ? "no warning '%s'; did you mean '%s'?"
                     : "no warning '%s'; --print-diags lists them%s",
                id, near ? near : "");
            return false;
        }
    }
    return true;
}

static bool
all_errors(struct arena *a, const struct command_line *c)
{
    for (const char *const *s = option_values(a, c, OPT_WARNING); *s; s++)
        if (strcmp(*s, "error") == 0)
            return true;
    return false;
}

static int
work(struct arena *a, struct diag *d, const struct command_line *c)
{
    int status;

    if (!set_warnings(a, d, c) || !option_reports(a, c, OPT_REPORT))
        return 2;
    if (info_asked(a, d, c, &status))
        return status;
    if (c->nfile != 1)
        return c->nfile ? options_wrong(PROGRAM_CC, "one model at a time, not %d", c->nfile)
                        : options_wrong(PROGRAM_CC, "no model given");
    return compile_model(a, d, c);
}

/* All but the memory, which every way out gives back. */
static int
program(struct arena *a, int argc, char **argv)
{
    static const char *const when[] = { "auto", "always", "never", NULL },
                             *const forms[] = { "text", "json", NULL };
    struct command_line c;
    long long errors = 20;

    if (!options_parse(a, PROGRAM_CC, argc, argv, &c))
        return 2;
    if (option_given(&c, OPT_HELP))
        return options_help(PROGRAM_CC, option_value(&c, OPT_HELP), stdout)
            ? options_end(PROGRAM_CC, 0)
            : options_wrong(PROGRAM_CC, "no help on '%s'", option_value(&c, OPT_HELP));
    if (option_given(&c, OPT_VERSION)) {
        info_version(a, PROGRAM_CC, option_given(&c, OPT_VERBOSE));
        return options_end(PROGRAM_CC, 0);
    }
    int color = option_word(&c, OPT_COLOR, 0, when),
        progress = option_word(&c, OPT_PROGRESS, 0, when);
    int json = option_word(&c, OPT_DIAGNOSTICS, 0, forms);
    if (color < 0 || progress < 0 || json < 0 || !option_number(&c, OPT_MAX_ERRORS, 0, &errors))
        return 2;
    term_progress_mode((enum term_when)progress);
    struct diag *d = diag_new(a,
        &(struct diag_config){ .to = stderr,
            .json = json == 1,
            .color = term_color(stderr, (enum term_when)color),
            .quiet = option_given(&c, OPT_QUIET),
            .werror_all = all_errors(a, &c),
            .max_errors = (int)errors });
    int status = work(a, d, &c);
    diag_flush(d);
    diag_free(d);
    return options_end(PROGRAM_CC, status);
}

int
main(int argc, char **argv)
{
    struct arena *a = arena_new();
    int status = program(a, argc, argv);

    arena_free(a);
    return status;
}
