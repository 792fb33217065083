/* Whether the blocks of a spec set epochs of their own. */
#ifndef SWEEP_SPEC_EPOCHS_H
#define SWEEP_SPEC_EPOCHS_H

#include "sweep/spec.h"

/* The first block that does, and where. */
bool spec_sets_epochs(const struct spec *s, const struct block **block, struct mark *mark);

#endif
