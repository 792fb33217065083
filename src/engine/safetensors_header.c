#include "engine/safetensors_header.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* root > tensor > shape > number: nothing in a header lies deeper. */
enum { HEADER_DEPTH = 5 };

/* Where a check stands, for its message. */
struct place {
    const char *file;
    const char *tensor;
    struct err *e;
};

static enum status corrupt(const struct place *p, const char *reason)
{
    return err_set(p->e, ST_CORRUPT, "%s: tensor \"%s\": %s", p->file, p->tensor, reason);
}

static enum status bad_json(const char *name, size_t at, const char *reason, struct err *e)
{
    return err_set(e, ST_CORRUPT, "%s: byte %zu: the header is not valid JSON: %s", name, 8 + at, reason);
}

/* Catches what json-c lets pass even when strict: of several equal keys it keeps the last, it cuts strings at
 * an escaped zero, and it takes 'text' for a string. In valid JSON every colon outside strings belongs to one
 * member, so their number shows whether members were lost. */
static enum status scan_text(const char *text, size_t n, const char *name, long *members, struct err *e)
{
    bool string = false;
    *members = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '"') {
            string = !string;
        } else if (string && text[i] == '\\') {
            if (n - i >= 6 && memcmp(text + i, "\\u0000", 6) == 0)
                return err_set(e, ST_CORRUPT, "%s: byte %zu: the header holds a zero character", name, 8 + i);
            i++;
        } else if (!string && text[i] == '\'') {
            return bad_json(name, i, "unexpected character", e);
        } else if (!string && text[i] == ':') {
            (*members)++;
        }
    }
    return ST_OK;
}

static enum status parse_json(const char *text, size_t n, const char *name, struct json_object **out,
                              struct err *e)
{
    if (n == 0 || text[0] != '{')
        return err_set(e, ST_CORRUPT, "%s: byte 8: the header does not begin with {", name);
    struct json_tokener *tokener = json_tokener_new_ex(HEADER_DEPTH);
    if (!tokener)
        return err_set(e, ST_NOMEM, "%s: out of memory", name);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *root = json_tokener_parse_ex(tokener, text, (int)n);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    size_t end = json_tokener_get_parse_end(tokener);
    json_tokener_free(tokener);
    if (error != json_tokener_success || end != n) {
        json_object_put(root);
        const char *reason = error == json_tokener_success    ? "unexpected character"
                             : error == json_tokener_continue ? "it ends too early"
                                                              : json_tokener_error_desc(error);
        return err_set(e, ST_CORRUPT, "%s: byte %zu: the header is not valid JSON: %s", name, 8 + end,
                       reason);
    }
    *out = root;
    return ST_OK;
}

/* Members of the root and of its objects. */
static long tree_members(struct json_object *root)
{
    long members = json_object_object_length(root);
    json_object_object_foreach(root, key, value)
    {
        (void)key;
        if (json_object_is_type(value, json_type_object))
            members += json_object_object_length(value);
    }
    return members;
}

static enum status check_meta(struct json_object *meta, const char *name, struct err *e)
{
    if (!json_object_is_type(meta, json_type_object))
        return err_set(e, ST_CORRUPT, "%s: " SAFETENSORS_META " is not an object", name);
    json_object_object_foreach(meta, key, value)
    {
        (void)key;
        if (!json_object_is_type(value, json_type_string)) {
            return err_set(e, ST_CORRUPT, "%s: " SAFETENSORS_META " holds a value that is not a string",
                           name);
        }
    }
    return ST_OK;
}

static enum status read_name(const char *key, const char *file, struct st_tensor *out, struct err *e)
{
    size_t n = strlen(key);
    if (n == 0 || n >= SAFETENSORS_NAME) {
        return err_set(e, ST_CORRUPT, "%s: a tensor's name has %zu bytes, allowed are 1 to %d", file, n,
                       SAFETENSORS_NAME - 1);
    }
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)key[i] < ' ' || key[i] == 0x7f)
            return err_set(e, ST_CORRUPT, "%s: a tensor's name holds a control character", file);
    memcpy(out->name, key, n + 1);
    return ST_OK;
}

/* A whole number of at least 0. */
static bool read_count(struct json_object *value, int64_t *out)
{
    if (!json_object_is_type(value, json_type_int))
        return false;
    *out = json_object_get_int64(value); /* values beyond int64_t saturate; no file is that long */
    return *out >= 0;
}

static enum status read_shape(struct json_object *shape, struct st_tensor *out, size_t *bytes,
                              const struct place *p)
{
    if (!json_object_is_type(shape, json_type_array))
        return corrupt(p, "shape is missing or not a list");
    size_t dims = json_object_array_length(shape);
    if (dims > SAFETENSORS_MAX_DIMS) {
        return err_set(p->e, ST_CORRUPT, "%s: tensor \"%s\": %zu dimensions, allowed are at most %d", p->file,
                       p->tensor, dims, SAFETENSORS_MAX_DIMS);
    }
    *bytes = sizeof(float);
    for (size_t i = 0; i < dims; i++) {
        if (!read_count(json_object_array_get_idx(shape, i), &out->shape[i]))
            return corrupt(p, "shape holds something else than whole numbers from 0");
        if (__builtin_mul_overflow(*bytes, (size_t)out->shape[i], bytes))
            return corrupt(p, "its size overflows");
    }
    out->dims = (int)dims;
    return ST_OK;
}

