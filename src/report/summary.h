/* Where a database stands: the queries behind `firesweep status` and the end of `firesweep run`. */
#ifndef REPORT_SUMMARY_H
#define REPORT_SUMMARY_H

#include "base/err.h"
#include "sweep/store.h"

/* name, spec_path, data_path, trials (of the current spec), done, updated_utc: one row a sweep. */
enum status summary_sweeps(struct store *s, struct store_query **out, struct err *e);

/* trial, name, epochs_done, epochs, train_loss, val_top1, epoch_s, threads, host, pid, started_utc: running
 * trials and their last finished epoch. */
enum status summary_running(struct store *s, struct store_query **out, struct err *e);

/* trial, name, state, attempts, epochs_done, message: trials that failed, diverged or timed out. */
enum status summary_failures(struct store *s, struct store_query **out, struct err *e);

/* The last SUMMARY_EVENTS of the query events, oldest first, with their names: trial, name, attempt, at_utc,
 * kind, text. */
enum { SUMMARY_EVENTS = 20 };
enum status summary_events(struct store *s, struct store_query **out, struct err *e);

/* One number: trials that no current spec of a sweep names. */
enum status summary_outside(struct store *s, struct store_query **out, struct err *e);

/* block, variant, n, params, model_bytes, macs, val_top1, val_top5, test_top1, test_top5, train_s: the points
 * of one sweep that have a finished trial, means over their n seeds. */
enum status summary_results(struct store *s, const char *sweep, struct store_query **out, struct err *e);

/* What is left of the trials that specs name, those of a search's rungs included, one row: trials in all,
 * finished, pending, running; operations (multiply-accumulates times epochs times images, evaluation
 * included) left, of a search those that are to be expected as in `run`; those of the longest trial among
 * them; and the operations a second of a worker, from all epochs that are recorded (NULL: none is). */
enum status summary_left(struct store *s, struct store_query **out, struct err *e);

#endif
