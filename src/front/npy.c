/* NumPy's file format: versions 1 to 3, both byte orders, C and Fortran order.
 * Refuses structured and object types, text and complex numbers, and files that
 * are longer or shorter than their header says. */
#include <string.h>

#include "src/base/num.h"
#include "src/base/out.h"
#include "src/front/npy.h"

#define MAX_BYTES ((int64_t)1 << 34)

static const char magic[] = "\x93NUMPY";

struct header {
    const char *p, *end;
    char descr[16];
    int fortran;                 /* -1: not seen */
    int64_t dims[MAX_RANK];
    int rank;                    /* -1: not seen */
};

static void
blanks(struct header *h)
{
    while (h->p < h->end && strchr(" \t\r\n", *h->p))
        h->p++;
}

static bool
eat(struct header *h, char c)
{
    blanks(h);
    if (h->p == h->end || *h->p != c)
        return false;
    h->p++;
    return true;
}

static bool
quoted(struct header *h, char *to, size_t size)
{
    blanks(h);
    if (h->p == h->end || (*h->p != '\'' && *h->p != '"'))
        return false;
    char q = *h->p++;
    const char *start = h->p;
    while (h->p < h->end && *h->p != q)
        h->p++;
    size_t n = (size_t)(h->p - start);
    if (h->p == h->end || n >= size)
        return false;
    h->p++;
    memcpy(to, start, n);
    to[n] = 0;
    return true;
}

static bool
word(struct header *h, const char *w)
{
    size_t n = strlen(w);

    blanks(h);
    if ((size_t)(h->end - h->p) < n || memcmp(h->p, w, n))
        return false;
    h->p += n;
    return true;
}

/* (), (3,), (1, 3, 8, 8); Python 2 wrote sizes with an L. */
static bool
sizes(struct header *h)
{
    if (!eat(h, '('))
        return false;
    h->rank = 0;
    while (!eat(h, ')')) {
        int64_t n = 0;
        blanks(h);
        const char *start = h->p;
        while (h->p < h->end && *h->p >= '0' && *h->p <= '9')
            if (!num_mul(n, 10, &n) || !num_add(n, *h->p++ - '0', &n))
                return false;
        if (h->p == start || h->rank == MAX_RANK)
            return false;
        h->dims[h->rank++] = n;
        if (h->p < h->end && *h->p == 'L')
            h->p++;
        if (!eat(h, ',')) {
            if (!eat(h, ')'))
                return false;
            break;
        }
    }
    return true;
}

/* {'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), } */
static bool
dict(struct header *h)
{
    char key[32];

    if (!eat(h, '{'))
        return false;
    while (!eat(h, '}')) {
        if (!quoted(h, key, sizeof key) || !eat(h, ':'))
            return false;
        if (!strcmp(key, "descr")) {
            if (!quoted(h, h->descr, sizeof h->descr))
                return false;
        } else if (!strcmp(key, "fortran_order")) {
            h->fortran = word(h, "True") ? 1 : word(h, "False") ? 0 : -1;
        } else if (!strcmp(key, "shape")) {
            if (!sizes(h))
                return false;
        } else {
            return false;
        }
        if (!eat(h, ',')) {
            if (!eat(h, '}'))
                return false;
            break;
        }
    }
    return h->descr[0] && h->fortran >= 0 && h->rank >= 0;
}

/* The type, and whether bytes have to be swapped.  Several spellings mean the
 * same; the table has the first of dtype.def. */
static enum dtype
type_of(const char *descr, bool *swap)
{
    char s[16];

    *swap = descr[0] == '>';
    for (int t = 1; t < DT_COUNT; t++) {
        const char *own = dtype_npy((enum dtype)t);
        if (!own)
            continue;
        strcpy(s, own);
        if (!strcmp(s + 1, descr + (strchr("<>|=", descr[0]) ? 1 : 0)))
            return (enum dtype)t;
    }
    return DT_NONE;
}

static void
swap_bytes(uint8_t *p, int64_t n, int each)
{
    for (int64_t i = 0; i < n; i++, p += each)
        for (int k = 0; k < each / 2; k++) {
            uint8_t c = p[k];
            p[k] = p[each - 1 - k];
            p[each - 1 - k] = c;
        }
}

