/* The C header of a compiled model, its main program, and the assembler file that
 * takes the weights and the description in. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backend/emit.h"
#include "src/base/out.h"
#include "src/base/str.h"

static const char *
upper(struct arena *a, const char *s)
{
    char *u = arena_strdup(a, s);

    for (char *c = u; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return u;
}

static void
tensor_macros(struct out *o, struct arena *a, const struct program *p, const char *prefix, bool output, int i)
{
    const struct value *v = output ? p->g->outputs[i] : p->g->inputs[i];
    const struct type *t = &v->type;
    const char *name = upper(a, arena_printf(a, "%s_%s_%s", prefix, output ? "out" : "in", emit_tensor_name(a, p, output, i)));
    bool dense = layout_is_dense(t);

    out_printf(o, "/* %s '%s': %s %s", output ? "Output" : "Input", str_ident(a, v->name), dtype_name(t->dt),
               shape_text(a, &t->shape));
    if (t->layout && t->shape.rank == 4 && t->layout->order[1] == 2)
        out_puts(o, ", channels innermost");
    if (t->quant)
        out_printf(o, "; real = %g * (q %c %d)", (double)t->quant->scale[0], t->quant->zero[0] < 0 ? '+' : '-',
                   abs((int)t->quant->zero[0]));
    out_puts(o, " */\n");
    out_printf(o, "#define %s_BYTES %" PRId64 "\n", name, v->buf->size);
    for (int k = 0; !dense && k < t->shape.rank; k++)
        out_printf(o, "#define %s_PITCH_%d %" PRId64 "\n", name, k, value_pitch(v, k));
    if (t->layout && t->layout->first)
        out_printf(o, "#define %s_FIRST %" PRId64 "\n", name, t->layout->first);
}

void
emit_header(const struct program *p, const struct emit *e, struct out *o)
{
    struct arena *a = arena_new();
    const char *up = upper(a, e->name);
    const struct graph *g = p->g;

    out_printf(o, "/* %s: made by gemmcc %s for %s. */\n#ifndef %s_H\n#define %s_H\n#include \"gm_rt.h\"\n\n"
               "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n", e->name, e->version, p->target->name, up, up);
    out_printf(o, "#define %s_ARENA_BYTES %" PRId64 " /* scratch the caller lends, 64-aligned */\n"
               "#define %s_WEIGHT_BYTES %" PRId64 " /* read-only, in section .gm.weights */\n\n",
               up, g->arena_bytes + 4096, up, p->weight_bytes);
    for (int i = 0; i < g->ninput; i++)
        tensor_macros(o, a, p, e->name, false, i);
    for (int i = 0; i < g->noutput; i++)
        tensor_macros(o, a, p, e->name, true, i);
    out_printf(o, "\n/* Once, before the first run and before inputs are written: fills what surrounds tensors\n * in memory.  Tensors that are null are left alone. */\nvoid %s_init(", e->name);
    emit_parameters(p, true, o);
    out_puts(o, ");\n");
    out_printf(o, "\n/* One inference.  The array must not be in use by others.  Returns 0, or a negative\n"
               " * GM_E code of gm_rt.h. */\nint %s_run(", e->name);
    emit_parameters(p, false, o);
    out_puts(o, ");\n");
    out_printf(o, "\n/* Names, shapes, pitches, scales: inputs, then outputs. */\nextern const struct gm_tensor %s_tensors[];\n\n"
               "#ifdef __cplusplus\n}\n#endif\n#endif\n", e->name);
    arena_free(a);
}

void
emit_main(const struct program *p, const struct emit *e, struct out *o)
{
    struct arena *a = arena_new();
    const struct graph *g = p->g;
    int64_t size[5];

    program_sizes(p, size);
    out_printf(o, "/* Runs %s once on what .gm.in holds; inputs are written there by gemmcc-run. */\n"
               "#include \"gm_rt.h\"\n#include \"%s.h\"\n\n", e->name, e->name);
    out_printf(o, "__attribute__((section(\".gm.in\"), aligned(64))) uint8_t gm_in[%" PRId64 "];\n"
               "__attribute__((section(\".gm.in\"))) uint8_t gm_baked;      /* 1: the inputs are in this file */\n"
               "__attribute__((section(\".gm.out\"), aligned(64))) uint8_t gm_out[%" PRId64 "];\n"
               "__attribute__((section(\".gm.arena\"), aligned(64))) uint8_t gm_arena[%" PRId64 "];\n\n",
               size[SPACE_IN], size[SPACE_OUT], size[SPACE_ARENA]);
    out_puts(o, "int\nmain(void)\n{\n");
    for (int pass = 0; pass < 2; pass++) {
        out_printf(o, pass ? "    int status = %s_run(" : "    %s_init(", e->name);
        for (int i = 0; i < g->ninput; i++)
            out_printf(o, pass ? "(void *)(gm_in + %" PRId64 "), " : "0, ", g->inputs[i]->buf->offset);
        for (int i = 0; i < g->noutput; i++)
            out_printf(o, "(void *)(gm_out + %" PRId64 "), ", g->outputs[i]->buf->offset);
        out_puts(o, "gm_arena);\n");
    }
    out_puts(o, "    if (status)\n        return -status;\n");
    for (int i = 0; i < g->noutput; i++)
        out_printf(o, "    gm_print_output(&%s_tensors[%d], gm_out + %" PRId64 ");\n", e->name, g->ninput + i,
                   g->outputs[i]->buf->offset);
    out_puts(o, "    return 0;\n}\n");
    arena_free(a);
}

void
emit_weights(const struct program *p, struct out *o)
{
    int64_t at = 0;

    for (int i = 0; i < p->nblob; i++) {
        out_zeros(o, (size_t)(p->blobs[i].offset - at));
        out_bytes(o, p->blobs[i].data, (size_t)p->blobs[i].size);
        at = p->blobs[i].offset + p->blobs[i].size;
    }
    out_zeros(o, (size_t)(p->weight_bytes - at));
}

/* Assemblers look where they run before they look anywhere else. */
static void
take_in(const struct emit *e, const char *suffix, struct out *o)
{
    out_puts(o, "    .incbin \"");
    for (const char *s = e->folder; s && *s; s++)
        out_printf(o, *s == '"' || *s == '\\' ? "\\%c" : "%c", *s);
    out_printf(o, "%s%s%s\"\n", e->folder ? "/" : "", e->name, suffix);
}

void
emit_asm(const struct program *p, const struct emit *e, struct out *o)
{
    (void)p;
    out_printf(o, "# Weights and description of %s, taken in as bytes.\n"
               "    .section .gm.weights, \"aw\"\n    .balign 64\n    .globl %s_weights\n%s_weights:\n",
               e->name, e->name, e->name);
    take_in(e, ".weights", o);
    out_puts(o, "    .zero 4096\n    .section .gm.meta, \"\"\n");
    take_in(e, ".meta", o);
}
