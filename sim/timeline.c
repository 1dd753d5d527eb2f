/* Writes a timeline, an event a line.  A process stands for a hart and a thread for a
 * unit; both count from 1, since viewers take 0 for the idle task of a machine. */
#include "sim/timeline.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { LANES = 100 };                /* threads of a unit, of which most need one */

struct timeline {
    struct timeline_config c;
    FILE *f;
};

/* ---- pieces of JSON */

static void
quoted(FILE *f, const char *s)
{
    fputc('"', f);
    for (; *s; s++)
        if ((unsigned char)*s < ' ')
            fputc(' ', f);
        else if (*s == '"' || *s == '\\')
            fprintf(f, "\\%c", *s);
        else
            fputc(*s, f);
    fputc('"', f);
}

/* Microseconds to the picosecond. */
static uint64_t
picoseconds(const struct timeline *t, uint64_t cycles)
{
    return (uint64_t)llround((double)cycles * 1e6 / t->c.clock_mhz);
}

static void
microseconds(const struct timeline *t, uint64_t ps)
{
    fprintf(t->f, "%" PRIu64 ".%06" PRIu64, ps / 1000000, ps % 1000000);
}

static void
start_of(const struct timeline *t, const struct sim_event *e)
{
    fputs(",\"ts\":", t->f);
    if (t->c.clock_mhz > 0)
        microseconds(t, picoseconds(t, e->start));
    else
        fprintf(t->f, "%" PRIu64, e->start);
}

/* Ends and beginnings that meet do so after rounding, too. */
static void
length_of(const struct timeline *t, const struct sim_event *e)
{
    fputs(",\"dur\":", t->f);
    if (t->c.clock_mhz > 0)
        microseconds(t, picoseconds(t, e->end) - picoseconds(t, e->start));
    else
        fprintf(t->f, "%" PRIu64, e->end - e->start);
}

static int
thread(enum sim_track track, int lane)
{
    return (int)track * LANES + lane + 1;
}

/* ---- the beginning: names of the tracks */

static void
name(const struct timeline *t, const char *what, int hart, int tid, const char *text, int number)
{
    fprintf(t->f, "%s\n{\"name\":\"%s\",\"ph\":\"M\",\"pid\":%d,", hart || tid ? "," : "", what,
        hart + 1);
    if (tid)
        fprintf(t->f, "\"tid\":%d,", tid);
    fprintf(t->f, "\"args\":{\"name\":\"%s", text);
    if (number >= 0)
        fprintf(t->f, " %d", number);
    fputs("\"}}", t->f);
}

static void
names(const struct timeline *t, int hart)
{
    static const char *const tracks[] = { "layers", "core", "load", "execute", "store",
        "array waits for" };
    int last = t->c.detail == SIM_DETAIL_LAYER ? SIM_TRACK_LAYER : SIM_TRACK_WAIT;

    name(t, "process_name", hart, 0, "hart", hart);
    for (int i = 0; i <= last; i++) {
        bool many = i == SIM_TRACK_LOAD && t->c.detail == SIM_DETAIL_COMMAND && t->c.lanes > 1;
        for (int lane = 0; lane < (many ? t->c.lanes : 1); lane++)
            name(t, "thread_name", hart, thread((enum sim_track)i, lane), tracks[i],
                many ? lane : -1);
    }
}

struct timeline *
timeline_open(const struct timeline_config *c)
{
    struct timeline *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->c = *c;
    t->f = fopen(c->path, "w");
    if (!t->f) {
        free(t);
        return NULL;
    }
    fprintf(t->f, "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"1 us\":\"%s\"},\"traceEvents\":[",
        c->clock_mhz > 0 ? "1 us" : "1 cycle");
    for (int h = 0; h < c->harts; h++)
        names(t, h);
    return t;
}

/* ---- events */

static const char *
title(const struct timeline *t, const struct sim_event *e)
{
    static const char *const tracks[] = { "layer", "core", "mvin", "products", "mvout", "",
        "memory", "scratchpad rows", "accumulator rows" };
    static const char *const waits[] = { "operands", "commands", "stores", "fence" };

    if (e->track == SIM_TRACK_LAYER && e->layer >= 0 && e->layer < t->c.nlayer)
        return t->c.layers[e->layer];
    return e->track == SIM_TRACK_WAIT ? waits[e->wait] : tracks[e->track];
}

static void
arguments(const struct timeline *t, const struct sim_event *e)
{
    const char *n = e->track == SIM_TRACK_EXECUTE ? "rows" : "bytes";

    fprintf(t->f, ",\"args\":{\"layer\":%d", e->layer);
    if (e->track == SIM_TRACK_LAYER)
        fprintf(t->f, ",\"commands\":%" PRIu64, e->commands);
    else if (e->track != SIM_TRACK_CORE && e->track != SIM_TRACK_WAIT)
        fprintf(t->f, ",\"command\":%" PRIu64 ",\"commands\":%" PRIu64 ",\"%s\":%" PRIu64,
            e->index, e->commands, n, e->n);
    fputs("}}", t->f);
}

void
timeline_event(const struct sim_event *e, void *timeline)
{
    const struct timeline *t = timeline;
    bool figure = e->track >= SIM_TRACK_MEMORY;

    fputs(",\n{\"name\":", t->f);
    quoted(t->f, title(t, e));
    fprintf(t->f, ",\"ph\":\"%c\",\"pid\":%d", figure ? 'C' : 'X', e->hart + 1);
    if (!figure)
        fprintf(t->f, ",\"tid\":%d", thread(e->track, e->lane));
    start_of(t, e);
    if (figure) {
        fprintf(t->f, ",\"args\":{\"%s\":%" PRIu64 "}}",
            e->track == SIM_TRACK_MEMORY ? "bytes" : "rows", e->n);
        return;
    }
    length_of(t, e);
    arguments(t, e);
}

bool
timeline_close(struct timeline *t)
{
    bool bad;

    fputs("\n]}\n", t->f);
    bad = ferror(t->f);
    bad = fclose(t->f) || bad;
    free(t);
    return !bad;
}
