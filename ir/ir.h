/* The intermediate representation: graphs of nodes over values, from the model as
 * imported down to neutral machine operators.  Sectioned by the file that
 * implements it.
 *
 * Rules that hold everywhere:
 * - A value keeps the model's logical shape and axis order for its whole life
 *   (images are N, C, H, W).  How it lies in memory is its layout, which only
 *   plan-memory, backends and the runner read.
 * - Reference kernels see packed tensors in logical order, at every stage.
 * - Ids are dense from zero; names are for messages only.
 * - Everything lives in the graph's arena. */
#ifndef IR_IR_H
#define IR_IR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/arena.h"
#include "src/base/diag.h"
#include "src/machine/dtype.h"

struct graph;
struct node;
struct out;
struct value;

/* ------------------------------------------------------------------ type.c */

#define MAX_RANK 8

struct sym { const char *name; int64_t max; };         /* a size known at run time */
struct dim { int64_t n; const struct sym *sym; };      /* a value, or the bound of sym; -1: not yet known */
struct shape { int rank; struct dim dim[MAX_RANK]; };  /* rank -1: not yet known */

struct quant {                   /* real = scale * (stored - zero) */
    int axis, n;                 /* axis -1, n 1: one scale for the tensor */
    const float *scale;
    const int32_t *zero;
};

enum fill { FILL_NONE, FILL_ZERO_POINT, FILL_LOWEST };

struct layout {                  /* where elements lie; logical axes throughout */
    int8_t order[MAX_RANK];      /* axes in memory, outermost first */
    int64_t pitch[MAX_RANK];     /* bytes from one index of this axis to the next */
    int32_t before[MAX_RANK], after[MAX_RANK];         /* halo, in elements */
    enum fill fill;              /* what the halo holds */
    int32_t align;               /* bytes; of the first inside element */
    int64_t first;               /* byte offset of element 0,0,.. in the buffer */
    int64_t bytes;               /* of the buffer, halo included */
};

struct type {
    enum dtype dt;
    struct shape shape;
    const struct quant *quant;   /* NULL: not quantized */
    const struct layout *layout; /* NULL: packed, in the model's order */
};

struct dim dim_of(int64_t n);
bool dim_known(struct dim d);                          /* a fixed value */
bool dim_equal(struct dim a, struct dim b);
struct dim dim_add(struct arena *a, struct dim x, struct dim y);
struct dim dim_mul(struct arena *a, struct dim x, struct dim y);
const char *dim_text(struct arena *a, struct dim d);

struct shape shape_make(int rank, const int64_t *dims);
bool shape_known(const struct shape *s);               /* rank and every dim fixed */
bool shape_equal(const struct shape *a, const struct shape *b);
/* Product of dims [from, to); 1 for an empty range; saturates at INT64_MAX. */
int64_t shape_count(const struct shape *s, int from, int to);
int64_t shape_elems(const struct shape *s);
/* Bytes of the part of a packed tensor below axis `from` (0: all of it). */
int64_t shape_bytes(const struct type *t, int from);
const char *shape_text(struct arena *a, const struct shape *s); /* [1,3,224,224] */
const char *type_text(struct arena *a, const struct type *t);   /* int8 [1,3,8,8] s=0.01 z=-5 */
/* NumPy broadcasting; false if they do not fit. */
bool shape_broadcast(const struct shape *a, const struct shape *b, struct shape *out);
int wrap_axis(int64_t axis, int rank);                 /* negative counts from the end; unchanged if out of range */

/* Quantization (quant.c) */
struct quant *quant_scalar(struct arena *a, float scale, int32_t zero);
struct quant *quant_axis(struct arena *a, int axis, int n, const float *scale, const int32_t *zero);
bool quant_equal(const struct quant *a, const struct quant *b);
/* Elements between stored and real, packed tensors of type t. */
void quant_to_real(const struct type *t, const void *stored, float *real);
void quant_from_real(const struct type *t, const float *real, void *stored);
/* Scale and zero point of an int8 tensor that covers [lo, hi]; symmetric: zero 0.
 * 0 is always exactly representable; an empty range gives scale 1. */
