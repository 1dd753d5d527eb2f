/* See layers.h. */
#include "test/unit/layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/num.h"

uint32_t
layer_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

int64_t
layer_between(uint32_t *seed, int64_t lo, int64_t hi)
{
    return lo + (int64_t)(layer_random(seed) % (uint32_t)(hi - lo + 1));
}

static void
place(struct graph *g, struct value *v, struct layout *l, enum space space)
{
    int64_t *end = space == SPACE_IN ? &g->in_bytes : space == SPACE_OUT ? &g->out_bytes : &g->arena_bytes;
    struct buffer *b = NEW(g->arena, struct buffer);

    v->type.layout = l;
    *b = (struct buffer){ .what = v->name, .size = l->bytes, .offset = *end, .align = 64, .space = space };
    *end = num_round_up(*end + l->bytes + 64, 64);
    v->buf = b;
}

struct value *
layer_image(struct graph *g, const char *name, const int64_t nchw[4], int64_t pix,
            const int64_t halo[4], int32_t zero, enum space space)
{
    struct type t = { .dt = DT_I8, .shape = shape_make(4, nchw), .quant = quant_scalar(g->arena, 1, zero) };
    struct value *v = graph_value(g, name, &t);
    struct layout *l = NEW(g->arena, struct layout);
    int64_t row = num_round_up((nchw[3] + halo[1] + halo[3]) * pix, pix >= 16 ? 64 : 1);

    row = num_round_up(row, pix);
    *l = (struct layout){ .order = { 0, 2, 3, 1 }, .align = 64, .fill = FILL_ZERO_POINT };
    l->pitch[1] = 1;
    l->pitch[3] = pix;
    l->pitch[2] = row;
    l->pitch[0] = row * (nchw[2] + halo[0] + halo[2]);
    l->before[2] = (int32_t)halo[0];
    l->before[3] = (int32_t)halo[1];
    l->after[2] = (int32_t)halo[2];
    l->after[3] = (int32_t)halo[3];
    l->first = halo[0] * row + halo[1] * pix;
    l->bytes = nchw[0] * l->pitch[0];
    place(g, v, l, space);
    return v;
}

struct value *
layer_matrix(struct graph *g, const char *name, int64_t m, int64_t n, int64_t row, enum space space)
{
    struct type t = { .dt = DT_I8, .shape = shape_make(2, (int64_t[]){ m, n }), .quant = quant_scalar(g->arena, 1, 0) };
    struct value *v = graph_value(g, name, &t);
    struct layout *l = NEW(g->arena, struct layout);

    *l = (struct layout){ .order = { 0, 1 }, .pitch = { row, 1 }, .align = 64, .bytes = m * row };
    place(g, v, l, space);
    return v;
}

static void
note(const struct sim_violation *v, void *ctx)
{
    char *text = ctx;
    char cmd[128];

    if (*text)
        return;
    isa_text(&v->cmd, cmd, sizeof cmd);
    snprintf(text, 400, "%s: %s (command %llu: %s)", sim_rules[v->rule].name, v->detail,
             (unsigned long long)v->index, cmd);
}

bool
layer_run(struct arena *a, struct diag *d, struct graph *g, const struct target *t,
          const int8_t *const *inputs, bool timing, struct layer_run *r)
{
    struct pass_options opt = { .sched_full = true };
    struct host_memory m = { 0 };
    int64_t size[5], total = 65536;
    uint8_t *ram;

    memset(r, 0, sizeof *r);
    r->target = t;
    r->program = program_build(a, d, g, t, &backend_gemmini, &opt);
    if (!r->program)
        return false;
    program_sizes(r->program, size);
    for (int i = 0; i < 5; i++)
        total += size[i];
    ram = calloc(1, (size_t)total);
    int64_t at = 4096;
    for (int i = 0; i < 5; i++) {
        m.at[i] = ram + at;
        m.base[i] = (uint64_t)(t->ram_base + at);
        m.size[i] = size[i];
        at += size[i];
    }
    program_init(r->program, &m);
    for (int i = 0; inputs[i]; i++) {
        struct value *v = g->inputs[i];
        layout_store(&v->type, inputs[i], m.at[v->buf->space] + v->buf->offset);
    }
    struct sim *s = sim_new(&(struct sim_config){ .target = t, .strict = SIM_STRICT_ERROR, .timing = timing,
        .memory = { ram, (uint64_t)t->ram_base, (uint64_t)total }, .violation = note, .ctx = r->violation });
    struct sink *k = sim_sink(s);
    bool ok = true;
    for (int i = 0; ok && i < r->program->nlayer; i++)
        ok = program_layer(r->program, r->program->layers[i], &m, k);
    r->cycles = sim_cycles(s, 0);
    int n;
    const struct sim_layer_stats *st = sim_stats(s, 0, &n);
    if (st && n)
        r->stats = st[n - 1];
    struct value *y = g->last->out[0];
    r->out = arena_alloc(a, (size_t)shape_elems(&y->type.shape));
    layout_load(&y->type, m.at[y->buf->space] + y->buf->offset, r->out);
    sim_free(s);
    free(ram);
    return ok;
}
