/* Digits drawn from the outlines of fonts. */
#ifndef DIGITS_RENDER_H
#define DIGITS_RENDER_H
#include <stdbool.h>
#include <stdint.h>

struct arena;
struct rng;

/* How one digit looks.  Lengths are in pixels of a 28-pixel side, whatever the
 * side of the picture; a zeroed one with `height` set is the plain upright digit. */
struct look {
    double angle;   /* radians, counter-clockwise */
    double shear;   /* x moves by this much per y */
    double stretch; /* width grows by this fraction */
    double weight;  /* stroke grows by this much */
    double height;  /* of the box round the digit */
    double dx, dy;  /* away from the centre */
    double fade;    /* fraction of the ink missing */
    double blur;    /* 0 .. 0.25: share each neighbour gets */
    double noise;   /* standard deviation, of 255 */
};

struct fonts;

/* Opens the fonts of a list whose first word is `half` ("train", "held").  Paths of
 * the list are relative to `root`.  NULL when one is missing, *why says which. */
struct fonts *fonts_open(
    struct arena *a, const char *list, const char *root, const char *half, char **why);
void fonts_close(struct fonts *f);
int fonts_count(const struct fonts *f);
const char *fonts_name(const struct fonts *f, int font);

/* The spread of looks that the network learns. */
struct look look_random(struct rng *r);

/* White on black, side x side bytes.  False if the font cannot draw it; `r` feeds
 * the noise and may be NULL when there is none. */
bool render_digit(struct fonts *f, int font, int digit, const struct look *k, struct rng *r,
    int side, uint8_t *pixels);

#endif
