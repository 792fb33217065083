#include "sweep/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/mem.h"

enum { HOLDER_TEXT = HOST_NAME_MAX + 64 };

static const double ORPHANS_S = 120; /* patience with workers that outlive their supervisor */
static const double MOMENT_S = 2;
static const double LOOK_AGAIN_S = 0.05;
static const double DYING_S = 0.5; /* a killed process takes a while to be gone */

/* "<pid> <start> <host>": who holds the lock. */
struct holder {
    long pid;
    unsigned long long start; /* as process_start, because pids are used again */
    char host[HOST_NAME_MAX + 1];
};

static void read_host(char host[HOST_NAME_MAX + 1])
{
    if (gethostname(host, HOST_NAME_MAX + 1) != 0) {
        host[0] = '\0';
    }
    host[HOST_NAME_MAX] = '\0';
}

/* When a process of this host started, in clock ticks since the machine did; 0 when it has ended, even if
 * its parent does not know yet. */
static unsigned long long process_start(long pid)
{
    char path[64], text[1024], state = 'X';
    unsigned long long start = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *f = fopen(path, "re");
    if (!f) {
        return 0;
    }
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    const char *name_end = strrchr(text, ')'); /* the name before it may hold anything */
    if (!name_end ||
        sscanf(name_end + 1,
               " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &state,
               &start) != 2) {
        return 0;
    }
    return state == 'Z' || state == 'X' ? 0 : start;
}

static struct holder read_holder(int fd)
{
    struct holder h = {0, 0, "?"};
    char text[HOLDER_TEXT];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (n > 0) {
        text[n] = '\0';
        char *end;
        h.pid = strtol(text, &end, 10);
        h.start = strtoull(end, &end, 10);
        end += strspn(end, " ");
        snprintf(h.host, sizeof h.host, "%.*s", (int)strcspn(end, "\n"), end);
    }
    return h;
}

static bool write_holder(int fd)
{
    char host[HOST_NAME_MAX + 1], text[HOLDER_TEXT];
    read_host(host);
    int n = snprintf(text, sizeof text, "%ld %llu %s\n", (long)getpid(), process_start(getpid()), host);
    return ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) == n;
}

/* Whether the holder is known to be gone: only its own host can tell. */
static bool holder_gone(const struct holder *h)
{
    char host[HOST_NAME_MAX + 1];
    read_host(host);
    return h->pid > 0 && strcmp(h->host, host) == 0 && process_start(h->pid) != h->start;
}

static enum status held(const char *db, const struct holder *h, struct err *e)
{
    if (h->pid > 0 && holder_gone(h)) {
        return err_set(e, ST_FAILED,
                       "%s: workers of a run that is gone (process %ld on %s) still run; end them", db,
                       h->pid, h->host);
    }
    return err_set(e, ST_FAILED, "%s: another run works on it: process %ld on %s; wait for it or stop it", db,
                   h->pid, h->host);
}

/* The file may have been removed by its last holder between open and flock. */
static bool still_there(int fd, const char *path)
{
    struct stat mine, named;
    return fstat(fd, &mine) == 0 && stat(path, &named) == 0 && mine.st_ino == named.st_ino &&
           mine.st_dev == named.st_dev;
}

/* One try. *fd is -1 when somebody else has it; then *h says who. */
static enum status try_lock(const char *path, int *fd, struct holder *h, struct err *e)
{
    for (;;) {
        *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (*fd < 0) {
            return err_errno(e, "cannot create %s", path);
        }
        bool taken = flock(*fd, LOCK_EX | LOCK_NB) == 0;
        if (taken && still_there(*fd, path)) {
            return ST_OK;
        }
        int reason = errno;
        if (!taken) {
            *h = read_holder(*fd);
        }
        close(*fd);
        *fd = -1;
        if (!taken) {
            errno = reason;
            return reason == EWOULDBLOCK ? ST_OK : err_errno(e, "cannot lock %s", path);
        }
    }
}

static void pause_for(double seconds)
{
    nanosleep(&(struct timespec){0, (long)(seconds * 1e9)}, NULL);
}

/* Whether the lock will be free soon: its holder is gone or may be dying, or has it for a moment only and has
 * not written who it is (a run that starts, or run_lock_check). */
static bool worth_waiting(const struct holder *h, double waited_s)
{
    if (h->pid <= 0) {
        return waited_s < MOMENT_S;
    }
    return waited_s < (holder_gone(h) ? ORPHANS_S : DYING_S);
}

static enum status wait_and_lock(struct run_lock *lock, const char *db,
                                 void (*waiting)(void *context, const char *text), void *context,
                                 struct err *e)
{
    bool told = false;
    struct holder h = {0, 0, ""};
    enum status status = try_lock(lock->path, &lock->fd, &h, e);
    double since = clock_seconds();
    while (status == ST_OK && lock->fd < 0) {
        if (!worth_waiting(&h, clock_seconds() - since)) {
            return held(db, &h, e);
        }
        if (!told && holder_gone(&h) && waiting) {
            char text[HOLDER_TEXT + 128];
            snprintf(text, sizeof text,
                     "process %ld is gone, but its workers still save their state: waiting for them", h.pid);
            waiting(context, text);
            told = true;
        }
        pause_for(LOOK_AGAIN_S);
        status = try_lock(lock->path, &lock->fd, &h, e);
    }
    return status;
}

enum status run_lock_take(struct run_lock *lock, const char *db,
                          void (*waiting)(void *context, const char *text), void *context, struct err *e)
{
    *lock = (struct run_lock){-1, mem_printf("%s.lock", db)};
    if (!lock->path) {
        return err_set(e, ST_NOMEM, "cannot lock %s: out of memory", db);
    }
    enum status status = wait_and_lock(lock, db, waiting, context, e);
    if (status == ST_OK && !write_holder(lock->fd)) {
        status = err_errno(e, "cannot write %s", lock->path);
    }
    if (status != ST_OK) {
        run_lock_release(lock);
    }
    return status;
}

/* Whether somebody who is not known to be gone has the lock. */
static bool living_holder(const char *path, struct holder *h)
{
    bool alive = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
            *h = read_holder(fd);
            alive = h->pid > 0 && !holder_gone(h);
        }
        close(fd);
    }
    return alive;
}

enum status run_lock_check(const char *db, struct err *e)
{
    char *path = mem_printf("%s.lock", db);
    if (!path) {
        return err_set(e, ST_NOMEM, "cannot lock %s: out of memory", db);
    }
    struct holder h;
    double since = clock_seconds();
    bool alive = living_holder(path, &h);
    while (alive && clock_seconds() - since < DYING_S) {
        pause_for(LOOK_AGAIN_S);
        alive = living_holder(path, &h);
    }
    mem_free(path);
    return alive ? held(db, &h, e) : ST_OK; /* run_lock_take looks closer */
}

void run_lock_release(struct run_lock *lock)
{
    if (lock->fd >= 0) {
        unlink(lock->path); /* while it is held, so that nobody else's file is removed */
        close(lock->fd);
    }
    mem_free(lock->path);
    *lock = RUN_LOCK_INIT;
}
