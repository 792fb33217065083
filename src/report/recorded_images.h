/* How many images a sweep's data held when it was last run. */
#ifndef REPORT_RECORDED_IMAGES_H
#define REPORT_RECORDED_IMAGES_H

#include "base/err.h"
#include "sweep/forecast.h"
#include "sweep/store.h"

/* train = -1 where the database does not know the sweep, or unreadable images were left out. */
enum status recorded_images(struct store *s, const char *sweep, struct image_counts *out, struct err *e);

#endif
