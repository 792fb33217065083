/* Tables as text, CSV and JSON: exact bytes, worked out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "report/table.h"

/* Formats rows x count cells; the caller frees the text. */
static char *format_table(const struct table *options, const struct table_column *columns, int count,
                          const struct cell *cells, int rows)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    struct table t;
    struct err e = ERR_INIT;
    assert_non_null(out);
    assert_int_equal(table_init(&t, out, options->format, columns, count, &e), ST_OK);
    t.width = options->width;
    t.indent = options->indent;
    t.record = options->record;
    t.nothing = options->nothing;
    t.note = options->note;
    for (int i = 0; i < rows; i++)
        assert_int_equal(table_row(&t, cells + (ptrdiff_t)i * count, &e), ST_OK);
    assert_int_equal(table_finish(&t, &e), ST_OK);
    table_release(&t);
    fclose(out);
    return text;
}

static void expect(const struct table *options, const struct table_column *columns, int count,
                   const struct cell *cells, int rows, const char *wanted)
{
    char *text = format_table(options, columns, count, cells, rows);
    assert_string_equal(text, wanted);
    free(text);
}

static const struct table text_format = {.format = TABLE_TEXT};
static const struct table csv_format = {.format = TABLE_CSV};
static const struct table json_format = {.format = TABLE_JSON};

static void test_formats_have_names(void **state)
{
    (void)state;
    enum table_format f;
    assert_true(table_format_parse("table", &f) && f == TABLE_TEXT);
    assert_true(table_format_parse("csv", &f) && f == TABLE_CSV);
    assert_true(table_format_parse("json", &f) && f == TABLE_JSON);
    assert_false(table_format_parse("CSV", &f));
    assert_false(table_format_parse("", &f));
    assert_string_equal(table_format_name(TABLE_TEXT), "table");
    assert_string_equal(table_format_name(TABLE_JSON), "json");
}

static const struct table_column three[] = {
    {.name = "name"}, {.name = "params", .title = "parameters"}, {.name = "mib"}};

static void test_text_aligns_numbers_right_and_texts_left(void **state)
{
    (void)state;
    const struct cell cells[] = {cell_text("fire2"),  cell_int(11920), cell_real(0.0454712), //
                                 cell_text("conv10"), cell_int(-7),    cell_real(12.9874),   //
                                 cell_null(),         cell_null(),     cell_null()};
    expect(&text_format, three, 3, cells, 3,
           "name    parameters     mib\n"
           "------  ----------  ------\n"
           "fire2        11920   0.045\n"
           "conv10          -7  12.987\n"
           "-                -       -\n");
}

static void test_csv_quotes_as_rfc_4180(void **state)
{
    (void)state;
    static const struct table_column columns[] = {{.name = "a,b"}, {.name = "v"}};
    const struct cell cells[] = {
        cell_text("plain"),   cell_real(0.1),     cell_text("with,comma"), cell_int(1),
        cell_text("a \"q\""), cell_null(),        cell_text("two\nlines"), cell_real(1e300),
        cell_text(""),        cell_real(1.0 / 3), cell_text(" edge "),     cell_real(NAN)};
    expect(&csv_format, columns, 2, cells, 6,
           "\"a,b\",v\n"
           "plain,0.1\n"
           "\"with,comma\",1\n"
           "\"a \"\"q\"\"\",\n"
           "\"two\nlines\",1e+300\n"
           "\"\",0.3333333333333333\n"
           "\" edge \",NaN\n");
    expect(&csv_format, columns, 2, NULL, 0, "\"a,b\",v\n");
}

static void test_json_escapes_and_keeps_types(void **state)
{
    (void)state;
    static const struct table_column columns[] = {{.name = "t\"x"}, {.name = "v"}};
    const struct cell cells[] = {cell_text("q\" b\\ n\n t\t \x01 \x7f \xc3\xa9"),
                                 cell_int(INT64_MIN),
                                 cell_text("\xff\xc3"),
                                 cell_real(0.1), //
                                 cell_null(),
                                 cell_real(INFINITY)};
    expect(
        &json_format, columns, 2, cells, 3,
        "[\n"
        "  {\"t\\\"x\": \"q\\\" b\\\\ n\\n t\\t \\u0001 \\u007f \xc3\xa9\", \"v\": -9223372036854775808},\n"
        "  {\"t\\\"x\": \"\xef\xbf\xbd\xef\xbf\xbd\", \"v\": 0.1},\n"
        "  {\"t\\\"x\": null, \"v\": null}\n"
        "]");
    expect(&json_format, columns, 2, NULL, 0, "[]");
}

