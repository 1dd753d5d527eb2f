/* What lower functions share: views, moves, clamps, weights and biases. */
#include <math.h>
#include <string.h>

#include "ir/ops/lower.h"
#include "src/base/num.h"
#include "src/machine/round.h"

bool
lower_refuse(struct lower *l, const char *fmt, ...)
{
    va_list ap;
    const char *text;

    va_start(ap, fmt);
    text = arena_vprintf(l->arena, fmt, ap);
    va_end(ap);
    return diag_error(l->diag, &l->at, "lower-none", "%s", text);
}

void
lower_view_to(struct lower *l, struct value *x, struct value *y)
{
    const struct shape *s = &y->type.shape;
    struct reshape_attr a = { .allowzero = 1 };
    int64_t *p = NEWN(l->g->arena, int64_t, s->rank + 1);

    for (int i = 0; i < s->rank; i++)
        p[i] = s->dim[i].n;
    a.shape = (struct ints){ s->rank, p };
    lower_node(l, &op_reshape, &a, &x, 1, y);
}

struct value *
lower_view(struct lower *l, struct value *x, const struct shape *s)
{
    struct type t = { .dt = x->type.dt, .shape = *s, .quant = x->type.quant };
    struct value *y;

    if (shape_equal(&x->type.shape, s))
        return x;
    y = lower_temp(l, "view", &t);
    lower_view_to(l, x, y);
    return y;
}

static struct ints
filled(struct lower *l, int n, int64_t with, int64_t step)
{
    int64_t *p = NEWN(l->g->arena, int64_t, n + 1);

    for (int i = 0; i < n; i++)
        p[i] = with + i * step;
    return (struct ints){ n, p };
}

struct m_move_attr
lower_move_all(struct lower *l, const struct value *x)
{
    int rank = x->type.shape.rank;
    struct m_move_attr a = { .perm = filled(l, rank, 0, 1) };
    int64_t *count = NEWN(l->g->arena, int64_t, rank + 1);

    for (int i = 0; i < rank; i++)
        count[i] = x->type.shape.dim[i].n;
    a.count = (struct ints){ rank, count };
    a.src_start = filled(l, rank, 0, 0);
    a.src_step = filled(l, rank, 1, 0);
    a.dst_start = filled(l, rank, 0, 0);
    return a;
}

struct value *
lower_permuted(struct lower *l, struct value *x, const int64_t *perm)
{
    struct m_move_attr a = lower_move_all(l, x);
    struct type t = x->type;
    int64_t *count = NEWN(l->g->arena, int64_t, MAX_RANK);
    struct value *y;

    t.layout = NULL;
    if (perm) {
        a.perm.at = arena_dup(l->g->arena, perm, (size_t)a.perm.n * sizeof *perm);
        for (int i = 0; i < a.perm.n; i++) {
            t.shape.dim[i] = x->type.shape.dim[perm[i]];
            count[i] = t.shape.dim[i].n;
        }
        a.count.at = count;
    }
    y = lower_temp(l, perm ? "perm" : "copy", &t);
    lower_node(l, &op_m_move, &a, &x, 1, y);
    return y;
}

bool
lower_epilogues(struct lower *l, struct lower_out *o)
{
    *o = (struct lower_out){ .act = { -HUGE_VALF, HUGE_VALF } };
    for (const struct epilogue *e = l->n->epi; e; e = e->next) {
        if (e->kind == EPI_ACT) {
            const struct epi_act *a = e->attr;
            o->clamps = true;
            o->act.lo = a->lo > o->act.lo ? a->lo : o->act.lo;
            o->act.hi = a->hi < o->act.hi ? a->hi : o->act.hi;
        } else if (e->kind == EPI_BIAS && !o->clamps && !o->bias) {
            o->bias = e->arg;
        } else {
            return lower_refuse(l, "an epilogue that no machine operator has");
        }
    }
    return true;
}

void
lower_table(struct lower *l, struct value *x, struct value *y, const int8_t *table)
{
    struct type t = { .dt = DT_I8, .shape = shape_make(1, (int64_t[]){ 256 }) };
    struct value *in[2] = { x };

    in[1] = lower_const(l, "table", &t, arena_dup(l->g->arena, table, 256));
    lower_node(l, &op_m_table, NULL, in, 2, y);
}

struct value *
lower_clamped(struct lower *l, struct value *y, struct lower_out *o, int64_t *relu)
{
    *relu = 0;
    if (!o->clamps)
        return y;
    if (!lower_is8(y)) {
        *relu = o->act.lo == 0 && isinf(o->act.hi);
        o->behind = !*relu;
    } else {
        o->lo = round_quantize8(o->act.lo, lower_scale(y), lower_zero(y));
        o->hi = round_quantize8(o->act.hi, lower_scale(y), lower_zero(y));
        if (o->lo == -128 && o->hi == 127)
            return y;                          /* saturation does it */
        *relu = o->act.lo == 0 && o->hi == 127 && lower_zero(y) == 0;
        o->behind = !*relu;
    }
    return o->behind ? lower_temp(l, "raw", &y->type) : y;
}

