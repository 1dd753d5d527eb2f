/* One compilation. */
#include "src/driver/compile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "ir/pass.h"
#include "passes/passes.h"
#include "src/base/digest.h"
#include "src/base/file.h"
#include "src/base/out.h"
#include "src/base/str.h"
#include "src/base/term.h"
#include "src/driver/link.h"
#include "src/driver/pipeline.h"
#include "src/driver/verify.h"
#include "src/front/dataset.h"
#include "src/front/image.h"
#include "src/front/onnx.h"
#include "src/report/memmap.h"
#include "src/report/report.h"

enum emit_kind { EMIT_ELF, EMIT_OBJ, EMIT_C, EMIT_IR, EMIT_DOT, EMIT_PROG, EMIT_NONE };
static const char *const emit_words[] = { "elf", "obj", "c", "ir", "dot", "prog", "none", NULL };
static const char *const emit_suffix[] = { ".elf", ".o", ".c", ".gir", ".dot", ".prog", "" };

struct compile {
    struct arena *arena;
    struct diag *diag;
    const struct command_line *line;
    const char *model, *name, *out;
    enum emit_kind emit;
    unsigned stop_stage;
    const struct target *target;
    const struct backend *backend;
    struct graph *g;
    struct pass_options opt;
    struct pass_ctx ctx;
    struct pipeline line_up;
    struct verify *verify; /* NULL: not asked for */
    const char *digest, *labels, *recipe;
    long long batch; /* 0: not given */
    struct program *program;
    bool differs;
};

static const struct backend *const backends[] = { &backend_gemmini, NULL };

static const struct backend *
backend_named(const char *name)
{
    for (int i = 0; backends[i]; i++)
        if (strcmp(backends[i]->name, name) == 0)
            return backends[i];
    return NULL;
}

/* ---- the command line */

static bool
stage_word(struct compile *k, const char *s)
{
    static const char *const words[] = { "net", "qnet", "machine", NULL };

    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], s) == 0) {
            k->stop_stage = 1u << i;
            return true;
        }
    options_wrong(PROGRAM_CC, "no stage '%s', only net, qnet, machine", s);
    return false;
}

static bool
read_emit(struct compile *k)
{
    const char *v = option_value(k->line, OPT_EMIT), *out = option_value(k->line, OPT_OUTPUT);
    size_t n = v ? strcspn(v, ":") : 0;

    k->emit = option_given(k->line, OPT_OBJECT) ? EMIT_OBJ
        : option_given(k->line, OPT_STOP_AFTER) ? EMIT_IR
                                                : EMIT_ELF;
    if (!v) {
        for (int i = 0; out && !option_given(k->line, OPT_OBJECT) && emit_words[i]; i++)
            if (*emit_suffix[i] && str_ends(out, emit_suffix[i]))
                k->emit = (enum emit_kind)i;
        return true;
    }
    for (int i = 0; emit_words[i]; i++)
        if (strlen(emit_words[i]) == n && strncmp(emit_words[i], v, n) == 0) {
            k->emit = (enum emit_kind)i;
            return v[n] == 0 || stage_word(k, v + n + 1);
        }
    const char *near = str_nearest(v, emit_words);
    options_wrong(PROGRAM_CC,
        near ? "--emit does not know '%s'; did you mean '%s'?"
             : "--emit does not know '%s', only elf, obj, c, ir, dot, prog, none%s",
        v, near ? near : "");
    return false;
}

