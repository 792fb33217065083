/* What ranks the variants of a search beside their accuracy, for `firesweep query DB rungs`. */
#ifndef REPORT_QUERY_RUNGS_H
#define REPORT_QUERY_RUNGS_H

#include "base/err.h"
#include "sweep/store.h"

struct named_query;

/* Fills the temporary table rung_cost(sweep_id, cost): of each sweep whose spec has a search in pareto mode
 * the name of the cost (as a spec calls it) that variants are compared in. A sweep whose spec cannot be read
 * any more has none. query, where and cost play no role: they are those of struct named_query's `prepare`. */
enum status query_rung_costs(struct store *s, const struct named_query *query, const char *where,
                             const char *cost, struct err *e);

#endif
