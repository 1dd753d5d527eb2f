/* Runs the node tests that come with ONNX through the reader and the reference
 * kernels.  Each folder has a model and data sets: inputs and the outputs wanted.
 *
 *     run [FOLDER...]        TAP, operators that are not understood left out
 *     run --all [FOLDER...]  one line for each that does not pass, then counts
 *
 * FOLDER is a folder of tests below $ONNX_TESTDATA.  What the compiler refuses on
 * purpose is listed in refused.def with the id of its message: a test there must be
 * refused in that way, and every other one must pass. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ir.h"
#include "src/base/file.h"
#include "src/base/out.h"
#include "src/base/str.h"
#include "src/front/onnx.h"
#include "src/front/tensorfile.h"
#include "test/unit/tap.h"

#define RELATIVE 1e-5
#define ABSOLUTE 1e-6

enum verdict { PASSED, FAILED, UNKNOWN_OP, REFUSED };

struct refusal { const char *pattern, *id, *why; };
static const struct refusal refusals[] = {
#define R(pattern, id, why) { pattern, id, why },
#include "test/onnx/refused.def"
#undef R
    { NULL, NULL, NULL },
};

struct tally { int count[4], total; bool all; };

struct job {
    struct arena *arena;
    struct diag *diag;
    const char *dir, *name;
    char why[400];
};

static const struct refusal *
refusal_of(const char *name)
{
    for (const struct refusal *r = refusals; r->pattern; r++)
        if (str_match(r->pattern, name))
            return r;
    return NULL;
}

static bool
read_tensor(struct job *j, const char *set, const char *kind, int i, struct tensor *out)
{
    struct tensors t;
    char *path = path_join(j->arena, set, arena_printf(j->arena, "%s_%d.pb", kind, i));

    if (!file_exists(path) || !tensorfile_read(j->arena, j->diag, path, &t) || t.n != 1)
        return false;
    *out = t.at[0];
    return true;
}

/* Inputs that decide shapes are constants in any model worth compiling; here they
 * come as data.  The data set serves for both. */
static bool
bind_inputs(struct job *j, struct graph *g, const char *set, const void **inputs)
{
    for (int i = 0; i < g->ninput; i++) {
        struct value *v = g->inputs[i];
        struct tensor t;
        if (!read_tensor(j, set, "input", i, &t)) {
            snprintf(j->why, sizeof j->why, "input_%d.pb is no tensor", i);
            return false;
        }
        inputs[i] = t.data;
        v->type.shape = t.shape;
        if (!dtype_is_float(t.dt) || str_match("test_range*", j->name))
            v->data = t.data;
    }
    return true;
}

static bool
near(double a, double b, double relative)
{
    if (a == b || (a != a && b != b))
        return true;
    return fabs(a - b) <= ABSOLUTE + relative * fabs(b);
}

static bool
compare(struct job *j, const struct value *v, const void *data, const struct tensor *want)
{
    struct tensor have = { NULL, v->type.dt, v->type.shape, data };
    int64_t n = shape_elems(&want->shape);
    /* The data of bfloat16 is cut off; ours is rounded. */
    double relative = want->dt == DT_BF16 ? 0x1p-7 : RELATIVE;
    double *a, *b;

    if (have.dt != want->dt || !shape_equal(&have.shape, &want->shape)) {
        struct type w = { .dt = want->dt, .shape = want->shape };
        snprintf(j->why, sizeof j->why, "'%s' is %s, not %s", v->name,
                 type_text(j->arena, &v->type), type_text(j->arena, &w));
        return false;
    }
    a = NEWN(j->arena, double, n + 1);
    b = NEWN(j->arena, double, n + 1);
    tensor_to_double(&have, 0, n, a);
    tensor_to_double(want, 0, n, b);
    for (int64_t i = 0; i < n; i++) {
        bool same = dtype_is_float(want->dt) ? near(a[i], b[i], relative) : a[i] == b[i];
        if (same)
            continue;
        snprintf(j->why, sizeof j->why, "'%s'[%lld] is %.9g, not %.9g", v->name, (long long)i,
                 a[i], b[i]);
        return false;
    }
    return true;
}

static bool
compare_all(struct job *j, const struct graph *g, const char *set, void *const *outputs)
{
    for (int i = 0; i < g->noutput; i++) {
        struct tensor want;
        if (!read_tensor(j, set, "output", i, &want)) {
            snprintf(j->why, sizeof j->why, "output_%d.pb is no tensor", i);
            return false;
        }
        if (want.dt == DT_U16 && g->outputs[i]->type.dt == DT_BF16)
            want.dt = DT_BF16;         /* which the data files cannot say */
        if (!compare(j, g->outputs[i], outputs[i], &want))
            return false;
    }
    return true;
}

/* Models older than what the reader takes are read as opset 7: most operators have not
 * changed since.  The version is the last field of such a file. */
