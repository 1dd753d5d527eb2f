/* Target descriptions: the files that are installed, inheritance, overrides, headers
 * that Chipyard generated, and everything that is refused. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/base/arena.h"
#include "src/base/diag.h"
#include "src/base/file.h"
#include "src/base/out.h"
#include "src/base/str.h"
#include "src/machine/target.h"
#include "test/unit/tap.h"

static struct arena *arena;
static struct diag *diag;
static const char *dir;

static void
setup(void)
{
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
file(const char *name, const char *text)
{
    char *path = path_join(arena, dir, name);
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
    return path;
}

static struct target *
load(const char *name, const char *set)
{
    const char *const sets[] = { set, NULL };

    return target_load(arena, diag, name, sets);
}

static const char *
text_of(const struct target *t)
{
    struct out *o = out_memory(arena);

    target_print(t, o);
    return out_text(o, NULL);
}

/* ---- dtype */

START_TEST(dtype_table)
{
    ck_assert_int_eq(dtype_bits(DT_I4), 4);
    ck_assert_int_eq(dtype_named("bfloat16"), DT_BF16);
    ck_assert_int_eq(dtype_named("none"), DT_NONE);
    ck_assert_int_eq(dtype_named("int9"), DT_NONE);
    ck_assert_str_eq(dtype_npy(DT_F32), "<f4");
    ck_assert_ptr_null(dtype_npy(DT_BF16));
    ck_assert(dtype_is_float(DT_F16) && !dtype_is_float(DT_I32));
    ck_assert(dtype_is_int(DT_U4) && !dtype_is_int(DT_BOOL) && !dtype_is_int(DT_STRING));
    ck_assert(dtype_is_signed(DT_I8) && dtype_is_signed(DT_F32) && !dtype_is_signed(DT_U8));
    for (int t = DT_NONE + 1; t < DT_COUNT; t++) {
        ck_assert_int_eq(dtype_named(dtype_name((enum dtype)t)), t);
        ck_assert_int_eq(dtype_from_onnx(dtype_onnx((enum dtype)t)), t);
    }
    ck_assert_int_eq(dtype_from_onnx(0), DT_NONE);
    ck_assert_int_eq(dtype_from_onnx(99), DT_NONE);
}
END_TEST

/* ---- what is installed */

START_TEST(installed_targets_load)
{
    static const struct { const char *name; int64_t dim, sp_kib, acc_kib; } want[] = {
        { "gemmini-16", 16, 256, 64 }, { "gemmini-8", 8, 256, 64 },
        { "gemmini-32", 32, 512, 128 }, { "lean", 16, 256, 64 },
        { "chip", 16, 64, 32 }, { "largechip", 32, 128, 64 },
        { "fp32", 4, 256, 64 }, { "chip-fp32", 4, 32, 8 }, { "bf16", 8, 256, 64 },
        { "ibert", 16, 256, 128 },
    };
    char **names = target_names(arena);

    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        struct target *t = load(want[i].name, NULL);
        ck_assert_msg(t != NULL, "%s", diag_text(diag));
        ck_assert_str_eq(t->name, want[i].name);
        ck_assert_int_eq(t->dim, want[i].dim);
        ck_assert_int_eq(target_sp_rows(t) * t->dim * target_elem_bytes(t), want[i].sp_kib << 10);
        ck_assert_int_eq(target_acc_rows(t) * t->dim * target_acc_bytes(t), want[i].acc_kib << 10);
        bool found = false;
        for (char **n = names; *n; n++)
            found |= strcmp(*n, want[i].name) == 0;
        ck_assert(found);
    }
    for (char **n = names; n[0] && n[1]; n++)
        ck_assert_int_lt(strcmp(n[0], n[1]), 0);
    struct target *lean = load("lean", NULL);
    ck_assert(lean->dataflow == DATAFLOW_WS && !lean->has_full_width && !lean->has_d_operand);
    ck_assert(load("chip", NULL)->has_full_width);
}
END_TEST

