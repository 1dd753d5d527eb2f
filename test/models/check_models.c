/* Real models, compiled to int8 as far as the machine graph and run by the reference
 * kernels: how many of the labelled samples come out right, against what ONNX Runtime
 * gets with the float model. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "passes/passes.h"
#include "src/front/dataset.h"
#include "src/front/onnx.h"
#include "src/machine/target.h"
#include "test/passes/memory.h"
#include "test/unit/tap.h"

struct model {
    const char *name;
    int samples;                 /* of the labelled set that are run */
    int slack;                   /* samples that may be lost */
    enum calib_method calib;
};

static const struct model models[] = {
    { "mnist_cntk_f32", 200, 1, CALIB_PERCENTILE },
    { "mlperf_ic_resnet8_f32", 100, 1, CALIB_PERCENTILE },
    { "squeezenet_f32", 6, 1, CALIB_PERCENTILE },
};

struct job {
    struct arena *a;
    struct diag *d;
    struct graph *g;
    const char *dir;
    struct dataset_input in[1];
    struct dataset *eval;
};

static bool
prepare(struct job *j, const struct model *m, const char *root)
{
    struct diag_config config = { .to = stderr };

    j->a = arena_new();
    j->d = diag_new(j->a, &config);
    j->dir = arena_printf(j->a, "%s/%s", root, m->name);
    j->g = onnx_read(j->a, j->d, arena_printf(j->a, "%s/model.onnx", j->dir), NULL);
    if (!j->g)
        return false;
    j->in[0] = (struct dataset_input){ j->g->inputs[0]->name, j->g->inputs[0]->type, NULL };
    j->eval = dataset_open(j->a, j->d, arena_printf(j->a, "%s/eval", j->dir), j->in, 1);
    return j->eval != NULL;
}

static bool
compile(struct job *j, const struct model *m)
{
    struct pass_options opt = pass_defaults();
    struct dataset *calib =
        dataset_open(j->a, j->d, arena_printf(j->a, "%s/calib", j->dir), j->in, 1);
    struct pass_ctx c = { .g = j->g, .arena = j->a, .diag = j->d, .opt = &opt };

    if (!calib)
        return false;
    opt.calib = m->calib;
    c.feed = dataset_feed(j->a, j->d, &calib, 1, 0);
    c.target = target_load(j->a, j->d, "gemmini-16", NULL);
    return c.target && passes_run(&c, NULL) && ir_verify(j->g, j->d);
}

static int64_t
best_of(const float *x, int64_t n)
{
    int64_t best = 0;

    for (int64_t i = 1; i < n; i++)
        if (x[i] > x[best])
            best = i;
    return best;
}

/* The class that the graph gives to sample k. */
static int64_t
classify(struct job *j, int64_t k)
{
    struct arena *a = arena_new();
    struct tensor t;
    const struct value *x = j->g->inputs[0], *y = j->g->outputs[0];
    int64_t n = shape_elems(&x->type.shape), classes = shape_elems(&y->type.shape), best;
    void *stored = arena_alloc(a, (size_t)shape_bytes(&x->type, 0)), *out[1] = { NULL };
    float *real = NEWN(a, float, classes);
    const void *inputs[1] = { stored };
    struct interp run = { .g = j->g, .inputs = inputs };

    if (!dataset_get(j->eval, a, j->d, k, &t) || shape_elems(&t.shape) != n)
        return -1;
    quant_from_real(&x->type, t.data, stored);
    if (!interp_run(a, j->d, &run, out))
        return -1;
    quant_to_real(&y->type, out[0], real);
    best = best_of(real, classes);
    if (k == 0) {                              /* and in the memory that was planned */
        void *again[1];
        const char *wrong = memory_run(a, j->g, inputs, again);
        ck_assert_msg(!wrong, "%s", wrong);
        ck_assert(!memcmp(again[0], out[0], (size_t)shape_bytes(&y->type, 0)));
    }
    arena_free(a);
    return best;
}

static int64_t
label_of(const struct tensor *t, int64_t k)
{
    double x;

    tensor_to_double(t, k, 1, &x);
    return (int64_t)x;
}

static int64_t
reference_of(struct arena *a, const struct tensor *t, int64_t k)
{
    int64_t n = shape_count(&t->shape, 1, t->shape.rank);
    double *x = NEWN(a, double, n);
    float *f = NEWN(a, float, n);

    tensor_to_double(t, k * n, n, x);
    for (int64_t i = 0; i < n; i++)
        f[i] = (float)x[i];
    return best_of(f, n);
}

START_TEST(accuracy)
{
    const struct model *m = &models[_i];
    const struct tensor *labels, *reference;
    struct job j = { 0 };
    int right = 0, agree = 0, wanted = 0;

    ck_assert(prepare(&j, m, getenv("MODELS")));
    labels = dataset_labels(j.eval);
    reference = dataset_reference(j.eval);
    ck_assert(labels && reference);
    ck_assert(compile(&j, m));
    for (int k = 0; k < m->samples; k++) {
        int64_t c = classify(&j, k), r = reference_of(j.a, reference, k);
        right += c == label_of(labels, k);
        wanted += r == label_of(labels, k);
        agree += c == r;
    }
    fprintf(stderr, "# %s: %d of %d right, float %d, same class %d\n", m->name, right, m->samples,
            wanted, agree);
    ck_assert_int_ge(right, wanted - m->slack);
    arena_free(j.a);
}
END_TEST

int
main(void)
{
    const char *root = getenv("MODELS");
    Suite *s = suite_create("models");
    TCase *t = tcase_create("accuracy");

    if (!root || !*root)
        return tap_skip("no models: configure --with-models=DIR");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, accuracy, 0, (int)(sizeof models / sizeof *models));
    suite_add_tcase(s, t);
    return tap_run(s);
}
