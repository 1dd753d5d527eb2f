/* Kernel programs: what a layer does on the array, as a small structured program
 * over 64-bit unsigned numbers.  C printer, text dump, walker (and through it the
 * device model) and cost checks read the same object, so what was simulated is what
 * is printed.
 *
 * A kernel is written once as text (backend/gemmini/ *.prog), shared by every layer
 * of that kind, and specialised by fixing flag parameters.  What differs from layer
 * to layer are its arguments: numbers, addresses, and constant tables of moves,
 * segments and taps.
 *
 *   kernel  := "kernel" name "(" [params] [";" tables] ")" block
 *   params  := name { "," name }          tables := name "[]" { "," name "[]" }
 *              (a # note after a name and its comma says what it means)
 *   block   := "{" { stmt } "}"
 *   stmt    := name "=" expr ";" | name "+=" expr ";" | name "-=" expr ";"
 *            | "if" "(" expr ")" block [ "else" ( block | if ) ]
 *            | "while" "(" expr ")" block | "for" name "<" expr block
 *            | "proc" name block          (textual: expanded where called)
 *            | name "(" [ expr { "," expr } ] ")" ";"   (command or proc)
 *            | "#" text to the end of the line          (kept as a comment)
 *   expr    := C operators || && | ^ & == != < <= > >= << >> + - * over numbers,
 *              names, name[expr], rc(rows, cols, local), ACC, ACCUMULATE, GARBAGE
 *
 * Only variables are set, parameters and tables are not.  Commands: mvin mvin2 mvin3
 * mvout preload compute_preloaded compute_accumulated (two operands each, as the
 * instruction takes them), config_ex(a_stride),
 * config_ld(state, stride, block_stride, shrink), config_st(stride, scale_bits, act),
 * config_pool(stride, scale_bits, fields): fields are rs1 of a pooling CONFIG_ST,
 * fence(). */
#ifndef BACKEND_PROG_H
#define BACKEND_PROG_H
#include <stdbool.h>
#include <stdint.h>

#include "src/base/arena.h"
#include "src/base/diag.h"
#include "src/machine/sink.h"

struct out;

enum pexpr_kind {
    PX_CONST, PX_VAR, PX_TABLE, PX_RC,
    PX_ADD, PX_SUB, PX_MUL, PX_AND, PX_OR, PX_XOR, PX_SHL, PX_SHR,
    PX_LT, PX_LE, PX_GT, PX_GE, PX_EQ, PX_NE, PX_LAND, PX_LOR
};
struct pexpr {
    enum pexpr_kind kind;
    int index;                   /* variable, or table */
    uint64_t value;
    const char *name;            /* of a named constant, for printing */
    struct pexpr *a, *b, *c;
};

enum pstmt_kind { PS_SET, PS_IF, PS_WHILE, PS_FOR, PS_COMMAND, PS_NOTE };
enum pcommand {
    PC_MVIN, PC_MVIN2, PC_MVIN3, PC_MVOUT, PC_PRELOAD, PC_FLIP, PC_STAY,
    PC_CONFIG_EX, PC_CONFIG_LD, PC_CONFIG_ST, PC_CONFIG_POOL, PC_FENCE, PC_COMMANDS
};
struct pstmt {
    enum pstmt_kind kind;
    enum pcommand command;
    int var;                     /* SET, FOR */
    struct pexpr *e[4];          /* SET: value; IF, WHILE: condition; FOR: count; COMMAND: operands */
    struct pstmt *body, *other;
    const char *text;            /* NOTE */
    struct pstmt *next;
};

struct prog {
    const char *name;
    const char *doc;             /* notes before the kernel */
    const char **var; int nvar, nparam;    /* parameters first */
    const char **table; int ntable;
    const char **var_note, **table_note;   /* of parameters and tables; NULL: none */
    struct pstmt *body;
};

/* NULL after diagnostics (id prog-syntax). */
struct prog *prog_parse(struct arena *a, struct diag *d, const char *file, const char *text);
void prog_print(const struct prog *p, struct out *o);     /* parses back to the same */
int prog_param(const struct prog *p, const char *name);   /* -1: none */
int prog_table(const struct prog *p, const char *name);

/* A copy with some parameters fixed: expressions folded, dead branches and unused
 * parameters gone.  fixed[i] != 0: parameter i is value[i].  `suffix` is added to
 * the name when not empty.  keep[] (nparam) maps old parameters to new, -1 if gone. */
struct prog *prog_specialise(struct arena *a, const struct prog *p, const uint8_t *fixed,
                             const uint64_t *value, const char *suffix, int *keep);
uint64_t prog_apply(enum pexpr_kind k, uint64_t a, uint64_t b);

/* Runs a program into a sink.  args: nparam values; tables: ntable arrays.  False: the
 * sink refused a command.  An instruction count close to the compiled code's goes to
 * sink->instructions. */
struct prog_call { const uint64_t *args; const uint64_t *const *tables; const int64_t *table_len; };
bool prog_walk(const struct prog *p, const struct prog_call *c, struct sink *s, int hart);
/* The command that a statement's operands make (shared by walker and tests). */
struct isa_cmd prog_command(enum pcommand c, const uint64_t *e);

/* The body as C statements; variables and parameters are uint64_t of the same names. */
void prog_print_c(const struct prog *p, struct out *o);

#endif
