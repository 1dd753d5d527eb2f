/* Kernel programs: text and back, C and back through a compiler, specialising, what
 * nobody reads, and errors; schedules as text.  Random programs and the backend's own
 * kernels. */
#include <string.h>

#include "backend/gemmini/pool_prog.h"
#include "backend/gemmini/stream_prog.h"
#include "src/base/out.h"
#include "test/unit/layercase.h"
#include "test/unit/proggen.h"
#include "test/unit/tap.h"

#define PROGRAMS 400

static struct arena *arena;
static struct diag *diag;

static void
setup(void)
{
    arena = arena_new();
    diag = diag_new(arena, &(struct diag_config){ 0 });
}

static void
teardown(void)
{
    diag_free(diag);
    arena_free(arena);
}

static const char *
text_of(const struct prog *p)
{
    struct out *o = out_memory(arena);

    prog_print(p, o);
    return out_text(o, NULL);
}

static struct prog *
parse(const char *text)
{
    struct prog *p = prog_parse(arena, diag, "test.prog", text);

    ck_assert_msg(p != NULL, "%.1000s\n%.2000s", diag_text(diag), text);
    return p;
}

/* ---- text */

static void
check_round_trip(const struct prog *p, const char *what)
{
    const char *text = text_of(p);
    struct prog *q = parse(text);

    ck_assert_msg(prog_same(p, q), "%s comes back as another program:\n%.2000s", what, text);
    ck_assert_msg(strcmp(text_of(q), text) == 0, "%s prints differently:\n%.2000s", what, text);
}

START_TEST(kernels_print_and_parse)
{
    static const char *const kernels[] = { stream_prog, pool_prog };

    for (int i = 0; i < 2; i++)
        check_round_trip(parse(kernels[i]), "a kernel");
}
END_TEST

START_TEST(random_programs_print_and_parse)
{
    for (uint32_t seed = 1; seed <= PROGRAMS; seed++) {
        struct prog *p = gen_prog(arena, seed);
        struct recording a = { 0 }, b = { 0 };
        struct prog_call c = gen_call(arena, seed);
        check_round_trip(p, arena_printf(arena, "program %u", seed));
        record(arena, p, &c, &a);
        record(arena, parse(text_of(p)), &c, &b);
        ck_assert_msg(recording_equal(&a, &b), "program %u: other commands", seed);
    }
}
END_TEST

START_TEST(grammar)
{
    struct prog *p =
        parse("# first\n#second\nkernel k(a, b; t[])\n{ # note\n"
              "  proc twice { mvin(a, x); mvin(b, x); }\n"
              "  x = a | b << 2 + 3 * 2; x += 0x10; x -= t[b + 1];\n"
              "  twice(); for i < 3 { if (a) { fence(); } else if (b) { x = rc(1, 2, ACC + i); }\n"
              "  else { while (x > 1 && b != 0 || a >= 2) { x = x >> 1; } } } twice(); }\n");

    ck_assert_str_eq(text_of(p),
        "# first\n# second\nkernel k(\n    a,\n    b;\n    t[]\n) {\n    # note\n    x = a | b << "
        "2 + 3 * 2;\n"
        "    x += 16;\n    x -= t[b + 1];\n    mvin(a, x);\n    mvin(b, x);\n    for i < 3 {\n"
        "        if (a) {\n            fence();\n        } else if (b) {\n"
        "            x = rc(1, 2, ACC + i);\n        } else {\n"
        "            while (x > 1 && b != 0 || a >= 2) {\n                x = x >> 1;\n"
        "            }\n        }\n    }\n    mvin(a, x);\n    mvin(b, x);\n}\n");
    ck_assert_int_eq(p->nparam, 2);
    ck_assert_int_eq(prog_param(p, "b"), 1);
    ck_assert_int_eq(prog_param(p, "x"), -1);
    ck_assert_int_eq(prog_table(p, "t"), 0);
    ck_assert_int_eq(prog_table(p, "a"), -1);
}
END_TEST

/* ---- meaning */

