/* What the rule files share: strict.c (life, CONFIG, which command), strict_move.c
 * (moves and memory) and strict_pair.c (preloads and computes). */
#ifndef SIM_STRICT_H
#define SIM_STRICT_H
#include "sim/hazard.h"
#include "sim/internal.h"
#include "sim/loops.h"

/* Who uses the local memories. */
enum user { NOBODY, COMMANDS, LOOPS_WS, LOOPS_CONV };

struct judge {
    bool ex_set, st_set, ld_set[LOADS];
    bool open, real, weights;        /* a preload waits; of weights; there are some */
    uint64_t b, c;                   /* its operands */
    struct row_marks sp, acc;
    struct byte_marks read, stored;  /* by mvins, by mvouts */
    struct byte_marks core;          /* written by the core itself */
    bool moved;                      /* since the last fence there was a move */
    uint32_t epoch;                  /* one more with every fence; from 1 */
    /* loops */
    enum user last;                  /* of the local memories since the last fence */
    unsigned sent[2];                /* configuration commands since the last run */
    bool unrolling;                  /* the command comes from a loop */
    bool st_stale, ex_stale;         /* changed by a loop */
    bool chain, conv_open;           /* a loop without a store; of convolutions, its bias */
    struct chain { bool conv; int64_t size[4]; } shape;
};

/* One question: may `c` run now? */
struct question {
    const struct hart *h;
    const struct judge *j;
    const struct target *t;
    const struct isa_cmd *c;
    char *detail;
    size_t size;
};

/* Local rows of one operand or block. */
struct span {
    bool acc;
    int64_t row, n;
};

/* Runs the checks in turn until one finds something. */
#define TRY(check) \
    do { \
        enum sim_rule broken_ = (check); \
        if (broken_ != SIM_OK) \
            return broken_; \
    } while (0)

/* ---- strict.c */
enum sim_rule judge_broke(const struct question *q, enum sim_rule rule, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
struct span judge_span(const struct question *q, uint32_t laddr, int64_t n);
bool judge_garbage(const struct question *q, uint32_t laddr);
/* Rows and columns of an operand are 1 to so many. */
enum sim_rule judge_size(const struct question *q, uint64_t op, int64_t rows, int64_t cols);
/* Bits other than the row and those in `allowed` are 0. */
enum sim_rule judge_bits(const struct question *q, uint32_t laddr, uint32_t allowed);
enum sim_rule judge_range(const struct question *q, struct span s);
enum sim_rule judge_written(const struct question *q, struct span s);
/* A tracked command used these rows, so far as they exist. */
void judge_use(struct row_marks *m, int64_t row, int64_t n);

/* ---- strict_move.c */
enum sim_rule judge_mvin(const struct question *q);
enum sim_rule judge_mvout(const struct question *q);
void judge_mvin_done(struct hart *h, const struct isa_cmd *c);
void judge_mvout_done(struct hart *h, const struct isa_cmd *c);

/* ---- strict_core.c */
/* The core wrote none of these bytes since its last fence. */
enum sim_rule judge_core_wrote(const struct question *q, uint64_t addr, uint64_t n);

/* ---- strict_pair.c */
enum sim_rule judge_preload(const struct question *q);
enum sim_rule judge_compute(const struct question *q);
void judge_preload_done(struct hart *h, const struct isa_cmd *c);
void judge_compute_done(struct hart *h, const struct isa_cmd *c);

/* ---- strict_loop.c */
enum sim_rule judge_loop(const struct question *q);
/* A command of its own, after or before loops. */
enum sim_rule judge_no_loop(const struct question *q);
void judge_loop_config_done(struct hart *h, const struct isa_cmd *c);
/* A command of its own was executed. */
void judge_alone(struct hart *h, const struct isa_cmd *c);
/* Rows and bytes of a mvin exist, whatever is in them. */
enum sim_rule judge_mvin_memory(const struct question *q);

#endif
