/* Memory functions that the compiler calls by itself, and strings.  Eight bytes at a
 * time where both sides allow it: the core needs a cycle or more per access whatever
 * its size. */
#include <stddef.h>
#include <stdint.h>

#include <string.h>

/* Or the compiler turns the loops below into calls of what they are to be. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

typedef uint64_t word __attribute__((may_alias));

static int
both_aligned(const void *a, const void *b)
{
    return (((uintptr_t)a | (uintptr_t)b) & 7) == 0;
}

/* Brings `to` to a word boundary when `from` gets there at the same time. */
static size_t
lead_in(const void *to, const void *from, size_t n)
{
    size_t k = -(uintptr_t)to & 7;

    if ((((uintptr_t)to ^ (uintptr_t)from) & 7) != 0)
        return 0;
    return k < n ? k : n;
}

void *
memcpy(void *restrict to, const void *restrict from, size_t n)
{
    uint8_t *d = to;
    const uint8_t *s = from;

    for (size_t k = lead_in(d, s, n); k; k--, n--)
        *d++ = *s++;
    if (both_aligned(d, s)) {
        for (; n >= 32; n -= 32, d += 32, s += 32) {
            word a = ((const word *)s)[0], b = ((const word *)s)[1];
            word c = ((const word *)s)[2], e = ((const word *)s)[3];
            ((word *)d)[0] = a;
            ((word *)d)[1] = b;
            ((word *)d)[2] = c;
            ((word *)d)[3] = e;
        }
        for (; n >= 8; n -= 8, d += 8, s += 8)
            *(word *)d = *(const word *)s;
    }
    while (n--)
        *d++ = *s++;
    return to;
}

void *
memmove(void *to, const void *from, size_t n)
{
    uint8_t *d = to;
    const uint8_t *s = from;

    if (d <= s || d >= s + n)
        return d == s ? to : memcpy(to, from, n);
    d += n;
    s += n;
    if ((((uintptr_t)d ^ (uintptr_t)s) & 7) == 0) {
        for (; n && ((uintptr_t)d & 7); n--)
            *--d = *--s;
        for (; n >= 8; n -= 8) {
            d -= 8;
            s -= 8;
            *(word *)d = *(const word *)s;
        }
    }
    while (n--)
        *--d = *--s;
    return to;
}

void *
memset(void *to, int byte, size_t n)
{
    uint8_t *d = to;
    uint64_t w = (uint64_t)(uint8_t)byte * UINT64_C(0x0101010101010101);

    for (; n && ((uintptr_t)d & 7); n--)
        *d++ = (uint8_t)byte;
    for (; n >= 32; n -= 32, d += 32) {
        ((word *)d)[0] = w;
        ((word *)d)[1] = w;
        ((word *)d)[2] = w;
        ((word *)d)[3] = w;
    }
    for (; n >= 8; n -= 8, d += 8)
        *(word *)d = w;
    while (n--)
        *d++ = (uint8_t)byte;
    return to;
}

int
memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *p = a, *q = b;

    if (both_aligned(p, q))
        for (; n >= 8 && *(const word *)p == *(const word *)q; n -= 8) {
            p += 8;
            q += 8;
        }
    for (; n; n--, p++, q++)
        if (*p != *q)
            return *p < *q ? -1 : 1;
    return 0;
}

size_t
strlen(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}

int
strcmp(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

int
strncmp(const char *a, const char *b, size_t n)
{
    for (; n && *a && *a == *b; n--) {
        a++;
        b++;
    }
    return n ? (unsigned char)*a - (unsigned char)*b : 0;
}

char *
strcpy(char *restrict to, const char *restrict from)
{
    char *d = to;

    while ((*d++ = *from++))
        ;
    return to;
}

char *
strncpy(char *restrict to, const char *restrict from, size_t n)
{
    size_t i = 0;

    for (; i < n && from[i]; i++)
        to[i] = from[i];
    for (; i < n; i++)
        to[i] = 0;
    return to;
}

char *
strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c)
            return (char *)(uintptr_t)s;
        if (!*s)
            return NULL;
    }
}