START_TEST(arithmetic)
{
    static const struct {
        const char *expr;
        uint64_t value;
    } rows[] = {
        { "a - b - 1", 6 - 4 - 1 },
        { "a - (b - 1)", 3 },
        { "2 + 3 * 4", 14 },
        { "1 << 3 + 1", 16 },
        { "a & 3 | 8", 10 },
        { "a ^ 5 & 4", 2 },
        { "b - a", UINT64_MAX - 1 },
        { "b - a > 5", 1 },
        { "a > b", 1 },
        { "a < b", 0 },
        { "a >= 6", 1 },
        { "a <= 5", 0 },
        { "a == 6 && b", 1 },
        { "a != 6 || 0", 0 },
        { "a && b", 1 },
        { "0 || b", 1 },
        { "1 << 40", UINT64_C(1) << 40 },
        { "GARBAGE + 1", UINT64_C(0x100000000) },
        { "ACC | ACCUMULATE", 0xc0000000 },
        { "rc(3, 5, ACC + 7)", UINT64_C(0x0003000580000007) },
        { "t[b - 3]", 20 },
        { "t[b - 4 + 2]", 30 },
        { "0 - 1 >> 60", 15 },
    };
    static const uint64_t entries[] = { 10, 20, 30 };
    const uint64_t *tables[] = { entries };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *text =
            arena_printf(arena, "kernel k(a, b; t[]) { mvin(%s, 0); }", rows[i].expr);
        struct prog_call c = { (const uint64_t[]){ 6, 4 }, tables, (const int64_t[]){ 3 } };
        struct recording r = { 0 };
        ck_assert(record(arena, parse(text), &c, &r));
        ck_assert_int_eq(r.n, 1);
        ck_assert_msg(r.at[0].rs1 == rows[i].value, "%s = %llx", rows[i].expr,
            (unsigned long long)r.at[0].rs1);
    }
}
END_TEST

START_TEST(commands)
{
    struct prog *p =
        parse("kernel k() { mvin(1, 2); mvin2(3, 4); mvin3(5, 6); mvout(7, 8); preload(9, 10);"
              "compute_preloaded(11, 12); compute_accumulated(13, 14); fence(); config_ex(2);"
              "config_ld(1, 64, 16, 1); config_st(32, 0x40000000, 1); config_pool(48, 0x3f800000, "
              "0x1234); }");
    static const uint8_t funct[] = { ISA_MVIN, ISA_MVIN2, ISA_MVIN3, ISA_MVOUT, ISA_PRELOAD,
        ISA_COMPUTE_FLIP, ISA_COMPUTE_STAY, RECORDED_FENCE };
    struct recording r = { 0 };

    ck_assert(record(arena, p, &(struct prog_call){ 0 }, &r));
    ck_assert_int_eq(r.n, 12);
    for (int i = 0; i < 8; i++) {
        ck_assert_int_eq(r.at[i].funct, funct[i]);
        ck_assert_uint_eq(r.at[i].rs1, i == 7 ? 0 : 2 * (uint64_t)i + 1);
        ck_assert_uint_eq(r.at[i].rs2, i == 7 ? 0 : 2 * (uint64_t)i + 2);
    }
    struct isa_config_ex ex = isa_decode_ex(r.at[8].rs1, r.at[8].rs2);
    struct isa_config_ld ld = isa_decode_ld(r.at[9].rs1, r.at[9].rs2);
    struct isa_config_st st = isa_decode_st(r.at[10].rs1, r.at[10].rs2);
    ck_assert(ex.ws && ex.a_stride == 2 && ex.c_stride == 1 && ex.scale == 1);
    ck_assert(ld.state == 1 && ld.stride == 64 && ld.block_stride == 16 && ld.shrink
        && ld.repeats == 1 && ld.scale == 1);
    ck_assert(st.stride == 32 && st.scale == 2 && st.act == 1 && st.pool_stride == 0);
    ck_assert_uint_eq(r.at[11].rs1, 0x1234);
    st = isa_decode_st(r.at[11].rs1, r.at[11].rs2);
    ck_assert(st.stride == 48 && st.scale == 1);
}
END_TEST

/* A refused command is the last one, in whatever loop it is. */
START_TEST(refusal_ends_the_walk)
{
    struct prog *p = parse(
        "kernel k(n) { for i < n { j = n; while (j != 0) { mvin(i, j); j -= 1; } fence(); } }");
    struct prog_call c = { (const uint64_t[]){ 5 }, NULL, NULL };

    for (int64_t limit = 1; limit < 30; limit++) {
        struct recording r = { .limit = limit };
        ck_assert(!record(arena, p, &c, &r));
        ck_assert_int_eq(r.n, limit);
    }
    struct recording all = { 0 };
    ck_assert(record(arena, p, &c, &all));
    ck_assert_int_eq(all.n, 30);
    ck_assert_uint_gt(all.instructions, 30);
}
END_TEST

