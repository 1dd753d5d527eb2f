/* What the lower functions of operators build with. */
#include "ir/ir.h"
#include "ir/machine.h"

struct node *
lower_node(struct lower *l, const struct op_def *op, const void *attr, struct value *const *in,
    int nin, struct value *out)
{
    struct node *n = graph_node(l->g, l->n, op, l->n->name, in, nin, &out, 1);

    if (attr)
        n->attr = arena_dup(l->g->arena, attr, op->attr_size);
    n->place = l->n->place;
    n->from = l->n->from;
    if (!n->from)
        node_join_origin(l->g, n, l->n);
    return n;
}

struct value *
lower_const(struct lower *l, const char *what, const struct type *t, const void *data)
{
    return graph_const(l->g, arena_printf(l->g->arena, "%s.%s", l->n->name, what), t, data);
}

struct value *
lower_temp(struct lower *l, const char *what, const struct type *t)
{
    return graph_value(l->g, arena_printf(l->g->arena, "%s.%s", l->n->name, what), t);
}
