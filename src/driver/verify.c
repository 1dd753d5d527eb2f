/* --verify. */
#include "src/driver/verify.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"
#include "src/base/str.h"

struct sample {
    const void **inputs; /* packed, of the model's types */
    float **real;        /* by value id; NULL: unknown */
    uint32_t nreal;
};

struct verify {
    struct arena *arena;
    int want, n;
    struct sample *samples;
};

struct verify *
verify_new(struct arena *a, int samples)
{
    struct verify *v = NEW(a, struct verify);

    v->arena = a;
    v->want = samples;
    v->samples = NEWN(a, struct sample, samples);
    return v;
}

/* ---- the float side */

struct keep {
    struct verify *v;
    struct sample *s;
};

static void
keep_value(const struct value *x, const void *data, void *ctx)
{
    struct keep *k = ctx;

    if (x->type.dt == DT_F32 && x->id < k->s->nreal)
        k->s->real[x->id] = arena_dup(k->v->arena, data, (size_t)shape_bytes(&x->type, 0));
}

bool
verify_float(struct verify *v, struct pass_ctx *c)
{
    struct graph *g = c->g;

    c->feed->rewind(c->feed);
    for (v->n = 0; v->n < v->want; v->n++) {
        struct sample *s = &v->samples[v->n];
        void **in = NEWN(v->arena, void *, g->ninput + 1),
             **out = NEWN(v->arena, void *, g->noutput + 1);
        for (int i = 0; i < g->ninput; i++)
            in[i] = arena_alloc(v->arena, (size_t)shape_bytes(&g->inputs[i]->type, 0));
        if (!c->feed->next(c->feed, g, in))
            break;
        s->inputs = (const void **)in;
        s->nreal = g->nvalue;
        s->real = NEWN(v->arena, float *, g->nvalue + 1);
        struct keep k = { v, s };
        struct interp r = { .g = g, .inputs = s->inputs, .each = keep_value, .ctx = &k };
        if (!interp_run(v->arena, c->diag, &r, out))
            return false;
    }
    return true;
}

void
verify_input(const struct value *v, const void *packed, void *stored)
{
    if (v->type.quant && v->model_dt == DT_F32)
        quant_from_real(&v->type, packed, stored);
    else if (v->type.quant && v->model_dt == DT_U8)
        for (int64_t i = 0; i < shape_elems(&v->type.shape); i++)
            ((int8_t *)stored)[i] = (int8_t)(((const uint8_t *)packed)[i] - 128);
    else
        memcpy(stored, packed, (size_t)shape_bytes(&v->type, 0));
}

/* ---- the device side */

struct machine {
    const struct program *p;
    struct host_memory memory;
    uint8_t *ram;
    int64_t bytes;
    struct sim *sim;
    char rule[256];
};

static void
violation(const struct sim_violation *v, void *ctx)
{
    struct machine *m = ctx;

    if (!*m->rule)
        snprintf(m->rule, sizeof m->rule, "layer %d, command %llu breaks %s: %s", v->layer,
            (unsigned long long)v->index, sim_rules[v->rule].name, v->detail);
}

static bool
machine_start(struct machine *m, const struct program *p)
{
    int64_t size[5], at = 4096;

    m->p = p;
    program_sizes(p, size);
    for (int i = 0; i < 5; i++) {
        m->memory.base[i] = (uint64_t)(p->target->ram_base + at);
        m->memory.size[i] = size[i];
        at += size[i];
    }
    m->bytes = at + 4096;
    m->ram = calloc(1, (size_t)m->bytes);
    if (!m->ram)
        return false;
    for (int i = 0; i < 5; i++)
        m->memory.at[i] = m->ram + (m->memory.base[i] - (uint64_t)p->target->ram_base);
    program_init(p, &m->memory);
    m->sim = sim_new(&(struct sim_config){ .target = p->target,
        .strict = SIM_STRICT_ERROR,
        .memory = { m->ram, (uint64_t)p->target->ram_base, (uint64_t)m->bytes },
        .violation = violation,
        .ctx = m });
    return m->sim != NULL;
}

static void
machine_end(struct machine *m)
{
    if (m->sim)
        sim_free(m->sim);
    free(m->ram);
}

static uint8_t *
place_of(struct machine *m, const struct value *v)
{
    struct address at = value_address(v);

    return m->memory.at[at.space] + at.at - (v->type.layout ? v->type.layout->first : 0);
}

/* ---- comparing */

struct wanted {
    const void **value;
    struct arena *arena;
};

static void
keep_wanted(const struct value *v, const void *data, void *ctx)
{
    struct wanted *w = ctx;

    w->value[v->id] = arena_dup(w->arena, data, (size_t)shape_bytes(&v->type, 0));
}

