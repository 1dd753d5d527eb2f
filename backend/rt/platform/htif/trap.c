/* The mailbox, and reports of traps that trap.S does not settle.  Prints without
 * printf, which may be what trapped. */
#include "gm_rt.h"

#define AT(field, offset) \
    _Static_assert(offsetof(struct gm_mailbox, field) == (offset), #field)
AT(device, 16);
AT(port, 64);
AT(port[0].word, 64);
AT(port[0].rs1, 72);
AT(port[0].rs2, 80);
AT(port[0].result, 88);
AT(port[0].pc, 96);
AT(port[0].cycles, 104);
AT(port[0].bell, 120);
AT(port[1], 128);

extern const char gm_handler_first[], gm_handler_last[];
_Noreturn void gm_trap_report(uint64_t cause, uint64_t pc, uint64_t value, const uint64_t *regs);

#define PORT { .layer = UINT64_MAX }
volatile struct gm_mailbox gm_mailbox __attribute__((aligned(64), section(".data.gm_mailbox"))) = {
    .magic = GM_MAILBOX_MAGIC,
    .version = GM_MAILBOX_VERSION,
    .harts = GM_MAILBOX_HARTS,
    .handler_first = (uint64_t)gm_handler_first,
    .handler_last = (uint64_t)gm_handler_last,
    .port = { PORT, PORT, PORT, PORT, PORT, PORT, PORT, PORT,
              PORT, PORT, PORT, PORT, PORT, PORT, PORT, PORT },
};

static const char *const causes[] = {
    "instruction address misaligned", "instruction access fault", "illegal instruction",
    "breakpoint", "load address misaligned", "load access fault", "store address misaligned",
    "store access fault", "environment call", "environment call", "environment call",
    "environment call", "instruction page fault", "load page fault", 0, "store page fault",
};

static void
text(const char *s)
{
    while (*s)
        gm_putchar(*s++);
}

static void
hex(uint64_t x)
{
    int digits = 1;

    while (digits < 16 && x >> (4 * digits))
        digits++;
    text("0x");
    while (digits--)
        gm_putchar("0123456789abcdef"[x >> (4 * digits) & 15]);
}

static void
decimal(uint64_t x)
{
    if (x >= 10)
        decimal(x / 10);
    gm_putchar('0' + (int)(x % 10));
}

static int
is_command(uint64_t cause, uint64_t pc, uint64_t value)
{
    if (cause != 2)
        return 0;
    if (!value)
        value = *(const uint16_t *)pc;
    return (value & 0x7f) == 0x7b;
}

_Noreturn void
gm_trap_report(uint64_t cause, uint64_t pc, uint64_t value, const uint64_t *regs)
{
    static volatile int again;
    uint64_t hart = gm_hart(), layer = gm_mailbox.port[hart].layer;

    if (again++)
        gm_exit(GM_EXIT_TRAP);
    gm_mailbox.end = GM_EXIT_TRAP;
    if (is_command(cause, pc, value)) {
        text("no Gemmini here: run it with gemmcc-run, Spike or Gemmini hardware\n");
        gm_mailbox.end = GM_EXIT_NO_DEVICE;
        gm_exit(GM_EXIT_NO_DEVICE);
    }
    gm_mailbox.trap = pc;
    text("trap: ");
    text(cause < sizeof causes / sizeof *causes && causes[cause] ? causes[cause] : "unknown");
    text(" (cause ");
    hex(cause);
    text(") at ");
    hex(pc);
    text(", value ");
    hex(value);
    text(", ra ");
    hex(regs[1]);
    text(", sp ");
    hex(regs[2]);
    text(", hart ");
    decimal(hart);
    if (layer != UINT64_MAX) {
        text(", layer ");
        decimal(layer);
    }
    gm_putchar('\n');
    gm_exit(GM_EXIT_TRAP);
}
