/* calibrate: runs the float graph on the feed and notes what range each value has:
 * least and greatest, or with --calib=percentile what is left when the same share is
 * cut off at both ends (a second run counts into bins).  Zero always stays inside.
 *
 * It does nothing where nothing will be quantized. */
#include <math.h>
#include <string.h>

#include "passes/rewrite.h"

enum { BINS = 4096 };

struct ranges {
    struct pass_ctx *c;
    struct arena *scratch;
    float *lo, *hi;
    bool *seen;
    uint32_t **bins;             /* NULL: first run */
    void **inputs;
    int sets;
};

static void
note(const struct value *v, const float *x, struct ranges *r)
{
    int64_t n = shape_elems(&v->type.shape);
    float lo = r->lo[v->id], hi = r->hi[v->id];

    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(x[i]))
            continue;
        lo = x[i] < lo ? x[i] : lo;
        hi = x[i] > hi ? x[i] : hi;
    }
    r->lo[v->id] = lo;
    r->hi[v->id] = hi;
    r->seen[v->id] = true;
}

static void
tally(const struct value *v, const float *x, struct ranges *r)
{
    uint32_t *bins = r->bins[v->id];
    double lo = (double)r->lo[v->id], span = (double)r->hi[v->id] - lo;
    int64_t n = shape_elems(&v->type.shape);

    if (!bins)
        bins = r->bins[v->id] = NEWN(r->scratch, uint32_t, BINS);
    for (int64_t i = 0; span > 0 && i < n; i++) {
        double at = ((double)x[i] - lo) / span * BINS;
        if (at == at)
            bins[at < 0 ? 0 : at >= BINS ? BINS - 1 : (int)at]++;
    }
}

static void
each(const struct value *v, const void *data, void *ctx)
{
    struct ranges *r = ctx;

    if (v->type.dt != DT_F32)
        return;
    if (r->bins)
        tally(v, data, r);
    else
        note(v, data, r);
}

static bool
run_all(struct ranges *r)
{
    struct pass_ctx *c = r->c;
    struct graph *g = c->g;
    int limit = c->opt->calib_limit;
    struct interp run = { .g = g, .inputs = (const void *const *)r->inputs, .each = each,
                          .ctx = r };
    bool fine = true;

    c->feed->rewind(c->feed);
    r->sets = 0;
    while (fine && (limit <= 0 || r->sets < limit) && c->feed->next(c->feed, g, r->inputs)) {
        struct arena *a = arena_new();
        void **out = NEWN(a, void *, g->noutput + 1);
        for (int i = 0; i < g->ninput; i++)
            each(g->inputs[i], r->inputs[i], r);
        fine = interp_run(a, c->diag, &run, out);
        arena_free(a);
        r->sets++;
        if (c->progress)
            c->progress("calibrate", r->sets, limit);
    }
    return fine;
}

/* Cuts `rest` of all counted at each end. */
static void
cut(const uint32_t *bins, double rest, float *lo, float *hi)
{
    double total = 0, left = 0, right = 0, step = ((double)*hi - (double)*lo) / BINS;
    int first = 0, last = BINS - 1;

    for (int i = 0; i < BINS; i++)
        total += bins[i];
    while (first < last && left + bins[first] <= rest * total)
        left += bins[first++];
    while (last > first && right + bins[last] <= rest * total)
        right += bins[last--];
    *hi = last == BINS - 1 ? *hi : (float)((double)*lo + step * (last + 1));
    *lo = first == 0 ? *lo : (float)((double)*lo + step * first);
}

static void
keep(const struct ranges *r)
{
    struct graph *g = r->c->g;
    double rest = 1 - r->c->opt->percentile / 100;

    for (uint32_t i = 0; i < g->nvalue; i++) {
        struct value *v = g->values[i];
        if (!v || !r->seen[i])
            continue;
        if (r->bins && r->bins[i])
            cut(r->bins[i], rest, &r->lo[i], &r->hi[i]);
        v->lo = r->lo[i] < 0 ? r->lo[i] : 0;
        v->hi = r->hi[i] > 0 ? r->hi[i] : 0;
        v->ranged = true;
    }
}

static bool
measure(struct ranges *r)
{
    struct pass_ctx *c = r->c;
    struct graph *g = c->g;

    r->lo = NEWN(r->scratch, float, g->nvalue);
    r->hi = NEWN(r->scratch, float, g->nvalue);
    r->seen = NEWN(r->scratch, bool, g->nvalue);
    r->inputs = NEWN(r->scratch, void *, g->ninput + 1);
    for (uint32_t i = 0; i < g->nvalue; i++) {
        r->lo[i] = HUGE_VALF;
        r->hi[i] = -HUGE_VALF;
    }
    for (int i = 0; i < g->ninput; i++)
        r->inputs[i] = arena_alloc(r->scratch, (size_t)shape_bytes(&g->inputs[i]->type, 0));
    if (!run_all(r))
        return false;
    if (r->sets == 0)
        return diag_error(c->diag, NULL, "calib-feed", "%s: no input to calibrate with",
                          c->feed->what ? c->feed->what : "calibration");
    if (c->opt->calib != CALIB_PERCENTILE)
        return true;
    r->bins = NEWN(r->scratch, uint32_t *, g->nvalue);
    return run_all(r);
}

static bool
run(struct pass_ctx *c)
{
    struct ranges r = { .c = c };
    bool fine;

    if (!may_quantize(c))
        return true;
    if (!c->feed)
        c->feed = feed_made_up(c->arena, c->opt->seed, 4);
    if (c->feed->generated) {
        diag_warn(c->diag, &(struct place_ref){ .file = c->g->file }, "calib-none",
                  "no calibration inputs: ranges come from %s", c->feed->what);
        diag_hint(c->diag, "give some with --calibrate=PATH; --quant=off needs none");
    }
    r.scratch = arena_new();
    fine = measure(&r);
    if (fine)
        keep(&r);
    arena_free(r.scratch);
    return fine;
}

const struct pass pass_calibrate = {
    .name = "calibrate",
    .doc = "finds the range of every value by running the model",
    .needs = FACT_TYPES | FACT_ORDER,
    .gives = FACT_RANGES,
    .from = STAGE_NET,
    .run = run,
};
