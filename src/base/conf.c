/* Ini files.  A line is [section], key = value, a comment or empty.  A comment runs
 * from ; or # at the start of a line or after a blank.  A value in double quotes
 * may hold anything: \" \\ \n \t \xNN.  No continuation lines, no nesting, no
 * substitution.  Keys before the first section are in a section named "". */
#include <stdint.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/conf.h"
#include "src/base/diag.h"
#include "src/base/vec.h"

#define CONF_MAX ((size_t)64 * 1024 * 1024)
/* A file that is no ini file at all is not worth a thousand messages. */
#define ERRORS_MAX 20

struct parser {
    struct arena *arena;
    struct diag *diag;
    struct place_ref at;
    int errors;
    VEC(struct conf_section) sections;
    VEC(struct conf_key) keys;       /* of the last section */
};

static bool
blank(char c)
{
    return c == ' ' || c == '\t';
}

static char *
trim(struct arena *a, const char *s, const char *end)
{
    while (s < end && blank(*s))
        s++;
    while (end > s && blank(end[-1]))
        end--;
    return arena_strndup(a, s, (size_t)(end - s));
}

static bool
wrong(struct parser *p, const char *what)
{
    p->errors++;
    return diag_error(p->diag, &p->at, "conf-syntax", "%s", what);
}

/* Where the comment of an unquoted line starts, or its end. */
static const char *
comment(const char *s, const char *end)
{
    for (const char *q = s; q < end; q++)
        if ((*q == ';' || *q == '#') && (q == s || blank(q[-1])))
            return q;
    return end;
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* One escape after its backslash; returns the characters used, 0: wrong. */
static int
escape(const char *s, const char *end, char *out)
{
    static const char from[] = "\"\\nt", to[] = "\"\\\n\t";
    const char *k;

    if (s >= end)
        return 0;
    if (*s == 'x' && end - s >= 3 && hex_digit(s[1]) >= 0 && hex_digit(s[2]) >= 0) {
        *out = (char)(hex_digit(s[1]) * 16 + hex_digit(s[2]));
        return *out ? 3 : 0;         /* values end at 0 */
    }
    k = *s ? strchr(from, *s) : NULL;
    if (!k)
        return 0;
    *out = to[k - from];
    return 1;
}

/* s is after the opening quote. */
static const char *
quoted(struct parser *p, const char *s, const char *end)
{
    char *text = arena_alloc(p->arena, (size_t)(end - s) + 1), *w = text;

    while (s < end && *s != '"') {
        if (*s != '\\') {
            *w++ = *s++;
            continue;
        }
        int used = escape(s + 1, end, w);
        if (!used) {
            wrong(p, "unknown escape in a quoted value (known: \\\" \\\\ \\n \\t \\xNN)");
            return NULL;
        }
        s += 1 + used;
        w++;
    }
    if (s >= end) {
        wrong(p, "a quoted value is not closed");
        return NULL;
    }
    s++;
    while (s < end && blank(*s))
        s++;
    if (s < end && *s != ';' && *s != '#') {
        wrong(p, "text after a quoted value");
        return NULL;
    }
    return text;
}

static void
end_section(struct parser *p)
{
    if (p->sections.n == 0)
        return;
    struct conf_section *s = &p->sections.at[p->sections.n - 1];
    s->keys = p->keys.at;
    s->nkey = p->keys.n;
    memset(&p->keys, 0, sizeof p->keys);
}

static void
begin_section(struct parser *p, const char *name)
{
    struct conf_section s = { .name = name, .line = p->at.line };

    end_section(p);
    vec_push(p->arena, &p->sections, s);
}

static bool
section_line(struct parser *p, const char *s, const char *end)
{
    const char *close = memchr(s, ']', (size_t)(end - s));

    if (!close)
        return wrong(p, "'[' without ']'");
    const char *rest = close + 1, *stop = comment(rest, end);
    if (*trim(p->arena, rest, stop))
        return wrong(p, "text after a section name");
    char *name = trim(p->arena, s + 1, close);
    if (!*name)
        return wrong(p, "a section has no name");
    begin_section(p, name);
    return true;
}

static bool
key_line(struct parser *p, const char *s, const char *end)
{
    const char *equals = memchr(s, '=', (size_t)(end - s));
    const char *mark = comment(s, end);

    if (!equals || mark < equals)
        return wrong(p, "expected 'key = value' or '[section]'");
    struct conf_key k = { .key = trim(p->arena, s, equals), .line = p->at.line };
    if (!*k.key)
        return wrong(p, "a value has no key before its '='");
    for (s = equals + 1; s < end && blank(*s);)
        s++;
    if (s < end && *s == '"')
        k.value = quoted(p, s + 1, end);
    else
        k.value = trim(p->arena, s, comment(s, end));
    if (!k.value)
        return false;
    if (p->sections.n == 0)
        begin_section(p, "");
    vec_push(p->arena, &p->keys, k);
    return true;
}

static bool
one_line(struct parser *p, const char *s, const char *end)
{
    if (end > s && end[-1] == '\r')
        end--;
    for (const char *q = s; q < end; q++)
        if ((unsigned char)*q < 0x20 && *q != '\t')
            return wrong(p, "a control character: this is not a text file");
    while (s < end && blank(*s))
        s++;
    if (s == end || *s == ';' || *s == '#')
        return true;
    return *s == '[' ? section_line(p, s, end) : key_line(p, s, end);
}

struct conf *
conf_parse(struct arena *a, struct diag *d, const char *file, const char *text, size_t len)
{
    struct parser p = { .arena = a, .diag = d, .at = { .file = file } };
    const char *end = text + len;

    if (len > CONF_MAX) {
        diag_error(d, &p.at, "conf-size", "%zu bytes are too many for an ini file", len);
        return NULL;
    }
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3;                   /* some editors leave a byte order mark */
    while (text < end && p.errors < ERRORS_MAX) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        if (!stop)
            stop = end;
        p.at.line++;
        one_line(&p, text, stop);
        text = stop + (stop < end);
    }
    end_section(&p);
    if (p.errors)
        return NULL;
    struct conf *c = NEW(a, struct conf);
    c->file = arena_strdup(a, file);
    c->sections = p.sections.at;
    c->nsection = p.sections.n;
    return c;
}

