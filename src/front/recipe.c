/* The input recipe: text to struct recipe.  Everything it can say is in image.h. */
#include <math.h>
#include <string.h>

#include "src/base/str.h"
#include "src/front/image.h"

#define MAX_SIDE 16384

static const char *const keys[] = {
    "resize", "crop", "color", "layout", "scale", "mean", "std", "invert",
    "imagenet", "unit", "signed", "raw", NULL,
};

struct parse {
    struct arena *arena;
    struct diag *diag;
    struct recipe *r;
    bool first;
};

static bool
bad(struct parse *p, const char *item)
{
    diag_error(p->diag, NULL, "recipe-syntax", "recipe: '%s' is not understood", item);
    const char *key = arena_strndup(p->arena, item, strcspn(item, "="));
    const char *near = str_nearest(key, keys);
    if (near && strcmp(near, key))
        diag_hint(p->diag, "did you mean %s?", near);
    return false;
}

static bool
size(struct parse *p, const char *s, int *w, int *h)
{
    size_t n = strcspn(s, "x");
    int64_t x, y;

    if (!s[n] || !str_i64(arena_strndup(p->arena, s, n), &x) || !str_i64(s + n + 1, &y)
        || x < 1 || y < 1 || x > MAX_SIDE || y > MAX_SIDE)
        return false;
    *w = (int)x;
    *h = (int)y;
    return true;
}

static bool
numbers(struct parse *p, const char *s, float *to, int max, int *count)
{
    *count = 0;
    for (;;) {
        size_t n = strcspn(s, ":");
        double x;
        if (*count == max || !str_f64(arena_strndup(p->arena, s, n), &x) || !isfinite(x))
            return false;
        to[(*count)++] = (float)x;
        if (!s[n])
            return true;
        s += n + 1;
    }
}

static bool
preset(struct parse *p, const char *name)
{
    struct recipe *r = p->r;

    if (!strcmp(name, "imagenet")) {
        static const float mean[] = { 0.485f, 0.456f, 0.406f };
        static const float std[] = { 0.229f, 0.224f, 0.225f };
        r->resize_w = r->resize_h = 256;
        r->crop_w = r->crop_h = 224;
        r->fit = true;
        r->scale = 1.0f / 255.0f;
        r->nmean = r->nstd = 3;
        memcpy(r->mean, mean, sizeof mean);
        memcpy(r->std, std, sizeof std);
    } else if (!strcmp(name, "unit")) {
        r->scale = 1.0f / 255.0f;
    } else if (!strcmp(name, "signed")) {
        r->scale = 1.0f / 127.5f;
        r->nmean = 1;
        r->mean[0] = 1.0f;
    } else if (strcmp(name, "raw") != 0) {
        return false;
    }
    return true;
}

static bool
word(const char *s, const char *const *words, int n, int *which)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(s, words[i])) {
            *which = i + 1;
            return true;
        }
    return false;
}

/* key=value */
static bool
pair(struct parse *p, const char *key, const char *value)
{
    static const char *const colors[] = { "rgb", "bgr", "gray" };
    static const char *const layouts[] = { "nchw", "nhwc" };
    struct recipe *r = p->r;
    int which, n;

    if (!strcmp(key, "resize") || !strcmp(key, "crop")) {
        bool crop = *key == 'c';
        if (r->fit)
            r->resize_w = r->resize_h = r->crop_w = r->crop_h = 0;
        r->fit = false;
        return size(p, value, crop ? &r->crop_w : &r->resize_w,
                    crop ? &r->crop_h : &r->resize_h);
    }
    if (!strcmp(key, "color") && word(value, colors, 3, &which)) {
        r->color = (enum color)which;
        return true;
    }
    if (!strcmp(key, "layout") && word(value, layouts, 2, &which)) {
        r->axes = (enum axes)which;
        return true;
    }
    if (!strcmp(key, "scale"))
        return numbers(p, value, &r->scale, 1, &n);
    if (!strcmp(key, "mean"))
        return numbers(p, value, r->mean, 4, &r->nmean);
    if (strcmp(key, "std") || !numbers(p, value, r->std, 4, &r->nstd))
        return false;
    for (int i = 0; i < r->nstd; i++)
        if (r->std[i] == 0)
            return false;
    return true;
}

static bool
item(struct parse *p, const char *s)
{
    const char *eq = strchr(s, '=');

    if (eq)
        return pair(p, arena_strndup(p->arena, s, (size_t)(eq - s)), eq + 1) || bad(p, s);
    if (!strcmp(s, "invert"))
        p->r->invert = true;
    else if (!p->first || !preset(p, s))
        return bad(p, s);
    return true;
}

/* A name before ':' may itself hold ':' or ','; the names known decide. */
static const char *
take_input(struct parse *p, const char *spec, const char *const *inputs)
{
    size_t best = 0;

    for (int i = 0; inputs && inputs[i]; i++) {
        size_t n = strlen(inputs[i]);
        if (n >= best && !strncmp(spec, inputs[i], n) && spec[n] == ':') {
            best = n;
            p->r->input = inputs[i];
        }
    }
    if (p->r->input)
        return spec + best + 1;
    size_t n = strcspn(spec, ":,=");
    if (spec[n] != ':')
        return spec;
    p->r->input = arena_strndup(p->arena, spec, n);
    return spec + n + 1;
}

bool
recipe_parse(struct arena *a, struct diag *d, const char *spec,
             const char *const *inputs, struct recipe *r)
{
    struct parse p = { a, d, r, true };

    *r = (struct recipe){ .scale = 1.0f };
    spec = take_input(&p, spec, inputs);
    if (r->input && inputs) {
        bool known = false;
        for (int i = 0; inputs[i]; i++)
            known |= !strcmp(inputs[i], r->input);
        if (!known) {
            diag_error(d, NULL, "recipe-syntax", "recipe: no input is named '%s'", r->input);
            const char *near = str_nearest(r->input, inputs);
            if (near)
                diag_hint(d, "did you mean %s?", near);
            return false;
        }
    }
    r->text = arena_strdup(a, spec);
    for (const char *s = spec;; s++) {
        size_t n = strcspn(s, ",");
        if (!item(&p, arena_strndup(a, s, n)))
            return false;
        p.first = false;
        s += n;
        if (!*s)
            return true;
    }
}
