/* What the answers about blocks share. */
#ifndef REPORT_ANSWER_BLOCKS_H
#define REPORT_ANSWER_BLOCKS_H

#include <stdint.h>

#include "base/err.h"
#include "report/block_results.h"
#include "report/table.h"
#include "sweep/store.h"

/* Adds the rows of one block (row id; `name` for people) on the metric `y` to t. */
typedef enum status block_function(struct store *s, int64_t id, const char *name, const char *y,
                                   struct table *t, struct err *e);

/* Calls `rows` for each block in order of the specs, or only for the one called `block`. ST_USAGE when there
 * is none of that name. `y` NULL: test_top1. */
enum status answer_each_block(struct store *s, const char *block, const char *y, block_function *rows,
                              struct table *t, struct err *e);

/* NaN: nothing. */
struct cell answer_number(double v);

#endif
