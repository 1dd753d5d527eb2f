/* TensorProto to bytes: raw, typed and external data, nothing trusted. */
#ifndef FRONT_WEIGHTS_H
#define FRONT_WEIGHTS_H
#include "src/front/onnx.pb-c.h"
#include "src/front/tensorfile.h"

struct map;

struct weights {
    struct arena *arena;
    struct diag *diag;
    struct place_ref at;
    const char *dir;             /* of the model; NULL: external data is refused */
    struct map *files;           /* external files mapped so far; may be NULL */
};

/* Data is borrowed from the message or from the mapped file where it can be.
 * False after a diagnostic (weights-*, onnx-dtype, onnx-rank). */
bool weights_read(struct weights *w, const Onnx__TensorProto *t, struct tensor *out);
/* A sparse tensor, made dense. */
bool weights_sparse(struct weights *w, const Onnx__SparseTensorProto *t,
                    struct tensor *out);
/* "FLOAT8E4M3FN", or "type 99". */
const char *weights_type_name(struct arena *a, int number);

#endif