struct quant *quant_range(struct arena *a, float lo, float hi, bool symmetric);

/* Layouts (layout.c) */
struct layout *layout_packed(struct arena *a, const struct type *t, const int8_t *order);
bool layout_is_dense(const struct type *t);            /* packed in some order, no halo, no pitch */
/* Between packed logical order and a layout's bytes; halo bytes are filled too. */
void layout_store(const struct type *t, const void *packed, void *memory);
void layout_load(const struct type *t, const void *memory, void *packed);

/* ------------------------------------------------------------------ graph.c */

struct use { struct node *node; int index; };

struct buffer {                  /* set by plan-memory */
    const char *what;
    int64_t size, offset;        /* pitch and halo included; offset in its space */
    int32_t align;
    int first, last;             /* live from step to step */
    enum space { SPACE_ARENA, SPACE_WEIGHTS, SPACE_STATE, SPACE_IN, SPACE_OUT } space;
    struct buffer *alias;        /* lies inside this one, at byte `at` */
    int64_t at;
};

struct value {                   /* an edge: one writer, many readers */
    uint32_t id;
    const char *name;
    struct type type;
    struct node *def;            /* NULL: graph input, constant or state */
    int def_index;
    struct use *uses; int nuse, capuse; /* graph outputs do not count as uses */
    const void *data;            /* constant bytes, packed, borrowed */
    struct graph *home;          /* the graph it belongs to */
    bool mutable;                /* a weight that the program may change */
    bool is_output;              /* of the graph */
    bool is_input;
    enum dtype model_dt;         /* inputs and outputs: the model's own type where quantize changed it */
    float lo, hi; bool ranged;   /* set by calibrate */
    const struct value *real;    /* quantized constants: what they were made from; NULL else */
    struct buffer *buf;
};

enum epi { EPI_BIAS, EPI_ADD, EPI_SCALE, EPI_ACT, EPI_POOL };
struct epi_act { float lo, hi; };                      /* clamp to [lo, hi]; Relu: 0, inf */
struct epilogue {                /* what happens on the way out, in order */
    enum epi kind;
    struct value *arg;
    const void *attr;            /* struct epi_act; struct m_pool_attr (ir/machine.h) for EPI_POOL */
    struct epilogue *next;
};

struct place { int16_t core, device; };                /* device -1: the core itself */
struct origin { const char *name, *op; const struct origin *next; }; /* model nodes */
struct kernel;                                         /* backend.h */

struct node {
    uint32_t id;
    const struct op_def *op;
    const char *name;            /* never NULL: op type, index and first output if the model has none */
    struct value **in, **out;    /* in[i] NULL: optional input left out */
    int nin, nout;
    void *attr;                  /* the op's own struct */
    struct epilogue *epi;
    struct graph **body; int nbody;
    struct place place;
    const struct origin *from;
    struct kernel *kernel;       /* set by the backend */
    struct node *prev, *next;
};

struct state { struct value *in, *out; const void *init; };

enum stage { STAGE_NET = 1, STAGE_QNET = 2, STAGE_MACHINE = 4 };

struct graph {
    struct arena *arena;
    struct graph *outer;
    struct node *first, *last;
    struct value **inputs, **outputs; int ninput, noutput;
    struct state *states; int nstate;
    struct value **values; uint32_t nvalue, capvalue;  /* all, by id; removed ones NULL */
    uint32_t nnode;              /* next free id */
    enum stage stage;
    unsigned facts;
    int opset;                   /* of the default domain */
    const char *file, *name;
    const char *recipe, *labels; /* metadata_props gemmcc.recipe, gemmcc.labels; NULL */
    int64_t arena_bytes, in_bytes, out_bytes, weight_bytes; /* set by plan-memory */
};

