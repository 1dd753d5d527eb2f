/* Diagnostics.  One is held back until the next one or a flush, so that its context
 * lines and hints can be gathered; then it goes out as text or as one JSON object.
 * Control characters in names that came from a file never reach the terminal. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/diag.h"
#include "src/base/map.h"
#include "src/base/out.h"
#include "src/base/term.h"
#include "src/base/vec.h"

/* The same sentence at more places than this is summed up at the end. */
#define SAME_SHOWN 5

const struct diag_row diag_rows[] = {
#define D(id, sev, doc) { id, sev, doc },
#include "src/base/diag.def"
#undef D
    { NULL, SEV_NOTE, NULL },
};
enum { ROWS = sizeof diag_rows / sizeof *diag_rows - 1 };

struct item {
    enum severity sev;
    const char *id, *text;
    struct place_ref at;
    VEC(const char *) context, hints;
};

/* One sentence (id and text), wherever it was said. */
struct same {
    struct item *first;
    int places, unshown;
};

struct diag {
    struct arena *arena;
    struct diag_config config;
    struct item *pending;            /* NULL: none, or the last one was dropped */
    struct map *said, *same;
    VEC(struct same *) grouped;
    struct out *text;
    int count[SEV_FATAL + 1];
    int errors_shown, errors_hidden;
    bool given[ROWS + 1];
    enum diag_switch switches[ROWS + 1];
};

static const char *const severity_names[] = { "note", "warning", "error", "fatal error" };
static const char *const severity_colors[] = { "\033[1;36m", "\033[1;35m", "\033[1;31m",
    "\033[1;31m" };

struct diag *
diag_new(struct arena *a, const struct diag_config *c)
{
    struct diag *d = NEW(a, struct diag);

    d->arena = a;
    if (c)
        d->config = *c;
    d->said = map_new(a);
    d->same = map_new(a);
    d->text = out_memory(a);
    return d;
}

void
diag_free(struct diag *d)
{
    if (!d)
        return;
    diag_flush(d);
    map_free(d->said);
    map_free(d->same);
}

const struct diag_row *
diag_find(const char *id)
{
    for (const struct diag_row *r = diag_rows; r->id; r++)
        if (strcmp(r->id, id) == 0)
            return r;
    return NULL;
}

bool
diag_switch(struct diag *d, const char *id, enum diag_switch s)
{
    const struct diag_row *r = diag_find(id);

    if (!r)
        return false;
    d->switches[r - diag_rows] = s;
    return true;
}

static const char *
program(void)
{
    return program_invocation_short_name;
}

/* Bytes that a terminal would act upon, as \xNN.  UTF-8 passes. */
static const char *
clean(struct arena *a, const char *s)
{
    size_t bad = 0;

    for (const char *p = s; *p; p++)
        bad += (unsigned char)*p < 0x20 || *p == 0x7f;
    if (!bad)
        return s;
    char *q = arena_alloc(a, strlen(s) + 3 * bad + 1), *w = q;
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c < 0x20 || c == 0x7f)
            w += sprintf(w, "\\x%02x", c);
        else
            *w++ = (char)c;
    }
    return q;
}

static void
print_head(const struct diag *d, const struct item *i, struct out *o, bool color)
{
    const char *on = color ? severity_colors[i->sev] : "", *off = color ? "\033[0m" : "";

    out_puts(o, clean(d->arena, i->at.file ? i->at.file : program()));
    if (i->at.line)
        out_printf(o, ":%d", i->at.line);
    out_printf(o, ": %s%s:%s ", on, severity_names[i->sev], off);
    if (i->at.node || i->at.op) {
        out_puts(o, "node");
        if (i->at.node)
            out_printf(o, " '%s'", clean(d->arena, i->at.node));
        if (i->at.op)
            out_printf(o, " (%s)", clean(d->arena, i->at.op));
        out_puts(o, ": ");
    }
}

static void
print_text(const struct diag *d, const struct item *i, struct out *o, bool color)
{
    print_head(d, i, o, color);
    out_printf(o, "%s [%s]\n", i->text, i->id);
    for (int k = 0; k < i->context.n; k++)
        out_printf(o, "  %s\n", i->context.at[k]);
    for (int k = 0; k < i->hints.n; k++)
        out_printf(o, "  hint: %s\n", i->hints.at[k]);
}

