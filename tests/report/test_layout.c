/* Text that gnuplot must show as it is, ranges, labels that must not overlap, and which lines a legend names.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "report/figure.h"
#include "report/layout.h"

static void assert_quoted(const char *text, const char *expected)
{
    struct strbuf out = STRBUF_INIT;
    figure_quote(&out, text);
    assert_string_equal(out.text, expected);
    strbuf_release(&out);
}

static void quotes_hide_everything_from_gnuplot(void **state)
{
    (void)state;
    assert_quoted("", "''");
    assert_quoted("SR", "'SR'");
    assert_quoted("a_b{c}^d\"'\\n`$(x)`@y%d", "'a_b{c}^d\"''\\n`$(x)`@y%d'");
    assert_quoted("''", "''''''");
    assert_quoted("\xC3\xA4 \xE2\x82\xAC", "'\xC3\xA4 \xE2\x82\xAC'");
    /* A line break would end the statement; other controls and bytes that are not UTF-8 cannot be drawn. */
    assert_quoted("a\nb\tc\x01", "'a\xEF\xBF\xBD"
                                 "b\xEF\xBF\xBD"
                                 "c\xEF\xBF\xBD'");
    assert_quoted("\xFF\xC3", "'\xEF\xBF\xBD\xEF\xBF\xBD'");
}

static void definitions_are_gnuplot_statements(void **state)
{
    (void)state;
    struct figure f;
    figure_init(&f);
    figure_number(&f, "a", 2);
    figure_number(&f, "b", 0.125);
    figure_number(&f, "c", NAN);
    figure_number(&f, "d", 1e-30);
    figure_count(&f, "n", 3);
    figure_text(&f, "t", "it's");
    figure_numbers(&f, "v", (const double[]){1, -2.5}, 2);
    figure_texts(&f, "w", (const char *const[]){"x"}, 1);
    figure_texts(&f, "none", NULL, 0);
    figure_data(&f, 2, (const double[]){1, NAN, 3, 4}, 2);
    assert_string_equal(f.definitions.text, "a = 2.0\nb = 0.125\nc = NaN\nd = 1e-30\nn = 3\nt = 'it''s'\n"
                                            "array v[2]\nv[1] = 1.0\nv[2] = -2.5\narray w[1]\nw[1] = 'x'\n"
                                            "array none[1]\nnone[1] = ''\n1.0 NaN\n3.0 4.0\n");
    figure_release(&f);
}

static void ranges_suit_their_values(void **state)
{
    (void)state;
    struct range r = range_around(2, 12, RANGE_AMOUNT, true);
    assert_true(fabs(r.low - 1.4) < 1e-12 && fabs(r.high - 12.6) < 1e-12 && !r.log);
    assert_true(fabs(range_fraction(&r, 7) - 0.5) < 1e-12);
    /* Accuracies 0.1 points apart fill a tenth, not the figure. */
    r = range_around(90, 90.1, RANGE_PERCENT, false);
    assert_true(fabs(r.high - r.low - 1.12) < 1e-9 && r.low < 90 && r.high > 90.1);
    /* All the same. */
    r = range_around(75, 75, RANGE_PERCENT, false);
    assert_true(r.low < 75 && r.high > 75 && r.high - r.low < 2);
    r = range_around(5, 5, RANGE_AMOUNT, true);
    assert_true(r.low > 4 && r.low < 5 && r.high > 5 && r.high < 6);
    r = range_around(0, 0, RANGE_AMOUNT, true);
    assert_true(r.low == 0 && r.high > 0);
    /* Nothing is far beyond what can be. */
    r = range_around(-20, 130, RANGE_PERCENT, false);
    assert_true(r.low < 0 && r.low > -10 && r.high > 100 && r.high < 110);
    r = range_around(0.1, 30, RANGE_AMOUNT, false);
    assert_true(r.low == 0);
    r = range_around(-1, 1, RANGE_AMOUNT, false);
    assert_true(r.low < -1 && r.high > 1);
    /* Decades. */
    r = range_around(0.001, 0.1, RANGE_AMOUNT, true);
    assert_true(r.log && r.low < 0.001 && r.low > 0.0005 && r.high > 0.1);
    assert_true(fabs(range_fraction(&r, 0.01) - 0.5) < 1e-12);
    assert_false(range_around(0, 1000, RANGE_AMOUNT, true).log);
    assert_false(range_around(1, 1000, RANGE_AMOUNT, false).log);
}

