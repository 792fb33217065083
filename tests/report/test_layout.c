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
#include "report/text.h"

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
    assert_quoted("a_b{c}^d\"'\\n`$(x)`@y%d", "'a_b{c}^d\"'.\"'\".'\\n`$(x)`@y%d'");
    assert_quoted("'a", "''.\"'\".'a'");
    assert_quoted("''", "''.\"'\".''.\"'\".''");
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
    assert_string_equal(f.definitions.text,
                        "a = 2.0\nb = 0.125\nc = NaN\nd = 1e-30\nn = 3\nt = 'it'.\"'\".'s'\n"
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
    assert_true(r.low < 0 && r.low > -4 && r.high > 100 && r.high < 104);
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
    bool chosen[20];
    double merit[20];
    for (int i = 0; i < 20; i++)
        merit[i] = i % 2 ? (double)NAN : i;
    assert_int_equal(legend_choose(merit, 12, chosen, order), 12);
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(order[i], i);
    /* 10 of 20 have a value: the best 8 are 4, 6, .. 18. */
    assert_int_equal(legend_choose(merit, 20, chosen, order), 8);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(order[i], 4 + 2 * i);
    assert_int_equal(order[8], 0);
    assert_int_equal(order[9], 1);
    assert_int_equal(order[19], 19);
    for (int i = 0; i < 20; i++)
        merit[i] = 1; /* earlier before later */
    assert_int_equal(legend_choose(merit, 20, chosen, order), 8);
    assert_int_equal(order[7], 7);
}

static const char *brief(const char *text)
{
    static char out[128];
    struct arena arena;
    arena_init(&arena);
    const char *shown = text_brief(&arena, text);
    assert_non_null(shown);
    snprintf(out, sizeof out, "%s", shown ? shown : "");
    arena_release(&arena);
    return out;
}

static void long_numbers_become_short(void **state)
{
    (void)state;
    assert_string_equal(brief("base_e=32, SR=0.0648322, bypass=none"), "base_e=32, SR=0.0648, bypass=none");
    assert_string_equal(brief("~0.123456"), "~0.123");
    assert_string_equal(brief("0.5, 0.25, 1234567, 12345678"),
                        "0.5, 0.25, 1234567, 12345678"); /* whole ones stay */
    assert_string_equal(brief("run0.1234567, 1.234567e-9"), "run0.1234567, 1.234567e-9");
    assert_string_equal(brief("1.2.3.4.5.6.7"), "1.2.3.4.5.6.7");
    assert_string_equal(brief("0.00001234567"), "1.23e-05");
    assert_string_equal(brief("1234.56 0.00012 999.9999"), "1235 0.00012 1e+03");
    assert_string_equal(brief(""), "");
    assert_string_equal(brief("caf\xC3\xA9 123.45678"), "caf\xC3\xA9 123");
}

/* Labels of different texts are different, narrow enough, and those of equal ones equal. */
static void check_labels(const char *const *texts, size_t n, double pixels, const char *const *expected)
{
    struct arena arena;
    const char *out[64];
    arena_init(&arena);
    assert_true(n <= 64 && texts_fit(&arena, texts, n, 10, pixels, out));
    for (size_t i = 0; i < n; i++) {
        assert_true(text_pixels(out[i], 10) <= pixels);
        if (expected)
            assert_string_equal(out[i], expected[i]);
        for (size_t k = 0; k < i; k++)
            assert_int_equal(strcmp(out[i], out[k]) == 0, strcmp(texts[i], texts[k]) == 0);
    }
    arena_release(&arena);
}

#define ELLIPSIS "\xE2\x80\xA6"

