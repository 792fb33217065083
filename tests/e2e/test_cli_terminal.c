/* What the program shows on a terminal: a pseudo-terminal of 60 columns. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "program.h"
#include "synthetic.h"

enum { WIDTH = 60, NARROW = 40, HEIGHT = 20 };
static unsigned short terminal_width = WIDTH;

static int group_setup(void **state)
{
    struct err e = ERR_INIT;
    if (folder_enter(state, "terminal") != 0 || synthetic_idx("data", 4, 100, 25, 12, 1, &e) != ST_OK)
        return -1;
    text_write("sweep.yaml",
               "version: 1\nname: sweep\ndata: {format: idx, path: data, val: 80}\n"
               "base: {preset: small32, input: 1x12x12, classes: 4, conv1_filters: 8, base_e: 8, incr_e: 4}\n"
               "sweep: [{id: sr, grid: {SR: [0.25, 0.5]}}]\ntrain: {epochs: 2, batch: 16, lr: 0.02}\n");
    return 0;
}

/* Runs the program with all streams on a terminal; what it writes, with lines ending in LF. */
static char *terminal_exit(int code, const char *terminal, const char *no_color, const char *const *arguments)
{
    struct winsize size = {.ws_col = terminal_width, .ws_row = HEIGHT};
    int master = posix_openpt(O_RDWR | O_NOCTTY), status;
    assert_true(master >= 0);
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(slave >= 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        setenv("TERM", terminal, 1);
        if (no_color)
            setenv("NO_COLOR", no_color, 1);
        else
            unsetenv("NO_COLOR");
        close(master);
        program_become(slave, slave, arguments);
    }
    close(slave);
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    char c;
    while (read(master, &c, 1) == 1) /* EIO when the last writer is gone */
        if (c != '\r')
            putc(c, out);
    fclose(out);
    close(master);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), code);
    return text;
}

static char *terminal_run(const char *terminal, const char *no_color, const char *const *arguments)
{
    return terminal_exit(0, terminal, no_color, arguments);
}

/* The longest line, escape sequences not counted. */
static int longest_line(const char *text)
{
    int longest = 0, length = 0;
    for (; *text; text++) {
        if (*text == '\x1b') {
            text += strcspn(text, "mJAK"); /* the sequences the display uses end in one of these */
            continue;
        }
        length = *text == '\n' ? 0 : length + 1;
        longest = length > longest ? length : longest;
    }
    return longest;
}

static void test_run_draws_a_block(void **state)
{
    (void)state;
    char *text =
        terminal_run("xterm", NULL, (const char *const[]){"run", "sweep.yaml", "--db", "a.db", NULL});
    assert_holds(text, "\x1b[1msweep\x1b[0m  ["); /* the head */
    assert_holds(text, " of 2 trials done");      /* its second line */
    assert_holds(text, "\x1b[J");                 /* drawn over the last block */
    assert_holds(text, "[2/2] sr SR=");           /* lines of finished trials stay */
    assert_holds(text, "\x1b[32m[1/2] sr SR=");   /* in colour */
    assert_holds(text, "2 of 2 trials done; results are in a.db\n");
    assert_null(strstr(text, "epoch 1/2, train loss")); /* no log lines */
    free(text);
}

/* The end of a name tells trials apart. */
static void test_long_names_keep_their_end(void **state)
{
    (void)state;
    text_write("long.yaml",
               "version: 1\nname: long\ndata: {format: idx, path: data, val: 80}\n"
               "base: {preset: small32, input: 1x12x12, classes: 4, conv1_filters: 8, base_e: 8, incr_e: 4}\n"
               "sweep: [{id: a-block-with-a-name-of-many-letters, grid: {SR: [0.25], pct3x3: [0.5]}}]\n"
               "train: {epochs: 2, batch: 16, lr: 0.02}\n");
    char *text =
        terminal_run("xterm", "1", (const char *const[]){"run", "long.yaml", "--db", "long.db", NULL});
    assert_holds(text, "\n  \xE2\x80\xA6"
                       "ers SR=0.25 pct3x3=0.5 seed 1  epoch 1/2");
    free(text);
}

static void test_no_color_is_honoured(void **state)
{
    (void)state;
    char *text = terminal_run("xterm", "1", (const char *const[]){"run", "sweep.yaml", "--db", "b.db", NULL});
    assert_holds(text, "\x1b[J");
    for (const char *s = text; (s = strchr(s, '\x1b')); s++) /* moves only */
        assert_true(s[1 + strcspn(s + 1, "mJA")] != 'm');
    free(text);
}

