/* The named queries of the results database, as `firesweep query DB NAME` offers them. Their columns are made
 * for a terminal; the tables and views with everything are described in docs/schema.md. Accuracies are
 * shares, 0..1. */
#ifndef REPORT_QUERIES_H
#define REPORT_QUERIES_H

#include "base/err.h"
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
    /* What must be computed first, from the rows of `sql` that `where` leaves; NULL: nothing. */
    enum status (*prepare)(struct store *s, const char *sql, const char *where, struct err *e);
};

/* All of them, in the order of help texts; ends with a NULL name. */
const struct named_query *named_queries(void);

/* Flags (enum table_flags) of a column of theirs: settings are said once where all rows have the same, axes
 * are JSON. `chosen`: of columns that were asked for, which are all shown. */
unsigned named_query_flags(const char *column);
unsigned named_query_chosen_flags(const char *column);

/* Opens a query by its name. An unknown name is ST_USAGE and lists the known ones. */
enum status named_query_open(struct store *s, const char *name, struct store_query **out, struct err *e);
/* The same, narrowed; f->shown is the query's own. */
enum status named_query_open_filtered(struct store *s, const char *name, const struct store_filter *f,
                                      struct store_query **out, struct err *e);

#endif
