/* Student's t against values computed with 30 digits (numerical inversion of the incomplete beta function),
 * and summaries against values worked out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/statistics.h"

static void assert_close(double actual, double expected)
{
    if (!(fabs(actual - expected) <= 1e-11 * fmax(1, fabs(expected))))
        fail_msg("%.17g is not %.17g", actual, expected);
}

static void quantiles_match_reference(void **state)
{
    (void)state;
    static const struct {
        double p;
        size_t df;
        double t;
    } known[] = {
        {0.975, 1, 12.7062047361747},  {0.975, 2, 4.30265272974946},   {0.975, 3, 3.18244630528371},
        {0.975, 4, 2.77644510519779},  {0.975, 5, 2.57058183563632},   {0.975, 9, 2.26215716279821},
        {0.975, 10, 2.22813885198627}, {0.975, 29, 2.0452296421327},   {0.975, 30, 2.04227245630124},
        {0.975, 63, 1.99834054252074}, {0.975, 100, 1.98397151852355}, {0.975, 1000, 1.96233908082641},
        {0.9, 1, 3.07768353717525},    {0.9, 4, 1.53320627405894},     {0.9, 9, 1.38302873839663},
        {0.995, 1, 63.6567411628716},  {0.995, 4, 4.60409487134999},   {0.995, 9, 3.24983554159213},
        {0.6, 1, 0.324919696232906},   {0.6, 4, 0.270722294707597},    {0.6, 9, 0.260955336473911},
        {0.025, 4, -2.77644510519779}, {0.4, 9, -0.260955336473911},   {0.5, 7, 0},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_close(student_t_quantile(known[i].p, known[i].df), known[i].t);
}

static void distribution_matches_reference(void **state)
{
    (void)state;
    assert_close(student_t_cdf(0.5, 1), 0.647583617650433);
    assert_close(student_t_cdf(1.5, 2), 0.863803437554499);
    assert_close(student_t_cdf(2.5, 3), 0.956146676495967);
    assert_close(student_t_cdf(1, 7), 0.824691668589896);
    assert_close(student_t_cdf(3, 12), 0.994466652156983);
    assert_close(student_t_cdf(-3, 12), 1 - 0.994466652156983);
    assert_close(student_t_cdf(0, 5), 0.5);
    /* Two degrees of freedom have a closed form: 1/2 + t / (2 sqrt(2 + t^2)). */
    for (int i = -50; i <= 50; i++) {
        double t = 0.37 * i;
        assert_close(student_t_cdf(t, 2), 0.5 + t / (2 * sqrt(2 + t * t)));
    }
}

static void quantiles_out_of_range_are_nan(void **state)
{
    (void)state;
    assert_true(isnan(student_t_quantile(0, 3)));
    assert_true(isnan(student_t_quantile(1, 3)));
    assert_true(isnan(student_t_quantile(-0.1, 3)));
    assert_true(isnan(student_t_quantile(NAN, 3)));
    assert_true(isnan(student_t_quantile(0.5, 0)));
}

static void summaries_match_hand_computation(void **state)
{
    (void)state;
    /* Mean 4; squared deviations 9 + 4 + 1 + 0 + 36 = 50, over 4: 12.5. */
    struct summary s = summarise((const double[]){1, 2, 3, 4, 10}, 5);
    assert_int_equal(s.n, 5);
    assert_close(s.mean, 4);
    assert_close(s.sd, sqrt(12.5));
    assert_close(s.half_width, 2.77644510519779 * sqrt(12.5) / sqrt(5));
    assert_true(s.min == 1 && s.max == 10);
    /* Mean 81, deviations 0.75 each way: sqrt(2 * 0.5625). */
    s = summarise((const double[]){81.75, 80.25}, 2);
    assert_close(s.mean, 81);
    assert_close(s.sd, sqrt(1.125));
    assert_close(s.half_width, 12.7062047361747 * 0.75); /* sd / sqrt(2) = 0.75 */
    s = summarise((const double[]){55.1, 56.3, 54.8}, 3);
    assert_close(s.mean, 55.4);
    assert_close(s.sd, 0.7937253933193764);
    assert_close(s.half_width, 4.30265272974946 * 0.7937253933193764 / sqrt(3));
}

static void small_samples_have_no_spread(void **state)
{
    (void)state;
    struct summary s = summarise((const double[]){0.25}, 1);
    assert_int_equal(s.n, 1);
    assert_true(s.mean == 0.25 && s.min == 0.25 && s.max == 0.25);
    assert_true(isnan(s.sd) && isnan(s.half_width));
    s = summarise(NULL, 0);
    assert_int_equal(s.n, 0);
    assert_true(isnan(s.mean) && isnan(s.sd) && isnan(s.half_width) && isnan(s.min) && isnan(s.max));
}

static void equal_values_have_spread_zero(void **state)
{
    (void)state;
    const double values[] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1};
    for (size_t n = 2; n <= 6; n++) {
        struct summary s = summarise(values, n);
        assert_true(s.mean == 0.1 && s.sd == 0 && s.half_width == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_match_reference),      cmocka_unit_test(distribution_matches_reference),
        cmocka_unit_test(quantiles_out_of_range_are_nan), cmocka_unit_test(summaries_match_hand_computation),
        cmocka_unit_test(small_samples_have_no_spread),   cmocka_unit_test(equal_values_have_spread_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
