/* The command of `on_finish`: told when a run has ended. */
#ifndef SWEEP_HOOK_H
#define SWEEP_HOOK_H

#include "sweep/run.h"

/* Runs spec->on_finish, if there is one, and waits for it. Its words are the program (searched in PATH) and
 * its arguments as they stand in the spec: no shell is involved. Standard input is empty, standard output
 * goes to standard error. Its environment also has:
 * - FIRESWEEP_DB: the database, FIRESWEEP_SWEEP: the sweep's name
 * - FIRESWEEP_OUTCOME: done, interrupted (the same command continues) or failed; FIRESWEEP_MESSAGE: why, or
 * ""
 * - FIRESWEEP_TOTAL, _DONE, _FAILED, _DIVERGED, _TIMED_OUT, _SKIPPED, _PRUNED, _PENDING: trials
 * ST_FAILED, saying how, when it cannot be started or does not end with 0. */
enum status hook_run(const struct spec *spec, const char *db, enum status status, const char *message,
                     const struct run_result *result, struct err *e);

#endif
