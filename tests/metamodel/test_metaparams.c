/* Derivation of the 24 hyperparameters: values, rounding, clamps, ranges. */
#include <float.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "metamodel/metaparams.h"

static struct derived derive(struct metaparams m)
{
    struct derived d;
    struct err e = ERR_INIT;
    assert_int_equal(metaparams_derive(&m, &d, &e), ST_OK);
    assert_int_equal(e.status, ST_OK);
    return d;
}

/* Table 1 of the paper. */
static void test_squeezenet(void **state)
{
    (void)state;
    static const struct fire table[FIRE_COUNT] = {{16, 64, 64},   {16, 64, 64},   {32, 128, 128},
                                                  {32, 128, 128}, {48, 192, 192}, {48, 192, 192},
                                                  {64, 256, 256}, {64, 256, 256}};
    struct derived d = derive(metaparams_default());
    assert_memory_equal(d.fires, table, sizeof table);
    assert_true(d.realised_sr == 0.125 && d.realised_pct3x3 == 0.5);
    for (int i = 0; i < FIRE_COUNT; i++)
        assert_false(d.clamped[i]);
}

static void test_freq(void **state)
{
    (void)state;
    static const int widths[][FIRE_COUNT] = {
        {10, 17, 24, 31, 38, 45, 52, 59}, {10, 10, 17, 17, 24, 24, 31, 31}, {10, 10, 10, 17, 17, 17, 24, 24},
        {10, 10, 10, 10, 17, 17, 17, 17}, {10, 10, 10, 10, 10, 17, 17, 17}, {10, 10, 10, 10, 10, 10, 17, 17},
        {10, 10, 10, 10, 10, 10, 10, 17}, {10, 10, 10, 10, 10, 10, 10, 10}};
    for (int freq = 1; freq <= 8; freq++) {
        struct derived d = derive((struct metaparams){10, 7, freq, 0.5, 0.5});
        for (int i = 0; i < FIRE_COUNT; i++)
            assert_int_equal(d.fires[i].e1x1 + d.fires[i].e3x3, widths[freq - 1][i]);
    }
    struct derived d = derive((struct metaparams){10, 7, INT_MAX, 0.5, 0.5});
    assert_int_equal(d.fires[7].e1x1 + d.fires[7].e3x3, 10);
}

/* base_e = e, nothing added: round_half_up(e * ratio) seen through pct3x3. */
static int rounded(int e, double ratio)
{
    return derive((struct metaparams){e, 0, 1, 1, ratio}).fires[0].e3x3;
}

static void test_halves_round_up(void **state)
{
    (void)state;
    assert_int_equal(rounded(1, 0.5), 1);
    assert_int_equal(rounded(3, 0.5), 2);
    assert_int_equal(rounded(10, 0.35), 4);       /* 3.4999999999999996 in binary */
    assert_int_equal(rounded(100, 0.145), 15);    /* 14.499999999999998 */
    assert_int_equal(rounded(100, 0.285), 29);    /* 28.499999999999996 */
    assert_int_equal(rounded(1000, 0.5005), 501); /* 500.49999999999994 */
    assert_int_equal(rounded(15, 0.1), 2);
    assert_int_equal(rounded(10, 0.15), 2);
    assert_int_equal(rounded(10, 0.349999), 3);
    assert_int_equal(rounded(10, 0.3499999999), 3);
    assert_int_equal(rounded(100, 0.1449999999), 14);
    assert_int_equal(rounded(1, nextafter(0.5, 0)), 1); /* the binary neighbour of a half is that half */
    assert_int_equal(rounded(1, 0.4999999999), 0);
    assert_int_equal(rounded(65536, 1 - 0.00000763), 65535);      /* 65535.49996 */
    assert_int_equal(rounded(65536, 0.99999237060546875), 65536); /* 65535.5 */
}

