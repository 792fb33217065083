/* firesweep paper without a database: what follows from the paper's arithmetic, and the text around it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "program.h"

static void test_table_1_is_exact(void **state)
{
    (void)state;
    struct json_object *rows = JSON("paper", "--only", "layers", "--format", "json");
    assert_int_equal(json_object_array_length(rows), 11);
    for (size_t i = 0; i < 11; i++)
        assert_int_equal(json_int_at(json_row(rows, i), "difference"), 0);
    assert_int_equal(json_int_at(json_row(rows, 10), "params"), 1248424);
    json_object_put(rows);
}

static void test_sizes_agree_but_for_one(void **state)
{
    (void)state;
    struct json_object *rows = JSON("paper", "--only", "sizes", "--format", "json");
    assert_int_equal(json_object_array_length(rows), 14);
    for (size_t i = 0; i < 14; i++) {
        struct json_object *row = json_row(rows, i);
        const bool exception = strcmp(json_text_at(row, "axis"), "pct3x3") == 0 &&
                               fabs(json_double_at(row, "value") - 0.375) < 1e-9;
        assert_string_equal(json_text_at(row, "agrees"), exception ? "no" : "yes");
    }
    json_object_put(rows);
}

static void test_bypass_arithmetic(void **state)
{
    (void)state;
    struct json_object *rows = JSON("paper", "--only", "bypass", "--format", "json");
    assert_int_equal(json_int_at(json_row(rows, 1), "params"), 1248424);
    assert_int_equal(json_int_at(json_row(rows, 2), "params"), 1589672);
    json_object_put(rows);
}

static void test_text_has_no_measurements(void **state)
{
    (void)state;
    struct outcome o = RUN("paper");
    assert_int_equal(o.code, 0);
    assert_string_equal(o.err, "");
    assert_holds(o.out, "Table 1");
    assert_holds(o.out, "37.5 %");
    assert_holds(o.out, "7.7 MB");
    assert_null(strstr(o.out, "Claims"));
    outcome_release(&o);
    EXPECT_ERROR(1, "nowhere.db", "paper", "nowhere.db");
    EXPECT_ERROR(2, "allowed are layers, sizes", "paper", "--only", "nothing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_1_is_exact),
        cmocka_unit_test(test_sizes_agree_but_for_one),
        cmocka_unit_test(test_bypass_arithmetic),
        cmocka_unit_test(test_text_has_no_measurements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
