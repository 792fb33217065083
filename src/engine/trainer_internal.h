/* The trainer's state, shared by trainer.c, step.c, evaluate.c and checkpoint.c. */
#ifndef ENGINE_TRAINER_INTERNAL_H
#define ENGINE_TRAINER_INTERNAL_H

#include "engine/kernels.h"
#include "engine/network.h"
#include "engine/plan.h"
#include "engine/trainer.h"

enum {
    STATE_SLOTS = 2,
    REDUCE_CHUNK = 4096,  /* floats of a lane reduced by one thread at a time */
    TILE_IMAGES_MAX = 64, /* bound of a tile, whatever the caches */
};

/* Where training stands: with weights and optimizer state, all that a checkpoint must hold. */
struct position {
    int epoch;       /* finished epochs */
    int64_t step;    /* updates done in the current one */
    double loss_sum; /* over the current epoch's samples */
    int64_t correct, seen;
    double train_s;
};

struct trainer {
    struct arch arch;
    struct recipe recipe;
    uint64_t seed;
    int threads;
    struct samples train, val;
    const struct kernels *kernels;
    struct network train_net, eval_net; /* with and without dropout; parameters lie alike */
    struct plan train_plan, eval_plan;
    float *params;             /* param_floats */
    float *derived;            /* derived_floats */
    float *state[STATE_SLOTS]; /* optimizer, param_floats each; unused slots NULL */
    float *lanes;              /* recipe.lanes x lane_floats gradients */
    size_t lane_floats;        /* param_floats rounded up to cache lines */
    double *chunk_squares;     /* per chunk: sum of squared gradients */
    float **blocks;            /* one per thread, for either plan */
    uint32_t *order;           /* the current epoch's permutation of the training samples */
    int order_epoch;           /* the epoch it is for, -1 = none */
    struct position at;
    struct epoch_metrics *history; /* at.epoch entries of recipe.epochs */
};

/* What one update saw. */
struct step_result {
    double loss_sum;
    int64_t correct, seen;
    bool load_failed;     /* a sample did not load: nothing else here counts, nothing changed */
    double gradient_norm; /* of the mean gradient, before clipping */
    double lr;
};

/* Compiles t->arch for t->recipe: networks and plans, nothing else of *t is read or written. */
enum status trainer_make_plans(struct trainer *t, struct err *e);
/* Starting weights (He or Xavier by fan-in; conv10 N(0, 0.01); biases 0). Caffe's xavier: uniform, variance 1
 * / fan_in. */
void trainer_init_weights(struct trainer *t);
/* Rebuilds what is derived from the parameters. */
void trainer_weights_changed(struct trainer *t);
/* Zeroes lanes and runs one update on samples order[first .. first + count). A gradient or loss that is not
 * finite changes nothing. */
struct step_result trainer_step(struct trainer *t, int64_t first, int64_t count);
size_t trainer_chunks(const struct trainer *t);

#endif
