/* Schedules as text, and back. */
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"

const char *
limit_name(enum limit l)
{
    static const char *const names[] = { "array", "memory", "core" };
    return names[l];
}

const char *
sched_text(struct arena *a, const struct schedule *s)
{
    if (!s->def)
        return "";
    const char *t = s->def->name;
    for (int i = 0; i < SCHED_MAX && s->def->params[i]; i++)
        t = arena_printf(a, "%s %s=%lld", t, s->def->params[i], (long long)s->p[i]);
    return t;
}

static bool
parameter(struct schedule *s, const char *word, size_t n)
{
    const char *eq = memchr(word, '=', n);

    for (int i = 0; eq && i < SCHED_MAX && s->def->params[i]; i++) {
        const char *name = s->def->params[i];
        if (strlen(name) != (size_t)(eq - word) || strncmp(name, word, strlen(name)) != 0)
            continue;
        char *end;
        s->p[i] = strtoll(eq + 1, &end, 10);
        return end == word + n && end != eq + 1;
    }
    return false;
}

bool
sched_parse(const struct sched_def *const *defs, const char *text, struct schedule *out)
{
    size_t n = strcspn(text, " ");

    *out = (struct schedule){ 0 };
    for (int i = 0; defs[i]; i++)
        if (strlen(defs[i]->name) == n && strncmp(defs[i]->name, text, n) == 0)
            out->def = defs[i];
    if (!out->def)
        return false;
    for (text += n; *text; text += n) {
        text += strspn(text, " ");
        n = strcspn(text, " ");
        if (n && !parameter(out, text, n))
            return false;
    }
    return true;
}
