/* The named queries of the results database, as `firesweep query DB NAME` offers them. Their columns are made
 * for a terminal; the tables and views with everything are described in docs/schema.md. Accuracies are
 * shares, 0..1. */
#ifndef REPORT_QUERIES_H
#define REPORT_QUERIES_H

#include "base/err.h"
#include "report/table.h"
#include "sweep/store.h"
#include "sweep/store_filter.h"

struct named_query {
    const char *name;
    const char *help; /* one line */
    const char *sql;  /* one statement, for store_query_open */
    /* Columns that are shown unless others are asked for, with commas; NULL: all. The rest is there for
     * filters. */
    const char *shown;
    /* SQL around the rows that a filter leaves, which then are what the query is about: "the ten best of
     * these". NULL: nothing. */
    const char *before, *after;
    const char *others; /* as struct store_filter has it: what else its rows go by; NULL: nothing */
    int places;         /* so many rows of each sweep (column place), unless a limit says otherwise; 0: all */
    bool takes_cost;    /* one can name what is to be small */
    bool measured;      /* its columns are measured, also one that is called as a setting (lr of an epoch) */
    /* What must be computed first, from the rows of the query that `where` leaves; NULL: nothing. `cost`, of
     * a query that takes one: a column of metric_find_cost; NULL: the model's size. */
    enum status (*prepare)(struct store *s, const struct named_query *q, const char *where, const char *cost,
                           struct err *e);
    const char *nothing;    /* why there are no rows, if there are none */
    struct table_note note; /* below the rows */
};

/* All of them, in the order of help texts; ends with a NULL name. */
const struct named_query *named_queries(void);

/* Flags (enum table_flags) of a column of theirs: settings are said once where all rows have the same, axes
 * are JSON. `chosen`: of columns that were asked for, which are all shown. */
unsigned named_query_flags(const char *column);
unsigned named_query_chosen_flags(const char *column);
/* The same of a query that is `measured`. */
unsigned named_query_measured_flags(const char *column);

/* The query of this name. ST_USAGE: there is none, and the known ones are listed. */
enum status named_query_find(const char *name, const struct named_query **out, struct err *e);

/* Opens a query by its name, as named_query_find finds it. */
enum status named_query_open(struct store *s, const char *name, struct store_query **out, struct err *e);
/* The same, narrowed; f->shown is the query's own. `cost`: as of `prepare`; ST_USAGE where a query has none.
 */
enum status named_query_open_filtered(struct store *s, const char *name, const struct store_filter *f,
                                      const char *cost, struct store_query **out, struct err *e);

#endif
