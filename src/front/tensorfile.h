/* Tensors in files: npy, npz (with libzip), TensorProto (pb), text on the way out. */
#ifndef FRONT_TENSORFILE_H
#define FRONT_TENSORFILE_H
#include "ir/ir.h"
#include "src/base/file.h"

struct tensor {
    const char *name;            /* NULL: the file does not say */
    enum dtype dt;
    struct shape shape;
    const void *data;            /* packed, row-major, aligned for its type */
};

struct tensors { struct tensor *at; int n; };

enum file_kind {
    FILE_UNKNOWN, FILE_NPY, FILE_NPZ, FILE_PB, FILE_PNG, FILE_JPEG, FILE_PNM
};

/* By its first bytes; TensorProto has none of its own, so by the name. */
enum file_kind file_kind_of(const char *path, struct bytes b);

/* All tensors of FILE or FILE@K; @K takes entry K of axis 0 of each, unless a file
 * of the whole name exists.  False after diagnostics (tensor-*). */
bool tensorfile_read(struct arena *a, struct diag *d, const char *spec,
                     struct tensors *out);
/* The same from bytes; path serves messages and decides the kind. */
bool tensorfile_parse(struct arena *a, struct diag *d, const char *path,
                      struct bytes b, struct tensors *out);
/* Kind by suffix: .npy, .npz, .pb, .txt; only .npz takes more than one. */
bool tensorfile_write(struct arena *a, struct diag *d, const char *path,
                      const struct tensor *t, int n);

int64_t tensor_bytes(const struct tensor *t);
/* Entries k to k + n - 1 of axis 0, which stays as an axis of n; shares the data. */
struct tensor tensor_entries(const struct tensor *t, int64_t k, int64_t n);
/* Equal but for axes of size 1. */
bool tensor_shape_fits(const struct shape *a, const struct shape *b);
/* The tensor as one of this type: same bytes if dtype and shape agree but for axes
 * of size 1, numbers converted (rounded to even, saturated) if only the dtype
 * differs.  False after a diagnostic (tensor-shape); `what` names it there. */
bool tensor_as(struct arena *a, struct diag *d, const char *what,
               const struct tensor *t, const struct type *want,
               struct tensor *out);
/* Elements as numbers, and back; between any two types but strings. */
void tensor_to_double(const struct tensor *t, int64_t from, int64_t n, double *out);
void tensor_from_double(enum dtype dt, const double *in, int64_t n, void *out);

#endif
