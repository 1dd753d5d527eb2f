/* One million commands, to see how fast the way from program to device model is. */
#include <stdio.h>

#include "gm_rt.h"

static int8_t tile[16][16] __attribute__((aligned(64)));

int
main(void)
{
    gm_fence();
    gm_config_ex(1);
    gm_config_ld(0, 16, 16, 0);
    gm_mvin(tile, gm_rc(16, 16, 0));
    gm_mvin(tile, gm_rc(16, 16, 4096));
    gm_layer(0);
    gm_preload(gm_rc(16, 16, 4096), gm_rc(16, 16, GM_ACC));
    gm_compute_preloaded(gm_rc(16, 16, 0), gm_rc(16, 16, GM_GARBAGE));
    for (int i = 1; i < 500000; i++) {
        gm_preload(gm_rc(16, 16, GM_GARBAGE), gm_rc(16, 16, GM_ACC));
        gm_compute_accumulated(gm_rc(16, 16, 0), gm_rc(16, 16, GM_GARBAGE));
    }
    gm_fence();
    gm_layer(-1);
    printf("done\n");
    return 0;
}
