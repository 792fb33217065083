/* safetensors files: what is accepted must be usable in every part. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/safetensors.h"
#include "fuzz.h"

/* Aborts unless a tensor keeps what the header promises; reads all its data. */
static void use_tensor(const struct safetensors *s, const struct st_tensor *t)
{
    int64_t elements = 1;
    if (t->dims < 0 || t->dims > SAFETENSORS_MAX_DIMS || !memchr(t->name, '\0', sizeof t->name) ||
        safetensors_find(s, t->name) != t || (uintptr_t)t->data % sizeof(float) != 0)
        abort();
    for (int i = 0; i < t->dims; i++)
        elements *= t->shape[i];
    (void)hash_bytes(t->data, (size_t)elements * sizeof(float)); /* for the sanitizer to watch */
}

static void parse(const uint8_t *bytes, size_t n)
{
    struct safetensors *s = NULL;
    struct err e = ERR_INIT;
    enum status st = safetensors_parse(bytes, n, "input", &s, &e);
    if (st != ST_OK) {
        if (s || st != ST_CORRUPT || e.status != st || strncmp(e.text, "input: ", 7) != 0 ||
            strchr(e.text, '\n'))
            abort();
        return;
    }
    for (int i = 0; i < safetensors_count(s); i++)
        use_tensor(s, safetensors_at(s, i));
    const char *note = safetensors_meta(s, "note");
    if (note && strlen(note) > n)
        abort();
    safetensors_free(s);
}

/* The same bytes with a header length that fits: up to the last closing brace. Mutations would seldom hit it.
 */
static void parse_with_length(const uint8_t *bytes, size_t n)
{
    const uint8_t *brace = memrchr(bytes, '}', n);
    size_t length = brace ? (size_t)(brace - bytes) + 1 : 0;
    uint8_t *file = malloc(8 + n);
    if (!file)
        return;
    for (int i = 0; i < 8; i++)
        file[i] = (uint8_t)(length >> (8 * i) & 0xff);
    memcpy(file + 8, bytes, n);
    parse(file, 8 + n);
    free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    parse(bytes, n);
    if (n > 8)
        parse_with_length(bytes + 8, n - 8);
    return 0;
}