static bool
read_quant(struct compile *k)
{
    static const char *const io[] = { "auto", "float", NULL };
    static const char *const quant[] = { "auto", "off", NULL };
    const char *m = option_value(k->line, OPT_CALIB_METHOD);
    int i = option_word(k->line, OPT_IO, IO_AUTO, io);
    int q = option_word(k->line, OPT_QUANT, 0, quant);

    if (i < 0 || q < 0)
        return false;
    k->opt.quant = q ? QUANT_OFF : QUANT_AUTO;
    k->opt.io = (enum io_mode)i;
    k->opt.exact = option_given(k->line, OPT_EXACT);
    if (!m)
        return true;
    if (strcmp(m, "minmax") == 0) {
        k->opt.calib = CALIB_MINMAX;
        return true;
    }
    k->opt.calib = CALIB_PERCENTILE;
    if (strcmp(m, "percentile") == 0)
        return true;
    if (str_starts(m, "percentile:") && str_f64(m + 11, &k->opt.percentile)
        && k->opt.percentile > 50 && k->opt.percentile <= 100)
        return true;
    options_wrong(PROGRAM_CC,
        "--calib-method wants minmax or percentile:P with P from 50 to 100, not '%s'", m);
    return false;
}

/* A comma list becomes a NULL-terminated one. */
static const char *const *
split(struct arena *a, const char *s)
{
    const char **list = NEWN(a, const char *, strlen(s) + 2);
    int n = 0;

    while (*s) {
        size_t len = strcspn(s, ",");
        list[n++] = arena_strndup(a, s, len);
        s += len + (s[len] == ',');
    }
    return list;
}

static bool
read_options(struct compile *k)
{
    long long level = 1, limit = 256, rewrites = -1, arena = 0, seed = 1;
    const char *core = option_value(k->line, OPT_ON_CORE);

    k->opt = pass_defaults();
    if (!read_emit(k) || !read_quant(k) || !option_number(k->line, OPT_LEVEL, 0, &level)
        || !option_number(k->line, OPT_CALIB_LIMIT, 1, &limit)
        || !option_number(k->line, OPT_OPT_LIMIT, 0, &rewrites)
        || !option_number(k->line, OPT_ARENA_LIMIT, 1, &arena)
        || !option_number(k->line, OPT_SEED, 0, &seed)
        || !option_number(k->line, OPT_BATCH, 1, &k->batch))
        return false;
    k->opt.level = (int)level;
    k->opt.sched_full = level >= 2;
    k->opt.calib_limit = (int)limit;
    k->opt.opt_limit = (long)rewrites;
    k->opt.arena_limit = arena;
    k->opt.seed = (uint64_t)seed;
    k->opt.on_core = core ? split(k->arena, core) : NULL;
    return true;
}

/* What no model is needed to refuse: passes and recipes by name. */
static bool
read_passes(struct compile *k)
{
    const char *recipe = option_value(k->line, OPT_RECIPE);
    struct recipe unused;

    k->line_up = (struct pipeline){
        .switches = option_values(k->arena, k->line, OPT_PASS),
        .dump_before = option_values(k->arena, k->line, OPT_DUMP_BEFORE),
        .dump_after = option_values(k->arena, k->line, OPT_DUMP_AFTER),
        .dump_dir = option_value(k->line, OPT_DUMP_DIR),
        .stop_after = option_value(k->line, OPT_STOP_AFTER),
        .stop_stage = k->stop_stage,
        .verify = option_given(k->line, OPT_VERIFY_IR),
        .time = option_given(k->line, OPT_TIME_PASSES),
    };
    return pipeline_check(&k->line_up, k->diag)
        && (!recipe || recipe_parse(k->arena, k->diag, recipe, NULL, &unused));
}

static bool
read_names(struct compile *k)
{
    const char *name = option_value(k->line, OPT_NAME), *base = path_base(k->model);

    k->out = option_value(k->line, OPT_OUTPUT);
    if (!k->out)
        k->out = k->emit == EMIT_IR || k->emit == EMIT_DOT || k->emit == EMIT_PROG
            ? "-"
            : path_suffix(k->arena, base, emit_suffix[k->emit]);
    const char *stem = path_suffix(k->arena, strcmp(base, "-") == 0 ? "model" : base, "");
    k->name = name ? name : str_ident(k->arena, stem);
    if (name && strcmp(name, str_ident(k->arena, name)) != 0) {
        options_wrong(PROGRAM_CC, "--name wants a C identifier, not '%s'", name);
        return false;
    }
    return true;
}

