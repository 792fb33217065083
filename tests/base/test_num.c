#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/rng.h"
#include "scratch.h"

/* A refused text must leave the result alone; this value is in no test. */
static const double UNTOUCHED = -12345.5;

static void expect_double(const char *text, double expected)
{
    double value = UNTOUCHED;
    if (!num_parse_double(text, &value))
        fail_msg("\"%s\" was refused", text);
    assert_memory_equal(&value, &expected, sizeof value); /* bits: -0 is not 0 */
}

static void refuse(bool (*parse)(const char *, double *), const char *text)
{
    double value = UNTOUCHED;
    if (parse(text, &value))
        fail_msg("\"%s\" was accepted as %g", text, value);
    assert_true(value == UNTOUCHED);
}

static void integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        {"0", 0},
        {"42", 42},
        {"+5", 5},
        {"-0", 0},
        {"-17", -17},
        {"007", 7},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t value = -99;
        assert_true(num_parse_int(good[i].text, &value));
        assert_int_equal(value, good[i].value);
    }
    static const char *const bad[] = {"",
                                      " ",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "1e3",
                                      "0x10",
                                      "+",
                                      "-",
                                      "--1",
                                      "+-1",
                                      "1\n",
                                      "1,000",
                                      "ten",
                                      "1_0",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t value = -99;
        if (num_parse_int(bad[i], &value))
            fail_msg("\"%s\" was accepted", bad[i]);
        assert_int_equal(value, -99);
    }
}

static void doubles(void **state)
{
    (void)state;
    expect_double("0", 0.0);
    expect_double("-0", -0.0);
    expect_double("+5", 5.0);
    expect_double("0.125", 0.125);
    expect_double("5.0e-4", 0.0005);
    expect_double("1E3", 1000.0);
    expect_double("1e+3", 1000.0);
    expect_double(".5", 0.5);
    expect_double("5.", 5.0);
    expect_double("1.7976931348623157e308", DBL_MAX);
    expect_double("4.9e-324", 0x1p-1074);
    expect_double("1e-400", 0.0);
    static const char *const bad[] = {"",      " ",   " 1",    "1 ",      "1e400", "-1e400",   "0x10",
                                      "0x1p3", "nan", "NaN",   "inf",     "-inf",  "infinity", ".",
                                      "e5",    "1e",  "1e+",   "1.2.3",   "1,5",   "+-1",      "1\t",
                                      "--1",   "1f",  "1e5.0", "\xd9\xa1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuse(num_parse_double, bad[i]);
}

static void scaled_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {
        {"7", 7},           {"1.5K", 1500}, {"5MiB", 5242880}, {"2KB", 2000},  {"200M", 200e6},
        {"3MB", 3e6},       {"1G", 1e9},    {"1GB", 1e9},      {"1KiB", 1024}, {"1GiB", 1073741824},
        {"0.5MiB", 524288}, {"-1K", -1000}, {"1e3M", 1e9},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        double value;
        assert_true(num_parse_scaled(good[i].text, &value));
        assert_true(value == good[i].value);
    }
    static const char *const bad[] = {"",     "K",   "5 MiB", "5mib",   "5Mi",  "5MiBs", "5k", "5T",
                                      "MiB5", " 5K", "5K ",   "1e308K", "infM", "0x1K",  "5KK"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuse(num_parse_scaled, bad[i]);
}

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double seconds;
    } good[] = {
        {"0", 0},       {"90", 90},       {"1.5", 1.5},    {"30s", 30},    {"12h", 43200},
        {"30m", 1800},  {"1d", 86400},    {"1h30m", 5400}, {"0.5h", 1800}, {"1d2h3m4s", 93784},
        {"1h1s", 3601}, {"1m0.5s", 60.5}, {"1e3s", 1000},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        double seconds;
        assert_true(num_parse_duration(good[i].text, &seconds));
        assert_true(seconds == good[i].seconds);
    }
    static const char *const bad[] = {"",    "s",   "1h30", "30m1h",  "1h1h",   "1x",
                                      "-5s", "+5s", "1 h",  "1h 5m",  " 1h",    "1h ",
                                      "1hm", "h1",  "1min", "1e400s", "1e308d", "inf"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuse(num_parse_duration, bad[i]);
}

static void formatting_known_values(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-17, "-17"},
        {0.1, "0.1"},
        {0.125, "0.125"},
        {100000, "100000"},
        {1e15, "1e+15"},
        {1e-7, "1e-07"},
        {1.0 / 3, "0.3333333333333333"},
        {0.0005, "0.0005"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
        {NAN, "nan"},
        {999999999999999, "999999999999999"},
        {0.1 + 0.2, "0.30000000000000004"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[32];
        assert_ptr_equal(num_format_double(cases[i].value, text), text);
        assert_string_equal(text, cases[i].text);
    }
}

/* What is written reads back to the same bits, for any bit pattern, and no shorter %g text does. */
static void formatting_round_trips(void **state)
{
    (void)state;
    struct rng r = rng_stream(1, RNG_TEST, 0, 0);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = (uint64_t)rng_u32(&r) << 32 | rng_u32(&r);
        double value, back;
        memcpy(&value, &bits, sizeof value);
        if (i % 2)
            value = (double)rng_below(&r, 100000) / 1000; /* the numbers that people write */
        if (!isfinite(value))
            continue;
        char text[32];
        assert_true(num_parse_double(num_format_double(value, text), &back));
        assert_memory_equal(&back, &value, sizeof value);
        if (i % 2) {
            char shorter[32];
            snprintf(shorter, sizeof shorter, "%.5g", value);
            assert_true(strlen(text) <= strlen(shorter));
        }
    }
}

/* A locale that writes 0.5 as "0,5": an installed one, or one compiled into the scratch folder. */
static bool choose_comma_locale(const char *folder)
{
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR"};
    char command[1200];
    for (int attempt = 0; attempt < 2; attempt++) {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (setlocale(LC_ALL, names[i]) && strcmp(localeconv()->decimal_point, ",") == 0)
                return true;
        snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 '%s/de_DE.UTF-8' >/dev/null 2>&1",
                 folder);
        if (attempt == 0 && (system(command) != 0 || setenv("LOCPATH", folder, 1) != 0))
            break;
    }
    return false;
}

static void locale_does_not_matter(void **state)
{
    assert_true(uselocale((locale_t)0) == LC_GLOBAL_LOCALE); /* no earlier call left its own in force */
    if (!choose_comma_locale(*state)) {
        print_message("no locale with a decimal comma here: skipped\n");
        skip();
    }
    char text[32];
    snprintf(text, sizeof text, "%g", 0.5);
    assert_string_equal(text, "0,5"); /* the locale is in force */
    double value;
    expect_double("0.5", 0.5);
    refuse(num_parse_double, "0,5");
    refuse(num_parse_scaled, "1,5K");
    assert_true(num_parse_scaled("1.5K", &value) && value == 1500);
    assert_true(num_parse_duration("1.5h", &value) && value == 5400);
    assert_string_equal(num_format_double(0.1, text), "0.1");
    assert_string_equal(num_format_double(123456.75, text), "123456.75");
    snprintf(text, sizeof text, "%g", 0.5);
    assert_string_equal(text, "0,5"); /* and still is */
    setlocale(LC_ALL, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(doubles),
        cmocka_unit_test(scaled_numbers),
        cmocka_unit_test(durations),
        cmocka_unit_test(formatting_known_values),
        cmocka_unit_test(formatting_round_trips),
        cmocka_unit_test_setup_teardown(locale_does_not_matter, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
