#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* read(2) that goes on after signals; 0 at the end, -1 with errno. */
static ssize_t read_some(int fd, char *out, size_t n)
{
    ssize_t got;
    do {
        got = read(fd, out, n);
    } while (got < 0 && errno == EINTR);
    return got;
}

/* Reads to the end of fd into a block that grows from `guess` bytes. */
static enum status read_all(int fd, const char *path, size_t limit, size_t guess, char **out, size_t *n,
                            struct err *e)
{
    size_t cap = (guess < limit ? guess : limit) + 2,
           len = 0; /* room for the byte that shows the end or the excess */
    char *text = mem_alloc(cap, 1);
    while (text) {
        ssize_t got = read_some(fd, text + len, cap - 1 - len);
        if (got < 0) {
            mem_free(text);
            return err_errno(e, "cannot read %s", path);
        }
        len += (size_t)got;
        if (len > limit) {
            mem_free(text);
            return err_set(e, ST_USAGE, "%s is too long: more than %zu bytes", path, limit);
        }
        if (got == 0) {
            text[len] = '\0';
            *out = text;
            *n = len;
            return ST_OK;
        }
        if (len + 1 >= cap) {
            char *larger = mem_realloc(text, cap, 2);
            if (!larger)
                break;
            text = larger;
            cap *= 2;
        }
    }
    mem_free(text);
    return err_set(e, ST_NOMEM, "cannot read %s: out of memory", path);
}

enum status file_read(const char *path, size_t limit, char **out, size_t *n, struct err *e)
{
    /* Opening a named pipe must not wait for somebody who writes: without one it is empty. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    if (fd < 0)
        return err_errno(e, "cannot open %s", path);
    fcntl(fd, F_SETFL, 0);
    size_t guess = fstat(fd, &info) == 0 && info.st_size > 0 ? (size_t)info.st_size : 4096;
    enum status status = read_all(fd, path, limit, guess, out, n, e);
    close(fd);
    return status;
}

/* Opens and locks the temporary. Its name is fixed, so what a killed process left behind is
 * overwritten; the lock keeps two writers apart. */
static int open_temporary(const char *temporary)
{
    for (;;) {
        /* A link put there would lead out of the folder, a pipe would wait for a reader. */
        int fd = open(temporary, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
        struct stat mine, current;
        if (fd < 0)
            return -1;
        if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
            close(fd);
            errno = EBUSY;
            return -1;
        }
        /* Another writer may have renamed this very file between open and lock. */
        if (fstat(fd, &mine) == 0 && stat(temporary, &current) == 0 && mine.st_ino == current.st_ino &&
            mine.st_dev == current.st_dev)
            return fd;
        close(fd);
    }
}

enum status atomic_open(struct atomic_file *a, const char *path, struct err *e)
{
    *a = (struct atomic_file){NULL, mem_strdup(path), mem_printf("%s.tmp", path)};
    if (!a->path || !a->temporary) {
        atomic_abort(a);
        return err_set(e, ST_NOMEM, "cannot write %s: out of memory", path);
    }
    int fd = open_temporary(a->temporary);
    if (fd >= 0 && ftruncate(fd, 0) == 0)
        a->f = fdopen(fd, "w");
    if (!a->f) {
        enum status status = err_errno(e, "cannot create %s", a->temporary);
        if (fd >= 0) {
            unlink(a->temporary);
            close(fd);
        }
        mem_free(a->temporary);
        a->temporary = NULL;
        atomic_abort(a);
        return status;
    }
    return ST_OK;
}

/* After a failed write stdio keeps only a flag. The reason matters (a full disk pauses a
 * sweep), so the write is tried once more to learn errno; the file is thrown away anyway. */
static int write_errno(FILE *f)
{
    static const char probe[4096];
    if (write(fileno(f), probe, sizeof probe) < 0)
        return errno;
    return EIO;
}

/* 0, or -1 with errno. */
static int flush_to_disk(FILE *f)
{
    if (ferror(f)) {
        errno = write_errno(f);
        return -1;
    }
    return fflush(f) == 0 && fsync(fileno(f)) == 0 ? 0 : -1;
}

char *dir_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? mem_printf("%.*s", (int)(slash == path ? 1 : slash - path), path) : mem_strdup(".");
}

/* Makes the rename itself durable. Filesystems that cannot sync a folder are no error. */
static void sync_folder_of(const char *path)
{
    char *folder = dir_of(path);
    int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    mem_free(folder);
}

enum status atomic_commit(struct atomic_file *a, struct err *e)
{
    /* Renamed before it is closed: the lock is held until the name is gone. */
    if (flush_to_disk(a->f) != 0 || rename(a->temporary, a->path) != 0) {
        enum status status = err_errno(e, "cannot write %s", a->path);
        atomic_abort(a);
        return status;
    }
    mem_free(a->temporary);
    a->temporary = NULL;
    sync_folder_of(a->path);
    atomic_abort(a);
    return ST_OK;
}

void atomic_abort(struct atomic_file *a)
{
    if (a->temporary)
        unlink(a->temporary);
    if (a->f)
        fclose(a->f);
    mem_free(a->path);
    mem_free(a->temporary);
    *a = (struct atomic_file){NULL, NULL, NULL};
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

enum status dir_create(const char *path, struct err *e)
{
    char *partial = mem_strdup(path);
    if (!partial)
        return err_set(e, ST_NOMEM, "cannot create folder %s: out of memory", path);
    enum status status = ST_OK;
    for (char *p = partial; *p && status == ST_OK;) {
        p += strspn(p, "/");
        p += strcspn(p, "/");
        char separator = *p;
        *p = '\0';
        if (mkdir(partial, 0777) != 0) {
            int reason = errno;
            if (!is_folder(partial)) {
                errno = reason;
                status = err_errno(e, "cannot create folder %s", partial);
            }
        }
        *p = separator;
    }
    mem_free(partial);
    return status;
}

bool file_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

long long file_mtime_ns(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return -1;
    return (long long)info.st_mtim.tv_sec * 1000000000LL + info.st_mtim.tv_nsec;
}
