#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cmocka_all.h"

static void set_records_status_and_text(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    assert_int_equal(err_set(&e, ST_USAGE, "SR: %g, allowed is %s", 1.5, "0 < SR <= 1"), ST_USAGE);
    assert_int_equal(e.status, ST_USAGE);
    assert_string_equal(e.text, "SR: 1.5, allowed is 0 < SR <= 1");
}

static void null_err_still_gives_status(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, ST_CORRUPT, "x"), ST_CORRUPT);
    errno = ENOSPC;
    assert_int_equal(err_errno(NULL, "x"), ST_NOSPACE);
    assert_int_equal(err_prefix(NULL, "x"), ST_FAILED);
}

static void errno_gives_status_and_reason(void **state)
{
    (void)state;
    static const struct {
        int number;
        enum status status;
    } cases[] = {{ENOMEM, ST_NOMEM},
                 {ENOSPC, ST_NOSPACE},
                 {EDQUOT, ST_NOSPACE},
                 {EBUSY, ST_BUSY},
                 {ENOENT, ST_FAILED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = ERR_INIT;
        char expected[256];
        snprintf(expected, sizeof expected, "cannot open a: %s", strerror(cases[i].number));
        errno = cases[i].number;
        assert_int_equal(err_errno(&e, "cannot open %s", "a"), cases[i].status);
        assert_int_equal(e.status, cases[i].status);
        assert_string_equal(e.text, expected);
    }
}

static void prefix_keeps_status(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    err_set(&e, ST_CORRUPT, "bad header");
    assert_int_equal(err_prefix(&e, "%s:%d", "file.idx", 4), ST_CORRUPT);
    assert_string_equal(e.text, "file.idx:4: bad header");
}

static void long_text_is_cut(void **state)
{
    (void)state;
    char longer[2000];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    struct err e = ERR_INIT;
    err_set(&e, ST_FAILED, "%s", longer);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    err_prefix(&e, "front");
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    assert_memory_equal(e.text, "front: aaa", 10);
    errno = ENOENT;
    err_errno(&e, "%s", longer);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
}

static void text_is_one_line(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    err_set(&e, ST_FAILED, "no file \"a\nb\r\"");
    assert_string_equal(e.text, "no file \"a b \"");
}

static void exit_codes(void **state)
{
    (void)state;
    assert_int_equal(err_exit_code(ST_OK), 0);
    assert_int_equal(err_exit_code(ST_USAGE), 2);
    static const enum status others[] = {ST_FAILED, ST_NOMEM, ST_NOSPACE, ST_CORRUPT, ST_INTERRUPTED};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(err_exit_code(others[i]), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_records_status_and_text),
        cmocka_unit_test(null_err_still_gives_status),
        cmocka_unit_test(errno_gives_status_and_reason),
        cmocka_unit_test(prefix_keeps_status),
        cmocka_unit_test(long_text_is_cut),
        cmocka_unit_test(text_is_one_line),
        cmocka_unit_test(exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
