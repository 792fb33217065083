/* IDX files: the format of MNIST and Fashion-MNIST. Private to the data module.
 *
 * Big-endian: two zero bytes, element type (0x08 = unsigned byte), number of dimensions, one uint32 size per
 * dimension, then the elements, last dimension fastest. (http://yann.lecun.com/exdb/mnist) */
#ifndef DATA_IDX_H
#define DATA_IDX_H

#include "data/dataset.h"

struct idx_array {
    size_t size[3]; /* items, rows, columns; for one dimension rows = columns = 1 */
    uint8_t *bytes; /* size[0] * size[1] * size[2]; mem_free, or idx_array_release */
};

/* Parses a whole file with 1 (labels) or 3 (images) dimensions; `compressed`: it is a .gz. ST_CORRUPT names
 * the offset and the reason, ST_USAGE another kind of IDX file. On failure *out is empty. */
enum status idx_parse(const uint8_t *file, size_t n, bool compressed, int dimensions, struct idx_array *out,
                      struct err *e);
void idx_array_release(struct idx_array *a);

/* Images from the header of their file, classes from the labels: dataset_look. */
enum status idx_look(const struct data_source *source, struct data_look *out, struct err *e);

/* Loads the four files of a folder and splits. */
enum status idx_load(const struct data_source *source, struct dataset *d, struct err *e);

#endif
