/* A picture made a model's input: resize, cut, colours, numbers, axes.  All steps
 * up to the numbers work on bytes, so a recipe without scale gives whole numbers. */
#include <math.h>
#include <string.h>

#include "src/front/image.h"

/* Weights of the source pixels for each target pixel of one axis. */
struct taps { int *first, *count; double *weight; int most; };

static struct taps
make_taps(struct arena *a, int from, int to)
{
    double step = (double)from / to, reach = step > 1 ? step : 1;
    struct taps t = { .most = (int)ceil(reach) * 2 + 2 };

    t.first = NEWN(a, int, to);
    t.count = NEWN(a, int, to);
    t.weight = NEWN(a, double, (int64_t)to * t.most);
    for (int i = 0; i < to; i++) {
        double centre = (i + 0.5) * step, sum = 0;
        int lo = (int)(centre - reach + 0.5), hi = (int)(centre + reach + 0.5);
        lo = lo < 0 ? 0 : lo;
        hi = hi > from ? from : hi;
        double *w = t.weight + (int64_t)i * t.most;
        for (int k = lo; k < hi; k++) {
            double x = fabs((k + 0.5 - centre) / reach);
            w[k - lo] = x < 1 ? 1 - x : 0;
            sum += w[k - lo];
        }
        t.first[i] = lo;
        t.count[i] = hi - lo;
        for (int k = 0; k < hi - lo; k++)
            w[k] /= sum;
    }
    return t;
}

void
image_resize(struct arena *a, const struct image *im, int width, int height,
             struct image *out)
{
    struct arena *scratch = arena_new();
    struct taps tx = make_taps(scratch, im->width, width);
    struct taps ty = make_taps(scratch, im->height, height);
    int64_t c = im->channels, row = width * c;
    float *mid = NEWN(scratch, float, row * im->height);
    uint8_t *px = arena_alloc(a, (size_t)(row * height));

    for (int y = 0; y < im->height; y++)
        for (int64_t i = 0; i < row; i++) {
            int x = (int)(i / c);
            const double *w = tx.weight + (int64_t)x * tx.most;
            const uint8_t *src = im->px + ((int64_t)y * im->width + tx.first[x]) * c + i % c;
            double sum = 0;
            for (int k = 0; k < tx.count[x]; k++)
                sum += w[k] * src[k * c];
            mid[y * row + i] = (float)sum;
        }
    for (int y = 0; y < height; y++)
        for (int64_t i = 0; i < row; i++) {
            const double *w = ty.weight + (int64_t)y * ty.most;
            double sum = 0;
            for (int k = 0; k < ty.count[y]; k++)
                sum += w[k] * (double)mid[(ty.first[y] + k) * row + i];
            px[y * row + i] = (uint8_t)lrint(sum < 0 ? 0 : sum > 255 ? 255 : sum);
        }
    *out = (struct image){ width, height, im->channels, px };
    arena_free(scratch);
}

/* Where channels, rows and columns of an input are. */
struct spot { int channels, height, width; bool last; };

static bool
is_channels(int64_t n)
{
    return n == 1 || n == 3;
}

static bool
find_place(const struct type *want, enum axes axes, struct spot *p)
{
    const struct shape *s = &want->shape;
    int r = s->rank;
    int64_t n[3];

    if (r == 2) {                /* rows and columns of one gray picture */
        n[0] = 1, n[1] = s->dim[0].n, n[2] = s->dim[1].n;
        axes = AXES_NCHW;
    } else if (r == 3 || r == 4) {
        if (r == 4 && s->dim[0].n != 1)
            return false;
        for (int i = 0; i < 3; i++)
            n[i] = s->dim[r - 3 + i].n;
    } else {
        return false;
    }
    if (axes == AXES_AUTO)
        axes = is_channels(n[0]) ? AXES_NCHW : AXES_NHWC;
    p->last = axes == AXES_NHWC;
    int64_t c = p->last ? n[2] : n[0];
    int64_t h = p->last ? n[0] : n[1], w = p->last ? n[1] : n[2];
    if (!is_channels(c) || h < 1 || w < 1 || h > 16384 || w > 16384)
        return false;
    *p = (struct spot){ (int)c, (int)h, (int)w, p->last };
    return true;
}

static void
cut(struct arena *a, struct image *im, int w, int h)
{
    int x0 = (im->width - w) / 2, y0 = (im->height - h) / 2;
    size_t row = (size_t)w * (size_t)im->channels;
    uint8_t *px = arena_alloc(a, row * (size_t)h);

    for (int y = 0; y < h; y++)
        memcpy(px + row * (size_t)y,
               im->px + ((size_t)(y + y0) * (size_t)im->width + (size_t)x0)
                            * (size_t)im->channels, row);
    *im = (struct image){ w, h, im->channels, px };
}

