/* What the runtime gives to programs: printing, strings, counters, modelled time and
 * other harts.  The shell test holds the output against literal text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gm_rt.h"

static char from[300], to[300];
static volatile int64_t sum;

static void
print(void)
{
    char buf[8];

    printf("%d|%5d|%-5d|%05d|%+d|% d|%.3d\n", -42, 42, 42, -42, 42, 42, 7);
    printf("%u|%x|%X|%#x|%o|%lu|%lx\n", 4000000000u, 0xbeefu, 0xbeefu, 255u, 8u,
        18446744073709551615ul, 0x123456789abcul);
    printf("%hhd|%hd|%ld|%lld|%zu\n", 300, 70000, -9223372036854775807l - 1, 5ll, (size_t)9);
    printf("%s|%8s|%-8s|%.2s|%c|%%|%p\n", "abc", "abc", "abc", "abc", 'x', (void *)0x80000000ul);
    printf("%f|%.2f|%8.3f|%-8.1f|%.0f|%f\n", 3.14159265, -0.005, 2.5, 9.96, 1234.5, 1e18);
    printf("%*d|%-*d|%.*f\n", 4, 7, 4, 7, 1, 0.25);
    printf("%d ", snprintf(buf, sizeof buf, "%s", "0123456789"));
    puts(buf);
}

/* Every alignment of both sides, ends included. */
static int
copies(void)
{
    int wrong = 0;

    for (int i = 0; i < 300; i++)
        from[i] = (char)(i * 7 + 1);
    for (int a = 0; a < 9; a++)
        for (int b = 0; b < 9; b++)
            for (int n = 0; n < 80; n++) {
                memset(to, 0x55, sizeof to);
                memcpy(to + a, from + b, (size_t)n);
                for (int i = 0; i < 100; i++) {
                    int in = i >= a && i < a + n;
                    wrong += to[i] != (in ? (char)((b + i - a) * 7 + 1) : 0x55);
                }
                wrong += memcmp(to + a, from + b, (size_t)n) != 0;
                memmove(to + a + 3, to + a, (size_t)n);
                for (int i = 0; i < n; i++)
                    wrong += to[a + 3 + i] != (char)((b + i) * 7 + 1);
            }
    return wrong;
}

/* Through every kind of register: the handler must save, find and restore them. */
static uint64_t
counters(void)
{
    register uint64_t s11 __asm__("s11") = 1, t6 __asm__("t6") = 2, a7 __asm__("a7") = 3;
    uint64_t r = 77;

    __asm__ volatile(".insn r 0x7b, 7, 126, %0, x0, x0\n"
                     ".insn r 0x7b, 7, 126, x0, x0, x0\n"
                     ".insn r 0x7b, 3, 7, x0, x0, x0"
        : "+r"(r), "+r"(s11), "+r"(t6), "+r"(a7) : : "memory");
    return s11 * 100 + t6 * 10 + a7;
}

static void
add(void *p)
{
    for (int64_t i = 0; i < 1000; i++)
        sum += *(int64_t *)p;
}

int
main(void)
{
    uint64_t a, b, c;
    int64_t one = 3;

    print();
    printf("copies wrong %d\n", copies());
    printf("str %d %d %d %zu %s\n", strcmp("a", "b") < 0, strcmp("ab", "ab"), strncmp("abc",
        "abd", 2), strlen("four"), strchr("a=b", '='));
    printf("crc %08x\n", (unsigned)gm_crc32(gm_crc32(0, "1234", 4), "56789", 5));
    printf("counters %ld\n", (long)counters());
    gm_fence();                      /* for `from`, which the core wrote */
    gm_config_ld(0, 16, 16, 0);
    a = gm_cycles();
    for (int i = 0; i < 100; i++)
        gm_mvin(from, gm_rc(16, 16, 16 * (uint64_t)i));
    b = gm_cycles();
    gm_fence();
    c = gm_cycles();
    printf("time %d %d %d\n", a < b, b < c, c - a > 1600 && c - a < 4000);
    gm_hart_start(1, add, &one);
    gm_hart_join(1);
    printf("hart %ld\n", (long)sum);
    return 3;
}
