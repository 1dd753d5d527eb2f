/* From the emitted files to an object or a program: drives the cross compiler. */
#ifndef DRIVER_LINK_H
#define DRIVER_LINK_H
#include "backend/backend.h"

struct link {
    const char *name;            /* C identifier of the model */
    const char *cc;              /* NULL: $GEMMCC_CC, or riscv64-unknown-elf-gcc */
    const char *const *cc_flags; /* NULL-terminated; NULL: none */
    const char *save;            /* folder to keep the intermediate files in; NULL: none */
    bool object;                 /* stop at a relocatable object */
    bool verbose;
};

/* Writes C, assembler file, weights and description into a temporary folder, compiles
 * and links them to `out`.  Paths of this machine do not reach the product.  False after
 * a diagnostic (tool-missing, cc-failed, disk-full, rt-missing). */
bool link_program(struct arena *a, struct diag *d, const struct program *p, const struct emit *e,
                  const struct link *l, const char *out);
/* The folder of the runtime's sources and headers; NULL after a diagnostic. */
const char *link_runtime(struct arena *a, struct diag *d);
const char *link_compiler(const char *asked);

#endif
