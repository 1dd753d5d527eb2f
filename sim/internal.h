/* What the files of the device model share; nobody outside sim/ includes it.
 *
 * Layers: sim.c takes events and hands each command to strict.c (may it?), exec.c
 * (what it does) and time.c (when).  exec.c knows nothing of the other two. */
#ifndef SIM_INTERNAL_H
#define SIM_INTERNAL_H
#include "sim/sim.h"

struct hart;
struct clock;                        /* time.c */
struct counters;                     /* count.c */
struct l2;                           /* l2.c */
struct l1;                           /* l1.c */
struct judge;                        /* strict.c */

/* ---- local memory and DRAM (mem.c) */

struct local {                       /* one of the two local memories of a hart */
    uint8_t *bytes;
    int64_t rows, pitch;             /* pitch: bytes of a row */
};

enum { LOADS = 3 };                  /* load states */

/* Local addresses of a target; the row field's width follows from the memories. */
struct layout {
    uint32_t row_mask, garbage;      /* garbage: the bits that are all one in it */
};

void layout_init(struct layout *l, const struct target *t);

static inline bool
layout_garbage(const struct layout *l, uint32_t laddr)
{
    return (laddr & l->garbage) == l->garbage;
}

/* ---- arithmetic of one kind of array (int8.c, f32.c, f16.c, bf16.c).  A row has
 * `dim` elements; wide values are what partial sums and weights are kept in, 4 bytes
 * each, and of the accumulator's type. */
struct arith {
    /* Rows of zeros count too, since they turn a sum of -0 into +0. */
    bool whole;
    /* The scale in CONFIG_LD's 32 bits; NULL: a float. */
    float (*load_scale)(uint32_t bits);
    /* dst = src * scale, element type. */
    void (*scale)(void *dst, const void *src, int64_t n, float scale);
    /* acc = or += elements (widened) or accumulator values times scale. */
    void (*widen)(void *acc, const void *elem, int64_t n, bool add);
    void (*load)(void *acc, const void *src, int64_t n, float scale, bool add);
    /* Elements of accumulator values. */
    void (*out)(void *elem, const void *acc, int64_t n, bool relu, float scale);
    /* best = max(best, x). */
    void (*max)(void *best, const void *x, int64_t n);
    /* wide = elements; n of them. */
    void (*to_wide)(void *wide, const void *elem, int64_t n);
    /* sum[0..pitch) += a[0..k) * w, w of `k` rows of `pitch`; `wire` bits are kept. */
    void (*multiply)(void *sum, const void *a, int64_t k, const void *w, int64_t pitch,
        unsigned wire);
    /* Shift of output-stationary results. */
    void (*shift)(void *wide, int64_t n, unsigned shift);
    /* Wide values, unscaled, into the accumulator and into the scratchpad. */
    void (*to_acc)(void *acc, const void *wide, int64_t n, bool add);
    void (*to_elem)(void *elem, const void *wide, int64_t n, bool relu);
};

extern const struct arith arith_int8, arith_f32, arith_f16, arith_bf16;
const struct arith *arith_of(const struct target *t); /* NULL: not modelled */

/* What every float array does beside its accumulator (f32.c). */
void f32_add(void *acc, const void *wide, int64_t n, bool add);
void f32_load(void *acc, const void *src, int64_t n, float scale, bool add);
void f32_out(void *elem, const void *acc, int64_t n, bool relu, float scale);
void f32_shift(void *wide, int64_t n, unsigned shift);
void f32_to_elem(void *elem, const void *wide, int64_t n, bool relu);

/* Lines (+ 1) that a cache of the core holds, for a quick look at most of them. */
enum { SEEN = 256 };
struct seen { uint64_t line[SEEN], last; };

static inline bool
seen_has(const struct seen *s, uint64_t line)
{
    return s->line[line % SEEN] == line + 1;
}

/* ---- a timeline (trace.c) */
struct origin { int layer; uint64_t index; }; /* of a command: within its layer */
struct trace_run { struct sim_event e; int part; };
struct trace {
    struct trace_run run[SIM_TRACKS];    /* work with no gap so far */
    int64_t window;                  /* of memory traffic */
    uint64_t bytes;
    int64_t lane[64];                /* of moves in: taken until */
};

