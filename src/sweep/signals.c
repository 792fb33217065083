#include "sweep/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

enum status signal_source_open(struct signal_source *s, struct err *e)
{
    struct sigaction hangup, child = {.sa_handler = SIG_DFL};
    sigemptyset(&s->mask);
    sigaddset(&s->mask, SIGINT);
    sigaddset(&s->mask, SIGTERM);
    sigaddset(&s->mask, SIGCHLD);
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
        sigaddset(&s->mask, SIGHUP);
    s->fd = signalfd(-1, &s->mask, SFD_NONBLOCK | SFD_CLOEXEC);
    if (s->fd < 0)
        return err_errno(e, "cannot wait for signals");
    sigprocmask(SIG_BLOCK, &s->mask, &s->mask_before);
    sigaction(SIGCHLD, &child, &s->child_before); /* ignored, children could not be waited for */
    return ST_OK;
}

int signal_source_next(struct signal_source *s)
{
    struct signalfd_siginfo info;
    return read(s->fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

void signal_source_close(struct signal_source *s)
{
    while (signal_source_next(s) != 0) {
    }
    close(s->fd);
    s->fd = -1;
    sigaction(SIGCHLD, &s->child_before, NULL);
    sigprocmask(SIG_SETMASK, &s->mask_before, NULL);
}
