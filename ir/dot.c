/* A graph as Graphviz text: nodes as boxes, types on the edges.  Constants are left
 * out of the picture. */
#include "ir/ir.h"
#include "src/base/out.h"

/* Inside a quoted label; names come from files. */
static void
label(struct out *o, const char *s)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            out_printf(o, "\\%c", c);
        else
            out_printf(o, "%c", c < 32 || c == 127 ? '?' : c);
    }
}

static void
edges(const struct graph *g, struct out *o, struct arena *a, const struct node *n)
{
    for (int i = 0; i < n->nin; i++) {
        const struct value *v = n->in[i];
        if (!v || v->home != g || (!v->def && !v->is_input))
            continue;
        out_printf(o, v->def ? "n%u" : "v%u", (unsigned)(v->def ? v->def->id : v->id));
        out_printf(o, " -> n%u [label=\"", (unsigned)n->id);
        label(o, type_text(a, &v->type));
        out_puts(o, "\"];\n");
    }
}

static void
box(struct out *o, const struct node *n)
{
    static const char *const epis[] = { "bias", "add", "scale", "act", "pool" };

    out_printf(o, "n%u [shape=box, label=\"%s", (unsigned)n->id, n->op->name);
    for (const struct epilogue *e = n->epi; e; e = e->next)
        out_printf(o, " + %s", epis[e->kind]);
    out_puts(o, "\\n");
    label(o, n->name);
    out_puts(o, "\"];\n");
}

void
ir_dot(const struct graph *g, struct out *o)
{
    struct arena *a = arena_new();

    out_puts(o, "digraph \"");
    label(o, g->name ? g->name : "");
    out_puts(o, "\" {\n");
    out_indent(o, 1);
    for (int i = 0; i < g->ninput; i++) {
        out_printf(o, "v%u [label=\"", (unsigned)g->inputs[i]->id);
        label(o, g->inputs[i]->name);
        out_puts(o, "\"];\n");
    }
    for (const struct node *n = g->first; n; n = n->next) {
        box(o, n);
        edges(g, o, a, n);
    }
    for (int i = 0; i < g->noutput; i++) {
        const struct value *v = g->outputs[i];
        out_printf(o, "o%d [label=\"", i);
        label(o, v->name);
        out_puts(o, "\"];\n");
        if (v->def)
            out_printf(o, "n%u -> o%d;\n", (unsigned)v->def->id, i);
        else if (v->is_input)
            out_printf(o, "v%u -> o%d;\n", (unsigned)v->id, i);
    }
    out_indent(o, -1);
    out_puts(o, "}\n");
    arena_free(a);
}
