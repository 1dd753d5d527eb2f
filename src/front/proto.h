/* Protocol buffer files: checked before they are unpacked. */
#ifndef FRONT_PROTO_H
#define FRONT_PROTO_H
#include <stdbool.h>

#include <protobuf-c/protobuf-c.h>

#include "src/base/file.h"

struct arena;
struct diag;

/* The message of kind d that b holds, in the arena; NULL after a diagnostic
 * (onnx-empty, onnx-truncated, onnx-parse).  What the schema does not know is
 * listed in one warning (onnx-unknown-field). */
void *proto_read(struct arena *a, struct diag *diag, const char *file,
                 const ProtobufCMessageDescriptor *d, struct bytes b);
/* The unpacking alone, for a part already checked; NULL: malformed. */
void *proto_unpack(struct arena *a, const ProtobufCMessageDescriptor *d,
                   struct bytes b);
/* Is it well-formed as far as can be seen without unpacking?  Says nothing. */
bool proto_looks_like(const ProtobufCMessageDescriptor *d, struct bytes b);

#endif