static void test_json_indents_and_embeds(void **state)
{
    (void)state;
    static const struct table_column columns[] = {{.name = "axes", .flags = TABLE_JSON_VALUE}, {.name = "n"}};
    const struct cell cells[] = {cell_text("{\"SR\":0.5}"), cell_int(1)};
    struct table indented = {.format = TABLE_JSON, .indent = 2};
    expect(&indented, columns, 2, cells, 1, "[\n    {\"axes\": {\"SR\":0.5}, \"n\": 1}\n  ]");
    struct table record = {.format = TABLE_JSON, .record = true};
    expect(&record, columns, 2, cells, 1, "{\"axes\": {\"SR\":0.5}, \"n\": 1}");
    expect(&record, columns, 2, NULL, 0, "null");
}

static void test_columns_can_be_left_out(void **state)
{
    (void)state;
    static const struct table_column columns[] = {
        {.name = "bytes", .flags = TABLE_NOT_TEXT},
        {.name = "MiB", .decimals = 2, .flags = TABLE_NOT_CSV | TABLE_NOT_JSON}};
    const struct cell cells[] = {cell_int(1048576), cell_real(1)};
    expect(&text_format, columns, 2, cells, 1, " MiB\n----\n1.00\n");
    expect(&csv_format, columns, 2, cells, 1, "bytes\n1048576\n");
    expect(&json_format, columns, 2, cells, 1, "[\n  {\"bytes\": 1048576}\n]");
}

/* One column of reals as a text table; `wanted` without heading and rule. */
static void expect_reals(const double *values, int rows, const char *wanted)
{
    static const struct table_column column[] = {{.name = "v"}};
    struct cell cells[8];
    for (int i = 0; i < rows; i++)
        cells[i] = cell_real(values[i]);
    char *text = format_table(&text_format, column, 1, cells, rows);
    const char *body = strchr(strchr(text, '\n') + 1, '\n') + 1;
    assert_string_equal(body, wanted);
    free(text);
}

static void test_decimals_follow_the_values(void **state)
{
    (void)state;
    expect_reals((double[]){0.125, 0.25, 1}, 3, "0.125\n0.250\n1.000\n");
    expect_reals((double[]){0.713428571, 0.9}, 2, "0.7134\n0.9000\n");
    expect_reals((double[]){1234.5678, 99.99}, 2, "1235\n 100\n");
    expect_reals((double[]){23.951, 4.7624}, 2, "23.95\n 4.76\n");
    expect_reals((double[]){3, -4, 0}, 3, " 3\n-4\n 0\n");
    expect_reals((double[]){0.04, 0.00013}, 2, "0.04000\n0.00013\n");
    expect_reals((double[]){1e-9, 5}, 2, "1e-09\n    5\n");
    expect_reals((double[]){1e300}, 1, "1e+300\n");
    expect_reals((double[]){NAN, INFINITY, 0.5}, 3, "nan\ninf\n0.5\n");
}

static void test_text_widths_are_terminal_columns(void **state)
{
    (void)state;
    static const struct table_column columns[] = {{.name = "t"}, {.name = "n"}};
    /* e-acute in one and in two characters, two wide characters, and what must not reach a terminal. */
    const struct cell cells[] = {cell_text("\xc3\xa9"),
                                 cell_int(1),
                                 cell_text("e\xcc\x81"),
                                 cell_int(2),
                                 cell_text("\xe6\xbc\xa2\xe5\xad\x97"),
                                 cell_int(3),
                                 cell_text("a\x1b[2J\n\xc2\x9b\xff"),
                                 cell_int(4),
                                 cell_text("\xe2\x80\xae"),
                                 cell_int(5)};
    expect(&text_format, columns, 2, cells, 5,
           "t                     n\n"
           "--------------------  -\n"
           "\xc3\xa9                     1\n"
           "e\xcc\x81                     2\n"
           "\xe6\xbc\xa2\xe5\xad\x97                  3\n"
           "a\\x1b[2J\\n\\u009b\\xff  4\n"
           "\\u202e                5\n");
}

