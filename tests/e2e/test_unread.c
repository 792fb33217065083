/* `firesweep run` whose output nobody reads: a full pipe, a terminal after Ctrl-S. Training, records and
 * requests to stop must not wait for it. And what the display says of a worker that says nothing. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox.h"

static const char trials_done[] = "SELECT count(*) FROM trial WHERE state = 'done'";
static const char epochs[] = "SELECT count(*) FROM epoch";

/* Starts a run with standard error in `err` and results thrown away. */
static pid_t start(const char *spec, const char *db, int err)
{
    char spec_path[64], db_path[64];
    snprintf(spec_path, sizeof spec_path, "%s.yaml", spec);
    snprintf(db_path, sizeof db_path, "%s.db", db);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const int null = open("/dev/null", O_RDWR);
        setpgid(0, 0);
        setenv("TERM", "xterm", 1);
        if (dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0)
            execl(FIRESWEEP_PROGRAM, "firesweep", "run", spec_path, "--db", db_path, (char *)NULL);
        _exit(127);
    }
    close(err);
    return pid;
}

/* A pipe without room for a single byte; its reading end. */
static int full_pipe(int *in)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_true(fcntl(ends[1], F_SETPIPE_SZ, 4096) > 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    while (write(ends[1], ".", 1) == 1) {
    }
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0); /* as a program gets it from a shell */
    *in = ends[1];
    return ends[0];
}

/* What comes until the last writer is gone; the caller frees. */
static char *read_all(int fd)
{
    char *text = NULL, buffer[4096];
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;) /* EIO: the end of a terminal */
        fwrite(buffer, 1, (size_t)n, out);
    fclose(out);
    close(fd);
    return text;
}

static void assert_holds(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in: %s", part, text);
}

/* The sweep goes on; when somebody reads again, all lines are there. */
static void test_full_pipe(void **state)
{
    int in, out = full_pipe(&in);
    const pid_t sweep = start("four", "pipe", in);
    wait_until("pipe", trials_done, 4, sweep);
    char *text = read_all(out);
    assert_int_equal(run_wait(sweep), 0);
    assert_complete("pipe", reference_metrics(state));
    assert_holds(text, "4 of 4 trials to train");
    assert_holds(text, ": epoch 8/8, train loss ");
    assert_holds(text, "[4/4] ");
    assert_holds(text, "4 of 4 trials done; results are in pipe.db");
    free(text);
}

/* A request to stop is heard, all is recorded; a second one ends the wait for a reader. */
static void test_stop_with_a_full_pipe(void **state)
{
    (void)state;
    int in, out = full_pipe(&in);
    const pid_t sweep = start("long", "stop", in);
    wait_until("stop", epochs, 2, sweep);
    assert_int_equal(kill(sweep, SIGTERM), 0);
    wait_until("stop", "SELECT NOT EXISTS (SELECT 1 FROM attempt WHERE ended_utc IS NULL)", 1, sweep);
    db_assert_text("stop", "SELECT outcome FROM attempt", "interrupted");
    wait_until("stop", "SELECT NOT EXISTS (SELECT 1 FROM lease)", 1, sweep);
    int status; /* again and again: when the run has come to its last lines is not seen from here */
    for (; waitpid(sweep, &status, WNOHANG) == 0; usleep(10000))
        assert_int_equal(kill(sweep, SIGTERM), 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    close(out);
}

/* A pseudo-terminal of 100 columns; its master. */
static int terminal(int *slave)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    struct winsize size = {.ws_col = 100, .ws_row = 24};
    assert_true(master >= 0);
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
    *slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(*slave >= 0);
    return master;
}

/* After Ctrl-Q the lines that were kept appear. */
static void test_stopped_terminal(void **state)
{
    int slave, master = terminal(&slave);
    assert_int_equal(write(master, "\x13", 1), 1); /* Ctrl-S */
    const pid_t sweep = start("four", "terminal", slave);
    wait_until("terminal", trials_done, 4, sweep);
    assert_int_equal(write(master, "\x11", 1), 1); /* Ctrl-Q */
    char *text = read_all(master);
    assert_int_equal(run_wait(sweep), 0);
    assert_complete("terminal", reference_metrics(state));
    assert_holds(text, "[1/4] ");
    assert_holds(text, "[4/4] ");
    assert_holds(text, "4 of 4 trials done; results are in terminal.db");
    free(text);
}

/* A worker that says nothing more: it is seen, and for how long. */
static void test_silent_worker(void **state)
{
    (void)state;
    char text[1 << 16];
    size_t n = 0;
    int slave, master = terminal(&slave);
    const pid_t sweep = start("long", "silent", slave);
    wait_until("silent", epochs, 1, sweep);
    const pid_t worker = (pid_t)db_int("silent", "SELECT pid FROM attempt");
    stop_process(worker, sweep);
    text[0] = '\0';
    while (!strstr(text, "  no news for 10 s")) {
        n = n > sizeof text / 2 ? 0 : n; /* frames come again and again */
        const ssize_t got = read(master, text + n, sizeof text / 2 - 1);
        assert_true(got > 0);
        n += (size_t)got;
        text[n] = '\0';
    }
    assert_int_equal(kill(worker, SIGCONT), 0);
    assert_int_equal(kill(sweep, SIGTERM), 0);
    free(read_all(master));
    assert_int_equal(run_wait(sweep), 1);
    db_assert_text("silent", "SELECT outcome FROM attempt", "interrupted");
}

static int setup(void **state)
{
    if (reference_setup(state) != 0)
        return -1;
    spec_write("long", "train: {epochs: 100000, batch: 16}\nrun: {checkpoint: 0.02s, workers: 1}\n");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_pipe),
        cmocka_unit_test(test_stop_with_a_full_pipe),
        cmocka_unit_test(test_stopped_terminal),
        cmocka_unit_test(test_silent_worker),
    };
    return cmocka_run_group_tests(tests, setup, reference_teardown);
}
