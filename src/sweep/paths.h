/* What stands beside a database "x.db": x.checkpoints/ and x.logs/. All results are mem_free's; NULL if no
 * memory. */
#ifndef SWEEP_PATHS_H
#define SWEEP_PATHS_H

#include <stdint.h>

/* The path without ".db". */
char *paths_stem(const char *db);

/* Where a trial's state and, in the end, its final weights are kept. The data is part of what a trial is:
 * weights trained on other images must not be taken for its own. */
char *paths_checkpoint(const char *stem, const char *arch_hash, const char *recipe_hash,
                       const char *data_fingerprint, uint64_t seed);

/* Where the checkpoint before the last one is kept: "x.safetensors" -> "x.previous.safetensors". */
char *checkpoint_previous_path(const char *checkpoint);

#endif
