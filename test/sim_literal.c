/* A second device model, for comparison (sim_literal.h). */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "test/sim_literal.h"

struct load { uint64_t stride; int block, shrink; float scale; };

struct literal {
    int dim, sp_rows, acc_rows;
    uint32_t row_mask;
    uint64_t base, size;
    uint8_t *ram;
    int *sp;
    int32_t *acc;
    struct load load[3];
    int a_stride, at, bt;
    uint64_t st, st2;                /* CONFIG_ST as it came */
    int *w, *next;                   /* weights in use, weights loaded */
    bool next_real;
    uint64_t c;
};

static float
as_float(uint64_t bits)
{
    uint32_t u = (uint32_t)bits;
    float f;

    memcpy(&f, &u, 4);
    return f;
}

struct literal *
literal_new(int dim, int sp_rows, int acc_rows, uint64_t base, const uint8_t *ram,
    uint64_t size)
{
    struct literal *l = calloc(1, sizeof *l);
    int most = sp_rows > acc_rows ? sp_rows : acc_rows;

    l->dim = dim;
    l->sp_rows = sp_rows;
    l->acc_rows = acc_rows;
    l->row_mask = 1;
    while ((int)l->row_mask + 1 < most)
        l->row_mask = l->row_mask << 1 | 1;
    l->base = base;
    l->size = size;
    l->ram = malloc(size);
    memcpy(l->ram, ram, size);
    l->sp = calloc((size_t)(sp_rows * dim), sizeof *l->sp);
    l->acc = calloc((size_t)(acc_rows * dim), sizeof *l->acc);
    l->w = calloc((size_t)(dim * dim), sizeof *l->w);
    l->next = calloc((size_t)(dim * dim), sizeof *l->next);
    return l;
}

void
literal_free(struct literal *l)
{
    free(l->ram);
    free(l->sp);
    free(l->acc);
    free(l->w);
    free(l->next);
    free(l);
}

int
literal_sp(const struct literal *l, int row, int col)
{
    return l->sp[row * l->dim + col];
}

int32_t
literal_acc(const struct literal *l, int row, int col)
{
    return l->acc[row * l->dim + col];
}

const uint8_t *
literal_ram(const struct literal *l)
{
    return l->ram;
}

static int
row_of(const struct literal *l, uint64_t op)
{
    return (int)((uint32_t)op & l->row_mask);
}

/* x times scale in single precision, to the nearest integer, even when half way,
 * and into eight bits. */
static int
scaled8(int32_t x, float scale)
{
    volatile float p = (float)x * scale;
    double r = nearbyint((double)p);

    return r > 127 ? 127 : r < -128 ? -128 : (int)r;
}

static int
byte_at(const struct literal *l, uint64_t addr)
{
    return (int8_t)l->ram[addr - l->base];
}

static int32_t
word_at(const struct literal *l, uint64_t addr)
{
    uint32_t x = 0;

    for (int i = 0; i < 4; i++)
        x |= (uint32_t)l->ram[addr - l->base + (uint64_t)i] << 8 * i;
    return (int32_t)x;
}

static void
config(struct literal *l, uint64_t rs1, uint64_t rs2)
{
    struct load *s;

    switch (rs1 & 3) {
    case 0:
        l->a_stride = (int)(rs1 >> 16 & 0xffff);
        if (!(rs1 & 0x80)) {
            l->at = rs1 >> 8 & 1;
            l->bt = rs1 >> 9 & 1;
        }
        break;
    case 1:
        s = &l->load[rs1 >> 3 & 3];
        s->shrink = rs1 >> 2 & 1;
        s->block = (int)(rs1 >> 16 & 0xffff);
        s->scale = as_float(rs1 >> 32);
        s->stride = rs2;
        break;
    case 2:
        l->st = rs1;
        l->st2 = rs2;
    }
}

static void
mvin(struct literal *l, const struct load *s, uint64_t addr, uint64_t op)
{
    int rows = (int)(op >> 48), cols = (int)(op >> 32 & 0xffff);
    bool acc = op >> 31 & 1, add = op >> 30 & 1;
    int size = acc && !s->shrink ? 4 : 1;

    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++) {
            uint64_t from = addr + (uint64_t)r * s->stride + (uint64_t)(c * size);
            int to = (row_of(l, op) + r + c / l->dim * s->block) * l->dim + c % l->dim;
            int32_t x = 0;

            if (addr)
                x = size == 4 ? word_at(l, from) : scaled8(byte_at(l, from), s->scale);
            if (!acc)
                l->sp[to] = x;
            else
                l->acc[to] = add ? (int32_t)((uint32_t)l->acc[to] + (uint32_t)x) : x;
        }
}

