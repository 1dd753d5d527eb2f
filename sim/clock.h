/* When: the array of one hart on its own clock, at command, row and beat
 * granularity (timing.md 1.10).  time.c turns the clock and skips to the next cycle
 * with work; each unit does what it can do now and says when it can do more.
 *
 * Every figure is a key of the target, except the structure of the hardware that no
 * configuration changes, which is in the enum below with its source. */
#ifndef SIM_CLOCK_H
#define SIM_CLOCK_H
#include "sim/loops.h"

enum {
    IN_LOADS = 8, IN_EXECS = 8, IN_STORES = 2, /* controllers' queues, Configs.scala:61 */
    IN_MESH = 5,                     /* pairs between first and last row, timing 1.6 */
    DRAINED = 3,                     /* last result to the next CONFIG_EX, cycle simulation */
    RETURN = 15,                     /* the same to a compute that reads it, the same */
    SHORT_ROWS = 4,                  /* fewer rows take as long, ExecuteController:287 */
    ISSUE = 2,                       /* station to controller, chains of timing 1.4, 1.6 */
    ZEROS = 5,                       /* from one move of zeros to the next, cycle simulation */
    ZERO_TAIL = 2,                   /* last row of zeros to completion, the same */
    WAY = 6,                         /* reader to cache: two stages, four buffers */
    SCALER = 3,                      /* of dma.tail, before the row is written, the same */
    ZERO_RUN = 8,                    /* rows of zeros until the port is looked at again */
    FRONT = 8,                       /* four queues of two before the stations, timing 1.2 */
    OUT = 2,                         /* the last of them, behind the loops */
    UNROLL = 2,                      /* generator to station, timing 1.8 */
    STATION = 64                     /* most entries of one class */
};

#define NEVER_COMES INT64_MAX

/* Codes of the hardware's counters. */
enum counted {
#define N(code, name) COUNT_##name = code,
#include "src/machine/counter.def"
#undef N
};

enum cls { LD, EX, ST, CLASSES };
enum kind { K_CONFIG, K_LOAD, K_PRELOAD, K_COMPUTE, K_STORE, K_NONE, K_LOOP,
    K_LOOP_CONFIG };

/* Local rows [from, to); the accumulator's follow those of the scratchpad. */
struct rows {
    int64_t from, to;
};

/* A command as the clock sees it. */
struct work {
    enum kind kind;
    enum cls cls;
    struct origin of;
    struct rows a, b;                /* what it touches; a preload's are C and B */
    int64_t step;                    /* from one row of `a` to the next, of a pair */
    bool adds;                       /* to what is in `a`, which has to be read */
    int64_t rows;                    /* of a move, or of A */
    /* moves */
    uint64_t addr, stride;
    int64_t row_bytes, block_bytes, blocks, block_stride, local;
    bool acc, zero, repeat;
    bool wide;                       /* accumulator values: not through the scaler */
    int64_t repeats;                 /* local rows that each row of memory fills */
    int64_t scaled;                  /* elements of a row that go through the scaler */
    double per_row, start;           /* cycles of a stored row; before the first */
    bool silent;                     /* a store for statistics: nothing goes to memory */
    int64_t line_rows, line_stride;  /* a pooled image: pixels of a row, bytes to the next */
    int64_t pooled;                  /* rows of it; 0: not pooled */
    bool conv;                       /* of a loop: which kind */
    bool pool;                       /* stores after this CONFIG are pooled */
    bool flush;                      /* translations are forgotten */
    int reads;                       /* local rows that each row of a store reads */
    /* pairs */
    bool real, slow;                 /* weights are loaded; through the transposer */
    bool os;                         /* results stay in the array until they are pushed out */
    int64_t bank_a, bank_b;          /* of the scratchpad, -1: none; b: the second operand */
    int64_t bank_c;                  /* of the accumulator, -1: none */
};

struct slot {
    struct work w;
    uint64_t dep[CLASSES];           /* entries of other classes it waits for */
    int64_t left;                    /* of a load: requests not landed */
    int64_t began;                   /* a move, and in which lane of the timeline */
    int lane;
    bool all;                        /* every request is out */
};

