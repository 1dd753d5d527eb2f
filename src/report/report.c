/* Views of the layer records. */
#include "src/report/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/out.h"
#include "src/base/str.h"
#include "src/base/table.h"

/* Where measured cycles went: columns, in order. */
#define CAUSES \
    C(array_cycles) C(core_cycles) C(stall_operands) C(stall_commands) C(stall_store) \
    C(stall_fence) C(stall_bank)

bool
report_spec(struct arena *a, const char *spec, enum report_form *form, const char **file)
{
    static const char *const forms[] = { "text", "csv", "json", NULL };
    size_t n;

    *file = NULL;
    *form = REPORT_TEXT;
    if (!spec)
        return true;
    n = strcspn(spec, ":");
    if (spec[n] == ':')
        *file = arena_strdup(a, spec + n + 1);
    for (int i = 0; forms[i]; i++)
        if (strlen(forms[i]) == n && strncmp(spec, forms[i], n) == 0) {
            *form = (enum report_form)i;
            return true;
        }
    return false;
}

uint64_t
report_cycles(const struct report_layer *l)
{
    return l->measured ? l->measured : l->estimate;
}

static uint64_t
total(const struct report *r)
{
    uint64_t sum = 0;

    for (int i = 0; i < r->n; i++)
        sum += report_cycles(&r->layers[i]);
    return sum;
}

static bool
was_run(const struct report *r)
{
    for (int i = 0; i < r->n; i++)
        if (r->layers[i].measured)
            return true;
    return false;
}

static double
utilisation(const struct report *r, const struct report_layer *l)
{
    uint64_t c = report_cycles(l);

    return c ? 100.0 * (double)l->macs / ((double)c * r->peak) : 0;
}

static double
error_percent(const struct report_layer *l)
{
    return l->measured ? 100.0 * ((double)l->estimate - (double)l->measured) / (double)l->measured : 0;
}

/* "commands 61%, operands 7%": what the array waited for, of the layer's cycles. */
static const char *
waits(struct arena *a, const struct report_layer *l)
{
    const struct { const char *name; uint64_t cycles; } why[] = {
        { "operands", l->stall_operands }, { "commands", l->stall_commands },
        { "stores", l->stall_store }, { "fence", l->stall_fence }, { "banks", l->stall_bank },
    };
    const char *all = "";

    for (size_t i = 0; i < sizeof why / sizeof *why; i++) {
        double percent = l->measured ? 100.0 * (double)why[i].cycles / (double)l->measured : 0;
        if (percent >= 0.5)
            all = arena_printf(a, "%s%s%s %.0f%%", all, *all ? ", " : "", why[i].name, percent);
    }
    return *all ? all : "-";
}

/* Columns of a layer that was run. */
static void
measured_cells(struct arena *a, struct table *t, const struct report_layer *l)
{
    table_cell(t, "%+.1f%%", error_percent(l));
    table_cell(t, "%s", str_thousands(a, l->bytes_in));
    table_cell(t, "%s", str_thousands(a, l->bytes_out));
    table_cell(t, "%s", waits(a, l));
}

static void
text(const struct report *r, struct out *o)
{
    static const char *const heads[] = { ">#", "layer", "op", "on", "output", ">MACs", ">cycles", ">%", ">MAC/cycle",
                                         ">util%", "limit", ">estimate error", ">bytes in", ">bytes out",
                                         "array waits for" };
    struct arena *a = arena_new();
    bool run = was_run(r);
    struct table *t = table_new(a, run ? 15 : 11, heads);
    uint64_t sum = total(r);

    for (int i = 0; i < r->n; i++) {
        const struct report_layer *l = &r->layers[i];
        uint64_t c = report_cycles(l);
        table_cell(t, "%d", l->number);
        table_cell(t, "%.40s", l->name);
        table_cell(t, "%s", l->op);
        table_cell(t, "%s", l->on);
        table_cell(t, "%s", l->output);
        table_cell(t, "%s", l->macs ? str_thousands(a, (uint64_t)l->macs) : "-");
        table_cell(t, "%s", str_thousands(a, c));
        table_cell(t, "%.1f", sum ? 100.0 * (double)c / (double)sum : 0);
        table_cell(t, l->macs ? "%.1f" : "-", c ? (double)l->macs / (double)c : 0);
        table_cell(t, l->macs ? "%.0f%%" : "-", utilisation(r, l));
        table_cell(t, "%s", l->limit);
        if (run)
            measured_cells(a, t, l);
    }
    table_print(t, o);
    out_printf(o, "%s cycles %s, %.3f ms at %g MHz on %s\n", str_thousands(a, sum), run ? "measured" : "estimated",
               (double)sum / r->clock_mhz / 1e3, r->clock_mhz, r->target);
    arena_free(a);
}

