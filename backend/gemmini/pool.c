/* Max-pooling alone: regions through the accumulator, pooled on their way out
 * (pool.prog).  Padding has to lie in memory as a halo of the lowest value. */
#include <stdio.h>

#include "backend/gemmini/gemmini.h"
#include "backend/gemmini/pool_prog.h"
#include "src/base/num.h"
#include "src/machine/isa.h"

static const struct sched_def pool_sched = { "pool", { "rows", "cols", "blocks" } };

struct region { int64_t prows, pcols, rows, cols, blocks; };

static bool
no(struct why *why, const char *reason)
{
    snprintf(why->text, sizeof why->text, "%s", reason);
    return false;
}

bool
pool_legal(const struct node *n, const struct target *t, struct why *why)
{
    const struct m_pool_attr *a = n->attr;

    if (!t->has_max_pool || a->kind != M_POOL_MAX)
        return no(why, a->kind == M_POOL_MAX ? "this target cannot pool" : "the array cannot average with such edges");
    if (n->in[0]->type.shape.rank != 4 || n->in[0]->type.dt != DT_I8)
        return no(why, "needs int8 images");
    if (a->kernel[0] != a->kernel[1] || a->stride[0] != a->stride[1] || a->kernel[0] > 3 || a->stride[0] > 3)
        return no(why, "the array pools squares of at most 3, strides of at most 3");
    if (a->dilation[0] != 1 || a->dilation[1] != 1)
        return no(why, "the array cannot pool with dilation");
    return true;
}

/* Padding read from a halo that holds the lowest value; zero points of -128 do. */
static bool
halo_serves(const struct value *x, const struct m_pool_attr *a, int64_t reach_y, int64_t reach_x)
{
    const struct layout *l = x->type.layout;
    bool none = a->pads[0] == 0 && a->pads[1] == 0 && reach_y <= 0 && reach_x <= 0;

    if (none)
        return true;
    if (!l || l->before[2] < a->pads[0] || l->before[3] < a->pads[1] || l->after[2] < reach_y || l->after[3] < reach_x)
        return false;
    return l->fill == FILL_LOWEST || (x->type.quant && x->type.quant->zero[0] == -128);
}

/* The largest region of one accumulator half, rows first. */
static bool
choose(const struct m_pool_attr *a, const struct target *t, int64_t oh, int64_t ow, int64_t c, struct region *r)
{
    int64_t half = target_acc_rows(t) / 2, k = a->kernel[0], s = a->stride[0], best = 0;

    for (int64_t blocks = num_min(target_line(t) / t->dim, num_ceil_div(c, t->dim)); blocks; blocks--)
        for (int64_t pc = num_min(ow, (255 - k) / s + 1); pc; pc = pc > 4 ? pc / 2 : pc - 1)
            for (int64_t pr = 1; pr <= num_min(oh, (255 - k) / s + 1); pr++) {
                int64_t rows = (pr - 1) * s + k, cols = (pc - 1) * s + k;
                if (rows * cols * blocks > half)
                    break;
                /* Useful outputs per row moved; blocks side by side make whole lines. */
                int64_t score = pr * pc * 10000 / (rows * cols) * (blocks + 2);
                if (score <= best)
                    continue;
                best = score;
                *r = (struct region){ pr, pc, rows, cols, blocks };
            }
    return best > 0;
}

static uint64_t
fields(const struct m_pool_attr *a, const struct region *r)
{
    struct isa_config_st st = { .pool_size = (unsigned)a->kernel[0], .pool_stride = (unsigned)a->stride[0],
        .pool_out_dim = 0, .porows = (unsigned)r->prows, .pocols = (unsigned)r->pcols,
        .orows = (unsigned)r->rows, .ocols = (unsigned)r->cols };

    return isa_encode_st(&st).rs1;
}

struct shape_of { int64_t n, oh, ow, c; };

