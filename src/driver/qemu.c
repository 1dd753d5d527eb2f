/* Starts QEMU with the device model, waits, and reads what is left: the console, the
 * report that the model wrote, and the guest's memory.  The memory is an anonymous
 * file of ours that QEMU and plugin open through /proc, so nothing of it touches a
 * disk or stays behind. */
#include "src/driver/qemu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/base/arena.h"
#include "src/base/conf.h"
#include "src/base/diag.h"
#include "src/base/out.h"
#include "src/base/proc.h"
#include "src/base/str.h"
#include "src/base/vec.h"
#include "src/machine/mailbox.h"

#define QEMU_NAME "qemu-system-riscv64"
#define PLUGIN_NAME "gemmcc-device.so"


struct job {
    struct arena *arena;
    struct diag *diag;
    const struct qemu_run *run;
    struct qemu_result *x;
    const char *program, *plugin, *dir, *image, *report, *target;
    const char *trace, *layers;      /* being written; names for it */
    int harts, ram;                  /* ram: file descriptor */
    int64_t memory;
    struct elf_symbol mailbox;       /* addr 0: none */
    struct elf_patch *patches;       /* the caller's and ours */
    int npatch;
};

/* The machine has its memory here, whatever a target says. */
static const uint64_t ram_base = 0x80000000u;

/* ---- before */

static bool
find_qemu(struct job *j)
{
    const char *env = getenv("GEMMCC_QEMU");
    const char *name = j->run->program ? j->run->program : env && *env ? env : QEMU_NAME;

    j->program = proc_which(j->arena, name);
    if (j->program)
        return true;
    diag_fatal(j->diag, "qemu-missing", "there is no '%s'", name);
    diag_hint(j->diag, "on Debian: apt install qemu-system-misc; or name it with --qemu");
    return false;
}

static bool
find_plugin(struct job *j)
{
    const char *env = getenv("GEMMCC_DEVICE");
    const char *tries[] = {
        j->run->plugin ? j->run->plugin : env && *env ? env : NULL,
        path_join(j->arena, path_of_program(j->arena), PLUGIN_NAME),
        path_join(j->arena, path_of_program(j->arena), "../lib/gemmcc/" PLUGIN_NAME),
#ifdef PKGLIBDIR
        PKGLIBDIR "/" PLUGIN_NAME,
#endif
    };
    size_t n = tries[0] ? 1 : sizeof tries / sizeof *tries;

    for (size_t i = tries[0] ? 0 : 1; i < n; i++)
        if (file_exists(tries[i])) {
            j->plugin = tries[i];
            return true;
        }
    return diag_fatal(j->diag, "qemu-plugin", "the device model %s is not there",
        tries[0] ? tries[0] : PLUGIN_NAME);
}

static bool
check_memory(struct job *j)
{
    uint64_t first, last;

    elf_extent(j->run->elf, &first, &last);
    if ((uint64_t)j->run->target->ram_base != ram_base)
        return diag_error(j->diag, NULL, "qemu-memory",
            "QEMU's memory begins at 0x%llx, the target's at 0x%llx",
            (unsigned long long)ram_base, (unsigned long long)j->run->target->ram_base);
    if (first < ram_base)
        return diag_error(j->diag, NULL, "qemu-memory",
            "the program wants memory at 0x%llx, below the machine's at 0x%llx",
            (unsigned long long)first, (unsigned long long)ram_base);
    if (last - ram_base <= (uint64_t)j->memory)
        return true;
    diag_error(j->diag, NULL, "qemu-memory", "the program needs %s bytes of memory, there are %s",
        str_thousands(j->arena, last - ram_base),
        str_thousands(j->arena, (uint64_t)j->memory));
    diag_hint(j->diag, "give more with --memory");
    return false;
}

static bool
map_memory(struct job *j)
{
    struct sim_memory *m = &j->x->ram;
    void *p = MAP_FAILED;

    j->ram = memfd_create("guest", MFD_CLOEXEC);
    if (j->ram >= 0 && ftruncate(j->ram, j->memory) == 0)
        p = mmap(NULL, (size_t)j->memory, PROT_READ | PROT_WRITE, MAP_SHARED, j->ram, 0);
    if (p == MAP_FAILED)
        return diag_fatal(j->diag, "qemu-failed", "no %s bytes for the guest's memory",
            str_thousands(j->arena, (uint64_t)j->memory));
    *m = (struct sim_memory) { p, ram_base, (uint64_t)j->memory };
    return true;
}