static const char *
raised(struct job *j, const char *path)
{
    struct bytes b;
    char *copy, *text;
    const char *dir;
    struct out *o;

    if (!file_map(j->arena, j->diag, path, 0, &b) || b.n < 6)
        return path;
    text = arena_dup(j->arena, b.p, b.n);
    if (memcmp(text + b.n - 4, "\x42\x02\x10", 3) != 0 &&
        memcmp(text + b.n - 6, "\x42\x04\x0a\0\x10", 5) != 0)
        return path;
    if (text[b.n - 1] >= 7 || !(dir = temp_dir(j->arena, j->diag)))
        return path;
    text[b.n - 1] = 7;
    copy = path_join(j->arena, dir, "model.onnx");
    o = out_open(copy, j->diag);
    if (!o)
        return path;
    out_bytes(o, text, b.n);
    return out_close(o) ? copy : path;
}

/* The first error of what was reported. */
static void
note_diag(struct job *j)
{
    const char *text = diag_text(j->diag), *at = strstr(text, ": error: ");

    text = at ? at + 2 : text;
    snprintf(j->why, sizeof j->why, "%.*s", (int)strcspn(text, "\n"), text);
}

static enum verdict
run_set(struct job *j, const char *set)
{
    struct onnx_options opt = { NULL, 0 };
    const void *inputs[64];
    void *outputs[64] = { NULL };
    struct interp r = { .inputs = inputs };
    const char *model = raised(j, path_join(j->arena, j->dir, "model.onnx"));
    struct graph *g = onnx_read(j->arena, j->diag, model, &opt);

    if (!g) {
        note_diag(j);
        return diag_has(j->diag, "op-unknown") ? UNKNOWN_OP : REFUSED;
    }
    if (g->ninput > 64 || g->noutput > 64 || !bind_inputs(j, g, set, inputs))
        return FAILED;
    r.g = g;
    if (!graph_infer(g, j->diag) || !interp_run(j->arena, j->diag, &r, outputs)) {
        note_diag(j);
        return REFUSED;
    }
    return compare_all(j, g, set, outputs) ? PASSED : FAILED;
}

static enum verdict
run_test(struct job *j)
{
    enum verdict v = PASSED;
    int k = 0;

    for (; v == PASSED; k++) {
        char *set = path_join(j->arena, j->dir, arena_printf(j->arena, "test_data_set_%d", k));
        if (!file_is_dir(set))
            break;
        v = run_set(j, set);
    }
    if (k == 0) {
        snprintf(j->why, sizeof j->why, "no data");
        return FAILED;
    }
    return v;
}

static void
report(struct tally *t, const char *dir, const struct job *j, enum verdict v)
{
    static const char *const words[] = { "passed", "failed", "unknown", "refused" };
    const struct refusal *r = refusal_of(j->name);
    bool fine = r ? v == REFUSED && diag_has(j->diag, r->id) : v == PASSED;

    t->count[v == REFUSED && !(r && fine) ? FAILED : v]++;
    t->total++;
    if (t->all) {
        if (v != PASSED)
            printf("%-8s %s/%s: %s\n", fine || v == UNKNOWN_OP ? words[v] : "FAILED", dir, j->name,
                   j->why);
        return;
    }
    if (v == UNKNOWN_OP)
        return;
    printf("%s %d - %s/%s%s%s\n", fine ? "ok" : "not ok",
           t->count[PASSED] + t->count[FAILED] + t->count[REFUSED], dir, j->name,
           r && fine ? ": refused, " : "", r && fine ? r->why : "");
    if (!fine)
        printf("# %s\n", r && v == PASSED ? "listed in refused.def, but passes" : j->why);
}

static void
run_folder(struct tally *t, const char *root, const char *folder)
{
    struct arena *a = arena_new();
    char *dir = path_join(a, root, folder);
    int n = 0;
    char **names = file_list(a, dir, &n);

    for (int i = 0; i < n; i++) {
        struct arena *scratch = arena_new();
        struct diag_config quiet = { .to = NULL };
        struct job j = { .arena = scratch, .name = names[i] };
        j.dir = path_join(scratch, dir, names[i]);
        j.diag = diag_new(scratch, &quiet);
        report(t, folder, &j, run_test(&j));
        diag_free(j.diag);
        arena_free(scratch);
    }
    arena_free(a);
}

int
main(int argc, char **argv)
{
    static const char *const usual[] = { "node", "simple", "pytorch-converted",
                                         "pytorch-operator", NULL };
    const char *root = getenv("ONNX_TESTDATA");
    struct tally t = { .all = argc > 1 && !strcmp(argv[1], "--all") };
    int first = t.all ? 2 : 1;

    if (!root || !*root)
        root = "/usr/share/libonnx-testdata/data";
    if (!file_is_dir(root))
        return tap_skip("no test data of ONNX (Debian: libonnx-testdata)");
    for (int i = first; i < argc; i++)
        run_folder(&t, root, argv[i]);
    for (int i = 0; first >= argc && usual[i]; i++)
        run_folder(&t, root, usual[i]);
    if (t.all)
        printf("%d passed, %d failed, %d refused as listed, %d of operators not understood\n",
               t.count[PASSED], t.count[FAILED], t.count[REFUSED], t.count[UNKNOWN_OP]);
    else
        printf("1..%d\n", t.count[PASSED] + t.count[FAILED] + t.count[REFUSED]);
    return t.count[FAILED] ? EXIT_FAILURE : EXIT_SUCCESS;
}
