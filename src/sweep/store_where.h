/* From a condition (expression.h) over the columns of a query to SQL. */
#ifndef SWEEP_STORE_WHERE_H
#define SWEEP_STORE_WHERE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "sweep/expression.h"
#include "sweep/store.h"

struct field;

struct store_where {
    struct strbuf sql; /* a condition in SQL; "" where there is none. strbuf_release is the caller's */
    size_t count;
    struct cell *parameters; /* of ?1, ?2, ...; in the arena */
};

/* Translates `text`; NULL: no condition. Columns are those of `names`, and only their names, as
 * SQLite has them, become part of the SQL; numbers and texts become parameters. ST_USAGE: "LABELcharacter N:
 * ..." with what is allowed. */
enum status store_where_translate(const char *text, const char *label, const struct store_query *names,
                                  struct arena *arena, struct store_where *out, struct err *e);

/* What a condition may say of the columns of a query; lives in the arena, and as long as the query. ST_NOMEM.
 */
enum status store_where_scope(const struct store_query *q, struct arena *arena, struct expression_scope *out,
                              struct err *e);

/* The field of which a column of texts holds values, NULL: of none, and any text goes. */
const struct field *store_where_field(const char *name);

/* Appends the name of a column of `names`, quoted. */
void store_where_column(struct strbuf *sql, const struct store_query *names, int column);

#endif