static bool
write_target(struct job *j)
{
    struct target t = *j->run->target;
    struct out *o = out_open(j->target, j->diag);

    t.ram_size = j->memory;
    t.harts = j->harts > t.harts ? j->harts : t.harts;
    if (!o)
        return false;
    target_print(&t, o);
    return out_close(o);
}

/* The timeline gets its name when it is whole. */
static bool
prepare_trace(struct job *j)
{
    const struct qemu_run *r = j->run;
    struct out *o;
    FILE *f;

    if (!r->trace)
        return true;
    j->trace = arena_printf(j->arena, "%s.part", r->trace);
    f = fopen(j->trace, "w");
    if (!f)
        return diag_fatal(j->diag, "out-open", "cannot create '%s': %s", r->trace,
            strerror(errno));
    fclose(f);
    j->layers = path_join(j->arena, j->dir, "layers.txt");
    o = out_open(j->layers, j->diag);
    for (int i = 0; o && i < r->nlayer_name; i++)
        out_printf(o, "%s\n", r->layer_names[i]);
    return o && out_close(o);
}

static bool
end_trace(const struct job *j, bool ok)
{
    if (!j->trace)
        return ok;
    if (ok && rename(j->trace, j->run->trace))
        return diag_fatal(j->diag, "out-write", "cannot write '%s': %s", j->run->trace,
            strerror(errno));
    if (!ok)
        unlink(j->trace);
    return ok;
}

/* QEMU's own cycle counter is only as new as the last trap.  Reads of it (rdcycle, and
 * mcycle by csrr) become rdtime, which traps there, and which the runtime answers with
 * modelled time. */
static void
patch_clock(struct job *j)
{
    static const uint8_t rdtime[] = { 0x10, 0xc0 };      /* its upper half */
    const struct qemu_run *r = j->run;
    VEC(struct elf_patch) all = { 0 };
    struct elf_section text;

    for (int i = 0; i < r->npatch; i++)
        vec_push(j->arena, &all, r->patches[i]);
    if (r->timing && j->mailbox.addr && elf_section(r->elf, ".text", &text) && text.bytes)
        for (uint64_t at = 0; at + 4 <= text.size; at += (text.bytes[at] & 3) == 3 ? 4 : 2) {
            const uint8_t *b = text.bytes + at;
            uint32_t w = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
            if ((w & 0xfffff07f) == 0xc0002073 || (w & 0xfffff07f) == 0xb0002073)
                vec_push(j->arena, &all, ((struct elf_patch) { text.addr + at + 2, rdtime, 2 }));
        }
    j->patches = all.at;
    j->npatch = all.n;
}

static bool
prepare(struct job *j)
{
    const struct qemu_run *r = j->run;

    j->harts = r->harts ? r->harts : (int)r->target->harts;
    j->memory = r->memory ? r->memory : r->target->ram_size;
    j->memory = (j->memory + 4095) & ~INT64_C(4095);
    if (j->harts < 1 || j->harts > GM_MAILBOX_HARTS)
        return diag_error(j->diag, NULL, "qemu-memory", "%d harts; 1 to %d can be simulated",
            j->harts, GM_MAILBOX_HARTS);
    if (!find_qemu(j) || !find_plugin(j) || !check_memory(j))
        return false;
    elf_symbol(r->elf, "gm_mailbox", &j->mailbox);
    j->dir = temp_dir(j->arena, j->diag);
    if (!j->dir)
        return false;
    j->image = path_join(j->arena, j->dir, "program.elf");
    j->report = path_join(j->arena, j->dir, "report.ini");
    j->target = path_join(j->arena, j->dir, "target.ini");
    patch_clock(j);
    return elf_bake(j->arena, j->diag, r->elf, j->patches, j->npatch, j->image)
        && write_target(j) && prepare_trace(j) && map_memory(j);
}

/* ---- the run */

/* A value of a QEMU option: commas are doubled. */
static char *
escaped(struct arena *a, const char *s)
{
    char *r = arena_alloc(a, 2 * strlen(s) + 1), *p = r;

    for (; *s; s++) {
        if (*s == ',')
            *p++ = ',';
        *p++ = *s;
    }
    return r;
}

static const char *
trace_option(struct job *j)
{
    static const char *const details[] = { "layer", "tile", "command" };

    if (!j->trace)
        return "";
    return arena_printf(j->arena, ",trace=%s,layers=%s,detail=%s,unit=%s",
        escaped(j->arena, j->trace), escaped(j->arena, j->layers),
        details[j->run->trace_detail], j->run->trace_ns ? "ns" : "cycle");
}