/* Grown or shrunk, aspect kept, until it covers w by h. */
static bool
cover(struct arena *a, struct image *im, int w, int h)
{
    int64_t nw = w, nh = h;

    if ((int64_t)im->width * h >= (int64_t)im->height * w)
        nw = ((int64_t)im->width * h + im->height / 2) / im->height;
    else
        nh = ((int64_t)im->height * w + im->width / 2) / im->width;
    if (nw > 65535 || nh > 65535)
        return false;
    if (nw != im->width || nh != im->height)
        image_resize(a, im, (int)nw, (int)nh, im);
    return true;
}

static bool
bring_to_size(struct arena *a, struct diag *d, const char *path, struct image *im,
              const struct recipe *r, const struct spot *p)
{
    struct place_ref at = { .file = path };
    int rw = r->resize_w, rh = r->resize_h, cw = r->crop_w, ch = r->crop_h;

    if (r->fit) {                /* 256 then 224 for a 96x96 input: 110 then 96 */
        rw = (p->width * rw + cw / 2) / cw;
        rh = (p->height * rh + ch / 2) / ch;
        cw = ch = 0;
    }
    if (!cw) {
        cw = p->width;
        ch = p->height;
    }
    if (cw != p->width || ch != p->height)
        return diag_error(d, &at, "image-shape", "the recipe cuts %dx%d pixels, the input"
                          " takes %dx%d", cw, ch, p->width, p->height);
    if (!rw && (!r->crop_w || im->width < cw || im->height < ch)) {
        rw = cw;
        rh = ch;
    }
    if (rw && (rw < cw || rh < ch))
        return diag_error(d, &at, "image-shape", "the recipe makes the picture %dx%d, the"
                          " input takes %dx%d", rw, rh, cw, ch);
    if (rw && !cover(a, im, rw, rh))
        return diag_error(d, &at, "image-shape", "%dx%d pixels are too far from the"
                          " input's %dx%d", im->width, im->height, rw, rh);
    if (im->width != cw || im->height != ch)
        cut(a, im, cw, ch);
    return true;
}

/* One channel of one pixel, as the recipe's colours have it. */
static int
channel(const struct image *im, const struct recipe *r, int64_t at, int c, int channels)
{
    const uint8_t *p = im->px + at * im->channels;

    if (im->channels == 1)
        return p[0];
    if (channels == 1 || r->color == COLOR_GRAY)         /* BT.601 */
        return (299 * p[0] + 587 * p[1] + 114 * p[2] + 500) / 1000;
    return p[r->color == COLOR_BGR ? 2 - c : c];
}

static void
numbers_of(const struct image *im, const struct recipe *r, const struct spot *p, float *to)
{
    int64_t n = (int64_t)p->width * p->height;

    for (int c = 0; c < p->channels; c++) {
        float mean = r->nmean ? r->mean[c < r->nmean ? c : r->nmean - 1] : 0;
        float std = r->nstd ? r->std[c < r->nstd ? c : r->nstd - 1] : 1;
        for (int64_t i = 0; i < n; i++) {
            int v = channel(im, r, i, c, p->channels);
            float x = (float)(r->invert ? 255 - v : v) * r->scale;
            to[p->last ? i * p->channels + c : c * n + i] = (x - mean) / std;
        }
    }
}

bool
image_apply(struct arena *a, struct diag *d, const char *path, const struct image *picture,
            const struct recipe *r, const struct type *want, struct tensor *out)
{
    struct place_ref at = { .file = path };
    struct image im = *picture;
    struct spot p;

    if (!find_place(want, r->axes, &p))
        return diag_error(d, &at, "image-shape", "a picture, but the input is %s %s, which"
                          " is no single gray or RGB picture", dtype_name(want->dt),
                          shape_text(a, &want->shape));
    if ((r->nmean > 1 && r->nmean != p.channels) || (r->nstd > 1 && r->nstd != p.channels))
        return diag_error(d, &at, "image-shape", "the recipe has %d means and %d deviations"
                          " for %d channels", r->nmean, r->nstd, p.channels);
    if (!bring_to_size(a, d, path, &im, r, &p))
        return false;
    float *x = NEWN(a, float, (int64_t)p.width * p.height * p.channels);
    numbers_of(&im, r, &p, x);
    *out = (struct tensor){ .dt = DT_F32, .shape = want->shape, .data = x };
    if (want->dt == DT_F32)
        return true;
    if (want->quant) {
        void *stored = arena_alloc(a, (size_t)shape_bytes(want, 0));
        quant_from_real(want, x, stored);
        out->dt = want->dt;
        out->data = stored;
        return true;
    }
    return tensor_as(a, d, path, out, want, out);
}
