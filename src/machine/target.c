/* Target descriptions: found by name, merged along `inherit`, overridden, checked.
 * The digest is that of the merged text, so that it does not matter which way the
 * same machine was described. */
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/conf.h"
#include "src/base/diag.h"
#include "src/base/digest.h"
#include "src/base/file.h"
#include "src/base/out.h"
#include "src/base/str.h"
#include "src/base/vec.h"
#include "src/machine/target.h"
#include "src/machine/target_keys.h"

#define FILE_MAX ((size_t)1024 * 1024)
#define INHERIT_MAX 16

struct loader {
    struct arena *arena;
    struct diag *diag;
    struct target *t;
    int depth;
    bool ok;
};

/* Folders with NAME.ini files, in order, NULL-terminated. */
static char **
folders(struct arena *a)
{
    VEC(char *) list = { 0 };
    const char *env = getenv("GEMMCC_TARGET_PATH");

    while (env && *env) {
        size_t n = strcspn(env, ":");
        if (n)
            vec_push(a, &list, arena_strndup(a, env, n));
        env += n + (env[n] == ':');
    }
    for (char **root = path_data_roots(a); *root; root++)
        vec_push(a, &list, path_join(a, *root, "targets"));
    vec_push(a, &list, NULL);
    return list.at;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **
target_names(struct arena *a)
{
    VEC(char *) names = { 0 };

    for (char **dir = folders(a); *dir; dir++) {
        char **files = file_list(a, *dir, NULL);
        for (; files && *files; files++)
            if (str_ends(*files, ".ini"))
                vec_push(a, &names, path_suffix(a, *files, ""));
    }
    int kept = 0;
    if (names.n)
        qsort(names.at, (size_t)names.n, sizeof *names.at, by_name);
    for (int i = 0; i < names.n; i++)
        if (i == 0 || strcmp(names.at[kept - 1], names.at[i]) != 0)
            names.at[kept++] = names.at[i];
    names.n = kept;
    vec_push(a, &names, NULL);
    return names.at;
}

/* A path if it looks like one, else the first NAME.ini.  Relative paths of `inherit`
 * start at the file that says it. */
static char *
locate(struct loader *l, const struct place_ref *from, const char *name)
{
    struct arena *a = l->arena;

    if (strchr(name, '/') || str_ends(name, ".ini") || str_ends(name, ".h"))
        return from ? path_join(a, path_dir(a, from->file), name) : arena_strdup(a, name);
    for (char **dir = folders(a); *dir; dir++) {
        char *path = path_join(a, *dir, arena_printf(a, "%s.ini", name));
        if (file_exists(path))
            return path;
    }
    char **known = target_names(a);
    const char *near = str_nearest(name, (const char *const *)known);
    diag_error(l->diag, from, "target-missing", "there is no target '%s'", name);
    if (near)
        diag_hint(l->diag, "did you mean '%s'?", near);
    else if (!*known)
        diag_hint(l->diag, "no target files were found at all; GEMMCC_TARGET_PATH can name"
            " their folder");
    else
        diag_hint(l->diag, "gemmcc --print-targets lists them");
    return NULL;
}

static void read_file(struct loader *l, const struct place_ref *from, const char *name);

static void
apply(struct loader *l, const struct conf *c, bool may_inherit)
{
    for (int i = 0; i < c->nsection; i++) {
        const struct conf_section *s = &c->sections[i];
        for (int k = 0; k < s->nkey; k++) {
            struct place_ref at = { .file = c->file, .line = s->keys[k].line };
            bool inherit = strcmp(s->name, "machine") == 0
                && strcmp(s->keys[k].key, "inherit") == 0;
            if (inherit && !may_inherit)
                l->ok = diag_error(l->diag, &at, "target-inherit", "nothing to inherit from here");
            else if (!inherit)
                l->ok &= target_set(l->arena, l->diag, &at, l->t, s->name, s->keys[k].key,
                    s->keys[k].value);
        }
    }
}

/* What is inherited comes first, wherever in the file it is asked for. */
static void
inherit(struct loader *l, const struct conf *c)
{
    for (int i = 0; i < c->nsection; i++) {
        const struct conf_section *s = &c->sections[i];
        if (strcmp(s->name, "machine") != 0)
            continue;
        for (int k = 0; k < s->nkey; k++) {
            struct place_ref at = { .file = c->file, .line = s->keys[k].line };
            if (strcmp(s->keys[k].key, "inherit") == 0)
                read_file(l, &at, s->keys[k].value);
        }
    }
}

static void
read_file(struct loader *l, const struct place_ref *from, const char *name)
{
    struct bytes b;

    if (l->depth == INHERIT_MAX) {
        l->ok = diag_error(l->diag, from, "target-inherit",
            "targets inherit more than %d deep: in a circle?", INHERIT_MAX);
        return;
    }
    char *path = locate(l, from, name);
    if (!path || !file_map(l->arena, l->diag, path, FILE_MAX, &b)) {
        l->ok = false;
        return;
    }
    struct conf *c = conf_parse(l->arena, l->diag, path, (const char *)b.p, b.n);
    if (!c) {
        l->ok = false;
        return;
    }
    l->depth++;
    bool was_ok = l->ok;
    inherit(l, c);
    /* A broken ancestor is reported once, not with all that follows from it. */
    if (l->ok || !was_ok)
        apply(l, c, true);
    l->depth--;
    if (!conf_get(c, "machine", "name"))
        l->t->name = path_suffix(l->arena, path_base(path), "");
}

static void
read_header(struct loader *l, const char *path, const char *const *sets)
{
    struct bytes b;

    if (!file_map(l->arena, l->diag, path, FILE_MAX, &b)) {
        l->ok = false;
        return;
    }
    l->t->name = path_suffix(l->arena, path_base(path), "");
    l->ok &= target_read_header(l->arena, l->diag, path, (const char *)b.p, b.n, sets, l->t);
}

static void
override(struct loader *l, const char *set)
{
    const char *equals = strchr(set, '='), *dot = strchr(set, '.');
    struct place_ref at = { .file = arena_printf(l->arena, "-m %s", set) };

    if (!equals || !dot || dot > equals) {
        l->ok = diag_error(l->diag, &at, "target-key", "expected SECTION.KEY=VALUE");
        return;
    }
    char *section = arena_strndup(l->arena, set, (size_t)(dot - set));
    char *key = arena_strndup(l->arena, dot + 1, (size_t)(equals - dot - 1));
    l->ok &= target_set(l->arena, l->diag, &at, l->t, section, key, equals + 1);
}

static struct target *
finish(struct loader *l, const char *file)
{
    if (!l->ok || !target_consistent(l->diag, file, l->t))
        return NULL;
    struct out *o = out_memory(l->arena);
    size_t n;
    target_print(l->t, o);
    const char *text = out_text(o, &n);
    l->t->digest = digest_hex(l->arena, text, n);
    return l->t;
}

struct target *
target_load(struct arena *a, struct diag *d, const char *name, const char *const *sets)
{
    struct loader l = { .arena = a, .diag = d, .t = NEW(a, struct target), .ok = true };

    target_defaults(l.t);
    if (str_ends(name, ".h"))
        read_header(&l, name, sets);
    else
        read_file(&l, NULL, name);
    for (; sets && *sets; sets++)
        override(&l, *sets);
    return finish(&l, name);
}

struct target *
target_change(struct arena *a, struct diag *d, const struct target *from, const char *const *sets)
{
    struct loader l = { .arena = a, .diag = d, .t = NEW(a, struct target), .ok = true };

    *l.t = *from;
    for (; *sets; sets++)
        override(&l, *sets);
    return finish(&l, from->name);
}

struct target *
target_parse(struct arena *a, struct diag *d, const char *file, const char *text)
{
    struct loader l = { .arena = a, .diag = d, .t = NEW(a, struct target), .ok = true };
    struct conf *c = conf_parse(a, d, file, text, strlen(text));

    if (!c)
        return NULL;
    target_defaults(l.t);
    apply(&l, c, false);
    return finish(&l, file);
}
