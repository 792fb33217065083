/* Strings from specs, file names and databases: they are shown and used as they are, never executed, never in
 * charge of the terminal, and lead to no file elsewhere. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"
#include "sandbox.h"
#include "synthetic.h"

/* Everything a shell, gnuplot, SQL or a terminal could take for more than a letter; each tries to leave a
 * file. */
static const char *const hostile[] = {
    "a'b\"$(touch executed)`touch executed`;touch executed",
    ("|touch executed #\n\x1b[31m\x1b]0;title\x07\xc2\x9b"
     "2J"),
    "'.system('touch executed').'",
    "\xc3\xbc\xe7\x8c\xab \xe2\x80\xae%d@v{}^_\\n');DROP TABLE trial;--",
};
enum { HOSTILE = sizeof hostile / sizeof *hostile };

static void assert_file_holds(const char *path, const char *text)
{
    char found[256] = "";
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    found[fread(found, 1, sizeof found - 1, f)] = '\0';
    fclose(f);
    assert_string_equal(found, text);
}

/* No control character but line ends, no C1 control, no change of the writing direction. */
static void assert_tame(const char *text)
{
    for (const char *s = text; *s; s++)
        if (((unsigned char)*s < 0x20 && *s != '\n') || *s == 0x7f)
            fail_msg("control character %d in: %s", *s, text);
    assert_null(strstr(text, "\xc2\x9b"));
    assert_null(strstr(text, "\xe2\x80\xae"));
}

static void expect_tame(struct outcome o, int code)
{
    if (o.code != code)
        fail_msg("exit code %d: %s", o.code, o.err);
    assert_tame(o.out);
    assert_tame(o.err);
    assert_int_not_equal(access("executed", F_OK), 0);
    outcome_release(&o);
}

/* The class folders of data get the hostile names. */
static void rename_classes(const char *set)
{
    for (int i = 0; i < HOSTILE; i++) {
        char from[64], to[128];
        snprintf(from, sizeof from, "photos/%s/class%02d", set, i);
        snprintf(to, sizeof to, "photos/%s/%s", set, hostile[i]);
        assert_int_equal(rename(from, to), 0);
    }
}

static void test_hostile_names(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    assert_int_equal(synthetic_image_folder("photos", HOSTILE, 6, 2, 12, 1, &e), ST_OK);
    rename_classes("train");
    rename_classes("test");
    for (int i = 0; i < HOSTILE; i++) {
        char spec[160], db[160], dir[160];
        snprintf(spec, sizeof spec, "%s.yaml", hostile[i]);
        snprintf(db, sizeof db, "%s.db", hostile[i]);
        snprintf(dir, sizeof dir, "%s.plots", hostile[i]);
        text_write(spec, "version: 1\nname: s\ndata: {format: image-folder, path: photos}\n"
                         "base: {preset: small32, input: 3x12x12, classes: 4, conv1_filters: 4, base_e: 4}\n"
                         "sweep: [{id: b, grid: {SR: [0.5]}}]\ntrain: {epochs: 1, batch: 8}\n");
        expect_tame(RUN("plan", spec, "--db", db), 0);
        expect_tame(RUN("run", spec, "--db", db), 0);
        assert_int_equal(access(db, F_OK), 0);
        expect_tame(RUN("status", db), 0);
        expect_tame(RUN("query", db, "trials"), 0);
        expect_tame(RUN("query", db, hostile[i]), 2);
        expect_tame(RUN("query", db, "--sql", hostile[i]), 2);
        struct outcome o = RUN("plot", db, "-o", dir); /* prints the paths as they are, for programs */
        assert_int_equal(o.code == 0 || strstr(o.err, "gnuplot is not in PATH"), 1);
        outcome_release(&o);
        assert_int_not_equal(access("executed", F_OK), 0);
    }
}

/* The classes' names in the answer of eval. */
static void test_hostile_classes(void **state)
{
    (void)state;
    char db[160];
    snprintf(db, sizeof db, "%s.db", hostile[0]);
    struct json_object *rows = JSON("query", db, "--format", "json", "--sql", "SELECT checkpoint FROM trial");
    const char *checkpoint = json_text_at(json_row(rows, 0), "checkpoint");
    expect_tame(RUN("eval", checkpoint, "--data", "photos", "--predictions", "predictions.csv"), 0);
    json_object_put(rows);
    /* In the file they stand as they are. */
    FILE *f = fopen("predictions.csv", "r");
    char text[8192] = "";
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    assert_holds(text, "\"a'b\"\"$(touch executed)`touch executed`;touch executed\"");
    assert_holds(text, "\x1b[31m");
}