static enum status read_offsets(struct json_object *offsets, size_t bytes, struct st_entry *out,
                                const struct place *p)
{
    int64_t begin, end;
    if (!json_object_is_type(offsets, json_type_array) || json_object_array_length(offsets) != 2 ||
        !read_count(json_object_array_get_idx(offsets, 0), &begin) ||
        !read_count(json_object_array_get_idx(offsets, 1), &end) || begin > end)
        return corrupt(p, "data_offsets are not two ascending whole numbers");
    if ((uint64_t)(end - begin) != bytes) {
        return err_set(p->e, ST_CORRUPT,
                       "%s: tensor \"%s\": data_offsets span %lld bytes, the shape needs %zu", p->file,
                       p->tensor, (long long)(end - begin), bytes);
    }
    out->begin = (size_t)begin;
    out->end = (size_t)end;
    return ST_OK;
}

static enum status read_tensor(const char *key, struct json_object *value, const char *file,
                               struct st_entry *out, struct err *e)
{
    enum status st = read_name(key, file, &out->tensor, e);
    if (st != ST_OK)
        return st;
    struct place place = {file, out->tensor.name, e};
    if (!json_object_is_type(value, json_type_object) || json_object_object_length(value) != 3)
        return corrupt(&place, "it is not an object of dtype, shape and data_offsets");
    struct json_object *dtype = json_object_object_get(value, "dtype");
    if (!json_object_is_type(dtype, json_type_string) || strcmp(json_object_get_string(dtype), "F32") != 0)
        return corrupt(&place, "dtype is not F32, the only one supported");
    size_t bytes = 0;
    st = read_shape(json_object_object_get(value, "shape"), &out->tensor, &bytes, &place);
    if (st == ST_OK)
        st = read_offsets(json_object_object_get(value, "data_offsets"), bytes, out, &place);
    return st;
}

static int compare_places(const void *a, const void *b)
{
    const struct st_entry *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) /* empty tensors first: they end where the next begins */
        return x->end < y->end ? -1 : 1;
    return strcmp(x->tensor.name, y->tensor.name);
}

static enum status read_tensors(struct st_header *h, const char *name, struct err *e)
{
    h->entries = mem_calloc((size_t)json_object_object_length(h->root) + 1, sizeof *h->entries);
    if (!h->entries)
        return err_set(e, ST_NOMEM, "%s: out of memory", name);
    json_object_object_foreach(h->root, key, value)
    {
        enum status st = ST_OK;
        if (strcmp(key, SAFETENSORS_META) == 0) {
            h->meta = value;
            st = check_meta(value, name, e);
        } else {
            st = read_tensor(key, value, name, &h->entries[h->count++], e);
        }
        if (st != ST_OK)
            return st;
    }
    qsort(h->entries, (size_t)h->count, sizeof *h->entries, compare_places);
    for (int i = 0; i < h->count; i++) {
        struct place place = {name, h->entries[i].tensor.name, e};
        if (h->entries[i].begin != h->data_bytes) {
            return corrupt(&place, h->entries[i].begin < h->data_bytes ? "its data overlaps another tensor's"
                                                                       : "there is a gap before its data");
        }
        h->data_bytes = h->entries[i].end;
    }
    return ST_OK;
}

enum status st_header_parse(const char *text, size_t n, const char *name, struct st_header *out,
                            struct err *e)
{
    struct st_header header = {.root = NULL};
    long members = 0;
    if (n > SAFETENSORS_HEADER_MAX) {
        return err_set(e, ST_CORRUPT, "%s: byte 0: a header of %zu bytes, allowed are at most %d", name, n,
                       SAFETENSORS_HEADER_MAX);
    }
    enum status st = scan_text(text, n, name, &members, e);
    if (st == ST_OK)
        st = parse_json(text, n, name, &header.root, e);
    if (st == ST_OK)
        st = read_tensors(&header, name, e);
    if (st == ST_OK && members != tree_members(header.root))
        st = err_set(e, ST_CORRUPT, "%s: the header holds a key twice", name);
    if (st != ST_OK) {
        st_header_release(&header);
        return st;
    }
    *out = header;
    return ST_OK;
}

void st_header_release(struct st_header *h)
{
    json_object_put(h->root);
    mem_free(h->entries);
    *h = (struct st_header){.root = NULL};
}

static uint64_t hash_pair(uint64_t a, uint64_t b)
{
    uint64_t pair[2] = {a, b};
    return hash_bytes(pair, sizeof pair);
}

/* Sums of hashes: the order of keys, which other tools may change, does not count. */
void st_header_checksum(const struct st_header *h, uint64_t data_hash, char out[HASH_TEXT])
{
    uint64_t tensors = 0, meta = 0;
    for (int i = 0; i < h->count; i++) {
        const struct st_entry *entry = &h->entries[i];
        uint64_t numbers[2 + SAFETENSORS_MAX_DIMS] = {entry->begin, (uint64_t)entry->tensor.dims};
        for (int k = 0; k < entry->tensor.dims; k++)
            numbers[2 + k] = (uint64_t)entry->tensor.shape[k];
        tensors += hash_pair(hash_bytes(entry->tensor.name, strlen(entry->tensor.name)),
                             hash_bytes(numbers, sizeof numbers));
    }
    if (h->meta) {
        json_object_object_foreach(h->meta, key, value)
        {
            if (strcmp(key, SAFETENSORS_CHECKSUM) != 0) {
                const char *text = json_object_get_string(value);
                meta += hash_pair(hash_bytes(key, strlen(key)), hash_bytes(text, strlen(text)));
            }
        }
    }
    hash_text(hash_pair(data_hash, hash_pair(tensors, meta)), out);
}
