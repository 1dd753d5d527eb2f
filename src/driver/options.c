/* Parses, explains and completes options from one table. */
#include "src/driver/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/str.h"
#include "src/base/term.h"
#include "src/base/vec.h"
#include "src/report/report.h"

#define CC PROGRAM_CC
#define RUN PROGRAM_RUN
const struct option_row option_rows[OPT_COUNT] = {
#define O(programs, id, name, letter, arg, def, topic, doc) \
    [OPT_##id] = { programs, name, letter, arg, def, topic, doc },
#include "src/driver/options.def"
#undef O
};
#undef CC
#undef RUN

static const char *
program_name(unsigned program)
{
    return program == PROGRAM_CC ? "gemmcc" : "gemmcc-run";
}

int
options_wrong(unsigned program, const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "%s: ", program_name(program));
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\ntry '%s --help'\n", program_name(program));
    return 2;
}

int
options_end(unsigned program, int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "%s: cannot write to standard output: %s\n", program_name(program),
        strerror(errno));
    return 3;
}

/* ---- parsing: getopt_long does the work, the messages are ours */

struct getopt_tables {
    struct option longs[OPT_COUNT + 1];
    const char *names[OPT_COUNT + 1]; /* for suggestions */
    char shorts[4 * OPT_COUNT];
};

/* Is all of the text in one pair of brackets? */
static bool
bracketed(const char *s)
{
    int depth = 0;

    for (; *s; s++) {
        depth += (*s == '[') - (*s == ']');
        if (depth == 0 && s[1])
            return false;
    }
    return true;
}

static int
argument_kind(const struct option_row *r)
{
    return !r->arg                     ? no_argument
        : r->name && bracketed(r->arg) ? optional_argument
                                       : required_argument;
}

static void
tables(unsigned program, struct getopt_tables *t)
{
    int nl = 0;
    char *s = t->shorts;

    *s++ = ':';
    for (int i = 0; i < OPT_COUNT; i++) {
        const struct option_row *r = &option_rows[i];
        if (!(r->programs & program))
            continue;
        int kind = argument_kind(r);
        if (r->name) {
            t->names[nl] = r->name;
            t->longs[nl++] = (struct option){ r->name, kind, NULL, 256 + i };
        }
        if (r->letter) {
            *s++ = r->letter;
            if (kind == required_argument)
                *s++ = ':';
        }
    }
    *s = 0;
    t->longs[nl] = (struct option){ 0 };
    t->names[nl] = NULL;
}

static int
by_letter(unsigned program, int letter)
{
    for (int i = 0; i < OPT_COUNT; i++)
        if (option_rows[i].letter == letter && option_rows[i].programs & program)
            return i;
    return -1;
}

/* "--calibrate, --calib-limit" */
static char *
beginning_with(struct arena *a, const struct getopt_tables *t, const char *name)
{
    char *list = arena_strdup(a, "");

    for (int i = 0; t->names[i]; i++)
        if (str_starts(t->names[i], name))
            list = arena_printf(a, "%s%s--%s", list, *list ? ", " : "", t->names[i]);
    return list;
}

static bool
complain(
    struct arena *a, unsigned program, const struct getopt_tables *t, int kind, const char *word)
{
    const char *near;
    char *name;

    if (kind == ':') {
        options_wrong(program, "option '%s' needs an argument", word);
        return false;
    }
    if (!str_starts(word, "--")) {
        options_wrong(program, "unknown option '-%c'", optopt);
        return false;
    }
    name = arena_strndup(a, word + 2, strcspn(word + 2, "="));
    for (int i = 0; t->names[i]; i++)
        if (strcmp(t->names[i], name) == 0) {
            options_wrong(program, "option '--%s' takes no argument", name);
            return false;
        }
    near = str_nearest(name, t->names);
    char *list = beginning_with(a, t, name);
    if (*name && *list)
        options_wrong(program, "option '--%s' is ambiguous: %s", name, list);
    else if (near)
        options_wrong(program, "unknown option '--%s'; did you mean '--%s'?", name, near);
    else
        options_wrong(program, "unknown option '--%s'", name);
    return false;
}

