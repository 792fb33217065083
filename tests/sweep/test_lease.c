/* Who lives and who is gone. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sweep/lease.h"

/* A child that waits to be killed. */
static pid_t sleeper(void)
{
    pid_t pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    assert_true(pid > 0);
    return pid;
}

static void wait_for_zombie(pid_t pid)
{
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void test_process_starts(void **state)
{
    (void)state;
    int64_t mine = process_started(getpid());
    assert_true(mine > 0);
    assert_int_equal(process_started(getpid()), mine);
    assert_true(process_started(1) != 0);
    assert_int_equal(process_started(0), 0);
    assert_int_equal(process_started(INT32_MAX), 0);
    pid_t child = sleeper();
    assert_true(process_started(child) >= mine);
    kill(child, SIGKILL);
    wait_for_zombie(child);
    assert_int_equal(process_started(child), 0); /* ended, though its number is still taken */
    waitpid(child, NULL, 0);
    assert_int_equal(process_started(child), 0);
}

static void test_holders(void **state)
{
    (void)state;
    struct lease l = {.attempt = 1};
    pid_t child = sleeper();
    lease_sign(&l, child);
    assert_int_equal(l.run.pid, getpid());
    assert_int_equal(lease_look(&l), LEASE_ALIVE);
    l.run.start++; /* somebody else has this number now; the worker still saves */
    assert_int_equal(lease_look(&l), LEASE_ALIVE);
    kill(child, SIGKILL);
    wait_for_zombie(child);
    assert_int_equal(lease_look(&l), LEASE_GONE);
    waitpid(child, NULL, 0);
    assert_int_equal(lease_look(&l), LEASE_GONE);
    l.run.start--; /* the run lives, whatever became of its worker */
    assert_int_equal(lease_look(&l), LEASE_ALIVE);
    l.attempt = 0;
    assert_int_equal(lease_look(&l), LEASE_GONE);
}

static void test_places(void **state)
{
    (void)state;
    struct lease l = {.attempt = 1};
    lease_sign(&l, getpid());
    assert_non_null(strchr(l.place, ' '));
    char here[LEASE_TEXT];
    snprintf(here, sizeof here, "%s", l.place);
    /* This machine before it was started again. */
    l.place[0] = l.place[0] == '0' ? '1' : '0';
    assert_int_equal(lease_look(&l), LEASE_GONE);
    /* Another machine. */
    snprintf(l.host, sizeof l.host, "elsewhere.example");
    assert_int_equal(lease_look(&l), LEASE_UNKNOWN);
    /* Another container of this machine: its process numbers are not ours, though one may be the same. */
    lease_sign(&l, getpid());
    const size_t boot = strcspn(l.place, " ");
    snprintf(l.place + boot, sizeof l.place - boot, " pid:[1]");
    assert_int_equal(lease_look(&l), LEASE_UNKNOWN);
    snprintf(l.place, sizeof l.place, "%s", here);
    assert_int_equal(lease_look(&l), LEASE_ALIVE);
}

static void test_beats_of_a_stranger(void **state)
{
    (void)state;
    struct lease_watch watch = {0};
    struct lease l = {.attempt = 3, .host = "elsewhere.example", .place = "boot pid:[1]"};
    assert_false(lease_left(&l, &watch, 1000));
    assert_false(lease_left(&l, &watch, 1000 + LEASE_PATIENCE_S - 1));
    l.beat++;
    assert_false(lease_left(&l, &watch, 1000 + LEASE_PATIENCE_S + 1));
    assert_false(lease_left(&l, &watch, 1000 + 2 * LEASE_PATIENCE_S));
    assert_true(lease_left(&l, &watch, 1000 + 3 * LEASE_PATIENCE_S));
    l.attempt++; /* a new holder gets its own time */
    assert_false(lease_left(&l, &watch, 1000 + 3 * LEASE_PATIENCE_S));
    /* What can be seen needs no patience. */
    lease_sign(&l, getpid());
    assert_false(lease_left(&l, &watch, 1e9));
    l.run.start++;
    l.worker.start++;
    assert_true(lease_left(&l, &watch, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_process_starts),
        cmocka_unit_test(test_holders),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_beats_of_a_stranger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
