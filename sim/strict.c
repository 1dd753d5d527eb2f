/* The rules (strict.def). */
#include <stdlib.h>

#include "sim/internal.h"

struct judge { int unused; };
struct judge *judge_new(struct hart *h) { (void)h; return calloc(1, sizeof(struct judge)); }
void judge_free(struct judge *j) { free(j); }
void judge_reset(struct judge *j) { (void)j; }
enum sim_rule judge_command(struct hart *h, const struct isa_cmd *c, char *detail, size_t n)
{ (void)h, (void)c, (void)detail, (void)n; return SIM_OK; }
void judge_done(struct hart *h, const struct isa_cmd *c) { (void)h, (void)c; }
void judge_fence(struct hart *h) { (void)h; }

enum sim_rule
judge_hard(const struct sim *s, const struct isa_cmd *c)
{
    if (!s->arith)
        return SIM_RULE_ARITH_UNSUPPORTED;
    if (c->funct >= ISA_LOOP_WS && c->funct <= ISA_LOOP_CONV_6 && c->funct != ISA_MVIN3)
        return SIM_RULE_LOOP_UNSUPPORTED;
    return SIM_OK;
}
