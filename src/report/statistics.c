#include "report/statistics.h"

#include <math.h>

struct summary summarise(const double *values, size_t n)
{
    struct summary s = {n, NAN, NAN, NAN, NAN, NAN};
    if (n == 0)
        return s;
    s.min = s.max = values[0];
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += values[i];
        s.min = fmin(s.min, values[i]);
        s.max = fmax(s.max, values[i]);
    }
    /* Rounding must not push the mean out of the values' range: equal values have no spread. */
    s.mean = fmin(fmax(sum / (double)n, s.min), s.max);
    if (n < 2)
        return s;
    double squares = 0;
    for (size_t i = 0; i < n; i++)
        squares += (values[i] - s.mean) * (values[i] - s.mean);
    s.sd = sqrt(squares / (double)(n - 1));
    s.half_width = student_t_quantile(0.975, n - 1) * s.sd / sqrt((double)n);
    return s;
}

double quantile_of_sorted(const double *values, size_t n, double p)
{
    const double at = p * (double)(n - 1);
    const size_t below = (size_t)at;
    const double part = at - (double)below;
    return part > 0 ? values[below] * (1 - part) + values[below + 1] * part : values[below];
}

double student_t_cdf(double t, size_t df)
{
    double root = sqrt((double)df);
    double length = hypot(root, t);
    double cosine = root / length, sine = t / length;
    double squared = cosine * cosine;
    /* Odd df: the sum of cos + 2/3 cos^3 + (2 4)/(3 5) cos^5 ...; even df: 1 + 1/2 cos^2 + (1 3)/(2 4) cos^4
     * ...; both up to the power df - 2. */
    double term = df % 2 ? cosine : 1, sum = 0;
    for (size_t power = df % 2; power + 2 <= df; power += 2) {
        sum += term;
        term *= squared * (double)(power + 1) / (double)(power + 2);
    }
    double within = sine * sum; /* P(|T| <= |t|), with the sign of t */
    if (df % 2)
        within = 2 / M_PI * (atan(t / root) + within);
    return (1 + within) / 2;
}

double student_t_quantile(double p, size_t df)
{
    if (!(p > 0 && p < 1) || df < 1)
        return NAN;
    if (p < 0.5)
        return -student_t_quantile(1 - p, df);
    double low = 0, high = 1;
    while (student_t_cdf(high, df) < p && high < 1e12)
        high *= 2;
    for (int i = 0; i < 200 && high - low > 1e-14 * high; i++) {
        double middle = (low + high) / 2;
        if (student_t_cdf(middle, df) < p)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

/* The continued fraction 1 / (1 + d1 / (1 + d2 / (1 + ...))) of the incomplete beta function, by Lentz's
 * method; quick for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x)
{
    enum { MOST = 10000 };
    const double tiny = 1e-300;
    double value = 1, c = 1, d = 0;
    for (int i = 1; i <= MOST; i++) {
        const double m = floor(i / 2.0);
        const double term = i % 2 ? -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
                                  : m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 + term * d;
        c = 1 + term / c;
        d = 1 / (d == 0 ? tiny : d);
        c = c == 0 ? tiny : c;
        value *= c * d;
        if (fabs(c * d - 1) < 1e-15)
            break;
    }
    return 1 / value;
}

/* x^a y^b / (a B(a, b)) times the fraction: I_x(a, b), where the fraction is quick. */
static double beta_term(double a, double b, double x, double y)
{
    const double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(y));
    return front / a * beta_fraction(a, b, x);
}

/* The regularised incomplete beta function I_x(a, b), with y = 1 - x, which may be too small to be got from
 * x.
 */
static double beta_share(double a, double b, double x, double y)
{
    if (x <= 0 || y <= 0)
        return x <= 0 ? 0 : 1;
    return x > (a + 1) / (a + b + 2) ? 1 - beta_term(b, a, y, x) : beta_term(a, b, x, y);
}

double f_tail(double f, size_t df1, size_t df2)
{
    if (isnan(f) || df1 < 1 || df2 < 1)
        return NAN;
    const double a = (double)df2, b = (double)df1 * f;
    return beta_share((double)df2 / 2, (double)df1 / 2, a / (a + b), b / (a + b));
}
