/* Writing safetensors files. The header is read back by the reader's own checks before anything is
 * written, so a file that could not be read again never comes into being. */
#include <stdbool.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "engine/safetensors.h"
#include "engine/safetensors_header.h"

enum { DATA_ALIGNMENT = 64 };

/* Adds `value` (may be NULL after a failed allocation) to a list or, with a key, to an object; takes
 * ownership. */
static bool json_give(struct json_object *to, const char *key, struct json_object *value)
{
    if (value && (key ? json_object_object_add(to, key, value) : json_object_array_add(to, value)) == 0)
        return true;
    json_object_put(value);
    return false;
}

/* A list of whole numbers; NULL if no memory. */
static struct json_object *json_numbers(const int64_t *numbers, int count)
{
    struct json_object *list = json_object_new_array();
    for (int i = 0; list && i < count; i++) {
        if (!json_give(list, NULL, json_object_new_int64(numbers[i]))) {
            json_object_put(list);
            list = NULL;
        }
    }
    return list;
}

static enum status refuse(const char *path, const char *what, int index, const char *reason, struct err *e)
{
    return err_set(e, ST_USAGE, "%s: %s %d: %s", path, what, index, reason);
}

/* Bytes of a tensor; false if its shape is out of range. */
static bool tensor_bytes(const struct st_tensor *t, int64_t *bytes)
{
    if (t->dims < 0 || t->dims > SAFETENSORS_MAX_DIMS)
        return false;
    *bytes = sizeof(float);
    for (int i = 0; i < t->dims; i++)
        if (t->shape[i] < 0 || __builtin_mul_overflow(*bytes, t->shape[i], bytes))
            return false;
    return true;
}

/* Adds tensor `index` to the header and moves *place behind its data. */
static enum status add_tensor(struct json_object *root, const struct st_tensor *t, int index, int64_t *place,
                              const char *path, struct err *e)
{
    int64_t bytes = 0, offsets[2] = {*place, 0};
    if (!memchr(t->name, '\0', sizeof t->name) || strcmp(t->name, SAFETENSORS_META) == 0 ||
        json_object_object_get_ex(root, t->name, NULL))
        return refuse(path, "tensor", index, "its name is too long, reserved or used twice", e);
    if (!tensor_bytes(t, &bytes) || __builtin_add_overflow(*place, bytes, &offsets[1]))
        return refuse(path, "tensor", index, "its shape is out of range", e);
    struct json_object *entry = json_object_new_object();
    bool given = entry && json_give(entry, "dtype", json_object_new_string("F32")) &&
                 json_give(entry, "shape", json_numbers(t->shape, t->dims)) &&
                 json_give(entry, "data_offsets", json_numbers(offsets, 2));
    if (!given) {
        json_object_put(entry);
        entry = NULL;
    }
    if (!json_give(root, t->name, entry))
        return err_set(e, ST_NOMEM, "cannot write %s: out of memory", path);
    *place = offsets[1];
    return ST_OK;
}

static enum status add_meta(struct json_object *object, const struct st_meta *meta, int index,
                            const char *path, struct err *e)
{
    if (strcmp(meta->key, SAFETENSORS_CHECKSUM) == 0 || json_object_object_get_ex(object, meta->key, NULL))
        return refuse(path, "metadata entry", index, "its key is reserved or used twice", e);
    if (!json_give(object, meta->key, json_object_new_string(meta->value)))
        return err_set(e, ST_NOMEM, "cannot write %s: out of memory", path);
    return ST_OK;
}

/* Fills the header's tree: metadata first, then the tensors in order. */
static enum status build_tree(struct json_object *root, const struct st_tensor *tensors, int count,
                              const struct st_meta *meta, int meta_count, const char *path, struct err *e)
{
    struct json_object *object = json_object_new_object();
    if (!json_give(root, SAFETENSORS_META, object))
        return err_set(e, ST_NOMEM, "cannot write %s: out of memory", path);
    enum status st = ST_OK;
    for (int i = 0; st == ST_OK && i < meta_count; i++)
        st = add_meta(object, &meta[i], i, path, e);
    int64_t place = 0;
    for (int i = 0; st == ST_OK && i < count; i++)
        st = add_tensor(root, &tensors[i], i, &place, path, e);
    return st;
}

