/* Every row of test/ops: inference, the normal form inferred again, the reference
 * kernel against numbers worked out by hand, and refusals by their id.  Then
 * convolutions of any geometry against plain loops. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/elem.h"
#include "ir/ops/attrs.h"
#include "test/unit/tap.h"

/* R(op, opset, inputs, attributes, outputs), or E(.., id): refused with id, "id|" with
 * two outputs.  Tensors are "float[2,3] 1 2 3 4 5 6", separated by '|'; "1.." counts
 * up, '*' before one marks a constant, "-" an input left out. */
struct row {
    const char *op;
    int opset;
    const char *in, *attrs, *out;
    bool refused;
    const char *file;
};

#define R(op, opset, in, attrs, out) { op, opset, in, attrs, out, false, HERE },
#define E(op, opset, in, attrs, id) { op, opset, in, attrs, id, true, HERE },
static const struct row rows[] = {
#define HERE "conv.def"
#include "test/ops/conv.def"
#undef HERE
#define HERE "pool.def"
#include "test/ops/pool.def"
#undef HERE
#define HERE "element.def"
#include "test/ops/element.def"
#undef HERE
#define HERE "shape.def"
#include "test/ops/shape.def"
#undef HERE
};
#define ROWS ((int)(sizeof rows / sizeof rows[0]))

struct tensor_text { bool constant, absent; struct type t; void *data; };

static void
parse_values(struct arena *a, const char *s, struct tensor_text *t)
{
    int64_t n = shape_elems(&t->t.shape);
    double first = 0;
    bool counts = false;

    t->data = arena_alloc(a, (size_t)shape_bytes(&t->t, 0) + 8);
    for (int64_t i = 0; i < n; i++) {
        char *end;
        double x = counts ? first + (double)i : strtod(s, &end);
        if (!counts) {
            ck_assert_msg(end != s, "too few numbers: %s", s);
            counts = *end == '.' && end[1] == '.';
            if (!counts && end[-1] == '.' && *end == '.')     /* "1." was read */
                counts = true, end--;
            first = x;
            s = counts ? end + 2 : end;
        }
        if (dtype_is_int(t->t.dt) && fabs(x) > 0x1p53)
            elem_put_int(t->t.dt, t->data, i, x < 0 ? INT64_MIN : INT64_MAX);
        else
            elem_put_real(t->t.dt, t->data, i, x);
    }
    while (isspace((unsigned char)*s))
        s++;
    ck_assert_msg(!*s, "left over: '%s'", s);
}

static struct tensor_text
parse_tensor(struct arena *a, const char *s)
{
    struct tensor_text t = { 0 };
    size_t n;

    t.constant = *s == '*';
    s += t.constant;
    t.absent = *s == '-';
    if (t.absent)
        return t;
    n = strcspn(s, "[");
    t.t.dt = dtype_named(arena_strndup(a, s, n));
    ck_assert_msg(t.t.dt != DT_NONE && s[n] == '[', "no type: '%s'", s);
    for (s += n + 1; *s != ']'; s += *s == ',') {
        char *end;
        t.t.shape.dim[t.t.shape.rank++] = dim_of(strtoll(s, &end, 10));
        ck_assert(end != s);
        s = end;
    }
    parse_values(a, s + 1, &t);
    return t;
}

static int
parse_list(struct arena *a, const char *text, struct tensor_text *list, int most)
{
    char *copy = arena_strdup(a, text), *save = NULL;
    int n = 0;

    for (char *p = strtok_r(copy, "|", &save); p; p = strtok_r(NULL, "|", &save)) {
        ck_assert_int_lt(n, most);
        list[n++] = parse_tensor(a, p);
    }
    return n;
}

static void
set_attrs(struct arena *a, struct node *n, const char *text)
{
    char *copy = arena_strdup(a, text), *save = NULL;

    for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
        char *eq = strchr(p, '=');
        ck_assert_ptr_nonnull(eq);
        *eq = '\0';
        const struct attr_def *d = attr_find(n->op, p);
        ck_assert_msg(d && attr_parse(a, d, n->attr, eq + 1), "%s: attribute %s", n->op->name, p);
    }
}

struct fixture {
    struct arena *arena;
    struct diag *diag;
    struct graph *g;
    struct node *n;
    const void *in[8];
    void *out[8];
};