/* ---- the model */

/* Every pattern of --on-core names a node. */
static bool
known_nodes(struct compile *k)
{
    const char **names = NEWN(k->arena, const char *, k->g->nnode + 1);
    struct place_ref at = { .file = k->model };
    bool ok = true;
    int n = 0;

    for (const struct node *x = k->g->first; x; x = x->next)
        names[n++] = x->name;
    for (const char *const *s = k->opt.on_core; s && *s; s++) {
        int i = 0;
        while (i < n && !str_match(*s, names[i]))
            i++;
        if (i < n)
            continue;
        ok = diag_error(k->diag, &at, "node-unknown", "--on-core: no node is called '%s'", *s);
        const char *near = str_nearest(*s, names);
        if (near)
            diag_hint(k->diag, "did you mean '%s'?", near);
    }
    return ok;
}

static bool
read_model(struct compile *k)
{
    struct bytes b;

    if (!file_map(k->arena, k->diag, k->model, 0, &b))
        return false;
    k->digest = digest_hex(k->arena, b.p, b.n);
    if (str_ends(k->model, ".gir")) {
        k->g = ir_parse(k->arena, k->diag, k->model, (const char *)b.p, b.n);
    } else {
        struct onnx_options o = { option_values(k->arena, k->line, OPT_DIM), k->batch };
        k->g = onnx_parse(k->arena, k->diag, k->model, b, &o);
    }
    if (!k->g)
        return false;
    struct place_ref at = { .file = k->model };
    if (!k->g->noutput)
        return diag_error(k->diag, &at, "graph-output", "nothing comes out of it; is it cut off?");
    if (!known_nodes(k))
        return false;
    const char *file = option_value(k->line, OPT_LABELS),
               *recipe = option_value(k->line, OPT_RECIPE);
    k->recipe = recipe ? recipe : k->g->recipe;
    k->labels = k->g->labels;
    if (file && !file_map(k->arena, k->diag, file, 1 << 24, &b))
        return false;
    if (file)
        k->labels = arena_strndup(k->arena, (const char *)b.p, b.n);
    return true;
}

/* ---- calibration */

static struct feed *
open_feed(struct compile *k)
{
    const char *const *paths = option_values(k->arena, k->line, OPT_CALIBRATE);
    struct graph *g = k->g;
    struct dataset_input *in = NEWN(k->arena, struct dataset_input, g->ninput + 1);
    struct dataset **sets =
        NEWN(k->arena, struct dataset *, k->line->n + 1); /* the feed keeps it */
    struct recipe *r = NULL;
    int n = 0;

    if (!paths[0])
        return feed_made_up(k->arena, k->opt.seed, 8);
    if (k->recipe) {
        r = NEW(k->arena, struct recipe);
        if (!recipe_parse(k->arena, k->diag, k->recipe, NULL, r))
            return NULL;
    }
    for (int i = 0; i < g->ninput; i++)
        in[i] = (struct dataset_input){ g->inputs[i]->name, g->inputs[i]->type, r };
    for (; paths[n]; n++) {
        sets[n] = dataset_open(k->arena, k->diag, paths[n], in, g->ninput);
        if (!sets[n])
            return NULL;
    }
    return dataset_feed(k->arena, k->diag, sets, n, k->opt.calib_limit);
}

static bool
prepare(struct pass_ctx *c, const struct pass *p, void *ctx)
{
    struct compile *k = ctx;

    if (strcmp(p->name, "calibrate") == 0) {
        c->feed = open_feed(k);
        return c->feed != NULL;
    }
    if (strcmp(p->name, "quantize") == 0 && k->verify && c->g->stage == STAGE_NET)
        return verify_float(k->verify, c);
    return true;
}