void
lower_clamp(struct lower *l, struct value *made, struct value *y, const struct lower_out *o)
{
    struct m_map_attr a = { .op = M_MAP_CLIP, .p = o->act.lo, .q = o->act.hi };
    int8_t table[256];

    if (!o->behind)
        return;
    if (!lower_is8(y)) {
        lower_node(l, &op_m_map, &a, &made, 1, y);
        return;
    }
    for (int i = -128; i < 128; i++)
        table[i + 128] = (int8_t)(i < o->lo ? o->lo : i > o->hi ? o->hi : i);
    lower_table(l, made, y, table);
}

const float *
lower_floats(struct lower *l, const struct value *v)
{
    float *f;

    if (!v || !v->data)
        return NULL;
    if (v->real)
        v = v->real;
    if (v->type.dt == DT_F32 && !v->type.quant)
        return v->data;
    f = NEWN(l->arena, float, shape_elems(&v->type.shape) + 1);
    quant_to_real(&v->type, v->data, f);
    return f;
}

static float
scale_at(const struct quant *q, int64_t c)
{
    return q->scale[q->axis < 0 ? 0 : c];
}

/* Scales of blocks; false in *same where a channel has another than its block. */
static void
block_scales(struct lower *l, const struct quant *q, int64_t channels, struct lower_weights *w,
             bool *same)
{
    int64_t block = q->axis < 0 ? channels : l->scale_block, n;
    float *s;

    if (block <= 0 || block >= channels)
        block = channels;
    n = channels > 0 ? num_ceil_div(channels, block) : 1;
    s = NEWN(l->g->arena, float, n);
    *same = true;
    for (int64_t c = 0; c < channels; c++) {
        float f = scale_at(q, c);
        if (c % block && f != s[c / block])
            *same = false;
        s[c / block] = f > s[c / block] ? f : s[c / block];
    }
    w->scale.block = n > 1 ? block : 0;
    w->scale.scale = (struct floats){ (int)n, s };
}

/* The stored weights in the scales of their blocks. */
static const int8_t *
rounded(struct lower *l, const struct value *v, int axis, const struct lower_weights *w)
{
    const struct shape *s = &v->type.shape;
    int64_t inner = shape_count(s, axis + 1, s->rank), n = shape_elems(s);
    const float *real = lower_floats(l, v);
    int8_t *q = arena_alloc(l->g->arena, (size_t)n + 1);

    for (int64_t i = 0; i < n; i++) {
        int64_t c = i / inner % w->channels;
        float f = w->scale.scale.at[w->scale.block ? c / w->scale.block : 0];
        q[i] = round_quantize8(real[i], f, 0);
    }
    return q;
}

bool
lower_weights(struct lower *l, struct value *v, int axis, struct lower_weights *w)
{
    const struct shape *s = &v->type.shape;
    int64_t inner = shape_count(s, axis + 1, s->rank), n = shape_elems(s);
    const struct quant *q = v->type.quant;
    bool same;

    *w = (struct lower_weights){ .v = v, .channels = s->dim[axis].n };
    if (!v->data || !lower_is8(v) || (q->axis >= 0 && q->axis != axis))
        return lower_refuse(l, "weights '%s' are not int8 with scales of output channels", v->name);
    for (int i = 0; i < q->n; i++)
        if (q->zero[i] != 0)
            return lower_refuse(l, "weights '%s' have a zero point of %d; it has to be 0", v->name,
                                q->zero[i]);
    block_scales(l, q, w->channels, w, &same);
    if (!same) {
        struct type t = v->type;
        w->v = lower_const(l, "weights", &t, rounded(l, v, axis, w));
        w->v->real = v->real ? v->real : v;
    }
    w->sum = NEWN(l->arena, int64_t, w->channels + 1);
    for (int64_t i = 0; i < n; i++)
        w->sum[i / inner % w->channels] += ((const int8_t *)w->v->data)[i];
    return true;
}

static double
round_half_even(double x)
{
    return rint(x);
}

struct value *
lower_bias(struct lower *l, struct lower_weights *w, const struct value *x, const struct value *y,
           const float *bias, float factor)
{
    struct type t = { .dt = DT_I32, .shape = shape_make(1, &w->channels) };
    int32_t *b = NEWN(l->g->arena, int32_t, w->channels + 1);
    int n = w->scale.scale.n;
    float *mult = NEWN(l->g->arena, float, n);

    for (int i = 0; i < n; i++)
        mult[i] = lower_scale(x) * w->scale.scale.at[i] * factor / lower_scale(y);
    for (int64_t c = 0; c < w->channels; c++) {
        int64_t i = w->scale.block ? c / w->scale.block : 0;
        double sum = (double)lower_scale(x) * (double)w->scale.scale.at[i] * (double)factor;
        double acc = (bias ? (double)bias[c] / sum : 0) + lower_zero(y) / (double)mult[i]
                   - (double)lower_zero(x) * (double)w->sum[c];
        if (!(fabs(acc) < 1073741824.0)) {
            diag_error(l->diag, &l->at, "lower-range",
                       "the bias of channel %lld does not fit: %g", (long long)c, acc);
            diag_hint(l->diag, "its input reaches only %g a step; calibrate with real inputs",
                      (double)lower_scale(x));
            return NULL;
        }
        b[c] = (int32_t)round_half_even(acc);
    }
    w->scale.scale.at = mult;
    return lower_const(l, "bias", &t, b);
}
