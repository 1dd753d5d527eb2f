/* The device model as a TCG plugin of QEMU.  It sees doorbells (stores from the trap
 * handler to the mailbox), fences, which code each hart executed, and its loads and
 * stores; it maps the file that is the guest's RAM and works on that.  It never touches guest
 * registers and never prints to standard output, which is the guest's console.
 *
 * Arguments, all `name=value`:
 *   target    file with the merged target description
 *   ram       file that backs guest RAM; base and size are the target's
 *   mailbox   address of gm_mailbox; 0 or absent: the program has none
 *   report    file to write at the end, ini form, see write_report
 *   trace     file to write a timeline to, JSON; absent: none
 *   detail    of it: layer, tile, command
 *   unit      of it: cycle, ns
 *   layers    file with a name per layer for it, one a line
 *   strict    off, warn, error
 *   timing    on, off */
#include "sim/plugin_api.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/pipeline.h"
#include "sim/sim.h"
#include "sim/timeline.h"
#include "src/base/arena.h"
#include "src/base/diag.h"
#include "src/base/file.h"
#include "src/base/str.h"
#include "src/machine/mailbox.h"

#define EXPORT __attribute__((visibility("default")))
enum {
    KEPT = 256,                      /* violations written in full */
    AHEAD = 4096,                    /* events of a hart before others have to run */
    WFI = 0x10500073
};
static const uint64_t clint = 0x02000000; /* a word per hart: its software interrupt */

/* A translated block of instructions, and the one that ran after it the last time. */
struct block {
    uint64_t at, bytes, counted;
    double cycles;
    bool returns;                    /* from a call */
    const struct block *next;
};

/* What a hart executed; the block that it is in is counted from its start. */
struct count {
    uint64_t seen;                   /* instructions */
    double cycles, told;
    struct block *last;
};

struct port {
    struct arena *arena;
    struct diag *diag;
    const struct target *target;
    struct sim *sim;
    struct sim_memory memory;
    const char *ram, *report, *trace, *layers;
    enum sim_strict strict;
    bool timing;
    uint64_t at;                     /* of the mailbox */
    struct gm_mailbox *box;          /* mapped; NULL until signed */
    bool looked;                     /* for the mailbox */
    int harts;
    struct count count[GM_MAILBOX_HARTS];
    unsigned ringing;                /* who rang last, and instructions of all by then */
    uint64_t rang;
    struct timeline *timeline;
    enum sim_detail detail;
    bool ns;
    char **layer; int nlayer;        /* names, from `layers` */
    struct sim_violation kept[KEPT];
    int nkept;
    uint64_t violations;
    bool written;
};

static struct port port;

EXPORT const int qemu_plugin_version = PLUGIN_API_VERSION;

/* ---- the report */

/* As a value of an ini file: no comment may begin in it. */
static void
value(FILE *f, const char *key, const char *text)
{
    fprintf(f, "%s = ", key);
    for (; *text; text++)
        fputc(*text == ';' || *text == '#' ? ',' : *text < ' ' ? ' ' : *text, f);
    fputc('\n', f);
}

static void
number(FILE *f, const char *key, uint64_t n)
{
    fprintf(f, "%s = %" PRIu64 "\n", key, n);
}

static void
write_layer(FILE *f, int hart, const struct sim_layer_stats *s)
{
    fprintf(f, "[layer]\nhart = %d\nnumber = %d\n", hart, s->number);
    number(f, "start", s->start);
    number(f, "cycles", s->cycles);
    number(f, "array", s->array);
    number(f, "core", s->core);
    number(f, "macs", s->macs);
    number(f, "commands", s->commands);
    number(f, "bytes_in", s->bytes_in);
    number(f, "bytes_out", s->bytes_out);
    number(f, "stall_operands", s->stall_operands);
    number(f, "stall_commands", s->stall_commands);
    number(f, "stall_store", s->stall_store);
    number(f, "stall_fence", s->stall_fence);
    number(f, "stall_bank", s->stall_bank);
}

