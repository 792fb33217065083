/* Decompression of .gz data in memory. Private to the data module. */
#ifndef DATA_GZIP_H
#define DATA_GZIP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Inflates gzip members until `capacity` bytes are there or the data ends; *produced says how many. With room
 * to spare the data is complete and its checksums are verified; with capacity used up the rest is not read.
 * ST_CORRUPT with the offset in the compressed data. */
enum status gzip_inflate(const uint8_t *in, size_t n, uint8_t *out, size_t capacity, size_t *produced,
                         struct err *e);

#endif