/* The default file says what the table says, and names every key. */
START_TEST(default_file_is_complete)
{
    struct target *t = load("gemmini-16", NULL);
    const char *path = path_join(arena, getenv("GEMMCC_TARGET_PATH"), "gemmini-16.ini");
    struct bytes b;
    int keys = 0, lines = 0;

    ck_assert(file_map(arena, diag, path, 0, &b));
    const char *s = arena_strndup(arena, (const char *)b.p, b.n);
    for (const char *q = strchr(s, '='); q; q = strchr(q + 1, '='))
        keys++;
    const char *plain = text_of(t);
    for (const char *q = strchr(plain, '='); q; q = strchr(q + 1, '='))
        lines++;
    ck_assert_int_eq(keys, lines);
    struct target *d = target_parse(arena, diag, "d", "[machine]\nname=gemmini-16\n"
        "isa_revision=3\n");
    ck_assert_str_eq(plain, text_of(d));
    ck_assert_str_eq(t->digest, d->digest);
}
END_TEST

START_TEST(print_reads_back)
{
    struct target *t = load("largechip", "core.clock_mhz=123.456789");
    ck_assert_ptr_nonnull(t);
    struct target *u = target_parse(arena, diag, "copy", text_of(t));
    ck_assert_ptr_nonnull(u);
    ck_assert_str_eq(text_of(t), text_of(u));
    ck_assert_str_eq(t->digest, u->digest);
    ck_assert_uint_eq(strlen(t->digest), 64);
    ck_assert(u->clock_mhz == 123.456789);
    ck_assert_str_ne(t->digest, load("largechip", NULL)->digest);
}
END_TEST

/* ---- merging */

START_TEST(inherits_and_overrides)
{
    file("base.ini", "[array]\ndim = 32\n[l2]\nbytes = 1M ; a megabyte\n");
    char *path = file("child.ini",
        "[array]\ndim = 8\n[machine]\ninherit = ./base.ini\n[has]\nnorms = yes\n");
    const char *const sets[] = { "array.dim=64", "l2.ways=4", "array.dim=4", NULL };
    struct target *t = target_load(arena, diag, path, NULL);

    ck_assert_msg(t != NULL, "%s", diag_text(diag));
    ck_assert_int_eq(t->dim, 8);
    ck_assert_int_eq(t->l2_bytes, 1 << 20);
    ck_assert(t->has_norms);
    ck_assert_str_eq(t->name, "child");
    t = target_load(arena, diag, path, sets);
    ck_assert_int_eq(t->dim, 4);
    ck_assert_int_eq(t->l2_ways, 4);
    ck_assert_int_eq(target_line(t), 64);
    ck_assert_int_eq(target_line(load("gemmini-16", "dma.max_bytes=16")), 16);
}
END_TEST

START_TEST(found_by_path_variable)
{
    char *old = arena_strdup(arena, getenv("GEMMCC_TARGET_PATH"));
    file("mine.ini", "[machine]\ninherit = lean\n");
    file("lean.ini", "[array]\ndim = 4\n");
    setenv("GEMMCC_TARGET_PATH", arena_printf(arena, "::%s:/nowhere:%s", dir, old), 1);
    struct target *t = load("mine", NULL);
    ck_assert_msg(t != NULL, "%s", diag_text(diag));
    ck_assert_int_eq(t->dim, 4);
    char **names = target_names(arena);
    int leans = 0;
    for (; *names; names++)
        leans += strcmp(*names, "lean") == 0;
    ck_assert_int_eq(leans, 1);
    setenv("GEMMCC_TARGET_PATH", old, 1);
}
END_TEST

/* ---- refused */

static void
refused(const char *text, const char *id, const char *want)
{
    diag = diag_new(arena, NULL);
    ck_assert_msg(!target_load(arena, diag, file("x.ini", text), NULL), "taken: %s", text);
    ck_assert_msg(diag_has(diag, id), "%s: no %s but\n%s", text, id, diag_text(diag));
    ck_assert_msg(strstr(diag_text(diag), want) != NULL, "%s: no '%s' but\n%s", text, want,
        diag_text(diag));
}

