/* A second device model, for comparison (sim_literal.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "test/sim_exact.h"
#include "test/sim_literal.h"

#define GARBAGE 0xffffffffu

struct load { uint64_t stride; int block, shrink, repeats; uint32_t scale; };

struct literal {
    struct literal_machine m;
    const struct format *f;          /* of elements; NULL: int8 */
    int dim, size;                   /* bytes of an element */
    uint32_t row_mask;
    uint64_t base, ram_size;
    uint8_t *ram;
    int32_t *sp, *acc;
    struct load load[3];
    uint64_t ex, ex2, st, st2;       /* CONFIG_EX and CONFIG_ST as they came */
    uint32_t out_scale;
    int a_stride, c_stride;
    int32_t *w, *next;               /* weights or sums in use, and those preloaded */
    int32_t *a, *b;                  /* operands of a compute */
    bool next_real, open;
    uint64_t c;
};

/* ---- life */

static int32_t *
values(int n)
{
    return calloc((size_t)n, sizeof(int32_t));
}

struct literal *
literal_new(const struct literal_machine *m, uint64_t base, const uint8_t *ram, uint64_t size)
{
    struct literal *l = calloc(1, sizeof *l);
    int most = m->sp_rows > m->acc_rows ? m->sp_rows : m->acc_rows, dim = m->dim;

    l->m = *m;
    l->dim = dim;
    l->f = strcmp(m->elem, "float") == 0 ? &exact_f32 : strcmp(m->elem, "float16") == 0
        ? &exact_f16 : strcmp(m->elem, "bfloat16") == 0 ? &exact_bf16 : NULL;
    l->size = !l->f ? 1 : l->f == &exact_f32 ? 4 : 2;
    l->row_mask = 1;
    while ((int)l->row_mask + 1 < most)
        l->row_mask = l->row_mask << 1 | 1;
    l->base = base;
    l->ram_size = size;
    l->ram = malloc(size);
    memcpy(l->ram, ram, size);
    l->sp = values(m->sp_rows * dim);
    l->acc = values(m->acc_rows * dim);
    l->w = values(dim * dim);
    l->next = values(dim * dim);
    l->a = values(dim * dim);
    l->b = values(dim * dim);
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
    free(l->a);
    free(l->b);
    free(l);
}

int32_t
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

/* ---- numbers */

static struct exact
element(const struct literal *l, int32_t x)
{
    return exact_of((uint32_t)x, l->f);
}

static struct exact
single(uint32_t bits)
{
    return exact_of(bits, &exact_f32);
}

/* The scale of a mvin is of the elements' type on float16 arrays. */
static struct exact
load_scale(const struct literal *l, uint32_t bits)
{
    return l->f == &exact_f16 ? exact_of(bits & 0xffff, l->f) : single(bits);
}

/* x times scale in single precision, to the nearest integer, even when half way,
 * and into eight bits. */
static int
scaled8(int32_t x, uint32_t scale)
{
    float by;
    memcpy(&by, &scale, 4);
    volatile float p = (float)x * by;
    double r = nearbyint((double)p);

    return r > 127 ? 127 : r < -128 ? -128 : (int)r;
}

/* An element moved in. */
static int32_t
scaled_in(const struct literal *l, int32_t x, uint32_t scale)
{
    struct exact by;

    if (!l->f)
        return scaled8(x, scale);
    by = exact_of(exact_round(load_scale(l, scale), l->f), l->f);
    return (int32_t)exact_mul(element(l, x), by, l->f);
}

/* Integers wrap; the sum of floats is rounded once. */
static int32_t
added(const struct literal *l, int32_t x, int32_t y)
{
    if (!l->f)
        return (int32_t)((uint32_t)x + (uint32_t)y);
    return (int32_t)exact_add(single((uint32_t)x), single((uint32_t)y), &exact_f32);
}

/* An element as an accumulator value. */
static int32_t
widened(const struct literal *l, int32_t x)
{
    return l->f ? (int32_t)exact_round(element(l, x), &exact_f32) : x;
}

