/* The Pareto front behind `firesweep query DB pareto`. */
#ifndef REPORT_QUERY_FRONT_H
#define REPORT_QUERY_FRONT_H

#include "base/err.h"
#include "sweep/store.h"

struct named_query;

/* Fills the temporary table front(sweep, variant, recipe, front_pct, cost) with those rows of `sql` (the
 * columns of the query leaderboard) that `where` leaves and that are on the front of their sweep, of the
 * column `cost` (NULL: model_mib) and validation accuracy (of test accuracy where nothing was validated). A
 * row without its cost is on no front. front_pct: the share of bootstrap fronts it is on, in percent
 * (report/front.h); NULL where nothing has replicates. */
enum status query_front(struct store *s, const struct named_query *query, const char *where, const char *cost,
                        struct err *e);

#endif
