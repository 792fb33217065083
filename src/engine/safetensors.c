/* Reading safetensors files. */
#include "engine/safetensors.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "engine/safetensors_header.h"

/* Tensors are used as they lie in the file. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && sizeof(float) == 4, "float32, little-endian");

enum { LENGTH_BYTES = 8 };

struct safetensors {
    struct st_header header; /* entries' tensors point into data */
    char *data;              /* 64-byte aligned */
};

void safetensors_free(struct safetensors *s)
{
    if (s) {
        st_header_release(&s->header);
        mem_free(s->data);
        mem_free(s);
    }
}

static enum status check_checksum(const struct safetensors *s, const char *name, struct err *e)
{
    const char *stored = safetensors_meta(s, SAFETENSORS_CHECKSUM);
    if (!stored)
        return ST_OK;
    struct hasher *hasher = hasher_create();
    if (!hasher)
        return err_set(e, ST_NOMEM, "%s: out of memory", name);
    hasher_add(hasher, s->data, s->header.data_bytes);
    char computed[HASH_TEXT];
    st_header_checksum(&s->header, hasher_value(hasher), computed);
    hasher_free(hasher);
    if (strcmp(stored, computed) != 0) {
        return err_set(e, ST_CORRUPT, "%s: the checksum does not fit: the file is damaged or was changed",
                       name);
    }
    return ST_OK;
}

/* Takes the data section behind a checked header. */
static enum status take_data(struct safetensors *s, const char *data, size_t n, const char *name,
                             struct err *e)
{
    if (n != s->header.data_bytes) {
        return err_set(e, ST_CORRUPT, "%s: %zu bytes of data, the header describes %zu", name, n,
                       s->header.data_bytes);
    }
    s->data = mem_aligned(n);
    if (!s->data)
        return err_set(e, ST_NOMEM, "%s: out of memory", name);
    if (n > 0)
        memcpy(s->data, data, n);
    for (int i = 0; i < s->header.count; i++) {
        /* All tensors are F32 without gaps, so every place is a multiple of 4. */
        s->header.entries[i].tensor.data = (float *)(void *)(s->data + s->header.entries[i].begin);
    }
    return check_checksum(s, name, e);
}

static uint64_t read_length(const unsigned char *bytes)
{
    uint64_t length = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--)
        length = length << 8 | bytes[i];
    return length;
}

enum status safetensors_parse(const void *bytes, size_t n, const char *name, struct safetensors **out,
                              struct err *e)
{
    if (n < LENGTH_BYTES) {
        return err_set(e, ST_CORRUPT, "%s: %zu bytes, a safetensors file has at least %d", name, n,
                       LENGTH_BYTES);
    }
    const char *text = (const char *)bytes + LENGTH_BYTES;
    uint64_t length = read_length(bytes);
    size_t rest = n - LENGTH_BYTES;
    if (length > rest) {
        return err_set(
            e, ST_CORRUPT,
            "%s: byte 0: a header of %llu bytes, but only %zu follow: no safetensors file, or one cut off",
            name, (unsigned long long)length, rest);
    }
    struct safetensors *s = mem_calloc(1, sizeof *s);
    if (!s)
        return err_set(e, ST_NOMEM, "%s: out of memory", name);
    enum status st = st_header_parse(text, (size_t)length, name, &s->header, e);
    if (st == ST_OK)
        st = take_data(s, text + length, rest - (size_t)length, name, e);
    if (st != ST_OK) {
        safetensors_free(s);
        return st;
    }
    *out = s;
    return ST_OK;
}

enum status safetensors_read(const char *path, struct safetensors **out, struct err *e)
{
    char *bytes = NULL;
    size_t n = 0;
    enum status st = file_read(path, SSIZE_MAX / 2, &bytes, &n, e);
    if (st == ST_OK) {
        st = safetensors_parse(bytes, n, path, out, e);
        mem_free(bytes);
    }
    return st;
}

const struct st_tensor *safetensors_find(const struct safetensors *s, const char *name)
{
    for (int i = 0; i < s->header.count; i++)
        if (strcmp(s->header.entries[i].tensor.name, name) == 0)
            return &s->header.entries[i].tensor;
    return NULL;
}

int safetensors_count(const struct safetensors *s)
{
    return s->header.count;
}

const struct st_tensor *safetensors_at(const struct safetensors *s, int i)
{
    return &s->header.entries[i].tensor;
}

const char *safetensors_meta(const struct safetensors *s, const char *key)
{
    struct json_object *value = NULL;
    if (!s->header.meta || !json_object_object_get_ex(s->header.meta, key, &value))
        return NULL;
    return json_object_get_string(value);
}
