/* safetensors files: 8 bytes little-endian header length, a JSON header, raw little-endian data.
 * Format: https://huggingface.co/docs/safetensors. Reading checks every offset, so a hostile file is an
 * error. */
#ifndef ENGINE_SAFETENSORS_H
#define ENGINE_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { SAFETENSORS_MAX_DIMS = 4, SAFETENSORS_NAME = 64 };

/* Only float32 tensors ("F32") of at most SAFETENSORS_MAX_DIMS dimensions and names of at most
 * SAFETENSORS_NAME - 1 bytes are handled; anything else in a file is an error. */
struct st_tensor {
    char name[SAFETENSORS_NAME];
    int dims;
    int64_t shape[SAFETENSORS_MAX_DIMS];
    float *data; /* F32, row-major; product of shape elements (1 without dimensions); of a file read: the
                    file's, 4-byte aligned, the first tensor 64-byte aligned */
};

struct st_meta {
    const char *key;
    const char *value;
};

/* Writes the file atomically. A metadata entry "checksum" (hash of the data section, of every tensor's name,
 * shape and place, and of the other metadata; independent of how the header is spelled) is added. The header
 * is padded with spaces so that the data begins at a multiple of 64 bytes. Tensors are laid out in the order
 * given. ST_USAGE for what no reader could take back: a bad or repeated name or key, a shape out of range,
 * text that is not UTF-8. */
enum status safetensors_write(const char *path, const struct st_tensor *tensors, int count,
                              const struct st_meta *meta, int meta_count, struct err *e);

struct safetensors; /* a file read into memory */

/* Reads and verifies: structure, bounds, tensors that fill the data section without gap or overlap, no
 * duplicate keys, and the checksum when there is one. ST_CORRUPT names path and reason. *out only on success;
 * safetensors_free. */
enum status safetensors_read(const char *path, struct safetensors **out, struct err *e);
/* The same from memory (fuzzing); `name` stands for the path in errors. The bytes are copied. */
enum status safetensors_parse(const void *bytes, size_t n, const char *name, struct safetensors **out,
                              struct err *e);
void safetensors_free(struct safetensors *s); /* NULL is fine */

const struct st_tensor *safetensors_find(const struct safetensors *s, const char *name); /* NULL if absent */
/* Tensors in the order of their data in the file. */
int safetensors_count(const struct safetensors *s);
const struct st_tensor *safetensors_at(const struct safetensors *s, int i);
const char *safetensors_meta(const struct safetensors *s, const char *key); /* NULL if absent */

#endif
