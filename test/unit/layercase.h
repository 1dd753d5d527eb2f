/* Random layers for the array, each a machine graph of one node with its inputs and
 * the result that plain loops give (layerref.c: nothing but round.h is shared with what
 * is tested).  The same seed makes the same layer everywhere. */
#ifndef TEST_LAYERCASE_H
#define TEST_LAYERCASE_H
#include "test/unit/layers.h"

struct layer_case {
    struct arena *arena;
    const struct target *target;
    uint32_t seed;
    struct graph *g;
    struct node *n;
    const int8_t *in[3]; /* of the graph's inputs; ends with NULL */
    int8_t *want;
    const char *text; /* what it is */
};
typedef void layer_maker(struct layer_case *c);

/* Dense, grouped and general groups; one in four with a max-pool on the way out. */
void case_conv(struct layer_case *c);
void case_depthwise(struct layer_case *c);
/* A constant right, a constant left, or two activations. */
void case_matmul(struct layer_case *c);
void case_add(struct layer_case *c);
void case_pool(struct layer_case *c);

/* Layers that no array takes, number `which`; false: no such number.  *why: a part of
 * the reason that has to be given. */
bool case_refused(struct layer_case *c, int which, const char **why);

/* A named size: a convolution of k x k with "same" padding, or with k 0 a product of
 * [w, c] and [c, o].  `want` stays NULL until case_expect. */
struct layer_shape {
    const char *name;
    int64_t c, h, w, o, k, stride, groups;
};
void case_shape(struct layer_case *c, const struct layer_shape *s, bool bias);
void case_expect(struct layer_case *c);

/* y, packed, of a node from its inputs that are no constants, packed. */
void layer_reference(struct arena *a, const struct node *n, const int8_t *const *in, int8_t *y);

#endif
