/* CIFAR-10 and CIFAR-100, binary version. Private to the data module.
 *
 * A file is a row of records: one label byte (CIFAR-10) or two (CIFAR-100: coarse, fine), then 3072 bytes,
 * the red, green and blue planes of 32x32 pixels. (https://www.cs.toronto.edu/~kriz/cifar.html) */
#ifndef DATA_CIFAR_H
#define DATA_CIFAR_H

#include "data/dataset.h"

enum { CIFAR_SIDE = 32, CIFAR_PLANE = CIFAR_SIDE * CIFAR_SIDE, CIFAR_IMAGE = 3 * CIFAR_PLANE };

/* One version's record. */
struct cifar_layout {
    size_t label_bytes; /* 1 or 2; the last one is the label used */
    int classes;
};
struct cifar_layout cifar_layout_of(enum data_format format); /* DATA_CIFAR10 or DATA_CIFAR100 */

/* Number of records in a file of n bytes. ST_CORRUPT when it is empty or ends inside a record. */
enum status cifar_count(size_t n, struct cifar_layout layout, size_t *count, struct err *e);

/* Decodes a whole file: `pixels` receives CIFAR_IMAGE bytes a record, channels last, `labels` one entry.
 * ST_CORRUPT, with the offset, for a label out of range. */
enum status cifar_parse(const uint8_t *file, size_t n, struct cifar_layout layout, uint8_t *pixels,
                        uint16_t *labels, struct err *e);

/* What the format says, if the files are there: dataset_look. */
enum status cifar_look(const struct data_source *source, struct data_look *out, struct err *e);

/* Loads the files of a folder and splits. */
enum status cifar_load(const struct data_source *source, struct dataset *d, struct err *e);

#endif
