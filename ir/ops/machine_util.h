/* What the files of the machine operators share. */
#ifndef IR_OPS_MACHINE_UTIL_H
#define IR_OPS_MACHINE_UTIL_H
#include <stdint.h>

#include "ir/ir.h"
#include "ir/machine.h"

#define FIELD(s, f) offsetof(struct s, f)

/* The shape of output 0; its element type, once chosen, stays. */
void machine_out(struct infer *q, enum dtype dt, const struct shape *s);
/* Inputs 0..n-1 have known shapes; input i has one of the two types. */
bool machine_known(struct infer *q, int n);
bool machine_type(struct infer *q, int i, enum dtype a, enum dtype b);
/* Complains under id machine-shape. */
bool machine_error(struct infer *q, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One output of a window along an axis; -1: it does not fit. */
int64_t machine_window(int64_t n, int64_t before, int64_t after, int64_t kernel, int64_t stride,
                       int64_t dilation);
/* The shape of what a pool makes of images of shape x; false: it does not fit. */
bool machine_pool_shape(const struct m_pool_attr *a, const struct shape *x, struct shape *y);
/* Max pooling of planes of int8. */
void machine_max8(const struct m_pool_attr *a, int64_t planes, const int64_t *in,
                  const int64_t *out, const int8_t *x, int8_t *y);

/* c[m, n] = sum over k of a[m, k] * b[n, k]; rows of a and b are k elements long. */
void machine_dot(const int16_t *a, int64_t m, const int16_t *b, int64_t n, int64_t k, int32_t *c);
/* k made a multiple of what machine_dot likes; the rest is zeros. */
int64_t machine_dot_pitch(int64_t k);

/* The scale of channel c. */
static inline float
machine_scale(const struct m_scale *s, int64_t c)
{
    return s->scale.at[s->block ? c / s->block : 0];
}
/* The number of scales fits the channels. */
bool machine_scales(struct infer *q, const struct m_scale *s, int64_t channels);

#endif
