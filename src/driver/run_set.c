/* Data sets of gemmcc-run.  Classes are compared by the greatest element of the first
 * output; reference outputs, where the set has them, element by element too. */
#include "src/driver/run_set.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/str.h"
#include "src/base/vec.h"
#include "src/driver/run_io.h"
#include "src/front/dataset.h"
#include "src/front/tensorfile.h"

enum { MADE_UP = 16, SHOWN = 10 };

/* A sample whose class is not that of the reference, or of the truth without one: what
 * the reference has wrong too is the model's fault. */
struct odd {
    int64_t sample, best, truth, reference;
    double score, of_truth, of_reference;
};

struct run_set {
    struct arena *arena;
    const struct meta *meta;
    struct dataset *set;
    int64_t count, noted;
    const double *truth;    /* one class a sample; NULL: unknown */
    bool scores, reference; /* reference: every sample so far has one */
    int64_t right, reference_right, agree;
    double largest, sum; /* differences from the reference */
    uint64_t *cycles;
    double *got, *want; /* one output */
    VEC(struct odd) odd;
};

/* ---- what is known of the samples */

static bool
wrong_truth(struct diag *d, const char *file, const char *what)
{
    return diag_error(d, &(struct place_ref){ .file = file }, "run-truth", "%s", what);
}

/* A class a line: a number, or one of the labels. */
static bool
read_lines(struct run_set *s, struct diag *d, const char *file, double *to)
{
    struct bytes b;
    int64_t n = 0, number;

    if (!file_map(s->arena, d, file, 1 << 28, &b))
        return false;
    for (char *save = NULL,
              *word = strtok_r(arena_strndup(s->arena, (const char *)b.p, b.n), "\r\n", &save);
         word; word = strtok_r(NULL, "\r\n", &save)) {
        int k = 0;
        while (k < s->meta->nlabel && strcmp(s->meta->labels[k], word) != 0)
            k++;
        if (k < s->meta->nlabel)
            number = k;
        else if (!str_i64(word, &number))
            return wrong_truth(
                d, file, arena_printf(s->arena, "'%.60s' is neither a number nor a label", word));
        if (n < s->count)
            to[n] = (double)number;
        n++;
    }
    return n == s->count
        || wrong_truth(d, file,
            arena_printf(
                s->arena, "%lld labels for %lld samples", (long long)n, (long long)s->count));
}

static bool
read_truth(struct run_set *s, struct diag *d, const char *file)
{
    static const char *const kinds[] = { ".npy", ".npz", ".pb", NULL };
    const struct tensor *t = dataset_labels(s->set);
    double *to = NEWN(s->arena, double, s->count + 1);
    bool tensor = !file;
    struct tensors all;

    for (int i = 0; file && kinds[i]; i++)
        tensor |= str_ends(file, kinds[i]);
    s->truth = to;
    if (!tensor)
        return read_lines(s, d, file, to);
    if (file && !tensorfile_read(s->arena, d, file, &all))
        return false;
    if (file)
        t = &all.at[0];
    if (!t)
        s->truth = NULL;
    else if (shape_elems(&t->shape) != s->count)
        return wrong_truth(d, file ? file : "y.pb",
            arena_printf(s->arena, "labels %s for %lld samples", shape_text(s->arena, &t->shape),
                (long long)s->count));
    else
        tensor_to_double(t, 0, s->count, to);
    return true;
}

static struct dataset *
open_set(struct arena *a, struct diag *d, const struct command_line *c, const struct meta *m)
{
    const char *recipe = option_value(c, OPT_RUN_RECIPE);
    struct dataset_input *in = NEWN(a, struct dataset_input, m->nin + 1);
    struct recipe *r = NEW(a, struct recipe);

    recipe = recipe ? recipe : m->recipe;
    if (recipe && !recipe_parse(a, d, recipe, NULL, r))
        return NULL;
    for (int i = 0; i < m->nin; i++)
        in[i] =
            (struct dataset_input){ m->in[i].name, meta_user_type(&m->in[i]), recipe ? r : NULL };
    return dataset_open(a, d, option_value(c, OPT_DATASET), in, m->nin);
}

struct run_set *
run_set_open(struct arena *a, struct diag *d, const struct command_line *c, const struct meta *m)
{
    struct run_set *s = NEW(a, struct run_set);

    s->arena = a;
    s->meta = m;
    s->set = open_set(a, d, c, m);
    if (!s->set)
        return NULL;
    s->count = dataset_count(s->set) == INT64_MAX ? MADE_UP : dataset_count(s->set);
    s->cycles = NEWN(a, uint64_t, s->count + 1);
    if (!read_truth(s, d, option_value(c, OPT_TRUTH)))
        return NULL;
    if (!m->nout)
        return s;
    int64_t n = shape_elems(&m->out[0].type.shape);
    s->scores = run_is_scores(&m->out[0]);
    s->got = NEWN(a, double, n + 1);
    s->want = NEWN(a, double, n + 1);
    s->reference = true;
    return s;
}

int64_t
run_set_count(const struct run_set *s)
{
    return s->count;
}

