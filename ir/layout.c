/* Where the elements of a tensor lie, and moving between that and packed logical
 * order.  Elements of less than a byte have no layout. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "ir/elem.h"
#include "ir/ir.h"
#include "src/base/num.h"

static int64_t
elem_size(const struct type *t)
{
    int bits = dtype_bits(t->dt);

    if (bits < 8)
        BUG("a layout of %s", dtype_name(t->dt));
    return bits / 8;
}

struct layout *
layout_packed(struct arena *a, const struct type *t, const int8_t *order)
{
    struct layout *l = NEW(a, struct layout);
    int rank = t->shape.rank;
    int64_t pitch = elem_size(t);

    for (int i = rank - 1; i >= 0; i--) {
        int axis = order ? order[i] : i;
        l->order[i] = (int8_t)axis;
        l->pitch[axis] = pitch;
        if (!num_mul(pitch, num_max(t->shape.dim[axis].n, 1), &pitch))
            BUG("a layout larger than memory");
    }
    l->align = (int32_t)elem_size(t);
    l->bytes = shape_elems(&t->shape) == 0 ? 0 : pitch;
    return l;
}

bool
layout_is_dense(const struct type *t)
{
    const struct layout *l = t->layout;
    int64_t pitch;

    if (!l)
        return true;
    pitch = elem_size(t);
    for (int i = t->shape.rank - 1; i >= 0; i--) {
        int axis = l->order[i];
        if (l->before[axis] || l->after[axis])
            return false;
        if (t->shape.dim[axis].n == 1)
            continue;
        if (l->pitch[axis] != pitch)
            return false;
        pitch *= t->shape.dim[axis].n;
    }
    return l->first == 0;
}

/* The halo's element. */
static void
fill_value(const struct type *t, unsigned char *x)
{
    int64_t lo, hi;

    memset(x, 0, 8);
    if (t->layout->fill == FILL_ZERO_POINT) {
        if (t->quant && t->quant->axis < 0)
            elem_put_int(t->dt, x, 0, t->quant->zero[0]);
    } else if (t->layout->fill == FILL_LOWEST) {
        if (elem_limits(t->dt, &lo, &hi))
            elem_put_int(t->dt, x, 0, lo);
        else
            elem_put_real(t->dt, x, 0, -HUGE_VAL);
    }
}

struct walk {
    int64_t size, packed_pitch[MAX_RANK];
    const struct type *t;
    char *mem, *pack;
    bool store;
};

static void
copy_run(char *to, int64_t to_pitch, const char *from, int64_t from_pitch, int64_t n, int64_t size)
{
    if (to_pitch == size && from_pitch == size) {
        memcpy(to, from, (size_t)(n * size));
    } else if (size == 1) {
        for (int64_t i = 0; i < n; i++)
            to[i * to_pitch] = from[i * from_pitch];
    } else if (size == 4) {
        for (int64_t i = 0; i < n; i++)
            memcpy(to + i * to_pitch, from + i * from_pitch, 4);
    } else {
        for (int64_t i = 0; i < n; i++)
            memcpy(to + i * to_pitch, from + i * from_pitch, (size_t)size);
    }
}

/* Level k of the memory order; mem and pack point at index 0 of it. */
static void
walk(const struct walk *w, int k, char *mem, char *pack)
{
    const struct layout *l = w->t->layout;
    int rank = w->t->shape.rank, axis = rank ? l->order[k] : 0;
    int64_t n = rank ? w->t->shape.dim[axis].n : 1;
    int64_t mp = rank ? l->pitch[axis] : w->size, pp = rank ? w->packed_pitch[axis] : w->size;

    if (k < rank - 1) {
        for (int64_t i = 0; i < n; i++)
            walk(w, k + 1, mem + i * mp, pack + i * pp);
    } else if (w->store) {
        copy_run(mem, mp, pack, pp, n, w->size);
    } else {
        copy_run(pack, pp, mem, mp, n, w->size);
    }
}

static void
walk_all(const struct type *t, void *mem, void *pack, bool store)
{
    struct walk w = { .size = elem_size(t), .t = t, .store = store };

    for (int i = 0; i < t->shape.rank; i++)
        w.packed_pitch[i] = shape_bytes(t, i + 1);
    if (shape_elems(&t->shape) > 0)
        walk(&w, 0, (char *)mem + t->layout->first, pack);
}

void
layout_store(const struct type *t, const void *packed, void *memory)
{
    const struct layout *l = t->layout;
    unsigned char x[8];
    int64_t size;

    if (!l) {
        memcpy(memory, packed, (size_t)shape_bytes(t, 0));
        return;
    }
    size = elem_size(t);
    fill_value(t, x);
    if (size == 1)
        memset(memory, x[0], (size_t)l->bytes);
    else
        for (int64_t i = 0; i + size <= l->bytes; i += size)
            memcpy((char *)memory + i, x, (size_t)size);
    walk_all(t, memory, (void *)(uintptr_t)packed, true);
}

void
layout_load(const struct type *t, const void *memory, void *packed)
{
    if (!t->layout)
        memcpy(packed, memory, (size_t)shape_bytes(t, 0));
    else
        walk_all(t, (void *)(uintptr_t)memory, packed, false);
}
