/* Reports of measured layers, and counters. */
#include "src/driver/run_report.h"

#include <stdio.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/machine/target.h"
#include "src/report/report.h"

/* ---- layers */

static const struct sim_layer_stats *
measured(const struct qemu_result *x, int number)
{
    for (int i = 0; i < x->nlayer; i++)
        if (x->layers[i].stats.number == number)
            return &x->layers[i].stats;
    return NULL;
}

/* Where most of the cycles went.  The array waits for the core when it lacks commands, and
 * when it has no time of its own because the core has not begun to give any. */
static const char *
limit(const struct sim_layer_stats *s)
{
    const struct { const char *name; uint64_t cycles; } part[] = {
        { "array", s->array + s->stall_bank },
        { "memory", s->stall_operands },
        { "store", s->stall_store },
        { "fence", s->stall_fence },
    };
    enum { PARTS = sizeof part / sizeof *part };
    uint64_t known = 0;
    int most = 0;

    for (int i = 0; i < PARTS; i++) {
        known += part[i].cycles;
        if (part[i].cycles > part[most].cycles)
            most = i;
    }
    return known < s->cycles && s->cycles - known > part[most].cycles ? "core" : part[most].name;
}

static void
add_measured(struct report_layer *l, const struct sim_layer_stats *s)
{
    l->limit = limit(s);
    l->measured = s->cycles;
    l->array_cycles = s->array;
    l->core_cycles = s->core;
    l->bytes_in = s->bytes_in;
    l->bytes_out = s->bytes_out;
    l->stall_operands = s->stall_operands;
    l->stall_commands = s->stall_commands;
    l->stall_store = s->stall_store;
    l->stall_fence = s->stall_fence;
    l->stall_bank = s->stall_bank;
}

bool
run_report(struct arena *a, struct diag *d, const struct command_line *c, const struct meta *m,
    const struct target *t, const struct qemu_result *x)
{
    struct report r = { .program = m->name,
        .target = t->name,
        .n = m->nlayer,
        .peak = (double)(t->dim * t->dim),
        .clock_mhz = t->clock_mhz };

    r.layers = NEWN(a, struct report_layer, m->nlayer + 1);
    for (int i = 0; i < m->nlayer; i++) {
        const struct meta_layer *l = &m->layers[i];
        const struct sim_layer_stats *s = measured(x, i);
        r.layers[i] = (struct report_layer){ .number = i,
            .name = l->name,
            .op = l->op,
            .on = l->on,
            .output = l->output,
            .schedule = l->schedule,
            .why = l->why,
            .limit = l->limit,
            .macs = l->macs,
            .estimate = l->estimate };
        if (s)
            add_measured(&r.layers[i], s);
    }
    for (int i = 0; i < c->n; i++)
        if (c->at[i].id == OPT_RUN_REPORT && !report_write(&r, a, d, c->at[i].value))
            return false;
    return true;
}

/* ---- counters */

static bool
is_wanted(const char *names, const struct qemu_counter *c)
{
    size_t n = strlen(c->name);

    if (!names)
        return c->value != 0;
    for (const char *s = names; s; s = strchr(s, ','), s = s ? s + 1 : NULL)
        if (strncmp(s, c->name, n) == 0 && (s[n] == ',' || !s[n]))
            return true;
    return false;
}

/* Those that were asked for by name and that the model does not count. */
static void
show_uncounted(const char *names, const struct qemu_result *x)
{
    for (const char *s = names; s && *s; s += strcspn(s, ",") + (s[strcspn(s, ",")] == ',')) {
        size_t n = strcspn(s, ",");
        int i = 0;
        while (i < x->ncounter
            && (strlen(x->counters[i].name) != n || strncmp(x->counters[i].name, s, n) != 0))
            i++;
        if (i == x->ncounter)
            printf("- %-32.*s %14s\n", (int)n, s, "not counted");
    }
}

void
run_counters(const struct qemu_result *x, const char *names)
{
    for (int i = 0; i < x->ncounter; i++)
        if (is_wanted(names, &x->counters[i]))
            printf("%d %-32s %14llu\n", x->counters[i].hart, x->counters[i].name,
                (unsigned long long)x->counters[i].value);
    show_uncounted(names, x);
}
