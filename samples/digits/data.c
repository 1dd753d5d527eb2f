/* Pictures as grey PNG, arrays as .npy version 1.0.  Writes little-endian machines'
 * bytes as they lie in memory; others are refused at compile time. */
#include <stdio.h>

#include <png.h>

#include "samples/digits/data.h"
#include "samples/digits/net.h"
#include "src/base/out.h"

_Static_assert(
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the arrays are written as little-endian");

bool
data_png(const char *path, int side, const uint8_t *pixels)
{
    png_image image = { 0 };

    image.version = PNG_IMAGE_VERSION;
    image.width = image.height = (png_uint_32)side;
    image.format = PNG_FORMAT_GRAY;
    return png_image_write_to_file(&image, path, 0, pixels, side, NULL);
}

/* The header is padded with blanks so that data starts at a multiple of 64. */
static bool
npy(struct diag *d, const char *path, const char *type, const char *shape, const void *data,
    size_t bytes)
{
    enum { HEAD = 128, MAGIC = 10 };
    char text[HEAD - MAGIC + 1];
    struct out *o = out_open(path, d);

    if (!o)
        return false;
    snprintf(
        text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", type, shape);
    out_bytes(o, "\x93NUMPY\x01\x00\x76\x00", MAGIC);
    out_printf(o, "%-*s\n", HEAD - MAGIC - 1, text);
    out_bytes(o, data, bytes);
    return out_close(o);
}

bool
data_images(struct diag *d, const char *path, int count, const float *pixels)
{
    char shape[64];

    snprintf(shape, sizeof shape, "%d, 1, %d, %d", count, (int)NET_SIDE, (int)NET_SIDE);
    return npy(d, path, "<f4", shape, pixels, sizeof *pixels * NET_PIXELS * (size_t)count);
}

bool
data_labels(struct diag *d, const char *path, int count, const int64_t *label)
{
    char shape[64];

    snprintf(shape, sizeof shape, "%d,", count);
    return npy(d, path, "<i8", shape, label, sizeof *label * (size_t)count);
}

bool
data_scores(struct diag *d, const char *path, int count, const float *score)
{
    char shape[64];

    snprintf(shape, sizeof shape, "%d, %d", count, (int)NET_CLASSES);
    return npy(d, path, "<f4", shape, score, sizeof *score * NET_CLASSES * (size_t)count);
}
