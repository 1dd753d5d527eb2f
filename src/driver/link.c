/* Drives the cross compiler. */
#include "src/driver/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/file.h"
#include "src/base/out.h"
#include "src/base/proc.h"
#include "src/base/vec.h"
#include "src/driver/elf.h"
#include "src/driver/lines.h"

static const char *const compile_flags[] = { "-std=c11", "-march=rv64gc", "-mabi=lp64d",
    "-mcmodel=medany", "-O2", "-ffreestanding", "-ffp-contract=off", "-fno-common",
    "-ffunction-sections", "-fdata-sections", NULL };

struct argv {
    const char **at;
    int n, cap;
};

struct linking {
    struct arena *arena;
    struct diag *diag;
    const struct program *p;
    const struct emit *e;
    const struct link *l;
    const char *dir, *rt;
    struct argv runtime; /* library, or objects */
    struct lines lines;  /* of the linked program; none before */
};

const char *
link_compiler(const char *asked)
{
    const char *env = getenv("GEMMCC_CC");

    return asked ? asked : env && *env ? env : "riscv64-unknown-elf-gcc";
}

const char *
link_runtime(struct arena *a, struct diag *d)
{
    static const char mark[] = "rt/backend/rt/include/gm_rt.h";
    char **roots = path_data_roots(a);

    for (char **r = roots; *r; r++)
        if (file_exists(path_join(a, *r, mark)))
            return path_join(a, *r, "rt");
    diag_fatal(d, "rt-missing", "the runtime's sources are neither in '%s/rt' nor in '%s'",
        roots[0], PKGDATADIR "/rt");
    diag_hint(d, "install gemmcc again, or run it from its build folder");
    return NULL;
}

/* ---- the files */

static const char *
in_dir(struct linking *k, const char *suffix)
{
    return path_join(k->arena, k->dir, arena_printf(k->arena, "%s%s", k->l->name, suffix));
}

static void
weights(const struct program *p, const struct emit *e, struct out *o)
{
    (void)e;
    emit_weights(p, o);
}

/* The description with the table of lines, once there is one. */
static bool
write_meta(struct linking *k)
{
    struct out *o = out_open(in_dir(k, ".meta"), k->diag);

    if (!o)
        return false;
    emit_meta(k->p, k->e, o);
    lines_print(&k->lines, o);
    return out_close(o);
}

static bool
write_file(struct linking *k, const char *suffix,
    void (*f)(const struct program *, const struct emit *, struct out *))
{
    struct out *o = out_open(in_dir(k, suffix), k->diag);

    if (!o)
        return false;
    f(k->p, k->e, o);
    return out_close(o);
}

static bool
write_all(struct linking *k)
{
    return write_file(k, ".c", emit_c) && write_file(k, ".h", emit_header)
        && write_file(k, ".weights", weights) && write_meta(k)
        && write_file(k, "_data.S", emit_asm)
        && (k->l->object || write_file(k, "_main.c", emit_main));
}

/* ---- the compiler */

static void
push(struct linking *k, struct argv *v, const char *s)
{
    vec_push(k->arena, v, s);
}

/* The first lines of what the compiler said. */
static void
tell(struct linking *k, const char *s)
{
    for (int i = 0; s && *s && i < 8; i++) {
        size_t n = strcspn(s, "\n");
        diag_context(k->diag, "%.*s", (int)(n < 200 ? n : 200), s);
        s += n + (s[n] != 0);
    }
}

static bool
run(struct linking *k, struct argv *v)
{
    struct proc_result r;

    push(k, v, NULL);
    if (k->l->verbose) {
        for (int i = 0; v->at[i]; i++)
            fprintf(stderr, "%s%s", i ? " " : "", v->at[i]);
        fputs("\n", stderr);
    }
    struct proc p = { .argv = v->at, .capture_err = true, .temp = k->dir };
    if (!proc_run(k->arena, k->diag, &p, &r)) {
        diag_hint(k->diag,
            "install gcc-riscv64-unknown-elf, or name another with --cc or GEMMCC_CC;"
            " --emit=c needs none");
        return false;
    }
    if (r.status == 0)
        return true;
    diag_fatal(k->diag, "cc-failed", "%s ended with status %d", v->at[0], r.status);
    tell(k, r.err);
    return false;
}

/* Everything common to compiling and linking, and a flag that the user's may override;
 * the map keeps folders out of the product. */
static void
start(struct linking *k, struct argv *v, const char *flag)
{
    push(k, v, link_compiler(k->l->cc));
    for (int i = 0; compile_flags[i]; i++)
        push(k, v, compile_flags[i]);
    if (flag)
        push(k, v, flag);
    push(k, v, arena_printf(k->arena, "-ffile-prefix-map=%s=.", k->dir));
    push(k, v, arena_printf(k->arena, "-ffile-prefix-map=%s=rt", k->rt));
    push(k, v, arena_printf(k->arena, "-I%s", k->rt));
    push(k, v, arena_printf(k->arena, "-I%s/backend/rt/include", k->rt));
    push(k, v, arena_printf(k->arena, "-I%s", k->dir));
    for (int i = 0; k->l->cc_flags && k->l->cc_flags[i]; i++)
        push(k, v, k->l->cc_flags[i]);
}

static bool
compile_file(struct linking *k, const char *from, const char *to, const char *flag)
{
    struct argv v = { 0 };

    start(k, &v, flag);
    push(k, &v, "-c");
    push(k, &v, from);
    push(k, &v, "-o");
    push(k, &v, to);
    return run(k, &v);
}

