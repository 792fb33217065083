/* Numbers of the command line and of specs. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "fuzz.h"

static void require(bool promise)
{
    if (!promise)
        abort();
}

/* What is written reads back to the same number. */
static void round_trip(double value)
{
    char text[32];
    double again = 0;
    require(strlen(num_format_double(value, text)) < sizeof text);
    require(num_parse_double(text, &again) && again == value);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char *text = malloc(n + 1);
    if (!text)
        return 0;
    memcpy(text, bytes, n);
    text[n] = '\0';
    int64_t whole = 0;
    double real = NAN, scaled = NAN, seconds = NAN;
    bool is_whole = num_parse_int(text, &whole), is_real = num_parse_double(text, &real);
    /* A refused text leaves the number alone, an accepted one is finite. */
    require(is_whole || whole == 0);
    require(is_real == (bool)isfinite(real));
    require(num_parse_scaled(text, &scaled) == (bool)isfinite(scaled));
    require(num_parse_duration(text, &seconds) == (bool)isfinite(seconds));
    require(!isfinite(seconds) || seconds >= 0);
    /* Every kind agrees on what is a plain number. */
    require(!is_whole || (is_real && real == (double)whole));
    require(!is_real || scaled == real);
    require(!is_real || text[0] == '-' || text[0] == '+' || seconds == real);
    if (is_real)
        round_trip(real);
    if (n == sizeof real) {
        memcpy(&real, bytes, n);
        if (isfinite(real))
            round_trip(real);
    }
    free(text);
    return 0;
}
