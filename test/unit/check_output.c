/* src/base: what leaves a program.  Outputs that are all or nothing, diagnostics,
 * tools run, temporaries removed when a signal comes. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "src/base/arena.h"
#include "src/base/diag.h"
#include "src/base/file.h"
#include "src/base/out.h"
#include "src/base/proc.h"
#include "src/base/term.h"
#include "test/unit/tap.h"

static struct arena *arena;
static struct diag *diag;
static const char *dir;

static void
setup(void)
{
    signal(SIGTERM, SIG_DFL);        /* Check has a handler of its own there */
    arena = arena_new();
    diag = diag_new(arena, NULL);
    dir = temp_dir(arena, diag);
}

static void
teardown(void)
{
    diag_free(diag);
    arena_free(arena);
}

static char *
in_dir(const char *name)
{
    return path_join(arena, dir, name);
}

static int
files_in_dir(void)
{
    int n = -1;

    file_list(arena, dir, &n);
    return n;
}

static void
expect_file(const char *path, const char *text)
{
    struct bytes b;

    ck_assert(file_map(arena, diag, path, 0, &b));
    ck_assert_uint_eq(b.n, strlen(text));
    ck_assert_mem_eq(b.p, text, b.n);
}

/* ---- out */

START_TEST(out_appears_at_close)
{
    char *path = in_dir("a.txt");
    struct out *o = out_open(path, diag);
    struct stat st;

    umask(022);
    out_puts(o, "hello\n");
    ck_assert(!file_exists(path));
    ck_assert(out_close(o));
    expect_file(path, "hello\n");
    stat(path, &st);
    ck_assert_uint_eq(st.st_mode & 0777, 0644);
    ck_assert_int_eq(files_in_dir(), 1);
    o = out_open(path, diag);
    out_puts(o, "other");
    out_discard(o);
    expect_file(path, "hello\n");
    ck_assert_int_eq(files_in_dir(), 1);
}
END_TEST

START_TEST(out_through_a_link)
{
    char *path = in_dir("real"), *link = in_dir("link");
    struct stat st;
    struct out *o = out_open(path, diag);

    out_close(o);
    ck_assert_int_eq(symlink("real", link), 0);
    o = out_open(link, diag);
    out_puts(o, "x");
    ck_assert(out_close(o));
    lstat(link, &st);
    ck_assert(S_ISLNK(st.st_mode));
    expect_file(path, "x");
}
END_TEST

START_TEST(out_indents_lines)
{
    struct out *o = out_memory(arena);
    size_t n;

    out_puts(o, "a {\n");
    out_indent(o, 1);
    out_puts(o, "b\n\nc");
    out_printf(o, " %d\n", 5);
    out_indent(o, 1);
    out_puts(o, "d\n");
    out_indent(o, -2);
    out_puts(o, "}\n");
    ck_assert_str_eq(out_text(o, &n), "a {\n    b\n\n    c 5\n        d\n}\n");
    ck_assert_uint_eq(out_pos(o), n);
}
END_TEST

START_TEST(out_large)
{
    char *path = in_dir("big"), *text = arena_alloc(arena, 200000);
    struct out *o = out_open(path, diag);
    struct bytes b;

    memset(text, 'y', 199999);
    out_printf(o, "%s", text);
    out_zeros(o, 100000);
    out_bytes(o, "end", 3);
    ck_assert_uint_eq(out_pos(o), 300002);
    ck_assert(out_close(o));
    ck_assert(file_map(arena, diag, path, 0, &b));
    ck_assert_uint_eq(b.n, 300002);
    ck_assert_int_eq(b.p[199998], 'y');
    ck_assert_int_eq(b.p[199999], 0);
    ck_assert_mem_eq(b.p + 299999, "end", 3);
}
END_TEST

START_TEST(out_cannot_open)
{
    ck_assert_ptr_null(out_open("/no/such/folder/x", diag));
    ck_assert(diag_has(diag, "out-open"));
    ck_assert_ptr_null(out_open(dir, diag));
    ck_assert_ptr_null(out_open(arena_printf(arena, "%s/", dir), diag));
}
END_TEST

START_TEST(out_full_device)
{
    struct out *o = out_open("/dev/full", diag);

    out_puts(o, "x");
    ck_assert(!out_close(o));
    ck_assert(diag_has(diag, "disk-full"));
    ck_assert_int_eq(diag_count(diag, SEV_FATAL), 1);
}
END_TEST

