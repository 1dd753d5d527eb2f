/* A gemmini_params.h as Chipyard generates it: its #define and typedef lines, read
 * as text.  It is not preprocessed: a header that was edited into something cleverer
 * than a list of definitions is beyond this.  What the header cannot say is assumed
 * on the safe side and listed in one note. */
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/diag.h"
#include "src/base/map.h"
#include "src/base/out.h"
#include "src/base/str.h"
#include "src/machine/target.h"
#include "src/machine/target_keys.h"

struct reader {
    struct arena *arena;
    struct diag *diag;
    struct place_ref at;
    struct target *t;
    struct map *defines;             /* name (without parameters) to text */
    struct map *types;               /* name to type */
    const char *const *sets;
    struct out *assumed;
    bool ok;
};

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool
is_name(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z');
}

/* "NAME value" or "NAME(x, y) value" after #define. */
static void
define(struct reader *r, const char *s)
{
    const char *name = s;

    while (is_name(*s))
        s++;
    if (s == name)
        return;
    name = arena_strndup(r->arena, name, (size_t)(s - name));
    if (*s == '(') {
        s = strchr(s, ')');
        if (!s)
            return;
        s++;
    }
    while (is_blank(*s))
        s++;
    map_set(r->defines, name, arena_strdup(r->arena, s));
}

/* "typedef TYPE NAME;" */
static void
type_definition(struct reader *r, const char *s)
{
    const char *semi = strchr(s, ';'), *name;

    if (!semi)
        return;
    while (semi > s && is_blank(semi[-1]))
        semi--;
    for (name = semi; name > s && is_name(name[-1]);)
        name--;
    const char *end = name;
    while (end > s && is_blank(end[-1]))
        end--;
    if (end == s || name == semi)
        return;
    map_set(r->types, arena_strndup(r->arena, name, (size_t)(semi - name)),
        arena_strndup(r->arena, s, (size_t)(end - s)));
}

static const char *
after_word(const char *s, const char *word)
{
    size_t n = strlen(word);

    if (strncmp(s, word, n) != 0 || !is_blank(s[n]))
        return NULL;
    for (s += n; is_blank(*s);)
        s++;
    return s;
}

static void
one_line(struct reader *r, char *s)
{
    const char *rest;
    char *slashes = strstr(s, "//");
    size_t n;

    if (slashes)
        *slashes = 0;
    for (n = strlen(s); n && is_blank(s[n - 1]);)
        s[--n] = 0;
    while (is_blank(*s))
        s++;
    if (*s == '#') {
        for (s++; is_blank(*s);)
            s++;
        if ((rest = after_word(s, "define")))
            define(r, rest);
    } else if ((rest = after_word(s, "typedef"))) {
        type_definition(r, rest);
    }
}

/* Lines, those that end in a backslash joined. */
static void
all_lines(struct reader *r, const char *text, size_t len)
{
    char *s = arena_strndup(r->arena, text, len);

    for (char *q = s; *q; q++) {
        if (q[0] == '\\' && q[1] == '\r' && q[2] == '\n')
            q[0] = q[1] = q[2] = ' ';
        else if (q[0] == '\\' && q[1] == '\n')
            q[0] = q[1] = ' ';
    }
    while (s) {
        char *next = strchr(s, '\n');
        if (next)
            *next++ = 0;
        one_line(r, s);
        s = next;
    }
}

static bool
has(const struct reader *r, const char *name)
{
    return map_get(r->defines, name) != NULL;
}

static void
set(struct reader *r, const char *section, const char *key, const char *value)
{
    r->ok &= target_set(r->arena, r->diag, &r->at, r->t, section, key, value);
}

static void
set_yes(struct reader *r, const char *section, const char *key, bool yes)
{
    set(r, section, key, yes ? "yes" : "no");
}

/* Not in the header: takes the value, and goes into the note unless an override
 * says it anyway. */
static void
assume(struct reader *r, const char *section, const char *key, const char *value)
{
    char *full = arena_printf(r->arena, "%s.%s=", section, key);

    set(r, section, key, value);
    for (const char *const *s = r->sets; s && *s; s++)
        if (str_starts(*s, full))
            return;
    out_printf(r->assumed, "%s%s.%s=%s", out_pos(r->assumed) ? " " : "", section, key, value);
}

static int64_t
number(struct reader *r, const char *name, int64_t otherwise)
{
    const char *text = map_get(r->defines, name);
    int64_t v;

    if (text && str_i64(text, &v))
        return v;
    if (text)
        r->ok = diag_error(r->diag, &r->at, "target-header", "%s is '%s', not a plain number",
            name, text);
    return otherwise;
}

static const char *
required(struct reader *r, const char *name)
{
    if (!has(r, name)) {
        r->ok = diag_error(r->diag, &r->at, "target-header", "%s is not defined; is this a"
            " generated gemmini_params.h?", name);
        return "0";
    }
    return arena_printf(r->arena, "%lld", (long long)number(r, name, 0));
}

