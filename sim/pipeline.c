/* What a straight run of RV64GC instructions costs an in-order core that issues one a
 * cycle: each waits for its operands, a divider is busy until it is done, and everything
 * hits the caches (l1.c has what misses cost).  Latencies are keys of the target.  What
 * goes beyond a run, such as a register that is still on its way, is left out, but for
 * loops of one run, where it comes back to where it began. */
#include <string.h>

#include "sim/pipeline.h"

enum unit {
    U_ALU, U_LOAD, U_LOAD_SMALL, U_LOAD_FLOAT, U_STORE, U_ATOMIC, U_JUMP, U_MUL, U_DIV,
    U_FLOAT, U_DOUBLE, U_TO_INT, U_FDIV, U_DDIV, U_CSR, U_COMMAND
};

enum { FLOATS = 32, REGS = 64 };     /* x0 to x31, then f0 to f31 */

/* Registers by number; 0, which is x0, is none. */
struct insn {
    enum unit unit;
    int to, from[3];
    int64_t jump;                    /* of a branch or jump that says so: bytes, else 0 */
};

/* ---- 32-bit instructions */

static int
field(uint32_t w, int at)
{
    return (int)(w >> at & 31);
}

static int64_t
branch_offset(uint32_t w)
{
    int64_t sign = (int32_t)w >> 31;

    return (int64_t)((uint64_t)sign << 12) | (w >> 7 & 1) << 11 | (w >> 25 & 63) << 5
        | (w >> 8 & 15) << 1;
}

static int64_t
jump_offset(uint32_t w)
{
    int64_t sign = (int32_t)w >> 31;

    return (int64_t)((uint64_t)sign << 20) | (w & 0xff000) | (w >> 20 & 1) << 11
        | (w >> 21 & 1023) << 1;
}

static enum unit
load_unit(uint32_t w)
{
    return (w >> 12 & 3) < 2 ? U_LOAD_SMALL : U_LOAD;
}

static enum unit
whole_unit(uint32_t w)
{
    if (w >> 25 != 1)
        return U_ALU;
    return w >> 14 & 1 ? U_DIV : U_MUL;
}

/* Operations of the floating-point unit on one or two numbers. */
static struct insn
float_insn(uint32_t w)
{
    bool wide = w >> 25 & 1;
    int rd = field(w, 7), rs1 = field(w, 15), rs2 = field(w, 20);
    struct insn i = { U_FLOAT, FLOATS + rd, { FLOATS + rs1, FLOATS + rs2, 0 }, 0 };

    switch (w >> 27) {
    case 0x00:                       /* add, subtract, multiply */
    case 0x01:
    case 0x02:
        if (wide)
            i.unit = U_DOUBLE;
        break;
    case 0x03:                       /* divide, square root */
    case 0x0b:
        i.unit = wide ? U_DDIV : U_FDIV;
        break;
    case 0x14:                       /* compare, convert, move to an integer register */
    case 0x18:
    case 0x1c:
        i.unit = U_TO_INT;
        i.to = rd;
        break;
    case 0x1a:                       /* from one */
    case 0x1e:
        i.from[0] = rs1;
        i.from[1] = 0;
        break;
    default:
        break;
    }
    return i;
}

