/* The command line without a database: help, derive, mistakes, and outputs that cannot be written. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "program.h"

static const char *const commands[] = {"derive", "plan", "run", "status", "query", "plot", "eval", "bench"};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void test_help_and_version(void **state)
{
    (void)state;
    struct outcome o = RUN("--version");
    assert_int_equal(o.code, 0);
    assert_int_equal(strncmp(o.out, "firesweep ", 10), 0);
    assert_true(o.out[10] >= '0' && o.out[10] <= '9');
    outcome_release(&o);
    o = RUN("--help");
    assert_int_equal(o.code, 0);
    for (int i = 0; i < COMMANDS; i++)
        assert_holds(o.out, commands[i]);
    outcome_release(&o);
    for (int i = 0; i < COMMANDS; i++) {
        char example[64];
        o = RUN(commands[i], "--help");
        assert_int_equal(o.code, 0);
        assert_string_equal(o.err, "");
        snprintf(example, sizeof example, "Examples:\n  firesweep ");
        assert_holds(o.out, example);
        snprintf(example, sizeof example, "  firesweep %s ", commands[i]);
        assert_holds(o.out, example);
        outcome_release(&o);
    }
}

/* The numbers of SqueezeNet 1.0: Table 1 of the paper. */
static void test_derive_gives_table_1(void **state)
{
    (void)state;
    static const int fires[8][4] = {
        {16, 64, 64, 11920},    {16, 64, 64, 12432},    {32, 128, 128, 45344},  {32, 128, 128, 49440},
        {48, 192, 192, 104880}, {48, 192, 192, 111024}, {64, 256, 256, 188992}, {64, 256, 256, 197184},
    };
    struct json_object *answer = JSON("derive", "--preset", "squeezenet-1.0", "--format", "json");
    assert_int_equal(json_int_at(answer, "totals.params"), 1248424);
    assert_int_equal(json_int_at(answer, "totals.model_bytes"), 4 * 1248424);
    assert_int_equal(json_int_at(answer, "totals.model_bytes_8bit"), 1248424);
    assert_int_equal(json_int_at(answer, "totals.model_bytes_6bit"), 1248424 / 4 * 3);
    assert_true(json_double_at(answer, "totals.realised_sr") == 0.125);
    assert_true(json_double_at(answer, "totals.realised_pct3x3") == 0.5);
    assert_int_equal(json_int_at(answer, "requested.base_e"), 128);
    struct json_object *list = json_at(answer, "fires");
    assert_int_equal(json_object_array_length(list), 8);
    for (size_t i = 0; i < 8; i++) {
        char name[8];
        struct json_object *fire = json_row(list, i);
        snprintf(name, sizeof name, "fire%zu", i + 2);
        assert_string_equal(json_text_at(fire, "name"), name);
        assert_int_equal(json_int_at(fire, "s1x1"), fires[i][0]);
        assert_int_equal(json_int_at(fire, "e1x1"), fires[i][1]);
        assert_int_equal(json_int_at(fire, "e3x3"), fires[i][2]);
        assert_int_equal(json_int_at(fire, "params"), fires[i][3]);
        assert_false(json_object_get_boolean(json_at(fire, "clamped")));
    }
    json_object_put(answer);
}

static void test_derive_layers_add_up(void **state)
{
    (void)state;
    struct json_object *answer = JSON("derive", "--format=json", "--bypass", "complex", "--sr", "0.75");
    struct json_object *layers = json_at(answer, "layers");
    int64_t params = 0, macs = 0, bytes = 0;
    for (size_t i = 0; i < json_object_array_length(layers); i++) {
        struct json_object *layer = json_row(layers, i);
        params += json_int_at(layer, "params");
        macs += json_int_at(layer, "macs");
        bytes += json_int_at(layer, "weight_bytes");
        assert_int_equal(json_object_array_length(json_at(layer, "output")), 3);
    }
    assert_int_equal(params, json_int_at(answer, "totals.params"));
    assert_int_equal(macs, json_int_at(answer, "totals.macs"));
    assert_int_equal(bytes, json_int_at(answer, "totals.model_bytes"));
    struct json_object *first = json_row(layers, 0);
    assert_string_equal(json_text_at(first, "name"), "conv1");
    assert_string_equal(json_object_to_json_string_ext(json_at(first, "output"), JSON_C_TO_STRING_PLAIN),
                        "[96,111,111]");
    assert_int_equal(json_int_at(first, "macs"), 7L * 7 * 3 * 96 * 111 * 111);
    json_object_put(answer);
}