/* What a store makes of one accumulator value. */
static int
stored(const struct literal *l, int row, int col)
{
    int32_t x = l->acc[row * l->dim + col];

    if ((l->st >> 2 & 3) == 1 && x < 0)
        x = 0;
    return scaled8(x, as_float(l->st2 >> 32));
}

static void
mvout_pooled(struct literal *l, uint64_t addr, uint64_t op)
{
    int stride = l->st >> 4 & 3, size = l->st >> 6 & 3;
    int up = l->st >> 8 & 3, left = l->st >> 10 & 3, pitch = l->st >> 24 & 255;
    int porows = l->st >> 32 & 255, pocols = l->st >> 40 & 255;
    int orows = l->st >> 48 & 255, ocols = l->st >> 56 & 255;
    int cols = (int)(op >> 32 & 0xffff);

    for (int py = 0; py < porows; py++)
        for (int px = 0; px < pocols; px++)
            for (int c = 0; c < cols; c++) {
                int best = -1000;
                for (int y = py * stride - up; y < py * stride - up + size; y++)
                    for (int x = px * stride - left; x < px * stride - left + size; x++) {
                        bool in = y >= 0 && y < orows && x >= 0 && x < ocols;
                        int v = in ? stored(l, row_of(l, op) + y * ocols + x, c) : 0;
                        best = v > best ? v : best;
                    }
                l->ram[addr - l->base + (uint64_t)(py * pitch + px) * (uint32_t)l->st2
                    + (uint64_t)c] = (uint8_t)best;
            }
}

static void
mvout(struct literal *l, uint64_t addr, uint64_t op)
{
    int rows = (int)(op >> 48), cols = (int)(op >> 32 & 0xffff);
    bool acc = op >> 31 & 1, full = acc && op >> 29 & 1;

    if (l->st >> 4 & 3) {
        mvout_pooled(l, addr, op);
        return;
    }
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++) {
            int row = row_of(l, op) + r + c / l->dim * l->dim, col = c % l->dim;
            uint8_t *to = l->ram + (addr - l->base) + (uint64_t)r * (uint32_t)l->st2;

            if (full)
                for (int i = 0; i < 4; i++)
                    to[c * 4 + i] = (uint8_t)((uint32_t)l->acc[row * l->dim + col] >> 8 * i);
            else
                to[c] = (uint8_t)(acc ? stored(l, row, col) : l->sp[row * l->dim + col]);
        }
}

static void
preload(struct literal *l, uint64_t b, uint64_t c)
{
    int rows = (int)(b >> 48), cols = (int)(b >> 32 & 0xffff);

    l->c = c;
    l->next_real = (uint32_t)b != 0xffffffffu;
    if (!l->next_real)
        return;
    for (int k = 0; k < l->dim; k++)
        for (int j = 0; j < l->dim; j++) {
            int row = row_of(l, b) + (l->bt ? j : k), col = l->bt ? k : j;
            l->next[k * l->dim + j] = k < rows && j < cols ? l->sp[row * l->dim + col] : 0;
        }
}

static void
compute(struct literal *l, bool flip, uint64_t a)
{
    int depth = (int)(a >> 32 & 0xffff);
    int rows = (int)(l->c >> 48), cols = (int)(l->c >> 32 & 0xffff);

    if (flip)
        memcpy(l->w, l->next, (size_t)(l->dim * l->dim) * sizeof *l->w);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++) {
            int32_t *to = &l->acc[(row_of(l, l->c) + i) * l->dim + j], sum = 0;
            for (int k = 0; k < depth; k++) {
                int row = row_of(l, a) + (l->at ? k : i) * l->a_stride;
                sum += l->sp[row * l->dim + (l->at ? i : k)] * l->w[k * l->dim + j];
            }
            *to = l->c >> 30 & 1 ? (int32_t)((uint32_t)*to + (uint32_t)sum) : sum;
        }
}

void
literal_command(struct literal *l, unsigned funct, uint64_t rs1, uint64_t rs2)
{
    switch (funct) {
    case 0:
        config(l, rs1, rs2);
        break;
    case 2:
        mvin(l, &l->load[0], rs1, rs2);
        break;
    case 1:
        mvin(l, &l->load[1], rs1, rs2);
        break;
    case 14:
        mvin(l, &l->load[2], rs1, rs2);
        break;
    case 3:
        mvout(l, rs1, rs2);
        break;
    case 6:
        preload(l, rs1, rs2);
        break;
    case 4:
    case 5:
        compute(l, funct == 4, rs1);
        break;
    }
}
