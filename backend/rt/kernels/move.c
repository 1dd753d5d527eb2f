/* Bytes from place to place on the core: slices, transposes, pads, reshapes, rows. */
#include <string.h>

#include "backend/rt/kernels/view.h"

static void
copy(char *to, const char *from, int64_t bytes)
{
    switch (bytes) {
    case 1: *to = *from; break;
    case 4: *(uint32_t *)to = *(const uint32_t *)from; break;
    default: memcpy(to, from, (size_t)bytes);
    }
}

static void
copy_row(char *to, int64_t to_step, const char *from, int64_t from_step, int64_t n, int64_t bytes)
{
    if (to_step == bytes && from_step == bytes) {
        memcpy(to, from, (size_t)(n * bytes));
    } else if (bytes == 1) {
        for (int64_t i = 0; i < n; i++)
            to[i * to_step] = from[i * from_step];
    } else {
        for (int64_t i = 0; i < n; i++)
            copy(to + i * to_step, from + i * from_step, bytes);
    }
}

static void
fill(const struct gm_view *y, int64_t value)
{
    struct gm_walk w;

    gm_walk_start(&w, y);
    if (!gm_walk_rows(&w))
        return;
    do {
        for (int64_t i = 0; i < gm_walk_row(&w); i++)
            gm_put_int(y, w.at[0] + i * w.step[0][w.rank - 1], value);
    } while (gm_walk_next_row(&w));
}

void
gm_k_move(const struct gm_call *c)
{
    const struct gm_view *x = c->in[0], *y = c->out;
    int64_t r = c->i[0];
    const int64_t *perm = c->i + 1, *src = perm + r, *step = src + r, *dst = step + r, *count = dst + r;
    struct gm_view part = *y, from = *x;

    if (count[r])
        fill(y, count[r + 1]);
    for (int64_t d = 0; d < r; d++) {
        part.dim[d] = from.dim[d] = count[d];
        part.data = (char *)part.data + dst[d] * y->pitch[d];
        from.pitch[d] = step[perm[d]] * x->pitch[perm[d]];
        from.data = (char *)from.data + src[perm[d]] * x->pitch[perm[d]];
    }
    from.rank = part.rank;
    struct gm_walk w;
    gm_walk_start(&w, &part);
    gm_walk_add(&w, &from);
    if (!gm_walk_rows(&w))
        return;
    do {
        copy_row(w.at[0], w.step[0][w.rank - 1], w.at[1], w.step[1][w.rank - 1], gm_walk_row(&w),
                 gm_bytes(y->type));
    } while (gm_walk_next_row(&w));
}

/* An index out of range takes the nearest row. */
static int64_t
row(int64_t i, int64_t rows)
{
    i += i < 0 ? rows : 0;
    return i < 0 ? 0 : i >= rows ? rows - 1 : i;
}

void
gm_k_gather(const struct gm_call *c)
{
    const struct gm_view *x = c->in[0], *index = c->in[1], *y = c->out;
    int axis = (int)c->i[0];
    struct gm_walk to;

    gm_walk_start(&to, y);
    for (int64_t n = gm_count(y); n > 0; n--, gm_walk_next(&to)) {
        const char *which = gm_byte(index, to.index + axis), *from = x->data;
        for (int d = 0; d < x->rank; d++) {
            int64_t i = d < axis ? to.index[d] : d > axis ? to.index[d + index->rank - 1]
                : row(gm_int(index, which), x->dim[axis]);
            from += i * x->pitch[d];
        }
        copy(to.at[0], from, gm_bytes(y->type));
    }
}