START_TEST(out_full_disk_leaves_nothing)
{
    char *path = in_dir("big");
    struct rlimit small = { 100000, 100000 };
    struct out *o = out_open(path, diag);

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    out_zeros(o, 1000000);
    ck_assert(!out_close(o));
    ck_assert(diag_has(diag, "disk-full"));
    ck_assert_ptr_nonnull(strstr(diag_text(diag), path));
    ck_assert_int_eq(files_in_dir(), 0);
}
END_TEST

/* In a child that kills itself: neither the half output nor the folder stays. */
START_TEST(out_and_temp_removed_by_signal)
{
    char *path = in_dir("half"), *note = in_dir("note");
    pid_t pid = fork();

    if (pid == 0) {
        struct out *o = out_open(path, diag);
        const char *own = temp_dir(arena, diag);
        FILE *f = fopen(note, "w");
        fputs(own, f);
        fclose(f);
        fclose(fopen(path_join(arena, own, "inside"), "w"));
        out_puts(o, "text");
        raise(SIGTERM);
        _exit(0);
    }
    int status;
    struct bytes b;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    ck_assert(file_map(arena, diag, note, 0, &b));
    ck_assert(!file_exists(arena_strndup(arena, (const char *)b.p, b.n)));
    ck_assert_int_eq(files_in_dir(), 1);
}
END_TEST

/* ---- diag */

START_TEST(diag_form)
{
    struct place_ref at = { .file = "m.onnx", .node = "layer3/conv", .op = "Conv" };
    struct place_ref line = { .file = "t.ini", .line = 12 };

    ck_assert(!diag_error(diag, &at, "file-open", "group=%d is wrong", 3));
    diag_context(diag, "input 0   '%s'", "x");
    diag_hint(diag, "re-export it");
    diag_warn(diag, &line, "file-kind", "odd");
    diag_flush(diag);
    ck_assert_str_eq(diag_text(diag),
        "m.onnx: error: node 'layer3/conv' (Conv): group=3 is wrong [file-open]\n"
        "  input 0   'x'\n"
        "  hint: re-export it\n"
        "t.ini:12: warning: odd [file-kind]\n");
    ck_assert_int_eq(diag_count(diag, SEV_ERROR), 1);
    ck_assert_int_eq(diag_count(diag, SEV_WARNING), 1);
    ck_assert(diag_has(diag, "file-open") && !diag_has(diag, "disk-full"));
}
END_TEST

START_TEST(diag_groups)
{
    for (int i = 0; i < 9; i++) {
        struct place_ref at = { .file = "m", .node = arena_printf(arena, "n%d", i) };
        diag_error(diag, &at, "file-open", "same");
        diag_hint(diag, "h%d", i);
        diag_error(diag, &at, "file-open", "same");     /* twice at one place: once */
        diag_hint(diag, "lost");
    }
    ck_assert_int_eq(diag_count(diag, SEV_ERROR), 9);
    diag_flush(diag);
    diag_flush(diag);
    const char *s = diag_text(diag);
    ck_assert_ptr_nonnull(strstr(s, "node 'n4': same"));
    ck_assert_ptr_null(strstr(s, "n5"));
    ck_assert_ptr_null(strstr(s, "lost"));
    ck_assert_ptr_null(strstr(s, "h5"));
    s = strstr(s, "the same at 4 more places: same [file-open]");
    ck_assert_ptr_nonnull(s);
    ck_assert_ptr_null(strstr(s + 1, "the same at"));
}
END_TEST

START_TEST(diag_limits_errors)
{
    struct diag_config c = { .max_errors = 3 };
    diag = diag_new(arena, &c);
    for (int i = 0; i < 10; i++)
        diag_error(diag, NULL, "file-open", "number %d", i);
    diag_warn(diag, NULL, "file-kind", "a warning still shows");
    diag_flush(diag);
    const char *s = diag_text(diag);
    ck_assert_ptr_nonnull(strstr(s, "number 2"));
    ck_assert_ptr_null(strstr(s, "number 3"));
    ck_assert_ptr_nonnull(strstr(s, "a warning still shows"));
    ck_assert_ptr_nonnull(strstr(s, "7 more errors not shown"));
    ck_assert_int_eq(diag_count(diag, SEV_ERROR), 10);
}
END_TEST

