/* Words of text IR: from bytes that may be anything.  Control characters and zero
 * bytes stand nowhere, not even inside strings. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ir/parse_lex.h"
#include "src/base/arena.h"
#include "src/base/diag.h"
#include "src/base/str.h"

void
lex_start(struct lex *l, const char *text, size_t len)
{
    l->p = text;
    l->end = text + len;
    l->line = l->at = 1;
    lex_next(l);
}

bool
lex_fail(struct lex *l, const char *fmt, ...)
{
    struct place_ref at = { .file = l->file, .line = l->at };
    va_list ap;

    if (!l->failed) {
        va_start(ap, fmt);
        diag_error(l->diag, &at, "ir-syntax", "%s", arena_vprintf(l->arena, fmt, ap));
        va_end(ap);
    }
    l->failed = true;
    l->kind = LEX_END;
    l->text = "";
    l->len = 0;
    return false;
}

static bool
is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
        || (c && strchr("_./-+", c));
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* After a backslash; 0: not an escape. */
static char
escape(struct lex *l)
{
    size_t left = (size_t)(l->end - l->p);

    if (left >= 1 && (*l->p == '"' || *l->p == '\\'))
        return *l->p++;
    if (left >= 3 && *l->p == 'x') {
        int hi = hex_digit(l->p[1]), lo = hex_digit(l->p[2]);
        l->p += 3;
        return hi < 0 || lo < 0 ? 0 : (char)(hi * 16 + lo);
    }
    return 0;
}

/* From after the opening quote. */
static void
scan_string(struct lex *l)
{
    const char *stop = l->p;
    char *s;
    size_t n = 0;

    while (stop < l->end && *stop != '"')
        stop += *stop == '\\' && stop + 1 < l->end ? 2 : 1;
    s = arena_alloc(l->arena, (size_t)(stop - l->p) + 1);
    while (l->p < l->end && *l->p != '"') {
        unsigned char c = (unsigned char)*l->p++;
        if (c < 32 || c == 127) {
            lex_fail(l, "a string that does not end on its line, or with a control character");
            return;
        }
        if (c == '\\' && !(c = (unsigned char)escape(l))) {
            lex_fail(l, "an unknown escape in a string; there are \\\\, \\\" and \\xHH");
            return;
        }
        s[n++] = (char)c;
    }
    if (l->p == l->end) {
        lex_fail(l, "a string that does not end");
        return;
    }
    l->p++;
    l->text = s;
    l->len = n;
}

static void
scan_word(struct lex *l)
{
    const char *from = l->p;

    while (l->p < l->end && is_word(*l->p)) {
        if (*l->p == '-' && l->p + 1 < l->end && l->p[1] == '>')
            break;
        l->p++;
    }
    l->len = (size_t)(l->p - from);
    l->text = arena_strndup(l->arena, from, l->len);
}

static void
skip_space(struct lex *l)
{
    while (l->p < l->end) {
        if (*l->p == '#') {
            while (l->p < l->end && *l->p != '\n')
                l->p++;
        } else if (*l->p == '\n') {
            l->line++;
            l->p++;
        } else if (*l->p == ' ' || *l->p == '\t' || *l->p == '\r') {
            l->p++;
        } else {
            break;
        }
    }
}

void
lex_next(struct lex *l)
{
    l->kind = LEX_END;
    l->text = "";
    l->len = 0;
    if (l->failed)
        return;
    skip_space(l);
    l->at = l->line;
    if (l->p == l->end)
        return;
    l->kind = LEX_PUNCT;
    l->punct = *l->p;
    if (*l->p == '"') {
        l->kind = LEX_STRING;
        l->p++;
        scan_string(l);
    } else if (*l->p == '%') {
        l->kind = LEX_VALUE;
        l->p++;
        if (l->p < l->end && *l->p == '"') {
            l->p++;
            scan_string(l);
        } else {
            scan_word(l);
        }
        if (!l->failed && !l->len)
            lex_fail(l, "a value without a name");
    } else if (is_word(*l->p) && !(l->end - l->p > 1 && l->p[0] == '-' && l->p[1] == '>')) {
        l->kind = LEX_WORD;
        scan_word(l);
    } else if (*l->p && strchr("()[]{},:=<>-?", *l->p)) {
        l->p++;
    } else {
        lex_fail(l, "a byte %#x that has no meaning here", (unsigned)(unsigned char)*l->p);
    }
}

const char *
lex_seen(const struct lex *l)
{
    static const char *const marks[] = { "", "'", "\"", "'%" };
    size_t n = l->len > 40 ? 40 : l->len;

    if (l->kind == LEX_END)
        return "the end";
    if (l->kind == LEX_PUNCT)
        return arena_printf(l->arena, "'%c'", l->punct);
    return arena_printf(l->arena, "%s%.*s%s%c", marks[l->kind], (int)n, l->text,
        n < l->len ? ".." : "", marks[l->kind][0]);
}

bool
lex_is(const struct lex *l, char punct)
{
    return l->kind == LEX_PUNCT && l->punct == punct;
}

bool
lex_accept(struct lex *l, char punct)
{
    if (!lex_is(l, punct))
        return false;
    lex_next(l);
    return true;
}

bool
lex_expect(struct lex *l, char punct)
{
    if (lex_accept(l, punct))
        return true;
    return lex_fail(l, "'%c' is wanted, not %s", punct, lex_seen(l));
}

bool
lex_is_word(const struct lex *l, const char *word)
{
    return l->kind == LEX_WORD && !strcmp(l->text, word);
}

bool
lex_accept_word(struct lex *l, const char *word)
{
    if (!lex_is_word(l, word))
        return false;
    lex_next(l);
    return true;
}

const char *
lex_string(struct lex *l, const char *what)
{
    const char *s = l->text;

    if (l->kind != LEX_STRING) {
        lex_fail(l, "%s in quotes is wanted, not %s", what, lex_seen(l));
        return "";
    }
    lex_next(l);
    return s;
}

const char *
lex_name(struct lex *l, const char *what)
{
    const char *s = l->text;

    if (l->kind != LEX_STRING && l->kind != LEX_WORD) {
        lex_fail(l, "%s is wanted, not %s", what, lex_seen(l));
        return "";
    }
    lex_next(l);
    return s;
}

bool
lex_int(struct lex *l, int64_t least, int64_t greatest, int64_t *out)
{
    *out = 0;
    if (l->kind != LEX_WORD || !str_i64(l->text, out))
        return lex_fail(l, "a whole number is wanted, not %s", lex_seen(l));
    if (*out < least || *out > greatest)
        return lex_fail(
            l, "%s is not between %lld and %lld", l->text, (long long)least, (long long)greatest);
    lex_next(l);
    return true;
}

bool
lex_real(struct lex *l, bool single, double *out)
{
    char *end;

    *out = 0;
    if (l->kind != LEX_WORD)
        return lex_fail(l, "a number is wanted, not %s", lex_seen(l));
    *out = single ? (double)strtof(l->text, &end) : strtod(l->text, &end);
    if (end == l->text || *end)
        return lex_fail(l, "a number is wanted, not %s", lex_seen(l));
    lex_next(l);
    return true;
}
