/* Encoding, decoding and disassembly of the array's commands.  The bit layouts are
 * those of gemmini-isa.md sections 2 to 7; one command is (funct7, rs1, rs2). */
#ifndef MACHINE_ISA_H
#define MACHINE_ISA_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ISA_OPCODE 0x7bu                     /* custom-3 */

enum isa_funct {
#define I(id, funct, name, cls, doc) ISA_##id = funct,
#include "src/machine/isa.def"
#undef I
};
enum isa_class { ISA_CLASS_LOAD, ISA_CLASS_EXEC, ISA_CLASS_STORE, ISA_CLASS_CTRL };

struct isa_cmd { uint8_t funct; uint64_t rs1, rs2; };

const char *isa_name(unsigned funct);        /* NULL: undefined */
enum isa_class isa_class(unsigned funct);    /* CTRL for undefined ones */
unsigned isa_funct_of(uint32_t word);        /* funct7 of an instruction word */
uint32_t isa_word(unsigned funct);           /* the word with registers zero, funct3 3 or 7 */

/* Local addresses (section 3). */
#define ISA_ACC        0x80000000u           /* accumulator */
#define ISA_ACCUMULATE 0x40000000u           /* add to old contents (writes) */
#define ISA_FULL       0x20000000u           /* unscaled (mvout) */
#define ISA_GARBAGE    0xffffffffu

/* Operand "rows cols local-address" shared by moves, preloads and computes. */
static inline uint64_t isa_operand(uint32_t laddr, unsigned rows, unsigned cols)
{
    return (uint64_t)rows << 48 | (uint64_t)cols << 32 | laddr;
}
static inline uint32_t isa_laddr(uint64_t op) { return (uint32_t)op; }
static inline unsigned isa_rows(uint64_t op) { return (unsigned)(op >> 48); }
static inline unsigned isa_cols(uint64_t op) { return (unsigned)(op >> 32 & 0xffff); }

enum isa_config { ISA_CONFIG_EX, ISA_CONFIG_LD, ISA_CONFIG_ST, ISA_CONFIG_NORM };

struct isa_config_ex {
    bool ws; unsigned act; bool only_strides, a_transpose, b_transpose;
    unsigned a_stride, c_stride, shift; float scale;
};
struct isa_config_ld {
    bool shrink; unsigned state, repeats, block_stride; float scale; uint64_t stride;
};
struct isa_config_st {
    unsigned act, pool_stride, pool_size, upad, lpad, pool_out_dim, porows, pocols, orows, ocols;
    uint32_t stride; float scale; bool keep_scale;
};

struct isa_cmd isa_encode_ex(const struct isa_config_ex *c);
struct isa_cmd isa_encode_ld(const struct isa_config_ld *c);
struct isa_cmd isa_encode_st(const struct isa_config_st *c);
struct isa_config_ex isa_decode_ex(uint64_t rs1, uint64_t rs2);
struct isa_config_ld isa_decode_ld(uint64_t rs1, uint64_t rs2);
struct isa_config_st isa_decode_st(uint64_t rs1, uint64_t rs2);

/* One line of text, e.g. "mvin 0x81000000 -> sp:0 16x64". */
void isa_text(const struct isa_cmd *c, char *buf, size_t n);

#endif