static void test_a_dumb_terminal_gets_lines(void **state)
{
    (void)state;
    char *text = terminal_run("dumb", NULL, (const char *const[]){"run", "sweep.yaml", "--db", "c.db", NULL});
    assert_null(strchr(text, '\x1b'));
    assert_holds(text, "epoch 1/2, train loss ");
    free(text);
}

static void test_tables_fit_the_terminal(void **state)
{
    (void)state;
    static const char *const tables[][5] = {{"derive", NULL},
                                            {"derive", "--bypass", "complex", NULL},
                                            {"plan", "sweep.yaml", "--only", "trials", NULL},
                                            {"query", "a.db", "leaderboard", NULL},
                                            {"query", "a.db", "trials", NULL},
                                            {"status", "a.db", NULL}};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char *text = terminal_run("xterm", NULL, tables[i]);
        assert_in_range(longest_line(text), 20, WIDTH);
        assert_null(strchr(text, '\x1b'));
        free(text);
    }
}

/* What is allowed comes in lines of its own, broken between words; commands to paste are not broken. */
static void test_messages_break_between_words(void **state)
{
    (void)state;
    text_write(
        "wrong.yaml",
        "version: 1\nname: s\ndata: {format: idx, path: data}\ntrain: {epoch: 2}\nsweep: [{id: sr}]\n");
    char *text = terminal_exit(2, "xterm", NULL, (const char *const[]){"plan", "wrong.yaml", NULL});
    assert_holds(
        text, "unknown key \"epoch\", did\n    you mean epochs?; allowed: epochs, batch, accumulate,\n    ");
    assert_holds(text, "lr, schedule,");
    assert_null(strstr(text, ", \n"));
    assert_in_range(longest_line(strchr(text, '\n')), 20, WIDTH);
    free(text);
    text = terminal_exit(1, "xterm", NULL, (const char *const[]){"validate", "wrong.yaml", NULL});
    assert_holds(text,
                 "wrong.yaml:4:9: train: unknown key \"epoch\", did you mean\n    epochs?; allowed: epochs,");
    free(text);
    text = terminal_exit(2, "xterm", NULL, (const char *const[]){"status", "sweep.yaml", NULL});
    assert_holds(text, "first: firesweep run sweep.yaml\n");
    free(text);
}

/* On a terminal a query's rows go through $PAGER; an empty one or cat means none. */
static void test_queries_page(void **state)
{
    (void)state;
    setenv("PAGER", "sed 's/^/paged /'", 1);
    char *text = terminal_run("xterm", NULL, (const char *const[]){"query", "a.db", "fires", NULL});
    assert_holds(text, "paged variant");
    free(text);
    setenv("PAGER", "no-such-pager -x", 1); /* the shell says so, and nothing is lost */
    text = terminal_run("xterm", NULL, (const char *const[]){"query", "a.db", "fires", NULL});
    assert_holds(text, "no-such-pager");
    assert_holds(text, "\nvariant");
    free(text);
    setenv("PAGER", "", 1);
    text = terminal_run("xterm", NULL, (const char *const[]){"query", "a.db", "fires", NULL});
    assert_int_equal(strncmp(text, "variant", 7), 0);
    free(text);
    setenv("PAGER", "cat", 1);
}

static void test_plans_page(void **state)
{
    (void)state;
    setenv("PAGER", "false", 1);
    setenv("FIRESWEEP_PAGER", "sed 's/^/paged /'", 1); /* goes before the other */
    char *text = terminal_run("xterm", NULL, (const char *const[]){"plan", "sweep.yaml", NULL});
    assert_holds(text, "paged trial");
    assert_holds(text, "\npaged block");
    free(text);
    text = terminal_run("xterm", NULL, (const char *const[]){"plan", "--reference", NULL});
    assert_int_equal(strncmp(text, "paged #", 7), 0);
    free(text);
    unsetenv("FIRESWEEP_PAGER");
    setenv("PAGER", "cat", 1);
}

/* Control-C is the pager's: its parent waits for it, as the shell would take the terminal back. */
static void test_an_interrupt_waits_for_the_pager(void **state)
{
    (void)state;
    setenv("PAGER", "kill -INT $PPID; sleep 0.2; sed 's/^/paged /'", 1);
    char *text =
        terminal_exit(128 + SIGINT, "xterm", NULL, (const char *const[]){"plan", "sweep.yaml", NULL});
    assert_holds(text, "paged trial");
    assert_holds(text, "paged sweep");
    free(text);
    setenv("PAGER", "cat", 1);
}

