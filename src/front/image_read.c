/* Pictures to rows of bytes: PNM here, PNG by libpng, JPEG by libjpeg.  Sixteen bits
 * become eight, palettes are expanded, transparency is dropped, colour profiles and
 * gamma are left alone, as most image loaders of training frameworks do.  Refuses
 * pictures over 2^26 pixels and CMYK. */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "src/front/image.h"

#ifdef HAVE_LIBPNG
#include <png.h>
#endif
#ifdef HAVE_LIBJPEG
#include <jpeglib.h>
#endif

#define MAX_SIDE 65535
#define MAX_PIXELS ((int64_t)1 << 26)

static bool
damaged(struct diag *d, const char *path, const char *why)
{
    struct place_ref at = { .file = path };

    return diag_error(d, &at, "image-damaged", "the picture cannot be read: %s", why);
}

static bool
size_fits(struct diag *d, const char *path, int64_t w, int64_t h)
{
    struct place_ref at = { .file = path };

    if (w > 0 && h > 0 && w <= MAX_SIDE && h <= MAX_SIDE && w * h <= MAX_PIXELS)
        return true;
    return diag_error(d, &at, "image-size", "a picture of %lld by %lld pixels",
                      (long long)w, (long long)h);
}

/* ---- PNM */

struct pnm { const uint8_t *p, *end; };

static void
skip_blanks(struct pnm *s)
{
    while (s->p < s->end && (strchr(" \t\r\n\v\f", *s->p) || *s->p == '#')) {
        if (*s->p == '#')
            while (s->p < s->end && *s->p != '\n')
                s->p++;
        else
            s->p++;
    }
}

/* -1: none there, or too large. */
static int64_t
number(struct pnm *s)
{
    int64_t n = -1;

    skip_blanks(s);
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9' && n < 1000000)
        n = (n < 0 ? 0 : n) * 10 + (*s->p++ - '0');
    return n < 1000000 ? n : -1;
}

/* One bit of a P1 needs no blank behind it. */
static int
bit(struct pnm *s)
{
    skip_blanks(s);
    return s->p < s->end && (*s->p == '0' || *s->p == '1') ? *s->p++ - '0' : -1;
}

static bool
pnm_text(struct pnm *s, int kind, int64_t max, uint8_t *to, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t v = kind == 1 ? bit(s) : number(s);
        if (v < 0 || v > max)
            return false;
        to[i] = kind == 1 ? (v ? 0 : 255) : (uint8_t)((v * 255 + max / 2) / max);
    }
    return true;
}

static bool
pnm_binary(const struct pnm *s, int kind, int64_t max, uint8_t *to, int64_t n, int width)
{
    int64_t each = max > 255 ? 2 : 1;
    int64_t row = ((int64_t)width + 7) / 8;
    int64_t need = kind == 4 ? n / width * row : n * each;

    if (s->end - s->p < need)
        return false;
    for (int64_t i = 0; i < n; i++) {
        if (kind == 4) {
            int64_t y = i / width, x = i % width;
            to[i] = s->p[y * row + x / 8] >> (7 - x % 8) & 1 ? 0 : 255;
            continue;
        }
        int64_t v = each == 2 ? s->p[2 * i] << 8 | s->p[2 * i + 1] : s->p[i];
        if (v > max)
            return false;
        to[i] = (uint8_t)((v * 255 + max / 2) / max);
    }
    return true;
}

static bool
read_pnm(struct arena *a, struct diag *d, const char *path, struct bytes b, struct image *out)
{
    struct pnm s = { b.p + 2, b.p + b.n };
    int kind = b.p[1] - '0', form = (kind - 1) % 3;      /* bits, gray, colour */
    int64_t w = number(&s), h = number(&s);
    int64_t max = form == 0 ? 1 : number(&s);

    if (w < 0 || h < 0 || max < 1 || max > 65535)
        return damaged(d, path, "its header is wrong");
    if (!size_fits(d, path, w, h))
        return false;
    *out = (struct image){ (int)w, (int)h, form == 2 ? 3 : 1, NULL };
    int64_t n = w * h * out->channels;
    if ((int64_t)b.n < n / 8)
        return damaged(d, path, "it is cut off");
    uint8_t *px = arena_alloc(a, (size_t)n);
    if (kind > 3)
        s.p += s.p < s.end;      /* one blank ends the header */
    if (kind > 3 ? !pnm_binary(&s, kind, max, px, n, (int)w)
                 : !pnm_text(&s, kind, max, px, n))
        return damaged(d, path, "it is cut off, or a value is too large");
    out->px = px;
    return true;
}

/* ---- PNG */

#if !defined HAVE_LIBPNG || !defined HAVE_LIBJPEG
static bool
not_built(struct diag *d, const char *path, const char *kind)
{
    struct place_ref at = { .file = path };

    return diag_error(d, &at, "image-kind", "this build was configured without %s"
                      " pictures; PNM always works", kind);
}
#endif

#ifdef HAVE_LIBPNG
struct png_input {
    struct bytes b;
    size_t at;
    char why[100];
    jmp_buf back;
};

static void
png_failed(png_structp png, png_const_charp why)
{
    struct png_input *in = png_get_error_ptr(png);

    snprintf(in->why, sizeof in->why, "%s", why);
    longjmp(in->back, 1);
}

static void
png_warned(png_structp png, png_const_charp why)
{
    (void)png;
    (void)why;
}

static void
png_more(png_structp png, png_bytep to, size_t n)
{
    struct png_input *in = png_get_io_ptr(png);

    if (n > in->b.n - in->at)
        png_error(png, "it is cut off");
    memcpy(to, in->b.p + in->at, n);
    in->at += n;
}

