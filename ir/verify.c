/* Does a graph hold together?  Links, ids, use lists, writers, order, stages and
 * types; every contradiction is one error.  It trusts nothing that it has not
 * checked itself, and changes nothing. */
#include <math.h>
#include <string.h>

#include "ir/elem.h"
#include "ir/ir.h"
#include "ir/machine.h"
#include "ir/pass.h"

struct check {
    const struct graph *g;
    struct diag *diag;
    struct arena *arena;
    const struct node *n; /* at hand; NULL: a value is */
    struct place_ref at;
    struct node **by_id; /* nodes found in the list */
    bool *written;       /* by value id: a writer has been passed */
    int *readers;        /* by value id: uses found at the nodes */
    bool fine;
};

#define WRONG(c, ...) ((c)->fine = diag_error((c)->diag, &(c)->at, "ir-verify", __VA_ARGS__))

static bool
in_graph(const struct graph *g, const struct value *v)
{
    return v->home == g && v->id < g->nvalue && g->values[v->id] == v;
}

/* A value of this graph or of one around it. */
static bool
visible(const struct graph *g, const struct value *v)
{
    for (; g; g = g->outer)
        if (in_graph(g, v))
            return true;
    return false;
}

static void
check_links(struct check *c)
{
    const struct graph *g = c->g;
    const struct node *last = NULL;

    for (struct node *n = g->first; n; n = n->next) {
        c->at = (struct place_ref){ .file = g->file, .node = n->name };
        if (n->prev != last)
            WRONG(c, "the node before it in the list is not the one it names");
        last = n;
        if (n->id >= g->nnode || c->by_id[n->id]) {
            WRONG(c, "its id %u is not its own", (unsigned)n->id);
            return; /* the list may be a ring */
        }
        c->by_id[n->id] = n;
        if (!n->op || !n->name)
            WRONG(c, "a node without operator or name");
    }
    c->at = (struct place_ref){ .file = g->file };
    if (g->last != last)
        WRONG(c, "the list of nodes does not end with its last");
}

/* Times that a node reads v as input `index` (-1: in its epilogues). */
static int
reads(const struct node *n, const struct value *v, int index)
{
    int count = 0;

    if (index >= 0)
        return index < n->nin && n->in[index] == v;
    for (const struct epilogue *e = n->epi; e; e = e->next)
        count += e->arg == v;
    return count;
}

static bool
knows_reader(const struct value *v, const struct node *n, int index)
{
    for (int i = 0; i < v->nuse; i++)
        if (v->uses[i].node == n && v->uses[i].index == index)
            return true;
    return false;
}

static void
check_read(struct check *c, const struct value *v, int index)
{
    if (!visible(c->g, v)) {
        WRONG(c, "it reads '%s', which is not in the graph", v->name);
        return;
    }
    if (!knows_reader(v, c->n, index))
        WRONG(c, "'%s' does not know that it is read here", v->name);
    if (v->home != c->g)
        return;
    c->readers[v->id]++;
    if (!v->def && !v->data && !v->is_input) {
        for (int i = 0; i < c->g->nstate; i++)
            if (c->g->states[i].in == v)
                return;
        WRONG(c, "it reads '%s', which nothing writes", v->name);
    } else if (v->def && !c->written[v->id] && c->g->facts & FACT_ORDER) {
        WRONG(c, "it reads '%s' before that is computed", v->name);
    }
}

/* Several m.move may fill one value; its def is the last. */
static void
check_write(struct check *c, struct value *v, int index)
{
    if (!in_graph(c->g, v)) {
        WRONG(c, "it writes '%s', which is not in the graph", v->name);
        return;
    }
    if (v->is_input || v->data)
        WRONG(c, "it writes '%s', an input or a constant", v->name);
    if (c->written[v->id] && !(c->n->op->traits & OP_MACHINE && c->n->nout == 1))
        WRONG(c, "'%s' has two writers", v->name);
    if (v->def == c->n ? v->def_index != index : !v->def || !(c->n->op->traits & OP_MACHINE))
        WRONG(c, "'%s' does not know that it is written here", v->name);
    c->written[v->id] = true;
}

