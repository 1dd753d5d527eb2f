/* The pixels a tile needs, and how they lie in a unit of the scratchpad.
 *
 * Plain: input rows one after the other, each pixel once; the kernel's columns and
 * the stride are offsets and steps of the compute.  Segments then end with image rows.
 *
 * Flat: one copy for each kernel column, holding just the columns that meet the
 * tile's outputs, and rows sorted by what remains of them after division by the
 * stride.  For every tap the tile's pixels then follow each other without a gap, so
 * segments may cross image rows: what narrow images need (schedules.md T4, 7 x 7). */
#include <string.h>

#include "backend/gemmini/gemmini.h"
#include "src/base/num.h"
#include "src/machine/isa.h"

static int64_t
gcd(int64_t a, int64_t b)
{
    return b ? gcd(b, a % b) : a;
}

/* Is row i of class q read by some tap?  Rows that are not stay where they are, but
 * are not moved in: they would have no order with the next move to their place. */
static bool
row_read(const struct product *g, const struct window *w, int64_t q, int64_t i)
{
    int64_t s = g->sy / w->rstep, d = g->dy / w->rstep;

    for (int64_t k = 0; k < g->kh; k++) {
        int64_t at = q + i * w->classes - k * d;
        if (at >= 0 && at % s == 0 && at / s < w->out_rows)
            return true;
    }
    return false;
}

/* Columns that nothing reads cannot be left out of a move. */
static bool
cols_read(const struct product *g, const struct window *w, int64_t cols)
{
    for (int64_t x = 0; x < w->cols && w->copies == 1; x++) {
        bool read = false;
        for (int64_t k = 0; k < g->kw && !read; k++) {
            int64_t at = x * w->xstep - k * g->dx;
            read = at >= 0 && at % g->sx == 0 && at / g->sx < cols;
        }
        if (!read)
            return false;
    }
    return true;
}

bool
window_cut(const struct product *g, int64_t rows, int64_t cols, bool flat, struct window *w)
{
    int64_t s, d, total = 0;

    memset(w, 0, sizeof *w);
    w->flat = flat;
    w->out_rows = rows;
    w->rstep = g->kh == 1 ? g->sy : gcd(g->sy, g->dy);
    s = g->sy / w->rstep;
    d = g->dy / w->rstep;
    w->classes = flat ? s : 1;
    w->copies = flat ? g->kw : 1;
    w->xstep = flat || g->kw == 1 ? g->sx : gcd(g->sx, g->dx);
    w->cols = flat ? cols : ((cols - 1) * g->sx + (g->kw - 1) * g->dx) / w->xstep + 1;
    if (w->classes > WINDOW_CLASSES)
        return false;
    for (int64_t k = 0; k < g->kh; k++) {
        int64_t q = k * d % w->classes, last = k * d / w->classes + (rows - 1) * (s / w->classes);
        w->class_rows[q] = num_max(w->class_rows[q], last + 1);
    }
    for (int64_t q = 0; q < w->classes; q++) {
        w->class_first[q] = total;
        total += w->class_rows[q];
    }
    w->rows = total;
    w->pixels = w->copies * total * w->cols;
    return cols_read(g, w, cols);
}

int64_t
window_tap(const struct product *g, const struct window *w, int64_t ky, int64_t kx)
{
    int64_t r = ky * (g->dy / w->rstep), row = w->class_first[r % w->classes] + r / w->classes;

    return w->copies > 1 ? (kx * w->rows + row) * w->cols : row * w->cols + kx * g->dx / w->xstep;
}

int64_t
window_row_step(const struct product *g, const struct window *w)
{
    return g->sy / w->rstep / w->classes * w->cols;
}

int64_t
window_pixel_step(const struct product *g, const struct window *w)
{
    return g->sx / w->xstep;
}

/* Rows of one class and copy, as few moves as their pixels in memory allow. */
static int64_t
class_moves(const struct product *g, const struct window *w, int64_t dim, int64_t q, int64_t copy,
            int64_t local, int64_t from, uint64_t *to)
{
    int64_t pixel = w->xstep * g->in_pix, row = w->classes * w->rstep * g->in_row, n = 0;
    bool joined = row == w->cols * pixel && (!g->second || g->in_row == g->second_row);

    for (int64_t i = 0; i < w->class_rows[q]; i++)
        joined &= row_read(g, w, q, i);
    int64_t rows = joined ? 1 : w->class_rows[q], cols = joined ? w->class_rows[q] * w->cols : w->cols;

    from += q * w->rstep * g->in_row + copy * g->dx * g->in_pix;
    local += (copy * w->rows + w->class_first[q]) * w->cols;
    for (int64_t y = 0; y < rows; y++)
        for (int64_t x = 0; x < cols && (joined || row_read(g, w, q, y)); x += dim, n++)
            if (to) {
                to[2 * n] = isa_operand((uint32_t)(local + y * w->cols + x), (unsigned)num_min(dim, cols - x), 0);
                to[2 * n + 1] = (uint64_t)(from + y * row + x * pixel);
            }
    return n;
}

int64_t
window_moves(const struct product *g, const struct window *w, int64_t dim, int64_t local, int64_t from, uint64_t *to)
{
    int64_t n = 0;

    for (int64_t copy = 0; copy < w->copies; copy++)
        for (int64_t q = 0; q < w->classes; q++)
            n += class_moves(g, w, dim, q, copy, local, from, to ? to + 2 * n : NULL);
    return n;
}
