/* Marks on local rows and guest bytes.  Epochs start at 1 and grow with every
 * fence, so that a fence clears all marks without touching them. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/hazard.h"

/* ---- local rows */

bool
rows_init(struct row_marks *m, int64_t rows)
{
    m->rows = rows;
    m->written = calloc((size_t)rows, sizeof *m->written);
    m->load = calloc((size_t)rows, sizeof *m->load);
    return m->written && m->load;
}

void
rows_free(struct row_marks *m)
{
    free(m->written);
    free(m->load);
}

void
rows_reset(struct row_marks *m)
{
    memset(m->written, 0, (size_t)m->rows * sizeof *m->written);
    memset(m->load, 0, (size_t)m->rows * sizeof *m->load);
}

int64_t
rows_unwritten(const struct row_marks *m, int64_t row, int64_t n)
{
    const uint8_t *p = memchr(m->written + row, 0, (size_t)n);

    return p ? p - m->written : -1;
}

void
rows_forget(struct row_marks *m)
{
    memset(m->written, 0, (size_t)m->rows * sizeof *m->written);
}

/* Low bit: it was accumulating. */
int64_t
rows_race(const struct row_marks *m, int64_t row, int64_t n, uint32_t epoch, bool add)
{
    for (int64_t r = row; r < row + n; r++)
        if (m->load[r] >> 1 == epoch && !(add && m->load[r] & 1))
            return r;
    return -1;
}

void
rows_loaded(struct row_marks *m, int64_t row, int64_t n, uint32_t epoch, bool add)
{
    for (int64_t r = row; r < row + n; r++)
        m->load[r] = epoch << 1 | (add ? 1u : 0u);
    rows_written(m, row, n);
}

void
rows_used(struct row_marks *m, int64_t row, int64_t n)
{
    memset(m->load + row, 0, (size_t)n * sizeof *m->load);
}

void
rows_written(struct row_marks *m, int64_t row, int64_t n)
{
    memset(m->written + row, 1, (size_t)n);
}

/* ---- guest bytes */

bool
bytes_init(struct byte_marks *m, uint64_t size)
{
    m->lines = (size_t)((size + BYTES_LINE - 1) / BYTES_LINE);
    m->bytes = m->lines * (sizeof *m->mask + sizeof *m->epoch);
    if (!m->lines)
        return true;
    m->block = mmap(NULL, m->bytes, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (m->block == MAP_FAILED) {
        m->block = NULL;
        return false;
    }
    m->mask = m->block;
    m->epoch = (uint32_t *)(void *)(m->mask + m->lines);
    return true;
}

void
bytes_free(struct byte_marks *m)
{
    if (m->block)
        munmap(m->block, m->bytes);
}

bool
bytes_hit(const struct byte_marks *m, uint64_t off, uint64_t n, uint32_t epoch)
{
    for (uint64_t l = off / BYTES_LINE; n && l <= (off + n - 1) / BYTES_LINE; l++)
        if (m->epoch[l] == epoch && m->mask[l] & bytes_cover(l, off, off + n))
            return true;
    return false;
}
