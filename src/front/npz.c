/* NumPy's archives, with libzip.  Entries that are no npy files are passed over;
 * encrypted ones are refused, and those that unpack to more than 16 GiB. */
#include <string.h>

#include "src/base/out.h"
#include "src/base/str.h"
#include "src/base/vec.h"
#include "src/front/npy.h"
#include "src/front/npz.h"

#ifdef HAVE_LIBZIP
#include <zip.h>

#define MAX_BYTES ((uint64_t)1 << 34)

static bool
read_entry(struct arena *a, struct diag *d, const char *path, zip_t *z,
           uint64_t index, const zip_stat_t *st, struct tensor *t)
{
    struct place_ref at = { .file = path };
    char *what = arena_printf(a, "%s:%s", path, st->name);
    zip_file_t *f = zip_fopen_index(z, index, 0);

    if (!f)
        return diag_error(d, &at, "npz-read", "entry '%s': %s", st->name,
                          zip_strerror(z));
    /* The archive's word on the size is not trusted with memory at once. */
    size_t n = 0, cap = 4096;
    uint8_t *p = arena_alloc(a, cap);
    int64_t k;
    while ((k = zip_fread(f, p + n, cap - n)) > 0) {
        n += (size_t)k;
        if (n > MAX_BYTES || n > st->size)
            break;
        if (n == cap) {
            size_t more = cap * 2 > st->size && st->size > cap
                              ? (size_t)st->size + 1 : cap * 2;
            uint8_t *q = arena_alloc(a, more);
            memcpy(q, p, n);
            p = q;
            cap = more;
        }
    }
    int closed = zip_fclose(f);
    if (k < 0 || closed || n != st->size)
        return diag_error(d, &at, "npz-read", "entry '%s' cannot be unpacked",
                          st->name);
    if (!npy_parse(a, d, what, (struct bytes){ p, n }, t))
        return false;
    t->name = arena_strndup(a, st->name, strlen(st->name) - 4);
    return true;
}

bool
npz_parse(struct arena *a, struct diag *d, const char *path, struct bytes b,
          struct tensors *out)
{
    struct place_ref at = { .file = path };
    VEC(struct tensor) list = { 0 };
    zip_error_t e;
    bool ok = true;

    zip_error_init(&e);
    zip_source_t *src = zip_source_buffer_create(b.p, b.n, 0, &e);
    zip_t *z = src ? zip_open_from_source(src, ZIP_RDONLY, &e) : NULL;
    if (!z) {
        diag_error(d, &at, "npz-read", "not a zip archive: %s",
                   zip_error_strerror(&e));
        if (src)
            zip_source_free(src);
        zip_error_fini(&e);
        return false;
    }
    int64_t n = zip_get_num_entries(z, 0);
    for (int64_t i = 0; i < n && ok; i++) {
        zip_stat_t st;
        struct tensor t;
        if (zip_stat_index(z, (uint64_t)i, 0, &st) || !(st.valid & ZIP_STAT_NAME)
            || !(st.valid & ZIP_STAT_SIZE) || !str_ends(st.name, ".npy"))
            continue;
        ok = read_entry(a, d, path, z, (uint64_t)i, &st, &t);
        if (ok)
            vec_push(a, &list, t);
    }
    zip_discard(z);
    zip_error_fini(&e);
    if (ok && !list.n)
        ok = diag_error(d, &at, "npz-read", "the archive holds no arrays");
    *out = (struct tensors){ list.at, list.n };
    return ok;
}

static bool
add_entry(struct arena *a, struct diag *d, const char *path, zip_t *z,
          const struct tensor *t, int index)
{
    struct place_ref at = { .file = path };
    struct out *o = out_memory(a);
    size_t len;

    if (!npy_print(a, d, path, t, o))
        return false;
    const char *p = out_text(o, &len);
    char *name = t->name ? arena_printf(a, "%s.npy", t->name)
                         : arena_printf(a, "arr_%d.npy", index);
    zip_source_t *s = zip_source_buffer(z, p, len, 0);
    int64_t k = s ? zip_file_add(z, name, s, ZIP_FL_ENC_UTF_8) : -1;
    if (k < 0) {
        if (s)
            zip_source_free(s);
        return diag_error(d, &at, "npz-write", "entry '%s': %s", name,
                          zip_strerror(z));
    }
    /* The same bytes every time: no date, no compression that may change. */
    zip_file_set_dostime(z, (uint64_t)k, 0, 0x21, 0);
    zip_set_file_compression(z, (uint64_t)k, ZIP_CM_STORE, 0);
    return true;
}

bool
npz_write(struct arena *a, struct diag *d, const char *path,
          const struct tensor *t, int n)
{
    struct place_ref at = { .file = path };
    int e = 0;
    zip_t *z = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &e);

    if (!z)
        return diag_error(d, &at, "npz-write", "cannot be created");
    for (int i = 0; i < n; i++)
        if (!add_entry(a, d, path, z, &t[i], i)) {
            zip_discard(z);
            return false;
        }
    if (zip_close(z)) {
        diag_error(d, &at, "npz-write", "cannot be written: %s", zip_strerror(z));
        zip_discard(z);
        return false;
    }
    return true;
}

#else

static bool
none(struct diag *d, const char *path)
{
    struct place_ref at = { .file = path };

    return diag_error(d, &at, "npz-none", "this build was configured without"
                      " libzip, which npz archives need");
}

bool
npz_parse(struct arena *a, struct diag *d, const char *path, struct bytes b,
          struct tensors *out)
{
    (void)a;
    (void)b;
    (void)out;
    return none(d, path);
}

bool
npz_write(struct arena *a, struct diag *d, const char *path,
          const struct tensor *t, int n)
{
    (void)a;
    (void)t;
    (void)n;
    return none(d, path);
}

#endif
