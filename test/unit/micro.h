/* Figures measured on RTL, one a row: what timing.md 1.4 to 1.7 and section 2 of
 * schedules.md say about single units (default array, L2 warm or as the row says), and
 * the stream of commands that measures the same in the model.  Tests hold all rows,
 * `make bench` prints them. */
#ifndef TEST_UNIT_MICRO_H
#define TEST_UNIT_MICRO_H
#include <stdbool.h>
#include <stdint.h>

enum micro_unit {
    MICRO_EACH,                      /* cycles per item: within 5 % */
    MICRO_ONCE,                      /* of one stream, fence included: 5 %, or 6 cycles */
};

struct micro {
    const char *section, *what;
    double rtl;
    enum micro_unit unit;
    double loose;                    /* in %, where the model is known to be further off */
    int64_t latency;                 /* LAT of timing.md; 0: 30 */
    double (*measure)(const struct micro *m);
    /* What that function moves or multiplies. */
    unsigned rows, cols, kind;
    uint64_t stride, off;
    uint32_t local;
    const unsigned *segments;        /* rows of each pair of a run, then 0 */
};

extern const struct micro micros[];
extern const int micro_count;

/* In a machine of its own; cycles. */
double micro_measure(const struct micro *m);
/* The window of acceptance, in cycles to either side. */
double micro_window(const struct micro *m);

/* A machine of before, its cache full of lines nobody wants. */
void micro_open(int64_t latency);
void micro_fresh(void);
/* Cycles since start, with the final fence. */
void micro_start(void);
double micro_stop(void);
/* Pairs of 16 rows that change weights; moves in of 16 cold lines each. */
void micro_flips(int n);
void micro_cold_lines(int n);

#endif
