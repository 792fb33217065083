#include <fcntl.h>
#include <regex.h>
#include <unistd.h>

#include "base/log.h"
#include "scratch.h"

enum { CAPTURE = 8192 };

/* Runs `speak` with standard error in `fd`; afterwards it is where it was. */
static void with_stderr(int fd, void (*speak)(void))
{
    fflush(stderr);
    int kept = dup(STDERR_FILENO);
    assert_true(kept >= 0);
    dup2(fd, STDERR_FILENO);
    speak();
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
}

static void capture(void **state, void (*speak)(void), char out[CAPTURE])
{
    scratch_path path;
    int fd = open(scratch_name(path, state, "log"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    with_stderr(fd, speak);
    ssize_t n = pread(fd, out, CAPTURE - 1, 0);
    assert_true(n >= 0);
    out[n] = '\0';
    close(fd);
}

static void assert_matches(const char *text, const char *pattern)
{
    regex_t compiled;
    assert_int_equal(regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB), 0);
    int status = regexec(&compiled, text, 0, NULL, 0);
    regfree(&compiled);
    if (status != 0)
        fail_msg("\"%s\" does not match \"%s\"", text, pattern);
}

static void speak_all_levels(void)
{
    log_line(LOG_ERROR, "e%d", 1);
    log_line(LOG_WARN, "w%s", "2");
    log_line(LOG_INFO, "i3");
    log_line(LOG_DEBUG, "d4");
}

#define STAMP "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} "

static void levels_and_stamps(void **state)
{
    char text[CAPTURE];
    capture(state, speak_all_levels, text); /* the default */
    assert_matches(text, "^" STAMP "error: e1\n" STAMP "warning: w2\n" STAMP "i3\n$");
    log_set_level(LOG_DEBUG);
    capture(state, speak_all_levels, text);
    assert_matches(text, "i3\n" STAMP "debug: d4\n$");
    log_set_level(LOG_ERROR);
    capture(state, speak_all_levels, text);
    assert_matches(text, "^" STAMP "error: e1\n$");
    log_set_level(LOG_INFO);
}

static void speak_long(void)
{
    log_line(LOG_INFO, "%5000d", 1);
    log_line(LOG_INFO, "next");
}

static void long_lines_are_cut_not_lost(void **state)
{
    char text[CAPTURE];
    capture(state, speak_long, text);
    assert_true(strlen(text) > 2000 && strlen(text) < 2200);
    assert_matches(text, "\n" STAMP "next\n$");
}

static void speak_controls(void)
{
    log_line(LOG_INFO, "%s",
             "a\x1b[31m\nb\x7f\xc2\x9b"
             "2J \xc3\xa9\xc2\xa0.");
}

static void controls_do_not_get_through(void **state)
{
    char text[CAPTURE];
    capture(state, speak_controls, text);
    assert_non_null(strstr(text, " a?[31m?b???2J \xc3\xa9\xc2\xa0.\n"));
}

static void speak_once(void)
{
    log_line(LOG_WARN, "look");
}

static void no_stamp_on_a_terminal(void **state)
{
    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
        skip();
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (terminal < 0) {
        close(master);
        skip();
    }
    char text[256];
    with_stderr(terminal, speak_once);
    ssize_t n = read(master, text, sizeof text - 1);
    assert_true(n > 0);
    text[n] = '\0';
    assert_string_equal(text, "warning: look\r\n");
    close(terminal);
    close(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_and_stamps),
        cmocka_unit_test(long_lines_are_cut_not_lost),
        cmocka_unit_test(controls_do_not_get_through),
        cmocka_unit_test(no_stamp_on_a_terminal),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