static struct insn
wide_insn(uint32_t w)
{
    int rd = field(w, 7), rs1 = field(w, 15), rs2 = field(w, 20);

    switch (w >> 2 & 31) {
    case 0x00:
        return (struct insn) { load_unit(w), rd, { rs1 }, 0 };
    case 0x01:
        return (struct insn) { U_LOAD_FLOAT, FLOATS + rd, { rs1 }, 0 };
    case 0x04:
    case 0x06:
        return (struct insn) { U_ALU, rd, { rs1 }, 0 };
    case 0x05:
    case 0x0d:
        return (struct insn) { U_ALU, rd, { 0 }, 0 };
    case 0x08:
        return (struct insn) { U_STORE, 0, { rs1, rs2 }, 0 };
    case 0x09:
        return (struct insn) { U_STORE, 0, { rs1, FLOATS + rs2 }, 0 };
    case 0x0b:
        return (struct insn) { U_ATOMIC, rd, { rs1, rs2 }, 0 };
    case 0x0c:
    case 0x0e:
        return (struct insn) { whole_unit(w), rd, { rs1, rs2 }, 0 };
    case 0x10:
    case 0x11:
    case 0x12:
    case 0x13:
        return (struct insn) { w >> 25 & 1 ? U_DOUBLE : U_FLOAT, FLOATS + rd,
            { FLOATS + rs1, FLOATS + rs2, FLOATS + field(w, 27) }, 0 };
    case 0x14:
        return float_insn(w);
    case 0x18:
        return (struct insn) { U_JUMP, 0, { rs1, rs2 }, branch_offset(w) };
    case 0x19:
        return (struct insn) { U_JUMP, rd, { rs1 }, 0 };
    case 0x1b:
        return (struct insn) { U_JUMP, rd, { 0 }, jump_offset(w) };
    case 0x1c:
        return (struct insn) { w >> 12 & 7 && rd ? U_CSR : U_ALU, rd, { w >> 14 & 1 ? 0 : rs1 }, 0 };
    case 0x1e:
        return (struct insn) { U_COMMAND, w >> 14 & 1 ? rd : 0, { rs1, rs2 }, 0 };
    default:
        return (struct insn) { U_ALU, 0, { 0 }, 0 };
    }
}

/* ---- 16-bit instructions */

/* One of the eight registers of a short field. */
static int
few(uint32_t h, int at)
{
    return (int)(h >> at & 7) + 8;
}

static int64_t
short_branch(uint32_t h)
{
    int64_t sign = -(int64_t)(h >> 12 & 1);

    return (int64_t)((uint64_t)sign << 8) | (h >> 5 & 3) << 6 | (h >> 2 & 1) << 5
        | (h >> 10 & 3) << 3 | (h >> 3 & 3) << 1;
}

static int64_t
short_jump(uint32_t h)
{
    int64_t sign = -(int64_t)(h >> 12 & 1);

    return (int64_t)((uint64_t)sign << 11) | (h >> 8 & 1) << 10 | (h >> 9 & 3) << 8
        | (h >> 6 & 1) << 7 | (h >> 7 & 1) << 6 | (h >> 2 & 1) << 5 | (h >> 11 & 1) << 4
        | (h >> 3 & 7) << 1;
}

/* Moves through a pointer in a short field, and sums with the stack pointer. */
static struct insn
short_move(uint32_t h)
{
    int base = few(h, 7), r = few(h, 2);

    switch (h >> 13) {
    case 0:
        return (struct insn) { U_ALU, r, { 2 }, 0 };
    case 1:
        return (struct insn) { U_LOAD_FLOAT, FLOATS + r, { base }, 0 };
    case 2:
    case 3:
        return (struct insn) { U_LOAD, r, { base }, 0 };
    case 5:
        return (struct insn) { U_STORE, 0, { base, FLOATS + r }, 0 };
    default:
        return (struct insn) { U_STORE, 0, { base, r }, 0 };
    }
}

static struct insn
short_sum(uint32_t h)
{
    int rd = field(h, 7), r = few(h, 7);

    switch (h >> 13) {
    case 0:
    case 1:
        return (struct insn) { U_ALU, rd, { rd }, 0 };
    case 2:
        return (struct insn) { U_ALU, rd, { 0 }, 0 };
    case 3:
        return (struct insn) { U_ALU, rd, { rd == 2 ? 2 : 0 }, 0 };
    case 4:
        return (struct insn) { U_ALU, r, { r, (h >> 10 & 3) == 3 ? few(h, 2) : 0 }, 0 };
    case 5:
        return (struct insn) { U_JUMP, 0, { 0 }, short_jump(h) };
    default:
        return (struct insn) { U_JUMP, 0, { r }, short_branch(h) };
    }
}

