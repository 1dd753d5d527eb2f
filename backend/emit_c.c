/* The generated C: loop kernels, one per kind and shared by its layers; a block of
 * constant arguments per layer; the function that runs the model.  Freestanding C11,
 * fixed order, no time, no path. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "backend/emit.h"
#include "src/base/out.h"
#include "src/base/str.h"

struct emitter {
    const struct program *p;
    const struct emit *e;
    struct out *o;
    struct arena *arena;
};

/* ---- shared by the emitters */

struct emit_place
emit_place(const struct program *p, struct address a)
{
    const struct graph *g = p->g;
    bool in = a.space == SPACE_IN;

    if (a.space == SPACE_ARENA)
        return (struct emit_place){ 0, a.at };
    if (a.space == SPACE_WEIGHTS)
        return (struct emit_place){ 1, a.at };
    if (a.space == SPACE_STATE)
        return (struct emit_place){ 2, a.at };
    struct value *const *v = in ? g->inputs : g->outputs;
    int n = in ? g->ninput : g->noutput, found = 0;
    for (int i = 0; i < n; i++)          /* addresses may lie before element 0, never before the buffer */
        if (v[i]->buf && v[i]->buf->space == a.space && v[i]->buf->offset <= a.at
            && v[i]->buf->offset >= v[found]->buf->offset)
            found = i;
    return (struct emit_place){ 3 + found + (in ? 0 : g->ninput), a.at - v[found]->buf->offset };
}

const char *
emit_base(struct arena *a, const struct program *p, int base)
{
    static const char *const names[] = { "GM_ARENA", "GM_WEIGHTS", "GM_STATE", "GM_TENSORS" };

    (void)p;
    return base < 4 ? names[base] : arena_printf(a, "GM_TENSORS + %d", base - 3);
}

const char *
emit_float(struct arena *a, float f)
{
    if (f != f)
        return "__builtin_nanf(\"\")";
    if (f - f != 0)
        return f > 0 ? "__builtin_inff()" : "-__builtin_inff()";
    return f > -1e6f && f < 1e6f && f == (float)(int)f && !(f == 0 && signbit(f))
        ? arena_printf(a, "%d", (int)f) : arena_printf(a, "%af", (double)f);
}

/* A name that does not end the comment it stands in. */
static const char *
plain(struct arena *a, const char *name)
{
    char *s = arena_strdup(a, name);

    for (char *c = s; *c; c++)
        if ((*c == '*' && c[1] == '/') || (*c == '/' && c[1] == '*') || (unsigned char)*c < 32)
            *c = ' ';
    return s;
}

const char *
emit_layer_name(struct arena *a, const struct kernel *k)
{
    return plain(a, node_models(a, k->n));
}

/* Would a parameter of this name hide something that the file needs, or be no name at
 * all in C or C++? */
static bool
is_taken(const struct program *p, const char *s)
{
    static const char *const words[] = {
        "alignas", "alignof", "and", "arena", "asm", "auto", "bool", "break", "case", "catch", "char", "class", "const",
        "constexpr", "continue", "default", "delete", "do", "double", "else", "enum", "explicit", "export", "extern",
        "false", "float", "for", "friend", "goto", "halos", "if", "inline", "int", "long", "m", "mutable", "namespace",
        "new", "not", "nullptr", "operator", "or", "private", "protected", "public", "register", "restrict", "return",
        "short", "signed", "sizeof", "static", "struct", "switch", "template", "this", "throw", "true", "try", "typedef",
        "typename", "union", "unsigned", "using", "virtual", "void", "volatile", "while", "xor", "int8_t", "uint8_t",
        "int32_t", "int64_t", "uint64_t", NULL
    };

    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], s) == 0)
            return true;
    for (int i = 0; i < p->nprog; i++)
        if (strcmp(p->progs[i]->name, s) == 0)
            return true;
    return str_starts(s, "layer_") || str_starts(s, "gm_") || str_starts(s, "GM_") || str_ends(s, "_weights");
}

