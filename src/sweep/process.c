#include "sweep/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

/* SIGTERM stays blocked while a worker trains; a pending one is the request to stop. */
static bool sigterm_pending(void *context)
{
    (void)context;
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, SIGTERM) == 1;
}

/* Unblocked, SIGTERM ends the process at once: the default disposition. */
static void sigterm_ends(void *context, bool on)
{
    (void)context;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(on ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
}

static int shared_threads(void *context)
{
    struct process_share *share = context;
    return atomic_load_explicit(&share->threads, memory_order_acquire);
}

static void move_to_cores(void *context, int threads)
{
    const struct process_share *share = context;
    struct err e = ERR_INIT;
    if (share->pinned && cpu_pin(share->cores, threads, &e) != ST_OK)
        log_line(LOG_WARN, "not pinned: %s", e.text);
}

struct process_share *process_share_create(void)
{
    void *p =
        mmap(NULL, sizeof(struct process_share), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

void process_share_free(struct process_share *s)
{
    if (s)
        munmap(s, sizeof *s);
}

static void set_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int signal_number = 1; signal_number < NSIG; signal_number++) {
        sigaction(signal_number, &action,
                  NULL); /* fails for a few, which then have no other disposition anyway */
    }
    /* The terminal sends these to the whole group; the supervisor decides. A pipe without reader and a file
     * that may not grow are errors of write(2). */
    action.sa_handler = SIG_IGN;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGXFSZ, &action, NULL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_SETMASK, &set, NULL);
}

enum { RECORDS_FD = 3, FIRST_FREE_FD = 4 };

/* Leaves nothing open but 0 (nothing), 1 and 2 (the log) and the pipe. */
static void set_descriptors(int records, int log)
{
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    /* Out of the way first: the targets may be in use by one of these. */
    records = fcntl(records, F_DUPFD, FIRST_FREE_FD);
    log = fcntl(log, F_DUPFD, FIRST_FREE_FD);
    if (records < 0 || log < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
        dup2(log, STDERR_FILENO) < 0 || dup2(records, RECORDS_FD) < 0)
        _exit(EXIT_FAILURE);
    close_range(FIRST_FREE_FD, ~0U, 0);
}

/* If memory runs out, the kernel should choose a worker, which costs one attempt, not the supervisor. */
static void volunteer_for_oom(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (write(fd, "500", 3) != 3)
            log_line(LOG_DEBUG, "cannot raise the out-of-memory score");
        close(fd);
    }
}

/* The supervisor sets the threads once the trial is claimed. Until then nothing of it may be touched. */
static void wait_for_threads(struct process_share *share)
{
    while (shared_threads(share) == 0) {
        if (sigterm_pending(NULL))
            _exit(EXIT_SUCCESS);
        nanosleep(&(struct timespec){0, 500000}, NULL);
    }
}

static _Noreturn void child(const struct process_config *c, pid_t supervisor, int records, int log)
{
    set_signals();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != supervisor) /* it died before prctl */
        _exit(EXIT_FAILURE);
    set_descriptors(records, log);
    volunteer_for_oom();
    c->task->records = RECORDS_FD;
    c->task->host = (struct worker_host){
        .context = c->share,
        .stop_requested = sigterm_pending,
        .expendable = sigterm_ends,
        .threads = shared_threads,
        .use_threads = move_to_cores,
    };
    wait_for_threads(c->share);
    enum status status = worker_run(c->task);
    /* No exit handlers, no flush of buffers: they are the supervisor's. */
    _exit(status == ST_OK || status == ST_INTERRUPTED ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* Its folder is made again if it is gone: no night is worth losing over a log. */
static int open_log(const char *path)
{
    const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
    int log = open(path, flags, 0666);
    if (log < 0 && errno == ENOENT) {
        char *folder = dir_of(path);
        const bool made = folder && dir_create(folder, NULL) == ST_OK;
        mem_free(folder);
        log = made ? open(path, flags, 0666) : -1;
    }
    return log;
}

enum status process_start(const struct process_config *c, pid_t *pid, int *records, struct err *e)
{
    int ends[2];
    int log = open_log(c->log);
    if (log < 0)
        return err_errno(e, "cannot create %s", c->log);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        enum status status = err_errno(e, "cannot create a pipe");
        close(log);
        return status;
    }
    pid_t supervisor = getpid();
    pid_t started = fork();
    if (started == 0)
        child(c, supervisor, ends[1], log);
    enum status status = started < 0 ? err_errno(e, "cannot start a worker process") : ST_OK;
    close(ends[1]);
    close(log);
    if (status != ST_OK) {
        close(ends[0]);
        return status;
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *pid = started;
    *records = ends[0];
    return ST_OK;
}

char *process_end_text(int wait_status, char *out, size_t n)
{
    if (!WIFSIGNALED(wait_status)) {
        snprintf(out, n, "exit code %d", WEXITSTATUS(wait_status));
        return out;
    }
    int number = WTERMSIG(wait_status);
    const char *name = sigabbrev_np(number);
    snprintf(out, n, "killed by signal %d (SIG%s)%s", number, name ? name : "?",
             number == SIGKILL ? ", as happens when memory runs out" : "");
    return out;
}

char *process_last_line(const char *log, char *out, size_t n)
{
    enum { TAIL_BYTES = 4096 };
    char tail[TAIL_BYTES + 1];
    out[0] = '\0';
    FILE *f = fopen(log, "re");
    if (!f)
        return out;
    if (fseek(f, -TAIL_BYTES, SEEK_END) != 0)
        rewind(f); /* shorter than that */
    size_t length = fread(tail, 1, TAIL_BYTES, f);
    fclose(f);
    while (length > 0 && strchr(" \t\r\n", tail[length - 1]))
        length--;
    tail[length] = '\0';
    const char *newline = strrchr(tail, '\n');
    snprintf(out, n, "%s", newline ? newline + 1 : tail);
    return out;
}
