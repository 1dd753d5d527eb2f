/* One machine node in a graph of random operands and layouts, run on the core by its
 * runtime kernel (compiled for the host) and by the reference kernel of the operator. */
#ifndef TEST_CORECASE_H
#define TEST_CORECASE_H
#include "backend/backend.h"

struct core_case {
    struct arena *arena;
    struct diag *diag;
    uint32_t seed;
    struct graph *g;
    struct node *n;
    bool wild;         /* reals may be infinite or no numbers */
    const void *in[4]; /* of the graph's inputs, packed */
};

int64_t core_between(struct core_case *c, int64_t lo, int64_t hi);
#define CORE_PICK(c, ...) \
    core_pick(c, (const int64_t[]){ __VA_ARGS__ }, \
        sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t))
int64_t core_pick(struct core_case *c, const int64_t *list, size_t n);
/* n numbers between lo and hi. */
int64_t *core_list(struct core_case *c, int n, int64_t lo, int64_t hi);

void core_begin(struct core_case *c, uint32_t seed);
void core_end(struct core_case *c);

/* A type with random scale and zero point where it is int8 or `quant` says so. */
struct type core_type(
    struct core_case *c, enum dtype dt, int rank, const int64_t *dims, bool quant);
/* An input of the graph with random elements, in a random layout. */
struct value *core_input(struct core_case *c, const struct type *t);
/* A constant, packed. */
struct value *core_const(struct core_case *c, const struct type *t);
/* Random elements; reals of either sign around 1, now and then 0 or large. */
void *core_data(struct core_case *c, const struct type *t);
/* Makes the node, with an output of this type in a random layout. */
void core_node(struct core_case *c, const struct op_def *op, const void *attr,
    struct value *const *in, int nin, const struct type *out);

/* Checks that the operator takes the node, runs both kernels, compares bit for bit and
 * fails the test that differs; any NaN is as good as another. */
void core_check(struct core_case *c);

#endif
