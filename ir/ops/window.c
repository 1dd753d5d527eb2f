/* Windows that slide over an image: what Conv and the pools have in common.  One or
 * two spatial axes; auto_pad becomes explicit pads. */
#include <stdio.h>
#include <string.h>

#include "ir/ops/common.h"

#define MOST (INT64_C(1) << 30)  /* of any one number; products stay in int64_t */

static bool
list_holds(const char *name, const struct ints *a, int n, int64_t least, char *detail, size_t size)
{
    if (a->n != 0 && a->n != n) {
        snprintf(detail, size, "%s has %d entries, not %d", name, a->n, n);
        return false;
    }
    for (int i = 0; i < a->n; i++) {
        if (a->at[i] >= least && a->at[i] <= MOST)
            continue;
        snprintf(detail, size, "%s has %lld", name, (long long)a->at[i]);
        return false;
    }
    return true;
}

bool
ops_window_holds(const struct node *n, const struct window *w, char *detail, size_t size)
{
    int axes = ops_in(n, 0)->rank - 2;

    return list_holds("kernel_shape", &w->kernel_shape, axes, 1, detail, size) &&
           list_holds("strides", &w->strides, axes, 1, detail, size) &&
           list_holds("dilations", &w->dilations, axes, 1, detail, size) &&
           list_holds("pads", &w->pads, 2 * axes, 0, detail, size);
}

/* Pads of one axis so that the output is ceil(size / stride). */
static void
same_pads(int64_t size, int64_t reach, int64_t stride, bool upper, int64_t *begin, int64_t *end)
{
    int64_t out = (size + stride - 1) / stride;
    int64_t total = (out - 1) * stride + reach - size;

    if (total < 0)
        total = 0;
    *begin = upper ? total / 2 : total - total / 2;
    *end = total - *begin;
}

/* A last window that would start in the padding behind the image does not count. */
static int64_t
count_windows(int64_t size, int64_t reach, int64_t stride, int64_t begin, int64_t end,
              bool ceil_mode)
{
    int64_t room = size + begin + end - reach, out;

    if (room < 0)
        return 0;
    out = (room + (ceil_mode ? stride - 1 : 0)) / stride + 1;
    if (ceil_mode && (out - 1) * stride >= size + begin)
        out--;
    return out;
}

static void
fill_lists(struct infer *q, struct window *w, int axes)
{
    if (w->strides.n == 0)
        ops_new_ints(q, axes, 1, &w->strides);
    if (w->dilations.n == 0)
        ops_new_ints(q, axes, 1, &w->dilations);
    if (w->pads.n == 0 || w->auto_pad != PAD_NOTSET)
        ops_new_ints(q, 2 * axes, 0, &w->pads);
}

bool
ops_window(struct infer *q, struct window *w, const struct shape *x, bool ceil_mode, int64_t *out)
{
    int axes = x->rank - 2;
    struct ints pads;
    int64_t *p;

    fill_lists(q, w, axes);
    p = ops_new_ints(q, 2 * axes, 0, &pads);
    memcpy(p, w->pads.at, (size_t)pads.n * sizeof *p);
    for (int i = 0; i < axes; i++) {
        struct dim d = x->dim[i + 2];
        int64_t k = w->kernel_shape.at[i], s = w->strides.at[i];
        int64_t reach = (k - 1) * w->dilations.at[i] + 1;
        if (!dim_known(d) || d.n > MOST)
            return ops_need_known(q, 0) &&
                   diag_error(q->diag, &q->at, "op-shape", "axis %d has %lld elements", i + 2,
                              (long long)d.n);
        if (w->auto_pad == PAD_SAME_UPPER || w->auto_pad == PAD_SAME_LOWER)
            same_pads(d.n, reach, s, w->auto_pad == PAD_SAME_UPPER, &p[i], &p[axes + i]);
        out[i] = count_windows(d.n, reach, s, p[i], p[axes + i], ceil_mode);
        if (out[i] > 0)
            continue;
        diag_error(q->diag, &q->at, "window-large",
                   "the kernel reaches over %lld elements on axis %d, the padded input has %lld",
                   (long long)reach, i + 2, (long long)(d.n + p[i] + p[axes + i]));
        return false;
    }
    w->pads = pads;
    w->auto_pad = PAD_NOTSET;
    return true;
}
