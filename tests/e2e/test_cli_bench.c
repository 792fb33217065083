/* firesweep bench on networks small enough to take no time: what it reports, not how fast it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "program.h"

#define SMALL                                                                                              \
    "--base-e", "8", "--input", "3x16x16", "--batch", "16", "--repeat", "1", "--threads", "2", "--format", \
        "json"

static void test_figure3(void **state)
{
    (void)state;
    static const char *const names[] = {"sr0.125", "sr0.25",   "sr0.5",   "sr0.75",   "sr1.0",
                                        "pct0.01", "pct0.125", "pct0.25", "pct0.375", "pct0.625",
                                        "pct0.75", "pct0.875", "pct0.99"};
    struct json_object *rows = JSON("bench", "--figure3", SMALL);
    assert_int_equal(json_object_array_length(rows), 13);
    for (size_t i = 0; i < 13; i++) {
        struct json_object *row = json_row(rows, i);
        assert_string_equal(json_text_at(row, "variant"), names[i]);
        const double train = json_double_at(row, "train_img_s"), macs = (double)json_int_at(row, "macs");
        const double peak = json_double_at(row, "fma_gflops") * 1e9;
        assert_true(train > 0 && json_double_at(row, "infer_img_s") > 0 && macs > 0 && peak > 0);
        assert_true(json_int_at(row, "params") > 0 && json_int_at(row, "threads") == 2 &&
                    json_int_at(row, "batch") == 16);
        const double fraction = json_double_at(row, "peak_fraction");
        assert_true(fraction > 0.999999 * 6 * macs * train / peak &&
                    fraction < 1.000001 * 6 * macs * train / peak);
    }
    json_object_put(rows);
}

/* The numbers of operations are those of derive. */
static void test_layers(void **state)
{
    (void)state;
    struct json_object *rows = JSON("bench", "--layers", "--variant", "pct0.99", SMALL);
    struct json_object *first = json_row(rows, 0);
    assert_string_equal(json_text_at(first, "layer"), "conv1");
    assert_int_equal(json_int_at(first, "macs"), 16 * 16 * 9 * 3 * 96);
    assert_null(json_object_object_get(first, "data_gradient_gflops"));
    for (size_t i = 1; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_row(rows, i);
        assert_true(json_double_at(row, "forward_gflops") > 0 &&
                    json_double_at(row, "data_gradient_gflops") > 0 &&
                    json_double_at(row, "weight_gradient_gflops") > 0);
    }
    json_object_put(rows);
}

static void test_mistakes(void **state)
{
    (void)state;
    EXPECT_ERROR(2, "bench: --figure3 and --layers: only one of them", "bench", "--figure3", "--layers");
    EXPECT_ERROR(2, "--variant: \"sr2\" is unknown", "bench", "--variant", "sr2");
    EXPECT_ERROR(2, "bench: --input: ", "bench", "--input", "3x0x2");
    EXPECT_ERROR(2, "shrinks to nothing", "bench", "--input", "3x2x2", "--repeat", "1");
    EXPECT_ERROR(2, "bench: --batch", "bench", "--batch", "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_figure3), cmocka_unit_test(test_layers),
                                       cmocka_unit_test(test_mistakes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
