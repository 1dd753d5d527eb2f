/* Reads ELF files with libelf; dwarf.c has its debugging information.  Files come from
 * anywhere: every offset is checked against the file's size before it is used. */
#include "src/driver/elf.h"

#include <gelf.h>
#include <libelf.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/conf.h"
#include "src/base/diag.h"
#include "src/base/out.h"
#include "src/base/vec.h"

enum { MAX_SEGMENTS = 4096 };

struct segment { uint64_t addr, file, size, bytes; }; /* bytes: of memory */

struct elf {
    const char *path;
    struct bytes file;
    uint64_t entry;
    VEC(struct segment) segments;
    VEC(struct elf_section) sections;
    VEC(struct elf_symbol) symbols;
};

static bool
refuse(struct diag *d, const char *path, const char *why)
{
    return diag_error(d, &(struct place_ref) { .file = path }, "elf-file", "%s", why);
}

static bool
inside(const struct elf *e, uint64_t offset, uint64_t n)
{
    return offset <= e->file.n && n <= e->file.n - offset;
}

/* ---- reading */

static bool
header(struct elf *e, struct diag *d, Elf *elf, GElf_Ehdr *h)
{
    if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, h))
        return refuse(d, e->path, "not an ELF file");
    if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB
        || h->e_machine != EM_RISCV)
        return refuse(d, e->path, "not a program for 64-bit RISC-V");
    if (h->e_type != ET_EXEC)
        return refuse(d, e->path, h->e_type == ET_REL ? "an object file, not a program"
            : "not an executable with fixed addresses");
    if (h->e_shoff && !inside(e, h->e_shoff, (uint64_t)h->e_shnum * h->e_shentsize))
        return refuse(d, e->path, "its section headers lie beyond the file's end; is it cut off?");
    e->entry = h->e_entry;
    return true;
}

static bool
read_segments(struct elf *e, struct arena *a, struct diag *d, Elf *elf)
{
    size_t n;

    if (elf_getphdrnum(elf, &n) || n > MAX_SEGMENTS)
        return refuse(d, e->path, "its program headers are broken");
    for (size_t i = 0; i < n; i++) {
        GElf_Phdr p;
        if (!gelf_getphdr(elf, (int)i, &p))
            return refuse(d, e->path, "its program headers are broken");
        if (p.p_type != PT_LOAD)
            continue;
        if (!inside(e, p.p_offset, p.p_filesz) || p.p_filesz > p.p_memsz
            || p.p_paddr + p.p_memsz < p.p_paddr)
            return refuse(d, e->path, "a segment reaches beyond the file's end; is it cut off?");
        vec_push(a, &e->segments, ((struct segment) { p.p_paddr, p.p_offset, p.p_filesz,
            p.p_memsz }));
    }
    if (!e->segments.n)
        return refuse(d, e->path, "nothing in it is loaded");
    return true;
}

/* A string of a string table that has its end inside; else "". */
static const char *
string(Elf *elf, size_t table, size_t at)
{
    const char *s = elf_strptr(elf, table, at);

    return s ? s : "";
}

static void
read_symbols(struct elf *e, struct arena *a, Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh)
{
    Elf_Data *data = elf_getdata(scn, NULL);
    size_t n = data ? data->d_size / sizeof(Elf64_Sym) : 0;

    for (size_t i = 0; i < n && i < INT32_MAX; i++) {
        GElf_Sym s;
        if (!gelf_getsym(data, (int)i, &s))
            break;
        const char *name = string(elf, sh->sh_link, s.st_name);
        int type = GELF_ST_TYPE(s.st_info);
        if (s.st_shndx == SHN_UNDEF || !*name || type > STT_FUNC)
            continue;
        vec_push(a, &e->symbols, ((struct elf_symbol) { arena_strdup(a, name), s.st_value,
            s.st_size }));
    }
}

static void
read_sections(struct elf *e, struct arena *a, Elf *elf)
{
    size_t names = 0;

    if (elf_getshdrstrndx(elf, &names))
        return;
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn)); ) {
        GElf_Shdr sh;
        if (!gelf_getshdr(scn, &sh))
            return;
        bool there = sh.sh_type != SHT_NOBITS && inside(e, sh.sh_offset, sh.sh_size);
        vec_push(a, &e->sections, ((struct elf_section) {
            .name = arena_strdup(a, string(elf, names, sh.sh_name)),
            .addr = sh.sh_addr, .size = sh.sh_size, .loaded = (sh.sh_flags & SHF_ALLOC) != 0,
            .bytes = there ? e->file.p + sh.sh_offset : NULL }));
        if (sh.sh_type == SHT_SYMTAB && there)
            read_symbols(e, a, elf, scn, &sh);
    }
}

