/* What training will take, before it starts: time by a model fitted to this machine, memory by counting.
 *
 * The time of a step is a sum of amounts of work (products, transforms, pooled values, parameters, ...),
 * which a compiled network tells exactly, times the seconds that one thread needs for a unit of each, which
 * are measured once per machine (predict_calibrate) and kept in a file (calibration.h). Loading and
 * augmenting samples is not part of the model. */
#ifndef ENGINE_PREDICT_H
#define ENGINE_PREDICT_H

#include <stdint.h>

#include "base/err.h"
#include "engine/recipe.h"
#include "metamodel/arch.h"

/* Kinds of work; changes of their number or meaning need another CALIBRATION_VERSION. */
enum work {
    /* per image */
    WORK_PRODUCTS,    /* multiply-adds of the direct kernels, channels rounded up to whole vectors */
    WORK_ROWS,        /* values read for them: each output pixel's window */
    WORK_OUTPUTS,     /* values written by them */
    WORK_WINOGRAD,    /* multiply-adds in Winograd's domain, channels rounded up alike */
    WORK_TRANSFORMS,  /* values transformed to Winograd's domain or back */
    WORK_COLUMNS,     /* values added up by columns.h */
    WORK_POOLED,      /* values that max pools read */
    WORK_ELEMENTS,    /* values of dropout, sums and global averages */
    WORK_TILE_PARAMS, /* parameters and derived weights over the images of a tile, which takes each once */
    WORK_TILE_CALLS,  /* operations and rounds over the images of a tile */
    /* per update */
    WORK_PARAMS,  /* parameters times lanes and optimizer state: reduction and update */
    WORK_DERIVED, /* values derived from the weights */
    WORK_UPDATES, /* 1 */
    WORK_COUNT,
    WORK_PER_UPDATE = WORK_PARAMS, /* the first of them */
};

/* What a network asks of the engine under a recipe. Plain data. */
struct workload {
    double train[WORK_COUNT]; /* training: of one image, of one update */
    double infer[WORK_COUNT]; /* evaluation: of one image */
    int lanes;
    int64_t images_per_update;
    /* Bytes: what a trainer allocates whatever its threads, what it allocates for each of them, and what
     * writing or reading a checkpoint takes for a moment. */
    double trainer_bytes, thread_bytes, checkpoint_bytes;
};

/* Compiles the network to see (some ten microseconds). Errors as trainer_create's: ST_USAGE, ST_NOMEM. */
enum status workload_init(struct workload *w, const struct arch *a, const struct recipe *r, struct err *e);

/* Bytes that a trainer of `threads` threads for `train_images` images holds at its peak, that of writing a
 * checkpoint: without samples, and without the process around it (its code and libraries, below 30 MB). */
double workload_memory(const struct workload *w, int threads, double train_images);

/* Seconds that one thread needs for a unit of each kind of work, while all cores are busy. */
struct speed {
    double train[WORK_COUNT], infer[WORK_COUNT]; /* finite, >= 0 */
};

/* Seconds of one update of images_per_update images on `threads` threads. Lanes are not divided among
 * threads: 8 lanes take 5 threads as long as 4. */
double predict_update_s(const struct speed *s, const struct workload *w, int threads);
/* Seconds of an epoch: the updates for train_images images, then an evaluation of val_images. */
double predict_epoch_s(const struct speed *s, const struct workload *w, int threads, double train_images,
                       double val_images);
/* Seconds of evaluating so many images. */
double predict_eval_s(const struct speed *s, const struct workload *w, int threads, double images);

/* Measured times of one network on `threads` threads. */
struct speed_sample {
    struct workload work;
    int threads;
    double update_s; /* of images_per_update images */
    double eval_s;   /* of evaluating as many */
};

/* The speed that explains `count` samples (times > 0) best: least sum of squared relative errors, those
 * beyond a few percent counted less, and no coefficient below zero. Deterministic. ST_NOMEM. */
enum status speed_fit(struct speed *out, const struct speed_sample *samples, int count, struct err *e);

/* How far a speed is from the samples' update times: mean of the relative errors' sizes, 0 = none. */
double speed_scatter(const struct speed *s, const struct speed_sample *samples, int count);

/* How far predicted times of whole trials were from actual ones on a quiet machine, at most
 * (docs/performance.md, "Predictions"). */
enum { PREDICTION_ERROR_PERCENT = 5 };

/* A scatter above this says that something else used the machine, and the speed is not to be relied on. */
#define SCATTER_USUAL 0.04

/* Trains and evaluates a fixed set of small networks on all of `threads` threads and fits their times; about
 * 20 s on two threads, more if something disturbs it: *scatter tells. `progress` (may be NULL)
 * is told before each network. ST_NOMEM, ST_USAGE for an unknown FIRESWEEP_ISA. */
enum status predict_calibrate(int threads, struct speed *out, double *scatter,
                              void (*progress)(int done, int count), struct err *e);

#endif
