/* Inputs and outputs of gemmcc-run. */
#include "src/driver/run_io.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/str.h"
#include "src/front/dataset.h"
#include "src/front/tensorfile.h"

/* ---- names: "NAME=FILE" or "FILE" for the only one */

static bool
by_name(struct diag *d, const char *spec, const char *what, const struct meta_tensor *list, int n,
    const char **file, int *index)
{
    const char *eq = strchr(spec, '=');
    static const char *names[256];

    for (int i = 0; i < n && eq; i++)
        if (strlen(list[i].name) == (size_t)(eq - spec)
            && strncmp(list[i].name, spec, (size_t)(eq - spec)) == 0) {
            *file = eq + 1;
            *index = i;
            return true;
        }
    if (!eq && n == 1) {
        *file = spec;
        *index = 0;
        return true;
    }
    for (int i = 0; i < n && i < 255; i++) {
        names[i] = list[i].name;
        names[i + 1] = NULL;
    }
    diag_error(d, NULL, "run-name",
        eq ? "no %s is named as in '%s'" : "'%s' does not say which %s it is", eq ? what : spec,
        eq ? spec : what);
    diag_hint(d, "write NAME=FILE; the first %s is '%s'", what, n ? names[0] : "none");
    return false;
}

/* ---- inputs */

static bool
load(struct arena *a, struct diag *d, const struct meta_tensor *t, const char *spec,
    const struct recipe *r, const void **user)
{
    struct type u = meta_user_type(t);
    struct dataset_input in = { t->name, u, r };
    struct tensor x;

    if (strcmp(spec, "zero") == 0) {
        *user = arena_alloc(a, (size_t)shape_bytes(&u, 0) + 1);
        return true;
    }
    if (str_starts(spec, "random:")) {
        struct dataset *made = dataset_open(a, d, spec, &in, 1);
        if (!made || !dataset_get(made, a, d, 0, &x))
            return false;
    } else if (!dataset_load(a, d, spec, &in, &x)) {
        return false;
    }
    *user = x.data;
    return true;
}

static bool
gather(struct arena *a, struct diag *d, const struct command_line *c, const struct meta *m,
    const char **spec)
{
    const char *const *named = option_values(a, c, OPT_INPUT);
    int next = 0, index;
    const char *file;

    for (; *named; named++) {
        if (!by_name(d, *named, "input", m->in, m->nin, &file, &index))
            return false;
        spec[index] = file;
    }
    for (int i = 1; i < c->nfile; i++) {
        while (next < m->nin && spec[next])
            next++;
        if (next == m->nin)
            return diag_error(d, NULL, "run-input",
                "the program has %d input%s; '%s' is one too many", m->nin, m->nin == 1 ? "" : "s",
                c->file[i]);
        spec[next++] = c->file[i];
    }
    for (int i = 0; i < m->nin; i++)
        if (!spec[i]) {
            struct type u = meta_user_type(&m->in[i]);
            diag_error(
                d, NULL, "run-input", "input '%s' %s is missing", m->in[i].name, type_text(a, &u));
            diag_hint(d, "give a file, or -i %s=random:1", m->in[i].name);
            return false;
        }
    return true;
}

static bool
is_baked(const struct elf *e, const struct elf_symbol *mark)
{
    const uint8_t *p = elf_bytes(e, mark->addr, 1);

    return p && *p;
}

bool
run_patch(struct arena *a, struct diag *d, const struct elf *e, const struct meta_tensor *t,
    const void *user, struct elf_patch *to)
{
    struct elf_symbol s;

    if (!elf_symbol(e, t->symbol, &s) || (uint64_t)(t->offset + meta_bytes(t)) > s.size)
        return diag_error(d, NULL, "meta-bad", "the program has no room for input '%s'", t->name);
    *to = (struct elf_patch){ s.addr + (uint64_t)t->offset, meta_to_memory(a, t, user),
        (uint64_t)meta_bytes(t) };
    return true;
}

bool
run_inputs(struct arena *a, struct diag *d, const struct command_line *c, const struct elf *e,
    const struct meta *m, struct elf_patch *patches, int *n)
{
    const char **spec = NEWN(a, const char *, m->nin + 1);
    const char *recipe = option_value(c, OPT_RUN_RECIPE);
    struct recipe parsed, *r = NULL;
    struct elf_symbol s;
    bool mark = elf_symbol(e, "gm_baked", &s);

    *n = 0;
    if (mark && is_baked(e, &s) && c->nfile == 1 && !option_given(c, OPT_INPUT))
        return true;
    if (mark)
        patches[(*n)++] = (struct elf_patch){ s.addr, "\1", 1 };
    recipe = recipe ? recipe : m->recipe;
    if (recipe) {
        if (!recipe_parse(a, d, recipe, NULL, &parsed))
            return false;
        r = &parsed;
    }
    if (!gather(a, d, c, m, spec))
        return false;
    for (int i = 0; i < m->nin; i++) {
        const void *user;
        if (!load(a, d, &m->in[i], spec[i], r, &user)
            || !run_patch(a, d, e, &m->in[i], user, &patches[(*n)++]))
            return false;
    }
    return true;
}

/* ---- outputs */

