/* train: trains the network of the digits sample on digits drawn from fonts
 * and writes all files of the sample.  A maintainer's tool: nothing of gemmcc's
 * build or tests runs it.  One thread, fixed seeds: the same fonts, FreeType and
 * compiler give the same bytes. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "samples/digits/data.h"
#include "samples/digits/net.h"
#include "samples/digits/onnx_write.h"
#include "samples/digits/render.h"
#include "samples/digits/rng.h"
#include "src/base/arena.h"
#include "src/base/diag.h"

enum { BATCH = 32, EVAL = 200, CALIB = 16, HELD_OUT = 20000, LARGE = 4 * NET_SIDE };

static const char labels[] = "zero\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine";

struct job {
    struct arena *a;
    struct diag *d;
    const char *list, *root, *dir, *scores;
    int samples;
    uint64_t seed;
    struct fonts *train, *held;
    struct net *net;
};

struct sample {
    uint8_t byte[NET_PIXELS];
    float pixel[NET_PIXELS];
    int font, label;
};

/* After a diagnostic. */
static _Noreturn void
give_up(const struct job *j)
{
    diag_flush(j->d);
    exit(3);
}

static _Noreturn void
die(const char *what, const char *why)
{
    fprintf(stderr, "train: %s: %s\n", what, why);
    exit(1);
}

/* The font by chance, the digit as told. */
static void
draw(struct fonts *f, int digit, struct rng *r, struct sample *s)
{
    struct look k = look_random(r);

    s->label = digit;
    s->font = rng_below(r, fonts_count(f));
    if (!render_digit(f, s->font, digit, &k, r, NET_SIDE, s->byte))
        die(fonts_name(f, s->font), "has no such digit");
    for (int i = 0; i < NET_PIXELS; i++)
        s->pixel[i] = (float)s->byte[i] * (1.0f / 255);
}

/* Up in a line over the first twentieth, then down with a parabola to 0. */
static float
rate_at(int64_t done, int64_t all)
{
    double x = (double)done / (double)all;

    return (float)(2e-3 * (x < 0.05 ? x / 0.05 : (1 - x) * (1 - x)));
}

static void
train(struct job *j)
{
    struct rng r = { j->seed };
    struct sample s;
    double loss = 0;
    int good = 0, shown = 0;

    for (int i = 1; i <= j->samples; i++) {
        draw(j->train, rng_below(&r, NET_CLASSES), &r, &s);
        good += net_forward(j->net, s.pixel) == s.label;
        loss += net_backward(j->net, s.pixel, s.label);
        if (i % BATCH == 0)
            net_update(j->net, BATCH, rate_at(i, j->samples));
        if (i % (j->samples / 10) == 0) {
            printf("%7d samples: loss %.4f, %.2f %% right\n", i, loss / (i - shown),
                100.0 * good / (i - shown));
            fflush(stdout);
            loss = good = 0;
            shown = i;
        }
    }
}

/* Fresh looks of every held-out font; the three worst fonts are named. */
static void
judge(struct job *j)
{
    struct rng r = { j->seed + 1 };
    int n = fonts_count(j->held), good = 0;
    int *seen = NEWN(j->a, int, n), *wrong = NEWN(j->a, int, n);
    struct sample s;

    for (int i = 0; i < HELD_OUT; i++) {
        draw(j->held, i % NET_CLASSES, &r, &s);
        seen[s.font]++;
        if (net_forward(j->net, s.pixel) == s.label)
            good++;
        else
            wrong[s.font]++;
    }
    printf(
        "held-out fonts: %d of %d right, %.2f %%\n", good, (int)HELD_OUT, 100.0 * good / HELD_OUT);
    for (int k = 0; k < 3; k++) {
        int worst = 0;
        for (int f = 1; f < n; f++)
            if (wrong[f] * (int64_t)seen[worst] > wrong[worst] * (int64_t)seen[f])
                worst = f;
        printf("  %s: %d of %d wrong\n", fonts_name(j->held, worst), wrong[worst], seen[worst]);
        wrong[worst] = 0;
    }
}

static char *
in_dir(const struct job *j, const char *name)
{
    return arena_printf(j->a, "%s/%s", j->dir, name);
}

static void
need_png(const char *path, int side, const uint8_t *pixels)
{
    if (!data_png(path, side, pixels))
        die(path, "cannot be written");
}

/* The labelled set that tests use, apart from both training and judging. */
static void
write_eval(struct job *j)
{
    struct rng r = { j->seed + 2 };
    float *pixel = NEWN(j->a, float, EVAL *NET_PIXELS);
    float *score = NEWN(j->a, float, EVAL *NET_CLASSES);
    int64_t *truth = NEWN(j->a, int64_t, EVAL);
    struct sample s;
    int good = 0;

    for (int i = 0; i < EVAL; i++) {
        draw(j->held, i % NET_CLASSES, &r, &s);
        memcpy(pixel + i * NET_PIXELS, s.pixel, sizeof s.pixel);
        truth[i] = s.label;
        good += net_forward(j->net, s.pixel) == s.label;
        memcpy(score + i * NET_CLASSES, j->net->score, sizeof j->net->score);
    }
    printf("eval.npy: %d of %d right, %.2f %%\n", good, (int)EVAL, 100.0 * good / EVAL);
    if (!data_images(j->d, in_dir(j, "eval.npy"), EVAL, pixel)
        || !data_labels(j->d, in_dir(j, "truth.npy"), EVAL, truth)
        || (j->scores && !data_scores(j->d, j->scores, EVAL, score)))
        give_up(j);
}