struct station {
    struct slot *slot;
    int size, used;
    uint64_t busy;                   /* bits of slots in use */
    int wait[STATION], nwait;        /* not issued, in order */
    int queue[8], nqueue, room;      /* issued, waiting in the controller */
    int64_t seen_at[8];              /* from when the controller sees them */
};

struct request {
    int64_t at;                      /* goes on from then on */
    uint64_t line;
    int from;                        /* beat of the line that it begins with */
    int slot;                        /* of the load; -1: a write */
    int beats, writes;               /* on the bus; local rows it fills */
    int64_t row, step;               /* the first of them, and to the next */
    int64_t busy;                    /* cycles of the write port */
    int begin, end;                  /* bytes of the line that it writes */
    bool held, last;                 /* of the row that counts wait for; of the last one */
    int64_t since;                   /* in flight */
};

/* Requests in order, as many beats as buffers have. */
enum { LANE = 16 };
struct lane {
    struct request r[LANE];
    int first, n;
    int64_t beats;
};

/* From reader and writer to the cache (dma.c). */
struct dma {
    struct request *put;             /* ring: pieces of rows that the writer still has */
    int first, n, cap;
    struct request look, door;       /* the reader's: being translated, and translated */
    bool looks, waits;               /* there are such */
    struct lane reads, writes, both; /* before the crossbar, and behind it */
    bool wrote;                      /* its last one was a write */
    /* what reader and writer know a page of: translated last, and from when on */
    struct page { uint64_t known, next; int64_t at; } page[2];
    int64_t writer, cross;           /* free from then on */
};

struct landing {
    int64_t at, free;                /* its request is no longer in flight */
    int slot, beats, writes;
    int64_t row, step, busy;
};

struct done {
    int64_t at;
    enum cls cls;
    int slot;
};

struct mesh_clock {
    int64_t began, end, drained;     /* of the run; of its last result */
    int64_t start[IN_MESH];          /* of the last pairs, and their lengths */
    int64_t length[IN_MESH];
    int at;
    bool running;
    int current, pre, next_pre;      /* slots; -1: none */
    int64_t bank_a, bank_b, rows;
    int64_t end_a, end_b;            /* of reading A, and weights */
    /* results on their way: when, into which bank, and their first row */
    struct write { int64_t from, to, bank, row; bool acc, adds; } writes[32];
    int first, n;
};

/* What the hardware's counters look at, beyond the state of the units. */
struct watch {
    struct word {                    /* the last one at the array: of an operand */
        bool on, garbage, acc;
    } a, b, d;
    bool slow;
    unsigned weights;                /* a bit for each preload, the newest first: not real */
    int64_t room, hazard;            /* the array has room; the result waited for is there */
    int accepted;                    /* commands, since the clock was turned */
    bool pooling;                    /* is configured */
    bool known[2];                   /* a port, reads and writes, has a page */
    int64_t back[2][64];             /* when the last answers came */
    unsigned answers[2];
    int64_t held, reader;            /* so long a move; busy until then */
};

/* Two loops on their way; a generator works for one of them at a time. */
struct unroller {
    struct active {
        struct loop loop;
        bool held, started[GENS], over[GENS];
    } at[2];
    int head;                        /* the older one, if any */
    struct source { bool busy; int loop; struct cursor c; } gen[GENS];
};

struct clock {
    struct hart *h;
    const struct target *t;
    struct l2 *l2;
    struct events *events;           /* of the core, not in time yet */
    int64_t now, wake;               /* of the array */
    double core;                     /* of the core */
    bool fencing;                    /* the core waits in a fence */
    /* commands on their way */
    struct work front[FRONT];
    int64_t front_at[FRONT];
    int front_first, front_n;
    struct loop front_loop[FRONT];   /* of run commands */
    struct unroller un;
    struct work out[OUT];            /* what they made */
    int64_t out_at[OUT];
    int out_n;
    struct station st[CLASSES];
    struct done done[3 * STATION];
    int ndone;
    /* loads */
    int load_cur, load_out;          /* slot being requested; moves outstanding */
    int64_t load_row, load_sub, load_gap;
    int64_t port;                    /* write port of the local memories is free */
    int zero;                        /* slot whose zeros are being written; -1: none */
    int64_t zero_left, zero_next;    /* rows of them; when the next may begin */
    int64_t *bank_until;             /* per scratchpad bank */
    /* memory */
    struct dma dma;
    int open;                        /* requests without their answer */
    int reads, writes;               /* in flight */
    struct landing *land;            /* ring */
    int cap_land, land_first, nland;
    int64_t *answered;               /* ring: when answered writes are no longer in flight */
    int answered_first, nanswered;
    int64_t acked;                   /* the cache has the last write */
    /* stores */
    int store_cur;
    int64_t store_row;
    double store_next, store_end, store_start;
    struct mesh_clock mesh;
    /* what was seen */
    struct sim_layer_stats sum;      /* since reset */
    uint64_t event[64];              /* counts of the hardware's counters */
    uint64_t external[8];
    struct watch watch;
};

