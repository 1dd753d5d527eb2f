/* src/machine/isa: literal bit layouts of gemmini-isa.md 2 to 4, and back. */
#include <math.h>
#include <string.h>

#include "src/machine/isa.h"
#include "test/unit/tap.h"

#define ONE UINT64_C(0x3f800000)     /* 1.0f */

START_TEST(words)
{
    /* .insn r 0x7b, 3, 6, x0, x10, x11 without its registers; COUNTER has funct3 7. */
    ck_assert_uint_eq(isa_word(6), 0x0c00307b);
    ck_assert_uint_eq(isa_word(ISA_COUNTER), 0xfc00707b);
    ck_assert_uint_eq(isa_funct_of(0x0c00307b | 10u << 15 | 11u << 20), 6);
    ck_assert_uint_eq(isa_funct_of(0xfc00707b), 126);
    for (unsigned f = 0; f < 128; f++)
        ck_assert_uint_eq(isa_funct_of(isa_word(f)), f);
}
END_TEST

START_TEST(names_and_classes)
{
    ck_assert_str_eq(isa_name(0), "config");
    ck_assert_str_eq(isa_name(2), "mvin");
    ck_assert_str_eq(isa_name(14), "mvin3");
    ck_assert_str_eq(isa_name(126), "counter");
    ck_assert_ptr_null(isa_name(26));
    ck_assert_ptr_null(isa_name(127));
    ck_assert_ptr_null(isa_name(5000));
    ck_assert_int_eq(isa_class(1), ISA_CLASS_LOAD);
    ck_assert_int_eq(isa_class(3), ISA_CLASS_STORE);
    ck_assert_int_eq(isa_class(6), ISA_CLASS_EXEC);
    ck_assert_int_eq(isa_class(99), ISA_CLASS_CTRL);
    ck_assert_int_eq(isa_class(5000), ISA_CLASS_CTRL);
}
END_TEST

START_TEST(operands)
{
    uint64_t op = isa_operand(0xc0000123u, 16, 64);

    ck_assert_uint_eq(op, UINT64_C(0x00100040c0000123));
    ck_assert_uint_eq(isa_laddr(op), 0xc0000123u);
    ck_assert_uint_eq(isa_rows(op), 16);
    ck_assert_uint_eq(isa_cols(op), 64);
}
END_TEST

START_TEST(config_ex_layout)
{
    struct isa_config_ex c = { .ws = true, .a_stride = 1, .c_stride = 1, .scale = 1 };
    struct isa_cmd r = isa_encode_ex(&c);

    ck_assert_uint_eq(r.funct, 0);
    ck_assert_uint_eq(r.rs1, ONE << 32 | 1u << 16 | 4);
    ck_assert_uint_eq(r.rs2, UINT64_C(1) << 48);
    c = (struct isa_config_ex) { .act = 3, .only_strides = true, .a_transpose = true,
        .b_transpose = true, .a_stride = 0xffff, .c_stride = 0xabcd, .shift = 31 };
    r = isa_encode_ex(&c);
    ck_assert_uint_eq(r.rs1, UINT64_C(0xffff0000) | 3u << 3 | 1u << 7 | 1u << 8 | 1u << 9);
    ck_assert_uint_eq(r.rs2, UINT64_C(0xabcd) << 48 | 31);
}
END_TEST

START_TEST(config_ld_layout)
{
    struct isa_config_ld c = { .shrink = true, .state = 2, .repeats = 1,
        .block_stride = 0x1234, .scale = 1, .stride = UINT64_C(0x123456789a) };
    struct isa_cmd r = isa_encode_ld(&c);

    ck_assert_uint_eq(r.rs1, ONE << 32 | 0x1234u << 16 | 1u << 8 | 2u << 3 | 1u << 2 | 1);
    ck_assert_uint_eq(r.rs2, UINT64_C(0x123456789a));
}
END_TEST

