/* Digits from font outlines: each is thickened, turned, slanted, scaled and moved as
 * an outline and only then rasterised, so its edges stay clean at every size.  Only
 * outline fonts serve, and a digit's own size in its font is lost: old-style and
 * lining figures come out alike. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_OUTLINE_H

#include "samples/digits/render.h"
#include "samples/digits/rng.h"
#include "src/base/arena.h"

enum { MAX_FONTS = 512, EM_PIXELS = 128, FULL_SIDE = 28 };

struct fonts {
    FT_Library library;
    FT_Face face[MAX_FONTS];
    const char *name[MAX_FONTS];
    int count;
};

static bool
add_font(struct fonts *f, struct arena *a, const char *root, const char *file, const char *package,
    char **why)
{
    char *path = arena_printf(a, "%s/%s", root, file);
    FT_Face *face = &f->face[f->count];

    if (f->count == MAX_FONTS) {
        *why = arena_printf(a, "more than %d fonts", (int)MAX_FONTS);
        return false;
    }
    if (FT_New_Face(f->library, path, 0, face)) {
        *why = arena_printf(a, "%s: cannot be opened; is package %s installed?", path, package);
        return false;
    }
    f->name[f->count++] = arena_strdup(a, file);
    if (FT_Set_Pixel_Sizes(*face, 0, EM_PIXELS)) {
        *why = arena_printf(a, "%s: not an outline font", path);
        return false;
    }
    return true;
}

/* A line is HALF PACKAGE PATH; the path may hold blanks. */
static bool
read_list(
    struct fonts *f, struct arena *a, FILE *in, const char *root, const char *half, char **why)
{
    char line[512];

    while (fgets(line, sizeof line, in)) {
        char *save = NULL;
        const char *word = strtok_r(line, " \n", &save);
        const char *package, *file;

        if (!word || *word == '#' || strcmp(word, half))
            continue;
        package = strtok_r(NULL, " \n", &save);
        file = strtok_r(NULL, "\n", &save);
        if (!package || !file) {
            *why = arena_strdup(a, "a line lacks its package or its path");
            return false;
        }
        if (!add_font(f, a, root, file, package, why))
            return false;
    }
    if (f->count == 0)
        *why = arena_printf(a, "no fonts marked '%s'", half);
    return f->count > 0;
}

struct fonts *
fonts_open(struct arena *a, const char *list, const char *root, const char *half, char **why)
{
    struct fonts *f = NEW(a, struct fonts);
    FILE *in;
    bool ok;

    if (FT_Init_FreeType(&f->library)) {
        *why = arena_strdup(a, "FreeType does not start");
        return NULL;
    }
    in = fopen(list, "r");
    if (!in) {
        *why = arena_printf(a, "%s: cannot be opened", list);
        fonts_close(f);
        return NULL;
    }
    ok = read_list(f, a, in, root, half, why);
    fclose(in);
    if (!ok) {
        fonts_close(f);
        return NULL;
    }
    return f;
}

void
fonts_close(struct fonts *f)
{
    if (f)
        FT_Done_FreeType(f->library); /* with its faces */
}

int
fonts_count(const struct fonts *f)
{
    return f->count;
}

const char *
fonts_name(const struct fonts *f, int font)
{
    return f->name[font];
}

struct look
look_random(struct rng *r)
{
    struct look k = {
        .angle = rng_between(r, -0.2, 0.2),
        .shear = rng_between(r, -0.25, 0.25),
        .stretch = rng_between(r, -0.2, 0.2),
        .weight = rng_between(r, -0.2, 1.2),
        .height = rng_between(r, 14.5, 23),
        .dx = rng_between(r, -2.5, 2.5),
        .dy = rng_between(r, -2.5, 2.5),
        .fade = rng_unit(r) < 0.5 ? rng_between(r, 0, 0.4) : 0,
        .blur = rng_unit(r) < 0.5 ? rng_between(r, 0, 0.25) : 0,
        .noise = rng_unit(r) < 0.5 ? rng_between(r, 0, 25) : 0,
    };

    return k;
}

