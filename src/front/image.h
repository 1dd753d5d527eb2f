/* Pictures: decoding, and the recipe that makes a model's input of one. */
#ifndef FRONT_IMAGE_H
#define FRONT_IMAGE_H
#include "src/front/tensorfile.h"

struct image {
    int width, height, channels; /* channels 1 (gray) or 3 (rgb) */
    const uint8_t *px;           /* rows from the top, channels interleaved */
};

enum color { COLOR_AUTO, COLOR_RGB, COLOR_BGR, COLOR_GRAY };
enum axes { AXES_AUTO, AXES_NCHW, AXES_NHWC };

struct recipe {
    const char *text;            /* as given, without the input's name */
    const char *input;           /* NULL: any */
    int resize_w, resize_h;      /* 0: from crop or the input's size */
    int crop_w, crop_h;          /* 0: from the input's size */
    bool fit;                    /* resize and crop are a ratio: scaled to the input */
    enum color color;
    enum axes axes;
    float scale;
    int nmean, nstd;
    float mean[4], std[4];
    bool invert;
};

/* "[INPUT:]SPEC", a comma list:
 *   resize=WxH  bilinear, aspect kept, until WxH is covered; then cut in the centre
 *   crop=WxH    what is cut
 *   color=rgb|bgr|gray  layout=nchw|nhwc
 *   scale=S     multiplies 0..255; then mean=M[:M:M] is subtracted, then divided
 *   std=D[:D:D] by this
 *   invert      255 - x, first
 * or a preset, maybe with more behind it: imagenet unit signed raw.
 * inputs: names, NULL-terminated, that may stand before the ':'; NULL: any.
 * False after a diagnostic (recipe-syntax). */
bool recipe_parse(struct arena *a, struct diag *d, const char *spec,
                  const char *const *inputs, struct recipe *r);

/* PNG, JPEG, PNM.  False after a diagnostic (image-*). */
bool image_read(struct arena *a, struct diag *d, const char *path, struct image *out);
bool image_parse(struct arena *a, struct diag *d, const char *path, struct bytes b,
                 struct image *out);
/* The input `want` made of a picture.  Integer inputs get the nearest integers, or
 * by their quantization if they have one.  False after a diagnostic (image-shape). */
bool image_apply(struct arena *a, struct diag *d, const char *path, const struct image *im,
                 const struct recipe *r, const struct type *want, struct tensor *out);
/* Bilinear as Pillow does it: when shrinking, the filter grows with the step, so
 * that every source pixel counts. */
void image_resize(struct arena *a, const struct image *im, int width, int height,
                  struct image *out);

#endif
