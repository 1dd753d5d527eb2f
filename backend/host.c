/* A program in process: weights and halos put in place, then layer by layer into a
 * command sink, core layers by the same kernels the target runs. */
#include <string.h>

#include "backend/backend.h"
#include "src/base/num.h"
#include "src/machine/sink.h"

void
program_sizes(const struct program *p, int64_t size[5])
{
    const int64_t slack = 4096;  /* over-reads of a few rows stay in memory */

    memset(size, 0, 5 * sizeof *size);
    size[SPACE_ARENA] = num_round_up(p->g->arena_bytes + slack, 64);
    size[SPACE_IN] = num_round_up(p->g->in_bytes + slack, 64);
    size[SPACE_OUT] = num_round_up(p->g->out_bytes + slack, 64);
    size[SPACE_WEIGHTS] = num_round_up(p->weight_bytes + slack, 64);
    size[SPACE_STATE] = 64;
}

void
program_init(const struct program *p, const struct host_memory *m)
{
    for (int i = 0; i < p->nblob; i++)
        memcpy(m->at[SPACE_WEIGHTS] + p->blobs[i].offset, p->blobs[i].data, (size_t)p->blobs[i].size);
    for (int i = 0; i < p->nhalo; i++)
        memset(m->at[p->halos[i].at.space] + p->halos[i].at.at, p->halos[i].value, (size_t)p->halos[i].bytes);
}

static uint64_t
resolve(const struct host_memory *m, struct address a)
{
    return a.fixed ? (uint64_t)a.at : m->base[a.space] + (uint64_t)a.at;
}

static bool
on_device(const struct program *p, const struct kernel *k, const struct host_memory *m, struct sink *s)
{
    struct arena *a = arena_new();
    uint64_t *args = NEWN(a, uint64_t, k->narg + 1);
    const uint64_t **tables = NEWN(a, const uint64_t *, k->ntable + 1);
    int64_t *len = NEWN(a, int64_t, k->ntable + 1);

    (void)p;
    for (int i = 0; i < k->narg; i++)
        args[i] = resolve(m, k->args[i].value);
    for (int i = 0; i < k->ntable; i++) {
        tables[i] = k->tables[i].at;
        len[i] = k->tables[i].n;
    }
    bool ok = prog_walk(k->prog, &(struct prog_call){ args, tables, len }, s, 0);
    arena_free(a);
    return ok && (!s->fence || s->fence(s, 0));
}

static enum gm_type
view_type(enum dtype t)
{
    switch (t) {
    case DT_I8: return GM_I8;
    case DT_U8: return GM_U8;
    case DT_BOOL: return GM_BOOL;
    case DT_I16: return GM_I16;
    case DT_U16: return GM_U16;
    case DT_I32: return GM_I32;
    case DT_U32: return GM_U32;
    case DT_I64: return GM_I64;
    case DT_F64: return GM_F64;
    default: return GM_F32;
    }
}

static void
core_view(const struct value *v, struct gm_view *w)
{
    memset(w, 0, sizeof *w);
    w->type = (int32_t)view_type(v->type.dt);
    w->rank = v->type.shape.rank;
    if (v->type.quant) {
        w->scale = v->type.quant->scale[0];
        w->zero = v->type.quant->zero[0];
    }
    for (int i = 0; i < w->rank; i++) {
        w->dim[i] = v->type.shape.dim[i].n;
        w->pitch[i] = value_pitch(v, i);
    }
}

static void
on_core(const struct kernel *k, const struct host_memory *m)
{
    const struct core_call *c = k->core;
    struct gm_view in[4], out;
    struct gm_call call = { .out = &out, .scale = c->scale };

    for (int i = 0; i < 4; i++) {
        if (!c->in[i])
            continue;
        core_view(c->in[i], &in[i]);
        struct address at = value_address(c->in[i]);
        in[i].data = m->at[at.space] + at.at;
        call.in[i] = &in[i];
    }
    core_view(c->out, &out);
    struct address at = value_address(c->out);
    out.data = m->at[at.space] + at.at;
    memcpy(call.i, c->i, sizeof call.i);
    memcpy(call.f, c->f, sizeof call.f);
    c->host(&call);
}

bool
program_layer(const struct program *p, const struct kernel *k, const struct host_memory *m, struct sink *s)
{
    if (s->layer)
        s->layer(s, 0, k->number);
    if (k->prog)
        return on_device(p, k, m, s);
    on_core(k, m);
    return true;
}