/* ---- specialising */

/* The same commands with the parameters of `mask` fixed. */
static void
check_specialised(const struct prog *p, const struct prog_call *c, uint64_t mask, const char *what)
{
    uint8_t *fixed = NEWN(arena, uint8_t, p->nparam);
    int *keep = NEWN(arena, int, p->nparam);
    struct recording a = { 0 }, b = { 0 };

    for (int i = 0; i < p->nparam; i++)
        fixed[i] = mask >> (i % 64) & 1;
    struct prog *q = prog_specialise(arena, p, fixed, c->args, "x", keep);
    uint64_t *args = NEWN(arena, uint64_t, q->nparam);
    const uint64_t **tables = NEWN(arena, const uint64_t *, q->ntable);
    int64_t *len = NEWN(arena, int64_t, q->ntable);
    for (int i = 0; i < p->nparam; i++) {
        ck_assert_msg(!fixed[i] || keep[i] < 0, "%s: a fixed parameter is still there", what);
        if (keep[i] >= 0) {
            ck_assert_str_eq(p->var[i], q->var[keep[i]]);
            args[keep[i]] = c->args[i];
        }
    }
    for (int i = 0; i < q->ntable; i++) {
        tables[i] = c->tables[prog_table(p, q->table[i])];
        len[i] = c->table_len[prog_table(p, q->table[i])];
    }
    record(arena, p, c, &a);
    record(arena, q, &(struct prog_call){ args, tables, len }, &b);
    ck_assert_msg(recording_equal(&a, &b), "%s: %lld commands became %lld\n%.1500s\n%.1500s", what,
        (long long)a.n, (long long)b.n, text_of(p), text_of(q));
    if (q->body)
        check_round_trip(parse(text_of(q)), what);
}

START_TEST(random_programs_specialise)
{
    for (uint32_t seed = 1; seed <= PROGRAMS; seed++) {
        struct prog *p = gen_prog(arena, seed);
        struct prog_call c = gen_call(arena, seed);
        for (uint64_t mask = 0; mask < 1u << GEN_PARAMS; mask += 1 + seed % 5)
            check_specialised(p, &c, mask,
                arena_printf(arena, "program %u, fixed %llx", seed, (unsigned long long)mask));
    }
}
END_TEST

static const struct {
    const char *flags, *before, *after;
} folds[] = {
    /* branches, and what only they read */
    { "f",
        "kernel k(a, b, f; t[], u[]) { x = 1; y = a; if (f) { mvin(a, t[0]); } else { mvin(b + y, "
        "u[0]); } x += 2; }",
        "kernel k_s(\n    a;\n    t[]\n) {\n    mvin(a, t[0]);\n}\n" },
    { "", "kernel k(a, b, f; t[], u[]) { if (f == 0) { mvin(a, t[0]); } else { mvin(b, u[0]); } }",
        "kernel k_s(\n    a;\n    t[]\n) {\n    mvin(a, t[0]);\n}\n" },
    { "f", "kernel k(a, f) { if (a) { if (f) { x = 1; } } else if (f) { mvin(f, a); } }",
        "kernel k_s(\n    a\n) {\n    if (a) {\n    } else {\n        mvin(1, a);\n    }\n}\n" },
    /* loops that never run */
    { "", "kernel k(a, f) { while (f) { mvin(a, a); } for i < f * 3 { mvin(i, a); } mvout(a, 1); }",
        "kernel k_s(\n    a\n) {\n    mvout(a, 1);\n}\n" },
    /* arithmetic */
    { "f", "kernel k(a, f) { mvin(a * f + (f - 1), a << f - 1 | f >> 1); }",
        "kernel k_s(\n    a\n) {\n    mvin(a, a);\n}\n" },
    { "", "kernel k(a, f) { mvin(a * f + a, f && a); mvin(0 + a, a ^ f); }",
        "kernel k_s(\n    a\n) {\n    mvin(a, 0);\n    mvin(a, a);\n}\n" },
    /* the value of && and || is 0 or 1, whatever is left of them */
    { "f", "kernel k(a, f) { mvin(f && a, f == 2 || a); mvin(f && a > 1, 0 || a == 3); }",
        "kernel k_s(\n    a\n) {\n    mvin(a != 0, a != 0);\n    mvin(a > 1, a == 3);\n}\n" },
    /* chains of what nobody reads */
    { "f", "kernel k(a, f) { x = a; y = x + f; z = y; z += z; mvin(a, f); }",
        "kernel k_s(\n    a\n) {\n    mvin(a, 1);\n}\n" },
    { "", "kernel k(a, f) { x = 0; for i < a { x += f; mvin(i, 1); } }",
        "kernel k_s(\n    a\n) {\n    for i < a {\n        mvin(i, 1);\n    }\n}\n" },
};

