/* firesweep report as a command: where the page goes, and what it refuses. One sweep is trained for all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "program.h"
#include "synthetic.h"

static const char spec_text[] =
    "version: 1\n"
    "name: tiny\n"
    "data: {format: idx, path: data, val: 80}\n"
    "base: {preset: small32, input: 1x12x12, classes: 4, conv1_filters: 8, base_e: 8, incr_e: 4}\n"
    "sweep: [{id: sr, grid: {SR: [0.25, 0.5, 1.0]}}]\n"
    "seeds: [1, 2]\n"
    "train: {epochs: 2, batch: 16, lr: 0.02}\n";

static int group_setup(void **state)
{
    struct err e = ERR_INIT;
    if (folder_enter(state, "html") != 0 || synthetic_idx("data", 4, 100, 25, 12, 1, &e) != ST_OK)
        return -1;
    text_write("tiny.yaml", spec_text);
    struct outcome o = RUN("run", "tiny.yaml", "--db", "tiny.db");
    const int code = o.code;
    if (code != 0)
        print_error("%s", o.err);
    outcome_release(&o);
    return code;
}

static void assert_page(const char *text, const char *title)
{
    char heading[128];
    snprintf(heading, sizeof heading, "<h1>%s</h1>", title);
    assert_int_equal(strncmp(text, "<!doctype html>\n", 16), 0);
    assert_holds(text, heading);
    assert_holds(text, "6 done");
    assert_holds(text, "\"layers\":[[\"conv1\",\"conv\"");
    assert_holds(text, "Spec of tiny");
    assert_string_equal(text + strlen(text) - 16, "</body>\n</html>\n");
}

static void test_where_the_page_goes(void **state)
{
    (void)state;
    struct outcome o = RUN("report", "tiny.db");
    assert_int_equal(o.code, 0);
    assert_string_equal(o.out, "report.html\n");
    outcome_release(&o);
    char *text = text_read("report.html");
    assert_page(text, "tiny");
    free(text);

    o = RUN("report", "tiny.db", "-o", "named.html", "--title", "Small & <quick>");
    assert_string_equal(o.out, "named.html\n");
    outcome_release(&o);
    text = text_read("named.html");
    assert_page(text, "Small &amp; &lt;quick&gt;");
    free(text);
    assert_false(file_exists("named.html.tmp"));

    o = RUN("report", "tiny.db", "--output=-");
    assert_int_equal(o.code, 0);
    assert_page(o.out, "tiny");
    outcome_release(&o);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    EXPECT_ERROR(2, "expected DB", "report");
    EXPECT_ERROR(1, "nowhere.db", "report", "nowhere.db");
    EXPECT_ERROR(2, "is the database itself", "report", "tiny.db", "-o", "./tiny.db");
    EXPECT_ERROR(1, "no/such/folder", "report", "tiny.db", "-o", "no/such/folder/page.html");
    struct json_object *rows = JSON("query", "tiny.db", "trials", "--format", "json");
    assert_int_equal(json_object_array_length(rows), 6);
    json_object_put(rows);

    /* The page of before stays when there is no new one. */
    text_write("kept.html", "before");
    EXPECT_ERROR(2, "tiny.yaml", "report", "tiny.yaml", "-o", "kept.html");
    char *text = text_read("kept.html");
    assert_string_equal(text, "before");
    free(text);
    struct outcome o =
        program_run_to("/dev/full", (const char *const[]){"report", "tiny.db", "-o", "-", NULL});
    assert_int_equal(o.code, 1);
    outcome_release(&o);
}

static void test_reading_changes_nothing(void **state)
{
    (void)state;
    const long long before = file_mtime_ns("tiny.db");
    struct outcome o = RUN("report", "tiny.db", "-o", "again.html");
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    assert_true(file_mtime_ns("tiny.db") == before);
    assert_false(file_exists("tiny.db-wal"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_the_page_goes),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_reading_changes_nothing),
    };
    return cmocka_run_group_tests(tests, group_setup, folder_leave);
}
