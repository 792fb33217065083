/* Content hashes (XXH3, 64 bits) for identity, checksums and fingerprints: not cryptographic. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

enum { HASH_TEXT = 17 }; /* 16 hex digits and the terminator */

uint64_t hash_bytes(const void *data, size_t n);
void hash_text(uint64_t h, char out[HASH_TEXT]); /* lower-case hex */

/* A hash of bytes that arrive in pieces. */
struct hasher;
struct hasher *hasher_create(void); /* NULL if no memory */
void hasher_add(struct hasher *h, const void *data, size_t n);
uint64_t hasher_value(const struct hasher *h);
void hasher_free(struct hasher *h);

#endif
