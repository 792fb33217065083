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
/* A dot for each trial: x (default model_mib), which may be an axis of numbers, and y (test_top1). Quick for
 * 100,000. */
enum status figure_scatter(struct store *s, const struct figure_request *r, struct figure *out,
                           char nothing[256], struct err *e);
/* Variants, and which no cheaper one equals, with the probability of that (report/front.h). */
enum status figure_pareto(struct store *s, const struct figure_request *r, struct figure *out,
                          char nothing[256], struct err *e);
/* Share of points (a variant trained by a recipe; means over seeds) with at most a value of column x
 * (test_top1), as in studies of design spaces. */
enum status figure_edf(struct store *s, const struct figure_request *r, struct figure *out, char nothing[256],
                       struct err *e);
/* Mean of a column over two axes: x names the one across, y the one up, or else the column. The others are
 * chosen: the pair that leaves the fewest gaps and, of these, has the most levels. */
enum status figure_heatmap(struct store *s, const struct figure_request *r, struct figure *out,
                           char nothing[256], struct err *e);
/* Mean of y at every level of every axis, with its share of the variance (report/effects.h). */
enum status figure_effects(struct store *s, const struct figure_request *r, struct figure *out,
                           char nothing[256], struct err *e);
/* A line per point through its value on every axis and its mean of y. */
enum status figure_parallel(struct store *s, const struct figure_request *r, struct figure *out,
                            char nothing[256], struct err *e);
/* Attempts over time, one row for each that ran at the same time. */
enum status figure_timeline(struct store *s, const struct figure_request *r, struct figure *out,
                            char nothing[256], struct err *e);
/* Seconds of training as the model of this machine predicts them for the threads that each trial had, against
 * those it took. Takes no columns; without the machine's speed (engine/calibration.h) `nothing` says so. */
enum status figure_predicted(struct store *s, const struct figure_request *r, struct figure *out,
                             char nothing[256], struct err *e);

#endif
