/* Elements of views, for the core kernels: walking in logical order whatever the
 * layout, and reading and writing as integer or real. */
#ifndef GM_VIEW_H
#define GM_VIEW_H
#include <stdbool.h>
#include <stdint.h>

#include "backend/rt/kernels/gm_kernels.h"
#include "src/machine/round.h"

static inline int64_t
gm_count(const struct gm_view *v)
{
    int64_t n = 1;

    for (int i = 0; i < v->rank; i++)
        n *= v->dim[i];
    return n;
}

/* Where a walk in the logical order of `of` stands in each of up to three views; axes
 * of size 1, or missing in front, are spread. */
struct gm_walk {
    int rank, views;
    int64_t index[GM_RANK], dim[GM_RANK];
    int64_t step[3][GM_RANK];
    char *at[3];
};

static inline void
gm_walk_add(struct gm_walk *w, const struct gm_view *v)
{
    int k = w->views++, shift = w->rank - v->rank;

    w->at[k] = v->data;
    for (int i = 0; i < w->rank; i++)
        w->step[k][i] = i < shift || v->dim[i - shift] == 1 ? 0 : v->pitch[i - shift];
}

static inline void
gm_walk_start(struct gm_walk *w, const struct gm_view *of)
{
    w->rank = of->rank;
    w->views = 0;
    for (int i = 0; i < of->rank; i++) {
        w->index[i] = 0;
        w->dim[i] = of->dim[i];
    }
    gm_walk_add(w, of);
}

static inline void
gm_walk_next(struct gm_walk *w)
{
    for (int d = w->rank - 1; d >= 0; d--) {
        if (++w->index[d] < w->dim[d]) {
            for (int k = 0; k < w->views; k++)
                w->at[k] += w->step[k][d];
            return;
        }
        for (int k = 0; k < w->views; k++)
            w->at[k] -= (w->dim[d] - 1) * w->step[k][d];
        w->index[d] = 0;
    }
}

/* For kernels that may take elements in any order: axes of one element go, the others
 * are sorted by the first view's pitch, and those that follow each other in every view
 * become one.  What is left last is a row: gm_walk_row elements, step[k][rank - 1]
 * bytes apart.  False: there are no elements. */
static inline bool
gm_walk_rows(struct gm_walk *w)
{
    int order[GM_RANK], n = 0, rank = 0;
    struct gm_walk s = *w;

    for (int i = 0; i < w->rank; i++) {
        int at = n;
        if (w->dim[i] == 0)
            return false;
        if (w->dim[i] == 1)
            continue;
        for (; at > 0 && w->step[0][order[at - 1]] < w->step[0][i]; at--)
            order[at] = order[at - 1];
        order[at] = i;
        n++;
    }
    for (int j = 0; j < n; j++) {
        int i = order[j];
        bool follows = rank > 0;
        for (int k = 0; k < w->views && follows; k++)
            follows = s.step[k][rank - 1] == w->step[k][i] * w->dim[i];
        rank += !follows;
        s.dim[rank - 1] = follows ? s.dim[rank - 1] * w->dim[i] : w->dim[i];
        for (int k = 0; k < w->views; k++)
            s.step[k][rank - 1] = w->step[k][i];
    }
    if (rank == 0) {
        s.dim[rank++] = 1;
        for (int k = 0; k < w->views; k++)
            s.step[k][0] = 0;
    }
    s.rank = rank;
    *w = s;
    return true;
}

static inline int64_t
gm_walk_row(const struct gm_walk *w)
{
    return w->dim[w->rank - 1];
}

/* To the start of the next row; false after the last. */
static inline bool
gm_walk_next_row(struct gm_walk *w)
{
    for (int d = w->rank - 2; d >= 0; d--) {
        bool more = ++w->index[d] < w->dim[d];
        for (int k = 0; k < w->views; k++)
            w->at[k] += more ? w->step[k][d] : -(w->dim[d] - 1) * w->step[k][d];
        if (more)
            return true;
        w->index[d] = 0;
    }
    return false;
}

static inline int64_t
gm_bytes(int32_t type)
{
    static const int8_t bytes[] = { 1, 1, 4, 8, 4, 1, 2, 2, 4, 8 };

    return bytes[type];
}

/* Toward zero, saturated; NaN is 0. */
static inline int64_t
gm_cut(double x)
{
    return x != x ? 0 : x >= 0x1p63 ? INT64_MAX : x < -0x1p63 ? INT64_MIN : (int64_t)x;
}

static inline int64_t
gm_int(const struct gm_view *v, const char *p)
{
    switch (v->type) {
    case GM_I8: return *(const int8_t *)p;
    case GM_U8: case GM_BOOL: return *(const uint8_t *)p;
    case GM_I16: return *(const int16_t *)p;
    case GM_U16: return *(const uint16_t *)p;
    case GM_I32: return *(const int32_t *)p;
    case GM_U32: return *(const uint32_t *)p;
    case GM_I64: return *(const int64_t *)p;
    case GM_F64: return gm_cut(*(const double *)p);
    default: return gm_cut(*(const float *)p);
    }
}

static inline float
gm_real(const struct gm_view *v, const char *p)
{
    if (v->type == GM_F32)
        return *(const float *)p;
    if (v->type == GM_F64)
        return (float)*(const double *)p;
    if (v->scale != 0)
        return v->scale * (float)(gm_int(v, p) - v->zero);
    return (float)gm_int(v, p);
}

/* Integers saturate. */
static inline void
gm_put_int(const struct gm_view *v, char *p, int64_t x)
{
#define PUT(type, lo, hi) *(type *)p = (type)(x < (lo) ? (lo) : x > (hi) ? (hi) : x)
    switch (v->type) {
    case GM_I8: PUT(int8_t, INT8_MIN, INT8_MAX); break;
    case GM_U8: PUT(uint8_t, 0, UINT8_MAX); break;
    case GM_BOOL: *(uint8_t *)p = x != 0; break;
    case GM_I16: PUT(int16_t, INT16_MIN, INT16_MAX); break;
    case GM_U16: PUT(uint16_t, 0, UINT16_MAX); break;
    case GM_I32: PUT(int32_t, INT32_MIN, INT32_MAX); break;
    case GM_U32: PUT(uint32_t, 0, (int64_t)UINT32_MAX); break;
    case GM_I64: *(int64_t *)p = x; break;
    case GM_F64: *(double *)p = (double)x; break;
    default: *(float *)p = (float)x; break;
    }
#undef PUT
}

static inline void
gm_put_real(const struct gm_view *v, char *p, float x)
{
    if (v->type == GM_F32)
        *(float *)p = x;
    else if (v->type == GM_F64)
        *(double *)p = (double)x;
    else if (v->scale != 0)
        gm_put_int(v, p, (int64_t)round_even(x / v->scale) + v->zero);
    else if (v->type == GM_BOOL)
        *(uint8_t *)p = x != 0;
    else
        gm_put_int(v, p, gm_cut(x));
}

static inline char *
gm_byte(const struct gm_view *v, const int64_t *index)
{
    char *p = v->data;

    for (int i = 0; i < v->rank; i++)
        p += index[i] * v->pitch[i];
    return p;
}

#endif
