/* Rows that the program computes, as a temporary table of the connection, so that queries can join and narrow
 * them. Nothing is written to the database's file. */
#ifndef SWEEP_STORE_SCRATCH_H
#define SWEEP_STORE_SCRATCH_H

#include "base/err.h"
#include "sweep/store.h"

struct store_scratch; /* opaque: the table while it is filled */

/* Creates the table temp.NAME, which takes the place of an earlier one. Names are the program's own. No query
 * over the earlier one may be open. */
enum status store_scratch_open(struct store *s, const char *name, const char *const *columns, int count,
                               struct store_scratch **out, struct err *e);
/* Adds a row; texts are copied. */
enum status store_scratch_row(struct store_scratch *x, const struct cell *cells, struct err *e);
/* The table stays as long as the store is open. NULL is nothing. */
void store_scratch_close(struct store_scratch *x);

#endif
