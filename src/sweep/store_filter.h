/* Queries narrowed by people: a condition over the query's columns, an order, a limit, a choice of columns.
 *
 * The condition is an expression (expression.h) over the query's columns, never SQL: names are looked up
 * among the columns, numbers and texts are bound as parameters, everything else is refused with its place. So
 * nothing that a user writes becomes part of a statement. Names do not distinguish case. Texts are compared
 * only with texts; columns in MiB may be compared with bytes (5MiB). */
#ifndef SWEEP_STORE_FILTER_H
#define SWEEP_STORE_FILTER_H

#include <stdint.h>

#include "base/err.h"
#include "sweep/store.h"

struct store_filter {
    const char *where; /* NULL: all rows */
    const char *label; /* what messages begin with that are about `where`; NULL: "--where: " */
    /* SQL of the names that a row goes by: columns that stand in for the row's own of the same names (the row
     * is `r`); a condition holds for a row if it holds for any of them, or, where there are none, for the row
     * itself. NULL: the row's own. */
    const char *others;
    const char *sort;    /* "column" or "column:desc", several with commas; NULL: the query's own order */
    const char *columns; /* names with commas, in the order to show; "all"; NULL: `shown` */
    const char *shown;   /* the same, of the query itself: what is shown unless asked otherwise; NULL: all */
    /* SQL around the rows that `where` leaves, before they are sorted and cut; NULL: nothing. */
    const char *before, *after;
    int64_t limit; /* at most so many rows; negative: all */
};

/* As store_query_open, narrowed. A mistake in the filter is ST_USAGE and says option, place (characters from
 * 1), and what there is. Rows without a value stand last in either order. */
enum status store_query_open_filtered(struct store *s, const char *sql, const struct store_filter *f,
                                      struct store_query **out, struct err *e);

#endif
