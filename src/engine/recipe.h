/* A training recipe: everything that, with architecture, data and seed, determines the result. */
#ifndef ENGINE_RECIPE_H
#define ENGINE_RECIPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"

enum optimizer { OPTIMIZER_SGD, OPTIMIZER_ADAM, OPTIMIZER_ADAMW };
enum schedule { SCHEDULE_LINEAR, SCHEDULE_CONSTANT, SCHEDULE_COSINE, SCHEDULE_TRIANGULAR };
enum init { INIT_HE, INIT_XAVIER };

/* Upper bounds of the counts. */
enum {
    RECIPE_EPOCHS_MAX = 100000,
    RECIPE_BATCH_MAX = 1 << 20,
    RECIPE_ACCUMULATE_MAX = 65536,
    RECIPE_CROP_PAD_MAX = 4095,
    RECIPE_LANES_MAX = 64
};

struct recipe {
    int epochs;     /* >= 1 */
    int batch;      /* images a step, >= 1 */
    int accumulate; /* batches whose gradients are averaged before one update, >= 1 */
    enum optimizer optimizer;
    enum schedule schedule;
    enum init init;               /* conv10 is always N(0, 0.01), biases 0 */
    double momentum;              /* sgd, [0, 1) */
    double beta1, beta2, epsilon; /* adam, adamw: [0, 1), [0, 1), [1e-12, 1] */
    double lr;                    /* peak learning rate, (0, 1000] */
    double warmup; /* share of all steps, [0, 1): rate rises linearly from 0; triangular peaks at its end */
    double weight_decay; /* [0, 1000]; coupled (L2) for sgd and adam, decoupled for adamw */
    double clip;         /* largest global gradient norm, [0, 1e9], 0 = no clipping */
    double smoothing;    /* label smoothing, [0, 1) */
    double dropout;      /* before conv10, [0, 1) */
    int crop_pad;        /* augmentation, see data/dataset.h */
    int lanes;           /* gradient accumulators, 1..64: part of the numerics */
    bool nesterov;       /* sgd */
    bool decay_biases;
    bool flip;      /* augmentation */
    bool crop_zero; /* pad with the mean instead of by reflection */
    bool winograd;  /* 3x3 layers as F(4x4, 3x3) where that needs fewer operations: part of the numerics */
};

/* Short budgets on small images: sgd, Nesterov momentum 0.9, peak rate 0.04, triangular with 15 % warm-up,
 * weight decay 5e-4 on weights, clipping at 2, smoothing 0.1, no dropout, flip and reflected crop by 4, batch
 * 128, 10 epochs. */
struct recipe recipe_default(void);
/* ST_USAGE naming key, value and range of the first bad value. */
enum status recipe_check(const struct recipe *r, struct err *e);

const char *optimizer_name(enum optimizer o);
bool optimizer_parse(const char *text, enum optimizer *out);
const char *schedule_name(enum schedule s);
bool schedule_parse(const char *text, enum schedule *out);
const char *init_name(enum init i);
bool init_parse(const char *text, enum init *out);

/* Whether training by this recipe begins exactly like training by the same one with more epochs, so that a
 * finished training can go on: the learning rate must not depend on the end. NULL: it does so; else why not.
 */
const char *recipe_extension_obstacle(const struct recipe *r);

/* Identity of a recipe, over every field that can change a result (adam's betas do not count for sgd, the
 * border of a crop by 0 does not count, ...); `numerics` names the engine's arithmetic (engine/trainer.h), so
 * a change of it makes new trials. Equal on every machine. */
void recipe_hash(const struct recipe *r, const char *numerics, char out[HASH_TEXT]);

/* Learning rate of update `step` of `steps`, 0 <= step < steps. With rise = warmup * steps, the updates of
 * the warm-up, and rest = (steps - step) / (steps - rise), at most 1, every schedule is
 * lr * min(1, (step + 1) / rise) * shape:
 * - linear: shape = 1 - step / steps (Caffe's polynomial decay of power 1)
 * - constant: shape = 1
 * - cosine: shape = (1 + cos(pi * (1 - rest))) / 2
 * - triangular: shape = rest; the peak at the end of the warm-up, then a straight line that reaches zero at
 *   step = steps, so the last update still moves */
double recipe_lr(const struct recipe *r, int64_t step, int64_t steps);

#endif