static void test_a_narrow_table_wraps(void **state)
{
    (void)state;
    static const struct table_column columns[] = {{.name = "model_bytes"}, {.name = "message"}};
    const struct cell cells[] = {cell_int(4993696), cell_text("the worker was killed by signal 9"),
                                 cell_int(1), cell_text("none")};
    struct table narrow = {.format = TABLE_TEXT, .width = 30};
    expect(&narrow, columns, 2, cells, 2,
           " model_  message\n"
           "  bytes\n"
           "-------  ---------------------\n"
           "4993696  the worker was killed\n"
           "         by signal 9\n"
           "      1  none\n");
    narrow.width = 12;
    expect(&narrow, columns, 2, cells, 2,
           "[1]\n"
           "model_bytes  4993696\n"
           "message      the worker was killed by signal 9\n"
           "\n"
           "[2]\n"
           "model_bytes  1\n"
           "message      none\n");
}

static void test_a_wide_table_comes_in_parts(void **state)
{
    (void)state;
    static const struct table_column columns[] = {
        {.name = "id"}, {.name = "model_bytes"}, {.name = "macs"}, {.name = "seed"}};
    const struct cell cells[] = {cell_int(1), cell_int(4993696), cell_int(832667936), cell_int(7),
                                 cell_int(2), cell_int(100),     cell_int(10),        cell_int(8)};
    struct table narrow = {.format = TABLE_TEXT, .width = 22};
    expect(&narrow, columns, 4, cells, 2,
           "id   model_       macs\n"
           "      bytes\n"
           "--  -------  ---------\n"
           " 1  4993696  832667936\n"
           " 2      100         10\n"
           "\n"
           "id  seed\n"
           "--  ----\n"
           " 1     7\n"
           " 2     8\n");
    /* One row reads better as a list. */
    expect(&narrow, columns, 4, cells, 1,
           "[1]\nid           1\nmodel_bytes  4993696\nmacs         832667936\nseed         7\n");
}

/* Parts begin with the columns that tell rows apart, where there is room for them; short headings stay whole.
 */
static void test_parts_repeat_what_tells_rows_apart(void **state)
{
    (void)state;
    static const struct table_column columns[] = {
        {.name = "sweep"}, {.name = "rank"}, {.name = "base_e"}, {.name = "macs"}, {.name = "n"}};
    const struct cell cells[] = {cell_int(5), cell_int(1), cell_int(4993), cell_int(832667936), cell_int(7),
                                 cell_int(5), cell_int(2), cell_int(100),  cell_int(10),        cell_int(8)};
    struct table narrow = {.format = TABLE_TEXT, .width = 24};
    expect(&narrow, columns, 5, cells, 2,
           "sweep  rank  base_e\n"
           "-----  ----  ------\n"
           "    5     1    4993\n"
           "    5     2     100\n"
           "\n"
           "sweep  rank       macs\n"
           "-----  ----  ---------\n"
           "    5     1  832667936\n"
           "    5     2         10\n"
           "\n"
           "sweep  rank  n\n"
           "-----  ----  -\n"
           "    5     1  7\n"
           "    5     2  8\n");
    /* Where the two would take more than half, the first stands alone. */
    narrow.width = 20;
    expect(&narrow, columns, 5, cells, 2,
           "sweep  rank  base_e\n"
           "-----  ----  ------\n"
           "    5     1    4993\n"
           "    5     2     100\n"
           "\n"
           "sweep       macs  n\n"
           "-----  ---------  -\n"
           "    5  832667936  7\n"
           "    5         10  8\n");
}

/* A first column that repeats stands above its rows, where the table does not fit as it is. */
static void test_a_repeated_text_makes_groups(void **state)
{
    (void)state;
    static const struct table_column columns[] = {{.name = "block"}, {.name = "axis"}, {.name = "n"}};
    const struct cell cells[] = {cell_text("a-long-name"), cell_text("SR"), cell_int(1),
                                 cell_text("a-long-name"), cell_text("lr"), cell_int(2),
                                 cell_text("other"),       cell_text("SR"), cell_int(3)};
    struct table wide = {.format = TABLE_TEXT, .width = 20};
    expect(&wide, columns, 3, cells, 3,
           "block        axis  n\n"
           "-----------  ----  -\n"
           "a-long-name  SR    1\n"
           "a-long-name  lr    2\n"
           "other        SR    3\n");
    struct table narrow = {.format = TABLE_TEXT, .width = 19};
    expect(&narrow, columns, 3, cells, 3,
           "axis  n\n"
           "----  -\n"
           "block: a-long-name\n"
           "SR    1\n"
           "lr    2\n"
           "\n"
           "block: other\n"
           "SR    3\n");
    /* In a list, each row is complete. */
    struct table list = {.format = TABLE_TEXT, .width = 5};
    expect(&list, columns, 3, cells, 2,
           "[1]\nblock  a-long-name\naxis   SR\nn      1\n\n[2]\nblock  a-long-name\naxis   lr\nn      2\n");
}