/* Every ratio of three decimals for many widths, against integer arithmetic: round(e * k / 1000) half up. */
static void test_rounding_is_decimal(void **state)
{
    (void)state;
    for (int e = 1; e <= 4096; e = e < 300 ? e + 1 : e + 97) {
        for (int k = 0; k <= 1000; k++) {
            char text[16];
            snprintf(text, sizeof text, "%d.%03d", k / 1000, k % 1000);
            int expected = (2 * e * k + 1000) / 2000;
            if (rounded(e, strtod(text, NULL)) != expected)
                fail_msg("%s of %d is not %d", text, e, expected);
        }
    }
    /* And of ten decimals, at the largest width: the nearest neighbours of halves. */
    for (int64_t k = 76; k < 131072; k += 762) { /* k / 131072 is a half of 65536 */
        int64_t below =
            (k | 1) * 10000000000 / 131072; /* ten decimals, cut off: just below the half, or on it */
        double ratio = (double)below / 1e10;
        int64_t expected = (2 * 65536 * below + 10000000000) / 20000000000;
        assert_int_equal(rounded(65536, ratio), expected);
    }
}

static void test_properties(void **state)
{
    (void)state;
    static const double ratios[] = {1e-9, 0.01, 0.125, 1.0 / 3, 0.5, 2.0 / 3, 0.99, 1};
    for (int base = 1; base < 200; base += 3) {
        for (int incr = 0; incr < 100; incr += 33) {
            for (size_t s = 0; s < 8; s++) {
                for (size_t p = 0; p < 8; p++) {
                    struct metaparams m = {base, incr, 2, ratios[s], ratios[p]};
                    struct derived d = derive(m);
                    for (int i = 0; i < FIRE_COUNT; i++) {
                        struct fire f = d.fires[i];
                        int e = base + incr * (i / 2);
                        assert_int_equal(f.e1x1 + f.e3x3, e);
                        assert_true(f.e1x1 >= 0 && f.e3x3 >= 0 && f.s1x1 >= 1 && f.s1x1 <= e);
                        assert_true(fabs(f.e3x3 - e * m.pct3x3) <= 0.5 + 1e-9);
                        assert_true(d.clamped[i] || fabs(f.s1x1 - e * m.sr) <= 0.5 + 1e-9);
                        assert_int_equal(d.clamped[i], e * m.sr < 0.5 - 1e-12);
                    }
                }
            }
        }
    }
}

static void test_clamp(void **state)
{
    (void)state;
    struct derived d = derive((struct metaparams){4, 4, 2, 0.05, 0.5}); /* SR * e = 0.2, 0.4, 0.6, 0.8 */
    static const bool clamped[] = {true, true, true, true, false, false, false, false};
    for (int i = 0; i < FIRE_COUNT; i++) {
        assert_int_equal(d.fires[i].s1x1, 1);
        assert_int_equal(d.clamped[i], clamped[i]);
    }
    assert_true(fabs(d.realised_sr - 8.0 / 80) < 1e-15);
    d = derive((struct metaparams){1, 0, 1, 1e-300, 0});
    assert_int_equal(d.fires[0].s1x1, 1);
    assert_true(d.clamped[0]);
    assert_true(d.realised_sr == 1);
}

static void test_one_kind_of_filter(void **state)
{
    (void)state;
    struct derived d = derive((struct metaparams){128, 128, 2, 0.5, 0});
    assert_int_equal(d.fires[7].e3x3, 0);
    assert_int_equal(d.fires[7].e1x1, 512);
    assert_true(d.realised_pct3x3 == 0);
    d = derive((struct metaparams){128, 128, 2, 0.5, 1});
    assert_int_equal(d.fires[7].e3x3, 512);
    assert_int_equal(d.fires[7].e1x1, 0);
    assert_true(d.realised_pct3x3 == 1);
    d = derive((struct metaparams){128, 128, 2, 0.5, 0.01}); /* 1.28, 2.56, 3.84, 5.12 */
    static const int e3x3[] = {1, 1, 3, 3, 4, 4, 5, 5};
    for (int i = 0; i < FIRE_COUNT; i++)
        assert_int_equal(d.fires[i].e3x3, e3x3[i]);
    assert_true(fabs(d.realised_pct3x3 - 26.0 / 2560) < 1e-15);
}

static void test_realised_of_a_list(void **state)
{
    (void)state;
    struct fire fires[FIRE_COUNT] = {{1, 2, 3}, {1, 0, 4}, {2, 4, 0}, {1, 1, 1},
                                     {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}};
    double sr = 0, pct3x3 = 0;
    fires_realised(fires, &sr, &pct3x3);
    assert_true(fabs(sr - 9.0 / 23) < 1e-15);
    assert_true(fabs(pct3x3 - 12.0 / 23) < 1e-15);
}

