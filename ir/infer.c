/* Types of a node's outputs, with everything a model can get wrong about a node:
 * arity, stage, opset, the op's own inference, its rules, sizes.  Then constants are
 * folded, because shapes are often computed from them.
 *
 * A quantized operator infers on the types its float kernel sees. */
#include <string.h>

#include "ir/epi.h"
#include "ir/ir.h"
#include "ir/pass.h"

#define LARGEST_TENSOR ((int64_t)16 << 30) /* bytes; as for what comes in */
#define LARGEST_FOLDED 65536              /* elements */

struct saved {
    enum dtype dt;
    const struct quant *quant;
    const void *data;
};

static bool
sees_real(const struct node *n)
{
    return n->op->quant != Q_FLOAT && n->op->quant != Q_NONE && !(n->op->traits & OP_MACHINE);
}

/* Takes the quantization off, remembering it. */
static struct saved
take_off(const struct node *n, struct value *v)
{
    struct saved s = { DT_NONE, NULL, NULL };

    if (!v || !v->type.quant || !sees_real(n))
        return s;
    s = (struct saved){ v->type.dt, v->type.quant, v->data };
    v->type.dt = DT_F32;
    v->type.quant = NULL;
    if (v->data)
        v->data = v->real ? v->real->data : NULL;
    return s;
}

static void
put_back(struct value *v, struct saved s)
{
    if (!s.quant)
        return;
    v->type.dt = s.dt;
    v->type.quant = s.quant;
    v->data = s.data;
}

static void
show_inputs(const struct node *n, struct diag *d, struct arena *a)
{
    for (int i = 0; i < n->nin && i < 6; i++) {
        const struct value *v = n->in[i];
        if (!v)
            continue;
        diag_context(d, "input %d   '%s'   %s%s%s%s", i, v->name, type_text(a, &v->type),
            v->def ? "   from '" : "", v->def ? v->def->name : "", v->def ? "'" : "");
    }
    if (n->nin > 6)
        diag_context(d, "and %d more", n->nin - 6);
}

static bool
is_typed(const struct type *t)
{
    if (t->dt == DT_NONE || t->shape.rank < 0)
        return false;
    for (int i = 0; i < t->shape.rank; i++)
        if (t->shape.dim[i].n < 0)
            return false;
    return true;
}

static bool
check_count(const struct node *n, const struct place_ref *at, struct diag *d, const char *what,
    int have, int min, int max)
{
    if (have >= min && have <= max)
        return true;
    if (min == max)
        return diag_error(d, at, "op-arity", "%d %s%s, %s takes %d", have, what,
            have == 1 ? "" : "s", n->op->name, min);
    return diag_error(d, at, "op-arity", "%d %s%s, %s takes %d to %d", have, what,
        have == 1 ? "" : "s", n->op->name, min, max);
}

static bool
check_node(const struct graph *g, const struct node *n, const struct place_ref *at, struct diag *d)
{
    const struct op_def *op = n->op;
    int max_out = op->max_out ? op->max_out : 1, min_out = op->max_out ? op->min_out : 1;

    if (!(op->stages & (unsigned)g->stage))
        return diag_error(d, at, "op-stage", "%s may not stand in a graph at this stage", op->name);
    if (g->stage == STAGE_NET && g->opset > 0 && op->since > g->opset && !op->domain)
        return diag_error(d, at, "op-opset", "%s came with opset %d; the model says opset %d",
            op->name, op->since, g->opset);
    if (!check_count(n, at, d, "input", n->nin, op->min_in, op->max_in)
        || !check_count(n, at, d, "output", n->nout, min_out, max_out))
        return false;
    for (int i = 0; i < op->min_in; i++)
        if (!n->in[i])
            return diag_error(
                d, at, "op-arity", "input %d is left out, and %s needs it", i, op->name);
    for (int i = 0; i < n->nin; i++) {
        const struct value *v = n->in[i];
        if (v && !is_typed(&v->type))
            return diag_error(
                d, at, "type-unknown", "input %d, '%s', has no known type", i, v->name);
    }
    return true;
}

static bool
check_output(const struct value *v, const struct place_ref *at, struct diag *d, struct arena *a)
{
    const struct shape *s = &v->type.shape;

    if (v->type.dt == DT_NONE || s->rank < 0)
        return diag_error(d, at, "type-unknown", "no type could be found for '%s'", v->name);
    for (int i = 0; i < s->rank; i++)
        if (s->dim[i].n < 0)
            return diag_error(d, at, "type-unknown",
                "the size of '%s' cannot be known before it runs: %s", v->name, shape_text(a, s));
    if (shape_bytes(&v->type, 0) > LARGEST_TENSOR)
        return diag_error(
            d, at, "tensor-size", "'%s' would be %s", v->name, type_text(a, &v->type));
    return true;
}

static bool
check_rules(const struct node *n, const struct place_ref *at, struct diag *d)
{
    bool fine = true;

    for (const struct rule *r = n->op->rules; r && r->id; r++) {
        char detail[200] = "";
        if (r->holds(n, detail, sizeof detail))
            continue;
        fine = diag_error(d, at, diag_find(r->id) ? r->id : "op-rule", "%s%s%s", r->sentence,
            *detail ? ": " : "", detail);
    }
    return fine;
}