static bool
compile(struct linking *k, const char *from, const char *to, const char *flag)
{
    return compile_file(k, in_dir(k, from), in_dir(k, to), flag);
}

static bool
join_objects(struct linking *k, const char *out)
{
    struct argv v = { 0 };

    push(k, &v, link_compiler(k->l->cc));
    push(k, &v, "-nostdlib");
    push(k, &v, "-r");
    push(k, &v, in_dir(k, ".o"));
    push(k, &v, in_dir(k, "_data.o"));
    push(k, &v, "-o");
    push(k, &v, out);
    return run(k, &v);
}

/* The library where it was built with us, else its sources.  Their objects have names
 * of ours: those that the compiler makes up would be in the symbol table. */
static bool
find_runtime(struct linking *k)
{
    static const char *const folders[] = { "backend/rt/platform/htif", "backend/rt/kernels",
        "src/machine", NULL };
    const char *lib = path_join(k->arena, k->rt, "libgm_rt.a");
    int n;

    if (file_exists(lib)) {
        push(k, &k->runtime, lib);
        return true;
    }
    for (int f = 0; folders[f]; f++) {
        const char *dir = path_join(k->arena, k->rt, folders[f]);
        char **names = file_list(k->arena, dir, &n);
        for (int i = 0; names && i < n; i++) {
            const char *dot = strrchr(names[i], '.');
            bool machine = f == 2 && strncmp(names[i], "fmath", 5) != 0;
            if (!dot || machine || (strcmp(dot, ".c") != 0 && strcmp(dot, ".S") != 0))
                continue;
            const char *object =
                path_join(k->arena, k->dir, arena_printf(k->arena, "rt-%s.o", names[i]));
            if (!compile_file(k, path_join(k->arena, dir, names[i]), object, NULL))
                return false;
            push(k, &k->runtime, object);
        }
    }
    return true;
}

/* What is left of debugging information: what the user asked for. */
static const char *
strip(const struct linking *k)
{
    for (int i = 0; k->l->cc_flags && k->l->cc_flags[i]; i++)
        if (strncmp(k->l->cc_flags[i], "-g", 2) == 0)
            return NULL;
    return "-Wl,--strip-debug";
}

static bool
link_elf(struct linking *k, const char *out, const char *flag)
{
    struct argv v = { 0 };

    start(k, &v, flag);
    push(k, &v, "-nostdlib");
    push(k, &v, "-nostartfiles");
    push(k, &v, "-static");
    push(k, &v, "-Wl,--gc-sections");
    push(k, &v, "-Wl,--build-id=none");
    push(k, &v, "-Wl,--no-warn-rwx-segments");
    push(k, &v, "-T");
    push(k, &v, path_join(k->arena, k->rt, "backend/rt/platform/htif/link.ld"));
    push(k, &v, in_dir(k, ".o"));
    push(k, &v, in_dir(k, "_main.o"));
    push(k, &v, in_dir(k, "_data.o"));
    for (int i = 0; i < k->runtime.n; i++)
        push(k, &v, k->runtime.at[i]);
    push(k, &v, "-lgcc");
    push(k, &v, "-o");
    push(k, &v, out);
    return run(k, &v);
}

/* Only a linked program says which lines its code came from.  The description, which is
 * no part of memory, then takes that up, and the second program differs in nothing else. */
static bool
link_with_lines(struct linking *k, const char *out)
{
    struct elf *e;

    if (!find_runtime(k) || !link_elf(k, out, NULL) || !(e = elf_open(k->arena, k->diag, out)))
        return false;
    lines_collect(k->arena, e, arena_printf(k->arena, "%s.c", k->l->name), &k->lines);
    return write_meta(k) && compile(k, "_data.S", "_data.o", NULL) && link_elf(k, out, strip(k));
}

/* ---- */

/* As the linker would have made it; devices stay as they are. */
static void
make_executable(const char *path)
{
    struct stat st;
    mode_t mask = umask(0);

    umask(mask);
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
        chmod(path, 0777 & ~mask);
}

/* The finished file takes its place in one step. */
static bool
deliver(struct linking *k, const char *from, const char *to)
{
    struct bytes b;
    struct out *o;

    if (!file_map(k->arena, k->diag, from, 0, &b) || !(o = out_open(to, k->diag)))
        return false;
    out_bytes(o, b.p, b.n);
    if (!out_close(o))
        return false;
    if (!k->l->object && strcmp(to, "-") != 0)
        make_executable(to);
    return true;
}

bool
link_program(struct arena *a, struct diag *d, const struct program *p, const struct emit *e,
    const struct link *l, const char *out)
{
    struct emit here = *e;
    struct linking k = { .arena = a, .diag = d, .p = p, .e = &here, .l = l };

    k.rt = link_runtime(a, d);
    k.dir = here.folder = l->save ? l->save : temp_dir(a, d);
    if (!k.rt || !k.dir)
        return false;
    if (l->save && mkdir(l->save, 0777) != 0 && !file_is_dir(l->save))
        return diag_fatal(d, "out-open", "the folder '%s' cannot be made", l->save);
    const char *made = in_dir(&k, l->object ? "_all.o" : ".elf");
    return write_all(&k) && compile(&k, ".c", ".o", l->object ? NULL : "-g")
        && compile(&k, "_data.S", "_data.o", NULL)
        && (l->object || compile(&k, "_main.c", "_main.o", NULL))
        && (l->object ? join_objects(&k, made) : link_with_lines(&k, made))
        && deliver(&k, made, out);
}
