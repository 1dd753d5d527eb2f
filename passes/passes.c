/* The table of passes, and running one of them. */
#include <string.h>

#include "passes/passes.h"

const struct pass *const passes[] = {
#define P(name) &pass_##name,
#include "passes/passes.def"
#undef P
    NULL
};

const struct pass *
pass_find(const char *name)
{
    for (int i = 0; passes[i]; i++)
        if (!strcmp(passes[i]->name, name))
            return passes[i];
    return NULL;
}

struct pass_options
pass_defaults(void)
{
    return (struct pass_options){
        .percentile = 99.99,
        .calib_limit = 64,
        .level = 2,
        .opt_limit = -1,
    };
}

bool
pass_applies(const struct pass *p, const struct pass_ctx *c)
{
    return (p->from & (unsigned)c->g->stage) && p->level <= c->opt->level;
}

bool
pass_run(const struct pass *p, struct pass_ctx *c)
{
    unsigned missing = p->needs & ~c->g->facts;

    if (missing & FACT_ORDER && !graph_sort(c->g, c->diag))
        return false;
    if (missing & FACT_TYPES && !graph_infer(c->g, c->diag))
        return false;
    if (!p->run(c))
        return false;
    c->g->facts = (c->g->facts & ~p->breaks) | p->gives;
    if (p->to)
        c->g->stage = (enum stage)p->to;
    return true;
}

bool
passes_run(struct pass_ctx *c, const char *last)
{
    for (int i = 0; passes[i]; i++) {
        if (pass_applies(passes[i], c) && !pass_run(passes[i], c))
            return false;
        if (last && !strcmp(passes[i]->name, last))
            break;
    }
    return true;
}
