/* Comparisons, effects, fronts and plateaus against numpy and scipy: fixtures/make_statistics.py. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixtures/statistics.h"
#include "report/compare.h"
#include "report/effects.h"
#include "report/front.h"
#include "report/plateau.h"
#include "report/ranks.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void assert_close(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-9 * fmax(1, fabs(expected))))
        fail_msg("%.17g is not %.17g", value, expected);
}

static void pairs_match_scipy(void **state)
{
    (void)state;
    struct replicate_value a[7], b[7];
    double scratch[21];
    for (size_t i = 0; i < 5; i++) {
        a[i] = (struct replicate_value){(int64_t)i + 1, paired_a[i]};
        b[4 - i] = (struct replicate_value){(int64_t)i + 1, paired_b[i]};
    }
    /* Seeds of one side, values that are none, and a seed that comes again play no role. */
    a[5] = (struct replicate_value){77, 0.1};
    a[6] = (struct replicate_value){1, 0.1};
    b[5] = (struct replicate_value){78, 0.1};
    b[6] = (struct replicate_value){79, NAN};
    const struct comparison c = compare_paired(a, 7, b, 7, scratch);
    assert_int_equal(c.difference.n, 5);
    assert_close(c.difference.mean, paired_mean);
    assert_close(c.difference.half_width, paired_half);
    assert_close(c.difference.mean / (c.difference.sd / sqrt(5)), paired_t);
    assert_close(c.b.mean - c.a.mean, paired_mean);
}

static void sentences(void **state)
{
    (void)state;
    char text[200];
    struct summary d = {.n = 5, .mean = -0.001, .half_width = 0.004};
    assert_string_equal(compare_sentence(&d, "SR 0.75", "1.0", 100, 1, text, sizeof text),
                        "no difference shown between SR 0.75 and 1.0: -0.1 [-0.5, +0.3], n = 5");
    assert_int_equal(verdict_above(&d, 0), VERDICT_NOT_SHOWN);
    assert_int_equal(verdict_at_most(&d, 0.005), VERDICT_HOLDS);
    d.mean = -0.0001;
    assert_string_equal(compare_sentence(&d, "A", "B", 100, 1, text, sizeof text),
                        "no difference shown between A and B: +0.0 [-0.4, +0.4], n = 5");
    d.mean = 0.012;
    assert_string_equal(compare_sentence(&d, "A", "B", 100, 1, text, sizeof text),
                        "B is higher than A: +1.2 [+0.8, +1.6], n = 5");
    assert_int_equal(verdict_above(&d, 0), VERDICT_HOLDS);
    assert_int_equal(verdict_above(&d, 0.01), VERDICT_NOT_SHOWN);
    assert_int_equal(verdict_above(&d, 0.02), VERDICT_DOES_NOT_HOLD);
    assert_int_equal(verdict_at_most(&d, 0.005), VERDICT_DOES_NOT_HOLD);
    d = summarise((const double[]){0.01}, 1);
    assert_string_equal(compare_sentence(&d, "A", "B", 100, 1, text, sizeof text),
                        "one seed of each: no interval, so nothing is shown between A and B: +1.0");
    assert_int_equal(verdict_above(&d, 0), VERDICT_NOT_SHOWN);
    d = summarise(NULL, 0);
    assert_non_null(
        strstr(compare_sentence(&d, "A", "B", 100, 1, text, sizeof text), "share no finished seed"));
    d = (struct summary){.n = 3, .mean = 0, .half_width = 0};
    assert_string_equal(compare_sentence(&d, "A", "B", 100, 1, text, sizeof text),
                        "A and B have the same in each of 3 seeds");
    d = (struct summary){.n = 3, .mean = 0.002, .half_width = 0.0131};
    assert_string_equal(compare_sentence(&d, "A", "B", 1, 1, text, sizeof text),
                        "no difference shown between A and B: +0.00 [-0.01, +0.02], n = 3");
    assert_string_equal(verdict_name(VERDICT_DOES_NOT_HOLD), "does not hold");
}

enum { AXES = 3 };

static void assert_near(double value, double expected) /* also of what is tiny */
{
    if (!(fabs(value - expected) <= 1e-9 * expected))
        fail_msg("%.17g is not %.17g", value, expected);
}