static void
csv(const struct report *r, struct out *o)
{
    static const char *const heads[] = { "number", "layer", "op", "on", "output", "macs", "cycles", "percent", "util",
        "limit", "estimate", "measured", "error", "bytes_in", "bytes_out",
#define C(field) #field,
        CAUSES
#undef C
        "schedule", "why" };
    struct arena *a = arena_new();
    struct table *t = table_new(a, sizeof heads / sizeof *heads, heads);
    uint64_t sum = total(r);

    for (int i = 0; i < r->n; i++) {
        const struct report_layer *l = &r->layers[i];
        table_cell(t, "%d", l->number);
        table_cell(t, "%s", l->name);
        table_cell(t, "%s", l->op);
        table_cell(t, "%s", l->on);
        table_cell(t, "%s", l->output);
        table_cell(t, "%" PRId64, l->macs);
        table_cell(t, "%" PRIu64, report_cycles(l));
        table_cell(t, "%.2f", sum ? 100.0 * (double)report_cycles(l) / (double)sum : 0);
        table_cell(t, "%.2f", utilisation(r, l));
        table_cell(t, "%s", l->limit);
        table_cell(t, "%" PRIu64, l->estimate);
        table_cell(t, "%" PRIu64, l->measured);
        table_cell(t, "%.2f", error_percent(l));
        table_cell(t, "%" PRIu64, l->bytes_in);
        table_cell(t, "%" PRIu64, l->bytes_out);
#define C(field) table_cell(t, "%" PRIu64, l->field);
        CAUSES
#undef C
        table_cell(t, "%s", l->schedule ? l->schedule : "");
        table_cell(t, "%s", l->why ? l->why : "");
    }
    table_csv(t, o);
    arena_free(a);
}

static json_t *
metric(uint64_t value, const char *unit)
{
    return json_pack("{s:I, s:s}", "value", (json_int_t)value, "unit", unit);
}

static json_t *
layer(const struct report *r, const struct report_layer *l)
{
    json_t *j = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s}", "number", l->number, "layer", l->name, "op", l->op,
                          "on", l->on, "output", l->output, "limit", l->limit);

    json_object_set_new(j, "macs", metric((uint64_t)l->macs, "multiply-accumulates"));
    json_object_set_new(j, "estimate", metric(l->estimate, "cycles"));
    if (l->measured) {
        json_object_set_new(j, "measured", metric(l->measured, "cycles"));
        json_object_set_new(j, "bytes_in", metric(l->bytes_in, "bytes"));
        json_object_set_new(j, "bytes_out", metric(l->bytes_out, "bytes"));
#define C(field) json_object_set_new(j, #field, metric(l->field, "cycles"));
        CAUSES
#undef C
    }
    json_object_set_new(j, "utilisation", json_real(utilisation(r, l)));
    if (l->schedule && *l->schedule)
        json_object_set_new(j, "schedule", json_string(l->schedule));
    if (l->why)
        json_object_set_new(j, "why", json_string(l->why));
    return j;
}

static void
json(const struct report *r, struct out *o)
{
    json_t *all = json_array(), *top;
    char *s;

    for (int i = 0; i < r->n; i++)
        json_array_append_new(all, layer(r, &r->layers[i]));
    top = json_pack("{s:s, s:s, s:s, s:{s:o}, s:o}", "schema", "gemmcc.report/1", "program", r->program, "target",
                    r->target, "totals", "cycles", metric(total(r), "cycles"), "layers", all);
    s = json_dumps(top, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    if (s)
        out_printf(o, "%s\n", s);
    free(s);
    json_decref(top);
}

void
report_print(const struct report *r, enum report_form form, struct out *o)
{
    if (form == REPORT_TEXT)
        text(r, o);
    else if (form == REPORT_CSV)
        csv(r, o);
    else
        json(r, o);
}

bool
report_write(const struct report *r, struct arena *a, struct diag *d, const char *spec)
{
    enum report_form form;
    const char *file;

    report_spec(a, spec, &form, &file);
    struct out *o = out_open(file ? file : "-", d);
    if (!o)
        return false;
    report_print(r, form, o);
    return out_close(o);
}
