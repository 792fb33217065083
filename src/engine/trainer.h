/* Training and evaluation of one network: what a worker calls.
 *
 * Results depend on architecture, recipe, seed and samples only: they are bit-identical for any
 * number of threads and any interruption. */
#ifndef ENGINE_TRAINER_H
#define ENGINE_TRAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/recipe.h"
#include "metamodel/arch.h"

/* Names the engine's arithmetic; it is part of every recipe hash. */
const char *engine_numerics(void);
/* Kernel set in use: "generic", "avx2" or "avx512" (FIRESWEEP_ISA overrides the choice; an unknown
 * or unsupported value is an error of trainer_create). */
const char *engine_isa(void);

/* Where a network gets its samples. `load` writes sample `index` (h rows of w * c floats, channels
 * last, row r at out + r * pitch) and returns its label, 0..classes-1, or -1 when there is no such sample any
 * more: that ends the epoch or evaluation, and its caller knows the reason. `ahead` (may be NULL) is told, a
 * step early, what training will load; it should not wait. Both are called from many threads. */
struct samples {
    const void *context;
    size_t count;
    int (*load)(const void *context, size_t index, uint64_t seed, unsigned epoch, float *out, size_t pitch);
    void (*ahead)(const void *context, const uint32_t *samples, size_t count);
};

struct eval_metrics {
    size_t count;
    double loss;       /* mean cross-entropy, no smoothing */
    double top1, top5; /* shares, 0..1; top5 with fewer than 5 classes is 1 */
};

struct epoch_metrics {
    int epoch;                     /* 1-based */
    double lr;                     /* of the last update */
    double train_loss, train_top1; /* means over the epoch's samples, as trained (augmented, dropout) */
    struct eval_metrics val;       /* count 0 without a validation split */
    double train_s, eval_s;        /* wall seconds of this epoch; after an interruption, of both parts */
};

struct trainer; /* opaque */

struct trainer_config {
    const struct arch *arch;     /* copied */
    const struct recipe *recipe; /* copied */
    uint64_t seed;
    int threads;               /* >= 1; has no influence on results */
    struct samples train, val; /* train already augments; val.count may be 0 */
};

/* ST_NOMEM, or ST_USAGE for a shape that does not fit. */
enum status trainer_create(const struct trainer_config *c, struct trainer **out, struct err *e);
void trainer_free(struct trainer *t);

/* How trainer_run_epoch ended. */
enum epoch_end { EPOCH_DONE, EPOCH_STOPPED, EPOCH_DIVERGED, EPOCH_FAILED };

struct progress {
    int epoch;           /* 1-based, the one that runs */
    int64_t step, steps; /* updates done in it, updates it has */
    double images_per_s;
    double train_loss; /* running mean of the epoch */
};

/* Trains to the end of the current epoch, then evaluates on val and appends to the history.
 * `on_step` (may be NULL) is called after every update; true asks to stop: the trainer can then be saved in
 * the middle of the epoch and continues exactly there. Divergence (loss or gradient NaN or Inf, a loss
 * far beyond that of guessing, or one stuck at ln(classes) because all images give the same outputs) ends
 * with EPOCH_DIVERGED, step and reason in why; want of memory or a sample that does not load with
 * EPOCH_FAILED, reason in why: the trainer stands where it did after the last update. */
enum epoch_end trainer_run_epoch(struct trainer *t, bool (*on_step)(void *context, const struct progress *p),
                                 void *context, char why[128]);

bool trainer_finished(const struct trainer *t); /* all epochs done */
int trainer_epochs_done(const struct trainer *t);
int64_t trainer_steps_done(const struct trainer *t); /* updates done in the epoch that runs */
const struct epoch_metrics *trainer_history(const struct trainer *t); /* trainer_epochs_done entries */
int64_t trainer_steps_per_epoch(const struct trainer *t);

/* Evaluation. `predictions` (may be NULL) receives count x classes logits. ST_NOMEM; ST_FAILED for a sample
 * that does not load. */
enum status trainer_evaluate(struct trainer *t, const struct samples *s, struct eval_metrics *out,
                             float *logits, struct err *e);

/* A checkpoint holds weights, optimizer state, position and history: a safetensors file, written
 * atomically, with a checksum. `description` (JSON object text or NULL) is kept in the header for readers. */
enum status trainer_save(const struct trainer *t, const char *path, const char *description, struct err *e);
/* Continues from a checkpoint of the same architecture, recipe and seed (else ST_USAGE, naming what differs;
 * a damaged file is ST_CORRUPT and leaves the trainer as it was). */
enum status trainer_load(struct trainer *t, const char *path, struct err *e);

/* The same from a checkpoint of a recipe that differs in having only so many epochs, for a recipe without
 * recipe_extension_obstacle: continues as if it had been this one from the start. */
enum status trainer_load_shorter(struct trainer *t, const char *path, int epochs, struct err *e);

/* What a checkpoint says of itself: its architecture and (if `description` is not NULL) the text given to
 * trainer_save, "" without one; the caller frees it (mem_free). */
enum status checkpoint_describe(const char *path, struct arch *out, char **description, struct err *e);
/* A network for evaluation only, weights from a checkpoint. */
enum status trainer_open(const char *path, int threads, struct trainer **out, struct err *e);

#endif