static void
write_counters(FILE *f, int hart)
{
    uint64_t n;

#define N(code, name) \
    if (sim_counter(port.sim, hart, code, &n)) \
        number(f, "counter_" #name, n);
#include "src/machine/counter.def"
#undef N
}

static void
write_violation(FILE *f, const struct sim_violation *v)
{
    char text[256];

    isa_text(&v->cmd, text, sizeof text);
    fprintf(f, "[violation]\nhart = %d\nlayer = %d\n", v->hart, v->layer);
    number(f, "core", v->core);
    value(f, "rule", sim_rules[v->rule].name);
    number(f, "index", v->index);
    number(f, "pc", v->pc);
    number(f, "funct", v->cmd.funct);
    number(f, "rs1", v->cmd.rs1);
    number(f, "rs2", v->cmd.rs2);
    value(f, "command", text);
    value(f, "detail", v->detail);
}

static void
close_timeline(void)
{
    if (!port.timeline)
        return;
    sim_trace_end(port.sim);
    if (!timeline_close(port.timeline))
        fprintf(stderr, "device model: cannot write %s\n", port.trace);
    port.timeline = NULL;
}

/* end: how the run ended; "guest" means that the program did it itself. */
static void
write_report(const char *end, const char *why)
{
    FILE *f = port.report ? fopen(port.report, "w") : NULL;
    uint64_t instructions = 0;

    port.written = true;
    close_timeline();
    if (!f) {
        fprintf(stderr, "device model: cannot write %s\n", port.report ? port.report : "a report");
        return;
    }
    sim_end(port.sim);
    for (int h = 0; h < port.harts; h++)
        instructions += port.count[h].seen;
    fprintf(f, "[run]\nsigned = %d\n", port.box != NULL);
    value(f, "end", end);
    if (why)
        value(f, "why", why);
    number(f, "instructions", instructions);
    number(f, "violations", port.violations);
    for (int h = 0; h < port.harts; h++) {
        int n;
        const struct sim_layer_stats *s = sim_stats(port.sim, h, &n);
        fprintf(f, "[hart]\nnumber = %d\n", h);
        number(f, "instructions", port.count[h].seen);
        number(f, "cycles", sim_cycles(port.sim, h));
        write_counters(f, h);
        for (int i = 0; i < n; i++)
            write_layer(f, h, &s[i]);
    }
    for (int i = 0; i < port.nkept; i++)
        write_violation(f, &port.kept[i]);
    if (fclose(f))
        fprintf(stderr, "device model: cannot write %s\n", port.report);
}

static void
ends(uint64_t id, void *data)
{
    (void)id, (void)data;
    if (!port.written)
        write_report("guest", NULL);
}

/* Ends the whole simulation from inside one of its harts. */
static void
refuse(const char *why)
{
    write_report("refused", why);
    _exit(GM_EXIT_RULE);
}

static void
violation(const struct sim_violation *v, void *ctx)
{
    (void)ctx;
    port.violations++;
    if (port.nkept < KEPT)
        port.kept[port.nkept++] = *v;
}

/* ---- what happens while the program runs */

/* Tells the model about instructions up to now; `ahead` cycles are counted but still to
 * come. */
static void
catch_up(unsigned hart, double ahead)
{
    struct count *c = &port.count[hart];
    double now = c->cycles - ahead;

    if (now > c->told) {
        sim_core(port.sim, (int)hart, now - c->told);
        c->told = now;
    }
}

/* The core expects what came the last time, at first what comes next in memory. */
static bool
foreseen(const struct block *last, const struct block *b)
{
    if (last->next)
        return last->next == b || last->returns;
    return b->at == last->at + last->bytes;
}

static void
executed(unsigned hart, void *data)
{
    struct block *b = data;
    struct count *c = &port.count[hart];

    if (hart >= (unsigned)port.harts)
        return;
    c->seen += b->counted;
    c->cycles += b->cycles;
    if (c->last && !foreseen(c->last, b))
        c->cycles += port.target->core_mispredict;
    if (c->last)
        c->last->next = b;
    c->last = b;
    sim_code(port.sim, (int)hart, b->at, b->bytes);
}

/* A store to another hart's software interrupt; what the core did before comes first. */
static void
signals(unsigned hart, int to)
{
    catch_up(hart, 0);
    sim_signal(port.sim, (int)hart, to);
}

static void
sleeps(unsigned hart, void *data)
{
    (void)data;
    if (hart >= (unsigned)port.harts)
        return;
    catch_up(hart, 0);
    sim_sleep(port.sim, (int)hart);
}

/* The program's own loads and stores. */
static void
touched(unsigned hart, uint32_t info, uint64_t address, void *data)
{
    struct sim_access x = { address, UINT64_C(1) << qemu_plugin_mem_size_shift(info),
        (uintptr_t)data, qemu_plugin_mem_is_store(info) };

    if (hart >= (unsigned)port.harts)
        return;
    if (x.store && address - clint < 4 * (uint64_t)port.harts)
        signals(hart, (int)(address - clint) / 4);
    else if (!sim_access(port.sim, (int)hart, &x))
        refuse("a rule was broken");
}

static void
fence(unsigned hart, void *data)
{
    if (hart >= (unsigned)port.harts)
        return;
    catch_up(hart, data ? *(const double *)data : 0);
    sim_fence(port.sim, (int)hart);
}

/* False: not now, other harts come first. */
static bool
command(unsigned hart, struct gm_port *p)
{
    struct isa_cmd c = { (uint8_t)isa_funct_of((uint32_t)p->word), p->rs1, p->rs2 };
    size_t most = c.funct == ISA_COUNTER ? 0 : AHEAD;

    if (sim_waiting(port.sim, (int)hart) > most)
        return false;
    if (!sim_command(port.sim, (int)hart, &c, p->pc, &p->result))
        refuse(port.violations ? "a rule was broken" : "this hart has no array");
    return true;
}

/* Harts that never go on hold nobody back: none has since this one rang the last time. */
static void
look_around(unsigned hart)
{
    uint64_t all = 0;

    for (unsigned h = 0; h < (unsigned)port.harts; h++) {
        catch_up(h, 0);
        all += port.count[h].seen;
    }
    if (port.ringing == hart && port.rang == all)
        sim_end(port.sim);
    port.ringing = hart;
    port.rang = all;
}

/* False: other harts come first. */
static bool
answer(unsigned hart, struct gm_port *p)
{
    if (port.harts > 1)
        look_around(hart);
    else
        catch_up(hart, 0);
    switch (p->bell) {
    case GM_BELL_COMMAND:
        return command(hart, p);
    case GM_BELL_LAYER:
        sim_layer(port.sim, (int)hart, (int)p->rs1);
        return true;
    default:
        return !sim_waiting(port.sim, (int)hart);
    }
}

/* Every store of the trap handler comes here, and some loads (QEMU 7.2 tells of all that
 * one instruction does); only a store to one place is a bell. */
static void
accessed(unsigned hart, uint32_t info, uint64_t address, void *data)
{
    struct gm_port *p;

    (void)data;
    if (hart >= (unsigned)port.harts || !port.box || !qemu_plugin_mem_is_store(info))
        return;
    p = &port.box->port[hart];
    if (address != port.at + (uint64_t)((uint8_t *)&p->bell - (uint8_t *)port.box))
        return;
    if (answer(hart, p))
        p->bell = GM_BELL_HEARD;
    p->cycles = sim_cycles(port.sim, (int)hart);
}

/* ---- translation */

/* The program is in memory before the first block is translated. */
static void
sign(void)
{
    const struct sim_memory *m = &port.memory;
    uint64_t off = port.at - m->base;
    struct gm_mailbox *box;

    port.looked = true;
    if (!port.at || off >= m->size || m->size - off < sizeof *box || off % 64)
        return;
    box = (struct gm_mailbox *)(void *)(m->bytes + off);
    if (box->magic != GM_MAILBOX_MAGIC || box->version != GM_MAILBOX_VERSION)
        return;
    box->device = GM_MAILBOX_MAGIC;
    port.box = box;
}

static bool
is_fence(uint32_t w)
{
    enum { PAUSE = 0x0100000f };     /* a hint */

    return (w & 0x7f) == 0x0f && (w >> 12 & 7) == 0 && w != PAUSE;
}

static uint32_t
word_of(const struct qemu_plugin_insn *insn)
{
    const uint8_t *b = qemu_plugin_insn_data(insn);
    uint32_t w = b[0] | (uint32_t)b[1] << 8;

    if (qemu_plugin_insn_size(insn) == 4)
        w |= (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    return w;
}

/* Does the instruction belong to the trap handler? */
static bool
handles(const struct qemu_plugin_insn *insn)
{
    uint64_t at = qemu_plugin_insn_vaddr(insn);

    return port.box && at >= port.box->handler_first && at < port.box->handler_last;
}

/* The program's instructions in a block: commands and fences cost what the model says and
 * are not counted, and what comes before a fence is told to it. */
static void
watch(const struct qemu_plugin_tb *tb, size_t n, struct block *what, uint32_t *word)
{
    bool watched = port.timing || port.strict != SIM_STRICT_OFF;
    double **ahead = NEWN(port.arena, double *, n);
    size_t words = 0, fences = 0;

    for (size_t i = 0; i < n; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint32_t w = word_of(insn);
        if (watched)                 /* one for both: QEMU 7.2 stops at the first that does not fit */
            qemu_plugin_register_vcpu_mem_cb(insn, touched, PLUGIN_NO_REGS, PLUGIN_BOTH,
                (void *)(uintptr_t)qemu_plugin_insn_vaddr(insn));
        what->bytes += qemu_plugin_insn_size(insn);
        if (is_fence(w)) {
            ahead[fences] = NEW(port.arena, double);
            *ahead[fences] = pipeline_cycles(port.target, word, words);
            qemu_plugin_register_vcpu_insn_exec_cb(insn, fence, PLUGIN_NO_REGS, ahead[fences++]);
            continue;
        }
        if (port.timing && w == WFI)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, sleeps, PLUGIN_NO_REGS, NULL);
        what->counted += (w & 0x7f) != ISA_OPCODE;
        word[words++] = w;
    }
    what->cycles = pipeline_cycles(port.target, word, words);
    what->returns = words && pipeline_returns(word[words - 1]);
    while (fences--)                 /* from cycles before to cycles after */
        *ahead[fences] = what->cycles - *ahead[fences];
}

static void
translated(uint64_t id, struct qemu_plugin_tb *tb)
{
    size_t n = qemu_plugin_tb_n_insns(tb);
    struct block *b;

    (void)id;
    if (!port.looked)
        sign();
    if (!n)
        return;
    if (handles(qemu_plugin_tb_get_insn(tb, 0))) {
        for (size_t i = 0; i < n; i++)
            qemu_plugin_register_vcpu_mem_cb(qemu_plugin_tb_get_insn(tb, i), accessed,
                PLUGIN_NO_REGS, PLUGIN_WRITES, NULL);
        return;
    }
    b = NEW(port.arena, struct block);
    b->at = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0));
    watch(tb, n, b, NEWN(port.arena, uint32_t, n));
    if (port.harts == 1 && !port.timing)
        qemu_plugin_register_vcpu_tb_exec_inline(tb, PLUGIN_ADD, &port.count[0].seen, b->counted);
    else
        qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, PLUGIN_NO_REGS, b);
}