static void shortened_texts_stay_different(void **state)
{
    (void)state;
    static const char *const fires[] = {"2/4/4,2/4/4,4/8/8,4/8/8,6/12/12,6/12/12,8/16/16,8/16/16",
                                        "2/4/4,2/4/4,4/8/8,4/8/8,6/12/12,6/12/12,8/16/16,12/16/16",
                                        "2/4/4,2/4/4,4/8/8,4/8/8,6/12/12,4/12/12,8/16/16,8/16/16",
                                        "3/4/4,2/4/4,4/8/8,4/8/8,6/12/12,6/12/12,8/16/16,8/16/16", "none"};
    static const char *const short_fires[] = {
        (ELLIPSIS "6/12/12" ELLIPSIS "8/16/16"), (ELLIPSIS "6/12/12" ELLIPSIS "12/16/16"),
        (ELLIPSIS "4/12/12" ELLIPSIS "8/16/16"), ("3/4/4,2/4/4,4/8/8,4/8/8" ELLIPSIS), "none"};
    check_labels(fires, 5, 130, short_fires);
    /* No room for both places: those that the first one does not tell apart are told by the second. */
    static const char *const twice[] = {"a,common,b,common,x1,common,y1", "a,common,b,common,x1,common,y2",
                                        "a,common,b,common,x2,common,y1", "a,common,b,common,x2,common,y2"};
    check_labels(twice, 4, 60, NULL);
    /* Nothing to leave out, and more items than others have. */
    static const char *const long_words[] = {"a-word-of-forty-characters-that-ends-in-1",
                                             "a-word-of-forty-characters-that-ends-in-2",
                                             "a-word-of-forty-characters-that-ends-in-2,3"};
    static const char *const words[] = {"a-word-of-f" ELLIPSIS " (1)", "a-word-of-f" ELLIPSIS " (2)",
                                        "a-word-of-f" ELLIPSIS " (3)"};
    check_labels(long_words, 3, 100, words);
    static const char *const numbers[] = {"SR=0.0648322, lr=0.0123456, none",
                                          "SR=0.0648329, lr=0.0123456, none"},
                             *const shown[] = {"SR=0.0648322" ELLIPSIS, "SR=0.0648329" ELLIPSIS};
    check_labels(numbers, 2, 130, shown);
    static const char *const lists_set[] = {"SR=0.5, fires=2/4/4,2/4/4,6/12/12,6/12/12, lr=0.125",
                                            "SR=0.5, fires=2/4/4,2/4/4,6/12/12,6/12/13, lr=0.25"},
                             *const set[] = {"fires=" ELLIPSIS "6/12/12, lr=0.125",
                                             "fires=" ELLIPSIS "6/12/13, lr=0.25"};
    check_labels(lists_set, 2, 150, set);
    /* One number of each list is not as in the first. */
    char list[24][160];
    const char *lists[24];
    for (int i = 0; i < 24; i++) {
        lists[i] = list[i];
        list[i][0] = '\0';
        for (int k = 0; k < 24; k++)
            snprintf(list[i] + strlen(list[i]), 8, "%s%d",
                     k == 0       ? ""
                     : k % 3 == 0 ? ","
                                  : "/",
                     k == i ? 99 : 64);
    }
    for (int pixels = 60; pixels < 300; pixels += 40)
        check_labels(lists, 24, pixels, NULL);
}

/* A layout with `n` labels below the axis; f keeps the definitions. */
static void lay_out(struct figure *f, const char *const *texts, size_t n, bool above)
{
    static double x[64];
    struct err e = ERR_INIT;
    for (size_t i = 0; i < n; i++)
        x[i] = (double)i + 1;
    const struct layout l = {.title = "t",
                             .x_title = "x",
                             .y_title = "y",
                             .x = {0.5, (double)n + 0.5, false},
                             .y = {0, 1, false},
                             .ticks = {.title = "", .above = above, .count = n, .x = x, .texts = texts}};
    figure_init(f);
    assert_int_equal(layout_define(&l, f, &e), ST_OK);
}

static double value_of(const struct figure *f, const char *name)
{
    char line[64];
    double v = NAN;
    snprintf(line, sizeof line, "\n%s = ", name);
    const char *at = strstr(f->definitions.text, line);
    if (!at || sscanf(at + strlen(line), "%lf", &v) != 1)
        fail_msg("there is no %s", name);
    return v;
}

static void crowded_labels_stand_upright(void **state)
{
    (void)state;
    static const char *const few[] = {"none", "simple", "complex"};
    const char *many[40];
    char text[40][16];
    struct figure f;
    for (int i = 0; i < 40; i++) {
        snprintf(text[i], sizeof text[i], "level %d", i);
        many[i] = text[i];
    }
    lay_out(&f, few, 3, false);
    const double bottom = value_of(&f, "plot_bottom");
    assert_true(value_of(&f, "ticks_upright") == 0);
    figure_release(&f);
    lay_out(&f, many, 40, false);
    assert_true(value_of(&f, "ticks_upright") == 1);
    assert_true(value_of(&f, "plot_bottom") > bottom); /* room for them */
    for (int i = 0; i < 40; i++) {                     /* every one is there */
        char quoted[32];
        snprintf(quoted, sizeof quoted, "= 'level %d'\n", i);
        assert_non_null(strstr(f.definitions.text, quoted));
    }
    figure_release(&f);
    lay_out(&f, many, 40, true); /* the metaparameter above a curve: some are left out */
    assert_true(value_of(&f, "ticks_upright") == 0);
    assert_null(strstr(f.definitions.text, "= 'level 1'\n"));
    figure_release(&f);
}

