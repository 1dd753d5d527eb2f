/* Which values are images: they lie in memory with channels innermost. */
#ifndef PASSES_IMAGES_H
#define PASSES_IMAGES_H
#include "passes/passes.h"

/* By value id.  With keep_io, inputs and outputs lie as the model says. */
void images_find(const struct graph *g, bool keep_io, bool *image);
/* The memory order of v: N, H, W, C for images, else as the axes are. */
void images_order(const struct value *v, bool image, int8_t *order);
/* Do the options leave inputs and outputs as the model has them? */
bool images_keep_io(const struct pass_options *o);

#endif
