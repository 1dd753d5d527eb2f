/* What a program says about its outputs at its end: a checksum of the elements in the
 * model's order, so that two simulators or boards can be compared by console text. */
#include <stdio.h>

#include "gm_rt.h"

uint32_t
gm_crc32(uint32_t crc, const void *p, size_t n)
{
    static uint32_t table[256];
    const uint8_t *b = p;

    if (!table[1])
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;
            for (int k = 0; k < 8; k++)
                c = c & 1 ? UINT32_C(0xedb88320) ^ c >> 1 : c >> 1;
            table[i] = c;
        }
    crc = ~crc;
    while (n--)
        crc = table[(crc ^ *b++) & 255] ^ crc >> 8;
    return ~crc;
}

uint32_t
gm_tensor_crc32(const struct gm_tensor *t, const void *data)
{
    const uint8_t *p = (const uint8_t *)data + t->first;
    int64_t at[GM_RANK] = { 0 };
    uint32_t crc = 0;
    int d;

    for (d = 0; d < t->rank; d++)
        if (t->dim[d] < 1)
            return 0;
    for (;;) {
        crc = gm_crc32(crc, p, (size_t)t->bytes);
        for (d = t->rank - 1; d >= 0; d--) {
            p += t->pitch[d];
            if (++at[d] < t->dim[d])
                break;
            p -= t->dim[d] * t->pitch[d];
            at[d] = 0;
        }
        if (d < 0)
            return crc;
    }
}

void
gm_print_output(const struct gm_tensor *t, const void *data)
{
    printf("out %s %s [", t->name, t->type);
    for (int d = 0; d < t->rank; d++)
        printf("%s%ld", d ? "," : "", (long)t->dim[d]);
    printf("] crc32 %08x\n", (unsigned)gm_tensor_crc32(t, data));
}