/* Float elements and accumulator values that are negative: not -0. */
static int32_t
rectified(const struct literal *l, int32_t x, int width)
{
    uint32_t sign = UINT32_C(1) << (width - 1), bits = (uint32_t)x;

    if (!l->f)
        return x < 0 ? 0 : x;
    return bits & sign && bits != sign ? 0 : x;
}

/* An accumulator value as an element, through activation and scale. */
static int32_t
scaled_out(const struct literal *l, int32_t x, bool relu, uint32_t scale)
{
    uint32_t y;

    if (relu)
        x = rectified(l, x, 32);
    if (!l->f)
        return scaled8(x, scale);
    y = exact_mul(single((uint32_t)x), single(scale), &exact_f32);
    return (int32_t)exact_round(single(y), l->f);
}

/* One step of a sum, as wide as the wires between the elements. */
static int32_t
mac(const struct literal *l, int32_t a, int32_t b, int32_t sum)
{
    int32_t wide;

    if (l->f)
        return (int32_t)exact_fma(element(l, a), element(l, b), element(l, sum), l->f);
    wide = (sum + a * b) & 0xfffff;
    return wide & 0x80000 ? wide - 0x100000 : wide;
}

/* ---- memory */

static bool
inside(const struct literal *l, uint64_t addr, uint64_t n)
{
    return addr >= l->base && addr + n <= l->base + l->ram_size;
}

static int32_t
value_at(const struct literal *l, uint64_t addr, int size)
{
    uint32_t x = 0;

    if (!inside(l, addr, (uint64_t)size))
        return 0;
    for (int i = 0; i < size; i++)
        x |= (uint32_t)l->ram[addr - l->base + (uint64_t)i] << 8 * i;
    return size == 1 ? (int8_t)x : (int32_t)x;
}

static void
put(struct literal *l, uint64_t addr, int size, int32_t x)
{
    for (int i = 0; i < size; i++)
        l->ram[addr - l->base + (uint64_t)i] = (uint8_t)((uint32_t)x >> 8 * i);
}

/* ---- CONFIG */

static void
config(struct literal *l, uint64_t rs1, uint64_t rs2)
{
    struct load *s;

    switch (rs1 & 3) {
    case 0:
        l->a_stride = (int)(rs1 >> 16 & 0xffff);
        l->c_stride = (int)(rs2 >> 48);
        if (!(rs1 & 0x80)) {
            l->ex = rs1;
            l->ex2 = rs2;
        }
        break;
    case 1:
        s = &l->load[rs1 >> 3 & 3];
        s->shrink = rs1 >> 2 & 1;
        s->repeats = rs1 >> 8 & 31;
        s->block = (int)(rs1 >> 16 & 0xffff);
        s->scale = (uint32_t)(rs1 >> 32);
        s->stride = rs2;
        break;
    case 2:
        l->st = rs1;
        l->st2 = rs2;
        if ((uint32_t)(rs2 >> 32) != 0xffffffff)
            l->out_scale = (uint32_t)(rs2 >> 32);
    }
}

/* ---- moves */

/* One value from memory, as it arrives. */
static int32_t
arriving(const struct literal *l, const struct load *s, uint64_t from, bool wide, bool acc)
{
    int32_t x = value_at(l, from, wide ? 4 : l->size);

    if (!wide) {
        x = scaled_in(l, x, s->scale);
        return acc ? widened(l, x) : x;
    }
    if (l->f && l->m.scales_acc_in)
        return (int32_t)exact_mul(single((uint32_t)x), load_scale(l, s->scale), &exact_f32);
    return x;
}

/* The row again in rows before it, side by side; not beyond the half it is in. */
static void
repeat(struct literal *l, int row, int n, int repeats)
{
    int low = row >= l->m.sp_rows / 2 ? l->m.sp_rows / 2 : 0;

    for (int p = 1; p < repeats && l->m.repeats; p++)
        for (int c = 0; c < n; c++)
            if (row - p >= low && p * n + c < l->dim)
                l->sp[(row - p) * l->dim + p * n + c] = l->sp[row * l->dim + c];
}

