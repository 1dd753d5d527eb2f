/* gemmcc-run: runs a program for the array under QEMU with the device model. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/file.h"
#include "src/base/out.h"
#include "src/base/str.h"
#include "src/base/term.h"
#include "src/driver/info.h"
#include "src/driver/run_io.h"
#include "src/driver/run_report.h"
#include "src/driver/run_set.h"
#include "src/machine/target.h"

struct run {
    struct arena *arena;
    struct diag *diag;
    const struct command_line *line;
    const char *file;
    struct elf *elf;
    struct meta *meta;        /* NULL: not made by gemmcc */
    const struct meta *parts; /* of models that another program calls; only for reports */
    const struct target *target;
    struct tolerance tolerance;
    long long top, memory;
    double timeout;
    enum sim_strict strict;
    enum sim_detail detail; /* of --trace */
    bool trace_ns;
    const char **labels;
    int nlabel;
    struct qemu_result result;
};

/* ---- the command line */

/* Seconds, or with s, m, h behind. */
static bool
read_time(const char *s, double *t)
{
    char *end;

    *t = strtod(s, &end);
    if (end == s || *t < 0)
        return false;
    if (*end == 'm')
        *t *= 60;
    else if (*end == 'h')
        *t *= 3600;
    else if (*end != 's' && *end != 0)
        return false;
    return *end == 0 || end[1] == 0;
}

static bool
read_labels(struct run *r, const char *file)
{
    struct bytes b;

    if (!file_map(r->arena, r->diag, file, 1 << 24, &b))
        return false;
    char *s = arena_strndup(r->arena, (const char *)b.p, b.n);
    r->labels = NEWN(r->arena, const char *, b.n + 1);
    r->nlabel = 0;
    while (*s) {
        size_t n = strcspn(s, "\r\n");
        r->labels[r->nlabel++] = arena_strndup(r->arena, s, n);
        s += n + (s[n] == '\r');
        s += *s == '\n';
    }
    return true;
}

