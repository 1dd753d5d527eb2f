/* The backend for Gemmini arrays: random layers of every operator it takes, run on the
 * device model with every rule enforced, against plain loops, bit for bit; the layers it
 * leaves to the core, with the reason; and how fast the two kinds of layer are whose
 * speed is promised. */
#include <stdio.h>
#include <string.h>

#include "test/unit/layercase.h"
#include "test/unit/tap.h"

static const struct machine {
    const char *what, *file;
    const char *sets[2];
    int layers;
} machines[] = {
    { "16x16", "gemmini-16", { NULL }, 200 },
    { "8x8", "gemmini-16", { "array.dim=8" }, 200 },
    { "chip", "chip", { NULL }, 200 },
    { "32x32", "largechip", { NULL }, 60 },
};
#define MACHINES ((int)(sizeof machines / sizeof *machines))

static char running[1200]; /* said if the program ends early */

static void
say_running(void)
{
    if (*running)
        printf("# ended in: %s\n", running);
}

static struct target *
load(struct arena *a, struct diag *d, const struct machine *m)
{
    struct target *t = target_load(a, d, m->file, m->sets);

    ck_assert_msg(t != NULL, "%s: %s", m->file, diag_text(d));
    return t;
}

static int64_t
first_difference(const struct layer_case *c, const int8_t *got)
{
    for (int64_t i = 0; i < shape_elems(&c->n->out[0]->type.shape); i++)
        if (got[i] != c->want[i])
            return i;
    return -1;
}

/* Plans and runs a case; the result has to be right wherever it ran. */
static const struct kernel *
check(struct layer_case *c, struct diag *d, struct layer_run *r)
{
    snprintf(running, sizeof running, "%s", c->text);
    bool ok = layer_run(c->arena, d, c->g, c->target, c->in, false, r);
    ck_assert_msg(ok, "%s: refused: %s%s", c->text, r->violation, diag_text(d));
    ck_assert_msg(!*r->violation, "%s: %s", c->text, r->violation);
    const struct kernel *k = r->program->layers[0];
    int64_t at = first_difference(c, r->out);
    ck_assert_msg(at < 0, "%s: element %lld is %d, not %d (%s)", c->text, (long long)at,
        r->out[at < 0 ? 0 : at], c->want[at < 0 ? 0 : at],
        k->prog ? sched_text(c->arena, &k->schedule) : "on the core");
    ck_assert_msg(!*r->spill, "%s: %s (%s)", c->text, r->spill, sched_text(c->arena, &k->schedule));
    *running = 0;
    return k;
}

static bool
on_array(layer_maker *make, const struct machine *m, uint32_t seed)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new(a, &(struct diag_config){ 0 });
    struct layer_case c = { .arena = a, .target = load(a, d, m), .seed = seed };
    struct layer_run r;

    make(&c);
    c.text = arena_printf(a, "%s, seed %u: %s", m->what, seed, c.text);
    const struct kernel *k = check(&c, d, &r);
    bool array = k->prog != NULL;
    if (!array) {
        ck_assert_msg(k->why && *k->why, "%s: on the core without a reason", c.text);
        printf("# on the core, %s: %s\n", k->why, c.text);
    }
    diag_free(d);
    arena_free(a);
    return array;
}

static void
many(layer_maker *make, const char *what, int machine)
{
    const struct machine *m = &machines[machine];
    int n = 0;

    atexit(say_running);
    for (int i = 0; i < m->layers; i++)
        n += on_array(make, m, (uint32_t)(machine * 100000 + i * 7919 + 1));
    printf("# %s, %s: %d of %d layers on the array\n", what, m->what, n, m->layers);
    fflush(stdout);
    ck_assert_int_ge(n * 100, m->layers * 95);
}

START_TEST(convolutions)
{
    many(case_conv, "conv", _i);
}
END_TEST

START_TEST(depthwise)
{
    many(case_depthwise, "depthwise", _i);
}
END_TEST

START_TEST(products)
{
    many(case_matmul, "matmul", _i);
}
END_TEST

START_TEST(additions)
{
    many(case_add, "add", _i);
}
END_TEST

START_TEST(pools)
{
    many(case_pool, "pool", _i);
}
END_TEST

START_TEST(refusals)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new(a, &(struct diag_config){ 0 });
    const struct target *t = load(a, d, &machines[0]);
    struct layer_run r;
    const char *why;

    atexit(say_running);
    for (int i = 0;; i++) {
        struct layer_case c = { .arena = a, .target = t, .seed = (uint32_t)i };
        if (!case_refused(&c, i, &why))
            break;
        const struct kernel *k = check(&c, d, &r);
        ck_assert_msg(!k->prog, "%s: on the array", why);
        ck_assert_msg(
            k->why && strstr(k->why, why), "not '%s' but: %s", why, k->why ? k->why : "no reason");
        ck_assert_int_eq(c.n->place.device, -1);
    }
    arena_free(a);
}
END_TEST

/* Cold: nothing is in the cache, code and weights neither. */
static const struct layer_shape promised[] = {
    { "matmul 512 x 512 x 512", 512, 1, 512, 512, 0, 1, 1 },
    { "conv 3x3 of 64 to 64 channels, 56 x 56", 64, 56, 56, 64, 3, 1, 1 },
};

START_TEST(speed)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new(a, &(struct diag_config){ 0 });
    struct layer_case c = { .arena = a, .target = load(a, d, &machines[0]), .seed = 1 };
    bool bias = _i & 1;
    struct layer_run r;

    case_shape(&c, &promised[_i / 2], bias);
    case_expect(&c);
    ck_assert_msg(layer_run(a, d, c.g, c.target, c.in, true, &r), "%s: %s", c.text, r.violation);
    ck_assert_int_lt(first_difference(&c, r.out), 0);
    const struct kernel *k = r.program->layers[0];
    int64_t ideal = k->macs / (c.target->dim * c.target->dim);
    double part = 100.0 * (double)ideal / (double)r.cycles;
    printf("# %s: %.1f %% of peak, %llu cycles, %llu estimated, limited by %s (%s)\n", c.text, part,
        (unsigned long long)r.cycles, (unsigned long long)k->cost.cycles, limit_name(k->cost.limit),
        sched_text(a, &k->schedule));
    fflush(stdout);
    ck_assert_msg(part >= 90, "%s: only %.1f %% of peak", c.text, part);
    ck_assert_msg(part <= 100, "%s: %.1f %% of peak cannot be", c.text, part);
    diag_free(d);
    arena_free(a);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("backend");
    TCase *t = tcase_create("layers");

    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, convolutions, 0, MACHINES);
    tcase_add_loop_test(t, depthwise, 0, MACHINES);
    tcase_add_loop_test(t, products, 0, MACHINES);
    tcase_add_loop_test(t, additions, 0, MACHINES);
    tcase_add_loop_test(t, pools, 0, MACHINES);
    tcase_add_test(t, refusals);
    tcase_add_loop_test(t, speed, 0, 4);
    suite_add_tcase(s, t);
    return s;
}

int
main(void)
{
    return tap_run(suite());
}
