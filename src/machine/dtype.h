/* Element types: one row each in dtype.def. */
#ifndef MACHINE_DTYPE_H
#define MACHINE_DTYPE_H
#include <stdbool.h>

enum dtype {
#define T(id, name, bits, onnx, npy) DT_##id,
#include "src/machine/dtype.def"
#undef T
    DT_COUNT
};

int dtype_bits(enum dtype t);
const char *dtype_name(enum dtype t);          /* "int8" */
enum dtype dtype_named(const char *name);      /* DT_NONE: unknown */
int dtype_onnx(enum dtype t);                  /* TensorProto.DataType, 0: none */
enum dtype dtype_from_onnx(int number);        /* DT_NONE: unknown */
const char *dtype_npy(enum dtype t);           /* "|i1"; NULL: none */
bool dtype_is_float(enum dtype t);
bool dtype_is_int(enum dtype t);               /* bool is neither */
bool dtype_is_signed(enum dtype t);

#endif
