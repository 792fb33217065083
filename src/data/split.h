/* Which images belong to which split. Private to the data module.
 *
 * Every class gives its share, rounded by the largest remainder (ties to the lower class). Within a class
 * the choice is a permutation drawn from rng_stream(val_seed, RNG_SPLIT, class, 0 training, 1 test):
 * first validation, then training. So validation is the same for any train_limit. */
#ifndef DATA_SPLIT_H
#define DATA_SPLIT_H

#include "data/dataset.h"

/* Fills choice[0..count) with SPLIT_TRAIN, SPLIT_VAL or SPLIT_COUNT (left out) for the images of a training
 * set. ST_USAGE when val does not leave a training image. */
enum status split_training(const uint16_t *labels, size_t count, int classes,
                           const struct data_source *source, uint8_t *choice, struct err *e);

/* The same for a test set: SPLIT_TEST or SPLIT_COUNT. */
enum status split_test(const uint16_t *labels, size_t count, int classes, const struct data_source *source,
                       uint8_t *choice, struct err *e);

/* Splits a data set whose complete training and test sets are in sets[SPLIT_TRAIN] and sets[SPLIT_TEST]. */
enum status split_loaded(struct dataset *d, const struct data_source *source, struct err *e);

#endif