/* --help and --version win over mistakes elsewhere on the line. */
static bool
asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || str_starts(argv[i], "--help=")
            || strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--version") == 0
            || strcmp(argv[i], "-V") == 0)
            return true;
    return false;
}

bool
options_parse(struct arena *a, unsigned program, int argc, char **argv, struct command_line *c)
{
    struct getopt_tables *t = NEW(a, struct getopt_tables);
    bool lenient = asks_for_help(argc, argv);
    VEC(struct given) given = { 0 };
    int k;

    tables(program, t);
    opterr = 0;
    while ((k = getopt_long(argc, argv, t->shorts, t->longs, NULL)) != -1) {
        if (k == '?' || k == ':') {
            if (lenient)
                continue;
            return complain(a, program, t, k, argv[optind - 1]);
        }
        struct given g = { (enum option_id)(k >= 256 ? k - 256 : by_letter(program, k)), optarg };
        vec_push(a, &given, g);
    }
    *c = (struct command_line){ program, given.at, given.n, (const char **)(argv + optind),
        argc - optind };
    return true;
}

bool
option_given(const struct command_line *c, enum option_id id)
{
    for (int i = 0; i < c->n; i++)
        if (c->at[i].id == id)
            return true;
    return false;
}

const char *
option_value(const struct command_line *c, enum option_id id)
{
    const char *v = NULL;

    for (int i = 0; i < c->n; i++)
        if (c->at[i].id == id)
            v = c->at[i].value;
    return v;
}

const char *const *
option_values(struct arena *a, const struct command_line *c, enum option_id id)
{
    const char **v = NEWN(a, const char *, c->n + 1);
    int n = 0;

    for (int i = 0; i < c->n; i++)
        if (c->at[i].id == id && c->at[i].value)
            v[n++] = c->at[i].value;
    return v;
}

static void
name_of(const struct command_line *c, enum option_id id, char *buf, size_t n)
{
    const struct option_row *r = &option_rows[id];

    (void)c;
    if (r->name)
        snprintf(buf, n, "--%s", r->name);
    else
        snprintf(buf, n, "-%c", r->letter);
}

int
option_word(const struct command_line *c, enum option_id id, int def, const char *const *words)
{
    const char *v = option_value(c, id);
    char name[64], list[256] = "";

    if (!v)
        return def;
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], v) == 0)
            return i;
        size_t n = strlen(list);
        snprintf(list + n, sizeof list - n, "%s%s", i ? ", " : "", words[i]);
    }
    name_of(c, id, name, sizeof name);
    const char *near = str_nearest(v, words);
    if (near)
        options_wrong(c->program, "%s does not take '%s'; did you mean '%s'?", name, v, near);
    else
        options_wrong(c->program, "%s does not take '%s', only %s", name, v, list);
    return -1;
}

bool
option_number(const struct command_line *c, enum option_id id, long long min, long long *value)
{
    const char *v = option_value(c, id);
    char name[64];
    int64_t n;

    if (!v)
        return true;
    if (str_size(v, &n) && n >= min) {
        *value = n;
        return true;
    }
    name_of(c, id, name, sizeof name);
    options_wrong(c->program, "%s wants a number from %lld on, not '%s'", name, min, v);
    return false;
}

bool
option_reports(struct arena *a, const struct command_line *c, enum option_id id)
{
    enum report_form form;
    const char *file;

    for (const char *const *s = option_values(a, c, id); *s; s++)
        if (!report_spec(a, *s, &form, &file)) {
            options_wrong(c->program, "--report knows text, csv and json, not '%s'", *s);
            return false;
        }
    return true;
}

/* ---- help */

static const struct {
    const char *name, *title;
} topics[] = {
    { "output", "Output" },
    { "target", "Target" },
    { "shapes", "Shapes and inputs" },
    { "quant", "Quantization" },
    { "optimizing", "Optimizing" },
    { "checking", "Checking" },
    { "inputs", "Inputs" },
    { "outputs", "Outputs" },
    { "running", "Running" },
    { "looking", "Looking inside" },
    { "messages", "Messages" },
    { "information", "Information" },
};