START_TEST(diag_switches)
{
    ck_assert(!diag_switch(diag, "no-such-id", DIAG_OFF));
    ck_assert(diag_switch(diag, "file-kind", DIAG_OFF));
    diag_warn(diag, NULL, "file-kind", "quiet");
    ck_assert_str_eq(diag_text(diag), "");
    diag_switch(diag, "file-kind", DIAG_AS_ERROR);
    diag_warn(diag, NULL, "file-kind", "loud");
    ck_assert_int_eq(diag_count(diag, SEV_ERROR), 1);
    diag_switch(diag, "file-open", DIAG_OFF);
    diag_error(diag, NULL, "file-open", "errors cannot be switched off");
    ck_assert_int_eq(diag_count(diag, SEV_ERROR), 2);

    struct diag_config c = { .quiet = true, .werror_all = true };
    diag = diag_new(arena, &c);
    diag_note(diag, NULL, "max-errors", "a note");
    diag_warn(diag, NULL, "file-kind", "a warning");
    ck_assert_int_eq(diag_count(diag, SEV_NOTE), 0);
    ck_assert_int_eq(diag_count(diag, SEV_ERROR), 1);
}
END_TEST

START_TEST(diag_hostile_names)
{
    struct place_ref at = { .file = "m", .node = "a\033[2J\nfake: error: b" };
    diag_error(diag, &at, "file-open", "bad byte %c", '\a');
    ck_assert_ptr_nonnull(strstr(diag_text(diag), "'a\\x1b[2J\\x0afake: error: b'"));
    ck_assert_ptr_nonnull(strstr(diag_text(diag), "bad byte \\x07 [file-open]"));
}
END_TEST

static char *
printed(const struct diag_config *how, void (*say)(struct diag *d))
{
    char *text = arena_alloc(arena, 4096);
    struct diag_config c = *how;
    FILE *f = tmpfile();

    c.to = f;
    struct diag *d = diag_new(arena, &c);
    say(d);
    diag_free(d);
    rewind(f);
    size_t n = fread(text, 1, 4095, f);
    text[n] = 0;
    fclose(f);
    return text;
}

static void
say_one(struct diag *d)
{
    struct place_ref at = { .file = "m\xff.onnx", .node = "n\"1", .op = "Conv" };

    diag_error(d, &at, "file-open", "text");
    diag_context(d, "line");
    diag_hint(d, "do this");
}

START_TEST(diag_json)
{
    struct diag_config c = { .json = true };
    ck_assert_str_eq(printed(&c, say_one),
        "{\"severity\":\"error\",\"id\":\"file-open\",\"file\":\"m?.onnx\",\"node\":\"n\\\"1\","
        "\"op\":\"Conv\",\"text\":\"text\",\"context\":[\"line\"],\"hints\":[\"do this\"]}\n");
}
END_TEST

START_TEST(diag_color)
{
    struct diag_config c = { .color = true };
    ck_assert_ptr_nonnull(strstr(printed(&c, say_one), ": \033[1;31merror:\033[0m node"));
}
END_TEST

