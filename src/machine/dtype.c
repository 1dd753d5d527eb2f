/* The table of element types. */
#include <stddef.h>
#include <string.h>

#include "src/machine/dtype.h"

static const struct row {
    const char *name, *npy;
    int bits, onnx;
} rows[] = {
#define T(id, name, bits, onnx, npy) { name, npy, bits, onnx },
#include "src/machine/dtype.def"
#undef T
};

int
dtype_bits(enum dtype t)
{
    return rows[t].bits;
}

const char *
dtype_name(enum dtype t)
{
    return rows[t].name;
}

enum dtype
dtype_named(const char *name)
{
    for (int t = DT_NONE + 1; t < DT_COUNT; t++)
        if (strcmp(rows[t].name, name) == 0)
            return (enum dtype)t;
    return DT_NONE;
}

int
dtype_onnx(enum dtype t)
{
    return rows[t].onnx;
}

enum dtype
dtype_from_onnx(int number)
{
    for (int t = DT_NONE + 1; t < DT_COUNT; t++)
        if (rows[t].onnx == number)
            return (enum dtype)t;
    return DT_NONE;
}

const char *
dtype_npy(enum dtype t)
{
    return rows[t].npy;
}

bool
dtype_is_float(enum dtype t)
{
    return t == DT_F16 || t == DT_BF16 || t == DT_F32 || t == DT_F64;
}

bool
dtype_is_int(enum dtype t)
{
    return t >= DT_I4 && t <= DT_U64;
}

bool
dtype_is_signed(enum dtype t)
{
    return t == DT_I4 || t == DT_I8 || t == DT_I16 || t == DT_I32 || t == DT_I64
        || dtype_is_float(t);
}
