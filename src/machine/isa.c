/* Encoding, decoding and text of the array's commands (gemmini-isa.md 2 to 7).
 * Packs and unpacks fields only: whether a field makes sense is sim/strict.c's to
 * say, and fields too wide for their place are cut. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "src/machine/isa.h"

struct row {
    const char *name;
    enum isa_class cls;
};

static const struct row rows[128] = {
#define I(id, funct, name, cls, doc) [funct] = { name, ISA_CLASS_##cls },
#include "src/machine/isa.def"
#undef I
};

const char *
isa_name(unsigned funct)
{
    return funct < 128 ? rows[funct].name : NULL;
}

enum isa_class
isa_class(unsigned funct)
{
    return funct < 128 && rows[funct].name ? rows[funct].cls : ISA_CLASS_CTRL;
}

unsigned
isa_funct_of(uint32_t word)
{
    return word >> 25;
}

uint32_t
isa_word(unsigned funct)
{
    uint32_t funct3 = funct == ISA_COUNTER ? 7u : 3u;

    return (uint32_t)(funct & 127) << 25 | funct3 << 12 | ISA_OPCODE;
}

/* ---- fields */

static uint64_t
put(uint64_t x, unsigned at, unsigned bits)
{
    return (x & ((UINT64_C(1) << bits) - 1)) << at;
}

static unsigned
get(uint64_t word, unsigned at, unsigned bits)
{
    return (unsigned)(word >> at & ((UINT64_C(1) << bits) - 1));
}

static uint64_t
float_bits(float f)
{
    uint32_t u;

    memcpy(&u, &f, sizeof u);
    return u;
}

static float
bits_float(uint64_t bits)
{
    uint32_t u = (uint32_t)bits;
    float f;

    memcpy(&f, &u, sizeof f);
    return f;
}

/* ---- CONFIG */

struct isa_cmd
isa_encode_ex(const struct isa_config_ex *c)
{
    struct isa_cmd r = { .funct = ISA_CONFIG };

    r.rs1 = ISA_CONFIG_EX | put(c->ws, 2, 1) | put(c->act, 3, 2)
        | put(c->only_strides, 7, 1) | put(c->a_transpose, 8, 1)
        | put(c->b_transpose, 9, 1) | put(c->a_stride, 16, 16)
        | float_bits(c->scale) << 32;
    r.rs2 = put(c->shift, 0, 32) | put(c->c_stride, 48, 16);
    return r;
}

struct isa_config_ex
isa_decode_ex(uint64_t rs1, uint64_t rs2)
{
    return (struct isa_config_ex) {
        .ws = get(rs1, 2, 1),
        .act = get(rs1, 3, 2),
        .only_strides = get(rs1, 7, 1),
        .a_transpose = get(rs1, 8, 1),
        .b_transpose = get(rs1, 9, 1),
        .a_stride = get(rs1, 16, 16),
        .c_stride = get(rs2, 48, 16),
        .shift = get(rs2, 0, 32),
        .scale = bits_float(rs1 >> 32),
    };
}

struct isa_cmd
isa_encode_ld(const struct isa_config_ld *c)
{
    struct isa_cmd r = { .funct = ISA_CONFIG };

    r.rs1 = ISA_CONFIG_LD | put(c->shrink, 2, 1) | put(c->state, 3, 2)
        | put(c->repeats, 8, 8) | put(c->block_stride, 16, 16)
        | float_bits(c->scale) << 32;
    r.rs2 = c->stride;
    return r;
}

struct isa_config_ld
isa_decode_ld(uint64_t rs1, uint64_t rs2)
{
    return (struct isa_config_ld) {
        .shrink = get(rs1, 2, 1),
        .state = get(rs1, 3, 2),
        .repeats = get(rs1, 8, 8),
        .block_stride = get(rs1, 16, 16),
        .scale = bits_float(rs1 >> 32),
        .stride = rs2,
    };
}

struct isa_cmd
isa_encode_st(const struct isa_config_st *c)
{
    struct isa_cmd r = { .funct = ISA_CONFIG };
    uint64_t scale = c->keep_scale ? UINT32_MAX : float_bits(c->scale);

    r.rs1 = ISA_CONFIG_ST | put(c->act, 2, 2) | put(c->pool_stride, 4, 2)
        | put(c->pool_size, 6, 2) | put(c->upad, 8, 2) | put(c->lpad, 10, 2)
        | put(c->pool_out_dim, 24, 8) | put(c->porows, 32, 8)
        | put(c->pocols, 40, 8) | put(c->orows, 48, 8) | put(c->ocols, 56, 8);
    r.rs2 = c->stride | scale << 32;
    return r;
}