/* Labels beside the edge of the canvas move inwards rather than being cut, also below a scale of colours. */
static void labels_at_the_edge_are_whole(void **state)
{
    (void)state;
    static const double x[] = {1, 2};
    static const char *const texts[] = {"0.0504 to 0.0954", "fire2,fire5,fire8"}, *const legend[] = {
                                                                                      "000000000"};
    struct layout l = {.title = "t",
                       .x_title = "x",
                       .y_title = "y",
                       .x = {0.99, 2, false},
                       .y = {0, 1, false},
                       .ticks = {.title = "", .count = 2, .x = x, .texts = texts},
                       .legend_title = "",
                       .legend = legend};
    for (int i = 0; i < 3; i++) {
        struct figure f;
        struct err e = ERR_INIT;
        l.ticks.above = i == 1;
        l.legend_count = i == 2;
        figure_init(&f);
        assert_int_equal(layout_define(&l, &f, &e), ST_OK);
        for (int k = 0; k < 2; k++) {
            char name[32], quoted[32];
            snprintf(quoted, sizeof quoted, "tick_text[%d] = '%s'\n", k + 1, texts[k]);
            assert_non_null(strstr(f.definitions.text, quoted));
            snprintf(name, sizeof name, "tick_middle[%d]", k + 1);
            const double middle = value_of(&f, name) * FIGURE_WIDTH, half = text_pixels(texts[k], 13) / 2,
                         place =
                             (k == 0 ? value_of(&f, "plot_left") : value_of(&f, "plot_right")) * FIGURE_WIDTH;
            assert_true(middle - half > 0 && middle + half < FIGURE_WIDTH);
            assert_true(middle - half < place && place < middle + half);
        }
        figure_release(&f);
    }
}

/* Four points of one size have four names, for which there are three rows: the last one says that there are
 * more. */
static void names_of_one_place(void **state)
{
    (void)state;
    static const double x[] = {1, 1, 1, 1, 2};
    static const char *const texts[] = {"0.124", "0.125", "0.126", "0.127", "0.5"};
    struct layout l = {.title = "t",
                       .x_title = "x",
                       .y_title = "y",
                       .x = {0.5, 2.5, false},
                       .y = {0, 1, false},
                       .ticks = {.title = "", .above = true, .count = 5, .x = x, .texts = texts}};
    struct figure f;
    struct err e = ERR_INIT;
    figure_init(&f);
    assert_int_equal(layout_define(&l, &f, &e), ST_OK);
    assert_non_null(strstr(f.definitions.text, "= '0.125'\n"));
    assert_non_null(strstr(f.definitions.text, "= '0.126, ...'\n"));
    assert_null(strstr(f.definitions.text, "0.127"));
    assert_non_null(strstr(f.definitions.text, "= '0.5'\n"));
    figure_release(&f);
    l.ticks.x++; /* three have room */
    l.ticks.texts++;
    l.ticks.count--;
    figure_init(&f);
    assert_int_equal(layout_define(&l, &f, &e), ST_OK);
    assert_null(strstr(f.definitions.text, ", ..."));
    figure_release(&f);
}

/* Numbers along an axis are apart, however narrow it is and whatever they are. */
static void numbers_have_room(void **state)
{
    (void)state;
    static const double lows[] = {0, 0.0057, -3, 1e-9, 1234567, 99.9}, spans[] = {0.0182, 1, 37, 2e6, 1e-3};
    for (size_t i = 0; i < sizeof lows / sizeof *lows; i++)
        for (size_t k = 0; k < sizeof spans / sizeof *spans; k++)
            for (int pixels = 300; pixels < 700; pixels += 100) {
                const struct range r = {lows[i], lows[i] + spans[k], false};
                const double step = range_step(&r, pixels), wide = step / spans[k] * pixels;
                assert_true(step > 0 && wide >= pixels / 10.0 - 1e-9);
                const int numbers = (int)(spans[k] / step);
                for (int n = 0; n < numbers; n++) {
                    char text[32];
                    snprintf(text, sizeof text, "%g", (ceil(r.low / step) + n) * step);
                    assert_true(text_pixels(text, 13) < wide);
                }
            }
    assert_true(range_step(&(struct range){0, 10, false}, 600) == 1);
    /* the two are neighbours: no number between them can be told from them */
    assert_true(
        range_step(&(struct range){71.333333333333329, nextafter(71.333333333333329, 100), false}, 600) > 0);
}

/* What is too long for a line goes on in the next one, where it may: nothing is lost. */
static void notes_go_on(void **state)
{
    (void)state;
    static const char first[] =
        "mean of n = 2 seeds; bars: 95 % confidence interval of the mean (Student t); "
        "the best 8 of 40 lines are named";
    struct layout l = {.title = "t",
                       .notes = {first, "second"},
                       .x_title = "x",
                       .y_title = "y",
                       .x = {0, 1, false},
                       .y = {0, 1, false}};
    struct figure f;
    struct err e = ERR_INIT;
    figure_init(&f);
    assert_int_equal(layout_define(&l, &f, &e), ST_OK);
    assert_non_null(strstr(f.definitions.text,
                           "of the mean (Student t)'\nnote2_text = 'the best 8 of 40 lines are "
                           "named'\nnote3_text = 'second'\n"));
    const double top = value_of(&f, "plot_top");
    figure_release(&f);
    l.notes[0] = l.notes[1] = "short";
    figure_init(&f);
    assert_int_equal(layout_define(&l, &f, &e), ST_OK);
    assert_non_null(
        strstr(f.definitions.text, "note1_text = 'short'\nnote2_text = 'short'\nnote3_text = ''\n"));
    assert_true(value_of(&f, "plot_top") > top);
    figure_release(&f);
}

