/* Attributes by their table: defaults, text and back; constants as numbers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/attr.h"
#include "ir/elem.h"
#include "ir/ir.h"
#include "src/base/out.h"
#include "src/base/str.h"
#include "src/base/vec.h"

const struct attr_def *
attr_find(const struct op_def *op, const char *name)
{
    for (const struct attr_def *d = op->attrs; d && d->name; d++)
        if (!strcmp(d->name, name))
            return d;
    return NULL;
}

void
attr_defaults(struct arena *a, const struct op_def *op, void *attr)
{
    for (const struct attr_def *d = op->attrs; d && d->name; d++)
        if (d->def && !attr_parse(a, d, attr, d->def))
            BUG("%s: '%s' is no default for attribute %s", op->name, d->def, d->name);
}

/* The shortest text that reads back as the same number. */
const char *
real_text(struct arena *a, double x, bool single)
{
    char s[40];

    if (x != x)
        return "nan";
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(s, sizeof s, "%.*g", digits, x);
        if (single ? strtof(s, NULL) == (float)x : strtod(s, NULL) == x)
            break;
    }
    return arena_strdup(a, s);
}

static const char *
list_text(struct arena *a, const struct ints *k, const struct floats *f)
{
    struct out *o = out_memory(a);
    int n = k ? k->n : f->n;

    out_puts(o, "[");
    for (int i = 0; i < n; i++) {
        out_puts(o, i ? "," : "");
        if (k)
            out_printf(o, "%lld", (long long)k->at[i]);
        else
            out_puts(o, real_text(a, (double)f->at[i], true));
    }
    out_puts(o, "]");
    return out_text(o, NULL);
}

/* The i-th of "A|B|C". */
static const char *
choice_at(struct arena *a, const char *choices, int64_t i)
{
    for (; i > 0; i--) {
        choices = strchr(choices, '|');
        if (!choices)
            return "?";
        choices++;
    }
    return i < 0 ? "?" : arena_strndup(a, choices, strcspn(choices, "|"));
}

static int64_t
choice_of(const char *choices, const char *text)
{
    size_t len = strlen(text);

    for (int64_t i = 0;; i++) {
        size_t n = strcspn(choices, "|");
        if (n == len && !memcmp(choices, text, n))
            return i;
        if (!choices[n])
            return -1;
        choices += n + 1;
    }
}

const char *
attr_text(struct arena *a, const struct attr_def *d, const void *attr)
{
    const void *p = (const char *)attr + d->offset;
    const struct value *v;

    switch (d->kind) {
    case ATTR_INT:
        return arena_printf(a, "%lld", (long long)*(const int64_t *)p);
    case ATTR_BOOL:
        return *(const int64_t *)p ? "1" : "0";
    case ATTR_FLOAT:
        return real_text(a, (double)*(const float *)p, true);
    case ATTR_STRING:
        return *(const char *const *)p ? *(const char *const *)p : "";
    case ATTR_INTS:
        return list_text(a, p, NULL);
    case ATTR_FLOATS:
        return list_text(a, NULL, p);
    case ATTR_ENUM:
        return choice_at(a, d->choices, *(const int64_t *)p);
    case ATTR_TENSOR:
        v = *(const struct value *const *)p;
        return v ? arena_printf(a, "%%%s", v->name) : "";
    }
    return "";
}

static bool
parse_float(const char *s, float *out)
{
    char *end;
    float f = strtof(s, &end);

    if (end == s || *end || strchr(" \t\n", *s))
        return false;
    *out = f;
    return true;
}

/* "[1,2]", "1, 2", "" and "[]". */
static bool
parse_list(struct arena *a, const char *text, struct ints *k, struct floats *f)
{
    size_t len = strlen(text);
    VEC(int64_t) ki = { 0 };
    VEC(float) fi = { 0 };
    char *s, *save = NULL;

    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    s = arena_strndup(a, text, len);
    for (char *p = strtok_r(s, ", ", &save); p; p = strtok_r(NULL, ", ", &save)) {
        int64_t x;
        float y;
        if (k ? !str_i64(p, &x) : !parse_float(p, &y))
            return false;
        if (k)
            vec_push(a, &ki, x);
        else
            vec_push(a, &fi, y);
    }
    if (k)
        *k = (struct ints){ ki.n, ki.at };
    else
        *f = (struct floats){ fi.n, fi.at };
    return true;
}

bool
attr_parse(struct arena *a, const struct attr_def *d, void *attr, const char *text)
{
    void *p = (char *)attr + d->offset;
    int64_t x;

    switch (d->kind) {
    case ATTR_INT:
        return str_i64(text, p);
    case ATTR_BOOL:
        x = choice_of("0|1|false|true", text);
        *(int64_t *)p = x & 1;
        return x >= 0;
    case ATTR_FLOAT:
        return parse_float(text, p);
    case ATTR_STRING:
        *(const char **)p = arena_strdup(a, text);
        return true;
    case ATTR_INTS:
        return parse_list(a, text, p, NULL);
    case ATTR_FLOATS:
        return parse_list(a, text, NULL, p);
    case ATTR_ENUM:
        x = choice_of(d->choices, text);
        if (x >= 0)
            *(int64_t *)p = x;
        return x >= 0;
    case ATTR_TENSOR:
        *(const struct value **)p = NULL;
        return !*text; /* only "none" can be said as text */
    }
    return false;
}

/* Element count of a constant of numbers, -1 if it is none. */
static int64_t
numbers(const struct value *v)
{
    int64_t n;

    if (!v || !v->data || dtype_bits(v->type.dt) == 0 || !shape_known(&v->type.shape))
        return -1;
    n = shape_elems(&v->type.shape);
    return n > INT32_MAX ? -1 : n;
}

bool
value_ints(struct arena *a, const struct value *v, struct ints *out)
{
    int64_t n = numbers(v);
    int64_t *p;

    if (n < 0)
        return false;
    p = NEWN(a, int64_t, n + 1);
    for (int64_t i = 0; i < n; i++)
        p[i] = elem_int(v->type.dt, v->data, i);
    *out = (struct ints){ (int)n, p };
    return true;
}

bool
value_floats(struct arena *a, const struct value *v, struct floats *out)
{
    int64_t n = numbers(v);
    float *p;

    if (n < 0)
        return false;
    p = NEWN(a, float, n + 1);
    for (int64_t i = 0; i < n; i++)
        p[i] = (float)elem_real(v->type.dt, v->data, i);
    *out = (struct floats){ (int)n, p };
    return true;
}