START_TEST(folding)
{
    for (size_t i = 0; i < sizeof folds / sizeof *folds; i++) {
        struct prog *p = parse(folds[i].before);
        uint8_t fixed[8] = { 0 };
        uint64_t value[8] = { 0 };
        int keep[8];
        fixed[p->nparam - 1] = 1;
        value[p->nparam - 1] = *folds[i].flags == 'f';
        ck_assert_str_eq(
            text_of(prog_specialise(arena, p, fixed, value, "s", keep)), folds[i].after);
        ck_assert_int_eq(keep[p->nparam - 1], -1);
    }
}
END_TEST

/* The kernels as the backend uses them, specialised further. */
START_TEST(kernels_specialise)
{
    static layer_maker *const makers[] = { case_conv, case_depthwise, case_matmul, case_add,
        case_pool };
    const struct target *t = target_load(arena, diag, "gemmini-16", NULL);

    ck_assert_msg(t != NULL, "%s", diag_text(diag));
    for (uint32_t i = 0; i < 30; i++) {
        struct arena *a = arena_new();
        struct layer_case c = { .arena = a, .target = t, .seed = 77 * i + 5 };
        struct layer_run r;
        makers[i % 5](&c);
        ck_assert_msg(layer_run(a, diag, c.g, t, c.in, false, &r), "%s", c.text);
        const struct kernel *k = r.program->layers[0];
        uint64_t *args = NEWN(a, uint64_t, k->narg);
        const uint64_t **tables = NEWN(a, const uint64_t *, k->ntable);
        int64_t *len = NEWN(a, int64_t, k->ntable);
        for (int j = 0; j < k->narg; j++)
            args[j] = (uint64_t)k->args[j].value.at + (k->args[j].value.fixed ? 0 : 0x80000000u);
        for (int j = 0; j < k->ntable; j++) {
            tables[j] = k->tables[j].at;
            len[j] = k->tables[j].n;
        }
        struct prog_call call = { args, tables, len };
        check_specialised(k->prog, &call, UINT64_MAX, c.text);
        check_specialised(k->prog, &call, UINT64_C(0x123456789abcdef) * (i + 1), c.text);
        arena_free(a);
    }
}
END_TEST

/* ---- errors */

static const struct {
    const char *text, *says;
    int line;
} wrong[] = {
    { "", "kernel", 1 },
    { "kernel", "name", 1 },
    { "kernel k { }", "(", 1 },
    { "kernel k(a { }", ",", 1 },
    { "kernel k(a; t) { }", "[]", 1 },
    { "kernel k()\n", "{", 2 },
    { "kernel k() {\n mvin(1, 2);\n", "does not end", 3 },
    { "kernel k() { } x", "follows", 1 },
    { "kernel k() {\n\n mvin(1); }", ",", 3 },
    { "kernel k() { mvin(1, 2) }", ";", 1 },
    { "kernel k() { mvin(1, 2, 3); }", ")", 1 },
    { "kernel k() { move(1, 2); }", "unknown command", 1 },
    { "kernel k() { x = ; }", "name", 1 },
    { "kernel k() { x 1; }", "wanted", 1 },
    { "kernel k() { x = (1; }", ")", 1 },
    { "kernel k() { x = t[0]; }", "unknown name", 1 },
    { "kernel k(; t[]) { x = t[0; }", "]", 1 },
    { "kernel k() { x = rc(1, 2); }", ",", 1 },
    { "kernel k() { if x { } }", "(", 1 },
    { "kernel k() { for i 3 { } }", "<", 1 },
    { "kernel k() { mvin(y, 1); }", "'y' never gets a value", 0 },
    { "kernel k(a) { a = 1; }", "parameter", 1 },
    { "kernel k(a) { for a < 3 { } }", "parameter", 1 },
    { "kernel k(a, a) { }", "twice", 1 },
    { "kernel k() { x = 99999999999999999999; }", "number", 1 },
    { "kernel k() { x = 1 $ 2; }", ";", 1 },
};

