/* quantize: activations become int8 with a scale and a zero point, weights int8 with
 * a scale for each block of output channels that one store can serve, biases int32.
 * Where int8 meets float, QuantizeLinear and DequantizeLinear stand between.
 *
 * With QUANT_OFF the graph stays as it is.  A model that says its own scales keeps
 * them: nothing is done to it here. */
#include <math.h>
#include <string.h>

#include "passes/quant_plan.h"
#include "passes/rewrite.h"
#include "src/machine/round.h"
#include "src/machine/target.h"

/* A bias may use this much of the accumulator. */
#define BIAS_ROOM 536870912.0

struct made { const struct value *from; int axis; const struct quant *q; struct value *to; };

struct work {
    struct quant_plan p;
    struct graph *g;
    struct made *made; int nmade, capmade;     /* weights already there */
    struct value **as8, **as_float;            /* by value: converted */
};

/* Activations in the graph that this pass found; v may be newer. */
static bool
is8(const struct work *w, const struct value *v)
{
    return v->home == w->g && v->id < w->p.nvalue && w->p.is8[v->id];
}

static struct value *
quantized(struct work *w, const struct value *v, enum dtype dt, const struct quant *q)
{
    struct type t = { .dt = dt, .shape = v->type.shape, .quant = q };
    struct value *y;
    void *data;

    for (int i = 0; i < w->nmade; i++)
        if (w->made[i].from == v && quant_equal(w->made[i].q, q) && w->made[i].to->type.dt == dt)
            return w->made[i].to;
    data = arena_alloc(w->g->arena, (size_t)shape_bytes(&t, 0));
    quant_from_real(&t, v->data, data);
    y = graph_const(w->g, arena_printf(w->g->arena, "%s.%s", v->name, dtype_name(dt)), &t, data);
    y->real = v;
    if (w->nmade == w->capmade) {
        int cap = w->capmade ? 2 * w->capmade : 64;
        struct made *m = NEWN(w->p.scratch, struct made, cap);
        if (w->nmade)
            memcpy(m, w->made, (size_t)w->nmade * sizeof *m);
        w->made = m;
        w->capmade = cap;
    }
    w->made[w->nmade++] = (struct made){ v, -1, q, y };
    return y;
}

static float
largest(const float *x, int64_t n)
{
    float most = 0;

    for (int64_t i = 0; i < n; i++)
        most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
    return most;
}

/* Symmetric scales of weights, one per index of `axis`, equal within blocks.  Never
 * so small that a bias leaves the accumulator, nor (all weights 0) that it is lost. */
static const struct quant *
weight_scales(struct work *w, const struct value *v, int axis, const struct value *bias, float sx,
              float sy)
{
    const struct shape *s = &v->type.shape;
    int64_t n = s->dim[axis].n, inner = shape_count(s, axis + 1, s->rank);
    int64_t outer = shape_count(s, 0, axis), block = target_line(w->p.c->target);
    float *scale = NEWN(w->p.scratch, float, n + 1), *out = NEWN(w->p.scratch, float, n + 1);

    for (int64_t i = 0; i < n; i++) {
        for (int64_t o = 0; o < outer; o++) {
            float m = largest((const float *)v->data + (o * n + i) * inner, inner) / 127;
            scale[i] = m > scale[i] ? m : scale[i];
        }
        if (bias) {
            double b = fabs((double)((const float *)bias->data)[i]) / (double)sx / BIAS_ROOM;
            scale[i] = b > (double)scale[i] ? (float)b : scale[i];
        }
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t first = i / block * block;
        float m = largest(scale + first, n - first < block ? n - first : block);
        if (!(m / 2 > 0) || !isfinite(m))
            m = sy / sx / 256;
        out[i] = m;
    }
    return quant_axis(w->g->arena, axis, (int)n, out, NULL);
}

static const struct quant *
bias_scales(struct work *w, const struct quant *weights, float sx, float alpha)
{
    float *s = NEWN(w->p.scratch, float, weights->n);

    for (int i = 0; i < weights->n; i++)
        s[i] = sx * weights->scale[i] * alpha;
    return quant_axis(w->g->arena, weights->n > 1 ? 0 : -1, weights->n, s, NULL);
}

