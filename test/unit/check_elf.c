/* Reading and baking ELF files: a small one made by hand, then the same damaged in
 * every way a byte can be. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/arena.h"
#include "src/base/conf.h"
#include "src/base/diag.h"
#include "src/base/out.h"
#include "src/driver/elf.h"
#include "src/driver/lines.h"
#include "test/unit/tap.h"

enum { BASE = 0x1000, TEXT = 64, META = 32 };

/* One segment, a symbol table, a description. */
struct image {
    Elf64_Ehdr h;
    Elf64_Phdr p[1];
    uint8_t text[TEXT];
    char meta[META];
    char strings[64];
    Elf64_Sym symbols[4];
    Elf64_Shdr s[6];
};

static const char names[64] = "\0main\0gm_mailbox\0.gm.meta\0.text\0.bss\0.strtab\0_end";

static uint32_t
name(const char *s)
{
    for (uint32_t i = 0; i < sizeof names - 1; i++)
        if (strcmp(names + i, s) == 0)
            return i;
    abort();
}

static struct image
image(void)
{
    struct image m = { .h = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB,
            EV_CURRENT }, .e_type = ET_EXEC, .e_machine = EM_RISCV, .e_version = EV_CURRENT,
        .e_entry = BASE, .e_phoff = offsetof(struct image, p),
        .e_shoff = offsetof(struct image, s), .e_ehsize = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1,
        .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = 6, .e_shstrndx = 3 } };

    m.p[0] = (Elf64_Phdr) { .p_type = PT_LOAD, .p_flags = PF_R | PF_X,
        .p_offset = offsetof(struct image, text), .p_vaddr = BASE, .p_paddr = BASE,
        .p_filesz = TEXT, .p_memsz = TEXT + 16, .p_align = 8 };
    for (int i = 0; i < TEXT; i++)
        m.text[i] = (uint8_t)(i + 1);
    memcpy(m.meta, "[program]\nname = x;no comment\n", 30);
    memcpy(m.strings, names, sizeof names);
    m.symbols[1] = (Elf64_Sym) { name("main"), STT_FUNC, 0, 1, BASE, 16 };
    m.symbols[2] = (Elf64_Sym) { name("gm_mailbox"), STT_OBJECT, 0, 1, BASE + 16, 32 };
    m.symbols[3] = (Elf64_Sym) { name("_end"), STT_NOTYPE, 0, SHN_ABS, BASE + 0x200, 0 };
    m.s[1] = (Elf64_Shdr) { .sh_name = name(".text"), .sh_type = SHT_PROGBITS,
        .sh_flags = SHF_ALLOC, .sh_addr = BASE, .sh_offset = offsetof(struct image, text),
        .sh_size = TEXT };
    m.s[2] = (Elf64_Shdr) { .sh_name = name(".gm.meta"), .sh_type = SHT_PROGBITS,
        .sh_offset = offsetof(struct image, meta), .sh_size = 30 };
    m.s[3] = (Elf64_Shdr) { .sh_name = name(".strtab"), .sh_type = SHT_STRTAB,
        .sh_offset = offsetof(struct image, strings), .sh_size = sizeof names };
    m.s[4] = (Elf64_Shdr) { .sh_type = SHT_SYMTAB, .sh_link = 3, .sh_entsize = sizeof(Elf64_Sym),
        .sh_offset = offsetof(struct image, symbols), .sh_size = sizeof m.symbols,
        .sh_info = 1 };
    m.s[5] = (Elf64_Shdr) { .sh_name = name(".bss"), .sh_type = SHT_NOBITS,
        .sh_flags = SHF_ALLOC | SHF_WRITE, .sh_addr = BASE + TEXT, .sh_size = 16 };
    return m;
}

static struct arena *a;
static struct diag *d;
static char path[] = "check_elf.tmp", copy[] = "check_elf.out";

static void
setup(void)
{
    a = arena_new();
    d = diag_new(a, &(struct diag_config) { 0 });
}

static void
teardown(void)
{
    unlink(path);
    unlink(copy);
    diag_free(d);
    arena_free(a);
}

