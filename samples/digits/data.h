/* Pictures and arrays on disk. */
#ifndef DIGITS_DATA_H
#define DIGITS_DATA_H
#include <stdbool.h>
#include <stdint.h>

struct diag;

bool data_png(const char *path, int side, const uint8_t *pixels);
/* count pictures as float [count,1,28,28] of 0..1. */
bool data_images(struct diag *d, const char *path, int count, const float *pixels);
bool data_labels(struct diag *d, const char *path, int count, const int64_t *label);
bool data_scores(struct diag *d, const char *path, int count, const float *score);

#endif