START_TEST(diag_table_sorted)
{
    for (const struct diag_row *r = diag_rows; r->id; r++) {
        ck_assert_ptr_eq(diag_find(r->id), r);
        ck_assert_uint_gt(strlen(r->doc), 20);
        if (r[1].id)
            ck_assert_msg(strcmp(r->id, r[1].id) < 0, "%s stands before %s", r->id, r[1].id);
        for (const char *s = r->id; *s; s++)
            ck_assert(*s == '-' || (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9'));
    }
    ck_assert_ptr_null(diag_find("no-such-id"));
}
END_TEST

START_TEST(bug_exits_70)
{
    BUG("on purpose");
}
END_TEST

/* ---- proc */

static void
hear(const char *text, int len, void *ctx)
{
    out_bytes(ctx, text, (size_t)len);
}

START_TEST(proc_captures)
{
    const char *const argv[] = { "sh", "-c", "cat; echo out; echo err >&2; exit 7", NULL };
    struct out *o = out_memory(arena);
    struct proc p = { .argv = argv, .capture_err = true, .on_out = hear, .ctx = o };
    struct proc_result r;

    ck_assert(proc_run(arena, diag, &p, &r));
    ck_assert_int_eq(r.status, 7);
    ck_assert_str_eq(r.out, "out\n");
    ck_assert_str_eq(r.err, "err\n");
    ck_assert_str_eq(out_text(o, NULL), "out\n");
    ck_assert(!r.timed_out);
}
END_TEST

START_TEST(proc_much_output)
{
    /* More than a pipe holds, on both streams: no deadlock. */
    const char *const argv[] = { "sh", "-c",
        "head -c 300000 /dev/zero | tr '\\0' a; head -c 300000 /dev/zero | tr '\\0' b >&2", NULL };
    struct proc p = { .argv = argv, .capture_out = true, .capture_err = true };
    struct proc_result r;

    ck_assert(proc_run(arena, diag, &p, &r));
    ck_assert_uint_eq(strlen(r.out), 300000);
    ck_assert_uint_eq(strlen(r.err), 300000);
}
END_TEST

START_TEST(proc_times_out)
{
    const char *const argv[] = { "sh", "-c", "echo begun; sleep 60", NULL };
    const char *const quiet[] = { "sleep", "60", NULL };
    struct proc p = { .argv = argv, .capture_out = true, .timeout = 0.3 };
    struct proc_result r;
    time_t start = time(NULL);

    ck_assert(proc_run(arena, diag, &p, &r));
    ck_assert(r.timed_out);
    ck_assert_int_eq(r.status, 128 + SIGKILL);
    ck_assert_str_eq(r.out, "begun\n");
    ck_assert_int_le(time(NULL) - start, 5);
    p.argv = quiet;
    p.capture_out = false;
    ck_assert(proc_run(arena, diag, &p, &r) && r.timed_out);
}
END_TEST

START_TEST(proc_missing)
{
    const char *const argv[] = { "no-such-program-here", NULL };
    const char *const folder[] = { "/tmp", NULL };
    struct proc p = { .argv = argv };
    struct proc_result r;

    ck_assert(!proc_run(arena, diag, &p, &r));
    ck_assert(diag_has(diag, "tool-missing"));
    ck_assert_ptr_nonnull(strstr(diag_text(diag), "no-such-program-here"));
    p.argv = folder;
    ck_assert(!proc_run(arena, diag, &p, &r));
    ck_assert_ptr_null(proc_which(arena, "no-such-program-here"));
    ck_assert_ptr_nonnull(proc_which(arena, "sh"));
}
END_TEST

START_TEST(proc_signal_status)
{
    const char *const argv[] = { "sh", "-c", "kill -SEGV $$", NULL };
    struct proc p = { .argv = argv };
    struct proc_result r;

    ck_assert(proc_run(arena, diag, &p, &r));
    ck_assert_int_eq(r.status, 128 + SIGSEGV);
}
END_TEST

START_TEST(term_off_a_terminal)
{
    FILE *f = tmpfile();

    ck_assert(!term_color(f, TERM_AUTO));
    ck_assert(term_color(f, TERM_ALWAYS));
    ck_assert(!term_color(f, TERM_NEVER));
    ck_assert_int_eq(term_width(f), 80);
    fclose(f);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("output");
    TCase *c = tcase_create("output");

    tcase_set_timeout(c, 30);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, out_appears_at_close);
    tcase_add_test(c, out_through_a_link);
    tcase_add_test(c, out_indents_lines);
    tcase_add_test(c, out_large);
    tcase_add_test(c, out_cannot_open);
    tcase_add_test(c, out_full_device);
    tcase_add_test(c, out_full_disk_leaves_nothing);
    tcase_add_test(c, out_and_temp_removed_by_signal);
    tcase_add_test(c, diag_form);
    tcase_add_test(c, diag_groups);
    tcase_add_test(c, diag_limits_errors);
    tcase_add_test(c, diag_switches);
    tcase_add_test(c, diag_hostile_names);
    tcase_add_test(c, diag_json);
    tcase_add_test(c, diag_color);
    tcase_add_test(c, diag_table_sorted);
    tcase_add_exit_test(c, bug_exits_70, 70);
    tcase_add_test(c, proc_captures);
    tcase_add_test(c, proc_much_output);
    tcase_add_test(c, proc_times_out);
    tcase_add_test(c, proc_missing);
    tcase_add_test(c, proc_signal_status);
    tcase_add_test(c, term_off_a_terminal);
    suite_add_tcase(s, c);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
