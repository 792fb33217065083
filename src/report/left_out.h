/* The trials of a block that a figure or a table leaves out, because they have no result, and why. */
#ifndef REPORT_LEFT_OUT_H
#define REPORT_LEFT_OUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "sweep/store.h"

struct left_out {
    size_t trials; /* of the block, each once, with and without result */
    size_t
        without[TRIAL_STATE_COUNT]; /* trials without a result, by their state; done: without this metric */
};

/* Counts one trial; `state` as the database has it. */
void left_out_count(struct left_out *l, const char *state, bool has_result);

/* Trials without a result, and trials that are done, with and without. */
size_t left_out_total(const struct left_out *l);
size_t left_out_done(const struct left_out *l);

/* "12 of 16 trials (10 pruned, 2 failed)", "" where all have a result. NULL: no memory. */
const char *left_out_text(const struct left_out *l, struct arena *arena);

/* Why there is nothing to show: "none of its 4 trials is done yet (3 not begun, 1 failed)", "2 of 4 trials
 * are done, but none has test_top1", "... but none has latency_ms and test_top1" (x NULL: every trial has
 * it). */
void left_out_nothing(const struct left_out *l, const char *x, const char *y, char *out, size_t n);

#endif
