/* What the operator files share: checks and normal forms for infer, element access
 * and walks over tensors for eval. */
#ifndef IR_OPS_COMMON_H
#define IR_OPS_COMMON_H
#include "ir/ir.h"
#include "ir/ops/attrs.h"

#define OPS_FLOATS (STAGE_NET | STAGE_QNET)
#define OPS_VIEWS  (STAGE_NET | STAGE_QNET | STAGE_MACHINE)
#define OPS_MANY   4096          /* inputs or outputs of a variadic operator */

/* ----------------------------------------------------------------- infer */

static inline bool
ops_has(const struct node *n, int i)
{
    return i < n->nin && n->in[i] != NULL;
}

static inline const struct shape *
ops_in(const struct node *n, int i)
{
    return &n->in[i]->type.shape;
}

/* The type of output i, when it is asked for. */
void ops_set_out(struct infer *q, int i, enum dtype dt, const struct shape *s);
/* Runs the op's rules now, for an infer that would stumble over a broken one. */
bool ops_rules(struct infer *q);
/* Input i is float. */
bool ops_need_real(struct infer *q, int i);
/* Number of elements and rank of input i are known; bounded sizes are refused. */
bool ops_need_known(struct infer *q, int i);
bool ops_need_rank(struct infer *q, int i, int min, int max);
bool ops_same_dtype(struct infer *q, int i, int j);
/* Counted from the front, or an error. */
bool ops_wrap_axis(struct infer *q, int64_t *axis, int rank);
/* All of them, without repetition; sorted upward when asked. */
bool ops_wrap_axes(struct infer *q, struct ints *axes, int rank, bool sorted);
/* Input i as an integer list; true with out untouched when it is left out. */
bool ops_const_ints(struct infer *q, int i, const char *what, struct ints *out);
/* The node has `count` inputs from now on; the others lose a use. */
void ops_drop_inputs(struct node *n, int count);
int64_t *ops_new_ints(struct infer *q, int n, int64_t fill, struct ints *out);

/* Fills every list of w and computes out[] (sizes of the spatial axes) from an
 * input of rank at least 3. */
bool ops_window(struct infer *q, struct window *w, const struct shape *x, bool ceil_mode,
                int64_t *out);
/* Kernel sizes, strides, dilations at least 1, pads at least 0 and lists as long as
 * the image has axes (empty ones are defaults); used as a rule. */
bool ops_window_holds(const struct node *n, const struct window *w, char *detail, size_t size);

/* ------------------------------------------------------------------ eval */


void ops_each_float(struct eval *e, float (*f)(float)); /* of input 0 */

/* Calls f for every run along the last axis of y; at and step are those of each
 * input, in elements, broadcast onto y. */
struct ops_run {
    int64_t y, n;                /* first element of y and how many */
    int64_t at[3], step[3];
};
void ops_broadcast(const struct shape *y, const struct shape *const *in, int nin,
                   void (*f)(const struct ops_run *r, void *ctx), void *ctx);

/* y[i0, i1, ..] = x at byte from[0][i0] + from[1][i1] + ..; a negative entry takes
 * `fill`.  Elements of `each` bytes: 1, 2, 4 or 8. */
struct ops_copy {
    int rank, each;
    int64_t dim[MAX_RANK];       /* of y */
    int64_t *from[MAX_RANK];
    const void *x, *fill;
    void *y;
};
/* Allocates the tables; from[d][i] = i * step of x's axis d until changed. */
void ops_copy_init(struct ops_copy *c, const struct eval *e, int out);
void ops_copy_run(const struct ops_copy *c);
int64_t ops_elem_bytes(const struct type *t);

#endif
