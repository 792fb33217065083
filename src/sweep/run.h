/* Running a sweep: the supervisor, which forks one worker per running trial. */
#ifndef SWEEP_RUN_H
#define SWEEP_RUN_H

#include "base/err.h"
#include "engine/trainer.h"
#include "sweep/space.h"
#include "sweep/spec.h"

enum { RUN_MAX_WORKERS = 256 };

/* What one worker does now. */
struct worker_status {
    bool active;
    int trial; /* index into space.trials */
    int epoch, epochs;
    int64_t step, steps; /* within the epoch */
    double images_per_s;
    double train_loss;
    double val_top1; /* of the last finished epoch; NaN before, and without a validation split */
    int threads;
    double silent_s; /* since its worker last said anything */
};

struct run_status {
    int total, done, failed, diverged, skipped, running, pending; /* trials */
    int timed_out, pruned;                                        /* total is the sum of the other eight */
    int workers, threads_per_worker;
    struct worker_status worker[RUN_MAX_WORKERS];
    double elapsed_s, eta_s; /* eta_s < 0: not known yet */
};

/* Events for whoever shows progress (cli); called in the supervisor only. Any of them may be NULL. */
struct run_observer {
    void *context;
    /* Once, before the events on trials: all trials and their names, which last until run_sweep returns; NULL
     * for a trial of which there will be none, because it came to its end before. */
    void (*begin)(void *context, const struct space *space, const char *const *names);
    void (*tick)(void *context, const struct run_status *s); /* about 4 times a second */
    void (*epoch)(void *context, const struct trial *t, const struct epoch_metrics *m);
    /* A trial came to its end: outcome "done", "diverged", "failed" or "timed_out". test is NULL unless done,
     * and when the data has no test images. wall_s: seconds of all its attempts. message: the reason, NULL
     * when done. */
    void (*trial_end)(void *context, const struct trial *t, const char *outcome,
                      const struct eval_metrics *test, double wall_s, const char *message);
    /* One line for people: crashes and retries, resumed checkpoints, a full disk, why the run stops. */
    void (*notice)(void *context, const char *text);
};

struct run_config {
    const char *db;       /* path; NULL = results/<spec name>.db */
    int workers, threads; /* 0 = from the spec, there 0 = auto */
    /* How long a worker may take to save and end when a budget is used up; then it is killed. 0 = 30 s. */
    double grace_s;
    /* How long a worker may be silent before it is said. 0 = 2 minutes. */
    double patience_s;
    bool same_data; /* ST_FAILED, and nothing is written, when the sweep ran on other data before */
};

struct run_result {
    int trained; /* trials that this call brought to an end: done or diverged */
    int total, done, failed, diverged, skipped, pending;
    int timed_out;
    int pruned; /* by a search: not trained in full */
    bool interrupted;
};

/* Runs what is not done: pending trials, trials that failed earlier, and trials that timed out under a lower
 * budget.trial_wall. Idempotent: done and diverged trials are never trained again.
 *
 * Nothing is written before spec and data are known to be good. Other runs may be at work on the database:
 * each trial is trained by one of them, and a run returns when all that it asks for are at their end, whoever
 * trained them. What a run that is gone left is taken over. In the end finished variants are measured
 * (measure.h), unless run.measure is off. Beside the database (path without ".db"):
 * `.checkpoints/` and `.logs/`.
 *
 * ST_OK: all trials that the spec asks for are done or diverged. ST_INTERRUPTED after SIGINT, SIGTERM, SIGHUP
 * or at the end of budget.wall, with everything saved. ST_FAILED when trials failed or timed out (their rows
 * say why) or when budget.max_failed was reached. Signal dispositions are as before on return. *out is filled
 * in every case. */
enum status run_sweep(const struct spec *spec, const struct run_config *c, const struct run_observer *o,
                      struct run_result *out, struct err *e);

/* The database path run_sweep uses; caller frees (mem_free). */
char *run_database_path(const struct spec *spec, const char *db);

#endif
