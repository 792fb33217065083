/* Worker processes: how their ends read, what their logs say last, and that cores and threads are shared. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sweep/process.h"

/* Status of a child that ends itself by a signal, or by an exit code when the signal is 0. */
static int end_of_child(int signal_number, int code)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(signal_number, SIG_DFL);
        if (signal_number != 0)
            raise(signal_number);
        _exit(code);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void test_ends_read_well(void **state)
{
    (void)state;
    char text[96];
    assert_string_equal(process_end_text(end_of_child(0, 3), text, sizeof text), "exit code 3");
    assert_string_equal(process_end_text(end_of_child(SIGSEGV, 0), text, sizeof text),
                        "killed by signal 11 (SIGSEGV)");
    assert_string_equal(process_end_text(end_of_child(SIGKILL, 0), text, sizeof text),
                        "killed by signal 9 (SIGKILL), as happens when memory runs out");
}

/* Writes a log and expects its last line. */
static void expect_last_line(const char *content, size_t n, const char *expected)
{
    char path[] = "/tmp/firesweep-log-XXXXXX", line[64];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, n), (int)n);
    close(fd);
    assert_string_equal(process_last_line(path, line, sizeof line), expected);
    unlink(path);
}

static void test_last_line(void **state)
{
    (void)state;
    static char filler[10000];
    expect_last_line("", 0, "");
    expect_last_line("\n \n", 3, "");
    expect_last_line("only", 4, "only");
    expect_last_line("first\nlast\n", 11, "last");
    expect_last_line("first\nlast\r\n\n\n", 15, "last");
    memset(filler, 'x', sizeof filler);
    for (size_t i = 0; i < 6; i++)
        filler[sizeof filler - 6 + i] = "\nlast\n"[i];
    expect_last_line(filler, sizeof filler, "last");
    memset(filler, 'y', sizeof filler); /* one endless line: its tail is cut to fit */
    char cut[64];
    memset(cut, 'y', sizeof cut - 1);
    cut[sizeof cut - 1] = '\0';
    expect_last_line(filler, sizeof filler, cut);
    char line[8] = "dirty";
    assert_string_equal(process_last_line("/nonexistent/log", line, sizeof line), "");
}

static void test_share_is_seen_by_a_child(void **state)
{
    (void)state;
    struct process_share *share = process_share_create();
    assert_non_null(share);
    assert_int_equal(atomic_load(&share->threads), 0);
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        share->cores[CPU_MAX - 1] = 7;
        atomic_store(&share->threads, 5);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(atomic_load(&share->threads), 5);
    assert_int_equal(share->cores[CPU_MAX - 1], 7);
    process_share_free(share);
    process_share_free(NULL);
}

static void test_log_that_cannot_be_created(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct worker_task task = {0};
    struct process_config config = {.task = &task, .log = "/dev/null/log"};
    pid_t pid = -1;
    int records = -1;
    assert_int_equal(process_start(&config, &pid, &records, &e), ST_FAILED);
    assert_non_null(strstr(e.text, "/dev/null/log"));
    assert_int_equal(pid, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends_read_well),
        cmocka_unit_test(test_last_line),
        cmocka_unit_test(test_share_is_seen_by_a_child),
        cmocka_unit_test(test_log_that_cannot_be_created),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
