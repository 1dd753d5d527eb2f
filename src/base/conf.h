/* Ini files: [section], key = value, ; and # comments.  Keeps line numbers, order
 * and repeated sections.  Used by targets and by .gm.meta. */
#ifndef BASE_CONF_H
#define BASE_CONF_H
#include <stdbool.h>
#include <stddef.h>

struct arena;
struct diag;

struct conf_key { const char *key, *value; int line; };
struct conf_section { const char *name; int line; struct conf_key *keys; int nkey; };
struct conf { const char *file; struct conf_section *sections; int nsection; };

/* NULL after diagnostics (ids conf-syntax, conf-size).  text need not end in 0. */
struct conf *conf_parse(struct arena *a, struct diag *d, const char *file, const char *text, size_t len);
/* The last value of section.key, or NULL. */
const char *conf_get(const struct conf *c, const char *section, const char *key);
const char *conf_in(const struct conf_section *s, const char *key);
/* A value as it has to be written: in quotes, escaped, when it would not read back. */
const char *conf_quote(struct arena *a, const char *value);

#endif