static int64_t derived_params(const char *option, const char *value)
{
    struct json_object *totals = JSON("derive", option, value, "--only", "totals", "--format", "json");
    int64_t params = json_int_at(totals, "params");
    json_object_put(totals);
    return params;
}

static void test_derive_options(void **state)
{
    (void)state;
    assert_int_equal(derived_params("--preset", "squeezenet-1.1"), 1235496);
    assert_int_equal(derived_params("--sr", "0.125"), 1248424);
    /* The paper's model sizes: 7.50 and 23.95 MiB. */
    assert_int_equal((derived_params("--sr", "0.25") * 4 * 100 + (1 << 19)) >> 20, 750);
    assert_int_equal((derived_params("--sr", "1.0") * 4 * 100 + (1 << 19)) >> 20, 2395);
    /* conv10: 512 weights and a bias less per class. */
    assert_int_equal(derived_params("--classes", "999"), 1248424 - 513);
    /* conv1: 7 x 7 x 3 weights and a bias per filter, and fire2's squeeze layer reads them. */
    assert_int_equal(derived_params("--conv1-filters", "95"), 1248424 - 148 - 16);
    static const char fires[] =
        "16,64,64;16,64,64;32,128,128;32,128,128;48,192,192;48,192,192;64,256,256;64,256,256";
    assert_int_equal(derived_params("--fires", fires), 1248424);
    struct json_object *totals = JSON("derive", "--input=3x224x224", "--pools", "conv1,fire3,fire5",
                                      "--pool-rounding", "floor", "--format", "json");
    assert_string_equal(json_text_at(totals, "requested.input"), "3x224x224");
    assert_string_equal(json_text_at(totals, "requested.pools"), "conv1,fire3,fire5");
    assert_string_equal(json_text_at(totals, "requested.pool_rounding"), "floor");
    json_object_put(totals);
}

static void test_derive_says_what_was_rounded(void **state)
{
    (void)state;
    struct outcome o = RUN("derive", "--sr", "0.003", "--base-e", "100");
    assert_int_equal(o.code, 0);
    assert_holds(o.out,
                 "Clamped: SR asks for less than one squeeze filter in fire2, fire3; s1x1 is 1 there.\n");
    assert_holds(o.out, "SR requested                       0.003\n");
    assert_holds(o.out, "SR realised                        0.00");
    outcome_release(&o);
    struct json_object *fires =
        JSON("derive", "--sr", "0.003", "--base-e", "100", "--only", "fires", "--format", "json");
    assert_true(json_object_get_boolean(json_at(json_row(fires, 0), "clamped")));
    assert_false(json_object_get_boolean(json_at(json_row(fires, 7), "clamped")));
    json_object_put(fires);
}

static void test_derive_csv(void **state)
{
    (void)state;
    struct outcome o = RUN("derive", "--format", "csv");
    assert_int_equal(strncmp(o.out, "name,kind,", 10), 0);
    assert_holds(o.out, "\nconv1,conv,7,2,0,96,111,111,14208,173873952,56832,");
    assert_null(strchr(o.out, '\r'));
    outcome_release(&o);
    o = RUN("derive", "--format", "csv", "--only", "fires");
    assert_holds(o.out, "name,s1x1,e1x1,e3x3,params,clamped\nfire2,16,64,64,11920,false\n");
    outcome_release(&o);
}

