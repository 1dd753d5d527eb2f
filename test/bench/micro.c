/* The clock of the device model against figures of single units measured on RTL
 * (test/unit/micro.h), one a line.  Usage: micro [PATTERN] */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "test/unit/micro.h"
#include "test/unit/simtest.h"

int
main(int argc, char **argv)
{
    int n = 0, over = 0;

    for (int i = 0; i < micro_count; i++) {
        const struct micro *m = &micros[i];
        double model, off;
        bool within;

        if (argc > 1 && !strstr(m->what, argv[1]))
            continue;
        model = micro_measure(m);
        off = model - m->rtl;
        within = fabs(off) <= micro_window(m);
        printf("%-5s%-40s model %8.2f  RTL %8.2f  %+7.2f cycles  %+6.1f %%  %s\n", m->section,
            m->what, model, m->rtl, off, 100 * off / m->rtl, within ? "ok" : "OVER");
        over += !within;
        n++;
    }
    sim_close();
    printf("%d figures: %d over 5 %% (one-shot ones: and 6 cycles)\n", n, over);
    return 0;
}
