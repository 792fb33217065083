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
        safetensors_find(s, t->name) != t || (uintptr_t)t->data % sizeof(float) != 0) {
        abort();
    }
    for (int i = 0; i < t->dims; i++) {
        elements *= t->shape[i];
    }
    (void)hash_bytes(t->data, (size_t)elements * sizeof(float)); /* for the sanitizer to watch */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct safetensors *s = NULL;
    struct err e = ERR_INIT;
    enum status st = safetensors_parse(bytes, n, "input", &s, &e);
    if (st != ST_OK) {
        if (s || st != ST_CORRUPT || e.status != st || strncmp(e.text, "input: ", 7) != 0 ||
            strchr(e.text, '\n')) {
            abort();
        }
        return 0;
    }
    for (int i = 0; i < safetensors_count(s); i++) {
        use_tensor(s, safetensors_at(s, i));
    }
    const char *note = safetensors_meta(s, "note");
    if (note && strlen(note) > n) {
        abort();
    }
    safetensors_free(s);
    return 0;
}
