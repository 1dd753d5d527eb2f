/* What program and device model share under QEMU: one struct at symbol gm_mailbox.
 * Layout in bytes is part of the ELF contract (design.md 4.4); both sides include
 * this file, so it is freestanding.  All words little-endian. */
#ifndef MACHINE_MAILBOX_H
#define MACHINE_MAILBOX_H
#include <stdint.h>

#define GM_MAILBOX_MAGIC   0x30584f424c494147ull /* "GAILBOX0" as bytes */
#define GM_MAILBOX_VERSION 1
#define GM_MAILBOX_HARTS   16

/* Doorbell values: the store to `bell` is what the device model sees.  It answers with 0
 * there; where it does not, other harts are behind in modelled time: the handler lets
 * them run and rings again. */
enum gm_bell {
    GM_BELL_HEARD = 0,
    GM_BELL_COMMAND = 1,             /* word, rs1, rs2 hold a command; result comes back */
    GM_BELL_FENCE = 2,               /* the core waits until the array is idle */
    GM_BELL_LAYER = 3,               /* rs1: number of the layer that begins; -1: the last has ended */
    GM_BELL_CYCLES = 4               /* bring `cycles` up to date */
};

/* Exit codes of a program that could not do its work. */
enum gm_exit_code {
    GM_EXIT_TRAP = 91,               /* a trap that nobody expected */
    GM_EXIT_NO_DEVICE = 92,          /* a command, but no array and no device model */
    GM_EXIT_RULE = 93                /* the device model ended the run: a rule was broken */
};

struct gm_port {                     /* per hart, 64 bytes */
    uint64_t word;                   /* instruction word of the command */
    uint64_t rs1, rs2;
    uint64_t result;                 /* rd of COUNTER */
    uint64_t pc;                     /* of the command */
    uint64_t cycles;                 /* modelled time, written by the device model */
    uint64_t layer;                  /* running layer, for trap messages; -1: none */
    uint64_t bell;                   /* written last; the answer */
};

struct gm_mailbox {
    uint64_t magic;                  /* by the program, at link time */
    uint32_t version, harts;
    uint64_t device;                 /* 0: nobody signed; else GM_MAILBOX_MAGIC by the device model */
    uint64_t handler_first, handler_last; /* addresses of the trap handler: not counted */
    uint64_t end;                    /* enum gm_exit_code before such an exit; else 0 */
    uint64_t trap;                   /* then: address of the code that trapped */
    uint64_t reserved;
    struct gm_port port[GM_MAILBOX_HARTS];
};

#endif