static bool
read_all(struct elf *e, struct arena *a, struct diag *d)
{
    /* libelf does not write to what it is given here. */
    Elf *elf = elf_memory((char *)(uintptr_t)e->file.p, e->file.n);
    GElf_Ehdr h;
    bool ok;

    if (!elf)
        return refuse(d, e->path, "not an ELF file");
    ok = header(e, d, elf, &h) && read_segments(e, a, d, elf);
    if (ok)
        read_sections(e, a, elf);
    elf_end(elf);
    return ok;
}

struct elf *
elf_open(struct arena *a, struct diag *d, const char *path)
{
    struct elf *e = NEW(a, struct elf);

    e->path = arena_strdup(a, path);
    if (elf_version(EV_CURRENT) == EV_NONE)
        return refuse(d, path, "libelf is too old"), NULL;
    if (!file_map(a, d, path, 0, &e->file))
        return NULL;
    if (!e->file.n)
        return refuse(d, path, "not an ELF file"), NULL;
    return read_all(e, a, d) ? e : NULL;
}

/* ---- asking */

uint64_t
elf_entry(const struct elf *e)
{
    return e->entry;
}

struct bytes
elf_file(const struct elf *e)
{
    return e->file;
}

void
elf_extent(const struct elf *e, uint64_t *first, uint64_t *last)
{
    struct elf_symbol end;

    *first = UINT64_MAX;
    *last = 0;
    for (int i = 0; i < e->segments.n; i++) {
        const struct segment *s = &e->segments.at[i];
        if (s->addr < *first)
            *first = s->addr;
        if (s->addr + s->bytes > *last)
            *last = s->addr + s->bytes;
    }
    /* What is only reserved is in no segment. */
    if (elf_symbol(e, "_end", &end) && end.addr > *last)
        *last = end.addr;
}

bool
elf_symbol(const struct elf *e, const char *name, struct elf_symbol *s)
{
    for (int i = 0; i < e->symbols.n; i++)
        if (strcmp(e->symbols.at[i].name, name) == 0) {
            *s = e->symbols.at[i];
            return true;
        }
    return false;
}

bool
elf_symbol_at(const struct elf *e, uint64_t addr, struct elf_symbol *s)
{
    for (int i = 0; i < e->symbols.n; i++) {
        const struct elf_symbol *x = &e->symbols.at[i];
        if (addr >= x->addr && addr - x->addr < x->size) {
            *s = *x;
            return true;
        }
    }
    return false;
}

bool
elf_section(const struct elf *e, const char *name, struct elf_section *s)
{
    for (int i = 0; i < e->sections.n; i++)
        if (strcmp(e->sections.at[i].name, name) == 0) {
            *s = e->sections.at[i];
            return true;
        }
    return false;
}

/* Offset in the file, or -1. */
static int64_t
offset_of(const struct elf *e, uint64_t addr, uint64_t n)
{
    for (int i = 0; i < e->segments.n; i++) {
        const struct segment *s = &e->segments.at[i];
        uint64_t off = addr - s->addr;
        if (addr >= s->addr && off <= s->size && n <= s->size - off)
            return (int64_t)(s->file + off);
    }
    return -1;
}

const uint8_t *
elf_bytes(const struct elf *e, uint64_t addr, uint64_t n)
{
    int64_t off = offset_of(e, addr, n);

    return off < 0 ? NULL : e->file.p + off;
}

struct conf *
elf_meta(struct arena *a, struct diag *d, const struct elf *e)
{
    struct elf_section s;

    if (!elf_section(e, ".gm.meta", &s) || !s.bytes)
        return NULL;
    return conf_parse(a, d, e->path, (const char *)s.bytes, s.size);
}

/* ---- a copy */

bool
elf_bake(struct arena *a, struct diag *d, const struct elf *e, const struct elf_patch *p, int n,
    const char *path)
{
    uint8_t *copy = arena_dup(a, e->file.p, e->file.n);
    struct out *o;

    for (int i = 0; i < n; i++) {
        int64_t off = offset_of(e, p[i].addr, p[i].n);
        if (off < 0)
            return diag_error(d, &(struct place_ref) { .file = e->path }, "elf-bake",
                "%llu bytes at 0x%llx are not carried by the file",
                (unsigned long long)p[i].n, (unsigned long long)p[i].addr);
        if (p[i].n)
            memcpy(copy + off, p[i].bytes, p[i].n);
    }
    o = out_open(path, d);
    if (!o)
        return false;
    out_bytes(o, copy, e->file.n);
    return out_close(o);
}
