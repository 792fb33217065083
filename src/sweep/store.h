/* The results database (SQLite): the only file that knows its schema; documented for people in
 * docs/schema.md. Supervisors write, several at a time: each trial is held by one of them (store_lease.h).
 * Readers open read-only. */
#ifndef SWEEP_STORE_H
#define SWEEP_STORE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/trainer.h"
#include "sweep/space.h"
#include "sweep/spec.h"

enum { STORE_SCHEMA_VERSION = 4 };

enum trial_state {
    TRIAL_PENDING,
    TRIAL_RUNNING,
    TRIAL_DONE,
    TRIAL_DIVERGED,
    TRIAL_FAILED,
    TRIAL_TIMED_OUT,
    TRIAL_PRUNED,
    TRIAL_SKIPPED,
    TRIAL_STATE_COUNT
};
const char *trial_state_name(enum trial_state s); /* "pending", "running", "done", ... */
/* False, and *out as it was, for a name that is none; the database lets none in. */
bool trial_state_parse(const char *name, enum trial_state *out);

struct store; /* opaque */

/* Opens for writing, creating file, folder and schema when missing. A file that is no database of firesweep
 * or has a newer schema is refused and left untouched. One with an older schema is brought up to date, and a
 * copy of it as it was kept as "<path>.v<version>.bak". */
enum status store_open(const char *path, struct store **out, struct err *e);
/* The same of a file that has just been found sound (store_check_end): not looked at once more. */
enum status store_open_checked(const char *path, bool sound, struct store **out, struct err *e);

/* Looking for damage reads the whole file: begun early, it goes on (in a thread) beside other work.
 * store_check_end waits for the answer and frees; false: not known to be sound (damaged, not there, not to be
 * read, or NULL), so that store_open looks, and says what is wrong. NULL: no memory, no thread. */
struct store_check;
struct store_check *store_check_begin(const char *path);
bool store_check_end(struct store_check *c);

/* Opens read-only; a missing file is an error. */
enum status store_open_readonly(const char *path, struct store **out, struct err *e);
/* ST_CORRUPT when anything in the file is damaged, indexes included: what store_open looks for, and what
 * takes it too long in a large file. */
enum status store_check_all(struct store *s, struct err *e);
/* While another process holds the lock, `wait` is asked again and again whether to wait on, for up to a
 * minute in all; NULL: yes. It must not use the store. */
void store_on_busy(struct store *s, bool (*wait)(void *context, double waited_s), void *context);
void store_close(struct store *s); /* NULL is fine */
const char *store_path(const struct store *s);

/* Records the sweep (by name), its spec text and data, and all trials of the space in one transaction.
 * Trials that exist keep their state and results; new ones are pending (or skipped, by constraint); trials of
 * this sweep that the spec no longer names are marked as outside it. trial_ids (space->trial_count entries)
 * receives the rows' ids. A different data fingerprint makes different trials. */
enum status store_sync(struct store *s, const struct spec *spec, const struct space *space,
                       const struct dataset *data, int64_t *trial_ids, struct err *e);

enum status store_trial_state(struct store *s, int64_t trial, enum trial_state *out, struct err *e);
/* Why its last attempt ended as it did; "" when nothing is recorded. */
enum status store_trial_message(struct store *s, int64_t trial, char *out, size_t n, struct err *e);

/* What earlier runs left of a trial. */
struct trial_history {
    enum trial_state state;
    int attempts, epochs_done;
    double wall_s; /* of all attempts together, as far as their ends were recorded */
};
/* The histories of `count` trials at once: quick for large sweeps. */
enum status store_trial_histories(struct store *s, const int64_t *trials, int count,
                                  struct trial_history *out, struct err *e);

/* Starts an attempt: trial becomes running, with a lease of this process and its worker `pid`. Records pid,
 * host, threads, isa. ST_BUSY when the trial is running already, naming who runs it, or has come to its end
 * (done, diverged): of several processes that try, one gets it. */
enum status store_attempt_begin(struct store *s, int64_t trial, int pid, int threads, int64_t *attempt,
                                struct err *e);