static void
check_arity(struct check *c)
{
    const struct node *n = c->n;
    const struct op_def *op = n->op;
    int min_out = op->max_out ? op->min_out : 1, max_out = op->max_out ? op->max_out : 1;

    if (!(op->stages & (unsigned)c->g->stage))
        WRONG(c, "%s may not stand in a graph at this stage", op->name);
    if (n->nin < op->min_in || n->nin > op->max_in)
        WRONG(c, "%d inputs, %s takes %d to %d", n->nin, op->name, op->min_in, op->max_in);
    if (n->nout < min_out || n->nout > max_out)
        WRONG(c, "%d outputs, %s has %d to %d", n->nout, op->name, min_out, max_out);
    for (int i = 0; i < op->min_in && i < n->nin; i++)
        if (!n->in[i])
            WRONG(c, "input %d is left out", i);
    for (int i = 0; i < min_out && i < n->nout; i++)
        if (!n->out[i])
            WRONG(c, "output %d is left out", i);
    if (op->attr_size && !n->attr)
        WRONG(c, "it has no attributes");
}

/* After quantization an operator that computes on numbers has either all of its
 * int8 operands quantized or works on floats. */
static void
check_quantized(struct check *c, const struct value *v)
{
    enum dtype dt = v->type.dt;

    if (c->g->stage != STAGE_QNET || c->n->op->quant == Q_NONE || c->n->op->quant == Q_FLOAT)
        return;
    if ((dt == DT_I8 || dt == DT_U8) && !v->type.quant)
        WRONG(c, "'%s' is %s without a scale", v->name, dtype_name(dt));
}

static void
check_nodes(struct check *c)
{
    for (struct node *n = c->g->first; n; n = n->next) {
        if (!n->op)
            continue;
        c->n = n;
        c->at = node_place(c->g, n);
        check_arity(c);
        for (int i = 0; i < n->nin; i++) {
            if (!n->in[i])
                continue;
            check_read(c, n->in[i], i);
            check_quantized(c, n->in[i]);
        }
        for (const struct epilogue *e = n->epi; e; e = e->next)
            if (e->arg)
                check_read(c, e->arg, -1);
        for (int i = 0; i < n->nout; i++) {
            if (!n->out[i])
                continue;
            check_write(c, n->out[i], i);
            check_quantized(c, n->out[i]);
        }
        for (int i = 0; i < n->nbody; i++) {
            if (n->body[i]->outer != c->g)
                WRONG(c, "its nested graph %d belongs to another", i);
            else
                c->fine &= ir_verify(n->body[i], c->diag);
        }
    }
    c->n = NULL;
}

static void
check_scales(struct check *c, const struct value *v)
{
    const struct type *t = &v->type;
    const struct quant *q = t->quant;
    int64_t lo, hi;

    if (!elem_limits(t->dt, &lo, &hi)) {
        WRONG(c, "'%s' is %s and has a scale", v->name, dtype_name(t->dt));
        return;
    }
    if (q->axis < 0 ? q->n != 1 : q->axis >= t->shape.rank || t->shape.dim[q->axis].n != q->n) {
        WRONG(c, "'%s' has %d scales on axis %d", v->name, q->n, q->axis);
        return;
    }
    for (int i = 0; i < q->n; i++) {
        if (!isfinite(q->scale[i]) || q->scale[i] <= 0) {
            WRONG(c, "'%s' has a scale of %g", v->name, (double)q->scale[i]);
            return;
        }
        if (q->zero[i] < lo || q->zero[i] > hi) {
            WRONG(c, "'%s' has a zero point of %d", v->name, q->zero[i]);
            return;
        }
    }
}

static void
check_layout(struct check *c, const struct value *v)
{
    const struct layout *l = v->type.layout;
    int rank = v->type.shape.rank;
    unsigned seen = 0;
    int64_t least = shape_elems(&v->type.shape) ? 1 : 0;

    for (int i = 0; i < rank; i++) {
        if (l->order[i] >= 0 && l->order[i] < rank)
            seen |= 1u << l->order[i];
        if (l->pitch[i] < least || l->before[i] < 0 || l->after[i] < 0) {
            WRONG(c, "'%s' has a pitch of %lld and a halo of %d, %d on axis %d", v->name,
                (long long)l->pitch[i], l->before[i], l->after[i], i);
            return;
        }
    }
    if (seen != (1u << (unsigned)(rank < 0 ? 0 : rank)) - 1)
        WRONG(c, "the memory order of '%s' does not name every axis once", v->name);
    if (l->first < 0 || l->bytes < 0)
        WRONG(c, "'%s' lies outside of its buffer", v->name);
}

