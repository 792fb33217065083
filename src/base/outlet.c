#include "base/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* O_NONBLOCK belongs to the open file, which the shell and other programs share: a pipe or terminal is opened
 * once more for it. A regular file has no reader to wait for, and needs its one offset. */
void outlet_open(struct outlet *o, int target)
{
    struct stat s;
    char path[64];
    *o = (struct outlet){.fd = target, .rest = STRBUF_INIT};
    if (fstat(target, &s) != 0)
        return;
    o->socket = S_ISSOCK(s.st_mode);
    if (S_ISFIFO(s.st_mode) || S_ISCHR(s.st_mode)) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", target);
        const int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        o->own = fd >= 0;
        o->fd = o->own ? fd : target;
    }
}

void outlet_release(struct outlet *o)
{
    if (o->own)
        close(o->fd);
    o->own = false;
    strbuf_release(&o->rest);
}

static bool has_room(const struct outlet *o, int timeout_ms)
{
    struct pollfd p = {o->fd, POLLOUT, 0};
    return poll(&p, 1, timeout_ms) > 0;
}

/* Bytes of the text that need no further care: written, or impossible to write. */
static size_t write_now(const struct outlet *o, const char *text, size_t n)
{
    size_t done = 0;
    while (done < n && has_room(o, 0)) {
        const ssize_t written = o->socket ? send(o->fd, text + done, n - done, MSG_DONTWAIT | MSG_NOSIGNAL)
                                          : write(o->fd, text + done, n - done);
        if (written >= 0)
            done += (size_t)written;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            return done;
        else if (errno != EINTR)
            return n;
    }
    return done;
}

bool outlet_ready(struct outlet *o)
{
    o->written += write_now(o, o->rest.text + o->written, o->rest.len - o->written);
    if (o->written < o->rest.len)
        return false;
    strbuf_clear(&o->rest);
    o->written = 0;
    return true;
}

void outlet_send(struct outlet *o, const char *text, size_t n)
{
    const size_t done = outlet_ready(o) ? write_now(o, text, n) : 0;
    strbuf_add(&o->rest, text + done, n - done);
}

void outlet_finish(struct outlet *o)
{
    while (!outlet_ready(o))
        has_room(o, -1);
}
