/* Reads an ONNX model into a graph. */
#ifndef FRONT_ONNX_H
#define FRONT_ONNX_H
#include "ir/ir.h"
#include "src/base/file.h"

struct onnx_options {
    const char *const *dims;     /* "NAME=N", NULL-terminated; or NULL */
    int64_t batch;               /* 0: not given, 1 is taken */
};

/* The graph at STAGE_NET, types not yet inferred, nodes sorted.  Reports every
 * problem it finds; NULL after errors. */
struct graph *onnx_read(struct arena *a, struct diag *d, const char *path,
                        const struct onnx_options *opt);
/* The same from bytes; path serves messages and tells where external data is. */
struct graph *onnx_parse(struct arena *a, struct diag *d, const char *path,
                         struct bytes b, const struct onnx_options *opt);

#endif
