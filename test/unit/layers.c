/* See layers.h. */
#include "test/unit/layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
    int64_t *end = space == SPACE_IN ? &g->in_bytes
        : space == SPACE_OUT         ? &g->out_bytes
                                     : &g->arena_bytes;
    struct buffer *b = NEW(g->arena, struct buffer);

    v->type.layout = l;
    *b = (struct buffer){
        .what = v->name, .size = l->bytes, .offset = *end, .align = 64, .space = space
    };
    *end = num_round_up(*end + l->bytes + 64, 64);
    v->buf = b;
}

struct value *
layer_image(struct graph *g, const char *name, const int64_t nchw[4], int64_t pix,
    const int64_t halo[4], int32_t zero, enum space space)
{
    struct type t = {
        .dt = DT_I8, .shape = shape_make(4, nchw), .quant = quant_scalar(g->arena, 1, zero)
    };
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
    struct type t = { .dt = DT_I8,
        .shape = shape_make(2, (int64_t[]){ m, n }),
        .quant = quant_scalar(g->arena, 1, 0) };
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

/* Bytes of a value that its writer may change: whole pixels or rows of an innermost
 * channel axis, else single elements. */
static void
mark(const struct value *v, uint8_t *ours, struct address at)
{
    const struct layout *l = v->type.layout;
    int rank = v->type.shape.rank;
    int64_t n = shape_elems(&v->type.shape), size = dtype_bits(v->type.dt) / 8, run = size;
    int64_t inner = rank == 4 ? 3 : rank - 2;

    if (l && rank >= 2 && l->pitch[rank == 4 ? 1 : rank - 1] == size)
        run = l->pitch[inner];
    for (int64_t i = 0; i < n; i++) {
        int64_t rest = i, to = at.at;
        for (int d = rank - 1; d >= 0; d--) {
            to += rest % v->type.shape.dim[d].n * value_pitch(v, d);
            rest /= v->type.shape.dim[d].n;
        }
        bool first = run == size
            || i / shape_count(&v->type.shape, rank == 4 ? 2 : rank, rank)
                    % v->type.shape.dim[rank == 4 ? 1 : rank - 1].n
                == 0;
        if (first)
            memset(ours + to, 1, (size_t)run);
    }
}

/* What the program changed that was not its to change. */
static void
find_spill(const struct value *y, const struct host_memory *m, const uint8_t *before,
    const uint8_t *ram, int64_t total, char *text)
{
    uint8_t *ours = calloc(1, (size_t)total);
    struct address at = value_address(y);

    at.at += m->at[at.space] - ram;
    mark(y, ours, at);
    for (int64_t i = 0; i < total; i++)
        if (!ours[i] && before[i] != ram[i]) {
            snprintf(text, 200,
                "byte %lld from the first element of '%s' was changed from %d to %d",
                (long long)(i - at.at), y->name, before[i], ram[i]);
            break;
        }
    free(ours);
}

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
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
    uint8_t *before = malloc((size_t)total);
    memcpy(before, ram, (size_t)total);
    struct sim *s = sim_new(&(struct sim_config){ .target = t,
        .strict = SIM_STRICT_ERROR,
        .timing = timing,
        .memory = { ram, (uint64_t)t->ram_base, (uint64_t)total },
        .violation = note,
        .ctx = r->violation });
    struct sink *k = sim_sink(s);
    double start = now();
    bool ok = true;
    for (int i = 0; ok && i < r->program->nlayer; i++)
        ok = program_layer(r->program, r->program->layers[i], &m, k);
    r->seconds = now() - start;
    r->cycles = sim_cycles(s, 0);
    int n;
    const struct sim_layer_stats *st = sim_stats(s, 0, &n);
    if (st && n)
        r->stats = st[n - 1];
    struct value *y = g->last->out[0];
    if (r->program->nlayer == 1)
        find_spill(y, &m, before, ram, total, r->spill);
    r->out = arena_alloc(a, (size_t)shape_elems(&y->type.shape));
    layout_load(&y->type, m.at[y->buf->space] + y->buf->offset, r->out);
    sim_free(s);
    free(before);
    free(ram);
    return ok;
}
