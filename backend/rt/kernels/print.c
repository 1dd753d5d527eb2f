/* printf for the console and for buffers, and the few functions of <stdlib.h>.
 * Numbers beyond 2^63 print as such with %f; no locale, no files, no %n. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gm_rt.h"

struct sink {
    char *to;                        /* NULL: the console */
    size_t room, n;                  /* n: characters given so far */
};

struct spec {
    bool left, zero, plus, space, alt;
    int width, precision;            /* precision -1: none */
    int size;                        /* -2 hh, -1 h, 0, 1 l and longer */
};

static void
put(struct sink *s, char c)
{
    if (!s->to)
        gm_putchar(c);
    else if (s->n + 1 < s->room)
        s->to[s->n] = c;
    s->n++;
}

static void
pad(struct sink *s, char c, int n)
{
    while (n-- > 0)
        put(s, c);
}

/* A number or a text: sign or prefix, zeros, body, all in a field. */
static void
field(struct sink *s, const struct spec *f, const char *prefix, int zeros, const char *body, int n)
{
    int all = (int)strlen(prefix) + (zeros > 0 ? zeros : 0) + n;

    if (!f->left && !f->zero)
        pad(s, ' ', f->width - all);
    while (*prefix)
        put(s, *prefix++);
    if (!f->left && f->zero)
        pad(s, '0', f->width - all);
    pad(s, '0', zeros);
    for (int i = 0; i < n; i++)
        put(s, body[i]);
    if (f->left)
        pad(s, ' ', f->width - all);
}

/* Digits at the end of buf; where they begin. */
static char *
digits(uint64_t x, unsigned base, bool upper, char *end)
{
    const char *d = upper ? "0123456789ABCDEF" : "0123456789abcdef";

    do
        *--end = d[x % base];
    while (x /= base);
    return end;
}

static void
integer(struct sink *s, struct spec f, uint64_t x, bool negative, char conv)
{
    char buf[32], *end = buf + sizeof buf, *p;
    unsigned base = conv == 'o' ? 8 : conv == 'x' || conv == 'X' || conv == 'p' ? 16 : 10;
    const char *prefix = negative ? "-" : f.plus ? "+" : f.space ? " " : "";

    if (conv == 'p' || (f.alt && base == 16 && x))
        prefix = conv == 'X' ? "0X" : "0x";
    p = digits(x, base, conv == 'X', end);
    if (f.precision == 0 && !x)
        p = end;
    if (f.precision >= 0)
        f.zero = false;
    field(s, &f, prefix, f.precision - (int)(end - p), p, (int)(end - p));
}

/* The decimals of x, 0 <= x < 2^63, to the nearest, ties to even; `whole` gets what is
 * before the point.  The product's own rounding error decides what looks like a tie. */
static uint64_t
decimals(double x, uint64_t scale, uint64_t *whole)
{
    double part, product, rest;
    uint64_t n;

    *whole = (uint64_t)x;
    part = x - (double)*whole;
    product = part * (double)scale;
    n = (uint64_t)product;
    rest = product - (double)n - 0.5;
    if (rest == 0)
        rest = __builtin_fma(part, (double)scale, -product);
    if (rest > 0 || (rest == 0 && ((scale > 1 ? n : *whole) & 1)))
        n++;
    if (n >= scale) {
        ++*whole;
        n -= scale;
    }
    return n;
}

static void
real(struct sink *s, struct spec f, double x)
{
    char buf[48], *end = buf + sizeof buf, *p = end;
    int places = f.precision < 0 ? 6 : f.precision > 15 ? 15 : f.precision;
    bool negative = __builtin_signbit(x);
    const char *prefix = negative ? "-" : f.plus ? "+" : f.space ? " " : "";
    uint64_t whole, part, scale = 1;

    x = negative ? -x : x;
    if (x != x || x >= 9223372036854775808.0) {
        f.zero = false;
        field(s, &f, x != x ? "" : prefix, 0, x != x ? "nan" : x > 1.7e308 ? "inf" : "huge",
            x != x || x > 1.7e308 ? 3 : 4);
        return;
    }
    for (int i = 0; i < places; i++)
        scale *= 10;
    part = decimals(x, scale, &whole);
    if (places || f.alt) {
        for (int i = 0; i < places; i++, part /= 10)
            *--p = (char)('0' + part % 10);
        *--p = '.';
    }
    p = digits(whole, 10, false, p);
    field(s, &f, prefix, 0, p, (int)(end - p));
}