START_TEST(refuses_keys_and_values)
{
    refused("[array]\ndmi = 4\n", "target-key", "x.ini:2: error: a target has no key 'array.dmi'");
    refused("[array]\ndmi = 4\n", "target-key", "did you mean 'array.dim'?");
    refused("[aray]\ndim = 4\n", "target-key", "did you mean 'array.dim'?");
    refused("[array]\nbank_rows = 4\n", "target-key", "did you mean 'scratchpad.bank_rows'?");
    refused("dim = 4\n", "target-key", "did you mean 'array.dim'?");
    refused("[array]\nquux = 4\n", "target-key", "array.quux");
    refused("[array]\ndim = 1\n", "target-range", "array.dim is 1; it must be from 2 to 128 rows");
    refused("[array]\ndim = 4.5\n", "target-value", "whole number");
    refused("[array]\ndim = 99999999999999999999\n", "target-value", "whole number");
    refused("[array]\ndim =\n", "target-value", "whole number");
    refused("[array]\npair_min = fast\n", "target-value", "a number");
    refused("[array]\npair_min = nan\n", "target-value", "a number");
    refused("[array]\npair_min = -1\n", "target-range", "from 0 to 4096");
    refused("[array]\ninput = int9\n", "target-value", "int8, int16");
    refused("[array]\ninput = string\n", "target-value", "int8, int16");
    refused("[array]\ndataflow = sideways\n", "target-value", "ws, os or both");
    refused("[has]\nrelu = maybe\n", "target-value", "yes or no");
    refused("[array]\ndim = 1\n[has]\nrelu = x\n", "target-value", "target-range");
}
END_TEST

START_TEST(refuses_contradictions)
{
    refused("[array]\ninput = float\n", "target-conflict", "both be integers or both be floats");
    refused("[array]\ninput = int32\nacc = int16\n", "target-conflict", "narrower");
    refused("[array]\ninput = bfloat16\nacc = float\n", "target-dataflow",
        "bfloat16 with array.dataflow = both");
    refused("[array]\ninput = float16\nacc = float\ndataflow = os\n", "target-dataflow",
        "array.dataflow = ws describes");
    refused("[dma]\nmax_bytes = 48\n", "target-conflict", "dma.max_bytes must be a power of two");
    refused("[dma]\nbus_bytes = 128\n", "target-conflict", "more than dma.max_bytes");
    refused("[l2]\nbytes = 1000\n", "target-conflict", "multiple of l2.line");
    refused("[platform]\nram_size = 65537\n", "target-conflict", "4096");
}
END_TEST

START_TEST(refuses_overrides)
{
    static const char *const bad[] = { "dim=4", "array.dim", "array.dim4", "=", "",
        "array.dim=", "array.dmi=4", ".=", NULL };
    for (int i = 0; bad[i]; i++) {
        diag = diag_new(arena, NULL);
        ck_assert_msg(!load("gemmini-16", bad[i]), "taken: %s", bad[i]);
        ck_assert_int_eq(diag_count(diag, SEV_ERROR), 1);
    }
}
END_TEST

START_TEST(refuses_inheritance)
{
    refused("[machine]\ninherit = ./x.ini\n", "target-inherit", "in a circle");
    refused("[machine]\ninherit = nobody\n", "target-missing", "no target 'nobody'");
    refused("[machine]\ninherit = ./gone.ini\n", "file-open", "gone.ini");
    refused("[machine]\ninherit = laen\n", "target-missing", "did you mean 'lean'?");
    ck_assert_ptr_null(target_parse(arena, diag, "meta", "[machine]\ninherit = lean\n"));
    ck_assert(diag_has(diag, "target-inherit"));
    /* A broken parent is reported once, without what follows from it. */
    file("broken.ini", "[array]\ndmi = 3\n");
    diag = diag_new(arena, NULL);
    ck_assert_ptr_null(load(file("y.ini", "[machine]\ninherit = ./broken.ini\n"), NULL));
    ck_assert_int_eq(diag_count(diag, SEV_ERROR), 1);
}
END_TEST

START_TEST(refuses_missing_and_odd_files)
{
    ck_assert_ptr_null(load("gemini-16", NULL));
    ck_assert_ptr_nonnull(strstr(diag_text(diag), "did you mean 'gemmini-16'?"));
    ck_assert_ptr_null(load("/no/such.ini", NULL));
    ck_assert_ptr_null(load(arena_printf(arena, "%s/", dir), NULL));
    ck_assert_ptr_null(load("", NULL));
    char *big = arena_alloc(arena, 3 << 20);
    memset(big, '\n', (3 << 20) - 1);
    ck_assert_ptr_null(load(file("big.ini", big), NULL));
    ck_assert(diag_has(diag, "file-size"));
}
END_TEST

/* ---- headers, in the shape that the generator writes */