/* Eight bits, one or three channels, whatever the file has. */
static void
png_plain(png_structp png, png_infop info)
{
    png_set_expand(png);
    png_set_scale_16(png);
    png_set_strip_alpha(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
}

/* Between the two calls of setjmp nothing automatic of this function changes. */
static bool
png_decode(struct arena *a, struct diag *d, const char *path, struct png_input *in,
           png_structp png, png_infop info, struct image *out)
{
    if (setjmp(in->back))
        return damaged(d, path, in->why);
    png_set_read_fn(png, in, png_more);
    png_set_user_limits(png, MAX_SIDE, MAX_SIDE);
    png_read_info(png, info);
    out->width = (int)png_get_image_width(png, info);
    out->height = (int)png_get_image_height(png, info);
    if (!size_fits(d, path, out->width, out->height))
        return false;
    png_plain(png, info);
    out->channels = png_get_channels(png, info);
    size_t row = (size_t)out->width * (size_t)out->channels;
    if (png_get_rowbytes(png, info) != row || (out->channels != 1 && out->channels != 3))
        png_error(png, "its pixels have an unknown form");
    out->px = arena_alloc(a, row * (size_t)out->height);
    png_bytep *rows = NEWN(a, png_bytep, out->height);
    for (int y = 0; y < out->height; y++)
        rows[y] = (png_bytep)(uintptr_t)out->px + row * (size_t)y;
    png_read_image(png, rows);
    return true;
}

static bool
read_png(struct arena *a, struct diag *d, const char *path, struct bytes b, struct image *out)
{
    struct png_input in = { .b = b };
    png_structp png =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, &in, png_failed, png_warned);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    bool ok = info ? png_decode(a, d, path, &in, png, info, out)
                   : damaged(d, path, "libpng does not start");

    png_destroy_read_struct(&png, &info, NULL);
    return ok;
}
#else
static bool
read_png(struct arena *a, struct diag *d, const char *path, struct bytes b, struct image *out)
{
    (void)a;
    (void)b;
    (void)out;
    return not_built(d, path, "PNG");
}
#endif

/* ---- JPEG */

#ifdef HAVE_LIBJPEG
struct jpeg_input {
    struct jpeg_error_mgr errors;    /* first: libjpeg hands back a pointer to it */
    jmp_buf back;
    char why[JMSG_LENGTH_MAX];
};

static void
jpeg_failed(j_common_ptr c)
{
    struct jpeg_input *in = (struct jpeg_input *)c->err;

    c->err->format_message(c, in->why);
    longjmp(in->back, 1);
}

/* Warnings: a damaged file is decoded as far as it goes by libjpeg.  Not here. */
static void
jpeg_message(j_common_ptr c, int level)
{
    if (level < 0)
        jpeg_failed(c);
}

static bool
jpeg_decode(struct arena *a, struct diag *d, const char *path, struct jpeg_input *in,
            struct jpeg_decompress_struct *j, struct bytes b, struct image *out)
{
    if (setjmp(in->back))
        return damaged(d, path, in->why);
    jpeg_create_decompress(j);
    jpeg_mem_src(j, b.p, (unsigned long)b.n);
    jpeg_read_header(j, TRUE);
    if (!size_fits(d, path, (int64_t)j->image_width, (int64_t)j->image_height))
        return false;
    if (j->num_components != 1 && j->num_components != 3)
        return damaged(d, path, "its colours are neither gray nor RGB");
    j->out_color_space = j->num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    j->dct_method = JDCT_ISLOW;
    jpeg_start_decompress(j);
    *out = (struct image){
        (int)j->output_width, (int)j->output_height, j->output_components, NULL
    };
    size_t row = (size_t)out->width * (size_t)out->channels;
    uint8_t *px = arena_alloc(a, row * (size_t)out->height);
    out->px = px;
    while (j->output_scanline < j->output_height) {
        JSAMPROW line = px + row * j->output_scanline;
        jpeg_read_scanlines(j, &line, 1);
    }
    jpeg_finish_decompress(j);
    return true;
}

static bool
read_jpeg(struct arena *a, struct diag *d, const char *path, struct bytes b, struct image *out)
{
    struct jpeg_decompress_struct j = { 0 };
    struct jpeg_input in;

    j.err = jpeg_std_error(&in.errors);
    in.errors.error_exit = jpeg_failed;
    in.errors.emit_message = jpeg_message;
    bool ok = jpeg_decode(a, d, path, &in, &j, b, out);
    jpeg_destroy_decompress(&j);
    return ok;
}
#else
static bool
read_jpeg(struct arena *a, struct diag *d, const char *path, struct bytes b, struct image *out)
{
    (void)a;
    (void)b;
    (void)out;
    return not_built(d, path, "JPEG");
}
#endif

bool
image_parse(struct arena *a, struct diag *d, const char *path, struct bytes b,
            struct image *out)
{
    struct place_ref at = { .file = path };

    *out = (struct image){ 0 };
    switch (file_kind_of(path, b)) {
    case FILE_PNM: return read_pnm(a, d, path, b, out);
    case FILE_PNG: return read_png(a, d, path, b, out);
    case FILE_JPEG: return read_jpeg(a, d, path, b, out);
    default: break;
    }
    return diag_error(d, &at, "image-kind", "not a picture: neither PNG, JPEG nor PNM");
}

bool
image_read(struct arena *a, struct diag *d, const char *path, struct image *out)
{
    struct bytes b;

    return file_map(a, d, path, 0, &b) && image_parse(a, d, path, b, out);
}
