/* What the files of the store share: the connection, statements, rows. Not for other modules. */
#ifndef SWEEP_STORE_INTERNAL_H
#define SWEEP_STORE_INTERNAL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "sweep/store.h"

enum {
    STORE_APPLICATION_ID = 0x66737770, /* "fswp": what `file` and we know the database by */
    STORE_OLDEST_VERSION = 1,          /* of the schemas that can be read, and written after an upgrade */
    STORE_BUSY_MS = 60000,             /* how long to wait for another process's transaction */
};

struct store {
    sqlite3 *db;
    char *path;
    bool readonly;
    bool tidy;           /* a reader that may have left files beside the database */
    long long wal_inode; /* of the log beside the file, 0: not known */
    bool (*busy_wait)(void *context, double waited_s); /* store_on_busy */
    void *busy_context;
    int busy_ms;       /* waited for a lock so far */
    bool guarded;      /* a query of the user is being compiled or stepped: only reading is allowed */
    char refused[128]; /* what the guard refused, "" when nothing */
};

/* store_schema.c */
enum status store_schema_create(struct store *s, struct err *e);
/* From an older version, within a transaction. */
enum status store_schema_upgrade(struct store *s, int64_t from, struct err *e);
/* For readers of an older version, who leave it as it is: its connection gets what is missing, empty or
 * made of what is there, and the views of this version, as temporary tables and views. */
enum status store_schema_emulate(struct store *s, int64_t from, struct err *e);

/* store_check.c: ST_CORRUPT when the file is damaged. Reads all of it; indexes are compared with their tables
 * where that is quick (store_check_all always does). */
enum status store_check_damage(struct store *s, struct err *e);
/* ST_CORRUPT when a table, index or view of this version's schema is missing. */
enum status store_check_schema(struct store *s, struct err *e);

/* store_migrate.c: brings an older database up to this version; a copy of it as it was is kept beside it as
 * "<path>.v<version>.bak". Nothing happens to one that is up to date. */
enum status store_migrate(struct store *s, struct err *e);

/* store_create.c: a complete new database where none or an empty file is. Nothing happens when another
 * process is quicker. */
enum status store_create_file(const char *path, struct err *e);

/* store_open.c */

/* What `sql` gives, a single number. */
enum status store_read_int(struct store *s, const char *sql, int64_t *out, struct err *e);
/* Size and inode of the -wal file beside the open database; false when there is none. */
bool store_wal(const struct store *s, long long *bytes, long long *inode);
/* A URI for sqlite3_open_v2 in which no character of the path means anything special. */
void store_uri(const char *path, const char *parameters, struct strbuf *out);

/* store_trial.c: a running trial waits again and its attempt, if it has no end yet, has crashed: when its
 * lease last showed that it lived. Within a transaction. */
enum status store_trial_free(struct store *s, int64_t trial, const char *doing, struct err *e);
/* store_lease.c: the lease of an attempt that begins, by this process; within a transaction. */
enum status store_lease_insert(struct store *s, int64_t trial, int64_t attempt, int pid, const char *doing,
                               struct err *e);

/* The row of a sweep; ST_USAGE, listing the sweeps there are, for an unknown name. */
enum status store_sweep_id(struct store *s, const char *name, int64_t *id,
                           struct err *e); /* store_counts.c */

/* store_statement.c */

/* Records SQLite's last error as "path: doing: text" with the status it deserves: a full disk, a damaged
 * file, a lock, missing permission and missing memory each have their own wording. */
enum status store_error(const struct store *s, int code, const char *doing, struct err *e);
enum status store_exec(struct store *s, const char *sql, const char *doing, struct err *e);
enum status store_prepare(struct store *s, const char *sql, sqlite3_stmt **out, const char *doing,
                          struct err *e);
/* A write transaction from its start, so that it never has to give up halfway because of another writer.
 * store_end commits when `status` is ST_OK and rolls back otherwise; returns the transaction's status. */
enum status store_begin(struct store *s, const char *doing, struct err *e);
enum status store_end(struct store *s, enum status status, const char *doing, struct err *e);

/* Steps a statement to its end and makes it ready for the next use. */
enum status store_run(struct store *s, sqlite3_stmt *statement, const char *doing, struct err *e);
/* Steps to the first row and reads its first column, if there is a row; makes the statement ready for the
 * next use. */
enum status store_fetch_int(struct store *s, sqlite3_stmt *statement, bool *found, int64_t *out,
                            const char *doing, struct err *e);

/* A row to be written: column names beside their values, so that they cannot be told apart by position. */
enum { STORE_ROW_MAX = 40 };
struct row_value {
    const char *column;
    enum cell_type type;
    int64_t i;
    double r;
    const char *text; /* borrowed */
    const char *sql;  /* an expression in place of a value, or NULL */
};
struct row {
    int count;
    struct row_value values[STORE_ROW_MAX];
};
void row_int(struct row *row, const char *column, int64_t v);
void row_real(struct row *row, const char *column, double v);      /* not finite: NULL */
void row_text(struct row *row, const char *column, const char *v); /* NULL: NULL */
void row_null(struct row *row, const char *column);
void row_now(struct row *row, const char *column); /* the time, as "2025-01-31T12:00:00Z" */
#define STORE_NOW "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"

/* INSERT of one row after the other into one table; the statement is compiled for the first row and all rows
 * have the same columns. `suffix` is the ON CONFLICT clause, or "". */
struct inserter {
    const char *table, *suffix;
    sqlite3_stmt *statement;
};
enum status inserter_add(struct inserter *i, struct store *s, const struct row *row, const char *doing,
                         struct err *e);
void inserter_release(struct inserter *i);

/* UPDATE of the one row with this id; sqlite3_changes tells whether it exists. */
enum status store_update(struct store *s, const char *table, const struct row *row, int64_t id,
                         const char *doing, struct err *e);

/* store_rows.c: what the rows of a sweep, a point of a block, a variant, its Fires and a recipe say. Texts
 * are borrowed from the arguments. */
void sweep_row(const struct spec *spec, const struct dataset *data, const char *fingerprint, struct row *row);
void point_row(const struct membership *member, int64_t block, struct row *row);
void variant_row(const struct trial *trial, const char *pools, struct row *row);
void fire_row(const struct trial *trial, const struct arch *arch, int fire, int64_t variant, struct row *row);
void recipe_row(const struct trial *trial, struct row *row);

/* store_recorded.c: whether the database says of this sweep's trials and memberships, and of nothing else as
 * part of its spec, what store_sync would write; only then trial_ids receives the rows' ids. Always false for
 * a search. */
struct recorded_sweep {
    int64_t id;
    const int64_t *block_ids; /* by index into spec.blocks */
    const char *fingerprint;  /* of the data */
};
enum status store_recorded(struct store *s, const struct recorded_sweep *sweep, const struct space *space,
                           int64_t *trial_ids, bool *same, struct err *e);

/* store_query.c: gives parameter `index` (from 1) of a query without rows yet its value; texts are copied. */
int store_bind_cell(sqlite3_stmt *statement, int index, struct cell value); /* SQLite's code */
enum status store_query_bind(struct store_query *q, int index, struct cell value, struct err *e);

/* store_guard.c: the authorizer of every connection; `context` is the struct store. */
int store_guard(void *context, int action, const char *first, const char *second, const char *database,
                const char *trigger);

#endif