static void
build(struct fixture *f, const struct row *r)
{
    struct diag_config quiet = { .to = NULL };
    struct tensor_text in[8];
    struct value *vi[8], *vo[8];
    int nin, nout = 1;

    f->arena = arena_new();
    f->diag = diag_new(f->arena, &quiet);
    f->g = graph_new(f->arena, "row");
    f->g->opset = r->opset;
    nin = parse_list(f->arena, r->in, in, 8);
    for (int i = 0; i < nin; i++) {
        vi[i] = in[i].absent     ? NULL
                : in[i].constant ? graph_const(f->g, NULL, &in[i].t, in[i].data)
                                 : graph_input(f->g, NULL, &in[i].t);
        f->in[i] = in[i].data;
    }
    for (const char *p = r->out; (p = strchr(p, '|')); p++)
        nout++;
    for (int i = 0; i < nout; i++)
        vo[i] = graph_value(f->g, NULL, NULL);
    ck_assert_msg(op_find(NULL, r->op) != NULL, "no operator %s", r->op);
    f->n = graph_node(f->g, NULL, op_find(NULL, r->op), NULL, vi, nin, vo, nout);
    set_attrs(f->arena, f->n, r->attrs);
}

static const char *
attrs_text(struct arena *a, const struct node *n)
{
    const char *s = "";

    for (const struct attr_def *d = n->op->attrs; d && d->name; d++)
        s = arena_printf(a, "%s %s=%s", s, d->name, attr_text(a, d, n->attr));
    return s;
}

static void
compare(const struct row *r, struct arena *a, const struct type *t, const void *have,
        const struct tensor_text *want)
{
    ck_assert_msg(t->dt == want->t.dt && shape_equal(&t->shape, &want->t.shape),
                  "%s: %s(%s) {%s}: %s, not %s", r->file, r->op, r->in, r->attrs, type_text(a, t),
                  type_text(a, &want->t));
    for (int64_t i = 0; i < shape_elems(&t->shape); i++) {
        double x = elem_real(t->dt, have, i), y = elem_real(t->dt, want->data, i);
        bool same = x == y || (x != x && y != y) ||
                    (dtype_is_float(t->dt) && fabs(x - y) <= 1e-6 * fabs(y) + 1e-7);
        ck_assert_msg(same, "%s: %s(%s) {%s}: element %lld is %.9g, not %.9g", r->file, r->op,
                      r->in, r->attrs, (long long)i, x, y);
    }
}

/* The interpreter gives a kernel only the inputs that are left after inference. */
static void
check_result(struct fixture *f, const struct row *r)
{
    struct tensor_text want[8];
    int nout = parse_list(f->arena, r->out, want, 8);
    const char *once;

    ck_assert_msg(node_infer(f->g, f->n, f->diag), "%s: %s(%s) {%s}: %s", r->file, r->op, r->in,
                  r->attrs, diag_text(f->diag));
    once = attrs_text(f->arena, f->n);
    for (int i = 0; i < nout; i++)
        f->out[i] = arena_alloc(f->arena, (size_t)shape_bytes(&f->n->out[i]->type, 0) + 8);
    ck_assert(interp_node(f->arena, f->n, f->in, f->out));
    for (int i = 0; i < nout; i++)
        compare(r, f->arena, &f->n->out[i]->type, f->out[i], &want[i]);

    ck_assert_msg(node_infer(f->g, f->n, f->diag), "%s: %s(%s) {%s}: the second time: %s", r->file,
                  r->op, r->in, r->attrs, diag_text(f->diag));
    ck_assert_str_eq(once, attrs_text(f->arena, f->n));
    for (int i = 0; i < nout; i++)
        compare(r, f->arena, &f->n->out[i]->type, f->out[i], &want[i]);
}

START_TEST(every_row)
{
    const struct row *r = &rows[_i];
    struct fixture f = { 0 };

    build(&f, r);
    if (r->refused) {
        const char *id = arena_strndup(f.arena, r->out, strcspn(r->out, "|"));
        ck_assert_msg(!node_infer(f.g, f.n, f.diag), "%s: %s(%s) {%s} is not refused", r->file,
                      r->op, r->in, r->attrs);
        ck_assert_msg(diag_has(f.diag, id), "%s: %s(%s) {%s}: %s instead of %s", r->file,
                      r->op, r->in, r->attrs, diag_text(f.diag), id);
        ck_assert_ptr_nonnull(diag_find(id));
    } else {
        check_result(&f, r);
    }
    diag_free(f.diag);
    arena_free(f.arena);
}
END_TEST

/* Every rule's id has its text for --explain, every op a sentence and sane numbers. */
START_TEST(tables_are_complete)
{
    for (int i = 0; op_at(i); i++) {
        const struct op_def *op = op_at(i);
        ck_assert_msg(op->name && op->doc && op->since > 0 && op->stages, "%s", op->name);
        ck_assert_msg(op->min_in <= op->max_in && op->infer && op->eval, "%s", op->name);
        ck_assert_msg(!op->attrs == !op->attr_size, "%s", op->name);
        for (const struct rule *r = op->rules; r && r->id; r++)
            ck_assert_msg(diag_find(r->id) != NULL, "%s: %s", op->name, r->id);
        for (const struct attr_def *d = op->attrs; d && d->name; d++)
            ck_assert_msg(d->doc && d->offset < op->attr_size, "%s: %s", op->name, d->name);
    }
}
END_TEST

