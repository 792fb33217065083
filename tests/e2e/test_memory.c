/* Whole commands, within this process, with every allocation of the program's own failing in turn, and all
 * after it: an error that says so, exit status 1, no crash, no leak, and no file of its own. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandbox.h"

#include "base/mem.h"
#include "cli/commands.h"

/* As main does it. */
static enum status run_command(int argc, const char **argv, struct err *e)
{
    enum { MOST = 16 };
    struct args args;
    const char *words[MOST] = {0}; /* args_parse renames the first */
    const struct command *command = command_find(argv[0]);
    assert_true(command && argc < MOST);
    memcpy(words, argv, (size_t)argc * sizeof *words);
    enum status status = args_parse(&args, command, argc, words, e);
    if (status == ST_OK)
        status = command->run(&args, e);
    args_release(&args);
    return status;
}

/* Runs the command with allocation n failing, 0 = none. What it prints goes nowhere. */
static enum status run_without(size_t n, int argc, const char **argv, struct err *e)
{
    fflush(stdout);
    int before = dup(STDOUT_FILENO), nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_true(before >= 0 && nowhere >= 0 && dup2(nowhere, STDOUT_FILENO) >= 0);
    mem_fail_after(n);
    enum status status = run_command(argc, argv, e);
    mem_fail_after(0);
    fflush(stdout);
    assert_true(dup2(before, STDOUT_FILENO) >= 0);
    close(before);
    close(nowhere);
    return status;
}

static void fail_in_turn(size_t least, int argc, const char **argv)
{
    const size_t live = mem_live();
    struct err e = ERR_INIT;
    enum status status = run_without(0, argc, argv, &e);
    if (status != ST_OK)
        fail_msg("%s", e.text);
    assert_int_equal(mem_live(), live);
    size_t n = 1, failures = 0;
    do {
        e = ERR_INIT;
        status = run_without(n, argc, argv, &e);
        if (status != ST_OK && (status != ST_NOMEM || !strstr(e.text, "out of memory")))
            fail_msg("%s, allocation %zu: status %d: %s", argv[0], n, (int)status, e.text);
        assert_int_equal(mem_live(), live);
        failures += status != ST_OK;
        n++;
    } while (status != ST_OK);
    assert_int_equal(err_exit_code(ST_NOMEM), 1);
    assert_true(failures >= least);
}
#define FAIL_IN_TURN(least, ...)                                             \
    do {                                                                     \
        const char *argv_[] = {__VA_ARGS__, NULL};                           \
        fail_in_turn(least, (int)(sizeof argv_ / sizeof *argv_) - 1, argv_); \
    } while (0)

static void test_derive(void **state)
{
    (void)state;
    FAIL_IN_TURN(3, "derive");
    FAIL_IN_TURN(3, "derive", "--preset", "small32", "--sr", "0.5", "--format", "json");
    FAIL_IN_TURN(3, "derive", "--fires", "1,2,3;1,2,3;1,2,3;1,2,3;1,2,3;1,2,3;1,2,3;1,2,3", "--only",
                 "fires");
}

static void write_spec(void)
{
    spec_write("planned",
               "sweep:\n"
               "  - {id: sr, grid: {SR: [0.25, 0.5, 1.0]}}\n"
               "  - {id: some, random: {n: 4, seed: 7}, params: {pct3x3: {uniform: [0.25, 0.75]}}}\n"
               "constraints: [\"params <= 10M\"]\n"
               "train: {epochs: 1, batch: 80}\nrun: {measure: false}\n");
}

static void test_plan_without_a_database(void **state)
{
    (void)state;
    write_spec();
    FAIL_IN_TURN(40, "plan", "planned.yaml", "--db", "nothing.db");
    FAIL_IN_TURN(40, "plan", "planned.yaml", "--db", "nothing.db", "--format", "json");
    assert_false(exists("nothing", ".db"));
    assert_false(exists("nothing", ".db-wal"));
    assert_false(exists("nothing", ".checkpoints"));
    assert_int_equal(count_files(".", ".tmp"), 0);
}

/* What changed against it is part of the plan. */
static void test_plan_beside_a_database(void **state)
{
    (void)state;
    write_spec();
    assert_int_equal(run("planned", "planned"), 0);
    char *before = db_metrics("planned");
    FAIL_IN_TURN(40, "plan", "planned.yaml", "--db", "planned.db");
    assert_false(exists("planned", ".db-wal")); /* the last plan, which had memory, took them away */
    assert_false(exists("planned", ".db-shm"));
    char *after = db_metrics("planned");
    assert_string_equal(before, after);
    free(before);
    free(after);
    assert_int_equal(count_files(".", ".tmp"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_derive),
        cmocka_unit_test(test_plan_without_a_database),
        cmocka_unit_test(test_plan_beside_a_database),
    };
    return cmocka_run_group_tests(tests, sandbox_setup, sandbox_teardown);
}
