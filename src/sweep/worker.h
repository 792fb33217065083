/* A worker: trains one trial from its checkpoint or from the start, and sends records. Runs in a process of
 * its own (sweep/process.h), but touches nothing of the process except the pipe and the checkpoint files, so
 * that a test can call it directly. */
#ifndef SWEEP_WORKER_H
#define SWEEP_WORKER_H

#include <stdbool.h>

#include "data/dataset.h"
#include "engine/trainer.h"
#include "sweep/paths.h"
#include "sweep/space.h"
#include "sweep/spec.h"

/* What a worker asks of the process it runs in. */
struct worker_host {
    void *context;
    /* True once the worker should save its state and end. Called after every update. */
    bool (*stop_requested)(void *context);
    /* Between true and false nothing is lost when the process ends at once: a request to stop may kill it. */
    void (*expendable)(void *context, bool on);
    /* Threads to use from now on; asked after every update. */
    int (*threads)(void *context);
    /* Called before so many threads are started: moves the process to its cores. */
    void (*use_threads)(void *context, int threads);
};

struct worker_task {
    const char *sweep; /* the spec's name */
    const char *name;  /* of the trial, see trial_name_format */
    const char *axes;  /* JSON object of the values its first block sets, or NULL */
    const struct trial *trial;
    const struct dataset *data;
    const char *checkpoint; /* path; its folder exists */
    const char *shorter;    /* checkpoint of the same trial with fewer epochs, to start from; NULL = none */
    int shorter_epochs;     /* of its recipe */
    double checkpoint_s;    /* at most this long between checkpoints */
    enum keep keep;         /* whether those of epochs get names of their own */
    double save_retry_s;    /* longest wait after a save that found no space */
    int records;            /* pipe */
    struct worker_host host;
};

/* Runs the trial to its end and sends the last record (sweep/protocol.h) whatever happens.
 * ST_OK: done or diverged. ST_INTERRUPTED: stopped on request or because the supervisor is gone. Others:
 * failed.
 *
 * A checkpoint is safe before the records that rest on it are sent; the one before it is kept as
 * checkpoint_previous_path. A damaged checkpoint is reported and the previous one used, else the trial starts
 * over. A full disk is waited for. With task.keep, checkpoint_best_path and checkpoint_epoch_path are safe
 * before the record of their epoch is sent, too.
 *
 * The description in a checkpoint's header is a JSON object:
 * - tool: "firesweep"
 * - sweep: the spec's name
 * - trial: the trial's name
 * - axes: object, the values that the trial's first block sets, {} when none
 * - seed: number
 * - class_names: array of text, index = label
 * - mean, stddev: arrays of numbers, per channel, of pixel / 255: what the images were normalised with
 * - data_fingerprint, arch_hash, recipe_hash: 16 hex digits each */
enum status worker_run(const struct worker_task *task);

/* "fig3a SR=0.125 seed 1": block, axes (JSON object or NULL) and seed; mem_free, NULL if no memory. */
char *trial_name_format(const char *block, const char *axes, uint64_t seed);

/* The name of a trial in a shorter rung of a search: "... (2 epochs)"; mem_free, NULL if no memory. */
char *trial_name_rung(const char *name, int epochs);

/* The update at which a trainer diverged, 1-based over the whole training; `why` is its reason, which names
 * the step within the epoch (a loss that is stuck shows at the epoch's end). Not counted: an attempt may
 * begin in the middle of an epoch. */
int64_t worker_diverged_step(const struct trainer *t, const char *why);

/* That description; mem_free, NULL if no memory. */
char *worker_description(const struct worker_task *task);

#endif
