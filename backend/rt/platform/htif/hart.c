/* Work for other harts: a slot each, a software interrupt to wake them, wfi to wait.
 * Never a spin: runs have to be repeatable under simulators. */
#include "gm_rt.h"

struct work {
    void (*function)(void *);
    void *argument;
    uint64_t done, waker;            /* waker: the hart that waits for it */
};
extern volatile struct work gm_work[GM_MAILBOX_HARTS];   /* start.S */

static volatile uint32_t *
msip(uint64_t hart)
{
    return (volatile uint32_t *)(UINT64_C(0x02000000) + 4 * hart);
}

void
gm_hart_start(int hart, void (*work)(void *), void *argument)
{
    volatile struct work *w = &gm_work[hart];

    w->argument = argument;
    w->done = 0;
    w->waker = gm_hart();
    __asm__ volatile("fence" : : : "memory");
    w->function = work;
    __asm__ volatile("fence" : : : "memory");
    *msip((uint64_t)hart) = 1;
}

void
gm_hart_join(int hart)
{
    for (;;) {
        *msip(gm_hart()) = 0;
        __asm__ volatile("fence" : : : "memory");
        if (gm_work[hart].done)
            return;
        __asm__ volatile("wfi");
    }
}
