/* See gm_model.h. */
#include "gm_model.h"

#include <string.h>

void
gm_core(const struct gm_core_layer *c, const struct gm_memory *m)
{
    struct gm_call call = c->call;
    struct gm_view in[4], out = *c->call.out;

    for (int i = 0; i < 4; i++)
        if (c->call.in[i]) {
            in[i] = *c->call.in[i];
            in[i].data = (void *)gm_at(m, c->in[i]);
            call.in[i] = &in[i];
        }
    out.data = (void *)gm_at(m, c->out);
    call.out = &out;
    c->kernel(&call);
}

void
gm_fill(const struct gm_fill *f, int n, const struct gm_memory *m)
{
    for (int i = 0; i < n; i++)
        if (m->base[f[i].at.base])
            memset((void *)gm_at(m, f[i].at), (int)f[i].value, f[i].bytes);
}