static bool
run_passes(struct compile *k)
{
    k->line_up.prepare = prepare;
    k->line_up.ctx = k;
    k->ctx = (struct pass_ctx){ .g = k->g,
        .arena = k->arena,
        .diag = k->diag,
        .target = k->target,
        .backend = k->backend,
        .opt = &k->opt,
        .progress = NULL };
    k->ctx.can_pool = k->backend->can_pool;
    return pipeline_run(&k->line_up, &k->ctx);
}

/* ---- products */

/* Only the last part of a path: where a file lay must not change the product. */
static const char *
last_part(struct arena *a, const char *path)
{
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/')
        n--;
    return path_base(arena_strndup(a, path, n));
}

/* The options that decide what the product does, as they were given. */
static const char *
options_used(struct compile *k)
{
    static const char *const topics[] = { "target", "shapes", "quant", "optimizing" };
    const char *all = "";

    for (int i = 0; i < k->line->n; i++) {
        const struct given *g = &k->line->at[i];
        const struct option_row *r = &option_rows[g->id];
        bool matters = false;
        for (size_t t = 0; t < sizeof topics / sizeof *topics; t++)
            matters |= strcmp(r->topic, topics[t]) == 0;
        if (!matters || g->id == OPT_CC)
            continue;
        const char *v = g->value && (g->id == OPT_CALIBRATE || g->id == OPT_TARGET)
            ? last_part(k->arena, g->value)
            : g->value;
        const char *name = r->name ? arena_printf(k->arena, "--%s%s", r->name, v ? "=" : "")
                                   : arena_printf(k->arena, "-%c", r->letter);
        all = arena_printf(k->arena, "%s%s%s%s", all, *all ? " " : "", name, v ? v : "");
    }
    return all;
}

static struct emit
emit_info(struct compile *k)
{
    return (struct emit){ .diag = k->diag,
        .name = k->name,
        .model_digest = k->digest,
        .version = PACKAGE_VERSION,
        .options = options_used(k),
        .recipe = k->recipe,
        .labels = k->labels };
}

/* Files that appear together, or not at all. */
struct group {
    struct out *at[8];
    int n;
    bool ok;
};

static void
add_text(
    struct compile *k, struct group *p, const char *path, void (*f)(struct compile *, struct out *))
{
    struct out *o = p->ok ? out_open(path, k->diag) : NULL;

    p->ok = o != NULL;
    if (!o)
        return;
    p->at[p->n++] = o;
    f(k, o);
    p->ok = out_sync(o);
}

static bool
finish_group(struct group *p)
{
    for (int i = 0; i < p->n; i++) {
        if (p->ok)
            p->ok = out_close(p->at[i]);
        else
            out_discard(p->at[i]);
    }
    return p->ok;
}

static bool
write_text(struct compile *k, const char *path, void (*f)(struct compile *, struct out *))
{
    struct out *o = out_open(path, k->diag);

    if (!o)
        return false;
    f(k, o);
    return out_close(o);
}

static void
put_ir(struct compile *k, struct out *o)
{
    ir_print(k->g, o, true);
}
static void
put_dot(struct compile *k, struct out *o)
{
    ir_dot(k->g, o);
}
static void
put_prog(struct compile *k, struct out *o)
{
    emit_prog(k->program, o);
}
static void
put_c(struct compile *k, struct out *o)
{
    struct emit e = emit_info(k);
    emit_c(k->program, &e, o);
}
static void
put_header(struct compile *k, struct out *o)
{
    struct emit e = emit_info(k);
    emit_header(k->program, &e, o);
}
static void
put_memmap(struct compile *k, struct out *o)
{
    memmap_print(k->g, o);
}
static void
put_weights(struct compile *k, struct out *o)
{
    emit_weights(k->program, o);
}
static void
put_asm(struct compile *k, struct out *o)
{
    struct emit e = emit_info(k);
    emit_asm(k->program, &e, o);
}
static void
put_meta(struct compile *k, struct out *o)
{
    struct emit e = emit_info(k);
    emit_meta(k->program, &e, o);
}

