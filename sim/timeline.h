/* A timeline as JSON, in the form that Perfetto and Chrome's tracing page open. */
#ifndef SIM_TIMELINE_H
#define SIM_TIMELINE_H
#include "sim/sim.h"

struct timeline;

struct timeline_config {
    const char *path;
    int harts;
    enum sim_detail detail;
    int64_t lanes;                   /* of moves in that overlap */
    double clock_mhz;                /* real time at this clock; 0: a cycle is a microsecond */
    char *const *layers; int nlayer; /* names by number */
};

/* NULL: it cannot be written. */
struct timeline *timeline_open(const struct timeline_config *c);
/* For sim_config.event. */
void timeline_event(const struct sim_event *e, void *timeline);
/* False: it could not be written. */
bool timeline_close(struct timeline *t);

#endif
