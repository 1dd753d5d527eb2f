/* Programs as files: what gemmcc-run and gemmcc-dump need to know of an ELF, and
 * copies with other bytes in them.  Only 64-bit little-endian RISC-V executables. */
#ifndef DRIVER_ELF_H
#define DRIVER_ELF_H
#include <stdbool.h>
#include <stdint.h>

#include "src/base/file.h"

struct arena;
struct conf;
struct diag;
struct elf;

struct elf_symbol { const char *name; uint64_t addr, size; };
struct elf_section {
    const char *name;
    uint64_t addr, size;
    const uint8_t *bytes;            /* NULL: takes no room in the file */
    bool loaded;                     /* part of memory */
};
struct elf_patch { uint64_t addr; const void *bytes; uint64_t n; };

/* NULL after a diagnostic (elf-file, or those of file_map). */
struct elf *elf_open(struct arena *a, struct diag *d, const char *path);
uint64_t elf_entry(const struct elf *e);
struct bytes elf_file(const struct elf *e);          /* all of it */
/* Memory the loaded part needs: [first, last). */
void elf_extent(const struct elf *e, uint64_t *first, uint64_t *last);
bool elf_symbol(const struct elf *e, const char *name, struct elf_symbol *s);
/* The function or object that holds addr. */
bool elf_symbol_at(const struct elf *e, uint64_t addr, struct elf_symbol *s);
bool elf_section(const struct elf *e, const char *name, struct elf_section *s);
/* What the file puts at [addr, addr + n) of memory; NULL when not all comes from it. */
const uint8_t *elf_bytes(const struct elf *e, uint64_t addr, uint64_t n);
/* Section .gm.meta, parsed; NULL without it (no diagnostic), or after diagnostics. */
struct conf *elf_meta(struct arena *a, struct diag *d, const struct elf *e);

/* A copy of the program with some bytes replaced.  False after a diagnostic. */
bool elf_bake(struct arena *a, struct diag *d, const struct elf *e, const struct elf_patch *p,
    int n, const char *path);

#endif
