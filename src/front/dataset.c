/* Input sets.  Stacked files stay in memory; sets of single files are read when
 * asked for.  Files of unknown kinds in a folder are passed over. */
#include <string.h>
#include <strings.h>

#include "ir/elem.h"
#include "src/base/str.h"
#include "src/base/vec.h"
#include "src/front/dataset.h"

#define RANDOM_SETS 16           /* fed to calibration */

enum source { SOURCE_RANDOM, SOURCE_STACK, SOURCE_FILES };

struct dataset {
    struct arena *arena;
    const char *path;
    const struct dataset_input *in;
    int nin;
    enum source source;
    int64_t count;
    uint64_t seed;
    struct tensor *stack;        /* one per input */
    VEC(const char *) files;     /* count * nin, set by set */
    struct tensor *labels, *reference;
};

static const char *const tensor_suffixes[] = { ".pb", ".npy", NULL };
static const char *const file_suffixes[] = {
    ".pb", ".npy", ".npz", ".png", ".jpg", ".jpeg", ".pgm", ".ppm", ".pbm", ".pnm", NULL
};

static bool
has_suffix(const char *name, const char *const *list)
{
    for (int i = 0; list[i]; i++) {
        size_t n = strlen(name), k = strlen(list[i]);
        if (n > k && !strcasecmp(name + n - k, list[i]))
            return true;
    }
    return false;
}

/* dir/stem.pb or dir/stem.npy, whichever is there. */
static const char *
find_tensor(struct arena *a, const char *dir, const char *stem)
{
    for (int i = 0; tensor_suffixes[i]; i++) {
        const char *p = path_join(a, dir, arena_printf(a, "%s%s", stem, tensor_suffixes[i]));
        if (file_exists(p) && !file_is_dir(p))
            return p;
    }
    return NULL;
}

/* ---- one input from one file */

static const struct recipe *
recipe_for(struct arena *a, struct diag *d, const struct dataset_input *in)
{
    struct recipe *r;

    if (in->recipe)
        return in->recipe;
    const char *text = in->type.dt == DT_F32 ? "unit" : "raw";
    diag_note(d, NULL, "recipe-default", "the model does not say how pictures become its"
              " input '%s'; '%s' is used, --recipe changes it", in->name, text);
    r = NEW(a, struct recipe);
    return recipe_parse(a, d, text, NULL, r) ? r : NULL;
}

static bool
is_picture(const char *path, struct bytes b)
{
    enum file_kind k = file_kind_of(path, b);

    return k == FILE_PNG || k == FILE_JPEG || k == FILE_PNM;
}

/* An archive gives the array of the input's name, or the only one it has. */
static const struct tensor *
pick(const struct tensors *t, const char *name)
{
    for (int i = 0; i < t->n; i++)
        if (t->at[i].name && !strcmp(t->at[i].name, name))
            return &t->at[i];
    return t->n == 1 ? &t->at[0] : NULL;
}

bool
dataset_load(struct arena *a, struct diag *d, const char *spec,
             const struct dataset_input *in, struct tensor *out)
{
    struct place_ref at = { .file = spec };
    struct tensors t;
    struct bytes b;

    if (file_exists(spec) && file_map(a, d, spec, 0, &b) && is_picture(spec, b)) {
        struct image im;
        const struct recipe *r = recipe_for(a, d, in);
        return r && image_parse(a, d, spec, b, &im)
               && image_apply(a, d, spec, &im, r, &in->type, out);
    }
    if (!tensorfile_read(a, d, spec, &t))
        return false;
    const struct tensor *one = pick(&t, in->name);
    if (!one)
        return diag_error(d, &at, "dataset-input", "none of the %d arrays is named '%s' as"
                          " the input", t.n, in->name);
    return tensor_as(a, d, spec, one, &in->type, out);
}

/* ---- stacked samples */