/* What fails before it has written anything shows its error, and no pager. */
static void test_failures_do_not_page(void **state)
{
    (void)state;
    setenv("PAGER", "echo a pager", 1);
    char *text = terminal_exit(2, "xterm", NULL,
                               (const char *const[]){"query", "a.db", "trials", "--where", "fun = 1", NULL});
    assert_holds(text, "fun");
    assert_null(strstr(text, "a pager"));
    free(text);
    text = terminal_exit(2, "xterm", NULL,
                         (const char *const[]){"plan", "sweep.yaml", "--only", "nonsense", NULL});
    assert_holds(text, "nonsense");
    assert_null(strstr(text, "a pager"));
    free(text);
    setenv("PAGER", "cat", 1);
}

/* CSV is for programs, who get it as it is; people get it escaped. */
static void test_csv_does_not_steer_the_terminal(void **state)
{
    (void)state;
    static const char *const arguments[] = {
        "query",
        "a.db",
        "--format",
        "csv",
        "--sql",
        "SELECT char(27) || '[2J' AS x, 'say \"hi\", ' || char(155) AS \"y\"\"\x1b\", 'plain' AS z",
        NULL};
    char *text = terminal_run("xterm", NULL, arguments);
    assert_string_equal(text, "x,\"y\"\"\\x1b\",z\n\\x1b[2J,\"say \"\"hi\"\", \\u009b\",plain\n");
    free(text);
}

/* Stops a run some time after the first epoch, in a process of its own; that process. */
static pid_t stop_later(pid_t run)
{
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        sleep(4);
        _exit(kill(run, SIGTERM) == 0 ? 0 : 1);
    }
    return pid;
}

/* How long it will take still fits into 40 columns, and how far each training is. The training is longer than
 * any test, and stopped: so the first look finds an epoch done and more to do, however quick the machine is.
 */
static void test_watch_on_a_narrow_terminal(void **state)
{
    (void)state;
    int status, stopped;
    text_write("watched.yaml",
               "version: 1\nname: watched\ndata: {format: idx, path: data, val: 80}\n"
               "base: {preset: small32, input: 1x12x12, classes: 4, conv1_filters: 8, base_e: 8, incr_e: 4}\n"
               "sweep: [{id: a-name-that-is-rather-long, grid: {SR: [0.25]}}]\n"
               "train: {epochs: 9000, batch: 16}\nrun: {threads: 1, measure: false}\n");
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const int null = open("/dev/null", O_WRONLY);
        program_become(null, null, (const char *const[]){"run", "watched.yaml", "--db", "watched.db", NULL});
    }
    for (bool runs = false; !runs; usleep(1000)) {
        struct outcome o = RUN("query", "watched.db", "epochs", "--limit", "1", "--format", "csv");
        runs = strstr(o.out, "\n1,1,");
        outcome_release(&o);
    }
    const pid_t stopper = stop_later(pid);
    terminal_width = NARROW;
    char *text = terminal_run("xterm", "1", (const char *const[]){"status", "watched.db", "--watch", NULL});
    terminal_width = WIDTH;
    assert_int_equal(waitpid(stopper, &stopped, 0), stopper);
    assert_true(WIFEXITED(stopped) && WEXITSTATUS(stopped) == 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1); /* interrupted */
    assert_holds(text, "0 of 1 trial finished, ETA 0:");
    assert_holds(text, " of 9000 epochs");
    assert_holds(text, "\nno run is at work; the same firesweep");
    assert_in_range(longest_line(text), 20, NARROW);
    free(text);
}

int main(void)
{
    setenv("PAGER", "cat", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_draws_a_block),
        cmocka_unit_test(test_long_names_keep_their_end),
        cmocka_unit_test(test_no_color_is_honoured),
        cmocka_unit_test(test_a_dumb_terminal_gets_lines),
        cmocka_unit_test(test_tables_fit_the_terminal),
        cmocka_unit_test(test_messages_break_between_words),
        cmocka_unit_test(test_queries_page),
        cmocka_unit_test(test_plans_page),
        cmocka_unit_test(test_an_interrupt_waits_for_the_pager),
        cmocka_unit_test(test_failures_do_not_page),
        cmocka_unit_test(test_csv_does_not_steer_the_terminal),
        cmocka_unit_test(test_watch_on_a_narrow_terminal),
    };
    return cmocka_run_group_tests(tests, group_setup, folder_leave);
}
