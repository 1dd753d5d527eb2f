/* From a machine graph with planned memory to a program: one kernel per layer, the
 * bytes it needs, and where they lie.  A backend is one struct; what it does not
 * accept runs on the core. */
#ifndef BACKEND_BACKEND_H
#define BACKEND_BACKEND_H
#include <stdbool.h>
#include <stdint.h>

#include "backend/prog.h"
#include "backend/rt/kernels/gm_kernels.h"
#include "ir/ir.h"
#include "ir/machine.h"
#include "ir/pass.h"
#include "src/machine/target.h"

/* ---- addresses: a byte in one of the program's sections (enum space of ir.h) */
struct address {
    bool fixed;                  /* a plain number, no section */
    enum space space;
    int64_t at;
};
struct address value_address(const struct value *v);  /* of element 0,0,.. */
int64_t value_pitch(const struct value *v, int axis); /* bytes */

/* ---- schedules (sched.c): a value that prints, parses and hashes */
#define SCHED_MAX 12
struct sched_def { const char *name; const char *params[SCHED_MAX]; };
struct schedule { const struct sched_def *def; int64_t p[SCHED_MAX]; };
const char *sched_text(struct arena *a, const struct schedule *s); /* "stream rows=2 cols=56 ..." */
bool sched_parse(const struct sched_def *const *defs, const char *text, struct schedule *out);

enum limit { LIMIT_ARRAY, LIMIT_MEMORY, LIMIT_CORE };
struct cost { uint64_t cycles; int64_t bytes_in, bytes_out; enum limit limit; };
const char *limit_name(enum limit l);

/* ---- a layer */
struct arg { const char *name; struct address value; };
struct arg_table { const char *name; const uint64_t *at; int64_t n; };

struct core_call {               /* a layer on the core: arguments of one gm_k_ function */
    const char *function;        /* "gm_k_softmax" */
    void (*host)(const struct gm_call *); /* the same, compiled for the host */
    const struct value *in[4];
    const struct value *out;
    int64_t i[40]; int ni;
    float f[4]; int nf;
    const float *scale; int nscale;
};

struct kernel {
    struct node *n;
    int number;                  /* of the layer; in order of execution */
    const struct prog *prog;     /* NULL: on the core */
    struct arg *args; int narg;          /* one per parameter of prog */
    struct arg_table *tables; int ntable; /* one per table of prog */
    const struct core_call *core;
    struct schedule schedule;
    struct cost cost;
    int64_t macs;
    const char *why;             /* why here and so, for the report; may be NULL */
};

struct blob { const char *what; const void *data; int64_t size, offset; };
struct halo { struct address at; int64_t bytes; uint8_t value; const char *what; };

struct program {
    struct arena *arena;
    struct graph *g;
    const struct target *target;
    struct kernel **layers; int nlayer;
    struct blob *blobs; int nblob; int64_t weight_bytes;  /* section .gm.weights */
    struct halo *halos; int nhalo;                        /* filled once, before the first run */
    struct prog **progs; int nprog;                       /* distinct, as the layers use them */
};

struct plan {                    /* what a backend's plan function gets and fills */
    struct program *p;
    struct diag *diag;
    struct arena *arena;
    const struct target *t;
    struct kernel *k;
    bool full_search;            /* -O2 */
};
/* Bytes for section .gm.weights, 64-aligned; equal contents share a place. */
struct address plan_blob(struct plan *p, const char *what, const void *data, int64_t size);
/* The kernel program `text`, specialised by the fixed parameters, shared with layers that
 * need the same one; args of the parameters that are left. */
bool plan_prog(struct plan *p, const char *file, const char *text, const struct arg *args, int narg,
               const struct arg_table *tables, int ntable, const char *const *fixed);

struct why { char text[200]; };
struct backend {
    const char *name, *doc;
    /* Can this node run on the device?  why: the reason when not. */
    bool (*legal)(const struct node *n, const struct target *t, struct why *why);
    /* Can a max-pool ride on the store of this convolution? */
    bool (*can_pool)(const struct node *conv, const struct m_pool_attr *pool, const struct target *t);
    /* Schedule, place, build the program.  False: not after all (why says), take the core. */
    bool (*plan)(struct plan *p, struct why *why);
};
extern const struct backend backend_gemmini;

/* Plans every layer.  NULL after diagnostics. */
struct program *program_build(struct arena *a, struct diag *d, struct graph *g, const struct target *t,
                              const struct backend *b, const struct pass_options *opt);
bool core_plan(struct plan *p);  /* core.c: the layer as a call; false after a diagnostic */

/* ---- running in process (host.c): memory is the caller's, one block per space */
struct host_memory { uint8_t *at[5]; uint64_t base[5]; int64_t size[5]; }; /* by enum space */
/* Space sizes of a program, by enum space, 64-aligned. */
void program_sizes(const struct program *p, int64_t size[5]);
/* Weights copied, halos filled. */
void program_init(const struct program *p, const struct host_memory *m);
/* One layer; false: the sink refused. */
bool program_layer(const struct program *p, const struct kernel *k, const struct host_memory *m, struct sink *s);

/* ---- emission */
struct emit {
    struct diag *diag;
    const char *name;            /* C identifier of the model */
    const char *model_digest, *version, *options;
    const char *recipe, *labels; /* may be NULL; labels one a line */
    const char *folder;          /* of the files that NAME_data.S takes in; NULL: where it is assembled */
};
void emit_c(const struct program *p, const struct emit *e, struct out *o);       /* NAME.c */
void emit_header(const struct program *p, const struct emit *e, struct out *o);  /* NAME.h */
void emit_main(const struct program *p, const struct emit *e, struct out *o);    /* NAME_main.c */
void emit_asm(const struct program *p, const struct emit *e, struct out *o);     /* NAME_data.S */
void emit_weights(const struct program *p, struct out *o);                       /* NAME.weights */
void emit_meta(const struct program *p, const struct emit *e, struct out *o);    /* .gm.meta */
void emit_prog(const struct program *p, struct out *o);                          /* --emit=prog */

#endif
