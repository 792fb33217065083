/* What stands beside a database "x.db": x.checkpoints/ and x.logs/. All results are mem_free's; NULL if no
 * memory. */
#ifndef SWEEP_PATHS_H
#define SWEEP_PATHS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"

/* The path without ".db"; of a link, what it leads to, so that all names of a database share these folders.
 */
char *paths_stem(const char *db);

/* Where a trial's state and, in the end, its final weights are kept. The data is part of what a trial is:
 * weights trained on other images must not be taken for its own. */
char *paths_checkpoint(const char *stem, const char *arch_hash, const char *recipe_hash,
                       const char *data_fingerprint, uint64_t seed);

/* Where the checkpoint before the last one is kept: "x.safetensors" -> "x.previous.safetensors". */
char *checkpoint_previous_path(const char *checkpoint);
/* Likewise "x.best.safetensors", "x.epoch-12.safetensors": see enum keep. */
char *checkpoint_best_path(const char *checkpoint);
char *checkpoint_epoch_path(const char *checkpoint, int epoch);

/* The folder of a database's checkpoints, "x.checkpoints". */
char *paths_checkpoint_folder(const char *stem);

enum checkpoint_kind {
    CHECKPOINT_LAST,
    CHECKPOINT_PREVIOUS,
    CHECKPOINT_BEST,
    CHECKPOINT_EPOCH,
    CHECKPOINT_PARTIAL, /* a write that did not come to its end */
    CHECKPOINT_KIND_COUNT
};
const char *checkpoint_kind_name(enum checkpoint_kind k);

/* What the name of a file in that folder says; false when it is none of the names above. */
struct checkpoint_name {
    char arch_hash[HASH_TEXT], recipe_hash[HASH_TEXT], data_fingerprint[HASH_TEXT];
    uint64_t seed;
    enum checkpoint_kind kind;
    int epoch; /* CHECKPOINT_EPOCH */
};
bool checkpoint_name_parse(const char *name, struct checkpoint_name *out);

#endif
