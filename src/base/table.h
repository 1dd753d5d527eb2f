/* Text tables with aligned columns, and the same rows as CSV. */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H
struct arena;
struct out;
struct table;

/* heads: one per column; a leading '>' aligns the column right. */
struct table *table_new(struct arena *a, int columns, const char *const *heads);
void table_cell(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void table_print(const struct table *t, struct out *o); /* two spaces between, no trailing blanks */
void table_csv(const struct table *t, struct out *o);   /* RFC 4180 quoting where needed */

#endif
