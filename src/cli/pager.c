#include "cli/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The user's own command, which may have arguments: run by a shell, as git and man do. */
static const char *pager_command(void)
{
    const char *pager = getenv("FIRESWEEP_PAGER");
    pager = pager ? pager : getenv("PAGER");
    if (!pager)
        return "if command -v less >/dev/null; then exec less; else exec cat; fi";
    return *pager && strcmp(pager, "cat") != 0 ? pager : NULL;
}

/* Whether anything comes through the pipe before its last writer is gone. */
static bool something_comes(int from)
{
    struct pollfd p = {.fd = from, .events = POLLIN};
    while (poll(&p, 1, -1) < 0 && errno == EINTR)
        ;
    return p.revents & POLLIN;
}

/* A command that only fails writes nothing: then no pager clears the screen below its error. */
_Noreturn static void become_pager(const char *command, int from)
{
    if (!something_comes(from))
        _exit(0);
    dup2(from, STDIN_FILENO);
    setenv("LESS", "FRX", 0);
    setenv("LV", "-c", 0);
    /* Where there is no such command the shell says so, and nothing is lost. */
    execl("/bin/sh", "sh", "-c", "eval \"$1\"\n[ $? -ne 127 ] || exec cat", "sh", command, (char *)NULL);
    _exit(127);
}

static volatile sig_atomic_t running_pager; /* a signal handler has no other way to know it */

/* Control-C reaches all of the terminal's foreground: the pager takes it for its own and goes on, so the
 * terminal is its until it ends. One that has not started is gone. */
static void on_interrupt(int number)
{
    close(STDOUT_FILENO);
    waitpid(running_pager, NULL, 0);
    signal(number, SIG_DFL);
    raise(number);
}

void pager_start(struct pager *p)
{
    *p = (struct pager){0, -1, SIG_DFL};
    const char *command = isatty(STDOUT_FILENO) ? pager_command() : NULL;
    int ends[2];
    if (!command || pipe2(ends, O_CLOEXEC) != 0)
        return;
    fflush(stdout);
    p->saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
    p->pid = p->saved >= 0 ? fork() : -1;
    if (p->pid == 0) {
        close(ends[1]); /* or its end would never be seen */
        become_pager(command, ends[0]);
    }
    close(ends[0]);
    if (p->pid > 0) {
        dup2(ends[1], STDOUT_FILENO);
        running_pager = p->pid;
        p->on_interrupt = signal(SIGINT, on_interrupt);
        if (p->on_interrupt == SIG_IGN) /* as who started this wants it */
            signal(SIGINT, SIG_IGN);
    } else {
        if (p->saved >= 0)
            close(p->saved);
        p->pid = 0;
    }
    close(ends[1]);
}

void pager_end(struct pager *p)
{
    if (p->pid == 0)
        return;
    fflush(stdout);
    dup2(p->saved, STDOUT_FILENO); /* the pipe's last end closes: the pager reads its end */
    close(p->saved);
    while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    signal(SIGINT, p->on_interrupt);
    p->pid = 0;
}
