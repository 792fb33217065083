/* What a data set says of its pixels: fingerprint, mean and standard deviation, from images that come by one
 * after the other, so that they need not all be in memory. Private to the data module. */
#ifndef DATA_DIGEST_H
#define DATA_DIGEST_H

#include "data/dataset.h"

struct hasher;

struct digest {
    struct shape image;
    struct hasher *hasher;
    uint64_t counts[4][256]; /* how often each value occurs in each channel of the training split */
};

/* Use: init; for each split in order set, its pixels in any number of pieces, labels; finish; release. The
 * result does not depend on the pieces. ST_NOMEM. */
enum status digest_init(struct digest *g, struct shape image, int classes, struct err *e);
void digest_set(struct digest *g, size_t count);
void digest_pixels(struct digest *g, enum split split, const uint8_t *pixels, size_t images);
void digest_labels(struct digest *g, const uint16_t *labels, size_t count);
/* Fills fingerprint, mean, stddev and normalised. */
void digest_finish(const struct digest *g, struct dataset *d);
void digest_release(struct digest *g);

/* All of it for a data set in memory. */
enum status digest_loaded(struct dataset *d, struct err *e);

#endif