/* Inputs count first, then outputs; an earlier one keeps the name. */
static const char *
own_name(struct arena *a, const struct program *p, int i)
{
    const struct graph *g = p->g;
    const char *s = str_ident(a, i < g->ninput ? g->inputs[i]->name : g->outputs[i - g->ninput]->name);

    return is_taken(p, s) ? arena_printf(a, "%s_", s) : s;
}

const char *
emit_tensor_name(struct arena *a, const struct program *p, bool output, int i)
{
    int n = output ? p->g->ninput + i : i;
    const char *s = own_name(a, p, n);

    for (int k = 0; k < n; k++)
        if (strcmp(s, own_name(a, p, k)) == 0)
            return arena_printf(a, "%s_%s%d", s, output ? "out" : "in", i);
    return s;
}

/* ---- kernels */

/* Is this parameter an address in any layer? */
static bool
is_address(const struct program *p, const struct prog *q, int param)
{
    for (int i = 0; i < p->nlayer; i++)
        if (p->layers[i]->prog == q && !p->layers[i]->args[param].value.fixed)
            return true;
    return false;
}

static void
note_block(struct out *o, const char *text)
{
    const char *sep = "/* ";

    for (const char *s = text; *s;) {
        size_t n = strcspn(s, "\n");
        out_printf(o, "%s%.*s", sep, (int)n, s);
        s += n + (s[n] != 0);
        sep = "\n * ";
    }
    if (*text)
        out_puts(o, " */\n");
}

static void
field(struct emitter *w, const char *text, const char *note)
{
    if (note)
        out_printf(w->o, "    %-28s /* %s */\n", text, note);
    else
        out_printf(w->o, "    %s\n", text);
}

static void
kernel_args(struct emitter *w, const struct prog *q)
{
    out_printf(w->o, "struct %s_args {\n", q->name);
    for (int i = 0; i < q->nparam; i++)
        field(w, arena_printf(w->arena, "%s %s;", is_address(w->p, q, i) ? "struct gm_place" : "uint64_t", q->var[i]),
              q->var_note[i]);
    for (int i = 0; i < q->ntable; i++)
        field(w, arena_printf(w->arena, "const uint64_t *%s;", q->table[i]), q->table_note[i]);
    out_puts(w->o, "};\n\n");
}

static void
kernel(struct emitter *w, const struct prog *q)
{
    kernel_args(w, q);
    note_block(w->o, q->doc);
    out_printf(w->o, "GM_KERNEL static void\n%s(const struct %s_args *args, const struct gm_memory *memory)\n{\n", q->name, q->name);
    out_indent(w->o, 1);
    for (int i = 0; i < q->nparam; i++)
        out_printf(w->o, is_address(w->p, q, i) ? "const uint64_t %s = gm_at(memory, args->%s);\n" : "const uint64_t %s = args->%s;\n",
                   q->var[i], q->var[i]);
    for (int i = 0; i < q->ntable; i++)
        out_printf(w->o, "const uint64_t *const %s = args->%s;\n", q->table[i], q->table[i]);
    for (int i = q->nparam; i < q->nvar; i++)
        out_printf(w->o, "%s%s%s", (i - q->nparam) % 10 ? ", " : "uint64_t ", q->var[i],
                   (i - q->nparam) % 10 == 9 || i + 1 == q->nvar ? ";\n" : "");
    out_puts(w->o, "\n");
    prog_print_c(q, w->o);
    out_indent(w->o, -1);
    out_puts(w->o, "}\n\n");
}

/* ---- layers */

static bool
same_table(const struct arg_table *a, const struct arg_table *b)
{
    return a->n == b->n && memcmp(a->at, b->at, (size_t)a->n * sizeof *a->at) == 0;
}

/* The first layer and table with these contents. */
static void
first_like(const struct program *p, const struct kernel *k, int table, int *layer, int *at)
{
    for (int i = 0; i <= k->number; i++)
        for (int j = 0; j < p->layers[i]->ntable; j++)
            if (same_table(&p->layers[i]->tables[j], &k->tables[table])) {
                *layer = i;
                *at = j;
                return;
            }
}

