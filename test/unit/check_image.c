/* Pictures and recipes. */
#include <math.h>

#include "src/front/image.h"
#include "test/unit/frontfix.h"

/* ---- pictures */

static struct image
picture(const char *name, const void *p, size_t n)
{
    struct image im;

    write_file(in_dir(name), p, n);
    ck_assert_msg(image_read(a, d, in_dir(name), &im), "%s", diag_text(d));
    return im;
}

static const uint8_t gray4[] = { 0, 85, 170, 255 };

START_TEST(pnm)
{
    static const struct { const char *p; size_t n; int channels; } rows[] = {
        { "P5\n# hi\n2 2\n255\n\x00\x55\xaa\xff", 20, 1 },
        { "P2 2 2 3 0 1 2 3", 16, 1 },
        { "P5 2 2 65535\n\x00\x00\x55\x55\xaa\xaa\xff\xff", 21, 1 },
        { "P6 2 2 255\n\0\0\0\x55\x55\x55\xaa\xaa\xaa\xff\xff\xff", 23, 3 },
        { "P3 2 2 3 0 0 0 1 1 1 2 2 2 3 3 3", 32, 3 },
    };
    struct image im = picture("p", rows[_i].p, rows[_i].n);

    ck_assert_int_eq(im.width * 10 + im.height, 22);
    ck_assert_int_eq(im.channels, rows[_i].channels);
    for (int i = 0; i < 4 * im.channels; i++)
        ck_assert_int_eq(im.px[i], gray4[i / im.channels]);
    /* Every prefix is refused. */
    for (size_t n = 2; n < rows[_i].n; n++) {
        uint8_t *part = arena_dup(a, rows[_i].p, n);
        /* Text has no length: its last digit is not missed. */
        if (rows[_i].p[1] < '4' && n + 1 >= rows[_i].n)
            continue;
        ck_assert(!image_parse(a, d, "cut", (struct bytes){ part, n }, &im));
    }
}
END_TEST

START_TEST(bitmap)
{
    static const uint8_t want[] = { 255, 0, 255, 0, 0, 255 };
    struct image im = picture("p", "P1 3 2 010110", 13);

    ck_assert(!memcmp(im.px, want, 6));
    im = picture("q", "P4 3 2\n\x40\xc0", 9);
    ck_assert(!memcmp(im.px, want, 6));
}
END_TEST

START_TEST(pictures_bad)
{
    static const struct { const char *p; size_t n; const char *id; } rows[] = {
        { "P5 0 2 255\n", 11, "image-size" },
        { "P5 60000 60000 255\n", 19, "image-size" },
        { "P5 60000 1000 255\n", 18, "image-damaged" },
        { "P5 2 2 70000\n....", 17, "image-damaged" },
        { "P2 2 2 3 0 1 2 9", 16, "image-damaged" },
        { "P9 2 2 3 0 1 2 9", 16, "image-kind" },
        { "\x89PNG\r\n\x1a\n....", 12, "image-damaged" },
        { "\xff\xd8\xff\xe0....", 8, "image-damaged" },
    };
    struct image im;

    write_file(in_dir("p"), rows[_i].p, rows[_i].n);
    FAILS(rows[_i].id, image_read(a, d, in_dir("p"), &im));
}
END_TEST

#ifdef HAVE_LIBPNG
/* Made by hand from the PNG specification: 2x2, 8-bit gray, one stored block. */
static const uint8_t png[] = {
    0x89, 'P', 'N', 'G', 13, 10, 26, 10,
    0, 0, 0, 13, 'I', 'H', 'D', 'R', 0, 0, 0, 2, 0, 0, 0, 2, 8, 0, 0, 0, 0,
    0x57, 0xdd, 0x52, 0xf8,
    0, 0, 0, 17, 'I', 'D', 'A', 'T', 0x78, 0x01, 0x01, 6, 0, 0xf9, 0xff,
    0, 0, 85, 0, 170, 255, 0x05, 0xff, 0x01, 0xff, 0, 0, 0, 0,
    0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82,
};

/* CRC-32 of PNG, bit by bit. */
static void
put_crc(uint8_t *p, size_t n)
{
    uint32_t c = 0xffffffffu;

    for (size_t i = 0; i < n; i++) {
        c ^= p[i];
        for (int k = 0; k < 8; k++)
            c = c >> 1 ^ (c & 1 ? 0xedb88320u : 0);
    }
    c = ~c;
    for (int i = 0; i < 4; i++)
        p[n + (size_t)i] = (uint8_t)(c >> (24 - 8 * i));
}

