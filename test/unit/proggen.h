/* Random kernel programs that end, and recordings of the commands programs give. */
#ifndef TEST_PROGGEN_H
#define TEST_PROGGEN_H
#include "backend/prog.h"

#define GEN_PARAMS 5
#define GEN_TABLE 8 /* entries of each of the two tables */

struct prog *gen_prog(struct arena *a, uint32_t seed);
/* Arguments and tables for it. */
struct prog_call gen_call(struct arena *a, uint32_t seed);

struct recording {
    struct isa_cmd *at;    /* a fence: funct 127 */
    int64_t n, cap, limit; /* limit: refuse command `limit`; 0: none */
    uint64_t instructions;
};
#define RECORDED_FENCE 127
/* False: the recorder refused. */
bool record(struct arena *a, const struct prog *p, const struct prog_call *c, struct recording *r);
bool recording_equal(const struct recording *a, const struct recording *b);

/* The same parameters, tables, variables and statements, notes included. */
bool prog_same(const struct prog *a, const struct prog *b);

#endif