static void
table(struct emitter *w, const struct kernel *k, int i)
{
    const struct arg_table *t = &k->tables[i];
    int layer = 0, at = 0;

    first_like(w->p, k, i, &layer, &at);
    if (layer != k->number || at != i)
        return;
    out_printf(w->o, "static const uint64_t layer_%d_%s[%" PRId64 "] = {", k->number, t->name, t->n);
    for (int64_t j = 0; j < t->n; j++)
        out_printf(w->o, "%s0x%" PRIx64, j % 6 ? ", " : j ? ",\n    " : "\n    ", t->at[j]);
    out_puts(w->o, "\n};");
    if (strcmp(t->name, "scale") == 0 && t->n == 1) {
        const uint32_t bits = (uint32_t)t->at[0];
        float f;
        memcpy(&f, &bits, sizeof f);
        out_printf(w->o, " /* %.9g */", (double)f);
    }
    out_puts(w->o, "\n");
}

static void
device_layer(struct emitter *w, const struct kernel *k)
{
    for (int i = 0; i < k->ntable; i++)
        table(w, k, i);
    out_printf(w->o, "static const struct %s_args layer_%d = {\n", k->prog->name, k->number);
    for (int i = 0; i < k->narg; i++) {
        const struct arg *a = &k->args[i];
        out_printf(w->o, "%s.%s = ", i % 4 ? " " : "    ", k->prog->var[i]);
        if (is_address(w->p, k->prog, i)) {
            struct emit_place at = emit_place(w->p, a->value);
            out_printf(w->o, "{ %s, %" PRId64 " },", emit_base(w->arena, w->p, at.base), at.offset);
        } else {
            out_printf(w->o, "%" PRIu64 ",", (uint64_t)a->value.at);
        }
        out_puts(w->o, i % 4 == 3 || i + 1 == k->narg ? "\n" : "");
    }
    for (int i = 0; i < k->ntable; i++) {
        int layer = k->number, at = i;
        first_like(w->p, k, i, &layer, &at);
        out_printf(w->o, "    .%s = layer_%d_%s,\n", k->tables[i].name, layer, w->p->layers[layer]->tables[at].name);
    }
    out_puts(w->o, "};\n");
}

static const char *
view_type(enum dtype t)
{
    switch (t) {
    case DT_I8: return "GM_I8";
    case DT_U8: return "GM_U8";
    case DT_BOOL: return "GM_BOOL";
    case DT_I16: return "GM_I16";
    case DT_U16: return "GM_U16";
    case DT_I32: return "GM_I32";
    case DT_U32: return "GM_U32";
    case DT_I64: return "GM_I64";
    case DT_F64: return "GM_F64";
    default: return "GM_F32";
    }
}

static void
view(struct emitter *w, const struct value *v)
{
    const struct type *t = &v->type;

    out_printf(w->o, "{ .type = %s, .rank = %d, ", view_type(t->dt), t->shape.rank);
    if (t->quant)
        out_printf(w->o, ".scale = %s, .zero = %d,\n      ", emit_float(w->arena, t->quant->scale[0]), (int)t->quant->zero[0]);
    out_puts(w->o, ".dim = {");
    for (int i = 0; i < t->shape.rank; i++)
        out_printf(w->o, "%s%" PRId64, i ? ", " : " ", t->shape.dim[i].n);
    out_puts(w->o, " }, .pitch = {");
    for (int i = 0; i < t->shape.rank; i++)
        out_printf(w->o, "%s%" PRId64, i ? ", " : " ", value_pitch(v, i));
    out_puts(w->o, " } }");
}

