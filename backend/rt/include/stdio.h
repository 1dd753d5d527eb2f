/* What bare-metal programs use of <stdio.h>: the console. */
#ifndef GM_STDIO_H
#define GM_STDIO_H
#include <stdarg.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* %d %i %u %x %X %o %c %s %p %f %%, with - 0 + space #, width, precision, and
 * hh h l ll z j t.  %e and %g print as %f does. */
int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int vprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));
int snprintf(char *to, size_t n, const char *format, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *to, size_t n, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
int sprintf(char *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
int puts(const char *s);
int putchar(int c);

#ifdef __cplusplus
}
#endif
#endif