static uint32_t seed;

static int64_t
pick(int64_t lo, int64_t hi)
{
    seed = seed * 1664525u + 1013904223u;
    return lo + (int64_t)(seed >> 8) % (hi - lo + 1);
}

/* Whole numbers: sums are exact in any order. */
static float *
numbers(struct arena *a, int64_t n)
{
    float *p = NEWN(a, float, n + 1);

    for (int64_t i = 0; i < n; i++)
        p[i] = (float)pick(-8, 8);
    return p;
}

static double
plain_conv(const float *x, const float *w, const struct shape *xs, const struct shape *ws,
           const int64_t *k, int64_t b, int64_t o, int64_t oy, int64_t ox)
{
    int64_t c = ws->dim[1].n, group = k[0], per = ws->dim[0].n / group;
    double sum = 0;

    for (int64_t i = 0; i < c; i++)
        for (int64_t y = 0; y < ws->dim[2].n; y++)
            for (int64_t z = 0; z < ws->dim[3].n; z++) {
                int64_t iy = oy * k[1] + y * k[3] - k[5], ix = ox * k[2] + z * k[4] - k[6];
                if (iy < 0 || ix < 0 || iy >= xs->dim[2].n || ix >= xs->dim[3].n)
                    continue;
                int64_t row = (b * xs->dim[1].n + o / per * c + i) * xs->dim[2].n + iy;
                sum += (double)x[row * xs->dim[3].n + ix] *
                       (double)w[((o * c + i) * ws->dim[2].n + y) * ws->dim[3].n + z];
            }
    return sum;
}

/* group, strides, dilations, pads top left bottom right */
START_TEST(conv_is_its_definition)
{
    struct fixture f = { .arena = arena_new() };
    struct diag_config quiet = { .to = NULL };
    seed = (uint32_t)_i * 7919u + 1;
    int64_t k[9] = { pick(1, 3), pick(1, 3), pick(1, 3), pick(1, 2), pick(1, 2),
                     pick(0, 2), pick(0, 2), pick(0, 2), pick(0, 2) };
    int64_t in[4] = { pick(1, 2), k[0] * pick(1, 3), pick(5, 12), pick(5, 12) };
    int64_t kernel[4] = { k[0] * pick(1, 3), in[1] / k[0], pick(1, 3), pick(1, 3) };
    struct type x = { DT_F32, shape_make(4, in), NULL, NULL };
    struct type w = { DT_F32, shape_make(4, kernel), NULL, NULL };
    struct value *v[2], *y;
    float *data[2], *out;

    f.diag = diag_new(f.arena, &quiet);
    f.g = graph_new(f.arena, "conv");
    f.g->opset = 13;
    data[0] = numbers(f.arena, shape_elems(&x.shape));
    data[1] = numbers(f.arena, shape_elems(&w.shape));
    v[0] = graph_input(f.g, "x", &x);
    v[1] = graph_const(f.g, "w", &w, data[1]);
    y = graph_value(f.g, "y", NULL);
    f.n = graph_node(f.g, NULL, &op_conv, "conv", v, 2, &y, 1);
    struct conv_attr *a = conv_attr(f.n);
    a->group = k[0];
    a->win.strides = (struct ints){ 2, k + 1 };
    a->win.dilations = (struct ints){ 2, k + 3 };
    a->win.pads = (struct ints){ 4, k + 5 };
    ck_assert_msg(node_infer(f.g, f.n, f.diag), "%s", diag_text(f.diag));
    out = NEWN(f.arena, float, shape_elems(&y->type.shape));
    const void *in_data[2] = { data[0], data[1] };
    ck_assert(interp_node(f.arena, f.n, in_data, (void *[]){ out }));
    const struct dim *d = y->type.shape.dim;
    int64_t n = shape_elems(&y->type.shape), pixels = d[2].n * d[3].n;
    for (int64_t i = 0; i < n; i++) {
        int64_t image = i / pixels, oy = i % pixels / d[3].n, ox = i % d[3].n;
        double want = plain_conv(data[0], data[1], &x.shape, &w.shape, k, image / d[1].n,
                                 image % d[1].n, oy, ox);
        ck_assert_double_eq((double)out[i], want);
    }
    diag_free(f.diag);
    arena_free(f.arena);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("ops");
    TCase *t = tcase_create("tables");

    tcase_add_test(t, tables_are_complete);
    tcase_add_loop_test(t, every_row, 0, ROWS);
    suite_add_tcase(s, t);
    t = tcase_create("conv");
    tcase_add_loop_test(t, conv_is_its_definition, 0, 60);
    suite_add_tcase(s, t);
    return tap_run(s);
}