/* Words break at hyphens, dates and numbers do not. */
static void test_texts_wrap_between_words_first(void **state)
{
    (void)state;
    static const struct table_column columns[] = {{.name = "name"}, {.name = "at"}};
    const struct cell cells[] = {cell_text("fig3a-squeeze-ratio-cifar10"), cell_text("2026-11-24T15:14:42Z")};
    struct table narrow = {.format = TABLE_TEXT, .width = 36};
    expect(&narrow, columns, 2, cells, 1,
           "name            at\n"
           "--------------  --------------------\n"
           "fig3a-squeeze-  2026-11-24T15:14:42Z\n"
           "ratio-cifar10\n");
}

static void test_shared_settings_are_said_once(void **state)
{
    (void)state;
    static const struct table_column columns[] = {{.name = "id"},
                                                  {.name = "base_e", .flags = TABLE_VARYING},
                                                  {.name = "lr", .flags = TABLE_VARYING},
                                                  {.name = "bypass", .flags = TABLE_VARYING}};
    const struct cell cells[] = {cell_int(1), cell_int(64), cell_real(0.04), cell_text("none"),
                                 cell_int(2), cell_int(64), cell_real(0.08), cell_text("none")};
    struct table t = {.format = TABLE_TEXT};
    expect(&t, columns, 4, cells, 2,
           "id    lr\n"
           "--  ----\n"
           " 1  0.04\n"
           " 2  0.08\n"
           "\n"
           "All rows: base_e 64, bypass none\n");
    struct table narrow = {.format = TABLE_TEXT, .width = 22};
    expect(&narrow, columns, 4, cells, 2,
           "id    lr\n"
           "--  ----\n"
           " 1  0.04\n"
           " 2  0.08\n"
           "\n"
           "All rows: base_e 64,\n"
           "          bypass none\n");
    /* One row has no others to share with; other formats have all columns. */
    expect(&t, columns, 4, cells, 1,
           "id  base_e    lr  bypass\n"
           "--  ------  ----  ------\n"
           " 1      64  0.04  none\n");
    struct table csv = {.format = TABLE_CSV};
    expect(&csv, columns, 4, cells, 2, "id,base_e,lr,bypass\n1,64,0.04,none\n2,64,0.08,none\n");
}

static void test_a_word_longer_than_the_column_is_cut(void **state)
{
    (void)state;
    static const struct table_column columns[] = {{.name = "n"}, {.name = "t"}};
    const struct cell cells[] = {cell_int(1), cell_text("abcdefghijklmnopqrstuvwxyz")};
    struct table narrow = {.format = TABLE_TEXT, .width = 17};
    expect(&narrow, columns, 2, cells, 1,
           "n  t\n"
           "-  --------------\n"
           "1  abcdefghijklmn\n"
           "   opqrstuvwxyz\n");
}

static void test_a_record_is_a_list(void **state)
{
    (void)state;
    static const struct table_column columns[] = {{.name = "params", .title = "parameters"}, {.name = "SR"}};
    const struct cell cells[] = {cell_int(1248424), cell_real(0.125)};
    struct table record = {.format = TABLE_TEXT, .record = true};
    expect(&record, columns, 2, cells, 1, "parameters  1248424\nSR          0.125\n");
}

static void test_no_rows_are_said(void **state)
{
    (void)state;
    expect(&text_format, three, 3, NULL, 0, "(no rows)\n");
    const struct table why = {.format = TABLE_TEXT, .nothing = "nothing is done yet"};
    expect(&why, three, 3, NULL, 0, "(no rows: nothing is done yet)\n");
    expect(&json_format, three, 3, NULL, 0, "[]");
}