/* ---- state of the array of one hart */

struct mesh {
    void *staged, *loaded;           /* weights (WS) or sums (OS), wide, dim rows */
    void *sums;                      /* results of one compute */
    uint8_t *tile;                   /* one dense operand, dim x dim elements */
    uint8_t *row;                    /* scratch row of a line */
    uint8_t *best;                   /* the same, for pooling */
    int64_t pitch;                   /* wide values in a row */
    bool open, real;                 /* a preload waits; its first operand is real */
    uint64_t c;                      /* its destination operand */
};

/* Normalisations: constants, and statistics of a row (norm.c). */
enum { NORM_STATS = 2, NORM_LAYER = 2, NORM_SOFTMAX = 4 };

struct norm {
    unsigned stat;                   /* which statistics are in use */
    bool softmax;
    int32_t ln2, ln2_inv, qb, qc;
};

struct norm_stat {
    int32_t sum, running, max, mean;
    int64_t count;
    float factor;
};

/* What CONFIG commands set. */
struct regs {
    struct isa_config_ld ld[LOADS];
    struct isa_config_ex ex;
    struct isa_config_st st;
    struct norm norm;
};

/* Configuration of the loops as it came: two slots, taken in turn.  Each keeps what
 * it was told before. */
struct loop_slots {
    uint64_t ws[2][6][2], conv[2][6][2];
    int ws_slot, conv_slot;
    int ws_acc, conv_acc;            /* halves of the accumulator */
};

struct hart {
    struct sim *s;
    int number;
    struct local sp, acc;
    struct regs regs;
    struct norm_stat stat[NORM_STATS];
    struct loop_slots loops;
    struct mesh mesh;
    struct judge *judge;             /* NULL without strict mode */
    struct clock *clock;             /* NULL without timing */
    struct l1 *l1;                   /* the same */
    struct seen data, dirty, code;   /* of it */
    struct counters *counters;
    struct trace trace;
    struct live *live;               /* NULL unless there is one */
    struct sim_layer_stats *layers;
    struct sim_layer_stats base;     /* the clock's sums at the last mark */
    int nlayers, layers_cap;
    bool layer_open;                 /* the last of them still runs */
    int timed;                       /* of them, the one that time has come to; -1: none */
    int layer;                       /* number now, -1: none */
    uint64_t index;                  /* of the next command within the layer */
    int told[SIM_RULES];             /* the last layer a rule was reported for */
};

struct sim {
    struct sink sink;                /* first: sim_sink is this */
    struct sim_config config;
    const struct target *t;
    const struct arith *arith;
    struct layout layout;
    int64_t elem_bytes, acc_bytes;
    int64_t line;                    /* columns of one move of elements */
    int nharts;
    struct hart *harts;
    struct l2 *l2;                   /* NULL without timing */
    unsigned line_shift;             /* of an address to its line */
    bool moved;                      /* a judge: some hart moved since its last fence */
};

/* ---- mem.c */

/* Host address of guest bytes [addr, addr + n), or NULL if any lies outside. */
static inline uint8_t *
mem_dram(const struct sim *s, uint64_t addr, uint64_t n)
{
    const struct sim_memory *m = &s->config.memory;
    uint64_t off = addr - m->base;

    return off < m->size && n <= m->size - off ? m->bytes + off : NULL;
}

/* A row by number, which wraps as in the hardware. */
static inline uint8_t *
mem_row(const struct local *l, uint64_t row)
{
    uint64_t rows = (uint64_t)l->rows;

    return l->bytes + (row < rows ? row : row % rows) * (uint64_t)l->pitch;
}

bool mem_init(struct hart *h);       /* false: no memory */
void mem_reset(struct hart *h);
void mem_free(struct hart *h);

/* ---- exec.c */

