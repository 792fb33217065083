#include "cli/description.h"

#include <math.h>

/* The numbers under a key; NULL if it has not exactly n of them. */
static const struct json_object *numbers(const struct json_object *description, const char *key, int n)
{
    struct json_object *array;
    if (!json_object_object_get_ex(description, key, &array) ||
        !json_object_is_type(array, json_type_array) || json_object_array_length(array) != (size_t)n)
        return NULL;
    return array;
}

static float number(const struct json_object *array, int i)
{
    return (float)json_object_get_double(json_object_array_get_idx(array, (size_t)i));
}

bool description_normalisation(const struct json_object *description, int channels, float *mean,
                               float *stddev)
{
    const struct json_object *means = numbers(description, "mean", channels),
                             *stddevs = numbers(description, "stddev", channels);
    if (!means || !stddevs)
        return false;
    for (int c = 0; c < channels; c++)
        if (!isfinite(number(means, c)) || !isfinite(number(stddevs, c)) || number(stddevs, c) <= 0)
            return false;
    for (int c = 0; c < channels; c++) {
        mean[c] = number(means, c);
        stddev[c] = number(stddevs, c);
    }
    return true;
}
