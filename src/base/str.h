/* Small string helpers. */
#ifndef BASE_STR_H
#define BASE_STR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
/* A C identifier made of any text: other characters become '_', a leading digit
 * gets one before it.  Never empty. */
char *str_ident(struct arena *a, const char *s);
/* The name in list (NULL-terminated) nearest to s by edit distance, or NULL when
 * none is near enough to be a misspelling. */
const char *str_nearest(const char *s, const char *const *list);
/* "1,234,567" in the arena. */
char *str_thousands(struct arena *a, uint64_t n);
/* Whole-string numbers; false on anything left over or out of range.  Sizes take
 * K, M, G suffixes (powers of 1024). */
bool str_i64(const char *s, int64_t *out);
bool str_f64(const char *s, double *out);
bool str_size(const char *s, int64_t *out);
/* Shell pattern with * and ?. */
bool str_match(const char *pattern, const char *s);

#endif