static const char *
plugin_option(struct job *j, const char *ram)
{
    struct arena *a = j->arena;
    enum sim_strict s = j->run->strict;

    return arena_printf(a, "%s,target=%s,ram=%s,mailbox=0x%llx,report=%s,strict=%s,timing=%s%s",
        escaped(a, j->plugin), escaped(a, j->target), ram, (unsigned long long)j->mailbox.addr,
        escaped(a, j->report),
        s == SIM_STRICT_OFF ? "off" : s == SIM_STRICT_WARN ? "warn" : "error",
        j->run->timing ? "on" : "off", trace_option(j));
}

static bool
start(struct job *j, struct proc_result *p)
{
    struct arena *a = j->arena;
    const char *ram = arena_printf(a, "/proc/%ld/fd/%d", (long)getpid(), j->ram);
    const char *argv[] = {
        j->program, "-no-user-config", "-nodefaults", "-machine", "spike,memory-backend=ram",
        "-m", arena_printf(a, "%lldK", (long long)(j->memory / 1024)),
        "-object", arena_printf(a, "memory-backend-file,id=ram,size=%lldK,mem-path=%s,share=on",
            (long long)(j->memory / 1024), ram),
        "-smp", arena_printf(a, "%d", j->harts), "-accel", "tcg,thread=single",
        "-bios", "none", "-display", "none", "-monitor", "none", "-serial", "stdio",
        "-kernel", j->image, "-plugin", plugin_option(j, ram),
        j->run->gdb ? "-S" : NULL, "-gdb",
        j->run->gdb ? arena_printf(a, "tcp:127.0.0.1:%s", j->run->gdb) : NULL, NULL
    };
    struct proc c = { .argv = argv, .capture_out = true, .capture_err = true,
        .timeout = j->run->timeout, .temp = j->dir, .on_out = j->run->on_console, .ctx = j->run->ctx };

    return proc_run(a, j->diag, &c, p);
}

/* ---- after */

static uint64_t
number(const struct conf_section *s, const char *key)
{
    const char *v = conf_in(s, key);

    return v ? strtoull(v, NULL, 10) : 0;
}

static int
integer(const struct conf_section *s, const char *key)
{
    const char *v = conf_in(s, key);

    return v ? (int)strtol(v, NULL, 10) : 0;
}

static struct qemu_layer
layer(const struct conf_section *s)
{
    return (struct qemu_layer) { .hart = integer(s, "hart"), .stats = {
        .number = integer(s, "number"),
        .start = number(s, "start"), .cycles = number(s, "cycles"),
        .array = number(s, "array"), .core = number(s, "core"), .macs = number(s, "macs"),
        .commands = number(s, "commands"),
        .bytes_in = number(s, "bytes_in"), .bytes_out = number(s, "bytes_out"),
        .stall_operands = number(s, "stall_operands"),
        .stall_commands = number(s, "stall_commands"),
        .stall_store = number(s, "stall_store"), .stall_fence = number(s, "stall_fence"),
        .stall_bank = number(s, "stall_bank"),
    } };
}

static struct sim_violation
violation(const struct conf_section *s)
{
    struct sim_violation v = { .hart = integer(s, "hart"), .layer = integer(s, "layer"),
        .core = number(s, "core") != 0,
        .index = number(s, "index"), .pc = number(s, "pc"),
        .cmd = { (uint8_t)number(s, "funct"), number(s, "rs1"), number(s, "rs2") } };
    const char *rule = conf_in(s, "rule"), *detail = conf_in(s, "detail");

    for (int i = 0; rule && i < SIM_RULES; i++)
        if (strcmp(sim_rules[i].name, rule) == 0)
            v.rule = (enum sim_rule)i;
    if (detail)
        strncpy(v.detail, detail, sizeof v.detail - 1);
    return v;
}

