/* The device model: one array per hart, executed command by command in program
 * order (a legal refinement of the portable profile), with rules checked and time
 * kept beside.  exec.c says what a command does; time.c says when; strict.c says
 * what is refused.  Sources of every formula: gemmini-isa.md, timing.md. */
#ifndef SIM_SIM_H
#define SIM_SIM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/machine/isa.h"
#include "src/machine/sink.h"
#include "src/machine/target.h"

struct sim;

/* ---- memory the array sees: one mapped block */
struct sim_memory {
    uint8_t *bytes;                  /* host address of guest address `base` */
    uint64_t base, size;
};

/* ---- rules (strict.def: S(id, sentence)) */
enum sim_rule {
    SIM_OK,
#define S(id, name, doc) SIM_RULE_##id,
#include "sim/strict.def"
#undef S
    SIM_RULES
};
struct sim_rule_row { const char *name, *doc; };
extern const struct sim_rule_row sim_rules[SIM_RULES];

struct sim_violation {
    enum sim_rule rule;
    int hart, layer;                 /* layer -1: none */
    uint64_t index;                  /* of the command within its layer, from 0 */
    uint64_t pc;                     /* 0: unknown */
    bool core;                       /* not a command: an access of the core before the command */
    struct isa_cmd cmd;
    char detail[160];                /* numbers that broke the rule */
};

enum sim_strict { SIM_STRICT_OFF, SIM_STRICT_WARN, SIM_STRICT_ERROR };

/* ---- life */
/* Something took time: cycles from start to end. */
enum sim_track { SIM_TRACK_LAYER, SIM_TRACK_CORE, SIM_TRACK_LOAD, SIM_TRACK_EXECUTE, SIM_TRACK_STORE,
    SIM_TRACK_WAIT, SIM_TRACK_MEMORY, SIM_TRACK_SCRATCHPAD, SIM_TRACK_ACCUMULATOR, SIM_TRACKS };
/* Why the array does not multiply, as in struct sim_layer_stats. */
enum sim_wait { SIM_WAIT_OPERANDS, SIM_WAIT_COMMANDS, SIM_WAIT_STORE, SIM_WAIT_FENCE };
struct sim_event {
    enum sim_track track;
    int hart, lane, layer;           /* lane: of moves that overlap, from 0; layer -1: none */
    uint64_t start, end;
    uint64_t n;                      /* bytes of moves and memory; rows of A; rows in use */
    uint64_t index, commands;        /* of the first command within its layer; how many */
    enum sim_wait wait;
};
/* Layers and figures; also units, work without a pause as one event; or each command. */
enum sim_detail { SIM_DETAIL_LAYER, SIM_DETAIL_TILE, SIM_DETAIL_COMMAND };

struct sim_config {
    const struct target *target;
    struct sim_memory memory;
    enum sim_strict strict;
    bool timing;                     /* keep time too */
    /* Called once per violation (the same rule in the same layer once). */
    void (*violation)(const struct sim_violation *v, void *ctx);
    /* For a timeline, with timing; NULL: nobody wants one. */
    void (*event)(const struct sim_event *e, void *ctx);
    enum sim_detail detail;
    void *ctx;
};

struct sim *sim_new(const struct sim_config *c); /* allocates all it will need; NULL: no memory */
void sim_free(struct sim *s);
void sim_reset(struct sim *s);

/* ---- events.  Each says what hart `hart` did next, in its program order.  Harts but the
 * first sleep until something is heard of them. */
/* False: the command was refused (SIM_STRICT_ERROR) and did nothing. */
bool sim_command(struct sim *s, int hart, const struct isa_cmd *c, uint64_t pc, uint64_t *result);
bool sim_fence(struct sim *s, int hart);
void sim_layer(struct sim *s, int hart, int number);
void sim_instructions(struct sim *s, int hart, uint64_t n);
/* The same in cycles, for who knows which instructions they were. */
void sim_core(struct sim *s, int hart, double cycles);
/* The core waits in wfi; it sends a software interrupt to hart `to`, which ends that, or
 * clears its own. */
void sim_sleep(struct sim *s, int hart);
void sim_signal(struct sim *s, int hart, int to);
/* The core itself loads or stores; false as above.  Code that it executes. */
struct sim_access { uint64_t addr, n, pc; bool store; };
bool sim_access(struct sim *s, int hart, const struct sim_access *x);
void sim_code(struct sim *s, int hart, uint64_t addr, uint64_t n);
uint64_t sim_cycles(struct sim *s, int hart);    /* the core's clock, 0 without timing */
/* How much of what this hart did has no time yet, since other harts, which may come
 * before, have not gone as far: sim_cycles lags behind by that.  0 with one hart. */
size_t sim_waiting(const struct sim *s, int hart);
/* Nothing more comes from any hart, or nothing before this one goes on. */
void sim_end(struct sim *s);
/* The same as a sink, for the walker (port_host.c). */
struct sink *sim_sink(struct sim *s);

/* ---- what was seen */
struct sim_layer_stats {             /* from the layer's mark to the next mark */
    int number;
    uint64_t start, cycles;          /* clock at the mark; up to the next mark or the end */
    uint64_t array;                  /* cycles in which the array multiplied */
    uint64_t core;                   /* cycles the core was busy and nothing waited for the array */
    uint64_t macs;                   /* multiply-accumulates of real operands */
    uint64_t commands, bytes_in, bytes_out;
    uint64_t stall_operands, stall_commands, stall_store, stall_fence, stall_bank;
};
const struct sim_layer_stats *sim_stats(const struct sim *s, int hart, int *n);
/* What a counter of the hardware has counted since reset (machine/counter.def); false:
 * the model does not count that. */
bool sim_counter(const struct sim *s, int hart, unsigned code, uint64_t *value);

/* The events that are still open; nothing may run afterwards. */
void sim_trace_end(struct sim *s);

/* Local memory, for tests: one row of elements (scratchpad) or accumulators. */
const void *sim_row(const struct sim *s, int hart, uint32_t laddr);

#endif
