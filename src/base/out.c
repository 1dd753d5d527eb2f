/* Outputs: buffered, indented, and all or nothing.  A file appears under its name
 * only by the rename in out_close; devices, pipes and standard output are written
 * directly.  Write errors are remembered and reported once, by out_close. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/arena.h"
#include "src/base/cleanup.h"
#include "src/base/diag.h"
#include "src/base/out.h"

#define BUFFER ((size_t)64 * 1024)

/* A temporary that a signal handler may have to remove.  Slots are never freed, so
 * that the handler can walk the list at any moment. */
struct slot {
    struct slot *next;
    volatile sig_atomic_t used;
    char *path;
};
static struct slot *volatile slots;

struct out {
    struct arena *arena;             /* memory only */
    struct diag *diag;
    char *buf;
    size_t n, cap;
    uint64_t flushed;
    int fd;                          /* -1: memory */
    bool is_stdout;
    int error;                       /* first errno of a write */
    int indent;
    bool line_started;
    char *path;                      /* as given, for messages */
    char *target;                    /* where the temporary goes; NULL: direct */
    struct slot *slot;
};

static struct slot *
slot_take(char *path)
{
    struct slot *s = slots;

    while (s && s->used)
        s = s->next;
    if (s) {
        free(s->path);
        s->path = path;
        s->used = 1;
        return s;
    }
    s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->path = path;
    s->used = 1;
    s->next = slots;
    slots = s;
    return s;
}

void
out_remove_all(void)
{
    int saved = errno;

    for (struct slot *s = slots; s; s = s->next) {
        if (!s->used)
            continue;
        unlink(s->path);
        s->used = 0;
    }
    errno = saved;
}

static void
free_out(struct out *o)
{
    free(o->buf);
    free(o->path);
    free(o->target);
    free(o);
}

static struct out *
refuse(struct out *o, int err)
{
    diag_fatal(o->diag, "out-open", "cannot create '%s': %s", o->path, strerror(err));
    free_out(o);
    return NULL;
}

/* mkstemp makes files only the owner may read; give what open would have given. */
static void
usual_mode(int fd)
{
    mode_t mask = umask(0);

    umask(mask);
    (void)fchmod(fd, 0666 & ~mask);
}

static struct out *
open_direct(struct out *o)
{
    o->fd = open(o->path, O_WRONLY | O_CLOEXEC);
    return o->fd < 0 ? refuse(o, errno) : o;
}

static struct out *
open_temporary(struct out *o)
{
    /* Through a link to what it names, so that the link stays. */
    o->target = realpath(o->path, NULL);
    if (!o->target)
        o->target = strdup(o->path);
    if (!o->target)
        return refuse(o, ENOMEM);

    char *temp = NULL;
    const char *slash = strrchr(o->target, '/');
    int dir = slash ? (int)(slash - o->target) + 1 : 0;
    if (!o->target[dir])
        return refuse(o, EISDIR);
    if (asprintf(&temp, "%.*s.%.200s.XXXXXX", dir, o->target, o->target + dir) < 0)
        return refuse(o, ENOMEM);
    cleanup_begin();
    o->fd = mkostemp(temp, O_CLOEXEC);
    if (o->fd < 0) {
        int err = errno;
        cleanup_end();
        free(temp);
        return refuse(o, err);
    }
    o->slot = slot_take(temp);
    cleanup_end();
    usual_mode(o->fd);
    if (!o->slot) {
        unlink(temp);
        free(temp);
        close(o->fd);
        return refuse(o, ENOMEM);
    }
    return o;
}

struct out *
out_open(const char *path, struct diag *d)
{
    struct out *o = calloc(1, sizeof *o);
    struct stat st;

    if (!o || !(o->path = strdup(path)) || !(o->buf = malloc(BUFFER)))
        abort();
    o->cap = BUFFER;
    o->diag = d;
    if (strcmp(path, "-") == 0) {
        fflush(stdout);
        o->fd = STDOUT_FILENO;
        o->is_stdout = true;
        return o;
    }
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return refuse(o, EISDIR);
        if (!S_ISREG(st.st_mode))
            return open_direct(o);
        if (access(path, W_OK) != 0)
            return refuse(o, errno);
    }
    return open_temporary(o);
}

struct out *
out_memory(struct arena *a)
{
    struct out *o = NEW(a, struct out);

    o->arena = a;
    o->fd = -1;
    o->cap = 256;
    o->buf = arena_alloc(a, o->cap);
    return o;
}

const char *
out_text(const struct out *o, size_t *len)
{
    if (len)
        *len = o->n;
    return o->buf;                   /* room for the 0 is kept by `put` */
}

