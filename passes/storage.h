/* Which values share memory, and how they lie in it.
 *
 * A store is one piece of memory with axes, outermost first.  A value's place says,
 * for each of its axes, which axis of the store it walks, in what steps and from
 * where.  Views, joins and moves that change nothing put values into one store as long
 * as everything they need of it agrees: halos, rows without a gap, order. */
#ifndef PASSES_STORAGE_H
#define PASSES_STORAGE_H
#include "passes/passes.h"

struct store_axis {
    int64_t extent;
    int32_t before, after;       /* halo */
    bool tight;                  /* the next axis follows without gap or halo */
};

struct store {
    int rank, id;
    struct store_axis axis[MAX_RANK];
    int64_t elem;                /* bytes */
    enum fill fill;
    bool flat;                   /* no halo, no gaps */
    bool input, output;
    const struct value *first;   /* names it */
};

struct spot {
    struct store *store;
    int8_t axis[MAX_RANK];       /* of the store, for each axis of the value; -1: size 1 */
    int64_t step[MAX_RANK];      /* in elements of that axis */
    int64_t start[MAX_RANK];     /* by axis of the store */
};

struct storage {
    struct graph *g;
    struct arena *arena;
    const struct pass_options *opt;
    bool *image;                 /* by value */
    struct spot *spot;          /* by value; store NULL: constant, or not reached */
    uint32_t nvalue;
    int nstore;
};

/* Places every value in list order.  Views and joins must share: where one cannot,
 * `conflict` is told the node, the input, and whether a view makes an image: then the
 * copy has to come behind it.  A move that
 * may_share allows (NULL: none) and that can, does, and `shared` is told. */
struct storage_hooks {
    void (*conflict)(void *ctx, struct node *n, int input, bool image);
    bool (*may_share)(void *ctx, const struct node *n);
    void (*shared)(void *ctx, struct node *n);
    void *ctx;
};
void storage_find(struct storage *s, struct graph *g, struct arena *a,
                  const struct pass_options *opt, const struct storage_hooks *h);
/* Does v need a halo that a flat store cannot have? */
bool storage_needs_halo(const struct value *v);
/* Inputs and outputs that lie densely by option. */
bool storage_is_flat(const struct value *v, const struct pass_options *opt);

#endif
