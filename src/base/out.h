/* Text and bytes on their way to a file: collected in a temporary beside the
 * target, renamed into place by out_close only if everything was written, removed
 * otherwise.  "-" is standard output. */
#ifndef BASE_OUT_H
#define BASE_OUT_H
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct diag;
struct out;

struct out *out_open(const char *path, struct diag *d); /* NULL after a diagnostic */
struct out *out_memory(struct arena *a);                /* kept in memory: out_text */
const char *out_text(const struct out *o, size_t *len); /* of out_memory, 0-terminated */

void out_printf(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void out_vprintf(struct out *o, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
void out_puts(struct out *o, const char *s);
void out_bytes(struct out *o, const void *p, size_t n);
void out_zeros(struct out *o, size_t n);
/* Every line that starts from now on is indented by four more (or fewer) spaces. */
void out_indent(struct out *o, int by);
uint64_t out_pos(const struct out *o);

/* Writes what is buffered; false after a diagnostic, then only out_discard may follow.
 * For several files of which all or none are to appear. */
bool out_sync(struct out *o);
bool out_close(struct out *o);   /* false after a diagnostic (disk full): nothing is left behind */
void out_discard(struct out *o); /* gives up: nothing is left behind */
/* Removes temporaries of every open out; async-signal-safe, for handlers. */
void out_remove_all(void);

#endif