static void
flush(struct out *o)
{
    size_t done = 0;

    while (done < o->n && !o->error) {
        ssize_t k = write(o->fd, o->buf + done, o->n - done);
        if (k >= 0)
            done += (size_t)k;
        else if (errno != EINTR)
            o->error = errno;
    }
    o->flushed += o->n;
    o->n = 0;
}

static void
grow(struct out *o, size_t need)
{
    size_t cap = o->cap;

    while (cap < need)
        cap *= 2;
    char *buf = arena_alloc(o->arena, cap);
    memcpy(buf, o->buf, o->n);
    o->buf = buf;
    o->cap = cap;
}

static void
put(struct out *o, const char *p, size_t n)
{
    if (o->fd < 0) {
        if (o->n + n + 1 > o->cap)
            grow(o, o->n + n + 1);
        memcpy(o->buf + o->n, p, n);
        o->n += n;
        o->buf[o->n] = 0;
        return;
    }
    while (n) {
        size_t k = o->cap - o->n < n ? o->cap - o->n : n;
        memcpy(o->buf + o->n, p, k);
        o->n += k;
        p += k;
        n -= k;
        if (o->n == o->cap)
            flush(o);
    }
}

/* Text: blanks before the first character of a line, none on empty lines. */
static void
put_text(struct out *o, const char *s, size_t n)
{
    static const char blanks[] = "                ";

    if (o->indent == 0) {
        put(o, s, n);
        if (n)
            o->line_started = s[n - 1] != '\n';
        return;
    }
    for (size_t i = 0; i < n;) {
        const char *end = memchr(s + i, '\n', n - i);
        size_t len = end ? (size_t)(end - s) - i : n - i;
        if (len && !o->line_started)
            for (int k = o->indent; k > 0; k -= 16)
                put(o, blanks, k > 16 ? 16 : (size_t)k);
        put(o, s + i, len + (end != NULL));
        o->line_started = !end;
        i += len + (end != NULL);
    }
}

void
out_vprintf(struct out *o, const char *fmt, va_list ap)
{
    char small[512], *text = small;
    va_list again;

    va_copy(again, ap);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    if (n >= (int)sizeof small) {
        text = malloc((size_t)n + 1);
        if (!text)
            abort();
        vsnprintf(text, (size_t)n + 1, fmt, again);
    }
    va_end(again);
    if (n > 0)
        put_text(o, text, (size_t)n);
    if (text != small)
        free(text);
}

void
out_printf(struct out *o, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    out_vprintf(o, fmt, ap);
    va_end(ap);
}

void
out_puts(struct out *o, const char *s)
{
    put_text(o, s, strlen(s));
}

void
out_bytes(struct out *o, const void *p, size_t n)
{
    if (n)
        put(o, p, n);
}

void
out_zeros(struct out *o, size_t n)
{
    static const char zeros[4096];

    for (size_t k; n; n -= k) {
        k = n < sizeof zeros ? n : sizeof zeros;
        put(o, zeros, k);
    }
}

void
out_indent(struct out *o, int by)
{
    o->indent += 4 * by;
    if (o->indent < 0)
        o->indent = 0;
}

uint64_t
out_pos(const struct out *o)
{
    return o->flushed + o->n;
}

static bool
report(struct out *o, int err)
{
    const char *name = o->is_stdout ? "standard output" : o->path;

    if (err == ENOSPC || err == EDQUOT || err == EFBIG)
        return diag_fatal(o->diag, "disk-full", "no room to write '%s': %s", name, strerror(err));
    return diag_fatal(o->diag, "out-write", "cannot write '%s': %s", name, strerror(err));
}

bool
out_sync(struct out *o)
{
    flush(o);
    return !o->error || report(o, o->error);
}

bool
out_close(struct out *o)
{
    if (o->fd < 0)
        return true;                 /* memory belongs to the arena */
    flush(o);
    int err = o->error;
    if (!o->is_stdout && close(o->fd) != 0 && !err)
        err = errno;
    if (o->slot) {
        if (!err && rename(o->slot->path, o->target) != 0)
            err = errno;
        if (err)
            unlink(o->slot->path);
        o->slot->used = 0;
    }
    if (err)
        report(o, err);
    free_out(o);
    return err == 0;
}

void
out_discard(struct out *o)
{
    if (!o || o->fd < 0)
        return;
    if (!o->is_stdout)
        close(o->fd);
    if (o->slot) {
        unlink(o->slot->path);
        o->slot->used = 0;
    }
    free_out(o);
}