static int64_t
tables(struct plan *p, const struct region *r, const struct shape_of *o, struct arg_table *t)
{
    const struct m_pool_attr *a = p->k->n->attr;
    const struct value *x = p->k->n->in[0], *y = p->k->n->out[0];
    int64_t dim = p->t->dim, per_row = num_ceil_div(r->cols, dim), i = 0;
    int64_t ty = num_ceil_div(o->oh, r->prows), tx = num_ceil_div(o->ow, r->pcols), tiles = o->n * ty * tx;
    uint64_t *move = NEWN(p->p->arena, uint64_t, r->rows * per_row * 2);
    uint64_t *in = NEWN(p->p->arena, uint64_t, tiles), *out = NEWN(p->p->arena, uint64_t, tiles);

    for (int64_t row = 0; row < r->rows; row++)
        for (int64_t col = 0; col < r->cols; col += dim, i++) {
            move[2 * i] = isa_operand((uint32_t)(row * r->cols + col), (unsigned)num_min(dim, r->cols - col), 0);
            move[2 * i + 1] = (uint64_t)(row * value_pitch(x, 2) + col * value_pitch(x, 3));
        }
    t[0] = (struct arg_table){ "move", move, 2 * i };
    i = 0;
    for (int64_t n = 0; n < o->n; n++)
        for (int64_t v = 0; v < ty; v++)
            for (int64_t u = 0; u < tx; u++, i++) {
                int64_t py = num_min(v * r->prows, o->oh - r->prows), px = num_min(u * r->pcols, o->ow - r->pcols);
                in[i] = (uint64_t)(n * value_pitch(x, 0) + py * a->stride[0] * value_pitch(x, 2)
                    + px * a->stride[1] * value_pitch(x, 3));
                out[i] = (uint64_t)(n * value_pitch(y, 0) + py * value_pitch(y, 2) + px * value_pitch(y, 3));
            }
    t[1] = (struct arg_table){ "tile_in", in, tiles };
    t[2] = (struct arg_table){ "tile_out", out, tiles };
    return tiles;
}

static bool
build(struct plan *p, const struct region *r, const struct shape_of *o)
{
    const struct m_pool_attr *a = p->k->n->attr;
    const struct value *x = p->k->n->in[0], *y = p->k->n->out[0];
    int64_t dim = p->t->dim, width = r->blocks * dim, chunks = num_ceil_div(o->c, width);
    int64_t last = o->c - (chunks - 1) * width, nlast = num_ceil_div(last, dim);
    struct address in = value_address(x), out = value_address(y);
    struct arg_table t[3];
    int64_t tiles = tables(p, r, o, t);

    in.at -= a->pads[0] * value_pitch(x, 2) + a->pads[1] * value_pitch(x, 3);
#define N(name, v) { name, { .fixed = true, .at = (v) } }
    /* The pooled rows of a region lie a whole output row apart: pool_out_dim is in pixels
     * of the store's stride, so rows are addressed through it. */
    uint64_t f = fields(a, r) | (uint64_t)(value_pitch(y, 2) / value_pitch(y, 3)) << 24;
    struct arg args[] = {
        { "in", in }, { "out", out }, N("tiles", tiles), N("chunks", chunks), N("moves", t[0].n / 2),
        N("blocks", r->blocks), N("blocks_last", nlast), N("in_stride", value_pitch(x, 3)),
        N("region", r->rows * r->cols), N("cols", width), N("cols_last", last), N("chunk", width),
        N("c_bank", target_acc_rows(p->t) / 2), N("out_stride", value_pitch(y, 3)), N("fields", (int64_t)f),
        N("dim", dim), N("o_last", last - (nlast - 1) * dim),
    };
#undef N
    p->k->schedule = (struct schedule){ &pool_sched, { r->prows, r->pcols, r->blocks } };
    double cycles = (double)(tiles * chunks) * ((double)(t[0].n / 2) * (double)(dim * r->blocks + 4)
        + (double)r->blocks * (p->t->pool_start + p->t->pool_row
            * (double)(r->prows * r->pcols * a->kernel[0] * a->kernel[1])));
    p->k->cost = (struct cost){ (uint64_t)cycles, tiles * chunks * r->rows * r->cols * width,
                                shape_elems(&y->type.shape), LIMIT_MEMORY };
    return plan_prog(p, "pool.prog", pool_prog, args, (int)(sizeof args / sizeof *args), t, 3, NULL);
}

bool
pool_plan(struct plan *p, struct why *why)
{
    const struct m_pool_attr *a = p->k->n->attr;
    const struct value *x = p->k->n->in[0], *y = p->k->n->out[0];
    const struct dim *xd = x->type.shape.dim, *yd = y->type.shape.dim;
    struct shape_of o = { yd[0].n, yd[2].n, yd[3].n, yd[1].n };
    struct region r;

    if ((o.c > 1 && (value_pitch(x, 1) != 1 || value_pitch(y, 1) != 1)) || value_pitch(y, 2) % value_pitch(y, 3)
        || value_pitch(y, 2) / value_pitch(y, 3) > 255)
        return no(why, "the output's rows are too far apart for a pooling store");
    if (!halo_serves(x, a, (o.oh - 1) * a->stride[0] + a->kernel[0] - a->pads[0] - xd[2].n,
                     (o.ow - 1) * a->stride[1] + a->kernel[1] - a->pads[1] - xd[3].n))
        return no(why, "padding is not the lowest value in memory");
    if (!choose(a, p->t, o.oh, o.ow, o.c, &r))
        return no(why, "no region fits the accumulator");
    return build(p, &r, &o);
}
