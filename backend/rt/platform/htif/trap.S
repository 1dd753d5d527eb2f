/* Traps.  A command of the array is an illegal instruction for QEMU: it goes to the
 * device model through the mailbox, as fast as can be, for there are millions.
 * Everything else is reported by trap.c.  Everything between gm_handler_first and
 * gm_handler_last belongs to the simulation, not to the program: the device model
 * neither counts it nor takes time for it, and it sees doorbells only from here. */
#define DEVICE    16            /* offsets in struct gm_mailbox, checked by trap.c */
#define PORTS     64
#define WORD      0
#define RS1       8
#define RS2       16
#define RESULT    24
#define PC        32
#define CYCLES    40
#define BELL      56
#define SAVE      2048          /* a hart's trap area: 32 registers, then its stack */
#define HARTS     16
#define MTIME     0x0200bff8    /* of the CLINT */
#define SSI       2             /* bit of a supervisor's software interrupt, which nobody uses */

    .section .text.trap, "ax", @progbits
    .balign 64
    .globl gm_handler_first
gm_handler_first:

/* The simulator goes on with another hart: a wfi that an interrupt of our own ends. */
    .macro others_run
    csrsi mie, SSI
    csrsi mip, SSI
    wfi
    csrci mip, SSI
    csrci mie, SSI
    .endm

/* void gm_ring(uint64_t bell, uint64_t rs1): tells the device model something and
 * brings the cycle counter up to date.  For gm_rt.h, when a device has signed. */
    .globl gm_ring
    .type gm_ring, @function
gm_ring:
    csrr a2, mhartid
    la a3, gm_mailbox
    slli a2, a2, 6
    add a3, a3, a2
    sd a1, PORTS + RS1(a3)
1:  sd a0, PORTS + BELL(a3)
    ld a2, PORTS + BELL(a3)
    beqz a2, 2f
    others_run
    j 1b
2:  ld a2, PORTS + CYCLES(a3)
    csrw mcycle, a2
    ret
    .size gm_ring, . - gm_ring

    .balign 64
    .globl gm_trap
    .type gm_trap, @function
gm_trap:
    csrrw t6, mscratch, t6
    sd ra, 8(t6)
    sd sp, 16(t6)
    sd gp, 24(t6)
    sd tp, 32(t6)
    sd t0, 40(t6)
    sd t1, 48(t6)
    sd t2, 56(t6)
    sd s0, 64(t6)
    sd s1, 72(t6)
    sd a0, 80(t6)
    sd a1, 88(t6)
    sd a2, 96(t6)
    sd a3, 104(t6)
    sd a4, 112(t6)
    sd a5, 120(t6)
    sd a6, 128(t6)
    sd a7, 136(t6)
    sd s2, 144(t6)
    sd s3, 152(t6)
    sd s4, 160(t6)
    sd s5, 168(t6)
    sd s6, 176(t6)
    sd s7, 184(t6)
    sd s8, 192(t6)
    sd s9, 200(t6)
    sd s10, 208(t6)
    sd s11, 216(t6)
    sd t3, 224(t6)
    sd t4, 232(t6)
    sd t5, 240(t6)
    csrr t0, mscratch
    sd t0, 248(t6)
    csrw mscratch, t6

    csrr t0, mcause
    addi t0, t0, -2
    bnez t0, other
    csrr t1, mepc
    csrr t0, mtval
    bnez t0, 1f
    lhu t0, 0(t1)               /* cores may leave mtval 0 */
    lhu t2, 2(t1)
    slli t2, t2, 16
    or t0, t0, t2
1:  andi t2, t0, 0x7f
    addi t2, t2, -0x7b          /* custom-3 */
    bnez t2, time
    la t3, gm_mailbox
    ld t2, DEVICE(t3)
    beqz t2, other

    csrr t2, mhartid
    slli t2, t2, 6
    add t3, t3, t2
    sd t0, PORTS + WORD(t3)
    sd t1, PORTS + PC(t3)
    addi t1, t1, 4
    csrw mepc, t1
    srli t1, t0, 15 - 3
    andi t1, t1, 31 << 3
    add t1, t1, t6
    ld t1, 0(t1)
    sd t1, PORTS + RS1(t3)
    srli t1, t0, 20 - 3
    andi t1, t1, 31 << 3
    add t1, t1, t6
    ld t1, 0(t1)
    sd t1, PORTS + RS2(t3)
ring:
    li t1, 1                    /* GM_BELL_COMMAND */
    sd t1, PORTS + BELL(t3)
    ld t1, PORTS + BELL(t3)
    bnez t1, again

    ld t1, PORTS + CYCLES(t3)
    csrw mcycle, t1
    slli t1, t0, 63 - 14        /* does it write rd? */
    bltz t1, result
leave:
    ld t0, 40(t6)
    ld t1, 48(t6)
    ld t2, 56(t6)
    ld t3, 224(t6)
    ld t6, 248(t6)
    mret

again:
    others_run
    j ring

    /* rdtime, which this machine may not have: modelled time, else the timer. */
time:
    li t2, 0xfffff07f - 0x100000000
    and t2, t0, t2
    li t3, 0xc0102073
    bne t2, t3, other
    addi t1, t1, 4
    csrw mepc, t1
    la t3, gm_mailbox
    ld t2, DEVICE(t3)
    beqz t2, timer
    csrr t2, mhartid
    slli t2, t2, 6
    add t3, t3, t2
1:  li t1, 4                    /* GM_BELL_CYCLES */
    sd t1, PORTS + BELL(t3)
    ld t1, PORTS + BELL(t3)
    beqz t1, 2f
    others_run
    j 1b
2:  ld t2, PORTS + CYCLES(t3)
    csrw mcycle, t2
    j put
timer:
    li t2, MTIME
    ld t2, 0(t2)
    j put

    /* COUNTER.  Any register may be the one. */
result:
    ld t2, PORTS + RESULT(t3)
put:
    srli t1, t0, 7 - 3
    andi t1, t1, 31 << 3
    beqz t1, leave
    add t1, t1, t6
    sd t2, 0(t1)
    ld ra, 8(t6)
    ld sp, 16(t6)
    ld gp, 24(t6)
    ld tp, 32(t6)
    ld s0, 64(t6)
    ld s1, 72(t6)
    ld a0, 80(t6)
    ld a1, 88(t6)
    ld a2, 96(t6)
    ld a3, 104(t6)
    ld a4, 112(t6)
    ld a5, 120(t6)
    ld a6, 128(t6)
    ld a7, 136(t6)
    ld s2, 144(t6)
    ld s3, 152(t6)
    ld s4, 160(t6)
    ld s5, 168(t6)
    ld s6, 176(t6)
    ld s7, 184(t6)
    ld s8, 192(t6)
    ld s9, 200(t6)
    ld s10, 208(t6)
    ld s11, 216(t6)
    ld t4, 232(t6)
    ld t5, 240(t6)
    j leave
    .size gm_trap, . - gm_trap
    .globl gm_handler_last
gm_handler_last:

    /* The report has a stack of its own: the program's may be what is broken. */
other:
    li t0, SAVE
    add sp, t6, t0
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    csrr a0, mcause
    csrr a1, mepc
    csrr a2, mtval
    mv a3, t6
    call gm_trap_report
1:  wfi
    j 1b

    .section .bss.gm_save, "aw", @nobits
    .balign 64
    .globl gm_save
    .type gm_save, @object
gm_save:
    .zero HARTS * SAVE
    .size gm_save, . - gm_save
