/* Running a sweep: the supervisor, which forks one worker per running trial. */
#ifndef SWEEP_RUN_H
#define SWEEP_RUN_H

#include "base/err.h"
#include "sweep/space.h"
#include "sweep/spec.h"

enum { RUN_MAX_WORKERS = 256 };

/* What one worker does now. */
struct worker_status {
    bool active;
    int trial;               /* index into space.trials */
    int epoch, epochs;
    int64_t step, steps;     /* within the epoch */
    double images_per_s;
    double train_loss;
    double val_top1;         /* of the last finished epoch; NaN before */
};

struct run_status {
    int total, done, failed, diverged, skipped, running, pending; /* trials */
    int workers, threads_per_worker;
    struct worker_status worker[RUN_MAX_WORKERS];
    double elapsed_s, eta_s; /* eta_s < 0: not known yet */
};

/* Events for whoever shows progress (cli); called in the supervisor only. */
struct run_observer {
    void *context;
    void (*tick)(void *context, const struct run_status *s); /* about 4 times a second */
    void (*epoch)(void *context, const struct trial *t, const struct epoch_metrics *m);
    void (*trial_end)(void *context, const struct trial *t, const char *outcome, const struct eval_metrics *test,
                      double wall_s, const char *message);
    void (*notice)(void *context, const char *text);
};

struct run_config {
    const char *db;          /* path; NULL = results/<spec name>.db */
    int workers, threads;    /* 0 = from the spec, there 0 = auto */
};

struct run_result {
    int trained;             /* trials trained by this call */
    int total, done, failed, diverged, skipped, pending;
    bool interrupted;
};

/* Runs what is not done. Idempotent. ST_INTERRUPTED after SIGINT or SIGTERM, with everything saved. */
enum status run_sweep(const struct spec *spec, const struct run_config *c, const struct run_observer *o,
                      struct run_result *out, struct err *e);

/* The database path run_sweep uses; caller frees (mem_free). */
char *run_database_path(const struct spec *spec, const char *db);

#endif