START_TEST(png_gray)
{
    uint8_t file[sizeof png];
    uint32_t lo = 1, hi = 0;
    struct image im;

    memcpy(file, png, sizeof png);
    put_crc(file + 12, 17);
    for (int i = 0; i < 6; i++) {            /* Adler-32 of the rows */
        lo = (lo + file[48 + i]) % 65521;
        hi = (hi + lo) % 65521;
    }
    file[54] = (uint8_t)(hi >> 8), file[55] = (uint8_t)hi;
    file[56] = (uint8_t)(lo >> 8), file[57] = (uint8_t)lo;
    put_crc(file + 37, 21);
    im = picture("p.png", file, sizeof file);
    ck_assert_int_eq(im.channels, 1);
    ck_assert_int_eq(im.width * 10 + im.height, 22);
    ck_assert(!memcmp(im.px, gray4, 4));
    for (size_t n = 8; n < 58; n++)
        ck_assert(!image_parse(a, d, "cut", (struct bytes){ arena_dup(a, file, n), n }, &im));
}
END_TEST
#endif

/* Resizing to the same size, of a constant, and by two: values by hand. */
START_TEST(resize)
{
    static const uint8_t row[] = { 0, 100, 200, 100 };
    struct image im = { 4, 1, 1, row }, out;

    image_resize(a, &im, 4, 1, &out);
    ck_assert(!memcmp(out.px, row, 4));
    /* Shrinking 4 to 2: a triangle of reach 2 at 1 and 3; weights 3 3 1 of 7 ... */
    image_resize(a, &im, 2, 1, &out);
    ck_assert_int_eq(out.px[0], (int)lrint((0 * 0.75 + 100 * 0.75 + 200 * 0.25) / 1.75));
    ck_assert_int_eq(out.px[1], (int)lrint((100 * 0.25 + 200 * 0.75 + 100 * 0.75) / 1.75));
    /* Growing 4 to 8: quarters between neighbours, edges repeated. */
    image_resize(a, &im, 8, 1, &out);
    static const uint8_t want[] = { 0, 25, 75, 125, 175, 175, 125, 100 };
    ck_assert(!memcmp(out.px, want, 8));
    uint8_t *flat = arena_alloc(a, 30 * 20 * 3);
    memset(flat, 77, 30 * 20 * 3);
    im = (struct image){ 30, 20, 3, flat };
    image_resize(a, &im, 7, 11, &out);
    for (int i = 0; i < 7 * 11 * 3; i++)
        ck_assert_int_eq(out.px[i], 77);
}
END_TEST

static struct tensor
applied(const struct image *im, const char *recipe, const char *dims, enum dtype dt)
{
    struct recipe r;
    struct tensor t;
    int64_t n[8];
    int rank = 0;

    for (const char *s = dims; *s; s += strcspn(s, ","), s += *s == ',')
        n[rank++] = strtoll(s, NULL, 10);
    struct type want = { .dt = dt, .shape = shape_make(rank, n) };
    ck_assert_msg(recipe_parse(a, d, recipe, NULL, &r), "%s", diag_text(d));
    ck_assert_msg(image_apply(a, d, "pic", im, &r, &want, &t), "%s", diag_text(d));
    ck_assert(shape_equal(&t.shape, &want.shape));
    ck_assert_int_eq((int)t.dt, (int)dt);
    return t;
}

START_TEST(recipes)
{
    static const uint8_t rgb[] = { 10, 20, 30, 40, 50, 60 };             /* 2x1 */
    struct image im = { 2, 1, 3, rgb };
    static const struct { const char *recipe, *dims; float want[6]; } rows[] = {
        { "raw", "1,3,1,2", { 10, 40, 20, 50, 30, 60 } },
        { "layout=nhwc", "1,2,3", { 10, 20, 30, 40, 50, 60 } },
        { "raw,layout=nhwc", "1,1,2,3", { 10, 20, 30, 40, 50, 60 } },
        { "color=bgr", "3,1,2", { 30, 60, 20, 50, 10, 40 } },
        { "invert", "1,3,1,2", { 245, 215, 235, 205, 225, 195 } },
        { "scale=2,mean=1:2:3,std=1:2:4", "1,3,1,2", { 19, 79, 19, 49, 14.25f, 29.25f } },
        { "unit", "1,3,1,2", { 10 / 255.f, 40 / 255.f, 20 / 255.f, 50 / 255.f, 30 / 255.f,
                               60 / 255.f } },
        { "signed", "1,3,1,2", { 10 / 127.5f - 1, 40 / 127.5f - 1, 20 / 127.5f - 1,
                                 50 / 127.5f - 1, 30 / 127.5f - 1, 60 / 127.5f - 1 } },
        { "imagenet", "1,3,1,2", { (10 / 255.f - 0.485f) / 0.229f, (40 / 255.f - 0.485f) / 0.229f,
                                   (20 / 255.f - 0.456f) / 0.224f, (50 / 255.f - 0.456f) / 0.224f,
                                   (30 / 255.f - 0.406f) / 0.225f, (60 / 255.f - 0.406f) / 0.225f } },
        { "color=gray", "1,1,1,2", { 18, 48 } },         /* .299 R + .587 G + .114 B */
        { "raw", "1,2", { 18, 48 } },
    };
    struct tensor t = applied(&im, rows[_i].recipe, rows[_i].dims, DT_F32);
    const float *x = t.data;

    for (int i = 0; i < shape_elems(&t.shape); i++)
        ck_assert_msg(fabsf(x[i] - rows[_i].want[i]) < 1e-5f, "%d: %g, not %g", i,
                      (double)x[i], (double)rows[_i].want[i]);
}
END_TEST

