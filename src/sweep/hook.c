#include "sweep/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sweep/process.h"

static void set_number(const char *name, int n)
{
    char text[16];
    snprintf(text, sizeof text, "%d", n);
    setenv(name, text, 1);
}

static const char *outcome_of(enum status status, const struct run_result *result)
{
    return status == ST_OK                                   ? "done"
           : result->interrupted || status == ST_INTERRUPTED ? "interrupted"
                                                             : "failed";
}

/* In the new process. 127: there is no such program. */
static _Noreturn void become_hook(const struct spec *spec, const char *db, enum status status,
                                  const char *message, const struct run_result *r)
{
    int null = open("/dev/null", O_RDONLY);
    signal(SIGPIPE, SIG_DFL);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        close(null);
    }
    dup2(STDERR_FILENO, STDOUT_FILENO);
    setenv("FIRESWEEP_DB", db, 1);
    setenv("FIRESWEEP_SWEEP", spec->name, 1);
    setenv("FIRESWEEP_OUTCOME", outcome_of(status, r), 1);
    setenv("FIRESWEEP_MESSAGE", message, 1);
    set_number("FIRESWEEP_TOTAL", r->total);
    set_number("FIRESWEEP_DONE", r->done);
    set_number("FIRESWEEP_FAILED", r->failed);
    set_number("FIRESWEEP_DIVERGED", r->diverged);
    set_number("FIRESWEEP_TIMED_OUT", r->timed_out);
    set_number("FIRESWEEP_SKIPPED", r->skipped);
    set_number("FIRESWEEP_PRUNED", r->pruned);
    set_number("FIRESWEEP_PENDING", r->pending);
    execvp(spec->on_finish[0], spec->on_finish);
    _exit(errno == ENOENT ? 127 : 126);
}

enum status hook_run(const struct spec *spec, const char *db, enum status status, const char *message,
                     const struct run_result *result, struct err *e)
{
    int how = 0;
    char text[96];
    if (!spec->on_finish)
        return ST_OK;
    pid_t pid = fork();
    if (pid < 0)
        return err_errno(e, "on_finish: %s cannot be started", spec->on_finish[0]);
    if (pid == 0)
        become_hook(spec, db, status, message, result);
    while (waitpid(pid, &how, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(how) && WEXITSTATUS(how) == 0)
        return ST_OK;
    if (WIFEXITED(how) && WEXITSTATUS(how) == 127)
        return err_set(e, ST_FAILED, "on_finish: there is no program %s", spec->on_finish[0]);
    if (WIFEXITED(how) && WEXITSTATUS(how) == 126)
        return err_set(e, ST_FAILED, "on_finish: %s cannot be run", spec->on_finish[0]);
    return err_set(e, ST_FAILED, "on_finish: %s %s %s", spec->on_finish[0],
                   WIFSIGNALED(how) ? "was" : "ended with", process_end_text(how, text, sizeof text));
}
