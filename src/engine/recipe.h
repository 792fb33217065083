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

struct recipe {
    int epochs;          /* >= 1 */
    int batch;           /* images a step, >= 1 */
    int accumulate;      /* batches whose gradients are averaged before one update, >= 1 */
    enum optimizer optimizer;
    double momentum;     /* sgd, [0, 1) */
    bool nesterov;       /* sgd */
    double beta1, beta2, epsilon; /* adam, adamw */
    double lr;           /* peak learning rate, > 0 */
    enum schedule schedule;
    double warmup;       /* share of all steps, [0, 1): rate rises linearly from 0; triangular peaks at its end */
    double weight_decay; /* >= 0; coupled (L2) for sgd and adam, decoupled for adamw */
    bool decay_biases;
    double clip;         /* largest global gradient norm, 0 = no clipping */
    double smoothing;    /* label smoothing, [0, 1) */
    double dropout;      /* before conv10, [0, 1) */
    enum init init;      /* conv10 is always N(0, 0.01), biases 0 */
    bool flip;           /* augmentation, see data/dataset.h */
    int crop_pad;
    bool crop_zero;      /* pad with the mean instead of by reflection */
    int lanes;           /* gradient accumulators, 1..64: part of the numerics */
};

struct recipe recipe_default(void);
/* ST_USAGE naming key, value and range of the first bad value. */
enum status recipe_check(const struct recipe *r, struct err *e);

const char *optimizer_name(enum optimizer o);
bool optimizer_parse(const char *text, enum optimizer *out);
const char *schedule_name(enum schedule s);
bool schedule_parse(const char *text, enum schedule *out);
const char *init_name(enum init i);
bool init_parse(const char *text, enum init *out);

/* Identity of a recipe, over every field that can change a result; `numerics` names the
 * engine's arithmetic (engine/trainer.h), so a change of it makes new trials. */
void recipe_hash(const struct recipe *r, const char *numerics, char out[HASH_TEXT]);

/* Learning rate of update `step` of `steps` (0-based): */
double recipe_lr(const struct recipe *r, int64_t step, int64_t steps);

#endif