static const char *
beside(struct compile *k, const char *suffix)
{
    return path_join(
        k->arena, path_dir(k->arena, k->out), arena_printf(k->arena, "%s%s", k->name, suffix));
}

/* Does the product have files beside it?  Standard output and devices have none. */
static bool
has_neighbours(const struct compile *k)
{
    return strcmp(k->out, "-") != 0 && (!file_exists(k->out) || file_is_regular(k->out));
}

static void
add_header(struct compile *k, struct group *p)
{
    const char *h = option_value(k->line, OPT_HEADER);

    if (h || has_neighbours(k))
        add_text(k, p, h ? h : beside(k, ".h"), put_header);
}

static bool
write_c(struct compile *k)
{
    struct group p = { .ok = true };

    add_text(k, &p, k->out, put_c);
    add_header(k, &p);
    if (has_neighbours(k)) {
        add_text(k, &p, beside(k, ".weights"), put_weights);
        add_text(k, &p, beside(k, "_data.S"), put_asm);
        add_text(k, &p, beside(k, ".meta"), put_meta);
    }
    return finish_group(&p);
}

static bool
write_binary(struct compile *k)
{
    struct emit e = emit_info(k);
    const char *save = option_value(k->line, OPT_SAVE_TEMPS),
               *flags = option_value(k->line, OPT_CC_FLAGS);
    struct link l = { .name = k->name,
        .cc = option_value(k->line, OPT_CC),
        .object = k->emit == EMIT_OBJ,
        .verbose = option_given(k->line, OPT_VERBOSE) };

    if (option_given(k->line, OPT_SAVE_TEMPS))
        l.save = save ? save : arena_printf(k->arena, "%s.temps", k->name);
    if (flags) {
        char *copy = arena_strdup(k->arena, flags);
        for (char *s = copy; *s; s++)
            if (*s == ' ')
                *s = ',';
        l.cc_flags = split(k->arena, copy);
    }
    struct group p = { .ok = true };
    if (k->emit == EMIT_OBJ)
        add_header(k, &p);
    p.ok = p.ok && link_program(k->arena, k->diag, k->program, &e, &l, k->out);
    return finish_group(&p);
}

static bool
write_product(struct compile *k)
{
    switch (k->emit) {
    case EMIT_NONE:
        return true;
    case EMIT_IR:
        return write_text(k, k->out, put_ir);
    case EMIT_DOT:
        return write_text(k, k->out, put_dot);
    case EMIT_PROG:
        return write_text(k, k->out, put_prog);
    case EMIT_C:
        return write_c(k);
    default:
        return write_binary(k);
    }
}

/* ---- reports */

static bool
write_report(struct compile *k)
{
    const struct program *p = k->program;
    struct report r = { .program = k->name,
        .target = k->target->name,
        .peak = (double)(k->target->dim * k->target->dim),
        .clock_mhz = k->target->clock_mhz,
        .n = p->nlayer };

    r.layers = NEWN(k->arena, struct report_layer, p->nlayer + 1);
    for (int i = 0; i < p->nlayer; i++) {
        const struct kernel *l = p->layers[i];
        r.layers[i] = (struct report_layer){ .number = i,
            .name = node_models(k->arena, l->n),
            .op = op_short(l->n->op),
            .on = l->prog ? "array" : "core",
            .output = shape_text(k->arena, &l->n->out[0]->type.shape),
            .schedule = sched_text(k->arena, &l->schedule),
            .why = l->why,
            .limit = limit_name(l->cost.limit),
            .macs = l->macs,
            .estimate = l->cost.cycles };
    }
    for (int i = 0; i < k->line->n; i++)
        if (k->line->at[i].id == OPT_REPORT
            && !report_write(&r, k->arena, k->diag, k->line->at[i].value))
            return false;
    return true;
}

