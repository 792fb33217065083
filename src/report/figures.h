/* The kinds of figures: each turns the results of one block into a struct figure. */
#ifndef REPORT_FIGURES_H
#define REPORT_FIGURES_H

#include <stdint.h>

#include "base/err.h"
#include "report/figure.h"
#include "sweep/store.h"

struct figure_request {
    int64_t block;            /* row id */
    const char *sweep, *name; /* names of the sweep and of the block */
    const char *x, *y;        /* columns (report/metric.h) or, for x, an axis; NULL = the kind's default */
};

/* Fill an initialised figure. A block without results leaves `points` 0 and puts the reason into `nothing`.
 * ST_USAGE for an unknown column. */
enum status figure_curve(struct store *s, const struct figure_request *r, struct figure *out,
                         char nothing[256], struct err *e);
enum status figure_learning(struct store *s, const struct figure_request *r, struct figure *out,
                            char nothing[256], struct err *e);

#endif
