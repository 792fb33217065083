/* Completion: bash runs the script that the program writes, and proposes what can stand there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "sandbox.h"
#include "speed.h"

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
    assert_string_equal(COMPLETE("derive", "--format", ""), "\ntable\ncsv\njson\nmarkdown\n");
    assert_string_equal(COMPLETE("derive", "--format", "=", "c"), "\ncsv\n");
    assert_string_equal(COMPLETE("derive", "--format", "="), "\ntable\ncsv\njson\nmarkdown\n");
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
    assert_string_equal(COMPLETE("query", "one.db", "--sort", "test_top"), "\ntest_top1\ntest_top5\n");
    assert_string_equal(COMPLETE("query", "one.db", "curve", "--where", "test_top1_s"),
                        "\ntest_top1_stddev\n");
    assert_string_equal(COMPLETE("query", "one.db", "--columns", "SR,seed,val_los"), "\nSR,seed,val_loss\n");
    assert_string_equal(COMPLETE("query", "absent.db", "--columns", "v"), "\n\n");
    assert_string_equal(COMPLETE("query", "one.db", "effects", "--y", "test_top"),
                        "\ntest_top1\ntest_top5\n");
    assert_string_equal(COMPLETE("plot", "one.db", "scatter", "--x", "model_m"), "\nmodel_mib\n");
    assert_string_equal(COMPLETE("plot", "one.db", "scatter", "--x", "S"), "\nSR\n"); /* an axis of a block */
    assert_string_equal(COMPLETE("plot", "one.db", "scatter", "--x", "checkp"), "\n\n");
    assert_string_equal(COMPLETE("query", "one.db", "pareto", "--x", "S"), "\n\n");
    assert_string_equal(COMPLETE("query", "one.db", "pareto", "--x", "t"), "\ntrain_s\n"); /* costs only */
    assert_string_equal(COMPLETE("plot", "one.db", "heatmap", "--y", "S"), "\nSR\n");
    assert_string_equal(COMPLETE("query", "one.db", "effects", "--y", "S"), "\n\n");
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

/* What a new interactive zsh lists for a line; until the next call. */
static const char *list_zsh(const char *line)
{
    static char answer[8192];
    char command[1024];
    snprintf(command, sizeof command, "zsh -f " FIRESWEEP_COMPLETE_ZSH " zsh '%s'", line);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    const size_t got = fread(answer, 1, sizeof answer - 1, out);
    answer[got] = '\0';
    assert_int_equal(pclose(out), 0);
    return answer;
}

/* The very first request of a shell is answered, too: it loads the file. */
static void test_zsh_lists(void **state)
{
    (void)state;
    static const struct {
        const char *line, *holds[3], *not ;
    } cases[] = {
        {"firesweep pl", {"plan  -- ", "plot  -- "}, "derive"},
        {"firesweep derive --bypass ", {"none", "simple", "complex"}, "one.db"},
        {"firesweep status one.db --only ", {"states", "sweeps", "failures"}, "fires "},
        {"firesweep query one.db par", {"pareto"}, "trials"},
        {"firesweep plot one.db --block ", {"ratio", "width"}, "curve"},
        {"firesweep plan one", {"one.yaml"}, "one.db"},
        {"firesweep query one.db --sort test", {"test_top1", "test_top5"}, "params"},
        {"firesweep query one.db --columns seed,val", {"val_top1", "val_loss"}, "params"},
        {"firesweep plot one.db pareto --x lat", {"latency_ms", "latency_p95_ms"}, "params"},
        {"firesweep plot one.db scatter --x S", {"SR"}, "params"},
        {"firesweep plot one.db scatter --x m", {"model_mib", "macs"}, "SR"},
        {"firesweep query one.db effects --y test", {"test_top1", "test_loss"}, "params"},
    };
    if (system("command -v zsh > /dev/null") != 0)
        skip();
    assert_int_equal(system("mkdir zsh bin && ln -s " FIRESWEEP_PROGRAM " bin/firesweep"), 0);
    const char *const script[] = {"completion", "zsh", NULL};
    struct outcome o = program_run_to("zsh/_firesweep", script);
    outcome_release(&o);
    char path[2048];
    char *folder = getcwd(NULL, 0);
    snprintf(path, sizeof path, "%s/bin:%s", folder ? folder : "", getenv("PATH"));
    free(folder);
    assert_int_equal(setenv("PATH", path, 1), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *list = list_zsh(cases[i].line);
        for (int k = 0; k < 3 && cases[i].holds[k]; k++)
            assert_holds(list, cases[i].holds[k]);
        assert_holds_not(list, cases[i].not );
    }
}

/* The parts that completion proposes for --only are those that the command itself names. */
static void test_parts_are_the_commands(void **state)
{
    (void)state;
    static const char *const commands[][5] = {{"derive"},
                                              {"status", "one.db"},
                                              {"plan", "searched.yaml", "--db=one.db", "--budget=1h"},
                                              {"gc", "one.db", "--dry-run"},
                                              {"paper", "one.db"}};
    spec_write("searched", "train: {epochs: 2}\nsearch: {eta: 2}\n");
    keep_speed(1e-9); /* plan --budget wants one */
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const char *arguments[8], *allowed;
        char parts[512] = "";
        size_t n = 0;
        int count = 0;
        while (count < 5 && commands[i][count]) {
            arguments[count] = commands[i][count];
            count++;
        }
        arguments[count++] = "--only=nonsense";
        arguments[count] = NULL;
        struct outcome o = program_run(arguments);
        assert_int_equal(o.code, 2);
        allowed = strstr(o.err, "allowed are ");
        assert_non_null(allowed);
        for (const char *word = allowed ? allowed + strlen("allowed are ") : ""; *word && *word != '\n';) {
            const size_t length = strcspn(word, ", \n");
            n += (size_t)snprintf(parts + n, sizeof parts - n, "\n%.*s", (int)length, word);
            word += length;
            word += strspn(word, ", ");
        }
        snprintf(parts + n, sizeof parts - n, "\n");
        assert_string_equal(COMPLETE(commands[i][0], "--only", ""), parts);
        outcome_release(&o);
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
        cmocka_unit_test(test_parts_are_the_commands),
        cmocka_unit_test(test_zsh_lists),
    };
    return cmocka_run_group_tests(tests, setup, sandbox_teardown);
}
