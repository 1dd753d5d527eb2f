/* sim/pipeline: instructions of the core against a cycle simulation of Rocket, in which
 * each sequence was repeated a few hundred times with warm caches.  Words are what the
 * assembler makes of the text. */
#include "sim/pipeline.h"
#include "test/unit/simtest.h"
#include "test/unit/tap.h"

enum { REPEATS = 200, LONGEST = 8 };

static const struct sequence {
    const char *text;
    double cycles;                   /* measured, of one repeat */
    uint32_t word[LONGEST];
} sequences[] = {
    { "add a0,a0,a1", 1.00, { 0x00b50533 } },
    { "lui a0,5", 1.00, { 0x00005537 } },
    { "auipc a0,0", 1.00, { 0x00000517 } },
    { "ld a0,0(a1)", 2.00, { 0x0005b503 } },
    { "ld a0,0(a1); add a2,a0,a0", 3.00, { 0x0005b503, 0x00a50633 } },
    { "ld a0,0(a1); addi a3,a3,1; add a2,a0,a0", 3.00, { 0x0005b503, 0x00168693, 0x00a50633 } },
    { "ld a0,0(a1); ld a2,8(a1); ld a3,16(a1); ld a4,24(a1)", 4.00,
        { 0x0005b503, 0x0085b603, 0x0105b683, 0x0185b703 } },
    { "lb a0,0(a1); add a2,a0,a0", 4.00, { 0x00058503, 0x00a50633 } },
    { "sd a0,0(a1)", 1.00, { 0x00a5b023 } },
    { "mul a0,a1,a2; add a3,a0,a0", 5.00, { 0x02c58533, 0x00a506b3 } },
    { "mul a0,a1,a2; addi a3,a3,1; addi a4,a4,1; addi a5,a5,1; addi a6,a6,1; addi a7,a7,1;"
        " addi t0,t0,1", 9.95, { 0x02c58533, 0x00168693, 0x00170713, 0x00178793, 0x00180813,
        0x00188893, 0x00128293 } },
    { "fadd.s fa0,fa0,fa1", 3.95, { 0x00b57553 } },
    { "fadd.s fa0,fa0,fa4; fadd.s fa1,fa1,fa4; fadd.s fa2,fa2,fa4; fadd.s fa3,fa3,fa4", 4.00,
        { 0x00e57553, 0x00e5f5d3, 0x00e67653, 0x00e6f6d3 } },
    { "fmadd.s fa0,fa1,fa2,fa0", 3.95, { 0x50c5f543 } },
    { "fadd.d fa0,fa0,fa1", 5.92, { 0x02b57553 } },
    { "fmin.s fa0,fa0,fa1", 3.95, { 0x28b50553 } },
    { "fcvt.w.s a0,fa0; add a1,a0,a0", 4.02, { 0xc0057553, 0x00a505b3 } },
    { "feq.s a0,fa0,fa1", 2.98, { 0xa0b52553 } },
    { "fmv.w.x fa0,a0; fmv.x.w a0,fa0", 6.97, { 0xf0050553, 0xe0050553 } },
    { "flw fa0,0(a1); fadd.s fa1,fa0,fa2", 5.00, { 0x0005a507, 0x00c575d3 } },
    { "fadd.s fa0,fa1,fa2; fsw fa0,0(a1)", 5.00, { 0x00c5f553, 0x00a5a027 } },
    { "fdiv.s fa0,fa0,fa1", 27.78, { 0x18b57553 } },
    { "fsqrt.s fa0,fa1", 26.22, { 0x5805f553 } },
    { "fdiv.d fa0,fa1,fa2", 56.28, { 0x1ac5f553 } },
    { "csrr a0,mhartid", 2.97, { 0xf1402573 } },
    { "amoadd.d a0,a1,(a2)", 6.91, { 0x00b6352f } },
    { "c.addi a0,1", 1.00, { 0x0505 } },
    { "c.ld a0,0(a1); c.add a2,a0", 3.00, { 0x6188, 0x962a } },
    { "c.lw a0,0(a1); c.mv a2,a0", 3.00, { 0x4188, 0x862a } },
    { "c.fld fa0,0(a1); fadd.d fa1,fa0,fa2", 5.98, { 0x2188, 0x02c575d3 } },
    { "c.sdsp a0,8(sp)", 1.00, { 0xe42a } },
    { "c.ldsp a0,8(sp); c.add a1,a0", 3.00, { 0x6522, 0x95aa } },
};

