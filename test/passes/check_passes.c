/* The passes on small networks: what is optional changes no result, the machine graph
 * does what the quantized graph says, and the memory that was planned holds it all. */
#include <math.h>
#include <string.h>

#include "ir/machine.h"
#include "passes/passes.h"
#include "src/machine/target.h"
#include "test/passes/memory.h"
#include "test/passes/nets.h"
#include "test/unit/tap.h"

struct setup {
    struct arena *a;
    struct diag *d;
    struct pass_options opt;
    struct pass_ctx c;
    uint64_t seed;
};

static void
begin(struct setup *s, const struct net_row *r, float lo, float hi)
{
    *s = (struct setup){ .a = arena_new(), .opt = pass_defaults(), .seed = 4711 };
    s->d = diag_new(s->a, &(struct diag_config){ .to = stderr });
    s->c = (struct pass_ctx){ .g = net_build(s->a, r, 1), .arena = s->a, .diag = s->d,
                              .opt = &s->opt };
    s->c.feed = net_feed(s->a, lo, hi, 8);
    s->c.target = target_load(s->a, s->d, "gemmini-16", NULL);
    ck_assert(s->c.target);
}

/* All passes from table row `from` on to `last`, but not `without`. */
static int
run_passes(struct setup *s, int from, const char *last, const char *without)
{
    for (int i = from; passes[i]; i++) {
        const struct pass *p = passes[i];
        if (pass_applies(p, &s->c) && (!without || strcmp(p->name, without) != 0)) {
            ck_assert_msg(pass_run(p, &s->c), "%s: %s", s->c.g->name, p->name);
            ck_assert_msg(ir_verify(s->c.g, s->d), "%s after %s", s->c.g->name, p->name);
        }
        if (last && !strcmp(p->name, last))
            return i + 1;
    }
    return 0;
}

static void **
random_inputs(struct setup *s)
{
    struct graph *g = s->c.g;
    void **in = NEWN(s->a, void *, g->ninput + 1);

    for (int i = 0; i < g->ninput; i++) {
        const struct type *t = &g->inputs[i]->type;
        int64_t n = shape_elems(&t->shape);
        in[i] = arena_alloc(s->a, (size_t)shape_bytes(t, 0));
        for (int64_t k = 0; k < n; k++) {
            if (t->dt == DT_F32)
                ((float *)in[i])[k] = net_random(&s->seed, -1, 1);
            else
                ((int8_t *)in[i])[k] = (int8_t)net_random(&s->seed, -128, 127.9f);
        }
    }
    return in;
}

static void **
interpret(struct setup *s, void **in)
{
    void **out = NEWN(s->a, void *, s->c.g->noutput + 1);
    struct interp r = { .g = s->c.g, .inputs = (const void *const *)in };

    ck_assert(interp_run(s->a, s->d, &r, out));
    return out;
}

/* Largest difference in steps, or for floats in thousandths. */
static double
difference(const struct type *t, const void *a, const void *b)
{
    int64_t n = shape_elems(&t->shape);
    double most = 0;

    for (int64_t i = 0; i < n; i++) {
        double d = t->dt == DT_F32
                       ? fabs((double)((const float *)a)[i] - (double)((const float *)b)[i]) * 1000
                       : abs(((const int8_t *)a)[i] - ((const int8_t *)b)[i]);
        most = d > most || d != d ? d : most;
    }
    return most;
}

/* Two buffers that are alive together share no byte. */
static void
no_overlap(const struct graph *g)
{
    for (uint32_t i = 0; i < g->nvalue; i++) {
        const struct buffer *a = g->values[i] ? g->values[i]->buf : NULL;
        for (uint32_t k = 0; a && !a->alias && k < i; k++) {
            const struct buffer *b = g->values[k] ? g->values[k]->buf : NULL;
            if (!b || b->alias || a->space != b->space || a->last < b->first || b->last < a->first)
                continue;
            ck_assert_msg(a->offset + a->size <= b->offset || b->offset + b->size <= a->offset,
                          "%s: '%s' and '%s'", g->name, a->what, b->what);
        }
    }
}

/* ----------------------------------------------------------------- tests */

static const float ranges[][2] = { { 0, 1 }, { -1, 1.084f }, { -1, 1 }, { -2, 0.3f } };

