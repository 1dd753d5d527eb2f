/* Machine operators as streamed products: what is multiplied, where it lies, and the
 * reasons why one cannot be. */
#include <stdio.h>
#include <string.h>

#include "backend/gemmini/gemmini.h"
#include "src/base/num.h"

static bool
no(struct why *why, const char *reason)
{
    snprintf(why->text, sizeof why->text, "%s", reason);
    return false;
}

static bool
is_elem(const struct value *v)
{
    return v->type.dt == DT_I8;
}

/* Bias as int32 values, or NULL when it adds nothing. */
static const int32_t *
bias_of(const struct node *n, int64_t count)
{
    const struct value *v = n->nin > 2 ? n->in[2] : NULL;

    if (!v)
        return NULL;
    const int32_t *b = v->data;
    for (int64_t i = 0; i < count; i++)
        if (b[i])
            return b;
    return NULL;
}

/* Is there nothing of another tensor beside v's last channel? */
static bool
shares_rows(const struct value *v)
{
    return v->buf->alias != NULL;
}

static const struct buffer *
memory_of(const struct value *v)
{
    const struct buffer *b = v->buf;

    while (b->alias)
        b = b->alias;
    return b;
}

/* ---- convolution */

struct conv_weights { const int8_t *w; int64_t cg, og, kh, kw, channels; };

/* Channel c counts through a folded pixel row: kernel column first, then channel. */
static int8_t
conv_weight(const struct product *g, int64_t o, int64_t c, int64_t ky, int64_t kx)
{
    const struct conv_weights *w = g->ctx;

    if (g->folded > 1) {
        kx = c / g->fold_bytes;
        c %= g->fold_bytes;
    }
    if (c >= w->channels || kx >= w->kw)
        return 0;
    int64_t group = o / w->og;
    if (c / w->cg != group)
        return 0;
    return w->w[((o * w->cg + c % w->cg) * w->kh + ky) * w->kw + kx];
}

static bool
has_halo(const struct value *x, const struct product *g, const struct m_conv_attr *a, const int64_t *hw)
{
    const struct layout *l = x->type.layout;
    int64_t reach_y = (hw[2] - 1) * g->sy + (g->kh - 1) * g->dy + 1 - a->pads[0] - hw[0];
    int64_t reach_x = (hw[3] - 1) * g->sx + (g->kw - 1) * g->dx + 1 - a->pads[1] - hw[1];

    if (a->pads[0] == 0 && a->pads[1] == 0 && reach_y <= 0 && reach_x <= 0)
        return true;
    return l && l->before[2] >= a->pads[0] && l->before[3] >= a->pads[1]
        && l->after[2] >= reach_y && l->after[3] >= reach_x;
}

/* A max-pool on the way out: oh, ow become those of the convolution before it. */
static bool
pooled(const struct node *n, struct product *g, int64_t *oh, int64_t *ow, struct why *why)
{
    const struct m_pool_attr *a = n->epi->attr;

    if (n->epi->kind != EPI_POOL || n->epi->next || g->out_row % g->out_pix || g->out_row / g->out_pix > 255)
        return no(why, "the array cannot do this on the way out");
    g->pool_size = a->kernel[0];
    g->pool_step = a->stride[0];
    *oh = (g->oh - 1) * g->pool_step + g->pool_size;
    *ow = (g->ow - 1) * g->pool_step + g->pool_size;
    return true;
}

bool
product_conv(struct plan *p, struct product *g, struct why *why)
{
    const struct node *n = p->k->n;
    const struct m_conv_attr *a = n->attr;
    const struct value *x = n->in[0], *w = n->in[1], *y = n->out[0];
    const struct dim *xd = x->type.shape.dim, *wd = w->type.shape.dim, *yd = y->type.shape.dim;

    if (x->type.shape.rank != 4 || !is_elem(x) || !is_elem(w) || !is_elem(y) || !w->data)
        return no(why, "needs int8 images and constant weights");
    *g = (struct product){
        .batch = yd[0].n, .oh = yd[2].n, .ow = yd[3].n, .c = xd[1].n, .o = yd[1].n,
        .kh = wd[2].n, .kw = wd[3].n, .sy = a->stride[0], .sx = a->stride[1],
        .dy = a->dilation[0], .dx = a->dilation[1], .folded = 1,
        .in_img = value_pitch(x, 0), .in_row = value_pitch(x, 2), .in_pix = value_pitch(x, 3),
        .out_img = value_pitch(y, 0), .out_row = value_pitch(y, 2), .out_pix = value_pitch(y, 3),
        .scale = &a->scale, .relu = a->relu != 0, .exact_cols = shares_rows(y), .pool_step = 1,
        .exact_pixels = memory_of(x) == memory_of(y),
    };
    int64_t oh = g->oh, ow = g->ow;
    if (n->epi && !pooled(n, g, &oh, &ow, why))
        return false;
    if ((g->c > 1 && value_pitch(x, 1) != 1) || (g->o > 1 && value_pitch(y, 1) != 1))
        return no(why, "channels are not innermost in memory");
    if (!has_halo(x, g, a, (int64_t[]){ xd[2].n, xd[3].n, oh, ow }))
        return no(why, "the input has no halo for this padding");
    g->in = value_address(x);
    g->in.at -= a->pads[0] * g->in_row + a->pads[1] * g->in_pix;
    g->out = value_address(y);
    g->bias = bias_of(n, g->o);
    struct conv_weights *cw = NEW(p->arena, struct conv_weights);
    *cw = (struct conv_weights){ w->data, g->c / a->groups, g->o / a->groups, g->kh, g->kw, g->c };
    bool diag = a->groups > 1 && cw->cg == cw->og && p->t->dim % cw->cg == 0;
    g->from = diag ? WEIGHTS_DIAGONAL : WEIGHTS_DENSE;
    g->weight = conv_weight;
    g->ctx = cw;
    p->k->macs = g->batch * oh * ow * g->o * cw->cg * g->kh * g->kw;
    return true;
}

