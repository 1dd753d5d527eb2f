/* --print-*, --explain, --version. */
#include "src/driver/info.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ir.h"
#include "ir/ops/attrs.h"
#include "passes/passes.h"
#include "src/base/out.h"
#include "src/base/proc.h"
#include "src/base/str.h"
#include "src/driver/link.h"
#include "src/driver/qemu.h"
#include "src/machine/target.h"

void
info_version(struct arena *a, unsigned program, bool verbose)
{
    printf("%s %s\n", program == PROGRAM_CC ? "gemmcc" : "gemmcc-run", PACKAGE_VERSION);
    printf("Licence Apache-2.0.  There is no warranty.\n");
    if (!verbose)
        return;
    const char *cc = link_compiler(NULL), *path = proc_which(a, cc), *q = qemu_version(a, NULL);
    printf("cross compiler: %s%s\n", cc, path ? "" : " (not found: --emit=c still works)");
    printf("simulator: %s\n", q ? q : "qemu-system-riscv64 not found");
}

/* ---- operators */

/* What the array has a form of; the rest runs on the core.  The backend's `legal` and
 * ir/ops/lower_*.c decide for each node. */
static const struct {
    const struct op_def *op;
    const char *how;
} array_forms[] = {
    { &op_conv, "int8, also in groups" },
    { &op_gemm, "int8" },
    { &op_matmul, "int8" },
    { &op_add, "int8, equal shapes; factors of the scales are rounded to 7 bits" },
    { &op_sub, "int8, equal shapes; factors of the scales are rounded to 7 bits" },
    { &op_max_pool, "int8, square windows and strides of at most 3, without dilation" },
    { &op_average_pool, "int8, windows that all have the same number of elements" },
    { &op_global_average_pool, "int8, one sample" },
    { &op_relu, "on the way out of the product or sum before it" },
    { &op_batch_normalization, "in the weights of the convolution before it" },
};

static const char *
where(const struct op_def *op)
{
    for (size_t i = 0; i < sizeof array_forms / sizeof *array_forms; i++)
        if (array_forms[i].op == op)
            return array_forms[i].how;
    return NULL;
}

static void
ops_text(void)
{
    const struct op_def *op;

    for (int i = 0; (op = op_at(i)); i++)
        if (!(op->traits & OP_MACHINE))
            printf("%-24s opset %d on  %s\n", op->name, op->since, op->doc);
}

/* Text as mdoc takes it: no line starts with a control character. */
static void
mdoc_text(const char *s)
{
    for (bool start = true; *s; s++) {
        if (start && (*s == '.' || *s == '\''))
            fputs("\\&", stdout);
        if (*s == '\\')
            fputs("\\e", stdout);
        else
            putchar(*s);
        start = *s == '\n';
    }
}

/* A sentence in lines of less than 80 characters. */
static void
mdoc_lines(const char *s)
{
    char line[80];

    while (*s) {
        size_t n = strlen(s) < 76 ? strlen(s) : 76, cut = n;
        while (s[n] && cut > 0 && s[cut] != ' ')
            cut--;
        n = cut > 0 ? cut : n;
        snprintf(line, sizeof line, "%.*s", (int)n, s);
        mdoc_text(line);
        s += n + (s[n] == ' ');
        if (*s)
            putchar('\n');
    }
}

static void
mdoc_attr(const struct attr_def *d)
{
    printf(".It Va %s", d->name);
    if (!d->def)
        printf(" , No required");
    else if (d->def[0] && strcmp(d->def, ATTR_UNSET_TEXT) != 0)
        printf(" No = Cm %s", d->def);
    putchar('\n');
    mdoc_lines(d->doc);
    if (d->choices) {
        printf(":\n");
        for (const char *s = d->choices; *s;) {
            int n = (int)strcspn(s, "|");
            s += n;
            printf(".Cm %.*s%s\n", n, s - n, *s ? " ," : "");
            s += *s == '|';
        }
    } else {
        putchar('\n');
    }
}

static void
ops_mdoc_one(const struct op_def *op)
{
    char text[256];
    bool list = op->attrs && op->attrs->name;

    printf(".Ss %s\n", op->name);
    snprintf(text, sizeof text, "From opset %d%s%s: %s.", op->since, op->domain ? ", domain " : "",
        op->domain ? op->domain : "", op->doc);
    mdoc_lines(text);
    if (where(op)) {
        snprintf(text, sizeof text, "Array: %s.", where(op));
        putchar('\n');
        mdoc_lines(text);
    }
    putchar('\n');
    if (list)
        printf(".Bl -tag -width Ds -compact\n");
    for (const struct attr_def *d = op->attrs; d && d->name; d++)
        mdoc_attr(d);
    if (list)
        printf(".El\n");
    for (const struct rule *r = op->rules; r && r->id; r++) {
        printf("%sLimit: ", r == op->rules ? ".Pp\n" : ".br\n");
        mdoc_lines(r->sentence);
        printf("\n.Pq %s .\n", r->id);
    }
}

