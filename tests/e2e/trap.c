#include "trap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* The calls that are held, and which argument names the file: a descriptor or a path. */
struct held {
    int number;
    const char *name;
    int argument;
    bool is_path;
};
static const struct held held[] = {
#ifdef SYS_rename
    {SYS_rename, "rename", 1, true},       {SYS_link, "link", 1, true},
    {SYS_unlink, "unlink", 0, true},
#endif
#ifdef SYS_renameat
    {SYS_renameat, "rename", 3, true},
#endif
    {SYS_renameat2, "rename", 3, true},    {SYS_linkat, "link", 3, true},
    {SYS_unlinkat, "unlink", 1, true},     {SYS_write, "write", 0, false},
    {SYS_writev, "write", 0, false},       {SYS_pwrite64, "write", 0, false},
    {SYS_fsync, "sync", 0, false},         {SYS_fdatasync, "sync", 0, false},
    {SYS_ftruncate, "truncate", 0, false}, {SYS_openat, "open", 1, true}, /* the last: only with O_CREAT */
};
enum { HELD = sizeof held / sizeof *held, FILTER_MOST = HELD + 6 };

/* Jumps count the instructions that are left out. Returns the number of instructions. */
static unsigned short make_filter(struct sock_filter *out)
{
    unsigned short n = 0;
    const unsigned notify = HELD + 3; /* where the verdicts stand, from the start */
    const size_t flags = offsetof(struct seccomp_data, args) + 2 * sizeof(uint64_t);
    out[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < HELD - 1; i++, n++) {
        out[n] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)held[i].number,
                                              (unsigned char)(notify - n - 1), 0);
    }
    out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3);
    out[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)flags);
    out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CREAT, 0, 1);
    out[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    out[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    return n;
}

/* The descriptor that hears of this process's calls from now on; -1 if that is not allowed. */
static int install(void)
{
    struct sock_filter filter[FILTER_MOST];
    struct sock_fprog program = {make_filter(filter), filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

bool trap_available(void)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(install() >= 0 ? 0 : 1);
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

static bool send_descriptor(int socket, int fd)
{
    char byte = 0;
    union control control = {0};
    struct iovec data = {&byte, 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    return sendmsg(socket, &message, 0) == 1;
}

static int receive_descriptor(int socket)
{
    char byte;
    int fd = -1;
    union control control = {0};
    struct iovec data = {&byte, 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&message))
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

void trap_open(struct trap *t)
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, t->ends), 0);
}

void trap_arm(void *trap)
{
    const struct trap *t = trap;
    close(t->ends[0]);
    int listener = install();
    if (listener < 0 || !send_descriptor(t->ends[1], listener))
        _exit(126);
    close(listener);
}

static void name_of_descriptor(pid_t pid, uint64_t fd, char *out, size_t n)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)pid, (int)fd);
    ssize_t length = readlink(link, out, n - 1);
    out[length > 0 ? length : 0] = '\0';
}

/* The text ends within a page or goes on into the next, which need not be there. */
static void text_of_process(pid_t pid, uint64_t address, char *out, size_t n)
{
    static const size_t page = 4096;
    size_t first = page - address % page;
    first = first < n - 1 ? first : n - 1;
    /* The kernel gave the address as a number. NOLINTNEXTLINE(performance-no-int-to-ptr) */
    struct iovec here = {out, n - 1}, there[2] = {{(void *)(uintptr_t)address, first}};
    there[1] = (struct iovec){(char *)there[0].iov_base + first, n - 1 - first};
    ssize_t length = process_vm_readv(pid, &here, 1, there, 2, 0);
    out[length > 0 ? length : 0] = '\0';
}

static enum trap_verdict judge(const struct trap *t, const struct seccomp_notif *n)
{
    const struct held *h = held;
    while (h->number != n->data.nr)
        h++;
    char path[512];
    pid_t pid = (pid_t)n->pid;
    if (h->is_path)
        text_of_process(pid, n->data.args[h->argument], path, sizeof path);
    else
        name_of_descriptor(pid, n->data.args[h->argument], path, sizeof path);
    return t->judge(t->context, &(struct trap_call){pid, h->name, path});
}

static void strike(pid_t pid, bool group)
{
    pid_t leader = getpgid(pid);
    assert_true(pid > 1 && leader > 1 && leader != getpgrp());
    kill(group ? -leader : pid, SIGKILL);
}

/* One call. What dies meanwhile is not there to be answered. */
static void serve_one(const struct trap *t, int listener)
{
    struct seccomp_notif n = {0};
    struct seccomp_notif_resp answer = {0};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n) != 0)
        return;
    enum trap_verdict verdict = judge(t, &n);
    if (verdict == TRAP_KILL || verdict == TRAP_KILL_GROUP) {
        strike((pid_t)n.pid, verdict == TRAP_KILL_GROUP);
        return;
    }
    answer.id = n.id;
    answer.flags = verdict == TRAP_GO_ON ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
    answer.error = verdict == TRAP_NO_SPACE ? -ENOSPC : 0;
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

/* Collects whoever has ended. False: nobody is left. */
static bool collect(pid_t pid, int *status)
{
    int one;
    pid_t ended;
    while ((ended = waitpid(-1, &one, WNOHANG)) > 0)
        *status = ended == pid ? one : *status;
    return ended == 0;
}

int trap_wait(struct trap *t, pid_t pid)
{
    enum { ORPHAN_MS = 5 };
    int status = 0;
    close(t->ends[1]);
    int listener = receive_descriptor(t->ends[0]);
    close(t->ends[0]);
    struct pollfd fds[] = {{listener, POLLIN, 0}, {pidfd_open(pid, 0), POLLIN, 0}};
    assert_true(fds[0].fd >= 0 && fds[1].fd >= 0);
    for (bool alive = true; alive;) {
        /* Orphans end without a word; the program's own end shows. */
        poll(fds, 2, fds[1].fd < 0 ? ORPHAN_MS : -1);
        if (fds[0].revents & POLLIN)
            serve_one(t, listener);
        if (fds[1].revents & POLLIN) {
            close(fds[1].fd);
            fds[1].fd = -1;
        }
        alive = fds[1].fd >= 0 || collect(pid, &status);
    }
    close(listener);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
