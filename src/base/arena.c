/* The arena: a chain of zeroed chunks, filled from the front.  It never moves or
 * frees a single piece; it refuses to return NULL. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"

#define ALIGN 16
#define FIRST_CHUNK ((size_t)16 * 1024)
#define LARGEST_CHUNK ((size_t)1024 * 1024)

struct chunk {
    struct chunk *next;
    size_t used, size;
    _Alignas(ALIGN) char bytes[];
};

struct arena {
    struct chunk *head;              /* the one being filled */
    size_t next_size;
};

static _Noreturn void
no_memory(size_t bytes)
{
    fprintf(stderr, "gemmcc: out of memory (%zu bytes asked for)\n", bytes);
    abort();
}

struct arena *
arena_new(void)
{
    struct arena *a = calloc(1, sizeof *a);

    if (!a)
        no_memory(sizeof *a);
    a->next_size = FIRST_CHUNK;
    return a;
}

void
arena_free(struct arena *a)
{
    if (!a)
        return;
    for (struct chunk *c = a->head, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(a);
}

static struct chunk *
chunk_new(size_t size)
{
    if (size > SIZE_MAX / 2)
        no_memory(size);
    struct chunk *c = calloc(1, sizeof *c + size);
    if (!c)
        no_memory(size);
    c->size = size;
    return c;
}

void *
arena_alloc(struct arena *a, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        no_memory(bytes);
    /* One byte at least, so that two allocations never share an address. */
    size_t need = bytes ? (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1) : ALIGN;
    struct chunk *c = a->head;

    if (c && c->size - c->used >= need) {
        void *p = c->bytes + c->used;
        c->used += need;
        return p;
    }
    /* A large piece gets a chunk of its own behind the head, whose rest stays. */
    if (need > a->next_size / 2) {
        c = chunk_new(need);
        c->used = need;
        if (a->head) {
            c->next = a->head->next;
            a->head->next = c;
        } else {
            a->head = c;
        }
        return c->bytes;
    }
    c = chunk_new(a->next_size);
    if (a->next_size < LARGEST_CHUNK)
        a->next_size *= 2;
    c->next = a->head;
    c->used = need;
    a->head = c;
    return c->bytes;
}

void *
arena_array(struct arena *a, size_t n, size_t each)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, each, &bytes))
        no_memory(SIZE_MAX);
    return arena_alloc(a, bytes);
}

void *
arena_dup(struct arena *a, const void *p, size_t bytes)
{
    void *q = arena_alloc(a, bytes);

    if (bytes)
        memcpy(q, p, bytes);
    return q;
}

char *
arena_strdup(struct arena *a, const char *s)
{
    return arena_dup(a, s, strlen(s) + 1);
}

char *
arena_strndup(struct arena *a, const char *s, size_t n)
{
    n = strnlen(s, n);
    char *q = arena_alloc(a, n + 1);         /* zeroed: ends itself */
    memcpy(q, s, n);
    return q;
}

char *
arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
    char small[256];
    va_list again;

    va_copy(again, ap);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    if (n < 0)
        n = 0;
    char *s = arena_alloc(a, (size_t)n + 1);
    if ((size_t)n < sizeof small)
        memcpy(s, small, (size_t)n);
    else
        vsnprintf(s, (size_t)n + 1, fmt, again);
    va_end(again);
    return s;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    char *s = arena_vprintf(a, fmt, ap);
    va_end(ap);
    return s;
}
