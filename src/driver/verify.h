/* --verify: the compiled program in process against the integer reference, layer by
 * layer and bit for bit; and against the float reference, as signal to noise. */
#ifndef DRIVER_VERIFY_H
#define DRIVER_VERIFY_H
#include "backend/backend.h"

struct verify;

struct verify *verify_new(struct arena *a, int samples);
/* On the float graph, before it is quantized: keeps inputs and every value. */
bool verify_float(struct verify *v, struct pass_ctx *c);
/* On the finished program.  Prints to standard error.  Sets *differs when a layer did. */
bool verify_program(struct verify *v, struct diag *d, const struct program *p, bool *differs);
/* A model's inputs as the program wants them: quantized where quantize said so. */
void verify_input(const struct value *v, const void *packed, void *stored);

#endif