/* Own range of a constant operand. */
static const struct quant *
constant_scale(struct work *w, const struct value *v, bool symmetric)
{
    const float *x = v->data;
    int64_t n = shape_elems(&v->type.shape);
    float lo = 0, hi = 0;

    for (int64_t i = 0; i < n; i++) {
        lo = x[i] < lo ? x[i] : lo;
        hi = x[i] > hi ? x[i] : hi;
    }
    return quant_range(w->g->arena, lo, hi, symmetric);
}

/* Which axis of a product's constant operand makes output channels; -1: none. */
static int
channel_axis(const struct node *n, int i)
{
    int rank = n->in[i]->type.shape.rank;

    if (i != 1 || rank < 2)
        return -1;
    if (n->op == &op_conv)
        return 0;
    if (n->op == &op_gemm)
        return gemm_attr(n)->trans_b ? 0 : 1;
    return n->op == &op_matmul && rank == 2 ? 1 : -1;
}

static void
product_constants(struct work *w, struct node *n)
{
    struct value *bias = n->nin > 2 ? n->in[2] : NULL;
    float alpha = n->op == &op_gemm ? gemm_attr(n)->alpha : 1;
    float sy = n->out[0]->type.quant->scale[0], sx;
    const struct quant *q;
    int k = n->in[1]->data ? 1 : n->in[0]->data ? 0 : -1;

    if (k >= 0) {
        int axis = channel_axis(n, k);
        const struct value *real = n->in[k];
        sx = n->in[1 - k]->type.quant->scale[0];
        q = axis >= 0 ? weight_scales(w, real, axis, bias, sx * fabsf(alpha), sy)
                      : constant_scale(w, real, true);
        node_set_input(n, k, quantized(w, real, DT_I8, q));
    } else {
        sx = n->in[0]->type.quant->scale[0];
        q = n->in[1]->type.quant;
    }
    if (!bias)
        return;
    q = bias_scales(w, q, sx, alpha);
    if (q->axis == 0 && bias->type.shape.rank == 1)
        node_set_input(n, 2, quantized(w, bias, DT_I32, q));
    else if (q->axis < 0)
        node_set_input(n, 2, quantized(w, bias, DT_I32, q));
}

static void
other_constants(struct work *w, struct node *n)
{
    for (int i = 0; i < n->nin; i++) {
        const struct value *v = n->in[i];
        const struct quant *q;
        if (!v || !v->data || !quant_is_operand(n, i))
            continue;
        q = n->op->quant == Q_SAME_AS_OUTPUT ? n->out[0]->type.quant
                                             : constant_scale(w, v, false);
        node_set_input(n, i, quantized(w, v, DT_I8, q));
    }
}

static struct value *
scalar_const(struct work *w, const char *name, enum dtype dt, const void *data, size_t size)
{
    struct type t = { .dt = dt, .shape = shape_make(0, NULL) };

    return graph_const(w->g, name, &t, arena_dup(w->g->arena, data, size));
}

/* QuantizeLinear or DequantizeLinear of x to y, before `at`; q: of the int8 side. */
static void
convert(struct work *w, struct node *at, const struct op_def *op, struct value *x,
        struct value *y, const struct quant *q)
{
    int8_t zero = (int8_t)q->zero[0];
    struct value *in[3] = { x };

    in[1] = scalar_const(w, arena_printf(w->g->arena, "%s.scale", y->name), DT_F32, &q->scale[0],
                         sizeof q->scale[0]);
    in[2] = scalar_const(w, arena_printf(w->g->arena, "%s.zero", y->name), DT_I8, &zero, 1);
    graph_node(w->g, at, op, arena_printf(w->g->arena, "%s.convert", x->name), in, 3, &y, 1);
}

/* A float value as int8, in its own range; `at`: its first reader. */
static struct value *
to_int8(struct work *w, struct node *at, struct value *v, bool symmetric)
{
    struct type t = { .dt = DT_I8, .shape = v->type.shape };
    struct value *y = w->as8[v->id];

    if (y && (!symmetric || y->type.quant->zero[0] == 0))
        return y;
    t.quant = quant_range(w->g->arena, v->lo, v->hi, symmetric);
    y = graph_value(w->g, arena_printf(w->g->arena, "%s.int8", v->name), &t);
    convert(w, at, &op_quantize_linear, v, y, t.quant);
    if (!symmetric || !w->as8[v->id])
        w->as8[v->id] = y;
    return y;
}

