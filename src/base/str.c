/* String helpers that more than one folder needs.  Bytes, not characters: names in
 * models are UTF-8 and pass through unchanged. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/str.h"

/* Longest text the edit distance looks at; longer ones are never near. */
#define NEAR_MAX 64

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool
str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool
str_ends(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);

    return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

char *
str_ident(struct arena *a, const char *s)
{
    size_t n = strlen(s);
    char *id = arena_alloc(a, n + 2), *p = id;

    if (n == 0 || is_digit(s[0]))
        *p++ = '_';
    for (size_t i = 0; i < n; i++)
        *p++ = s[i];
    for (p = id; *p; p++)
        if (!is_alnum(*p))
            *p = '_';
    return id;
}

/* Edit distance with swaps of neighbours (optimal string alignment): a transposed
 * pair is the commonest slip on a keyboard. */
static int
distance(const char *s, const char *t)
{
    int n = (int)strlen(s), m = (int)strlen(t);
    int row[3][NEAR_MAX + 1];
    int *before = row[0], *last = row[1], *now = row[2];

    for (int j = 0; j <= m; j++)
        last[j] = j;
    for (int i = 1; i <= n; i++) {
        now[0] = i;
        for (int j = 1; j <= m; j++) {
            int d = last[j - 1] + (s[i - 1] != t[j - 1]);
            if (last[j] + 1 < d)
                d = last[j] + 1;
            if (now[j - 1] + 1 < d)
                d = now[j - 1] + 1;
            if (i > 1 && j > 1 && s[i - 1] == t[j - 2] && s[i - 2] == t[j - 1]
                && before[j - 2] + 1 < d)
                d = before[j - 2] + 1;
            now[j] = d;
        }
        int *free_row = before;
        before = last;
        last = now;
        now = free_row;
    }
    return last[m];
}

const char *
str_nearest(const char *s, const char *const *list)
{
    size_t n = strlen(s);
    const char *best = NULL;
    int best_d = 0;

    if (n == 0 || n > NEAR_MAX)
        return NULL;
    for (; *list; list++) {
        size_t m = strlen(*list);
        if (m == 0 || m > NEAR_MAX)
            continue;
        int d = distance(s, *list);
        /* One slip in three letters, and never a whole different word. */
        int limit = (int)(n > m ? n : m) / 3;
        if (limit < 1)
            limit = 1;
        if (d > limit || (size_t)d >= m || (size_t)d >= n)
            continue;
        if (!best || d < best_d) {
            best = *list;
            best_d = d;
        }
    }
    return best;
}

char *
str_thousands(struct arena *a, uint64_t n)
{
    char digits[24], out[32], *p = out + sizeof out;
    int len = snprintf(digits, sizeof digits, "%" PRIu64, n);

    *--p = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && i % 3 == 0)
            *--p = ',';
        *--p = digits[len - 1 - i];
    }
    return arena_strdup(a, p);
}

bool
str_i64(const char *s, int64_t *out)
{
    char *end;

    if (!*s || is_space(*s))
        return false;
    const char *digits = s + (*s == '-' || *s == '+');
    if (!is_digit(*digits))
        return false;
    /* Base 10 or 16; a leading 0 is no octal number in files people write. */
    int base = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') ? 16 : 10;
    errno = 0;
    long long v = strtoll(s, &end, base);
    if (errno || *end)
        return false;
    *out = v;
    return true;
}

/* No locale is ever set by our programs, so strtod reads a point. */
bool
str_f64(const char *s, double *out)
{
    char *end;

    if (!*s || is_space(*s))
        return false;
    double v = strtod(s, &end);
    if (*end || end == s || isnan(v) || isinf(v))
        return false;
    *out = v;
    return true;
}

bool
str_size(const char *s, int64_t *out)
{
    static const char suffix[] = "kKmMgG";
    char number[32];
    size_t n = strlen(s);
    const char *at = n ? strchr(suffix, s[n - 1]) : NULL;

    if (n >= sizeof number)
        return false;
    if (!at)
        return str_i64(s, out);
    memcpy(number, s, n - 1);
    number[n - 1] = 0;
    int64_t v, unit = (int64_t)1 << 10 * (1 + (at - suffix) / 2);
    if (!str_i64(number, &v))
        return false;
    return !__builtin_mul_overflow(v, unit, out);
}

/* Linear in practice: only the last star is ever returned to. */
bool
str_match(const char *pattern, const char *s)
{
    const char *star = NULL, *back = NULL;

    while (*s) {
        if (*pattern == '*') {
            star = ++pattern;
            back = s;
        } else if (*pattern == '?' || *pattern == *s) {
            pattern++;
            s++;
        } else if (star) {
            pattern = star;
            s = ++back;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == 0;
}