static void
write_calib(struct job *j)
{
    struct rng r = { j->seed + 3 };
    const char *dir = in_dir(j, "calib");
    struct sample s;

    if (mkdir(dir, 0777) && errno != EEXIST)
        die(dir, strerror(errno));
    for (int i = 0; i < CALIB; i++) {
        draw(j->train, i % NET_CLASSES, &r, &s);
        need_png(arena_printf(j->a, "%s/%02d.png", dir, i), NET_SIDE, s.byte);
    }
}

/* N.png for every digit, from different held-out fonts, and two of four times the
 * size, which the recipe has to shrink. */
static void
write_pictures(struct job *j)
{
    const struct look plain = { .height = 20 };
    uint8_t pixels[LARGE * LARGE];

    for (int digit = 0; digit < NET_CLASSES; digit++) {
        int font = 3 * digit % fonts_count(j->held);

        if (!render_digit(j->held, font, digit, &plain, NULL, NET_SIDE, pixels))
            die(fonts_name(j->held, font), "has no such digit");
        need_png(arena_printf(j->a, "%s/%d.png", j->dir, digit), NET_SIDE, pixels);
        if (digit != 3 && digit != 7)
            continue;
        render_digit(j->held, font, digit, &plain, NULL, LARGE, pixels);
        need_png(arena_printf(j->a, "%s/%d-large.png", j->dir, digit), LARGE, pixels);
    }
}

static void
write_labels(struct job *j)
{
    const char *path = in_dir(j, "labels.txt");
    FILE *f = fopen(path, "w");

    if (!f || fprintf(f, "%s\n", labels) < 0 || fclose(f))
        die(path, strerror(errno));
}

static void
help(void)
{
    puts("usage: train [options]\n"
         "  --fonts FILE    list of fonts (samples/digits/fonts.txt)\n"
         "  --root DIR      folder the list is relative to (/usr/share)\n"
         "  --dir DIR       where the files go (.)\n"
         "  --samples N     pictures to train with (240000)\n"
         "  --seed N        of everything random (1)\n"
         "  --scores FILE   also write the scores of eval.npy");
    exit(0);
}

static void
options(struct job *j, int argc, char **argv)
{
    static const struct option longs[] = {
        { "fonts", 1, NULL, 'f' },
        { "root", 1, NULL, 'r' },
        { "dir", 1, NULL, 'd' },
        { "samples", 1, NULL, 'n' },
        { "seed", 1, NULL, 's' },
        { "scores", 1, NULL, 'o' },
        { "help", 0, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        switch (c) {
        case 'f':
            j->list = optarg;
            break;
        case 'r':
            j->root = optarg;
            break;
        case 'd':
            j->dir = optarg;
            break;
        case 'n':
            j->samples = atoi(optarg);
            break;
        case 's':
            j->seed = strtoull(optarg, NULL, 0);
            break;
        case 'o':
            j->scores = optarg;
            break;
        case 'h':
            help();
            break;
        default:
            exit(2);
        }
    }
    if (optind < argc || j->samples < 10 * BATCH) {
        fprintf(stderr, "train: see --help\n");
        exit(2);
    }
}

static struct fonts *
need_fonts(struct job *j, const char *half)
{
    char *why = NULL;
    struct fonts *f = fonts_open(j->a, j->list, j->root, half, &why);

    if (!f)
        die(j->list, why);
    return f;
}

int
main(int argc, char **argv)
{
    const struct diag_config config = { .to = stderr };
    struct job j = {
        .list = "samples/digits/fonts.txt",
        .root = "/usr/share",
        .dir = ".",
        .samples = 240000,
        .seed = 1,
    };

    options(&j, argc, argv);
    j.a = arena_new();
    j.d = diag_new(j.a, &config);
    j.train = need_fonts(&j, "train");
    j.held = need_fonts(&j, "held");
    printf("%d fonts to train with, %d held out\n", fonts_count(j.train), fonts_count(j.held));
    j.net = net_new(j.a, j.seed);
    train(&j);
    judge(&j);
    write_eval(&j);
    write_calib(&j);
    write_pictures(&j);
    write_labels(&j);
    if (!onnx_write(j.a, j.d, j.net, labels, in_dir(&j, "digits.onnx")))
        give_up(&j);
    fonts_close(j.train);
    fonts_close(j.held);
    diag_free(j.d);
    arena_free(j.a);
    return 0;
}