START_TEST(config_st_layout)
{
    struct isa_config_st c = { .act = 1, .pool_stride = 2, .pool_size = 3, .upad = 1,
        .lpad = 2, .pool_out_dim = 0x11, .porows = 0x22, .pocols = 0x33, .orows = 0x44,
        .ocols = 0x55, .stride = 0x89abcdef, .scale = 1 };
    struct isa_cmd r = isa_encode_st(&c);

    ck_assert_uint_eq(r.rs1, UINT64_C(0x5544332211) << 24 | 2u << 10 | 1u << 8 | 3u << 6
        | 2u << 4 | 1u << 2 | 2);
    ck_assert_uint_eq(r.rs2, ONE << 32 | 0x89abcdefu);
    c.keep_scale = true;
    ck_assert_uint_eq(isa_encode_st(&c).rs2 >> 32, 0xffffffffu);
    ck_assert(isa_decode_st(r.rs1, UINT64_MAX).keep_scale);
    ck_assert(!isa_decode_st(r.rs1, r.rs2).keep_scale);
}
END_TEST

/* Every bit that a decoder looks at comes back from the encoder. */
START_TEST(round_trips)
{
    uint64_t x = 12345;

    for (int i = 0; i < 5000; i++) {
        uint64_t a, b;
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
        a = x & UINT64_C(0x7f7fffffffffffff);
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
        b = x & UINT64_C(0x7f7fffffffffffff);
        struct isa_config_ex ex = isa_decode_ex(a, b);
        struct isa_config_ld ld = isa_decode_ld(a, b);
        struct isa_config_st st = isa_decode_st(a, b);
        struct isa_cmd e = isa_encode_ex(&ex), l = isa_encode_ld(&ld), s = isa_encode_st(&st);
        ck_assert_uint_eq(e.rs1, a & UINT64_C(0xffffffffffff039c));
        ck_assert_uint_eq(e.rs2, b & UINT64_C(0xffff0000ffffffff));
        ck_assert_uint_eq(l.rs1, (a & UINT64_C(0xffffffffffffff1c)) | 1);
        ck_assert_uint_eq(l.rs2, b);
        ck_assert_uint_eq(s.rs1, (a & UINT64_C(0xffffffffff000ffc)) | 2);
        ck_assert_uint_eq(s.rs2, b);
    }
}
END_TEST

static const char *
text(uint8_t funct, uint64_t rs1, uint64_t rs2)
{
    static char buf[200];
    struct isa_cmd c = { funct, rs1, rs2 };

    isa_text(&c, buf, sizeof buf);
    return buf;
}

START_TEST(texts)
{
    struct isa_config_st st = { .keep_scale = true, .stride = 64 };
    struct isa_cmd c = isa_encode_st(&st);
    char small[6];

    ck_assert_str_eq(text(2, 0x81000000, isa_operand(0, 16, 64)),
        "mvin 0x81000000 -> sp:0 16x64");
    ck_assert_str_eq(text(3, 0x80000010, isa_operand(ISA_ACC | ISA_FULL | 5, 1, 16)),
        "mvout accf:5 1x16 -> 0x80000010");
    ck_assert_str_eq(text(6, isa_operand(ISA_GARBAGE, 16, 16),
        isa_operand(ISA_ACC | ISA_ACCUMULATE | 32, 8, 16)),
        "preload - 16x16, c acc+:32 8x16");
    ck_assert_ptr_nonnull(strstr(text(c.funct, c.rs1, c.rs2), "scale kept"));
    ck_assert_str_eq(text(99, 1, 2), "funct 99 0x1 0x2");
    ck_assert_str_eq(text(7, 0, 0), "flush 0x0 0x0");
    c.funct = 2;
    isa_text(&c, small, sizeof small);
    ck_assert_str_eq(small, "mvin ");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("isa");
    TCase *t = tcase_create("isa");

    tcase_add_test(t, words);
    tcase_add_test(t, names_and_classes);
    tcase_add_test(t, operands);
    tcase_add_test(t, config_ex_layout);
    tcase_add_test(t, config_ld_layout);
    tcase_add_test(t, config_st_layout);
    tcase_add_test(t, round_trips);
    tcase_add_test(t, texts);
    suite_add_tcase(s, t);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