struct graph *graph_new(struct arena *a, const char *file);
struct value *graph_value(struct graph *g, const char *name, const struct type *t); /* t NULL: unknown */
struct value *graph_input(struct graph *g, const char *name, const struct type *t);
struct value *graph_const(struct graph *g, const char *name, const struct type *t, const void *data);
void graph_output(struct graph *g, struct value *v);
/* Appends a node (before `at` when not NULL).  attr NULL: defaults.  Inputs and
 * outputs are copied into arrays of the node; use lists are kept. */
struct node *graph_node(struct graph *g, struct node *at, const struct op_def *op, const char *name,
                        struct value *const *in, int nin, struct value *const *out, int nout);
void node_set_input(struct node *n, int i, struct value *v);
void node_add_input(struct graph *g, struct node *n, struct value *v);
void node_remove(struct graph *g, struct node *n);     /* unlinks; its outputs lose their writer */
void value_replace(struct graph *g, struct value *old, struct value *with); /* all uses, outputs too */
void value_remove(struct graph *g, struct value *v);
struct node *value_only_user(const struct value *v);   /* the only reader, NULL if none, several, or a graph output */
void node_join_origin(struct graph *g, struct node *into, const struct node *from);
struct epilogue *node_add_epi(struct graph *g, struct node *n, enum epi kind, struct value *arg, const void *attr);
const char *node_models(struct arena *a, const struct node *n); /* "conv1 + relu1" */
struct place_ref node_place(const struct graph *g, const struct node *n); /* for diagnostics */

/* ------------------------------------------------------------------ op.c, ops/ */

enum attr_kind { ATTR_INT = 1, ATTR_FLOAT, ATTR_STRING, ATTR_INTS, ATTR_FLOATS, ATTR_TENSOR, ATTR_ENUM, ATTR_BOOL };
struct ints { int n; const int64_t *at; };
struct floats { int n; const float *at; };
struct attr_def {
    const char *name;
    enum attr_kind kind;         /* INT, ENUM: int64_t; BOOL: int64_t 0/1; FLOAT: float; STRING: const char *;
                                    INTS: struct ints; FLOATS: struct floats; TENSOR: const struct value * */
    size_t offset;
    const char *def;             /* default as text; NULL: required; "" for empty */
    const char *doc;
    const char *choices;         /* ENUM: "NOTSET|SAME_UPPER|..." */
};

struct rule {                    /* the sentence documents the limit and refuses the model */
    const char *id, *sentence;
    bool (*holds)(const struct node *n, char *detail, size_t size); /* detail: actual values */
};

enum trait {
    OP_ELEMENTWISE = 1, OP_VIEW = 2 /* same bytes, another shape */, OP_CLAMP = 4, OP_SHAPE_ONLY = 8,
    OP_COMMUTES = 16, OP_LAYOUT_FREE = 32 /* result does not depend on memory order */,
    OP_MACHINE = 64, OP_RANDOM = 128
};

/* How an op takes part in int8 quantization. */
enum quant_rule {
    Q_FLOAT,                     /* stays float */
    Q_COMPUTE,                   /* int8 in, int8 out, output's own range */
    Q_SAME_AS_INPUT,             /* output has input 0's scale and zero point */
    Q_SAME_AS_OUTPUT,            /* inputs are brought to the output's (Concat) */
    Q_FLOAT_OUT,                 /* int8 in, float out (Softmax) */
    Q_NONE                       /* indices, shapes: never quantized */
};

struct infer {
    struct graph *g; struct node *n; struct arena *arena;
    struct diag *diag; struct place_ref at; int opset;
};
struct eval {
    const struct node *n; struct arena *arena; /* scratch */
    const void *const *in;       /* packed, logical order; NULL: left out */
    void *const *out;
};
struct lower {
    struct graph *g; struct node *n; struct arena *arena;
    struct diag *diag; struct place_ref at;
    int64_t scale_block;         /* output channels that may share one store scale */
    bool exact;
};

