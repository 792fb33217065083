#include "base/num.h"

#include <errno.h>
#include <float.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not isdigit: that may depend on the locale. */
static const char *skip_digits(const char *s)
{
    while (*s >= '0' && *s <= '9')
        s++;
    return s;
}

static const char *skip_sign(const char *s)
{
    return *s == '+' || *s == '-' ? s + 1 : s;
}

/* End of the unsigned decimal or scientific number at s; NULL if there is none. */
static const char *scan_number(const char *s)
{
    const char *end = skip_digits(s);
    size_t digits = (size_t)(end - s);
    if (*end == '.') {
        const char *fraction = end + 1;
        end = skip_digits(fraction);
        digits += (size_t)(end - fraction);
    }
    if (digits == 0)
        return NULL;
    if (*end == 'e' || *end == 'E') {
        const char *exponent = skip_sign(end + 1);
        const char *exponent_end = skip_digits(exponent);
        if (exponent_end == exponent)
            return NULL;
        end = exponent_end;
    }
    return end;
}

/* Value of the number at s whose extent scan_number has checked; false unless finite. */
static bool read_number(const char *s, double *out)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c)
        return false;
    *out = strtod_l(s, NULL, c);
    freelocale(c);
    return isfinite(*out);
}

bool num_parse_int(const char *s, int64_t *out)
{
    const char *digits = skip_sign(s);
    const char *end = skip_digits(digits);
    if (end == digits || *end != '\0')
        return false;
    errno = 0;
    long long value = strtoll(s, NULL, 10);
    if (errno == ERANGE)
        return false;
    *out = value;
    return true;
}

bool num_parse_double(const char *s, double *out)
{
    const char *end = scan_number(skip_sign(s));
    double value;
    if (!end || *end != '\0' || !read_number(s, &value))
        return false;
    *out = value;
    return true;
}

bool num_parse_scaled(const char *s, double *out)
{
    static const struct {
        const char *unit;
        double factor;
    } units[] = {
        {"", 1},    {"K", 1e3},  {"KB", 1e3},     {"M", 1e6},      {"MB", 1e6},
        {"G", 1e9}, {"GB", 1e9}, {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30},
    };
    const char *end = scan_number(skip_sign(s));
    double value;
    if (!end || !read_number(s, &value))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(end, units[i].unit) == 0 && isfinite(value * units[i].factor)) {
            *out = value * units[i].factor;
            return true;
        }
    }
    return false;
}

/* Parts from the largest unit to the smallest, each unit at most once. */
bool num_parse_duration(const char *s, double *seconds)
{
    static const char units[] = "dhms";
    static const double factors[] = {86400, 3600, 60, 1};
    size_t next = 0; /* first unit that may still come */
    double total = 0;
    const char *start = s;
    do {
        const char *end = scan_number(s);
        double value;
        if (!end || !read_number(s, &value))
            return false;
        if (*end == '\0' && s == start) {
            *seconds = value;
            return true;
        }
        const char *unit = *end == '\0' ? NULL : strchr(units + next, *end);
        if (!unit)
            return false;
        total += value * factors[unit - units];
        next = (size_t)(unit - units) + 1;
        s = end + 1;
    } while (*s != '\0');
    if (!isfinite(total))
        return false;
    *seconds = total;
    return true;
}

enum { FORMATTED_MAX = 32 };

static void format_shortest(double v, char *out)
{
    if (fabs(v) < 1e15 && v == trunc(v)) {
        snprintf(out, FORMATTED_MAX, "%.0f", v); /* 100000, not 1e+05 */
        return;
    }
    /* A number of at most 15 digits comes back from its double with them, and %g drops the zeros behind; a
     * denormal one has fewer. */
    for (int digits = fabs(v) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
        snprintf(out, FORMATTED_MAX, "%.*g", digits, v);
        if (strtod(out, NULL) == v)
            return;
    }
}

char *num_format_double(double v, char *out)
{
    if (isnan(v))
        return memcpy(out, "nan", sizeof "nan");
    if (strcmp(nl_langinfo(RADIXCHAR), ".") == 0) { /* nearly always, and much quicker */
        format_shortest(v, out);
        return out;
    }
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t previous = c ? uselocale(c) : (locale_t)0;
    format_shortest(v, out);
    if (c) {
        uselocale(previous);
        freelocale(c);
    }
    return out;
}
