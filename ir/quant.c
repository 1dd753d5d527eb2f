/* Between real numbers and what is stored: real = scale * (stored - zero), one scale
 * for the tensor or one for each index of an axis. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "ir/elem.h"
#include "ir/ir.h"
#include "src/machine/round.h"

struct quant *
quant_axis(struct arena *a, int axis, int n, const float *scale, const int32_t *zero)
{
    struct quant *q = NEW(a, struct quant);
    int32_t *z = NEWN(a, int32_t, n);

    if (zero)
        memcpy(z, zero, (size_t)n * sizeof *z);
    q->axis = axis;
    q->n = n;
    q->scale = arena_dup(a, scale, (size_t)n * sizeof *scale);
    q->zero = z;
    return q;
}

struct quant *
quant_scalar(struct arena *a, float scale, int32_t zero)
{
    return quant_axis(a, -1, 1, &scale, &zero);
}

bool
quant_equal(const struct quant *a, const struct quant *b)
{
    if (a == b)
        return true;
    if (!a || !b || a->axis != b->axis || a->n != b->n)
        return false;
    return !memcmp(a->scale, b->scale, (size_t)a->n * sizeof *a->scale)
        && !memcmp(a->zero, b->zero, (size_t)a->n * sizeof *a->zero);
}

static void
run_to_real(
    enum dtype dt, const void *stored, int64_t at, int64_t n, float s, int32_t z, float *real)
{
    const int8_t *i8 = stored;
    const uint8_t *u8 = stored;

    if (dt == DT_I8) {
        for (int64_t i = at; i < at + n; i++)
            real[i] = s * (float)(i8[i] - z);
    } else if (dt == DT_U8) {
        for (int64_t i = at; i < at + n; i++)
            real[i] = s * (float)(u8[i] - z);
    } else {
        for (int64_t i = at; i < at + n; i++)
            real[i] = (float)((double)s * (elem_real(dt, stored, i) - z));
    }
}

static void
run_from_real(
    enum dtype dt, const float *real, int64_t at, int64_t n, float s, int32_t z, void *stored)
{
    if (dt == DT_I8) {
        for (int64_t i = at; i < at + n; i++)
            ((int8_t *)stored)[i] = round_quantize8(real[i], s, z);
    } else if (dtype_bits(dt) <= 16) {
        for (int64_t i = at; i < at + n; i++)
            elem_put_int(dt, stored, i, (int64_t)round_even(real[i] / s) + z);
    } else {
        for (int64_t i = at; i < at + n; i++)
            elem_put_real(dt, stored, i, rint((double)real[i] / (double)s) + z);
    }
}

/* Elements in a row that share a scale, and how many rows there are. */
static int64_t
run_of(const struct type *t, int64_t *runs)
{
    const struct quant *q = t->quant;
    int64_t n = shape_elems(&t->shape), inner;

    if (!q || q->axis < 0) {
        *runs = n > 0;
        return n;
    }
    if (t->shape.dim[q->axis].n != q->n)
        BUG("%d scales for %lld", q->n, (long long)t->shape.dim[q->axis].n);
    inner = shape_count(&t->shape, q->axis + 1, t->shape.rank);
    *runs = n > 0 ? n / inner : 0;
    return inner;
}

void
quant_to_real(const struct type *t, const void *stored, float *real)
{
    const struct quant *q = t->quant;
    int64_t runs, run = run_of(t, &runs);

    if (!q && t->dt == DT_F32 && runs) {
        memcpy(real, stored, (size_t)run * sizeof *real);
        return;
    }
    for (int64_t r = 0; r < runs; r++) {
        int64_t c = q ? r % q->n : 0;
        run_to_real(t->dt, stored, r * run, run, q ? q->scale[c] : 1, q ? q->zero[c] : 0, real);
    }
}

void
quant_from_real(const struct type *t, const float *real, void *stored)
{
    const struct quant *q = t->quant;
    int64_t runs, run = run_of(t, &runs);

    if (!q) {
        for (int64_t i = 0; i < run * runs; i++)
            elem_put_real(t->dt, stored, i, (double)real[i]);
        return;
    }
    for (int64_t r = 0; r < runs; r++) {
        int64_t c = r % q->n;
        run_from_real(t->dt, real, r * run, run, q->scale[c], q->zero[c], stored);
    }
}

struct quant *
quant_range(struct arena *a, float lo, float hi, bool symmetric)
{
    double l = lo < 0 ? (double)lo : 0, h = hi > 0 ? (double)hi : 0;
    double span = symmetric ? 2 * fmax(-l, h) : h - l, steps = symmetric ? 254 : 255;
    float scale = (float)(span / steps);

    if (!isfinite(scale) || scale < FLT_MIN)
        return quant_scalar(a, 1, 0);
    if (symmetric)
        return quant_scalar(a, scale, 0);
    return quant_scalar(a, scale, round_clip8((int64_t)rint(-128 - l / (double)scale)));
}
