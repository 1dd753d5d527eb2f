/* Growable arrays in an arena: struct { T *at; int n, cap; } by VEC(T).  Old
 * storage stays in the arena until it is dropped. */
#ifndef BASE_VEC_H
#define BASE_VEC_H
#include <string.h>

#include "src/base/arena.h"

#define VEC(T) struct { T *at; int n, cap; }

#define vec_push(a, v, x) \
    do { \
        if ((v)->n == (v)->cap) \
            (v)->at = vec_grow((a), (v)->at, (v)->n, &(v)->cap, sizeof *(v)->at); \
        (v)->at[(v)->n++] = (x); \
    } while (0)

static inline void *
vec_grow(struct arena *a, const void *old, int n, int *cap, size_t each)
{
    int want = *cap ? *cap * 2 : 8;
    void *p = arena_array(a, (size_t)want, each);

    if (n)
        memcpy(p, old, (size_t)n * each);
    *cap = want;
    return p;
}

#endif