static void
core_layer(struct emitter *w, const struct kernel *k)
{
    const struct core_call *c = k->core;
    int nin = 0;

    for (int i = 0; i < 4; i++)
        nin += c->in[i] != NULL ? i + 1 - nin : 0;
    out_printf(w->o, "static const struct gm_view layer_%d_views[] = {\n    ", k->number);
    view(w, c->out);
    for (int i = 0; i < nin; i++) {
        out_puts(w->o, ",\n    ");
        if (c->in[i])
            view(w, c->in[i]);
        else
            out_puts(w->o, "{ .type = 0 }");
    }
    out_puts(w->o, ",\n};\n");
    if (c->nscale) {
        out_printf(w->o, "static const float layer_%d_scale[] = {", k->number);
        for (int i = 0; i < c->nscale; i++)
            out_printf(w->o, "%s%s", i ? ", " : " ", emit_float(w->arena, c->scale[i]));
        out_puts(w->o, " };\n");
    }
    out_printf(w->o, "static const struct gm_core_layer layer_%d = {\n    .kernel = %s,\n    .call = { .out = &layer_%d_views[0], .in = {",
               k->number, c->function, k->number);
    for (int i = 0; i < nin; i++)
        out_printf(w->o, c->in[i] ? " &layer_%d_views[%d]," : " 0,", k->number, i + 1);
    out_puts(w->o, " },\n        .i = {");
    for (int i = 0; i < c->ni || i == 0; i++)
        out_printf(w->o, "%s%" PRId64, i ? ", " : " ", c->i[i]);
    out_puts(w->o, " }");
    if (c->nf) {
        out_puts(w->o, ", .f = {");
        for (int i = 0; i < c->nf; i++)
            out_printf(w->o, "%s%s", i ? ", " : " ", emit_float(w->arena, c->f[i]));
        out_puts(w->o, " }");
    }
    if (c->nscale)
        out_printf(w->o, ", .scale = layer_%d_scale", k->number);
    out_puts(w->o, " },\n    .in = {");
    for (int i = 0; i < nin; i++) {
        struct emit_place at = { 0 };
        if (c->in[i])
            at = emit_place(w->p, value_address(c->in[i]));
        out_printf(w->o, " { %s, %" PRId64 " },", emit_base(w->arena, w->p, at.base), at.offset);
    }
    struct emit_place at = emit_place(w->p, value_address(c->out));
    out_printf(w->o, " },\n    .out = { %s, %" PRId64 " },\n};\n", emit_base(w->arena, w->p, at.base), at.offset);
}

/* "'name' int8 [1,8,14,14]"; constants have no name that says anything. */
static const char *
operand(struct emitter *w, const struct value *v)
{
    const char *shape = shape_text(w->arena, &v->type.shape), *dt = dtype_name(v->type.dt);

    if (v->data)
        return arena_printf(w->arena, "constant %s %s", dt, shape);
    return arena_printf(w->arena, "'%s' %s %s", plain(w->arena, v->name), dt, shape);
}

static void
layer(struct emitter *w, const struct kernel *k)
{
    const char *sched = sched_text(w->arena, &k->schedule);

    const char *from = "";
    for (int i = 0; i < k->n->nin && i < 2; i++)
        if (k->n->in[i])
            from = arena_printf(w->arena, "%s%s%s", from, i ? " and " : "", operand(w, k->n->in[i]));
    out_printf(w->o, "\n/* Layer %d: %s\n * %s of %s\n *   to %s\n * %s%s%sestimate %s cycles, limited by the %s */\n", k->number,
               emit_layer_name(w->arena, k), op_short(k->n->op), from, operand(w, k->n->out[0]), sched, *sched ? "; " : "",
               k->core && k->why ? arena_printf(w->arena, "on the core: %s; ", k->why) : "",
               str_thousands(w->arena, k->cost.cycles), limit_name(k->cost.limit));
    if (k->prog)
        device_layer(w, k);
    else
        core_layer(w, k);
}

/* ---- the model's functions */