static void
mvin(struct literal *l, const struct load *s, uint64_t addr, uint64_t op)
{
    int rows = (int)(op >> 48), cols = (int)(op >> 32 & 0xffff);
    bool acc = op >> 31 & 1, add = op >> 30 & 1, wide = acc && !s->shrink;

    for (int r = 0; r < rows; r++) {
        for (int c = 0; c < cols; c++) {
            uint64_t from = addr + (uint64_t)r * s->stride
                + (uint64_t)(c * (wide ? 4 : l->size));
            int to = (row_of(l, op) + r + c / l->dim * s->block) * l->dim + c % l->dim;
            int32_t x = addr ? arriving(l, s, from, wide, acc) : 0;

            if (!acc)
                l->sp[to] = x;
            else
                l->acc[to] = add ? added(l, l->acc[to], x) : x;
        }
        if (!acc)
            repeat(l, row_of(l, op) + r, cols < l->dim ? cols : l->dim, s->repeats);
    }
}

/* What a store makes of one value. */
static int32_t
stored(const struct literal *l, uint64_t op, int row, int col)
{
    if (!(op >> 31 & 1))
        return l->sp[row * l->dim + col];
    return scaled_out(l, l->acc[row * l->dim + col], (l->st >> 2 & 3) == 1,
        l->m.scales_out ? l->out_scale : 0x3f800000);
}

static bool
larger(const struct literal *l, int32_t x, int32_t than)
{
    return l->f ? exact_greater(element(l, x), element(l, than)) : x > than;
}

static int32_t
pooled(const struct literal *l, uint64_t op, int y0, int x0, int col)
{
    int size = l->st >> 6 & 3, orows = l->st >> 48 & 255, ocols = l->st >> 56 & 255;
    int32_t best = 0;

    for (int y = y0; y < y0 + size; y++)
        for (int x = x0; x < x0 + size; x++) {
            bool in = y >= 0 && y < orows && x >= 0 && x < ocols;
            int32_t v = in ? stored(l, op, row_of(l, op) + y * ocols + x, col) : 0;

            if ((y == y0 && x == x0) || larger(l, v, best))
                best = v;
        }
    return best;
}

/* An image: pooled, or (without a pooling unit, or without a stride) row by row. */
static void
mvout_image(struct literal *l, uint64_t addr, uint64_t op, bool pools)
{
    int stride = l->st >> 4 & 3, up = l->st >> 8 & 3, left = l->st >> 10 & 3;
    int pitch = l->st >> 24 & 255, chans = (int)(op >> 32 & 0xffff);
    int rows = l->st >> (pools ? 32 : 48) & 255, cols = l->st >> (pools ? 40 : 56) & 255;

    for (int y = 0; y < rows; y++)
        for (int x = 0; x < cols; x++)
            for (int c = 0; c < chans; c++)
                put(l, addr + (uint64_t)(y * pitch + x) * (uint32_t)l->st2
                    + (uint64_t)(c * l->size), l->size,
                    pools ? pooled(l, op, y * stride - up, x * stride - left, c)
                        : stored(l, op, row_of(l, op) + y * cols + x, c));
}

static void
mvout(struct literal *l, uint64_t addr, uint64_t op)
{
    int rows = (int)(op >> 48), cols = (int)(op >> 32 & 0xffff);
    bool full = op >> 31 & op >> 29 & 1;

    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++) {
            int row = row_of(l, op) + r + c / l->dim * l->dim, col = c % l->dim;
            uint64_t to = addr + (uint64_t)r * (uint32_t)l->st2;

            if (full)
                put(l, to + (uint64_t)(c * 4), 4, l->acc[row * l->dim + col]);
            else
                put(l, to + (uint64_t)(c * l->size), l->size, stored(l, op, row, col));
        }
}

static void
store(struct literal *l, uint64_t addr, uint64_t op)
{
    bool stride = l->st >> 4 & 3, size = l->st >> 6 & 3;

    if (stride || size)
        mvout_image(l, addr, op, stride && l->m.pools);
    else
        mvout(l, addr, op);
}

/* ---- the array */

