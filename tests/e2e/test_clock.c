/* The real clock jumps by days, ahead and back, while `firesweep run` works: results, durations and leases do
 * not notice. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"
#include "sandbox.h"

/* The clock is told apart by being loaded before the C library; the sanitizer insists on being first itself.
 */
static void load_clock(void *context)
{
    (void)context;
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
    setenv("LD_PRELOAD", JUMPING_CLOCK, 1);
}

static pid_t start(const char *db)
{
    return run_start_prepared("four", db, NULL, load_clock, NULL);
}

/* Without this the other assertions would say nothing. */
static void assert_dates_jumped(const char *db)
{
    assert_true(db_int(db, "SELECT max(abs(unixepoch(ended_utc) - unixepoch(started_utc))) FROM attempt") >
                40000);
}

static void assert_durations(const char *db)
{
    assert_int_equal(
        db_int(db, "SELECT count(*) FROM attempt WHERE wall_s NOT BETWEEN 0 AND 3600 OR cpu_s < 0"), 0);
    assert_int_equal(
        db_int(db, "SELECT count(*) FROM epoch WHERE train_s NOT BETWEEN 0 AND 3600 OR eval_s < 0"), 0);
}

static void test_continued_under_jumps(void **state)
{
    pid_t sweep = start("jumps");
    wait_until("jumps", "SELECT count(*) FROM epoch", 4, sweep);
    assert_int_equal(kill(sweep, SIGTERM), 0);
    assert_int_equal(run_wait(sweep), 1);
    assert_int_equal(run_wait(start("jumps")), 0);
    assert_complete("jumps", reference_metrics(state));
    assert_dates_jumped("jumps");
    assert_durations("jumps");
}

/* A lease that a jump ended would give a trial to two runs. */
static void test_shared_under_jumps(void **state)
{
    pid_t one = start("shared");
    wait_until("shared", "SELECT count(*) FROM lease", 1, one);
    pid_t two = start("shared");
    assert_int_equal(run_wait_one(one), 0);
    assert_int_equal(run_wait_one(two), 0);
    assert_complete("shared", reference_metrics(state));
    assert_int_equal(db_int("shared", "SELECT count(*) FROM attempt"), 4);
    assert_dates_jumped("shared");
    assert_durations("shared");
}

/* What shows times gets them from rows like these. */
static void test_commands_show_such_times(void **state)
{
    (void)state;
    static const char *const commands[][8] = {
        {"status", "shared.db"},
        {"query", "shared.db", "trials", "--format", "json"},
        {"report", "shared.db", "-o", "shared.html"},
        {"plot", "shared.db", "timeline", "-o", "figures"},
    };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct outcome o = program_run(commands[i]);
        if (o.code != 0 && !strstr(o.err, "gnuplot is not in PATH"))
            fail_msg("%s: %s", commands[i][0], o.err);
        outcome_release(&o);
    }
    assert_int_equal(count_files("figures", "timeline"), exists("figures/four-sr-timeline", ".svg") ? 4 : 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_continued_under_jumps),
        cmocka_unit_test(test_shared_under_jumps),
        cmocka_unit_test(test_commands_show_such_times),
    };
    return cmocka_run_group_tests(tests, reference_setup, reference_teardown);
}