static inline uint64_t
clock_core(const struct clock *k)
{
    return (uint64_t)k->core;
}

static inline void
clock_wake(struct clock *k, int64_t at)
{
    if (at < k->wake)
        k->wake = at;
}

/* ---- queue.c: decoding, front queue, reservation station */
struct work work_of(const struct hart *h, const struct regs *g, const struct isa_cmd *c);
bool queue_init(struct clock *k);
void queue_free(struct clock *k);
void queue_reset(struct clock *k);
void queue_push(struct clock *k, const struct work *w, int64_t at);
void queue_step(struct clock *k);
void queue_pop(struct station *s);
/* How many the controller of a class sees by now. */
int queue_seen(const struct clock *k, enum cls cls);
void queue_done_at(struct clock *k, enum cls cls, int slot, int64_t at);
void queue_complete(struct clock *k);
/* Nothing waits and nothing runs, but perhaps for one preload without its compute. */
bool queue_idle(const struct clock *k);

/* ---- unroll.c */
void unroll_reset(struct clock *k);
void unroll_step(struct clock *k);
/* There is room for one more loop of the kind. */
bool unroll_room(const struct clock *k, bool conv);
bool unroll_idle(const struct clock *k);
/* The loop at this place of the front queue. */
void unroll_take(struct clock *k, int front);
/* ---- load.c */
void load_step(struct clock *k);
void load_land(struct clock *k);
void load_zeros(struct clock *k);
/* ---- drain.c */
void drain_step(struct clock *k);
/* ---- mesh.c */
void mesh_reset(struct clock *k);
void mesh_step(struct clock *k);
/* Results that take the port of this bank now last until; 0: none.  Those that add take
 * both of them, to read and to write. */
int64_t mesh_writes(struct clock *k, int64_t bank, bool to_read);
/* Rows were written to a scratchpad bank, `n` cycles long from `at`. */
void mesh_disturb(struct clock *k, int64_t bank, int64_t at, int64_t n);

/* ---- l2.c */
struct l2 *l2_new(const struct target *t);
void l2_free(struct l2 *l);
void l2_reset(struct l2 *l);
void l2_step(struct clock *k);
/* A line that a core's own cache lacks: cycles until memory has it, 0: the cache has. */
double l2_core(struct clock *k, uint64_t line, bool store);
/* The hart that had the bus last. */
int l2_last(const struct l2 *l);

/* ---- l1.c */
struct l1 *l1_new(const struct target *t);
void l1_free(struct l1 *l);
void l1_reset(struct l1 *l);
/* The core touches [addr, addr + n), or executes code of a line; its clock goes on. */
void l1_data(struct hart *h, uint64_t addr, uint64_t n, bool store);
void l1_code(struct hart *h, uint64_t line);
/* No core but `but` has the line any more. */
void l1_drop(const struct sim *s, uint64_t line, int but);

/* ---- trace.c */
/* A move in gets a lane when it begins, and keeps it to its end. */
void trace_load_begins(struct clock *k, struct slot *e);
void trace_load(struct clock *k, const struct slot *e, int64_t end);
/* A run of the array that ends now; its results are written until `drained`. */
void trace_product(struct clock *k, int64_t drained);
void trace_store(struct clock *k, const struct work *w, int64_t from, int64_t to);