const char *
conf_in(const struct conf_section *s, const char *key)
{
    for (int i = s->nkey - 1; i >= 0; i--)
        if (strcmp(s->keys[i].key, key) == 0)
            return s->keys[i].value;
    return NULL;
}

const char *
conf_get(const struct conf *c, const char *section, const char *key)
{
    for (int i = c->nsection - 1; i >= 0; i--) {
        if (strcmp(c->sections[i].name, section) != 0)
            continue;
        const char *v = conf_in(&c->sections[i], key);
        if (v)
            return v;
    }
    return NULL;
}

static bool
needs_quotes(const char *s)
{
    size_t n = strlen(s);

    if (n == 0)
        return false;
    if (blank(s[0]) || blank(s[n - 1]) || s[0] == '"')
        return true;
    if (comment(s, s + n) != s + n)
        return true;
    for (; *s; s++)
        if ((unsigned char)*s < 0x20)
            return true;
    return false;
}

const char *
conf_quote(struct arena *a, const char *s)
{
    static const char digits[] = "0123456789abcdef";

    if (!needs_quotes(s))
        return s;
    char *q = arena_alloc(a, 4 * strlen(s) + 3), *w = q;
    *w++ = '"';
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\') {
            *w++ = '\\';
            *w++ = (char)c;
        } else if (c < 0x20) {
            *w++ = '\\';
            *w++ = 'x';
            *w++ = digits[c >> 4];
            *w++ = digits[c & 15];
        } else {
            *w++ = (char)c;
        }
    }
    *w = '"';
    return q;
}
