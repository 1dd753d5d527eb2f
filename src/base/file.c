/* Files, paths and temporary folders.  Only regular files are mapped: a pipe or a
 * device given as a model is refused, not waited for. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/arena.h"
#include "src/base/cleanup.h"
#include "src/base/diag.h"
#include "src/base/file.h"
#include "src/base/vec.h"

static bool
too_large(struct diag *d, const char *path, size_t n, size_t max)
{
    struct place_ref at = { .file = path };

    return diag_error(d, &at, "file-size", "%zu bytes, and at most %zu are accepted", n, max);
}

static bool
cannot_open(struct diag *d, const char *path, int err)
{
    struct place_ref at = { .file = path };

    return diag_error(d, &at, "file-open", "cannot be read: %s", strerror(err));
}

static bool
read_stdin(struct arena *a, struct diag *d, size_t max, struct bytes *out)
{
    static const char name[] = "standard input";
    size_t n = 0, cap = 64 * 1024;
    uint8_t *p = arena_alloc(a, cap);

    for (;;) {
        if (n == cap) {
            uint8_t *q = arena_alloc(a, 2 * cap);
            memcpy(q, p, n);
            p = q;
            cap *= 2;
        }
        ssize_t k = read(STDIN_FILENO, p + n, cap - n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return cannot_open(d, name, errno);
        if (k == 0)
            break;
        n += (size_t)k;
        if (max && n > max)
            return too_large(d, name, n, max);
    }
    *out = (struct bytes){ p, n };
    return true;
}

static bool
map_fd(int fd, struct diag *d, const char *path, size_t max, struct bytes *out)
{
    struct place_ref at = { .file = path };
    struct stat st;

    if (fstat(fd, &st) != 0)
        return cannot_open(d, path, errno);
    if (S_ISDIR(st.st_mode))
        return diag_error(d, &at, "file-kind", "is a folder, not a file");
    if (!S_ISREG(st.st_mode))
        return diag_error(d, &at, "file-kind", "is not a regular file");
    size_t n = (size_t)st.st_size;
    if (max && n > max)
        return too_large(d, path, n, max);
    if (n == 0) {
        *out = (struct bytes){ (const uint8_t *)"", 0 };
        return true;
    }
    void *p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return cannot_open(d, path, errno);
    *out = (struct bytes){ p, n };
    return true;
}

bool
file_map(struct arena *a, struct diag *d, const char *path, size_t max, struct bytes *out)
{
    if (strcmp(path, "-") == 0)
        return read_stdin(a, d, max, out);
    /* Nonblocking, so that a pipe nobody writes to does not hang us. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return cannot_open(d, path, errno);
    bool ok = map_fd(fd, d, path, max, out);
    close(fd);
    return ok;
}

bool
file_exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

bool
file_is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool
file_is_regular(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool
digit(char c)
{
    return c >= '0' && c <= '9';
}

/* img2 before img10; names that differ only in leading zeros by their bytes. */
static int
by_number(const void *pa, const void *pb)
{
    const char *first = *(char *const *)pa, *second = *(char *const *)pb;
    const char *a = first, *b = second;

    while (*a && *b) {
        if (digit(*a) && digit(*b)) {
            while (*a == '0')
                a++;
            while (*b == '0')
                b++;
            size_t n = strspn(a, "0123456789"), m = strspn(b, "0123456789");
            if (n != m)
                return n < m ? -1 : 1;
            int c = strncmp(a, b, n);
            if (c)
                return c;
            a += n;
            b += n;
        } else if (*a != *b) {
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        } else {
            a++;
            b++;
        }
    }
    if (*a || *b)
        return *a ? 1 : -1;
    return strcmp(first, second);
}

char **
file_list(struct arena *a, const char *dir, int *n)
{
    VEC(char *) names = { 0 };
    DIR *f = opendir(dir);

    if (!f)
        return NULL;
    for (struct dirent *e; (e = readdir(f));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        vec_push(a, &names, arena_strdup(a, e->d_name));
    }
    closedir(f);
    if (names.n)
        qsort(names.at, (size_t)names.n, sizeof *names.at, by_number);
    if (n)
        *n = names.n;
    vec_push(a, &names, NULL);
    return names.at;
}

const char *
path_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