/* How many inputs lie in t on axis 0; 0: it is not made of them. */
static int64_t
entries(const struct tensor *t, const struct type *in)
{
    int64_t have = shape_elems(&t->shape), each = shape_elems(&in->shape);
    int k = 0;

    if (!each || have % each)
        return 0;
    if (have == each)
        return tensor_shape_fits(&t->shape, &in->shape);
    /* Behind axis 0 the sizes must be the input's, but for axes of size 1. */
    int from = in->shape.rank && t->shape.rank == in->shape.rank ? 1 : 0;
    for (int i = 1; i < t->shape.rank; i++) {
        if (t->shape.dim[i].n == 1)
            continue;
        for (k = k < from ? from : k; k < in->shape.rank && in->shape.dim[k].n == 1; k++)
            ;
        if (k == in->shape.rank || in->shape.dim[k++].n != t->shape.dim[i].n)
            return 0;
    }
    for (k = k < from ? from : k; k < in->shape.rank; k++)
        if (in->shape.dim[k].n != 1)
            return 0;
    return have / each;
}

static bool
add_stack(struct dataset *s, struct diag *d, const char *path, int i, const struct tensor *t)
{
    struct place_ref at = { .file = path };
    int64_t n = entries(t, &s->in[i].type);

    if (!n)
        return diag_error(d, &at, "tensor-shape",
                          "%s %s is not made of inputs '%s', %s %s",
                          dtype_name(t->dt), shape_text(s->arena, &t->shape), s->in[i].name,
                          dtype_name(s->in[i].type.dt),
                          shape_text(s->arena, &s->in[i].type.shape));
    if (i && n != s->count)
        return diag_error(d, &at, "dataset-count", "%lld samples of input '%s', but %lld of"
                          " '%s'", (long long)n, s->in[i].name, (long long)s->count,
                          s->in[0].name);
    s->count = n;
    s->stack[i] = *t;
    return true;
}

static bool
open_stack(struct dataset *s, struct diag *d, const char *path)
{
    struct place_ref at = { .file = path };
    struct tensors t;

    if (!tensorfile_read(s->arena, d, path, &t))
        return false;
    s->source = SOURCE_STACK;
    s->stack = NEWN(s->arena, struct tensor, s->nin);
    for (int i = 0; i < s->nin; i++) {
        const struct tensor *one = pick(&t, s->in[i].name);
        if (!one && t.n == s->nin)
            one = &t.at[i];      /* nameless arrays: by order */
        if (!one || (s->nin > 1 && t.n == 1))
            return diag_error(d, &at, "dataset-input", "no samples of input '%s' in it; a"
                              " model of several inputs takes an npz, or folders with"
                              " input_0.pb, input_1.pb, ...", s->in[i].name);
        if (!add_stack(s, d, path, i, one))
            return false;
    }
    return true;
}

static struct tensor *
read_beside(struct dataset *s, struct diag *d, const char *dir, const char *stem)
{
    const char *p = find_tensor(s->arena, dir, stem);
    struct tensors t;

    return p && tensorfile_read(s->arena, d, p, &t) && t.n == 1 ? &t.at[0] : NULL;
}

/* The samples of set k out of a stack. */
static bool
get_stacked(const struct dataset *s, struct arena *a, struct diag *d, int64_t k,
            struct tensor *out)
{
    for (int i = 0; i < s->nin; i++) {
        const struct tensor *all = &s->stack[i];
        struct tensor one = *all;
        int64_t bytes = tensor_bytes(all) / s->count;
        one.shape = s->in[i].type.shape;
        one.data = (const char *)all->data + k * bytes;
        if (!tensor_as(a, d, s->path, &one, &s->in[i].type, &out[i]))
            return false;
    }
    return true;
}

/* ---- folders */

/* input_0.pb, input_1.npy, ... of one folder as one set; false: it has none. */
static bool
add_folder(struct dataset *s, struct diag *d, const char *dir, bool *ok)
{
    struct place_ref at = { .file = dir };

    if (!find_tensor(s->arena, dir, "input_0"))
        return false;
    for (int i = 0; i < s->nin; i++) {
        const char *p = find_tensor(s->arena, dir, arena_printf(s->arena, "input_%d", i));
        if (!p)
            *ok = diag_error(d, &at, "dataset-input", "the model has %d inputs, and there is"
                             " no input_%d.pb here", s->nin, i);
        vec_push(s->arena, &s->files, p);
    }
    s->count++;
    return true;
}