/* QNET defines, MACHINE computes, memory holds. */
START_TEST(lowered)
{
    const struct net_row *r = &net_rows[_i];

    for (int k = 0; k < 4; k++) {
        struct setup s;
        int next;
        void **in, **want, **got, **again;
        const char *wrong;
        begin(&s, r, ranges[k][0], ranges[k][1]);
        next = run_passes(&s, 0, "quantize", NULL);
        in = random_inputs(&s);
        want = interpret(&s, in);
        run_passes(&s, next, NULL, NULL);
        got = interpret(&s, in);
        again = NEWN(s.a, void *, s.c.g->noutput + 1);
        wrong = memory_run(s.a, s.c.g, (const void *const *)in, again);
        ck_assert_msg(!wrong, "%s: %s", r->name, wrong);
        no_overlap(s.c.g);
        for (int i = 0; i < s.c.g->noutput; i++) {
            const struct type *t = &s.c.g->outputs[i]->type;
            double d = difference(t, want[i], got[i]);
            ck_assert_msg(d <= (r->steps ? r->steps : 1) * (t->dt == DT_F32 ? 10 : 1),
                          "%s, range %d, output %d: %g steps", r->name, k, i, d);
            ck_assert_msg(difference(t, again[i], got[i]) == 0, "%s: memory of output %d",
                          r->name, i);
        }
        arena_free(s.a);
    }
}
END_TEST

/* Every optional pass off in turn: the float graph computes the same. */
START_TEST(optional)
{
    const struct net_row *r = &net_rows[_i];
    struct setup s;
    void **want;

    begin(&s, r, -1, 1);
    s.opt.level = 0;
    run_passes(&s, 0, "infer", NULL);
    want = interpret(&s, random_inputs(&s));
    for (int p = -1; p < 0 || passes[p]; p++) {
        struct setup t;
        void **got;
        if (p >= 0 && (passes[p]->level == 0 || !(passes[p]->from & STAGE_NET)))
            continue;
        begin(&t, r, -1, 1);
        run_passes(&t, 0, "fuse-relu", p < 0 ? NULL : passes[p]->name);
        got = interpret(&t, random_inputs(&t));
        for (int i = 0; i < t.c.g->noutput; i++)
            ck_assert_msg(difference(&t.c.g->outputs[i]->type, want[i], got[i]) < 0.02,
                          "%s without %s", r->name, p < 0 ? "nothing" : passes[p]->name);
        arena_free(t.a);
    }
    arena_free(s.a);
}
END_TEST

/* All ways to hold inputs and outputs, levels and modes compile into memory that works. */
START_TEST(modes)
{
    static const enum io_mode io[] = { IO_AUTO, IO_FLOAT, IO_INT8 };
    const struct net_row *r = &net_rows[_i];

    for (int k = 0; k < 12; k++) {
        struct setup s;
        void **in, **want, **got;
        const char *wrong;
        begin(&s, r, -1, 1);
        s.opt.io = io[k % 3];
        s.opt.level = k / 3 % 2 ? 2 : 0;
        s.opt.quant = k / 6 ? QUANT_OFF : QUANT_AUTO;
        run_passes(&s, 0, NULL, NULL);
        in = random_inputs(&s);
        want = interpret(&s, in);
        got = NEWN(s.a, void *, s.c.g->noutput + 1);
        wrong = memory_run(s.a, s.c.g, (const void *const *)in, got);
        ck_assert_msg(!wrong, "%s, mode %d: %s", r->name, k, wrong);
        no_overlap(s.c.g);
        for (int i = 0; i < s.c.g->noutput; i++) {
            const struct value *y = s.c.g->outputs[i];
            ck_assert_msg(difference(&y->type, want[i], got[i]) == 0, "%s, mode %d", r->name, k);
            if (s.opt.io == IO_FLOAT)
                ck_assert_msg(y->type.dt == DT_F32, "%s: output %d", r->name, i);
            if (s.opt.io == IO_INT8)
                ck_assert_msg(layout_is_dense(&y->type), "%s: output %d", r->name, i);
        }
        for (int i = 0; i < s.c.g->ninput && s.opt.io != IO_AUTO; i++)
            ck_assert_msg(layout_is_dense(&s.c.g->inputs[i]->type), "%s: input %d", r->name, i);
        arena_free(s.a);
    }
}
END_TEST

/* Max pooling on the way out, where the backend agrees. */
static bool
always(const struct node *conv, const struct m_pool_attr *p, const struct target *t)
{
    (void)conv;
    (void)p;
    (void)t;
    return true;
}

