/* Shared by the emitters. */
#ifndef BACKEND_EMIT_H
#define BACKEND_EMIT_H
#include "backend/backend.h"

struct out;

/* The index of an address's base in the program's gm_memory, and its offset there. */
struct emit_place { int base; int64_t offset; };
struct emit_place emit_place(const struct program *p, struct address a);
/* "GM_ARENA", "GM_TENSORS + 1" */
const char *emit_base(struct arena *a, const struct program *p, int base);
/* A value's name as part of a C identifier; distinct among inputs and outputs. */
const char *emit_tensor_name(struct arena *a, const struct program *p, bool output, int i);
/* The parameters of NAME_init or NAME_run, as C. */
void emit_parameters(const struct program *p, bool init, struct out *o);
/* A float that reads back to the same bits. */
const char *emit_float(struct arena *a, float f);
/* Name of layer k in the model's words, safe inside a C comment. */
const char *emit_layer_name(struct arena *a, const struct kernel *k);

#endif