/* Does it, with every size clamped to what the hardware can hold. */
void exec_command(struct hart *h, const struct isa_cmd *c);
void exec_reset(struct hart *h);
/* CONFIG_LD as this kind of array reads it. */
struct isa_config_ld exec_decode_ld(const struct sim *s, const struct isa_cmd *c);
/* The load state a move in uses. */
static inline int
exec_load_state(unsigned funct)
{
    return funct == ISA_MVIN ? 0 : funct == ISA_MVIN2 ? 1 : 2;
}
/* Multiply-accumulates of real operands of a compute about to run. */
uint64_t exec_macs(const struct hart *h, const struct isa_cmd *c);
/* Bytes moved to or from DRAM by a move about to run. */
uint64_t exec_bytes(const struct hart *h, const struct isa_cmd *c);

/* ---- norm.c */
void norm_config(struct hart *h, const struct isa_cmd *c);
void norm_reset(struct hart *h);
/* The activation of a store is one of these. */
bool norm_acts(const struct hart *h);
/* n values of a row for its statistics; `last`: the row is complete. */
void norm_collect(struct hart *h, unsigned how, const void *acc, int64_t n, bool last);
/* n elements of a row, normalised; and then the row has been stored. */
void norm_out(struct hart *h, void *elem, const void *acc, int64_t n, float scale);
void norm_stored(struct hart *h);
static inline bool
norm_there(const struct sim *s)
{
    return s->t->has_norms && s->t->elem == DT_I8;
}
/* How a store treats what it reads; 0: it goes to memory. */
static inline unsigned
norm_command(const struct hart *h, uint32_t laddr)
{
    return norm_there(h->s) && laddr & ISA_ACC && !(laddr & ISA_FULL) ? laddr >> 26 & 7 : 0;
}
/* Of a block but the last of its row. */
static inline unsigned
norm_unfinished(unsigned how)
{
    return how == 2 || how == 4 || how == 7 ? how - 1 : how;
}

/* ---- strict.c */

struct judge *judge_new(struct hart *h);
void judge_free(struct judge *j);
void judge_reset(struct judge *j);
/* The first rule the command breaks, numbers in detail; SIM_OK: none. */
enum sim_rule judge_command(struct hart *h, const struct isa_cmd *c, char *detail, size_t n);
/* It was executed: what later commands are held against. */
void judge_done(struct hart *h, const struct isa_cmd *c);
void judge_fence(struct hart *h);
/* The same for the core's own loads and stores.  The memory holds them. */
enum sim_rule judge_access(struct hart *h, const struct sim_access *x, char *detail, size_t n);
/* What the model cannot do in any mode. */
enum sim_rule judge_hard(const struct hart *h, const struct isa_cmd *c, char *detail, size_t n);
/* A loop runs: its commands follow, `unused` rows of each mvin are read by nobody. */
struct loop;
void judge_loop_begin(struct hart *h, const struct loop *l);
enum sim_rule judge_unrolled(struct hart *h, const struct isa_cmd *c, int64_t unused,
    char *detail, size_t n);
void judge_unrolled_done(struct hart *h, const struct isa_cmd *c, int64_t unused);
void judge_loop_end(struct hart *h, const struct loop *l);

/* ---- stats.c */
void stats_layer(struct hart *h, int number);
/* Time has come to the layer of this record, or to the end of the last (-1). */
void stats_timed(struct hart *h, int record);
/* Number of the layer that time is in, -1: none. */
int stats_number(const struct hart *h);
void stats_command(struct hart *h, const struct isa_cmd *c);
/* What a command moves and multiplies, also one from a loop. */
void stats_work(struct hart *h, const struct isa_cmd *c);
const struct sim_layer_stats *stats_all(struct hart *h, int *n);

/* ---- trace.c: more of it in clock.h */
void trace_layer(struct hart *h, const struct sim_layer_stats *l);
void trace_core(struct hart *h, int64_t from, int64_t to);
void trace_wait(struct hart *h, enum sim_wait why, int64_t from, int64_t to);
void trace_memory(struct hart *h, int64_t at, uint64_t bytes);
void trace_figure(struct hart *h, enum sim_track track, int64_t from, int64_t to, uint64_t n);

/* ---- live.c: the same */
struct live *live_new(const struct hart *h);
void live_free(struct live *l);
void live_reset(struct live *l);
/* Tells all it found; nothing may run afterwards. */
void live_end(struct live *l, struct hart *h);

/* ---- port_host.c */
void port_init(struct sim *s);

#endif