static void
text(struct sink *s, struct spec f, const char *t)
{
    int n = 0;

    if (!t)
        t = "(null)";
    while ((f.precision < 0 || n < f.precision) && t[n])
        n++;
    f.zero = false;
    field(s, &f, "", 0, t, n);
}

static const char *
number(const char *p, int *n, va_list *args)
{
    if (*p == '*') {
        *n = va_arg(*args, int);
        return p + 1;
    }
    for (*n = 0; *p >= '0' && *p <= '9'; p++)
        *n = *n * 10 + (*p - '0');
    return p;
}

static const char *
parse(const char *p, struct spec *f, va_list *args)
{
    *f = (struct spec) { .precision = -1 };
    for (;; p++) {
        if (*p == '-')
            f->left = true;
        else if (*p == '0')
            f->zero = true;
        else if (*p == '+')
            f->plus = true;
        else if (*p == ' ')
            f->space = true;
        else if (*p == '#')
            f->alt = true;
        else
            break;
    }
    p = number(p, &f->width, args);
    if (f->width < 0) {
        f->left = true;
        f->width = -f->width;
    }
    if (*p == '.')
        p = number(p + 1, &f->precision, args);
    for (; *p == 'l' || *p == 'h' || *p == 'z' || *p == 'j' || *p == 't'; p++)
        f->size = *p == 'h' ? f->size - 1 : 1;
    return p;
}

static void
signed_integer(struct sink *s, const struct spec *f, va_list *args, char conv)
{
    int64_t x = f->size > 0 ? va_arg(*args, long) : va_arg(*args, int);

    x = f->size == -2 ? (signed char)x : f->size == -1 ? (short)x : x;
    integer(s, *f, x < 0 ? -(uint64_t)x : (uint64_t)x, x < 0, conv);
}

static void
unsigned_integer(struct sink *s, struct spec *f, va_list *args, char conv)
{
    uint64_t x = f->size > 0 ? va_arg(*args, unsigned long) : va_arg(*args, unsigned);

    x = f->size == -2 ? (unsigned char)x : f->size == -1 ? (unsigned short)x : x;
    f->plus = f->space = false;
    integer(s, *f, x, false, conv);
}

static const char *
conversion(struct sink *s, const char *p, va_list *args)
{
    struct spec f;
    char c;

    p = parse(p, &f, args);
    switch (*p) {
    case 'd': case 'i':
        signed_integer(s, &f, args, *p);
        break;
    case 'u': case 'x': case 'X': case 'o':
        unsigned_integer(s, &f, args, *p);
        break;
    case 'p':
        integer(s, f, (uint64_t)(uintptr_t)va_arg(*args, void *), false, 'p');
        break;
    case 'f': case 'F': case 'e': case 'g':
        real(s, f, va_arg(*args, double));
        break;
    case 's':
        text(s, f, va_arg(*args, const char *));
        break;
    case 'c':
        c = (char)va_arg(*args, int);
        f.zero = false;
        field(s, &f, "", 0, &c, 1);
        break;
    case 0:
        return p;
    default:
        put(s, *p);
    }
    return p + 1;
}

static int
print(struct sink *s, const char *format, va_list args)
{
    va_list own;

    va_copy(own, args);
    while (*format)
        if (*format != '%')
            put(s, *format++);
        else
            format = conversion(s, format + 1, &own);
    va_end(own);
    if (s->to && s->room)
        s->to[s->n < s->room ? s->n : s->room - 1] = 0;
    return (int)s->n;
}

int
vprintf(const char *format, va_list args)
{
    struct sink s = { 0 };

    return print(&s, format, args);
}

int
printf(const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vprintf(format, args);
    va_end(args);
    return n;
}

int
vsnprintf(char *to, size_t n, const char *format, va_list args)
{
    char none[1];
    struct sink s = { n ? to : none, n, 0 };

    return print(&s, format, args);
}

int
snprintf(char *to, size_t n, const char *format, ...)
{
    va_list args;
    int r;

    va_start(args, format);
    r = vsnprintf(to, n, format, args);
    va_end(args);
    return r;
}

int
sprintf(char *to, const char *format, ...)
{
    va_list args;
    int r;

    va_start(args, format);
    r = vsnprintf(to, SIZE_MAX, format, args);
    va_end(args);
    return r;
}

int
putchar(int c)
{
    gm_putchar(c);
    return (unsigned char)c;
}

int
puts(const char *s)
{
    while (*s)
        gm_putchar(*s++);
    gm_putchar('\n');
    return 0;
}
