/* Packing of loops and the ways to break their rules (looptest.h). */
#include <stddef.h>

#include "test/unit/looptest.h"
#include "test/unit/simtest.h"

static uint64_t
at(uint64_t x, int low, int bits)
{
    return (bits < 64 ? x & ((UINT64_C(1) << bits) - 1) : x) << low;
}

static uint64_t
four(int a, int b, int c, int d)
{
    return at((uint64_t)a, 48, 16) | at((uint64_t)b, 32, 16) | at((uint64_t)c, 16, 16)
        | at((uint64_t)d, 0, 16);
}

/* ---- LOOP_WS */

bool
ws_configure(const struct ws_args *a)
{
    return cmd(ISA_LOOP_WS_BOUNDS, four(0, a->pk, a->pj, a->pi), four(0, a->k, a->j, a->i))
        && cmd(ISA_LOOP_WS_AB, a->a, a->b) && cmd(ISA_LOOP_WS_DC, a->d, a->c)
        && cmd(ISA_LOOP_WS_SAB, a->as, a->bs) && cmd(ISA_LOOP_WS_SDC, a->ds, a->cs);
}

struct isa_cmd
ws_run(const struct ws_args *a)
{
    return (struct isa_cmd) { ISA_LOOP_WS,
        (uint64_t)(a->accumulate | a->full << 1 | a->low << 2 | a->act << 8 | a->bid << 16
            | a->aid << 18),
        (uint64_t)(a->at | a->bt << 1 | a->resadd << 2) };
}

bool
ws_send(const struct ws_args *a)
{
    struct isa_cmd r = ws_run(a);

    return ws_configure(a) && cmd(r.funct, r.rs1, r.rs2);
}

/* ---- LOOP_CONV_WS */

static bool
conv_configure_3(const struct conv_args *a)
{
    return cmd(16, four(a->out_channels, a->in_channels, a->in_rows, a->batch_size),
        at((uint64_t)a->padding, 56, 8) | at((uint64_t)a->stride, 48, 8)
            | four(0, a->out_cols, a->pool_out_rows, a->out_rows))
        && cmd(17, four(a->kernel, a->pool_out_cols, a->pool_size, 0)
            | at((uint64_t)a->pool_stride, 8, 8) | at((uint64_t)a->pool_padding, 0, 8),
            four(a->batches, a->porows, a->pocols, a->pochs))
        && cmd(18, four(a->krows, a->kcols, a->kchs, a->lpad),
            four(a->rpad, a->upad, 0, a->in_cols) | at((uint64_t)a->dpad, 24, 8)
                | at((uint64_t)a->plpad, 16, 8));
}

static bool
conv_configure_square(const struct conv_args *a)
{
    return cmd(16, four(a->out_channels, a->in_channels, a->in_rows, a->batch_size),
        four(a->padding, a->stride, a->pool_out_rows, a->out_rows))
        && cmd(17, four(a->kernel, a->pool_size, a->pool_stride, a->pool_padding),
            four(a->batches, a->porows, a->pocols, a->pochs))
        && cmd(18, four(a->krows, a->kcols, a->kchs, a->lpad),
            four(a->rpad, a->upad, a->dpad, a->plpad));
}

bool
conv_configure(const struct conv_args *a)
{
    uint64_t pads = at((uint64_t)a->pupad, 21, 11) | at((uint64_t)a->pdpad, 10, 11)
        | at((uint64_t)a->kdil, 0, 10);
    bool ok = sim_target.isa_revision == 3 ? conv_configure_3(a) : conv_configure_square(a);

    if (sim_target.isa_revision == 1)
        ok = ok && cmd(19, four(a->orows, a->prpad, a->pupad, a->pdpad),
            four(0, 0, a->kdil, a->ocols));
    else
        ok = ok && cmd(19, four(a->orows, a->prpad, 0, 0) | pads,
            four(a->in_stride, a->weight_stride, a->out_stride, a->ocols));
    return ok && cmd(20, a->weights, a->output) && cmd(21, a->bias, a->input);
}

struct isa_cmd
conv_run(const struct conv_args *a)
{
    return (struct isa_cmd) { ISA_LOOP_CONV,
        (uint64_t)(a->no_bias | a->rot180 << 1 | a->out_1203 << 2 | a->w_1203 << 3
            | a->w_0132 << 4 | a->in_3120 << 5 | a->dw << 6 | a->pixels << 8 | a->bid << 16
            | a->aid << 18),
        (uint64_t)(a->no_pool | a->down << 1 | a->dilated << 2 | a->act << 3) };
}

bool
conv_send(const struct conv_args *a)
{
    struct isa_cmd r = conv_run(a);

    return conv_configure(a) && cmd(r.funct, r.rs1, r.rs2);
}

/* ---- legal ones */