/* Column-major to row-major. */
static void
from_fortran(const struct shape *s, const uint8_t *src, uint8_t *dst, int each)
{
    int64_t n = shape_elems(s), index[MAX_RANK] = { 0 };

    for (int64_t i = 0; i < n; i++) {
        int64_t at = 0;
        for (int k = 0; k < s->rank; k++)
            at = at * s->dim[k].n + index[k];
        memcpy(dst + at * each, src + i * each, (size_t)each);
        for (int k = 0; k < s->rank && ++index[k] == s->dim[k].n; k++)
            index[k] = 0;
    }
}

static bool
read_header(struct bytes b, struct header *h, size_t *data)
{
    size_t len, at;

    if (b.n < 10 || memcmp(b.p, magic, 6))
        return false;
    if (b.p[6] == 1) {
        len = (size_t)b.p[8] | (size_t)b.p[9] << 8;
        at = 10;
    } else if ((b.p[6] == 2 || b.p[6] == 3) && b.n >= 12) {
        len = (size_t)b.p[8] | (size_t)b.p[9] << 8 | (size_t)b.p[10] << 16
              | (size_t)b.p[11] << 24;
        at = 12;
    } else {
        return false;
    }
    if (len > b.n - at)
        return false;
    h->p = (const char *)b.p + at;
    h->end = h->p + len;
    *data = at + len;
    return dict(h);
}

static bool
total(const struct header *h, enum dtype dt, int64_t *elems, int64_t *bytes)
{
    *elems = 1;
    for (int i = 0; i < h->rank; i++)
        if (!num_mul(*elems, h->dims[i], elems))
            return false;
    return num_mul(*elems, dtype_bits(dt) / 8, bytes) && *bytes <= MAX_BYTES;
}

bool
npy_parse(struct arena *a, struct diag *d, const char *what, struct bytes b,
          struct tensor *t)
{
    struct place_ref at = { .file = what };
    struct header h = { .fortran = -1, .rank = -1 };
    size_t start;
    bool swap;
    int64_t elems, bytes;

    if (!read_header(b, &h, &start))
        return diag_error(d, &at, "npy-header",
                          "the header is not one of an npy file of up to %d axes",
                          MAX_RANK);
    enum dtype dt = type_of(h.descr, &swap);
    if (dt == DT_NONE)
        return diag_error(d, &at, "npy-type", "elements of type '%s' are not"
                          " supported", h.descr);
    if (!total(&h, dt, &elems, &bytes) || (uint64_t)bytes != b.n - start)
        return diag_error(d, &at, "npy-size",
                          "the header's shape and type do not make the %zu bytes"
                          " that follow it", b.n - start);
    int each = dtype_bits(dt) / 8;
    *t = (struct tensor){ .dt = dt, .shape = shape_make(h.rank, h.dims) };
    const uint8_t *src = b.p + start;
    if (h.fortran && h.rank > 1) {
        uint8_t *dst = arena_alloc(a, (size_t)bytes);
        from_fortran(&t->shape, src, dst, each);
        src = dst;
    }
    if (swap && each > 1) {
        uint8_t *dst = arena_dup(a, src, (size_t)bytes);
        swap_bytes(dst, elems, each);
        src = dst;
    }
    t->data = (uintptr_t)src % 16 ? arena_dup(a, src, (size_t)bytes) : src;
    return true;
}

bool
npy_print(struct arena *a, struct diag *d, const char *what,
          const struct tensor *t, struct out *o)
{
    struct place_ref at = { .file = what };
    const char *descr = dtype_npy(t->dt);
    struct out *h = out_memory(a);
    size_t n;

    if (!descr)
        return diag_error(d, &at, "npy-type", "NumPy has no type for %s; write"
                          " a .pb instead", dtype_name(t->dt));
    out_printf(h, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
    for (int i = 0; i < t->shape.rank; i++)
        out_printf(h, "%lld%s", (long long)t->shape.dim[i].n,
                   i + 1 < t->shape.rank ? ", " : t->shape.rank == 1 ? "," : "");
    out_puts(h, "), }");
    const char *text = out_text(h, &n);
    size_t pad = 63 - (10 + n) % 64;         /* data starts on a multiple of 64 */
    size_t len = n + pad + 1;
    uint8_t lead[4] = { 1, 0, (uint8_t)len, (uint8_t)(len >> 8) };
    out_bytes(o, magic, 6);
    out_bytes(o, lead, 4);
    out_bytes(o, text, n);
    for (size_t i = 0; i < pad; i++)
        out_bytes(o, " ", 1);
    out_bytes(o, "\n", 1);
    out_bytes(o, t->data, (size_t)tensor_bytes(t));
    return true;
}