/* Names of rows make room for themselves: to the left, and below. */
static void rows_make_room(void **state)
{
    (void)state;
    static const char *const texts[] = {"conv1,fire3,fire5", "none"};
    static const double y[] = {1, 2};
    struct layout l = {
        .title = "t & 1", .x_title = "x", .y_title = "y", .x = {0, 1, false}, .y = {0, 3, false}};
    struct figure f;
    struct err e = ERR_INIT;
    figure_init(&f);
    assert_int_equal(layout_define(&l, &f, &e), ST_OK);
    const double left = value_of(&f, "plot_left");
    assert_true(value_of(&f, "canvas_height") == FIGURE_HEIGHT && f.height == FIGURE_HEIGHT);
    assert_string_equal(f.title, "t & 1");
    figure_release(&f);
    l.rows = (struct row_names){.count = 2, .y = y, .texts = texts};
    figure_init(&f);
    assert_int_equal(layout_define(&l, &f, &e), ST_OK);
    assert_true(value_of(&f, "plot_left") > left);
    assert_true(value_of(&f, "plot_left") * FIGURE_WIDTH > text_pixels(texts[0], 11) + 20);
    assert_non_null(strstr(f.definitions.text, "row_text[1] = 'conv1,fire3,fire5'\n"));
    figure_release(&f);
    const char *many[100];
    double places[100];
    for (int i = 0; i < 100; i++) {
        many[i] = "level";
        places[i] = i;
    }
    l.rows = (struct row_names){.count = 100, .y = places, .texts = many};
    figure_init(&f);
    assert_int_equal(layout_define(&l, &f, &e), ST_OK);
    assert_true(f.height >= 100 * FIGURE_ROW && value_of(&f, "canvas_height") == f.height);
    figure_release(&f);
}

/* No image format takes a figure of any height: rows get thinner, and names that have no room are left out.
 */
static void very_many_rows_have_an_end(void **state)
{
    (void)state;
    enum { ROWS = 5000 };
    struct layout l = {
        .title = "t", .x_title = "x", .y_title = "y", .x = {0, 1, false}, .y = {0, ROWS + 1, false}};
    static const char *texts[ROWS];
    static double places[ROWS];
    struct figure f;
    struct err e = ERR_INIT;
    for (int i = 0; i < ROWS; i++) {
        texts[i] = "level";
        places[i] = i + 1;
    }
    l.rows = (struct row_names){.count = ROWS, .y = places, .texts = texts};
    figure_init(&f);
    assert_int_equal(layout_define(&l, &f, &e), ST_OK);
    assert_true(f.height * 2 < 32768);
    int named = 0;
    for (const char *at = f.definitions.text; (at = strstr(at, "= 'level'\n")); at++)
        named++;
    assert_true(named > 500 && named * 11 < f.height);
    figure_release(&f);
}

static void titles_keep_the_block(void **state)
{
    (void)state;
    static const char name[] =
        "a-name-of-ninety-characters-or-so-that-somebody-chose-for-a-sweep-of-everything-there-is";
    struct arena arena;
    arena_init(&arena);
    assert_string_equal(layout_title(&arena, "s", "b"), "s: b");
    const char *title = layout_title(&arena, name, "squeeze_ratio");
    assert_non_null(strstr(title, "\xE2\x80\xA6: squeeze_ratio"));
    assert_true(text_pixels(title, 16) < FIGURE_WIDTH - 100);
    title = layout_title(&arena, name, name); /* both too long: each is seen */
    assert_non_null(strstr(title, "\xE2\x80\xA6: a-name-of-ninety"));
    arena_release(&arena);
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
        cmocka_unit_test(long_numbers_become_short),
        cmocka_unit_test(shortened_texts_stay_different),
        cmocka_unit_test(crowded_labels_stand_upright),
        cmocka_unit_test(numbers_have_room),
        cmocka_unit_test(rows_make_room),
        cmocka_unit_test(labels_at_the_edge_are_whole),
        cmocka_unit_test(very_many_rows_have_an_end),
        cmocka_unit_test(names_of_one_place),
        cmocka_unit_test(notes_go_on),
        cmocka_unit_test(titles_keep_the_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