struct isa_config_st
isa_decode_st(uint64_t rs1, uint64_t rs2)
{
    return (struct isa_config_st) {
        .act = get(rs1, 2, 2),
        .pool_stride = get(rs1, 4, 2),
        .pool_size = get(rs1, 6, 2),
        .upad = get(rs1, 8, 2),
        .lpad = get(rs1, 10, 2),
        .pool_out_dim = get(rs1, 24, 8),
        .porows = get(rs1, 32, 8),
        .pocols = get(rs1, 40, 8),
        .orows = get(rs1, 48, 8),
        .ocols = get(rs1, 56, 8),
        .stride = (uint32_t)rs2,
        .scale = bits_float(rs2 >> 32),
        .keep_scale = rs2 >> 32 == UINT32_MAX,
    };
}

/* ---- text */

/* "sp:12", "acc+:0", "-" for garbage. */
static void
laddr_text(uint32_t a, char *buf, size_t n)
{
    if (a == ISA_GARBAGE)
        snprintf(buf, n, "-");
    else if (a & ISA_ACC)
        snprintf(buf, n, "acc%s%s:%" PRIu32, a & ISA_ACCUMULATE ? "+" : "",
            a & ISA_FULL ? "f" : "", a & 0x1fffffffu);
    else
        snprintf(buf, n, "sp:%" PRIu32, a);
}

static void
operand_text(uint64_t op, char *buf, size_t n)
{
    char at[24];

    laddr_text(isa_laddr(op), at, sizeof at);
    snprintf(buf, n, "%s %ux%u", at, isa_rows(op), isa_cols(op));
}

static void
config_text(const struct isa_cmd *c, char *buf, size_t n)
{
    struct isa_config_ex ex = isa_decode_ex(c->rs1, c->rs2);
    struct isa_config_ld ld = isa_decode_ld(c->rs1, c->rs2);
    struct isa_config_st st = isa_decode_st(c->rs1, c->rs2);
    char scale[24] = "kept";

    switch (c->rs1 & 3) {
    case ISA_CONFIG_EX:
        snprintf(buf, n, "config ex %s act %u strides a %u c %u shift %u%s%s%s",
            ex.ws ? "ws" : "os", ex.act, ex.a_stride, ex.c_stride, ex.shift,
            ex.a_transpose ? " at" : "", ex.b_transpose ? " bt" : "",
            ex.only_strides ? " only-strides" : "");
        break;
    case ISA_CONFIG_LD:
        snprintf(buf, n, "config ld%u stride %" PRIu64 " block %u scale %.9g%s"
            " repeats %u", ld.state, ld.stride, ld.block_stride,
            (double)ld.scale, ld.shrink ? " shrink" : "", ld.repeats);
        break;
    case ISA_CONFIG_ST:
        if (!st.keep_scale)
            snprintf(scale, sizeof scale, "%.9g", (double)st.scale);
        snprintf(buf, n, "config st stride %" PRIu32 " scale %s act %u"
            " pool %u/%u pads %u,%u out %ux%u pitch %u in %ux%u", st.stride,
            scale, st.act, st.pool_size, st.pool_stride, st.upad, st.lpad,
            st.porows, st.pocols, st.pool_out_dim, st.orows, st.ocols);
        break;
    default:
        snprintf(buf, n, "config norm 0x%" PRIx64 " 0x%" PRIx64, c->rs1, c->rs2);
    }
}

void
isa_text(const struct isa_cmd *c, char *buf, size_t n)
{
    const char *name = isa_name(c->funct);
    char one[64], two[64];

    operand_text(c->rs1, one, sizeof one);
    operand_text(c->rs2, two, sizeof two);
    switch (c->funct) {
    case ISA_CONFIG:
        config_text(c, buf, n);
        break;
    case ISA_MVIN:
    case ISA_MVIN2:
    case ISA_MVIN3:
        snprintf(buf, n, "%s 0x%" PRIx64 " -> %s", name, c->rs1, two);
        break;
    case ISA_MVOUT:
        snprintf(buf, n, "%s %s -> 0x%" PRIx64, name, two, c->rs1);
        break;
    case ISA_PRELOAD:
        snprintf(buf, n, "%s %s, c %s", name, one, two);
        break;
    case ISA_COMPUTE_FLIP:
    case ISA_COMPUTE_STAY:
        snprintf(buf, n, "%s %s, d %s", name, one, two);
        break;
    default:
        if (name)
            snprintf(buf, n, "%s 0x%" PRIx64 " 0x%" PRIx64, name, c->rs1, c->rs2);
        else
            snprintf(buf, n, "funct %u 0x%" PRIx64 " 0x%" PRIx64, c->funct,
                c->rs1, c->rs2);
    }
}
