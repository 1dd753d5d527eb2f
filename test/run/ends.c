/* The ways a program can end.  `mode` is written into the file by the runner. */
#include <stdio.h>

#include "gm_rt.h"

volatile char mode = '0';
static volatile int *volatile nowhere = (volatile int *)0x40;
static char tile[256] __attribute__((aligned(64)));

int
main(void)
{
    puts("begins");
    gm_layer(5);
    switch (mode) {
    case '1':                        /* a store where nothing is */
        *nowhere = 1;
        break;
    case '2':                        /* never */
        for (;;)
            __asm__ volatile("");
    case '3':                        /* rows that nobody wrote */
        gm_config_st(16, GM_ONE, GM_NONE);
        gm_mvout(tile, gm_rc(16, 16, 0));
        gm_fence();
        break;
    case '4':                        /* memory that is not there */
        gm_config_ld(0, 16, 16, 0);
        gm_mvin((uint64_t)0x7f000000, gm_rc(16, 16, 0));
        break;
    case '5':                        /* an instruction that nobody knows */
        __asm__ volatile(".word 0");
        break;
    }
    puts("went on");
    return 9;
}