static void check_effects(const struct effects *f, double total, double rest, const double squares[AXES],
                          const double f_values[AXES], const double p[AXES], const double *adjusted,
                          const double *half, size_t adjusted_count)
{
    assert_int_equal(f->count, AXES);
    assert_close(f->total, total);
    assert_close(f->rest, rest);
    double sum = 0;
    size_t at = 0;
    for (size_t k = 0; k < AXES; k++) {
        const struct effects_axis *a = &f->axes[k];
        assert_int_equal(a->tie, EFFECTS_FREE);
        assert_int_equal(a->freedom, a->levels - 1);
        assert_close(a->squares, squares[k]);
        assert_close(a->share, squares[k] / total);
        assert_close(a->f, f_values[k]);
        assert_near(a->p, p[k]);
        for (size_t i = 0; i < a->levels && at < adjusted_count; i++, at++) {
            assert_close(a->adjusted[i], adjusted[at]);
            assert_close(a->half_width[i], half[at]);
        }
        assert_close(a->centre, f->mean);
        sum += squares[k];
    }
    assert_int_equal(at, adjusted_count);
    assert_close(f->shared, total - rest - sum);
}

static enum status estimate(const double *y, const size_t *level, size_t n, const size_t *sizes, size_t axes,
                            struct effects *f, struct err *e)
{
    struct effects_factor factors[AXES];
    for (size_t k = 0; k < axes; k++)
        factors[k] = (struct effects_factor){sizes[k], EFFECTS_NONE};
    return effects_estimate(y, level, n, factors, axes, f, e);
}

static void effects_match_numpy(void **state)
{
    (void)state;
    struct effects f;
    struct err e = ERR_INIT;
    assert_int_equal(estimate(balanced_y, balanced_level, COUNT(balanced_y), balanced_sizes, 3, &f, &e),
                     ST_OK);
    check_effects(&f, balanced_total, balanced_rest, balanced_squares, balanced_f, balanced_p,
                  balanced_adjusted, balanced_half, COUNT(balanced_adjusted));
    assert_true(fabs(f.shared) < 1e-9); /* a balanced design shares nothing */
    assert_int_equal(f.axes[0].level[2].n, COUNT(balanced_y) / 3);
    effects_release(&f);
    assert_int_equal(
        estimate(unbalanced_y, unbalanced_level, COUNT(unbalanced_y), unbalanced_sizes, 3, &f, &e), ST_OK);
    check_effects(&f, unbalanced_total, unbalanced_rest, unbalanced_squares, unbalanced_f, unbalanced_p,
                  unbalanced_adjusted, unbalanced_half, COUNT(unbalanced_adjusted));
    assert_true(fabs(f.shared) > 1e-3);
    effects_release(&f);
}

/* Two axes that go together (zip): neither has anything of its own, and together they explain all but the
 * seeds. */
static void tied_axes_have_nothing_of_their_own(void **state)
{
    (void)state;
    const double y[] = {1, 1.5, 2, 2.5, 4, 4.5};
    const size_t level[] = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2}, sizes[] = {3, 3};
    struct effects f;
    struct err e = ERR_INIT;
    assert_int_equal(estimate(y, level, 6, sizes, 2, &f, &e), ST_OK);
    assert_true(f.axes[0].tie == EFFECTS_TIED && f.axes[1].tie == EFFECTS_TIED);
    assert_close(f.axes[0].squares, 0);
    assert_true(isnan(f.axes[0].share)); /* not 0: nobody knows */
    assert_true(isnan(f.axes[0].adjusted[0]) && isnan(f.axes[0].f) && isnan(f.axes[0].p));
    assert_true(isnan(f.axes[0].half_width[0]));
    assert_close(f.rest, 3 * 0.125);
    assert_close(f.shared, f.total - f.rest);
    assert_close(f.axes[1].level[2].mean, 4.25);
    effects_release(&f);
    assert_int_equal(estimate(y, level, 0, sizes, 2, &f, &e), ST_FAILED);
    effects_release(&f);
    const size_t many[] = {200, 200};
    assert_int_equal(estimate(y, level, 6, many, 2, &f, &e), ST_FAILED);
    assert_non_null(strstr(e.text, "allowed are 256"));
    effects_release(&f);
}

