/* Diagnostics: stable id, severity, place, text, context lines, hints.  Collected
 * and printed by the sink; nobody below the driver exits.
 *
 * Text form: `file: node 'name' (Op): severity`... exactly:
 *     FILE: SEVERITY: [node 'NAME' (OP): ]TEXT [ID]
 *       context lines, indented
 *       hint: ...
 * JSON form (--diagnostics=json): one object a line. */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

struct arena;

enum severity { SEV_NOTE, SEV_WARNING, SEV_ERROR, SEV_FATAL };

/* Where: any of these may be NULL or 0. */
struct place_ref {
    const char *file;
    int line;
    const char *node, *op;
};

struct diag;                     /* one per program run */

struct diag_config {
    FILE *to;                    /* NULL: collect only (tests) */
    bool json, color, quiet;     /* quiet: no notes, no warnings are still printed */
    bool werror_all;
    int max_errors;              /* 0: no limit */
};

struct diag *diag_new(struct arena *a, const struct diag_config *c);
void diag_free(struct diag *d);
/* Warnings by id: on, off or made errors (-W, -Wno-, -Werror=).  False: unknown id. */
enum diag_switch { DIAG_ON, DIAG_OFF, DIAG_AS_ERROR };
bool diag_switch(struct diag *d, const char *id, enum diag_switch s);

/* All return false, so that `return diag_error(...)` reads well.  id must be a row
 * of diag.def.  A null `at` means the whole program.  Error repeated with the same
 * id and text are printed once per place, grouped past five. */
bool diag_error(struct diag *d, const struct place_ref *at, const char *id, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
bool diag_warn(struct diag *d, const struct place_ref *at, const char *id, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
bool diag_note(struct diag *d, const struct place_ref *at, const char *id, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The environment failed: tool, disk.  Only src/driver and src/base use it; the
 * driver turns it into exit status 3. */
bool diag_fatal(struct diag *d, const char *id, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Lines that belong to the diagnostic just given. */
void diag_context(struct diag *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void diag_hint(struct diag *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void diag_flush(struct diag *d); /* prints what is pending */
int diag_count(const struct diag *d, enum severity s);
bool diag_has(const struct diag *d, const char *id); /* was this id given? (tests) */
const char *diag_text(const struct diag *d);         /* all so far, in text form (tests) */

/* The table. */
struct diag_row { const char *id; enum severity sev; const char *doc; };
extern const struct diag_row diag_rows[];            /* ends with a NULL id */
const struct diag_row *diag_find(const char *id);

/* Our own mistake: prints file, line and the sentence, then exits 70. */
#define BUG(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void bug_at(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
