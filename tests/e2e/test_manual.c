/* What every command has: help with an example, its section of the manual page, and exit codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "program.h"

enum { MOST_COMMANDS = 32, NAME = 32 };

static char commands[MOST_COMMANDS][NAME];
static int command_count;

/* The commands that `firesweep --help` lists. */
static int setup(void **state)
{
    (void)state;
    struct outcome o = RUN("--help");
    const char *line = strstr(o.out, "Commands:\n");
    for (line = line ? strchr(line, '\n') + 1 : ""; strncmp(line, "  ", 2) == 0;
         line = strchr(line, '\n') + 1)
        if (command_count < MOST_COMMANDS && line[2] != ' ') /* else a summary goes on */
            snprintf(commands[command_count++], NAME, "%.*s", (int)strcspn(line + 2, " "), line + 2);
    outcome_release(&o);
    return command_count >= 15 && command_count < MOST_COMMANDS ? 0 : -1;
}

static void test_every_command_has_help_with_an_example(void **state)
{
    (void)state;
    for (int i = 0; i < command_count; i++) {
        char text[2 * NAME];
        struct outcome o = RUN(commands[i], "--help");
        assert_int_equal(o.code, 0);
        assert_string_equal(o.err, "");
        snprintf(text, sizeof text, "Usage: firesweep %.31s", commands[i]);
        assert_holds(o.out, text);
        const char *examples = strstr(o.out, "\nExamples:\n");
        assert_non_null(examples);
        snprintf(text, sizeof text, "\n  firesweep %.31s", commands[i]);
        assert_holds(examples, text);
        outcome_release(&o);
    }
}

static void test_wrong_usage_is_2(void **state)
{
    (void)state;
    for (int i = 0; i < command_count; i++) {
        EXPECT_ERROR(2, "unknown option", commands[i], "--no-such-option");
        EXPECT_ERROR(2, commands[i], commands[i], "--no-such-option");
        struct outcome o = RUN(commands[i], "--help");
        const bool has_format = strstr(o.out, "--format=");
        const bool takes_file = strstr(o.out, "[OPTION...] ");
        outcome_release(&o);
        if (has_format)
            EXPECT_ERROR(2, "allowed are table, csv, json", commands[i], "--format=xml",
                         takes_file ? "x" : NULL);
    }
    EXPECT_ERROR(2, "no command", NULL);
    EXPECT_ERROR(2, "unknown command \"nonsense\", see", "nonsense");
    EXPECT_ERROR(2, "unknown command \"staus\", did you mean status?", "staus");
    EXPECT_ERROR(2, "unknown command \"nonsense\"", "help", "nonsense");
    struct outcome asked = RUN("help", "run"), itself = RUN("run", "--help");
    assert_int_equal(asked.code, 0);
    assert_string_equal(asked.out, itself.out);
    outcome_release(&asked);
    outcome_release(&itself);
}

/* Every option of every command's help stands in the command's section of the page. */
static void test_manual_page_is_complete(void **state)
{
    (void)state;
    struct outcome page = RUN("--man");
    assert_int_equal(page.code, 0);
    for (int i = 0; i < command_count; i++) {
        char text[2 * NAME], option[NAME];
        snprintf(text, sizeof text, "\n.SS %.31s\n", commands[i]);
        char *section = strstr(page.out, text);
        assert_non_null(section);
        char *end = strstr(section + 1, "\n.S");
        assert_non_null(end);
        *end = '\0';
        struct outcome help = RUN(commands[i], "--help");
        for (const char *p = strstr(help.out, "  --"); p; p = strstr(p + 1, "  --")) {
            const size_t n = strspn(p + 4, "abcdefghijklmnopqrstuvwxyz0123456789");
            snprintf(option, sizeof option, "\\-\\-%.*s", (int)n, p + 4);
            assert_holds(section, option);
        }
        outcome_release(&help);
        *end = '\n';
    }
    assert_holds(page.out, "\n.SH EXIT STATUS\n");
    assert_holds(page.out, "NO_COLOR");
    outcome_release(&page);
}

/* Neither formatter finds anything to complain about; each is asked where it is installed. */
static void test_manual_page_renders_without_warnings(void **state)
{
    (void)state;
    char path[] = "/tmp/firesweep-test-XXXXXX", command[256];
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct outcome o = program_run_to(path, (const char *const[]){"--man", NULL});
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    int asked = 0;
    if (system("command -v mandoc > /dev/null") == 0) {
        snprintf(command, sizeof command, "mandoc -Tlint -W warning %s", path);
        assert_int_equal(system(command), 0);
        asked++;
    }
    if (system("command -v man groff > /dev/null") == 0) {
        snprintf(command, sizeof command,
                 "! LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -l %s 2>&1 >/dev/null | grep .", path);
        assert_int_equal(system(command), 0);
        asked++;
    }
    unlink(path);
    if (asked == 0) {
        print_message("neither man nor mandoc is here: the page was not rendered\n");
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_command_has_help_with_an_example),
        cmocka_unit_test(test_wrong_usage_is_2),
        cmocka_unit_test(test_manual_page_is_complete),
        cmocka_unit_test(test_manual_page_renders_without_warnings),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
