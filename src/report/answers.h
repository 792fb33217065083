/* The answers of `firesweep query` that are computed rather than selected. */
#ifndef REPORT_ANSWERS_H
#define REPORT_ANSWERS_H

#include "base/err.h"
#include "report/table.h"
#include "sweep/store.h"

/* Columns of an answer, for table_init. */
const struct table_column *compare_columns(int *count);
const struct table_column *effects_columns(int *count);
const struct table_column *plateau_columns(int *count);
const struct table_column *ranks_columns(int *count);

/* Compares two finished variants over the seeds they share: a row for each quantity, with the difference (b -
 * a), its 95 % interval, a sentence about A and B, and what these are. A side is the number of a variant, or
 * a condition (sweep/store_filter.h) over settings, costs, sweep, block and n (seeds in the block) that
 * exactly one variant and recipe meets, such as "SR = 0.75"; otherwise ST_USAGE says which do, and how they
 * differ. `where`: a condition that both sides meet beside their own; NULL: none. */
enum status compare_rows(struct store *s, const char *a, const char *b, const char *where, struct table *t,
                         struct err *e);
/* Whether `where` can be one, which names only what sides can be told by: else ST_USAGE. */
enum status compare_check(struct store *s, const char *where, struct err *e);

/* Effects of the axes of each block (NULL: of all) on a column of report/metric.h (NULL: test_top1). One row
 * for each level. ST_USAGE for an unknown block or column. */
enum status effects_rows(struct store *s, const char *block, const char *y, struct table *t, struct err *e);

/* Knee and plateau (report/plateau.h, within half a percentage point of the best) of each block that has one
 * axis, of numbers, over the seeds that all its points share; and the last point against the plateau's start.
 * Arguments as of effects_rows, for accuracies. */
enum status plateau_rows(struct store *s, const char *block, const char *y, struct table *t, struct err *e);

/* For each axis of a block with two or more, and each two of its levels: Spearman's rank correlation
 * (report/ranks.h) between what the points of the other axes reach at one level and at the other, means over
 * the seeds that both have. Arguments as of effects_rows. */
enum status ranks_rows(struct store *s, const char *block, const char *y, struct table *t, struct err *e);

#endif
