/* Where every hart begins.  Hart 0 clears .bss and runs main; the others wait in
 * wfi until a software interrupt (msip) finds work in gm_work, so that a run is the
 * same every time: nothing spins.  Refuses harts that have no port in the mailbox;
 * they sleep for good. */
#define HARTS     16            /* GM_MAILBOX_HARTS */
#define CLINT     0x02000000    /* msip of hart h is at CLINT + 4 * h */
#define SAVE      2048          /* bytes of a hart's trap area */
#define DEVICE    16            /* offset of `device` in struct gm_mailbox */
#define WORK      32            /* bytes of one struct work, see below */

    .section .text.start, "ax", @progbits
    .globl _start
    .type _start, @function
_start:
    /* FS for floating point; XS because the core refuses custom instructions
     * without it; VS is the program's own business. */
    li t0, 0x1e000
    csrs mstatus, t0
    csrw fcsr, zero
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la t0, gm_trap
    csrw mtvec, t0

    csrr s0, mhartid
    li t0, HARTS
    bgeu s0, t0, sleep
    la t0, gm_save
    li t1, SAVE
    mul t1, t1, s0
    add t0, t0, t1
    csrw mscratch, t0

    la sp, __stacks
    lui t0, %hi(__stack_bytes)  /* a number, out of reach of la */
    addi t0, t0, %lo(__stack_bytes)
    addi t1, s0, 1
    mul t0, t0, t1
    add sp, sp, t0

    /* The boot ROM may have left its own wake-up behind. */
    li s1, CLINT
    slli t0, s0, 2
    add s1, s1, t0
    sw zero, 0(s1)
    csrwi mie, 8                /* msip ends wfi; mstatus.MIE stays 0 */
    bnez s0, others

    la t0, __bss_start
    la t1, __bss_end
1:  bgeu t0, t1, 2f
    sd zero, 0(t0)
    addi t0, t0, 8
    j 1b
2:
    /* With a device model the cycle counter shows modelled time: it stands still
     * and is written after every command. */
    la t0, gm_mailbox
    ld t0, DEVICE(t0)
    beqz t0, 3f
    csrsi 0x320, 1              /* mcountinhibit.CY */
    csrw mcycle, zero
3:  li a0, 0
    li a1, 0
    call main
    call exit

    /* Work: { function, argument, done, hart to wake }.  Looked for before every wfi
     * and after clearing msip, so no wake-up is lost. */
others:
    la t0, gm_mailbox
    ld t0, DEVICE(t0)
    beqz t0, 1f
    csrsi 0x320, 1
1:  la s2, gm_work
    li t0, WORK
    mul t0, t0, s0
    add s2, s2, t0
look:
    sw zero, 0(s1)
    fence
    ld t0, 0(s2)
    bnez t0, work
    wfi
    j look
work:
    ld a0, 8(s2)
    sd zero, 0(s2)
    jalr t0
    fence
    li t0, 1
    sd t0, 16(s2)
    fence
    ld t0, 24(s2)
    slli t0, t0, 2
    li t1, CLINT
    add t0, t0, t1
    li t1, 1
    sw t1, 0(t0)
    j look

sleep:
    csrw mie, zero
1:  wfi
    j 1b
    .size _start, . - _start

    /* In .data: hart 0 clears .bss while others already look here. */
    .section .data.gm_work, "aw", @progbits
    .globl gm_work
    .type gm_work, @object
    .balign 64
gm_work:
    .zero HARTS * WORK
    .size gm_work, . - gm_work

    /* The console's two words have a page of their own: what shares a page with a
     * device is slow under QEMU. */
    .section .tohost, "aw", @progbits
    .balign 4096
    .globl tohost
    .type tohost, @object
    .size tohost, 8
tohost:
    .dword 0
    .globl fromhost
    .type fromhost, @object
    .size fromhost, 8
fromhost:
    .dword 0
    .balign 4096