/* The commands that run tells the user to type, typed: they name the same file and do nothing else. */
static void test_commands_can_be_pasted(void **state)
{
    (void)state;
    for (int i = 0; i < HOSTILE; i++) {
        char spec[160], db[160];
        snprintf(spec, sizeof spec, "%s.yaml", hostile[i]);
        snprintf(db, sizeof db, "%s.db", hostile[i]);
        struct outcome o = RUN("run", spec, "--db", db);
        assert_int_equal(o.code, 0);
        const char *command = strstr(o.err, "  firesweep query ");
        assert_non_null(command);
        FILE *script = fopen("pasted", "w");
        assert_non_null(script);
        fprintf(script, "firesweep() { printf %%s \"$2\" > shown; }\n%.*s\n", (int)strcspn(command, "\n"),
                command);
        assert_int_equal(fclose(script), 0);
        outcome_release(&o);
        if (system("bash pasted") != 0)
            fail_msg("bash cannot run the command");
        assert_file_holds("shown", db);
        assert_int_not_equal(access("executed", F_OK), 0);
    }
}

/* A link where a file is to be written does not lead the program out of its folder. */
static void test_links_are_not_followed(void **state)
{
    (void)state;
    spec_write("linked", "sweep: [{id: b, grid: {SR: [0.5]}}]\ntrain: {epochs: 1, batch: 16}\n");
    text_write("victim", "kept");
    assert_int_equal(run("linked", "linked"), 0);

    /* Figures: a link at the temporary file's place is refused, one at the file's place is replaced. */
    struct outcome o = RUN("plot", "linked.db", "curve", "-o", "figures");
    if (strstr(o.err, "gnuplot is not in PATH"))
        skip();
    assert_int_equal(o.code, 0);
    char *figure = strndup(o.out, strcspn(o.out, "\n")), temporary[256];
    outcome_release(&o);
    snprintf(temporary, sizeof temporary, "%s.tmp", figure);
    assert_int_equal(symlink("../victim", temporary), 0);
    o = RUN("plot", "linked.db", "curve", "-o", "figures");
    assert_int_equal(o.code, 1);
    assert_holds(o.err, temporary);
    outcome_release(&o);
    assert_int_equal(unlink(temporary), 0);
    assert_int_equal(unlink(figure), 0);
    assert_int_equal(symlink("../victim", figure), 0);
    expect_tame(RUN("plot", "linked.db", "curve", "-o", "figures"), 0);
    struct stat info;
    assert_int_equal(lstat(figure, &info), 0);
    assert_true(S_ISREG(info.st_mode));
    free(figure);
    assert_file_holds("victim", "kept");
}

/* Ctrl-C ends a query that would never end, while it writes and while it only computes. */
static void test_a_query_can_be_interrupted(void **state)
{
    (void)state;
    static const char *const endless[] = {
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 20000 OR "
        "i < 0",
    };
    for (int i = 0; i < 2; i++) {
        int ends[2], status;
        char first[1024];
        assert_int_equal(pipe(ends), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            close(ends[0]);
            program_become(
                ends[1], ends[1],
                (const char *const[]){"query", "linked.db", "--format", "csv", "--sql", endless[i], NULL});
        }
        close(ends[1]);
        assert_true(read(ends[0], first, sizeof first) > 0); /* it has begun */
        assert_int_equal(kill(pid, SIGINT), 0);
        while (read(ends[0], first, sizeof first) > 0)
            ;
        close(ends[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    }
    assert_int_equal(db_int("linked", "SELECT count(*) FROM trial WHERE state = 'done'"), 1);
}

/* A relative data.path counts from the working directory, wherever the spec is; nothing is written beside the
 * spec. */
static void test_relative_paths(void **state)
{
    (void)state;
    assert_int_equal(mkdir("specs", 0777), 0);
    assert_int_equal(mkdir("elsewhere", 0777), 0);
    spec_write("specs/s", "sweep: [{id: b, grid: {SR: [0.5]}}]\ntrain: {epochs: 1, batch: 16}\n");
    text_write("specs/r.yaml",
               "version: 1\nname: r\ndata: {format: idx, path: data, val: 80}\n"
               "base: {preset: small32, input: 1x12x12, classes: 4, conv1_filters: 4, base_e: 4}\n"
               "train: {epochs: 1, batch: 16}\n");
    assert_int_equal(chdir("elsewhere"), 0);
    EXPECT_ERROR(2, "../specs/r.yaml:3:", "run", "../specs/r.yaml"); /* there is no elsewhere/data */
    assert_int_equal(count_files(".", ""), 0);
    assert_int_equal(chdir(".."), 0);
    expect_tame(RUN("run", "specs/r.yaml"), 0);
    assert_int_equal(access("results/r.db", F_OK), 0);
    assert_int_equal(count_files("specs", ""), 2); /* the specs */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_names),
        cmocka_unit_test(test_hostile_classes),
        cmocka_unit_test(test_commands_can_be_pasted),
        cmocka_unit_test(test_links_are_not_followed),
        cmocka_unit_test(test_a_query_can_be_interrupted),
        cmocka_unit_test(test_relative_paths),
    };
    return cmocka_run_group_tests(tests, sandbox_setup, sandbox_teardown);
}
