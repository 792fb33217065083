/* Completion: bash runs the script that the program writes, and proposes what can stand there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "sandbox.h"

/* What bash proposes for the last word of a command line; words as bash splits them, '=' on its own. One
 * proposal a line, with a line break in front; until the next call. */
static const char *complete(const char *const *words)
{
    static char answer[4096];
    FILE *f = fopen("ask.bash", "w");
    assert_non_null(f);
    fprintf(f, "firesweep() { :; }\nsource completion.bash\nCOMP_WORDS=('%s'", FIRESWEEP_PROGRAM);
    int n = 0;
    for (; words[n]; n++)
        fprintf(f, " '%s'", words[n]);
    fprintf(f, ")\nCOMP_CWORD=%d\n_firesweep\nprintf '%%s\\n' \"${COMPREPLY[@]}\"\n", n);
    assert_int_equal(fclose(f), 0);
    FILE *out = popen("bash --norc ask.bash 2>&1", "r");
    assert_non_null(out);
    answer[0] = '\n';
    const size_t got = fread(answer + 1, 1, sizeof answer - 2, out);
    answer[1 + got] = '\0';
    assert_int_equal(pclose(out), 0);
    return answer;
}
#define COMPLETE(...) complete((const char *const[]){__VA_ARGS__, NULL})

static void assert_holds_not(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("%s holds %s", text, part);
}

static int setup(void **state)
{
    if (sandbox_setup(state) != 0)
        return -1;
    spec_write("one", "seeds: [1, 2]\ntrain: {epochs: 1, batch: 16}\n"
                      "sweep: [{id: ratio, grid: {SR: [0.5]}}, {id: width, grid: {base_e: [8]}}]\n");
    if (run("one", "one") != 0)
        return -1;
    const char *const script[] = {"completion", "bash", NULL};
    struct outcome o = program_run_to("completion.bash", script);
    outcome_release(&o);
    return o.code;
}

static void test_commands(void **state)
{
    (void)state;
    assert_string_equal(COMPLETE("pl"), "\nplan\nplot\n");
    const char *all = COMPLETE("");
    assert_holds(all, "\nderive\n");
    assert_holds(all, "\nexport\n");
    assert_holds(all, "\n--version\n");
    assert_string_equal(COMPLETE("nonsense", ""), "\n\n");
}

static void test_options(void **state)
{
    (void)state;
    assert_string_equal(COMPLETE("derive", "--ba"), "\n--base-e\n");
    assert_holds(COMPLETE("run", "one.yaml", "-"), "\n--workers\n");
    assert_holds(COMPLETE("run", "one.yaml", "--"), "\n--help\n");
    assert_holds_not(COMPLETE("run", "--"), "--sql");
}

static void test_values(void **state)
{
    (void)state;
    assert_string_equal(COMPLETE("derive", "--format", ""), "\ntable\ncsv\njson\n");
    assert_string_equal(COMPLETE("derive", "--format", "=", "c"), "\ncsv\n");
    assert_string_equal(COMPLETE("derive", "--format", "="), "\ntable\ncsv\njson\n");
    assert_string_equal(COMPLETE("derive", "--preset", "squeezenet-1.1"), "\nsqueezenet-1.1\n");
    assert_string_equal(COMPLETE("derive", "--bypass", "s"), "\nsimple\n");
    assert_string_equal(COMPLETE("derive", "--base-e", ""), "\n\n");
    assert_holds(COMPLETE("plot", "one.db", "-o", "d"), "\ndata\n"); /* a folder */
    assert_string_equal(COMPLETE("completion", ""), "\nbash\nzsh\n");
}

static void test_files(void **state)
{
    (void)state;
    assert_string_equal(COMPLETE("plan", "one.y"), "\none.yaml\n");
    const char *files = COMPLETE("status", "one.");
    assert_holds(files, "\none.db\n");
    assert_holds(files, "\none.checkpoints\n"); /* a folder may hold databases */
    assert_holds_not(files, "yaml");
    assert_holds(COMPLETE("eval", "one.checkpoints/"), ".safetensors\n");
    assert_holds_not(COMPLETE("plan", ""), "one.db\n");
    FILE *f = fopen("two words.yaml", "w");
    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
    assert_string_equal(COMPLETE("plan", "tw"), "\ntwo words.yaml\n");
}

static void test_what_a_database_holds(void **state)
{
    (void)state;
    assert_holds(COMPLETE("query", "one.db", ""), "\npareto\n");
    assert_string_equal(COMPLETE("query", "--format", "csv", "one.db", "par"), "\npareto\n");
    assert_string_equal(COMPLETE("query", "--format", "=", "csv", "one.db", "par"), "\npareto\n");
    assert_string_equal(COMPLETE("plot", "one.db", "--block", ""), "\nratio\nwidth\n");
    assert_holds(COMPLETE("plot", "one.db", ""), "\ncurve\n");
    assert_string_equal(COMPLETE("verify", "one.db", "2"), "\n2\n");
    assert_holds(COMPLETE("export", "one.db", "--onnx", ""), "\n1\n2\n");
    assert_string_equal(COMPLETE("verify", "absent.db", ""), "\n\n");
    assert_string_equal(COMPLETE("verify", "one.yaml", ""), "\n\n");
}

static void test_scripts_are_well_formed(void **state)
{
    (void)state;
    assert_int_equal(system("bash -n completion.bash"), 0);
    struct outcome o = RUN("completion", "zsh");
    assert_int_equal(o.code, 0);
    assert_holds(o.out, "#compdef firesweep\n");
    assert_holds(o.out, "'--only=[Print one part\\: requested");
    FILE *f = fopen("_firesweep", "w");
    assert_non_null(f);
    fputs(o.out, f);
    assert_int_equal(fclose(f), 0);
    outcome_release(&o);
    if (system("command -v zsh > /dev/null") == 0)
        assert_int_equal(system("zsh -n _firesweep"), 0);
    EXPECT_ERROR(2, "allowed are bash, zsh", "completion", "fish");
    EXPECT_ERROR(2, "missing argument, expected SHELL", "completion");
}

/* Words that completion proposes for --only are parts that the command prints. */
static void test_parts_exist(void **state)
{
    (void)state;
    static const char *const commands[][3] = {{"derive", "--classes=10", "--freq=2"},
                                              {"status", "one.db", "--format=csv"},
                                              {"plan", "one.yaml", "--db=one.db"},
                                              {"paper", "one.db", "--format=json"}};
    for (int i = 0; i < 4; i++) {
        char parts[512];
        snprintf(parts, sizeof parts, "%s", COMPLETE(commands[i][0], "--only", ""));
        for (char *part = strtok(parts, "\n"); part; part = strtok(NULL, "\n")) {
            struct outcome o = RUN(commands[i][0], commands[i][1], commands[i][2], "--only", part);
            if (o.code != 0)
                fail_msg("%s --only %s: %s", commands[i][0], part, o.err);
            outcome_release(&o);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_what_a_database_holds),
        cmocka_unit_test(test_scripts_are_well_formed),
        cmocka_unit_test(test_parts_exist),
    };
    return cmocka_run_group_tests(tests, setup, sandbox_teardown);
}