static struct value *
to_float(struct work *w, struct node *at, struct value *v)
{
    struct type t = { .dt = DT_F32, .shape = v->type.shape };
    struct value *y = w->as_float[v->id];

    if (y)
        return y;
    y = graph_value(w->g, arena_printf(w->g->arena, "%s.float", v->name), &t);
    convert(w, at, &op_dequantize_linear, v, y, quant_of(&w->p, v));
    w->as_float[v->id] = y;
    return y;
}

/* Conversions in front of n.  A factor that was not planned to be int8 is centred
 * like the others where both are computed. */
static void
meet(struct work *w, struct node *n)
{
    bool wants8 = w->p.node8[n->id];
    bool centred = (n->op == &op_matmul || n->op == &op_gemm) && !n->in[1]->data;

    for (int i = 0; i < n->nin; i++) {
        struct value *v = n->in[i];
        if (!v || v->data || v->home != w->g || v->id >= w->p.nvalue)
            continue;
        if (wants8 && quant_is_operand(n, i) && !is8(w, v))
            node_set_input(n, i, to_int8(w, n, v, centred));
        else if (is8(w, v) && !wants8)
            node_set_input(n, i, to_float(w, n, v));
    }
}

static void
set_types(struct work *w)
{
    for (uint32_t i = 0; i < w->p.nvalue; i++) {
        struct value *v = w->g->values[i];
        if (!v || !w->p.is8[i])
            continue;
        if (v->is_input || v->is_output)
            v->model_dt = v->type.dt;
        v->type.quant = quant_of(&w->p, v);
        v->type.dt = DT_I8;
    }
}

/* --io=float: int8 outputs are converted by the program. */
static void
float_outputs(struct work *w)
{
    struct graph *g = w->g;

    for (int i = 0; i < g->noutput; i++) {
        struct value *v = g->outputs[i], *f;
        const char *name = v->name;
        if (!is8(w, v))
            continue;
        v->name = arena_printf(g->arena, "%s.int8", name);
        v->model_dt = DT_NONE;
        f = to_float(w, NULL, v);
        f->name = name;
        f->is_output = true;
        v->is_output = false;
        for (int k = i; k < g->noutput; k++)
            if (g->outputs[k] == v)
                g->outputs[k] = f;
    }
}

static void
rewrite(struct work *w)
{
    enum io_mode io = w->p.c->opt->io;
    struct node *next;
    uint32_t known = w->g->nnode;

    /* Operands are judged while everything is still float. */
    for (struct node *n = w->g->first; n; n = next) {
        next = n->next;
        meet(w, n);
    }
    set_types(w);
    for (struct node *n = w->g->first; n; n = n->next) {
        if (n->id >= known || !w->p.node8[n->id])
            continue;
        if (n->op == &op_conv || n->op == &op_gemm || n->op == &op_matmul)
            product_constants(w, n);
        else
            other_constants(w, n);
    }
    if (io == IO_FLOAT || io == IO_KEEP)
        float_outputs(w);
}

static bool
run(struct pass_ctx *c)
{
    struct work w = { .g = c->g };
    struct arena *scratch;
    bool fine;

    if (!may_quantize(c))
        return true;
    scratch = arena_new();
    fine = quant_plan(&w.p, c, scratch);
    if (fine) {
        w.as8 = NEWN(scratch, struct value *, w.p.nvalue);
        w.as_float = NEWN(scratch, struct value *, w.p.nvalue);
        rewrite(&w);
    }
    arena_free(scratch);
    return fine;
}

const struct pass pass_quantize = {
    .name = "quantize",
    .doc = "chooses int8 scales and puts weights and activations into them",
    .needs = FACT_TYPES | FACT_ORDER,
    .from = STAGE_NET, .to = STAGE_QNET,
    .run = run,
};
