/* NumPy's archives: a zip file of npy files.  Needs libzip; without it both
 * functions say so (npz-none). */
#ifndef FRONT_NPZ_H
#define FRONT_NPZ_H
#include "src/front/tensorfile.h"

bool npz_parse(struct arena *a, struct diag *d, const char *path, struct bytes b,
               struct tensors *out);
bool npz_write(struct arena *a, struct diag *d, const char *path,
               const struct tensor *t, int n);

#endif