static size_t data_bytes(const struct st_tensor *t)
{
    int64_t bytes = 0;
    return tensor_bytes(t, &bytes) ? (size_t)bytes : 0;
}

/* What the reader calls a damaged file is here a wrong request. */
static enum status request_error(struct err *e)
{
    if (e)
        e->status = ST_USAGE;
    return ST_USAGE;
}

/* Computes the checksum with the reader's own view of the header and adds it to the tree. */
static enum status add_checksum(struct json_object *root, const struct st_tensor *tensors, int count,
                                const char *path, struct err *e)
{
    size_t n = 0;
    const char *text = json_object_to_json_string_length(root, JSON_C_TO_STRING_PLAIN, &n);
    struct hasher *hasher = hasher_create();
    struct st_header header;
    enum status st = text && hasher ? st_header_parse(text, n, path, &header, e)
                                    : err_set(e, ST_NOMEM, "cannot write %s: out of memory", path);
    if (st != ST_OK) {
        hasher_free(hasher);
        return st == ST_CORRUPT ? request_error(e) : st;
    }
    for (int i = 0; i < count; i++)
        hasher_add(hasher, tensors[i].data, data_bytes(&tensors[i]));
    char checksum[HASH_TEXT];
    st_header_checksum(&header, hasher_value(hasher), checksum);
    hasher_free(hasher);
    st_header_release(&header);
    struct json_object *meta = json_object_object_get(root, SAFETENSORS_META);
    return json_give(meta, SAFETENSORS_CHECKSUM, json_object_new_string(checksum))
               ? ST_OK
               : err_set(e, ST_NOMEM, "cannot write %s: out of memory", path);
}

static void put_file(FILE *f, const char *text, size_t n, const struct st_tensor *tensors, int count)
{
    size_t padding = (DATA_ALIGNMENT - (8 + n) % DATA_ALIGNMENT) % DATA_ALIGNMENT;
    uint64_t length = n + padding;
    for (int shift = 0; shift < 64; shift += 8)
        fputc((int)(length >> shift & 0xff), f);
    fwrite(text, 1, n, f);
    for (size_t i = 0; i < padding; i++)
        fputc(' ', f);
    for (int i = 0; i < count; i++)
        if (data_bytes(&tensors[i]) > 0) /* data may then be NULL, which fwrite does not allow */
            fwrite(tensors[i].data, 1, data_bytes(&tensors[i]), f);
}

static enum status write_file(struct json_object *root, const struct st_tensor *tensors, int count,
                              const char *path, struct err *e)
{
    size_t n = 0;
    const char *text = json_object_to_json_string_length(root, JSON_C_TO_STRING_PLAIN, &n);
    if (!text)
        return err_set(e, ST_NOMEM, "cannot write %s: out of memory", path);
    struct atomic_file file;
    enum status st = atomic_open(&file, path, e);
    if (st != ST_OK)
        return st;
    put_file(file.f, text, n, tensors, count);
    return atomic_commit(&file, e); /* sees any failed write */
}

enum status safetensors_write(const char *path, const struct st_tensor *tensors, int count,
                              const struct st_meta *meta, int meta_count, struct err *e)
{
    struct json_object *root = json_object_new_object();
    if (!root)
        return err_set(e, ST_NOMEM, "cannot write %s: out of memory", path);
    enum status st = build_tree(root, tensors, count, meta, meta_count, path, e);
    if (st == ST_OK)
        st = add_checksum(root, tensors, count, path, e);
    if (st == ST_OK)
        st = write_file(root, tensors, count, path, e);
    json_object_put(root);
    return st;
}
