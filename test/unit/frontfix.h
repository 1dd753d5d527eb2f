/* What the tests of src/front share: an arena, collected diagnostics and a temporary
 * folder for each test. */
#ifndef TEST_UNIT_FRONTFIX_H
#define TEST_UNIT_FRONTFIX_H
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/ir.h"
#include "test/unit/build.h"
#include "test/unit/tap.h"

static struct arena *a;
static struct diag *d;
static char dir[64];

static void
setup(void)
{
    struct diag_config c = { 0 };

    a = arena_new();
    d = diag_new(a, &c);
    strcpy(dir, "/tmp/check_front.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void
teardown(void)
{
    ck_assert_int_eq(system(arena_printf(a, "rm -rf '%s'", dir)), 0);
    diag_free(d);
    arena_free(a);
}

static inline const char *
in_dir(const char *name)
{
    return arena_printf(a, "%s/%s", dir, name);
}

static inline void
write_file(const char *path, const void *p, size_t n)
{
    FILE *f = fopen(path, "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(p, 1, n, f), n);
    fclose(f);
}

/* Fails, with this id, and says these words. */
static inline void
refused(struct model *m, const char *id, const char *words)
{
    ck_assert_ptr_null(model_graph(m, a, d));
    ck_assert_msg(diag_has(d, id), "%s expected, but: %s", id, diag_text(d));
    ck_assert_msg(strstr(diag_text(d), words) != NULL, "'%s' expected in: %s", words,
                  diag_text(d));
}

#define FAILS(id, what) \
    do { \
        ck_assert(!(what)); \
        ck_assert_msg(diag_has(d, id), "%s expected: %s", id, diag_text(d)); \
    } while (0)

static inline int
count(const char *text, const char *word)
{
    int n = 0;

    for (const char *p = text; (p = strstr(p, word)); p++)
        n++;
    return n;
}

#endif