static void
check_type(struct check *c, const struct value *v)
{
    const struct type *t = &v->type;
    const struct shape *s = &t->shape;
    bool must = v->data || c->g->stage != STAGE_NET || c->g->facts & FACT_TYPES;

    if ((unsigned)t->dt >= DT_COUNT || s->rank < -1 || s->rank > MAX_RANK) {
        WRONG(c, "'%s' has no possible type", v->name);
        return;
    }
    if (must && (v->nuse || v->is_output || v->data) && (t->dt == DT_NONE || s->rank < 0)) {
        WRONG(c, "'%s' has no type", v->name);
        return;
    }
    for (int i = 0; i < s->rank; i++) {
        if (s->dim[i].n < (must ? 0 : -1) || (s->dim[i].sym && s->dim[i].n != s->dim[i].sym->max)) {
            WRONG(c, "'%s' has a size of %lld", v->name, (long long)s->dim[i].n);
            return;
        }
    }
    if (v->data && !shape_known(s))
        WRONG(c, "the constant '%s' has a size that is not fixed", v->name);
    if (t->quant)
        check_scales(c, v);
    if (t->layout)
        check_layout(c, v);
}

static void
check_uses(struct check *c, const struct value *v)
{
    int inside = 0;

    for (int i = 0; i < v->nuse; i++) {
        const struct use *u = &v->uses[i];
        bool listed = u->node->id < c->g->nnode && c->by_id[u->node->id] == u->node;
        if (!listed) {
            bool nested = false; /* a reader in a nested graph is checked there */
            for (const struct node *n = c->g->first; n; n = n->next)
                nested |= n->nbody > 0;
            if (!nested)
                WRONG(c, "'%s' thinks that '%s' reads it, which is not in the graph", v->name,
                    u->node->name);
        } else if (!reads(u->node, v, u->index)) {
            WRONG(
                c, "'%s' thinks that '%s' reads it as input %d", v->name, u->node->name, u->index);
        }
        inside += listed;
    }
    if (inside != c->readers[v->id])
        WRONG(c, "'%s' counts %d readers and has %d", v->name, inside, c->readers[v->id]);
}

static void
check_values(struct check *c)
{
    const struct graph *g = c->g;

    c->at = (struct place_ref){ .file = g->file };
    for (uint32_t i = 0; i < g->nvalue; i++) {
        const struct value *v = g->values[i];
        if (!v)
            continue;
        if (v->id != i || v->home != g || !v->name) {
            WRONG(c, "value %u is not where its id says", (unsigned)i);
            continue;
        }
        if (v->def && (v->def->id >= g->nnode || c->by_id[v->def->id] != v->def))
            WRONG(c, "'%s' is written by a node that is not in the graph", v->name);
        else if (v->def && !c->written[v->id])
            WRONG(c, "'%s' thinks that '%s' writes it", v->name, v->def->name);
        check_type(c, v);
        check_uses(c, v);
    }
}

static void
check_ports(struct check *c)
{
    const struct graph *g = c->g;
    int flagged = 0;

    for (int i = 0; i < g->ninput; i++)
        if (!in_graph(g, g->inputs[i]) || !g->inputs[i]->is_input || g->inputs[i]->def)
            WRONG(c, "input %d, '%s', is none", i, g->inputs[i]->name);
    for (int i = 0; i < g->noutput; i++) {
        const struct value *v = g->outputs[i];
        if (!visible(g, v) || (v->home == g && !v->is_output))
            WRONG(c, "output %d, '%s', is none", i, v->name);
        else if (v->home == g && !v->def && !v->data && !v->is_input)
            WRONG(c, "nothing computes output '%s'", v->name);
    }
    for (uint32_t i = 0; i < g->nvalue; i++)
        flagged += g->values[i] && g->values[i]->is_input;
    if (flagged != g->ninput)
        WRONG(c, "%d values are marked as inputs, and %d are", flagged, g->ninput);
    for (int i = 0; i < g->nstate; i++) {
        const struct state *s = &g->states[i];
        if (!in_graph(g, s->in) || !in_graph(g, s->out))
            WRONG(c, "a tensor of state %d is not in the graph", i);
        else if (s->out->type.dt != DT_NONE
            && (s->in->type.dt != s->out->type.dt
                || !shape_equal(&s->in->type.shape, &s->out->type.shape)))
            WRONG(c, "state '%s' changes its type to that of '%s'", s->in->name, s->out->name);
    }
}

bool
ir_verify(const struct graph *g, struct diag *d)
{
    struct check c = { .g = g, .diag = d, .arena = arena_new(), .fine = true };

    c.by_id = NEWN(c.arena, struct node *, g->nnode + 1);
    c.written = NEWN(c.arena, bool, g->nvalue + 1);
    c.readers = NEWN(c.arena, int, g->nvalue + 1);
    check_links(&c);
    if (c.fine) /* the rest walks the list */
        check_nodes(&c);
    if (c.fine) {
        check_values(&c);
        check_ports(&c);
    }
    arena_free(c.arena);
    return c.fine;
}
