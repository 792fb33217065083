/* Learning curves: a quantity per epoch for every point of a block, averaged over replicates. */
#ifndef REPORT_LEARNING_H
#define REPORT_LEARNING_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "report/axes.h"
#include "report/left_out.h"
#include "report/lines.h"
#include "report/metric.h"
#include "report/statistics.h"
#include "sweep/store.h"

struct learning_epoch {
    size_t point;     /* in `axes` */
    int64_t epoch;    /* 1-based */
    struct summary y; /* over replicates */
};

struct learning {
    struct axes axes;
    const struct metric *metric;
    size_t count;
    struct learning_epoch *epochs;       /* point by point, ascending */
    const struct line_identity *trained; /* of each point; learning_load only */
    struct left_out of;                  /* the trials of the block; those that are not done have no result */
    /* private: the values until learning_finish */
    size_t value_count, value_capacity;
    struct learning_value *values;
    size_t trained_capacity;
    struct line_identity *trained_room;
};

void learning_init(struct learning *l);
void learning_release(struct learning *l); /* also after a failure */

/* Adds one epoch of a done trial whose axes (JSON) are given; y NaN: the trial has no such value. */
enum status learning_add(struct learning *l, const char *axes, int64_t epoch, double y, struct err *e);
enum status learning_finish(struct learning *l, struct err *e);

/* Reads the epochs of a block's (row id) done trials that the spec names, each once, by its first name. `y`:
 * a column of metric_find or NULL: validation top-1, or training top-1 in a sweep without validation.
 * ST_USAGE for an unknown column; a block without values is ST_OK with count 0. */
enum status learning_load(struct store *s, int64_t block, const char *y, struct learning *out, struct err *e);

#endif
