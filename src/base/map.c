/* The string map: uthash keeps insertion order, the arena keeps entries and keys.
 * There is no removal. */
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/map.h"

/* Out of memory is the arena's kind of failure; uthash's own default exits. */
#define uthash_fatal(msg) abort()
/* Its table lives in the arena of `m`, so that a map nobody frees is no leak. */
#define uthash_malloc(bytes) arena_alloc(m->arena, (bytes))
#define uthash_free(p, bytes) ((void)(p))
#include <uthash.h>

struct entry {
    char *key;
    void *value;
    UT_hash_handle hh;
};

struct map {
    struct arena *arena;
    struct entry *entries;
};

struct map *
map_new(struct arena *a)
{
    struct map *m = NEW(a, struct map);

    m->arena = a;
    return m;
}

void
map_free(struct map *m)
{
    if (m)
        HASH_CLEAR(hh, m->entries);
}

static struct entry *
find(const struct map *m, const char *key)
{
    struct entry *e = NULL;

    HASH_FIND_STR(m->entries, key, e);
    return e;
}

void *
map_get(const struct map *m, const char *key)
{
    struct entry *e = find(m, key);

    return e ? e->value : NULL;
}

void
map_set(struct map *m, const char *key, void *value)
{
    struct entry *e = find(m, key);

    if (!e) {
        e = NEW(m->arena, struct entry);
        e->key = arena_strdup(m->arena, key);
        HASH_ADD_KEYPTR(hh, m->entries, e->key, strlen(e->key), e);
    }
    e->value = value;
}

int
map_count(const struct map *m)
{
    return (int)HASH_COUNT(m->entries);
}

void
map_each(const struct map *m, void (*f)(const char *key, void *value, void *ctx), void *ctx)
{
    for (const struct entry *e = m->entries; e; e = e->hh.next)
        f(e->key, e->value, ctx);
}
