/* The rows of target.def: defaults, setting one by name, printing all of them, and
 * what must hold between them. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/conf.h"
#include "src/base/diag.h"
#include "src/base/out.h"
#include "src/base/str.h"
#include "src/base/vec.h"
#include "src/machine/target.h"
#include "src/machine/target_keys.h"

enum type { INT, REAL, BOOL, TEXT, ELEM, DATAFLOW };

static const struct row {
    const char *section, *key;
    enum type type;
    size_t offset;
    double min, max;                 /* every limit fits a double exactly */
    const char *unit;
} rows[] = {
#define K(section, key, type, field, def, min, max, unit, source, doc) \
    { #section, #key, type, offsetof(struct target, field), min, max, unit },
#include "src/machine/target.def"
#undef K
};
enum { ROWS = sizeof rows / sizeof *rows };

static const char *const dataflow_names[] = { "ws", "os", "both", NULL };

void
target_defaults(struct target *t)
{
    static const struct target defaults = {
#define K(section, key, type, field, def, min, max, unit, source, doc) .field = def,
#include "src/machine/target.def"
#undef K
    };

    *t = defaults;
}

static const struct row *
find(const char *section, const char *key)
{
    for (int i = 0; i < ROWS; i++)
        if (strcmp(rows[i].section, section) == 0 && strcmp(rows[i].key, key) == 0)
            return &rows[i];
    return NULL;
}

static bool
is_section(const char *name)
{
    for (int i = 0; i < ROWS; i++)
        if (strcmp(rows[i].section, name) == 0)
            return true;
    return false;
}

/* The nearest spelling; and since sections are easily mixed up, the same key in
 * another section comes first. */
static bool
unknown(struct arena *a, struct diag *d, const struct place_ref *at, const char *section,
    const char *key)
{
    const char *names[ROWS + 1] = { NULL }, *near = NULL;

    for (int i = 0; i < ROWS; i++) {
        names[i] = arena_printf(a, "%s.%s", rows[i].section, rows[i].key);
        if (!near && !is_section(section) && strcmp(rows[i].key, key) == 0)
            near = names[i];
    }
    if (is_section(section))
        for (int i = 0; i < ROWS && !near; i++)
            if (strcmp(rows[i].key, key) == 0)
                near = names[i];
    const char *full = arena_printf(a, "%s.%s", section, key);
    const char *spelt = str_nearest(full, names);
    diag_error(d, at, "target-key", "a target has no key '%s'", full);
    if (spelt || near)
        diag_hint(d, "did you mean '%s'?", spelt ? spelt : near);
    return false;
}

static bool
wrong(struct diag *d, const struct place_ref *at, const struct row *r, const char *value,
    const char *want)
{
    return diag_error(d, at, "target-value", "%s.%s is '%s'; it takes %s", r->section, r->key,
        value, want);
}

static bool
in_range(struct diag *d, const struct place_ref *at, const struct row *r, double v)
{
    if (v >= r->min && v <= r->max)
        return true;
    return diag_error(d, at, "target-range", "%s.%s is %.17g; it must be from %.17g to %.17g%s%s",
        r->section, r->key, v, r->min, r->max, *r->unit ? " " : "", r->unit);
}

static bool
set_int(struct diag *d, const struct place_ref *at, const struct row *r, int64_t *p,
    const char *value)
{
    int64_t v;

    if (!str_size(value, &v))
        return wrong(d, at, r, value, "a whole number (K, M and G are powers of 1024)");
    if (!in_range(d, at, r, (double)v))
        return false;
    *p = v;
    return true;
}

static bool
set_real(struct diag *d, const struct place_ref *at, const struct row *r, double *p,
    const char *value)
{
    double v;

    if (!str_f64(value, &v))
        return wrong(d, at, r, value, "a number");
    if (!in_range(d, at, r, v))
        return false;
    *p = v;
    return true;
}

static bool
set_bool(struct diag *d, const struct place_ref *at, const struct row *r, bool *p,
    const char *value)
{
    static const char *const yes[] = { "yes", "true", "on", "1" };
    static const char *const no[] = { "no", "false", "off", "0" };

    for (int i = 0; i < 4; i++) {
        if (strcmp(value, yes[i]) == 0 || strcmp(value, no[i]) == 0) {
            *p = strcmp(value, yes[i]) == 0;
            return true;
        }
    }
    return wrong(d, at, r, value, "yes or no");
}

static bool
set_elem(struct diag *d, const struct place_ref *at, const struct row *r, enum dtype *p,
    const char *value)
{
    enum dtype t = dtype_named(value);

    if (t != DT_I8 && t != DT_I16 && t != DT_I32 && !dtype_is_float(t))
        return wrong(d, at, r, value, "int8, int16, int32, float16, bfloat16, float or double");
    *p = t;
    return true;
}

static bool
set_dataflow(struct diag *d, const struct place_ref *at, const struct row *r, enum dataflow *p,
    const char *value)
{
    for (int i = 0; dataflow_names[i]; i++) {
        if (strcmp(value, dataflow_names[i]) == 0) {
            *p = (enum dataflow)i;
            return true;
        }
    }
    return wrong(d, at, r, value, "ws, os or both");
}

bool
target_set(struct arena *a, struct diag *d, const struct place_ref *at, struct target *t,
    const char *section, const char *key, const char *value)
{
    const struct row *r = find(section, key);

    if (!r)
        return unknown(a, d, at, section, key);
    void *p = (char *)t + r->offset;
    switch (r->type) {
    case INT:
        return set_int(d, at, r, p, value);
    case REAL:
        return set_real(d, at, r, p, value);
    case BOOL:
        return set_bool(d, at, r, p, value);
    case TEXT:
        *(const char **)p = arena_strdup(a, value);
        return true;
    case ELEM:
        return set_elem(d, at, r, p, value);
    case DATAFLOW:
        return set_dataflow(d, at, r, p, value);
    }
    return false;
}

/* The shortest decimal that reads back as the same double. */
static void
print_real(double v, struct out *o)
{
    char s[40];

    if (v == (double)(int64_t)v && v > -1e15 && v < 1e15) {
        out_printf(o, "%lld", (long long)v);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(s, sizeof s, "%.*g", digits, v);
        if (strtod(s, NULL) == v)
            break;
    }
    out_puts(o, s);
}

static void
print_int(int64_t v, const char *unit, struct out *o)
{
    if (v >= (int64_t)1 << 31 && v % 4096 == 0 && strcmp(unit, "bytes") != 0)
        out_printf(o, "0x%llx", (unsigned long long)v);
    else if (v >= 1 << 20 && v % (1 << 20) == 0 && strcmp(unit, "bytes") == 0)
        out_printf(o, "%lldM", (long long)(v >> 20));
    else if (v >= 1 << 14 && v % 1024 == 0 && strcmp(unit, "bytes") == 0)
        out_printf(o, "%lldK", (long long)(v >> 10));
    else
        out_printf(o, "%lld", (long long)v);
}

static void
print_value(const struct row *r, const struct target *t, struct arena *a, struct out *o)
{
    const void *p = (const char *)t + r->offset;

    switch (r->type) {
    case INT:
        print_int(*(const int64_t *)p, r->unit, o);
        return;
    case REAL:
        print_real(*(const double *)p, o);
        return;
    case BOOL:
        out_puts(o, *(const bool *)p ? "yes" : "no");
        return;
    case TEXT:
        out_puts(o, conf_quote(a, *(const char *const *)p));
        return;
    case ELEM:
        out_puts(o, dtype_name(*(const enum dtype *)p));
        return;
    case DATAFLOW:
        out_puts(o, dataflow_names[*(const enum dataflow *)p]);
        return;
    }
}

void
target_print(const struct target *t, struct out *o)
{
    struct arena *a = arena_new();
    const char *section = "";

    for (int i = 0; i < ROWS; i++) {
        if (strcmp(section, rows[i].section) != 0) {
            section = rows[i].section;
            out_printf(o, "[%s]\n", section);
        }
        out_printf(o, "%s = ", rows[i].key);
        print_value(&rows[i], t, a, o);
        out_puts(o, "\n");
    }
    arena_free(a);
}

static bool
power_of_two(int64_t v)
{
    return v > 0 && (v & (v - 1)) == 0;
}

/* The 16-bit wires and the 32-bit ports of the accumulator's type are joined bit by
 * bit where sums may stay in place (gemmini-isa.md 8.1). */
static bool
sound(struct diag *d, const struct place_ref *at, const struct target *t)
{
    if ((t->elem != DT_F16 && t->elem != DT_BF16) || t->dataflow == DATAFLOW_WS)
        return true;
    diag_error(d, at, "target-dataflow", "an array of %s with array.dataflow = %s computes"
        " nonsense", dtype_name(t->elem), dataflow_names[t->dataflow]);
    diag_hint(d, "array.dataflow = ws describes one that was built without the other dataflow");
    return false;
}

bool
target_consistent(struct diag *d, const char *file, const struct target *t)
{
    struct place_ref at = { .file = file };
    bool ok = true;

#define MUST(what, ...) \
    do { \
        if (!(what)) \
            ok = diag_error(d, &at, "target-conflict", __VA_ARGS__); \
    } while (0)
    MUST(dtype_is_float(t->elem) == dtype_is_float(t->acc),
        "array.input and array.acc must both be integers or both be floats");
    MUST(dtype_bits(t->acc) >= dtype_bits(t->elem), "array.acc is narrower than array.input");
    MUST(dtype_is_float(t->elem) || t->wire_bits <= dtype_bits(t->acc),
        "array.wire_bits is wider than array.acc");
    MUST(power_of_two(t->dma_max_bytes), "dma.max_bytes must be a power of two");
    MUST(power_of_two(t->dma_bus_bytes), "dma.bus_bytes must be a power of two");
    MUST(t->dma_bus_bytes <= t->dma_max_bytes, "dma.bus_bytes is more than dma.max_bytes");
    MUST(power_of_two(t->l2_line), "l2.line must be a power of two");
    MUST(t->l2_bytes % (t->l2_line * t->l2_ways) == 0,
        "l2.bytes must be a multiple of l2.line times l2.ways");
    MUST(t->ram_base % 4096 == 0 && t->ram_size % 4096 == 0,
        "platform.ram_base and ram_size must be multiples of 4096");
#undef MUST
    return sound(d, &at, t) && ok;
}
