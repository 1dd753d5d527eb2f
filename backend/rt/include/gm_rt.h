/* The runtime of programs for the array: its commands, fences and marks, what a
 * compiled model tells about its tensors, and the harts.  Bare metal RV64, machine
 * mode.  Commands keep the compiler from moving memory accesses across them; only
 * a fence makes the array's work visible to the core, and the core's to the array. */
#ifndef GM_RT_H
#define GM_RT_H
#include <stddef.h>
#include <stdint.h>

#include "src/machine/mailbox.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what functions of a compiled model return */
enum {
    GM_E_ARGUMENT = -1,              /* a pointer is null or not aligned */
    GM_E_DEVICE = -2                 /* there is no array */
};

/* ---- local addresses and operands */
#define GM_ACC        UINT64_C(0x80000000)
#define GM_ACCUMULATE UINT64_C(0x40000000)
#define GM_FULL       UINT64_C(0x20000000)
#define GM_GARBAGE    UINT64_C(0xffffffff)
#define GM_ONE        UINT64_C(0x3f800000)       /* bits of 1.0f */
enum { GM_NONE, GM_RELU };                       /* activations */

static inline uint64_t
gm_rc(uint64_t rows, uint64_t cols, uint64_t local)
{
    return rows << 48 | cols << 32 | local;
}

/* ---- commands.  The function number must be a constant. */
#define gm_cmd(funct, rs1, rs2) \
    __asm__ volatile(".insn r 0x7b, 3, %0, x0, %1, %2" \
        : : "i"(funct), "r"((uint64_t)(rs1)), "r"((uint64_t)(rs2)) : "memory")
#define gm_cmd_rd(rd, funct, rs1, rs2) \
    __asm__ volatile(".insn r 0x7b, 7, %1, %0, %2, %3" \
        : "=r"(rd) : "i"(funct), "r"((uint64_t)(rs1)), "r"((uint64_t)(rs2)) : "memory")

#define gm_mvin2(address, operand)            gm_cmd(1, address, operand)
#define gm_mvin(address, operand)             gm_cmd(2, address, operand)
#define gm_mvout(address, operand)            gm_cmd(3, address, operand)
#define gm_compute_preloaded(a, d)            gm_cmd(4, a, d)
#define gm_compute_accumulated(a, d)          gm_cmd(5, a, d)
#define gm_preload(b, c)                      gm_cmd(6, b, c)
#define gm_mvin3(address, operand)            gm_cmd(14, address, operand)
#define gm_flush()                            gm_cmd(7, 0, 0)

/* Weight-stationary, C stride 1, no activation on the way to the scratchpad. */
static inline void
gm_config_ex(uint64_t a_stride)
{
    gm_cmd(0, GM_ONE << 32 | a_stride << 16 | 1 << 2, UINT64_C(1) << 48);
}

/* state: 0, 1, 2 for mvin, mvin2, mvin3.  shrink: elements into the accumulator. */
static inline void
gm_config_ld(uint64_t state, uint64_t stride, uint64_t block_stride, uint64_t shrink)
{
    gm_cmd(0, GM_ONE << 32 | block_stride << 16 | 1 << 8 | state << 3 | shrink << 2 | 1, stride);
}

/* scale: the bits of a float. */
static inline void
gm_config_st(uint64_t stride, uint64_t scale, uint64_t act)
{
    gm_cmd(0, act << 2 | 2, scale << 32 | (uint32_t)stride);
}

/* fields: rs1 of the command, pooling and activation. */
static inline void
gm_config_pool(uint64_t stride, uint64_t scale, uint64_t fields)
{
    gm_cmd(0, fields, scale << 32 | (uint32_t)stride);
}

/* rd of a COUNTER command; rs1 as gemmini-isa says. */
static inline uint64_t
gm_counter(uint64_t rs1)
{
    uint64_t r;

    gm_cmd_rd(r, 126, rs1, 0);
    return r;
}

/* ---- what the device model, if there is one, is told */
extern volatile struct gm_mailbox gm_mailbox;
void gm_ring(uint64_t bell, uint64_t rs1);       /* trap.S */

static inline uint64_t
gm_hart(void)
{
    uint64_t h;

    __asm__ volatile("csrr %0, mhartid" : "=r"(h));
    return h;
}

static inline void
gm_bell(uint64_t bell, uint64_t rs1)
{
    if (gm_mailbox.device)
        gm_ring(bell, rs1);
}

/* Waits until the array is idle and orders its memory accesses and the core's. */
static inline void
gm_fence(void)
{
    __asm__ volatile("fence" : : : "memory");
    gm_bell(GM_BELL_FENCE, 0);
}

/* Layer n begins; -1: the last has ended. */
static inline void
gm_layer(int64_t n)
{
    gm_mailbox.port[gm_hart()].layer = (uint64_t)n;
    gm_bell(GM_BELL_LAYER, (uint64_t)n);
}

/* The core's clock; modelled time where there is a device model. */
static inline uint64_t
gm_cycles(void)
{
    uint64_t c;

    gm_bell(GM_BELL_CYCLES, 0);
    __asm__ volatile("rdcycle %0" : "=r"(c) : : "memory");
    return c;
}

/* ---- tensors */
#define GM_RANK 8

struct gm_tensor {
    const char *name;
    const char *type;                /* "int8" */
    int32_t rank, bytes;             /* bytes of one element */
    int64_t dim[GM_RANK];            /* in the model's order */
    int64_t pitch[GM_RANK];          /* bytes from one index to the next */
    int64_t first;                   /* offset of element [0, 0, ...] */
    float scale;                     /* real = scale * (stored - zero) */
    int32_t zero;
};

/* zlib's CRC-32; begin with 0. */
uint32_t gm_crc32(uint32_t crc, const void *p, size_t n);
/* Of the elements in the model's order, without halo and padding. */
uint32_t gm_tensor_crc32(const struct gm_tensor *t, const void *data);
/* out NAME TYPE [SHAPE] crc32 XXXXXXXX */
void gm_print_output(const struct gm_tensor *t, const void *data);

/* ---- harts.  A hart takes one piece of work at a time; both sides wait in wfi. */
void gm_hart_start(int hart, void (*work)(void *), void *argument);
void gm_hart_join(int hart);

/* ---- platform */
void gm_putchar(int c);
__attribute__((noreturn)) void gm_exit(int code);

#ifdef __cplusplus
}
#endif
#endif