static void
ops_mdoc(void)
{
    const struct op_def *op;

    fputs(".\\\" Made by gemmcc --print-ops=mdoc; do not edit.\n.Dd November 21, 2026\n.Dt "
          "GEMMCC-OPS 7\n.Os\n"
          ".Sh NAME\n.Nm gemmcc-ops\n.Nd operators that gemmcc understands\n.Sh DESCRIPTION\n"
          "These ONNX operators are accepted by\n.Xr gemmcc 1 ,\nwith their attributes, defaults "
          "and limits.\n"
          "All run on the core, in float or int8, unless said otherwise under\n.Dq Array .\n"
          "What depends on constants only is computed while compiling, and operators that\n"
          "only rename shapes cost nothing where the order in memory allows.\n"
          "A model that breaks a limit is refused with the sentence given here, the values\n"
          "found, and the identifier in parentheses, which\n.Ql gemmcc --explain\nknows.\n"
          ".Sh OPERATORS\n",
        stdout);
    for (int i = 0; (op = op_at(i)); i++)
        if (!(op->traits & OP_MACHINE))
            ops_mdoc_one(op);
    fputs(".Sh SEE ALSO\n.Xr gemmcc 1\n", stdout);
}

static int
print_ops(const struct command_line *c)
{
    static const char *const forms[] = { "text", "mdoc", NULL };
    int form = option_word(c, OPT_PRINT_OPS, 0, forms);

    if (form < 0)
        return 2;
    if (form == 1)
        ops_mdoc();
    else
        ops_text();
    return 0;
}

/* ---- the others */

static void
print_passes(void)
{
    for (int i = 0; passes[i]; i++)
        printf(
            "%-16s %s%s\n", passes[i]->name, passes[i]->doc, passes[i]->level ? "" : " (always)");
}

/* NULL: none is near. */
const char *
info_nearest_diag(const char *id)
{
    static const char *names[512];

    for (int n = 0; diag_rows[n].id && n < 511; n++)
        names[n] = diag_rows[n].id;
    return str_nearest(id, names);
}

static int
explain(const char *id)
{
    const struct diag_row *r = diag_find(id);

    if (r) {
        printf("%s\n\n%s\n", r->id, r->doc);
        return 0;
    }
    const char *near = info_nearest_diag(id);
    return near ? options_wrong(PROGRAM_CC, "no diagnostic '%s'; did you mean '%s'?", id, near)
                : options_wrong(PROGRAM_CC, "no diagnostic '%s'; --print-diags lists them", id);
}

static void
print_diags(void)
{
    for (int i = 0; diag_rows[i].id; i++)
        printf("%-24s %.*s\n", diag_rows[i].id, (int)strcspn(diag_rows[i].doc, ".\n"),
            diag_rows[i].doc);
}

static void
print_targets(struct arena *a)
{
    for (char **s = target_names(a); s && *s; s++)
        printf("%s\n", *s);
}

static int
print_target(struct arena *a, struct diag *d, const struct command_line *c)
{
    const char *name = option_value(c, OPT_PRINT_TARGET), *chosen = option_value(c, OPT_TARGET);
    const struct target *t = target_load(a, d,
        name         ? name
            : chosen ? chosen
                     : "gemmini-16",
        option_values(a, c, OPT_MACHINE));

    if (!t)
        return 1;
    struct out *o = out_open("-", d);
    if (!o)
        return 3;
    target_print(t, o);
    return out_close(o) ? 0 : 3;
}

static int
check_target(struct arena *a, struct diag *d, const char *file)
{
    const struct target *t = target_load(a, d, file, NULL);

    if (!t)
        return 1;
    printf("%s: %" PRId64 " x %" PRId64 " array, %s, digest %.12s\n", t->name, t->dim, t->dim,
        dtype_name(t->elem), t->digest);
    return 0;
}

bool
info_asked(struct arena *a, struct diag *d, const struct command_line *c, int *status)
{
    *status = 0;
    if (option_given(c, OPT_PRINT_OPS))
        *status = print_ops(c);
    else if (option_given(c, OPT_PRINT_PASSES))
        print_passes();
    else if (option_given(c, OPT_PRINT_DIAGS))
        print_diags();
    else if (option_given(c, OPT_PRINT_TARGETS))
        print_targets(a);
    else if (option_given(c, OPT_PRINT_TARGET))
        *status = print_target(a, d, c);
    else if (option_given(c, OPT_CHECK_TARGET))
        *status = check_target(a, d, option_value(c, OPT_CHECK_TARGET));
    else if (option_given(c, OPT_EXPLAIN))
        *status = explain(option_value(c, OPT_EXPLAIN));
    else
        return false;
    return true;
}
