/* The device model as tests see it. */
#include <stdlib.h>
#include <string.h>

#include "test/unit/simtest.h"

struct target sim_target;
struct sim *sim;
uint8_t *ram;
enum sim_rule sim_broken;
static uint64_t state;

void
sim_default_target(void)
{
    sim_target = (struct target) {
#define K(section, key, type, field, def, min, max, unit, source, doc) .field = def,
#include "src/machine/target.def"
#undef K
    };
    sim_target.ram_size = 16 << 20;
}

void
sim_array_of(enum dtype elem, int dim)
{
    bool floats = dtype_is_float(elem);

    sim_default_target();
    sim_target.dim = dim;
    sim_target.elem = elem;
    sim_target.acc = floats ? DT_F32 : DT_I32;
    sim_target.dataflow = dtype_bits(elem) == 16 ? DATAFLOW_WS : DATAFLOW_BOTH;
    sim_target.acc_banks = floats ? 1 : 2;
    sim_target.acc_bank_rows = floats ? 1024 : 512;
    sim_target.has_mvin_acc_scale = floats;
    sim_target.has_training = !floats;
}

static void
note(const struct sim_violation *v, void *ctx)
{
    (void)ctx;
    if (sim_broken == SIM_OK)
        sim_broken = v->rule;
}

void
sim_open(enum sim_strict strict, bool timing)
{
    struct sim_config c = {
        .target = &sim_target,
        .strict = strict,
        .timing = timing,
        .violation = note,
    };

    free(ram);
    ram = calloc(1, (size_t)sim_target.ram_size);
    c.memory = (struct sim_memory) { ram, RAM, (uint64_t)sim_target.ram_size };
    sim_free(sim);
    sim = sim_new(&c);
    sim_broken = SIM_OK;
}

void
sim_close(void)
{
    sim_free(sim);
    sim = NULL;
    free(ram);
    ram = NULL;
}

/* A rule is told once per layer: each command, each access is one. */
static void
ready(void)
{
    static int layer;

    sim_layer(sim, 0, layer = (layer + 1) % 1000);
    sim_broken = SIM_OK;
}

bool
cmd(unsigned funct, uint64_t rs1, uint64_t rs2)
{
    struct isa_cmd c = { (uint8_t)funct, rs1, rs2 };

    ready();
    return sim_command(sim, 0, &c, 0, NULL);
}

static bool
send(struct isa_cmd c)
{
    return cmd(c.funct, c.rs1, c.rs2);
}

bool
config_ex_of(const struct isa_config_ex *c)
{
    return send(isa_encode_ex(c));
}

bool
config_ex(unsigned a_stride)
{
    return config_ex_of(&(struct isa_config_ex) {
        .ws = true, .a_stride = a_stride, .c_stride = 1, .scale = 1 });
}

bool
config_ld(unsigned s, uint64_t stride, unsigned block_stride, float scale, bool shrink)
{
    return send(isa_encode_ld(&(struct isa_config_ld) {
        .state = s, .stride = stride, .block_stride = block_stride, .scale = scale,
        .shrink = shrink, .repeats = 1 }));
}

bool
config_st_of(const struct isa_config_st *c)
{
    return send(isa_encode_st(c));
}

bool
config_st(uint32_t stride, float scale, unsigned act)
{
    return config_st_of(&(struct isa_config_st) {
        .stride = stride, .scale = scale, .act = act });
}

bool
pair(uint32_t w, uint32_t c, uint32_t a, unsigned rows, unsigned k, unsigned cols)
{
    bool real = w != ISA_GARBAGE;

    return cmd(ISA_PRELOAD, OP(w, k, cols), OP(c, rows, cols))
        && cmd(real ? ISA_COMPUTE_FLIP : ISA_COMPUTE_STAY, OP(a, rows, k),
            NONE(rows, cols));
}

bool
core_access(uint64_t addr, uint64_t n, bool store)
{
    struct sim_access x = { addr, n, 0, store };

    ready();
    return sim_access(sim, 0, &x);
}

bool
fence(void)
{
    return sim_fence(sim, 0);
}

uint64_t
cycles(void)
{
    return sim_cycles(sim, 0);
}

void
sim_seed(uint64_t seed)
{
    state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

uint64_t
sim_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * UINT64_C(0x2545f4914f6cdd1d);
}

int64_t
sim_between(int64_t from, int64_t to)
{
    return from + (int64_t)(sim_random() % (uint64_t)(to - from + 1));
}
