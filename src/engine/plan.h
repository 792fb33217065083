/* The plan of a pass: where every tensor of a tile lies in one block of memory, computed once.
 *
 * A tile is a few images that one thread takes through the whole network. Buffers whose lifetimes do not meet
 * share memory; zero borders are therefore cleared whenever a tensor is written anew. */
#ifndef ENGINE_PLAN_H
#define ENGINE_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/network.h"

enum { PLAN_NOWHERE = -1 };

/* Strides in floats; offsets from the start of the block, in floats, or PLAN_NOWHERE. */
struct place {
    ptrdiff_t offset; /* of the border's first pixel of image 0 */
    int border;
    size_t pixel, row, image;
    int images; /* it holds: the tile's, or those of one round of its stage */
};

/* Operations up to a pool. Their maps may be so large that a tile's do not fit the second-level cache: then
 * they run in rounds, a few of the tile's images at a time. */
struct stage {
    int from, to; /* operations from .. to - 1 */
    int images;   /* in a round, at most */
};

struct plan {
    int images; /* in a tile, at most */
    bool training;
    int stage_count;
    struct stage stages[ARCH_MAX_LAYERS];
    struct place value[ARCH_MAX_TENSORS];
    struct place gradient[ARCH_MAX_TENSORS]; /* training only */
    ptrdiff_t aside[ARCH_MAX_LAYERS]; /* per op: bytes kept from forward to backward (pool winners, dropout
                                         choices), as an offset in floats; training only */
    ptrdiff_t scratch;                /* what one operation needs for itself (winograd.h) */
    size_t floats;                    /* size of the block */
};

/* Lays out a tile of `images` images. ST_NOMEM when the block's size overflows. */
enum status plan_init(struct plan *p, const struct network *n, int images, bool training, struct err *e);

/* The stage of operation `op`. */
const struct stage *plan_stage(const struct plan *p, int op);

/* Bytes a tile of one image needs, for choosing the tile size. */
size_t plan_bytes_per_image(const struct network *n, bool training);

/* Images in a tile, of `most` that one thread has: few enough for the caches, enough for small maps to give
 * long inner loops, and all tiles as even as can be. */
int plan_tile_images(const struct network *n, bool training, int most);

/* The view of channels c0.. of a tensor's values or gradient from the tile's image `first` on; its data
 * points at pixel (0, 0) inside the border. */
struct view plan_view(const struct place *p, float *block, int first, int c0);

#endif
