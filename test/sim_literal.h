/* The array once more, slow and literal: element by element as gemmini-isa.md says
 * it, sharing no code with sim/.  Commands whose meaning it gives, on int8 arrays and
 * on those of floats (by sim_exact.h); no loops, no normalisations. */
#ifndef TEST_SIM_LITERAL_H
#define TEST_SIM_LITERAL_H
#include <stdbool.h>
#include <stdint.h>

struct literal_machine {
    int dim, sp_rows, acc_rows;
    const char *elem;                /* int8, float, float16 or bfloat16 */
    bool scales_acc_in, scales_out, pools, repeats;
};

struct literal;

struct literal *literal_new(const struct literal_machine *m, uint64_t base, const uint8_t *ram,
    uint64_t size);
void literal_free(struct literal *l);
void literal_command(struct literal *l, unsigned funct, uint64_t rs1, uint64_t rs2);
/* Integers as they are, floats as bits. */
int32_t literal_sp(const struct literal *l, int row, int col);
int32_t literal_acc(const struct literal *l, int row, int col);
const uint8_t *literal_ram(const struct literal *l);

#endif