/* Names in files need not be UTF-8; JSON must be. */
static json_t *
json_text(const char *s)
{
    json_t *j = json_string(s);

    if (j)
        return j;
    char *q = strdup(s);
    if (!q)
        return json_null();
    for (char *p = q; *p; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    j = json_string(q);
    free(q);
    return j ? j : json_null();
}

static json_t *
json_lines(const char *const *at, int n)
{
    json_t *list = json_array();

    for (int k = 0; k < n; k++)
        json_array_append_new(list, json_text(at[k]));
    return list;
}

static void
print_json(const struct item *i, FILE *to)
{
    json_t *j = json_object();

    json_object_set_new(j, "severity",
        json_string(i->sev == SEV_FATAL ? "fatal" : severity_names[i->sev]));
    json_object_set_new(j, "id", json_string(i->id));
    if (i->at.file)
        json_object_set_new(j, "file", json_text(i->at.file));
    if (i->at.line)
        json_object_set_new(j, "line", json_integer(i->at.line));
    if (i->at.node)
        json_object_set_new(j, "node", json_text(i->at.node));
    if (i->at.op)
        json_object_set_new(j, "op", json_text(i->at.op));
    json_object_set_new(j, "text", json_text(i->text));
    if (i->context.n)
        json_object_set_new(j, "context", json_lines(i->context.at, i->context.n));
    if (i->hints.n)
        json_object_set_new(j, "hints", json_lines(i->hints.at, i->hints.n));
    json_dumpf(j, to, JSON_COMPACT);
    fputc('\n', to);
    json_decref(j);
}

static void
print_item(struct diag *d, const struct item *i)
{
    FILE *to = d->config.to;

    print_text(d, i, d->text, false);
    if (!to)
        return;
    if (to == stderr)
        term_progress_end();
    if (d->config.json) {
        print_json(i, to);
    } else {
        struct out *o = out_memory(d->arena);
        size_t n;
        print_text(d, i, o, d->config.color);
        const char *s = out_text(o, &n);
        fwrite(s, 1, n, to);
    }
    fflush(to);
}

static void
emit_pending(struct diag *d)
{
    struct item *i = d->pending;

    d->pending = NULL;
    if (i)
        print_item(d, i);
}

/* One more item of our own, past counting and grouping. */
static struct item *
new_item(struct diag *d, enum severity sev, const char *id, const struct place_ref *at,
    const char *text)
{
    struct item *i = NEW(d->arena, struct item);

    i->sev = sev;
    i->id = id;
    i->text = text;
    if (at) {
        i->at.file = at->file ? arena_strdup(d->arena, at->file) : NULL;
        i->at.line = at->line;
        i->at.node = at->node ? arena_strdup(d->arena, at->node) : NULL;
        i->at.op = at->op ? arena_strdup(d->arena, at->op) : NULL;
    }
    return i;
}

/* False: said before at this place, or enough of it was said elsewhere. */
static bool
worth_printing(struct diag *d, struct item *i)
{
    char *what = arena_printf(d->arena, "%d\n%s\n%s", (int)i->sev, i->id, i->text);
    char *where = arena_printf(d->arena, "%s\n%s\n%d\n%s", what, i->at.file ? i->at.file : "",
        i->at.line, i->at.node ? i->at.node : "");

    if (map_get(d->said, where))
        return false;
    map_set(d->said, where, i);
    d->count[i->sev]++;
    d->given[diag_find(i->id) - diag_rows] = true;

    struct same *s = map_get(d->same, what);
    if (!s) {
        s = NEW(d->arena, struct same);
        s->first = i;
        map_set(d->same, what, s);
        vec_push(d->arena, &d->grouped, s);
    }
    if (s->places++ >= SAME_SHOWN) {
        s->unshown++;
        return false;
    }
    if (i->sev == SEV_ERROR && d->config.max_errors > 0
        && d->errors_shown >= d->config.max_errors) {
        d->errors_hidden++;
        return false;
    }
    d->errors_shown += i->sev == SEV_ERROR;
    return true;
}

__attribute__((format(printf, 5, 0))) static bool
give(struct diag *d, enum severity sev, const struct place_ref *at, const char *id,
    const char *fmt, va_list ap)
{
    const struct diag_row *r = diag_find(id);

    if (!r)
        BUG("diagnostic '%s' is not in diag.def", id);
    emit_pending(d);
    enum diag_switch s = d->switches[r - diag_rows];
    if (sev <= SEV_WARNING && s == DIAG_OFF)
        return false;
    if (sev == SEV_WARNING && (s == DIAG_AS_ERROR || d->config.werror_all))
        sev = SEV_ERROR;
    if (sev == SEV_NOTE && d->config.quiet)
        return false;
    const char *text = clean(d->arena, arena_vprintf(d->arena, fmt, ap));
    struct item *i = new_item(d, sev, r->id, at, text);
    if (worth_printing(d, i))
        d->pending = i;
    return false;
}

#define GIVE(sev, at) \
    do { \
        va_list ap; \
        va_start(ap, fmt); \
        give(d, (sev), (at), id, fmt, ap); \
        va_end(ap); \
    } while (0)

bool
diag_error(struct diag *d, const struct place_ref *at, const char *id, const char *fmt, ...)
{
    GIVE(SEV_ERROR, at);
    return false;
}

bool
diag_warn(struct diag *d, const struct place_ref *at, const char *id, const char *fmt, ...)
{
    GIVE(SEV_WARNING, at);
    return false;
}

bool
diag_note(struct diag *d, const struct place_ref *at, const char *id, const char *fmt, ...)
{
    GIVE(SEV_NOTE, at);
    return false;
}

bool
diag_fatal(struct diag *d, const char *id, const char *fmt, ...)
{
    GIVE(SEV_FATAL, NULL);
    return false;
}

void
diag_context(struct diag *d, const char *fmt, ...)
{
    va_list ap;

    if (!d->pending)
        return;
    va_start(ap, fmt);
    const char *s = clean(d->arena, arena_vprintf(d->arena, fmt, ap));
    va_end(ap);
    vec_push(d->arena, &d->pending->context, s);
}

void
diag_hint(struct diag *d, const char *fmt, ...)
{
    va_list ap;

    if (!d->pending)
        return;
    va_start(ap, fmt);
    const char *s = clean(d->arena, arena_vprintf(d->arena, fmt, ap));
    va_end(ap);
    vec_push(d->arena, &d->pending->hints, s);
}

void
diag_flush(struct diag *d)
{
    emit_pending(d);
    for (int k = 0; k < d->grouped.n; k++) {
        struct same *s = d->grouped.at[k];
        if (!s->unshown)
            continue;
        struct place_ref at = { .file = s->first->at.file };
        const char *text = arena_printf(d->arena, "the same at %d more place%s: %s", s->unshown,
            s->unshown == 1 ? "" : "s", s->first->text);
        s->unshown = 0;
        print_item(d, new_item(d, s->first->sev, s->first->id, &at, text));
    }
    if (d->errors_hidden) {
        const char *text = arena_printf(d->arena, "%d more error%s not shown (--max-errors=%d)",
            d->errors_hidden, d->errors_hidden == 1 ? "" : "s", d->config.max_errors);
        d->errors_hidden = 0;
        print_item(d, new_item(d, SEV_NOTE, "max-errors", NULL, text));
    }
}

int
diag_count(const struct diag *d, enum severity s)
{
    return d->count[s];
}

bool
diag_has(const struct diag *d, const char *id)
{
    const struct diag_row *r = diag_find(id);

    return r && d->given[r - diag_rows];
}

const char *
diag_text(const struct diag *d)
{
    /* What is pending is final enough for a reader; a copy, so that it can still
     * get its hints. */
    struct out *o = out_memory(d->arena);

    out_puts(o, out_text(d->text, NULL));
    if (d->pending)
        print_text(d, d->pending, o, false);
    return out_text(o, NULL);
}

void
bug_at(const char *file, int line, const char *fmt, ...)
{
    va_list ap;

    fflush(stdout);
    fprintf(stderr, "%s: bug at %s:%d: ", program(), file, line);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\n  This is a mistake in gemmcc. Please report it, with the model and"
                    " the command line.\n");
    exit(70);
}