static const char int8_header[] =
    "#ifndef GEMMINI_PARAMS_H\n#define GEMMINI_PARAMS_H\n\n#include <stdint.h>\n"
    "#define XCUSTOM_ACC 3\n#define DIM 16\n#define ADDR_LEN 32\n#define BANK_NUM 4\n"
    "#define BANK_ROWS 4096\n#define ACC_ROWS 1024\n#define MAX_BYTES 64\n"
    "#define MAX_BLOCK_LEN (MAX_BYTES/(DIM*1))\n"
    "typedef int8_t elem_t;\nstatic const elem_t elem_t_max = 127;\n"
    "typedef int32_t acc_t;\ntypedef int64_t full_t;\n"
    "#define HAS_MVIN_SCALE\ntypedef float scale_t;\ntypedef uint32_t scale_t_bits;\n"
    "#define ACC_SCALE(x, scale) \\\n    ({float y = ROUND_NEAR_EVEN((x) * (scale)); \\\n"
    "    y > INT_MAX ? INT_MAX : (acc_t)y;})\n"
    "#define ACC_READ_SMALL_WIDTH\n#define ACC_READ_FULL_WIDTH\n"
    "#define HAS_FIRST_LAYER_OPTIMIZATIONS\n#endif // GEMMINI_PARAMS_H\n";

START_TEST(header_of_the_default)
{
    struct target *t = load(file("gemmini_params.h", int8_header), NULL);

    ck_assert_msg(t != NULL, "%s", diag_text(diag));
    ck_assert_int_eq(t->dim, 16);
    ck_assert_int_eq(t->elem, DT_I8);
    ck_assert_int_eq(t->acc, DT_I32);
    ck_assert_int_eq(t->acc_banks * t->acc_bank_rows, 1024);
    ck_assert(t->has_full_width && t->has_mvin_scale && t->has_first_layer && t->has_acc_scale);
    ck_assert(!t->has_mvin_acc_scale && !t->has_norms && t->has_max_pool);
    /* Not said: the safe side. */
    ck_assert(t->dataflow == DATAFLOW_WS && !t->has_loop_ws && !t->has_ex_reads_acc);
    ck_assert_int_eq(t->isa_revision, 0);
    const char *note = diag_text(diag);
    ck_assert(diag_has(diag, "target-assumed") && diag_count(diag, SEV_NOTE) == 1);
    ck_assert_ptr_nonnull(strstr(note, "array.dataflow=ws"));
    ck_assert_ptr_nonnull(strstr(note, "has.loop_ws=no"));
}
END_TEST

START_TEST(header_with_overrides)
{
    struct target *t = load(file("p.h", int8_header), "has.loop_ws=yes");

    ck_assert(t && t->has_loop_ws);
    ck_assert_ptr_null(strstr(diag_text(diag), "has.loop_ws"));
    ck_assert_str_eq(t->name, "p");
}
END_TEST

START_TEST(header_of_floats)
{
    struct target *t = load(file("f.h",
        "#define DIM 4\n#define BANK_NUM 4\n#define BANK_ROWS 4096\n#define ACC_ROWS 4096\n"
        "#define ELEM_T_IS_FLOAT\n#define ELEM_T_EXP_BITS 8\n#define ELEM_T_SIG_BITS 24\n"
        "typedef float elem_t;\ntypedef float acc_t;\n#define HAS_MVIN_ACC_SCALE\r\n"
        "#define ACC_SCALE(x, scale) \\\r\n    ((x))\n"), NULL);

    ck_assert_msg(t != NULL, "%s", diag_text(diag));
    ck_assert_int_eq(t->elem, DT_F32);
    ck_assert_int_eq(t->acc_banks, 1);
    ck_assert_int_eq(t->acc_bank_rows, 4096);
    ck_assert(t->has_mvin_acc_scale && !t->has_acc_scale && !t->has_full_width);
}
END_TEST

/* Elements are bit patterns there, and the generator does not say for which dataflow it
 * built. */