START_TEST(as_measured)
{
    const struct sequence *q = &sequences[_i];
    uint32_t word[REPEATS * LONGEST];
    size_t n = 0;
    double c;

    sim_default_target();
    sim_target.core_mul = 4;         /* of factors as small as those that were measured */
    for (int r = 0; r < REPEATS; r++)
        for (int i = 0; i < LONGEST && q->word[i]; i++)
            word[n++] = q->word[i];
    c = pipeline_cycles(&sim_target, word, n) / REPEATS;
    ck_assert_msg(c > q->cycles * 0.93 && c < q->cycles * 1.07, "%s: %.2f cycles, measured %.2f",
        q->text, c, q->cycles);
}
END_TEST

/* loop: fadd.s fa0,fa0,fa1; addi a0,a0,-1; bnez a0,loop.  The sum of one turn waits for
 * that of the turn before, when the branch leads back here and nowhere else. */
START_TEST(loops_wait_for_themselves)
{
    uint32_t loop[] = { 0x00b57553, 0xfff50513, 0xfe051ce3 };
    uint32_t near[] = { 0x00b57553, 0x157d, 0xfd6d };    /* with c.addi and c.bnez */

    sim_default_target();
    ck_assert_double_eq(pipeline_cycles(&sim_target, loop, 3), sim_target.core_float);
    ck_assert_double_eq(pipeline_cycles(&sim_target, near, 3), sim_target.core_float);
    loop[2] = 0xfe051ee3;            /* to the addi */
    ck_assert_double_eq(pipeline_cycles(&sim_target, loop, 3), 3 * sim_target.core_instr);
}
END_TEST

START_TEST(commands_wait_for_operands)
{
    /* ld a0,0(a1); ld a2,8(a1); a command with a0 and a2 */
    uint32_t word[] = { 0x0005b503, 0x0085b603,
        2u << 25 | 12u << 20 | 10u << 15 | 3u << 12 | 0x7b };

    sim_default_target();
    ck_assert_double_eq(pipeline_cycles(&sim_target, word, 3), 1 + sim_target.core_load);
    ck_assert_double_eq(pipeline_cycles(&sim_target, word + 2, 1), 0);
}
END_TEST

START_TEST(returns)
{
    ck_assert(pipeline_returns(0x00008067));             /* ret */
    ck_assert(pipeline_returns(0x8082));                 /* c.jr ra */
    ck_assert(!pipeline_returns(0x00050067));            /* jr a0 */
    ck_assert(!pipeline_returns(0x000080e7));            /* jalr ra */
    ck_assert(!pipeline_returns(0x00b50533));
}
END_TEST

/* Any word is some instruction: nothing is read beyond the registers. */
START_TEST(any_word)
{
    uint32_t word[64];

    sim_default_target();
    sim_seed(11);
    for (int i = 0; i < 20000; i++) {
        for (int j = 0; j < 64; j++)
            word[j] = (uint32_t)sim_random();
        ck_assert(pipeline_cycles(&sim_target, word, 64) >= 0);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("sim_pipeline");
    TCase *t = tcase_create("core");

    tcase_add_loop_test(t, as_measured, 0, sizeof sequences / sizeof *sequences);
    tcase_add_test(t, loops_wait_for_themselves);
    tcase_add_test(t, commands_wait_for_operands);
    tcase_add_test(t, returns);
    tcase_add_test(t, any_word);
    suite_add_tcase(s, t);
    return tap_run(s);
}