/* What makes no sense for many samples. */
static bool
fits_dataset(struct run *r)
{
    static const enum option_id others[] = { OPT_INPUT, OPT_RUN_OUTPUT, OPT_EXPECT, OPT_BAKE,
        OPT_GDB, OPT_TOP, OPT_TRACE, OPT_COUNTERS };

    if (!option_given(r->line, OPT_DATASET)) {
        if (option_given(r->line, OPT_TRUTH))
            options_wrong(PROGRAM_RUN, "--truth goes with --dataset");
        return !option_given(r->line, OPT_TRUTH);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (option_given(r->line, others[i])) {
            options_wrong(
                PROGRAM_RUN, "--dataset does not go with --%s", option_rows[others[i]].name);
            return false;
        }
    if (r->line->nfile > 1)
        options_wrong(
            PROGRAM_RUN, "--dataset gives the inputs, '%s' is one too many", r->line->file[1]);
    return r->line->nfile == 1;
}

/* Each name of --counters is one of the hardware's. */
static bool
known_counters(const struct run *r)
{
    static const char *const names[] = {
#define N(code, name) #name,
#include "src/machine/counter.def"
#undef N
    };
    const char *s = option_value(r->line, OPT_COUNTERS);

    for (; s && *s; s += strcspn(s, ",") + (s[strcspn(s, ",")] == ',')) {
        size_t n = strcspn(s, ","), i = 0;
        while (i < sizeof names / sizeof *names
            && (strlen(names[i]) != n || strncmp(names[i], s, n) != 0))
            i++;
        if (i == sizeof names / sizeof *names) {
            options_wrong(PROGRAM_RUN, "there is no counter '%.*s'", (int)n, s);
            return false;
        }
    }
    return true;
}

static bool
read_trace(struct run *r)
{
    static const char *const levels[] = { "layer", "tile", "command", NULL },
                             *const units[] = { "cycle", "ns", NULL };
    int level = option_word(r->line, OPT_TRACE_LEVEL, SIM_DETAIL_TILE, levels),
        unit = option_word(r->line, OPT_TRACE_UNIT, 0, units);

    if (level < 0 || unit < 0)
        return false;
    if (!option_given(r->line, OPT_TRACE)
        && (option_given(r->line, OPT_TRACE_LEVEL) || option_given(r->line, OPT_TRACE_UNIT))) {
        options_wrong(PROGRAM_RUN, "--trace-level and --trace-unit go with --trace");
        return false;
    }
    r->detail = (enum sim_detail)level;
    r->trace_ns = unit == 1;
    return true;
}

static bool
read_options(struct run *r)
{
    static const char *const modes[] = { "off", "warn", "error", NULL };
    const char *time = option_value(r->line, OPT_TIMEOUT),
               *tolerance = option_value(r->line, OPT_TOLERANCE);
    int strict = option_word(r->line, OPT_STRICT, SIM_STRICT_ERROR, modes);

    r->top = -1;
    r->timeout = 600;
    r->tolerance = (struct tolerance){ .abs = 1e-5 };
    if (strict < 0 || !option_number(r->line, OPT_TOP, 0, &r->top)
        || !option_number(r->line, OPT_MEMORY, 65536, &r->memory))
        return false;
    r->strict = (enum sim_strict)strict;
    if (time && !read_time(time, &r->timeout)) {
        options_wrong(PROGRAM_RUN, "--timeout wants a time such as 30s or 10m, not '%s'", time);
        return false;
    }
    if (!tolerance_parse(tolerance, &r->tolerance)) {
        options_wrong(PROGRAM_RUN, "--tolerance wants int:N, abs=A, rel=R, not '%s'", tolerance);
        return false;
    }
    return read_trace(r) && known_counters(r) && fits_dataset(r) && option_reports(r->arena, r->line, OPT_RUN_REPORT);
}

/* ---- before */

/* Models linked into a program of somebody else, which gives them their inputs. */
static bool
is_library(const struct run *r)
{
    struct elf_symbol s;

    return !elf_symbol(r->elf, "gm_baked", &s)
        && (!r->meta->nin || !elf_symbol(r->elf, r->meta->in[0].symbol, &s));
}

/* The machine that the program was made for, or the one that options say. */
static bool
choose_target(struct run *r)
{
    const char *name = option_value(r->line, OPT_RUN_TARGET);
    const char *const *sets = option_values(r->arena, r->line, OPT_RUN_MACHINE);
    const struct meta *m = r->meta ? r->meta : r->parts;

    if (m && !name)
        r->target = *sets ? target_change(r->arena, r->diag, m->target, sets) : m->target;
    else
        r->target = target_load(r->arena, r->diag, name ? name : "gemmini-16", sets);
    if (!r->target)
        return false;
    if (option_given(r->line, OPT_FORCE_TARGET) || !r->meta
            || strcmp(r->target->digest, r->meta->target->digest) == 0)
        return true;
    struct place_ref at = { .file = r->file };
    diag_error(r->diag, &at, "run-target", "it was made for another machine ('%s') than '%s'",
        r->meta->target->name, r->target->name);
    diag_hint(r->diag, "compile it again with the same --target and -m, or use --force-target");
    return false;
}

static bool
open_program(struct run *r)
{
    const char *labels = option_value(r->line, OPT_RUN_LABELS);

    r->elf = elf_open(r->arena, r->diag, r->file);
    if (!r->elf)
        return false;
    struct conf *c = elf_meta(r->arena, r->diag, r->elf);
    if (c && !(r->meta = meta_read(r->arena, r->diag, r->file, c)))
        return false;
    if (diag_count(r->diag, SEV_ERROR))
        return false;
    if (r->meta && is_library(r)) {
        r->parts = r->meta;
        r->meta = NULL;
    }
    if (!choose_target(r))
        return false;
    if (r->meta) {
        r->labels = r->meta->labels;
        r->nlabel = r->meta->nlabel;
    }
    return !labels || read_labels(r, labels);
}

static void
console(const char *text, int len, void *ctx)
{
    (void)ctx;
    fwrite(text, 1, (size_t)len, stdout);
    fflush(stdout);
}

/* What the timeline calls layers. */
static void
name_layers(const struct run *r, struct qemu_run *q)
{
    const struct meta *m = r->meta ? r->meta : r->parts;
    const char **names = NEWN(r->arena, const char *, m ? m->nlayer + 1 : 1);

    for (int i = 0; m && i < m->nlayer; i++)
        names[i] = m->layers[i].name;
    q->trace = option_value(r->line, OPT_TRACE);
    q->trace_detail = r->detail;
    q->trace_ns = r->trace_ns;
    q->layer_names = names;
    q->nlayer_name = m ? m->nlayer : 0;
}

static bool
start(struct run *r, const struct elf_patch *patches, int n)
{
    struct qemu_run q = { .elf = r->elf,
        .patches = patches,
        .npatch = n,
        .target = r->target,
        .strict = r->strict,
        .timing = true,
        .timeout = r->timeout,
        .memory = r->memory,
        .program = option_value(r->line, OPT_QEMU) };

    name_layers(r, &q);
    if (option_given(r->line, OPT_GDB)) {
        const char *port = option_value(r->line, OPT_GDB);
        q.gdb = port ? port : "1234";
        q.timeout = 0;
    }
    if (!r->meta || (option_given(r->line, OPT_VERBOSE) && !option_given(r->line, OPT_DATASET)))
        q.on_console = console;
    return qemu_run(r->arena, r->diag, &q, &r->result);
}

/* ---- after */

/* From the first layer mark to the end of the last layer. */
static uint64_t
measured_cycles(const struct run *r)
{
    uint64_t all = 0;

    for (int i = 0; i < r->result.nlayer; i++)
        if (r->result.layers[i].stats.number >= 0)
            all += r->result.layers[i].stats.cycles;
    return all;
}

/* Three shares that make up the whole: the array multiplies; it waits for memory or for
 * its own stores (idle); it waits for what the core does, or the core works alone. */
struct shares { double array, idle, core; };

static struct shares
shares(const struct run *r, uint64_t all)
{
    uint64_t array = 0, idle = 0;

    for (int i = 0; i < r->result.nlayer; i++) {
        const struct sim_layer_stats *s = &r->result.layers[i].stats;
        if (s->number < 0)
            continue;
        array += s->array;
        idle += s->stall_operands + s->stall_store + s->stall_fence + s->stall_bank;
    }
    double a = 100.0 * (double)array / (double)all, w = 100.0 * (double)idle / (double)all;
    a = a > 100 ? 100 : a;
    w = w > 100 - a ? 100 - a : w;
    return (struct shares){ a, w, 100 - a - w };
}

/* "5,214,880 cycles: array 88 %, core 9 %, idle 3 %; estimate was 2.2 % low" */
static void
cycles_line(struct run *r)
{
    uint64_t all = measured_cycles(r), estimate = 0;

    for (int i = 0; i < r->meta->nlayer; i++)
        estimate += r->meta->layers[i].estimate;
    if (all == 0)
        return;
    struct shares s = shares(r, all);
    double off = 100.0 * ((double)estimate - (double)all) / (double)all;
    printf("%s cycles: array %.0f %%, core %.0f %%, idle %.0f %%; estimate was %.1f %% %s\n",
        str_thousands(r->arena, all), s.array, s.core, s.idle, off < 0 ? -off : off,
        off < 0 ? "low" : "high");
}

static bool
write_reports(struct run *r)
{
    return run_report(r->arena, r->diag, r->line, r->meta ? r->meta : r->parts, r->target, &r->result);
}

static int
show(struct run *r)
{
    const struct meta *m = r->meta;
    const void **data = NEWN(r->arena, const void *, m->nout + 1);
    bool differs;

    if (!run_outputs(r->arena, r->diag, r->elf, m, &r->result, data)
        || !run_write(r->arena, r->diag, r->line, m, data)
        || !run_expect(r->arena, r->diag, r->line, m, data, &r->tolerance, &differs))
        return 1;
    if (r->top != 0 && m->nout && run_is_scores(&m->out[0]) && !option_given(r->line, OPT_QUIET))
        run_top(&m->out[0], data[0], r->labels, r->nlabel, r->top < 0 ? 5 : (int)r->top);
    if (!option_given(r->line, OPT_QUIET))
        cycles_line(r);
    if (!write_reports(r))
        return 1;
    return differs ? 4 : 0;
}

/* Where code came from: its line in the source, its function. */
static void
tell_code(struct run *r, uint64_t pc)
{
    const struct meta *m = r->meta ? r->meta : r->parts;
    struct elf_symbol f;
    struct source s;
    bool line = (m && lines_find(&m->lines, pc, &s)) || lines_debug(r->arena, r->elf, pc, &s);
    const char *function = "";

    if (pc && elf_symbol_at(r->elf, pc, &f))
        function = arena_printf(r->arena, "%s+0x%llx", f.name, (unsigned long long)(pc - f.addr));
    if (pc && line)
        diag_context(r->diag, *function ? "at %s:%d, in %s" : "at %s:%d", s.file, s.line, function);
    else if (*function)
        diag_context(r->diag, "at %s", function);
}

/* Rules broken, with the layer in the model's words. */
static void
tell_violations(struct run *r)
{
    for (int i = 0; i < r->result.nviolation; i++) {
        const struct sim_violation *v = &r->result.violations[i];
        const struct meta *m = r->meta ? r->meta : r->parts;
        const char *what = arena_printf(r->arena, "%scommand %llu", v->core ? "the core before " : "",
            (unsigned long long)v->index);
        const char *layer = m && v->layer >= 0 && v->layer < m->nlayer
            ? arena_printf(r->arena, "layer %d '%s', %s", v->layer, m->layers[v->layer].name, what)
            : what;
        struct place_ref at = { .file = r->file };
        if (r->strict == SIM_STRICT_ERROR)
            diag_error(r->diag, &at, "device-rule", "%s: %s: %s", layer, sim_rules[v->rule].name,
                v->detail);
        else
            diag_warn(r->diag, &at, "device-rule", "%s: %s: %s", layer, sim_rules[v->rule].name,
                v->detail);
        tell_code(r, v->pc);
        diag_context(r->diag, "%s", sim_rules[v->rule].doc);
    }
}

/* How it ended: 0, or the exit status after a message.  A program that gemmcc did not
 * make has its own. */
static int
ended(struct run *r)
{
    struct place_ref at = { .file = r->file };

    tell_violations(r);
    switch (r->result.end) {
    case QEMU_END_NO_DEVICE:
        diag_error(r->diag, &at, "run-device", "no device model answered");
        return 3;
    case QEMU_END_REFUSED:
        return 5;
    case QEMU_END_TIMEOUT:
        diag_error(r->diag, &at, "run-timeout", "still running after %g s; --timeout allows more",
            r->timeout);
        return 5;
    case QEMU_END_TRAP:
        if (r->meta && !option_given(r->line, OPT_VERBOSE))
            fputs(r->result.console, stderr);
        diag_error(r->diag, &at, "run-trap", "the program trapped");
        tell_code(r, r->result.trap);
        return 5;
    case QEMU_END_EXIT:
        break;
    }
    if (!r->meta)
        return r->result.status;
    if (r->result.status) {
        diag_error(r->diag, &at, "run-status", "the program ended with %d", r->result.status);
        return 5;
    }
    return 0;
}

static int
finish(struct run *r)
{
    int status = ended(r);

    if (option_given(r->line, OPT_COUNTERS))
        run_counters(&r->result, option_value(r->line, OPT_COUNTERS));
    if (r->parts && !write_reports(r) && !status)
        return 1;
    return status || !r->meta ? status : show(r);
}

/* ---- data sets */

static int
one_sample(struct run *r, struct run_set *set, int64_t k)
{
    struct elf_patch *patches = NEWN(r->arena, struct elf_patch, r->meta->nin + 1);
    const void **data = NEWN(r->arena, const void *, r->meta->nout + 1);
    int n;

    if (!run_set_inputs(set, r->arena, r->diag, r->elf, k, patches, &n) || !start(r, patches, n))
        return 1;
    int status = ended(r);
    if (status == 0 && !run_outputs(r->arena, r->diag, r->elf, r->meta, &r->result, data))
        status = 1;
    if (status == 0)
        run_set_note(set, r->diag, k, data, measured_cycles(r));
    if (status == 0 && k == run_set_count(set) - 1 && !write_reports(r))
        status = 1;
    qemu_release(&r->result);
    return status;
}

static int
all_samples(struct run *r)
{
    struct run_set *set = run_set_open(r->arena, r->diag, r->line, r->meta);
    int status = set ? 0 : 1;

    for (int64_t k = 0; set && status == 0 && k < run_set_count(set); k++) {
        struct run one = *r;
        one.arena = arena_new();
        term_progress(1, 1, "samples", (long)k, (long)run_set_count(set));
        status = one_sample(&one, set, k);
        arena_free(one.arena);
    }
    term_progress_end();
    if (status == 0)
        run_set_print(set, r->labels, r->nlabel, option_given(r->line, OPT_QUIET),
            option_given(r->line, OPT_VERBOSE));
    return status;
}

static int
work(struct run *r)
{
    const char *bake = option_value(r->line, OPT_BAKE);
    struct elf_patch *patches;
    int n = 0;

    if (!read_options(r))
        return 2;
    if (!open_program(r))
        return 1;
    patches = NEWN(r->arena, struct elf_patch, (r->meta ? r->meta->nin : 0) + 1);
    if (!r->meta && r->line->nfile > 1)
        return options_wrong(PROGRAM_RUN, "'%s' does not say what inputs it takes", r->file);
    if (!r->meta && option_given(r->line, OPT_DATASET))
        return options_wrong(PROGRAM_RUN, "'%s' does not say what inputs it takes", r->file);
    if (option_given(r->line, OPT_DATASET))
        return all_samples(r);
    if (r->meta && !run_inputs(r->arena, r->diag, r->line, r->elf, r->meta, patches, &n))
        return 1;
    if (bake)
        return elf_bake(r->arena, r->diag, r->elf, patches, n, bake) ? 0 : 1;
    if (!start(r, patches, n))
        return 1; /* main turns fatal ones into 3 */
    int status = finish(r);
    qemu_release(&r->result);
    return status;
}

/* All but the memory, which every way out gives back. */
static int
program(struct arena *a, int argc, char **argv)
{
    static const char *const when[] = { "auto", "always", "never", NULL },
                             *const forms[] = { "text", "json", NULL };
    struct command_line c;
    long long errors = 20;

    if (!options_parse(a, PROGRAM_RUN, argc, argv, &c))
        return 2;
    if (option_given(&c, OPT_HELP))
        return options_help(PROGRAM_RUN, option_value(&c, OPT_HELP), stdout)
            ? options_end(PROGRAM_RUN, 0)
            : options_wrong(PROGRAM_RUN, "no help on '%s'", option_value(&c, OPT_HELP));
    if (option_given(&c, OPT_VERSION)) {
        info_version(a, PROGRAM_RUN, option_given(&c, OPT_VERBOSE));
        return options_end(PROGRAM_RUN, 0);
    }
    if (c.nfile == 0)
        return options_wrong(PROGRAM_RUN, "no program given");
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
            .max_errors = (int)errors });
    struct run r = { .arena = a, .diag = d, .line = &c, .file = c.file[0] };
    int status = work(&r);
    if (diag_count(d, SEV_FATAL))
        status = 3;
    diag_flush(d);
    diag_free(d);
    return options_end(PROGRAM_RUN, status);
}

int
main(int argc, char **argv)
{
    struct arena *a = arena_new();
    int status = program(a, argc, argv);

    arena_free(a);
    return status;
}