/* ---- live.c */
void live_load(struct live *l, const struct work *w, int64_t at);
/* A compute from `from` to `end`, whose results go `to` until `drained`, beside new
 * weights; any may be NULL. */
void live_product(struct live *l, const struct work *compute, const struct work *to,
    const struct work *weights, int64_t from, int64_t end, int64_t drained);
void live_store(struct live *l, const struct work *w, int64_t at);

/* ---- count.c */
void count_span(struct clock *k, int64_t n);
static inline void
count_add(struct clock *k, enum counted code, int64_t n)
{
    k->event[code] += (uint64_t)n;
}
/* A command comes past the unrollers. */
void count_pass(struct clock *k, const struct work *w);
/* A piece of a row goes to the reader. */
void count_request(struct clock *k, const struct work *w, struct request *r);
/* Rows of zeros, that many cycles long. */
void count_zeros(struct clock *k, const struct work *w, int64_t cycles);
/* A move out: its rows are read in so many cycles. */
void count_store(struct clock *k, const struct work *w, double cycles);
/* The array begins with a compute and the preload behind it, either of them NULL. */
void count_run(struct clock *k, const struct work *c, const struct work *p);
/* The command at the head waits for a result that is there at `at`. */
void count_hazard(struct clock *k, int64_t at);
/* A request has its answer, as if it had been asked at `asked` and the line was there. */
void count_answer(struct clock *k, const struct request *r, int64_t asked);
struct counters *counters_new(const struct target *t);
void counters_reset(struct counters *c);
uint64_t counters_command(struct counters *c, const struct clock *k, uint64_t rs1);
/* The same since the clock began, whatever the program reset. */
bool counters_total(const struct clock *k, unsigned code, uint64_t *value);

/* ---- dma.c */
bool dma_init(struct dma *d, const struct target *t);
void dma_reset(struct dma *d);
/* The size of a request for [addr, addr + left), naturally aligned: the least of those that
 * cover most of it, and how much that is. */
int64_t dma_piece(const struct target *t, uint64_t addr, int64_t left, int64_t *use);
/* Room for one more read; it sets out. */
bool dma_room(const struct clock *k);
void dma_read(struct clock *k, const struct request *r);
/* Room for the pieces of one more row; a piece of it. */
bool dma_row(const struct clock *k);
void dma_write(struct clock *k, const struct request *r);
void dma_step(struct clock *k);
/* The request that is at the cache now; NULL: none. */
const struct request *dma_first(struct clock *k);
void dma_taken(struct clock *k);

/* ---- time.c */
struct clock *clock_new(struct hart *h, struct l2 *l2);
void clock_free(struct clock *k);
void clock_reset(struct clock *k);
/* The array, on to its next cycle with work. */
void clock_turn(struct clock *k);
/* What the core does takes its time: so many cycles; a command, which the front queue
 * takes; a fence, of an idle array. */
void clock_spend(struct clock *k, double cycles);
bool clock_takes(const struct clock *k);
void clock_command(struct clock *k, const struct work *w);
void clock_loop(struct clock *k, const struct loop *l);
void clock_fence(struct clock *k);
void clock_catch_up(struct clock *k);
/* Until every command given so far has left the front queue. */
void clock_settle(struct clock *k);

/* ---- events.c: the same as the core did it, put in order with the other harts */
struct events *events_new(void);
void events_free(struct events *e);
void events_reset(struct events *e, bool asleep);
void events_core(struct clock *k, double cycles);
void events_command(struct clock *k, const struct isa_cmd *c);
void events_loop(struct clock *k, const struct loop *l);
void events_fence(struct clock *k);
/* Record -1: the last layer has ended. */
void events_layer(struct clock *k, int record);
void events_data(struct clock *k, uint64_t addr, uint64_t n, bool store);
void events_code(struct clock *k, uint64_t line);
/* The core waits in wfi, unless a signal is pending; it sends one to a hart, which goes on
 * after that, or clears its own. */
void events_sleep(struct clock *k);
void events_signal(struct clock *k, int to);
/* Events of this hart that others hold back. */
size_t events_waiting(const struct clock *k);
/* `all`: not to wait for what other harts may still do. */
void events_run(struct sim *s, bool all);
void events_settle(struct clock *k);

#endif