static bool
open_folder(struct dataset *s, struct diag *d)
{
    struct place_ref at = { .file = s->path };
    const char *x = find_tensor(s->arena, s->path, "x");
    bool ok = true;
    int n, passed = 0;

    if (x) {
        s->labels = read_beside(s, d, s->path, "y");
        s->reference = read_beside(s, d, s->path, "ref");
        return open_stack(s, d, x);
    }
    s->source = SOURCE_FILES;
    if (add_folder(s, d, s->path, &ok))
        return ok;
    char **names = file_list(s->arena, s->path, &n);
    for (int i = 0; names && i < n; i++) {
        const char *p = path_join(s->arena, s->path, names[i]);
        if (file_is_dir(p)) {
            passed += !add_folder(s, d, p, &ok);
        } else if (has_suffix(names[i], file_suffixes) && s->nin == 1) {
            vec_push(s->arena, &s->files, p);
            s->count++;
        } else {
            passed++;
        }
    }
    if (!s->count)
        return diag_error(d, &at, "dataset-empty", "no samples in this folder%s",
                          passed && s->nin > 1 ? "; a model of several inputs needs"
                          " folders with input_0.pb, input_1.pb, ..." : "");
    return ok;
}

/* ---- made up */

/* splitmix64: short, and the same everywhere. */
static uint64_t
next_random(uint64_t *s)
{
    uint64_t z = *s += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Floats from -1 to 1, bytes of all values, wider integers 0 and 1: those are
 * mostly indices and masks. */
static bool
get_random(const struct dataset *s, struct arena *a, int64_t k, struct tensor *out)
{
    uint64_t state = s->seed * 0x100000001b3u + (uint64_t)k;

    for (int i = 0; i < s->nin; i++) {
        const struct type *t = &s->in[i].type;
        int64_t n = shape_elems(&t->shape);
        void *data = arena_alloc(a, (size_t)shape_bytes(t, 0));
        for (int64_t e = 0; e < n; e++) {
            uint64_t r = next_random(&state);
            double x = (double)(r >> 11) * 0x1p-52 - 1.0;
            if (t->dt == DT_I8)
                x = (double)(int8_t)(r >> 56);
            else if (t->dt == DT_U8)
                x = (double)(r >> 56);
            else if (!dtype_is_float(t->dt))
                x = (double)(r >> 63);
            else
                x = (double)(float)x;
            elem_put_real(t->dt, data, e, x);
        }
        out[i] = (struct tensor){ s->in[i].name, t->dt, t->shape, data };
    }
    return true;
}

/* ---- all of them */

struct dataset *
dataset_open(struct arena *a, struct diag *d, const char *path,
             const struct dataset_input *in, int nin)
{
    struct place_ref at = { .file = path };
    struct dataset *s = NEW(a, struct dataset);
    struct bytes b;
    int64_t seed;

    *s = (struct dataset){ .arena = a, .path = path, .in = in, .nin = nin };
    if (str_starts(path, "random:")) {
        s->count = INT64_MAX;
        if (str_i64(path + 7, &seed)) {
            s->seed = (uint64_t)seed;
            return s;
        }
        diag_error(d, &at, "dataset-seed", "the seed is not a number");
        return NULL;
    }
    if (file_is_dir(path))
        return open_folder(s, d) ? s : NULL;
    if (file_exists(path)) {
        if (!file_map(a, d, path, 0, &b))
            return NULL;
        if (is_picture(path, b)) {
            s->source = SOURCE_FILES;
            s->count = 1;
            vec_push(a, &s->files, path);
            if (nin == 1)
                return s;
            diag_error(d, &at, "dataset-input", "one picture, but the model has %d inputs",
                       nin);
            return NULL;
        }
    }
    return open_stack(s, d, path) ? s : NULL;
}

int64_t
dataset_count(const struct dataset *s)
{
    return s->count;
}

const char *
dataset_name(struct arena *a, const struct dataset *s, int64_t k)
{
    if (s->source == SOURCE_FILES)
        return s->files.at[k * s->nin];
    if (s->source == SOURCE_STACK && s->count == 1)
        return s->path;
    return arena_printf(a, "%s@%lld", s->path, (long long)k);
}

bool
dataset_get(const struct dataset *s, struct arena *a, struct diag *d, int64_t k,
            struct tensor *out)
{
    bool ok = true;

    if (k < 0 || k >= s->count)
        BUG("set %lld of %lld", (long long)k, (long long)s->count);
    if (s->source == SOURCE_RANDOM)
        return get_random(s, a, k, out);
    if (s->source == SOURCE_STACK)
        return get_stacked(s, a, d, k, out);
    for (int i = 0; i < s->nin && ok; i++)
        ok = dataset_load(a, d, s->files.at[k * s->nin + i], &s->in[i], &out[i]);
    return ok;
}

const struct tensor *
dataset_labels(const struct dataset *s)
{
    return s->labels;
}

const struct tensor *
dataset_reference(const struct dataset *s)
{
    return s->reference;
}

bool
dataset_expected(const struct dataset *s, struct arena *a, struct diag *d, int64_t k, struct tensor *out)
{
    const struct tensor *all = s->reference;
    struct tensors t;

    if (all && all->shape.rank > 0 && all->shape.dim[0].n == s->count) {
        *out = tensor_entries(all, k, 1);
        return true;
    }
    if (s->source != SOURCE_FILES || !str_starts(path_base(s->files.at[k * s->nin]), "input_0."))
        return false;
    const char *p = find_tensor(a, path_dir(a, s->files.at[k * s->nin]), "output_0");
    if (!p || !tensorfile_read(a, d, p, &t) || t.n != 1)
        return false;
    *out = t.at[0];
    return true;
}

/* ---- calibration */

struct set_feed {
    struct feed feed;
    struct diag *diag;
    struct dataset *const *sets;
    int n;
    int64_t total, limit, next;
};

static int64_t
fed(const struct dataset *s)
{
    return s->source == SOURCE_RANDOM ? RANDOM_SETS : s->count;
}

static bool
feed_next(struct feed *base, const struct graph *g, void *const *inputs)
{
    struct set_feed *f = (struct set_feed *)base;

    if (f->next >= f->limit)
        return false;
    int64_t k = f->next * (f->total / f->limit) + f->next * (f->total % f->limit) / f->limit;
    int which = 0;
    f->next++;
    while (k >= fed(f->sets[which]))
        k -= fed(f->sets[which++]);

    const struct dataset *s = f->sets[which];
    struct arena *scratch = arena_new();
    struct tensor *t = NEWN(scratch, struct tensor, s->nin + 1);
    bool ok = g->ninput == s->nin && dataset_get(s, scratch, f->diag, k, t);
    for (int i = 0; i < s->nin && ok; i++)
        memcpy(inputs[i], t[i].data, (size_t)tensor_bytes(&t[i]));
    arena_free(scratch);
    return ok;
}

static void
feed_rewind(struct feed *base)
{
    ((struct set_feed *)base)->next = 0;
}

struct feed *
dataset_feed(struct arena *a, struct diag *d, struct dataset *const *sets, int n,
             int64_t limit)
{
    struct set_feed *f = NEW(a, struct set_feed);

    f->diag = d;
    f->sets = sets;
    f->n = n;
    f->feed.next = feed_next;
    f->feed.rewind = feed_rewind;
    f->feed.what = n ? sets[0]->path : "";
    f->feed.generated = true;
    for (int i = 0; i < n; i++) {
        f->total += fed(sets[i]);
        f->feed.generated &= sets[i]->source == SOURCE_RANDOM;
    }
    f->limit = limit && limit < f->total ? limit : f->total;
    return &f->feed;
}
