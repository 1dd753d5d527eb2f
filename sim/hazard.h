/* What happened to local rows and to guest bytes since the last fence; strict.c asks. */
#ifndef SIM_HAZARD_H
#define SIM_HAZARD_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- local rows */
struct row_marks {
    uint8_t *written;                /* ever */
    uint32_t *load;                  /* by which epoch's mvin, and was it accumulating */
    int64_t rows;
};

bool rows_init(struct row_marks *m, int64_t rows);
void rows_free(struct row_marks *m);
void rows_reset(struct row_marks *m);
/* The first row of [row, row + n) that was never written, or -1. */
int64_t rows_unwritten(const struct row_marks *m, int64_t row, int64_t n);
/* The first row which an unordered mvin of this epoch wrote, unless both add. */
int64_t rows_race(const struct row_marks *m, int64_t row, int64_t n, uint32_t epoch, bool add);
void rows_loaded(struct row_marks *m, int64_t row, int64_t n, uint32_t epoch, bool add);
/* A tracked compute or store used the rows: what comes later is ordered behind. */
void rows_used(struct row_marks *m, int64_t row, int64_t n);
/* Contents as before anything was written. */
void rows_forget(struct row_marks *m);
void rows_written(struct row_marks *m, int64_t row, int64_t n);

/* ---- guest bytes: per 64-byte line the bytes touched and the epoch */
struct byte_marks {
    uint64_t *mask;
    uint32_t *epoch;
    size_t lines;
    void *block;                     /* of both, untouched pages cost nothing */
    size_t bytes;
};

enum { BYTES_LINE = 64 };

bool bytes_init(struct byte_marks *m, uint64_t size);
void bytes_free(struct byte_marks *m);
/* Offsets from the start of the memory; [off, off + n) lies inside it. */
bool bytes_hit(const struct byte_marks *m, uint64_t off, uint64_t n, uint32_t epoch);

/* The bytes of line `line` that [off, end) covers. */
static inline uint64_t
bytes_cover(uint64_t line, uint64_t off, uint64_t end)
{
    uint64_t from = line * BYTES_LINE, all = ~UINT64_C(0);
    uint64_t low = off > from ? off - from : 0;
    uint64_t over = end < from + BYTES_LINE ? from + BYTES_LINE - end : 0;

    return all << low & all >> over;
}

/* Here because every store of the core comes by. */
static inline void
bytes_mark(struct byte_marks *m, uint64_t off, uint64_t n, uint32_t epoch)
{
    for (uint64_t l = off / BYTES_LINE; n && l <= (off + n - 1) / BYTES_LINE; l++) {
        if (m->epoch[l] != epoch)
            m->mask[l] = 0;
        m->epoch[l] = epoch;
        m->mask[l] |= bytes_cover(l, off, off + n);
    }
}

#endif
