/* Memory of one compilation: allocated piece by piece, dropped at once.
 * Allocation failure prints and aborts; nothing else below the driver does. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H
#include <stdarg.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a);                 /* NULL is fine */
void *arena_alloc(struct arena *a, size_t bytes); /* zeroed, aligned to 16 */
void *arena_dup(struct arena *a, const void *p, size_t bytes);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* One zeroed object, or an array of n, of type T. */
#define NEW(a, T) ((T *)arena_alloc((a), sizeof(T)))
#define NEWN(a, T, n) ((T *)arena_array((a), (size_t)(n), sizeof(T)))
void *arena_array(struct arena *a, size_t n, size_t each); /* checks n * each */

#endif
