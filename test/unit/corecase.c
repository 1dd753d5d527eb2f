/* See corecase.h. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/elem.h"
#include "src/base/num.h"
#include "src/base/out.h"
#include "src/machine/sink.h"
#include "test/unit/corecase.h"
#include "test/unit/layers.h"

int64_t
core_between(struct core_case *c, int64_t lo, int64_t hi)
{
    return layer_between(&c->seed, lo, hi);
}

int64_t
core_pick(struct core_case *c, const int64_t *list, size_t n)
{
    return list[core_between(c, 0, (int64_t)n - 1)];
}

int64_t *
core_list(struct core_case *c, int n, int64_t lo, int64_t hi)
{
    int64_t *v = NEWN(c->arena, int64_t, n + 1);

    for (int i = 0; i < n; i++)
        v[i] = core_between(c, lo, hi);
    return v;
}

void
core_begin(struct core_case *c, uint32_t seed)
{
    struct arena *a = arena_new();

    *c = (struct core_case){
        .arena = a, .diag = diag_new(a, &(struct diag_config){ 0 }), .seed = seed
    };
    c->g = graph_new(a, "core");
    c->g->stage = STAGE_MACHINE;
}

void
core_end(struct core_case *c)
{
    diag_free(c->diag);
    arena_free(c->arena);
}

struct type
core_type(struct core_case *c, enum dtype dt, int rank, const int64_t *dims, bool quant)
{
    struct type t = { .dt = dt, .shape = shape_make(rank, dims) };
    float scale = (float)core_between(c, 1, 400) / 4096.0f;
    int64_t zero = core_between(c, -128, 127);

    if (quant)
        t.quant = quant_scalar(c->arena, scale, (int32_t)(dt == DT_U8 ? zero + 128 : zero));
    return t;
}

static double
real(struct core_case *c)
{
    double x = (double)core_between(c, -4000, 4000) / 1000;
    int64_t kind = core_between(c, 0, 400);

    if (kind < 3 && c->wild)
        return kind == 0 ? NAN : kind == 1 ? HUGE_VAL : -HUGE_VAL;
    return kind < 12 ? 0 : kind < 20 ? x * 1e6 : kind < 25 ? x * 1e25 : kind < 32 ? x / 1e6 : x;
}

void *
core_data(struct core_case *c, const struct type *t)
{
    int64_t n = shape_elems(&t->shape);
    char *p = arena_alloc(c->arena, (size_t)shape_bytes(t, 0) + 8);

    for (int64_t i = 0; i < n; i++) {
        if (dtype_is_float(t->dt))
            elem_put_real(t->dt, p, i, real(c));
        else if (t->dt == DT_BOOL)
            elem_put_int(t->dt, p, i, core_between(c, 0, 1));
        else
            elem_put_int(t->dt, p, i,
                core_between(c, 0, 3) ? core_between(c, -200, 300)
                                      : core_between(c, -8000000, 8000000) * 1000);
    }
    return p;
}

/* Axes in any order, with halos and gaps; one time in three packed. */
static const struct layout *
some_layout(struct core_case *c, const struct type *t)
{
    struct layout *l = NEW(c->arena, struct layout);
    int rank = t->shape.rank;
    int64_t size = dtype_bits(t->dt) / 8, pitch;

    if (core_between(c, 0, 2) == 0)
        return NULL;
    for (int i = 0; i < rank; i++)
        l->order[i] = (int8_t)i;
    for (int i = rank - 1; i > 0; i--) {
        int64_t j = core_between(c, 0, i);
        int8_t o = l->order[i];
        l->order[i] = l->order[j];
        l->order[j] = o;
    }
    pitch = size * CORE_PICK(c, 1, 1, 1, 2);
    for (int i = rank - 1; i >= 0; i--) {
        int axis = l->order[i];
        l->pitch[axis] = pitch;
        l->before[axis] = (int32_t)CORE_PICK(c, 0, 0, 1);
        l->after[axis] = (int32_t)CORE_PICK(c, 0, 0, 2);
        l->first += l->before[axis] * pitch;
        pitch *= l->before[axis] + t->shape.dim[axis].n + l->after[axis];
        pitch += size * CORE_PICK(c, 0, 0, 3);
    }
    l->align = (int32_t)size;
    l->bytes = pitch;
    l->fill = FILL_ZERO_POINT;
    return l;
}