/* True if no two labels of one row overlap. */
static bool are_apart(const double *at, const double *half, size_t n, const int *row)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (row[i] >= 0 && row[i] == row[j] && fabs(at[i] - at[j]) < half[i] + half[j])
                return false;
    return true;
}

static void labels_never_overlap(void **state)
{
    (void)state;
    int row[40];
    const double wide[] = {0.05, 0.05, 0.05, 0.05};
    const double apart[] = {0.1, 0.4, 0.7, 0.9};
    assert_int_equal(labels_place(apart, wide, 4, 3, row), 1);
    for (int i = 0; i < 4; i++)
        assert_int_equal(row[i], 0);
    const double close[] = {0.1, 0.15, 0.5, 0.55};
    assert_int_equal(labels_place(close, wide, 4, 3, row), 2);
    assert_true(row[0] == 0 && row[1] == 1 && row[2] == 1 && row[3] == 0); /* the last has precedence */
    const double same[] = {0.5, 0.5, 0.5, 0.5};
    assert_int_equal(labels_place(same, wide, 4, 3, row), 3);
    assert_true(row[0] == 0 && row[3] == 1 && row[1] == 2 && row[2] == -1);
    assert_int_equal(labels_place(close, wide, 4, 1, row), 1);
    assert_true(row[1] == -1 && row[2] == -1);
    assert_int_equal(labels_place(close, wide, 1, 3, row), 1);
    assert_int_equal(labels_place(close, wide, 0, 3, row), 0);
    double at[40], half[40];
    for (int i = 0; i < 40; i++) {
        at[i] = i / 40.0;
        half[i] = 0.01 + 0.01 * (i % 5);
    }
    labels_place(at, half, 40, 3, row);
    assert_true(are_apart(at, half, 40, row));
    assert_true(row[0] == 0 && row[39] == 0);
}

static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    assert_true(text_pixels("wide", 10) > text_pixels("ill", 10));
    assert_true(fabs(text_pixels("abc", 20) - 2 * text_pixels("abc", 10)) < 1e-9);
    const char *text = "short";
    assert_ptr_equal(text_cut(&arena, text, 10, 100), text);
    const char *cut = text_cut(&arena, "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4", 10, 30);
    size_t n = strlen(cut);
    assert_true(n < 12 && n % 2 == 1); /* whole characters of two bytes, an ellipsis of three */
    assert_string_equal(cut + n - 3, "\xE2\x80\xA6");
    assert_true(text_pixels(cut, 10) <= 32);
    arena_release(&arena);
}

static void legends_name_the_best(void **state)
{
    (void)state;
    size_t order[20];
    double merit[20];
    for (int i = 0; i < 20; i++)
        merit[i] = i % 2 ? (double)NAN : i;
    assert_int_equal(legend_choose(merit, 12, order), 12);
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(order[i], i);
    /* 10 of 20 have a value: the best 8 are 4, 6, .. 18. */
    assert_int_equal(legend_choose(merit, 20, order), 8);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(order[i], 4 + 2 * i);
    assert_int_equal(order[8], 0);
    assert_int_equal(order[9], 1);
    assert_int_equal(order[19], 19);
    for (int i = 0; i < 20; i++)
        merit[i] = 1; /* earlier before later */
    assert_int_equal(legend_choose(merit, 20, order), 8);
    assert_int_equal(order[7], 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_hide_everything_from_gnuplot),
        cmocka_unit_test(definitions_are_gnuplot_statements),
        cmocka_unit_test(ranges_suit_their_values),
        cmocka_unit_test(labels_never_overlap),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(legends_name_the_best),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