/* An axis that only one value of another one has: both have effects of their own. */
static void nested_axes_match_numpy(void **state)
{
    (void)state;
    const struct effects_factor factors[] = {{2, EFFECTS_NONE}, {2, EFFECTS_NONE}, {4, 0}};
    struct effects f;
    struct err e = ERR_INIT;
    assert_int_equal(effects_estimate(nested_y, nested_level, COUNT(nested_y), factors, 3, &f, &e), ST_OK);
    assert_close(f.rest, nested_rest);
    assert_int_equal(f.rest_freedom, COUNT(nested_y) - 5);
    for (size_t k = 0; k < 3; k++) {
        assert_int_equal(f.axes[k].tie, EFFECTS_FREE);
        assert_close(f.axes[k].squares, nested_squares[k]);
    }
    assert_int_equal(f.axes[2].freedom, 2);
    assert_true(isnan(f.axes[2].adjusted[0])); /* not set */
    for (size_t i = 0; i < 3; i++) {
        assert_close(f.axes[2].adjusted[i + 1], nested_adjusted[i]);
        assert_close(f.axes[2].half_width[i + 1], nested_half[i]);
    }
    assert_true(isnan(f.axes[2].half_width[0]));
    assert_close(f.axes[0].adjusted[1] - f.axes[0].adjusted[0], nested_step);
    effects_release(&f);
    /* Taken as a level like others, "not set" ties the two. */
    const size_t sizes[] = {2, 2, 4};
    assert_int_equal(estimate(nested_y, nested_level, COUNT(nested_y), sizes, 3, &f, &e), ST_OK);
    assert_true(f.axes[0].tie != EFFECTS_FREE && f.axes[2].tie != EFFECTS_FREE);
    effects_release(&f);
}

/* An axis that follows from another one at two of its three levels: what is left is one contrast of its own.
 */
static void partly_tied_axes_match_numpy(void **state)
{
    (void)state;
    struct effects f;
    struct err e = ERR_INIT;
    assert_int_equal(estimate(partly_y, partly_level, COUNT(partly_y), partly_sizes, 3, &f, &e), ST_OK);
    assert_close(f.rest, partly_rest);
    for (size_t k = 0; k < 3; k++) {
        const struct effects_axis *a = &f.axes[k];
        assert_int_equal(a->freedom, partly_freedom[k]);
        assert_int_equal(a->contrasts, partly_sizes[k] - 1);
        assert_int_equal(a->tie, a->freedom == 0             ? EFFECTS_TIED
                                 : a->freedom < a->contrasts ? EFFECTS_PARTLY_TIED
                                                             : EFFECTS_FREE);
        assert_true(isnan(a->adjusted[0]) == (a->tie != EFFECTS_FREE));
        if (a->tie == EFFECTS_TIED) {
            assert_true(isnan(a->share) && isnan(a->f) && isnan(a->p));
            continue;
        }
        assert_close(a->share, partly_squares[k] / f.total);
        assert_close(a->f, partly_f[k]);
        assert_near(a->p, partly_p[k]);
    }
    assert_int_equal(f.axes[0].tie, EFFECTS_TIED);
    assert_int_equal(f.axes[1].tie, EFFECTS_PARTLY_TIED);
    assert_int_equal(f.axes[2].tie, EFFECTS_FREE);
    effects_release(&f);
}

/* Sums and differences of numbers that are no binary fractions leave traces. */
static void rounding_is_no_effect(void **state)
{
    (void)state;
    enum { N = 12 };
    double y[N], same[N];
    size_t level[2 * N];
    const size_t sizes[] = {2, 3};
    for (size_t i = 0; i < N; i++) {
        level[2 * i] = i % 2;
        level[2 * i + 1] = i / 2 % 3;
        y[i] = 51.3 + 0.1 * (double)level[2 * i + 1] + (i < 6 ? 0 : 0.7);
        same[i] = 51.3;
    }
    struct effects f;
    struct err e = ERR_INIT;
    assert_int_equal(estimate(y, level, N, sizes, 2, &f, &e), ST_OK);
    assert_true(f.axes[0].adjusted[0] == 0 && f.axes[0].adjusted[1] == 0 && f.axes[0].share == 0);
    assert_true(f.axes[1].adjusted[1] == 0 && f.shared == 0);
    assert_close(f.axes[1].adjusted[2], 0.1);
    effects_release(&f);
    assert_int_equal(estimate(same, level, N, sizes, 2, &f, &e), ST_OK);
    assert_true(f.total == 0 && isnan(f.axes[1].share) && f.axes[1].adjusted[2] == 0);
    effects_release(&f);
}

