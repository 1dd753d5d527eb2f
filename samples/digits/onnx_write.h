/* The trained network as an ONNX file. */
#ifndef DIGITS_ONNX_WRITE_H
#define DIGITS_ONNX_WRITE_H
#include <stdbool.h>

struct arena;
struct diag;
struct net;

/* Opset 13, input image [1,1,28,28] of 0..1, output score [1,10]; the recipe and the
 * labels (newline separated) go along as metadata. */
bool onnx_write(
    struct arena *a, struct diag *d, const struct net *n, const char *labels, const char *path);

#endif
