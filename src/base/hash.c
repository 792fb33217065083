/* The whole of xxHash is inlined: its streaming state is then a complete type that can
 * come from base/mem.h, and no layout is shared with another version of the library. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/hash.h"
#include "base/mem.h"

struct hasher {
    XXH3_state_t state;
};

uint64_t hash_bytes(const void *data, size_t n)
{
    return XXH3_64bits(data, n);
}

void hash_text(uint64_t h, char out[HASH_TEXT])
{
    for (int i = 0; i < HASH_TEXT - 1; i++)
        out[i] = "0123456789abcdef"[h >> (60 - 4 * i) & 15];
    out[HASH_TEXT - 1] = '\0';
}

struct hasher *hasher_create(void)
{
    struct hasher *h = mem_aligned(sizeof *h);
    if (h)
        XXH3_64bits_reset(&h->state);
    return h;
}

void hasher_add(struct hasher *h, const void *data, size_t n)
{
    XXH3_64bits_update(&h->state, data, n);
}

uint64_t hasher_value(const struct hasher *h)
{
    return XXH3_64bits_digest(&h->state);
}

void hasher_free(struct hasher *h)
{
    mem_free(h);
}