/* One trial a level: there is no rest to tell an error from. */
static void without_rest_there_is_no_interval(void **state)
{
    (void)state;
    const double y[] = {1, 2, 4};
    const size_t level[] = {0, 1, 2}, sizes[] = {3};
    struct effects f;
    struct err e = ERR_INIT;
    assert_int_equal(estimate(y, level, 3, sizes, 1, &f, &e), ST_OK);
    assert_close(f.axes[0].adjusted[2], 4 - 7.0 / 3);
    assert_true(isnan(f.axes[0].half_width[2]) && isnan(f.axes[0].p));
    effects_release(&f);
}

static void tails_match_scipy(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(f_value); i++)
        assert_near(f_tail(f_value[i], f_df1[i], f_df2[i]), f_sf[i]);
    assert_close(f_tail(0, 3, 5), 1);
    assert_close(f_tail(INFINITY, 3, 5), 0);
    assert_true(isnan(f_tail(NAN, 3, 5)));
}

static void quantiles_match_numpy(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(quantile_p); i++)
        assert_close(quantile_of_sorted(quantile_values, COUNT(quantile_values), quantile_p[i]),
                     quantile_of[i]);
    assert_close(quantile_of_sorted((const double[]){1, 4}, 2, 0.5), 2.5);
    assert_close(quantile_of_sorted((const double[]){3}, 1, 0.75), 3);
}

static void fronts(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    double sd;
    size_t freedom;
    struct summary low = {.n = 4, .mean = 0.80, .sd = 0.02}, high = {.n = 4, .mean = 0.81, .sd = 0.02};
    struct candidate c[] = {{.cost = 2, .merit = high}, {.cost = 1, .merit = low}, {.cost = 3, .merit = low}};
    c[2].merit.mean = 0.5;
    assert_int_equal(front_estimate(c, 3, true, &sd, &freedom, &e), ST_OK);
    assert_true(c[0].on_front && c[1].on_front && !c[2].on_front);
    assert_close(sd, 0.02);
    assert_int_equal(freedom, 9);
    assert_true(fabs(c[0].probability - front_probability) < 4 * sqrt(0.25 / FRONT_DRAWS));
    assert_close(c[1].probability, 1);
    assert_close(c[2].probability, 0);
    /* Equal in cost: the better one alone. Lower is better: the other one. */
    c[0].cost = c[1].cost = 1;
    assert_int_equal(front_estimate(c, 2, true, &sd, &freedom, &e), ST_OK);
    assert_true(c[0].on_front && !c[1].on_front);
    assert_close(c[0].probability + c[1].probability, 1);
    assert_int_equal(front_estimate(c, 2, false, &sd, &freedom, &e), ST_OK);
    assert_true(!c[0].on_front && c[1].on_front);
    c[0].merit.n = c[1].merit.n = 1;
    assert_int_equal(front_estimate(c, 2, true, &sd, &freedom, &e), ST_OK);
    assert_true(isnan(sd) && freedom == 0 && isnan(c[0].probability));
}

/* Equal in cost and in every seed: none beats another, so all are on the front, and on every drawn one. */
static void ties_share_a_front(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    double sd;
    size_t freedom;
    const struct summary same = {.n = 3, .mean = 0.8, .sd = 0};
    struct candidate c[] = {{.cost = 1, .merit = same},
                            {.cost = 1, .merit = same},
                            {.cost = 1, .merit = same},
                            {.cost = 1, .merit = same},
                            {.cost = 2, .merit = same}};
    c[0].merit.mean = 0.7;
    assert_int_equal(front_estimate(c, 5, true, &sd, &freedom, &e), ST_OK);
    for (int i = 0; i < 5; i++) {
        assert_true(c[i].on_front == (i >= 1 && i <= 3));
        assert_close(c[i].probability, c[i].on_front ? 1 : 0);
    }
}

