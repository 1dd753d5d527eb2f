/* The array once more, slow and literal: element by element as gemmini-isa.md says
 * it, sharing no code with sim/.  Legal commands of integer arrays only. */
#ifndef TEST_SIM_LITERAL_H
#define TEST_SIM_LITERAL_H
#include <stdint.h>

struct literal;

struct literal *literal_new(int dim, int sp_rows, int acc_rows, uint64_t base,
    const uint8_t *ram, uint64_t size);
void literal_free(struct literal *l);
void literal_command(struct literal *l, unsigned funct, uint64_t rs1, uint64_t rs2);
int literal_sp(const struct literal *l, int row, int col);
int32_t literal_acc(const struct literal *l, int row, int col);
const uint8_t *literal_ram(const struct literal *l);

#endif
