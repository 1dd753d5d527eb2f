/* Runs the pass table. */
#include "src/driver/pipeline.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "passes/passes.h"
#include "src/base/file.h"
#include "src/base/out.h"
#include "src/base/str.h"

static bool
known(struct diag *d, const char *name)
{
    static const char *names[64];
    int n = 0;

    if (strcmp(name, "all") == 0 || pass_find(name))
        return true;
    for (; passes[n]; n++)
        names[n] = passes[n]->name;
    names[n] = NULL;
    diag_error(d, NULL, "pass-unknown", "there is no pass '%s'", name);
    const char *near = str_nearest(name, names);
    if (near)
        diag_hint(d, "did you mean '%s'?", near);
    else
        diag_hint(d, "gemmcc --print-passes lists them");
    return false;
}

bool
pipeline_check(const struct pipeline *p, struct diag *d)
{
    const char *const *lists[] = { p->switches, p->dump_before, p->dump_after };
    bool ok = !p->stop_after || known(d, p->stop_after);

    for (int k = 0; k < 3; k++)
        for (const char *const *s = lists[k]; s && *s; s++)
            ok &= known(d, k == 0 && str_starts(*s, "no-") ? *s + 3 : *s);
    return ok;
}

static bool
listed(const char *const *list, const char *name)
{
    for (; list && *list; list++)
        if (strcmp(*list, "all") == 0 || strcmp(*list, name) == 0)
            return true;
    return false;
}

/* The last switch that names a pass decides; without one its level does. */
static bool
wanted(const struct pipeline *p, const struct pass *pass, const struct pass_ctx *c)
{
    bool on = pass_applies(pass, c);

    for (const char *const *s = p->switches; s && *s; s++) {
        if (strcmp(*s, pass->name) == 0)
            on = pass->from & c->g->stage;
        else if (str_starts(*s, "no-") && strcmp(*s + 3, pass->name) == 0)
            on = false;
    }
    return on || (pass->level == 0 && pass_applies(pass, c));
}

static bool
dump(const struct pipeline *p, struct pass_ctx *c, int index, const char *when, const char *name)
{
    struct out *o;

    if (!p->dump_dir) {
        o = out_memory(c->arena);
        ir_print(c->g, o, false);
        fprintf(stderr, "# %s %s\n%s", when, name, out_text(o, NULL));
        return true;
    }
    const char *file = arena_printf(c->arena, "%02d-%s-%s.gir", index, when, name);
    o = out_open(path_join(c->arena, p->dump_dir, file), c->diag);
    if (!o)
        return false;
    ir_print(c->g, o, false);
    return out_close(o);
}

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool
one(const struct pipeline *p, struct pass_ctx *c, int index)
{
    const struct pass *pass = passes[index];
    double start = now();

    if (p->prepare && !p->prepare(c, pass, p->ctx))
        return false;
    if (listed(p->dump_before, pass->name) && !dump(p, c, index, "before", pass->name))
        return false;
    if (!pass_run(pass, c))
        return false;
    if (p->verify && !ir_verify(c->g, c->diag))
        return false;
    if (p->time)
        fprintf(stderr, "%8.3f ms  %s\n", (now() - start) * 1e3, pass->name);
    return !listed(p->dump_after, pass->name) || dump(p, c, index, "after", pass->name);
}

bool
pipeline_run(const struct pipeline *p, struct pass_ctx *c)
{
    for (int i = 0; passes[i]; i++) {
        if (c->g->stage == p->stop_stage && passes[i]->to && passes[i]->to != p->stop_stage)
            return true;
        if (wanted(p, passes[i], c) && !one(p, c, i))
            return false;
        if (p->stop_after && strcmp(p->stop_after, passes[i]->name) == 0)
            return true;
    }
    return true;
}