/* "1.2 MiB" */
static const char *
bytes_text(struct arena *a, int64_t n)
{
    return n < 10240  ? arena_printf(a, "%lld bytes", (long long)n)
        : n < 1048576 ? arena_printf(a, "%.1f KiB", (double)n / 1024)
                      : arena_printf(a, "%.1f MiB", (double)n / 1048576);
}

static void
core_list(struct compile *k, int *array, int *core, const char **names)
{
    const struct program *p = k->program;

    *names = "";
    for (int i = 0; i < p->nlayer; i++) {
        const struct kernel *l = p->layers[i];
        if (l->prog)
            ++*array;
        else if (++*core <= 4)
            *names = arena_printf(k->arena, "%s%s%s", *names, **names ? ", " : "",
                l->n->from ? l->n->from->op : op_short(l->n->op));
        else if (*core == 5)
            *names = arena_printf(k->arena, "%s, ...", *names);
    }
}

static void
summary(struct compile *k)
{
    uint64_t cycles = 0;
    int array = 0, core = 0;
    const char *names;

    const char *form = option_value(k->line, OPT_DIAGNOSTICS);
    if (option_given(k->line, OPT_QUIET) || !k->program || (form && strcmp(form, "json") == 0))
        return;
    for (int i = 0; i < k->program->nlayer; i++)
        cycles += k->program->layers[i]->cost.cycles;
    core_list(k, &array, &core, &names);
    fprintf(stderr, "%s: %d layer%s on the array", k->model, array, array == 1 ? "" : "s");
    if (core)
        fprintf(stderr, ", %d on the core (%s)", core, names);
    fprintf(stderr, "\n%s: %s weights, %s arena, est. %s cycles\n",
        k->emit == EMIT_NONE ? k->name : k->out, bytes_text(k->arena, k->program->weight_bytes),
        bytes_text(k->arena, k->g->arena_bytes), str_thousands(k->arena, cycles));
}

/* ---- all of it */

static bool
needs_program(const struct compile *k)
{
    return k->emit != EMIT_IR && k->emit != EMIT_DOT && !k->stop_stage
        && !option_given(k->line, OPT_STOP_AFTER);
}

static bool
compile_all(struct compile *k)
{
    if (!read_model(k) || !run_passes(k))
        return false;
    if (needs_program(k)) {
        k->program = program_build(k->arena, k->diag, k->g, k->target, k->backend, &k->opt);
        if (!k->program)
            return false;
        if (k->verify && !verify_program(k->verify, k->diag, k->program, &k->differs))
            return false;
        const char *map = option_value(k->line, OPT_MEMORY_MAP);
        if (!write_report(k)
            || (option_given(k->line, OPT_MEMORY_MAP)
                && !write_text(k, map ? map : "-", put_memmap)))
            return false;
    }
    return k->differs || diag_count(k->diag, SEV_ERROR) || write_product(k);
}

int
compile_model(struct arena *a, struct diag *d, const struct command_line *c)
{
    struct compile k = { .arena = a, .diag = d, .line = c, .model = c->file[0] };
    const char *target = option_value(c, OPT_TARGET);
    long long samples = 1;

    if (!read_options(&k) || !read_passes(&k) || !read_names(&k)
        || !option_number(c, OPT_VERIFY, 1, &samples))
        return 2;
    if (option_given(c, OPT_VERIFY))
        k.verify = verify_new(a, (int)samples);
    k.target = target_load(a, d, target ? target : "gemmini-16", option_values(a, c, OPT_MACHINE));
    if (!k.target)
        return 1;
    k.backend = backend_named(k.target->backend);
    if (!k.backend) {
        diag_error(d, NULL, "target-backend", "no backend '%s' for target '%s'", k.target->backend,
            k.target->name);
        return 1;
    }
    bool ok = compile_all(&k);
    if (diag_count(d, SEV_FATAL))
        return 3;
    if (!ok || diag_count(d, SEV_ERROR))
        return 1;
    if (k.differs)
        return 4;
    diag_flush(d);
    summary(&k);
    return 0;
}
