/* String map in insertion order (uthash inside).  Keys are copied. */
#ifndef BASE_MAP_H
#define BASE_MAP_H
#include <stddef.h>

struct arena;
struct map;

struct map *map_new(struct arena *a);
void map_free(struct map *m);                              /* the table; keys stay in the arena */
void *map_get(const struct map *m, const char *key);       /* NULL: not there */
void map_set(struct map *m, const char *key, void *value); /* replaces */
int map_count(const struct map *m);

/* In order of first insertion; the callback must not change the map. */
void map_each(const struct map *m, void (*f)(const char *key, void *value, void *ctx), void *ctx);

#endif
