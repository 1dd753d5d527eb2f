/* Rules of pairs: a preload and its compute agree, take A and B from the scratchpad
 * and bring C to the accumulator. */
#include "sim/strict.h"
#include "src/base/num.h"

enum sim_rule
judge_preload(const struct question *q)
{
    uint32_t b = isa_laddr(q->c->rs1), c = isa_laddr(q->c->rs2);
    bool real = !judge_garbage(q, b);
    int64_t brows = q->h->regs.ex.b_transpose ? isa_cols(q->c->rs1) : isa_rows(q->c->rs1);
    struct span cs = judge_span(q, c, isa_rows(q->c->rs2));

    if (!q->j->ex_set)
        return judge_broke(q, SIM_RULE_UNCONFIGURED, "CONFIG_EX");
    if (q->h->regs.ex.c_stride != 1 && !q->j->unrolling)
        return judge_broke(q, SIM_RULE_STRIDES, "C stride %u", q->h->regs.ex.c_stride);
    if (q->j->open)
        return judge_broke(q, SIM_RULE_PAIR_ORDER, "a second PRELOAD");
    TRY(judge_size(q, q->c->rs1, q->t->dim, q->t->dim));
    TRY(judge_size(q, q->c->rs2, q->t->dim, q->t->dim));
    if (!(c & ISA_ACC))
        return judge_broke(q, SIM_RULE_C_PLACE, "C at 0x%08x", c);
    TRY(judge_bits(q, c, ISA_ACCUMULATE));
    TRY(judge_range(q, cs));
    if (isa_cols(q->c->rs1) != isa_cols(q->c->rs2))
        return judge_broke(q, SIM_RULE_PAIR_SHAPE, "B has %u columns, C %u",
            isa_cols(q->c->rs1), isa_cols(q->c->rs2));
    if (c & ISA_ACCUMULATE)
        TRY(judge_written(q, cs));
    if (!real)
        return q->j->weights ? SIM_OK : judge_broke(q, SIM_RULE_NO_WEIGHTS, "PRELOAD of garbage");
    if (b & ISA_ACC)
        return judge_broke(q, SIM_RULE_OPERAND_PLACE, "B at 0x%08x", b);
    TRY(judge_bits(q, b, 0));
    TRY(judge_range(q, judge_span(q, b, brows)));
    return judge_written(q, judge_span(q, b, brows));
}

/* Rows of A, which may be apart. */
static enum sim_rule
a_rows_ok(const struct question *q, struct span s)
{
    int64_t step = q->h->regs.ex.a_stride;

    TRY(judge_range(q, (struct span) { false, s.row, (s.n - 1) * step + 1 }));
    if (step == 1)
        return judge_written(q, s);
    for (int64_t i = 0; i < s.n; i++)
        TRY(judge_written(q, (struct span) { false, s.row + i * step, 1 }));
    return SIM_OK;
}

enum sim_rule
judge_compute(const struct question *q)
{
    const struct judge *j = q->j;
    uint32_t a = isa_laddr(q->c->rs1);
    unsigned rows = isa_rows(q->c->rs1), cols = isa_cols(q->c->rs1);
    bool is_flip = q->c->funct == ISA_COMPUTE_FLIP;

    if (!j->open)
        return judge_broke(q, SIM_RULE_PAIR_ORDER, "COMPUTE without PRELOAD");
    if (is_flip != j->real)
        return judge_broke(q, SIM_RULE_PAIR_KIND, "%s", isa_name(q->c->funct));
    if (!judge_garbage(q, isa_laddr(q->c->rs2)))
        return judge_broke(q, SIM_RULE_D_OPERAND, "D at 0x%08x", isa_laddr(q->c->rs2));
    TRY(judge_size(q, q->c->rs1, q->t->dim, q->t->dim));
    TRY(judge_bits(q, a, 0));
    if (a & ISA_ACC)
        return judge_broke(q, SIM_RULE_OPERAND_PLACE, "A at 0x%08x", a);
    if (rows != isa_rows(j->c) || cols != isa_rows(j->b))
        return judge_broke(q, SIM_RULE_PAIR_SHAPE, "A is %ux%u, B %ux%u, C %ux%u", rows, cols,
            isa_rows(j->b), isa_cols(j->b), isa_rows(j->c), isa_cols(j->c));
    return a_rows_ok(q, judge_span(q, a, q->h->regs.ex.a_transpose ? cols : rows));
}

void
judge_preload_done(struct hart *h, const struct isa_cmd *c)
{
    struct judge *j = h->judge;

    j->open = true;
    j->real = !layout_garbage(&h->s->layout, isa_laddr(c->rs1));
    j->b = c->rs1;
    j->c = c->rs2;
}

/* The other operand of a compute: D, or B of outputs that stay. */
static void
second_used(struct hart *h, uint64_t operand)
{
    const struct isa_config_ex *ex = &h->regs.ex;
    uint32_t laddr = isa_laddr(operand);
    unsigned rows = !ex->ws && ex->b_transpose ? isa_cols(operand) : isa_rows(operand);

    if (!layout_garbage(&h->s->layout, laddr) && !(laddr & ISA_ACC))
        judge_use(&h->judge->sp, laddr & h->s->layout.row_mask, num_min(rows, h->s->t->dim));
}

/* The pair is done: its operands are ordered behind, its results are written. */
void
judge_compute_done(struct hart *h, const struct isa_cmd *c)
{
    struct judge *j = h->judge;
    int64_t dim = h->s->t->dim;
    uint32_t mask = h->s->layout.row_mask, a = isa_laddr(c->rs1), to = isa_laddr(j->c);
    struct row_marks *m = to & ISA_ACC ? &j->acc : &j->sp;
    unsigned rows = h->regs.ex.a_transpose ? isa_cols(c->rs1) : isa_rows(c->rs1);
    unsigned brows = h->regs.ex.b_transpose ? isa_cols(j->b) : isa_rows(j->b);

    for (int64_t i = 0; i < num_min(rows, dim) && !(a & ISA_ACC); i++)
        judge_use(&j->sp, (a & mask) + i * h->regs.ex.a_stride, 1);
    second_used(h, c->rs2);
    if (j->open && j->real && !(isa_laddr(j->b) & ISA_ACC))
        judge_use(&j->sp, isa_laddr(j->b) & mask, num_min(brows, dim));
    for (int64_t i = 0; j->open && i < num_min(isa_rows(j->c), dim); i++) {
        int64_t row = (to & mask) + i * h->regs.ex.c_stride;
        if (layout_garbage(&h->s->layout, to) || row >= m->rows)
            break;
        rows_used(m, row, 1);
        rows_written(m, row, 1);
    }
    j->weights |= j->real;
    j->open = false;
}