static void plateau_matches_all_draws(void **state)
{
    (void)state;
    struct plateau p;
    struct err e = ERR_INIT;
    assert_int_equal(plateau_estimate(curve_x, curve_y, 6, 3, 0.00512, &p, &e), ST_OK);
    assert_close(p.knee.x, curve_knee);
    assert_close(p.start.x, curve_start);
    double knees = 0, starts = 0; /* mass outside the intervals, in truth */
    for (size_t i = 0; i < 6; i++) {
        if (curve_x[i] == p.knee.x)
            assert_true(fabs(p.knee.share - curve_knees[i]) < 4 * sqrt(0.25 / PLATEAU_DRAWS));
        if (curve_x[i] == p.start.x)
            assert_true(fabs(p.start.share - curve_starts[i]) < 4 * sqrt(0.25 / PLATEAU_DRAWS));
        knees += curve_x[i] < p.knee.low || curve_x[i] > p.knee.high ? curve_knees[i] : 0;
        starts += curve_x[i] < p.start.low || curve_x[i] > p.start.high ? curve_starts[i] : 0;
    }
    assert_true(knees < 0.07 && starts < 0.07);
    assert_true(p.start.low <= p.start.x && p.start.x <= p.start.high);
    assert_int_equal(plateau_estimate(curve_x, curve_y, 6, 1, 0.00512, &p, &e), ST_OK);
    assert_true(isnan(p.knee.low) && isnan(p.start.share) && !isnan(p.start.x));
    assert_int_equal(plateau_estimate(curve_x, curve_y, 2, 3, 0.00512, &p, &e), ST_FAILED);
    /* A straight line has no knee. */
    assert_int_equal(plateau_estimate(curve_x, curve_x, 6, 1, 0.00512, &p, &e), ST_OK);
    assert_true(isnan(p.knee.x));
}

static void ranks_match_scipy(void **state)
{
    (void)state;
    const double falling[] = {3, 2, 1}, flat[] = {1, 1, 1};
    struct rank_agreement r;
    struct err e = ERR_INIT;
    assert_int_equal(rank_agreement(ranks_few_a, ranks_few_b, 6, &r, &e), ST_OK);
    assert_close(r.rho, ranks_few_rho);
    assert_close(r.p, ranks_few_p);
    assert_int_equal(rank_agreement(ranks_many_a, ranks_many_b, 14, &r, &e), ST_OK);
    assert_close(r.rho, ranks_many_rho);
    assert_close(r.p, ranks_many_p);
    assert_int_equal(rank_agreement(falling, (const double[]){1, 5, 9}, 3, &r, &e), ST_OK);
    assert_close(r.rho, -1);
    assert_close(r.p, 1);
    assert_int_equal(rank_agreement(falling, falling, 3, &r, &e), ST_OK);
    assert_close(r.p, 1.0 / 6);
    assert_int_equal(rank_agreement(falling, flat, 3, &r, &e), ST_OK);
    assert_true(isnan(r.rho) && isnan(r.p));
    assert_int_equal(rank_agreement(falling, falling, 1, &r, &e), ST_OK);
    assert_true(isnan(r.rho));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_match_scipy),       cmocka_unit_test(sentences),
        cmocka_unit_test(effects_match_numpy),     cmocka_unit_test(tied_axes_have_nothing_of_their_own),
        cmocka_unit_test(nested_axes_match_numpy), cmocka_unit_test(partly_tied_axes_match_numpy),
        cmocka_unit_test(rounding_is_no_effect),   cmocka_unit_test(fronts),
        cmocka_unit_test(ties_share_a_front),      cmocka_unit_test(plateau_matches_all_draws),
        cmocka_unit_test(ranks_match_scipy),       cmocka_unit_test(without_rest_there_is_no_interval),
        cmocka_unit_test(tails_match_scipy),       cmocka_unit_test(quantiles_match_numpy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