START_TEST(header_of_narrow_floats)
{
    const char *const *sets = (const char *const[]) { "array.dataflow=both", NULL };
    const char *bf16 = file("b.h",
        "#define XCUSTOM_ACC 3\n\n#define DIM 8\n#define ADDR_LEN 32\n#define BANK_NUM 4\n"
        "#define BANK_ROWS 4096\n#define ACC_ROWS 2048\n#define MAX_BYTES 64\n"
        "#define MAX_BLOCK_LEN (MAX_BYTES/(DIM*2))\n"
        "typedef uint16_t elem_t;\n#define ELEM_T_IS_LOWPREC_FLOAT\n"
        "static const float elem_t_max = 3.3895313892515355E38;\ntypedef float acc_t;\n"
        "typedef double full_t;\n#define ELEM_T_IS_FLOAT\n#define ELEM_T_EXP_BITS 8\n"
        "#define ELEM_T_SIG_BITS 8\n#define ACC_T_EXP_BITS 8\n#define ACC_T_SIG_BITS 24\n"
        "typedef uint16_t elem_t_bits;\n#define HAS_MVIN_SCALE\n#define HAS_MVIN_ACC_SCALE\n"
        "#define ACC_SCALE(x, scale) \\\n    ((x) * (scale))\n#define ACC_READ_FULL_WIDTH\n");
    struct target *t = load(bf16, NULL);

    ck_assert_msg(t != NULL, "%s", diag_text(diag));
    ck_assert(t->elem == DT_BF16 && t->acc == DT_F32 && t->dataflow == DATAFLOW_WS);
    ck_assert(t->acc_banks == 1 && t->acc_bank_rows == 2048 && t->has_acc_scale);
    ck_assert(t->has_mvin_scale && t->has_mvin_acc_scale && t->has_full_width);
    ck_assert_ptr_null(target_load(arena, diag, bf16, sets));
    ck_assert(diag_has(diag, "target-dataflow"));
}
END_TEST

START_TEST(header_refused)
{
    static const struct { const char *text, *want; } cases[] = {
        { "", "DIM is not defined" },
        { "#define DIM (4*4)\n", "not a plain number" },
        { "#define DIM 16\n#define BANK_NUM 4\n#define BANK_ROWS 4096\n#define ACC_ROWS 1024\n",
            "elem_t and acc_t" },
        { "#define XCUSTOM_ACC 2\n", "custom-2" },
        { "#define ELEM_T_IS_FLOAT\n#define ELEM_T_EXP_BITS 3\n", "3 exponent" },
        { "#define\n#define (\n#define X(\ntypedef\ntypedef ;\ntypedef x;\n\\", "DIM" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        diag = diag_new(arena, NULL);
        ck_assert_ptr_null(load(file("bad.h", cases[i].text), NULL));
        ck_assert_msg(strstr(diag_text(diag), cases[i].want) != NULL, "case %zu:\n%s", i,
            diag_text(diag));
        ck_assert(diag_has(diag, "target-header"));
    }
}
END_TEST

/* Damaged copies of a good file never crash and never load something out of range. */
START_TEST(damaged_files)
{
    struct out *o = out_memory(arena);
    unsigned seed = 1;
    size_t n;

    target_print(load("gemmini-16", NULL), o);
    const char *good = out_text(o, &n);
    for (int i = 0; i < 300; i++) {
        struct arena *a = arena_new();
        struct diag *d = diag_new(a, NULL);
        char *bad = arena_strdup(a, good);
        for (int k = 0; k < 3; k++) {
            seed = seed * 1664525 + 1013904223;
            bad[(seed >> 8) % n] = (char)(1 + (seed >> 3) % 255);
        }
        struct target *t = target_parse(a, d, "bad", bad);
        ck_assert(t || diag_count(d, SEV_ERROR) > 0);
        if (t)
            ck_assert(t->dim >= 2 && t->dim <= 128 && t->l2_ways >= 1);
        diag_free(d);
        arena_free(a);
    }
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("target");
    TCase *c = tcase_create("target");

    tcase_set_timeout(c, 30);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, dtype_table);
    tcase_add_test(c, installed_targets_load);
    tcase_add_test(c, default_file_is_complete);
    tcase_add_test(c, print_reads_back);
    tcase_add_test(c, inherits_and_overrides);
    tcase_add_test(c, found_by_path_variable);
    tcase_add_test(c, refuses_keys_and_values);
    tcase_add_test(c, refuses_contradictions);
    tcase_add_test(c, refuses_overrides);
    tcase_add_test(c, refuses_inheritance);
    tcase_add_test(c, refuses_missing_and_odd_files);
    tcase_add_test(c, header_of_the_default);
    tcase_add_test(c, header_with_overrides);
    tcase_add_test(c, header_of_floats);
    tcase_add_test(c, header_of_narrow_floats);
    tcase_add_test(c, header_refused);
    tcase_add_test(c, damaged_files);
    suite_add_tcase(s, c);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
