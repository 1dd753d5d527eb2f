/* A device model to talk to: the default machine with little memory, commands as
 * calls.  Every test starts from `sim_open`; `sim_target` may be changed before. */
#ifndef TEST_UNIT_SIMTEST_H
#define TEST_UNIT_SIMTEST_H
#include <stdbool.h>
#include <stdint.h>

#include "sim/sim.h"

#define RAM UINT64_C(0x80000000)
#define SP(row) ((uint32_t)(row))
#define ACC(row) (ISA_ACC | (uint32_t)(row))
#define ADD(row) (ISA_ACC | ISA_ACCUMULATE | (uint32_t)(row))
#define OP(laddr, rows, cols) isa_operand((laddr), (rows), (cols))
#define NONE(rows, cols) isa_operand(ISA_GARBAGE, (rows), (cols))

extern struct target sim_target;
extern struct sim *sim;
extern uint8_t *ram;
extern enum sim_rule sim_broken;     /* by the last command; SIM_OK: nothing */

void sim_default_target(void);
/* The same with other elements and size.  Floats: as upstream builds them, those of 16
 * bits weight stationary. */
void sim_array_of(enum dtype elem, int dim);
void sim_open(enum sim_strict strict, bool timing);
void sim_close(void);

bool cmd(unsigned funct, uint64_t rs1, uint64_t rs2);
bool config_ex(unsigned a_stride);
bool config_ex_of(const struct isa_config_ex *c);
bool config_ld(unsigned state, uint64_t stride, unsigned block_stride, float scale, bool shrink);
bool config_st(uint32_t stride, float scale, unsigned act);
bool config_st_of(const struct isa_config_st *c);
/* A preload of weights (or of garbage) and its compute. */
bool pair(uint32_t w, uint32_t c, uint32_t a, unsigned rows, unsigned k, unsigned cols);
bool fence(void);
/* The core itself loads or stores. */
bool core_access(uint64_t addr, uint64_t n, bool store);
uint64_t cycles(void);

/* A fixed stream of random numbers. */
void sim_seed(uint64_t seed);
uint64_t sim_random(void);
int64_t sim_between(int64_t from, int64_t to);

#endif
