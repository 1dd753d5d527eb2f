/* Reads debugging information with libdw, which this is the only file to see.  Programs
 * come from anywhere; without information that can be read they simply have none. */
#include "src/driver/lines.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/file.h"
#include "src/base/vec.h"
#include "src/driver/elf.h"

struct runs { struct line_run *at; int n, cap; };

/* NULL: there is none. */
static Dwarf *
begin(const struct elf *e, Elf **elf)
{
    struct bytes b = elf_file(e);
    Dwarf *d;

    /* libelf does not write to what it is given here. */
    *elf = elf_memory((char *)(uintptr_t)b.p, b.n);
    d = *elf ? dwarf_begin_elf(*elf, DWARF_C_READ, NULL) : NULL;
    if (!d)
        elf_end(*elf);
    return d;
}

static void
end(Dwarf *d, Elf *elf)
{
    dwarf_end(d);
    elf_end(elf);
}

/* The next unit that was compiled from a source. */
static bool
next_unit(Dwarf *d, Dwarf_CU **cu, Dwarf_Die *die)
{
    uint8_t type;

    while (dwarf_get_units(d, *cu, cu, NULL, &type, die, NULL) == 0)
        if (type == DW_UT_compile && dwarf_tag(die) == DW_TAG_compile_unit)
            return true;
    return false;
}

static bool
is_file(const char *path, const char *file)
{
    return path && strcmp(path_base(path), file) == 0;
}

/* The innermost function inlined at `addr` that a line of the file calls; 0: none. */
static int
calling_line(Dwarf_Die *unit, const char *file, uint64_t addr)
{
    Dwarf_Die *scopes = NULL;
    Dwarf_Files *files;
    int n = dwarf_getscopes(unit, addr, &scopes), line = 0;

    for (int i = 0; i < n && !line; i++) {
        Dwarf_Attribute at;
        Dwarf_Word from, call;
        if (dwarf_tag(&scopes[i]) == DW_TAG_inlined_subroutine
            && dwarf_formudata(dwarf_attr(&scopes[i], DW_AT_call_file, &at), &from) == 0
            && dwarf_formudata(dwarf_attr(&scopes[i], DW_AT_call_line, &at), &call) == 0
            && dwarf_getsrcfiles(unit, &files, NULL) == 0
            && is_file(dwarf_filesrc(files, from, NULL, NULL), file))
            line = (int)call;
    }
    free(scopes);
    return line;
}

/* Appends code of one line, which may go on where the last ended. */
static void
push(struct arena *a, struct runs *r, struct line_run x)
{
    struct line_run *last = r->n ? &r->at[r->n - 1] : NULL;

    if (last && last->last == x.first && last->line == x.line)
        last->last = x.last;
    else
        vec_push(a, r, x);
}

/* The rows of one unit, by address; of several at one address the last counts. */
static void
collect(struct arena *a, Dwarf_Die *unit, const char *file, struct runs *r)
{
    Dwarf_Lines *rows;
    size_t n;

    if (dwarf_getsrclines(unit, &rows, &n))
        return;
    for (size_t i = 0; i + 1 < n; i++) {
        Dwarf_Line *x = dwarf_onesrcline(rows, i);
        Dwarf_Addr first, last;
        bool over;
        int line;
        if (dwarf_lineaddr(x, &first) || dwarf_lineaddr(dwarf_onesrcline(rows, i + 1), &last)
            || dwarf_lineendsequence(x, &over) || over || last <= first || dwarf_lineno(x, &line))
            continue;
        if (!is_file(dwarf_linesrc(x, NULL, NULL), file))
            line = calling_line(unit, file, first);
        if (line > 0)
            push(a, r, (struct line_run){ first, last, line });
    }
}

static int
by_address(const void *x, const void *y)
{
    const struct line_run *r = x, *s = y;

    return r->first < s->first ? -1 : r->first > s->first;
}

void
lines_collect(struct arena *a, const struct elf *e, const char *file, struct lines *l)
{
    struct runs r = { 0 };
    Dwarf_CU *cu = NULL;
    Dwarf_Die unit;
    Elf *elf;
    Dwarf *d = begin(e, &elf);

    while (d && next_unit(d, &cu, &unit))
        if (is_file(dwarf_diename(&unit), file))
            collect(a, &unit, file, &r);
    if (d)
        end(d, elf);
    if (r.n)
        qsort(r.at, (size_t)r.n, sizeof *r.at, by_address);
    *l = (struct lines){ file, r.at, r.n };
}

bool
lines_debug(struct arena *a, const struct elf *e, uint64_t addr, struct source *s)
{
    Dwarf_CU *cu = NULL;
    Dwarf_Die unit;
    Elf *elf;
    Dwarf *d = begin(e, &elf);
    bool found = false;

    while (d && !found && next_unit(d, &cu, &unit)) {
        Dwarf_Line *x = dwarf_haspc(&unit, addr) > 0 ? dwarf_getsrc_die(&unit, addr) : NULL;
        const char *file = x ? dwarf_linesrc(x, NULL, NULL) : NULL;
        if (!file || dwarf_lineno(x, &s->line) || s->line < 1)
            continue;
        s->file = arena_strdup(a, path_base(file));
        found = true;
    }
    if (d)
        end(d, elf);
    return found;
}