/* ---- start */

static bool
complain(const char *what, const char *name)
{
    fprintf(stderr, "device model: %s%s%s\n", what, name ? ": " : "", name ? name : "");
    return false;
}

static bool
map_ram(void)
{
    int fd = port.ram ? open(port.ram, O_RDWR | O_CLOEXEC) : -1;
    struct stat st;
    void *p;

    if (fd < 0)
        return complain("cannot open the guest's memory", port.ram);
    if (fstat(fd, &st) || st.st_size < port.target->ram_size) {
        close(fd);
        return complain("the guest's memory is smaller than the target says", port.ram);
    }
    port.memory.size = (uint64_t)st.st_size;
    port.memory.base = (uint64_t)port.target->ram_base;
    p = mmap(NULL, port.memory.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (p == MAP_FAILED)
        return complain("cannot map the guest's memory", port.ram);
    port.memory.bytes = p;
    return true;
}

static bool
load_target(const char *path)
{
    struct bytes text;

    port.arena = arena_new();
    port.diag = diag_new(port.arena, &(struct diag_config) { .to = stderr });
    if (!path || !file_map(port.arena, port.diag, path, 1 << 20, &text)) {
        diag_flush(port.diag);
        return complain("no target description", path);
    }
    port.target = target_parse(port.arena, port.diag, path,
        arena_strndup(port.arena, (const char *)text.p, text.n));
    diag_flush(port.diag);
    return port.target != NULL;
}

static bool
parse(int argc, char **argv, const char **target)
{
    for (int i = 0; i < argc; i++) {
        char *v = strchr(argv[i], '=');
        if (!v)
            return complain("an argument has no value", argv[i]);
        v++;
        if (str_starts(argv[i], "target="))
            *target = v;
        else if (str_starts(argv[i], "ram="))
            port.ram = v;
        else if (str_starts(argv[i], "report="))
            port.report = v;
        else if (str_starts(argv[i], "trace="))
            port.trace = v;
        else if (str_starts(argv[i], "detail="))
            port.detail = strcmp(v, "layer") == 0 ? SIM_DETAIL_LAYER
                : strcmp(v, "command") == 0 ? SIM_DETAIL_COMMAND : SIM_DETAIL_TILE;
        else if (str_starts(argv[i], "unit="))
            port.ns = strcmp(v, "ns") == 0;
        else if (str_starts(argv[i], "layers="))
            port.layers = v;
        else if (str_starts(argv[i], "mailbox="))
            port.at = strtoull(v, NULL, 0);
        else if (str_starts(argv[i], "timing="))
            port.timing = strcmp(v, "on") == 0;
        else if (str_starts(argv[i], "strict="))
            port.strict = strcmp(v, "off") == 0 ? SIM_STRICT_OFF
                : strcmp(v, "warn") == 0 ? SIM_STRICT_WARN : SIM_STRICT_ERROR;
        else
            return complain("unknown argument", argv[i]);
    }
    return true;
}

static bool
read_layers(void)
{
    struct bytes text;
    char *s, *save = NULL;

    if (!port.layers)
        return true;
    if (!file_map(port.arena, port.diag, port.layers, 1 << 24, &text))
        return false;
    s = arena_strndup(port.arena, (const char *)text.p, text.n);
    port.layer = NEWN(port.arena, char *, text.n + 1);
    for (s = strtok_r(s, "\n", &save); s; s = strtok_r(NULL, "\n", &save))
        port.layer[port.nlayer++] = s;
    return true;
}

static bool
open_timeline(void)
{
    if (!port.trace)
        return true;
    if (!read_layers())
        return false;
    port.timeline = timeline_open(&(struct timeline_config) { .path = port.trace,
        .harts = port.harts, .detail = port.detail, .lanes = port.target->dma_moves,
        .clock_mhz = port.ns ? port.target->clock_mhz : 0,
        .layers = port.layer, .nlayer = port.nlayer });
    return port.timeline != NULL;
}

EXPORT int
qemu_plugin_install(uint64_t id, const struct plugin_info *info, int argc, char **argv)
{
    const char *target = NULL;

    port.strict = SIM_STRICT_ERROR;
    if (!info->system_emulation || strcmp(info->target_name, "riscv64") != 0)
        return complain("this is not QEMU's system emulator for riscv64", info->target_name), 1;
    if (!parse(argc, argv, &target) || !load_target(target) || !map_ram())
        return 1;
    port.harts = info->system.smp_vcpus;
    if (port.harts > GM_MAILBOX_HARTS || port.harts > port.target->harts)
        return complain("more harts than the target has", NULL), 1;
    if (!open_timeline())
        return complain("cannot write a timeline", port.trace), 1;
    port.sim = sim_new(&(struct sim_config) {
        .target = port.target, .memory = port.memory, .strict = port.strict,
        .timing = port.timing, .violation = violation,
        .event = port.timeline ? timeline_event : NULL, .detail = port.detail,
        .ctx = port.timeline,
    });
    if (!port.sim)
        return complain("no memory for the device model", NULL), 1;
    for (int h = 0; h < port.harts; h++)
        sim_core(port.sim, h, 0);    /* all begin at once */
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ends, NULL);
    return 0;
}
