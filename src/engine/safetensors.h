/* safetensors files: 8 bytes little-endian header length, a JSON header, raw little-endian data.
 * Format: https://huggingface.co/docs/safetensors. Reading checks every offset, so a hostile file is an error. */
#ifndef ENGINE_SAFETENSORS_H
#define ENGINE_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { SAFETENSORS_MAX_DIMS = 4, SAFETENSORS_NAME = 64 };

struct st_tensor {
    char name[SAFETENSORS_NAME];
    int dims;
    int64_t shape[SAFETENSORS_MAX_DIMS];
    float *data;   /* F32, row-major; product of shape elements */
};

struct st_meta {
    const char *key;
    const char *value;
};

/* Writes the file atomically. A metadata entry "checksum" (hash of the data section and of the other
 * metadata) is added. */
enum status safetensors_write(const char *path, const struct st_tensor *tensors, int count, const struct st_meta *meta,
                              int meta_count, struct err *e);

struct safetensors; /* a file read into memory */

/* Reads and verifies (structure, bounds, and the checksum when there is one). ST_CORRUPT names path and reason. */
enum status safetensors_read(const char *path, struct safetensors **out, struct err *e);
/* The same from memory (fuzzing); `name` stands for the path in errors. The bytes are copied. */
enum status safetensors_parse(const void *bytes, size_t n, const char *name, struct safetensors **out, struct err *e);
void safetensors_free(struct safetensors *s);

const struct st_tensor *safetensors_find(const struct safetensors *s, const char *name); /* NULL if absent */
int safetensors_count(const struct safetensors *s);
const struct st_tensor *safetensors_at(const struct safetensors *s, int i);
const char *safetensors_meta(const struct safetensors *s, const char *key);              /* NULL if absent */

#endif
