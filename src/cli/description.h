/* What a checkpoint says about the data its network was trained on. */
#ifndef CLI_DESCRIPTION_H
#define CLI_DESCRIPTION_H

#include <json-c/json.h>
#include <stdbool.h>

/* Mean and standard deviation of each of `channels` channels, of pixels from 0 to 1; false, and both
 * untouched, if the description has none that can be used. `description` may be NULL. */
bool description_normalisation(const struct json_object *description, int channels, float *mean,
                               float *stddev);

#endif
