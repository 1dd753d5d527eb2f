/* Reads a timeline as viewers of it do, and prints a line for each track:
 *     slices PROCESS THREAD NUMBER FIRST-TIME SUM-OF-LENGTHS
 *     figures PROCESS NAME NUMBER LARGEST LAST
 * and one that begins with "bad" for whatever they would stumble over. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { TRACKS = 256 };

struct track {
    char name[128];
    int pid, tid;                    /* tid -1: figures */
    int n;
    double first, end, sum, most, last;
};

static struct track tracks[TRACKS];
static int ntrack;

static struct track *
track(int pid, int tid, const char *name)
{
    for (int i = 0; i < ntrack; i++)
        if (tracks[i].pid == pid && tracks[i].tid == tid
            && (tid >= 0 || strcmp(tracks[i].name, name) == 0))
            return &tracks[i];
    if (ntrack == TRACKS)
        return &tracks[0];
    tracks[ntrack] = (struct track) { .pid = pid, .tid = tid, .end = -1 };
    snprintf(tracks[ntrack].name, sizeof tracks->name, "%s", name);
    return &tracks[ntrack++];
}

/* Slices of a thread must not cross, and none may be nested here. */
static void
slice(const char *name, int pid, int tid, double ts, double length)
{
    struct track *t = track(pid, tid, "?");

    if (t->name[0] == '?')
        printf("bad: '%s' on thread %d, which has no name\n", name, tid);
    if (length < 0 || ts < t->end - 1e-6)
        printf("bad: '%s' on %s at %f, before %f\n", name, t->name, ts, t->end);
    if (!t->n++)
        t->first = ts;
    t->end = ts + length;
    t->sum += length;
}

static void
figure(const char *name, int pid, double ts, double value)
{
    struct track *t = track(pid, -1, name);

    if (ts <= t->end || value < 0)
        printf("bad: %s at %f is %f\n", name, ts, value);
    t->n++;
    t->end = ts;
    t->last = value;
    t->most = value > t->most ? value : t->most;
}

static void
event(json_t *e)
{
    const char *name = json_string_value(json_object_get(e, "name")),
               *kind = json_string_value(json_object_get(e, "ph")), *key, *of;
    int pid = (int)json_integer_value(json_object_get(e, "pid")),
        tid = (int)json_integer_value(json_object_get(e, "tid"));
    json_t *args = json_object_get(e, "args"), *value;
    double ts = json_number_value(json_object_get(e, "ts"));

    if (!name || !kind || pid < 1) {
        printf("bad: an event without name, kind or process\n");
    } else if (*kind == 'M') {
        of = json_string_value(json_object_get(args, "name"));
        if (strcmp(name, "thread_name") == 0)
            track(pid, tid, of ? of : "?");
    } else if (*kind == 'X') {
        slice(name, pid, tid, ts, json_number_value(json_object_get(e, "dur")));
    } else if (*kind == 'C') {
        json_object_foreach(args, key, value)
            figure(name, pid, ts, json_number_value(value));
    } else {
        printf("bad: an event of kind %s\n", kind);
    }
}

int
main(int argc, char **argv)
{
    json_error_t error;
    json_t *all = argc == 2 ? json_load_file(argv[1], JSON_REJECT_DUPLICATES, &error) : NULL, *e;
    size_t i;

    if (!all) {
        printf("bad: %s\n", argc == 2 ? error.text : "a file is wanted");
        return 1;
    }
    json_array_foreach(json_object_get(all, "traceEvents"), i, e)
        event(e);
    for (const struct track *t = tracks; t < tracks + ntrack; t++)
        if (t->tid < 0)
            printf("figures %d %s %d %.0f %.0f\n", t->pid, t->name, t->n, t->most, t->last);
        else
            printf("slices %d %s %d %.3f %.3f\n", t->pid, t->name, t->n, t->first, t->sum);
    json_decref(all);
    return 0;
}
