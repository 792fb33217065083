/* The trained weights of a checkpoint, without what only training needs. */
#ifndef ENGINE_WEIGHTS_H
#define ENGINE_WEIGHTS_H

#include "base/err.h"
#include "engine/safetensors.h"
#include "metamodel/arch.h"

struct weights {
    struct arch arch;
    const char *description; /* as given to trainer_save, "" without one; belongs to `file` */
    struct safetensors *file;
    const struct st_tensor *weight[ARCH_MAX_LAYERS], *bias[ARCH_MAX_LAYERS]; /* of convolutions, by layer:
                                                            [cout, cin, kernel, kernel] and [cout] */
};

/* Reads a checkpoint, or what weights_write wrote. ST_CORRUPT for a file that is neither, is damaged, or
 * lacks a tensor. *out is set in any case: weights_release. */
enum status weights_open(const char *path, struct weights *out, struct err *e);
void weights_release(struct weights *w);

/* Writes a safetensors file of the weights alone, atomically. Its metadata keeps the architecture
 * (arch.*), identity, seed, epoch and description; `firesweep eval` takes it as it takes a checkpoint. */
enum status weights_write(const struct weights *w, const char *path, struct err *e);

#endif
