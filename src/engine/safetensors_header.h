/* The JSON header of a safetensors file, checked: shared by reading and writing. */
#ifndef ENGINE_SAFETENSORS_HEADER_H
#define ENGINE_SAFETENSORS_HEADER_H

#include <json-c/json.h>

#include "base/hash.h"
#include "engine/safetensors.h"

#define SAFETENSORS_META "__metadata__"
#define SAFETENSORS_CHECKSUM "checksum"
enum { SAFETENSORS_HEADER_MAX = 100000000 }; /* as the format says */

/* A tensor and its place, in bytes, in the data section. */
struct st_entry {
    struct st_tensor tensor; /* data is NULL */
    size_t begin, end;
};

struct st_header {
    struct json_object *root;
    struct json_object *meta; /* part of root; NULL if there is none */
    int count;
    struct st_entry *entries; /* by ascending place; they fill the data section exactly */
    size_t data_bytes;
};

/* Parses and checks `n` bytes of header text. `name` stands for the file in errors (ST_CORRUPT).
 * On success *out is released by st_header_release. */
enum status st_header_parse(const char *text, size_t n, const char *name, struct st_header *out,
                            struct err *e);
void st_header_release(struct st_header *h);

/* The checksum of a header (all but the checksum itself) and the hash of its data section. */
void st_header_checksum(const struct st_header *h, uint64_t data_hash, char out[HASH_TEXT]);

#endif
