/* A pass, declared once: a row of passes/passes.def or of a backend. */
#ifndef IR_PASS_H
#define IR_PASS_H
#include "ir/ir.h"

enum fact { FACT_TYPES = 1, FACT_ORDER = 2, FACT_RANGES = 4, FACT_LAYOUT = 8, FACT_BUFFERS = 16 };

/* Calibration inputs, one set at a time; the driver knows where from. */
struct feed {
    /* inputs: one packed buffer per graph input, to be filled.  False: no more. */
    bool (*next)(struct feed *f, const struct graph *g, void *const *inputs);
    void (*rewind)(struct feed *f);
    const char *what;            /* for messages */
    bool generated;              /* no real data: made up */
};

enum quant_mode { QUANT_AUTO, QUANT_KEEP, QUANT_INT8, QUANT_OFF };
enum calib_method { CALIB_MINMAX, CALIB_PERCENTILE };
enum io_mode { IO_AUTO, IO_FLOAT, IO_INT8, IO_KEEP };

struct pass_options {
    enum quant_mode quant;
    enum calib_method calib; double percentile;        /* 99.99 */
    int calib_limit;
    enum io_mode io;
    bool exact;
    int level;                   /* -O */
    long opt_limit;              /* -1: none; rewrites still allowed */
    int64_t arena_limit;         /* 0: none */
    const char *const *on_core;  /* patterns, NULL-terminated, or NULL */
    uint64_t seed;
    bool sched_full;             /* -O2 */
};

struct target;
struct backend;
struct m_pool_attr;
struct pass_ctx {
    struct graph *g;
    struct arena *arena;
    struct diag *diag;
    const struct target *target;
    const struct backend *backend;
    struct pass_options *opt;
    struct feed *feed;
    void (*progress)(const char *what, long done, long total);
    /* May the array max-pool on the way out of this m.conv?  NULL: never. */
    bool (*can_pool)(const struct node *conv, const struct m_pool_attr *p, const struct target *t);
};
/* True if one more optional rewrite may be done; counts it (--opt-limit). */
static inline bool pass_may_rewrite(struct pass_ctx *c)
{
    return c->opt->opt_limit < 0 || c->opt->opt_limit-- > 0;
}

struct pass {
    const char *name, *doc;
    int level;                   /* 0 always, 1 -O1, 2 -O2 */
    unsigned needs, gives, breaks;
    unsigned from, to;           /* stages it runs in; stage it leaves (0: the same) */
    bool (*run)(struct pass_ctx *);
};

#endif