static const struct net_row *
row(const char *name)
{
    const struct net_row *r = net_rows;

    while (strcmp(r->name, name) != 0)
        r++;
    return r;
}

static int
count(const struct graph *g, const char *op)
{
    int n = 0;

    for (const struct node *m = g->first; m; m = m->next)
        n += !strcmp(m->op->name, op);
    return n;
}

START_TEST(fused_pool)
{
    struct setup a, b;
    void **in, **want, **got;
    const char *wrong;

    begin(&a, row("pool_max"), -1, 1);
    run_passes(&a, 0, NULL, NULL);
    ck_assert_int_eq(count(a.c.g, "m.pool"), 2);
    begin(&b, row("pool_max"), -1, 1);
    b.c.can_pool = always;
    run_passes(&b, 0, NULL, NULL);
    ck_assert_int_eq(count(b.c.g, "m.pool"), 1);
    in = random_inputs(&a);
    want = interpret(&a, in);
    got = interpret(&b, in);
    ck_assert(difference(&a.c.g->outputs[0]->type, want[0], got[0]) == 0);
    wrong = memory_run(b.a, b.c.g, (const void *const *)in, got);
    ck_assert_msg(!wrong, "%s", wrong);
    ck_assert(difference(&a.c.g->outputs[0]->type, want[0], got[0]) == 0);
    arena_free(a.a);
    arena_free(b.a);
}
END_TEST

/* What each pass is for. */
struct shape_case { const char *net, *op; int many; };
static const struct shape_case cases[] = {
    { "batchnorm", "BatchNormalization", 0 }, { "batchnorm_alone", "BatchNormalization", 0 },
    { "batchnorm", "Relu", 0 },               { "pad_conv", "Pad", 0 },
    { "conv_bias_after", "Add", 0 },          { "conv_bias_after", "Mul", 0 },
    { "conv_bias_after", "Relu", 0 },         { "matmul_bias", "Add", 0 },
    { "sum_many", "Sum", 0 },                 { "sum_many", "Max", 2 },
    { "gemm_addend", "Add", 1 },              { "add_two", "Relu", 0 },
};

START_TEST(rewritten)
{
    const struct shape_case *k = &cases[_i];
    struct setup s;

    begin(&s, row(k->net), -1, 1);
    run_passes(&s, 0, "fuse-relu", NULL);
    ck_assert_msg(count(s.c.g, k->op) == k->many, "%s: %d %s", k->net, count(s.c.g, k->op), k->op);
    arena_free(s.a);
}
END_TEST

/* Moves that have to be left at the end: copies where memory cannot be shared. */
static const struct shape_case moves[] = {
    { "concat", "m.move", 1 },       /* its second reader wants another halo than the whole has */
    { "flatten_gemm", "m.move", 0 }, { "flatten_and_conv", "m.move", 1 },
    { "pool_view", "m.move", 0 },    { "concat_knot", "m.move", 6 },
};

START_TEST(copies)
{
    const struct shape_case *k = &moves[_i];
    struct setup s;

    begin(&s, row(k->net), -1, 1);
    run_passes(&s, 0, NULL, NULL);
    ck_assert_msg(count(s.c.g, k->op) <= k->many, "%s: %d %s", k->net, count(s.c.g, k->op), k->op);
    arena_free(s.a);
}
END_TEST

/* --opt-limit=N stops rewriting, and the graph still works. */
START_TEST(limited)
{
    for (int limit = 0; limit < 6; limit++) {
        struct setup s;
        void **in;
        begin(&s, row("conv_bias_after"), -1, 1);
        s.opt.opt_limit = limit;
        run_passes(&s, 0, NULL, NULL);
        in = random_inputs(&s);
        interpret(&s, in);
        arena_free(s.a);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("passes");
    TCase *t = tcase_create("nets");
    int n = 0;

    while (net_rows[n].name)
        n++;
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, lowered, 0, n);
    tcase_add_loop_test(t, optional, 0, n);
    tcase_add_loop_test(t, modes, 0, n);
    tcase_add_loop_test(t, rewritten, 0, (int)(sizeof cases / sizeof *cases));
    tcase_add_loop_test(t, copies, 0, (int)(sizeof moves / sizeof *moves));
    tcase_add_test(t, fused_pool);
    tcase_add_test(t, limited);
    suite_add_tcase(s, t);
    return tap_run(s);
}
