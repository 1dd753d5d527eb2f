/* What a compiled model's C is made of, beyond commands: places in the memory that
 * its caller lends, and calls of core kernels. */
#ifndef GM_MODEL_H
#define GM_MODEL_H
#include "backend/rt/kernels/gm_kernels.h"
#include "gm_rt.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Loop kernels keep their arguments in registers: a compiler that knew them would load
 * constants anew for every command. */
#define GM_KERNEL __attribute__((noipa))

/* Base addresses: the arena, the weights, the state, then inputs and outputs in the
 * model's order. */
enum { GM_ARENA, GM_WEIGHTS, GM_STATE, GM_TENSORS };
#define GM_PLACES 32
struct gm_memory { uint64_t base[GM_PLACES]; };

struct gm_place { uint64_t base, offset; };

static inline uint64_t
gm_at(const struct gm_memory *m, struct gm_place p)
{
    return m->base[p.base] + p.offset;
}

/* A layer on the core: the call, with the places of its tensors. */
struct gm_core_layer {
    void (*kernel)(const struct gm_call *);
    struct gm_call call;             /* views' data left null */
    struct gm_place in[4], out;
};
void gm_core(const struct gm_core_layer *c, const struct gm_memory *m);

/* Halos are filled once, before the first run; not where a base is null. */
struct gm_fill { struct gm_place at; uint64_t bytes, value; };
void gm_fill(const struct gm_fill *f, int n, const struct gm_memory *m);

#ifdef __cplusplus
}
#endif
#endif