bool
run_outputs(struct arena *a, struct diag *d, const struct elf *e, const struct meta *m,
    const struct qemu_result *x, const void **data)
{
    struct elf_symbol s;

    for (int i = 0; i < m->nout; i++) {
        const struct meta_tensor *t = &m->out[i];
        const uint8_t *p = elf_symbol(e, t->symbol, &s)
            ? qemu_memory(x, s.addr + (uint64_t)t->offset, (uint64_t)meta_bytes(t))
            : NULL;
        if (!p)
            return diag_error(
                d, NULL, "meta-bad", "output '%s' does not lie in the program's memory", t->name);
        data[i] = meta_from_memory(a, t, p);
    }
    return true;
}

static struct tensor
as_tensor(const struct meta_tensor *t, const void *data)
{
    return (struct tensor){ t->name, t->model_dt, t->type.shape, data };
}

bool
run_write(struct arena *a, struct diag *d, const struct command_line *c, const struct meta *m,
    const void *const *data)
{
    const char *const *specs = option_values(a, c, OPT_RUN_OUTPUT);
    const char *file;
    int index;

    for (; *specs; specs++) {
        struct tensor t;
        if (!by_name(d, *specs, "output", m->out, m->nout, &file, &index))
            return false;
        t = as_tensor(&m->out[index], data[index]);
        if (!tensorfile_write(a, d, file, &t, 1))
            return false;
    }
    return true;
}

bool
tolerance_parse(const char *spec, struct tolerance *t)
{
    int64_t n;

    while (spec && *spec) {
        char part[64];
        size_t len = strcspn(spec, ",");
        if (len >= sizeof part)
            return false;
        memcpy(part, spec, len);
        part[len] = 0;
        if (str_starts(part, "int:") && str_i64(part + 4, &n) && n >= 0)
            t->steps = n;
        else if (!(str_starts(part, "abs=") && str_f64(part + 4, &t->abs))
            && !(str_starts(part, "rel=") && str_f64(part + 4, &t->rel)))
            return false;
        spec += len + (spec[len] == ',');
    }
    return true;
}

static bool
compare(struct arena *a, const struct meta_tensor *t, const void *got, const struct tensor *want,
    const struct tolerance *tol)
{
    int64_t n = shape_elems(&t->type.shape), differ = 0, first = -1;
    double *x = NEWN(a, double, n + 1), *y = NEWN(a, double, n + 1), worst = 0;
    struct tensor g = as_tensor(t, got);

    tensor_to_double(&g, 0, n, x);
    tensor_to_double(want, 0, n, y);
    for (int64_t i = 0; i < n; i++) {
        double e = fabs(x[i] - y[i]);
        double limit =
            dtype_is_float(t->model_dt) ? tol->abs + tol->rel * fabs(y[i]) : (double)tol->steps;
        worst = e > worst ? e : worst;
        if (!(e <= limit) && differ++ == 0)
            first = i;
    }
    if (differ)
        printf("%s: %lld of %lld values differ, first at element %lld: %g, expected %g; largest "
               "difference %g\n",
            t->name, (long long)differ, (long long)n, (long long)first, x[first], y[first], worst);
    else
        printf("%s: as expected, largest difference %g\n", t->name, worst);
    return differ == 0;
}

bool
run_expect(struct arena *a, struct diag *d, const struct command_line *c, const struct meta *m,
    const void *const *data, const struct tolerance *t, bool *differs)
{
    const char *const *specs = option_values(a, c, OPT_EXPECT);
    const char *file;
    int index;

    *differs = false;
    for (; *specs; specs++) {
        struct tensors all;
        struct tensor want;
        if (!by_name(d, *specs, "output", m->out, m->nout, &file, &index)
            || !tensorfile_read(a, d, file, &all))
            return false;
        struct type u = meta_user_type(&m->out[index]);
        if (!tensor_as(a, d, file, &all.at[0], &u, &want))
            return false;
        *differs |= !compare(a, &m->out[index], data[index], &want, t);
    }
    return true;
}

/* ---- the best */

bool
run_is_scores(const struct meta_tensor *t)
{
    int64_t n = shape_elems(&t->type.shape);

    for (int i = 0; i < t->type.shape.rank; i++)
        if (t->type.shape.dim[i].n == n && n > 1)
            return true;
    return false;
}

void
run_top(const struct meta_tensor *t, const void *data, const char *const *labels, int nlabel, int k)
{
    struct arena *a = arena_new();
    int64_t n = shape_elems(&t->type.shape);
    double *x = NEWN(a, double, n + 1);
    bool *used = NEWN(a, bool, n + 1);
    struct tensor g = as_tensor(t, data);

    tensor_to_double(&g, 0, n, x);
    for (int i = 0; i < k && i < n; i++) {
        int64_t best = -1;
        for (int64_t j = 0; j < n; j++)
            if (!used[j] && (best < 0 || x[j] > x[best]))
                best = j;
        used[best] = true;
        const char *label = best < nlabel ? labels[best] : arena_printf(a, "%lld", (long long)best);
        printf("%d. %-20.60s %6.3f\n", i + 1, label, x[best]);
    }
    arena_free(a);
}
