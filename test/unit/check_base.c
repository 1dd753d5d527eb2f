/* src/base: memory, maps, strings, tables, ini files, paths, digests. */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/arena.h"
#include "src/base/conf.h"
#include "src/base/diag.h"
#include "src/base/digest.h"
#include "src/base/file.h"
#include "src/base/map.h"
#include "src/base/num.h"
#include "src/base/out.h"
#include "src/base/str.h"
#include "src/base/table.h"
#include "src/base/vec.h"
#include "test/unit/tap.h"

static struct arena *arena;
static struct diag *diag;

static void
setup(void)
{
    arena = arena_new();
    diag = diag_new(arena, NULL);
}

static void
teardown(void)
{
    diag_free(diag);
    arena_free(arena);
}

/* ---- arena, vec */

START_TEST(arena_zeroed_aligned)
{
    for (size_t n = 0; n < 5000; n += 37) {
        unsigned char *p = arena_alloc(arena, n);
        ck_assert_uint_eq((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < n; i++)
            ck_assert_uint_eq(p[i], 0);
        memset(p, 0xa5, n);
    }
}
END_TEST

START_TEST(arena_large_and_small_mixed)
{
    /* A large piece must not waste or overlap the chunk that is being filled. */
    char *a = arena_strdup(arena, "before");
    char *big = arena_alloc(arena, 3 << 20);
    char *b = arena_strdup(arena, "after");
    memset(big, 0xff, 3 << 20);
    ck_assert_str_eq(a, "before");
    ck_assert_str_eq(b, "after");
    ck_assert_ptr_ne(arena_alloc(arena, 0), arena_alloc(arena, 0));
}
END_TEST

START_TEST(arena_array_overflow)
{
    arena_array(arena, SIZE_MAX / 8, 16);
}
END_TEST

START_TEST(arena_text)
{
    char long_text[1000];
    memset(long_text, 'x', sizeof long_text);
    long_text[999] = 0;
    ck_assert_str_eq(arena_printf(arena, "%d-%s", 7, "a"), "7-a");
    char *s = arena_printf(arena, "<%s>", long_text);
    ck_assert_uint_eq(strlen(s), 1001);
    ck_assert_int_eq(s[1000], '>');
    ck_assert_str_eq(arena_strndup(arena, "abcdef", 3), "abc");
    ck_assert_str_eq(arena_strndup(arena, "ab", 9), "ab");
    ck_assert_mem_eq(arena_dup(arena, "a\0b", 3), "a\0b", 3);
}
END_TEST

START_TEST(vec_grows)
{
    VEC(int) v = { 0 };
    for (int i = 0; i < 1000; i++)
        vec_push(arena, &v, i * i);
    ck_assert_int_eq(v.n, 1000);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(v.at[i], i * i);
}
END_TEST

/* ---- map */

static void
collect(const char *key, void *value, void *ctx)
{
    out_printf(ctx, "%s=%s ", key, (const char *)value);
}

START_TEST(map_order_and_replacement)
{
    struct map *m = map_new(arena);
    struct out *o = out_memory(arena);
    char key[] = "zeta";
    char one[] = "1", two[] = "2", three[] = "3";

    map_set(m, key, one);
    key[0] = 'b';                    /* keys are copied */
    map_set(m, "alpha", two);
    map_set(m, "zeta", three);
    ck_assert_ptr_null(map_get(m, "beta"));
    ck_assert_ptr_eq(map_get(m, "zeta"), three);
    ck_assert_int_eq(map_count(m), 2);
    map_each(m, collect, o);
    ck_assert_str_eq(out_text(o, NULL), "zeta=3 alpha=2 ");
    map_free(m);
}
END_TEST

START_TEST(map_many)
{
    struct map *m = map_new(arena);
    for (int i = 0; i < 5000; i++)
        map_set(m, arena_printf(arena, "key%d", i), (void *)(intptr_t)(i + 1));
    for (int i = 0; i < 5000; i++)
        ck_assert_int_eq((intptr_t)map_get(m, arena_printf(arena, "key%d", i)), i + 1);
    ck_assert_int_eq(map_count(m), 5000);
    map_free(m);
}
END_TEST

/* ---- str, num */

START_TEST(str_prefixes)
{
    ck_assert(str_starts("model.onnx", "model"));
    ck_assert(!str_starts("mo", "model"));
    ck_assert(str_ends("model.onnx", ".onnx"));
    ck_assert(!str_ends("onnx", ".onnx"));
    ck_assert(str_ends("x", ""));
}
END_TEST

START_TEST(str_identifiers)
{
    ck_assert_str_eq(str_ident(arena, "layer1.0/conv"), "layer1_0_conv");
    ck_assert_str_eq(str_ident(arena, "3x3"), "_3x3");
    ck_assert_str_eq(str_ident(arena, ""), "_");
    ck_assert_str_eq(str_ident(arena, "\xc3\xa4"), "__");
}
END_TEST

START_TEST(str_suggestions)
{
    static const char *const list[] = { "target", "report", "verify", "dim", "arena", NULL };
    ck_assert_str_eq(str_nearest("tagret", list), "target");
    ck_assert_str_eq(str_nearest("verfy", list), "verify");
    ck_assert_str_eq(str_nearest("dmi", list), "dim");
    ck_assert_ptr_null(str_nearest("banana", list));
    ck_assert_ptr_null(str_nearest("", list));
    ck_assert_ptr_null(str_nearest("x", list));
    char *longer = arena_alloc(arena, 100001);
    memset(longer, 'a', 100000);
    ck_assert_ptr_null(str_nearest(longer, list));
}
END_TEST

START_TEST(str_thousand_groups)
{
    ck_assert_str_eq(str_thousands(arena, 0), "0");
    ck_assert_str_eq(str_thousands(arena, 999), "999");
    ck_assert_str_eq(str_thousands(arena, 1000), "1,000");
    ck_assert_str_eq(str_thousands(arena, UINT64_MAX), "18,446,744,073,709,551,615");
}
END_TEST

START_TEST(str_numbers)
{
    static const char *const bad[] = { "", " 1", "1 ", "-", "+-1", "0x", "1x",
        "9223372036854775808", "1e3", NULL };
    int64_t v;
    double f;

    for (int i = 0; bad[i]; i++)
        ck_assert_msg(!str_i64(bad[i], &v), "'%s' was taken for a number", bad[i]);
    ck_assert(str_i64("-9223372036854775808", &v) && v == INT64_MIN);
    ck_assert(str_i64("0x80000000", &v) && v == 0x80000000);
    ck_assert(str_i64("010", &v) && v == 10);
    ck_assert(str_f64("8.6", &f) && f == 8.6);
    ck_assert(str_f64("-1e-3", &f) && f == -1e-3);
    ck_assert(!str_f64("inf", &f) && !str_f64("nan", &f) && !str_f64("1.5x", &f));
    ck_assert(!str_f64("", &f) && !str_f64(" 1", &f));
}
END_TEST

START_TEST(str_sizes)
{
    int64_t v;

    ck_assert(str_size("512K", &v) && v == 524288);
    ck_assert(str_size("3m", &v) && v == 3 << 20);
    ck_assert(str_size("2G", &v) && v == (int64_t)2 << 30);
    ck_assert(str_size("77", &v) && v == 77);
    ck_assert(!str_size("K", &v) && !str_size("", &v) && !str_size("1KK", &v));
    ck_assert(!str_size("9223372036854775807K", &v));
}
END_TEST

START_TEST(str_patterns)
{
    ck_assert(str_match("layer*.conv?", "layer1.0.conv2"));
    ck_assert(!str_match("layer*.conv?", "layer1.0.conv"));
    ck_assert(str_match("*", "") && str_match("**", "a") && !str_match("?", ""));
    ck_assert(str_match("a*b*c", "aXbXbXc") && !str_match("a*b*c", "aXbXb"));
    /* A pattern made to be slow must not be. */
    char *s = arena_alloc(arena, 20001), *p = arena_alloc(arena, 2001);
    memset(s, 'a', 20000);
    for (int i = 0; i < 2000; i += 2)
        memcpy(p + i, "*a", 2);
    p[1999] = 'b';
    ck_assert(!str_match(p, s));
}
END_TEST

START_TEST(num_checks)
{
    int64_t r;
    ck_assert(num_mul(1 << 30, 1 << 30, &r) && r == (int64_t)1 << 60);
    ck_assert(!num_mul(INT64_MAX, 2, &r));
    ck_assert(!num_add(INT64_MAX, 1, &r));
    ck_assert_int_eq(num_round_up(17, 16), 32);
    ck_assert_int_eq(num_ceil_div(32, 16), 2);
}
END_TEST

/* ---- digest: the test vectors of FIPS 180-4 */

START_TEST(digest_vectors)
{
    ck_assert_str_eq(digest_hex(arena, "abc", 3),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    ck_assert_str_eq(digest_hex(arena, NULL, 0),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
END_TEST

/* ---- table */

START_TEST(table_text_and_csv)
{
    static const char *const heads[] = { ">#", "layer", ">cycles", "why" };
    struct table *t = table_new(arena, 4, heads);
    struct out *o = out_memory(arena);

    table_cell(t, "%d", 3);
    table_cell(t, "a\xc3\xa4,\"b\"");
    table_cell(t, "1,000");
    table_cell(t, "%s", "");
    table_cell(t, "12");
    table_cell(t, "%s", "x\ny\033[31m");
    table_cell(t, "%s", "");
    table_cell(t, "core");
    table_print(t, o);
    ck_assert_str_eq(out_text(o, NULL),
        " #  layer     cycles  why\n"
        " 3  a\xc3\xa4,\"b\"     1,000\n"
        "12  x?y?[31m          core\n");
    o = out_memory(arena);
    table_csv(t, o);
    ck_assert_str_eq(out_text(o, NULL),
        "#,layer,cycles,why\n"
        "3,\"a\xc3\xa4,\"\"b\"\"\",\"1,000\",\n"
        "12,\"x\ny\033[31m\",,core\n");
}
END_TEST

/* ---- conf */

static struct conf *
parse(const char *text)
{
    return conf_parse(arena, diag, "t.ini", text, strlen(text));
}

START_TEST(conf_reads)
{
    struct conf *c = parse("\xef\xbb\xbf; head\nfree = 1\n[ a ]   # note\r\n"
                           "  key  =  some value ; note\r\nurl=a#b;c\n"
                           "q = \"  ; \\\"x\\\\\\n\\x41\" # note\nempty =\n"
                           "\n[b]\nkey=2\n[a]\nkey = last");
    ck_assert_ptr_nonnull(c);
    ck_assert_int_eq(c->nsection, 4);
    ck_assert_str_eq(conf_get(c, "", "free"), "1");
    ck_assert_str_eq(conf_in(&c->sections[1], "key"), "some value");
    ck_assert_str_eq(conf_get(c, "a", "key"), "last");
    ck_assert_str_eq(conf_get(c, "a", "url"), "a#b;c");
    ck_assert_str_eq(conf_get(c, "a", "q"), "  ; \"x\\\nA");
    ck_assert_str_eq(conf_get(c, "a", "empty"), "");
    ck_assert_ptr_null(conf_get(c, "a", "none"));
    ck_assert_ptr_null(conf_get(c, "none", "key"));
    ck_assert_int_eq(c->sections[1].line, 3);
    ck_assert_int_eq(c->sections[3].keys[0].line, 12);
}
END_TEST

START_TEST(conf_refuses)
{
    static const struct { const char *text, *want; } cases[] = {
        { "[a\n", "t.ini:1: error: '[' without ']'" },
        { "\n[]\n", "t.ini:2: error: a section has no name" },
        { "[a] b\n", "text after a section name" },
        { "key\n", "expected 'key = value'" },
        { "key ; = 3\n", "expected 'key = value'" },
        { " = 3\n", "no key" },
        { "a = \"x\n", "not closed" },
        { "a = \"\\q\"\n", "unknown escape" },
        { "a = \"\\x00\"\n", "unknown escape" },
        { "a = \"x\" y\n", "text after a quoted value" },
        { "a = \001\n", "control character" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        diag = diag_new(arena, NULL);
        ck_assert_ptr_null(parse(cases[i].text));
        ck_assert_msg(strstr(diag_text(diag), cases[i].want) && diag_has(diag, "conf-syntax"),
            "case %zu says:\n%s", i, diag_text(diag));
    }
}
END_TEST

START_TEST(conf_binary_is_short)
{
    /* Every byte value, and a zero in the middle: an end, not a flood. */
    char text[20000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7919 >> 3);
    ck_assert_ptr_null(conf_parse(arena, diag, "x", text, sizeof text));
    ck_assert_int_le(diag_count(diag, SEV_ERROR), 20);
    ck_assert_ptr_null(conf_parse(arena, diag, "x", "a = b\0c\n", 8));
    ck_assert_ptr_nonnull(conf_parse(arena, diag, "x", "", 0));
}
END_TEST

START_TEST(conf_quotes_round_trip)
{
    static const char *const values[] = { "", "plain", " led", "trailed ", "a ; b", "a;b", "#x",
        "\"q\"", "tab\there", "line\nbreak", "back\\slash", "\"", "\\", "\xc3\xa4\x7f", NULL };
    for (int i = 0; values[i]; i++) {
        const char *text = arena_printf(arena, "k = %s\n", conf_quote(arena, values[i]));
        struct conf *c = parse(text);
        ck_assert_msg(c != NULL, "%s", text);
        ck_assert_str_eq(conf_get(c, "", "k"), values[i]);
    }
}
END_TEST

/* ---- file */

static char *
scratch(const char *name, const char *text)
{
    static const char *dir;
    dir = temp_dir(arena, diag);
    char *path = path_join(arena, dir, name);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
    return path;
}

START_TEST(file_mapping)
{
    char *path = scratch("a.txt", "hello");
    struct bytes b;

    ck_assert(file_map(arena, diag, path, 0, &b));
    ck_assert_uint_eq(b.n, 5);
    ck_assert_mem_eq(b.p, "hello", 5);
    ck_assert(file_map(arena, diag, path, 5, &b));
    ck_assert(!file_map(arena, diag, path, 4, &b) && diag_has(diag, "file-size"));
    ck_assert(!file_map(arena, diag, path_dir(arena, path), 0, &b));
    ck_assert(diag_has(diag, "file-kind"));
    ck_assert(!file_map(arena, diag, "/dev/zero", 0, &b));
    ck_assert(!file_map(arena, diag, "/no/such/file", 0, &b) && diag_has(diag, "file-open"));
    ck_assert(file_map(arena, diag, scratch("empty", ""), 0, &b) && b.n == 0 && b.p);
    char *fifo = path_suffix(arena, path, ".fifo");
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    ck_assert(!file_map(arena, diag, fifo, 0, &b));       /* and does not wait */
}
END_TEST

START_TEST(file_listing)
{
    static const char *const want[] = { "img1", "img02", "img2", "img10", "img10b", "z" };
    const char *dir = temp_dir(arena, diag);
    int n;

    for (int i = 5; i >= 0; i--)
        fclose(fopen(path_join(arena, dir, want[i]), "w"));
    char **got = file_list(arena, dir, &n);
    ck_assert_int_eq(n, 6);
    for (int i = 0; i < 6; i++)
        ck_assert_str_eq(got[i], want[i]);
    ck_assert_ptr_null(got[6]);
    ck_assert_ptr_null(file_list(arena, "/no/such", &n));
}
END_TEST

START_TEST(path_parts)
{
    ck_assert_str_eq(path_base("a/b.c"), "b.c");
    ck_assert_str_eq(path_dir(arena, "a/b.c"), "a");
    ck_assert_str_eq(path_dir(arena, "b.c"), ".");
    ck_assert_str_eq(path_dir(arena, "/b"), "/");
    ck_assert_str_eq(path_join(arena, "a/", "b"), "a/b");
    ck_assert_str_eq(path_join(arena, "a", "/b"), "/b");
    ck_assert_str_eq(path_suffix(arena, "a.d/b.onnx", ".elf"), "a.d/b.elf");
    ck_assert_str_eq(path_suffix(arena, "a.d/b", ".elf"), "a.d/b.elf");
    ck_assert_str_eq(path_suffix(arena, ".hidden", ".elf"), ".hidden.elf");
}
END_TEST

START_TEST(path_stays_inside)
{
    char *file = scratch("w.bin", "x"), *dir = path_dir(arena, file);
    ck_assert_ptr_nonnull(path_inside(arena, dir, "w.bin"));
    ck_assert_ptr_nonnull(path_inside(arena, dir, "./w.bin"));
    ck_assert_ptr_null(path_inside(arena, dir, "../w.bin"));
    ck_assert_ptr_null(path_inside(arena, dir, "a/../../w.bin"));
    ck_assert_ptr_null(path_inside(arena, dir, "/etc/passwd"));
    ck_assert_ptr_null(path_inside(arena, dir, "nothing"));
    ck_assert_ptr_null(path_inside(arena, dir, ""));
    ck_assert_ptr_null(path_inside(arena, dir, "."));
    ck_assert_int_eq(symlink("/etc", path_join(arena, dir, "out")), 0);
    ck_assert_ptr_null(path_inside(arena, dir, "out/passwd"));
    ck_assert_int_eq(symlink("w.bin", path_join(arena, dir, "in")), 0);
    ck_assert_ptr_nonnull(path_inside(arena, dir, "in"));
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("base");
    TCase *c = tcase_create("base");

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, arena_zeroed_aligned);
    tcase_add_test(c, arena_large_and_small_mixed);
    tcase_add_test_raise_signal(c, arena_array_overflow, 6);
    tcase_add_test(c, arena_text);
    tcase_add_test(c, vec_grows);
    tcase_add_test(c, map_order_and_replacement);
    tcase_add_test(c, map_many);
    tcase_add_test(c, str_prefixes);
    tcase_add_test(c, str_identifiers);
    tcase_add_test(c, str_suggestions);
    tcase_add_test(c, str_thousand_groups);
    tcase_add_test(c, str_numbers);
    tcase_add_test(c, str_sizes);
    tcase_add_test(c, str_patterns);
    tcase_add_test(c, num_checks);
    tcase_add_test(c, digest_vectors);
    tcase_add_test(c, table_text_and_csv);
    tcase_add_test(c, conf_reads);
    tcase_add_test(c, conf_refuses);
    tcase_add_test(c, conf_binary_is_short);
    tcase_add_test(c, conf_quotes_round_trip);
    tcase_add_test(c, file_mapping);
    tcase_add_test(c, file_listing);
    tcase_add_test(c, path_parts);
    tcase_add_test(c, path_stays_inside);
    suite_add_tcase(s, c);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
