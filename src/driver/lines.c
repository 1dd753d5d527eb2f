/* The table of lines that a program carries: as text, and back. */
#include "src/driver/lines.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/conf.h"
#include "src/base/out.h"
#include "src/base/vec.h"

enum { IN_ROW = 12 };                /* runs of one row, for those who read it */

void
lines_print(const struct lines *l, struct out *o)
{
    int row = 0;

    if (!l->n)
        return;
    out_printf(o, "\n[lines]\nfile = %s", l->file);
    for (int i = 0; i < l->n; i++, row++) {
        const struct line_run *r = &l->at[i];
        if (i == 0 || row == IN_ROW || r->first != r[-1].last) {
            out_printf(o, "\n%" PRIx64 " =", r->first);
            row = 0;
        }
        out_printf(o, " %d:%" PRIu64, r->line, r->last - r->first);
    }
    out_puts(o, "\n");
}

/* "LINE:BYTES" at *s; false: it is not. */
static bool
run(const char **s, uint64_t first, struct line_run *r)
{
    char *end;
    long line = strtol(*s, &end, 10);
    unsigned long long bytes = *end == ':' ? strtoull(end + 1, &end, 10) : 0;

    if (line < 1 || line > INT_MAX || !bytes || bytes > UINT64_MAX - first || (*end && *end != ' '))
        return false;
    *s = end + strspn(end, " ");
    *r = (struct line_run){ first, first + bytes, (int)line };
    return true;
}

bool
lines_parse(struct arena *a, const struct conf_section *s, struct lines *l)
{
    VEC(struct line_run) runs = { 0 };

    l->file = conf_in(s, "file");
    for (int i = 0; i < s->nkey; i++) {
        const char *v = s->keys[i].value;
        char *end;
        uint64_t at = strtoull(s->keys[i].key, &end, 16);
        if (*end)
            continue;                /* `file` */
        if (runs.n && at < runs.at[runs.n - 1].last)
            return false;
        while (*v) {
            struct line_run r;
            if (!run(&v, at, &r))
                return false;
            vec_push(a, &runs, r);
            at = r.last;
        }
    }
    l->at = runs.at;
    l->n = runs.n;
    return l->file != NULL;
}

bool
lines_find(const struct lines *l, uint64_t addr, struct source *s)
{
    int lo = 0, hi = l->n;

    while (lo < hi) {
        int mid = lo + (hi - lo) / 2;
        if (l->at[mid].last <= addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == l->n || addr < l->at[lo].first)
        return false;
    *s = (struct source){ l->file, l->at[lo].line };
    return true;
}
