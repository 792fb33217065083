/* The samples that a trial is trained and evaluated on, as the engine asks for them. */
#ifndef SWEEP_TRIAL_SAMPLES_H
#define SWEEP_TRIAL_SAMPLES_H

#include "data/dataset.h"
#include "engine/trainer.h"

/* Where the trainer gets its samples; outlives what trial_samples returns. */
struct sample_source {
    const struct dataset *data;
    enum split split;
    bool augmented;
    struct augmentation augmentation;
};

/* The samples of a split under a recipe; fills *source. The training split is augmented as the recipe says.
 */
struct samples trial_samples(struct sample_source *source, const struct dataset *data,
                             const struct recipe *recipe, enum split split);

#endif