static struct insn
short_stack(uint32_t h)
{
    int rd = field(h, 7), r = field(h, 2);
    bool link = h >> 12 & 1;

    switch (h >> 13) {
    case 0:
        return (struct insn) { U_ALU, rd, { rd }, 0 };
    case 1:
        return (struct insn) { U_LOAD_FLOAT, FLOATS + rd, { 2 }, 0 };
    case 2:
    case 3:
        return (struct insn) { U_LOAD, rd, { 2 }, 0 };
    case 4:
        if (!r)
            return (struct insn) { U_JUMP, link, { rd }, 0 };
        return (struct insn) { U_ALU, rd, { r, link ? rd : 0 }, 0 };
    case 5:
        return (struct insn) { U_STORE, 0, { 2, FLOATS + r }, 0 };
    default:
        return (struct insn) { U_STORE, 0, { 2, r }, 0 };
    }
}

static struct insn
decode(uint32_t w)
{
    switch (w & 3) {
    case 0:
        return short_move(w & 0xffff);
    case 1:
        return short_sum(w & 0xffff);
    case 2:
        return short_stack(w & 0xffff);
    default:
        return wide_insn(w);
    }
}

/* ---- time */

struct board {
    double now;                      /* when the next instruction may issue */
    double ready[REGS];              /* when a register may be used, or written again */
    double divider, float_divider;   /* free from then on */
};

static double
latency(const struct target *t, enum unit u)
{
    switch (u) {
    case U_LOAD:       return t->core_load;
    case U_LOAD_SMALL: return t->core_load_small;
    case U_LOAD_FLOAT: return t->core_load_float;
    case U_ATOMIC:     return t->core_atomic;
    case U_MUL:        return t->core_mul;
    case U_DIV:        return t->core_div;
    case U_FLOAT:      return t->core_float;
    case U_DOUBLE:     return t->core_double;
    case U_FDIV:       return t->core_float_div;
    case U_DDIV:       return t->core_double_div;
    case U_TO_INT:     return t->core_float_to_int;
    case U_CSR:        return t->core_csr;
    default:           return t->core_instr;
    }
}

/* Units that do one thing at a time, beside the pipeline. */
static double *
busy(struct board *b, enum unit u)
{
    if (u == U_DIV)
        return &b->divider;
    return u == U_FDIV || u == U_DDIV ? &b->float_divider : NULL;
}

/* Until the next instruction.  A product waits for a cycle in which nothing else is
 * written, as good as never while others follow it. */
static double
issue_cycles(const struct target *t, enum unit u)
{
    if (u == U_COMMAND)
        return 0;
    return u == U_MUL || u == U_ATOMIC ? latency(t, u) : t->core_instr;
}

static void
issue(struct board *b, const struct target *t, const struct insn *i)
{
    double at = b->now, *unit = busy(b, i->unit), end;

    for (int n = 0; n < 3; n++)
        if (at < b->ready[i->from[n]])
            at = b->ready[i->from[n]];
    if (at < b->ready[i->to])
        at = b->ready[i->to];
    if (unit && at < *unit)
        at = *unit;
    end = at + latency(t, i->unit);
    if (unit)
        *unit = end;
    if (i->to)
        b->ready[i->to] = end;
    b->now = at + issue_cycles(t, i->unit);
}

static void
run(struct board *b, const struct target *t, const uint32_t *word, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct insn x = decode(word[i]);
        issue(b, t, &x);
    }
}

double
pipeline_cycles(const struct target *t, const uint32_t *word, size_t n)
{
    struct board b = { 0 };
    int64_t last = 0, bytes = 0;
    double once;

    for (size_t i = 0; i < n; i++) {
        last = bytes;
        bytes += (word[i] & 3) == 3 ? 4 : 2;
    }
    run(&b, t, word, n);
    if (!n || decode(word[n - 1]).jump != -last || !last)
        return b.now;
    once = b.now;                    /* a loop: what it costs again */
    run(&b, t, word, n);
    return b.now - once;
}

bool
pipeline_returns(uint32_t w)
{
    struct insn i = decode(w);

    return i.unit == U_JUMP && !i.to && !i.jump && (i.from[0] == 1 || i.from[0] == 5);
}
