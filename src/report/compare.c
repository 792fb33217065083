#include "report/compare.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

/* The first finite value of a seed. */
static bool value_of(const struct replicate_value *v, size_t n, int64_t seed, double *out)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].seed == seed && isfinite(v[i].value)) {
            *out = v[i].value;
            return true;
        }
    return false;
}

static bool seen_before(const struct replicate_value *v, size_t i)
{
    double value;
    return value_of(v, i, v[i].seed, &value);
}

struct comparison compare_paired(const struct replicate_value *a, size_t na, const struct replicate_value *b,
                                 size_t nb, double *scratch)
{
    double *first = scratch, *second = scratch + na, *difference = scratch + 2 * na;
    size_t n = 0;
    for (size_t i = 0; i < na; i++) {
        if (!isfinite(a[i].value) || seen_before(a, i) || !value_of(b, nb, a[i].seed, &second[n]))
            continue;
        first[n] = a[i].value;
        difference[n] = second[n] - first[n];
        n++;
    }
    return (struct comparison){summarise(first, n), summarise(second, n), summarise(difference, n)};
}

const char *verdict_name(enum verdict v)
{
    static const char *const names[] = {"holds", "does not hold", "not shown"};
    return names[v];
}

enum verdict verdict_above(const struct summary *d, double margin)
{
    if (d->mean - d->half_width > margin)
        return VERDICT_HOLDS;
    return d->mean + d->half_width < margin ? VERDICT_DOES_NOT_HOLD : VERDICT_NOT_SHOWN;
}

enum verdict verdict_at_most(const struct summary *d, double margin)
{
    if (d->mean + d->half_width < margin)
        return VERDICT_HOLDS;
    return d->mean - d->half_width > margin ? VERDICT_DOES_NOT_HOLD : VERDICT_NOT_SHOWN;
}

/* `v` as it is printed with `decimals`; what rounds to nothing has no sign. */
static double printed(double v, int decimals)
{
    return fabs(v) * 2 < pow(10, -decimals) ? 0 : v;
}

char *compare_sentence(const struct summary *d, const char *a, const char *b, double scale, int decimals,
                       char *out, size_t size)
{
    if (d->n == 0) {
        snprintf(out, size, "%s and %s share no finished seed, so they cannot be compared", a, b);
        return out;
    }
    const double largest = fmax(fabs(d->mean), d->half_width) * scale; /* NaN half width: the mean */
    if (d->n > 1 && largest == 0) {
        snprintf(out, size, "%s and %s have the same in each of %zu seeds", a, b, d->n);
        return out;
    }
    while (decimals < 6 && largest > 0 && printed(largest, decimals) == 0) /* too few to tell anything */
        decimals++;
    const double mean = printed(d->mean * scale, decimals),
                 low = printed((d->mean - d->half_width) * scale, decimals),
                 high = printed((d->mean + d->half_width) * scale, decimals);
    if (d->n == 1) {
        snprintf(out, size, "one seed of each: no interval, so nothing is shown between %s and %s: %+.*f", a,
                 b, decimals, mean);
        return out;
    }
    char numbers[160];
    snprintf(numbers, sizeof numbers, "%+.*f [%+.*f, %+.*f], n = %zu", decimals, mean, decimals, low,
             decimals, high, d->n);
    if (verdict_above(d, 0) == VERDICT_NOT_SHOWN)
        snprintf(out, size, "no difference shown between %s and %s: %s", a, b, numbers);
    else
        snprintf(out, size, "%s is %s than %s: %s", b, d->mean > 0 ? "higher" : "lower", a, numbers);
    return out;
}