static bool
read_report(struct job *j)
{
    struct qemu_result *x = j->x;
    VEC(struct qemu_layer) layers = { 0 };
    VEC(struct sim_violation) violations = { 0 };
    VEC(struct qemu_counter) counters = { 0 };
    struct bytes text;
    struct conf *c;

    if (!file_map(j->arena, j->diag, j->report, 0, &text))
        return false;
    c = conf_parse(j->arena, j->diag, j->report, (const char *)text.p, text.n);
    if (!c)
        return false;
    for (int i = 0; i < c->nsection; i++) {
        const struct conf_section *s = &c->sections[i];
        if (strcmp(s->name, "run") == 0) {
            const char *end = conf_in(s, "end");
            x->device = number(s, "signed") != 0;
            x->instructions = number(s, "instructions");
            x->nviolation_all = number(s, "violations");
            if (end && strcmp(end, "refused") == 0)
                x->end = QEMU_END_REFUSED;
        } else if (strcmp(s->name, "hart") == 0) {
            if (number(s, "number") == 0)
                x->cycles = number(s, "cycles");
#define N(code, title) \
            if (conf_in(s, "counter_" #title)) \
                vec_push(j->arena, &counters, ((struct qemu_counter) { \
                    integer(s, "number"), #title, number(s, "counter_" #title) }));
#include "src/machine/counter.def"
#undef N
        } else if (strcmp(s->name, "layer") == 0) {
            vec_push(j->arena, &layers, layer(s));
        } else if (strcmp(s->name, "violation") == 0) {
            vec_push(j->arena, &violations, violation(s));
        }
    }
    x->layers = layers.at;
    x->nlayer = layers.n;
    x->violations = violations.at;
    x->nviolation = violations.n;
    x->counters = counters.at;
    x->ncounter = counters.n;
    return true;
}

static bool
no_report(struct job *j, const struct proc_result *p)
{
    bool plugin = strstr(p->err, "plugin") || strstr(p->err, "device model");
    char *line = p->err, *save = NULL;

    diag_fatal(j->diag, plugin ? "qemu-plugin" : "qemu-failed", plugin
        ? "%s did not accept the device model (status %d)" : "%s failed (status %d)",
        j->program, p->status);
    for (line = strtok_r(line, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        diag_context(j->diag, "%s", line);
    return false;
}

/* What the program itself left in its mailbox. */
static void
read_mailbox(struct job *j)
{
    const struct gm_mailbox *box;

    j->x->layer = -1;
    if (!j->mailbox.addr || j->mailbox.addr % 8)
        return;
    box = (const void *)qemu_memory(j->x, j->mailbox.addr, sizeof *box);
    if (!box || box->magic != GM_MAILBOX_MAGIC)
        return;
    j->x->layer = (int)(int64_t)box->port[0].layer;
    if (j->x->end == QEMU_END_EXIT && box->end == GM_EXIT_TRAP) {
        j->x->end = QEMU_END_TRAP;
        j->x->trap = box->trap;
    }
    if (j->x->end == QEMU_END_EXIT && box->end == GM_EXIT_NO_DEVICE)
        j->x->end = QEMU_END_NO_DEVICE;
}

bool
qemu_run(struct arena *a, struct diag *d, const struct qemu_run *r, struct qemu_result *x)
{
    struct job j = { .arena = a, .diag = d, .run = r, .x = x, .ram = -1 };
    struct proc_result p;
    bool ok, whole;

    memset(x, 0, sizeof *x);
    ok = prepare(&j) && start(&j, &p);
    if (j.ram >= 0)
        close(j.ram);
    if (ok) {
        x->status = p.status;
        x->console = p.out;
        x->end = p.timed_out ? QEMU_END_TIMEOUT : QEMU_END_EXIT;
        if (!p.timed_out)
            ok = file_exists(j.report) ? read_report(&j) : no_report(&j, &p);
    }
    whole = ok && !p.timed_out;
    ok = (end_trace(&j, whole) || !whole) && ok;
    if (ok)
        read_mailbox(&j);
    else
        qemu_release(x);
    return ok;
}

void
qemu_release(struct qemu_result *x)
{
    if (x->ram.bytes)
        munmap(x->ram.bytes, x->ram.size);
    x->ram = (struct sim_memory) { 0 };
}

const uint8_t *
qemu_memory(const struct qemu_result *x, uint64_t addr, uint64_t n)
{
    uint64_t off = addr - x->ram.base;

    return off < x->ram.size && n <= x->ram.size - off ? x->ram.bytes + off : NULL;
}

const char *
qemu_version(struct arena *a, const char *program)
{
    const char *env = getenv("GEMMCC_QEMU");
    const char *argv[] = { program ? program : env && *env ? env : QEMU_NAME, "--version", NULL };
    struct proc c = { .argv = argv, .capture_out = true, .capture_err = true, .timeout = 10 };
    struct proc_result p;
    struct diag *d;
    bool ok;

    if (!proc_which(a, argv[0]))
        return NULL;
    d = diag_new(a, &(struct diag_config) { 0 });
    ok = proc_run(a, d, &c, &p) && p.status == 0;
    diag_free(d);
    if (!ok)
        return NULL;
    p.out[strcspn(p.out, "\n")] = 0;
    return p.out;
}
