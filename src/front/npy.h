/* NumPy's file format, from and to bytes in memory. */
#ifndef FRONT_NPY_H
#define FRONT_NPY_H
#include "src/front/tensorfile.h"

struct out;

/* One array; refuses trailing bytes.  `what` names it in messages (npy-*). */
bool npy_parse(struct arena *a, struct diag *d, const char *what, struct bytes b,
               struct tensor *t);
/* False after a diagnostic: NumPy has no such element type. */
bool npy_print(struct arena *a, struct diag *d, const char *what,
               const struct tensor *t, struct out *o);

#endif
