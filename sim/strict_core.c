/* Rules of the core's own loads and stores: the array's moves run beside the core, so
 * that only a fence puts them in order (gemmini-isa.md 13).  Bytes are judged exactly.
 * Accesses outside of the memory that the array can reach are nobody's business. */
#include <stdio.h>

#include "sim/strict.h"

/* Marks of any hart, each up to its own last fence. */
static bool
moved(const struct sim *s, bool stored, uint64_t off, uint64_t n)
{
    for (int i = 0; i < s->nharts; i++) {
        const struct judge *j = s->harts[i].judge;
        if (j->moved && bytes_hit(stored ? &j->stored : &j->read, off, n, j->epoch))
            return true;
    }
    return false;
}

enum sim_rule
judge_access(struct hart *h, const struct sim_access *x, char *detail, size_t n)
{
    uint64_t off = x->addr - h->s->config.memory.base;
    enum sim_rule rule = x->store ? SIM_RULE_CORE_WRITE : SIM_RULE_CORE_READ;
    bool stored, read;

    if (x->store)
        bytes_mark(&h->judge->core, off, x->n, h->judge->epoch);
    if (!h->s->moved)
        return SIM_OK;
    stored = moved(h->s, true, off, x->n);
    read = !stored && x->store && moved(h->s, false, off, x->n);
    if (!stored && !read)
        return SIM_OK;
    snprintf(detail, n, "a %s bytes 0x%llx to 0x%llx", stored ? "mvout writes" : "mvin reads",
        (unsigned long long)x->addr, (unsigned long long)(x->addr + x->n - 1));
    return rule;
}

enum sim_rule
judge_core_wrote(const struct question *q, uint64_t addr, uint64_t n)
{
    const struct sim *s = q->h->s;

    for (int i = 0; i < s->nharts; i++) {
        const struct judge *j = s->harts[i].judge;
        if (bytes_hit(&j->core, addr - s->config.memory.base, n, j->epoch))
            return judge_broke(q, SIM_RULE_FENCE_MISSING, "bytes 0x%llx to 0x%llx",
                (unsigned long long)addr, (unsigned long long)(addr + n - 1));
    }
    return SIM_OK;
}