/* Below the rows, where it is needed, in lines of the terminal's width. */
static void test_notes(void **state)
{
    (void)state;
    static const struct table_column columns[] = {{.name = "id"}, {.name = "pct"}};
    const struct cell whole[] = {cell_int(1), cell_real(0.5)}, lacking[] = {cell_int(1), cell_null()};
    struct table t = {.format = TABLE_TEXT, .width = 12, .note = {"pct", "cannot be told here"}};
    expect(&t, columns, 2, whole, 1, "id  pct\n--  ---\n 1  0.5\n");
    expect(&t, columns, 2, lacking, 1, "id  pct\n--  ---\n 1    -\n\ncannot be\ntold here\n");
    t.note.column = NULL;
    t.format = TABLE_MARKDOWN;
    expect(&t, columns, 2, whole, 1, "| id | pct |\n|---:|---:|\n| 1 | 0.5 |\n\ncannot be told here\n");
    expect(&t, columns, 2, NULL, 0, "| id | pct |\n|---|---|\n");
    t.format = TABLE_CSV;
    expect(&t, columns, 2, whole, 1, "id,pct\n1,0.5\n");
}

/* A setting is the same text in whatever rows it stands, and reads back. */
static void test_settings_are_shortest(void **state)
{
    (void)state;
    static const struct table_column columns[] = {{.name = "lr", .flags = TABLE_VARYING}};
    const struct cell two[] = {cell_real(0.00796734), cell_real(1)},
                      others[] = {cell_real(0.00796734), cell_real(0.5)};
    expect(&text_format, columns, 1, two, 2, "        lr\n----------\n0.00796734\n         1\n");
    expect(&text_format, columns, 1, others, 2, "        lr\n----------\n0.00796734\n       0.5\n");
    static const struct table_column chosen[] = {{.name = "lr", .flags = TABLE_EXACT}};
    expect(&text_format, chosen, 1, others, 1, "        lr\n----------\n0.00796734\n");
}

static void test_many_rows(void **state)
{
    (void)state;
    enum { ROWS = 1000 };
    static struct cell cells[ROWS];
    static const struct table_column column[] = {{.name = "n"}};
    for (int i = 0; i < ROWS; i++)
        cells[i] = cell_int(1000 + i);
    char *text = format_table(&text_format, column, 1, cells, ROWS);
    assert_int_equal(strlen(text), 5 * (ROWS + 2));
    assert_memory_equal(text + 10, "1000\n1001\n", 10);
    assert_string_equal(text + 5 * (ROWS + 1), "1999\n");
    free(text);
}

/* Every allocation in turn fails: an error each time, no leak, no crash. */
static void test_out_of_memory(void **state)
{
    (void)state;
    const struct cell cells[] = {cell_text("a"), cell_int(1), cell_real(0.5)};
    size_t live = mem_live(), n = 1;
    for (;; n++) {
        FILE *out = fopen("/dev/null", "w");
        struct table t;
        struct err e = ERR_INIT;
        mem_fail_after(n);
        enum status st = table_init(&t, out, TABLE_TEXT, three, 3, &e);
        if (st == ST_OK)
            st = table_row(&t, cells, &e);
        if (st == ST_OK)
            st = table_finish(&t, &e);
        mem_fail_after(0);
        table_release(&t);
        fclose(out);
        assert_int_equal(mem_live(), live);
        if (st == ST_OK)
            break;
        assert_int_equal(st, ST_NOMEM);
        assert_int_equal(e.status, ST_NOMEM);
    }
    assert_true(n > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats_have_names),
        cmocka_unit_test(test_text_aligns_numbers_right_and_texts_left),
        cmocka_unit_test(test_csv_quotes_as_rfc_4180),
        cmocka_unit_test(test_json_escapes_and_keeps_types),
        cmocka_unit_test(test_json_indents_and_embeds),
        cmocka_unit_test(test_columns_can_be_left_out),
        cmocka_unit_test(test_decimals_follow_the_values),
        cmocka_unit_test(test_text_widths_are_terminal_columns),
        cmocka_unit_test(test_a_narrow_table_wraps),
        cmocka_unit_test(test_a_wide_table_comes_in_parts),
        cmocka_unit_test(test_parts_repeat_what_tells_rows_apart),
        cmocka_unit_test(test_a_repeated_text_makes_groups),
        cmocka_unit_test(test_texts_wrap_between_words_first),
        cmocka_unit_test(test_shared_settings_are_said_once),
        cmocka_unit_test(test_a_word_longer_than_the_column_is_cut),
        cmocka_unit_test(test_a_record_is_a_list),
        cmocka_unit_test(test_no_rows_are_said),
        cmocka_unit_test(test_notes),
        cmocka_unit_test(test_settings_are_shortest),
        cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
