/* Modelled speed of layers of known sizes, cold, in process: what the array could do,
 * what the compiler estimated, what the device model says and where the rest went; then
 * how fast the device model itself is.  Judges nothing.
 * Usage: shapes [TARGET] */
#include <stdio.h>

#include "test/unit/layercase.h"

#define CONV(c, size, o, k, stride) { NULL, c, size, size, o, k, stride, 1 }
#define DEPTH(c, size, stride) { NULL, c, size, size, c, 3, stride, c }
#define MATMUL(m, k, n) { NULL, k, 1, m, n, 0, 1, 1 }

static const struct part {
    const char *name;
    struct layer_shape at[24];
} parts[] = {
    { "products",
        { MATMUL(512, 512, 512), MATMUL(128, 768, 768), MATMUL(128, 768, 3072),
            MATMUL(128, 3072, 768), MATMUL(1, 2048, 1024), MATMUL(1, 768, 768) } },
    { "ResNet-50",
        { CONV(3, 224, 64, 7, 2), CONV(64, 56, 64, 1, 1), CONV(256, 56, 64, 1, 1),
            CONV(64, 56, 64, 3, 1), CONV(64, 56, 256, 1, 1), CONV(256, 56, 128, 1, 1),
            CONV(128, 56, 128, 3, 2), CONV(512, 28, 128, 1, 1), CONV(128, 28, 128, 3, 1),
            CONV(128, 28, 512, 1, 1), CONV(256, 56, 512, 1, 2), CONV(512, 28, 256, 1, 1),
            CONV(256, 28, 256, 3, 2), CONV(1024, 14, 256, 1, 1), CONV(256, 14, 256, 3, 1),
            CONV(256, 14, 1024, 1, 1), CONV(512, 28, 1024, 1, 2), CONV(1024, 14, 512, 1, 1),
            CONV(512, 14, 512, 3, 2), CONV(2048, 7, 512, 1, 1), CONV(512, 7, 512, 3, 1),
            CONV(512, 7, 2048, 1, 1), CONV(1024, 14, 2048, 1, 2) } },
    { "MobileNet",
        { CONV(3, 224, 32, 3, 2), DEPTH(32, 112, 1), DEPTH(64, 112, 2), DEPTH(128, 56, 1),
            DEPTH(128, 56, 2), DEPTH(144, 56, 1), DEPTH(256, 28, 1), DEPTH(384, 14, 1),
            DEPTH(512, 14, 1), DEPTH(1024, 7, 1) } },
};

static const char *
name_of(struct arena *a, const struct layer_shape *s)
{
    if (!s->k)
        return arena_printf(a, "%lldx%lldx%lld", (long long)s->w, (long long)s->c, (long long)s->o);
    return arena_printf(a, "%lld^2x%lld->%lld k%lld s%lld%s", (long long)s->h, (long long)s->c,
        (long long)s->o, (long long)s->k, (long long)s->stride, s->groups > 1 ? " dw" : "");
}

/* Shares of the cycles, in per mille, that the clock put down to each cause. */
static void
print_stalls(const struct layer_run *r)
{
    const struct sim_layer_stats *s = &r->stats;
    const struct {
        const char *name;
        uint64_t n;
    } causes[] = {
        { "operands", s->stall_operands },
        { "commands", s->stall_commands },
        { "store", s->stall_store },
        { "fence", s->stall_fence },
        { "bank", s->stall_bank },
    };

    for (int i = 0; i < 5; i++)
        if (causes[i].n * 200 > r->cycles)
            printf(" %s %.1f%%", causes[i].name, 100.0 * (double)causes[i].n / (double)r->cycles);
}

static bool
run(const struct target *t, const struct layer_shape *s, bool bias, bool timing,
    struct layer_run *r, struct arena *a)
{
    struct diag *d = diag_new(a, &(struct diag_config){ .to = stderr });
    struct layer_case c = { .arena = a, .target = t, .seed = 5 };
    struct layer_shape named = *s;

    named.name = name_of(a, s);
    case_shape(&c, &named, bias);
    bool ok = layer_run(a, d, c.g, t, c.in, timing, r);
    if (!ok)
        printf("%-26s refused: %s\n", named.name, r->violation);
    diag_flush(d);
    diag_free(d);
    return ok;
}

/* The cycles, 0 when it failed. */
static uint64_t
line(const struct target *t, const struct layer_shape *s, bool bias)
{
    struct arena *a = arena_new();
    struct layer_run r;

    if (!run(t, s, bias, true, &r, a)) {
        arena_free(a);
        return 0;
    }
    const struct kernel *k = r.program->layers[0];
    double ideal = (double)k->macs / (double)(t->dim * t->dim), cycles = (double)r.cycles;
    printf("%-26s %-4s %9.0f %9llu %+6.1f%% %9llu %6.1f%% %6.1f  %-6s", name_of(a, s),
        bias ? "bias" : "", ideal, (unsigned long long)k->cost.cycles,
        100.0 * ((double)k->cost.cycles - cycles) / cycles, (unsigned long long)r.cycles,
        100.0 * ideal / cycles, (double)k->macs / cycles, limit_name(k->cost.limit));
    printf(" array %5.1f%%", 100.0 * (double)r.stats.array / cycles);
    print_stalls(&r);
    printf("  (%s%s)\n", sched_text(a, &k->schedule), k->prog ? "" : k->why);
    fflush(stdout);
    arena_free(a);
    return r.cycles;
}

/* The device model: without and with its clock. */
static void
device(const struct target *t)
{
    static const struct layer_shape shape = MATMUL(512, 512, 512);

    for (int timing = 0; timing < 2; timing++) {
        struct arena *a = arena_new();
        struct layer_run r;
        if (run(t, &shape, true, timing, &r, a)) {
            double macs = (double)r.program->layers[0]->macs;
            printf("device model %s clock: %.2f s, %.0f million MAC/s, %.2f million commands/s\n",
                timing ? "with" : "without", r.seconds, macs / r.seconds / 1e6,
                (double)r.stats.commands / r.seconds / 1e6);
        }
        arena_free(a);
    }
}

int
main(int argc, char **argv)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new(a, &(struct diag_config){ .to = stderr });
    const struct target *t = target_load(a, d, argc > 1 ? argv[1] : "gemmini-16", NULL);

    diag_flush(d);
    if (!t)
        return 1;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        uint64_t sum[2] = { 0 };
        printf("%s\n%-26s %-4s %9s %9s %7s %9s %7s %6s  %s\n", parts[i].name, "layer", "", "ideal",
            "estimate", "off by", "cycles", "of peak", "MAC/c",
            "limit, cycles with a busy array, stalls");
        for (const struct layer_shape *s = parts[i].at; s->c; s++)
            for (int bias = 0; bias < 2; bias++)
                sum[bias] += line(t, s, bias);
        printf("%s: %llu cycles, %llu with bias\n\n", parts[i].name, (unsigned long long)sum[0],
            (unsigned long long)sum[1]);
    }
    device(t);
    diag_free(d);
    arena_free(a);
    return 0;
}
