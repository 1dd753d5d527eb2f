/* Small networks for the tests of passes: one operator or a knot of them each. */
#ifndef TEST_PASSES_NETS_H
#define TEST_PASSES_NETS_H
#include "ir/pass.h"

struct net {
    struct arena *a;
    struct graph *g;
    uint64_t seed;
};

struct net_row {
    const char *name;
    void (*build)(struct net *n);
    int steps;                   /* how far int8 may be from its definition; 0: 1 */
};
extern const struct net_row net_rows[];                /* ends with a NULL name */

struct graph *net_build(struct arena *a, const struct net_row *r, uint64_t seed);
float net_random(uint64_t *seed, float lo, float hi);
/* Calibration inputs even between lo and hi. */
struct feed *net_feed(struct arena *a, float lo, float hi, int sets);

#endif