/* Inserts or replaces one epoch row; the trial's row follows (epochs_done, val_*, train_s). Metrics that are
 * NaN or infinite become NULL. */
enum status store_epoch(struct store *s, int64_t trial, const struct epoch_metrics *m, struct err *e);

/* How an attempt ended. */
struct attempt_end {
    enum trial_state state; /* the trial's from now on; TRIAL_PENDING: to be tried again, or interrupted */
    /* Of the attempt: "done", "diverged", "crashed", "interrupted", "timed_out", "failed". */
    const char *outcome;
    const char *message; /* reason for people, or NULL */
    double wall_s, cpu_s;
    int64_t peak_rss_bytes;
    int64_t diverged_step; /* -1 if not */
    bool has_test;
    struct eval_metrics test; /* when done */
    const char *checkpoint;   /* path of the final checkpoint, or NULL */
};
/* ST_BUSY when the attempt is not open: another run has taken the trial over. */
enum status store_attempt_end(struct store *s, int64_t trial, int64_t attempt, const struct attempt_end *end,
                              struct err *e);

/* The final weights of these trials are not kept any more. */
enum status store_checkpoints_gone(struct store *s, const int64_t *trials, int count, struct err *e);

/* Trials left running by supervisors and workers that are gone (store_lease.h) become pending, their attempts
 * "crashed". */
enum status store_recover(struct store *s, int64_t *recovered, struct err *e);

/* Trials by state: those that the current spec of this sweep names, or, with a NULL name, all of the
 * database. */
enum status store_counts(struct store *s, const char *sweep, int64_t counts[TRIAL_STATE_COUNT],
                         struct err *e);

/* Until store_read_end all queries see the database as it is now, whatever runs write meanwhile. Between them
 * queries and nothing else; keep it short: the file of a running sweep grows as long. */
enum status store_read_begin(struct store *s, struct err *e);
void store_read_end(struct store *s); /* also after a failure */

/* SQL: the sample standard deviation (divisor n - 1) of a group's values, NULL when n < 2, exactly 0 when all
 * are equal. */
#define STORE_STDDEV(x)                                                  \
    "CASE WHEN count(" x ") >= 2 THEN iif(min(" x ") = max(" x "), 0.0," \
    " sqrt(max(0.0, sum(" x " * " x ") - count(" x ") * avg(" x ") * avg(" x ")) / (count(" x ") - 1))) END"

/* SQL: a block's name for people. The blocks of a database with several sweeps are told apart by their sweep.
 */
#define STORE_BLOCK_NAME(sweep, block) \
    "iif((SELECT count(*) FROM sweep) > 1, " sweep " || '/' || " block ", " block ")"

/* Rows of a query, one at a time. Used for the named queries and --sql; read-only stores refuse anything that
 * writes, attaches or loads extensions. */
struct store_query; /* opaque */
enum cell_type { CELL_NULL, CELL_INT, CELL_REAL, CELL_TEXT };
struct cell {
    enum cell_type type;
    int64_t i;
    double r;
    const char *text; /* valid until the next row */
};
/* NaN for what is no number. */
static inline double cell_number(struct cell c)
{
    return c.type == CELL_REAL ? c.r : c.type == CELL_INT ? (double)c.i : NAN;
}
/* Makes f(x), which depends on x alone, a function of queries; NULL for NULL, and where it gives NaN. */
enum status store_define(struct store *s, const char *name, double (*f)(double), struct err *e);
enum status store_query_open(struct store *s, const char *sql, struct store_query **out, struct err *e);
int store_query_columns(const struct store_query *q);
const char *store_query_column(const struct store_query *q, int column);
/* As the table declares it ("TEXT", "INTEGER", "REAL"); "" for what the query computes. */
const char *store_query_column_type(const struct store_query *q, int column);
/* *row false at the end. */
enum status store_query_next(struct store_query *q, bool *row, struct err *e);
struct cell store_query_cell(const struct store_query *q, int column);
void store_query_close(struct store_query *q);

#endif
