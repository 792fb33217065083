/* The images of one split, and how the loaders fill them. Private to the data module. */
#ifndef DATA_IMAGE_SET_H
#define DATA_IMAGE_SET_H

#include "data/dataset.h"

enum { IMAGE_SIDE_MAX = 16384 }; /* pixels; larger images are refused before any memory is asked for */

static inline size_t shape_bytes(struct shape s)
{
    return (size_t)s.h * (size_t)s.w * (size_t)s.c;
}

/* Memory for `capacity` images and labels, uninitialised; count stays 0. ST_NOMEM, with the
 * sizes, also when it is more than the machine has. On failure *s is empty. */
enum status image_set_alloc(struct image_set *s, size_t capacity, struct shape shape, struct err *e);
void image_set_release(struct image_set *s);

/* Keeps the images marked `keep` (in order), moves those marked SPLIT_VAL to the empty *val and
 * drops all others. `choice` has s->count entries of enum split. */
enum status image_set_partition(struct image_set *s, const uint8_t *choice, enum split keep,
                                struct shape shape, struct image_set *val, struct err *e);

/* ST_NOMEM, naming the sizes, when `count` images of this shape are more than the machine's memory. */
enum status image_memory_check(size_t count, struct shape shape, struct err *e);

/* Whether these images would take more than half of `memory` (bytes; 0 = unknown: never). */
bool image_memory_is_short(size_t count, struct shape shape, size_t memory);

/* Class names "0", "1", ...: for formats without names. */
enum status class_names_numbered(struct dataset *d, struct err *e);

#endif