/* A pointwise product over pixels that lie evenly is one long row. */
static void
flatten(struct product *g)
{
    if (g->kh != 1 || g->kw != 1 || g->sy != 1 || g->sx != 1 || g->pool_size)
        return;
    if (g->second && g->second_row != g->in_row)
        return;
    if (g->in_row == g->ow * g->in_pix && g->out_row == g->ow * g->out_pix) {
        g->ow *= g->oh;
        g->oh = 1;
        if ((!g->second || g->second_img == g->in_img) && g->in_img == g->ow * g->in_pix && g->out_img == g->ow * g->out_pix) {
            g->ow *= g->batch;
            g->batch = 1;
        }
    }
}

/* ---- matmul */

static int8_t
matmul_weight(const struct product *g, int64_t o, int64_t c, int64_t ky, int64_t kx)
{
    const int8_t *b = g->ctx;

    (void)ky;
    (void)kx;
    return b[c * g->memory_row + o * g->memory.at];
}

/* Rows of all leading axes as one: their pitches have to follow each other. */
static bool
rows_of(const struct value *v, int64_t *rows, int64_t *pitch)
{
    int last = v->type.shape.rank - 2;

    *rows = last < 0 ? 1 : v->type.shape.dim[last].n;
    *pitch = last < 0 ? v->type.shape.dim[0].n : value_pitch(v, last);
    for (int i = last - 1; i >= 0; i--) {
        int64_t d = v->type.shape.dim[i].n;
        if (d != 1 && value_pitch(v, i) != *pitch * *rows)
            return false;
        *rows *= d;
    }
    return true;
}

static bool
one_matrix(const struct value *v)
{
    return shape_count(&v->type.shape, 0, v->type.shape.rank - 2) == 1;
}

/* A constant left operand, padded to whole blocks of DIM columns. */
static struct address
left_constant(struct plan *p, const struct value *a, int64_t m, int64_t k, int64_t pitch)
{
    int8_t *at = arena_alloc(p->p->arena, (size_t)(m * pitch));

    for (int64_t i = 0; i < m; i++)
        memcpy(at + i * pitch, (const int8_t *)a->data + i * k, (size_t)k);
    return plan_blob(p, "left operand", at, m * pitch);
}

bool
product_matmul(struct plan *p, struct product *g, struct why *why)
{
    const struct node *n = p->k->n;
    const struct m_matmul_attr *at = n->attr;
    const struct value *a = n->in[0], *b = n->in[1], *y = n->out[0];
    int ar = a->type.shape.rank, br = b->type.shape.rank, yr = y->type.shape.rank;

    if (!is_elem(a) || !is_elem(b) || !is_elem(y) || ar < 2 || br < 2 || yr < 2)
        return no(why, "needs int8 matrices");
    if (!one_matrix(b) || at->ta)
        return no(why, "batches of matrices and a transposed left operand run on the core");
    int64_t k = a->type.shape.dim[ar - 1].n, m, mp, ym, yp;
    if (!rows_of(y, &ym, &yp) || value_pitch(y, yr - 1) != 1)
        return no(why, "the output's rows do not follow each other in memory");
    *g = (struct product){ .batch = 1, .oh = 1, .ow = ym, .c = k, .o = y->type.shape.dim[yr - 1].n,
        .kh = 1, .kw = 1, .sy = 1, .sx = 1, .dy = 1, .dx = 1, .folded = 1, .pool_step = 1, .out_pix = yp,
        .scale = &at->scale, .relu = at->relu != 0, .exact_cols = shares_rows(y), .weight = matmul_weight };
    if (a->data) {
        m = shape_count(&a->type.shape, 0, ar - 1);
        mp = num_round_up(k, p->t->dim);
        g->in = left_constant(p, a, m, k, mp);
    } else {
        if (!rows_of(a, &m, &mp) || value_pitch(a, ar - 1) != 1)
            return no(why, "the input's rows do not follow each other in memory");
        g->in = value_address(a);
    }
    g->in_pix = mp;
    g->in_row = m * mp;
    g->out_row = ym * yp;
    g->out = value_address(y);
    g->bias = bias_of(n, g->o);
    p->k->macs = m * k * g->o;
    if (b->data) {
        g->memory_row = at->tb ? 1 : g->o;
        g->memory.at = at->tb ? k : 1;
        g->ctx = b->data;
        return true;
    }
    if (at->tb || value_pitch(b, br - 1) != 1)
        return no(why, "the right operand would have to be transposed");
    g->from = WEIGHTS_MEMORY;
    g->memory = value_address(b);
    g->memory_row = value_pitch(b, br - 2);
    return true;
}