static void
print_row(const struct option_row *r, FILE *to)
{
    char left[80] = "";
    int n = 0;

    if (r->letter)
        n += snprintf(left + n, sizeof left - (size_t)n, "-%c%s", r->letter,
            r->name      ? ", "
                : r->arg ? " "
                         : "");
    if (r->name)
        n += snprintf(left + n, sizeof left - (size_t)n, "--%s", r->name);
    if (r->arg && r->name && r->arg[0] == '[' && argument_kind(r) == optional_argument)
        snprintf(left + n, sizeof left - (size_t)n, "[=%s", r->arg + 1);
    else if (r->arg)
        snprintf(left + n, sizeof left - (size_t)n, "%s%s", r->name ? "=" : "", r->arg);
    fprintf(to, "  %-30s%s%s%s", left,
        strlen(left) > 28 ? "\n                                " : "", r->doc, "");
    if (r->def)
        fprintf(to, " (%s)", r->def);
    fputs("\n", to);
}

static bool
print_topic(unsigned program, const char *topic, FILE *to)
{
    bool any = false;

    for (size_t k = 0; k < sizeof topics / sizeof *topics; k++) {
        if (topic && strcmp(topic, topics[k].name) != 0)
            continue;
        bool first = true;
        for (int i = 0; i < OPT_COUNT; i++) {
            const struct option_row *r = &option_rows[i];
            if (!(r->programs & program) || strcmp(r->topic, topics[k].name) != 0)
                continue;
            if (first)
                fprintf(to, "\n%s:\n", topics[k].title);
            first = false;
            print_row(r, to);
            any = true;
        }
    }
    return any;
}

static const char short_cc[] =
    "usage: gemmcc [options] model.onnx\n"
    "\n"
    "Compiles a neural network into a bare-metal program for a core with a Gemmini\n"
    "array.  Nothing but the model is needed:\n"
    "\n"
    "  gemmcc model.onnx -o model.elf       # compile\n"
    "  gemmcc-run model.elf input.npy       # run under QEMU with the device model\n"
    "\n"
    "Often used:\n";
static const char short_run[] =
    "usage: gemmcc-run [options] program.elf [input ...]\n"
    "\n"
    "Runs a compiled model, or any bare-metal program for the array, under QEMU with\n"
    "the device model.  Inputs are tensors (npy, npz, pb) or pictures (PNG, PNM), one\n"
    "per input in the model's order.\n"
    "\n"
    "Often used:\n";

static void
print_short(unsigned program, FILE *to)
{
    static const enum option_id cc[] = { OPT_OUTPUT, OPT_CALIBRATE, OPT_TARGET, OPT_MACHINE,
        OPT_EMIT, OPT_OBJECT, OPT_VERIFY, OPT_REPORT, OPT_HELP, OPT_VERSION };
    static const enum option_id run[] = { OPT_INPUT, OPT_RUN_OUTPUT, OPT_TOP, OPT_EXPECT, OPT_BAKE,
        OPT_RUN_REPORT, OPT_STRICT, OPT_TIMEOUT, OPT_HELP, OPT_VERSION };
    const enum option_id *list = program == PROGRAM_CC ? cc : run;

    fputs(program == PROGRAM_CC ? short_cc : short_run, to);
    for (size_t i = 0; i < sizeof cc / sizeof *cc; i++)
        print_row(&option_rows[list[i]], to);
    fputs("\nTopics for --help=TOPIC:", to);
    for (size_t k = 0; k < sizeof topics / sizeof *topics; k++)
        for (int i = 0; i < OPT_COUNT; i++)
            if (option_rows[i].programs & program
                && strcmp(option_rows[i].topic, topics[k].name) == 0) {
                fprintf(to, " %s", topics[k].name);
                break;
            }
    fprintf(to, " all\nThe manual: man %s\n", program_name(program));
}

bool
options_help(unsigned program, const char *topic, FILE *to)
{
    if (!topic) {
        print_short(program, to);
        return true;
    }
    return print_topic(program, strcmp(topic, "all") == 0 ? NULL : topic, to);
}