static FT_Fixed
fixed(double x)
{
    return (FT_Fixed)lround(x * 65536);
}

/* Turns, slants and sizes the outline, its box centred in the picture. */
static void
place(FT_Outline *o, const struct look *k, int side)
{
    double unit = (double)side / FULL_SIDE, c = cos(k->angle), s = sin(k->angle);
    double wide = 1 + k->stretch, scale, box_w, box_h;
    FT_Matrix turn = {
        fixed(c * wide),
        fixed(c * k->shear - s),
        fixed(s * wide),
        fixed(s * k->shear + c),
    };
    FT_Matrix size = { 0, 0, 0, 0 };
    FT_BBox box;

    FT_Outline_Transform(o, &turn);
    FT_Outline_Get_CBox(o, &box);
    box_w = (double)(box.xMax - box.xMin);
    box_h = (double)(box.yMax - box.yMin);
    if (box_h < 1 || box_w < 1)
        return;
    /* Wider than high happens in some fonts: the larger side decides. */
    scale = k->height * unit * 64 / (box_h > box_w ? box_h : box_w);
    size.xx = size.yy = fixed(scale);
    FT_Outline_Transform(o, &size);
    FT_Outline_Get_CBox(o, &box);
    FT_Outline_Translate(o, lround((side / 2.0 + k->dx * unit) * 64) - (box.xMin + box.xMax) / 2,
        lround((side / 2.0 + k->dy * unit) * 64) - (box.yMin + box.yMax) / 2);
}

static void
blur_line(uint8_t *p, int n, int step, double share)
{
    double before = p[0];

    for (int i = 0; i < n; i++) {
        double here = p[i * step];
        double after = i + 1 < n ? p[(i + 1) * step] : here;

        p[i * step] = (uint8_t)lround(share * (before + after) + (1 - 2 * share) * here);
        before = here;
    }
}

static void
soil(const struct look *k, struct rng *r, int side, uint8_t *pixels)
{
    if (k->blur > 0) {
        for (int i = 0; i < side; i++)
            blur_line(pixels + i * side, side, 1, k->blur);
        for (int i = 0; i < side; i++)
            blur_line(pixels + i, side, side, k->blur);
    }
    if (k->fade <= 0 && (k->noise <= 0 || !r))
        return;
    for (int i = 0; i < side * side; i++) {
        double v = pixels[i] * (1 - k->fade);

        if (k->noise > 0 && r)
            v += k->noise * rng_normal(r);
        pixels[i] = (uint8_t)lround(v < 0 ? 0 : v > 255 ? 255 : v);
    }
}

bool
render_digit(struct fonts *f, int font, int digit, const struct look *k, struct rng *r, int side,
    uint8_t *pixels)
{
    FT_Face face = f->face[font];
    FT_Outline *o = &face->glyph->outline;
    FT_Bitmap bitmap = { 0 };
    FT_BBox box;

    if (FT_Load_Char(face, (FT_ULong)('0' + digit), FT_LOAD_NO_HINTING | FT_LOAD_NO_BITMAP)
        || face->glyph->format != FT_GLYPH_FORMAT_OUTLINE || o->n_points == 0)
        return false;
    FT_Outline_Get_CBox(o, &box);
    if (k->weight != 0) /* grown in proportion to the final height */
        FT_Outline_Embolden(o, lround(k->weight / k->height * (double)(box.yMax - box.yMin)));
    place(o, k, side);
    memset(pixels, 0, (size_t)side * (size_t)side);
    bitmap.rows = bitmap.width = (unsigned)side;
    bitmap.pitch = side;
    bitmap.buffer = pixels;
    bitmap.num_grays = 256;
    bitmap.pixel_mode = FT_PIXEL_MODE_GRAY;
    if (FT_Outline_Get_Bitmap(f->library, o, &bitmap))
        return false;
    soil(k, r, side, pixels);
    return true;
}
