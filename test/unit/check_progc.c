/* Kernel programs as C: random ones, compiled by the compiler of the build and run,
 * give the commands that the walker gives. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/out.h"
#include "src/base/proc.h"
#include "test/unit/proggen.h"
#include "test/unit/tap.h"

#define PROGRAMS 60

/* The macros of the runtime, saying what they would issue. */
static const char prelude[] =
    "#include <inttypes.h>\n#include <stdint.h>\n#include <stdio.h>\n"
    "#define GM_ACC UINT64_C(0x80000000)\n#define GM_ACCUMULATE UINT64_C(0x40000000)\n"
    "#define GM_GARBAGE UINT64_C(0xffffffff)\n"
    "static uint64_t gm_rc(uint64_t r, uint64_t c, uint64_t l) { return r << 48 | c << 32 | l; }\n"
    "static void say(int f, uint64_t a, uint64_t b) { printf(\"%d %\" PRIx64 \" %\" PRIx64 "
    "\"\\n\", f, a, b); }\n"
    "#define ONE (UINT64_C(0x3f800000) << 32)\n"
    "#define gm_mvin(a, b) say(2, a, b)\n#define gm_mvin2(a, b) say(1, a, b)\n"
    "#define gm_mvin3(a, b) say(14, a, b)\n#define gm_mvout(a, b) say(3, a, b)\n"
    "#define gm_preload(a, b) say(6, a, b)\n#define gm_compute_preloaded(a, b) say(4, a, b)\n"
    "#define gm_compute_accumulated(a, b) say(5, a, b)\n#define gm_fence() say(127, 0, 0)\n"
    "static void gm_config_ex(uint64_t s) { say(0, ONE | s << 16 | 4, UINT64_C(1) << 48); }\n"
    "static void gm_config_ld(uint64_t k, uint64_t s, uint64_t b, uint64_t h)\n"
    "{ say(0, ONE | b << 16 | 256 | k << 3 | h << 2 | 1, s); }\n"
    "static void gm_config_st(uint64_t s, uint64_t f, uint64_t a) { say(0, a << 2 | 2, f << 32 | "
    "(uint32_t)s); }\n"
    "static void gm_config_pool(uint64_t s, uint64_t f, uint64_t p) { say(0, p, f << 32 | "
    "(uint32_t)s); }\n";

static void
print_function(const struct prog *p, int number, struct out *o)
{
    out_printf(o, "static void\nprogram_%d(", number);
    for (int i = 0; i < p->nparam; i++)
        out_printf(o, "uint64_t %s, ", p->var[i]);
    out_puts(o, "const uint64_t *t, const uint64_t *u)\n{\n");
    out_indent(o, 1);
    for (int i = p->nparam; i < p->nvar; i++)
        out_printf(o, "uint64_t %s = 0;\n", p->var[i]);
    prog_print_c(p, o);
    out_indent(o, -1);
    out_puts(o, "}\n\n");
}

static void
print_call(const struct prog *p, const struct prog_call *c, int number, struct out *o)
{
    for (int t = 0; t < 2; t++) {
        out_printf(o, "    static const uint64_t table_%d_%d[] = {", number, t);
        for (int i = 0; i < GEN_TABLE; i++)
            out_printf(o, " UINT64_C(%" PRIu64 "),", c->tables[t][i]);
        out_puts(o, " };\n");
    }
    out_printf(o, "    puts(\"program %d\");\n    program_%d(", number, number);
    for (int i = 0; i < p->nparam; i++)
        out_printf(o, "%" PRIu64 ", ", c->args[i]);
    out_printf(o, "table_%d_0, table_%d_1);\n", number, number);
}

static char *
run(struct arena *a, struct diag *d, const char *const *argv)
{
    struct proc p = { .argv = argv, .capture_out = true, .capture_err = true, .timeout = 120 };
    struct proc_result r;

    ck_assert_msg(proc_run(a, d, &p, &r), "%s: %s", argv[0], diag_text(d));
    ck_assert_msg(r.status == 0, "%s: status %d, %.3000s", argv[0], r.status, r.err);
    return r.out;
}

static void
say_recording(const struct recording *r, int number, struct out *o)
{
    out_printf(o, "program %d\n", number);
    for (int64_t i = 0; i < r->n; i++)
        out_printf(o, "%d %" PRIx64 " %" PRIx64 "\n", r->at[i].funct, r->at[i].rs1, r->at[i].rs2);
}

static int
line_of_difference(const char *a, const char *b)
{
    int line = 1;

    for (; *a && *a == *b; a++, b++)
        line += *a == '\n';
    return *a == *b ? 0 : line;
}

/* Where a loop counter is read after its loop, C has one more: programs do not. */
START_TEST(as_c)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new(a, &(struct diag_config){ 0 });
    const char *cc = getenv("CC") && *getenv("CC") ? getenv("CC") : "cc";
    char dir[] = "/tmp/progXXXXXX";
    ck_assert(mkdtemp(dir) != NULL);
    const char *source = arena_printf(a, "%s/p.c", dir), *program = arena_printf(a, "%s/p", dir);
    struct out *o = out_open(source, d), *calls = out_memory(a), *want = out_memory(a);

    out_puts(o, prelude);
    for (int i = 0; i < PROGRAMS; i++) {
        struct prog *p = gen_prog(a, (uint32_t)i + 1000);
        struct prog_call c = gen_call(a, (uint32_t)i);
        struct recording r = { 0 };
        print_function(p, i, o);
        print_call(p, &c, i, calls);
        record(a, p, &c, &r);
        say_recording(&r, i, want);
    }
    out_printf(o, "int\nmain(void)\n{\n%s    return 0;\n}\n", out_text(calls, NULL));
    ck_assert(out_close(o));
    const char *script = arena_printf(a, "%s -O1 -w -o '%s' '%s'", cc, program, source);
    run(a, d, (const char *const[]){ "sh", "-c", script, NULL });
    const char *got = run(a, d, (const char *const[]){ program, NULL });
    int line = line_of_difference(got, out_text(want, NULL));
    ck_assert_msg(line == 0, "line %d of what the programs say differs (%s)", line, dir);
    unlink(source);
    unlink(program);
    rmdir(dir);
    arena_free(a);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("progc");
    TCase *t = tcase_create("compiled");

    tcase_set_timeout(t, 120);
    tcase_add_test(t, as_c);
    suite_add_tcase(s, t);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