START_TEST(errors)
{
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct diag *d = diag_new(arena, &(struct diag_config){ 0 });
        ck_assert_msg(
            !prog_parse(arena, d, "test.prog", wrong[i].text), "accepted: %s", wrong[i].text);
        ck_assert_msg(diag_has(d, "prog-syntax"), "%s", wrong[i].text);
        ck_assert_int_eq(diag_count(d, SEV_ERROR), 1);
        ck_assert_msg(strstr(diag_text(d), wrong[i].says), "%s: %s", wrong[i].text, diag_text(d));
        if (wrong[i].line)
            ck_assert_msg(strstr(diag_text(d), arena_printf(arena, "test.prog:%d:", wrong[i].line)),
                "%s: %s", wrong[i].text, diag_text(d));
        diag_free(d);
    }
}
END_TEST

static bool
parses(const char *text)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new(a, &(struct diag_config){ 0 });
    bool ok = prog_parse(a, d, "test.prog", text) != NULL;

    ck_assert_int_eq(ok, diag_count(d, SEV_ERROR) == 0);
    diag_free(d);
    arena_free(a);
    return ok;
}

/* Cut anywhere, or with one byte changed: refused or another program, never worse. */
START_TEST(damaged_text)
{
    size_t n = strlen(pool_prog), end = n;
    char *text = arena_strdup(arena, pool_prog);

    while (end > 0 && text[end - 1] != '}')
        end--;
    for (size_t i = 0; i < end; i += 3) {
        char c = text[i];
        text[i] = 0;
        ck_assert_msg(!parses(text), "cut at %zu", i);
        text[i] = c;
    }
    static const char junk[] = "{}()[];,#$\"=x0 \n\x80";
    for (size_t i = 0; i < n; i += 5)
        for (size_t j = 0; j < sizeof junk - 1; j++) {
            char c = text[i];
            text[i] = junk[j];
            parses(text);
            text[i] = c;
        }
    char *deep = arena_alloc(arena, 100001);
    memset(deep, '(', 100000);
    ck_assert(!parses(arena_printf(arena, "kernel k() { x = %s1; }", deep)));
    memset(deep, '{', 100000);
    ck_assert(!parses(arena_printf(arena, "kernel k() { if (1) %s", deep)));
}
END_TEST

/* ---- schedules */

static const struct sched_def one = { "stream", { "rows", "cols", "lead" } },
                              none = { "plain", { NULL } };
static const struct sched_def *const defs[] = { &none, &one, NULL };

START_TEST(schedules)
{
    struct schedule s = { &one, { 2, -56, INT64_C(1234567890123) } }, back;
    const char *text = sched_text(arena, &s);

    ck_assert_str_eq(text, "stream rows=2 cols=-56 lead=1234567890123");
    ck_assert(sched_parse(defs, text, &back));
    ck_assert(back.def == &one && memcmp(back.p, s.p, sizeof s.p) == 0);
    ck_assert(sched_parse(defs, "stream  lead=3 ", &back));
    ck_assert(back.p[0] == 0 && back.p[1] == 0 && back.p[2] == 3);
    ck_assert(sched_parse(defs, "plain", &back));
    ck_assert(back.def == &none);
    ck_assert_str_eq(sched_text(arena, &back), "plain");
    ck_assert_str_eq(sched_text(arena, &(struct schedule){ 0 }), "");

    static const char *const bad[] = { "", " ", "strea", "streams", "stream rows",
        "stream rows=", "stream rows=x", "stream rows=1x", "stream row=1", "stream rowss=1",
        "stream =1", "plain rows=1", "stream rows=1,cols=2" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!sched_parse(defs, bad[i], &back), "accepted: '%s'", bad[i]);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("prog");
    TCase *t = tcase_create("programs");

    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, NULL, NULL);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, kernels_print_and_parse);
    tcase_add_test(t, random_programs_print_and_parse);
    tcase_add_test(t, grammar);
    tcase_add_test(t, arithmetic);
    tcase_add_test(t, commands);
    tcase_add_test(t, refusal_ends_the_walk);
    tcase_add_test(t, random_programs_specialise);
    tcase_add_test(t, folding);
    tcase_add_test(t, kernels_specialise);
    tcase_add_test(t, errors);
    tcase_add_test(t, damaged_text);
    tcase_add_test(t, schedules);
    suite_add_tcase(s, t);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