static bool
weight_stationary(const struct literal *l)
{
    return l->ex >> 2 & 1;
}

/* The operand of its logical shape, zeros around it. */
static void
operand(const struct literal *l, uint64_t op, int step, bool transposed, int32_t *to)
{
    int rows = (int)(op >> 48), cols = (int)(op >> 32 & 0xffff);

    for (int i = 0; i < l->dim; i++)
        for (int j = 0; j < l->dim; j++) {
            int row = row_of(l, op) + (transposed ? j : i) * step, col = transposed ? i : j;
            int32_t x = 0;

            if ((uint32_t)op != GARBAGE && i < rows && j < cols) {
                if (op >> 31 & 1)
                    x = scaled_out(l, l->acc[row * l->dim + col], (l->ex >> 3 & 3) == 1,
                        (uint32_t)(l->ex >> 32));
                else
                    x = l->sp[row * l->dim + col];
            }
            to[i * l->dim + j] = x;
        }
}

static void
preload(struct literal *l, uint64_t b, uint64_t c)
{
    l->c = c;
    l->open = true;
    l->next_real = (uint32_t)b != GARBAGE;
    operand(l, b, 1, weight_stationary(l) && l->ex >> 9 & 1, l->next);
}

/* Half and more go up, half to even. */
static int32_t
shifted(const struct literal *l, int32_t x, int by)
{
    int64_t unit = INT64_C(1) << by, down, rest;

    if (l->f)
        return (int32_t)exact_round((struct exact) { element(l, x).kind, element(l, x).minus,
            element(l, x).m, element(l, x).e - by }, l->f);
    rest = ((int64_t)x % unit + unit) % unit;
    down = ((int64_t)x - rest) / unit;
    return (int32_t)(down + (2 * rest > unit || (2 * rest == unit && down % 2)));
}

static void
result(struct literal *l, int row, int col, int32_t x)
{
    int32_t *to = (l->c >> 31 & 1 ? l->acc : l->sp) + row * l->dim + col;

    if (l->c >> 31 & 1) {
        x = widened(l, x);
        *to = l->c >> 30 & 1 ? added(l, *to, x) : x;
        return;
    }
    if ((l->ex >> 3 & 3) == 1)
        x = rectified(l, x, 8 * l->size);
    *to = l->f ? x : x > 127 ? 127 : x < -128 ? -128 : x;
}

/* Element (i, j) of A times weights plus D, or of sums plus A times B. */
static int32_t
sum_at(const struct literal *l, int i, int j)
{
    bool ws = weight_stationary(l);
    const int32_t *by = ws ? l->w : l->b;
    int32_t s = ws ? l->b[i * l->dim + j] : l->w[i * l->dim + j];

    for (int k = 0; k < l->dim; k++)
        s = mac(l, l->a[i * l->dim + k], by[k * l->dim + j], s);
    return s;
}

static void
compute(struct literal *l, bool flip, uint64_t a, uint64_t b)
{
    int rows = (int)(l->c >> 48), cols = (int)(l->c >> 32 & 0xffff);
    bool ws = weight_stationary(l);

    if (flip)
        memcpy(l->w, l->next, (size_t)(l->dim * l->dim) * sizeof *l->w);
    operand(l, a, l->a_stride, l->ex >> 8 & 1, l->a);
    operand(l, b, 1, !ws && l->ex >> 9 & 1, l->b);
    for (int i = 0; i < l->dim; i++)
        for (int j = 0; j < l->dim; j++) {
            bool out = l->open && (uint32_t)l->c != GARBAGE && i < rows && j < cols;
            int32_t s = ws && !out ? 0 : sum_at(l, i, j);

            if (!ws)
                l->w[i * l->dim + j] = s;
            if (out)
                result(l, row_of(l, l->c) + i * l->c_stride, j,
                    ws ? s : shifted(l, s, l->ex2 & 31));
        }
    l->open = false;
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
        store(l, rs1, rs2);
        break;
    case 6:
        preload(l, rs1, rs2);
        break;
    case 4:
    case 5:
        compute(l, funct == 4, rs1, rs2);
        break;
    }
}
