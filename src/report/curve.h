/* Curves: the trials of one block as points, replicates averaged, for figures of one quantity against
 * another. */
#ifndef REPORT_CURVE_H
#define REPORT_CURVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "report/axes.h"
#include "report/left_out.h"
#include "report/metric.h"
#include "report/statistics.h"
#include "sweep/store.h"

/* What the points stand over. */
enum curve_x {
    CURVE_METRIC,   /* a quantity, by default model size: the metaparameter goes to the upper axis */
    CURVE_AXIS,     /* the numbers of the primary axis */
    CURVE_CATEGORY, /* 1, 2, 3, ...: the primary axis has words for values */
};

struct curve_point {
    size_t point; /* in `axes` */
    size_t series;
    double x;
    struct summary y; /* over replicates */
};

struct curve {
    struct axes axes;
    enum curve_x x_kind;
    const struct metric *x_metric; /* NULL unless CURVE_METRIC */
    double common_x; /* the model size (MiB) all points have, if that is why x is an axis; else NaN */
    const struct metric *y_metric;
    size_t series_count;
    const char **series; /* values of the axes that tell series apart; "" if there are none */
    size_t count;
    struct curve_point *points; /* with at least one result; series by series, within a series by x */
    size_t point_count;         /* of the block, with and without results */
    struct left_out of;         /* the trials of the block */
    /* private: the replicates until curve_finish */
    size_t replicate_count, replicate_capacity;
    struct replicate *replicates;
};

void curve_init(struct curve *c);
void curve_release(struct curve *c); /* also after a failure */

/* Adds one trial of the block: its axes (JSON), its state, x and y in the units of the metrics; either NaN:
 * no result (yet). A trial that is not done has none. `again`: another name of one that is there, a point but
 * no further trial. */
enum status curve_add(struct curve *c, const char *axes, const char *state, bool again, double x, double y,
                      struct err *e);

/* Groups what was added. `x`: a column of metric_find or an axis of the block, NULL = model size; where that
 * tells nothing apart (every curve stands over one size) the primary axis takes its place. */
enum status curve_finish(struct curve *c, const char *x, const struct metric *y, struct err *e);

/* The metric whose values curve_add wants as x; model size if `x` is NULL or an axis. */
const struct metric *curve_x_metric(const char *x);

/* Reads the trials of a block (row id) that the spec names. ST_USAGE for an unknown column. A block without
 * any result is ST_OK with count 0. */
enum status curve_load(struct store *s, int64_t block, const char *x, const char *y, struct curve *out,
                       struct err *e);

#endif