static void assert_refused(struct metaparams m, const char *text)
{
    struct derived d, untouched;
    memset(&d, 0x5a, sizeof d);
    memcpy(&untouched, &d, sizeof d);
    struct err e = ERR_INIT;
    assert_int_equal(metaparams_derive(&m, &d, &e), ST_USAGE);
    assert_int_equal(e.status, ST_USAGE);
    assert_string_equal(e.text, text);
    assert_memory_equal(&d, &untouched, sizeof d);
    assert_int_equal(metaparams_derive(&m, &d, NULL), ST_USAGE);
}

static void test_whole_numbers_out_of_range(void **state)
{
    (void)state;
    assert_refused((struct metaparams){0, 128, 2, 0.5, 0.5},
                   "base_e: 0 is out of range, allowed are whole numbers from 1 to 65536");
    assert_refused((struct metaparams){INT_MIN, 128, 2, 0.5, 0.5},
                   "base_e: -2147483648 is out of range, allowed are whole numbers from 1 to 65536");
    assert_refused((struct metaparams){65537, 0, 2, 0.5, 0.5},
                   "base_e: 65537 is out of range, allowed are whole numbers from 1 to 65536");
    assert_refused((struct metaparams){128, -1, 2, 0.5, 0.5},
                   "incr_e: -1 is out of range, allowed are whole numbers from 0 to 65536");
    assert_refused((struct metaparams){128, INT_MAX, 2, 0.5, 0.5},
                   "incr_e: 2147483647 is out of range, allowed are whole numbers from 0 to 65536");
    assert_refused((struct metaparams){128, 128, 0, 0.5, 0.5},
                   "freq: 0 is out of range, allowed are whole numbers from 1");
    assert_refused((struct metaparams){128, 128, INT_MIN, 0.5, 0.5},
                   "freq: -2147483648 is out of range, allowed are whole numbers from 1");
    assert_refused((struct metaparams){65536, 65536, 1, 0.5, 0.5},
                   "base_e 65536, incr_e 65536, freq 1: fire9 would have 524288 expand filters, allowed are "
                   "at most 65536");
    assert_refused(
        (struct metaparams){65536, 1, 7, 0.5, 0.5},
        "base_e 65536, incr_e 1, freq 7: fire9 would have 65537 expand filters, allowed are at most 65536");
    derive((struct metaparams){65536, 65536, 8, 1, 1});
    derive((struct metaparams){1, 0, 1, 1, 1});
    derive((struct metaparams){65529, 1, 1, 1, 1});
}

static void test_ratios_out_of_range(void **state)
{
    (void)state;
    const struct {
        double value;
        const char *text;
    } bad[] = {{-0.1, "-0.1"},
               {1.5, "1.5"},
               {nextafter(1, 2), "1.0000000000000002"},
               {(double)NAN, "nan"},
               {(double)INFINITY, "inf"},
               {-(double)INFINITY, "-inf"},
               {-DBL_TRUE_MIN, "-5e-324"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[128];
        snprintf(text, sizeof text, "SR: %s is out of range, allowed is 0 < SR <= 1", bad[i].text);
        assert_refused((struct metaparams){128, 128, 2, bad[i].value, 0.5}, text);
        snprintf(text, sizeof text, "pct3x3: %s is out of range, allowed is 0 <= pct3x3 <= 1", bad[i].text);
        assert_refused((struct metaparams){128, 128, 2, 0.5, bad[i].value}, text);
    }
    assert_refused((struct metaparams){128, 128, 2, 0, 0.5}, "SR: 0 is out of range, allowed is 0 < SR <= 1");
    derive((struct metaparams){128, 128, 2, DBL_TRUE_MIN, 0});
    derive((struct metaparams){128, 128, 2, 1, -0.0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_squeezenet),
        cmocka_unit_test(test_freq),
        cmocka_unit_test(test_halves_round_up),
        cmocka_unit_test(test_rounding_is_decimal),
        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_clamp),
        cmocka_unit_test(test_one_kind_of_filter),
        cmocka_unit_test(test_realised_of_a_list),
        cmocka_unit_test(test_whole_numbers_out_of_range),
        cmocka_unit_test(test_ratios_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