char *
path_dir(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return arena_strdup(a, ".");
    return slash == path ? arena_strdup(a, "/") : arena_strndup(a, path, (size_t)(slash - path));
}

char *
path_join(struct arena *a, const char *dir, const char *name)
{
    size_t n = strlen(dir);

    if (name[0] == '/' || n == 0)
        return arena_strdup(a, name);
    return arena_printf(a, "%s%s%s", dir, dir[n - 1] == '/' ? "" : "/", name);
}

char *
path_suffix(struct arena *a, const char *path, const char *suffix)
{
    const char *base = path_base(path), *dot = strrchr(base, '.');
    int keep = dot && dot != base ? (int)(dot - path) : (int)strlen(path);

    return arena_printf(a, "%.*s%s", keep, path, suffix);
}

static bool
climbs(const char *name)
{
    for (const char *s = name; s; s = strchr(s, '/')) {
        s += *s == '/';
        if (strncmp(s, "..", 2) == 0 && (s[2] == '/' || !s[2]))
            return true;
    }
    return false;
}

char *
path_inside(struct arena *a, const char *dir, const char *name)
{
    if (!*name || name[0] == '/' || climbs(name))
        return NULL;
    char *root = realpath(dir, NULL);
    char *full = root ? realpath(path_join(a, root, name), NULL) : NULL;
    char *path = NULL;
    if (full) {
        size_t n = strlen(root);
        if (strcmp(root, "/") == 0)
            n = 0;
        if (strncmp(full, root, n) == 0 && full[n] == '/')
            path = arena_strdup(a, full);
    }
    free(root);
    free(full);
    return path;
}

char *
path_of_program(struct arena *a)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

    if (n <= 0)
        return arena_strdup(a, ".");
    path[n] = 0;
    return path_dir(a, path);
}

/* Data of the program: beside it while it runs from the build folder, in ../share
 * of a moved installation, else where it was configured to be. */
char **
path_data_roots(struct arena *a)
{
    VEC(char *) list = { 0 };
    char *program = path_of_program(a);

    vec_push(a, &list, program);
    vec_push(a, &list, path_join(a, program, "../share/gemmcc"));
#ifdef PKGDATADIR
    vec_push(a, &list, arena_strdup(a, PKGDATADIR));
#endif
    vec_push(a, &list, NULL);
    return list.at;
}

char *
path_data(struct arena *a, const char *name)
{
    for (char **root = path_data_roots(a); *root; root++) {
        char *path = path_join(a, *root, name);
        if (file_exists(path))
            return path;
    }
    return NULL;
}

/* ---- temporary folders */

/* Never freed, for the signal handler. */
struct temp {
    struct temp *next;
    pid_t owner;                     /* a forked child removes only its own */
    volatile sig_atomic_t removed;
    char path[];
};
static struct temp *volatile temps;
static volatile sig_atomic_t keep_temps;

const char *
temp_dir(struct arena *a, struct diag *d)
{
    const char *base = getenv("TMPDIR");

    if (!base || !*base)
        base = "/tmp";
    char *path = path_join(a, base, "gemmcc-XXXXXX");
    struct temp *t = malloc(sizeof *t + strlen(path) + 1);
    if (!t)
        abort();
    cleanup_begin();
    if (!mkdtemp(path)) {
        cleanup_end();
        diag_fatal(d, "temp-dir", "no temporary folder in '%s': %s", base, strerror(errno));
        free(t);
        return NULL;
    }
    strcpy(t->path, path);
    t->owner = getpid();
    t->removed = 0;
    t->next = temps;
    temps = t;
    cleanup_end();
    return path;
}

void
temp_keep(void)
{
    keep_temps = 1;
}

/* fork, execv and waitpid may be called in a signal handler; walking a folder in
 * our own process may not, because readdir allocates. */
void
temp_remove_all(void)
{
    int saved = errno;

    for (struct temp *t = temps; t; t = t->next) {
        if (keep_temps || t->removed || t->owner != getpid())
            continue;
        t->removed = 1;
        pid_t pid = fork();
        if (pid == 0) {
            char rm[] = "rm", how[] = "-rf", end[] = "--";
            char *argv[] = { rm, how, end, t->path, NULL };
            execv("/bin/rm", argv);
            _exit(127);
        }
        if (pid > 0)
            while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
    }
    errno = saved;
}
