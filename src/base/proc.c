/* Running a tool.  No shell, standard input is empty, and the tool dies with us.
 * It gets a process group of its own, so that what it starts dies with it.  A tool
 * that outlives its time is killed. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "src/base/arena.h"
#include "src/base/cleanup.h"
#include "src/base/diag.h"
#include "src/base/file.h"
#include "src/base/out.h"
#include "src/base/proc.h"

struct stream {
    int fd; /* our end; -1: not captured or ended */
    struct out *text;
    void (*on_text)(const char *text, int len, void *ctx);
    void *ctx;
};

/* The one that runs; 0: none. */
static volatile pid_t running;

void
proc_end_all(void)
{
    pid_t pid = running;

    if (pid <= 0)
        return;
    running = 0;
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
    /* What the tool had started became ours with its end: wait for all of it. */
    while (waitpid(-pid, NULL, 0) > 0 || errno == EINTR)
        ;
}

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

char *
proc_which(struct arena *a, const char *name)
{
    const char *path = getenv("PATH");

    if (strchr(name, '/'))
        return access(name, X_OK) == 0 && !file_is_dir(name) ? arena_strdup(a, name) : NULL;
    if (!path || !*name)
        return NULL;
    for (;;) {
        size_t n = strcspn(path, ":");
        char *full = path_join(a, n ? arena_strndup(a, path, n) : ".", name);
        if (access(full, X_OK) == 0 && !file_is_dir(full))
            return full;
        if (!path[n])
            return NULL;
        path += n + 1;
    }
}

static _Noreturn void
child(const struct proc *p, const char *path, int out, int err, int failed, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    cleanup_child();
    if (p->temp)
        setenv("TMPDIR", p->temp, 1);
    if (getppid() != parent)
        _exit(127); /* it died before we asked */
    int null = open("/dev/null", O_RDONLY);
    if (null >= 0)
        dup2(null, STDIN_FILENO);
    if (out >= 0)
        dup2(out, STDOUT_FILENO);
    if (err >= 0)
        dup2(err, STDERR_FILENO);
    signal(SIGPIPE, SIG_DFL);
    execv(path, (char *const *)p->argv);
    int e = errno;
    ssize_t unused = write(failed, &e, sizeof e);
    (void)unused;
    _exit(127);
}

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void
take(struct stream *s)
{
    char buf[16384];
    ssize_t n = read(s->fd, buf, sizeof buf);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        close_fd(&s->fd);
        return;
    }
    out_bytes(s->text, buf, (size_t)n);
    if (s->on_text)
        s->on_text(buf, (int)n, s->ctx);
}

/* Reads until both streams end.  False: out of time. */
static bool
listen_to(struct stream *s, double deadline)
{
    while (s[0].fd >= 0 || s[1].fd >= 0) {
        struct pollfd fds[2] = { { s[0].fd, POLLIN, 0 }, { s[1].fd, POLLIN, 0 } };
        int wait = -1;
        if (deadline > 0) {
            double left = deadline - now();
            if (left <= 0)
                return false;
            wait = left > 1e6 ? 1000000000 : (int)(left * 1000) + 1;
        }
        int n = poll(fds, 2, wait);
        if (n < 0 && errno != EINTR)
            return true;
        for (int i = 0; n > 0 && i < 2; i++)
            if (fds[i].fd >= 0 && fds[i].revents)
                take(&s[i]);
    }
    return true;
}

/* After the streams have ended the process nearly has; without streams this is
 * where the time is spent.  A short sleep grows to 10 ms. */
static bool
wait_for(pid_t pid, double deadline, int *status)
{
    long nap = 100000;

    for (;;) {
        pid_t r = waitpid(pid, status, deadline > 0 ? WNOHANG : 0);
        if (r == pid)
            return true;
        if (r < 0 && errno != EINTR)
            return false;
        if (r == 0) {
            if (now() >= deadline)
                return false;
            struct timespec t = { 0, nap };
            nanosleep(&t, NULL);
            nap = nap < 10000000 ? nap * 2 : nap;
        }
    }
}

static void
finish(pid_t pid, struct stream *s, double deadline, struct proc_result *r)
{
    int status = 0;
    bool in_time = listen_to(s, deadline) && wait_for(pid, deadline, &status);

    if (!in_time) {
        r->timed_out = true;
        kill(-pid, SIGKILL);
        kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        /* What it had said before; others may hold the pipe, so no waiting. */
        for (int i = 0; i < 2; i++) {
            if (s[i].fd < 0)
                continue;
            fcntl(s[i].fd, F_SETFL, O_NONBLOCK);
            take(&s[i]);
        }
    }
    r->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static bool
not_started(struct diag *d, const char *name, int err)
{
    return diag_fatal(d, "tool-missing", "cannot run '%s': %s", name, strerror(err));
}

bool
proc_run(struct arena *a, struct diag *d, const struct proc *p, struct proc_result *r)
{
    bool want[2] = { p->capture_out || p->on_out, p->capture_err };
    int pipes[3][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
    struct stream s[2] = { { -1, out_memory(a), p->on_out, p->ctx },
        { -1, out_memory(a), NULL, NULL } };
    char *path = proc_which(a, p->argv[0]);
    double deadline = p->timeout > 0 ? now() + p->timeout : 0;
    pid_t pid = -1, self = getpid();
    int err = 0;

    memset(r, 0, sizeof *r);
    if (!path)
        return not_started(d, p->argv[0], ENOENT);
    for (int i = 0; i < 3 && !err; i++)
        if ((i == 2 || want[i]) && pipe2(pipes[i], O_CLOEXEC) != 0)
            err = errno;
    if (!err) {
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        cleanup_begin();
        pid = fork();
        if (pid == 0)
            child(p, path, pipes[0][1], pipes[1][1], pipes[2][1], self);
        err = pid < 0 ? errno : 0;
        running = pid > 0 ? pid : 0;
        if (pid > 0)
            setpgid(pid, pid);
        cleanup_end();
    }
    for (int i = 0; i < 3; i++)
        close_fd(&pipes[i][1]);
    /* Ends at once when execv worked; else brings its errno. */
    if (pid > 0 && read(pipes[2][0], &err, sizeof err) == sizeof err)
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    close_fd(&pipes[2][0]);
    for (int i = 0; i < 2; i++)
        s[i].fd = pipes[i][0];
    if (!err)
        finish(pid, s, deadline, r);
    running = 0;
    for (int i = 0; i < 2; i++)
        close_fd(&s[i].fd);
    if (err)
        return not_started(d, p->argv[0], err);
    if (want[0])
        r->out = arena_strdup(a, out_text(s[0].text, NULL));
    if (want[1])
        r->err = arena_strdup(a, out_text(s[1].text, NULL));
    return true;
}
