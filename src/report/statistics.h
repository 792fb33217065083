/* Statistics of replicates: means and their intervals. Pure arithmetic. */
#ifndef REPORT_STATISTICS_H
#define REPORT_STATISTICS_H

#include <stddef.h>

struct summary {
    size_t n;
    double mean;       /* NaN when n is 0 */
    double sd;         /* sample standard deviation (divisor n - 1); NaN when n < 2 */
    double half_width; /* of the two-sided 95 % confidence interval of the mean: t(0.975; n - 1) * sd /
                          sqrt(n); NaN when n < 2 */
    double min, max;   /* NaN when n is 0 */
};

/* Summary of n finite values, in any order. The interval is Student's (1908): it assumes that replicates are
 * independent and their errors about normal. */
struct summary summarise(const double *values, size_t n);

/* The quantile 0 <= p <= 1 of n >= 1 ascending values: between two of them linearly, as numpy does by default
 * (type 7 of Hyndman and Fan, "Sample quantiles in statistical packages", 1996). The median of an even number
 * is the mean of the middle two. */
double quantile_of_sorted(const double *values, size_t n, double p);

/* Distribution function of Student's t with `df` >= 1 degrees of freedom, P(T <= t).
 * The finite trigonometric sums of Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3
 * and 26.7.4. */
double student_t_cdf(double t, size_t df);

/* Its inverse: the t with student_t_cdf(t, df) == p, to about 12 digits. 0 < p < 1, otherwise NaN. */
double student_t_quantile(double p, size_t df);

/* P(F >= f) for Fisher's F with df1 and df2 >= 1 degrees of freedom, f >= 0; NaN for NaN. Abramowitz and
 * Stegun 26.6.2 through the incomplete beta function, of which it takes the continued fraction (NIST Digital
 * Library of Mathematical Functions, 8.17.22). */
double f_tail(double f, size_t df1, size_t df2);

#endif