static struct elf *
opened(const void *p, size_t n)
{
    FILE *f = fopen(path, "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(p, 1, n, f), n);
    fclose(f);
    return elf_open(a, d, path);
}

START_TEST(reads)
{
    struct image m = image();
    struct elf *e = opened(&m, sizeof m);
    struct elf_symbol s;
    struct elf_section x;
    uint64_t first, last;

    ck_assert_ptr_nonnull(e);
    ck_assert_uint_eq(elf_entry(e), BASE);
    elf_extent(e, &first, &last);
    ck_assert_uint_eq(first, BASE);
    ck_assert_uint_eq(last, BASE + 0x200);
    ck_assert(elf_symbol(e, "gm_mailbox", &s));
    ck_assert_uint_eq(s.addr, BASE + 16);
    ck_assert_uint_eq(s.size, 32);
    ck_assert(!elf_symbol(e, "gm_mail", &s));
    ck_assert(elf_symbol_at(e, BASE + 15, &s));
    ck_assert_str_eq(s.name, "main");
    ck_assert(!elf_symbol_at(e, BASE + 48, &s));
    ck_assert(elf_section(e, ".bss", &x));
    ck_assert(x.loaded && !x.bytes && x.size == 16);
    ck_assert(elf_section(e, ".gm.meta", &x));
    ck_assert(!x.loaded && x.bytes && x.size == 30);
    ck_assert(!elf_section(e, ".gm", &x));
    ck_assert_uint_eq(*elf_bytes(e, BASE + 3, 61), 4);
    ck_assert_ptr_null(elf_bytes(e, BASE + 3, 62));
    ck_assert_ptr_null(elf_bytes(e, BASE - 1, 1));
    ck_assert_ptr_null(elf_bytes(e, BASE + TEXT + 1, UINT64_MAX));
}
END_TEST

START_TEST(describes)
{
    struct image m = image();
    struct elf *e = opened(&m, sizeof m);
    struct conf *c = elf_meta(a, d, e);

    ck_assert_ptr_nonnull(c);
    ck_assert_str_eq(conf_get(c, "program", "name"), "x;no comment");
}
END_TEST

START_TEST(without_description)
{
    struct image m = image();

    m.s[2].sh_name = name("main");
    ck_assert_ptr_null(elf_meta(a, d, opened(&m, sizeof m)));
    ck_assert_int_eq(diag_count(d, SEV_ERROR), 0);
}
END_TEST

START_TEST(bakes)
{
    struct image m = image();
    struct elf *e = opened(&m, sizeof m), *b;
    struct elf_patch p[] = { { BASE, "AB", 2 }, { BASE + 62, "YZ", 2 }, { BASE, NULL, 0 } };

    ck_assert(elf_bake(a, d, e, p, 3, copy));
    b = elf_open(a, d, copy);
    ck_assert_ptr_nonnull(b);
    m.text[0] = 'A';
    m.text[1] = 'B';
    m.text[62] = 'Y';
    m.text[63] = 'Z';
    ck_assert_mem_eq(elf_bytes(b, BASE, TEXT), m.text, TEXT);
    ck_assert_uint_eq(*elf_bytes(e, BASE, 1), 1);
}
END_TEST

/* .bss has no bytes in the file; neither has what is outside. */
START_TEST(bakes_not)
{
    struct image m = image();
    struct elf *e = opened(&m, sizeof m);
    struct elf_patch p[] = { { BASE + 63, "YZ", 2 } };

    ck_assert(!elf_bake(a, d, e, p, 1, copy));
    ck_assert(diag_has(d, "elf-bake"));
    ck_assert_int_ne(access(copy, F_OK), 0);
}
END_TEST

static void
refused(const void *p, size_t n, const char *id)
{
    ck_assert_ptr_null(opened(p, n));
    ck_assert(diag_has(d, id));
}

START_TEST(others)
{
    struct image m = image();

    refused("", 0, "elf-file");
    refused("hello, I am no program", 22, "elf-file");
    m.h.e_machine = EM_X86_64;
    refused(&m, sizeof m, "elf-file");
    m = image();
    m.h.e_ident[EI_CLASS] = ELFCLASS32;
    refused(&m, sizeof m, "elf-file");
    m = image();
    m.h.e_ident[EI_DATA] = ELFDATA2MSB;
    refused(&m, sizeof m, "elf-file");
    m = image();
    m.h.e_type = ET_REL;
    refused(&m, sizeof m, "elf-file");
    m = image();
    m.p[0].p_type = PT_NULL;
    refused(&m, sizeof m, "elf-file");
    m = image();
    m.p[0].p_filesz = UINT64_MAX;
    refused(&m, sizeof m, "elf-file");
    m = image();
    m.p[0].p_memsz = UINT64_MAX;
    refused(&m, sizeof m, "elf-file");
    ck_assert_ptr_null(elf_open(a, d, "no/such/file"));
    ck_assert(diag_has(d, "file-open"));
}
END_TEST

/* Whatever can be asked, so that sanitizers and the machine can complain. */
static void
ask(struct elf *e)
{
    struct elf_symbol s;
    struct elf_section x;
    uint64_t first, last;
    const char *wanted[] = { ".text", ".gm.meta", ".bss", "" };

    if (!e)
        return;
    elf_extent(e, &first, &last);
    elf_symbol(e, "no such symbol", &s);
    elf_symbol_at(e, BASE, &s);
    for (int i = 0; i < 4; i++)
        if (elf_section(e, wanted[i], &x) && x.bytes) {
            unsigned sum = 0;
            for (uint64_t k = 0; k < x.size; k++)
                sum += x.bytes[k];
            ck_assert_uint_lt(sum, UINT32_MAX);
        }
    elf_meta(a, d, e);
    struct source at;
    lines_debug(a, e, BASE, &at);
}

START_TEST(cut_off)
{
    struct image m = image();

    for (size_t n = 0; n < sizeof m; n++)
        ask(opened(&m, n));
}
END_TEST

START_TEST(damaged)
{
    static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
    struct image m;

    for (size_t at = 0; at < sizeof m; at++) {
        if (at % 64 == 0) {              /* memory of thousands of files */
            teardown();
            setup();
        }
        if (at >= offsetof(struct image, text) && at < offsetof(struct image, strings))
            continue;
        for (size_t v = 0; v < sizeof values; v++) {
            m = image();
            ((uint8_t *)&m)[at] = values[v];
            ask(opened(&m, sizeof m));
        }
    }
}
END_TEST

/* ---- lines of addresses */

static bool
table(const char *text, struct lines *l)
{
    struct conf *c = conf_parse(a, d, "x", text, strlen(text));

    *l = (struct lines) { 0 };
    return lines_parse(a, &c->sections[0], l);
}

static int
line(const struct lines *l, uint64_t addr)
{
    struct source s;

    return lines_find(l, addr, &s) ? s.line : 0;
}

START_TEST(lines)
{
    static const char text[] = "\n[lines]\nfile = x.c\n80000000 = 3:4 5:2\n80000010 = 7:2\n";
    struct lines l;
    struct out *o = out_memory(a);

    ck_assert(table(text, &l));
    ck_assert_int_eq(line(&l, 0x7fffffff), 0);
    ck_assert_int_eq(line(&l, 0x80000000), 3);
    ck_assert_int_eq(line(&l, 0x80000003), 3);
    ck_assert_int_eq(line(&l, 0x80000004), 5);
    ck_assert_int_eq(line(&l, 0x80000006), 0);
    ck_assert_int_eq(line(&l, 0x80000010), 7);
    ck_assert_int_eq(line(&l, 0x80000012), 0);
    lines_print(&l, o);
    ck_assert_str_eq(out_text(o, NULL), text);
}
END_TEST

START_TEST(no_lines)
{
    static const char *const bad[] = { "8 = 1:1", "file = x.c\n8 = 0:4", "file = x.c\n8 = 3",
        "file = x.c\n8 = 3:0", "file = x.c\n8 = 3:4 x", "file = x.c\n8 = 3:4\n9 = 3:4",
        "file = x.c\nfffffffffffffff0 = 3:32", "file = x.c\n8 = 99999999999:4" };
    struct lines l;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!table(arena_printf(a, "[lines]\n%s\n", bad[i]), &l), "%s", bad[i]);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("elf");
    TCase *t = tcase_create("elf");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, reads);
    tcase_add_test(t, describes);
    tcase_add_test(t, without_description);
    tcase_add_test(t, bakes);
    tcase_add_test(t, bakes_not);
    tcase_add_test(t, others);
    tcase_add_test(t, cut_off);
    tcase_add_test(t, damaged);
    tcase_add_test(t, lines);
    tcase_add_test(t, no_lines);
    suite_add_tcase(s, t);
    return tap_run(s);
}
