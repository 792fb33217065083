/* What the trials of a space will take: memory and, where this machine's speed is known, time. */
#ifndef SWEEP_FORECAST_H
#define SWEEP_FORECAST_H

#include <stdbool.h>

#include "engine/predict.h"
#include "sweep/packing.h"
#include "sweep/space.h"

/* How many images the splits hold; train < 0: not known. */
struct image_counts {
    double train, val, test;
};

/* The same as the run will find, from the names and sizes of the files alone, in milliseconds: exact for
 * whole files, and but for images that data.skip_bad leaves out. */
struct image_counts image_counts_of(const struct data_source *source);
/* ST_USAGE, with its place, when data.val leaves none of the training images that the files hold, counted
 * likewise. For data that dataset_look finds nothing wrong with. */
enum status image_counts_check(const struct spec *spec, struct err *e);

struct forecast {
    int work_count;
    struct workload *works; /* one for each run of neighbours with the same network and recipe */
    int *
        work_of; /* per trial; -1: not wanted, or the engine cannot run it, and says why when it is trained */
};

/* Of the trials for which `wanted` is set (NULL: of all); some ten microseconds a network. ST_NOMEM. Call
 * forecast_release also after a failure. */
enum status forecast_init(struct forecast *f, const struct space *space, const bool *wanted, struct err *e);
void forecast_release(struct forecast *f);

/* Peak bytes of a trial's worker without the data; 0 when not known. */
double forecast_memory(const struct forecast *f, int trial, int threads, double train_images);
/* Seconds of a trial's training, validation and test while the other cores are busy; 0 when not known. */
double forecast_trial_s(const struct forecast *f, const struct space *space, const struct speed *speed,
                        int trial, int threads, const struct image_counts *images);

/* The same of any workload. */
double forecast_work_s(const struct speed *speed, const struct workload *w, int epochs, int threads,
                       const struct image_counts *images);

/* A trial that is to be trained and the share of it that is left. */
struct forecast_job {
    int trial;
    double left;    /* 0 .. 1 */
    double seconds; /* of what is left, with one thread; set by forecast_pack */
};

/* How a run divides the machine for these jobs, and (*wall_s) when they are done: packing_choose where times
 * are known, else (speed NULL, or unknown images) packing_plan and 0. r->pending, if it is less than `count`,
 * and r->worker_bytes are set here. `jobs` is sorted. ST_NOMEM. */
enum status forecast_pack(const struct forecast *f, const struct space *space, const struct speed *speed,
                          const struct image_counts *images, struct packing_request *r,
                          struct forecast_job *jobs, int count, struct packing *out, double *wall_s,
                          struct err *e);

/* Seconds until the last of `count` trials is done, each on a worker of its own with one of `workers` running
 * at a time, the longest first. Sorts `trial_s`. */
double forecast_wall_s(double *trial_s, int count, int workers);

#endif
