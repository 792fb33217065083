/* End-to-end tests of `firesweep run`: a folder with a small data set, the real program as a child process,
 * and its database. What the tests wait for is seen in the database, in the program's output, or is a
 * process's end. */
#ifndef TESTS_E2E_SANDBOX_H
#define TESTS_E2E_SANDBOX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

/* Creates the folder, enters it, and makes the data set `data`: idx, 4 classes, 400 training and 100 test
 * images of 12x12. The machine counts as not calibrated (speed.h). Orphans of killed processes become this
 * process's children, so that it can wait for them.
 */
int sandbox_setup(void **state);
int sandbox_teardown(void **state);

/* The same, with spec `four` (eight epochs) and the metrics of one run of it that was left alone. */
int reference_setup(void **state);
/* The same with a spec of this name and text (spec_write). */
int reference_setup_of(void **state, const char *spec, const char *text);
int reference_teardown(void **state);
const char *reference_metrics(void **state);

/* Writes <name>.yaml: the given text after version, name, data and base. */
void spec_write(const char *name, const char *text);
/* The sweep most tests run: four variants in two blocks. Eight epochs take about half a second. */
void spec_write_four(const char *name, int epochs);

/* Starts `firesweep run <spec>.yaml --db <db>.db` (a NULL db: without --db) and up to four more arguments
 * (NULL ends them) in a process group of its own. Its output goes to <db>.out, or <spec>.out, after what is
 * there. */
pid_t run_start(const char *spec, const char *db, const char *const *more);
/* The same; `prepare` is called in the new process before it becomes the program. */
pid_t run_start_prepared(const char *spec, const char *db, const char *const *more,
                         void (*prepare)(void *context), void *context);
/* Exit code, or 128 + signal number. Also waits for all orphans. */
int run_wait(pid_t pid);
/* The same, without waiting for others. */
int run_wait_one(pid_t pid);
/* Both. */
int run(const char *spec, const char *db);
/* Whether <db>.out holds the text. */
const char *output(const char *db); /* until the next call */
bool output_holds(const char *db, const char *text);

/* One number from a database; -1 when there is no database, table or row yet, or it is NULL. */
int64_t db_int(const char *db, const char *sql);
/* Asserts that the first column of the first row, as text, holds the given text. */
void db_assert_text(const char *db, const char *sql, const char *holds);
/* Changes a database behind the program's back. */
void db_change(const char *db, const char *sql);
/* All columns of the view `metrics`, numbers exactly; the caller frees. */
char *db_metrics(const char *db);
/* Waits until the query's number is at least `least`. Fails when the run ends before or after a long time. */
void wait_until(const char *db, const char *sql, int64_t least, pid_t pid);
void wait_for_output(const char *db, const char *text, pid_t pid);
/* Sends the signal to the run again and again until its output holds the text. */
void signal_until_output(const char *db, const char *text, pid_t pid, int signal_number);
/* Stops a worker of the run with SIGSTOP and waits until it stands. */
void stop_process(pid_t worker, pid_t sweep);

/* Asserts that a database holds four done trials with the metrics of `expected`, and that nothing is left
 * that only a running sweep needs. */
void assert_complete(const char *db, const char *expected);

/* Whether the file <stem><ending> does. */
bool exists(const char *stem, const char *ending);
/* Number of files in a folder whose name holds the text; 0 when there is no folder. */
int count_files(const char *folder, const char *holds);

#endif
