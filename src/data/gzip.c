#define ZLIB_CONST /* zlib then takes const input */
#include "data/gzip.h"

#include <limits.h>
#include <stdbool.h>
#include <zlib.h>

#include "base/mem.h"

static void *allocate(void *context, unsigned count, unsigned size)
{
    (void)context;
    return mem_alloc(count, size);
}

static void release(void *context, void *p)
{
    (void)context;
    mem_free(p);
}

static unsigned at_most_uint(size_t n)
{
    return n < UINT_MAX ? (unsigned)n : UINT_MAX;
}

/* Where the two buffers stand. */
struct progress {
    size_t consumed, produced;
};

/* One call of inflate on what is left of both buffers. */
static int inflate_some(z_stream *z, const uint8_t *in, size_t n, uint8_t *out, size_t capacity,
                        struct progress *p)
{
    unsigned in_chunk = at_most_uint(n - p->consumed), out_chunk = at_most_uint(capacity - p->produced);
    z->next_in = in + p->consumed;
    z->avail_in = in_chunk;
    z->next_out = out + p->produced;
    z->avail_out = out_chunk;
    int result = inflate(z, Z_NO_FLUSH);
    p->consumed += in_chunk - z->avail_in;
    p->produced += out_chunk - z->avail_out;
    return result;
}

static enum status describe(int result, const z_stream *z, const struct progress *p, size_t n, struct err *e)
{
    if (result == Z_MEM_ERROR)
        return err_set(e, ST_NOMEM, "out of memory for decompression");
    if (result == Z_BUF_ERROR)
        return err_set(e, ST_CORRUPT, "compressed data truncated at byte %zu", n);
    return err_set(e, ST_CORRUPT, "compressed data damaged at byte %zu of %zu: %s", p->consumed, n,
                   z->msg ? z->msg : "a preset dictionary is needed");
}

enum status gzip_inflate(const uint8_t *in, size_t n, uint8_t *out, size_t capacity, size_t *produced,
                         struct err *e)
{
    enum { GZIP_ONLY = 16 };
    z_stream z = {.zalloc = allocate, .zfree = release};
    struct progress p = {0, 0};
    int result = inflateInit2(&z, GZIP_ONLY + MAX_WBITS);
    if (result != Z_OK)
        return describe(result, &z, &p, n, e);
    enum status status = ST_OK;
    while (status == ST_OK && p.produced < capacity) {
        result = inflate_some(&z, in, n, out, capacity, &p);
        if (result == Z_STREAM_END) {
            if (p.consumed == n)
                break;
            inflateReset(&z); /* a .gz file may have several members, one after the other */
        } else if (result != Z_OK) {
            status = describe(result, &z, &p, n, e);
        }
    }
    inflateEnd(&z);
    *produced = p.produced;
    return status;
}
