/* Runs one program under QEMU through src/driver/qemu and prints what came of it, for
 * the shell tests:
 *     runner [key=value ...] program.elf
 * keys: target, strict (off, warn, error), timing (on, off), timeout, memory, harts,
 * qemu, plugin, patch=SYMBOL:BYTE (every byte of the object gets it), read=SYMBOL. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/diag.h"
#include "src/base/str.h"
#include "src/driver/qemu.h"

struct options {
    const char *target, *patch, *read, *program;
    struct qemu_run run;
};

static const char *const ends[] = { "exit", "trap", "no-device", "refused", "timeout" };

static bool
option(struct options *o, char *arg)
{
    char *v = strchr(arg, '=');

    if (!v) {
        o->program = arg;
        return true;
    }
    *v++ = 0;
    if (strcmp(arg, "target") == 0)
        o->target = v;
    else if (strcmp(arg, "strict") == 0)
        o->run.strict = strcmp(v, "off") == 0 ? SIM_STRICT_OFF
            : strcmp(v, "warn") == 0 ? SIM_STRICT_WARN : SIM_STRICT_ERROR;
    else if (strcmp(arg, "timing") == 0)
        o->run.timing = strcmp(v, "on") == 0;
    else if (strcmp(arg, "timeout") == 0)
        o->run.timeout = atof(v);
    else if (strcmp(arg, "memory") == 0)
        str_size(v, &o->run.memory);
    else if (strcmp(arg, "harts") == 0)
        o->run.harts = atoi(v);
    else if (strcmp(arg, "qemu") == 0)
        o->run.program = v;
    else if (strcmp(arg, "plugin") == 0)
        o->run.plugin = v;
    else if (strcmp(arg, "patch") == 0)
        o->patch = v;
    else if (strcmp(arg, "read") == 0)
        o->read = v;
    else
        return false;
    return true;
}

static bool
patch(struct arena *a, const struct elf *e, const char *spec, struct elf_patch *p)
{
    const char *colon = strchr(spec, ':');
    struct elf_symbol s;
    void *bytes;

    if (!colon || !elf_symbol(e, arena_strndup(a, spec, (size_t)(colon - spec)), &s))
        return false;
    bytes = arena_alloc(a, s.size + 1);
    memset(bytes, atoi(colon + 1), s.size);
    *p = (struct elf_patch) { s.addr, bytes, s.size };
    return true;
}

static void
print(const struct qemu_result *x)
{
    printf("%s", x->console);
    printf("end %s status %d device %d layer %d\n", ends[x->end], x->status, x->device, x->layer);
    printf("instructions %llu cycles %llu\n", (unsigned long long)x->instructions,
        (unsigned long long)x->cycles);
    for (int i = 0; i < x->nlayer; i++)
        printf("layer %d hart %d commands %llu macs %llu in %llu out %llu cycles %llu\n",
            x->layers[i].stats.number, x->layers[i].hart,
            (unsigned long long)x->layers[i].stats.commands,
            (unsigned long long)x->layers[i].stats.macs,
            (unsigned long long)x->layers[i].stats.bytes_in,
            (unsigned long long)x->layers[i].stats.bytes_out,
            (unsigned long long)x->layers[i].stats.cycles);
    for (int i = 0; i < x->nviolation; i++)
        printf("violation %s layer %d command %llu: %s\n", sim_rules[x->violations[i].rule].name,
            x->violations[i].layer, (unsigned long long)x->violations[i].index,
            x->violations[i].detail);
}

static void
read_back(const struct elf *e, const struct qemu_result *x, const char *name)
{
    struct elf_symbol s;
    const uint8_t *p = NULL;
    uint32_t crc = UINT32_MAX;

    if (elf_symbol(e, name, &s))
        p = qemu_memory(x, s.addr, s.size);
    for (uint64_t i = 0; p && i < s.size; i++)
        for (int k = 0, b = p[i]; k < 8; k++, b >>= 1)
            crc = crc >> 1 ^ (((crc ^ (uint32_t)b) & 1) ? 0xedb88320u : 0);
    printf("memory %s %s %08x\n", name, p ? "crc32" : "not there", ~crc);
}

int
main(int argc, char **argv)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new(a, &(struct diag_config) { .to = stderr });
    struct options o = { .target = "gemmini-16", .run = { .strict = SIM_STRICT_ERROR,
        .timing = true, .timeout = 60 } };
    struct qemu_result x;
    struct elf_patch p;
    bool ok = true;

    for (int i = 1; i < argc; i++)
        ok = option(&o, argv[i]) && ok;
    if (!ok || !o.program)
        return 2;
    o.run.elf = elf_open(a, d, o.program);
    o.run.target = o.run.elf ? target_load(a, d, o.target, NULL) : NULL;
    ok = o.run.target != NULL;
    if (ok && o.patch) {
        ok = patch(a, o.run.elf, o.patch, &p);
        o.run.patches = &p;
        o.run.npatch = 1;
    }
    ok = ok && qemu_run(a, d, &o.run, &x);
    if (ok) {
        print(&x);
        if (o.read)
            read_back(o.run.elf, &x, o.read);
        qemu_release(&x);
    }
    diag_flush(d);
    diag_free(d);
    arena_free(a);
    return ok ? 0 : 1;
}