struct op_def {
    const char *name, *doc;      /* ONNX op_type, or "m.conv"; one sentence */
    const char *domain;          /* NULL: the default one */
    int since, min_in, max_in;   /* first opset understood, arity */
    int min_out, max_out;        /* 0, 0 means 1, 1 */
    unsigned stages, traits;
    enum quant_rule quant;
    size_t attr_size;
    const struct attr_def *attrs; /* ends with a NULL name; NULL: none */
    const struct rule *rules;    /* ends with a NULL id; NULL: none */
    bool (*infer)(struct infer *);
    void (*eval)(struct eval *); /* float tensors, and integer ones where the op has them */
    bool (*lower)(struct lower *); /* n is removed by the caller afterwards */
};

const struct op_def *op_find(const char *domain, const char *name); /* NULL: unknown */
const struct op_def *op_at(int i);                     /* NULL after the last */
const char *op_nearest(const char *name);
/* As reports say it: a machine operator without its "m." */
static inline const char *op_short(const struct op_def *op)
{
    return op->name + (op->traits & OP_MACHINE ? 2 : 0);
}

/* attr.c */
void attr_defaults(struct arena *a, const struct op_def *op, void *attr);
const struct attr_def *attr_find(const struct op_def *op, const char *name);
/* One attribute of an op as text ("[1,1]", "0.5", "SAME_UPPER"), and back; false: not of its kind. */
const char *attr_text(struct arena *a, const struct attr_def *d, const void *attr);
bool attr_parse(struct arena *a, const struct attr_def *d, void *attr, const char *text);

/* Constant inputs as numbers, any integer or float type; false: absent or not constant. */
bool value_ints(struct arena *a, const struct value *v, struct ints *out);
bool value_floats(struct arena *a, const struct value *v, struct floats *out);

/* infer helpers: rules and arity are checked by node_infer before op->infer runs. */
bool node_infer(struct graph *g, struct node *n, struct diag *d);
bool graph_infer(struct graph *g, struct diag *d);     /* all nodes in order; reports all problems;
                                                          folds nodes whose inputs are all constant and small */

/* ------------------------------------------------------------------ interp.c */

/* Runs a graph with the reference kernels.  At STAGE_QNET a node without an integer
 * kernel of its own runs as dequantize, float kernel, quantize (the definition).
 * Epilogues are applied.  `each` gets every computed value, packed. */
struct interp {
    struct graph *g;
    const void *const *inputs;   /* packed, one per graph input, of its type */
    void (*each)(const struct value *v, const void *data, void *ctx); /* may be NULL */
    void *ctx;
    bool original;               /* STAGE_QNET: quantized constants count as what they were made from */
};
/* outputs: one buffer per graph output, allocated from arena when NULL on entry.
 * False after a diagnostic (an op without kernel). */
bool interp_run(struct arena *a, struct diag *d, const struct interp *r, void **outputs);
/* Evaluate one node on constant inputs; NULL: it has no kernel. */
bool interp_node(struct arena *a, const struct node *n, const void *const *in, void *const *out);

/* The blocked float kernel of Conv, Gemm and MatMul: c[m,n] = sum over k ascending of
 * a[m,k] * b[k,n], row-major, fixed order so the bits agree on every CPU. */
void ref_matmul(const float *a, const float *b, float *c, int64_t m, int64_t n, int64_t k);

/* ------------------------------------------------------------------ print.c parse.c dot.c verify.c order.c */

/* Text IR (.gir); printing and parsing are exact inverses.  Constants up to 64
 * elements are printed in full; larger ones as a digest, or in hex with `full`. */
void ir_print(const struct graph *g, struct out *o, bool full);
struct graph *ir_parse(struct arena *a, struct diag *d, const char *file, const char *text, size_t len);
void ir_dot(const struct graph *g, struct out *o);
/* Structure, use lists, stage legality, types; every problem is an error 'ir-verify'. */
bool ir_verify(const struct graph *g, struct diag *d);
bool graph_sort(struct graph *g, struct diag *d);      /* topological, stable; false: a cycle */

#endif
