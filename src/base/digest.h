/* SHA-256 (libmd). */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H
#include <stddef.h>
struct arena;
char *digest_hex(struct arena *a, const void *p, size_t n); /* 64 lower-case hex digits */
#endif
