/* Text tables and CSV.  Cells are kept as given; widths count characters, not
 * bytes, so that UTF-8 names line up. */
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/out.h"
#include "src/base/table.h"
#include "src/base/vec.h"

struct table {
    struct arena *arena;
    int columns;
    const char **heads;
    bool *right;
    VEC(const char *) cells;         /* row by row */
};

struct table *
table_new(struct arena *a, int columns, const char *const *heads)
{
    struct table *t = NEW(a, struct table);

    t->arena = a;
    t->columns = columns;
    t->heads = NEWN(a, const char *, columns);
    t->right = NEWN(a, bool, columns);
    for (int i = 0; i < columns; i++) {
        t->right[i] = heads[i][0] == '>';
        t->heads[i] = arena_strdup(a, heads[i] + t->right[i]);
    }
    return t;
}

void
table_cell(struct table *t, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    const char *s = arena_vprintf(t->arena, fmt, ap);
    va_end(ap);
    vec_push(t->arena, &t->cells, s);
}

static int
width(const char *s)
{
    int n = 0;

    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

/* A name from a file may hold control characters; a table on a terminal may not. */
static void
put_clean(struct out *o, const char *s)
{
    for (; *s; s++) {
        char c = (unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s;
        out_bytes(o, &c, 1);
    }
}

static void
pad(struct out *o, int n)
{
    if (n > 0)
        out_printf(o, "%*s", n, "");
}

static void
print_row(const struct table *t, const int *widths, const char *const *cells, int n,
    struct out *o)
{
    int owed = 0;                    /* blanks that only a further cell makes real */

    for (int i = 0; i < n; i++) {
        int gap = widths[i] - width(cells[i]);
        if (i > 0)
            owed += 2;
        if (t->right[i])
            owed += gap;
        if (cells[i][0]) {
            pad(o, owed);
            owed = 0;
            put_clean(o, cells[i]);
        } else {
            owed += width(cells[i]);
        }
        if (!t->right[i])
            owed += gap;
    }
    out_puts(o, "\n");
}

void
table_print(const struct table *t, struct out *o)
{
    int *widths = NEWN(t->arena, int, t->columns);

    for (int i = 0; i < t->columns; i++)
        widths[i] = width(t->heads[i]);
    for (int i = 0; i < t->cells.n; i++) {
        int w = width(t->cells.at[i]), c = i % t->columns;
        if (w > widths[c])
            widths[c] = w;
    }
    print_row(t, widths, t->heads, t->columns, o);
    for (int i = 0; i < t->cells.n; i += t->columns) {
        int n = t->cells.n - i < t->columns ? t->cells.n - i : t->columns;
        print_row(t, widths, t->cells.at + i, n, o);
    }
}

static void
csv_field(const char *s, struct out *o)
{
    if (!strpbrk(s, ",\"\r\n")) {
        out_bytes(o, s, strlen(s));
        return;
    }
    out_bytes(o, "\"", 1);
    for (; *s; s++) {
        if (*s == '"')
            out_bytes(o, "\"", 1);
        out_bytes(o, s, 1);
    }
    out_bytes(o, "\"", 1);
}

void
table_csv(const struct table *t, struct out *o)
{
    for (int i = 0; i < t->columns; i++) {
        out_bytes(o, ",", i > 0);
        csv_field(t->heads[i], o);
    }
    out_bytes(o, "\n", 1);
    for (int i = 0; i < t->cells.n; i++) {
        int c = i % t->columns;
        out_bytes(o, ",", c > 0);
        csv_field(t->cells.at[i], o);
        if (c == t->columns - 1 || i == t->cells.n - 1)
            out_bytes(o, "\n", 1);
    }
}