START_TEST(recipe_integers)
{
    static const uint8_t px[] = { 0, 100, 200, 255 };
    struct image im = { 2, 2, 1, px };
    struct tensor t = applied(&im, "raw", "1,1,2,2", DT_U8);

    ck_assert(!memcmp(t.data, px, 4));
    t = applied(&im, "mean=128", "1,1,2,2", DT_I8);
    static const int8_t want[] = { -128, -28, 72, 127 };
    ck_assert(!memcmp(t.data, want, 4));
}
END_TEST

/* Cut in the centre after the shorter side fits. */
START_TEST(recipe_sizes)
{
    uint8_t *px = arena_alloc(a, 40 * 20);

    for (int i = 0; i < 40 * 20; i++)
        px[i] = (uint8_t)(i % 40 * 6);       /* columns differ */
    struct image im = { 40, 20, 1, px };
    struct tensor t = applied(&im, "raw", "1,1,20,20", DT_F32);
    ck_assert(((const float *)t.data)[0] == 60);         /* column 10 */
    t = applied(&im, "raw,crop=10x10", "1,1,10,10", DT_F32);
    ck_assert(((const float *)t.data)[0] == 90);         /* column 15 */
    t = applied(&im, "raw,resize=20x20,crop=10x10", "1,1,10,10", DT_F32);
    ck_assert(((const float *)t.data)[0] == 90);
    /* 256 then 224 of a small input: 16 then 14 of a 32x16 picture. */
    t = applied(&im, "imagenet", "1,3,14,14", DT_F32);
    ck_assert_int_eq((int)shape_elems(&t.shape), 588);
}
END_TEST

START_TEST(recipe_bad)
{
    static const char *const bad[] = {
        "", "frob", "scale", "scale=x", "scale=1:2", "mean=", "mean=1:2:3:4:5", "std=0",
        "resize=12", "resize=0x5", "resize=99999x5", "color=pink", "layout=chwn",
        "color=rgb,unit", "unit,", "nosuch:unit", "std=1,std=nan",
    };
    static const char *const inputs[] = { "x", NULL };
    struct recipe r;

    FAILS("recipe-syntax", recipe_parse(a, d, bad[_i], inputs, &r));
}
END_TEST

START_TEST(recipe_names)
{
    static const char *const inputs[] = { "a", "a:b", NULL };
    struct recipe r;

    ck_assert(recipe_parse(a, d, "a:b:unit", inputs, &r));
    ck_assert_str_eq(r.input, "a:b");
    ck_assert_str_eq(r.text, "unit");
    ck_assert(recipe_parse(a, d, "a:mean=1:2:3", inputs, &r));
    ck_assert_str_eq(r.input, "a");
    ck_assert_int_eq(r.nmean, 3);
    ck_assert(recipe_parse(a, d, "mean=1:2:3", inputs, &r));
    ck_assert_ptr_null(r.input);
}
END_TEST

START_TEST(shapes_no_picture_makes)
{
    static const int64_t dims[][4] = {
        { 1, 2, 4, 4 }, { 2, 3, 4, 4 }, { 1, 5, 5, 5 }, { 1, 3, 4, 5 },
    };
    uint8_t px[16] = { 0 };
    struct image im = { 4, 4, 1, px };
    struct type want = { .dt = DT_F32, .shape = shape_make(4, dims[_i]) };
    struct recipe r;
    struct tensor t;

    ck_assert(recipe_parse(a, d, _i == 3 ? "resize=4x4,crop=4x4" : "raw", NULL, &r));
    FAILS("image-shape", image_apply(a, d, "pic", &im, &r, &want, &t));
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("image");
    TCase *p = tcase_create("pictures");

    tcase_add_checked_fixture(p, setup, teardown);
    tcase_add_loop_test(p, pnm, 0, 5);
    tcase_add_test(p, bitmap);
    tcase_add_loop_test(p, pictures_bad, 0, 6);
#ifdef HAVE_LIBPNG
    tcase_add_loop_test(p, pictures_bad, 6, 7);
    tcase_add_test(p, png_gray);
#endif
#ifdef HAVE_LIBJPEG
    tcase_add_loop_test(p, pictures_bad, 7, 8);
#endif
    tcase_add_test(p, resize);
    tcase_add_loop_test(p, recipes, 0, 11);
    tcase_add_test(p, recipe_integers);
    tcase_add_test(p, recipe_sizes);
    tcase_add_loop_test(p, recipe_bad, 0, 17);
    tcase_add_test(p, recipe_names);
    tcase_add_loop_test(p, shapes_no_picture_makes, 0, 4);
    suite_add_tcase(s, p);
    return tap_run(s);
}
