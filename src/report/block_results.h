/* The finished trials of one block, one observation each, with the levels of its axes: what figures and
 * tables about axes are made from. */
#ifndef REPORT_BLOCK_RESULTS_H
#define REPORT_BLOCK_RESULTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "report/axes.h"
#include "report/effects.h"
#include "report/left_out.h"
#include "report/metric.h"
#include "sweep/store.h"

/* An axis of more numbers than LEVELS_MAX is cut into BIN_COUNT bins of about equally many observations. */
enum { LEVELS_MAX = 12, BIN_COUNT = 5 };

struct block_axis {
    const char *key;
    bool binned, numeric; /* numeric: every value is a number */
    size_t levels;
    size_t absent; /* of an axis that is set only where another one has certain values (`when`): the level
                      that stands for "not set"; else EFFECTS_NONE */
    const char **names; /* of the levels: "0.125", "0.05 to 0.2", "-" for not set, after numbers; numbers
                           ascending, words as the spec lists them, else as met */
    const char **brief; /* for narrow places: of a bin about its middle, "~0.1" */
};

struct block_results {
    struct axes axes;
    const struct metric *metric;
    size_t count;         /* observations */
    struct left_out of;   /* the trials of the block */
    const char *left_out; /* for people, "12 of 16 trials (pruned); ...", and axes of which that left one
                             value; NULL: all have a result */
    size_t *point;        /* in axes */
    double *y;            /* in the unit of the metric */
    size_t axis_count;    /* those with at least two levels among the observations */
    struct block_axis *axis;
    size_t *column; /* of axes.columns, for each axis */
    size_t *level;  /* level[observation * axis_count + axis] */
    int64_t *seed;  /* of each observation */
};

void block_results_init(struct block_results *r);
void block_results_release(struct block_results *r); /* also after a failure */

/* Reads a block (row id): its finished trials, each once, by its first name. ST_USAGE for an unknown column
 * `y`; count 0 where nothing is done yet. */
enum status block_results_load(struct store *s, int64_t block, const char *y, struct block_results *out,
                               struct err *e);

/* Whether the block's points were drawn at random, as far as the spec of its sweep can still be read. */
bool block_is_random(struct store *s, int64_t block);

/* Effects of its axes; see effects.h. effects_release in any case. */
enum status block_results_effects(const struct block_results *r, struct effects *out, struct err *e);

#endif