static void test_wrong_values_are_usage_errors(void **state)
{
    (void)state;
    static const struct {
        const char *option, *value, *text;
    } wrong[] = {
        {"--sr", "0", "0 < SR <= 1"},
        {"--sr", "nan", "not a number"},
        {"--sr", "-0.5", "0 < SR <= 1"},
        {"--sr", "1.0001", "0 < SR <= 1"},
        {"--sr", "0,5", "--sr"},
        {"--sr", "", "--sr"},
        {"--pct3x3", "-0.1", "0 <= pct3x3 <= 1"},
        {"--pct3x3", "inf", "--pct3x3"},
        {"--base-e", "-1", "--base-e"},
        {"--base-e", "0", "--base-e"},
        {"--base-e", "1e9", "--base-e"},
        {"--base-e", "1000000000", "--base-e"},
        {"--base-e", "99999999999999999999", "--base-e"},
        {"--base-e", "12abc", "--base-e"},
        {"--base-e", " 12", "--base-e"},
        {"--base-e", "0x10", "--base-e"},
        {"--incr-e", "-1", "--incr-e"},
        {"--freq", "0", "--freq"},
        {"--input", "3x0x32", "--input"},
        {"--input", "3x32", "--input"},
        {"--input", "3x32x32x1", "--input"},
        {"--input", "3x2x2", "shrinks to nothing"},
        {"--classes", "0", "--classes"},
        {"--bypass", "both", "none, simple or complex"},
        {"--pools", "fire1", "--pools"},
        {"--pool-rounding", "up", "ceil or floor"},
        {"--preset", "squeezenet", "squeezenet-1.0, squeezenet-1.1, small32"},
        {"--fires", "1,1,1;2,2,2", "--fires"},
        {"--fires", "0,1,1;1,1,1;1,1,1;1,1,1;1,1,1;1,1,1;1,1,1;1,1,1", "--fires"},
        {"--format", "xml", "table, csv, json"},
        {"--only", "sums", "requested, fires, layers, totals"},
        {"--colour", "red", "--colour: unknown option, see firesweep derive --help"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        EXPECT_ERROR(2, wrong[i].text, "derive", wrong[i].option, wrong[i].value);
}

static void test_wrong_arguments_are_usage_errors(void **state)
{
    (void)state;
    struct outcome o = program_run((const char *const[]){NULL});
    assert_int_equal(o.code, 2);
    assert_string_equal(o.err, "firesweep: no command given, see firesweep --help\n");
    outcome_release(&o);
    EXPECT_ERROR(2, "unknown command \"deriv\"", "deriv");
    EXPECT_ERROR(2, "unknown option \"--sr\"", "--sr", "1", "derive");
    EXPECT_ERROR(2, "derive: --sr: a value is missing", "derive", "--sr");
    EXPECT_ERROR(2, "derive: -x: unknown option", "derive", "-x");
    EXPECT_ERROR(2, "query: --where is given twice, allowed: once, with `and` between conditions", "query",
                 "x.db", "--where", "SR = 1", "--where=lr = 1");
    EXPECT_ERROR(2, "derive: --help: takes no value", "derive", "--help=yes");
    EXPECT_ERROR(2, "derive: unexpected argument \"0.5\"", "derive", "0.5");
    EXPECT_ERROR(2, "derive: unexpected argument \"--sr\"", "derive", "--", "--sr");
    EXPECT_ERROR(2, "derive: unexpected argument \"-\"", "derive", "-");
    EXPECT_ERROR(2, "--fires cannot be combined with --sr", "derive", "--fires", "1", "--sr", "1");
    EXPECT_ERROR(2, "plan: missing argument, expected SPEC", "plan");
    EXPECT_ERROR(2, "run: unexpected argument \"b\"", "run", "a", "b");
    EXPECT_ERROR(2, "run: --workers", "run", "a.yaml", "--workers", "0");
    EXPECT_ERROR(2, "run: --threads", "run", "a.yaml", "--threads", "two");
    EXPECT_ERROR(2, "status: missing argument, expected DB", "status");
    EXPECT_ERROR(2, "query: missing argument, expected DB", "query", "--sql", "SELECT 1");
    EXPECT_ERROR(2, "plot: missing argument, expected DB", "plot");
    EXPECT_ERROR(2, "eval: missing argument, expected DB TRIAL | CHECKPOINT", "eval", "--data", ".");
    EXPECT_ERROR(2, "eval: --data is missing", "eval", "a.safetensors");
    EXPECT_ERROR(2, "eval: --split", "eval", "a.safetensors", "--data", ".", "--split", "all");
}

/* What a user types must not steer the terminal that shows the message. */
static void test_messages_are_escaped(void **state)
{
    (void)state;
    EXPECT_ERROR(2, "\\x1b[31m", "derive", "--sr", "\x1b[31m");
    EXPECT_ERROR(2, "unknown command", "a\nb");
}

static void test_files_that_are_missing_or_foreign_fail(void **state)
{
    (void)state;
    EXPECT_ERROR(1, "no/such.yaml", "plan", "no/such.yaml");
    EXPECT_ERROR(1, "no/such.yaml", "run", "no/such.yaml");
    EXPECT_ERROR(1, "no/such.db", "status", "no/such.db");
    EXPECT_ERROR(1, "no/such.db", "query", "no/such.db", "trials");
    EXPECT_ERROR(1, "no/such.db", "plot", "no/such.db");
    EXPECT_ERROR(1, "no/such", "eval", "no/such", "--data", ".");
    EXPECT_ERROR(1, "/dev/null", "query", "/dev/null");
}

static void test_options_may_follow_and_repeat(void **state)
{
    (void)state;
    struct outcome early = RUN("query", "--format", "json", "--list"),
                   late = RUN("query", "--list", "--format=json");
    assert_int_equal(early.code, 0);
    assert_string_equal(early.out, late.out);
    outcome_release(&early);
    outcome_release(&late);
    struct json_object *answer =
        JSON("derive", "--sr", "1", "--sr", "0.5", "--format", "csv", "--format", "json");
    assert_true(json_double_at(answer, "requested.SR") == 0.5);
    json_object_put(answer);
}

static void test_output_that_cannot_be_written_fails(void **state)
{
    (void)state;
    static const char *const derive[] = {"derive", NULL};
    static const char *const help[] = {"derive", "--help", NULL};
    struct outcome o = program_run_to("/dev/full", derive);
    assert_int_equal(o.code, 1);
    assert_string_equal(o.err, "firesweep: standard output: No space left on device\n");
    outcome_release(&o);
    o = program_run_to(NULL, derive);
    assert_int_equal(o.code, 1);
    assert_string_equal(o.err, "firesweep: standard output: Bad file descriptor\n");
    outcome_release(&o);
    o = program_run_to("/dev/full", help);
    assert_int_equal(o.code, 1);
    outcome_release(&o);
}

/* `firesweep derive | head -0`: ends by SIGPIPE, or by EPIPE when SIGPIPE is ignored; never with exit code 0.
 */
static void test_a_closed_pipe(void **state)
{
    (void)state;
    for (int ignored = 0; ignored <= 1; ignored++) {
        int ends[2], status;
        assert_int_equal(pipe(ends), 0);
        close(ends[0]);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            signal(SIGPIPE, ignored ? SIG_IGN : SIG_DFL);
            FILE *err = freopen("/dev/null", "w", stderr);
            if (err && dup2(ends[1], STDOUT_FILENO) >= 0)
                execl(FIRESWEEP_PROGRAM, "firesweep", "derive", (char *)NULL);
            _exit(127);
        }
        close(ends[1]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (ignored)
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
        else
            assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help_and_version),
        cmocka_unit_test(test_derive_gives_table_1),
        cmocka_unit_test(test_derive_layers_add_up),
        cmocka_unit_test(test_derive_options),
        cmocka_unit_test(test_derive_says_what_was_rounded),
        cmocka_unit_test(test_derive_csv),
        cmocka_unit_test(test_wrong_values_are_usage_errors),
        cmocka_unit_test(test_wrong_arguments_are_usage_errors),
        cmocka_unit_test(test_messages_are_escaped),
        cmocka_unit_test(test_files_that_are_missing_or_foreign_fail),
        cmocka_unit_test(test_options_may_follow_and_repeat),
        cmocka_unit_test(test_output_that_cannot_be_written_fails),
        cmocka_unit_test(test_a_closed_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
