/* What the machine operators share: checks, windows, and the int8 inner product of
 * their reference kernels. */
#include <string.h>

#include "ir/ops/machine_util.h"
#include "src/base/num.h"
#include "src/machine/round.h"

#if defined __GNUC__ && !defined __clang__
#define FAST __attribute__((optimize("O3")))
#else
#define FAST
#endif

bool
machine_error(struct infer *q, const char *fmt, ...)
{
    va_list ap;
    const char *text;

    va_start(ap, fmt);
    text = arena_vprintf(q->arena, fmt, ap);
    va_end(ap);
    return diag_error(q->diag, &q->at, "machine-shape", "%s", text);
}

void
machine_out(struct infer *q, enum dtype dt, const struct shape *s)
{
    struct type *y = &q->n->out[0]->type;

    if (y->dt == DT_NONE)
        y->dt = dt;
    y->shape = *s;
}

bool
machine_known(struct infer *q, int n)
{
    for (int i = 0; i < n; i++)
        if (!shape_known(&q->n->in[i]->type.shape))
            return machine_error(q, "the shape of input %d is not known", i);
    return true;
}

bool
machine_type(struct infer *q, int i, enum dtype a, enum dtype b)
{
    enum dtype t = q->n->in[i]->type.dt;

    if (t == a || t == b)
        return true;
    return machine_error(q, "input %d is %s, not %s or %s", i, dtype_name(t), dtype_name(a),
                         dtype_name(b));
}

bool
machine_scales(struct infer *q, const struct m_scale *s, int64_t channels)
{
    int64_t want = s->block > 0 ? num_ceil_div(channels, s->block) : 1;

    if (s->block < 0 || s->scale.n != want)
        return machine_error(q, "%d scales for %lld channels in blocks of %lld", s->scale.n,
                             (long long)channels, (long long)s->block);
    return true;
}

int64_t
machine_window(int64_t n, int64_t before, int64_t after, int64_t kernel, int64_t stride,
               int64_t dilation)
{
    int64_t reach, room;

    if (kernel < 1 || stride < 1 || dilation < 1 || before < 0 || after < 0)
        return -1;
    if (!num_mul(kernel - 1, dilation, &reach) || !num_add(n, before, &room)
        || !num_add(room, after, &room))
        return -1;
    room -= reach + 1;
    return room < 0 ? -1 : room / stride + 1;
}

bool
machine_pool_shape(const struct m_pool_attr *a, const struct shape *x, struct shape *y)
{
    *y = *x;
    for (int i = 0; i < 2; i++) {
        int64_t n = machine_window(x->dim[2 + i].n, a->pads[i], a->pads[2 + i], a->kernel[i],
                                   a->stride[i], a->dilation[i]);
        if (n < 0)
            return false;
        y->dim[2 + i] = dim_of(n);
    }
    return true;
}

/* in and out: rows, columns. */
void
machine_max8(const struct m_pool_attr *a, int64_t planes, const int64_t *in, const int64_t *out,
             const int8_t *x, int8_t *y)
{
    for (int64_t p = 0; p < planes; p++, x += in[0] * in[1]) {
        for (int64_t i = 0; i < out[0] * out[1]; i++) {
            int64_t y0 = i / out[1] * a->stride[0] - a->pads[0];
            int64_t x0 = i % out[1] * a->stride[1] - a->pads[1];
            int8_t most = INT8_MIN;
            for (int64_t k = 0; k < a->kernel[0] * a->kernel[1]; k++) {
                int64_t r = y0 + k / a->kernel[1] * a->dilation[0];
                int64_t c = x0 + k % a->kernel[1] * a->dilation[1];
                if (r >= 0 && r < in[0] && c >= 0 && c < in[1] && x[r * in[1] + c] > most)
                    most = x[r * in[1] + c];
            }
            *y++ = most;
        }
    }
}

int64_t
machine_dot_pitch(int64_t k)
{
    return num_round_up(k, 16);
}

/* Four rows of b at once; the form that compilers turn into multiply-add pairs. */
FAST static void
dot4(const int16_t *restrict a, const int16_t *restrict b, int64_t k, int32_t *restrict c)
{
    const int16_t *b1 = b + k, *b2 = b + 2 * k, *b3 = b + 3 * k;
    int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;

    for (int64_t i = 0; i < k; i++) {
        s0 += (int32_t)a[i] * b[i];
        s1 += (int32_t)a[i] * b1[i];
        s2 += (int32_t)a[i] * b2[i];
        s3 += (int32_t)a[i] * b3[i];
    }
    c[0] = s0;
    c[1] = s1;
    c[2] = s2;
    c[3] = s3;
}

FAST static int32_t
dot1(const int16_t *restrict a, const int16_t *restrict b, int64_t k)
{
    int32_t s = 0;

    for (int64_t i = 0; i < k; i++)
        s += (int32_t)a[i] * b[i];
    return s;
}

void
machine_dot(const int16_t *a, int64_t m, const int16_t *b, int64_t n, int64_t k, int32_t *c)
{
    for (int64_t i = 0; i < m; i++) {
        int64_t j = 0;
        for (; j + 4 <= n; j += 4)
            dot4(a + i * k, b + j * k, k, c + i * n + j);
        for (; j < n; j++)
            c[i * n + j] = dot1(a + i * k, b + j * k, k);
    }
}
