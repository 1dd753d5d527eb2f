/* Runs the files named once each: what a fuzz target does where there is no
 * libFuzzer.  Options of libFuzzer are passed over. */
#include <stdio.h>
#include <stdlib.h>

#include "test/fuzz/fuzz.h"

static int
replay(const char *path)
{
    FILE *f = fopen(path, "rb");
    size_t n = 0, cap = 4096;
    uint8_t *p = malloc(cap);

    if (!f || !p) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return 1;
    }
    for (size_t k; (k = fread(p + n, 1, cap - n, f)) > 0;) {
        n += k;
        if (n == cap) {
            uint8_t *q = realloc(p, cap *= 2);
            if (!q)
                return 1;
            p = q;
        }
    }
    fclose(f);
    /* A block of exactly this size, so that sanitizers see its end. */
    uint8_t *exact = realloc(p, n ? n : 1);
    LLVMFuzzerTestOneInput(exact ? exact : p, n);
    free(exact ? exact : p);
    return 0;
}

int
main(int argc, char **argv)
{
    int bad = 0;

    for (int i = 1; i < argc; i++)
        if (argv[i][0] != '-')
            bad += replay(argv[i]);
    return bad != 0;
}