/* Two by two by two tiles, rows of four tiles' columns. */
struct ws_args
ws_legal(void)
{
    unsigned dim = (unsigned)sim_target.dim;
    uint64_t row = 4 * dim, bytes = row * (uint64_t)target_elem_bytes(&sim_target);

    config_ex(1);
    config_ld(0, bytes, dim, 1, false);
    config_ld(1, bytes, dim, 1, false);
    config_ld(2, 0, dim, 1, false);
    config_st((uint32_t)bytes, 1, 0);
    return (struct ws_args) { .i = 2, .j = 2, .k = 2, .a = RAM, .b = RAM + 4096,
        .c = RAM + 8192, .as = row, .bs = row, .cs = row };
}

/* Eight by eight pixels, as many channels as the array has rows, a kernel of three. */
struct conv_args
conv_legal(void)
{
    int dim = (int)sim_target.dim;

    config_ex(1);
    config_st((uint32_t)(dim * target_elem_bytes(&sim_target)), 1, 0);
    return (struct conv_args) { .batch_size = 1, .in_rows = 8, .in_cols = 8,
        .in_channels = dim, .out_channels = dim, .out_rows = 8, .out_cols = 8,
        .pool_out_rows = 8, .pool_out_cols = 8, .stride = 1, .padding = 1, .kernel = 3,
        .kdil = 1, .pool_size = 1, .pool_stride = 1, .batches = 1, .porows = 8, .pocols = 8,
        .pochs = dim, .krows = 3, .kcols = 3, .kchs = dim, .lpad = 1, .rpad = 1, .upad = 1,
        .dpad = 1, .orows = 8, .ocols = 8, .in_stride = dim, .weight_stride = dim,
        .out_stride = dim, .weights = RAM, .output = RAM + 65536, .bias = RAM + 131072,
        .input = RAM + 32768, .no_pool = 1 };
}

/* ---- rules */

static bool
incomplete(void)
{
    struct ws_args a = ws_legal();

    if (!ws_send(&a))
        return true;
    return cmd(ISA_LOOP_WS_AB, a.a, a.b) && cmd(ISA_LOOP_WS, 0, 0);
}

static bool
mixed(void)
{
    struct ws_args a = ws_legal();
    struct conv_args v;

    if (!ws_send(&a))
        return true;
    v = conv_legal();
    return conv_send(&v);
}

static bool
bias_again(void)
{
    struct conv_args v = conv_legal();

    v.output = 0;
    return !conv_send(&v) || conv_send(&v);
}

static const struct way {
    enum sim_rule rule;
    bool conv;
    size_t at;                       /* an int of the arguments... */
    int value;                       /* ...that becomes this */
    bool (*other)(void);
} ways[] = {
#define WS(rule, field, value) \
    { SIM_RULE_##rule, false, offsetof(struct ws_args, field), value, NULL }
#define CV(rule, field, value) \
    { SIM_RULE_##rule, true, offsetof(struct conv_args, field), value, NULL }
    CV(LOOP_REVISION, act, 0),
    CV(LOOP_ENDLESS, upad, 11),
    WS(NO_LOOP, act, 0),
    { SIM_RULE_LOOP_INCOMPLETE, false, 0, 0, incomplete },
    CV(LOOP_SCALE, act, 0),
    WS(LOOP_IDS, aid, 1),
    WS(LOOP_POINTER, a, 0),
    WS(LOOP_RESADD, resadd, 1),
    WS(LOOP_BITS, resadd, 2),
    WS(LOOP_BOUNDS, pj, 16),
    WS(LOOP_CAPACITY, k, 129),
    WS(LOOP_CONFIG, at, 1),
    CV(LOOP_VARIANT, dw, 1),
    CV(LOOP_SHAPE, porows, 7),
    { SIM_RULE_LOOP_CHAIN, true, 0, 0, bias_again },
    { SIM_RULE_LOOP_FENCE, false, 0, 0, mixed },
#undef WS
#undef CV
};

enum { WAYS = sizeof ways / sizeof *ways };

void
loop_machine(enum sim_rule rule)
{
    if (rule == SIM_RULE_LOOP_SCALE)
        sim_array_of(DT_F16, 4);
    if (rule != SIM_RULE_LOOP_REVISION)
        sim_target.isa_revision = 3;
    if (rule == SIM_RULE_NO_LOOP)
        sim_target.has_loop_ws = false;
}

bool
loop_breaks(enum sim_rule rule, bool *done)
{
    for (int i = 0; i < WAYS; i++) {
        const struct way *w = &ways[i];
        struct conv_args v;
        struct ws_args a;

        if (w->rule != rule)
            continue;
        if (w->other) {
            *done = w->other();
            return true;
        }
        if (w->conv) {
            v = conv_legal();
            *(int *)(void *)((char *)&v + w->at) = w->value;
            *done = conv_send(&v);
            return true;
        }
        a = ws_legal();
        if (w->at == offsetof(struct ws_args, a))
            a.a = 0;
        else
            *(int *)(void *)((char *)&a + w->at) = w->value;
        *done = ws_send(&a);
        return true;
    }
    return false;
}