static int64_t
count_differences(const struct value *v, const void *got, const void *want, int64_t *first)
{
    int64_t n = shape_elems(&v->type.shape), bytes = dtype_bits(v->type.dt) / 8, differ = 0;

    for (int64_t i = 0; i < n; i++)
        if (memcmp((const char *)got + i * bytes, (const char *)want + i * bytes, (size_t)bytes)
                != 0
            && differ++ == 0)
            *first = i;
    return differ;
}

static double
element(const struct value *v, const void *p, int64_t i)
{
    return v->type.dt == DT_F32 ? (double)((const float *)p)[i]
        : v->type.dt == DT_I8   ? ((const int8_t *)p)[i]
                                : (double)((const int32_t *)p)[i];
}

static double
signal_to_noise(const struct value *v, const void *got, const float *real, struct arena *a)
{
    int64_t n = shape_elems(&v->type.shape);
    const float *f = got;
    double signal = 0, noise = 0;

    if (v->type.dt != DT_F32) {
        float *q = NEWN(a, float, n + 1);
        quant_to_real(&v->type, got, q);
        f = q;
    }
    for (int64_t i = 0; i < n; i++) {
        double d = (double)f[i] - (double)real[i];
        signal += (double)real[i] * (double)real[i];
        noise += d * d;
    }
    return noise == 0 ? 999 : signal == 0 ? 0 : 10 * log10(signal / noise);
}

static void
report_difference(const struct kernel *k, const struct value *v, const void *got, const void *want,
    int64_t n, int64_t at)
{
    struct arena *a = arena_new();

    fprintf(stderr, "first difference: layer %d '%s' (%s), %s of %s values\n", k->number,
        node_models(a, k->n), k->n->op->name, str_thousands(a, (uint64_t)n),
        str_thousands(a, (uint64_t)shape_elems(&v->type.shape)));
    fprintf(stderr, "  at element %lld of %s: device %g, reference %g\n", (long long)at,
        type_text(a, &v->type), element(v, got, at), element(v, want, at));
    arena_free(a);
}

/* Runs the layers; the first that differs is told, the rest still run. */
static bool
run_layers(struct verify *v, struct machine *m, const struct sample *s, const struct wanted *w,
    int *same, bool *differs)
{
    struct sink *k = sim_sink(m->sim);

    for (int i = 0; i < m->p->nlayer; i++) {
        const struct kernel *layer = m->p->layers[i];
        const struct value *y = layer->n->out[0];
        struct arena *a = arena_new();
        if (!program_layer(m->p, layer, &m->memory, k)) {
            fprintf(stderr, "verify: %s\n", m->rule);
            arena_free(a);
            *differs = true;
            return true;
        }
        void *got = arena_alloc(a, (size_t)shape_bytes(&y->type, 0));
        int64_t first = 0;
        layout_load(&y->type, place_of(m, y), got);
        int64_t n = w->value[y->id] ? count_differences(y, got, w->value[y->id], &first) : 0;
        *same += n == 0;
        if (n && !*differs) {
            report_difference(layer, y, got, w->value[y->id], n, first);
            *differs = true;
        }
        if (y->id < s->nreal && s->real[y->id] && v->n == 1)
            fprintf(stderr, "  layer %2d %-40.40s %5.1f dB against float\n", layer->number,
                node_models(a, layer->n), signal_to_noise(y, got, s->real[y->id], a));
        arena_free(a);
    }
    return true;
}

static bool
one_sample(
    struct verify *v, struct diag *d, const struct program *p, int k, int *same, bool *differs)
{
    struct graph *g = p->g;
    struct arena *a = arena_new();
    struct wanted w = { NEWN(a, const void *, g->nvalue + 1), a };
    const void **in = NEWN(a, const void *, g->ninput + 1);
    void **out = NEWN(a, void *, g->noutput + 1);
    struct machine m = { 0 };
    bool ok = machine_start(&m, p);

    for (int i = 0; ok && i < g->ninput; i++) {
        struct value *x = g->inputs[i];
        void *stored = arena_alloc(a, (size_t)shape_bytes(&x->type, 0));
        verify_input(x, v->samples[k].inputs[i], stored);
        in[i] = stored;
        layout_store(&x->type, stored, place_of(&m, x));
    }
    struct interp r = { .g = g, .inputs = in, .each = keep_wanted, .ctx = &w };
    ok = ok && interp_run(a, d, &r, out) && run_layers(v, &m, &v->samples[k], &w, same, differs);
    machine_end(&m);
    arena_free(a);
    return ok;
}

bool
verify_program(struct verify *v, struct diag *d, const struct program *p, bool *differs)
{
    int same = 0;

    *differs = false;
    for (int k = 0; k < v->n; k++)
        if (!one_sample(v, d, p, k, &same, differs))
            return false;
    fprintf(stderr, "verify: %d of %d layers identical on %d sample%s\n", same / (v->n ? v->n : 1),
        p->nlayer, v->n, v->n == 1 ? "" : "s");
    return true;
}