/* The op's inference, the epilogues' and the checks after them. */
static bool
infer_types(struct infer *q)
{
    struct node *n = q->n;
    bool fine = true;

    if (n->op->infer && !n->op->infer(q))
        return false;
    if (!check_rules(n, &q->at, q->diag))
        return false;
    if (n->nout && n->out[0] && !epi_shape(n, &n->out[0]->type.shape))
        return diag_error(
            q->diag, &q->at, "op-rule", "its pooling window is larger than the image");
    for (int i = 0; i < n->nout; i++)
        if (n->out[i])
            fine &= check_output(n->out[i], &q->at, q->diag, q->arena);
    return fine;
}

/* An op may add inputs while it infers: only those there before are looked after. */
static bool
infer_bare(struct infer *q)
{
    struct node *n = q->n;
    int nin = n->nin, nout = n->nout;
    struct saved *s = NEWN(q->arena, struct saved, nin + nout + 1);
    struct value **v = NEWN(q->arena, struct value *, nin + nout + 1);
    bool fine;

    for (int i = 0; i < nin + nout; i++) {
        v[i] = i < nin ? n->in[i] : n->out[i - nin];
        s[i] = take_off(n, v[i]);
    }
    fine = infer_types(q);
    for (int i = nin + nout - 1; i >= 0; i--) /* backwards: a value may be there twice */
        if (v[i])
            put_back(v[i], s[i]);
    return fine;
}

bool
node_infer(struct graph *g, struct node *n, struct diag *d)
{
    struct infer q = { .g = g, .n = n, .arena = g->arena, .diag = d, .opset = g->opset };
    bool fine;

    q.at = node_place(g, n);
    fine = check_node(g, n, &q.at, d) && infer_bare(&q);
    if (!fine)
        show_inputs(n, d, g->arena);
    return fine;
}

/* Is all that the outputs depend on known now? */
static bool
is_constant(const struct node *n)
{
    for (int i = 0; i < n->nin; i++) {
        const struct value *v = n->in[i];
        if (!v)
            continue;
        if (n->op->traits & OP_SHAPE_ONLY && shape_known(&v->type.shape))
            continue;
        if (!v->data || v->mutable || v->is_input || v->type.quant)
            return false;
    }
    return true;
}

static bool
may_fold(const struct node *n)
{
    unsigned never = OP_RANDOM | OP_MACHINE;

    if (!n->op->eval || n->op->traits & never || n->epi || n->nbody)
        return false;
    /* Of a quantized model the integers are what counts. */
    if (!strcmp(n->op->name, "DequantizeLinear") || !strcmp(n->op->name, "QuantizeLinear"))
        return false;
    for (int i = 0; i < n->nout; i++) {
        const struct value *v = n->out[i];
        if (v
            && (v->is_output || v->type.quant || !shape_known(&v->type.shape)
                || dtype_bits(v->type.dt) == 0 || shape_elems(&v->type.shape) > LARGEST_FOLDED))
            return false;
    }
    return is_constant(n);
}

static void
fold(struct graph *g, struct node *n)
{
    const void **in = NEWN(g->arena, const void *, n->nin + 1);
    void **out = NEWN(g->arena, void *, n->nout + 1);

    for (int i = 0; i < n->nin; i++)
        in[i] = n->in[i] ? n->in[i]->data : NULL;
    for (int i = 0; i < n->nout; i++)
        if (n->out[i])
            out[i] = arena_alloc(g->arena, (size_t)shape_bytes(&n->out[i]->type, 0));
    if (!interp_node(g->arena, n, in, out))
        return;
    for (int i = 0; i < n->nout; i++)
        if (n->out[i])
            n->out[i]->data = out[i];
    node_remove(g, n);
}

static bool
reads_failed(const struct graph *g, const struct node *n, const bool *failed, uint32_t known)
{
    for (int i = 0; i < n->nin; i++)
        if (n->in[i] && n->in[i]->home == g && n->in[i]->id < known && failed[n->in[i]->id])
            return true;
    return false;
}

/* The rest follows from the inputs. */
static bool
check_inputs(const struct graph *g, struct diag *d, bool *failed)
{
    struct place_ref at = { .file = g->file };
    bool fine = true;

    for (int i = 0; i < g->ninput; i++) {
        if (is_typed(&g->inputs[i]->type))
            continue;
        failed[g->inputs[i]->id] = true;
        fine = diag_error(d, &at, "type-unknown", "the type of input '%s' is not known: %s",
            g->inputs[i]->name, type_text(g->arena, &g->inputs[i]->type));
    }
    return fine;
}

bool
graph_infer(struct graph *g, struct diag *d)
{
    struct arena *scratch = arena_new();
    bool *failed = NEWN(scratch, bool, g->nvalue + 1), fine = check_inputs(g, d, failed);
    uint32_t known = g->nvalue;
    struct node *next;

    for (struct node *n = g->first; n; n = next) {
        next = n->next;
        bool skip = reads_failed(g, n, failed, known);
        if (!skip && node_infer(g, n, d)) {
            next = n->next; /* inference may have added nodes */
            if (may_fold(n))
                fold(g, n);
            continue;
        }
        fine = false;
        for (int i = 0; i < n->nout; i++)
            if (n->out[i] && n->out[i]->id < known)
                failed[n->out[i]->id] = true;
    }
    arena_free(scratch);
    if (fine)
        g->facts |= FACT_TYPES;
    return fine;
}