static void
fills(struct emitter *w)
{
    const struct program *p = w->p;

    if (p->nhalo == 0)
        return;
    out_puts(w->o, "\n/* Halos hold their tensor's padding; nothing else is ever stored there. */\n"
             "static const struct gm_fill halos[] = {\n");
    for (int i = 0; i < p->nhalo; i++) {
        struct emit_place at = emit_place(p, p->halos[i].at);
        out_printf(w->o, "    { { %s, %" PRId64 " }, %" PRId64 ", %d },\n", emit_base(w->arena, p, at.base), at.offset,
                   p->halos[i].bytes, p->halos[i].value);
    }
    out_puts(w->o, "};\n");
}

static const char *
c_type(enum dtype t)
{
    switch (t) {
    case DT_I8: return "int8_t";
    case DT_U8: case DT_BOOL: return "uint8_t";
    case DT_I32: return "int32_t";
    case DT_I64: return "int64_t";
    case DT_F64: return "double";
    default: return "float";
    }
}

/* "const int8_t *image, int8_t *score, void *arena"; init writes to inputs too. */
void
emit_parameters(const struct program *p, bool init, struct out *o)
{
    struct arena *a = arena_new();
    const struct graph *g = p->g;

    for (int i = 0; i < g->ninput; i++)
        out_printf(o, "%s%s *%s, ", init ? "" : "const ", c_type(g->inputs[i]->type.dt), emit_tensor_name(a, p, false, i));
    for (int i = 0; i < g->noutput; i++)
        out_printf(o, "%s *%s, ", c_type(g->outputs[i]->type.dt), emit_tensor_name(a, p, true, i));
    out_puts(o, "void *arena");
    arena_free(a);
}

static void
memory(struct emitter *w)
{
    const struct graph *g = w->p->g;

    out_printf(w->o, "    const struct gm_memory m = { {\n        (uint64_t)arena, (uint64_t)%s_weights, 0,\n        ", w->e->name);
    for (int i = 0; i < g->ninput + g->noutput; i++) {
        bool out = i >= g->ninput;
        out_printf(w->o, "%s(uint64_t)%s,", i ? " " : "", emit_tensor_name(w->arena, w->p, out, out ? i - g->ninput : i));
    }
    out_puts(w->o, "\n    } };\n");
}

static void
functions(struct emitter *w)
{
    const struct program *p = w->p;

    out_printf(w->o, "\nvoid\n%s_init(", w->e->name);
    emit_parameters(p, true, w->o);
    out_puts(w->o, ")\n{\n");
    memory(w);
    out_puts(w->o, p->nhalo ? "\n    gm_fill(halos, sizeof halos / sizeof *halos, &m);\n}\n" : "\n    (void)m;\n}\n");
    out_printf(w->o, "\nint\n%s_run(", w->e->name);
    emit_parameters(p, false, w->o);
    out_puts(w->o, ")\n{\n");
    memory(w);
    out_puts(w->o, "\n    gm_fence();\n");
    for (int i = 0; i < p->nlayer; i++) {
        const struct kernel *k = p->layers[i];
        out_printf(w->o, "    gm_layer(%d);\n    %s(&layer_%d, &m);\n    gm_fence();\n", i,
                   k->prog ? k->prog->name : "gm_core", i);
    }
    out_puts(w->o, "    gm_layer(-1);\n    return 0;\n}\n");
}

/* What a reader has to know before the kernels make sense. */
static const char glossary[] =
    "\n"
    "/* How to read this.  The array multiplies blocks of DIM by DIM bytes.  Its local memory\n"
    " * is addressed in rows of DIM elements: the scratchpad (int8) from 0, the accumulator\n"
    " * (int32) from GM_ACC; adding GM_ACCUMULATE adds to what is there, GM_GARBAGE is no row.\n"
    " * An operand is a local row with the size of the block at it: rows << 48 | columns << 32.\n"
    " *   gm_mvin, 2, 3       memory to local rows: inputs, weights, bias\n"
    " *   gm_preload          weights into the array, and where the next sums go\n"
    " *   gm_compute_..       rows through the array, with new weights or those it has\n"
    " *   gm_mvout            sums to memory, scaled and clamped to int8\n"
    " * The commands queue up; gm_fence waits for all of them.  Below: the kernels, each with\n"
    " * its arguments; then a block of arguments for each layer, tables first (equal tables\n"
    " * stand once, under the name of the first); then init and run. */\n\n";

