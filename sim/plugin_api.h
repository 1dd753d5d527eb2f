/* What of QEMU's TCG plugin interface the device model uses, as QEMU 7.2 has it
 * (interface version 1, which QEMU checks when it loads us).  Debian installs no
 * header for it, so these declarations are ours: names, argument types and the order
 * of fields and enumerators are the binary interface and must not be changed. */
#ifndef SIM_PLUGIN_API_H
#define SIM_PLUGIN_API_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef PLUGIN_API_VERSION
#define PLUGIN_API_VERSION 1
#endif

struct qemu_plugin_tb;               /* a translated block, while it is translated */
struct qemu_plugin_insn;             /* an instruction of one */

/* What QEMU says about itself when it loads a plugin. */
struct plugin_info {
    const char *target_name;         /* "riscv64" */
    struct { int min, cur; } version;
    bool system_emulation;
    struct { int smp_vcpus, max_vcpus; } system;
};

/* May a callback read or write registers?  Ours never do. */
enum plugin_regs { PLUGIN_NO_REGS, PLUGIN_READ_REGS, PLUGIN_WRITE_REGS };
enum plugin_access { PLUGIN_READS = 1, PLUGIN_WRITES = 2, PLUGIN_BOTH = 3 };
enum plugin_op { PLUGIN_ADD };

typedef void plugin_tb_translated(uint64_t id, struct qemu_plugin_tb *tb);
typedef void plugin_executed(unsigned hart, void *data);
/* `info` tells size, direction and byte order, see qemu_plugin_mem_is_store. */
typedef void plugin_accessed(unsigned hart, uint32_t info, uint64_t address, void *data);
typedef void plugin_ends(uint64_t id, void *data);

/* Looked up by QEMU in the plugin. */
extern const int qemu_plugin_version;
int qemu_plugin_install(uint64_t id, const struct plugin_info *info, int argc, char **argv);

/* Given by QEMU. */
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, plugin_tb_translated *f);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, plugin_executed *f,
    enum plugin_regs regs, void *data);
/* *counter += n before the block runs, whichever hart runs it. */
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, enum plugin_op op,
    void *counter, uint64_t n);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, plugin_executed *f,
    enum plugin_regs regs, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, plugin_accessed *f,
    enum plugin_regs regs, enum plugin_access access, void *data);
void qemu_plugin_register_atexit_cb(uint64_t id, plugin_ends *f, void *data);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
bool qemu_plugin_mem_is_store(uint32_t info);
unsigned qemu_plugin_mem_size_shift(uint32_t info);

#endif