static void
place(struct core_case *c, struct value *v, enum space space)
{
    struct graph *g = c->g;
    int64_t *end = space == SPACE_IN ? &g->in_bytes : &g->out_bytes;
    int64_t size;

    v->type.layout = some_layout(c, &v->type);
    size = v->type.layout ? v->type.layout->bytes : shape_bytes(&v->type, 0);
    v->buf = NEW(c->arena, struct buffer);
    *v->buf = (struct buffer){
        .what = v->name, .size = size, .offset = *end, .align = 64, .space = space
    };
    *end = num_round_up(*end + size + 64, 64);
}

struct value *
core_input(struct core_case *c, const struct type *t)
{
    struct value *v = graph_input(c->g, arena_printf(c->arena, "in%d", c->g->ninput), t);

    c->in[c->g->ninput - 1] = core_data(c, t);
    place(c, v, SPACE_IN);
    return v;
}

struct value *
core_const(struct core_case *c, const struct type *t)
{
    return graph_const(c->g, "constant", t, core_data(c, t));
}

void
core_node(struct core_case *c, const struct op_def *op, const void *attr, struct value *const *in,
    int nin, const struct type *out)
{
    struct value *y = graph_value(c->g, "out", out);

    place(c, y, SPACE_OUT);
    c->n = graph_node(c->g, NULL, op, op->name, in, nin, &y, 1);
    if (attr)
        memcpy(c->n->attr, attr, op->attr_size);
    graph_output(c->g, y);
}

static const char *
text(struct core_case *c)
{
    struct out *o = out_memory(c->arena);

    ir_print(c->g, o, false);
    return out_text(o, NULL);
}

/* The output, packed, as the runtime's kernel leaves it. */
static void *
run(struct core_case *c)
{
    static const char *const all[] = { "*", NULL };
    struct pass_options opt = { .on_core = all };
    struct target *t = target_load(c->arena, c->diag, "gemmini-16", NULL);
    struct host_memory m = { 0 };
    struct sink sink = { 0 };
    int64_t size[5];

    ck_assert_msg(t != NULL, "%s", diag_text(c->diag));
    struct program *p = program_build(c->arena, c->diag, c->g, t, &backend_gemmini, &opt);
    ck_assert_msg(p && p->nlayer == 1, "%s\n%s", diag_text(c->diag), text(c));
    program_sizes(p, size);
    for (int i = 0; i < 5; i++) {
        m.at[i] = arena_alloc(c->arena, (size_t)size[i]);
        m.size[i] = size[i];
    }
    program_init(p, &m);
    for (int i = 0; i < c->g->ninput; i++) {
        struct value *v = c->g->inputs[i];
        layout_store(&v->type, c->in[i], m.at[SPACE_IN] + v->buf->offset);
    }
    ck_assert(program_layer(p, p->layers[0], &m, &sink));
    struct value *y = c->n->out[0];
    void *got = arena_alloc(c->arena, (size_t)shape_bytes(&y->type, 0) + 8);
    layout_load(&y->type, m.at[SPACE_OUT] + y->buf->offset, got);
    return got;
}

static bool
same(const struct type *t, const char *a, const char *b, int64_t i)
{
    int64_t size = dtype_bits(t->dt) / 8;

    if (dtype_is_float(t->dt) && isnan(elem_real(t->dt, a, i)) && isnan(elem_real(t->dt, b, i)))
        return true;
    return memcmp(a + i * size, b + i * size, (size_t)size) == 0;
}

void
core_check(struct core_case *c)
{
    struct value *y = c->n->out[0];
    struct shape made = y->type.shape;
    void *want = NULL;

    ck_assert_msg(node_infer(c->g, c->n, c->diag), "%s\n%s", diag_text(c->diag), text(c));
    ck_assert_msg(shape_equal(&made, &y->type.shape), "%s", text(c));
    ck_assert_msg(
        interp_run(c->arena, c->diag, &(struct interp){ .g = c->g, .inputs = c->in }, &want),
        "%s\n%s", diag_text(c->diag), text(c));
    const char *got = run(c);
    for (int64_t i = 0; i < shape_elems(&y->type.shape); i++)
        ck_assert_msg(same(&y->type, got, want, i), "element %lld is %.9g, not %.9g\n%.4000s",
            (long long)i, elem_real(y->type.dt, got, i), elem_real(y->type.dt, want, i), text(c));
}