static void
heading(struct emitter *w)
{
    const struct program *p = w->p;
    uint64_t cycles = 0;
    int core = 0;

    for (int i = 0; i < p->nlayer; i++) {
        cycles += p->layers[i]->cost.cycles;
        core += p->layers[i]->prog == NULL;
    }
    out_printf(w->o, "/* %s for %s, made by gemmcc %s from model %.12s.\n * %d layers on the array, %d on the core.  "
               "Estimated %s cycles.\n * Arena: %s bytes; weights: %s bytes. */\n", w->e->name, p->target->name,
               w->e->version, w->e->model_digest, p->nlayer - core, core, str_thousands(w->arena, cycles),
               str_thousands(w->arena, (uint64_t)p->g->arena_bytes), str_thousands(w->arena, (uint64_t)p->weight_bytes));
    out_printf(w->o, "#include \"%s.h\"\n\n#include \"gm_model.h\"\n\nextern const uint8_t %s_weights[];\n", w->e->name, w->e->name);
    out_puts(w->o, glossary);
}

static void
tensors(struct emitter *w, bool output)
{
    const struct graph *g = w->p->g;
    int n = output ? g->noutput : g->ninput;

    for (int i = 0; i < n; i++) {
        const struct value *v = output ? g->outputs[i] : g->inputs[i];
        const struct type *t = &v->type;
        out_printf(w->o, "    { .name = \"%s\", .type = \"%s\", .rank = %d, .bytes = %d,\n      .dim = {",
                   str_ident(w->arena, v->name), dtype_name(t->dt), t->shape.rank, dtype_bits(t->dt) / 8);
        for (int k = 0; k < t->shape.rank; k++)
            out_printf(w->o, "%s%" PRId64, k ? ", " : " ", t->shape.dim[k].n);
        out_puts(w->o, " }, .pitch = {");
        for (int k = 0; k < t->shape.rank; k++)
            out_printf(w->o, "%s%" PRId64, k ? ", " : " ", value_pitch(v, k));
        out_printf(w->o, " }, .first = %" PRId64 ",\n      .scale = %s, .zero = %d },\n", t->layout ? t->layout->first : 0,
                   t->quant ? emit_float(w->arena, t->quant->scale[0]) : "0", t->quant ? (int)t->quant->zero[0] : 0);
    }
}

void
emit_c(const struct program *p, const struct emit *e, struct out *o)
{
    struct emitter w = { p, e, o, arena_new() };

    heading(&w);
    for (int i = 0; i < p->nprog; i++)
        kernel(&w, p->progs[i]);
    for (int i = 0; i < p->nlayer; i++)
        layer(&w, p->layers[i]);
    fills(&w);
    functions(&w);
    out_printf(o, "\n/* Inputs, then outputs, in the model's order. */\nconst struct gm_tensor %s_tensors[] = {\n", e->name);
    tensors(&w, false);
    tensors(&w, true);
    out_puts(o, "};\n");
    arena_free(w.arena);
}

void
emit_prog(const struct program *p, struct out *o)
{
    struct arena *a = arena_new();

    for (int i = 0; i < p->nprog; i++) {
        prog_print(p->progs[i], o);
        out_puts(o, "\n");
    }
    for (int i = 0; i < p->nlayer; i++) {
        const struct kernel *k = p->layers[i];
        out_printf(o, "# layer %d: %s: %s\n", i, node_models(a, k->n), k->prog ? sched_text(a, &k->schedule) : k->core->function);
        for (int j = 0; j < k->narg; j++)
            out_printf(o, "#   %s = %" PRId64 "%s\n", k->prog->var[j], k->args[j].value.at,
                       k->args[j].value.fixed ? "" : " (address)");
    }
    arena_free(a);
}
