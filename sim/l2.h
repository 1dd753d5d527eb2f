/* The shared cache inside: SiFive's inclusive cache before a memory that answers in order,
 * cycle by cycle.  Its parts and their rules are those of rocket-chip-inclusive-cache
 * (Scheduler, MSHR, Directory, BankedStore, SourceA, SourceC, SourceD, SinkD) and of
 * rocket-chip (TLCacheCork, TLToAXI4); when each of them acts was seen in cycle simulation.
 *
 * Every request, also one that hits, takes a miss register for its set, and what comes for
 * the same set queues behind it.  A register needs a slot of the scheduler for each of its
 * steps: the victim leaves, the line is asked for, the answer is given, the tags are
 * written.  One slot a cycle, one answer at a time, one access to the tags. */
#ifndef SIM_L2_H
#define SIM_L2_H
#include "sim/clock.h"

enum {
    LOOK_UP = 2,                     /* a request, to its first step: Directory */
    ANSWER = 2,                      /* its last step, to its first beat: SourceD */
    FORGET = 9 - WAY,                /* its last beat, to the next request in its place */
    LEAVE = 3,                       /* a victim's step, to its way out: SourceC */
    ARRIVE = 2,                      /* word from memory, to the step that waits: SinkD */
    STORED = 3,                      /* a beat is taken, to its banks written: SourceD */
    ROOM = 1,                        /* victims waiting when one more may leave: SourceC */
    DEPTH = 2,                       /* of buffers to memory and of acknowledgements */
    PATIENCE = 7,                    /* cycles that a write's answer gives way: TLToAXI4 */
    FACTOR = 4,                      /* beats that lie side by side: BankedStore */
    QUEUE = 512                      /* in one queue; more than there can be */
};

/* What a register still has to do, and what it waits for. */
enum { RELEASE = 1, ACQUIRE = 2, THANK = 4, EXECUTE = 8, RECORD = 16 };
enum { RELEASED = 1, FIRST = 2, LAST = 4 };

struct tag {
    uint64_t line;                   /* + 1; 0: empty */
    bool dirty;
};

/* A request in the cache: served by its register, or behind another of the set. */
struct entry {
    struct clock *k;
    struct request r;
    struct entry *next;
};

struct miss {
    uint64_t set, line;
    struct tag *tag;                 /* NULL: there is no cache */
    bool dirty;                      /* its victim is */
    unsigned todo, wait;
    int64_t known;                   /* the tags' answer is there from then on */
    struct entry *first, *last;      /* the one served, and those behind it */
};

struct passing {                     /* on its way */
    int64_t at;                      /* goes on from then on */
    struct miss *m;                  /* NULL: a core's */
    struct hart *h;
    unsigned event;                  /* that it is for the register */
    bool dirty, last;                /* a beat of a dirty victim; its last */
    bool whole;                      /* of the line nothing is read */
};

struct queue {
    struct passing w[QUEUE];
    unsigned first, n;
};

/* The way to memory and back. */
struct memory {
    struct queue victims, wanted, reads, written, acks, grants, events;
    int64_t beats;                   /* of the first of `reads` that have come */
    int64_t evict_from, evict_until; /* a dirty victim is read */
    uint64_t fill, filling;          /* banks that come from memory: next, in this cycle */
    int patience;
    int64_t free;                    /* when all reads have come */
};

/* SourceD: the answer that is given. */
struct answer {
    bool busy;
    struct entry e;
    int64_t beat;
    /* beats behind the first stage: at the last one from then on, and banks they write */
    struct { int64_t at; uint64_t banks; } passing[STORED];
    int first, n;
};

struct l2 {
    const struct target *t;
    struct tag *tag;
    int64_t sets, ways;
    uint64_t seed;
    int64_t now, next;               /* last cycle with work, and the next */
    int64_t asked;                   /* a request may come from then on */
    int last;                        /* hart that had the last one */
    struct entry *entries, *spare;
    int64_t waiting;                 /* entries that are not served */
    struct miss *miss;
    uint64_t busy, able;             /* registers in use; with a step to take: a bit each */
    int64_t slot;                    /* register that had the last slot */
    struct miss *over;               /* the one that ended in this cycle */
    int64_t read, write;             /* last cycle of the tags: read; to be written */
    bool writing;
    struct answer answer;
    struct memory memory;
};

/* The bank, as a bit, of a beat of the memory, counted from the start of the line; FACTOR
 * beats of the arrays lie side by side. */
static inline uint64_t
l2_bank(const struct l2 *l, int64_t beat)
{
    int64_t n = l->t->dma_bus_bytes / l->t->dram_beat;

    n = n < 1 ? 1 : n > 16 ? 16 : n;
    return UINT64_C(1) << beat % (FACTOR * n);
}

static inline void
l2_wake(struct l2 *l, int64_t at)
{
    if (at < l->next)
        l->next = at;
}

/* ---- l2.c */
/* What a register waits for has come. */
void l2_word(struct l2 *l, struct miss *m, unsigned event);

/* ---- l2_memory.c */
void memory_reset(struct l2 *l);
bool memory_releases(const struct l2 *l, int64_t now);
void memory_release(struct l2 *l, struct miss *m, bool dirty, int64_t now);
bool memory_acquires(const struct l2 *l);
void memory_acquire(struct l2 *l, struct miss *m, int64_t now);
/* A core's own read: when its first beat is there. */
int64_t memory_read(struct l2 *l, struct hart *h, int64_t now);
/* What has come reaches the registers. */
void memory_arrive(struct l2 *l, int64_t now);
void memory_step(struct l2 *l, int64_t now);
/* Banks of the data that the memory's side has in this cycle, a bit each. */
uint64_t memory_banks(const struct l2 *l, int64_t now);

/* ---- l2_answer.c */
void answer_begin(struct l2 *l, const struct entry *e);
void answer_step(struct l2 *l, int64_t now);

#endif