bool
run_set_inputs(const struct run_set *s, struct arena *a, struct diag *d, const struct elf *e,
    int64_t k, struct elf_patch *patches, int *n)
{
    struct tensor *t = NEWN(a, struct tensor, s->meta->nin + 1);
    bool ok = dataset_get(s->set, a, d, k, t);

    *n = 0;
    for (int i = 0; ok && i < s->meta->nin; i++)
        ok = run_patch(a, d, e, &s->meta->in[i], t[i].data, &patches[(*n)++]);
    return ok;
}

/* ---- one sample */

static int64_t
greatest(const double *x, int64_t n)
{
    int64_t best = 0;

    for (int64_t i = 1; i < n; i++)
        if (x[i] > x[best])
            best = i;
    return best;
}

/* Does the set say what should come out, and how far is it? */
static bool
compare(struct run_set *s, struct diag *d, int64_t k, int64_t n)
{
    struct arena *a = arena_new();
    struct tensor want;
    bool known = dataset_expected(s->set, a, d, k, &want) && shape_elems(&want.shape) == n;

    if (known)
        tensor_to_double(&want, 0, n, s->want);
    arena_free(a);
    for (int64_t i = 0; known && i < n; i++) {
        double e = fabs(s->got[i] - s->want[i]);
        s->sum += e;
        if (!(e <= s->largest))
            s->largest = e;
    }
    return known;
}

void
run_set_note(
    struct run_set *s, struct diag *d, int64_t k, const void *const *outputs, uint64_t cycles)
{
    const struct meta_tensor *t = &s->meta->out[0];

    s->cycles[s->noted++] = cycles;
    if (!s->meta->nout)
        return;
    int64_t n = shape_elems(&t->type.shape);
    tensor_to_double(
        &(struct tensor){ t->name, t->model_dt, t->type.shape, outputs[0] }, 0, n, s->got);
    s->reference = s->reference && compare(s, d, k, n);
    if (!s->scores)
        return;
    struct odd o = { .sample = k, .best = greatest(s->got, n), .truth = -1, .reference = -1 };
    o.score = s->got[o.best];
    if (s->truth && s->truth[k] >= 0 && s->truth[k] < (double)n) {
        o.truth = (int64_t)s->truth[k];
        o.of_truth = s->got[o.truth];
    }
    if (s->reference) {
        o.reference = greatest(s->want, n);
        o.of_reference = s->want[o.reference];
    }
    s->right += o.best == o.truth;
    s->reference_right += s->reference && o.reference == o.truth;
    s->agree += o.best == o.reference;
    if (s->reference ? o.best != o.reference : s->truth && o.best != o.truth)
        vec_push(s->arena, &s->odd, o);
}

/* ---- all of them */

static int
by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void
print_cycles(const struct run_set *s)
{
    struct arena *a = arena_new();
    int64_t n = s->noted;
    uint64_t *c = arena_dup(a, s->cycles, (size_t)n * sizeof *c);

    qsort(c, (size_t)n, sizeof *c, by_value);
    if (c[0] == c[n - 1])
        printf("cycles: %s each\n", str_thousands(a, c[0]));
    else
        printf("cycles: minimum %s, median %s, maximum %s\n", str_thousands(a, c[0]),
            str_thousands(a, c[n / 2]), str_thousands(a, c[n - 1]));
    arena_free(a);
}

struct names {
    const char *const *at;
    int n;
};

static void
print_class(const char *before, int64_t k, double score, const struct names *l)
{
    if (k >= 0 && k < l->n)
        printf("%s %.40s %.4g", before, l->at[k], score);
    else
        printf("%s %lld %.4g", before, (long long)k, score);
}

static void
print_odd(const struct run_set *s, const struct odd *o, const struct names *l)
{
    struct arena *a = arena_new();

    printf("  %s:", dataset_name(a, s->set, o->sample));
    print_class("", o->best, o->score, l);
    if (s->truth)
        print_class(", truth", o->truth, o->of_truth, l);
    if (s->reference)
        print_class(", reference", o->reference, o->of_reference, l);
    printf("\n");
    arena_free(a);
}

static double
percent(const struct run_set *s, int64_t n)
{
    return s->noted ? 100.0 * (double)n / (double)s->noted : 0;
}

void
run_set_print(const struct run_set *s, const char *const *labels, int nlabel, bool quiet, bool all)
{
    const struct names l = { labels, nlabel };
    bool known = s->scores && s->truth;

    printf("%lld sample%s", (long long)s->noted, s->noted == 1 ? "" : "s");
    if (known)
        printf(", %lld right (%.2f %%)", (long long)s->right, percent(s, s->right));
    if (known && s->reference)
        printf("; the reference has %lld right (%.2f %%)", (long long)s->reference_right,
            percent(s, s->reference_right));
    printf("\n");
    if (quiet || !s->noted)
        return;
    if (s->reference) {
        double elements = (double)shape_elems(&s->meta->out[0].type.shape) * (double)s->noted;
        if (s->scores)
            printf("%lld agree with the reference; ", (long long)s->agree);
        printf("largest difference from it %.4g, mean %.4g\n", s->largest,
            elements > 0 ? s->sum / elements : 0);
    }
    for (int i = 0; i < s->odd.n && (all || i < SHOWN); i++)
        print_odd(s, &s->odd.at[i], &l);
    if (!all && s->odd.n > SHOWN)
        printf("  and %d more; -v lists all\n", s->odd.n - SHOWN);
    print_cycles(s);
}
