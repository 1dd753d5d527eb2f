/* Pooling on the core: the greatest, or the mean of real values. */
#include "backend/rt/kernels/view.h"

struct window { int64_t n, c, y, x; };

/* Counts and sums, or the greatest, of what lies inside the image. */
static int64_t
gather(const struct gm_call *c, const struct window *w, int64_t *count, float *fsum)
{
    const struct gm_view *x = c->in[0];
    const int64_t *i = c->i;
    int64_t sum = 0, most = INT64_MIN;
    float fmost = -__builtin_inff();

    *count = 0;
    *fsum = 0;
    for (int64_t ky = 0; ky < i[1]; ky++)
        for (int64_t kx = 0; kx < i[2]; kx++) {
            int64_t y = w->y * i[3] + ky * i[5] - i[7], z = w->x * i[4] + kx * i[6] - i[8];
            if (y < 0 || y >= x->dim[2] || z < 0 || z >= x->dim[3])
                continue;
            const char *p = gm_byte(x, (int64_t[]){ w->n, w->c, y, z });
            if (x->type == GM_F32) {
                float f = gm_real(x, p);
                *fsum += f;
                fmost = f > fmost ? f : fmost;
            } else {
                int64_t q = gm_int(x, p);
                sum += q - x->zero;
                most = q > most ? q : most;
            }
            ++*count;
        }
    if (i[0] == 0)
        *fsum = fmost;
    return i[0] == 0 ? most : sum;
}

static void
one(const struct gm_call *c, const struct window *w, char *to)
{
    const struct gm_view *x = c->in[0];
    int64_t count;
    float f;
    int64_t q = gather(c, w, &count, &f);
    bool real = x->type == GM_F32;

    if (c->i[0] == 0) {
        if (real)
            gm_put_real(c->out, to, f);
        else
            gm_put_int(c->out, to, q);
        return;
    }
    if (c->i[11])
        count = c->i[1] * c->i[2];
    if (!real)
        f = x->scale * (float)q;
    gm_put_real(c->out, to, count ? f / (float)count : 0);
}

void
gm_k_pool(const struct gm_call *c)
{
    const struct gm_view *y = c->out;
    struct window w;

    for (w.n = 0; w.n < y->dim[0]; w.n++)
        for (w.y = 0; w.y < y->dim[2]; w.y++)
            for (w.x = 0; w.x < y->dim[3]; w.x++)
                for (w.c = 0; w.c < y->dim[1]; w.c++)
                    one(c, &w, gm_byte(y, (int64_t[]){ w.n, w.c, w.y, w.x }));
}
