/* From an address in a program to a line of its source.  A program that gemmcc made
 * carries a table for its generated C, section [lines] of .gm.meta:
 *   file = NAME.c
 *   ADDRESS = LINE:BYTES LINE:BYTES ...
 * the code that begins at ADDRESS (hexadecimal), each LINE for so many BYTES of it.
 * Other programs may have debugging information. */
#ifndef DRIVER_LINES_H
#define DRIVER_LINES_H
#include <stdbool.h>
#include <stdint.h>

struct arena;
struct conf_section;
struct elf;
struct out;

struct line_run { uint64_t first, last; int line; };   /* code at [first, last) */
struct lines { const char *file; struct line_run *at; int n; };  /* by address */
struct source { const char *file; int line; };

/* What the debugging information says about code of this file alone: calls of inlined
 * functions from elsewhere count as the line of the call.  Empty without any. */
void lines_collect(struct arena *a, const struct elf *e, const char *file, struct lines *l);
/* Where the code at an address comes from, by the same; false: unknown. */
bool lines_debug(struct arena *a, const struct elf *e, uint64_t addr, struct source *s);

void lines_print(const struct lines *l, struct out *o);
/* False: not such a table. */
bool lines_parse(struct arena *a, const struct conf_section *s, struct lines *l);
/* False: nothing is known about the address. */
bool lines_find(const struct lines *l, uint64_t addr, struct source *s);

#endif