static bool
types(struct reader *r)
{
    if (!has(r, "ELEM_T_IS_FLOAT")) {
        const char *elem = map_get(r->types, "elem_t"), *acc = map_get(r->types, "acc_t");
        bool known = elem && acc && str_ends(elem, "_t") && str_ends(acc, "_t");
        if (!known)
            return diag_error(r->diag, &r->at, "target-header",
                "elem_t and acc_t are not plain integer types");
        set(r, "array", "input", arena_strndup(r->arena, elem, strlen(elem) - 2));
        set(r, "array", "acc", arena_strndup(r->arena, acc, strlen(acc) - 2));
        return true;
    }
    int64_t exp = number(r, "ELEM_T_EXP_BITS", 8), sig = number(r, "ELEM_T_SIG_BITS", 24);
    int64_t acc_exp = number(r, "ACC_T_EXP_BITS", 8), acc_sig = number(r, "ACC_T_SIG_BITS", 24);
    const char *elem = exp == 8 && sig == 24 ? "float" : exp == 8 && sig == 8 ? "bfloat16"
        : exp == 5 && sig == 11 ? "float16" : NULL;
    if (!elem || acc_exp != 8 || acc_sig != 24)
        return diag_error(r->diag, &r->at, "target-header",
            "a float type with %lld exponent and %lld significand bits is not known",
            (long long)(elem ? acc_exp : exp), (long long)(elem ? acc_sig : sig));
    set(r, "array", "input", elem);
    set(r, "array", "acc", "float");
    return true;
}

static void
sizes(struct reader *r)
{
    int64_t acc_rows, banks = has(r, "ELEM_T_IS_FLOAT") ? 1 : 2;

    set(r, "array", "dim", required(r, "DIM"));
    set(r, "scratchpad", "banks", required(r, "BANK_NUM"));
    set(r, "scratchpad", "bank_rows", required(r, "BANK_ROWS"));
    required(r, "ACC_ROWS");
    acc_rows = number(r, "ACC_ROWS", 0);
    assume(r, "accumulator", "banks", banks == 2 ? "2" : "1");
    set(r, "accumulator", "bank_rows", arena_printf(r->arena, "%lld", (long long)(acc_rows / banks)));
    if (number(r, "XCUSTOM_ACC", 3) != 3)
        r->ok = diag_error(r->diag, &r->at, "target-header",
            "the array listens to custom-%lld; only custom-3 is known",
            (long long)number(r, "XCUSTOM_ACC", 3));
}

static void
features(struct reader *r)
{
    bool norms = has(r, "HAS_NORMALIZATIONS");
    const char *scale = map_get(r->defines, "ACC_SCALE");

    set_yes(r, "has", "full_width", has(r, "ACC_READ_FULL_WIDTH"));
    set_yes(r, "has", "first_layer", has(r, "HAS_FIRST_LAYER_OPTIMIZATIONS"));
    set_yes(r, "has", "norms", norms);
    set_yes(r, "has", "mvin_scale", has(r, "HAS_MVIN_SCALE"));
    set_yes(r, "has", "mvin_acc_scale", has(r, "HAS_MVIN_ACC_SCALE"));
    set_yes(r, "has", "acc_scale", !scale || strcmp(scale, "((x))") != 0);
    assume(r, "array", "dataflow", "ws");
    assume(r, "machine", "isa_revision", "0");
    assume(r, "has", "loop_ws", "no");
    assume(r, "has", "loop_conv", "yes");
    assume(r, "has", "max_pool", norms ? "no" : "yes");
    assume(r, "has", "relu", "yes");
    assume(r, "has", "depthwise", "yes");
    assume(r, "has", "training", "no");
    assume(r, "has", "ex_reads_acc", "no");
    assume(r, "has", "ex_writes_sp", "no");
    assume(r, "has", "d_operand", "no");
    assume(r, "dma", "max_bytes", "64");
    assume(r, "dma", "bus_bytes", "16");
    assume(r, "dma", "in_flight", "16");
    assume(r, "queue", "load", "8");
    assume(r, "queue", "execute", "16");
    assume(r, "queue", "store", "4");
    assume(r, "queue", "counters", "8");
}

bool
target_read_header(struct arena *a, struct diag *d, const char *file, const char *text,
    size_t len, const char *const *sets, struct target *t)
{
    struct reader r = { .arena = a, .diag = d, .at = { .file = file }, .t = t,
        .defines = map_new(a), .types = map_new(a), .sets = sets, .assumed = out_memory(a),
        .ok = true };

    all_lines(&r, text, len);
    sizes(&r);
    r.ok &= types(&r);
    features(&r);
    map_free(r.defines);
    map_free(r.types);
    if (!r.ok)
        return false;
    diag_note(d, &r.at, "target-assumed", "the header does not say everything; assumed: %s",
        out_text(r.assumed, NULL));
    diag_hint(d, "memories, caches and times of the core are those of the default target; -m"
        " KEY=VALUE changes any key");
    return true;
}