/* ---- addition: two sources through scaled identities */

static int8_t
add_weight(const struct product *g, int64_t o, int64_t c, int64_t ky, int64_t kx)
{
    const struct m_add_attr *a = g->ctx;

    (void)kx;
    return o == c ? (int8_t)(ky ? a->mb : a->ma) : 0;
}

/* Image rows may lie differently (one of them has a halo), pixels may not. */
static bool
same_pixels(const struct value *a, const struct value *b)
{
    int x = a->type.shape.rank == 4 ? 3 : 0;

    return value_pitch(a, x) == value_pitch(b, x) && value_pitch(b, 1) == 1;
}

bool
product_add(struct plan *p, struct product *g, struct why *why)
{
    const struct node *n = p->k->n;
    const struct m_add_attr *at = n->attr;
    const struct value *a = n->in[0], *b = n->in[1], *y = n->out[0];
    int r = y->type.shape.rank;

    if (!is_elem(a) || !is_elem(b) || !is_elem(y) || !shape_equal(&a->type.shape, &b->type.shape))
        return no(why, "needs two int8 tensors of one shape");
    if (r != 4 && r != 2)
        return no(why, "only images and matrices are added on the array");
    int ca = r == 4 ? 1 : r - 1;
    if (value_pitch(a, ca) != 1 || value_pitch(y, ca) != 1 || !same_pixels(a, b))
        return no(why, "the two inputs lie differently in memory");
    struct address from = value_address(a), other = value_address(b);
    if (a->data || b->data || from.space != other.space || from.at == other.at)
        return no(why, "the two inputs are not both activations");
    if (at->ma < -128 || at->ma > 127 || at->mb < -128 || at->mb > 127)
        return no(why, "the two scales are too far apart");
    const struct dim *d = y->type.shape.dim;
    *g = (struct product){ .batch = r == 4 ? d[0].n : 1, .oh = r == 4 ? d[2].n : 1,
        .ow = r == 4 ? d[3].n : d[0].n, .c = d[ca].n, .o = d[ca].n,
        .kh = 1, .kw = 1, .sy = 1, .sx = 1, .dy = 1, .dx = 1, .folded = 1, .pool_step = 1,
        .in = from, .second = other.at - from.at, .second_img = value_pitch(b, 0),
        .second_row = r == 4 ? value_pitch(b, 2) : 0, .out = value_address(y),
        .in_img = value_pitch(a, 0), .in_row = r == 4 ? value_pitch(a, 2) : 0, .in_pix = value_pitch(a, r == 4 ? 3 : 0),
        .out_img = value_pitch(y, 0), .out_row = r == 4 ? value_pitch(y, 2) : 0, .out_pix = value_pitch(y, r == 4 ? 3 : 0),
        .from = WEIGHTS_DIAGONAL, .weight = add_weight, .ctx = at, .relu = at->relu != 0,
        .exact_cols = shares_rows(y) };
    struct m_scale *scale = NEW(p->arena, struct m_scale);
    float *f = NEW(p->arena, float);
    int32_t *bias = NEWN(p->arena, int32_t, g->o);
    *f = at->scale;
    *scale = (struct m_scale){ 0, { 1, f } };
    for (int64_t i = 0; i < g->o; i++)
        bias[i] = (int32_t)at->bias;
    g->scale = scale;
    g->bias = at->bias ? bias : NULL;
    p->k->macs = 2 * shape_elems(&y->type.shape);
    flatten(g);
    return true;
}

/* ---- the plan */

bool
product_plan(struct plan *p, struct product *g, struct why *why)
{
    struct stream s;
    struct cost cost;

    if (g->c == 0)
        return no(why, "there is nothing to sum up");
    flatten(g);
    if (!stream_search(g, p->t, p->full_search, &s, &cost))
        return no(why, "no tile of it fits local memory");
    struct product used = s.cut.fold ? product_fold(g) : *g;
    p->k->cost = cost;
    return stream_plan(p, &used, &s);
}
