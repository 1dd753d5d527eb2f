/* Single elements of packed tensors of any type, int4 and the small floats included.
 * For messages, constants and text; kernels have their own loops. */
#ifndef IR_ELEM_H
#define IR_ELEM_H
#include <stdint.h>

#include "src/machine/dtype.h"

double elem_real(enum dtype dt, const void *data, int64_t i);
/* Floats are cut toward zero and saturate; NaN is 0. */
int64_t elem_int(enum dtype dt, const void *data, int64_t i);
/* Integers saturate; reals go to the nearest, ties to even. */
void elem_put_real(enum dtype dt, void *data, int64_t i, double x);
void elem_put_int(enum dtype dt, void *data, int64_t i, int64_t x);
/* Least and greatest value of an integer type; false: not an integer type. */
bool elem_limits(enum dtype dt, int64_t *lo, int64_t *hi);

float elem_from_f16(uint16_t h);
uint16_t elem_to_f16(float f);
float elem_from_bf16(uint16_t h);
uint16_t elem_to_bf16(float f);

#endif
