/* Console and exit through HTIF: two words that the simulator or the host behind
 * the debug port watches.  Nothing but putchar and exit: the system call proxy does
 * not work everywhere. */
#include "gm_rt.h"

extern volatile uint64_t tohost, fromhost;

void
gm_putchar(int c)
{
    while (tohost)
        fromhost = 0;
    tohost = UINT64_C(1) << 56 | UINT64_C(1) << 48 | (uint8_t)c;
    while (tohost)
        fromhost = 0;
    fromhost = 0;
}

_Noreturn void
gm_exit(int code)
{
    gm_fence();
    while (tohost)
        fromhost = 0;
    tohost = (uint64_t)(uint32_t)code << 1 | 1;
    for (;;)
        __asm__ volatile("wfi");
}
